/* SPDX-License-Identifier: BSD-2-Clause */
/* NOTIFY and ORCPT: what is taken from a client, and what targets get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/dsn.h"

#define TEXT(literal) bytes_make(literal, sizeof(literal) - 1)
#define ROWS(table)   (sizeof(table) / sizeof((table)[0]))

enum {
	NEVER = DSN_NOTIFY_NEVER,
	SUCCESS = DSN_NOTIFY_SUCCESS,
	FAILURE = DSN_NOTIFY_FAILURE,
	DELAY = DSN_NOTIFY_DELAY,
};

static struct buffer buffer;

static int set_up(void **state)
{
	(void)state;
	buffer_init(&buffer, 1 << 16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&buffer);
	return 0;
}

static void test_take_notify(void **state)
{
	static const struct {
		const char *parameter;
		unsigned notify; /* 0: refused */
	} rows[] = {
		{ "NOTIFY=NEVER", NEVER },
		{ "notify=success", SUCCESS },
		{ "Notify=Failure,DELAY", FAILURE | DELAY },
		{ "NOTIFY=DELAY,SUCCESS,FAILURE", SUCCESS | FAILURE | DELAY },
		{ "NOTIFY=DELAY,DELAY", DELAY },
		{ "NOTIFY", 0 },
		{ "NOTIFY=", 0 },
		{ "NOTIFY=,", 0 },
		{ "NOTIFY=SUCCESS,", 0 },
		{ "NOTIFY=,SUCCESS", 0 },
		{ "NOTIFY=NEVER,SUCCESS", 0 },
		{ "NOTIFY=SUCCESS,NEVER", 0 },
		{ "NOTIFY=SUCCESS FAILURE", 0 },
		{ "NOTIFY=SUCCES", 0 },
		{ "NOTIFY=SUCCESSS", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dsn dsn = { 0 };
		bool is_taken = dsn_take_parameter(&dsn, bytes_of(rows[i].parameter));

		if (is_taken != (rows[i].notify != 0) || dsn.notify != rows[i].notify)
			fail_msg("%s: %d, %u", rows[i].parameter, (int)is_taken, dsn.notify);
	}
}

