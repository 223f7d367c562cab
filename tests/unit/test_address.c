/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of clients: taken apart, and printed anew. */
#include "mail_text.h"

#include "mail/address.h"

/* ---- paths ---------------------------------------------------------------------------- */

static const struct {
	const char *path, *local, *domain, *text, *text_with_route;
	bool was_rewritten;
} good_paths[] = {
	/* Plain. */
	{ "<u@ours.test>", "u", "ours.test", "u@ours.test", NULL, false },
	{ "<U.v+x@OURS.Test>", "U.v+x", "OURS.Test", "U.v+x@OURS.Test", NULL, false },
	{ "<u@ours.test.>", "u", "ours.test", "u@ours.test.", NULL, false },
	{ "<u@host_1>", "u", "host_1", "u@host_1", NULL, false },
	{ "<.u@ours.test>", ".u", "ours.test", ".u@ours.test", NULL, false },
	{ "<u..x@ours.test>", "u..x", "ours.test", "u..x@ours.test", NULL, false },
	{ "<@ours.test>", "", "ours.test", "@ours.test", NULL, false },
	{ "<$1@ours.test>", "$1", "ours.test", "$1@ours.test", NULL, false },
	{ "<-u@ours.test>", "-u", "ours.test", "-u@ours.test", NULL, false },
	{ "<\xc3\xbc@ours.test>", "\xc3\xbc", "ours.test", "\xc3\xbc@ours.test", NULL, false },
	{ "<u@m\xc3\xbcnchen.test>", "u", "m\xc3\xbcnchen.test", "u@m\xc3\xbcnchen.test", NULL,
	  false },
	/* Without brackets, and with space and comments. */
	{ "u@ours.test", "u", "ours.test", "u@ours.test", NULL, false },
	{ " u@ours.test\r\n", "u", "ours.test", "u@ours.test", NULL, false },
	{ "< u@ours.test >", "u", "ours.test", " u@ours.test ", " u@ours.test", false },
	{ "<u @ours.test>", "u", "ours.test", "u @ours.test", NULL, false },
	{ "<u@ours .test>", "u", "ours.test", "u@ours .test", NULL, false },
	{ "<u@ours. test>", "u", "ours.test", "u@ours. test", NULL, false },
	{ "<(c)u@ours.test>", "u", "ours.test", "(c)u@ours.test", NULL, false },
	{ "<u(c)@ours.test>", "u", "ours.test", "u(c)@ours.test", NULL, false },
	{ "<u@ours.test (c)>", "u", "ours.test", "u@ours.test (c)", NULL, false },
	{ "<u(a(b\\)>)\"c)@ours.test>", "u", "ours.test", "u(a(b\\)>)\"c)@ours.test", NULL, false },
	/* Quotes. */
	{ "<\"u\"@ours.test>", "u", "ours.test", "\"u\"@ours.test", NULL, false },
	{ "<\"u 1\"@ours.test>", "u 1", "ours.test", "\"u 1\"@ours.test", NULL, false },
	{ "<\"u\\ 1\"@ours.test>", "u 1", "ours.test", "\"u\\ 1\"@ours.test", NULL, false },
	{ "<u\\ 1@ours.test>", "u 1", "ours.test", "u\\ 1@ours.test", NULL, false },
	{ "<a\"b\".c@ours.test>", "ab.c", "ours.test", "a\"b\".c@ours.test", NULL, false },
	{ "<\"\"@ours.test>", "", "ours.test", "\"\"@ours.test", NULL, false },
	{ "<\"u\x01x\"@ours.test>", "u\x01x", "ours.test", "\"u\x01x\"@ours.test", NULL, false },
	{ "<\"a>b\"@ours.test>", "a>b", "ours.test", "\"a>b\"@ours.test", NULL, false },
	/* Quotes don't keep `@`, `!` and `%` from routing: Postfix forgets them. */
	{ "<\"h!u%x\">", "u%x", "h", "\"h!u%x\"", NULL, true },
	{ "<\"u%ours.test\">", "u", "ours.test", "\"u%ours.test\"", NULL, true },
	{ "<\"u@ours.test\">", "u", "ours.test", "\"u@ours.test\"", NULL, false },
	{ "<u@\"a@ours.test\">", "u@a", "ours.test", "u@\"a@ours.test\"", NULL, false },
	{ "<\"u@ours.test.\">", "u", "ours.test", "\"u@ours.test.\"", NULL, false },
	{ "<\"u@ours.test\".>", "u", "ours.test", "\"u@ours.test\".", NULL, false },
	{ "<u\\@ours.test>", "u", "ours.test", "u\\@ours.test", NULL, false },
	{ "<u\\%ours.test>", "u", "ours.test", "u\\%ours.test", NULL, true },
	{ "<u@ours\\.test>", "u", "ours.test", "u@ours\\.test", NULL, false },
	{ "<\"a@b\"@ours.test>", "a@b", "ours.test", "\"a@b\"@ours.test", NULL, false },
	{ "<u@\"ours\".test>", "u", "ours.test", "u@\"ours\".test", NULL, false },
	/* Odd, yet one address to Postfix. */
	{ "<|/bin/sh@ours.test>", "|/bin/sh", "ours.test", "|/bin/sh@ours.test", NULL, false },
	{ "<:include:/etc/passwd@ours.test>", ":include:/etc/passwd", "ours.test",
	  ":include:/etc/passwd@ours.test", NULL, false },
	{ "<a:b@ours.test>", "a:b", "ours.test", "a:b@ours.test", NULL, false },
	{ "<\"a,b;c\"@ours.test>", "a,b;c", "ours.test", "\"a,b;c\"@ours.test", NULL, false },
	{ "<a@b@ours.test>", "a@b", "ours.test", "a@b@ours.test", NULL, false },
	{ "<u%ours.test@local.test>", "u%ours.test", "local.test", "u%ours.test@local.test", NULL,
	  false },
	/* Source routes. */
	{ "<@r.test,@q.test:u@ours.test>", "u", "ours.test", "u@ours.test",
	  "@r.test,@q.test:u@ours.test", false },
	{ "@r.test:u@ours.test", "u", "ours.test", "u@ours.test", "@r.test:u@ours.test", false },
	{ "@r.test,@q.test:u@ours.test", "u", "ours.test", "u@ours.test",
	  "@r.test,@q.test:u@ours.test", false },
	{ "<@r.test:u%ours.test>", "u", "ours.test", "u%ours.test", "@r.test:u%ours.test", true },
	{ "<@r.test:a@q.test:u@ours.test>", "a@q.test:u", "ours.test", "a@q.test:u@ours.test",
	  "@r.test:a@q.test:u@ours.test", false },
	{ "<@[IPv6:::1]:u@ours.test>", "u", "ours.test", "u@ours.test", "@[IPv6:::1]:u@ours.test",
	  false },
	{ "< @r.test: \"u 1\" @ours.test>", "u 1", "ours.test", " \"u 1\" @ours.test",
	  " @r.test: \"u 1\" @ours.test", false },
	{ "<@r.test:postmaster>", "postmaster", "", "postmaster", "@r.test:postmaster", false },
	/* No domain. */
	{ "<postmaster>", "postmaster", "", "postmaster", NULL, false },
	{ "u", "u", "", "u", NULL, false },
	{ "<ours.test!u>", "u", "ours.test", "ours.test!u", NULL, true },
	{ "<ours.test.!u>", "u", "ours.test", "ours.test.!u", NULL, true },
	{ "<a!b!u%c>", "b!u%c", "a", "a!b!u%c", NULL, true },
	{ "<u%ours.test>", "u", "ours.test", "u%ours.test", NULL, true },
	{ "<u%a%ours.test.>", "u%a", "ours.test", "u%a%ours.test.", NULL, true },
	{ "<u\\%a%ours.test>", "u%a", "ours.test", "u\\%a%ours.test", NULL, true },
	/* Literals. */
	{ "<u@[127.0.0.1]>", "u", "[127.0.0.1]", "u@[127.0.0.1]", NULL, false },
	{ "<u@[IPv6:::1]>", "u", "[IPv6:::1]", "u@[IPv6:::1]", NULL, false },
	{ "<u@[a(b]>", "u", "[a(b]", "u@[a(b]", NULL, false },
	/* What stands behind the bracket. */
	{ "<u@ours.test> NOTIFY=NEVER", "u", "ours.test", "u@ours.test", NULL, false },
	{ "<u@ours.test>x", "u", "ours.test", "u@ours.test", NULL, false },
};

