/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nearest - which setting an unknown one was meant to be.
 */
#ifndef SETTINGS_NEAREST_H
#define SETTINGS_NEAREST_H

/* A known name close to PATH, or the one that ends in it; NULL: none. */
const char *settings_nearest_name(const char *path);

#endif
