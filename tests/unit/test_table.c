/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table_image.h"

#include "base/buffer.h"

static enum lookup find(const struct table *table, const char *local, const char *domain_name,
			struct table_entry *out_entry)
{
	struct table_domain domain;
	enum lookup outcome = table_find_domain(table, bytes_of(domain_name), &domain);

	return outcome == LOOKUP_FOUND ? table_find(table, &domain, bytes_of(local), out_entry)
				       : outcome;
}

static bool add_target(const struct table *table, struct table_target_cursor *cursor,
		       struct buffer *text, enum lookup *out_outcome)
{
	struct table_target target;

	*out_outcome = table_next_target(table, cursor, &target);
	if (*out_outcome != LOOKUP_FOUND)
		return false;
	if (text->size > 0)
		buffer_append_byte(text, ',');
	buffer_append(text, target.local);
	buffer_append_byte(text, '@');
	buffer_append(text, target.domain.name);
	assert_true(!target.keeps_user || target.local.size == 0);
	return true;
}

/* All targets of ENTRY as text; the caller frees it. */
static struct buffer targets_of(const struct table *table, const struct table_entry *entry)
{
	struct table_target_cursor cursor;
	struct buffer text;
	enum lookup outcome;

	buffer_init(&text, SIZE_MAX / 4);
	table_targets_begin(entry, &cursor);
	while (add_target(table, &cursor, &text, &outcome))
		;
	assert_int_equal(outcome, LOOKUP_ABSENT);
	buffer_append_byte(&text, '\0');
	return text;
}

static void assert_targets(const struct table *table, const char *local, const char *domain,
			   const char *expected)
{
	struct table_entry entry;
	struct buffer text;

	assert_int_equal(find(table, local, domain, &entry), LOOKUP_FOUND);
	assert_int_equal(entry.kind, TABLE_ENTRY_TARGETS);
	text = targets_of(table, &entry);
	assert_string_equal(text.data, expected);
	buffer_free(&text);
}

/* ---- what is there, and what is not ------------------------------------------------------- */

static void finds_one_of_each_kind(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	struct table_entry entry;

	(void)state;
	assert_targets(table, "filler7", "d7.test", "somebody@dest.test");
	assert_targets(table, "moved", "alias.test", "@mailbox.test");
	assert_targets(table, "self", "mailbox.test", "self@mailbox.test");
	assert_targets(table, "user+ext", "ext.test", "Mixed.Case@ext.test,user@ext.test");
	assert_targets(table, "bare", "", "bare@dest.test");
	assert_targets(table, "a b", "alias.test", "c d@dest.test");
	assert_targets(table, "m\303\274ller", "xn--mller-kva.test", "M\303\274ller@dest.test");
	assert_targets(table, "near", "alias.test", "other@alias.test,near@alias.test");
	assert_int_equal(find(table, "refused", "alias.test", &entry), LOOKUP_FOUND);
	assert_int_equal(entry.kind, TABLE_ENTRY_REPLY);
	assert_true(bytes_equal(entry.reply, bytes_of("550 5.2.1 Mailbox disabled")));
	assert_int_equal(find(table, "dropped", "alias.test", &entry), LOOKUP_FOUND);
	assert_int_equal(entry.kind, TABLE_ENTRY_DISCARD);
	table_close(table);
	image_free(&image);
}

