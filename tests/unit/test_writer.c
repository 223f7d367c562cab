/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table/verify.h"
#include "table_image.h"

static void assert_sound(const struct image *image)
{
	struct table *table = image_open(image);
	struct error err;

	if (!table_verify(table, &err))
		fail_msg("%s", err.text);
	table_close(table);
}

static void assert_same(const struct image *a, const struct image *b)
{
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->bytes, b->bytes, a->size);
}

/* The one target of KEY at a.test, as `local`. */
static void assert_leads_to(const struct image *image, const char *key, const char *local)
{
	struct table *table = image_open(image);
	struct table_domain domain;
	struct table_entry entry;
	struct table_target_cursor cursor;
	struct table_target target;

	assert_int_equal(table_find_domain(table, bytes_of("a.test"), &domain), LOOKUP_FOUND);
	assert_int_equal(table_find(table, &domain, bytes_of(key), &entry), LOOKUP_FOUND);
	table_targets_begin(&entry, &cursor);
	assert_int_equal(table_next_target(table, &cursor, &target), LOOKUP_FOUND);
	assert_true(bytes_equal(target.local, bytes_of(local)));
	assert_int_equal(table_next_target(table, &cursor, &target), LOOKUP_ABSENT);
	table_close(table);
}

/* ---- duplicates --------------------------------------------------------------------------- */

static void of_two_the_first_counts(void **state)
{
	struct build build = { .seed = 1 };
	struct image image;

	(void)state;
	build_begin(&build);
	build_add(&build, "k@a.test", "first@b.test");
	build_add(&build, "x@a.test", "other@b.test");
	build_add(&build, "k@a.test", "second@b.test");
	image = build_end(&build);
	assert_int_equal(build.duplicates, 1);
	assert_int_equal(build.kept_line, 1);
	assert_int_equal(build.dropped_line, 3);
	assert_int_equal(le64_load(image.bytes + HEADER_ENTRIES), 2);
	assert_int_equal(le64_load(image.bytes + HEADER_TARGETS), 2);
	assert_leads_to(&image, "k", "first");
	assert_sound(&image);
	image_free(&image);
}

static void one_that_yields_gives_way_in_silence(void **state)
{
	(void)state;
	for (int yielding = 0; yielding < 8; yielding++) {
		/* Which of three entries yield: the first that doesn't counts, or else the first.
		 */
		static const char *const winner[] = {
			"t0", "t1", "t0", "t2", "t0", "t1", "t0", "t0"
		};
		static const unsigned duplicates[] = { 2, 1, 1, 0, 1, 0, 0, 0 };
		struct build build = { .seed = 1 };
		struct image image;

		build_begin(&build);
		for (int i = 0; i < 3; i++) {
			char target[24];

			(void)snprintf(target, sizeof(target), "t%d@b.test", i);
			build_add_entry(&build, "k@a.test", target, (yielding >> i & 1) != 0);
		}
		image = build_end(&build);
		assert_leads_to(&image, "k", winner[yielding]);
		assert_int_equal(build.duplicates, duplicates[yielding]);
		assert_sound(&image);
		image_free(&image);
	}
}

static void of_two_catch_alls_the_first_counts(void **state)
{
	struct build build = { .seed = 1 };
	struct image image;
	struct table *table;
	struct table_domain domain;
	struct table_entry entry;

	(void)state;
	build_begin(&build);
	build_add(&build, "@a.test", "discard:");
	build_add(&build, "@b.test", "c@d.test");
	build_add(&build, "@a.test", "x@d.test");
	image = build_end(&build);
	assert_int_equal(build.duplicates, 1);
	assert_int_equal(build.kept_line, 1);
	assert_int_equal(build.dropped_line, 3);
	table = image_open(&image);
	assert_int_equal(table_find_domain(table, bytes_of("a.test"), &domain), LOOKUP_FOUND);
	assert_int_equal(table_find_catch_all(table, &domain, &entry), LOOKUP_FOUND);
	assert_int_equal(entry.kind, TABLE_ENTRY_DISCARD);
	assert_int_equal(table_facts(table)->entries, 2);
	table_close(table);
	assert_sound(&image);
	image_free(&image);
}

