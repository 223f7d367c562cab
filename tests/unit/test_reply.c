/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP replies: parsed, made for an address, printed. */
#include "mail_text.h"

#include <sysexits.h>

#include "mail/reply.h"

static void expect_printed(const struct reply *reply, const char *wanted)
{
	buffer_clear(&buffer);
	assert_true(reply_print(reply, &buffer));
	assert_string_equal(buffer.data, wanted);
}

static void test_parse(void **state)
{
	static const struct {
		const char *line, *printed;
	} rows[] = {
		{ "550 5.1.1 User unknown", "550 5.1.1 User unknown" },
		{ "550 5.1.1", "550 5.1.1" },
		{ "550", "550 5.0.0" },
		{ "450 try later", "450 4.0.0 try later" },
		{ "  452  4.5.3   Too many  ", "452 4.5.3 Too many" },
		{ "559 5.999.999 x", "559 5.999.999 x" },
		{ "550 5.1 is no code", "550 5.0.0 5.1 is no code" },
		{ "550 5.1.1x", "550 5.0.0 5.1.1x" },
		{ "550 5.1.1.1 x", "550 5.0.0 5.1.1.1 x" },
		{ "550 5.1111.1 x", "550 5.0.0 5.1111.1 x" },
		{ "550 5..1 x", "550 5.0.0 5..1 x" },
		{ "550 5.1. x", "550 5.0.0 5.1. x" },
		{ "550 100% gone", "550 5.0.0 100% gone" },
		{ "550 5.1.1 gel\xc3\xb6scht", "550 5.1.1 gel\xc3\xb6scht" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct reply reply;
		struct error err;

		if (!reply_parse(bytes_of(rows[i].line), &reply, &err))
			fail_msg("%s: %s", rows[i].line, err.text);
		expect_printed(&reply, rows[i].printed);
	}
}

static void test_parse_refuses(void **state)
{
	static const struct {
		const char *line, *word;
	} rows[] = {
		{ "", "code" },
		{ "User unknown", "code" },
		{ "55 x", "code" },
		{ "5500 x", "code" },
		{ "250 2.0.0 ok", "code" },
		{ "354 x", "code" },
		{ "560 x", "code" },
		{ "55x x", "code" },
		{ "550-5.1.1 x", "code" },
		{ "550\t5.1.1 x", "code" },
		{ "421 4.0.0 x", "421" },
		{ "550 4.1.1 x", "begin with 5" },
		{ "450 5.1.1 x", "begin with 4" },
		{ "550 2.0.0 x", "begin with 5" },
		{ "550 5.1.1 a\r\nb", "control" },
		{ "550 5.1.1 a\tb", "control" },
		{ "550 5.1.1 a\x7f"
		  "b",
		  "control" },
		{ "550 5.1.1 a\xff"
		  "b",
		  "UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct reply reply;
		struct error err;

		if (reply_parse(bytes_of(rows[i].line), &reply, &err))
			fail_msg("'%s' is accepted", rows[i].line);
		assert_int_equal(err.status, EX_DATAERR);
		if (strstr(err.text, rows[i].word) == NULL)
			fail_msg("'%s': %s", rows[i].line, err.text);
	}
}

static void test_parse_limit(void **state)
{
	char line[11 + REPLY_TEXT_MAX + 1] = "550 5.1.1 ";
	struct reply reply;
	struct error err;

	(void)state;
	memset(line + 10, 'x', REPLY_TEXT_MAX + 1);
	assert_true(reply_parse(bytes_make(line, 10 + REPLY_TEXT_MAX), &reply, &err));
	assert_int_equal(reply.text.size, REPLY_TEXT_MAX);
	assert_false(reply_parse(bytes_make(line, 11 + REPLY_TEXT_MAX), &reply, &err));
}

static void test_make(void **state)
{
	static const struct {
		struct bytes address;
		const char *printed;
	} rows[] = {
		{ { "u@ours.test", 11 }, "550 5.1.1 <u@ours.test>: Gone" },
		{ { "", 0 }, "550 5.1.1 <>: Gone" },
		{ { "q \"x\\@ours.test", 15 }, "550 5.1.1 <q \"x\\@ours.test>: Gone" },
		{ { "a\r\nb\x01\x7f\0@d", 9 },
		  "550 5.1.1 <a??b?"
		  "??@d>: Gone" },
		{ { "\xc3\xbc@d", 4 }, "550 5.1.1 <\xc3\xbc@d>: Gone" },
		{ { "\xc3@\xe2\x80\xae\xc2\x9b", 7 },
		  "550 5.1.1 <?@????"
		  "?>: Gone" },
		{ { "100%@d", 6 }, "550 5.1.1 <100%@d>: Gone" },
	};
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_true(reply_make("550", "5.1.1", &rows[i].address, "Gone", &arena, &reply));
		expect_printed(&reply, rows[i].printed);
	}
	assert_true(reply_make("451", "4.3.0", NULL, "Later", &arena, &reply));
	expect_printed(&reply, "451 4.3.0 Later");
}

static void test_make_cuts(void **state)
{
	static const char end[] = "...>: Gone";
	char address[600], text[600];
	struct bytes long_address = bytes_make(address, sizeof(address));
	struct reply reply;
	struct arena none;

	(void)state;
	memset(address, 'a', sizeof(address));
	assert_true(reply_make("550", "5.1.1", &long_address, "Gone", &arena, &reply));
	assert_int_equal(reply.text.size, REPLY_TEXT_MAX);
	assert_memory_equal(reply.text.data + REPLY_TEXT_MAX - 10, end, 10);
	/* Exactly as much as there is room for is not cut. */
	long_address.size = REPLY_TEXT_MAX - strlen("<>: Gone");
	assert_true(reply_make("550", "5.1.1", &long_address, "Gone", &arena, &reply));
	assert_int_equal(reply.text.size, REPLY_TEXT_MAX);
	assert_memory_equal(reply.text.data + REPLY_TEXT_MAX - 8, "a>: Gone", 8);
	/* A text that leaves no room goes without the address. */
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_true(reply_make("550", "5.1.1", &long_address, text, &arena, &reply));
	assert_int_equal(reply.text.size, REPLY_TEXT_MAX);
	assert_int_equal(reply.text.data[0], 't');
	/* No half characters. */
	for (size_t i = 0; i < sizeof(address); i += 2)
		memcpy(address + i, "\xc3\xbc", 2);
	for (size_t size = 460; size < 500; size++) {
		long_address.size = size;
		assert_true(reply_make("550", "5.1.1", &long_address, "Gone", &arena, &reply));
		assert_true(reply.text.size <= REPLY_TEXT_MAX);
		buffer_clear(&buffer);
		assert_true(reply_print(&reply, &buffer));
		assert_true(reply_parse(buffer_bytes(&buffer), &reply, NULL));
	}
	arena_init(&none, 0);
	assert_false(reply_make("550", "5.1.1", NULL, "Gone", &none, &reply));
	arena_free(&none);
}

static void test_escape_percent(void **state)
{
	(void)state;
	assert_true(reply_escape_percent(TEXT(""), &buffer));
	assert_true(reply_escape_percent(TEXT("plain "), &buffer));
	assert_true(reply_escape_percent(TEXT("%"), &buffer));
	assert_true(reply_escape_percent(TEXT(" 100% %%s"), &buffer));
	assert_string_equal(buffer.data, "plain %% 100%% %%%%s");
	buffer_free(&buffer);
	buffer_init(&buffer, 2);
	assert_false(reply_escape_percent(TEXT("a%"), &buffer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parse_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parse_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_make, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_make_cuts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_escape_percent, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
