/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The query of a Postfix table. A bulk query has nothing of the key in it, ends within its brackets
 * and quotes, and begins with the columns of the key; a refusal says why. Blanks
 * around a query make no other form of it. No template makes the filling of a key go astray.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/key_template.h"
#include "sql/query_form.h"
#include "sql/query_shape.h"
#include "sql/sql_tables.h"
#include "sql/sql_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): NDEBUG must not make this target blind. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_bulk(const struct query_shape *shape, bool is_mysql)
{
	struct bytes rest = shape->bulk;
	struct sql_token token;
	int depth = 0;

	must(bytes_begin_with(shape->bulk, bytes_of("SELECT (")), "the key comes first");
	must(shape->key_columns >= 1 && shape->key_columns <= 3, "a key has columns");
	for (;;) {
		sql_next(&rest, is_mysql, &token);
		if (token.kind == SQL_END)
			break;
		must(token.kind != SQL_UNKNOWN, "the bulk query can be read");
		must(!sql_is_symbol(&token, ";"), "the bulk query is one statement");
		depth += sql_is_symbol(&token, "(") - sql_is_symbol(&token, ")");
		must(depth >= 0, "brackets match");
	}
	must(depth == 0, "brackets end");
}

static void fill(struct bytes text)
{
	struct buffer out;
	struct error err;

	if (!key_template_check(text, &err)) {
		must(err.text[0] != '\0', "a refusal says why");
		return;
	}
	buffer_init(&out, 1 << 24);
	must(key_template_query(text, bytes_of("a@b.example"), NULL, NULL, &out, &err) !=
		     TEMPLATE_FAILED,
	     "a sound template can be filled");
	must(key_template_result(text, bytes_of("a@b.example"), bytes_of("@"), &out) !=
		     TEMPLATE_FAILED,
	     "and with a value");
	buffer_free(&out);
}

static void check_form(struct bytes query, bool is_mysql)
{
	struct bytes form, again, padded;
	struct arena arena;
	const struct bytes parts[] = { bytes_of(" \n"), query, bytes_of("\t ") };

	arena_init(&arena, 1 << 26);
	must(arena_join(&arena, parts, 3, &padded), "there is memory");
	if (query_form_find(query, is_mysql, &arena, &form) &&
	    query_form_find(padded, is_mysql, &arena, &again))
		must(bytes_equal(form, again), "blanks are no matter");
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum query_dialect dialects[] = { QUERY_POSTGRESQL, QUERY_SQLITE,
						       QUERY_MYSQL };
	/* In memory of its own size, so that reading past its end is seen. */
	char *text = malloc(size + (size == 0));
	struct bytes query = bytes_make(text, size);
	bool has_shape = false;

	must(text != NULL, "there is memory");
	memcpy(text, data, size);
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		struct arena arena;
		struct query_shape shape;
		const char *why = NULL;
		struct sql_tables tables = { 0 };
		enum query_outcome outcome;

		arena_init(&arena, 1 << 24);
		outcome = query_shape_find(query, dialects[i], &arena, &shape, &why);
		must(outcome != QUERY_HAS_NONE || why != NULL, "a refusal says why");
		if (outcome == QUERY_HAS_SHAPE)
			check_bulk(&shape, dialects[i] == QUERY_MYSQL);
		has_shape = outcome == QUERY_HAS_SHAPE;
		must(sql_tables_add(&tables, query, dialects[i] == QUERY_MYSQL, &arena),
		     "there is memory for the names of tables");
		arena_free(&arena);
	}
	check_form(query, false);
	check_form(query, true);
	fill(query);
	free(text);
	return has_shape ? 0 : -1;
}
