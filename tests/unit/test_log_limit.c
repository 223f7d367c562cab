/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/log_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool admits(struct log_limit *limit, uint64_t kind, const char *line, int64_t now)
{
	return log_limit_admits(limit, kind, 1, bytes_of(line), now);
}

static void so_many_in_so_long(void **state)
{
	struct log_limit limit = { .kinds = { { .kind = 0 } } };
	struct log_kind kind;
	char line[32];

	(void)state;
	for (int i = 0; i < 25; i++) {
		(void)snprintf(line, sizeof(line), "line %d", i);
		assert_int_equal(admits(&limit, 7, line, 100 + i / 10), i < LOG_LIMIT_LINES);
	}
	assert_true(admits(&limit, 8, "of another kind", 101));
	assert_false(log_limit_take(&limit, 100 + LOG_LIMIT_SECONDS - 1, &kind));
	assert_true(log_limit_take(&limit, 100 + LOG_LIMIT_SECONDS, &kind));
	assert_int_equal(kind.left_out, 15);
	assert_int_equal(kind.severity, 1);
	assert_string_equal(kind.sample, "line 10");
	assert_false(log_limit_take(&limit, 1000, &kind));
	/* And anew, the time from the first line on. */
	for (int i = 0; i < 25; i++)
		assert_int_equal(admits(&limit, 7, "x", 115), i < LOG_LIMIT_LINES);
	assert_false(log_limit_take(&limit, 115 + LOG_LIMIT_SECONDS - 1, &kind));
	assert_true(log_limit_take(&limit, 115 + LOG_LIMIT_SECONDS, &kind));
	assert_int_equal(kind.left_out, 15);
}

static void a_slow_drip_is_written(void **state)
{
	struct log_limit limit = { .kinds = { { .kind = 0 } } };
	struct log_kind kind;

	(void)state;
	for (int64_t now = 0; now < 500; now += 2)
		assert_true(admits(&limit, 7, "drip", now));
	assert_false(log_limit_take(&limit, 1000, &kind));
}

/* What was left out stays counted until it is told, and doesn't open the gate by waiting. */
static void nothing_is_forgotten(void **state)
{
	struct log_limit limit = { .kinds = { { .kind = 0 } } };
	struct log_kind kind;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)admits(&limit, 7, "x", 1);
	assert_false(admits(&limit, 7, "x", 50));
	assert_true(log_limit_take(&limit, 50, &kind));
	assert_int_equal(kind.left_out, 11);
	assert_true(admits(&limit, 7, "x", 50));
}

static void many_kinds_share_the_last_place(void **state)
{
	struct log_limit limit = { .kinds = { { .kind = 0 } } };
	struct log_kind kind;
	uint64_t admitted = 0;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		admitted += admits(&limit, i, "x", 5) ? 1 : 0;
	assert_int_equal(admitted, LOG_LIMIT_KINDS + LOG_LIMIT_LINES);
	assert_true(log_limit_take(&limit, 100, &kind));
	assert_int_equal(kind.left_out, 1000 - admitted);
	/* Those before are long over: there is room. */
	assert_true(admits(&limit, 1001, "x", 100));
	assert_int_equal(limit.kinds[LOG_LIMIT_KINDS].written, 0);
}

static void samples_are_cut(void **state)
{
	struct log_limit limit = { .kinds = { { .kind = 0 } } };
	struct log_kind kind;
	char line[2 * LOG_LIMIT_SAMPLE_BYTES];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i <= LOG_LIMIT_LINES; i++)
		(void)admits(&limit, 7, line, 0);
	assert_true(log_limit_take(&limit, INT64_MAX, &kind));
	assert_int_equal(strlen(kind.sample), LOG_LIMIT_SAMPLE_BYTES - 1);
}

static uint64_t kind_of(const char *format, const char *line)
{
	return log_limit_kind(format, bytes_of(line));
}

static void a_kind_is_a_format_or_a_text(void **state)
{
	(void)state;
	assert_int_equal(kind_of("%d: x", "1: x"), kind_of("%d: x", "2: x"));
	assert_int_not_equal(kind_of("%d: x", "1: x"), kind_of("%d: y", "1: y"));
	assert_int_not_equal(kind_of("%s", "a: gone"), kind_of("%s", "b: gone"));
	assert_int_equal(kind_of("%s", "a: 12 bytes"), kind_of("%s", "a: 9 bytes"));
	assert_int_not_equal(kind_of("%s", ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_in_so_long),
		cmocka_unit_test(a_slow_drip_is_written),
		cmocka_unit_test(nothing_is_forgotten),
		cmocka_unit_test(many_kinds_share_the_last_place),
		cmocka_unit_test(samples_are_cut),
		cmocka_unit_test(a_kind_is_a_format_or_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
