/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory - the folder a file lies in, held open, so that whoever renames folders can't lead us
 * elsewhere between two steps.
 */
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

#include "base/error.h"

/*
 * Open the directory of the file PATH, with FLAGS (O_PATH, O_RDONLY) and without following a link
 * there; *out_name is the file's name in it, a view into PATH. -1 and errno on failure.
 */
int directory_open(const char *path, int flags, const char **out_name);

/* Refuse (status 77) the open directory of PATH if others could put their own file there. */
bool directory_check(const char *path, int directory_fd, struct error *err);

#endif
