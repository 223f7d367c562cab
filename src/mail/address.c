/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

#include <stdint.h>

#include "mail/address_class.h"
#include "mail/plain.h"

/* A position that wasn't met. */
#define NOWHERE SIZE_MAX

/*
 * One walk over the tokens of a path makes the internal form of it. Which `@` separates the domain,
 * and what routes, is then read from that alone: Postfix forgets what was quoted too, so that
 * `"u@ours.test"` is u at ours.test (measured).
 */
struct scan {
	struct bytes text;
	size_t position;
	bool is_bracketed;
	bool has_ended; /* at the closing bracket */
	char *internal; /* room for all of text */
	size_t size;
	bool begins_with_at;
	bool is_list;        /* a comma or semicolon outside a source route */
	size_t route_end;    /* in text: behind the colon of a source route; or 0 */
	bool is_behind_word; /* the token before was an atom, a string or a literal */
	bool is_behind_gap;  /* white space or a comment stands before this token */
};

/* What nearly all clients send, with or without its brackets. False: look closer. */
static bool parse_plain(struct bytes text, struct address_path *out_path)
{
	struct bytes inner = text;
	struct address address;

	if (text.size > 0 && text.data[0] == '<') {
		if (text.data[text.size - 1] != '>')
			return false;
		inner = bytes_make(text.data + 1, text.size - 2);
	}
	if (!plain_split_path(inner, &address.local, &address.domain))
		return false;
	*out_path = (struct address_path){
		.address = address,
		.internal = inner,
		.text = inner,
		.text_with_route = inner,
	};
	return true;
}

static void put(struct scan *scan, char byte)
{
	scan->internal[scan->size++] = byte;
}

/* Two words with a gap between them are no address: nobody can say what would be meant. */
static bool begin_word(struct scan *scan)
{
	bool is_separate = scan->is_behind_word && scan->is_behind_gap;

	scan->is_behind_word = true;
	scan->is_behind_gap = false;
	return !is_separate;
}

static bool skip_comment(struct scan *scan)
{
	size_t depth = 0;

	for (; scan->position < scan->text.size; scan->position++) {
		char byte = scan->text.data[scan->position];

		if (byte == '\\')
			scan->position++;
		else if (byte == '(')
			depth++;
		else if (byte == ')' && --depth == 0)
			break;
	}
	scan->is_behind_gap = true;
	return scan->position++ < scan->text.size;
}

static bool take_quoted(struct scan *scan)
{
	if (!begin_word(scan))
		return false;
	for (scan->position++; scan->position < scan->text.size; scan->position++) {
		char byte = scan->text.data[scan->position];

		if (byte == '"') {
			scan->position++;
			return true;
		}
		if (byte == '\\' && ++scan->position < scan->text.size)
			byte = scan->text.data[scan->position];
		put(scan, byte);
	}
	return false;
}

/* A literal keeps its brackets; nothing in it is an operator. */
static bool take_literal(struct scan *scan)
{
	if (!begin_word(scan))
		return false;
	while (scan->position < scan->text.size) {
		char byte = scan->text.data[scan->position++];

		if (byte == '\\' && scan->position < scan->text.size)
			byte = scan->text.data[scan->position++];
		else if (byte == ']') {
			put(scan, byte);
			return true;
		}
		put(scan, byte);
	}
	return false;
}

static bool take_quoted_pair(struct scan *scan)
{
	if (!begin_word(scan) || scan->position + 1 >= scan->text.size)
		return false;
	put(scan, scan->text.data[scan->position + 1]);
	scan->position += 2;
	return true;
}

static bool take_operator(struct scan *scan)
{
	char byte = scan->text.data[scan->position++];
	bool is_in_route = scan->begins_with_at && scan->route_end == 0;

	if (byte == '@' && scan->size == 0 && !scan->is_behind_word && scan->route_end == 0)
		scan->begins_with_at = true;
	if (byte == ',' || byte == ';')
		scan->is_list = true;
	scan->is_behind_word = false;
	scan->is_behind_gap = false;
	if (byte != ':' || !is_in_route) {
		put(scan, byte);
		return true;
	}
	/* What has been read is a source route: forget it. */
	scan->route_end = scan->position;
	scan->size = 0;
	scan->is_list = false;
	return true;
}

