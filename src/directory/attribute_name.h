/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attribute_name - what an attribute of an entry is called: `mail`, or with options behind it
 * `mail;lang-de`. Pure; thread-safe.
 */
#ifndef DIRECTORY_ATTRIBUTE_NAME_H
#define DIRECTORY_ATTRIBUTE_NAME_H

#include <stdbool.h>

#include "base/bytes.h"

/* Does a directory that is asked for WANTED take the attribute NAME for one? It does where NAME has
 * all options of WANTED, in whatever order, and others beside them (RFC 4512, 2.5.2). Case is no
 * matter. */
bool attribute_is(struct bytes name, struct bytes wanted);

#endif
