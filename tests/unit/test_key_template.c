/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/key_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool double_quotes(void *context, struct bytes value, struct buffer *out, struct error *err)
{
	(void)context;
	(void)err;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '\'')
			(void)buffer_append_byte(out, '\'');
		(void)buffer_append_byte(out, value.data[i]);
	}
	return !out->has_failed;
}

/* NULL: no query. */
static void asks(const char *template, const char *key, const char *expected)
{
	struct buffer out;
	enum template_outcome outcome;
	struct error err;

	buffer_init(&out, 1000);
	outcome = key_template_query(bytes_of(template), bytes_of(key), double_quotes, NULL, &out,
				     &err);
	if (expected == NULL) {
		assert_int_equal(outcome, TEMPLATE_HAS_NO_VALUE);
	} else {
		assert_int_equal(outcome, TEMPLATE_FILLED);
		assert_true(bytes_equal(buffer_bytes(&out), bytes_of(expected)));
	}
	buffer_free(&out);
}

static void finds(const char *format, const char *value, const char *expected)
{
	struct buffer out;
	enum template_outcome outcome;

	buffer_init(&out, 1000);
	outcome = key_template_result(bytes_of(format), bytes_of("k@b.example"), bytes_of(value),
				      &out);
	if (expected == NULL) {
		assert_int_equal(outcome, TEMPLATE_HAS_NO_VALUE);
	} else {
		assert_int_equal(outcome, TEMPLATE_FILLED);
		assert_true(bytes_equal(buffer_bytes(&out), bytes_of(expected)));
	}
	buffer_free(&out);
}

static void queries_take_parts_of_the_key(void **state)
{
	(void)state;
	asks("x='%s'", "a@b.c", "x='a@b.c'");
	asks("%u|%d|%S|%U|%D|%1|%2", "a@b.c", "a|b.c|a@b.c|a|b.c|c|b");
	asks("%u|%d", "a@x@b", "a@x|b");
	asks("%u", "word", "word");
	asks("%d", "word", NULL);
	asks("%s", "@b.c", "@b.c");
	asks("%d", "@b.c", "b.c");
	asks("%u", "@b.c", NULL);
	asks("%3", "a@b.c", NULL);
	asks("%1", "a@b..c", "c");
	asks("%2", "a@b..c", NULL);
	asks("%1", "word", NULL);
	asks("100%%", "a@b", "100%");
	asks("'%s'", "o'neil@b", "'o''neil@b'");
}

static void formats_take_parts_of_the_value(void **state)
{
	(void)state;
	finds("%s", "v@w", "v@w");
	finds("%u+%2@%d", "v@w", "v+b@w");
	finds("[%S %U %D]", "v@w", "[k@b.example k b.example]");
	finds("%u", "v", "v");
	finds("%d", "v", NULL);
	finds("%u", "@w", NULL);
	finds("x", "v", "x");
}

static void other_directives_are_refused(void **state)
{
	static const char *const wrong[] = { "%x", "%", "a%0b", "%%%", "% s" };
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(key_template_check(bytes_of(wrong[i]), &err));
	assert_true(key_template_check(bytes_of("%s%u%d%S%U%D%1%9%% x"), &err));
	assert_true(key_template_check(bytes_of(""), &err));
	assert_true(key_template_has(bytes_of("a%%u%U"), 'U'));
	assert_false(key_template_has(bytes_of("a%%u"), 'u'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_take_parts_of_the_key),
		cmocka_unit_test(formats_take_parts_of_the_value),
		cmocka_unit_test(other_directives_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
