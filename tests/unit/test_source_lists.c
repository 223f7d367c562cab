/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain lists of domains and of known mailboxes. */
#include "read_source.h"

#include <sysexits.h>

static void domains_are_one_a_line(void **state)
{
	(void)state;
	source_gives("domains", NULL,
		     "# ours\nexample.com\n\n  example.net  \r\nexample.org OK\nb\xc3\xbc.test",
		     "2 domain [example.com]\n4 domain [example.net]\n5 domain [example.org]\n"
		     "6 domain [b\xc3\xbc.test]\n");
	assert_int_equal(source_status, 0);
}

static void recipients_are_one_a_line(void **state)
{
	(void)state;
	source_gives("recipients", NULL,
		     "ann@example.com\nbob@example.com x\n\"q x\"@example.com\ncarl\n",
		     "1 recipient [ann@example.com]\n2 recipient [bob@example.com]\n"
		     "3 recipient [\"q x\"@example.com]\n4 recipient [carl]\n");
}

static void wrong_lines_are_errors(void **state)
{
	(void)state;
	source_gives("domains", NULL, "a.test b.test c.test\nann@a.test\nd.test\n",
		     "3 domain [d.test]\n/f:1: expected: one item a line\n"
		     "/f:2: expected: a domain, not an address\n");
	assert_int_equal(source_status, EX_DATAERR);
	source_gives("recipients", NULL, "ann@a.test bob@b.test\n\"ann@a.test\nj\xff@a.test\n",
		     "/f:1: a list has no targets; should the type be \"virtual\"?\n"
		     "/f:2: a quote does not end\n"
		     "/f:3: not valid UTF-8, or has characters no address has\n");
}

static void an_absent_list_fails(void **state)
{
	char *got = source_read("domains", NULL);

	(void)state;
	assert_string_equal(got, "failed\n/f: No such file or directory\n");
	assert_int_equal(source_status, EX_NOINPUT);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(domains_are_one_a_line),
		SOURCE_TEST(recipients_are_one_a_line),
		SOURCE_TEST(wrong_lines_are_errors),
		SOURCE_TEST(an_absent_list_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
