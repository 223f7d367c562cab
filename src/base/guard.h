/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard - notice that a mapped file changed under us.
 *
 * Truncating a mapped file makes reads of the lost part a SIGBUS, or, up to the end of a page,
 * reads of zeros; overwriting it gives no signal at all (measured). So both are watched: a SIGBUS
 * inside a guarded range poisons the guard, and the rest of the range reads as zeros from then on;
 * and the file's size and times must be those it was mapped with. A time of modification can be set
 * back, that of the last change can't; but it moves, too, where a link, a name, the mode or the
 * owner changes. Then the content is compared.
 *
 * What a disk gives wrongly, without an error and without a write, isn't noticed.
 *
 * Ask guard_is_intact() *after* reading: what was read before a "no" means nothing. Each question
 * is a system call: guards are for tables that are larger than memory, not for speed. A SIGBUS in a
 * thread that blocks the signal still ends the process.
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/file.h"

struct guard;

/* Guard COPY, from file_copy_map(). NULL: ERR; there can be 16 at a time. */
struct guard *guard_new(const struct file_copy *copy, struct error *err);

/* HAS_OLD_CONTENT reads all of the file and says whether it is still what it was; without it any
 * change of the times is one of the content. */
void guard_on_doubt(struct guard *guard, bool (*has_old_content)(void *context), void *context);

/* Before the range is unmapped. */
void guard_free(struct guard *guard);

/* Any thread. Once false it stays false. */
bool guard_is_intact(struct guard *guard);

#endif