static bool take_atom(struct scan *scan)
{
	if (!begin_word(scan))
		return false;
	put(scan, scan->text.data[scan->position++]);
	return true;
}

static bool take_token(struct scan *scan)
{
	char byte = scan->text.data[scan->position];

	if (address_is_class(byte, CLASS_SPACE)) {
		scan->is_behind_gap = true;
		scan->position++;
		return true;
	}
	switch (byte) {
	case '>':
		scan->has_ended = true;
		return scan->is_bracketed;
	case '<':
	case ')':
	case ']':
		return false;
	case '(':
		return skip_comment(scan);
	case '"':
		return take_quoted(scan);
	case '[':
		return take_literal(scan);
	case '\\':
		return take_quoted_pair(scan);
	case ',':
	case ';':
	case ':':
	case '@':
	case '!':
	case '%':
	case '.':
		return take_operator(scan);
	default:
		return take_atom(scan);
	}
}

static struct bytes trim(struct bytes text)
{
	while (text.size > 0 && address_is_class(text.data[0], CLASS_SPACE))
		text = bytes_skip(text, 1);
	while (text.size > 0 && address_is_class(text.data[text.size - 1], CLASS_SPACE))
		text.size--;
	return text;
}

/* Behind `>` an MTA may have left ESMTP parameters, but a second address is a list. */
static bool is_followed_by_list(struct bytes rest)
{
	rest = trim(rest);
	return rest.size > 0 && (rest.data[0] == ',' || rest.data[0] == '<');
}

static bool is_domain(struct bytes domain)
{
	struct bytes inner;

	if (domain.size == 0 || domain.data[domain.size - 1] == '.')
		return false;
	if (domain.data[0] != '[') {
		for (size_t i = 0; i < domain.size; i++)
			if (!address_is_class(domain.data[i], CLASS_HOST | CLASS_DOT | CLASS_UTF8))
				return false;
		return true;
	}
	if (domain.size < 2 || domain.data[domain.size - 1] != ']')
		return false;
	inner = bytes_make(domain.data + 1, domain.size - 2);
	return !bytes_contain(inner, '[') && !bytes_contain(inner, ']');
}

/* Drop the one dot that is allowed at the end. False: what is left is no domain. */
static bool finish_domain(struct bytes *domain)
{
	if (domain->size > 0 && domain->data[domain->size - 1] == '.')
		domain->size--;
	return is_domain(*domain);
}

static size_t last_index(struct bytes text, char byte)
{
	size_t position = text.size;

	while (position > 0)
		if (text.data[--position] == byte)
			return position;
	return NOWHERE;
}

/* Cut TEXT where it routes without an `@`. False: it doesn't. */
static bool cut_at_routing(struct bytes text, struct address *out_address)
{
	size_t bang = bytes_index(text, '!');
	size_t percent = last_index(text, '%');

	if (bang < text.size) {
		out_address->domain = bytes_first(text, bang);
		out_address->local = bytes_skip(text, bang + 1);
		return true;
	}
	if (percent == NOWHERE)
		return false;
	out_address->local = bytes_first(text, percent);
	out_address->domain = bytes_skip(text, percent + 1);
	return true;
}

static enum address_outcome cut_internal(struct bytes internal, struct address_path *path)
{
	struct address *address = &path->address;
	size_t at = last_index(internal, '@');

