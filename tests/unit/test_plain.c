/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read the short way must be what the thorough way makes of it, for any text. */
#include "mail/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/address.h"
#include "mail/fold.h"

enum { TEXTS = 300000, TEXT_BYTES = 160 };

static uint64_t random_state = 1;

static unsigned draw(unsigned below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(random_state >> 33) % below;
}

static void append(char *text, const char *part)
{
	if (strlen(text) + strlen(part) < TEXT_BYTES)
		strcat(text, part);
}

/* Parts of addresses, mostly good ones; then a byte or two of anything. */
static void make_text(char *text)
{
	static const char *const locals[] = { "a",   "ann",    "Bob",      "x.y",  "a-b",
					      "u+e", "o'neil", "_",        "-x",   "x-",
					      ".x",  "x.",     "x..y",     "a&b",  "a*",
					      "~t",  "1",      "a=b",      "a%b",  "a!b",
					      "a@b", "\"q\"",  "\303\274", "",     "owner-list",
					      "a/b", "a#b",    "{z}",      "|cmd", "/file" };
	static const char *const domains[] = {
		"a.test",    "b.c.test",    "x-y.test",      "1.test",
		"a.1",       "-x.test",     "x-.test",       "a..test",
		"a.test.",   "nodot",       "A.test",        "x_y.test",
		"[1.2.3.4]", "a.t-t",       "1.2.3.4",       "xn--mller-kva.test",
		"xn--.test", "ab--cd.test", "\303\274.test", "",
		"a.test1",   "a.2test",     ".test"
	};
	static const char *const ends[] = { "",   "",         "",  " b@c.test", ",b@c.test",
					    "\t", "@d.test",  ";", ">",         " <c@d.test>",
					    "\"", "\303\274", ")", ":25" };
	static const char any[] = "aZ09.-_+@, \t\"\\<>()[]:;%!'/|#\001\177\200\377";
	unsigned changes = draw(3) == 0 ? 1 + draw(3) : 0;

	text[0] = '\0';
	append(text, locals[draw(sizeof(locals) / sizeof(locals[0]))]);
	append(text, "@");
	for (unsigned i = draw(12) == 0 ? draw(10) : 0; i > 0; i--)
		append(text, "label.");
	append(text, domains[draw(sizeof(domains) / sizeof(domains[0]))]);
	append(text, ends[draw(sizeof(ends) / sizeof(ends[0]))]);
	for (; changes > 0 && text[0] != '\0'; changes--)
		text[draw((unsigned)strlen(text))] = any[draw(sizeof(any) - 1)];
}

static void assert_same(struct bytes short_way, struct bytes thorough, const char *text)
{
	if (!bytes_equal(short_way, thorough))
		fail_msg("%s: " BYTES_FORMAT " and not " BYTES_FORMAT, text, BYTES_ARGS(short_way),
			 BYTES_ARGS(thorough));
}

/* Both parts in key form: a plain domain is its own key, and so is a local part in lower case. */
static void check_fold(const struct plain_address *plain, const char *text, struct arena *arena)
{
	struct bytes key;

	assert_int_equal(fold_domain(plain->domain, arena, &key), FOLD_OK);
	assert_same(plain->domain, key, text);
	assert_int_equal(fold_local(plain->local, arena, &key), FOLD_OK);
	if (bytes_equal(key, plain->local) == plain->has_upper)
		fail_msg("%s: has_upper is %d", text, plain->has_upper);
}

/* TEXT is `address` or `address and more`: a target, and up to SIZE a key. */
static void check_thorough(const char *text, size_t size, const struct plain_address *plain,
			   struct arena *arena)
{
	struct bytes rest = bytes_of(text);
	struct address_target target;
	struct address key;
	bool is_catch_all;
	struct error err = { .text = "" };

