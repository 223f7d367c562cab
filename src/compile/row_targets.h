/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_targets - right-hand sides: complete, check and encode each address of a list.
 */
#ifndef COMPILE_ROW_TARGETS_H
#define COMPILE_ROW_TARGETS_H

#include "compile/builder.h"

/*
 * The right-hand side of ENTRY can't be used, for the reason ERR: report it. False, but for a
 * lenient table: there somebody is meant by the key all the same, so it is known, and mail has to
 * wait for a better row. ENTRY becomes a deferral that yields to any other of its key.
 */
bool row_targets_refuse(struct builder *builder, struct writer_entry *entry, const char *path,
			uint32_t line, const struct error *err);

/*
 * Encode VALUE into ENTRY->targets (in BUILDER->targets, good until the next call). What is wrong
 * is reported and *out_is_usable false; in a lenient table bad targets are left out. The result is
 * false where it makes no sense to go on: reported.
 */
bool row_targets_encode(struct builder *builder, struct writer_entry *entry, struct bytes value,
			const char *path, uint32_t line, bool *out_is_usable);

#endif
