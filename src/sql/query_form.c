/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/query_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "sql/query_shaper.h"

enum { FORM_BYTES_MAX = 1 << 20, TABLES_MAX = 16, OPERANDS_MAX = 16, NESTED_MAX = 20 };

struct named {
	struct bytes table;
	struct bytes alias; /* how its columns are called */
};

struct former {
	struct shaper shaper; /* its tokens alone */
	struct arena *arena;
	struct named tables[TABLES_MAX];
	size_t table_count;
	struct bytes conditions[CONDITIONS_MAX];
	size_t condition_count;
	bool is_mysql;
	bool is_short; /* of memory */
};

static bool is_word(const struct former *former, size_t place, const char *word)
{
	return place < former->shaper.count && sql_is_word(&former->shaper.tokens[place], word);
}

static bool is_symbol(const struct former *former, size_t place, const char *symbol)
{
	return place < former->shaper.count && sql_is_symbol(&former->shaper.tokens[place], symbol);
}

/* Words, too: who asks knows that no keyword can stand there. */
static bool is_name(const struct former *former, size_t place)
{
	return place < former->shaper.count && (former->shaper.tokens[place].kind == SQL_WORD ||
						former->shaper.tokens[place].kind == SQL_NAME);
}

static struct bytes name_of(const struct sql_token *token)
{
	return token->kind == SQL_NAME ? bytes_make(token->text.data + 1, token->text.size - 2)
				       : token->text;
}

/* ---- texts -------------------------------------------------------------------------------- */

/* Failures are marked in OUT, of all that put something there. */
static void put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text); /* checked at the end */
}

static void put_lower(struct buffer *out, struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		(void)buffer_append_byte(out, byte_to_lower(text.data[i])); /* at the end */
}

static bool is_number(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.size > 0;
}

/* In quotes, and no other name than without them. */
static bool is_plain_name(const struct sql_token *token)
{
	struct bytes name = name_of(token);

	for (size_t i = 0; i < name.size; i++)
		if (byte_to_lower(name.data[i]) != name.data[i] ||
		    (unsigned char)name.data[i] <= ' ')
			return false;
	return token->kind == SQL_NAME;
}

static bool is_plain(const struct former *former, size_t place)
{
	return is_name(former, place) && (former->shaper.tokens[place].kind == SQL_WORD ||
					  is_plain_name(&former->shaper.tokens[place]));
}

static void put_token(struct buffer *out, const struct sql_token *token)
{
	if (sql_is_word(token, "true"))
		put(out, "1");
	else if (sql_is_word(token, "false"))
		put(out, "0");
	else if (sql_is_symbol(token, "!="))
		put(out, "<>");
	else if (token->kind == SQL_WORD || is_plain_name(token))
		put_lower(out, name_of(token));
	else if (token->kind == SQL_TEXT && !is_number(token->inside)) {
		put(out, "'");
		(void)buffer_append(out, token->inside); /* checked at the end */
		put(out, "'");
	} else
		(void)buffer_append(out, token->kind == SQL_TEXT ? token->inside
								 : token->text); /* likewise */
}

/* What stands in front of a column, as `a.goto` has it: the table, and of one table nothing; names
 * of a SELECT within stay as they are. */
static void put_qualifier(const struct former *former, struct bytes alias, struct buffer *out)
{
	const struct named *found = NULL;

	for (size_t i = 0; i < former->table_count; i++)
		if (bytes_equal_ascii_nocase(former->tables[i].alias, alias))
			found = &former->tables[i];
	if (found != NULL && former->table_count == 1)
		return;
	put_lower(out, found != NULL ? found->table : alias);
	put(out, " . ");
}

/* Where the brackets that begin at PLACE end. */
static size_t closing(const struct former *former, size_t place)
{
	int depth = 0;

	for (size_t i = place; i < former->shaper.count; i++) {
		depth += shaper_depth_change(&former->shaper.tokens[i]);
		if (depth == 0)
			return i;
	}
	return former->shaper.count;
}

static void put_span(const struct former *former, struct span span, struct buffer *out, int nested);

