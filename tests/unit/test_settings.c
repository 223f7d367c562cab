/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration file may say, what it may not, and that it prints as it was read. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "settings/settings.h"

static char folder[] = "/tmp/test_settings.XXXXXX";
static char path[PATH_MAX];
static char reported[8192];
static int report_count;
static struct error err;

static void put(const char *name, const char *text)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(name, 0640), 0);
}

static void collect(const char *text, void *context)
{
	size_t size = strlen(reported);

	assert_ptr_equal(context, reported);
	report_count++;
	(void)snprintf(reported + size, sizeof(reported) - size, "%s\n", text);
}

static struct settings *load(void)
{
	reported[0] = '\0';
	report_count = 0;
	memset(&err, 0, sizeof(err));
	return settings_load(path, collect, reported, &err);
}

static struct settings *accepts(const char *text)
{
	struct settings *settings;

	put(path, text);
	settings = load();
	if (settings == NULL)
		fail_msg("refused: %s", reported);
	assert_int_equal(report_count, 0);
	return settings;
}

/* TEXT is refused, with `PATH:LINE: WORDS` among what is reported. */
static void refuses(const char *text, int line, const char *words)
{
	char expected[PATH_MAX + 512];

	put(path, text);
	assert_null(load());
	(void)snprintf(expected, sizeof(expected), "%s:%d: %s\n", path, line, words);
	if (strstr(reported, expected) == NULL)
		fail_msg("expected: %s\n   got: %s", expected, reported);
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(reported, err.text));
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_settings.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/openrcpt.conf", folder);
	return 0;
}