static void test_good_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(good_paths); i++) {
		struct address_path path;
		char *block;
		struct bytes input = fenced(bytes_of(good_paths[i].path), &block);
		const char *route = good_paths[i].text_with_route;
		enum address_outcome outcome = address_parse_path(input, &arena, &path);

		if (outcome != ADDRESS_OK)
			fail_msg("%s: outcome %d", good_paths[i].path, (int)outcome);
		expect_bytes(path.address.local, good_paths[i].local, input);
		expect_bytes(path.address.domain, good_paths[i].domain, input);
		expect_bytes(path.text, good_paths[i].text, input);
		expect_bytes(path.text_with_route, route != NULL ? route : good_paths[i].text,
			     input);
		assert_int_equal(path.was_rewritten, good_paths[i].was_rewritten);
		assert_true(path.internal.size >=
			    path.address.local.size + path.address.domain.size);
		free(block);
	}
}

static const struct {
	const char *path;
	enum address_outcome outcome;
} bad_paths[] = {
	{ "", ADDRESS_NULL },
	{ " ", ADDRESS_NULL },
	{ "<>", ADDRESS_NULL },
	{ "< >", ADDRESS_NULL },
	{ "<(nobody)>", ADDRESS_NULL },
	{ "<\"\">", ADDRESS_NULL },
	{ "<", ADDRESS_MALFORMED },
	{ ">", ADDRESS_MALFORMED },
	{ "<u@ours.test", ADDRESS_MALFORMED },
	{ "u@ours.test>", ADDRESS_MALFORMED },
	{ "<u@ours.test..>", ADDRESS_MALFORMED },
	{ "<u@.>", ADDRESS_MALFORMED },
	{ "<u@>", ADDRESS_MALFORMED },
	{ "<@>", ADDRESS_MALFORMED },
	{ "<u%>", ADDRESS_MALFORMED },
	{ "<!u>", ADDRESS_MALFORMED },
	{ "<@r.test:>", ADDRESS_MALFORMED },
	{ "<@r.test:u@>", ADDRESS_MALFORMED },
	{ "<u 1@ours.test>", ADDRESS_MALFORMED },
	{ "u 1@ours.test", ADDRESS_MALFORMED },
	{ "<u@ours test>", ADDRESS_MALFORMED },
	{ "<u@ours.test x>", ADDRESS_MALFORMED },
	{ "<u(c)x@ours.test>", ADDRESS_MALFORMED },
	{ "<\"u\" 1@ours.test>", ADDRESS_MALFORMED },
	{ "u@ours.test NOTIFY=NEVER", ADDRESS_MALFORMED },
	{ "Full Name <u@ours.test>", ADDRESS_MALFORMED },
	{ "<a@ours.test>,<b@ours.test>", ADDRESS_MALFORMED },
	{ "<a@ours.test> <b@ours.test>", ADDRESS_MALFORMED },
	{ "a@ours.test,b@ours.test", ADDRESS_MALFORMED },
	{ "<a<b@ours.test>", ADDRESS_MALFORMED },
	{ "<\"u@ours.test>", ADDRESS_MALFORMED },
	{ "<\"u\\\"@ours.test>", ADDRESS_MALFORMED },
	{ "<(u@ours.test>", ADDRESS_MALFORMED },
	{ "<(\\)u@ours.test>", ADDRESS_MALFORMED },
	{ "<u)@ours.test>", ADDRESS_MALFORMED },
	{ "<u@[127.0.0.1>", ADDRESS_MALFORMED },
	{ "<u@127.0.0.1]>", ADDRESS_MALFORMED },
	{ "<u@[a\\](b]>", ADDRESS_MALFORMED },
	{ "<u@[a]b>", ADDRESS_MALFORMED },
	/* Routes that Postfix would strip as well, one after the other or in spite of quotes. */
	{ "<@r.test:@q.test:u@ours.test>", ADDRESS_MALFORMED },
	{ "<\"@r.test:u\"@ours.test>", ADDRESS_MALFORMED },
	{ "<\"@r.test:u@ours.test\">", ADDRESS_MALFORMED },
	{ "<\\@r.test:u%ours.test>", ADDRESS_MALFORMED },
	{ "<@r.test\\:u@ours.test>", ADDRESS_MALFORMED },
	/* Lists. */
	{ "<a,b@ours.test>", ADDRESS_MALFORMED },
	{ "<,a@ours.test>", ADDRESS_MALFORMED },
	{ "<a@ours.test;>", ADDRESS_MALFORMED },
	{ "<@r.test,u@ours.test>", ADDRESS_MALFORMED },
	{ "<@r.test:a,b@ours.test>", ADDRESS_MALFORMED },
	/* No domains; of `u@"ours.test "` Postfix would drop the space. */
	{ "<u@\"ours.test \">", ADDRESS_MALFORMED },
	{ "<u@ours.test\\ >", ADDRESS_MALFORMED },
	{ "<u@ours.test:25>", ADDRESS_MALFORMED },
	{ "<u@ours.test/x>", ADDRESS_MALFORMED },
	{ "<u@ours.test%>", ADDRESS_MALFORMED },
	{ "<a b!u>", ADDRESS_MALFORMED },
	{ "<a\\ b!u>", ADDRESS_MALFORMED },
	{ "<u\\", ADDRESS_MALFORMED },
	{ "u\\", ADDRESS_MALFORMED },
	{ "(\\", ADDRESS_MALFORMED },
	{ "\"\\", ADDRESS_MALFORMED },
	{ "[\\", ADDRESS_MALFORMED },
};

