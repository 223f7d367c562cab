/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/explain.h"

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
	"all@a.test ann@a.test,two@a.test,o@box.test",
	"two@a.test self@box.test,no@a.test,ann@a.test,gone@a.test",
	"o@box.test o@box.test",
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
static void says_at(struct explain_form form, const char *address, const char *expected, int line)
{
	struct buffer out;

	buffer_init(&out, 1 << 16);
	explain_init(&explain, asked.table, &asked.limits, &texts, &form);
	explain_address(&explain, bytes_of(address), &out);
	explain_free(&explain);
	if (!bytes_equal(buffer_bytes(&out), bytes_of(expected))) {
		print_error("%s\n  is      " BYTES_FORMAT "\n  and not %s\n", address,
			    BYTES_ARGS(buffer_bytes(&out)), expected);
		_fail(__FILE__, line);
	}
	buffer_free(&out);
}

static const struct explain_form lines = { .is_json = false };
static const struct explain_form verbose = { .is_verbose = true };
static const struct explain_form coloured = { .is_verbose = true, .is_coloured = true };
static const struct explain_form json = { .is_json = true };
static const struct explain_form json_verbose = { .is_json = true, .is_verbose = true };
static const struct explain_form dot = { .is_dot = true };

#define says(address, expected)         says_at(lines, address, expected, __LINE__)
#define says_verbose(address, expected) says_at(verbose, address, expected, __LINE__)
#define says_json(address, expected)    says_at(json, address, expected, __LINE__)
#define says_dot(address, expected)     says_at(dot, address, expected, __LINE__)

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
				   "\tann@a.test  virtual:1\n"
				   "\t|-- x@far.test\n"
				   "\t`-- Y@far.test\n");
}

static void who_leads_to_whom_is_a_tree(void **state)
{
	(void)state;
	says_verbose("All@a.test",
		     "All@a.test\texpand\tx@far.test, Y@far.test, self@box.test, o@box.test\n"
		     "\tAll@a.test  virtual:7\n"
		     "\t|-- ann@a.test  virtual:1\n"
		     "\t|   |-- x@far.test\n"
		     "\t|   `-- Y@far.test\n"
		     "\t|-- two@a.test  virtual:8\n"
		     "\t|   |-- self@box.test  virtual:6\n"
		     "\t|   |   `-- self@box.test  itself\n"
		     "\t|   |-- no@a.test  virtual:2  error:5.2.1:550 Closed\n"
		     "\t|   |-- ann@a.test  see above\n"
		     "\t|   `-- gone@a.test  could only bounce: left out; not found: gone@a.test, "
		     "@a.test\n"
		     "\t`-- o@box.test  virtual:9\n"
		     "\t    `-- o@box.test  itself\n");
	says_verbose("o+x@box.test", "o+x@box.test\tdeliver\to+x@box.test\n"
				     "\to+x@box.test  virtual:9  by o@box.test\n"
				     "\t`-- o+x@box.test  itself\n");
}

static void what_ends_at_once_is_a_line(void **state)
{
	(void)state;
	says_verbose("x@far.test", "x@far.test\tforeign\tx@far.test\n"
				   "\tx@far.test  not ours\n");
	says_verbose("drop@a.test", "drop@a.test\tdiscard\t\n"
				    "\tdrop@a.test  virtual:3  discard:\n");
	says_verbose("nobody@a.test",
		     "nobody@a.test\tunknown\t550 5.1.1 <nobody@a.test>: Recipient address "
		     "rejected: No such user\n"
		     "\tnobody@a.test  no such user; not found: nobody@a.test, @a.test\n");
}

static void a_deferral_shows_where_it_ended(void **state)
{
	(void)state;
	says_verbose("loop@a.test",
		     "loop@a.test\tdefer\t451 4.6.0 <loop@a.test>: Alias expansion error\n"
		     "\tloop@a.test  virtual:4\n"
		     "\t`-- loop2@a.test  virtual:5\n"
		     "\t    `-- loop@a.test  see above; deferred\n"
		     "\t(reason)\talias loop\n");
}

static void colours_go_round_the_words(void **state)
{
	(void)state;
	says_at(coloured, "ann@a.test",
		"ann@a.test\texpand\tx@far.test, Y@far.test\n"
		"\t\033[1mann@a.test\033[0m  \033[36mvirtual:1\033[0m\n"
		"\t|-- \033[32mx@far.test\033[0m\n"
		"\t`-- \033[32mY@far.test\033[0m\n",
		__LINE__);
}

static void a_digraph_has_nodes_and_edges(void **state)
{
	(void)state;
	says_dot("loop@a.test",
		 "\t\"loop@a.test\" [label=\"loop@a.test\\nvirtual:4\", style=bold];\n"
		 "\t\"loop2@a.test\" [label=\"loop2@a.test\\nvirtual:5\"];\n"
		 "\t\"loop@a.test\" -> \"loop2@a.test\";\n"
		 "\t\"loop2@a.test\" -> \"loop@a.test\";\n"
		 "\t\"loop@a.test (reason)\" [label=\"alias loop\", shape=note, color=red];\n"
		 "\t\"loop@a.test\" -> \"loop@a.test (reason)\" [style=dashed, color=red];\n");
	/* What ends a string, or is more than a character in a label, doesn't. */
	says_dot("\"a\\\"&lt;\"@far.test",
		 "\t\"\\\"a\\\\\\\"&lt;\\\"@far.test\" "
		 "[label=\"\\\"a\\\\\\\"&amp;lt;\\\"@far.test\\nnot ours\", style=bold];\n");
}

/* What came in must stay one field of one line. */
static void no_address_breaks_its_line(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	explain_init(&explain, asked.table, &asked.limits, &texts, &verbose);
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
	explain_init(&explain, asked.table, &asked.limits, &texts, &json_verbose);
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
	const struct explain_form *forms[] = { &lines, &verbose, &json, &json_verbose, &dot };

	(void)state;
	for (int form = 0; form < 5; form++)
		for (size_t limit = 0; limit < 30; limit++) {
			struct buffer out;

			buffer_init(&out, limit);
			explain_init(&explain, asked.table, &asked.limits, &texts, forms[form]);
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
		TEST(who_leads_to_whom_is_a_tree),
		TEST(what_ends_at_once_is_a_line),
		TEST(a_deferral_shows_where_it_ended),
		TEST(colours_go_round_the_words),
		TEST(a_digraph_has_nodes_and_edges),
		TEST(no_address_breaks_its_line),
		TEST(json_is_an_object_an_address),
		TEST(one_after_the_other_leaves_no_trace),
		TEST(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
