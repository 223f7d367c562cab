/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_plain - the short way for a row of plain addresses alone (plain.h).
 */
#ifndef COMPILE_ROW_PLAIN_H
#define COMPILE_ROW_PLAIN_H

#include "compile/builder.h"

/* Add ROW if all of it is plain; false: nothing was done, take the thorough way. */
bool row_plain_add(struct builder *builder, const struct source_row *row, uint32_t global_line);

/*
 * Encode VALUE into ENTRY->targets (in BUILDER->targets, good until the next call) if all of it is
 * plain; false: take the thorough way, row_targets_encode().
 */
bool row_plain_targets(struct builder *builder, struct writer_entry *entry, struct bytes value);

#endif
