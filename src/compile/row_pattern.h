/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_pattern - rules of pattern sources: check what they stand for, file them under a domain. That
 * the expressions can be compiled the importer has seen (source.h).
 */
#ifndef COMPILE_ROW_PATTERN_H
#define COMPILE_ROW_PATTERN_H

#include "compile/builder.h"

/* False where it makes no sense to go on: reported. */
bool row_pattern_add(struct builder *builder, const struct source_row *row, const char *path,
		     uint32_t global_line);

/* A source ends: an `if` still open ends with it. */
bool row_pattern_close(struct builder *builder);

#endif
