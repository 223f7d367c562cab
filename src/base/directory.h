/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory - the folder a file lies in, held open, so that whoever renames folders can't lead us
 * elsewhere between two steps.
 */
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

/*
 * Open the directory of the file PATH, with FLAGS beside O_DIRECTORY (O_PATH or O_RDONLY, and
 * O_NOFOLLOW to refuse a link there); *out_name is the file's name in it, a view into PATH. -1 and
 * errno on failure.
 */
int directory_open(const char *path, int flags, const char **out_name);

#endif