static void test_take_orcpt(void **state)
{
	static const struct {
		const char *parameter, *orcpt; /* NULL: refused */
	} rows[] = {
		{ "ORCPT=rfc822;u@d.test", "rfc822;u@d.test" },
		{ "orcpt=RFC822;a+2Bb+3Dc@d", "RFC822;a+2Bb+3Dc@d" },
		{ "ORCPT=x-local;a;b", "x-local;a;b" },
		{ "ORCPT=utf-8;j+C3+BCrgen@y", "utf-8;j+C3+BCrgen@y" },
		{ "ORCPT=utf-8;j\xc3\xbcrgen@y", "utf-8;j\xc3\xbcrgen@y" },
		{ "ORCPT=UTF-8;j\\x{FC}rgen\\x{10FFFF}@y", "UTF-8;j\\x{FC}rgen\\x{10FFFF}@y" },
		{ "ORCPT", NULL },
		{ "ORCPT=", NULL },
		{ "ORCPT=rfc822", NULL },
		{ "ORCPT=rfc822;", NULL },
		{ "ORCPT=;u@d", NULL },
		{ "ORCPT=a b;u@d", NULL },
		{ "ORCPT=a=b;u@d", NULL },
		{ "ORCPT=a<b;u@d", NULL },
		{ "ORCPT=a\xc3\xbc;u@d", NULL },
		{ "ORCPT=rfc822;bad+zz", NULL },
		{ "ORCPT=rfc822;bad+2b", NULL },
		{ "ORCPT=rfc822;bad+2", NULL },
		{ "ORCPT=rfc822;bad+", NULL },
		{ "ORCPT=rfc822;a=b", NULL },
		{ "ORCPT=rfc822;a b", NULL },
		{ "ORCPT=rfc822;a\nb", NULL },
		{ "ORCPT=rfc822;a\x7f", NULL },
		{ "ORCPT=rfc822;j\xc3\xbcrgen@y", NULL },
		{ "ORCPT=utf-8;j\xc3rgen@y", NULL },
		{ "ORCPT=utf-8;\xc3\xbc\xe2\x80\xae", NULL },
		{ "ORCPT=utf-8;\xc3\xbc b", NULL },
		{ "ORCPT=utf-8;\xc3\xbc+b", NULL },
		{ "ORCPT=utf-8;\xc3\xbc=", NULL },
		{ "ORCPT=utf-8;\xc3\xbc\\x{FC", NULL },
		{ "ORCPT=utf-8;\xc3\xbc\\x{}", NULL },
		{ "ORCPT=utf-8;\xc3\xbc\\y", NULL },
		{ "ORCPT=utf-8;\xc3\xbc\\x{1234567}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dsn dsn = { 0 };
		bool is_taken = dsn_take_parameter(&dsn, bytes_of(rows[i].parameter));

		if (is_taken != (rows[i].orcpt != NULL))
			fail_msg("%s: %d", rows[i].parameter, (int)is_taken);
		assert_true(bytes_equal(dsn.orcpt, bytes_of(is_taken ? rows[i].orcpt : "")));
	}
}

static void test_take_only_once(void **state)
{
	struct dsn dsn = { 0 };

	(void)state;
	assert_true(dsn_take_parameter(&dsn, TEXT("SIZE=1000")));
	assert_true(dsn_take_parameter(&dsn, TEXT("")));
	assert_true(dsn_take_parameter(&dsn, TEXT("NOTIFYX=NEVER")));
	assert_int_equal(dsn.notify, DSN_NOTIFY_ABSENT);
	assert_true(dsn_take_parameter(&dsn, TEXT("NOTIFY=DELAY")));
	assert_false(dsn_take_parameter(&dsn, TEXT("NOTIFY=NEVER")));
	assert_true(dsn_take_parameter(&dsn, TEXT("ORCPT=rfc822;a")));
	assert_false(dsn_take_parameter(&dsn, TEXT("ORCPT=rfc822;b")));
	assert_int_equal(dsn.notify, DELAY);
	assert_true(bytes_equal(dsn.orcpt, TEXT("rfc822;a")));
}

static void test_notify_for_target(void **state)
{
	static const struct {
		unsigned notify, single, several, native;
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ NEVER, NEVER, NEVER, NEVER },
		{ SUCCESS, SUCCESS, NEVER, NEVER },
		{ FAILURE, FAILURE, FAILURE, FAILURE },
		{ SUCCESS | DELAY, SUCCESS | DELAY, DELAY, DELAY },
		{ SUCCESS | FAILURE | DELAY, SUCCESS | FAILURE | DELAY, FAILURE | DELAY,
		  FAILURE | DELAY },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		unsigned notify = rows[i].notify;

		assert_int_equal(dsn_notify_for_target(notify, true, false), rows[i].single);
		assert_int_equal(dsn_notify_for_target(notify, false, false), rows[i].several);
		assert_int_equal(dsn_notify_for_target(notify, true, true), rows[i].native);
		assert_int_equal(dsn_notify_for_target(notify, false, true), rows[i].native);
	}
}

