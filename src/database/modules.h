/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules - find and load the shared object of one kind of database.
 *
 * They are in one directory, chosen when this was built, so that who needs no database needs no
 * library of one. OPENRCPT_MODULE_DIRECTORY in the environment names another one, for tests; it
 * counts for nothing where the program has more rights than who started it. The object and its
 * directory must belong to root or to us, and nobody else may write them: whoever can write there
 * is the compiler.
 *
 * What was loaded stays until the program ends. Not thread-safe: load before there are threads.
 */
#ifndef DATABASE_MODULES_H
#define DATABASE_MODULES_H

#include "modules/module.h"

/* The module for the type NAME; NULL: 69 it isn't there, or its library isn't; 77 not trusted; 78
 * of another version. */
const struct database_module *modules_load(const char *name, struct error *err);

/* A line for each module that is there: its name, its library and the version of that, or what is
 * wrong with it. Failures are marked in OUT. */
void modules_list(struct buffer *out);

#endif
