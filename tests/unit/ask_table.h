/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask_table - tables from rows of text, and what they answer as text: for tests of resolve/.
 *
 * An answer is the verdict, then the reason in brackets, the recipients, or the reply.
 */
#ifndef TESTS_UNIT_ASK_TABLE_H
#define TESTS_UNIT_ASK_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "resolve/resolve.h"
#include "table_image.h"

/* A table and how it is asked. */
struct asked {
	struct build build;
	struct image image;
	struct table *table;
	struct resolve_limits limits;
	struct resolve_options options;
	size_t arena_bytes;
	struct buffer told; /* by on_step or on_dead_end */
};

/* Rows are `key value` (see build_add()); `domain alias|mailbox|local` declares. NULL ends them. */
static inline void asked_add(struct asked *asked, const char *row)
{
	const char *value = strrchr(row, ' ') + 1;
	char key[300];

	assert_true((size_t)(value - row) < sizeof(key));
	memcpy(key, row, (size_t)(value - row) - 1);
	key[value - row - 1] = '\0';
	if (strcmp(value, "alias") == 0)
		build_flags(&asked->build, key, TABLE_DOMAIN_ALIAS);
	else if (strcmp(value, "mailbox") == 0)
		build_flags(&asked->build, key, TABLE_DOMAIN_MAILBOX);
	else if (strcmp(value, "local") == 0)
		build_flags(&asked->build, key, TABLE_DOMAIN_LOCAL);
	else if (strncmp(value, "reply:", 6) == 0)
		build_add(&asked->build, key, "reply:550 5.2.1 Closed");
	else
		build_add(&asked->build, key, value);
}

/* Before asked_begin() the build may be changed, behind it limits and options. */
static inline void asked_begin(struct asked *asked)
{
	build_begin(&asked->build);
}

static inline void asked_end(struct asked *asked)
{
	asked->image = build_end(&asked->build);
	asked->table = image_open(&asked->image);
	asked->limits = (struct resolve_limits){ 1000, 1000, 1000 };
	asked->options = (struct resolve_options){ .limits = &asked->limits };
	asked->arena_bytes = 64 << 20;
	buffer_init(&asked->told, 1 << 20);
}

static inline void asked_make(struct asked *asked, const char *const *rows)
{
	*asked = (struct asked){ .arena_bytes = 0 };
	asked_begin(asked);
	for (; *rows != NULL; rows++)
		asked_add(asked, *rows);
	asked_end(asked);
}

static inline void asked_free(struct asked *asked)
{
	table_close(asked->table);
	image_free(&asked->image);
	buffer_free(&asked->told);
}

static inline void asked_print(const struct resolution *resolution, struct buffer *text)
{
	buffer_append_text(text, resolve_verdict_name(resolution->verdict));
	if (resolution->reason != REASON_NONE)
		buffer_append_format(text, " (%s)", reason_name(resolution->reason));
	for (size_t i = 0; i < resolution->recipient_count; i++)
		buffer_append_format(text, " " BYTES_FORMAT "@" BYTES_FORMAT,
				     BYTES_ARGS(resolution->recipients[i].address.local),
				     BYTES_ARGS(resolution->recipients[i].address.domain));
	if (resolution->reply.size > 0)
		buffer_append_format(text, " " BYTES_FORMAT, BYTES_ARGS(resolution->reply));
}

/* Ask for ADDRESS, as a client writes it. */
static inline struct resolution ask_for(struct asked *asked, const char *address,
					struct arena *arena)
{
	struct resolution resolution;

	arena_init(arena, asked->arena_bytes);
	resolve(asked->table, &asked->options, bytes_of(address), arena, NULL, &resolution);
	return resolution;
}

static inline void assert_answer_at(struct asked *asked, const char *address, const char *expected,
				    const char *file, int line)
{
	struct arena arena;
	struct resolution resolution = ask_for(asked, address, &arena);
	struct buffer text;

	buffer_init(&text, 1 << 24);
	asked_print(&resolution, &text);
	if (!bytes_equal(buffer_bytes(&text), bytes_of(expected))) {
		print_error("%s\n  is      %.500s\n  and not %.500s\n", address, text.data,
			    expected);
		_fail(file, line);
	}
	buffer_free(&text);
	arena_free(&arena);
}

#define assert_answer(asked, address, expected)                                                    \
	assert_answer_at(asked, address, expected, __FILE__, __LINE__)

#endif