static void finds_no_more_than_that(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	struct table_entry entry;

	(void)state;
	/* The right user in another domain, the wrong case, a part, more, none, far too much. */
	assert_int_equal(find(table, "filler7", "d8.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "Filler7", "d7.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "filler", "d7.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "filler77", "d7.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "", "d7.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "bare", "alias.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "filler7", "d7.tes", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "filler7", "D7.test", &entry), LOOKUP_ABSENT);
	/* Interned, but the domain of targets alone. */
	assert_int_equal(find(table, "somebody", "dest.test", &entry), LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

static void finds_by_length_up_to_the_longest(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	char local[1000];
	struct table_entry entry;

	(void)state;
	for (size_t size = KEY_LOCAL_MAX - 1; size <= KEY_LOCAL_MAX + 20; size++) {
		memset(local, 'x', size);
		local[size] = '\0';
		assert_int_equal(find(table, local, "alias.test", &entry),
				 size == KEY_LOCAL_MAX ? LOOKUP_FOUND : LOOKUP_ABSENT);
	}
	memset(local, 'x', sizeof(local));
	local[sizeof(local) - 1] = '\0';
	assert_int_equal(find(table, local, "alias.test", &entry), LOOKUP_ABSENT);
	assert_int_equal(find(table, "a", local, &entry), LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

static void catch_alls_stand_beside_the_keys(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	struct table_domain domain;
	struct table_entry entry;
	struct buffer text;

	(void)state;
	assert_int_equal(table_find_domain(table, bytes_of("all.test"), &domain), LOOKUP_FOUND);
	assert_int_equal(domain.flags, TABLE_DOMAIN_CATCH_ALL | TABLE_DOMAIN_PROBED);
	assert_int_equal(table_find_catch_all(table, &domain, &entry), LOOKUP_FOUND);
	text = targets_of(table, &entry);
	assert_string_equal(text.data, "catcher@dest.test,second@dest.test");
	buffer_free(&text);
	assert_int_equal(table_find_domain(table, bytes_of("refused.test"), &domain), LOOKUP_FOUND);
	assert_int_equal(table_find_catch_all(table, &domain, &entry), LOOKUP_FOUND);
	assert_int_equal(entry.kind, TABLE_ENTRY_REPLY);
	assert_true(bytes_equal(entry.reply, bytes_of("450 4.2.0 Later")));
	assert_int_equal(table_find_domain(table, bytes_of("alias.test"), &domain), LOOKUP_FOUND);
	assert_int_equal(table_find_catch_all(table, &domain, &entry), LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

static unsigned flags_of(const struct table *table, const char *name)
{
	struct table_domain domain;

	if (table_find_domain(table, bytes_of(name), &domain) != LOOKUP_FOUND)
		return 0;
	assert_true(bytes_equal(domain.name, bytes_of(name)));
	return domain.flags;
}

static void domains_say_what_they_are_for(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);

	(void)state;
	assert_int_equal(flags_of(table, "alias.test"), TABLE_DOMAIN_ALIAS | TABLE_DOMAIN_PROBED);
	assert_int_equal(flags_of(table, "declared.test"),
			 TABLE_DOMAIN_ALIAS | TABLE_DOMAIN_PROBED);
	assert_int_equal(flags_of(table, "mailbox.test"),
			 TABLE_DOMAIN_MAILBOX | TABLE_DOMAIN_PROBED);
	assert_int_equal(flags_of(table, "ext.test"),
			 TABLE_DOMAIN_EXTENSIONS | TABLE_DOMAIN_PROBED);
	assert_int_equal(flags_of(table, "origin.test"), TABLE_DOMAIN_LOCAL | TABLE_DOMAIN_PROBED);
	assert_int_equal(flags_of(table, "dest.test"), 0);
	assert_int_equal(table_facts(table)->domains, 3);
	table_close(table);
	image_free(&image);
}

static void local_domains_are_searched_without_bare_keys(void **state)
{
	struct build build = { .seed = 1 };
	struct image image;
	struct table *table;

	(void)state;
	build_begin(&build);
	build_add(&build, "a@b.test", "c@origin.test");
	image = build_end(&build);
	table = image_open(&image);
	assert_int_equal(flags_of(table, "origin.test"), TABLE_DOMAIN_LOCAL | TABLE_DOMAIN_PROBED);
	table_close(table);
	image_free(&image);
}

static void a_delimiter_in_front_is_no_extension(void **state)
{
	struct build build = { .seed = 1, .delimiters = "+-" };
	struct image image;
	struct table *table;

	(void)state;
	build_begin(&build);
	build_add(&build, "+a@front.test", "c@d.test");
	build_add(&build, "a-b@dash.test", "c@d.test");
	image = build_end(&build);
	table = image_open(&image);
	assert_int_equal(flags_of(table, "front.test"), TABLE_DOMAIN_PROBED);
	assert_int_equal(flags_of(table, "dash.test"),
			 TABLE_DOMAIN_PROBED | TABLE_DOMAIN_EXTENSIONS);
	table_close(table);
	image_free(&image);
}

static void an_empty_table_has_nothing(void **state)
{
	struct build build = { .seed = 5 };
	struct image image;
	struct table *table;
	struct table_cursor cursor;
	struct table_row row;
	struct table_entry entry;

	(void)state;
	build_begin(&build);
	image = build_end(&build);
	table = image_open(&image);
	assert_int_equal(find(table, "a", "b.test", &entry), LOOKUP_ABSENT);
	table_rows_begin(table, &cursor);
	assert_int_equal(table_next_row(table, &cursor, &row), LOOKUP_ABSENT);
	assert_int_equal(table_facts(table)->entries, 0);
	table_close(table);
	image_free(&image);
}

/* ---- corners of the layout ---------------------------------------------------------------- */

static void a_shorter_record_with_the_same_fingerprint(void **state)
{
	enum { SEED = 11 };
	struct build build = { .seed = SEED };
	struct image_place wanted = place_of("s", "a.test", SEED, 1);
	char local[KEY_LOCAL_MAX + 1];
	unsigned number = 0;
	struct table_entry entry;
	struct image image;
	struct table *table;

	(void)state;
	build_begin(&build);
	build_add(&build, "s@a.test", "s@a.test");
	image = build_end(&build);
	table = image_open(&image);
	/* Keys many times as long as all of the record that they are compared with. */
	for (unsigned found = 0; found < 5; number++) {
		struct image_place place;

		(void)snprintf(local, sizeof(local), "%0*u", (int)KEY_LOCAL_MAX, number);
		place = place_of(local, "a.test", SEED, 1);
		if (place.number != wanted.number || place.fingerprint != wanted.fingerprint)
			continue;
		assert_int_equal(find(table, local, "a.test", &entry), LOOKUP_ABSENT);
		found++;
	}
	assert_int_equal(find(table, "s", "a.test", &entry), LOOKUP_FOUND);
	table_close(table);
	image_free(&image);
}

static void an_escaped_cluster(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	struct image_place place = image_place_of(&image, "e0", "alias.test");
	char key[64];
	struct table_entry entry;

	(void)state;
	assert_int_equal(image_lines(&image), EVERY_LINES);
	assert_int_equal(
		le32_load(image_line(&image, place.line) + LINE_COUNTS) >> 4 * place.number & 15,
		CLUSTER_ESCAPE);
	assert_true(image_cluster(&image, place)[0] >= EVERY_ESCAPED);
	for (unsigned i = 0; i < EVERY_ESCAPED; i++) {
		every_escaped_key(i, key, sizeof(key));
		*strchr(key, '@') = '\0';
		assert_targets(table, key, "alias.test", "escaped@dest.test");
	}
	every_escaped_key(EVERY_ESCAPED, key, sizeof(key));
	*strchr(key, '@') = '\0';
	assert_int_equal(find(table, key, "alias.test", &entry), LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

/* COUNT keys for each of the clusters of line 0 of LINES; ADD is told of each, then of one more
 * that isn't in the table. */
static void add_full_line(struct build *build, struct table *table, unsigned count, uint64_t lines)
{
	unsigned counts[LINE_CLUSTERS] = { 0 };
	unsigned done = 0;

	for (unsigned i = 0; done < LINE_CLUSTERS; i++) {
		struct table_entry entry;
		char local[16], key[32];
		struct image_place place;

		(void)snprintf(local, sizeof(local), "k%u", i);
		(void)snprintf(key, sizeof(key), "%s@a.test", local);
		place = place_of(local, "a.test", build->seed, lines);
		if (place.line != 0)
			continue;
		counts[place.number]++;
		done += counts[place.number] == count + 1;
		if (table == NULL && counts[place.number] <= count)
			build_add(build, key, "t@b.test");
		else if (table != NULL)
			assert_int_equal(find(table, local, "a.test", &entry),
					 counts[place.number] <= count ? LOOKUP_FOUND
								       : LOOKUP_ABSENT);
	}
}

static void a_line_with_more_entries_than_fingerprints(void **state)
{
	enum { A_CLUSTER = 6 }; /* 8 * 6 entries are over 40, and make 2 lines */
	struct build build = { .seed = 12 };
	struct image image;
	struct table *table;

	(void)state;
	build_begin(&build);
	add_full_line(&build, NULL, A_CLUSTER, 2);
	image = build_end(&build);
	assert_int_equal(image_lines(&image), 2);
	assert_int_equal(le32_load(image_line(&image, 0) + LINE_COUNTS), 0x66666666);
	table = image_open(&image);
	add_full_line(&build, table, A_CLUSTER, 2);
	table_close(table);
	image_free(&image);
}

static void lists_of_any_length(void **state)
{
	static const unsigned sizes[] = { 1, 2, 20, 40, 499, 500, 100000 };
	char *text = malloc(100000 * 16);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct build build = { .seed = i };
		struct image image;
		struct table *table;
		size_t used = 0;

		for (unsigned n = 0; n < sizes[i]; n++)
			used += (size_t)sprintf(text + used, "%sw%u@t.test", n > 0 ? "," : "", n);
		build_begin(&build);
		build_add(&build, "list@a.test", text);
		build_add(&build, "other@a.test", "x@y.test");
		image = build_end(&build);
		table = image_open(&image);
		assert_targets(table, "list", "a.test", text);
		assert_targets(table, "other", "a.test", "x@y.test");
		assert_int_equal(table_facts(table)->targets, sizes[i] + 1);
		table_close(table);
		image_free(&image);
	}
	free(text);
}

/* A record may have 255 bytes: from fewer to more. */
static void a_record_of_just_the_largest_size(void **state)
{
	char target[300];

	(void)state;
	for (size_t size = 110; size <= 126; size++) {
		struct build build = { .seed = 1 };
		struct image image;
		struct table *table;
		size_t rest = size - 1;

		memset(target, 'z', sizeof(target));
		(void)snprintf(target + size, sizeof(target) - size, "@b.test,");
		memset(target + strlen(target), 'y', rest);
		(void)snprintf(target + size + 8 + rest, sizeof(target) - size - 8 - rest,
			       "@b.test");
		build_begin(&build);
		build_add(&build, "k@a.test", target);
		image = build_end(&build);
		table = image_open(&image);
		assert_targets(table, "k", "a.test", target);
		table_close(table);
		image_free(&image);
	}
}

static void targets_that_differ_from_their_key_by_case(void **state)
{
	struct build build = { .seed = 2 };
	struct image image;
	struct table *table;

	(void)state;
	build_begin(&build);
	build_add(&build, "me@a.test", "Me@a.test,ME@b.test,me@a.test");
	image = build_end(&build);
	table = image_open(&image);
	assert_targets(table, "me", "a.test", "Me@a.test,ME@b.test,me@a.test");
	table_close(table);
	image_free(&image);
}

/* Lengths of local parts around those where the encoding changes. */
static void targets_of_every_length(void **state)
{
	char value[2 * 240 + 40];

	(void)state;
	for (size_t size = 1; size <= 240; size++) {
		struct build build = { .seed = 3 };
		struct image image;
		struct table *table;

		memset(value, 'n', sizeof(value));
		(void)snprintf(value + size, sizeof(value) - size, "@a.test,");
		memset(value + strlen(value), 'f', size);
		(void)snprintf(value + 2 * size + 8, sizeof(value) - 2 * size - 8, "@b.test");
		build_begin(&build);
		build_add(&build, "k@a.test", value);
		image = build_end(&build);
		table = image_open(&image);
		assert_targets(table, "k", "a.test", value);
		table_close(table);
		image_free(&image);
	}
}

static void a_full_bucket_goes_on_in_the_first(void **state)
{
	/* 8 in the last bucket, 2 in the first; the origin stands in the index, too. */
	enum { DOMAINS = 10, BUCKETS = (DOMAINS + 1) * 100 / (65 * BUCKET_SLOTS) + 1 };
	struct build build = { .seed = 13 };
	char names[DOMAINS + 1][24];
	struct image image;
	struct table *table;
	struct table_domain domain;

	(void)state;
	for (unsigned i = 0, found = 0; found <= DOMAINS; i++) {
		(void)snprintf(names[found], sizeof(names[found]), "d%u.test", i);
		if (format_high64(hash_key(bytes_of(names[found]), build.seed), BUCKETS) ==
		    BUCKETS - 1)
			found++;
	}
	build_begin(&build);
	for (unsigned i = 0; i < DOMAINS; i++)
		build_flags(&build, names[i], TABLE_DOMAIN_ALIAS);
	image = build_end(&build);
	assert_int_equal(image_section_size(&image, SECTION_DOMAIN_INDEX), BUCKETS * BUCKET_BYTES);
	table = image_open(&image);
	for (unsigned i = 0; i <= DOMAINS; i++)
		assert_int_equal(table_find_domain(table, bytes_of(names[i]), &domain),
				 i < DOMAINS ? LOOKUP_FOUND : LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

/* ---- walking ------------------------------------------------------------------------------ */

static void the_walk_meets_every_entry_once(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	uint64_t rows = 0, catch_alls = 0;
	struct table_cursor cursor;
	struct table_row row;

	(void)state;
	table_rows_begin(table, &cursor);
	while (table_next_row(table, &cursor, &row) == LOOKUP_FOUND) {
		struct table_entry entry;

		rows++;
		catch_alls += row.is_catch_all;
		assert_int_equal(row.is_catch_all
					 ? table_find_catch_all(table, &row.domain, &entry)
					 : table_find(table, &row.domain, row.local, &entry),
				 LOOKUP_FOUND);
		assert_int_equal(entry.place, row.entry.place);
	}
	assert_int_equal(catch_alls, 2);
	assert_int_equal(rows, EVERY_RECORDS + catch_alls);
	assert_int_equal(rows + EVERY_PATTERNS, table_facts(table)->entries);
	table_close(table);
	image_free(&image);
}

static void declared_domains_are_listed(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	struct table_domain domain;
	uint64_t position = 0;
	unsigned probed = 0, declared = 0;

	(void)state;
	while (table_next_domain(table, &position, &domain) == LOOKUP_FOUND) {
		probed++;
		declared += (domain.flags & TABLE_DOMAIN_OURS) != 0;
		assert_true(domain.name.size > 0);
	}
	assert_int_equal(declared, 3);
	/* Also origin, ext, xn--mller-kva, all, refused and twenty of the fillers. */
	assert_int_equal(probed, 3 + 5 + 20);
	table_close(table);
	image_free(&image);
}

/* ---- provenance --------------------------------------------------------------------------- */

static void entries_know_their_lines(void **state)
{
	struct build build = { .seed = EVERY_SEED };
	struct image image;
	struct table *table;
	struct table_domain domain;
	struct table_entry entry;
	struct bytes source;
	uint32_t line;
	size_t position = 0;
	char key[32];

	(void)state;
	build_begin(&build);
	/* One cluster with very many, and all the others: counts of both kinds stand before. */
	for (unsigned i = 1; i <= 400; i++) {
		(void)snprintf(key, sizeof(key), "k%u@a.test", i);
		build_add(&build, key, "t@b.test");
	}
	build_add(&build, "@a.test", "t@b.test");
	image = build_end(&build);
	table = image_open(&image);
	assert_int_equal(table_find_domain(table, bytes_of("a.test"), &domain), LOOKUP_FOUND);
	for (unsigned i = 1; i <= 400; i++) {
		(void)snprintf(key, sizeof(key), "k%u", i);
		assert_int_equal(table_find(table, &domain, bytes_of(key), &entry), LOOKUP_FOUND);
		assert_int_equal(table_provenance(table, &entry, &source, &line), LOOKUP_FOUND);
		assert_int_equal(line, i);
		assert_true(bytes_equal(source, bytes_of("virtual")));
	}
	assert_int_equal(table_find_catch_all(table, &domain, &entry), LOOKUP_FOUND);
	assert_int_equal(table_provenance(table, &entry, &source, &line), LOOKUP_FOUND);
	assert_int_equal(line, 401);
	assert_int_equal(table_next_source(table, &position, &source), LOOKUP_FOUND);
	assert_true(bytes_equal(source, bytes_of("virtual")));
	assert_int_equal(table_next_source(table, &position, &source), LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

static void an_escaped_cluster_knows_its_lines(void **state)
{
	struct image image = image_with_everything();
	struct table *table = image_open(&image);
	struct table_cursor cursor;
	struct table_row row;
	bool seen[EVERY_RECORDS + 8] = { false };

	(void)state;
	table_rows_begin(table, &cursor);
	while (table_next_row(table, &cursor, &row) == LOOKUP_FOUND) {
		uint32_t line;

		assert_int_equal(table_provenance_line(table, &row.entry, &line), LOOKUP_FOUND);
		line--;
		assert_in_range(line, 1, EVERY_RECORDS + 3);
		assert_false(seen[line]);
		seen[line] = true;
	}
	table_close(table);
	image_free(&image);
}

static void a_table_without_provenance_says_so(void **state)
{
	struct build build = { .seed = 1, .has_no_provenance = true };
	struct image image;
	struct table *table;
	struct table_entry entry;
	struct bytes source;
	uint32_t line;
	size_t position = 0;

	(void)state;
	build_begin(&build);
	build_add(&build, "a@b.test", "c@d.test");
	image = build_end(&build);
	table = image_open(&image);
	assert_false(table_facts(table)->has_provenance);
	assert_int_equal(find(table, "a", "b.test", &entry), LOOKUP_FOUND);
	assert_int_equal(table_provenance(table, &entry, &source, &line), LOOKUP_ABSENT);
	assert_int_equal(table_next_source(table, &position, &source), LOOKUP_ABSENT);
	table_close(table);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_one_of_each_kind),
		cmocka_unit_test(finds_no_more_than_that),
		cmocka_unit_test(finds_by_length_up_to_the_longest),
		cmocka_unit_test(catch_alls_stand_beside_the_keys),
		cmocka_unit_test(domains_say_what_they_are_for),
		cmocka_unit_test(local_domains_are_searched_without_bare_keys),
		cmocka_unit_test(a_delimiter_in_front_is_no_extension),
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(a_shorter_record_with_the_same_fingerprint),
		cmocka_unit_test(an_escaped_cluster),
		cmocka_unit_test(a_line_with_more_entries_than_fingerprints),
		cmocka_unit_test(lists_of_any_length),
		cmocka_unit_test(a_record_of_just_the_largest_size),
		cmocka_unit_test(targets_that_differ_from_their_key_by_case),
		cmocka_unit_test(targets_of_every_length),
		cmocka_unit_test(a_full_bucket_goes_on_in_the_first),
		cmocka_unit_test(the_walk_meets_every_entry_once),
		cmocka_unit_test(declared_domains_are_listed),
		cmocka_unit_test(entries_know_their_lines),
		cmocka_unit_test(an_escaped_cluster_knows_its_lines),
		cmocka_unit_test(a_table_without_provenance_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
