/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/explain.h"

#include "ask_table.h"

static const struct answer_texts texts = { .unknown_code = "550",
					   .unknown_enhanced = "5.1.1",
					   .unknown_text = "No such user" };

static const char *const rows[] = {
	"a.test alias",
	"ann@a.test x@far.test,Y@far.test",
	"no@a.test reply:550",
	"drop@a.test discard:",
	"loop@a.test loop2@a.test",
	"loop2@a.test loop@a.test",
	"self@box.test self@box.test",
	"box.test mailbox",
	NULL,
};

static struct asked asked;
static struct explain explain;

static int begin(void **state)
{
	(void)state;
	asked_make(&asked, rows);
	return 0;
}

static int end(void **state)
{
	(void)state;
	asked_free(&asked);
	return 0;
}

/* What is said of ADDRESS; has_refused and has_deferred show what the exit status will be. */
static void says_at(bool is_json, bool is_verbose, const char *address, const char *expected,
		    int line)
{
	struct buffer out;

	buffer_init(&out, 1 << 16);
	explain_init(&explain, asked.table, &asked.limits, &texts, is_json, is_verbose);
	explain_address(&explain, bytes_of(address), &out);
	explain_free(&explain);
	if (!bytes_equal(buffer_bytes(&out), bytes_of(expected))) {
		print_error("%s\n  is      " BYTES_FORMAT "\n  and not %s\n", address,
			    BYTES_ARGS(buffer_bytes(&out)), expected);
		_fail(__FILE__, line);
	}
	buffer_free(&out);
}

#define says(address, expected)         says_at(false, false, address, expected, __LINE__)
#define says_verbose(address, expected) says_at(false, true, address, expected, __LINE__)
#define says_json(address, expected)    says_at(true, false, address, expected, __LINE__)

static void a_line_an_address(void **state)
{
	(void)state;
	says("ann@a.test", "ann@a.test\texpand\tx@far.test, Y@far.test\n");
	says("<Ann@A.test>", "<Ann@A.test>\texpand\tx@far.test, Y@far.test\n");
	says("someone@far.test", "someone@far.test\tforeign\tsomeone@far.test\n");
	says("self@box.test", "self@box.test\tdeliver\tself@box.test\n");
	says("drop@a.test", "drop@a.test\tdiscard\t\n");
	says("someone", "someone\tforeign\tsomeone@origin.test\n");
}

static void what_the_client_hears_makes_the_status(void **state)
{
	(void)state;
	says("ann@a.test", "ann@a.test\texpand\tx@far.test, Y@far.test\n");
	assert_false(explain.has_refused || explain.has_deferred);
	says("nobody@a.test",
	     "nobody@a.test\tunknown\t550 5.1.1 <nobody@a.test>: Recipient address "
	     "rejected: No such user\n");
	assert_true(explain.has_refused && !explain.has_deferred);
	says("no@a.test", "no@a.test\trefused\t550 5.2.1 <no@a.test>: Recipient address rejected: "
			  "Closed\n");
	assert_true(explain.has_refused && !explain.has_deferred);
	says("loop@a.test", "loop@a.test\tdefer\t451 4.6.0 <loop@a.test>: Alias expansion error\n");
	assert_true(!explain.has_refused && explain.has_deferred);
}

static void each_key_is_told_with_v(void **state)
{
	(void)state;
	says_verbose("ann@a.test", "ann@a.test\texpand\tx@far.test, Y@far.test\n"
				   "\tann@a.test\tvirtual:1\tx@far.test, Y@far.test\n");
}

/* What came in must stay one field of one line. */
static void no_address_breaks_its_line(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	explain_init(&explain, asked.table, &asked.limits, &texts, false, true);
	explain_address(&explain, bytes_of("\"a\tb\nc\"@far.test"), &out);
	explain_address(&explain, bytes_make("a\0b@far.test", 12), &out);
	explain_free(&explain);
	for (size_t i = 0; i < out.size; i++)
		assert_true((unsigned char)out.data[i] >= ' ' || out.data[i] == '\t' ||
			    out.data[i] == '\n');
	assert_int_equal(bytes_index(buffer_bytes(&out), '\0'), out.size);
	assert_null(strstr(out.data, "\nc\""));
	buffer_free(&out);
}

static void json_is_an_object_an_address(void **state)
{
	(void)state;
	says_json(
		"ann@a.test",
		"{\"address\":\"ann@a.test\",\"verdict\":\"expand\","
		"\"recipients\":[\"x@far.test\",\"Y@far.test\"],\"reply\":null,\"reason\":null}\n");
	says_json("drop@a.test", "{\"address\":\"drop@a.test\",\"verdict\":\"discard\","
				 "\"recipients\":[],\"reply\":null,\"reason\":null}\n");
	says_json("no@a.test", "{\"address\":\"no@a.test\",\"verdict\":\"refused\","
			       "\"recipients\":[],\"reply\":\"550 5.2.1 <no@a.test>: Recipient "
			       "address rejected: Closed\",\"reason\":null}\n");
}

static void one_after_the_other_leaves_no_trace(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	explain_init(&explain, asked.table, &asked.limits, &texts, true, true);
	explain_address(&explain, bytes_of("ann@a.test"), &out);
	buffer_clear(&out);
	explain_address(&explain, bytes_of("drop@a.test"), &out);
	assert_null(strstr(out.data, "ann"));
	assert_non_null(strstr(out.data, "\"steps\":[{\"key\":\"drop@a.test\",\"found\":true,"
					 "\"source\":\"virtual:"));
	explain_free(&explain);
	buffer_free(&out);
}

static void a_full_buffer_is_told(void **state)
{
	(void)state;
	for (int form = 0; form < 4; form++)
		for (size_t limit = 0; limit < 30; limit++) {
			struct buffer out;

			buffer_init(&out, limit);
			explain_init(&explain, asked.table, &asked.limits, &texts, form % 2 != 0,
				     form / 2 != 0);
			explain_address(&explain, bytes_of("ann@a.test"), &out);
			assert_true(out.has_failed);
			explain_free(&explain);
			buffer_free(&out);
		}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_an_address),
		TEST(what_the_client_hears_makes_the_status),
		TEST(each_key_is_told_with_v),
		TEST(no_address_breaks_its_line),
		TEST(json_is_an_object_an_address),
		TEST(one_after_the_other_leaves_no_trace),
		TEST(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
