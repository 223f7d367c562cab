/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.d beside the configuration: which files of it are read, in which order, and what may stand
 * in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "scratch.h"
#include "settings/settings.h"

static char reported[8192];
static struct error err;

static void collect(const char *text, void *context)
{
	size_t size = strlen(reported);

	(void)context;
	(void)snprintf(reported + size, sizeof(reported) - size, "%s\n", text);
}

static struct settings *load(void)
{
	reported[0] = '\0';
	memset(&err, 0, sizeof(err));
	return settings_load(scratch_path("openrcpt.conf"), collect, NULL, &err);
}

static struct settings *accepts(void)
{
	struct settings *settings = load();

	if (settings == NULL)
		fail_msg("refused: %s", reported);
	assert_string_equal(reported, "");
	return settings;
}

/* NAME:WORDS is among what is reported. */
static void refuses(const char *name, const char *words)
{
	char expected[PATH_MAX + 512];

	assert_null(load());
	(void)snprintf(expected, sizeof(expected), "%s%s\n", scratch_path(name), words);
	if (strstr(reported, expected) == NULL)
		fail_msg("expected: %s\n   got: %s", expected, reported);
}

static int begin(void **state)
{
	if (scratch_begin(state) != 0 || mkdir(scratch_path("conf.d"), 0750) != 0)
		return -1;
	scratch_put("openrcpt.conf", "");
	return 0;
}

static void sources_are(const struct settings *settings, const char *paths)
{
	char found[4096] = "";

	for (size_t i = 0; i < settings->source_count; i++) {
		size_t size = strlen(found);

		(void)snprintf(found + size, sizeof(found) - size, "%s ",
			       settings->sources[i].path);
	}
	assert_string_equal(found, paths);
}

static void without_conf_d_nothing_is_added(void **state)
{
	struct settings *settings;

	(void)state;
	assert_int_equal(rmdir(scratch_path("conf.d")), 0);
	settings = accepts();
	sources_are(settings, OPENRCPT_SOURCE " ");
	assert_int_equal(settings->included.count, 1);
	assert_string_equal(settings->included.items[0], scratch_path("conf.d/"));
	settings_free(settings);
}

/* As to what isn't mounted: nobody knows what stands there. */
static void a_link_to_nowhere_is_no_lack_of_conf_d(void **state)
{
	(void)state;
	assert_int_equal(rmdir(scratch_path("conf.d")), 0);
	assert_int_equal(symlink("nowhere", scratch_path("conf.d")), 0);
	refuses("conf.d/", ": No such file or directory");
	assert_int_equal(err.status, EX_NOPERM);
	assert_int_equal(unlink(scratch_path("conf.d")), 0);
}

static void files_are_read_in_the_order_of_bytes(void **state)
{
	struct settings *settings;

	(void)state;
	scratch_put("openrcpt.conf", "sources = ( { type = \"virtual\"; path = \"/main\"; } );");
	scratch_put("conf.d/b.conf", "sources = ( { type = \"virtual\"; path = \"/b\"; } );");
	scratch_put("conf.d/a.conf", "sources = ( { type = \"virtual\"; path = \"/a1\"; },\n"
				     "{ type = \"pcre\"; path = \"/a2\"; } );");
	scratch_put("conf.d/B.conf", "sources = ( { type = \"virtual\"; path = \"/B\"; } );");
	scratch_put("conf.d/10-x.conf", "sources = ( { type = \"virtual\"; path = \"/10\"; } );");
	scratch_put("conf.d/9.conf", "sources = ( { type = \"virtual\"; path = \"/9\"; } );");
	scratch_put("conf.d/\303\244.conf",
		    "sources = ( { type = \"virtual\"; path = \"/umlaut\"; } );");
	settings = accepts();
	sources_are(settings, "/main /10 /9 /B /a1 /a2 /b /umlaut ");
	assert_string_equal(settings->sources[0].file, scratch_path("openrcpt.conf"));
	assert_string_equal(settings->sources[5].file, scratch_path("conf.d/a.conf"));
	assert_int_equal(settings->sources[5].line, 2);
	settings_free(settings);
}

static void other_files_are_not_read(void **state)
{
	static const char *const names[] = {
		".hidden.conf",
		".conf",
		"x.conf~",
		"x.conf.bak",
		"x.conf.dpkg-old",
		"x.conf.dpkg-new",
		"x.conf.dpkg-dist",
		"x.conf.rpmnew",
		"x.conf.rpmsave",
		"#x.conf#",
		".#x.conf",
		".x.conf.swp",
		"x",
		"xconf",
		"x.CONF",
	};
	struct settings *settings;
	char name[100];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "conf.d/%s", names[i]);
		scratch_put(name, "this is no configuration");
	}
	assert_int_equal(mkdir(scratch_path("conf.d/old"), 0755), 0);
	settings = accepts();
	assert_int_equal(settings->included.count, 1);
	settings_free(settings);
}

