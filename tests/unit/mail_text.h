/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_text - what the tests of src/mail share: room for what is parsed and printed, and texts.
 */
#ifndef UNIT_MAIL_TEXT_H
#define UNIT_MAIL_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"

#define TEXT(literal) bytes_make(literal, sizeof(literal) - 1)
#define ROWS(table)   (sizeof(table) / sizeof((table)[0]))

static struct arena arena;
static struct buffer buffer;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	buffer_init(&buffer, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	buffer_free(&buffer);
	return 0;
}

/* In a block of its own, so that a sanitizer sees a read past the end. */
static inline struct bytes fenced(struct bytes text, char **out_block)
{
	*out_block = malloc(text.size > 0 ? text.size : 1);
	assert_non_null(*out_block);
	if (text.size > 0)
		memcpy(*out_block, text.data, text.size);
	return bytes_make(*out_block, text.size);
}

static inline void expect_bytes(struct bytes found, const char *wanted, struct bytes input)
{
	if (bytes_equal(found, bytes_of(wanted)))
		return;
	fail_msg("of '" BYTES_FORMAT "': found '" BYTES_FORMAT "', wanted '%s'", BYTES_ARGS(input),
		 BYTES_ARGS(found), wanted);
}

#endif
