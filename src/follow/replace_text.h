/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replace_text - a small file, written anew as a whole or not at all.
 */
#ifndef FOLLOW_REPLACE_TEXT_H
#define FOLLOW_REPLACE_TEXT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* PATH is TEXT from now on, with MODE; one writer waits for the other, for a second at most. False:
 * PATH is what it was. A TEXT that has failed for want of memory isn't written (71). */
bool replace_text(const char *path, const struct buffer *text, mode_t mode, struct error *err);

#endif
