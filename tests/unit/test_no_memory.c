/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The k-th allocation of a whole compilation fails, for every k; once, and from then on. Either the
 * compilation ends with 71 and the old table stays, or it didn't need that memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "compile/compile.h"
#include "failing_memory.h"
#include "table/patterns.h"
#include "table/table.h"
#include "table/verify.h"

/* ---- a compilation ------------------------------------------------------------------------ */

static char folder[] = "/tmp/test_no_memory.XXXXXX";
static char source_path[64];
static char rules_path[64];
static char virtuser_path[64];
static char aliases_path[64];
static char include_path[64];
static char virtual_type[] = "virtual";
static char regexp_type[] = "regexp";
static char virtusertable_type[] = "virtusertable";
static char aliases_type[] = "aliases";
static struct settings_source sources[] = {
	{ .type = virtual_type, .path = source_path },
	{ .type = regexp_type, .path = rules_path },
	{ .type = virtusertable_type, .path = virtuser_path },
	{ .type = aliases_type, .path = aliases_path },
};
static size_t source_count;
static char conf_path[64];
static char table_path[64];

static void put(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static int compile(struct settings *settings, char **out_messages)
{
	size_t size;
	const struct compile_options options = {
		.sources = sources,
		.source_count = source_count,
		.output = table_path,
		.is_sync_skipped = true,
		.messages = open_memstream(out_messages, &size),
	};
	int status;

	assert_non_null(options.messages);
	status = compile_run(settings, &options);
	assert_int_equal(fclose(options.messages), 0);
	return status;
}

/* Rows that go each their own way through the compiler. */
static void write_source(const char *mark)
{
	char text[16384];
	size_t used = (size_t)snprintf(
		text, sizeof(text),
		"alias.test x\nmark@alias.test %s@far.test\n"
		"J\303\274rgen@alias.test J\303\274rgen@far.test\nm\303\274ller.test x\n"
		"\"a b\"@alias.test \"c d\"@far, e@f.test\nbare u1@alias.test, Bare@other\n"
		"@other.test error:5.1.1:550 No\ndrop@alias.test discard:\n"
		"u1@alias.test U1@Far.test\nu1@alias.test twice@far.test\n"
		"u+e@alias.test u1@alias.test\nmoved@alias.test @m\303\274ller.test\n"
		"moved@m\303\274ller.test u1@alias.test\nlist@alias.test u1@alias.test",
		mark);

	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ", x%d@far%d.test", i,
					 i);
	(void)snprintf(text + used, sizeof(text) - used, "\n");
	put(source_path, text);
}

/* Names, quotes and comments, longer than what a buffer begins with; and a file in it. */
static void put_aliases(void)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "ann: other@far.test, \"b b\"@far.test (comment), carl\n"
		       "(comment) \"d d\": :include:%s, ann\ncarl: %0200d@far.test, %0200d\n",
		       include_path, 1, 2);
	put(aliases_path, text);
}

static int begin(void **state)
{
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(source_path, sizeof(source_path), "%s/virtual", folder);
	(void)snprintf(rules_path, sizeof(rules_path), "%s/rules", folder);
	(void)snprintf(virtuser_path, sizeof(virtuser_path), "%s/virtuser", folder);
	(void)snprintf(aliases_path, sizeof(aliases_path), "%s/aliases", folder);
	(void)snprintf(include_path, sizeof(include_path), "%s/include", folder);
	(void)snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
	(void)snprintf(table_path, sizeof(table_path), "%s/table", folder);
	put(rules_path, "/^list-(.*)@alias\\.test$/!/-owner@/m $1@far.test\n"
			"if /^if-/\n/^if-(.*)@alias\\.test$/ ${1}@far.test, u2@far.test\nendif\n"
			"/^gone@alias\\.test$/ error:5.1.1:550 No\n");
	put(virtuser_path, "v@virt.test\tv1@far.test\nw+*@virt.test\t%2@far.test\n"
			   "@virt.test\terror:nouser 550 5.1.1 No\n");
	put_aliases();
	put(include_path, "e1@far.test\n# none\ne2@far.test, e3@far\n");
	put(conf_path, "origin = \"o.test\"; append_dot_domain = \"dot.test\";\n"
		       "alias_domains = [ \"declared.test\" ]; recipient_delimiter = \"+\";\n");
	*state = settings_load(conf_path, NULL, NULL, NULL);
	return *state == NULL ? -1 : 0;
}

