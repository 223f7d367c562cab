/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * changes - hear of the changes of one source that is a database, and tell of them, in a process
 * that does nothing else.
 *
 * It has a connection of its own. Where that is lost it waits 1, 2, 4 … 30 seconds, connects and
 * listens again, and says that it is back: what was changed meanwhile nobody knows. What listens is
 * a module (modules/module.h); where one can't, or a server is there and won't have it, the process
 * says so and ends, and the source has to be read now and then.
 */
#ifndef CHANGES_CHANGES_H
#define CHANGES_CHANGES_H

#include <stddef.h>

#include "mirror/mirror.h"
#include "settings/settings.h"

/* What SOURCE is called: "postgresql:main"; cut to SIZE. */
void changes_name(const struct settings_source *source, char *out_name, size_t size);

/* The path of the file that has the schema of SOURCE; empty: there is none. */
void changes_schema(const struct settings_source *source, char *out_path, size_t size);

/* Listen to source INDEX of CONTEXT, which is a struct settings, and tell it to FD (see
 * follow/scout.h), and write the journal of MIRROR, until nobody hears it. The result is an exit
 * status. */
int changes_listen(size_t index, int fd, const struct mirror *mirror, const void *context);

#endif
