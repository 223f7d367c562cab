/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static void assert_reply_at(const char *value, const char *expected, const char *file, int line)
{
	struct bytes reply;
	struct arena arena;
	struct error err;

	arena_init(&arena, 1 << 20);
	if (!row_reply_parse(bytes_of(value), &arena, &reply, &err)) {
		print_error("%s: %s\n", value, err.text);
		_fail(file, line);
	} else if (!bytes_equal(reply, bytes_of(expected))) {
		print_error("%s: " BYTES_FORMAT "\n", value, BYTES_ARGS(reply));
		_fail(file, line);
	}
	arena_free(&arena);
}

static void assert_refused_at(const char *value, const char *complaint, const char *file, int line)
{
	struct bytes reply;
	struct arena arena;
	struct error err = { .text = "" };

	arena_init(&arena, 1 << 20);
	if (row_reply_parse(bytes_of(value), &arena, &reply, &err) || err.status != EX_DATAERR ||
	    strstr(err.text, complaint) == NULL) {
		print_error("%.60s: status %d, %s\n", value, err.status, err.text);
		_fail(file, line);
	}
	arena_free(&arena);
}

#define assert_reply(value, expected)    assert_reply_at(value, expected, __FILE__, __LINE__)
#define assert_refused(value, complaint) assert_refused_at(value, complaint, __FILE__, __LINE__)

static void codes_in_any_order(void **state)
{
	(void)state;
	assert_reply("5.2.1:550 Mailbox disabled", "550 5.2.1 Mailbox disabled");
	assert_reply("550 5.2.1 Mailbox disabled", "550 5.2.1 Mailbox disabled");
	assert_reply("550 Mailbox disabled", "550 5.0.0 Mailbox disabled");
	assert_reply("4.2.2:452 Full", "452 4.2.2 Full");
	assert_reply("450 Later", "450 4.0.0 Later");
	assert_reply("  550 5.7.1  No  ", "550 5.7.1 No");
	assert_reply("550", "550 5.0.0");
	assert_reply("5.1.1:550", "550 5.1.1");
}

static void text_alone(void **state)
{
	(void)state;
	assert_reply("Mailbox disabled", "550 5.0.0 Mailbox disabled");
	assert_reply("5500 is no code", "550 5.0.0 5500 is no code");
	assert_reply("Nothing: here", "550 5.0.0 Nothing: here");
}

static void words_of_sendmail(void **state)
{
	(void)state;
	assert_reply("nouser", "550 5.1.1 User unknown");
	assert_reply("NoUser No such user here", "550 5.1.1 No such user here");
	assert_reply("nouser 553 5.3.0 Moved away", "553 5.3.0 Moved away");
	assert_reply("tempfail Later", "450 4.0.0 Later");
	assert_reply("nousers", "550 5.0.0 nousers");
}

static void what_no_client_may_get(void **state)
{
	(void)state;
	assert_refused("", "a reply must follow");
	assert_refused(" \t ", "a reply must follow");
	assert_refused("5.2.1:Mailbox disabled", "a code like 550 must follow");
	assert_refused("5.2.1:450 Later", "must begin with 4");
	assert_refused("550 4.2.1 Later", "must begin with 5");
	assert_refused("250 Fine", "begins with a code like 450 or 550");
	assert_refused("421 Bye", "421 is no reply to a recipient");
	assert_refused("550 a\001b", "control byte");
	assert_refused("550 \377", "not UTF-8");
}

static void as_long_as_a_reply_may_be(void **state)
{
	char value[2000] = "550 5.0.0 ";

	(void)state;
	memset(value + 10, 'x', 490);
	assert_reply(value, value);
	memset(value + 10, 'x', 491);
	assert_refused(value, "longer than 490 bytes");
	memset(value + 10, 'x', sizeof(value) - 11);
	assert_refused(value, "too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_in_any_order),
		cmocka_unit_test(text_alone),
		cmocka_unit_test(words_of_sendmail),
		cmocka_unit_test(what_no_client_may_get),
		cmocka_unit_test(as_long_as_a_reply_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