static int end(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void defaults_are_those_of_the_rows(void **state)
{
	struct settings *settings = settings_new();

	(void)state;
	assert_non_null(settings);
	assert_string_equal(settings->table, OPENRCPT_TABLE);
	assert_string_equal(settings->recipient_delimiter, "+");
	assert_true(settings->propagate_extension);
	assert_int_equal(settings->limits.expansion, 1000);
	assert_int_equal(settings->alias_domains.count, 0);
	assert_int_equal(settings->source_count, 1);
	assert_string_equal(settings->sources[0].type, "virtual");
	assert_string_equal(settings->sources[0].path, OPENRCPT_SOURCE);
	assert_null(settings->file);
	settings_free(settings);
	settings_free(NULL);
}

static void every_kind_of_setting_is_read(void **state)
{
	struct settings *settings = accepts("socket = \"inet:8894@127.0.0.1\";\n"
					    "load = \"mapped\";\n"
					    "propagate_extension = false;\n"
					    "alias_domains = [ \"example.com\", "
					    "\"b\xc3\xbc.test\" ];\n"
					    "mailbox_domains = ( \"example.net\" );\n"
					    "limits = { expansion = 7; recursion = 8L; };\n"
					    "unknown : { reply = \"450 4.1.1\" };\n"
					    "origin = \"Mail.Example.com\";\n");

	(void)state;
	assert_string_equal(settings->socket, "inet:8894@127.0.0.1");
	assert_int_equal(settings->load, SETTINGS_LOAD_MAPPED);
	assert_false(settings->propagate_extension);
	assert_int_equal(settings->alias_domains.count, 2);
	assert_string_equal(settings->alias_domains.items[1], "b\xc3\xbc.test");
	assert_int_equal(settings->mailbox_domains.count, 1);
	assert_int_equal(settings->limits.expansion, 7);
	assert_int_equal(settings->limits.recursion, 8);
	assert_int_equal(settings->limits.address_bytes, 1000);
	assert_string_equal(settings->unknown_reply, "450 4.1.1");
	assert_string_equal(settings_origin(settings), "Mail.Example.com");
	assert_string_equal(settings->file, path);
	settings_free(settings);
}

static void sources_replace_the_default(void **state)
{
	char expected[PATH_MAX + 16];
	struct settings *settings = accepts("sources = (\n"
					    "  { type = \"virtual\"; path = \"/etc/v\"; },\n"
					    "  { path = \"sub/a\"; type = \"aliases\"; }\n"
					    ");\n");

	(void)state;
	assert_int_equal(settings->source_count, 2);
	assert_string_equal(settings->sources[0].path, "/etc/v");
	assert_int_equal(settings->sources[0].line, 2);
	assert_string_equal(settings->sources[1].type, "aliases");
	(void)snprintf(expected, sizeof(expected), "%s/sub/a", folder);
	assert_string_equal(settings->sources[1].path, expected);
	settings_free(settings);
	settings = accepts("sources = ();");
	assert_int_equal(settings->source_count, 0);
	settings_free(settings);
}

static void a_database_has_members(void **state)
{
	static const char text[] =
		"sources = (\n"
		"  { type = \"proxy:pgsql\"; path = \"/etc/a.cf\"; },\n"
		"  { type = \"sqlite\"; name = \"main\";\n"
		"    alias_query = \"SELECT a, \" \"b\"; wait = 5L; quick = true; }\n"
		");\n";
	struct settings *settings = accepts(text);
	const struct settings_source *source = &settings->sources[1];

	(void)state;
	assert_int_equal(settings->source_count, 2);
	assert_string_equal(settings->sources[0].path, "/etc/a.cf");
	assert_int_equal(settings->sources[0].member_count, 0);
	assert_string_equal(source->path, "");
	assert_int_equal(source->member_count, 4);
	assert_string_equal(settings_source_get(source, "alias_query"), "SELECT a, b");
	assert_string_equal(settings_source_get(source, "wait"), "5");
	assert_string_equal(settings_source_get(source, "quick"), "true");
	assert_null(settings_source_get(source, "type"));
	assert_int_equal(source->members[1].line, 4);
	settings_free(settings);
}

static void members_of_a_database_are_checked(void **state)
{
	(void)state;
	refuses("sources = ( { type = \"sqlite\";\n password = \"x\"; } );\n", 2,
		"sources: no password may stand here, where everybody who reads the configuration "
		"sees it; put it into a file, and its path into password_file");
	refuses("sources = ( { type = \"ldap\"; x = [ 1 ]; } );\n", 1,
		"sources: x must be a text, a number, true or false");
	refuses("sources = ( { type = \"mysql\"; x = \"a\\nb\"; } );\n", 1,
		"sources: x has a control character; a long text may be several texts in quotes, "
		"one behind the other");
	refuses("sources = ( { type = \"postgresql\"; } );\n", 1,
		"sources: a database needs a path, of a table file of Postfix, or members that say "
		"what to ask");
	refuses("sources = ( { type = \"postgresql\"; path = \"\"; } );\n", 1,
		"sources: the path of a source must be a text");
}

static void unknown_settings_are_errors(void **state)
{
	(void)state;
	refuses("\ncolour = 1;\n", 2, "unknown setting \"colour\"");
	refuses("orign = \"a.test\";\n", 1, "unknown setting \"orign\"; did you mean \"origin\"?");
	refuses("limits = {\n expansoin = 1;\n};\n", 2,
		"unknown setting \"limits.expansoin\"; did you mean \"limits.expansion\"?");
	refuses("expansion = 1;\n", 1,
		"unknown setting \"expansion\"; did you mean \"limits.expansion\"?");
	refuses("source = ();\n", 1, "unknown setting \"source\"; did you mean \"sources\"?");
	refuses("sources = ( { type = \"virtual\"; path = \"/v\";\n mode = 1; } );\n", 2,
		"unknown setting \"mode\" in a source");
}

static void wrong_types_are_errors(void **state)
{
	(void)state;
	refuses("user = 1;", 1, "user: must be a text in quotes");
	refuses("merge_duplicates = \"yes\";", 1, "merge_duplicates: must be true or false");
	refuses("max_sessions = 1.5;", 1, "max_sessions: must be a whole number");
	refuses("max_sessions = \"5\";", 1, "max_sessions: must be a whole number");
	refuses("limits = 1;", 1, "limits: must be a group, as in limits = { ... }");
	refuses("alias_domains = \"a.test\";", 1,
		"alias_domains: must be a list of texts, as in [ \"a\", \"b\" ]");
	refuses("alias_domains = [ 1 ];", 1,
		"alias_domains: must be a list of texts, as in [ \"a\", \"b\" ]");
	refuses("sources = { };", 1, "sources: must be a list in round brackets");
	refuses("sources = ( 1 );", 1,
		"sources: each must be a group, as in { type = \"virtual\"; path = \"virtual\"; }");
	refuses("sources = ( { path = \"/v\"; } );", 1,
		"sources: a source has no type, or it is no name");
	refuses("sources = ( { type = \"Vir tual\"; path = \"/v\"; } );", 1,
		"sources: a source has no type, or it is no name");
	refuses("sources = ( { type = \"virtual\"; } );", 1, "sources: a source has no path");
}

static void values_out_of_range_are_errors(void **state)
{
	(void)state;
	refuses("limits = { address_bytes = 15; };", 1,
		"limits.address_bytes: 15 is not from 16 to 4000");
	refuses("max_sessions = 99999999999L;", 1,
		"max_sessions: 99999999999 is not from 1 to 60000");
	refuses("max_sessions = -1;", 1, "max_sessions: -1 is not from 1 to 60000");
	refuses("load = \"cop\";", 1, "load: \"cop\" is none of: copy mapped");
	refuses("load = \"copy mapped\";", 1, "load: \"copy mapped\" is none of: copy mapped");
	refuses("load = \"\";", 1, "load: \"\" is none of: copy mapped");
	refuses("user = \"root\";", 1, "user: \"root\" is who the daemon never runs as");
	refuses("user = \"a\\x07\";", 1, "user: has a control character");
	refuses("table = \"recipients.table\";", 1,
		"table: \"recipients.table\" is not an absolute path");
	refuses("recipient_delimiter = \"+@\";", 1,
		"recipient_delimiter: \"+@\" has a character that can't be a delimiter");
	refuses("syslog_ident = \"\";", 1, "syslog_ident: \"\" may not be empty");
}

static void sockets_are_checked(void **state)
{
	char text[512];

	(void)state;
	refuses("socket = \"unix:milter.sock\";", 1,
		"socket: \"unix:milter.sock\" is not an absolute path");
	(void)snprintf(text, sizeof(text), "socket = \"unix:/%0106d\";", 0);
	put(path, text);
	assert_null(load());
	(void)snprintf(text, sizeof(text), "socket = \"unix:/%0105d\";", 0);
	settings_free(accepts(text));
	refuses("socket = \"inet:8894\";", 1,
		"socket: \"inet:8894\" names no host, as in inet:8894@127.0.0.1");
	refuses("socket = \"inet:8894@\";", 1,
		"socket: \"inet:8894@\" names no host, as in inet:8894@127.0.0.1");
	refuses("socket = \"inet:0@127.0.0.1\";", 1,
		"socket: \"inet:0@127.0.0.1\" has no port from 1 to 65535");
	refuses("socket = \"inet:65536@127.0.0.1\";", 1,
		"socket: \"inet:65536@127.0.0.1\" has no port from 1 to 65535");
	refuses("socket = \"inet:x@127.0.0.1\";", 1,
		"socket: \"inet:x@127.0.0.1\" has no port from 1 to 65535");
	refuses("socket = \"inet:8894@192.0.2.1\";", 1,
		"socket: \"inet:8894@192.0.2.1\" is not a loopback address, and "
		"allow_remote_mta is false");
	refuses("socket = \"inet6:8894@::\";", 1,
		"socket: \"inet6:8894@::\" is not a loopback address, and "
		"allow_remote_mta is false");
	refuses("socket = \"8894\";", 1,
		"socket: \"8894\" is none of unix:PATH, inet:PORT@HOST, inet6:PORT@HOST");
	refuses("socket = \"fd:2\";", 1,
		"socket: \"fd:2\" has neither a descriptor from 3 on nor a name");
	settings_free(accepts("socket = \"fd:milter\"; metrics = \"fd:4\";"));
	settings_free(accepts("allow_remote_mta = true; socket = \"inet:8894@192.0.2.1\";"));
	settings_free(accepts("socket = \"inet6:8894@::1\";"));
	settings_free(accepts("socket = \"inet:8894@localhost\";"));
}

static void domains_are_checked(void **state)
{
	(void)state;
	refuses("local_domains = [ \"a.test\", \"b test\" ];", 1,
		"local_domains: \"b test\" is not a domain");
	refuses("alias_domains = [ \"\" ];", 1, "alias_domains: \"\" is not a domain");
	refuses("alias_domains = [ \"a..test\" ];", 1,
		"alias_domains: \"a..test\" is not a domain");
	refuses("origin = \"user@a.test\";", 1, "origin: \"user@a.test\" is not a domain");
	settings_free(accepts("origin = \"\"; append_dot_domain = \"a.test\";"));
}

static void replies_are_checked(void **state)
{
	static const char *const bad[] = { "250 2.1.1", "550 4.1.1",   "550",       "5.1.1",
					   "",          "550 5.1.1 x", "550  5.1.1" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "unknown = { reply = \"%s\"; };", bad[i]);
		put(path, text);
		if (load() != NULL)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(reported, "unknown.reply: "));
	}
	refuses("unknown = { text = \"\"; };", 1, "unknown.text: \"\" may not be empty");
	settings_free(accepts("unknown = { reply = \"450 4.1.1\"; text = \"100% unknown\"; };"));
}

