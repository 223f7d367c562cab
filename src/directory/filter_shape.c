/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/filter_shape.h"

#include <string.h>

#include "directory/filter_tree.h"

enum { FILTER_BYTES_MAX = 1 << 20 };

struct shaper {
	struct arena *arena;
	struct filter_branch *branch; /* at hand */
	struct buffer text;           /* of its filter */
	const char *why;              /* NULL: no memory, once something failed */
};

static bool refuse(struct shaper *shaper, const char *why)
{
	shaper->why = why;
	return false;
}

/* ---- how many branches -------------------------------------------------------------------- */

/* 0: it has no shape, and shaper->why says why. */
static size_t count_branches(struct shaper *shaper, const struct filter_node *node)
{
	size_t sum = 0, most = 1, keys = 0;

	if (!node->has_key || node->kind == FILTER_ITEM)
		return 1;
	if (node->kind == FILTER_NOT)
		return refuse(shaper, "has the key behind a !");
	for (const struct filter_node *child = node->first; child != NULL; child = child->next) {
		size_t count;

		if (!child->has_key && node->kind == FILTER_OR)
			return refuse(shaper, "has a | between parts with the key and without it");
		if (!child->has_key)
			continue;
		count = count_branches(shaper, child);
		if (count == 0)
			return 0;
		sum += count;
		keys++;
		most = count > most ? count : most;
	}
	if (node->kind == FILTER_AND && keys > 1 && most > 1)
		return refuse(shaper, "has the key in several parts, and in a | of them");
	if (sum > FILTER_BRANCHES_MAX)
		return refuse(shaper, "has the key in too many parts");
	return node->kind == FILTER_OR ? sum : most;
}

/* ---- items -------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = byte_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The text that ESCAPED stands for; a `*` in it is none. */
static bool unescape(struct shaper *shaper, struct bytes escaped, struct bytes *out_text)
{
	char *text = arena_alloc(shaper->arena, escaped.size + 1);
	size_t size = 0;

	if (text == NULL)
		return refuse(shaper, NULL);
	for (size_t i = 0; i < escaped.size; i++) {
		char c = escaped.data[i];

		if (c == '*')
			return refuse(shaper, "has a * beside the key");
		if (c == '\\') {
			int high = i + 2 < escaped.size ? hex_digit(escaped.data[i + 1]) : -1;
			int low = i + 2 < escaped.size ? hex_digit(escaped.data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return refuse(shaper, "has a \\ without two hexadecimal digits");
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '%') {
			i++; /* the second of two */
		}
		text[size++] = c;
	}
	*out_text = bytes_make(text, size);
	return true;
}

/* Where the first directive in TEXT is; its size: there is none. */
static size_t find_directive(struct bytes text)
{
	size_t i = 0;

	while (i + 1 < text.size && (text.data[i] != '%' || text.data[i + 1] == '%'))
		i += text.data[i] == '%' ? 2 : 1;
	return i + 1 < text.size ? i : text.size;
}

/* Which part a value begins with that begins with a directive; its size is *OUT_SIZE. */
static bool part_of(struct shaper *shaper, struct bytes text, enum filter_part *out_part,
		    size_t *out_size)
{
	static const char address[] = "%u@%d";
	bool is_address = text.size >= sizeof(address) - 1;

	for (size_t i = 0; i < sizeof(address) - 1 && is_address; i++)
		is_address = byte_to_lower(text.data[i]) == address[i];
	*out_size = is_address ? sizeof(address) - 1 : 2;
	*out_part = FILTER_ADDRESS;
	if (is_address)
		return true;
	switch (text.size < 2 ? ' ' : byte_to_lower(text.data[1])) {
	case 's':
		*out_part = FILTER_KEY;
		return true;
	case 'd':
		*out_part = FILTER_DOMAIN;
		return true;
	case 'u':
		*out_part = FILTER_USER;
		return true;
	default:
		return refuse(shaper, "asks for labels of the domain");
	}
}

static bool is_attribute(struct bytes name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = byte_to_lower(name.data[i]);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' &&
		    c != ';')
			return false;
	}
	return name.size > 0;
}

