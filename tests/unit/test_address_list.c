/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses in files: keys and lists of targets, and what is refused there. */
#include "mail_text.h"

#include <sysexits.h>

#include "mail/address.h"

static void test_keys(void **state)
{
	static const struct {
		const char *text, *local, *domain;
		bool is_catch_all;
	} rows[] = {
		{ "u@ours.test", "u", "ours.test", false },
		{ "U.x+e@Ours.Test.", "U.x+e", "Ours.Test", false },
		{ "u", "u", "", false },
		{ "ours.test", "ours.test", "", false },
		{ "@ours.test", "", "ours.test", true },
		{ "\"u 1\"@ours.test", "u 1", "ours.test", false },
		{ "u\\ 1@ours.test", "u 1", "ours.test", false },
		{ "\"plain\"@ours.test", "plain", "ours.test", false },
		{ "\"a@b\"@ours.test", "a@b", "ours.test", false },
		{ "u%x@ours.test", "u%x", "ours.test", false },
		{ "u@[127.0.0.1]", "u", "[127.0.0.1]", false },
		{ "@[IPv6:::1]", "", "[IPv6:::1]", true },
		{ "\xc3\xbc@m\xc3\xbcnchen.test", "\xc3\xbc", "m\xc3\xbcnchen.test", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error err;
		struct address address;
		bool is_catch_all;
		char *block;
		struct bytes input = fenced(bytes_of(rows[i].text), &block);

		if (!address_parse_key(input, &arena, &address, &is_catch_all, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		expect_bytes(address.local, rows[i].local, input);
		expect_bytes(address.domain, rows[i].domain, input);
		assert_int_equal(is_catch_all, rows[i].is_catch_all);
		free(block);
	}
}

static void test_bad_keys(void **state)
{
	static const char *const rows[] = {
		"",
		"@",
		"u@",
		"\"\"",
		"\"\"@ours.test",
		"a@b@ours.test",
		"\"u@ours.test",
		"u\\",
		"u@ours..test",
		"u@ours.test..",
		"u@-ours.test",
		"u@1.2.3.4",
		"(c)u@ours.test",
		"<u@ours.test>",
		"u,v@ours.test",
		"u:",
		"-u@ours.test",
		"\x01@ours.test",
		"u@ours test",
		"u 1@ours.test",
		"@b,c",
		"@r:u@ours.test",
		"u@[1.2.3]",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error err = { .status = 0 };
		struct address address;
		bool is_catch_all;
		char *block;
		struct bytes input = fenced(bytes_of(rows[i]), &block);

		if (address_parse_key(input, &arena, &address, &is_catch_all, &err))
			fail_msg("'%s' was accepted", rows[i]);
		assert_int_equal(err.status, EX_DATAERR);
		assert_false(address_parse_key(input, &arena, &address, &is_catch_all, NULL));
		free(block);
	}
}

/* The targets as `local|domain `, `@domain` as `*|domain `; an error as its text in brackets. */
static void list_of(struct bytes rest, struct buffer *out_text)
{
	struct address_target target;
	struct error err;
	enum address_list_step step;

	buffer_clear(out_text);
	while ((step = address_list_next(&rest, &arena, &target, &err)) != ADDRESS_LIST_END) {
		if (step == ADDRESS_LIST_ERROR) {
			assert_int_equal(err.status, EX_DATAERR);
			assert_true(buffer_append_format(out_text, "[%s] ", err.text));
			continue;
		}
		assert_int_equal(target.keeps_user, target.address.local.size == 0);
		assert_true(buffer_append(out_text,
					  target.keeps_user ? TEXT("*") : target.address.local));
		assert_true(buffer_append_byte(out_text, '|'));
		assert_true(buffer_append(out_text, target.address.domain));
		assert_true(buffer_append_byte(out_text, ' '));
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *list, *targets;
	} rows[] = {
		{ "a@b.test", "a|b.test " },
		{ "a@b.test,c@d.test", "a|b.test c|d.test " },
		{ "a@b.test, c@d.test", "a|b.test c|d.test " },
		{ "\ta@b.test\r\n c@d.test ,, e ", "a|b.test c|d.test e| " },
		{ "Ann@B.Test.", "Ann|B.Test " },
		{ "@other.test", "*|other.test " },
		{ "@other.test.", "*|other.test " },
		{ "<a@b.test>", "a|b.test " },
		{ "<a@b.test>,<c>", "a|b.test c| " },
		{ "<a@b.test> <c@d.test>", "a|b.test c|d.test " },
		{ "\"a, b\"@c.test d", "a, b|c.test d| " },
		{ "\"a@b\"@c.test", "a@b|c.test " },
		{ "\"a\\\"b\"@c.test", "a\"b|c.test " },
		{ "<\"a>b\"@c.test>", "a>b|c.test " },
		{ "u%x@c.test h!u", "u%x|c.test h!u| " },
		{ "/C=XX/@gateway.test", "/C=XX/|gateway.test " },
		{ "a..b@c.test", "a..b|c.test " },
		{ "a@[192.0.2.1]", "a|[192.0.2.1] " },
		{ "a@[IPv6:2001:db8::1]", "a|[IPv6:2001:db8::1] " },
		{ "", "" },
		{ " ,\t,\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char *block;
		struct bytes input = fenced(bytes_of(rows[i].list), &block);

		list_of(input, &buffer);
		expect_bytes(buffer_bytes(&buffer), rows[i].targets, input);
		free(block);
	}
}

/* Each has one bad element, whose message has WORD in it, and good ones around it. */
static const struct {
	const char *bad, *word;
} bad_elements[] = {
	{ "|cmd", "command" },
	{ "\"|cmd -x\"", "command" },
	{ "\\|cmd", "command" },
	{ "<|cmd>", "command" },
	{ "\"|cmd\"@ours.test", "command" },
	{ "/var/mail/x", "file" },
	{ "\"/var/mail/x y\"", "file" },
	{ ":include:/etc/list", "include" },
	{ "\":include:/etc/list\"", "include" },
	{ "<:include:/etc/list>", "include" },
	{ "-a@b.test", "begins with" },
	{ "\"-a\"@b.test", "begins with" },
	{ "\"@r.test:a\"@b.test", "begins with" },
	{ "(comment)", "comments" },
	{ "a(comment)@b.test", "comments" },
	{ "Name <a@b.test>", "names" },
	{ "\"Full Name\"\t<a@b.test>", "names" },
	{ "name<a@b.test>", "only one address" },
	{ "group:", "groups" },
	{ "a@b.test;", "not by a semicolon" },
	{ "a;", "not by a semicolon" },
	{ "<@r.test:a@b.test>", "source routes" },
	{ "<@r.test,@s.test:a@b.test>", "source routes" },
	{ "@r.test:a@b.test", "more than one @" },
	{ "@r.test:a", "source routes" },
	{ "<@b.test>", "empty" },
	{ "<>", "empty" },
	{ "\"\"", "empty" },
	{ "\"\"@b.test", "empty" },
	{ "a@", "no domain" },
	{ "@", "no domain" },
	{ "a@.", "no domain" },
	{ "a@b@c.test", "more than one @" },
	{ "<a@b.test>c", "no >" },
	{ "a@b..test", "empty label" },
	{ "a@b.test..", "empty label" },
	{ "a@\xc3\xbc..", "empty label" },
	{ "a@-b.test", "\"-\"" },
	{ "a@b-.test", "\"-\"" },
	{ "a@192.0.2.1", "number" },
	{ "a@[192.0.2.256]", "literal" },
	{ "a@[]", "literal" },
	{ "a@[", "literal" },
	{ "a@[IPv6:192.0.2.1]", "literal" },
	{ "a@b/c.test", "no host name" },
	{ "a@b.test:25", "no colon behind the @" },
	{ "a@b.test;c@d.test", "comma, not by a semicolon" },
	{ "a;b", "comma, not by a semicolon" },
	{ "/dev/null", "discard:" },
	{ "lmtp:[::1]:24", "transport_maps" },
	{ ":fail:", "error:550" },
	{ ":BLACKHOLE:", "discard:" },
	{ "mailto:a@b.test", "without mailto:" },
	{ "\x01@b.test", "byte" },
	{ "\"\x7f\"@b.test", "control bytes" },
	{ "\xc0\xaf@b.test", "invalid UTF-8" },
	{ "\xed\xa0\x80@b.test", "invalid UTF-8" },
	{ "a\xe2\x80\xae@b.test", "bidirectional" },
	{ "a@\xe2\x80\xae.test", "IDNA" },
	{ "a@\xef\xbc\xa0.test", "IDNA" },
};

static void test_bad_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bad_elements); i++) {
		char list[256];
		const char *found;
		char *block;
		struct bytes input;

		(void)snprintf(list, sizeof(list), "x, %s, y", bad_elements[i].bad);
		input = fenced(bytes_of(list), &block);
		list_of(input, &buffer);
		found = buffer.data;
		if (strncmp(found, "x| [", 4) != 0 || strcmp(strstr(found, "] "), "] y| ") != 0 ||
		    strstr(found, bad_elements[i].word) == NULL)
			fail_msg("'%s' gives %s, and that misses '%s'", list, found,
				 bad_elements[i].word);
		free(block);
	}
}

/* What is never closed swallows the rest: there can be no good element behind it. */
static void test_unclosed_lists(void **state)
{
	static const char *const rows[] = { "\"a@b.test, c", "<a@b.test, c", "<\"a>, c", "a\\" };

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bytes rest = bytes_of(rows[i]);
		struct address_target target;
		struct error err;

		assert_int_equal(address_list_next(&rest, &arena, &target, &err),
				 ADDRESS_LIST_ERROR);
		assert_int_equal(address_list_next(&rest, &arena, &target, &err), ADDRESS_LIST_END);
	}
}