static int end(void **state)
{
	char command[64];

	settings_free(*state);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* ---- what must be true -------------------------------------------------------------------- */

/* The same for two tables that say the same. */
static uint64_t contents_of(const struct table *table)
{
	struct table_cursor cursor;
	struct table_pattern pattern;
	struct table_row row;
	uint64_t position = 0;
	uint64_t sum = 0;

	table_rows_begin(table, &cursor);
	while (table_next_row(table, &cursor, &row) == LOOKUP_FOUND) {
		uint64_t key = hash_key(row.is_catch_all ? bytes_of("") : row.local,
					hash_key(row.domain.name, row.domain.flags));
		struct table_target_cursor targets;
		struct table_target target;

		sum += hash_key(row.entry.reply, key + row.entry.kind);
		if (row.entry.kind != TABLE_ENTRY_TARGETS)
			continue;
		table_targets_begin(&row.entry, &targets);
		while (table_next_target(table, &targets, &target) == LOOKUP_FOUND)
			sum += hash_key(target.local, hash_key(target.domain.name, ++key));
	}
	while (table_next_pattern(table, &position, &pattern) == LOOKUP_FOUND)
		sum += hash_key(pattern.expression,
				hash_key(pattern.value, position * 256 + pattern.flags)) +
		       hash_key(pattern.domain, hash_key(pattern.exception, position));
	return sum;
}

static uint64_t contents; /* of the table that was made last */

/* Every compilation that ends well raises it. The table must be sound. */
static uint64_t generation(void)
{
	struct error err;
	struct table *table = table_open(table_path, (uid_t)-1, false, &err);
	uint64_t number;

	if (table == NULL)
		fail_msg("%s", err.text);
	assert_true(table_verify(table, &err));
	number = table_facts(table)->generation;
	contents = contents_of(table);
	table_close(table);
	return number;
}

static void assert_nothing_beside(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "test \"$(ls -A '%s' | wc -l)\" -eq 8", folder);
	assert_int_equal(system(command), 0);
}

/* False: it wasn't needed. */
static bool fails_without(struct settings *settings, unsigned long number, bool for_good)
{
	uint64_t before = generation();
	uint64_t right;
	char *messages;
	int status;

	fails_at = number;
	fails_for_good = for_good;
	calls = 0;
	status = compile(settings, &messages);
	fails_at = 0;
	if (status != EX_OK && (status != EX_OSERR || strstr(messages, "memory") == NULL))
		fail_msg("allocation %lu%s: status %d\n%s", number, for_good ? " and on" : "",
			 status, messages);
	right = contents;
	assert_int_equal(generation(), before + (status == EX_OK));
	if (contents != right)
		fail_msg("allocation %lu: another table\n%s", number, messages);
	if (status == EX_OK && strstr(messages, "error") != NULL)
		fail_msg("allocation %lu: %s", number, messages);
	free(messages);
	return status != EX_OK;
}

static void let_each_fail(void **state)
{
	unsigned long total, failed = 0;
	char *messages;

	if (compile(*state, &messages) != EX_OK)
		fail_msg("%s", messages);
	free(messages);
	calls = 0;
	assert_int_equal(compile(*state, &messages), EX_OK);
	free(messages);
	total = calls;
	assert_in_range(total, 30, 100000);
	for (unsigned long number = 1; number <= total; number++) {
		failed += fails_without(*state, number, false);
		assert_true(fails_without(*state, number, true));
	}
	/* Nearly all are needed. */
	assert_in_range(failed, total / 2, total);
	assert_nothing_beside();
}

static void each_allocation_may_fail(void **state)
{
	write_source("old");
	source_count = 1;
	let_each_fail(state);
}

static void each_allocation_for_patterns_may_fail(void **state)
{
	put(source_path, "alias.test x\nvirt.test x\n");
	source_count = 4;
	let_each_fail(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test(each_allocation_for_patterns_may_fail),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