	if (address_list_next(&rest, arena, &target, &err) != ADDRESS_LIST_TARGET)
		fail_msg("%s: no target: %s", text, err.text);
	assert_false(target.keeps_user);
	assert_same(plain->local, target.address.local, text);
	assert_same(plain->domain, target.address.domain, text);
	if (!address_parse_key(bytes_make(text, size), arena, &key, &is_catch_all, &err) ||
	    !address_check(&key, &err))
		fail_msg("%s: no key: %s", text, err.text);
	assert_false(is_catch_all);
	assert_false(address_has_routing(&key));
	assert_same(plain->local, key.local, text);
	assert_same(plain->domain, key.domain, text);
}

static bool is_separator(char byte)
{
	return byte == '\0' || byte == ' ' || byte == '\t' || byte == ',';
}

/* Only rows all of whose addresses are plain go the short way. */
static bool is_all_plain(const char *text)
{
	while (*text != '\0') {
		struct plain_address plain = { .has_upper = false };

		text += plain_address(bytes_of(text), bytes_make(NULL, 0), &plain);
		if (!is_separator(*text) || plain.local.size == 0)
			return false;
		text += strspn(text, " \t,");
	}
	return true;
}

static void what_is_plain_is_the_same(void **state)
{
	struct bytes last = { .data = NULL };
	char texts[2][TEXT_BYTES + 1];
	unsigned plain_ones = 0;
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < TEXTS; i++) {
		char *text = texts[i % 2];
		struct plain_address plain, again;
		size_t size;

		make_text(text);
		size = plain_address(bytes_of(text), bytes_make(NULL, 0), &plain);
		/* With a domain before, of another text, the outcome is no other. */
		assert_int_equal(plain_address(bytes_of(text), last, &again), size);
		last = bytes_make(NULL, 0);
		if (size == 0 || !is_all_plain(text))
			continue;
		plain_ones++;
		last = plain.domain;
		check_fold(&plain, text, &arena);
		check_thorough(text, size, &plain, &arena);
		arena_clear(&arena);
	}
	assert_in_range(plain_ones, TEXTS / 30, TEXTS / 2);
	arena_free(&arena);
}

static void a_word_ends_where_something_else_begins(void **state)
{
	(void)state;
	for (size_t before = 0; before < 20; before++) {
		for (int byte = 1; byte < 256; byte++) {
			bool ends = byte <= ' ' || byte == ',' || byte >= 0x80;
			char text[32];

			memset(text, 'x', 24);
			text[before] = (char)byte;
			if (plain_word(bytes_make(text, 24)) != (ends ? before : 24))
				fail_msg("byte %d at %zu", byte, before);
		}
	}
	assert_int_equal(plain_word(bytes_make("", 0)), 0);
}

/* Any run of bytes that are likely at edges, and a few that aren't. */
static size_t make_run(char *text, size_t most)
{
	static const char likely[] = "aZz09.-_+@";
	static const char rare[] = "=&*~' ,\t\"\\%!/`{[^:\177\200\377";
	size_t size = draw((unsigned)most + 1);
	unsigned kind = draw(4);

	for (size_t i = 0; i < size; i++) {
		unsigned drawn = draw(40);

		if (drawn == 0)
			text[i] = rare[draw(sizeof(rare) - 1)];
		else if (kind == 0 || drawn == 1)
			text[i] = likely[draw(sizeof(likely) - 1)];
		else
			text[i] = (char)('a' + (int)draw(26));
	}
	return size;
}

/* What plain_user() says, byte by byte and without a thought of speed. */
static size_t expected_user(const char *text, size_t size, bool *out_has_upper)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_+='&*~";
	size_t local = 0;

	*out_has_upper = false;
	while (local < size && memchr(allowed, text[local], sizeof(allowed) - 1) != NULL) {
		*out_has_upper |= text[local] >= 'A' && text[local] <= 'Z';
		local++;
	}
	if (local == 0 || local > 64 || text[0] == '-' || text[0] == '.' || text[local - 1] == '.')
		return 0;
	for (size_t i = 1; i < local; i++)
		if (text[i] == '.' && text[i - 1] == '.')
			return 0;
	return local;
}

