/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/sql_tables.h"

#include "sql/sql_tokens.h"

enum { DEPTH_MAX = 64, FIRST_ROOM = 16, NAME_PARTS = 7 /* a.b.c, and more */ };

/* What the words of one bracket are about. */
enum clause {
	CLAUSE_OTHER,
	CLAUSE_TABLE, /* a table comes next */
	CLAUSE_FROM,  /* one has come; a comma leads to the next */
};

struct reader {
	struct bytes rest;
	bool is_mysql;
	struct sql_token token;
	struct bytes behind[NAME_PARTS]; /* the name that stands before the token, with its dots */
	size_t behind_count;
	enum clause clauses[DEPTH_MAX];
	size_t depth;
};

static bool is_name(const struct sql_token *token)
{
	return token->kind == SQL_NAME || (token->kind == SQL_WORD && (token->text.data[0] < '0' ||
								       token->text.data[0] > '9'));
}

/* The token at hand belongs to a name, or ends it. */
static void leave_behind(struct reader *reader)
{
	bool is_dot = sql_is_symbol(&reader->token, ".");
	bool has_dot = reader->behind_count % 2 == 0; /* or there is nothing */

	if (!has_dot && !is_dot)
		reader->behind_count = 0;
	if (is_dot ? has_dot : !is_name(&reader->token))
		reader->behind_count = 0;
	else if (reader->behind_count < NAME_PARTS)
		reader->behind[reader->behind_count++] = reader->token.text;
}

static void step(struct reader *reader)
{
	leave_behind(reader);
	sql_next(&reader->rest, reader->is_mysql, &reader->token);
}

static bool has_name(const struct sql_names *names, struct bytes name)
{
	for (size_t i = 0; i < names->count; i++)
		if (bytes_equal(bytes_of(names->names[i]), name))
			return true;
	return false;
}

static bool add_name(struct sql_names *names, const struct bytes *parts, size_t count,
		     struct arena *arena)
{
	struct bytes name;

	if (!arena_join(arena, parts, count, &name))
		return false;
	if (has_name(names, name))
		return true;
	if (names->count + 2 > names->room) {
		size_t room = names->room == 0 ? FIRST_ROOM : names->room * 2;
		const char **grown = arena_alloc(arena, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		for (size_t i = 0; i < names->count; i++)
			grown[i] = names->names[i];
		names->names = grown;
		names->room = room;
	}
	names->names[names->count++] = name.data;
	names->names[names->count] = NULL;
	return true;
}

/* A bracket is at hand: what has come right before it is called. */
static bool take_function(const struct reader *reader, struct sql_tables *tables,
			  struct arena *arena)
{
	return reader->behind_count % 2 == 0 ||
	       add_name(&tables->functions, reader->behind, reader->behind_count, arena);
}

/* The token at hand begins a name; the one behind it is at hand then. False: no memory. */
static bool take_name(struct reader *reader, struct sql_tables *tables, struct arena *arena)
{
	do {
		step(reader);
		if (!sql_is_symbol(&reader->token, "."))
			break;
		step(reader);
	} while (is_name(&reader->token));
	return sql_is_symbol(&reader->token, "(") ||
	       add_name(&tables->tables, reader->behind, reader->behind_count, arena);
}

/* What TOKEN, which is no bracket, makes of the clause that it stands in. */
static enum clause clause_behind(enum clause clause, const struct sql_token *token)
{
	static const char *const leads[] = { "from", "join", "straight_join", NULL };
	static const char *const passes[] = { "only", "lateral", NULL };
	static const char *const ends[] = { "where",     "group",  "having",  "order", "limit",
					    "union",     "except", "select",  "for",   "intersect",
					    "returning", "window", "qualify", NULL };

	if (sql_is_one_of(token, leads))
		return CLAUSE_TABLE;
	if (sql_is_one_of(token, ends))
		return CLAUSE_OTHER;
	if (clause == CLAUSE_TABLE)
		return sql_is_one_of(token, passes) ? CLAUSE_TABLE : CLAUSE_OTHER;
	return clause == CLAUSE_FROM && sql_is_symbol(token, ",") ? CLAUSE_TABLE : clause;
}

/* Brackets where a table should come have tables in them, too; behind them a list goes on. */
static bool open_bracket(struct reader *reader)
{
	enum clause outer = reader->clauses[reader->depth];

	if (reader->depth + 1 == DEPTH_MAX)
		return false;
	if (outer == CLAUSE_TABLE)
		reader->clauses[reader->depth] = CLAUSE_FROM;
	reader->clauses[++reader->depth] = outer == CLAUSE_TABLE ? CLAUSE_TABLE : CLAUSE_OTHER;
	return true;
}

bool sql_tables_add(struct sql_tables *tables, struct bytes query, bool is_mysql,
		    struct arena *arena)
{
	struct reader reader = { .rest = query, .is_mysql = is_mysql };

	sql_next(&reader.rest, is_mysql, &reader.token);
	while (reader.token.kind != SQL_END && reader.token.kind != SQL_UNKNOWN) {
		enum clause *clause = &reader.clauses[reader.depth];

		if (sql_is_symbol(&reader.token, "(")) {
			if (!take_function(&reader, tables, arena))
				return false;
			if (!open_bracket(&reader))
				break;
		} else if (sql_is_symbol(&reader.token, ")")) {
			reader.depth -= reader.depth > 0 ? 1 : 0;
		} else {
			enum clause next = clause_behind(*clause, &reader.token);

			/* It says nothing else: it has to be a table. */
			if (*clause == CLAUSE_TABLE && next == CLAUSE_OTHER &&
			    is_name(&reader.token) && !sql_is_word(&reader.token, "select")) {
				*clause = CLAUSE_FROM;
				if (!take_name(&reader, tables, arena))
					return false;
				continue;
			}
			*clause = next;
		}
		step(&reader);
	}
	tables->has_unknown |= reader.token.kind != SQL_END;
	return true;
}
