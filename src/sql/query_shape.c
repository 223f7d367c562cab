/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/query_shape.h"

#include <string.h>

#include "base/buffer.h"
#include "sql/query_shaper.h"

enum { BULK_BYTES_MAX = 1 << 20 };

/* ---- tokens ------------------------------------------------------------------------------- */

/* `||` joins texts; in MySQL it is OR, unless sql_mode says otherwise. */
static bool check_token(struct shaper *shaper, const struct sql_token *token, bool is_mysql)
{
	if (token->kind == SQL_UNKNOWN)
		return shaper_refuse(shaper,
				     "has a comment, a backslash, or a quote that databases "
				     "read in different ways");
	if (token->kind == SQL_NAME && shaper_has_directive(token->text))
		return shaper_refuse(shaper, "has a % in the quotes of a name");
	if (is_mysql && sql_is_symbol(token, "||"))
		return shaper_refuse(shaper, "has a ||, which may be OR: write OR, or CONCAT()");
	return true;
}

static bool read_tokens(struct shaper *shaper, struct bytes query, bool is_mysql)
{
	int depth = 0;

	for (;;) {
		struct sql_token *token = &shaper->tokens[shaper->count];

		if (shaper->count == TOKENS_MAX)
			return shaper_refuse(shaper, "is very long");
		sql_next(&query, is_mysql, token);
		if (!check_token(shaper, token, is_mysql))
			return false;
		depth += shaper_depth_change(token);
		if (depth < 0)
			return shaper_refuse(shaper, "has brackets that don't match");
		if (token->kind == SQL_END)
			break;
		shaper->count++;
	}
	if (shaper->count > 0 && sql_is_symbol(&shaper->tokens[shaper->count - 1], ";"))
		shaper->count--;
	return depth == 0 || shaper_refuse(shaper, "has brackets that don't match");
}

/* ---- clauses ------------------------------------------------------------------------------ */

/* With these a row of the answer isn't one row of the tables. */
static const char *const clauses[] = { "group", "having",    "limit",  "offset", "fetch",
				       "union", "intersect", "except", "window", "for",
				       "into",  "returning", NULL };

static const char *const aggregates[] = { "count",
					  "sum",
					  "total",
					  "avg",
					  "min",
					  "max",
					  "group_concat",
					  "every",
					  "string_agg",
					  "json_group_array",
					  "array_agg",
					  "bool_or",
					  "bool_and",
					  "json_agg",
					  "jsonb_agg",
					  "json_arrayagg",
					  "json_objectagg",
					  "bit_and",
					  "bit_or",
					  "bit_xor",
					  "std",
					  "stddev",
					  "variance",
					  "over",
					  NULL };

static const char *const distinct[] = { "distinct", "distinctrow", NULL };

static bool check_clauses(struct shaper *shaper)
{
	int depth = 0;

	for (size_t i = 0; i < shaper->count; i++) {
		const struct sql_token *token = &shaper->tokens[i];

		depth += shaper_depth_change(token);
		if (sql_is_symbol(token, ";"))
			return shaper_refuse(shaper, "is more than one statement");
		if (depth == 0 && sql_is_one_of(token, clauses))
			return shaper_refuse(shaper, "has GROUP BY, LIMIT, UNION or the like");
	}
	return true;
}

static bool check_select(struct shaper *shaper)
{
	struct span list = shaper->select;

	if (list.begin == list.end)
		return shaper_refuse(shaper, "selects nothing");
	if (sql_is_one_of(&shaper->tokens[list.begin], distinct))
		return shaper_refuse(shaper, "has DISTINCT");
	for (size_t i = list.begin; i + 1 < list.end; i++)
		if (sql_is_one_of(&shaper->tokens[i], aggregates) &&
		    sql_is_symbol(&shaper->tokens[i + 1], "("))
			return shaper_refuse(shaper, "counts or joins rows");
	if (shaper_tokens_have_directive(shaper, list))
		return shaper_refuse(shaper, "has a % in front of WHERE");
	return true;
}

static bool split_clauses(struct shaper *shaper, struct span *out_where)
{
	struct span all = { 1, shaper->count };
	size_t from, where, order;

	if (shaper->count == 0 || !sql_is_word(&shaper->tokens[0], "select"))
		return shaper_refuse(shaper, "is no SELECT");
	if (!check_clauses(shaper))
		return false;
	from = shaper_find_word(shaper, all, "from");
	order = shaper_find_word(shaper, all, "order");
	where = shaper_find_word(shaper, all, "where");
	if (from == shaper->count || where == shaper->count || where < from || order < where)
		return shaper_refuse(shaper, "has no FROM and WHERE");
	shaper->select = (struct span){ 1, from };
	shaper->from = (struct span){ from + 1, where };
	*out_where = (struct span){ where + 1, order };
	if (shaper_tokens_have_directive(shaper, shaper->from) ||
	    shaper_tokens_have_directive(shaper, (struct span){ order, shaper->count }))
		return shaper_refuse(shaper, "has a % outside of WHERE");
	return check_select(shaper);
}