static void all_errors_are_reported(void **state)
{
	(void)state;
	refuses("a = 1;\nuser = 2;\nlimits = { b = 1; };\n", 1, "unknown setting \"a\"");
	assert_int_equal(report_count, 3);
	assert_non_null(strstr(err.text, ":3: "));
	refuses("user = \"root\";\nload = \"x\";\n", 2, "load: \"x\" is none of: copy mapped");
	assert_int_equal(report_count, 2);
}

static void syntax_errors_have_a_line(void **state)
{
	(void)state;
	refuses("user = \"a\";\ntable = ;\n", 2, "syntax error");
	refuses("user = \"a\";\nuser = \"b\";\n", 2, "duplicate setting name");
}

static void files_others_may_write_are_refused(void **state)
{
	(void)state;
	put(path, "user = \"a\";");
	assert_int_equal(chmod(path, 0660), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(err.text, "(mode 0660)"));
	assert_int_equal(chmod(path, 0602), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_int_equal(unlink(path), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOINPUT);
	assert_int_equal(report_count, 1);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
}

/* Whoever can replace the configuration need not be able to write it. */
static void files_others_may_replace_are_refused(void **state)
{
	char other[PATH_MAX + 16], more[PATH_MAX + 32];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/more", folder);
	(void)snprintf(more, sizeof(more), "%s/more.conf", other);
	assert_int_equal(mkdir(other, 0700), 0);
	put(more, "user = \"a\";\n");
	settings_free(accepts("@include \"more/more.conf\"\n"));
	assert_int_equal(chmod(other, 0777), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(err.text, "more.conf: others may write its directory (mode 0777)"));
	assert_int_equal(chmod(other, 0700), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(err.text, ": others may write its directory (mode 0777)"));
	assert_int_equal(report_count, 1);
}

static void files_of_other_users_are_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put(path, "user = \"a\";");
	assert_int_equal(chown(path, 12345, 0), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(err.text, "belongs to user 12345"));
}