static void test_check_limits(void **state)
{
	char text[300];
	struct address address = { .local = TEXT("u"), .domain = TEXT("d.test") };
	struct error err;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(address_check(&address, &err));
	address.local = bytes_make(text, 240);
	assert_true(address_check(&address, &err));
	address.local = bytes_make(text, 241);
	assert_false(address_check(&address, &err));
	address.local = TEXT("u");
	address.domain = bytes_make(text, 63);
	assert_true(address_check(&address, &err));
	address.domain = bytes_make(text, 64);
	assert_false(address_check(&address, &err));
	for (size_t i = 50; i < sizeof(text); i += 50)
		text[i] = '.';
	address.domain = bytes_make(text, 255);
	assert_true(address_check(&address, &err));
	address.domain = bytes_make(text, 256);
	assert_false(address_check(&address, &err));
	address.domain = TEXT("[1.2.3.4\0]");
	assert_false(address_check(&address, &err));
	assert_false(address_check(&address, NULL));
}

static void test_complete(void **state)
{
	static const struct {
		const char *domain, *dot_domain, *wanted;
	} rows[] = {
		{ "", "", "o.test" },
		{ "", "dot.test", "o.test" },
		{ "host", "", "host" },
		{ "host", "dot.test", "host.dot.test" },
		{ "a.b", "dot.test", "a.b" },
		{ ".", "dot.test", "." },
		{ "[::1]", "dot.test", "[::1]" },
		{ "h]", "dot.test", "h].dot.test" },
	};
	struct arena none;
	struct bytes domain;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_true(address_complete_domain(bytes_of(rows[i].domain), bytes_of("o.test"),
						    bytes_of(rows[i].dot_domain), &arena, &domain));
		expect_bytes(domain, rows[i].wanted, bytes_of(rows[i].domain));
	}
	/* No memory is no domain. */
	arena_init(&none, 0);
	assert_true(address_complete_domain(TEXT(""), TEXT("o.test"), TEXT("d"), &none, &domain));
	assert_false(address_complete_domain(TEXT("h"), TEXT("o.test"), TEXT("d"), &none, &domain));
	expect_bytes(domain, "o.test", TEXT("h"));
	arena_free(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unclosed_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_complete, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