static void test_bad_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bad_paths); i++) {
		struct address_path path;
		char *block;
		struct bytes input = fenced(bytes_of(bad_paths[i].path), &block);
		enum address_outcome outcome = address_parse_path(input, &arena, &path);

		if (outcome != bad_paths[i].outcome)
			fail_msg("'%s': outcome %d", bad_paths[i].path, (int)outcome);
		free(block);
	}
}

static void test_internal_form(void **state)
{
	static const struct {
		const char *path, *internal;
	} rows[] = {
		{ "<U@Ours.Test.>", "U@Ours.Test." },
		{ "<@r.test:\"u 1\"@ours (c) .test>", "u 1@ours.test" },
		{ "<ours.test!u>", "ours.test!u" },
		{ "postmaster", "postmaster" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bytes input = bytes_of(rows[i].path);
		struct address_path path;

		assert_int_equal(address_parse_path(input, &arena, &path), ADDRESS_OK);
		expect_bytes(path.internal, rows[i].internal, input);
	}
}

static void test_path_limits(void **state)
{
	static char text[ADDRESS_TEXT_MAX + 1];
	struct address_path path;
	struct arena none;

	(void)state;
	memset(text, 'u', sizeof(text));
	assert_int_equal(address_parse_path(bytes_make(text, ADDRESS_TEXT_MAX), &arena, &path),
			 ADDRESS_OK);
	assert_int_equal(path.address.local.size, ADDRESS_TEXT_MAX);
	assert_int_equal(address_parse_path(bytes_make(text, sizeof(text)), &arena, &path),
			 ADDRESS_MALFORMED);
	arena_init(&none, 0);
	assert_int_equal(address_parse_path(TEXT("u"), &none, &path), ADDRESS_NO_MEMORY);
	/* The plain form needs none. */
	assert_int_equal(address_parse_path(TEXT("<u@d.test>"), &none, &path), ADDRESS_OK);
	assert_int_equal(address_parse_path(TEXT("<\"u\0x\"@d.test>"), &arena, &path), ADDRESS_OK);
	assert_true(bytes_equal(path.address.local, TEXT("u\0x")));
	arena_free(&none);
}

/* ---- routing -------------------------------------------------------------------------- */

static void test_next_hop(void **state)
{
	static const struct {
		const char *local, *next_local, *next_domain; /* NULL: leads nowhere */
		bool has_routing;
	} rows[] = {
		{ "u", NULL, NULL, false },
		{ "u.v+x=y", NULL, NULL, false },
		{ "", NULL, NULL, false },
		{ "u%ours.test", "u", "ours.test", true },
		{ "u@ours.test", "u", "ours.test", true },
		{ "ours.test!u", "u", "ours.test", true },
		{ "ours.test.!u", "u", "ours.test", true },
		{ "a!b!u", "b!u", "a", true },
		{ "u%a%b", "u%a", "b", true },
		{ "h!u%x", "u%x", "h", true },
		{ "h!u@x", "h!u", "x", true },
		{ "u%h@x", "u%h", "x", true },
		{ "u%ours.test%", "u", "ours.test", true },
		{ "u%ours.test.", "u", "ours.test", true },
		{ "!ours.test!u", "u", "ours.test", true },
		{ "u@ours.test@.", "u", "ours.test", true },
		{ "u%ours.test ", "u", "ours.test", true },
		{ "u%", NULL, NULL, true },
		{ "u%ours test", NULL, NULL, true },
		{ "!", NULL, NULL, true },
		{ "%ours.test", "", "ours.test", true },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct address address = { .local = bytes_of(rows[i].local) };
		struct address next;
		bool leads = address_next_hop(&address, &next);

		assert_int_equal(address_has_routing(&address), rows[i].has_routing);
		if (leads != (rows[i].next_local != NULL))
			fail_msg("'%s' leads: %d", rows[i].local, (int)leads);
		if (leads) {
			expect_bytes(next.local, rows[i].next_local, address.local);
			expect_bytes(next.domain, rows[i].next_domain, address.local);
		}
	}
}

/* ---- extensions ----------------------------------------------------------------------- */

static void test_extensions(void **state)
{
	static const struct {
		const char *local, *delimiters, *user, *extension; /* NULL: isn't split */
	} rows[] = {
		{ "u+x", "+", "u", "+x" },
		{ "u+x+y", "+", "u", "+x+y" },
		{ "u+", "+", "u", "+" },
		{ "a-b+c", "+-", "a", "-b+c" },
		{ "a-b+c", "+", "a-b", "+c" },
		{ "+a", "+", NULL, NULL },
		{ "+a+b", "+", NULL, NULL },
		{ "u", "+", NULL, NULL },
		{ "u+x", "", NULL, NULL },
		{ "", "+", NULL, NULL },
		{ "PostMaster", "+m", NULL, NULL },
		{ "postmaster+x", "+", "postmaster", "+x" },
		{ "Mailer-Daemon", "-", NULL, NULL },
		{ "double-bounce", "-", NULL, NULL },
		{ "double-bounce+x", "+", "double-bounce", "+x" },
		{ "Owner-list", "-", NULL, NULL },
		{ "owner-list+x", "+-", NULL, NULL },
		{ "owner-list+x", "+", "owner-list", "+x" },
		{ "list-REQUEST", "-", NULL, NULL },
		{ "a-b-request", "-", NULL, NULL },
		{ "list-request+x", "+-", "list", "-request+x" },
		{ "-request", "-", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bytes user, extension;
		struct bytes local = bytes_of(rows[i].local);
		bool is_split = address_split_extension(local, bytes_of(rows[i].delimiters), &user,
							&extension);

		if (is_split != (rows[i].user != NULL))
			fail_msg("%s with %s: %d", rows[i].local, rows[i].delimiters,
				 (int)is_split);
		if (is_split) {
			expect_bytes(user, rows[i].user, local);
			expect_bytes(extension, rows[i].extension, local);
		}
	}
}

/* ---- printing ------------------------------------------------------------------------- */

static void test_print(void **state)
{
	static const struct {
		const char *local, *domain, *printed;
	} rows[] = {
		{ "u", "d.test", "u@d.test" },
		{ "u.v+x!#$%&'*/=?^_`{|}~-1", "d.test", "u.v+x!#$%&'*/=?^_`{|}~-1@d.test" },
		{ "U", "", "U" },
		{ "", "d.test", "\"\"@d.test" },
		{ "q x", "d.test", "\"q x\"@d.test" },
		{ "q\"x\\y", "d.test", "\"q\\\"x\\\\y\"@d.test" },
		{ ".u", "d.test", "\".u\"@d.test" },
		{ "u.", "d.test", "\"u.\"@d.test" },
		{ "u..x", "d.test", "\"u..x\"@d.test" },
		{ "a@b", "d.test", "\"a@b\"@d.test" },
		{ "a,b", "d.test", "\"a,b\"@d.test" },
		{ "a\x01", "d.test", "\"a\x01\"@d.test" },
		{ "\xc3\xbc", "d.test", "\xc3\xbc@d.test" },
		{ "\xc3\xbc x", "d.test", "\"\xc3\xbc x\"@d.test" },
		{ "u", "[192.0.2.1]", "u@[192.0.2.1]" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct address address = { .local = bytes_of(rows[i].local),
					   .domain = bytes_of(rows[i].domain) };
		struct address_path path;

		buffer_clear(&buffer);
		assert_true(address_print(&address, &buffer));
		expect_bytes(buffer_bytes(&buffer), rows[i].printed, address.local);
		assert_int_equal(address_parse_path(buffer_bytes(&buffer), &arena, &path),
				 ADDRESS_OK);
		assert_true(bytes_equal(path.address.local, address.local));
		assert_true(bytes_equal(path.address.domain, address.domain));
	}
}

static void test_print_refuses(void **state)
{
	static const struct address rows[] = {
		{ { "u\0x", 3 }, { "d.test", 6 } },
		{ { "u\rx", 3 }, { "d.test", 6 } },
		{ { "u\nx", 3 }, { "", 0 } },
		{ { "u", 1 }, { "d\n.test", 7 } },
	};
	struct address address = { .local = TEXT("a b"), .domain = TEXT("d.test") };
	struct buffer small;

	(void)state;
	buffer_init(&small, 12);
	assert_true(address_print(&address, &small));
	assert_int_equal(small.size, 12);
	buffer_clear(&small);
	address.domain = TEXT("dd.test");
	assert_false(address_print(&address, &small));
	assert_int_equal(small.size, 0);
	buffer_clear(&small);
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_false(address_print(&rows[i], &small));
	assert_int_equal(small.size, 0);
	buffer_free(&small);
}

static void expect_escaped(struct bytes text, bool keep_utf8, const char *wanted)
{
	buffer_clear(&buffer);
	assert_true(address_escape(text, keep_utf8, &buffer));
	expect_bytes(buffer_bytes(&buffer), wanted, text);
}

static void test_escape(void **state)
{
	char long_text[300], wanted[300];

	(void)state;
	expect_escaped(TEXT("a b~"), false, "a b~");
	expect_escaped(TEXT("a\"\\"), false, "a\\\"\\\\");
	expect_escaped(TEXT("\0\n\x1b\x7f"), true, "\\x00\\x0a\\x1b\\x7f");
	expect_escaped(TEXT("\xc3\xbc"), true, "\xc3\xbc");
	expect_escaped(TEXT("\xc3\xbc"), false, "\\xc3\\xbc");
	expect_escaped(TEXT("\xc3"), true, "\\xc3");
	expect_escaped(TEXT("\xc0\xaf"), true, "\\xc0\\xaf");
	expect_escaped(TEXT("\xc2\x9b"), true, "\\xc2\\x9b");
	expect_escaped(TEXT("\xe2\x80\xae"), true, "\\xe2\\x80\\xae");
	memset(long_text, 'a', sizeof(long_text));
	memset(wanted, 'a', 256);
	wanted[256] = '\0';
	expect_escaped(bytes_make(long_text, 256), true, wanted);
	memcpy(wanted + 256, "...(+44)", 9);
	expect_escaped(bytes_make(long_text, 300), true, wanted);
	/* A character that doesn't fit whole is not shown in part. */
	memcpy(long_text + 255, "\xc3\xbc", 2);
	memcpy(wanted + 255, "...(+45)", 9);
	expect_escaped(bytes_make(long_text, 300), true, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_internal_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_next_hop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_extensions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_print, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_print_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_escape, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
