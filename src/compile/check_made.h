/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_made - is the table that was made one to be installed? It is proved, compared with the one
 * that is installed, and shown to whoever wants to see it before it is published.
 */
#ifndef COMPILE_CHECK_MADE_H
#define COMPILE_CHECK_MADE_H

#include <stdbool.h>

#include "compile/compilation.h"

/* Does the table that is replaced stay? */
bool compilation_keeps_replaced(const struct compilation *compilation);

/* Nothing is left to be done, for what is installed says the same, and is to stay then? */
bool compilation_is_done(const struct compilation *compilation);

/* All that comes between the file's being written, at PATH, and its getting its name. False:
 * reported. */
bool check_made_file(struct compilation *compilation, const char *path);

/* Prove the table in FD, which has no name. False: reported. */
bool check_made_memory(struct compilation *compilation, int fd);

#endif
