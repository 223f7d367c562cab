/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search_base - the `search_base` of a Postfix table that has a part of the key in it.
 *
 * All keys are searched below what stands behind the last such part; an entry counts for a key
 * where it is below what the base becomes with that. Pure; thread-safe.
 */
#ifndef DIRECTORY_SEARCH_BASE_H
#define DIRECTORY_SEARCH_BASE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "directory/directory.h"

/* What is behind the last component of TEMPLATE with a % in it; all of it where there is none. */
struct bytes search_base_common(struct bytes template);

/* Is NAME within SCOPE of BASE? Case, and blanks around `,` and `=`, make no difference. */
bool search_base_holds(struct bytes base, enum directory_scope scope, struct bytes name);

#endif
