/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

#include <sysexits.h>

#include "mail/address_class.h"

/* An address as it is written, cut at its `@`. */
struct written {
	struct bytes local;
	struct bytes domain;
	bool has_at;
};

/* ERR gets TEXT as it is shown to humans, and what is wrong with it. */
static bool refuse(struct bytes text, const char *reason, struct error *err)
{
	struct buffer shown;

	buffer_init(&shown, 1024);
	(void)address_escape(text, true, &shown); /* short of memory the name is missing */
	error_fill(err, EX_DATAERR, "\"" BYTES_FORMAT "\": %s", BYTES_ARGS(buffer_bytes(&shown)),
		   reason);
	buffer_free(&shown);
	return false;
}

static const char not_semicolons[] = "addresses are separated by a comma, not by a semicolon";

/* Words with a colon behind them that people bring along, and what to write instead. */
static const struct foreign_word {
	const char *word;
	const char *advice;
} foreign_words[] = {
	{ ":fail:", "a word of Exim's; write error:550 5.1.1 and a text, alone" },
	{ ":unknown:", "a word of Exim's; write error:550 5.1.1 and a text, alone" },
	{ ":defer:", "a word of Exim's; write error:450 4.2.0 and a text, alone" },
	{ ":blackhole:", "a word of Exim's; write discard: alone, to accept mail and drop it" },
	{ "error:", "error: and its reply stand alone, without addresses beside them" },
	{ "discard:", "discard: stands alone, without addresses beside it" },
	{ "mailto:", "write the address without mailto:" },
};

/* `lmtp:[127.0.0.1]:24`, `dovecot:`: a name, and where to, for which some names have a default. */
static bool is_transport(struct bytes text)
{
	static const char *const alone[] = {
		"dovecot", "lmtp", "local", "relay", "smtp", "virtual"
	};
	size_t size = bytes_index(text, ':');
	struct bytes name = bytes_first(text, size);

	for (size_t i = 0; i < size; i++)
		if (!address_is_class(name.data[i], CLASS_HOST) && name.data[i] != '_')
			return false;
	if (size > 0 && size + 1 < text.size)
		return true;
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (bytes_equal_ascii_nocase(name, bytes_of(alone[i])))
			return true;
	return false;
}

/* What TEXT was meant to be, whose first odd byte is a colon. */
static const char *colon_fault(struct bytes text)
{
	for (size_t i = 0; i < sizeof(foreign_words) / sizeof(foreign_words[0]); i++) {
		struct bytes word = bytes_of(foreign_words[i].word);

		if (bytes_equal_ascii_nocase(bytes_first(text, word.size), word))
			return foreign_words[i].advice;
	}
	if (is_transport(text))
		return "looks like a transport, not an address; that belongs into transport_maps";
	return "groups and source routes are not allowed";
}

/* What an unquoted BYTE that can't be in the local part of TEXT tells about the author's intent. */
static const char *byte_fault(struct bytes text, char byte)
{
	switch (byte) {
	case ':':
		return colon_fault(text);
	case '(':
	case ')':
		return "comments are not allowed; put quotes around a local part with ( or )";
	case '<':
	case '>':
		return "only one address, and nothing else, may stand between < and >";
	case ';':
		return not_semicolons;
	case ',':
		return "this is more than one address";
	default:
		return "a byte in the local part needs quotes around it";
	}
}

/* The position behind the quoted string that begins at BEGIN, or 0 where it doesn't end. */
static size_t quoted_end(struct bytes text, size_t begin)
{
	for (size_t at = begin + 1; at < text.size; at++) {
		if (text.data[at] == '"')
			return at + 1;
		if (text.data[at] == '\\')
			at++;
	}
	return 0;
}

/* Find the one `@` outside quotes. */
static bool cut_at_domain(struct bytes text, struct written *out_written, struct error *err)
{
	size_t at = 0;

	while (at < text.size && text.data[at] != '@') {
		if (text.data[at] == '"') {
			at = quoted_end(text, at);
			if (at == 0)
				return refuse(text, "a quote is not closed", err);
			continue;
		}
		if (text.data[at] == '\\') {
			if (++at == text.size)
				return refuse(text, "nothing follows the \\", err);
		} else if (!address_is_class(text.data[at], CLASS_ATEXT | CLASS_DOT | CLASS_UTF8)) {
			return refuse(text, byte_fault(text, text.data[at]), err);
		}
		at++;
	}
	out_written->local = bytes_first(text, at);
	out_written->domain = bytes_skip(text, at + 1);
	out_written->has_at = at < text.size;
	return true;
}

