/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that go the short way make the same table and the same messages as if they went the other.
 */
#include "compile/row_plain.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "compile/row_targets.h"

enum { TABLES = 3000, ROWS_MOST = 12, VALUE_BYTES = 1024 };

static uint64_t random_state = 1;

static unsigned draw(unsigned below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(random_state >> 33) % below;
}

static const char *pick(const char *const *texts, size_t count)
{
	return texts[draw((unsigned)count)];
}

#define PICK(texts) pick(texts, sizeof(texts) / sizeof((texts)[0]))

/* ---- rows --------------------------------------------------------------------------------- */

struct made {
	char key[100];
	char value[VALUE_BYTES];
};

static const char *const users[] = { "ann",   "bob.b",
				     "Carl",  "d-e",
				     "f_g+h", "o'neil",
				     "u1",    "a.user.with.a.long.name.of.40.characters" };
static const char *const odd[] = {
	"\"q x\"",
	"a..b",
	".a",
	"-a",
	"a.",
	"#a",
	"|cmd",
	"/file",
	":include:/x",
	"a%b",
	"a!b",
	"a@b@c.test",
	"<ann@far.test>",
	"Ann <ann@far.test>",
	"(x)",
	"\303\274ser",
	"a;b",
	"@",
	"@other.test",
	"ann@",
	"ann@nodot",
	"ann@Far.test",
	"ann@far.test.",
	"ann@[1.2.3.4]",
	"ann@[127.0.0.1]",
	"ann@-x.test",
	"ann@x..test",
	"ann@1.2",
	"ann@m\303\274.test",
	"ann@a_b.test",
	"ann\"",
	"ann>",
	"a=b",
	"a/b",
	"{x}",
	"a-user-that-is-longer-than-sixty-four-bytes.a-user-that-is-long@far.test",
};
static const char *const hosts[] = { "far.test", "alias.test", "other.test", "mail.far.test",
				     "origin.test" };
static const char *const gaps[] = { ", ", ",", " ", "\t", ",,", " , ", "  " };

static void append(char *value, const char *text)
{
	if (strlen(value) + strlen(text) < VALUE_BYTES)
		strcat(value, text);
}

static void append_target(char *value, bool may_be_odd)
{
	if (may_be_odd && draw(6) == 0) {
		append(value, PICK(odd));
		return;
	}
	append(value, PICK(users));
	if (draw(5) == 0)
		return;
	append(value, "@");
	append(value, PICK(hosts));
}

static void make_row(struct made *made, unsigned number, bool may_be_odd)
{
	static const char *const keys[] = { "alias.test", "alias.test", "other.test",
					    "third.test" };
	unsigned targets = draw(3) > 0 ? 1 : 1 + draw(12);

	(void)snprintf(made->key, sizeof(made->key), "%s%u@%s", draw(2) == 0 ? "u" : "key.", number,
		       PICK(keys));
	made->value[0] = '\0';
	append(made->value, draw(20) == 0 ? ", " : "");
	for (unsigned i = 0; i < targets; i++) {
		append(made->value, i == 0 ? "" : PICK(gaps));
		append_target(made->value, may_be_odd);
	}
	if (draw(10) == 0)
		append(made->value, ",");
}

/* ---- tables ------------------------------------------------------------------------------- */

/* What came of the rows. */
struct outcome {
	char *messages;
	size_t errors;
	char *table; /* NULL: none was made */
	size_t size;
};

static char folder[] = "/tmp/test_row_plain.XXXXXX";

static void finish(struct table_writer *writer, struct outcome *outcome)
{
	int fd = memfd_create("table", MFD_CLOEXEC);
	struct stat status;
	bool wants_seed;
	struct error err;

	assert_true(fd >= 0);
	assert_true(table_writer_finish(writer, fd, NULL, NULL, &wants_seed, &err));
	assert_int_equal(fstat(fd, &status), 0);
	outcome->size = (size_t)status.st_size;
	outcome->table = malloc(outcome->size);
	assert_non_null(outcome->table);
	assert_int_equal(pread(fd, outcome->table, outcome->size, 0), status.st_size);
	assert_int_equal(close(fd), 0);
}

