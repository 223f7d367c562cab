/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secret - a password in a file of its own, which others may neither read nor replace.
 */
#ifndef SETTINGS_SECRET_H
#define SETTINGS_SECRET_H

#include "base/arena.h"
#include "base/error.h"

/* The first line of the file PATH, at most 4096 bytes, in ARENA. NULL: status 66 where there is no
 * such file, 77 where it can't be read, or others may read or write it. */
const char *secret_read(const char *path, struct arena *arena, struct error *err);

#endif