/* The local part without its quoting; a view into it where there is none. */
static bool unquote(struct bytes local, struct arena *arena, struct bytes *out_local,
		    struct error *err)
{
	char *internal;
	size_t size = 0;

	if (!bytes_contain(local, '"') && !bytes_contain(local, '\\')) {
		*out_local = local;
		return true;
	}
	internal = arena_alloc(arena, local.size);
	if (internal == NULL)
		return error_set_memory(err);
	for (size_t at = 0; at < local.size; at++) {
		if (local.data[at] == '"')
			continue;
		if (local.data[at] == '\\')
			at++;
		internal[size++] = local.data[at];
	}
	*out_local = bytes_make(internal, size);
	return true;
}

static bool take_domain(struct bytes text, struct written *written, struct error *err)
{
	struct bytes domain = written->domain;

	if (bytes_contain(domain, ';'))
		return refuse(text, not_semicolons, err);
	if (bytes_contain(domain, '@'))
		return refuse(text, "there is more than one @; put quotes around the local part",
			      err);
	/* The colon of a literal stands within its brackets. */
	if (bytes_contain(domain, ':') && domain.data[0] != '[')
		return refuse(text,
			      text.data[0] == '@' ? "source routes are not allowed"
						  : "an address has no colon behind the @",
			      err);
	if (domain.size > 0 && domain.data[domain.size - 1] == '.')
		written->domain.size--;
	if (written->domain.size == 0)
		return refuse(text, "there is no domain behind the @", err);
	return true;
}

/* address_check() with the whole address in its message. */
static bool check(struct bytes text, const struct address *address, struct error *err)
{
	struct error reason;

	if (address_check(address, &reason))
		return true;
	if (reason.status != EX_DATAERR) {
		if (err != NULL)
			*err = reason;
		return false;
	}
	return refuse(text, reason.text, err);
}

/* `@domain` alone has a domain and nothing else: an address with any local part is checked. */
static bool check_without_local(struct bytes text, struct bytes domain, struct error *err)
{
	struct address stand_in = { .local = bytes_of("x"), .domain = domain };

	return check(text, &stand_in, err);
}

static bool parse(struct bytes text, struct arena *arena, struct address *out_address,
		  bool *out_is_domain_only, struct error *err)
{
	struct written written = { .has_at = false };
	struct address address = { .local = { NULL, 0 } };

	if (text.size > ADDRESS_TEXT_MAX)
		return refuse(text, "an address of more than 4096 bytes", err);
	if (!cut_at_domain(text, &written, err))
		return false;
	if (written.has_at && !take_domain(text, &written, err))
		return false;
	address.domain = written.domain;
	if (written.has_at && written.local.size == 0) {
		if (!check_without_local(text, address.domain, err))
			return false;
		*out_is_domain_only = true;
	} else {
		if (!unquote(written.local, arena, &address.local, err) ||
		    !check(text, &address, err))
			return false;
		*out_is_domain_only = false;
	}
	*out_address = address;
	return true;
}

bool address_parse_key(struct bytes text, struct arena *arena, struct address *out_address,
		       bool *out_is_catch_all, struct error *err)
{
	return parse(text, arena, out_address, out_is_catch_all, err);
}