static void one_that_yields_is_no_catch_all_beside_another(void **state)
{
	(void)state;
	for (int yielding = 0; yielding < 4; yielding++) {
		static const char *const winner[] = { "t0", "t1", "t0", "t0" };
		struct build build = { .seed = 1 };
		struct table_target_cursor cursor;
		struct table_target target;
		struct table_domain domain;
		struct table_entry entry;
		struct image image;
		struct table *table;

		build_begin(&build);
		for (int i = 0; i < 2; i++)
			build_add_entry(&build, "@a.test", i == 0 ? "t0@b.test" : "t1@b.test",
					(yielding >> i & 1) != 0);
		image = build_end(&build);
		table = image_open(&image);
		assert_int_equal(table_find_domain(table, bytes_of("a.test"), &domain),
				 LOOKUP_FOUND);
		assert_int_equal(table_find_catch_all(table, &domain, &entry), LOOKUP_FOUND);
		table_targets_begin(&entry, &cursor);
		assert_int_equal(table_next_target(table, &cursor, &target), LOOKUP_FOUND);
		assert_true(bytes_equal(target.local, bytes_of(winner[yielding])));
		assert_int_equal(build.duplicates, yielding == 0);
		table_close(table);
		assert_sound(&image);
		image_free(&image);
	}
}