static void sources_without_others_come_behind_the_default(void **state)
{
	struct settings *settings;

	(void)state;
	scratch_put("conf.d/a.conf", "sources = ( { type = \"virtual\"; path = \"/a\"; } );");
	settings = accepts();
	sources_are(settings, OPENRCPT_SOURCE " /a ");
	settings_free(settings);
	scratch_put("openrcpt.conf", "sources = ();");
	settings = accepts();
	sources_are(settings, "/a ");
	settings_free(settings);
}

static void lists_grow(void **state)
{
	struct settings *settings;

	(void)state;
	scratch_put("openrcpt.conf", "alias_domains = [ \"a.test\" ];");
	scratch_put("conf.d/1.conf",
		    "mailbox_domains = [ \"m.test\" ]; alias_domains = [ \"b.test\" ];");
	scratch_put("conf.d/2.conf", "alias_domains = [ \"c.test\", \"d.test\" ];");
	settings = accepts();
	assert_int_equal(settings->alias_domains.count, 4);
	assert_string_equal(settings->alias_domains.items[3], "d.test");
	assert_int_equal(settings->mailbox_domains.count, 1);
	settings_free(settings);
	scratch_put("conf.d/1.conf", "\nalias_domains = [ \"b..test\" ];");
	scratch_put("conf.d/2.conf", "alias_domains = [ \"c.test\",\n \"d/test\" ];");
	refuses("conf.d/1.conf", ":2: alias_domains: \"b..test\" is not a domain");
	refuses("conf.d/2.conf", ":1: alias_domains: \"d/test\" is not a domain");
	assert_null(strstr(reported, "c.test"));
	assert_null(strstr(reported, "openrcpt.conf"));
}

static void other_settings_stand_once(void **state)
{
	struct settings *settings;

	(void)state;
	scratch_put("openrcpt.conf", "limits = { expansion = 7; };");
	scratch_put("conf.d/1.conf", "limits = { recursion = 8; }; merge_duplicates = false;\n"
				     "recipient_delimiter = \"-\"; load = \"mapped\";");
	settings = accepts();
	assert_int_equal(settings->limits.expansion, 7);
	assert_int_equal(settings->limits.recursion, 8);
	assert_false(settings->merge_duplicates);
	assert_string_equal(settings->recipient_delimiter, "-");
	assert_int_equal(settings->load, SETTINGS_LOAD_MAPPED);
	settings_free(settings);
	scratch_put("conf.d/2.conf", "\n\nlimits = { expansion = 7; };\nload = \"mapped\";");
	scratch_put("conf.d/3.conf", "recipient_delimiter = \"+\"; merge_duplicates = false;");
	assert_null(load());
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(reported, "2.conf:3: limits.expansion: is set in "));
	assert_non_null(strstr(reported, "openrcpt.conf:1 already, and may be set once only\n"));
	assert_non_null(strstr(reported, "2.conf:4: load: is set in "));
	assert_non_null(strstr(reported, "1.conf:2 already"));
	assert_non_null(strstr(reported, "3.conf:1: recipient_delimiter: is set in "));
	assert_non_null(strstr(reported, "3.conf:1: merge_duplicates: is set in "));
}

static void mistakes_have_their_place(void **state)
{
	(void)state;
	scratch_put("conf.d/1.conf", "\nuzer = \"x\";");
	scratch_put("conf.d/2.conf", "limits = { expansion = 0; };");
	scratch_put("conf.d/3.conf", "\n\nsources = (\n{ type = \"virtual\"; } );");
	refuses("conf.d/1.conf", ":2: unknown setting \"uzer\"; did you mean \"user\"?");
	refuses("conf.d/3.conf", ":4: sources: a source has no path");
	scratch_put("conf.d/1.conf", "");
	scratch_put("conf.d/3.conf", "");
	refuses("conf.d/2.conf", ":1: limits.expansion: 0 is not from 1 to 100000");
	scratch_put("conf.d/3.conf", "a = 1;\nb = [");
	refuses("conf.d/3.conf", ":2: syntax error");
	/* One that can be told beside another value only. */
	scratch_put("conf.d/3.conf", "\nsocket = \"inet:25@192.0.2.1\";");
	scratch_put("conf.d/2.conf", "");
	refuses("conf.d/3.conf", ":2: socket: \"inet:25@192.0.2.1\" is not a loopback address, and "
				 "allow_remote_mta is false");
}

