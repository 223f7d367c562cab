/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posix_escape - what a backslash and a letter mean to the C library, in regular expressions.
 */
#ifndef SOURCES_POSIX_ESCAPE_H
#define SOURCES_POSIX_ESCAPE_H

#include "base/bytes.h"

/* The same for PCRE2; NULL: C is none of its letters. */
const char *posix_escape_meaning(char c);

/*
 * The first letter (or `0`) that has a backslash before it outside of brackets and no meaning for
 * the C library; '\0': none. To it that is the letter itself, and without case not even that: a
 * small one never matches. Whoever writes `\d` means neither.
 */
char posix_escape_unknown(struct bytes text);

#endif
