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
	enum clause clauses[DEPTH_MAX];
	size_t depth;
};

static void step(struct reader *reader)
{
	sql_next(&reader->rest, reader->is_mysql, &reader->token);
}

static bool has_name(const struct sql_tables *tables, struct bytes name)
{
	for (size_t i = 0; i < tables->count; i++)
		if (bytes_equal(bytes_of(tables->names[i]), name))
			return true;
	return false;
}

static bool add_name(struct sql_tables *tables, const struct bytes *parts, size_t count,
		     struct arena *arena)
{
	struct bytes name;

	if (!arena_join(arena, parts, count, &name))
		return false;
	if (has_name(tables, name))
		return true;
	if (tables->count + 2 > tables->room) {
		size_t room = tables->room == 0 ? FIRST_ROOM : tables->room * 2;
		const char **grown = arena_alloc(arena, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		for (size_t i = 0; i < tables->count; i++)
			grown[i] = tables->names[i];
		tables->names = grown;
		tables->room = room;
	}
	tables->names[tables->count++] = name.data;
	tables->names[tables->count] = NULL;
	return true;
}

static bool is_name(const struct sql_token *token)
{
	return token->kind == SQL_NAME || (token->kind == SQL_WORD && (token->text.data[0] < '0' ||
								       token->text.data[0] > '9'));
}

/* The token at hand begins a name; the one behind it is at hand then. False: no memory. */
static bool take_name(struct reader *reader, struct sql_tables *tables, struct arena *arena)
{
	struct bytes parts[NAME_PARTS];
	size_t count = 0;

	for (;;) {
		parts[count++] = reader->token.text;
		step(reader);
		if (!sql_is_symbol(&reader->token, ".") || count + 2 > NAME_PARTS)
			break;
		parts[count++] = reader->token.text;
		step(reader);
		if (!is_name(&reader->token))
			break;
	}
	return sql_is_symbol(&reader->token, "(") || add_name(tables, parts, count, arena);
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

	step(&reader);
	while (reader.token.kind != SQL_END && reader.token.kind != SQL_UNKNOWN) {
		enum clause *clause = &reader.clauses[reader.depth];

		if (sql_is_symbol(&reader.token, "(")) {
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
