/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build_rows - rows go through the builder, and what comes out is one text: of each domain what it
 * is and its entries, then the patterns, then what was reported. For tests of compile/.
 *
 *   a.test: alias                    declared in the settings or by a row
 *   ann@a.test = x@far.test          an entry
 *   far.test /expression/flags = value
 */
#ifndef TESTS_UNIT_BUILD_ROWS_H
#define TESTS_UNIT_BUILD_ROWS_H

#include "compile/builder.h"
#include "make_table.h"
#include "reported.h"
#include "scratch.h"
#include "show/print.h"
#include "show/sorted.h"

#define BUILD_PATH "/etc/source"

struct building {
	struct settings *settings;
	struct reported reported;
	struct builder builder;
	struct table_writer *writer;
	uint32_t line;
	char text[65536]; /* what came out */
};

static struct building building;

/* With these settings besides `origin = "o.test";`. False: the builder refused them. */
static inline bool building_try_begin(const char *more_settings, bool is_lenient)
{
	struct writer_options options = { .seed = 1,
					  .spill_directory = "/tmp",
					  .has_provenance = true };
	struct error err = { .text = "" };
	char conf[2000];

	building = (struct building){ .line = 0 };
	reported_begin(&building.reported);
	building.reported.report.is_lenient = is_lenient;
	(void)snprintf(conf, sizeof(conf), "origin = \"o.test\";\n%s", more_settings);
	scratch_put("conf", conf);
	building.settings = settings_load(scratch_path("conf"), NULL, NULL, &err);
	if (building.settings == NULL)
		fail_msg("%s", err.text);
	if (!builder_init(&building.builder, building.settings, &building.reported.report,
			  is_lenient))
		return false;
	options.rules = building.builder.rules;
	building.writer = table_writer_new(&options, &err);
	assert_non_null(building.writer);
	return builder_begin(&building.builder, building.writer);
}

static inline void building_begin(const char *more_settings, bool is_lenient)
{
	assert_true(building_try_begin(more_settings, is_lenient));
	assert_true(builder_source(&building.builder, BUILD_PATH));
}

/* Without looking at what came out. */
static inline void building_free(void)
{
	table_writer_free(building.writer);
	builder_free(&building.builder);
	reported_end(&building.reported);
	settings_free(building.settings);
}

/* One more row, on the next line. */
static inline bool building_add(struct source_row row)
{
	row.line = ++building.line;
	return builder_row(&building.builder, &row);
}

static inline void building_row(enum source_row_kind kind, const char *key, const char *value)
{
	assert_true(building_add((struct source_row){
		.kind = kind, .key = bytes_of(key), .value = bytes_of(value) }));
}

static inline void building_entry(const char *key, const char *value)
{
	building_row(SOURCE_ROW_ENTRY, key, value);
}

/* ---- what came out ------------------------------------------------------------------------ */

static inline void building_print_domain(const struct table *table, const struct sorted *sorted,
					 size_t number, struct buffer *out)
{
	const struct table_domain *domain = &sorted->domains[number];

	if ((domain->flags & (TABLE_DOMAIN_OURS | TABLE_DOMAIN_LOCAL)) != 0)
		buffer_append_format(out, BYTES_FORMAT ":%s%s%s\n", BYTES_ARGS(domain->name),
				     (domain->flags & TABLE_DOMAIN_ALIAS) != 0 ? " alias" : "",
				     (domain->flags & TABLE_DOMAIN_MAILBOX) != 0 ? " mailbox" : "",
				     (domain->flags & TABLE_DOMAIN_LOCAL) != 0 ? " local" : "");
	for (size_t i = sorted->first_keys[number]; i < sorted->first_keys[number + 1]; i++) {
		struct bytes local = sorted_local(&sorted->keys[i]);
		struct table_entry entry;

		assert_int_equal(sorted_find(table, domain, local, &entry), LOOKUP_FOUND);
		print_key(local, domain->name, out);
		buffer_append_text(out, " = ");
		assert_int_equal(print_value(table, &entry, out), LOOKUP_FOUND);
		buffer_append_byte(out, '\n');
	}
}

static inline void building_print_patterns(const struct table *table, struct buffer *out)
{
	struct table_pattern pattern;
	uint64_t position = 0;

	while (table_next_pattern(table, &position, &pattern) == LOOKUP_FOUND) {
		buffer_append(out, pattern.domain);
		buffer_append_text(out, pattern.domain.size > 0 ? " " : "");
		print_pattern_key(&pattern, out);
		buffer_append_text(out, pattern.kind == TABLE_PATTERN_RULE ? " = " : "");
		assert_int_equal(print_pattern_value(&pattern, out), LOOKUP_FOUND);
		buffer_append_byte(out, '\n');
	}
}

static inline void building_print(int fd, struct buffer *out)
{
	struct table *table = make_table_from_file(fd);
	struct sorted sorted;
	struct error err;

	assert_true(sorted_load(table, &sorted, &err));
	for (size_t i = 0; i < sorted.domain_count; i++)
		building_print_domain(table, &sorted, i, out);
	building_print_patterns(table, out);
	sorted_free(&sorted);
	table_close(table);
}

/* What is always there: origin and the addresses of this host. */
#define BUILD_OWN "[127.0.0.1]: local\n[ipv6:::1]: local\no.test: local\n"

/* Make the table, and the text; end. What is in BUILD_OWN is left out. */
static inline const char *building_end(void)
{
	int fd = memfd_create("table", MFD_CLOEXEC);
	struct buffer out;
	bool wants_seed;
	struct error err;

	assert_true(builder_end(&building.builder));
	assert_true(table_writer_finish(building.writer, fd, NULL, NULL, &wants_seed, &err));
	buffer_init(&out, 1 << 20);
	building_print(fd, &out);
	assert_int_equal(close(fd), 0);
	buffer_append_text(&out, reported_since(&building.reported));
	assert_true(!out.has_failed && out.size < sizeof(building.text));
	building.text[0] = '\0';
	for (const char *line = out.data; line != NULL && *line != '\0';) {
		const char *next = strchr(line, '\n') + 1;
		char copy[sizeof(building.text)];

		(void)snprintf(copy, sizeof(copy), "%.*s", (int)(next - line), line);
		if (strstr(BUILD_OWN, copy) == NULL)
			strcat(building.text, copy);
		line = next;
	}
	buffer_free(&out);
	building_free();
	return building.text;
}

/* One row of KIND makes EXPECTED. */
static inline void building_gives_at(enum source_row_kind kind, bool is_lenient, const char *key,
				     const char *value, const char *expected, const char *file,
				     int line)
{
	building_begin("", is_lenient);
	building_row(kind, key, value);
	if (strcmp(building_end(), expected) != 0) {
		print_error("%s %s\ngives\n%sand not\n%s", key, value, building.text, expected);
		_fail(file, line);
	}
}

#define entry_gives(key, value, expected)                                                          \
	building_gives_at(SOURCE_ROW_ENTRY, false, key, value, expected, __FILE__, __LINE__)
#define lenient_entry_gives(key, value, expected)                                                  \
	building_gives_at(SOURCE_ROW_ENTRY, true, key, value, expected, __FILE__, __LINE__)
#define row_gives(kind, key, value, expected)                                                      \
	building_gives_at(kind, false, key, value, expected, __FILE__, __LINE__)

#endif