static void includes_are_relative_to_the_file_and_checked(void **state)
{
	char other[PATH_MAX + 16];
	struct settings *settings;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/more.conf", folder);
	put(other, "user = \"included\";\n");
	settings = accepts("@include \"more.conf\"\nmax_sessions = 5;\n");
	assert_string_equal(settings->user, "included");
	assert_int_equal(settings->max_sessions, 5);
	settings_free(settings);
	put(other, "\nuzer = \"included\";\n");
	assert_null(load());
	assert_non_null(strstr(reported, "more.conf:2: unknown setting \"uzer\""));
	put(other, "user = \"included\";\n");
	assert_int_equal(chmod(other, 0666), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(err.text, "more.conf"));
	assert_int_equal(report_count, 1);
}

static char *printed(const struct settings *settings, enum settings_print which)
{
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_true(settings_print(settings, which, stream));
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void print_reads_back_the_same(void **state)
{
	static const char given[] =
		"unknown = { text = \"no \\\"such\\\" user \\\\ here\"; };\n"
		"alias_domains = [ \"a.test\", \"b.test\" ];\n"
		"limits = { recursion = 3; };\n"
		"merge_duplicates = false;\n"
		"load = \"mapped\";\n"
		"sources = ( { type = \"virtual\"; path = \"v\"; },\n"
		"            { type = \"aliases\"; path = \"/a\"; },\n"
		"            { type = \"sqlite\"; q = \"a \\\"b\\\"\"; n = 3; } );\n";
	struct settings *settings = accepts(given);
	struct settings *again;
	char *text[2], *more;

	(void)state;
	text[0] = printed(settings, SETTINGS_EFFECTIVE);
	text[1] = printed(settings, SETTINGS_CHANGED);
	assert_null(strstr(text[1], "max_sessions"));
	assert_non_null(strstr(text[1], "limits = {\n    recursion = 3;\n};\n"));
	for (int i = 0; i < 2; i++) {
		again = accepts(text[i]);
		more = printed(again, i == 0 ? SETTINGS_EFFECTIVE : SETTINGS_CHANGED);
		assert_string_equal(text[i], more);
		free(more);
		more = printed(again, SETTINGS_EFFECTIVE);
		assert_string_equal(text[0], more);
		free(more);
		settings_free(again);
	}
	free(text[0]);
	free(text[1]);
	settings_free(settings);
}

static void print_of_defaults_changes_nothing(void **state)
{
	struct settings *settings = settings_new();
	char *text = printed(settings, SETTINGS_CHANGED);
	struct settings *again;

	(void)state;
	assert_string_equal(text, "");
	free(text);
	text = printed(settings, SETTINGS_EFFECTIVE);
	settings_free(settings);
	again = accepts(text);
	free(text);
	text = printed(again, SETTINGS_CHANGED);
	assert_string_equal(text, "");
	free(text);
	settings_free(again);
}

static void print_to_a_full_device_fails(void **state)
{
	struct settings *settings = settings_new();
	FILE *stream = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(stream);
	assert_false(settings_print(settings, SETTINGS_EFFECTIVE, stream));
	(void)fclose(stream); /* it can't but fail */
	settings_free(settings);
}

static void note(const char *name, const char *needs, void *context)
{
	size_t size = strlen(context);

	(void)snprintf((char *)context + size, 1000 - size, "%s:%s ", name, needs);
}

static void compare_names_what_a_reload_does_not_do(void **state)
{
	char seen[1000] = "";
	struct settings *before = accepts("user = \"a\"; sources = ();");
	struct settings *after = accepts("user = \"b\"; alias_domains = [ \"a.test\" ];\n"
					 "merge_duplicates = false; limits = { expansion = 9; };\n"
					 "sources = ( { type = \"virtual\"; path = \"/v\"; } );");

	(void)state;
	settings_compare(before, after, note, seen);
	assert_string_equal(seen, "user:restart alias_domains:compile sources:compile ");
	seen[0] = '\0';
	settings_compare(after, after, note, seen);
	assert_string_equal(seen, "");
	settings_free(before);
	settings_free(after);
}

static void origin_is_the_host_by_default(void **state)
{
	struct settings *settings = settings_new();
	struct utsname names;

	(void)state;
	assert_int_equal(uname(&names), 0);
	for (char *at = names.nodename; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 32);
	assert_string_equal(settings_origin(settings), names.nodename);
	settings_free(settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_rows),
		TEST(every_kind_of_setting_is_read),
		TEST(sources_replace_the_default),
		TEST(a_database_has_members),
		TEST(members_of_a_database_are_checked),
		TEST(unknown_settings_are_errors),
		TEST(wrong_types_are_errors),
		TEST(values_out_of_range_are_errors),
		TEST(sockets_are_checked),
		TEST(domains_are_checked),
		TEST(replies_are_checked),
		TEST(all_errors_are_reported),
		TEST(syntax_errors_have_a_line),
		TEST(files_others_may_write_are_refused),
		TEST(files_others_may_replace_are_refused),
		TEST(files_of_other_users_are_refused),
		TEST(includes_are_relative_to_the_file_and_checked),
		TEST(print_reads_back_the_same),
		TEST(print_of_defaults_changes_nothing),
		TEST(print_to_a_full_device_fails),
		TEST(compare_names_what_a_reload_does_not_do),
		TEST(origin_is_the_host_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