static void steps_of_any_size_find_the_same(void **state)
{
	unsigned users = 0;

	(void)state;
	for (unsigned i = 0; i < TEXTS; i++) {
		char text[100];
		size_t size = make_run(text, sizeof(text));
		bool has_upper, expects_upper;
		size_t expected = expected_user(text, size, &expects_upper);
		size_t got = plain_user(bytes_make(text, size), &has_upper);

		if (got != expected || (expected > 0 && has_upper != expects_upper))
			fail_msg("%.*s: %zu and not %zu, upper %d", (int)size, text, got, expected,
				 has_upper);
		users += expected > 0;
		for (expected = 0; expected < size; expected++)
			if ((unsigned char)text[expected] <= ' ' || text[expected] == ',' ||
			    (unsigned char)text[expected] >= 0x80)
				break;
		assert_int_equal(plain_word(bytes_make(text, size)), expected);
	}
	assert_in_range(users, TEXTS / 10, TEXTS * 9 / 10);
}

/* ---- keys, paths, local parts ------------------------------------------------------------- */

static void expect_plain_key(const char *text, const char *local, const char *domain)
{
	struct bytes found_local;
	struct bytes found_domain;

	assert_true(plain_split_key(bytes_of(text), &found_local, &found_domain));
	assert_true(bytes_equal(found_local, bytes_of(local)));
	assert_true(bytes_equal(found_domain, bytes_of(domain)));
}

static void plain_keys_need_no_parser(void **state)
{
	static const char *const others[] = {
		"",          "ann",   "ann@",   "Ann@a.org", "ann@A.org", "a@b@c.org",
		"a b@c.org", "a@c. ", "a@c.o.", "\"a\"@c",   "<a@c.org>", "\xc3\xbc@c.org",
		"a%b@c.org", "@",
	};
	struct bytes local;
	struct bytes domain;

	(void)state;
	expect_plain_key("ann+x@example.org", "ann+x", "example.org");
	expect_plain_key("@example.org", "", "example.org");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(plain_split_key(bytes_of(others[i]), &local, &domain));
}

/* Whatever is called plain, the printer of addresses must print without quotes. */
static void plain_local_parts_need_no_quotes(void **state)
{
	static const char bytes[] = "aZ0.-_+ \"\\@#(";
	char text[4];
	size_t plain_count = 0;

	(void)state;
	for (size_t i = 0; i < 13 * 13 * 13; i++) {
		struct address address = { .local = bytes_make(text, 1 + i % 3) };
		struct buffer printed;

		text[0] = bytes[i % 13];
		text[1] = bytes[i / 13 % 13];
		text[2] = bytes[i / 169];
		buffer_init(&printed, 64);
		assert_true(address_print(&address, &printed));
		if (plain_is_atoms(address.local)) {
			assert_true(bytes_equal(buffer_bytes(&printed), address.local));
			plain_count++;
		}
		buffer_free(&printed);
	}
	assert_true(plain_count > 100);
	assert_false(plain_is_atoms(bytes_of("")));
	assert_false(plain_is_atoms(bytes_of("a.")));
	assert_false(plain_is_atoms(bytes_of("a#")));
	assert_false(plain_is_atoms(bytes_of("a..b")));
	assert_true(plain_is_atoms(bytes_of("a.b")));
}

/* What is split is what the thorough way makes of it, in key form. */
static void split_keys_are_the_same(void **state)
{
	unsigned plain_ones = 0;
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < TEXTS; i++) {
		struct bytes local, domain, local_key, domain_key;
		char text[TEXT_BYTES + 1];
		struct address key;
		bool is_catch_all;

		make_text(text);
		arena_clear(&arena);
		if (!plain_split_key(bytes_of(text), &local, &domain))
			continue;
		/* What no key is needn't be told from what isn't in the table. */
		if (!address_parse_key(bytes_of(text), &arena, &key, &is_catch_all, NULL))
			continue;
		plain_ones++;
		assert_int_equal(is_catch_all, local.size == 0);
		assert_int_equal(fold_local(key.local, &arena, &local_key), FOLD_OK);
		assert_int_equal(fold_domain(key.domain, &arena, &domain_key), FOLD_OK);
		assert_same(local, local_key, text);
		assert_same(domain, domain_key, text);
	}
	assert_in_range(plain_ones, TEXTS / 50, TEXTS / 2);
	arena_free(&arena);
}

