/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that reads an address: the path of a client, a key and a list of a file. Whatever is
 * accepted must come back the same when it is printed and parsed again, and when it is folded
 * twice.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "mail/address.h"
#include "mail/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): NDEBUG must not make this target blind. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static bool is_within(struct bytes view, struct bytes text)
{
	return view.size == 0 ||
	       (view.data >= text.data && view.data + view.size <= text.data + text.size);
}

static void fold_twice(enum fold_outcome (*fold)(struct bytes, struct arena *, struct bytes *),
		       struct bytes text, struct arena *arena)
{
	struct bytes key, again;

	if (fold(text, arena, &key) != FOLD_OK)
		return;
	must(key.size <= 255, "a key has at most 255 bytes");
	must(fold_accepts(key), "what is folded may be part of a key");
	must(fold(key, arena, &again) == FOLD_OK, "a key can be folded");
	/* Only one dot is dropped: of `x..` the key still has one. */
	if (key.size == 0 || key.data[key.size - 1] != '.')
		must(bytes_equal(again, key), "a key folds to itself");
}

/* An address that may be sent is read by an MTA as what it is here. Not without a domain: then `!`,
 * `%` and `@` route however they are quoted. */
static void print_and_parse(const struct address *address, struct arena *arena)
{
	struct buffer text;
	struct address_path path;

	buffer_init(&text, 8192);
	must(buffer_append_byte(&text, '<'), "there is room");
	must(address_print(address, &text), "what may be a target can be printed");
	must(buffer_append_byte(&text, '>'), "there is room");
	must(address_parse_path(buffer_bytes(&text), arena, &path) == ADDRESS_OK,
	     "what is printed can be parsed");
	must(bytes_equal(path.address.local, address->local), "the local part comes back");
	must(bytes_equal(path.address.domain, address->domain), "the domain comes back");
	must(!path.was_rewritten, "what is printed is not routed");
	buffer_free(&text);
}

static void use_address(const struct address *address, struct arena *arena)
{
	struct address next = *address;
	struct bytes user, extension;
	struct error err;

	fold_twice(fold_local, address->local, arena);
	fold_twice(fold_domain, address->domain, arena);
	while (address_next_hop(&next, &next))
		must(is_within(next.local, address->local), "a hop is a part of the local part");
	if (address_split_extension(address->local, bytes_of("+-"), &user, &extension))
		must(user.size > 0 && extension.size > 0 &&
			     user.size + extension.size == address->local.size,
		     "a split loses nothing");
	if (address_check(address, &err) &&
	    (address->domain.size > 0 || !address_has_routing(address)))
		print_and_parse(address, arena);
}

static bool try_path(struct bytes text, struct arena *arena)
{
	struct address_path path;

	if (address_parse_path(text, arena, &path) != ADDRESS_OK)
		return false;
	must(is_within(path.text, text) && is_within(path.text_with_route, text),
	     "what is deleted is what the client sent");
	must(path.internal.size > 0, "there is an internal form");
	/* Less the blanks that only one of the two keeps. */
	must(path.text_with_route.data <= path.text.data, "a route comes first");
	must(path.address.local.size > 0 || path.address.domain.size > 0, "somebody is meant");
	use_address(&path.address, arena);
	return true;
}

static bool try_key(struct bytes text, struct arena *arena)
{
	struct address address;
	struct error err;
	bool is_catch_all;

	if (!address_parse_key(text, arena, &address, &is_catch_all, &err)) {
		must(err.text[0] != '\0', "a refusal has a reason");
		return false;
	}
	must(is_catch_all == (address.local.size == 0), "only a catch-all has no local part");
	if (!is_catch_all)
		must(address_check(&address, &err), "a key is a good address");
	use_address(&address, arena);
	return true;
}

static bool try_list(struct bytes text, struct arena *arena)
{
	struct bytes rest = text;
	struct address_target target;
	struct error err;
	enum address_list_step step;
	bool is_good = true;

	do {
		size_t size_before = rest.size;

		step = address_list_next(&rest, arena, &target, &err);
		must(step == ADDRESS_LIST_END || rest.size < size_before, "a step goes on");
		if (step == ADDRESS_LIST_TARGET) {
			must(target.keeps_user == (target.address.local.size == 0),
			     "only @other has no local part");
			if (!target.keeps_user)
				must(address_check(&target.address, &err),
				     "a target is a good address");
			use_address(&target.address, arena);
		}
		is_good = is_good && step != ADDRESS_LIST_ERROR && step != ADDRESS_LIST_NO_MEMORY;
	} while (step != ADDRESS_LIST_END);
	return is_good;
}

static void try_escape(struct bytes text)
{
	struct buffer shown;

	buffer_init(&shown, 512);
	must(address_escape(text, true, &shown), "what is shown has a limit");
	must(fold_accepts(buffer_bytes(&shown)), "what is shown is harmless");
	buffer_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_make(data, size);
	struct arena arena;
	bool is_path, is_key, is_list;

	if (size > ADDRESS_TEXT_MAX + 1)
		return -1;
	arena_init(&arena, SIZE_MAX);
	is_path = try_path(text, &arena);
	is_key = try_key(text, &arena);
	is_list = try_list(text, &arena);
	try_escape(text);
	arena_free(&arena);
	return is_path || is_key || (is_list && size > 0) ? 0 : -1;
}
