/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * under_valgrind - valgrind looks on: everything takes a hundred times as long, and the limits of
 * the process are its own.
 */
#ifndef TESTS_UNIT_UNDER_VALGRIND_H
#define TESTS_UNIT_UNDER_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

#endif
