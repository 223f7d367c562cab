/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compile.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "table/table.h"
#include "table/verify.h"

/* ---- a folder with a configuration, a source and a table ---------------------------------- */

static char folder[64];

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_compile.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int end(void **state)
{
	char command[PATH_MAX];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void put(const char *name, const char *text)
{
	FILE *stream = fopen(in_folder(name), "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(in_folder(name), 0640), 0);
}

static void on_setting_error(const char *text, void *context)
{
	(void)context;
	fail_msg("%s", text);
}

/* Settings as in a file; the origin is o.test. */
static struct settings *settings_of(const char *text)
{
	struct error err;
	struct settings *settings;
	char all[4096];

	(void)snprintf(all, sizeof(all), "origin = \"o.test\";\n%s", text);
	put("conf", all);
	settings = settings_load(in_folder("conf"), on_setting_error, NULL, &err);
	assert_non_null(settings);
	return settings;
}

/* What compiling came to. */
struct outcome {
	int status;
	char *messages; /* the folder's name is taken out */
};

static void drop_folder(char *text)
{
	size_t size = strlen(folder) + 1;
	char *at;

	while ((at = strstr(text, folder)) != NULL)
		memmove(at, at + size, strlen(at + size) + 1);
}

/* Compile the files named in SOURCES, as virtual(5), to `table`. */
static struct outcome compile_files(const char *const *sources, const char *settings_text,
				    struct compile_options options)
{
	struct settings *settings = settings_of(settings_text);
	struct settings_source list[4] = { 0 };
	char type[] = "virtual";
	struct outcome outcome;
	char output[PATH_MAX];
	char paths[4][PATH_MAX];
	size_t size;

	for (; sources[options.source_count] != NULL; options.source_count++) {
		size_t i = options.source_count;

		strcpy(paths[i], in_folder(sources[i]));
		list[i] = (struct settings_source){ .type = type, .path = paths[i] };
	}
	strcpy(output, in_folder("table"));
	options.sources = list;
	options.output = options.output != NULL ? options.output : output;
	options.messages = open_memstream(&outcome.messages, &size);
	assert_non_null(options.messages);
	outcome.status = compile_run(settings, &options);
	assert_int_equal(fclose(options.messages), 0);
	drop_folder(outcome.messages);
	settings_free(settings);
	return outcome;
}

static struct outcome compile_text(const char *text, const char *settings,
				   struct compile_options options)
{
	put("v", text);
	return compile_files((const char *const[]){ "v", NULL }, settings, options);
}

static void assert_outcome_at(struct outcome outcome, int status, const char *messages,
			      const char *file, int line)
{
	if (outcome.status != status || strcmp(outcome.messages, messages) != 0) {
		print_error("status %d instead of %d, and\n%sinstead of\n%s", outcome.status,
			    status, outcome.messages, messages);
		_fail(file, line);
	}
	free(outcome.messages);
}

#define STRICT  ((struct compile_options){ .is_lenient = false })
#define LENIENT ((struct compile_options){ .is_lenient = true })
#define FORCED  ((struct compile_options){ .is_forced = true })

#define assert_compiles(text, messages)                                                            \
	assert_outcome_at(compile_text(text, "", STRICT), EX_OK, messages, __FILE__, __LINE__)
#define assert_refused(text, messages)                                                             \
	assert_outcome_at(compile_text(text, "", STRICT), EX_DATAERR, messages, __FILE__, __LINE__)
#define assert_outcome(outcome, status, messages)                                                  \
	assert_outcome_at(outcome, status, messages, __FILE__, __LINE__)

static size_t count_lines(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}

/* The installed table's generation; 0: there is none. It must be sound. */
static uint64_t generation(void)
{
	struct error err;
	struct table *table = table_open(in_folder("table"), (uid_t)-1, false, &err);
	uint64_t number;

	if (table == NULL) {
		assert_int_equal(err.status, EX_NOINPUT);
		return 0;
	}
	assert_true(table_verify(table, &err));
	number = table_facts(table)->generation;
	table_close(table);
	return number;
}

/* ---- what compiles ------------------------------------------------------------------------ */

#define GOOD "a.test x\nu@a.test v@far.test\n"

static void silence_is_success(void **state)
{
	struct stat status;

	(void)state;
	assert_compiles(GOOD, "");
	assert_int_equal(generation(), 1);
	assert_compiles(GOOD, "");
	assert_int_equal(generation(), 2);
	assert_int_equal(stat(in_folder("table"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void the_umask_does_not_matter(void **state)
{
	struct stat status;
	mode_t before = umask(0);

	(void)state;
	assert_compiles(GOOD, "");
	assert_int_equal(stat(in_folder("table"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	(void)umask(0777);
	put("v", GOOD);
	(void)umask(0777);
	assert_outcome(compile_files((const char *const[]){ "v", NULL }, "", STRICT), EX_OK, "");
	assert_int_equal(stat(in_folder("table"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	(void)umask(before);
}

static void warnings_name_file_and_line(void **state)
{
	(void)state;
	assert_compiles("u@a.test v@far.test\n",
			"v:1: warning: the domain a.test is not declared: its users are not "
			"validated [undeclared]\n");
	assert_compiles(
		GOOD "# again\n\nU@A.test w@far.test\n",
		"v:5: warning: duplicate key u@a.test: the first one counts, v:2 [duplicate]\n");
	assert_compiles(GOOD "@a.test v@far.test\n",
			"v:3: warning: catch-all: no user of a.test is unknown [catch-all]\n");
	assert_compiles(GOOD "w@a.test \303\274@far.test\n",
			"v:3: warning: a target is not ASCII: without SMTPUTF8 its mail may come "
			"back, or is refused (smtputf8 in openrcpt.conf(5)) [smtputf8]\n");
}

static void lines_count_in_their_own_file(void **state)
{
	(void)state;
	put("one", "a.test x\n\n\nu@a.test v@far.test\n");
	put("two", "# comment\nu@a.test w@far.test\nx@a.test nobody@a.test\n");
	assert_outcome(
		compile_files((const char *const[]){ "one", "two", NULL }, "", STRICT), EX_DATAERR,
		"two:2: warning: conflicting key u@a.test: the first source counts, one:4 "
		"[conflict]\n"
		"two:3: target nobody@a.test could only bounce: no key of ours delivers it\n");
	assert_int_equal(generation(), 0);
}

/* Key by key an earlier source comes first; only where they differ that is told. */
static void sources_may_say_the_same(void **state)
{
	static const char *const both[] = { "one", "two", NULL };
	static const char *const one_twice[] = { "one", "one", NULL };

	(void)state;
	put("one", "a.test x\nu@a.test v@far.test, w@far.test\n@a.test error:550 5.1.1 No\n"
		   "r@a.test error:550 5.1.1 No\n");
	put("two", "a.test y\nU@A.test v@far.test, w@far.test\n@a.test error:550 5.1.1 No\n"
		   "r@a.test error:550 5.1.1 No\nz@a.test z@far.test\n");
	assert_outcome(compile_files(both, "", STRICT), EX_OK, "");
	assert_outcome(compile_files(one_twice, "", FORCED), EX_OK, "");
	put("two", "u@a.test w@far.test\n@a.test error:550 5.1.1 Never\n");
	assert_outcome(compile_files(both, "", FORCED), EX_OK,
		       "two:1: warning: conflicting key u@a.test: the first source counts, one:2 "
		       "[conflict]\n"
		       "two:2: warning: conflicting key @a.test: the first source counts, one:3 "
		       "[conflict]\n");
	put("two", "r@a.test r@far.test\n");
	assert_outcome(compile_files(both, "", FORCED), EX_OK,
		       "two:1: warning: conflicting key r@a.test: the first source counts, one:4 "
		       "[conflict]\n");
}

/* A word that may be a domain is settled when all rows are known. */
static void a_word_counts_by_where_it_stands(void **state)
{
	static const char *const both[] = { "one", "two", NULL };
	static const char ambiguous[] =
		"one:1: warning: host.test is taken for a local user and for an alias domain: put "
		"quotes around the user, or the domain into alias_domains [ambiguous]\n";
	char expected[1000];

	(void)state;
	put("one", "host.test list\n");
	put("two", "\"host.test\" other@far.test\n");
	(void)snprintf(expected, sizeof(expected),
		       "%stwo:1: warning: conflicting key host.test: the first source counts, "
		       "one:1 [conflict]\n",
		       ambiguous);
	assert_outcome(compile_files(both, "", STRICT), EX_OK, expected);
	put("one", "host.test list\n\"host.test\" other@far.test\n");
	(void)snprintf(expected, sizeof(expected),
		       "%sone:2: warning: duplicate key host.test: the first one counts, one:1 "
		       "[duplicate]\n",
		       ambiguous);
	assert_outcome(compile_files((const char *const[]){ "one", NULL }, "", FORCED), EX_OK,
		       expected);
}

/* ---- what does not ------------------------------------------------------------------------ */

static void mistakes_of_syntax(void **state)
{
	(void)state;
	assert_refused("a.test\n", "v:1: expected: key whitespace value; to declare a domain put a "
				   "word behind it: a.test x\n");
	assert_refused(GOOD "\"x@a.test y@far.test\n", "v:3: a quote in the key does not end\n");
	assert_refused(GOOD "x%y@a.test z@far.test\n",
		       "v:3: key: @, % or ! in the local part (sender-specified routing)\n");
	assert_refused(GOOD "x@a.test y%z@far.test\n",
		       "v:3: a target has % or ! in its local part (sender-specified routing)\n");
	assert_refused(GOOD "x@a.test y@far.test, @far.test\n",
		       "v:3: `@other` must be the only target\n");
	assert_refused(GOOD "x@a.test error:\n", "v:3: error: a reply must follow\n");
}

static void every_mistake_is_told(void **state)
{
	struct outcome outcome = compile_text("one\n" GOOD "two\nthree\n", "", STRICT);

	(void)state;
	assert_outcome(outcome, EX_DATAERR,
		       "v:1: expected: key whitespace value\n"
		       "v:4: expected: key whitespace value\n"
		       "v:5: expected: key whitespace value\n");
}

/* One run tells of syntax and proof; a key whose value is wrong is none that is missing. */
static void what_can_be_read_is_proved_all_the_same(void **state)
{
	static const char text[] = GOOD "bad@a.test a@@b\n"
					"x@a.test bad@a.test\n"
					"gone@a.test nobody@a.test\n"
					"p@a.test q@a.test\nq@a.test p@a.test\n";
	static const char messages[] =
		"v:3: \"a@@b\": there is more than one @; put quotes around the local part\n"
		"v:5: target nobody@a.test could only bounce: no key of ours delivers it\n"
		"v:6: alias loop: p@a.test\n"
		"v:7: alias loop: q@a.test\n"
		"rcptmap: warning: lines that are wrong were left out of the proof; what leads to "
		"them may be among the mistakes [partial-proof]\n";

	(void)state;
	assert_refused(text, messages);
	assert_int_equal(generation(), 0);
	assert_compiles(GOOD, "");
	assert_refused(text, messages);
	assert_int_equal(generation(), 1);
}

static void a_hundred_mistakes_are_printed(void **state)
{
	char text[200 * 8] = "";
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < 150; i++)
		strcat(text, "word\n");
	outcome = compile_text(text, "", STRICT);
	assert_int_equal(outcome.status, EX_DATAERR);
	assert_int_equal(count_lines(outcome.messages, "expected: key"), 100);
	assert_non_null(strstr(outcome.messages, "more than 100, the rest is only counted\n"));
	assert_non_null(strstr(outcome.messages, "rcptmap: ... and 50 more errors\n"));
	free(outcome.messages);
}

#define LOOP     "u@a.test w@a.test\nw@a.test u@a.test\n"
#define DANGLING "u@a.test nobody@a.test\n"

static void strict_and_lenient(void **state)
{
	(void)state;
	assert_refused("a.test x\n" LOOP, "v:2: alias loop: u@a.test\nv:3: alias loop: w@a.test\n");
	assert_refused("a.test x\n" DANGLING, "v:2: target nobody@a.test could only bounce: no key "
					      "of ours delivers it\n");
	assert_int_equal(generation(), 0);
	assert_outcome(compile_text("a.test x\n" LOOP, "", LENIENT), EX_OK,
		       "v:2: warning: alias loop: u@a.test [lenient]\n"
		       "v:3: warning: alias loop: w@a.test [lenient]\n");
	assert_outcome(compile_text("a.test x\n" DANGLING, "", LENIENT), EX_OK,
		       "v:2: warning: target nobody@a.test could only bounce: no key of ours "
		       "delivers it [dangling]\n");
	assert_int_equal(generation(), 2);
}

static void limits_are_proved(void **state)
{
	(void)state;
	assert_outcome(compile_text(GOOD "x@a.test u@a.test, u@a.test, w@far.test\n",
				    "limits = { expansion = 2; };", STRICT),
		       EX_DATAERR,
		       "v:3: expansion over a limit (limits.expansion: at least 3 recipients, 2 "
		       "allowed): x@a.test\n");
	assert_outcome(compile_text(GOOD "x@a.test u@a.test, u@a.test, w@far.test\n",
				    "limits = { expansion = 3; };", STRICT),
		       EX_OK, "");
	assert_outcome(
		compile_text(GOOD "x@a.test u@a.test\n", "limits = { recursion = 2; };", STRICT),
		EX_DATAERR,
		"v:3: expansion over a limit (limits.recursion: at least 3 levels, 2 allowed): "
		"x@a.test\n");
}

/* Whatever was learned of the others on the way. */
static void each_entry_of_a_chain_is_told_with_its_line(void **state)
{
	char text[120 * 32] = "";
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)snprintf(text + strlen(text), 32, "u%d@a.test u%d@%s.test\n", i, i + 1,
			       i < 99 ? "a" : "far");
	outcome = compile_text(text, "limits = { recursion = 10; };", STRICT);
	assert_int_equal(outcome.status, EX_DATAERR);
	for (int i = 0; i < 100; i++) {
		char message[128];

		(void)snprintf(
			message, sizeof(message),
			"v:%d: expansion over a limit (limits.recursion: at least 11 levels, "
			"10 allowed): u%d@a.test\n",
			i + 1, i);
		assert_int_equal(strstr(outcome.messages, message) != NULL, i < 91);
	}
	free(outcome.messages);
}

/* Also where another that is met on the way names it first. */
static void each_that_names_a_dead_end_is_told(void **state)
{
	(void)state;
	assert_refused("a.test x\nu@a.test w@a.test, nobody@a.test\nw@a.test nobody@a.test\n",
		       "v:2: target nobody@a.test could only bounce: no key of ours delivers it\n"
		       "v:3: target nobody@a.test could only bounce: no key of ours delivers it\n");
}

/* Which a target's bytes don't tell: U+0958 takes 3 of them, and 6 in the form of keys. */
static void targets_too_long_for_a_key_are_found(void **state)
{
	char text[1000] = GOOD "x@a.test ";
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < 50; i++)
		strcat(text, "\xe0\xa5\x98");
	strcat(text, "@far.test\ny@a.test x@a.test\n");
	outcome = compile_text(text, "", STRICT);
	assert_int_equal(outcome.status, EX_DATAERR);
	assert_int_equal(count_lines(outcome.messages, "over a limit"), 2);
	free(outcome.messages);
}

/* So small a limit has every way that is longer than one step walked. */
static void bare_users_are_proved_where_they_are_asked(void **state)
{
	const char *settings = "local_domains = [ \"l.test\" ]; "
			       "limits = { recursion = 3; };";

	(void)state;
	assert_outcome(compile_text("o.test x\nu u@o.test\n", settings, STRICT), EX_DATAERR,
		       "v:2: target u@o.test could only bounce: no key of ours delivers it\n");
	/* At the origin another key is found first. */
	assert_outcome(
		compile_text("o.test x\nu u@o.test\nu@o.test w@far.test\n", settings, STRICT),
		EX_OK, "");
}

/* Each row is proved by one thread, those at the border of two shares too. */
static void each_row_is_proved_once(void **state)
{
	char text[95 * 40] = "a.test x\n";
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < 95; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "u%d@a.test nobody@a.test\n", i);
	outcome = compile_text(text, "", STRICT);
	assert_int_equal(count_lines(outcome.messages, "could only bounce"), 95);
	free(outcome.messages);
}

/* However many warnings there are; the more, the less likely that chance keeps it. */
static void no_mistake_is_lost_among_warnings(void **state)
{
	enum { DOMAINS = 150000 };
	char *text = malloc(DOMAINS * 40);
	size_t used;
	struct outcome outcome;

	(void)state;
	assert_non_null(text);
	used = (size_t)sprintf(text, "a.test x\nu@a.test nobody@a.test\n");
	for (int i = 0; i < DOMAINS; i++)
		used += (size_t)sprintf(text + used, "k@d%d.test x@far.test\n", i);
	outcome = compile_text(text, "", STRICT);
	assert_int_equal(outcome.status, EX_DATAERR);
	assert_int_equal(count_lines(outcome.messages, "could only bounce"), 1);
	free(outcome.messages);
	free(text);
}

/* ---- publishing --------------------------------------------------------------------------- */

static void an_empty_table_wants_force(void **state)
{
	(void)state;
	assert_refused("", "rcptmap: the new table is empty: not published without --force\n");
	assert_int_equal(generation(), 0);
	assert_outcome(compile_text("", "", FORCED), EX_OK, "");
	assert_int_equal(generation(), 1);
}

/* What there is can't be compared with: neither generation nor size. */
static void a_table_that_cannot_be_read_wants_force(void **state)
{
	static const char complaint[] = "not a table that can be read: the new table can't be "
					"compared with it: not published without --force\n";
	struct outcome outcome;
	FILE *table;

	(void)state;
	assert_compiles(GOOD, "");
	assert_compiles(GOOD, "");
	assert_int_equal(generation(), 2);
	table = fopen(in_folder("table"), "r+");
	assert_non_null(table);
	assert_int_equal(fseek(table, 100, SEEK_SET), 0);
	assert_int_equal(fputc('X', table), 'X');
	assert_int_equal(fclose(table), 0);
	outcome = compile_text(GOOD, "", STRICT);
	assert_int_equal(outcome.status, EX_DATAERR);
	assert_non_null(strstr(outcome.messages, complaint));
	free(outcome.messages);
	outcome = compile_text(GOOD, "", FORCED);
	assert_int_equal(outcome.status, EX_OK);
	assert_non_null(strstr(outcome.messages, "its generation is not known"));
	free(outcome.messages);
	assert_int_equal(generation(), 1);
}

static void a_table_that_shrinks_wants_force(void **state)
{
	(void)state;
	assert_compiles("a.test x\nu@a.test x@far.test\nv@a.test x@far.test\nw@a.test x@far.test\n"
			"x@a.test x@far.test\n",
			"");
	assert_compiles("a.test x\nu@a.test x@far.test\nv@a.test x@far.test\n", "");
	assert_int_equal(generation(), 2);
	assert_outcome(compile_text("a.test x\nb.test x\nc.test x\nu@a.test x@far.test\n",
				    "shrink_limit_percent = 10;", STRICT),
		       EX_DATAERR,
		       "rcptmap: the new table has 1 entries, the installed one 2: not published "
		       "without --force\n");
	assert_int_equal(generation(), 2);
	assert_outcome(compile_text("a.test x\nb.test x\nc.test x\nu@a.test x@far.test\n",
				    "shrink_limit_percent = 10;", FORCED),
		       EX_OK, "");
	assert_outcome(compile_text("a.test x\nu@a.test x@far.test\n", "", STRICT), EX_DATAERR,
		       "rcptmap: the new table has 1 domains, the installed one 3: not published "
		       "without --force\n");
	assert_int_equal(generation(), 3);
}

static void only_checking_writes_nothing(void **state)
{
	(void)state;
	assert_outcome(compile_text(GOOD, "", (struct compile_options){ .is_check_only = true }),
		       EX_OK, "");
	assert_int_equal(generation(), 0);
	assert_int_equal(access(in_folder(".table.lock"), F_OK), -1);
	assert_outcome(compile_text("a.test x\n" DANGLING, "",
				    (struct compile_options){ .is_check_only = true }),
		       EX_DATAERR,
		       "v:2: target nobody@a.test could only bounce: no key of ours delivers it\n");
}

/* Every byte of the file, and nothing beside it but the lock. */
static void assert_unchanged(const char *bytes, size_t size)
{
	char command[PATH_MAX];
	char now[65536];
	FILE *stream = fopen(in_folder("table"), "r");

	assert_non_null(stream);
	assert_int_equal(fread(now, 1, sizeof(now), stream), size);
	assert_memory_equal(now, bytes, size);
	assert_int_equal(fclose(stream), 0);
	(void)snprintf(
		command, sizeof(command),
		"test -z \"$(ls -A '%s' | grep -v -x -e v -e conf -e table -e .table.lock)\"",
		folder);
	assert_int_equal(system(command), 0);
}

static void a_failure_leaves_the_old_table(void **state)
{
	static const char *const texts[] = { "word\n", "a.test x\n" DANGLING, "a.test x\n" LOOP, "",
					     "u@a.test y%z@far.test\n" };
	char bytes[65536];
	size_t size;
	FILE *stream;

	(void)state;
	assert_compiles(GOOD, "");
	stream = fopen(in_folder("table"), "r");
	assert_non_null(stream);
	size = fread(bytes, 1, sizeof(bytes), stream);
	assert_int_equal(fclose(stream), 0);
	assert_in_range(size, 4096, sizeof(bytes) - 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct outcome outcome = compile_text(texts[i], "", STRICT);

		assert_int_equal(outcome.status, EX_DATAERR);
		free(outcome.messages);
		assert_unchanged(bytes, size);
	}
}

static void what_is_no_table_is_replaced_by_force(void **state)
{
	struct outcome outcome;

	(void)state;
	put("table", "this is no table");
	outcome = compile_text(GOOD, "", STRICT);
	assert_int_equal(outcome.status, EX_DATAERR);
	free(outcome.messages);
	outcome = compile_text(GOOD, "", FORCED);
	assert_int_equal(outcome.status, EX_OK);
	free(outcome.messages);
	assert_int_equal(generation(), 1);
}

static void leftovers_are_removed(void **state)
{
	(void)state;
	put(".table.0123456789ab.tmp", "half a table");
	put(".table.0123456789ab.old", "somebody's");
	assert_compiles(GOOD, "");
	assert_int_equal(access(in_folder(".table.0123456789ab.tmp"), F_OK), -1);
	assert_int_equal(access(in_folder(".table.0123456789ab.old"), F_OK), 0);
}

static int status_of(struct outcome outcome)
{
	free(outcome.messages);
	return outcome.status;
}

static void each_trouble_has_its_status(void **state)
{
	static const char *const missing[] = { "nowhere", NULL };
	static const char *const present[] = { "v", NULL };
	static const char *const replaceable[] = { "open/v", NULL };
	struct compile_options elsewhere = { .output = "/nonexistent/folder/table" };

	(void)state;
	put("v", GOOD);
	assert_int_equal(status_of(compile_files(missing, "", STRICT)), EX_NOINPUT);
	assert_int_equal(status_of(compile_files(present, "", elsewhere)), EX_CANTCREAT);
	assert_int_equal(mkdir(in_folder("table"), 0755), 0);
	assert_int_equal(status_of(compile_files(present, "", STRICT)), EX_CANTCREAT);
	assert_int_equal(rmdir(in_folder("table")), 0);
	assert_int_equal(symlink("v", in_folder("table")), 0);
	assert_int_equal(status_of(compile_files(present, "", STRICT)), EX_CANTCREAT);
	assert_int_equal(unlink(in_folder("table")), 0);
	assert_int_equal(mkfifo(in_folder("table"), 0600), 0);
	assert_int_equal(status_of(compile_files(present, "", STRICT)), EX_CANTCREAT);
	assert_int_equal(unlink(in_folder("table")), 0);
	assert_int_equal(chmod(in_folder("v"), 0666), 0);
	assert_int_equal(status_of(compile_files(present, "", STRICT)), EX_NOPERM);
	assert_int_equal(chmod(in_folder("v"), 0640), 0);
	assert_int_equal(mkdir(in_folder("open"), 0700), 0);
	put("open/v", GOOD);
	assert_int_equal(chmod(in_folder("open"), 0777), 0);
	assert_int_equal(status_of(compile_files(replaceable, "", STRICT)), EX_NOPERM);
	assert_int_equal(chmod(in_folder("open"), 0700), 0);
	assert_int_equal(status_of(compile_files(replaceable, "", STRICT)), EX_OK);
}

#define COMPILE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(silence_is_success),
		COMPILE_TEST(the_umask_does_not_matter),
		COMPILE_TEST(warnings_name_file_and_line),
		COMPILE_TEST(lines_count_in_their_own_file),
		COMPILE_TEST(sources_may_say_the_same),
		COMPILE_TEST(a_word_counts_by_where_it_stands),
		COMPILE_TEST(mistakes_of_syntax),
		COMPILE_TEST(every_mistake_is_told),
		COMPILE_TEST(what_can_be_read_is_proved_all_the_same),
		COMPILE_TEST(a_hundred_mistakes_are_printed),
		COMPILE_TEST(strict_and_lenient),
		COMPILE_TEST(limits_are_proved),
		COMPILE_TEST(each_entry_of_a_chain_is_told_with_its_line),
		COMPILE_TEST(each_that_names_a_dead_end_is_told),
		COMPILE_TEST(targets_too_long_for_a_key_are_found),
		COMPILE_TEST(bare_users_are_proved_where_they_are_asked),
		COMPILE_TEST(each_row_is_proved_once),
		COMPILE_TEST(no_mistake_is_lost_among_warnings),
		COMPILE_TEST(an_empty_table_wants_force),
		COMPILE_TEST(a_table_that_cannot_be_read_wants_force),
		COMPILE_TEST(a_table_that_shrinks_wants_force),
		COMPILE_TEST(only_checking_writes_nothing),
		COMPILE_TEST(a_failure_leaves_the_old_table),
		COMPILE_TEST(what_is_no_table_is_replaced_by_force),
		COMPILE_TEST(leftovers_are_removed),
		COMPILE_TEST(each_trouble_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
