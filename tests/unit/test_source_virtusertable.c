/* SPDX-License-Identifier: BSD-2-Clause */
/* Sendmail's virtusertable as entries and patterns. */
#include "read_source.h"

#include <sysexits.h>

static struct settings *settings;

static int begin(void **state)
{
	settings = settings_new();
	if (settings == NULL)
		return -1;
	settings->propagate_extension = false;
	return source_begin(state);
}

static int end(void **state)
{
	settings_free(settings);
	return source_end(state);
}

static void gives(const char *text, const char *expected)
{
	source_gives("virtusertable", settings, text, expected);
}

static void keys_of_our_kind_are_entries(void **state)
{
	(void)state;
	gives("# c\nann@a.test\tbob\nann+x@a.test carl@b.test\n@a.test all@b.test\n",
	      "2 [ann@a.test] [bob]\n3 [ann+x@a.test] [carl@b.test]\n4 [@a.test] [all@b.test]\n");
	gives("ann+@a.test b\n", "1 [ann+@a.test] [b]\n");
}

static void parameters_that_are_known_are_put_in(void **state)
{
	(void)state;
	gives("ann@a.test %1-x@b.test\nann+d@a.test %1%2%3@b.test\nb@a.test %%1@b.test\n",
	      "1 [ann@a.test] [ann-x@b.test]\n2 [ann+d@a.test] [ann+d@b.test]\n"
	      "3 [b@a.test] [%1@b.test]\n");
}

static void user_of_a_domain_is_kept(void **state)
{
	(void)state;
	gives("@a.test %1@b.test\n@c.test %1%3@d.test\n",
	      "1 [@a.test] [@b.test]\n2 [@c.test] [@d.test]\n");
}

static void replies_pass_through(void **state)
{
	(void)state;
	gives("ann@a.test error:nouser 550 5.1.1 No, sir\n@b.test error:5.7.0:550 no\n"
	      "carl@a.test discard:\n+*@c.test error:tempfail 450 wait, $1\n"
	      "dora@a.test error:nouser %1 left\n",
	      "1 [ann@a.test] [error:nouser 550 5.1.1 No, sir]\n"
	      "2 [@b.test] [error:5.7.0:550 no]\n3 [carl@a.test] [discard:]\n"
	      "5 [dora@a.test] [error:nouser dora left]\n"
	      "4 rule isE [^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]*)@c\\.test$] "
	      "[error:tempfail 450 wait, $$1]\n");
}

static void forms_with_any_detail_are_patterns_in_sendmails_order(void **state)
{
	(void)state;
	gives("+*@a.test x%3@b.test\n++@a.test %1.%2@b.test\nu+*@a.test %1-%2@b.test\n"
	      "u++@a.test $%3@b.test\n",
	      "4 rule isE [^u\\+([^@\"]+)@a\\.test$] [$$+${1}@b.test]\n"
	      "3 rule isE [^u\\+([^@\"]*)@a\\.test$] [u-${1}@b.test]\n"
	      "2 rule isE [^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]+)@a\\.test$] "
	      "[${1}.${2}@b.test]\n"
	      "1 rule isE [^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]*)@a\\.test$] [x+${2}@b.test]\n");
}

static void user_goes_before_the_patterns_of_its_domain(void **state)
{
	(void)state;
	gives("u@A.test one@b.test\nv@other.test two@b.test\n+*@a.test three@b.test\n",
	      "1 [u@A.test] [one@b.test]\n2 [v@other.test] [two@b.test]\n"
	      "1 rule isE [^u\\+([^@\"]*)@A\\.test$] [one@b.test]\n"
	      "3 rule isE [^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]*)@a\\.test$] [three@b.test]\n");
}

static void user_with_the_detail_in_its_target_is_both(void **state)
{
	(void)state;
	gives("a.b@a.test x%3@b.test\n",
	      "1 [a.b@a.test] [x@b.test]\n"
	      "1 rule isE [^a\\.b\\+([^@\"]*)@a\\.test$] [x+${1}@b.test]\n");
}

