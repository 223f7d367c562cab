/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_targets - right-hand sides: complete, check and encode each address of a list.
 */
#ifndef COMPILE_ROW_TARGETS_H
#define COMPILE_ROW_TARGETS_H

#include "compile/builder.h"

/*
 * Encode VALUE into ENTRY->targets (in BUILDER->targets, good until the next call). What is wrong
 * is reported and *out_is_usable false. The result is false where it makes no sense to go on:
 * reported.
 */
bool row_targets_encode(struct builder *builder, struct writer_entry *entry, struct bytes value,
			const char *path, uint32_t line, bool *out_is_usable);

#endif
