/* SPDX-License-Identifier: BSD-2-Clause */
/* What opening a table refuses before it looks anything up, and what a later program may add. */
#include "table/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table_image.h"

/* ---- one change each ---------------------------------------------------------------------- */

static void change_magic(struct image *image)
{
	image->bytes[HEADER_MAGIC + 7]++;
}

static void change_byte_order(struct image *image)
{
	le32_store(image->bytes + HEADER_BYTE_ORDER, 0x04030201);
}

static void come_from_the_future(struct image *image)
{
	le32_store(image->bytes + HEADER_VERSION, FORMAT_VERSION + 1);
}

static void change_length(struct image *image)
{
	image->bytes[HEADER_FILE_BYTES]++;
}

static void have_an_unknown_flag(struct image *image)
{
	le32_store(image->bytes + HEADER_FLAGS, HEADER_FLAGS_KNOWN + 1);
}

static void have_too_many_sections(struct image *image)
{
	le32_store(image->bytes + HEADER_SECTION_COUNT, FORMAT_SECTIONS_MAX + 1);
}

static void misalign_a_section(struct image *image)
{
	unsigned char *entry = image_section_entry(image, SECTION_RULES);

	le64_store(entry + SECTION_OFFSET, le64_load(entry + SECTION_OFFSET) + 8);
}

static void begin_in_the_header(struct image *image)
{
	le64_store(image_section_entry(image, SECTION_DATA) + SECTION_OFFSET,
		   FORMAT_HEADER_BYTES - FORMAT_SECTION_ALIGNMENT);
}

static void overlap(struct image *image)
{
	unsigned char *entry = image_section_entry(image, SECTION_DOMAINS);

	le64_store(entry + SECTION_OFFSET,
		   le64_load(image_section_entry(image, SECTION_DATA) + SECTION_OFFSET));
}

static void end_past_the_file(struct image *image)
{
	le64_store(image_section_entry(image, SECTION_PROVENANCE) + SECTION_LENGTH, image->size);
}

static void end_past_all_numbers(struct image *image)
{
	le64_store(image_section_entry(image, SECTION_PROVENANCE) + SECTION_LENGTH, UINT64_MAX);
}

static void begin_past_all_numbers(struct image *image)
{
	le64_store(image_section_entry(image, SECTION_PROVENANCE) + SECTION_OFFSET,
		   UINT64_MAX / FORMAT_SECTION_ALIGNMENT * FORMAT_SECTION_ALIGNMENT);
}

static void leave_no_padding(struct image *image)
{
	unsigned char *entry = image_section_entry(image, SECTION_PROVENANCE);

	le64_store(entry + SECTION_LENGTH, le64_load(entry + SECTION_LENGTH) + 4);
}

static void stand_twice(struct image *image)
{
	le32_store(image_section_entry(image, SECTION_SOURCES), SECTION_PROVENANCE);
}

static void need_something_unknown(struct image *image)
{
	unsigned char *entry = image_section_entry(image, SECTION_SOURCES);

	le32_store(entry + SECTION_NUMBER, 1000);
	le32_store(entry + SECTION_FLAGS, SECTION_FLAG_REQUIRED);
}

/* Lose a section: its number is unknown, and it isn't required. */
static void lose(struct image *image, uint32_t number)
{
	unsigned char *entry = image_section_entry(image, number);

	le32_store(entry + SECTION_NUMBER, 1000);
	le32_store(entry + SECTION_FLAGS, 0);
}

static void lose_data(struct image *image)
{
	lose(image, SECTION_DATA);
}

static void lose_domains(struct image *image)
{
	lose(image, SECTION_DOMAINS);
}

static void lose_index(struct image *image)
{
	lose(image, SECTION_DOMAIN_INDEX);
}

static void lose_directory(struct image *image)
{
	lose(image, SECTION_DIRECTORY);
}

static void lose_rules(struct image *image)
{
	lose(image, SECTION_RULES);
}

static void lose_canaries(struct image *image)
{
	lose(image, SECTION_CANARIES);
}

static void cut(struct image *image, uint32_t number, uint64_t length)
{
	le64_store(image_section_entry(image, number) + SECTION_LENGTH, length);
}

static void cut_directory(struct image *image)
{
	cut(image, SECTION_DIRECTORY, LINE_BYTES + 1);
}

static void cut_index(struct image *image)
{
	cut(image, SECTION_DOMAIN_INDEX, BUCKET_BYTES - 1);
}

static void cut_domains(struct image *image)
{
	cut(image, SECTION_DOMAINS, 12);
}

