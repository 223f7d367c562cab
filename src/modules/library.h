/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * library - what the modules for servers say alike.
 */
#ifndef MODULES_LIBRARY_H
#define MODULES_LIBRARY_H

#include "base/error.h"

/* What the library NAME says, which may have several lines, becomes ERR, in one; false. */
bool library_fail(int status, const char *said, const char *name, struct error *err);

/* A source says nowhere which database it is; false. */
bool library_needs_connection(struct error *err);

#endif