static bool read_key(struct shaper *shaper, struct bytes text, struct filter_key *out_key)
{
	size_t equals = bytes_index(text, '=');
	struct bytes value = bytes_trim(bytes_skip(text, equals + 1));
	size_t begin = find_directive(value);
	struct bytes before = bytes_first(value, begin);
	struct bytes after;
	size_t size;

	*out_key = (struct filter_key){ .attribute = bytes_trim(bytes_first(text, equals)) };
	if (!is_attribute(out_key->attribute))
		return refuse(shaper, "compares the key otherwise than by =");
	if (begin == value.size)
		return refuse(shaper, "has a % in the name of an attribute");
	if (!part_of(shaper, bytes_skip(value, begin), &out_key->part, &size))
		return false;
	after = bytes_skip(value, begin + size);
	if (find_directive(after) != after.size)
		return refuse(shaper, "has the key more than once in one comparison");
	out_key->is_tail = bytes_equal(before, bytes_of("*@")) && after.size == 0 &&
			   (out_key->part == FILTER_KEY || out_key->part == FILTER_DOMAIN);
	if (out_key->is_tail)
		return true;
	return unescape(shaper, before, &out_key->before) &&
	       unescape(shaper, after, &out_key->after);
}

static bool put_key_item(struct shaper *shaper, struct bytes text)
{
	struct filter_branch *branch = shaper->branch;
	struct filter_key *key = &branch->keys[branch->key_count];

	if (branch->key_count == FILTER_KEYS_MAX)
		return refuse(shaper, "has the key in several parts");
	if (!read_key(shaper, text, key))
		return false;
	branch->key_count++;
	(void)buffer_append_byte(&shaper->text, '('); /* checked at the end, as the rest */
	(void)buffer_append(&shaper->text, key->attribute);
	(void)buffer_append_text(&shaper->text, "=*)");
	return true;
}

static void put_plain_item(struct shaper *shaper, struct bytes text)
{
	(void)buffer_append_byte(&shaper->text, '('); /* checked at the end, as the rest */
	for (size_t i = 0; i < text.size; i++) {
		(void)buffer_append_byte(&shaper->text, text.data[i]);
		i += text.data[i] == '%'; /* of two the second is left out */
	}
	(void)buffer_append_byte(&shaper->text, ')');
}

/* ---- one branch --------------------------------------------------------------------------- */

static bool put_node(struct shaper *shaper, const struct filter_node *node, size_t place);

/* Of the children of a `|` the one that has the branch PLACE. */
static bool put_choice(struct shaper *shaper, const struct filter_node *node, size_t place)
{
	const struct filter_node *child = node->first;
	size_t count;

	while (child->next != NULL && place >= (count = count_branches(shaper, child))) {
		place -= count;
		child = child->next;
	}
	return put_node(shaper, child, place);
}

static bool put_node(struct shaper *shaper, const struct filter_node *node, size_t place)
{
	static const char signs[] = { [FILTER_AND] = '&', [FILTER_OR] = '|', [FILTER_NOT] = '!' };

	if (node->kind == FILTER_ITEM && node->has_key)
		return put_key_item(shaper, node->text);
	if (node->kind == FILTER_ITEM) {
		put_plain_item(shaper, node->text);
		return true;
	}
	if (node->kind == FILTER_OR && node->has_key)
		return put_choice(shaper, node, place);
	(void)buffer_append_byte(&shaper->text, '('); /* checked at the end, as the rest */
	(void)buffer_append_byte(&shaper->text, signs[node->kind]);
	for (const struct filter_node *child = node->first; child != NULL; child = child->next)
		if (!put_node(shaper, child, place))
			return false;
	(void)buffer_append_byte(&shaper->text, ')');
	return true;
}