static void test_print(void **state)
{
	static const struct {
		unsigned notify;
		const char *orcpt, *original;
		enum dsn_utf8_form form;
		const char *printed;
	} rows[] = {
		{ 0, "", "", DSN_UTF8_XTEXT, "" },
		{ NEVER, "", "", DSN_UTF8_XTEXT, "NOTIFY=NEVER" },
		{ 0, "rfc822;a+2Bb", "x@y", DSN_UTF8_XTEXT, "ORCPT=rfc822;a+2Bb" },
		{ 0, "utf-8;j\\x{FC}\\x{2B}\\x{1F600}@y", "x@y", DSN_UTF8_XTEXT,
		  "ORCPT=utf-8;j+C3+BC+2B+F0+9F+98+80@y" },
		{ 0, "utf-8;\xc3\xbc\\x{20AC}+2B@y", "x@y", DSN_UTF8_XTEXT,
		  "ORCPT=utf-8;+C3+BC+E2+82+AC+2B2B@y" },
		{ 0, "utf-8;\\x{00}\\x{D800}\\x{110000}", "x@y", DSN_UTF8_XTEXT,
		  "ORCPT=utf-8;\\x{00}\\x{D800}\\x{110000}" },
		{ 0, "utf-8;j\\x{FC}@y", "x@y", DSN_UTF8_RAW, "ORCPT=utf-8;j\\x{FC}@y" },
		{ 0, "rfc822;j\\x{FC}@y", "x@y", DSN_UTF8_XTEXT, "ORCPT=rfc822;j\\x{FC}@y" },
		{ SUCCESS | FAILURE | DELAY, "", "U@Ours.Test", DSN_UTF8_XTEXT,
		  "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;U@Ours.Test" },
		{ DELAY, "", "\"a b\"+c=d@y", DSN_UTF8_RAW,
		  "NOTIFY=DELAY ORCPT=rfc822;\"a+20b\"+2Bc+3Dd@y" },
		{ 0, "", "j\xc3\xbcrgen@y", DSN_UTF8_XTEXT, "ORCPT=utf-8;j+C3+BCrgen@y" },
		{ 0, "", "j\xc3\xbcrgen@y", DSN_UTF8_RAW, "ORCPT=utf-8;j\xc3\xbcrgen@y" },
		{ 0, "", "\xc3\xbc+=\\ @y", DSN_UTF8_RAW,
		  "ORCPT=utf-8;\xc3\xbc\\x{2B}\\x{3D}\\x{5C}\\x{20}@y" },
		{ 0, "", "\xff@y", DSN_UTF8_RAW, "ORCPT=rfc822;+FF@y" },
		{ 0, "", "\x7f\n@y", DSN_UTF8_XTEXT, "ORCPT=rfc822;+7F+0A@y" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dsn dsn = { 0 };
		struct bytes printed;

		buffer_clear(&buffer);
		assert_true(buffer_append_text(&buffer, "")); /* an end even where it is empty */
		assert_true(dsn_print_parameters(rows[i].notify, bytes_of(rows[i].orcpt),
						 bytes_of(rows[i].original), rows[i].form,
						 &buffer));
		assert_string_equal(buffer.data, rows[i].printed);
		/* What is printed would be taken. */
		for (printed = buffer_bytes(&buffer); printed.size > 0;) {
			struct bytes one = bytes_first(printed, bytes_index(printed, ' '));

			assert_true(dsn_take_parameter(&dsn, one));
			printed = bytes_skip(printed, one.size + 1);
		}
		assert_int_equal(dsn.notify, rows[i].notify);
	}
}

static void test_print_without_room(void **state)
{
	const char wanted[] = "NOTIFY=DELAY ORCPT=utf-8;j+C3+BCrgen@y";

	(void)state;
	for (size_t limit = 0; limit < sizeof(wanted); limit++) {
		struct buffer small;
		bool has_room;

		buffer_init(&small, limit);
		has_room = dsn_print_parameters(DELAY, TEXT(""), TEXT("j\xc3\xbcrgen@y"),
						DSN_UTF8_XTEXT, &small);
		assert_int_equal(has_room, limit == sizeof(wanted) - 1);
		buffer_free(&small);
	}
}

static void test_xtext(void **state)
{
	char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	assert_true(dsn_print_xtext(bytes_make(all, sizeof(all)), &buffer));
	assert_true(dsn_is_xtext(buffer_bytes(&buffer)));
	/* 92 bytes stand for themselves. */
	assert_int_equal(buffer.size, 92 + 164 * 3);
	assert_true(dsn_is_xtext(TEXT("")));
	assert_false(dsn_is_xtext(TEXT("a\0")));
	assert_false(dsn_is_xtext(TEXT("+")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_take_notify, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_take_orcpt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_take_only_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_notify_for_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_print, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_print_without_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_xtext, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
