/* SPDX-License-Identifier: BSD-2-Clause */
/* aliases(5) as rows: names, lists, included files, and what is no address. */
#include "read_source.h"

#include <sysexits.h>

static struct settings *settings;

static void gives(const char *text, const char *expected)
{
	source_gives("aliases", settings, text, expected);
}

/* Put TEXT into NAME in the folder, and return its path. */
static const char *put_file(const char *name, const char *text)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", source_folder, name);
	source_put(path, text, strlen(text));
	return path;
}

/* An alias `list` that includes NAME of the folder, read. */
static void include_gives(const char *name, const char *expected)
{
	char text[2 * PATH_MAX];

	(void)snprintf(text, sizeof(text), "list: a@b.test, :include:%s/%s\n", source_folder, name);
	gives(text, expected);
}

static int begin(void **state)
{
	settings = settings_new();
	return settings == NULL ? -1 : source_begin(state);
}

static int end(void **state)
{
	settings_free(settings);
	return source_end(state);
}

static void skip_foreign(void)
{
	settings->foreign_targets = SETTINGS_FOREIGN_SKIP;
}

static void rows_are_name_and_list(void **state)
{
	(void)state;
	gives("root: ann, bob@example.net\n# c\nstaff:ann,\n  bob ,, carl\n",
	      "1 user [root] [ann, bob@example.net]\n3 user [staff] [ann, bob, carl]\n");
	gives("john.smith : js@example.net", "1 user [john.smith] [js@example.net]\n");
	gives("a: b c@d.test\n", "1 user [a] [b c@d.test]\n");
}

static void names_are_unquoted(void **state)
{
	(void)state;
	gives("\"a b\": c\n\"d:e\": f\n\"g\": \"h, i\"@j.test\n",
	      "1 user [a b] [c]\n2 user [d:e] [f]\n3 user [g] [\"h, i\"@j.test]\n");
}

static void comments_are_left_out(void **state)
{
	(void)state;
	gives("a (the, first): b (x, (y), \\) z), c\n", "1 user [a] [b, c]\n");
	gives("a: \"b (c)\"@d.test\n", "1 user [a] [\"b (c)\"@d.test]\n");
}

static void verdicts_pass_through(void **state)
{
	(void)state;
	gives("a: error:5.2.1:550 Mailbox disabled, for ever\nb: discard: x\n",
	      "1 user [a] [error:5.2.1:550 Mailbox disabled, for ever]\n"
	      "2 user [b] [discard: x]\n");
}

static void wrong_lines_are_errors(void **state)
{
	(void)state;
	gives("a\nb:\nc: d\n: e\n",
	      "3 user [c] [d]\n/f:1: expected: name: value\n/f:2: expected: name: value\n"
	      "/f:4: expected: name: value\n");
	assert_int_equal(source_status, EX_DATAERR);
	gives("a@b.test: c\n@b.test: c\n", "/f:1: a@b.test: a name of aliases has no domain\n"
					   "/f:2: @b.test: a name of aliases has no domain\n");
	gives("a: \"b\nc: d (e\n\"f: g\n", "/f:1: a quote or a comment does not end\n"
					   "/f:2: a quote or a comment does not end\n"
					   "/f:3: expected: name: value\n");
}

static void commands_and_files_are_errors(void **state)
{
	(void)state;
	gives("a: |\"/bin/cmd -x, y\", b\nc: \"|/bin/cmd z\"\nd: /var/mail/d\ne: \"/var/a b\"\n",
	      "1 user [a] [b]\n"
	      "/f:1: |\"/bin/cmd -x, y\": a command, not an address\n"
	      "/f:2: \"|/bin/cmd z\": a command, not an address\n"
	      "/f:3: /var/mail/d: a file, not an address\n"
	      "/f:4: \"/var/a b\": a file, not an address\n");
	assert_int_equal(source_status, EX_DATAERR);
}

#define LEFT "; the entry is left to the MTA's own aliases [left-to-mta]\n"
#define PAST "a mailbox past all aliases, which only local(8) reaches (see foreign_targets)" LEFT

static void commands_and_files_can_be_skipped(void **state)
{
	(void)state;
	skip_foreign();
	gives("a: |/bin/cmd, b\nc: /dev/null\nd: e\n",
	      "3 user [d] [e]\n"
	      "/f:1: warning: |/bin/cmd: a command, not an address" LEFT
	      "/f:2: warning: /dev/null: a file, not an address" LEFT);
	assert_int_equal(source_status, 0);
}