/* The texts of a CONCAT() that are in SPAN, with || between them. */
static void put_joined(const struct former *former, struct span span, struct buffer *out,
		       int nested)
{
	bool is_first = true;

	while (span.begin < span.end) {
		struct span part = shaper_next_part(&former->shaper, &span, ",");

		put(out, is_first ? "" : " || ");
		put_span(former, part, out, nested + 1);
		is_first = false;
	}
}

static void put_span(const struct former *former, struct span span, struct buffer *out, int nested)
{
	for (size_t i = span.begin; i < span.end; i++) {
		const struct sql_token *token = &former->shaper.tokens[i];

		if (i > span.begin)
			put(out, " ");
		if (sql_is_word(token, "concat") && is_symbol(former, i + 1, "(") &&
		    nested < NESTED_MAX) {
			size_t end = closing(former, i + 1);

			put_joined(former, (struct span){ i + 2, end }, out, nested);
			i = end;
		} else if (is_name(former, i) && is_symbol(former, i + 1, ".") &&
			   i + 2 < span.end) {
			put_qualifier(former, name_of(token), out);
			i += 2;
			put_token(out, &former->shaper.tokens[i]);
		} else if (former->is_mysql && sql_is_symbol(token, "||")) {
			put(out, "|| of mysql"); /* which joins nothing, mostly */
		} else {
			put_token(out, token);
		}
	}
}

/* What was put, in the arena. */
static struct bytes keep(struct former *former, struct buffer *text)
{
	struct bytes kept = bytes_make("", 0);

	if (text->has_failed || !arena_copy(former->arena, buffer_bytes(text), &kept))
		former->is_short = true;
	buffer_free(text);
	return kept;
}

static struct bytes text_of(struct former *former, struct span span)
{
	struct buffer text;

	buffer_init(&text, FORM_BYTES_MAX);
	put_span(former, span, &text, 0);
	return keep(former, &text);
}