/* The thorough way, for targets; keys of plain rows need none. */
static void add_thoroughly(struct builder *builder, const struct source_row *row)
{
	struct writer_entry entry = {
		.kind = TABLE_ENTRY_TARGETS,
		.global_line = row->line + 1,
	};
	struct plain_address key;
	bool is_usable;

	assert_int_equal(plain_address(row->key, bytes_make(NULL, 0), &key), row->key.size);
	entry.local = key.local;
	entry.domain = writer_domain(builder->writer, key.domain);
	assert_true(
		row_targets_encode(builder, &entry, row->value, "/source", row->line, &is_usable));
	if (is_usable)
		assert_true(writer_add(builder->writer, &entry));
}

static struct outcome compile(const struct settings *settings, const struct made *rows,
			      unsigned count, bool is_lenient, bool is_short)
{
	struct outcome outcome = { .table = NULL };
	struct report report;
	struct builder builder;
	struct error err;
	size_t size;
	struct writer_options options = {
		.seed = 5,
		.spill_directory = "/tmp",
		.has_provenance = true,
	};
	struct table_writer *writer;

	report_init(&report, open_memstream(&outcome.messages, &size));
	assert_true(builder_init(&builder, settings, &report, is_lenient));
	options.rules = builder.rules;
	writer = table_writer_new(&options, &err);
	assert_non_null(writer);
	assert_true(builder_begin(&builder, writer));
	assert_true(builder_source(&builder, "/source"));
	for (unsigned i = 0; i < count; i++) {
		struct source_row row = {
			.kind = SOURCE_ROW_ENTRY,
			.key = bytes_of(rows[i].key),
			.value = bytes_of(rows[i].value),
			.line = i + 1,
		};

		if (is_short)
			assert_true(builder_row(&builder, &row));
		else
			add_thoroughly(&builder, &row);
	}
	assert_true(builder_end(&builder));
	outcome.errors = report.errors;
	if (report.errors == 0)
		finish(writer, &outcome);
	table_writer_free(writer);
	builder_free(&builder);
	assert_int_equal(fclose(report.stream), 0);
	report_free(&report);
	return outcome;
}

static void free_outcome(struct outcome *outcome)
{
	free(outcome->messages);
	free(outcome->table);
}

static void check_rows(const struct settings *settings, bool may_be_odd, unsigned *tables)
{
	struct made rows[ROWS_MOST];
	unsigned count = 1 + draw(ROWS_MOST);
	bool is_lenient = draw(4) == 0;
	struct outcome a, b;

	for (unsigned i = 0; i < count; i++)
		make_row(&rows[i], i, may_be_odd);
	a = compile(settings, rows, count, is_lenient, true);
	b = compile(settings, rows, count, is_lenient, false);
	assert_string_equal(a.messages, b.messages);
	assert_int_equal(a.errors, b.errors);
	assert_int_equal(a.size, b.size);
	if (a.table != NULL)
		assert_memory_equal(a.table, b.table, a.size);
	*tables += a.table != NULL;
	free_outcome(&a);
	free_outcome(&b);
}

static struct settings *load(const char *text)
{
	char path[PATH_MAX];
	struct settings *settings;
	struct error err;
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s/conf", folder);
	stream = fopen(path, "w");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, 0640), 0);
	settings = settings_load(path, NULL, NULL, &err);
	if (settings == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(unlink(path), 0);
	return settings;
}

static void both_ways_are_the_same(void **state)
{
	struct settings *plain = load("origin = \"origin.test\";\n");
	struct settings *completing = load("origin = \"origin.test\";\n"
					   "append_dot_domain = \"dot.test\";\n"
					   "alias_domains = [ \"nodot\" ];\n");
	unsigned tables = 0;

	(void)state;
	for (unsigned i = 0; i < TABLES; i++)
		check_rows(i % 2 == 0 ? plain : completing, i % 3 != 0, &tables);
	assert_in_range(tables, TABLES / 3, TABLES * 2 / 3);
	settings_free(plain);
	settings_free(completing);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_are_the_same),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