static void expect_path(const char *text, bool is_plain)
{
	struct bytes local, domain;

	if (plain_split_path(bytes_of(text), &local, &domain) != is_plain)
		fail_msg("%s: %d", text, is_plain);
}

static void check_path(const char *text, struct arena *arena)
{
	struct address_path quick, thorough;
	char other[TEXT_BYTES + 4];

	/* A blank before it makes it one to look at closer, and nothing else. */
	(void)snprintf(other, sizeof(other), " %s", text);
	assert_int_equal(address_parse_path(bytes_of(text), arena, &quick), ADDRESS_OK);
	if (address_parse_path(bytes_of(other), arena, &thorough) != ADDRESS_OK)
		fail_msg("%s: no path", text);
	assert_same(quick.address.local, thorough.address.local, text);
	assert_same(quick.address.domain, thorough.address.domain, text);
	assert_same(quick.internal, thorough.internal, text);
	assert_same(quick.text, thorough.text, text);
	assert_same(quick.text_with_route, thorough.text_with_route, text);
	assert_false(quick.was_rewritten || thorough.was_rewritten);
}

static void split_paths_are_the_same(void **state)
{
	unsigned plain_ones = 0;
	struct arena arena;

	(void)state;
	expect_path("Ann.B+x@Example.ORG", true);
	expect_path("ann@example.org.", true);
	expect_path("ann@nodot", true);
	expect_path("ann@example.org..", false);
	expect_path("ann@.", false);
	expect_path("ann@", false);
	expect_path("@example.org", false);
	expect_path("a@b@example.org", false);
	expect_path("a%b@example.org", false);
	expect_path("", false);
	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < TEXTS; i++) {
		char text[TEXT_BYTES + 1], bracketed[TEXT_BYTES + 3];
		struct bytes local, domain;

		make_text(text);
		if (!plain_split_path(bytes_of(text), &local, &domain))
			continue;
		plain_ones++;
		arena_clear(&arena);
		check_path(text, &arena);
		(void)snprintf(bracketed, sizeof(bracketed), "<%s>", text);
		check_path(bracketed, &arena);
	}
	assert_in_range(plain_ones, TEXTS / 30, TEXTS / 2);
	arena_free(&arena);
}

/* No byte past the end is read: each text stands at the end of its block. */
static void it_stays_inside(void **state)
{
	static const char *const texts[] = { "",
					     "a",
					     "a@",
					     "a@b",
					     "a@b.",
					     "a@b.c",
					     "@",
					     "aaaaaaaa",
					     "aaaaaaaa@bbbbbbbb.cc",
					     "aaaaaaaaaaaaaaa",
					     "aaaaaaaaaaaaaaaa",
					     "aaaaaaaaaaaaaaaaa",
					     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b",
					     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t size = strlen(texts[i]);
		char *block = malloc(size > 0 ? size : 1);
		struct plain_address plain;
		struct bytes local, domain;
		bool has_upper;

		assert_non_null(block);
		memcpy(block, texts[i], size);
		(void)plain_address(bytes_make(block, size), bytes_of("b.c"), &plain);
		(void)plain_address(bytes_make(block, size), bytes_make(NULL, 0), &plain);
		(void)plain_user(bytes_make(block, size), &has_upper);
		(void)plain_word(bytes_make(block, size));
		(void)plain_is_domain(bytes_make(block, size));
		(void)plain_is_atoms(bytes_make(block, size));
		(void)plain_split_key(bytes_make(block, size), &local, &domain);
		(void)plain_split_path(bytes_make(block, size), &local, &domain);
		free(block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_plain_is_the_same),
		cmocka_unit_test(a_word_ends_where_something_else_begins),
		cmocka_unit_test(steps_of_any_size_find_the_same),
		cmocka_unit_test(plain_keys_need_no_parser),
		cmocka_unit_test(plain_local_parts_need_no_quotes),
		cmocka_unit_test(split_keys_are_the_same),
		cmocka_unit_test(split_paths_are_the_same),
		cmocka_unit_test(it_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
