/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/filter_tree.h"

enum { DEPTH_MAX = 30 };

struct parser {
	struct bytes rest;
	struct arena *arena;
	const char *why; /* NULL: no memory, once something failed */
	int depth;
};

static struct filter_node *parse_node(struct parser *parser);

static void skip_blanks(struct parser *parser)
{
	while (parser->rest.size > 0 && byte_is_white(parser->rest.data[0]))
		parser->rest = bytes_skip(parser->rest, 1);
}

/* Is C next? Then it is taken. */
static bool take(struct parser *parser, char c)
{
	skip_blanks(parser);
	if (parser->rest.size == 0 || parser->rest.data[0] != c)
		return false;
	parser->rest = bytes_skip(parser->rest, 1);
	return true;
}

static struct filter_node *fail(struct parser *parser, const char *why)
{
	parser->why = why;
	return NULL;
}

static struct filter_node *node_new(struct parser *parser, enum filter_kind kind)
{
	struct filter_node *node = arena_alloc(parser->arena, sizeof(*node));

	if (node == NULL)
		return fail(parser, NULL);
	*node = (struct filter_node){ .kind = kind };
	return node;
}

static bool has_directive(struct bytes text)
{
	for (size_t i = 0; i + 1 < text.size; i++)
		if (text.data[i] == '%' && text.data[++i] != '%')
			return true;
	return false;
}

static struct filter_node *parse_item(struct parser *parser)
{
	size_t size = bytes_index(parser->rest, ')');
	struct bytes text = bytes_trim(bytes_first(parser->rest, size));
	struct filter_node *node;

	if (!bytes_contain(text, '=') || bytes_contain(text, '('))
		return fail(parser, "has a part that is not of the form (attribute=value)");
	node = node_new(parser, FILTER_ITEM);
	if (node == NULL)
		return NULL;
	node->text = text;
	node->has_key = has_directive(text);
	parser->rest = bytes_skip(parser->rest, size);
	return node;
}

/* What stands behind `&`, `|` or `!`. */
static struct filter_node *parse_list(struct parser *parser, enum filter_kind kind)
{
	struct filter_node *node = node_new(parser, kind);
	struct filter_node **end = node != NULL ? &node->first : NULL;

	if (node == NULL)
		return NULL;
	skip_blanks(parser);
	while (parser->rest.size > 0 && parser->rest.data[0] == '(') {
		*end = parse_node(parser);
		if (*end == NULL)
			return NULL;
		node->has_key |= (*end)->has_key;
		end = &(*end)->next;
		skip_blanks(parser);
	}
	if (kind == FILTER_NOT && (node->first == NULL || node->first->next != NULL))
		return fail(parser, "has a ! that is not before one part");
	return node;
}

static struct filter_node *parse_inside(struct parser *parser)
{
	if (take(parser, '&'))
		return parse_list(parser, FILTER_AND);
	if (take(parser, '|'))
		return parse_list(parser, FILTER_OR);
	if (take(parser, '!'))
		return parse_list(parser, FILTER_NOT);
	return parse_item(parser);
}

static struct filter_node *parse_node(struct parser *parser)
{
	struct filter_node *node;

	if (!take(parser, '('))
		return fail(parser, "has no ( where one should be");
	if (++parser->depth > DEPTH_MAX)
		return fail(parser, "has too many brackets within brackets");
	node = parse_inside(parser);
	if (node == NULL)
		return NULL;
	if (!take(parser, ')'))
		return fail(parser, "has no ) where one should be");
	parser->depth--;
	return node;
}

struct filter_node *filter_parse(struct bytes filter, struct arena *arena, const char **out_why)
{
	struct parser parser = { .rest = filter, .arena = arena };
	struct filter_node *node;

	skip_blanks(&parser);
	if (parser.rest.size > 0 && parser.rest.data[0] != '(')
		node = parse_inside(&parser); /* one item needs no brackets */
	else
		node = parse_node(&parser);
	skip_blanks(&parser);
	if (node != NULL && parser.rest.size > 0)
		node = fail(&parser, "goes on behind its end");
	*out_why = parser.why;
	return node;
}