static int compare(const void *left, const void *right)
{
	return bytes_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

/* PARTS in one order, WORD between them. */
static struct bytes sorted(struct former *former, struct bytes *parts, size_t count,
			   const char *word)
{
	struct buffer text;

	qsort(parts, count, sizeof(*parts), compare);
	buffer_init(&text, FORM_BYTES_MAX);
	for (size_t i = 0; i < count; i++) {
		put(&text, i == 0 ? "" : word);
		(void)buffer_append(&text, parts[i]); /* checked by keep() */
	}
	return keep(former, &text);
}

/* ---- conditions --------------------------------------------------------------------------- */

static bool is_column(const struct former *former, struct span span)
{
	return is_name(former, span.begin) &&
	       (span.end - span.begin == 1 ||
		(span.end - span.begin == 3 && is_symbol(former, span.begin + 1, ".") &&
		 is_name(former, span.begin + 2)));
}

static bool has_word(const struct former *former, struct span span, const char *word)
{
	return shaper_find_word(&former->shaper, span, word) < span.end;
}

/* Is it `x = y`, and nothing else? */
static bool is_comparison(const struct former *former, struct span span)
{
	static const char *const others[] = { "not", "like", "in",     "is",  "between",
					      "and", "case", "select", "xor", NULL };
	int depth = 0;
	size_t count = 0;

	for (size_t i = span.begin; i < span.end; i++) {
		const struct sql_token *token = &former->shaper.tokens[i];

		depth += shaper_depth_change(token);
		if (depth == 0 && (sql_is_one_of(token, others) || sql_is_symbol(token, "<") ||
				   sql_is_symbol(token, ">") || sql_is_symbol(token, "<=") ||
				   sql_is_symbol(token, ">=") || sql_is_symbol(token, "<>") ||
				   sql_is_symbol(token, "!=") || sql_is_symbol(token, "!")))
			return false;
		count += depth == 0 && sql_is_symbol(token, "=");
	}
	return count == 1;
}

/* COLUMN = VALUE, for a column that says yes or no. */
static struct bytes flag(struct former *former, struct span column, const char *value)
{
	struct bytes sides[] = { bytes_of(value), text_of(former, column) };

	return sorted(former, sides, 2, " = ");
}

/* A condition without AND and OR. */
static struct bytes plain_condition(struct former *former, struct span span)
{
	struct span behind = { span.begin + 1, span.end };
	struct bytes sides[2];

	if (span.begin >= span.end)
		return bytes_make("", 0);
	if (is_column(former, span))
		return flag(former, span, "1");
	if (is_word(former, span.begin, "not") &&
	    is_column(former, shaper_unwrap(&former->shaper, behind)))
		return flag(former, shaper_unwrap(&former->shaper, behind), "0");
	if (!is_comparison(former, span))
		return text_of(former, span);
	for (size_t i = 0; i < 2; i++) {
		struct span side = shaper_next_part(&former->shaper, &span, "=");

		sides[i] = text_of(former, shaper_unwrap(&former->shaper, side));
	}
	return sorted(former, sides, 2, " = ");
}

/* `x OR y`, in one order; as it stands where there is an AND, too. */
static struct bytes or_condition(struct former *former, struct span span)
{
	struct bytes operands[OPERANDS_MAX];
	struct span rest = span;
	size_t count = 0;

	while (rest.begin < rest.end && count < OPERANDS_MAX) {
		size_t at = shaper_find_word(&former->shaper, rest, "or");
		struct span one = shaper_unwrap(&former->shaper, (struct span){ rest.begin, at });

		if (has_word(former, one, "and") || has_word(former, one, "or"))
			return text_of(former, span);
		operands[count++] = plain_condition(former, one);
		rest.begin = at < rest.end ? at + 1 : rest.end;
	}
	return rest.begin < rest.end ? text_of(former, span)
				     : sorted(former, operands, count, " or ");
}

/* Add those of SPAN that AND joins. False: too many. */
static bool take_conditions(struct former *former, struct span span, int nested)
{
	bool is_one;

	span = shaper_unwrap(&former->shaper, span);
	if (nested > NESTED_MAX || former->condition_count == CONDITIONS_MAX)
		return false;
	is_one = has_word(former, span, "or") || has_word(former, span, "between") ||
		 has_word(former, span, "case") || !has_word(former, span, "and");
	if (is_one) {
		former->conditions[former->condition_count++] =
			has_word(former, span, "or") ? or_condition(former, span)
						     : plain_condition(former, span);
		return true;
	}
	while (span.begin < span.end) {
		size_t at = shaper_find_word(&former->shaper, span, "and");

		if (!take_conditions(former, (struct span){ span.begin, at }, nested + 1))
			return false;
		span.begin = at < span.end ? at + 1 : span.end;
	}
	return true;
}

/* ---- tables ------------------------------------------------------------------------------- */

/* `table`, `table name`, `table AS name` at *PLACE, which is moved behind it. */
static bool take_table(struct former *former, size_t *place, size_t end)
{
	static const char *const next[] = { "join", "inner",   "on",    "left", "right", "cross",
					    "full", "natural", "using", "as",   NULL };
	struct named *named = &former->tables[former->table_count];

	if (former->table_count == TABLES_MAX || *place >= end || !is_plain(former, *place) ||
	    sql_is_one_of(&former->shaper.tokens[*place], next))
		return false;
	named->table = named->alias = name_of(&former->shaper.tokens[(*place)++]);
	*place += *place < end && is_word(former, *place, "as");
	if (*place < end && is_plain(former, *place) &&
	    !sql_is_one_of(&former->shaper.tokens[*place], next))
		named->alias = name_of(&former->shaper.tokens[(*place)++]);
	for (size_t i = 0; i < former->table_count; i++)
		if (bytes_equal_ascii_nocase(former->tables[i].table, named->table))
			return false; /* which one of the two would be lost */
	former->table_count++;
	return true;
}

/* Where what is behind ON ends. */
static size_t on_end(const struct former *former, struct span span)
{
	static const char *const next[] = { "join",  "inner", "left",    "right",
					    "cross", "full",  "natural", NULL };
	int depth = 0;

	for (size_t i = span.begin; i < span.end; i++) {
		const struct sql_token *token = &former->shaper.tokens[i];

		depth += shaper_depth_change(token);
		if (depth == 0 && (sql_is_one_of(token, next) || sql_is_symbol(token, ",")))
			return i;
	}
	return span.end;
}

/* Tables with commas between them, or joined; what is behind ON goes into ONS, since names must be
 * known first. False: joined in another way. */
static bool take_tables(struct former *former, struct span from, struct span *ons,
			size_t *out_count)
{
	size_t place = from.begin;

	*out_count = 0;
	if (!take_table(former, &place, from.end))
		return false;
	while (place < from.end) {
		if (!is_symbol(former, place, ",")) {
			place += is_word(former, place, "inner");
			if (!is_word(former, place, "join"))
				return false;
		}
		place++;
		if (!take_table(former, &place, from.end))
			return false;
		if (place < from.end && is_word(former, place, "on")) {
			struct span on = { place + 1, from.end };

			on.end = place = on_end(former, on);
			ons[(*out_count)++] = on;
		}
	}
	return true;
}

/* ---- from start to end -------------------------------------------------------------------- */

static bool read_tokens(struct shaper *shaper, struct bytes query, bool is_mysql)
{
	int depth = 0;

	for (;;) {
		struct sql_token *token = &shaper->tokens[shaper->count];

		if (shaper->count == TOKENS_MAX)
			return false;
		sql_next(&query, is_mysql, token);
		depth += shaper_depth_change(token);
		if (token->kind == SQL_UNKNOWN || depth < 0)
			return false;
		if (token->kind == SQL_END)
			break;
		shaper->count++;
	}
	if (shaper->count > 0 && sql_is_symbol(&shaper->tokens[shaper->count - 1], ";"))
		shaper->count--;
	return depth == 0 && shaper->count > 0;
}

/* The clauses of one SELECT, each by itself. False: it has others, or is too odd. */
static bool take_clauses(struct former *former, struct bytes *out_select, struct bytes *out_rest)
{
	static const char *const others[] = { "union",  "intersect", "except",   "group",
					      "having", "window",    "distinct", NULL };
	const struct shaper *shaper = &former->shaper;
	struct span all = { 1, shaper->count }, ons[TABLES_MAX];
	size_t from, where, order, count;

	for (size_t i = 0; others[i] != NULL; i++)
		if (has_word(former, all, others[i]))
			return false;
	from = shaper_find_word(shaper, all, "from");
	where = shaper_find_word(shaper, all, "where");
	order = shaper_find_word(shaper, all, "order");
	if (order == shaper->count)
		order = shaper_find_word(shaper, all, "limit");
	if (!is_word(former, 0, "select") || from >= where || where >= order ||
	    !take_tables(former, (struct span){ from + 1, where }, ons, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_conditions(former, ons[i], 0))
			return false;
	*out_select = text_of(former, (struct span){ 1, from });
	*out_rest = text_of(former, (struct span){ order, shaper->count });
	return take_conditions(former, (struct span){ where + 1, order }, 0);
}

static struct bytes form_of(struct former *former)
{
	struct bytes tables[TABLES_MAX];
	struct bytes parts[4];
	struct buffer text;

	if (!take_clauses(former, &parts[0], &parts[3])) {
		former->table_count = 0;
		return text_of(former, (struct span){ 0, former->shaper.count });
	}
	for (size_t i = 0; i < former->table_count; i++) {
		buffer_init(&text, FORM_BYTES_MAX);
		put_lower(&text, former->tables[i].table);
		tables[i] = keep(former, &text);
	}
	parts[1] = sorted(former, tables, former->table_count, ", ");
	parts[2] = sorted(former, former->conditions, former->condition_count, "\nand ");
	buffer_init(&text, FORM_BYTES_MAX);
	(void)buffer_append_format(&text,
				   "select " BYTES_FORMAT "\nfrom " BYTES_FORMAT
				   "\nwhere " BYTES_FORMAT "\n" BYTES_FORMAT,
				   BYTES_ARGS(parts[0]), BYTES_ARGS(parts[1]), BYTES_ARGS(parts[2]),
				   BYTES_ARGS(parts[3])); /* checked by keep() */
	return keep(former, &text);
}

bool query_form_find(struct bytes query, bool is_mysql, struct arena *arena, struct bytes *out_form)
{
	struct former *former = arena_alloc(arena, sizeof(*former));
	struct bytes form = bytes_make("", 0);

	if (former == NULL)
		return false;
	memset(former, 0, sizeof(*former));
	former->arena = arena;
	former->is_mysql = is_mysql;
	if (read_tokens(&former->shaper, query, is_mysql))
		form = form_of(former);
	if (former->is_short)
		return false;
	*out_form = form;
	return true;
}