/* A user alone is one of any domain. */
static bool check_branch(struct shaper *shaper)
{
	const struct filter_key *keys = shaper->branch->keys;
	bool has_user = keys[0].part == FILTER_USER;

	if (shaper->branch->key_count == 1)
		return !has_user || refuse(shaper, "has %u without %d");
	if (has_user ? keys[1].part == FILTER_DOMAIN
		     : keys[0].part == FILTER_DOMAIN && keys[1].part == FILTER_USER)
		return true;
	return refuse(shaper, "has the key in several parts");
}

static bool make_branch(struct shaper *shaper, const struct filter_node *node, size_t place)
{
	buffer_clear(&shaper->text);
	if (!put_node(shaper, node, place) || !check_branch(shaper))
		return false;
	shaper->branch->filter = NULL;
	if (!shaper->text.has_failed)
		shaper->branch->filter = arena_text(shaper->arena, buffer_bytes(&shaper->text));
	return shaper->branch->filter != NULL || refuse(shaper, NULL);
}

/* ---- from start to end -------------------------------------------------------------------- */

/* A key of a branch by domain answers for addresses that another branch answers for, too. */
static bool check_together(struct shaper *shaper, const struct filter_shape *shape)
{
	size_t domains = 0;

	for (size_t i = 0; i < shape->count; i++)
		domains += shape->branches[i].key_count == 1 &&
			   shape->branches[i].keys[0].part == FILTER_DOMAIN;
	return domains == 0 || domains == shape->count ||
	       refuse(shaper, "has a | between an address and a domain");
}

static bool make_shape(struct shaper *shaper, struct bytes filter, struct filter_shape *shape)
{
	const struct filter_node *node = filter_parse(filter, shaper->arena, &shaper->why);

	if (node == NULL)
		return false;
	if (!node->has_key)
		return refuse(shaper, "has no key in it, as %s");
	shape->count = count_branches(shaper, node);
	if (shape->count == 0)
		return false;
	for (size_t i = 0; i < shape->count; i++) {
		shaper->branch = &shape->branches[i];
		if (!make_branch(shaper, node, i))
			return false;
	}
	return check_together(shaper, shape);
}

enum filter_outcome filter_shape_find(struct bytes filter, struct arena *arena,
				      struct filter_shape *out_shape, const char **out_why)
{
	struct shaper shaper = { .arena = arena };
	bool is_made;

	*out_shape = (struct filter_shape){ 0 };
	buffer_init(&shaper.text, FILTER_BYTES_MAX);
	is_made = make_shape(&shaper, filter, out_shape);
	buffer_free(&shaper.text);
	*out_why = shaper.why;
	if (is_made)
		return FILTER_HAS_SHAPE;
	return shaper.why != NULL ? FILTER_HAS_NONE : FILTER_NO_MEMORY;
}

bool filter_escape(struct bytes value, struct buffer *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < value.size; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c != '\0' && strchr("*()\\", c) == NULL) {
			(void)buffer_append_byte(out, (char)c); /* checked at the end */
			continue;
		}
		(void)buffer_append_byte(out, '\\'); /* likewise, as the next two */
		(void)buffer_append_byte(out, digits[c / 16]);
		(void)buffer_append_byte(out, digits[c % 16]);
	}
	return !out->has_failed;
}

bool filter_key_cut(const struct filter_key *key, struct bytes value, struct bytes *out_part)
{
	size_t size = key->before.size + key->after.size;
	size_t begin = value.size;

	if (key->is_tail) {
		while (begin > 0 && value.data[begin - 1] != '@')
			begin--;
		*out_part = bytes_skip(value, begin);
		return begin > 0 && out_part->size > 0;
	}
	if (value.size <= size ||
	    !bytes_equal_ascii_nocase(bytes_first(value, key->before.size), key->before) ||
	    !bytes_equal_ascii_nocase(bytes_skip(value, value.size - key->after.size), key->after))
		return false;
	*out_part = bytes_first(bytes_skip(value, key->before.size), value.size - size);
	return true;
}