static void each_file_is_judged(void **state)
{
	(void)state;
	scratch_put("conf.d/1.conf", "");
	assert_int_equal(chmod(scratch_path("conf.d/1.conf"), 0666), 0);
	refuses("conf.d/1.conf", ": others may write it (mode 0666)");
	assert_int_equal(err.status, EX_NOPERM);
	assert_int_equal(chmod(scratch_path("conf.d/1.conf"), 0640), 0);
	assert_int_equal(chmod(scratch_path("conf.d"), 0777), 0);
	assert_null(load());
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(reported, "conf.d"));
	assert_int_equal(chmod(scratch_path("conf.d"), 0750), 0);
	assert_int_equal(unlink(scratch_path("conf.d/1.conf")), 0);
	assert_int_equal(symlink("nowhere", scratch_path("conf.d/1.conf")), 0);
	refuses("conf.d/1.conf", ": No such file or directory");
}

static void what_can_not_be_told_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(rmdir(scratch_path("conf.d")), 0);
	scratch_put("conf.d", "");
	refuses("conf.d/", ": Not a directory");
	assert_int_equal(err.status, EX_NOPERM);
	assert_int_equal(unlink(scratch_path("conf.d")), 0);
	assert_int_equal(symlink("conf.d", scratch_path("conf.d")), 0);
	refuses("conf.d/", ": Too many levels of symbolic links");
}

static void paths_begin_at_the_configuration(void **state)
{
	struct settings *settings;
	char expected[PATH_MAX];

	(void)state;
	scratch_put("conf.d/1.conf", "sources = ( { type = \"virtual\"; path = \"x\"; } );\n"
				     "@include \"more\"\n");
	scratch_put("more", "user = \"included\";");
	settings = accepts();
	(void)snprintf(expected, sizeof(expected), OPENRCPT_SOURCE " %s ", scratch_path("x"));
	sources_are(settings, expected);
	assert_string_equal(settings->user, "included");
	assert_int_equal(settings->included.count, 3);
	assert_string_equal(settings->included.items[1], scratch_path("conf.d/1.conf"));
	assert_string_equal(settings->included.items[2], scratch_path("more"));
	settings_free(settings);
	scratch_put("conf.d/2.conf", "\nuser = \"other\";");
	assert_null(load());
	/* What is before it is libconfig's: nothing before 1.7. */
	assert_non_null(strstr(reported, "more:1 already, and may be set once only\n"));
	assert_non_null(strstr(reported, "conf.d/2.conf:2: user: is set in "));
}

static void it_prints_where_a_source_comes_from(void **state)
{
	struct settings *settings;
	char expected[PATH_MAX + 200];
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	scratch_put("openrcpt.conf", "sources = ( { type = \"virtual\"; path = \"/main\"; } );");
	scratch_put("conf.d/1.conf", "\nsources = ( { type = \"virtual\"; path = \"/one\"; } );");
	scratch_put("conf.d/2\n}.conf", "sources = ( { type = \"virtual\"; path = \"/two\"; } );");
	settings = accepts();
	assert_true(settings_print(settings, SETTINGS_CHANGED, stream));
	assert_int_equal(fclose(stream), 0);
	settings_free(settings);
	(void)snprintf(expected, sizeof(expected),
		       "sources = (\n"
		       "    { type = \"virtual\"; path = \"/main\"; },\n"
		       "    # %s:2\n"
		       "    { type = \"virtual\"; path = \"/one\"; },\n"
		       "    { type = \"virtual\"; path = \"/two\"; }\n"
		       ");\n",
		       scratch_path("conf.d/1.conf"));
	assert_string_equal(text, expected);
	assert_int_equal(unlink(scratch_path("conf.d/1.conf")), 0);
	assert_int_equal(unlink(scratch_path("conf.d/2\n}.conf")), 0);
	scratch_put("openrcpt.conf", text);
	settings = accepts();
	sources_are(settings, "/main /one /two ");
	settings_free(settings);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_conf_d_nothing_is_added),
		TEST(a_link_to_nowhere_is_no_lack_of_conf_d),
		TEST(files_are_read_in_the_order_of_bytes),
		TEST(other_files_are_not_read),
		TEST(sources_without_others_come_behind_the_default),
		TEST(lists_grow),
		TEST(other_settings_stand_once),
		TEST(mistakes_have_their_place),
		TEST(each_file_is_judged),
		TEST(what_can_not_be_told_is_an_error),
		TEST(paths_begin_at_the_configuration),
		TEST(it_prints_where_a_source_comes_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
