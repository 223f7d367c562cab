/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nearest - which setting, or other word, an unknown one was meant to be.
 */
#ifndef SETTINGS_NEAREST_H
#define SETTINGS_NEAREST_H

/* A known name close to PATH, or the one that ends in it; NULL: none. */
const char *settings_nearest_name(const char *path);

/* How many letters must be put in, left out or changed to make the one word of the other. Up to
 * NEAREST_ENOUGH of them are a slip. */
unsigned nearest_distance(const char *a, const char *b);

enum { NEAREST_ENOUGH = 2 };

#endif