/* Of what is expanded and goes to local(8) all the same, local(8) would expand the rest again. */
static void mailboxes_past_aliases_are_left_to_the_mta(void **state)
{
	char domain[] = "l.test";
	char *domains[] = { domain };

	(void)state;
	gives("a: \\a, b\nc: d, C\n",
	      "1 user [a] [b]\n2 user [c] [d]\n"
	      "/f:1: \\a: a mailbox past all aliases, which only local(8) reaches (see "
	      "foreign_targets)\n"
	      "/f:2: C: a mailbox past all aliases, which only local(8) reaches (see "
	      "foreign_targets)\n");
	assert_int_equal(source_status, EX_DATAERR);
	skip_foreign();
	settings->local_domains.items = domains;
	settings->local_domains.count = 1;
	gives("a: \\a, b\nc: d, C\ne: \\b\nf: F@L.test\ng: g@far.test, gg\n",
	      "5 user [g] [g@far.test, gg]\n"
	      "/f:1: warning: \\a: " PAST "/f:2: warning: C: " PAST "/f:3: warning: \\b: " PAST
	      "/f:4: warning: F@L.test: " PAST);
	settings->local_domains.count = 0;
	settings->local_domains.items = NULL;
}

static void an_include_that_fails_leaves_the_entry(void **state)
{
	(void)state;
	skip_foreign();
	include_gives("none", "/none: warning: No such file or directory [left-to-mta]\n"
			      "/f:1: warning: /none: the included file can't be read" LEFT);
	assert_int_equal(source_status, 0);
	(void)put_file("list", "x@d.test\n|/bin/cmd\n");
	include_gives("list", "/list:2: warning: |/bin/cmd: a command, not an address" LEFT);
}

static void included_files_are_read(void **state)
{
	(void)state;
	(void)put_file("list", "# members\nann@example.net, bob@example.net\n\n"
			       "carl@example.net (x)\r\n\"q x\"@example.net");
	include_gives("list", "1 user [list] [a@b.test, ann@example.net, bob@example.net, "
			      "carl@example.net, \"q x\"@example.net]\n");
}

static void included_files_may_include(void **state)
{
	char text[PATH_MAX + 64];

	(void)state;
	(void)put_file("inner", "c@d.test\n");
	(void)snprintf(text, sizeof(text), "x@d.test\n\":include:%s/inner\"\ny@d.test\n",
		       source_folder);
	(void)put_file("list", text);
	include_gives("list", "1 user [list] [a@b.test, x@d.test, c@d.test, y@d.test]\n");
}

static void included_files_that_include_themselves_are_errors(void **state)
{
	char text[PATH_MAX + 64];

	(void)state;
	(void)snprintf(text, sizeof(text), ":include:%s/list\n", source_folder);
	(void)put_file("list", text);
	include_gives("list", "1 user [list] [a@b.test]\n"
			      "/list:1: /list: files include each other too deeply\n");
}

static void what_is_no_address_in_an_included_file_has_its_place(void **state)
{
	(void)state;
	(void)put_file("list", "x@d.test\n|/bin/cmd\n\"open\n");
	include_gives("list", "1 user [list] [a@b.test, x@d.test]\n"
			      "/list:2: |/bin/cmd: a command, not an address\n"
			      "/list:3: a quote or a comment does not end\n");
}

static void included_files_must_be_readable_and_safe(void **state)
{
	const char *path;

	(void)state;
	include_gives("none", "1 user [list] [a@b.test]\n/none: No such file or directory\n"
			      "/f:1: /none: the included file can't be read\n");
	gives("a: :include:list\n", "/f:1: list: an included file needs an absolute path\n");
	path = put_file("list", "x@d.test\n");
	assert_int_equal(chmod(path, 0666), 0);
	include_gives("list", "1 user [list] [a@b.test]\n/list: others may write it (mode 0666)\n"
			      "/f:1: /list: the included file can't be read\n");
}

static void included_files_must_be_roots_or_of_the_same_owner(void **state)
{
	const char *path;

	(void)state;
	if (geteuid() != 0)
		skip();
	path = put_file("list", "x@d.test\n");
	assert_int_equal(chown(path, 12345, 0), 0);
	include_gives("list", "1 user [list] [a@b.test]\n/f:1: /list: belongs neither to root nor "
			      "to the owner of the aliases\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_are_name_and_list),
		TEST(names_are_unquoted),
		TEST(comments_are_left_out),
		TEST(verdicts_pass_through),
		TEST(wrong_lines_are_errors),
		TEST(commands_and_files_are_errors),
		TEST(commands_and_files_can_be_skipped),
		TEST(mailboxes_past_aliases_are_left_to_the_mta),
		TEST(an_include_that_fails_leaves_the_entry),
		TEST(included_files_are_read),
		TEST(included_files_may_include),
		TEST(included_files_that_include_themselves_are_errors),
		TEST(what_is_no_address_in_an_included_file_has_its_place),
		TEST(included_files_must_be_readable_and_safe),
		TEST(included_files_must_be_roots_or_of_the_same_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