	if (internal.size == 0)
		return ADDRESS_NULL;
	/* A second source route, or a quoted one: Postfix strips that as well (measured). */
	if (internal.data[0] == '@' && bytes_contain(internal, ':'))
		return ADDRESS_MALFORMED;
	if (at != NOWHERE) {
		address->local = bytes_first(internal, at);
		address->domain = bytes_skip(internal, at + 1);
	} else {
		path->was_rewritten = cut_at_routing(internal, address);
		if (!path->was_rewritten) {
			address->local = internal;
			return ADDRESS_OK;
		}
	}
	return finish_domain(&address->domain) ? ADDRESS_OK : ADDRESS_MALFORMED;
}

static size_t blanks_behind(struct bytes text)
{
	size_t blanks = 0;

	while (blanks < text.size && (text.data[text.size - 1 - blanks] == ' ' ||
				      text.data[text.size - 1 - blanks] == '\t'))
		blanks++;
	return blanks;
}

static enum address_outcome finish_path(const struct scan *scan, struct address_path *out_path)
{
	struct address_path path = { .internal = bytes_make(scan->internal, scan->size) };
	size_t begin = scan->is_bracketed ? 1 : 0;
	enum address_outcome outcome;

	if (scan->is_list)
		return ADDRESS_MALFORMED;
	path.text_with_route = bytes_make(scan->text.data + begin, scan->position - begin);
	path.text = path.text_with_route;
	if (scan->route_end > 0) {
		/* A route to nobody. */
		if (scan->size == 0)
			return ADDRESS_MALFORMED;
		path.text = bytes_skip(path.text_with_route, scan->route_end - begin);
	}
	/* Postfix keeps the blanks before it in an ORCPT, and drops those behind it (measured). */
	path.text_with_route.size -= blanks_behind(path.text_with_route);
	outcome = cut_internal(path.internal, &path);
	if (outcome == ADDRESS_OK)
		*out_path = path;
	return outcome;
}

enum address_outcome address_parse_path(struct bytes text, struct arena *arena,
					struct address_path *out_path)
{
	struct scan scan = { .text = trim(text) };

	if (text.size > ADDRESS_TEXT_MAX)
		return ADDRESS_MALFORMED;
	if (parse_plain(text, out_path))
		return ADDRESS_OK;
	if (scan.text.size == 0)
		return ADDRESS_NULL;
	scan.is_bracketed = scan.text.data[0] == '<';
	scan.position = scan.is_bracketed ? 1 : 0;
	scan.internal = arena_alloc(arena, scan.text.size);
	if (scan.internal == NULL)
		return ADDRESS_NO_MEMORY;
	while (!scan.has_ended && scan.position < scan.text.size)
		if (!take_token(&scan))
			return ADDRESS_MALFORMED;
	if (scan.is_bracketed && !scan.has_ended)
		return ADDRESS_MALFORMED;
	if (is_followed_by_list(bytes_skip(scan.text, scan.position + 1)))
		return ADDRESS_MALFORMED;
	return finish_path(&scan, out_path);
}

bool address_has_routing(const struct address *address)
{
	return bytes_contain(address->local, '@') || bytes_contain(address->local, '%') ||
	       bytes_contain(address->local, '!');
}

/* Hosts that aren't there lead nowhere: `u%`, `!u`, `u@.` */
static struct bytes drop_empty_hops(struct bytes local)
{
	static const char nothing[] = { '@', '%', '.', ' ' };

	while (local.size > 0 &&
	       memchr(nothing, local.data[local.size - 1], sizeof(nothing)) != NULL)
		local.size--;
	while (local.size > 0 && local.data[0] == '!')
		local = bytes_skip(local, 1);
	return local;
}

bool address_next_hop(const struct address *address, struct address *out_address)
{
	struct bytes local = drop_empty_hops(address->local);
	size_t at = last_index(local, '@');
	struct address next;

	if (at != NOWHERE) {
		next.local = bytes_first(local, at);
		next.domain = bytes_skip(local, at + 1);
	} else if (!cut_at_routing(local, &next)) {
		return false;
	}
	if (!finish_domain(&next.domain))
		return false;
	*out_address = next;
	return true;
}