/* ---- the bulk query ----------------------------------------------------------------------- */

/* The one condition of PATTERN, of which there is one; else it is empty. */
static struct condition find_pattern(const struct shaper *shaper, enum pattern pattern)
{
	for (size_t i = 0; i < shaper->condition_count; i++)
		if (shaper->conditions[i].pattern == pattern)
			return shaper->conditions[i];
	return (struct condition){ .pattern = PATTERN_NONE };
}

static bool choose_kind(struct shaper *shaper, struct query_shape *out_shape)
{
	static const struct {
		unsigned patterns;
		enum query_shape_kind kind;
		size_t key_columns;
	} known[] = {
		{ 1u << PATTERN_KEY, QUERY_KEY, 1 },
		{ 1u << PATTERN_ADDRESS, QUERY_ADDRESS, 1 },
		{ 1u << PATTERN_USER | 1u << PATTERN_DOMAIN, QUERY_PARTS, 2 },
		{ 1u << PATTERN_DOMAIN, QUERY_DOMAIN, 1 },
		{ 1u << PATTERN_AT, QUERY_CATCH_ALL, 1 },
		{ 1u << PATTERN_DOMAIN | 1u << PATTERN_USER_AT, QUERY_DOMAIN_ALIAS, 3 },
	};
	unsigned found = 0;

	for (size_t i = 0; i < shaper->condition_count; i++) {
		enum pattern pattern = shaper->conditions[i].pattern;

		if (pattern == PATTERN_NONE)
			continue;
		if ((found & 1u << pattern) != 0)
			return shaper_refuse(shaper, "compares with the same thing twice");
		found |= 1u << pattern;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].patterns != found)
			continue;
		out_shape->kind = known[i].kind;
		out_shape->key_columns = known[i].key_columns;
		return true;
	}
	return shaper_refuse(shaper,
			     found == 0 ? "doesn't depend on the key"
					: "compares with parts of the key that don't make one");
}

/* Failures are marked in OUT. */
static void put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text); /* checked at the end */
}

/* SPAN as it was written, but for `%%`. */
static void put_span(const struct shaper *shaper, struct span span, struct buffer *out)
{
	const char *at, *end;

	if (span.begin == span.end)
		return;
	at = shaper->tokens[span.begin].text.data;
	end = shaper->tokens[span.end - 1].text.data + shaper->tokens[span.end - 1].text.size;
	for (; at < end; at++) {
		(void)buffer_append_byte(out, *at); /* checked at the end */
		if (at[0] == '%' && at + 1 < end && at[1] == '%')
			at++;
	}
}

static void put_bracketed(const struct shaper *shaper, struct span span, struct buffer *out)
{
	put(out, "(");
	put_span(shaper, span, out);
	put(out, ")");
}

static void put_keys(const struct shaper *shaper, enum query_shape_kind kind, struct buffer *out)
{
	static const enum pattern first[] = {
		[QUERY_KEY] = PATTERN_KEY,      [QUERY_ADDRESS] = PATTERN_ADDRESS,
		[QUERY_PARTS] = PATTERN_USER,   [QUERY_DOMAIN] = PATTERN_DOMAIN,
		[QUERY_CATCH_ALL] = PATTERN_AT, [QUERY_DOMAIN_ALIAS] = PATTERN_DOMAIN,
	};

	put_bracketed(shaper, find_pattern(shaper, first[kind]).other, out);
	if (kind == QUERY_PARTS) {
		put(out, ", ");
		put_bracketed(shaper, find_pattern(shaper, PATTERN_DOMAIN).other, out);
	} else if (kind == QUERY_DOMAIN_ALIAS) {
		put(out, ", ");
		put_bracketed(shaper, find_pattern(shaper, PATTERN_USER_AT).other, out);
		put(out, ", ");
		put_bracketed(shaper, find_pattern(shaper, PATTERN_USER_AT).tail, out);
	}
}