static bool is_white(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct bytes skip_separators(struct bytes rest)
{
	while (rest.size > 0 && (is_white(rest.data[0]) || rest.data[0] == ','))
		rest = bytes_skip(rest, 1);
	return rest;
}

/* Where the element at the begin of REST ends. In brackets only `>` ends it. */
static size_t element_size(struct bytes rest)
{
	bool is_in_brackets = rest.size > 0 && rest.data[0] == '<';
	size_t at = 0;

	while (at < rest.size) {
		char byte = rest.data[at];

		if (byte == '"') {
			at = quoted_end(rest, at);
			if (at == 0)
				return rest.size;
			continue;
		}
		if (!is_in_brackets && (is_white(byte) || byte == ','))
			break;
		if (byte == '>')
			is_in_brackets = false;
		at += byte == '\\' && at + 1 < rest.size ? 2 : 1;
	}
	return at;
}

/* The size of white space and an address in brackets behind it, or 0: `Name <a@b>`. */
static size_t phrase_tail_size(struct bytes rest)
{
	size_t at = 0;

	while (at < rest.size && is_white(rest.data[at]))
		at++;
	if (at == rest.size || rest.data[at] != '<')
		return 0;
	return at + element_size(bytes_skip(rest, at));
}

static bool begins_with(struct bytes text, const char *prefix)
{
	return bytes_equal_ascii_nocase(bytes_first(text, strlen(prefix)), bytes_of(prefix));
}

/*
 * What aliases(5) knows beside addresses. Refused by name, for people who come from there; and
 * however it is quoted, since some program behind us might take it for one.
 */
static bool check_kind(struct bytes element, struct bytes local, bool has_domain, struct error *err)
{
	if (begins_with(local, "|"))
		return refuse(element,
			      "a command is no address; local(8) runs one, from aliases(5)", err);
	if (begins_with(local, ":include:"))
		return refuse(
			element,
			"an include file is no address; only a source of type aliases has one",
			err);
	if (bytes_equal(local, bytes_of("/dev/null")) && !has_domain)
		return refuse(
			element,
			"a file is no address; write discard: alone, to accept mail and drop it",
			err);
	if (begins_with(local, "/") && !has_domain)
		return refuse(element,
			      "a file is no address; local(8) delivers to one, from aliases(5)",
			      err);
	return true;
}

static bool drop_brackets(struct bytes *element, struct error *err)
{
	struct bytes whole = *element;

	if (whole.data[0] != '<')
		return true;
	if (whole.size < 2 || whole.data[whole.size - 1] != '>')
		return refuse(whole, "there is no > at its end", err);
	if (whole.size == 2)
		return refuse(whole, "the address between < and > is empty", err);
	*element = bytes_make(whole.data + 1, whole.size - 2);
	if (element->data[0] != '@')
		return true;
	return refuse(whole,
		      bytes_contain(whole, ':') ? "source routes are not allowed"
						: "the local part is empty",
		      err);
}

static bool parse_element(struct bytes element, struct arena *arena,
			  struct address_target *out_target, struct error *err)
{
	struct address_target target;
	struct address *address = &target.address;

	/* Once as it stands, or the colon would be complained about; once unquoted. */
	if (!check_kind(element, element, bytes_contain(element, '@'), err) ||
	    !drop_brackets(&element, err) ||
	    !parse(element, arena, address, &target.keeps_user, err) ||
	    !check_kind(element, address->local, address->domain.size > 0, err))
		return false;
	*out_target = target;
	return true;
}

/* For whom only the kind of the failure counts. */
static enum address_list_step next_without_words(struct bytes *rest, struct arena *arena,
						 struct address_target *out_target)
{
	struct error err;

	return address_list_next(rest, arena, out_target, &err);
}

enum address_list_step address_list_next(struct bytes *rest, struct arena *arena,
					 struct address_target *out_target, struct error *err)
{
	struct bytes element;
	size_t tail_size = 0;
	bool is_target;

	if (err == NULL)
		return next_without_words(rest, arena, out_target);
	*rest = skip_separators(*rest);
	if (rest->size == 0)
		return ADDRESS_LIST_END;
	element = bytes_first(*rest, element_size(*rest));
	*rest = bytes_skip(*rest, element.size);
	if (element.data[0] != '<')
		tail_size = phrase_tail_size(*rest);
	if (tail_size > 0) {
		element = bytes_make(element.data, element.size + tail_size);
		*rest = bytes_skip(*rest, tail_size);
		is_target = refuse(element, "names are not allowed, only the address itself", err);
	} else {
		is_target = parse_element(element, arena, out_target, err);
	}
	if (is_target)
		return ADDRESS_LIST_TARGET;
	return err->status == EX_OSERR ? ADDRESS_LIST_NO_MEMORY : ADDRESS_LIST_ERROR;
}
