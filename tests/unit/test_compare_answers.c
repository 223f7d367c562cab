/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/compare_answers.h"

#include "ask_table.h"

static struct asked tables[2];
static struct compare_answers compare;
static struct settings *settings;

static void begin(const char *const *old, const char *const *new)
{
	settings = settings_new();
	assert_non_null(settings);
	asked_make(&tables[0], old);
	asked_make(&tables[1], new);
	compare_answers_init(&compare, tables[0].table, tables[1].table, settings);
}

static void end(void)
{
	compare_answers_free(&compare);
	asked_free(&tables[0]);
	asked_free(&tables[1]);
	settings_free(settings);
}

/* Do they answer alike for LOCAL at DOMAIN? And what: OLD and NEW. */
static void answers_at(const char *local, const char *domain, bool is_equal, const char *old,
		       const char *new, int line)
{
	const char *const expected[] = { old, new };
	bool was_equal = compare_answers_equal(&compare, bytes_of(local), bytes_of(domain));

	if (was_equal != is_equal) {
		print_error("%s@%s: %d\n", local, domain, was_equal);
		_fail(__FILE__, line);
	}
	for (int i = 0; i < 2; i++) {
		struct buffer text;

		buffer_init(&text, 10000);
		/* Gone when the answer is put there. */
		buffer_append_text(&text, "what was there before");
		compare_answers_print(&compare, i, &text);
		if (!bytes_equal(buffer_bytes(&text), bytes_of(expected[i]))) {
			print_error("%s@%s: side %d: " BYTES_FORMAT "\n", local, domain, i,
				    BYTES_ARGS(buffer_bytes(&text)));
			_fail(__FILE__, line);
		}
		buffer_free(&text);
	}
}

#define same(local, domain, answer)     answers_at(local, domain, true, answer, answer, __LINE__)
#define differ(local, domain, old, new) answers_at(local, domain, false, old, new, __LINE__)

static void what_counts_is_the_answer(void **state)
{
	/* The same answer by another way. */
	static const char *const old[] = { "a@a.test b@a.test", "b@a.test x@far.test",
					   "order@a.test x@far.test,y@far.test",
					   "same@a.test x@far.test", NULL };
	static const char *const new[] = { "a@a.test x@far.test", "b@a.test y@far.test",
					   "order@a.test y@far.test,x@far.test",
					   "same@a.test x@far.test", NULL };

	(void)state;
	begin(old, new);
	same("a", "a.test", "x@far.test");
	same("same", "a.test", "x@far.test");
	differ("b", "a.test", "x@far.test", "y@far.test");
	differ("order", "a.test", "x@far.test, y@far.test", "y@far.test, x@far.test");
	end();
}

static void one_more_or_less_counts(void **state)
{
	static const char *const old[] = { "a@a.test x@far.test", "c@a.test x@far.test,y@far.test",
					   "case@a.test X@far.test", "d@a.test x@far.test", NULL };
	static const char *const new[] = { "a@a.test x@far.test,y@far.test", "c@a.test x@far.test",
					   "case@a.test x@far.test", "d@a.test x@near.test", NULL };

	(void)state;
	begin(old, new);
	differ("a", "a.test", "x@far.test", "x@far.test, y@far.test");
	differ("c", "a.test", "x@far.test, y@far.test", "x@far.test");
	differ("d", "a.test", "x@far.test", "x@near.test");
	differ("case", "a.test", "X@far.test", "x@far.test");
	end();
}

static void verdicts_count(void **state)
{
	static const char *const old[] = { "a.test alias", "gone@a.test x@far.test",
					   "no@a.test reply:550", "drop@a.test discard:", NULL };
	static const char *const new[] = { "a.test alias",
					   "no@a.test discard:", "drop@a.test discard:", NULL };

	(void)state;
	begin(old, new);
	differ("gone", "a.test", "x@far.test", "unknown");
	differ("no", "a.test", "refused 550 5.2.1 Closed", "discard");
	same("drop", "a.test", "discard");
	same("nobody", "a.test", "unknown");
	same("nobody", "far.test", "foreign");
	end();
}

static void make_one(struct asked *made, const char *value)
{
	*made = (struct asked){ .arena_bytes = 0 };
	asked_begin(made);
	build_add(&made->build, "a@a.test", value);
	asked_end(made);
}

static void replies_count(void **state)
{
	static const char *const pairs[][2] = {
		{ "reply:550 5.2.1 No", "reply:550 5.2.1 Closed" },
		{ "reply:550 5.2.1 No", "reply:450 4.2.1 No" },
	};

	(void)state;
	settings = settings_new();
	assert_non_null(settings);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		make_one(&tables[0], pairs[i][0]);
		make_one(&tables[1], pairs[i][1]);
		compare_answers_init(&compare, tables[0].table, tables[1].table, settings);
		assert_false(compare_answers_equal(&compare, bytes_of("a"), bytes_of("a.test")));
		compare_answers_free(&compare);
		asked_free(&tables[0]);
		asked_free(&tables[1]);
	}
	settings_free(settings);
}

static void a_doubt_in_both_is_the_same(void **state)
{
	static const char *const old[] = { "a@a.test b@a.test", "b@a.test a@a.test",
					   "c@a.test x@far.test", NULL };
	static const char *const new[] = { "a@a.test b@a.test", "b@a.test a@a.test",
					   "c@a.test a@a.test", NULL };

	(void)state;
	begin(old, new);
	same("a", "a.test", "defer");
	differ("c", "a.test", "x@far.test", "defer");
	end();
}

static void a_catch_all_is_asked_for_nobody_in_particular(void **state)
{
	static const char *const old[] = { "@a.test x@far.test", "@b.test @far.test", NULL };
	static const char *const new[] = { "@a.test y@far.test", "@b.test @far.test", NULL };

	(void)state;
	begin(old, new);
	differ("", "a.test", "x@far.test", "y@far.test");
	same("", "b.test", "nobody-in-particular-5e1a7c@far.test");
	end();
}

static void a_bare_user_is_asked_for_at_origin(void **state)
{
	static const char *const old[] = { "user x@far.test", NULL };
	static const char *const new[] = { "user@origin.test x@far.test", NULL };

	(void)state;
	begin(old, new);
	same("user", "", "x@far.test");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts_is_the_answer),
		cmocka_unit_test(one_more_or_less_counts),
		cmocka_unit_test(verdicts_count),
		cmocka_unit_test(replies_count),
		cmocka_unit_test(a_doubt_in_both_is_the_same),
		cmocka_unit_test(a_catch_all_is_asked_for_nobody_in_particular),
		cmocka_unit_test(a_bare_user_is_asked_for_at_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
