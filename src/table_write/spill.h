/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spill - byte strings filed into partitions, which go to an unlinked temporary file when they
 * grow.
 *
 * Each partition is read back once, whole, in the order in which it was filled.
 */
#ifndef TABLE_WRITE_SPILL_H
#define TABLE_WRITE_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct spill;

/* PARTITIONS is a power of two. The temporary file is made in DIRECTORY when it is first needed. */
struct spill *spill_new(size_t partitions, const char *directory, struct error *err);
void spill_free(struct spill *spill);

/* SIZE bytes at the end of partition NUMBER for the caller to fill at once; NULL: ERR. */
unsigned char *spill_append(struct spill *spill, size_t number, size_t size, struct error *err);

/* How much is in it. */
size_t spill_bytes(const struct spill *spill, size_t partition);

/* Copy all of a partition to OUT (spill_bytes() of it) and drop it. */
bool spill_take(struct spill *spill, size_t partition, unsigned char *out, struct error *err);

#endif