static void cut_data(struct image *image)
{
	cut(image, SECTION_DATA, 2);
}

static void cut_provenance(struct image *image)
{
	cut(image, SECTION_PROVENANCE, 4);
}

static void cut_rules(struct image *image)
{
	cut(image, SECTION_RULES, 7);
}

static void cut_canaries(struct image *image)
{
	cut(image, SECTION_CANARIES, 12);
}

static void cut_patterns(struct image *image)
{
	cut(image, SECTION_PATTERNS, 30);
}

static void count_too_many_patterns(struct image *image)
{
	le32_store(image_section(image, SECTION_PATTERNS), 0xffffffff);
}

static void break_a_pattern(struct image *image)
{
	unsigned char *rule = image_section(image, SECTION_PATTERNS) + 4;

	rule[20] = '('; /* where the first expression begins: its rule has no domain */
}

static void end_a_block_too_early(struct image *image)
{
	image_section(image, SECTION_PATTERNS)[4 + 4] = TABLE_PATTERN_ENDIF;
}

static void never_end_a_block(struct image *image)
{
	const size_t second_rule = 4 + 20 + strlen("^list-");

	image_section(image, SECTION_PATTERNS)[second_rule + 4] = TABLE_PATTERN_IF;
}

static const struct change {
	void (*make)(struct image *image);
	const char *complaint;
} changes[] = {
	{ change_magic, "not a table of rcptmap" },
	{ change_byte_order, "not a sound table: byte order" },
	{ come_from_the_future, "table of format version 2, this program knows 1" },
	{ change_length, "not a sound table: its length is not the one in its header" },
	{ have_an_unknown_flag, "table needs a newer program (unknown flag)" },
	{ have_too_many_sections, "not a sound table: too many sections" },
	{ misalign_a_section, "overlaps or ends past the file" },
	{ begin_in_the_header, "overlaps or ends past the file" },
	{ overlap, "overlaps or ends past the file" },
	{ end_past_the_file, "overlaps or ends past the file" },
	{ end_past_all_numbers, "overlaps or ends past the file" },
	{ begin_past_all_numbers, "overlaps or ends past the file" },
	{ leave_no_padding, "overlaps or ends past the file" },
	{ stand_twice, "not a sound table: a section stands twice" },
	{ need_something_unknown, "table needs a newer program (section 1000)" },
	{ lose_data, "size of the data" },
	{ lose_domains, "size of the domains" },
	{ lose_index, "size of the domain index" },
	{ lose_directory, "size of the directory" },
	{ lose_rules, "its rules can't be read" },
	{ lose_canaries, "its rules can't be read" },
	{ cut_directory, "size of the directory" },
	{ cut_index, "size of the domain index" },
	{ cut_domains, "size of the domains" },
	{ cut_data, "size of the data" },
	{ cut_provenance, "size of the provenance" },
	{ cut_rules, "its rules can't be read" },
	{ cut_canaries, "not a sound table: " },
	{ cut_patterns, "not a sound table: patterns" },
	{ count_too_many_patterns, "not a sound table: patterns" },
	{ break_a_pattern, "pattern: " },
	{ end_a_block_too_early, "not a sound table: endif without if" },
	{ never_end_a_block, "not a sound table: if without endif" },
};

static void each_change_is_named(void **state)
{
	struct image whole = image_with_everything();
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct image image = image_copy(&whole);
		struct error err = { .text = "nothing" };
		struct table *table;

		changes[i].make(&image);
		image_sum(&image);
		table = table_open_bytes(image_view(&image), &err);
		if (table != NULL || strstr(err.text, changes[i].complaint) == NULL ||
		    err.status != EX_DATAERR) {
			print_error("change %zu: %s; expected %s\n", i, err.text,
				    changes[i].complaint);
			failures++;
		}
		table_close(table);
		image_free(&image);
	}
	image_free(&whole);
	assert_int_equal(failures, 0);
}

static void checksums_are_told_apart(void **state)
{
	struct image image = image_with_everything();
	struct error err;

	(void)state;
	image.bytes[image.size - 1]++;
	assert_null(table_open_bytes(image_view(&image), &err));
	assert_string_equal(err.text, "not a sound table: checksum");
	image.bytes[HEADER_GENERATION]++;
	assert_null(table_open_bytes(image_view(&image), &err));
	assert_string_equal(err.text, "not a sound table: checksum of the header");
	image_free(&image);
}