static void domain_with_another_target_is_two_patterns(void **state)
{
	(void)state;
	gives("u@a.test x@b.test\n@a.test %1-%2@b.test\n",
	      "1 [u@a.test] [x@b.test]\n"
	      "1 rule isE [^u\\+([^@\"]*)@a\\.test$] [x@b.test]\n"
	      "2 rule isE [^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]*)@a\\.test$] [${1}-${2}@b.test]\n"
	      "2 rule isE [^(\\+[^+@\"]*|[^+@\"]+)@a\\.test$] [${1}-@b.test]\n");
}

static void wrong_lines_are_errors(void **state)
{
	(void)state;
	gives("u@a.test\n u@a.test x\nu x\nu@ x\n+x@a.test y\nu@a.test a, b\nu@a.test a b\n"
	      "u@a.test %0\nu@a.test %4\n++@a.test error:nouser %1\nj\xff@a.test x\n",
	      "/f:1: expected: key whitespace value\n"
	      "/f:2: begins with white space\n"
	      "/f:3: expected as key: user@domain or @domain\n"
	      "/f:4: expected as key: user@domain or @domain\n"
	      "/f:5: the key has no user before its \"+\"\n"
	      "/f:6: there must be one target only\n"
	      "/f:7: there must be one target only\n"
	      "/f:8: only %1, %2 and %3 stand for something\n"
	      "/f:9: only %1, %2 and %3 stand for something\n"
	      "/f:10: a reply can't have parts of the address here\n"
	      "/f:11: the key is not valid UTF-8, or has characters no address has\n");
	assert_int_equal(source_status, EX_DATAERR);
}

static void values_of_the_detail_alone_are_errors_where_there_may_be_none(void **state)
{
	(void)state;
	gives("u@a.test %3\n@a.test %2\nu+d@a.test %2%3\n++@a.test %2\n",
	      "4 rule isE [^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]+)@a\\.test$] [${2}]\n"
	      "/f:1: nothing is left of the value without a +detail\n"
	      "/f:2: nothing is left of the value without a +detail\n"
	      "/f:3: nothing is left of the value without a +detail\n");
}

static void values_that_grow_without_limit_are_errors(void **state)
{
	char text[2 * 300 + 20000];
	size_t size;

	(void)state;
	size = (size_t)snprintf(text, sizeof(text), "%0300d@a.test ", 0);
	for (int i = 0; i < 5000; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%%1");
	gives(text, "/f:1: the value becomes too long\n");
}

static void differences_of_the_settings_are_warned_of(void **state)
{
	(void)state;
	settings->propagate_extension = true;
	gives("u@a.test x\n",
	      "1 [u@a.test] [x]\n/f: warning: propagate_extension adds +detail to targets; "
	      "Sendmail does so only by %2 and %3 [extension]\n");
	gives("@a.test x\n", "1 [@a.test] [x]\n");
	settings->recipient_delimiter[0] = '-';
	gives("u@a.test x\n", "1 [u@a.test] [x]\n/f: warning: recipient_delimiter has no \"+\": "
			      "user+detail finds no user [extension]\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_of_our_kind_are_entries),
		TEST(parameters_that_are_known_are_put_in),
		TEST(user_of_a_domain_is_kept),
		TEST(replies_pass_through),
		TEST(forms_with_any_detail_are_patterns_in_sendmails_order),
		TEST(user_goes_before_the_patterns_of_its_domain),
		TEST(user_with_the_detail_in_its_target_is_both),
		TEST(domain_with_another_target_is_two_patterns),
		TEST(wrong_lines_are_errors),
		TEST(values_of_the_detail_alone_are_errors_where_there_may_be_none),
		TEST(values_that_grow_without_limit_are_errors),
		TEST(differences_of_the_settings_are_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
