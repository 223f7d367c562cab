/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_entry - the meaning of one row: key, targets, `error:`, `discard:`, bare-domain rows.
 */
#ifndef COMPILE_ROW_ENTRY_H
#define COMPILE_ROW_ENTRY_H

#include "compile/builder.h"

/* False where it makes no sense to go on: reported. */
bool row_entry_add(struct builder *builder, const struct source_row *row, const char *path,
		   uint32_t global_line);

/* Bare words whose domain turned out to have keys declare it. */
bool row_entry_settle_words(struct builder *builder);

#endif