/* What a later version adds and marks as not required, this one does without. */
static void unknown_sections_are_passed_over(void **state)
{
	struct image image = image_with_everything();
	struct table *table;

	(void)state;
	lose(&image, SECTION_PROVENANCE);
	image_sum(&image);
	table = image_open(&image);
	assert_false(table_facts(table)->has_provenance);
	table_close(table);
	image_free(&image);
}

static void the_rules_are_read(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	const struct table_rules *rules = table_rules(table);

	(void)state;
	assert_true(bytes_equal(rules->delimiters, bytes_of("+")));
	assert_true(bytes_equal(rules->origin, bytes_of("origin.test")));
	assert_int_equal(rules->dot_domain.size, 0);
	assert_true(rules->propagates_extension);
	assert_false(rules->keeps_dead_ends);
	assert_int_equal(table_facts(table)->generation, 7);
	assert_int_equal(table_facts(table)->created, 1700000000);
	assert_int_equal(table_facts(table)->size_bytes, image.size);
	assert_false(table_facts(table)->is_lenient);
	table_close(table);
	image_free(&image);
}

/* ---- files -------------------------------------------------------------------------------- */

static void put(const char *path, const struct image *image, size_t size)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(image->bytes, 1, size, stream), size);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static void files_are_opened_copied_and_mapped(void **state)
{
	char folder[] = "/tmp/test_header.XXXXXX";
	char path[64];
	struct image image = image_with_everything();
	struct table_facts facts;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	assert_null(table_open(path, (uid_t)-1, false, &err));
	assert_int_equal(err.status, EX_NOINPUT);
	assert_false(table_peek(path, &facts, &err));
	put(path, &image, image.size);
	for (int is_mapped = 0; is_mapped < 2; is_mapped++) {
		struct table *table = table_open(path, (uid_t)-1, is_mapped != 0, &err);

		assert_non_null(table);
		assert_non_null(table_identity(table));
		assert_memory_equal(table_bytes(table).data, image.bytes, image.size);
		table_close(table);
	}
	assert_true(table_peek(path, &facts, &err));
	assert_int_equal(facts.generation, 7);
	put(path, &image, image.size - 1);
	assert_null(table_open(path, (uid_t)-1, false, &err));
	assert_int_equal(err.status, EX_DATAERR);
	assert_non_null(strstr(err.text, path));
	put(path, &image, 100);
	assert_null(table_open(path, (uid_t)-1, false, &err));
	assert_false(table_peek(path, &facts, &err));
	assert_int_equal(err.status, EX_DATAERR);
	assert_int_equal(unlink(path) | rmdir(folder), 0);
	image_free(&image);
}

/* A writer gone wrong, or memory that failed before the sums were made. A line without its entries
 * would have each of their users refused. */
static void an_emptied_line_is_not_loaded(void **state)
{
	char folder[] = "/tmp/test_header.XXXXXX";
	char path[64];
	struct image image = image_with_everything();
	struct image whole;
	unsigned passing = 0;
	struct error err;

	(void)state;
	/* A large table has fewer canaries than lines. */
	le64_store(image_section_entry(&image, SECTION_CANARIES) + SECTION_LENGTH, 0);
	whole = image_copy(&image);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	for (uint64_t line = 0; line < image_lines(&image); line++) {
		struct table *table;

		memset(image_line(&image, line) + LINE_COUNTS, 0, LINE_BYTES - LINE_COUNTS);
		image_sum(&image);
		put(path, &image, image.size);
		for (enum table_load load = TABLE_COPIED; load <= TABLE_GUARDED; load++) {
			if (load == TABLE_UNPROVED)
				continue;
			assert_null(table_open(path, (uid_t)-1, load, &err));
			assert_int_equal(err.status, EX_DATAERR);
			assert_non_null(strstr(err.text, path));
			assert_non_null(strstr(err.text, "not a sound table"));
		}
		table = table_open(path, (uid_t)-1, TABLE_UNPROVED, &err);
		passing += table != NULL;
		table_close(table);
		memcpy(image.bytes, whole.bytes, image.size);
	}
	assert_true(passing > 0); /* of which sums and canaries saw nothing */
	assert_int_equal(unlink(path) | rmdir(folder), 0);
	image_free(&image);
	image_free(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_emptied_line_is_not_loaded),
		cmocka_unit_test(each_change_is_named),
		cmocka_unit_test(checksums_are_told_apart),
		cmocka_unit_test(unknown_sections_are_passed_over),
		cmocka_unit_test(the_rules_are_read),
		cmocka_unit_test(files_are_opened_copied_and_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