/* The address ends in @ and its domain, said so that the database need not try all pairs. */
static void put_join(const struct shaper *shaper, enum query_dialect dialect, struct buffer *out)
{
	const struct condition condition = find_pattern(shaper, PATTERN_USER_AT);

	switch (dialect) {
	case QUERY_POSTGRESQL:
		put(out, "substring(");
		put_bracketed(shaper, condition.other, out);
		put(out, " from '@([^@]*)$') = ");
		break;
	case QUERY_SQLITE:
		put(out, "substr(");
		put_bracketed(shaper, condition.other, out);
		put(out, ", length(");
		put_bracketed(shaper, condition.other, out);
		put(out, ") - length(");
		put_bracketed(shaper, condition.tail, out);
		put(out, ")) = '@' || ");
		break;
	case QUERY_MYSQL:
		put(out, "SUBSTRING_INDEX(");
		put_bracketed(shaper, condition.other, out);
		put(out, ", '@', -1) = ");
		break;
	}
	put_bracketed(shaper, condition.tail, out);
}

static void put_bulk(const struct shaper *shaper, const struct query_shape *shape,
		     enum query_dialect dialect, struct buffer *out)
{
	const char *word = " WHERE ";

	put(out, "SELECT ");
	put_keys(shaper, shape->kind, out);
	put(out, ", ");
	put_span(shaper, shaper->select, out);
	put(out, " FROM ");
	put_span(shaper, shaper->from, out);
	for (size_t i = 0; i < shaper->condition_count; i++) {
		if (shaper->conditions[i].pattern != PATTERN_NONE)
			continue;
		put(out, word);
		put_bracketed(shaper, shaper->conditions[i].other, out);
		word = " AND ";
	}
	if (shape->kind == QUERY_DOMAIN_ALIAS) {
		put(out, word);
		put_join(shaper, dialect, out);
	}
}

static enum query_outcome make_bulk(const struct shaper *shaper, enum query_dialect dialect,
				    struct arena *arena, struct query_shape *shape)
{
	struct buffer text;
	bool is_made;

	buffer_init(&text, BULK_BYTES_MAX);
	put_bulk(shaper, shape, dialect, &text);
	is_made = !text.has_failed && arena_copy(arena, buffer_bytes(&text), &shape->bulk);
	buffer_free(&text);
	return is_made ? QUERY_HAS_SHAPE : QUERY_NO_MEMORY;
}

static bool is_name(const struct sql_token *token)
{
	static const char *const words[] = { "only", "lateral", "unnest", NULL };

	return (token->kind == SQL_WORD && !sql_is_one_of(token, words)) ||
	       (token->kind == SQL_NAME && token->text.data[0] != '[');
}

static struct bytes text_of(const struct shaper *shaper, size_t first, size_t last)
{
	const char *begin = shaper->tokens[first].text.data;
	struct bytes end = shaper->tokens[last].text;

	return bytes_make(begin, (size_t)(end.data + end.size - begin));
}

/* `table`, `schema.table`, either with another name behind it. */
static void find_table(const struct shaper *shaper, struct query_shape *shape)
{
	struct span from = shaper->from;
	size_t name = from.begin; /* where it ends */

	shape->table = shape->qualifier = bytes_make(NULL, 0);
	if (from.begin == from.end || !is_name(&shaper->tokens[from.begin]))
		return;
	if (from.end - from.begin > 2 && sql_is_symbol(&shaper->tokens[from.begin + 1], ".") &&
	    is_name(&shaper->tokens[from.begin + 2]))
		name = from.begin + 2;
	from.begin = name + 1;
	if (from.begin < from.end && sql_is_word(&shaper->tokens[from.begin], "as"))
		from.begin++;
	if (from.end - from.begin > 1 ||
	    (from.begin < from.end && !is_name(&shaper->tokens[from.begin])))
		return;
	shape->table = text_of(shaper, shaper->from.begin, name);
	shape->qualifier =
		from.begin == from.end ? shape->table : text_of(shaper, from.begin, from.begin);
}

enum query_outcome query_shape_find(struct bytes query, enum query_dialect dialect,
				    struct arena *arena, struct query_shape *out_shape,
				    const char **out_why)
{
	struct shaper *shaper = arena_alloc(arena, sizeof(*shaper));
	struct query_shape shape;
	struct span where;

	if (shaper == NULL)
		return QUERY_NO_MEMORY;
	memset(shaper, 0, sizeof(*shaper));
	if (!read_tokens(shaper, query, dialect == QUERY_MYSQL) || !split_clauses(shaper, &where) ||
	    !shaper_take_conditions(shaper, where) || !choose_kind(shaper, &shape)) {
		*out_why = shaper->why;
		return QUERY_HAS_NONE;
	}
	if (make_bulk(shaper, dialect, arena, &shape) != QUERY_HAS_SHAPE)
		return QUERY_NO_MEMORY;
	find_table(shaper, &shape);
	*out_shape = shape;
	return QUERY_HAS_SHAPE;
}