static void equal_ones_are_told_from_others(void **state)
{
	static const char *const values[][2] = {
		{ "t@b.test", "t@b.test" },
		{ "t@b.test, u@b.test", "t@b.test, u@b.test" },
		{ "reply:550 5.2.1 No", "reply:550 5.2.1 No" },
		{ "discard:", "discard:" },
		{ "t@b.test", "u@b.test" },
		{ "t@b.test, u@b.test", "u@b.test, t@b.test" },
		{ "t@b.test", "t@b.test, t@b.test" },
		{ "discard:", "reply:" },
		{ "reply:550 5.2.1 No", "reply:550 5.2.2 No" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct build build = { .seed = 1 };
		struct image image;

		build_begin(&build);
		for (int j = 0; j < 2; j++) {
			build_add(&build, "k@a.test", values[i][j]);
			build_add(&build, "@a.test", values[i][j]);
		}
		image = build_end(&build);
		assert_int_equal(build.duplicates, 2);
		assert_int_equal(build.equals, i < 4 ? 2 : 0);
		image_free(&image);
	}
}

/* Duplicates must not make a cluster look full. */
static void a_thousand_times_the_same(void **state)
{
	struct build build = { .seed = 1 };
	struct image image;

	(void)state;
	build_begin(&build);
	for (int i = 0; i < 1000; i++)
		build_add(&build, "k@a.test", i == 0 ? "t0@b.test" : "t@b.test");
	image = build_end(&build);
	assert_int_equal(build.duplicates, 999);
	assert_leads_to(&image, "k", "t0");
	assert_sound(&image);
	image_free(&image);
}

/* ---- partitions --------------------------------------------------------------------------- */

static struct image build_many(unsigned count, uint64_t expected_bytes)
{
	struct build build = { .seed = 99, .expected_bytes = expected_bytes };
	struct image image;

	build_begin(&build);
	for (unsigned i = 0; i < count; i++) {
		char key[40], value[80];

		/* Every seventh stands twice, every hundredth has a list. */
		(void)snprintf(key, sizeof(key), "user%u@d%u.test", i % 7 == 6 ? i - 1 : i,
			       (i % 7 == 6 ? i - 1 : i) % 50);
		(void)snprintf(value, sizeof(value),
			       i % 100 == 0 ? "reply:550 5.2.1 No %u" : "target%u@dest.test", i);
		build_add(&build, key, value);
	}
	build_add(&build, "@d0.test", "catch@dest.test");
	image = build_end(&build);
	assert_int_equal(build.duplicates, count / 7);
	return image;
}

/* From one partition to 4096: lines and clusters lie across their borders. */
static void partitions_leave_no_trace(void **state)
{
	static const unsigned counts[] = { 1, 29, 30, 31, 1000, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct image one = build_many(counts[i], 0);

		assert_sound(&one);
		for (unsigned bits = 21; bits <= 34; bits += counts[i] > 1000 ? 6 : 1) {
			struct image many = build_many(counts[i], UINT64_C(1) << bits);

			assert_same(&one, &many);
			image_free(&many);
		}
		image_free(&one);
	}
}

enum { SPILLING = 5000 }; /* entries: a few chunks in one partition, none full in 4096 */

static bool fill(struct build *build, struct image *out_image)
{
	bool is_added = true;

	build_begin(build);
	for (unsigned i = 0; i < SPILLING && is_added; i++) {
		char key[40];

		(void)snprintf(key, sizeof(key), "user%u@a.test", i);
		is_added = build_add(build, key, "target@dest.test");
	}
	return build_try_end(build, out_image);
}

static void spilling_leaves_no_trace(void **state)
{
	struct build spilled = { .seed = 4 };
	struct build in_memory = { .seed = 4,
				   .expected_bytes = UINT64_C(1) << 40,
				   .spill_directory = "/nonexistent" };
	struct build fails = { .seed = 4, .spill_directory = "/nonexistent" };
	struct image a, b, c;

	(void)state;
	assert_true(fill(&spilled, &a));
	assert_true(fill(&in_memory, &b));
	assert_same(&a, &b);
	assert_sound(&a);
	/* It did spill: where it can't, it fails. */
	assert_false(fill(&fails, &c));
	assert_false(fails.wants_seed);
	assert_int_equal(fails.err.status, EX_CANTCREAT);
	image_free(&a);
	image_free(&b);
}

static void the_same_input_makes_the_same_bytes(void **state)
{
	struct image a = image_with_everything();
	struct image b = image_with_everything();

	(void)state;
	assert_same(&a, &b);
	assert_sound(&a);
	image_free(&a);
	image_free(&b);
}

/* ---- too much ----------------------------------------------------------------------------- */

/* COUNT keys that share one line of LINES, and one cluster if IS_ONE_CLUSTER. */
static void add_colliding(struct build *build, unsigned count, uint64_t lines, size_t size,
			  bool is_one_cluster)
{
	for (unsigned i = 0, found = 0; found < count; i++) {
		char local[KEY_LOCAL_MAX + 1], key[KEY_LOCAL_MAX + 16];
		struct image_place place;

		(void)snprintf(local, sizeof(local), "%0*u", (int)size, i);
		place = place_of(local, "a.test", build->seed, lines);
		if (place.line != 0 || (is_one_cluster && place.number != 0))
			continue;
		found++;
		(void)snprintf(key, sizeof(key), "%s@a.test", local);
		build_add(build, key, "t@b.test");
	}
}

static void a_cluster_takes_255_and_no_more(void **state)
{
	(void)state;
	for (unsigned count = 255; count <= 256; count++) {
		struct build build = { .seed = 21 };
		struct image image;

		build_begin(&build);
		add_colliding(&build, count, 9, 5, true);
		if (count <= 255) {
			image = build_end(&build);
			assert_int_equal(image_lines(&image), 9);
			assert_sound(&image);
			image_free(&image);
			continue;
		}
		assert_false(build_try_end(&build, &image));
		assert_true(build.wants_seed);
	}
}

/* 255 keys in one cluster, for the clusters of a whole line, would be over 65,535 bytes. */
static void a_line_takes_65535_bytes_and_no_more(void **state)
{
	(void)state;
	for (unsigned count = 255; count <= 270; count += 15) {
		struct build build = { .seed = 22 };
		struct image image;

		build_begin(&build);
		/* A record of 4 + 240 + 5 bytes and its length. */
		add_colliding(&build, count, count / LINE_ENTRIES + 1, KEY_LOCAL_MAX, false);
		if (count * 250 < 65000) {
			image = build_end(&build);
			assert_sound(&image);
			image_free(&image);
			continue;
		}
		assert_false(build_try_end(&build, &image));
		assert_true(build.wants_seed);
	}
}

/* The same keys under another seed. */
static void another_seed_helps(void **state)
{
	struct build build = { .seed = 21 };
	struct image image;

	(void)state;
	build_begin(&build);
	build.seed = 20; /* for which they are chosen */
	add_colliding(&build, 256, 9, 5, true);
	image = build_end(&build);
	assert_sound(&image);
	image_free(&image);
}

static void a_key_that_is_too_long_is_refused(void **state)
{
	struct build build = { .seed = 1 };
	char key[KEY_LOCAL_MAX + 16];
	struct image image;

	(void)state;
	build_begin(&build);
	(void)snprintf(key, sizeof(key), "%0*d@a.test", (int)KEY_LOCAL_MAX + 1, 0);
	assert_false(build_add(&build, key, "t@b.test"));
	assert_false(build_try_end(&build, &image));
	assert_int_equal(build.err.status, EX_DATAERR);
	assert_false(build.wants_seed);
}

static void a_domain_that_is_too_long_is_refused(void **state)
{
	struct build build = { .seed = 1 };
	char name[300];
	struct image image;

	(void)state;
	memset(name, 'd', sizeof(name));
	build_begin(&build);
	assert_int_not_equal(writer_domain(build.writer, bytes_make(name, 255)), 0);
	assert_int_equal(writer_domain(build.writer, bytes_make(name, 256)), 0);
	assert_false(build_try_end(&build, &image));
}

static void a_million_domains(void **state)
{
	const unsigned domains = 1000000 / try_every();
	struct build build = { .seed = 31, .expected_bytes = domains * 40ul };
	struct image image;
	struct table *table;

	(void)state;
	build_begin(&build);
	for (unsigned i = 0; i < domains; i++) {
		char key[40];

		(void)snprintf(key, sizeof(key), "k@d%u.test", i);
		build_add(&build, key, "t@far.test");
	}
	image = build_end(&build);
	assert_sound(&image);
	table = image_open(&image);
	for (unsigned i = 0; i < domains + 1000; i++) {
		struct table_domain domain;
		struct table_entry entry;
		char name[40];

		(void)snprintf(name, sizeof(name), "d%u.test", i);
		assert_int_equal(table_find_domain(table, bytes_of(name), &domain),
				 i < domains ? LOOKUP_FOUND : LOOKUP_ABSENT);
		if (i < domains)
			assert_int_equal(table_find(table, &domain, bytes_of("k"), &entry),
					 LOOKUP_FOUND);
	}
	table_close(table);
	image_free(&image);
}

/* DOMAINS has room for 2^24 - 1 units of 8 bytes. */
static void more_domains_than_there_is_room_for(void **state)
{
	enum {
		RECORD_UNITS = (DOMAIN_NAME + 255 + 1 + DOMAIN_UNIT - 1) / DOMAIN_UNIT,
		FIT = DOMAIN_REF_MAX / RECORD_UNITS
	};
	struct build build = { .seed = 32 };
	struct image image;
	char name[256];
	unsigned count = 0;

	(void)state;
	if (try_every() > 1)
		skip();
	memset(name, 'd', sizeof(name));
	build_begin(&build);
	do {
		(void)snprintf(name, 11, "%010u", count);
		name[10] = 'd';
	} while (writer_domain(build.writer, bytes_make(name, 255)) != 0 && count++ <= FIT);
	assert_in_range(count, FIT - 2, FIT);
	assert_int_equal(table_writer_error(build.writer)->status, EX_DATAERR);
	assert_false(build_try_end(&build, &image));
	assert_int_equal(build.err.status, EX_DATAERR);
	assert_string_equal(build.err.text, "no room for more domains");
}

static void rules_that_are_too_long_are_refused(void **state)
{
	char delimiters[FORMAT_HEADER_BYTES + 2];
	struct build build = { .seed = 1, .delimiters = delimiters };
	struct image image;

	(void)state;
	memset(delimiters, '+', sizeof(delimiters));
	delimiters[sizeof(delimiters) - 1] = '\0';
	build_begin(&build);
	assert_false(build_try_end(&build, &image));
	assert_int_equal(build.err.status, EX_DATAERR);
	assert_false(build.wants_seed);
}

/* Nobody is left to take the bytes. */
static void a_full_disk_is_told(void **state)
{
	struct build build = { .seed = 1 };
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	build_begin(&build);
	build_add(&build, "a@b.test", "t@b.test");
	assert_false(
		table_writer_finish(build.writer, fd, NULL, NULL, &build.wants_seed, &build.err));
	assert_int_equal(build.err.status, EX_IOERR);
	assert_false(build.wants_seed);
	table_writer_free(build.writer);
	(void)close(fd); /* nothing was written */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_the_first_counts),
		cmocka_unit_test(one_that_yields_gives_way_in_silence),
		cmocka_unit_test(of_two_catch_alls_the_first_counts),
		cmocka_unit_test(one_that_yields_is_no_catch_all_beside_another),
		cmocka_unit_test(equal_ones_are_told_from_others),
		cmocka_unit_test(a_thousand_times_the_same),
		cmocka_unit_test(partitions_leave_no_trace),
		cmocka_unit_test(spilling_leaves_no_trace),
		cmocka_unit_test(the_same_input_makes_the_same_bytes),
		cmocka_unit_test(a_cluster_takes_255_and_no_more),
		cmocka_unit_test(a_line_takes_65535_bytes_and_no_more),
		cmocka_unit_test(another_seed_helps),
		cmocka_unit_test(a_key_that_is_too_long_is_refused),
		cmocka_unit_test(a_domain_that_is_too_long_is_refused),
		cmocka_unit_test(a_million_domains),
		cmocka_unit_test(more_domains_than_there_is_room_for),
		cmocka_unit_test(rules_that_are_too_long_are_refused),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
