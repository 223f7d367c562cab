/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragments - which files of `conf.d` are read beside the configuration, and in which order.
 */
#ifndef SETTINGS_FRAGMENTS_H
#define SETTINGS_FRAGMENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "settings/settings.h"

/*
 * Append to OUT_PATHS the files of `conf.d` in FOLDER, which is absolute: each whose name ends in
 * `.conf` and begins with no dot, in the order of the bytes of their names. So what editors and
 * package managers leave beside a file is none. No `conf.d` is none of them; a link to nowhere is
 * an error. To OUT_FOLDERS goes the path of `conf.d`, with a slash at its end, whether it is there
 * or not. False: whether there are any can't be told (status 77), or there is no memory (71). The
 * caller ends both lists.
 */
bool fragments_find(const char *folder, struct settings_list *out_folders,
		    struct settings_list *out_paths, struct error *err);

/*
 * The same for PATH, which is that of `conf.d` as fragments_find() tells it, and to OUT_PATHS
 * alone.
 */
bool fragments_list(const char *path, struct settings_list *out_paths, struct error *err);

#endif
