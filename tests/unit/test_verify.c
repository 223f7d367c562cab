/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table_image.h"

/* ---- one damage each, to the table of image_with_everything() ----------------------------- */

/* The place of the first cluster with two records and fingerprints. */
static struct image_place pair_of(const struct image *image)
{
	struct image_place place = { .line = 0 };

	for (; place.line < image_lines(image); place.line++)
		for (place.number = 0; place.number < LINE_CLUSTERS; place.number++)
			if ((le32_load(image_line(image, place.line) + LINE_COUNTS) >>
				     4 * place.number &
			     15) == 2)
				return place;
	abort();
}

static unsigned char *domain_record(const struct image *image, const char *name)
{
	struct table *table = image_open(image);
	struct table_domain domain;
	unsigned char *record;

	if (table_find_domain(table, bytes_of(name), &domain) != LOOKUP_FOUND)
		abort();
	record = image_section(image, SECTION_DOMAINS) + (size_t)domain.ref * DOMAIN_UNIT;
	table_close(table);
	return record;
}

/* The record of KEY, at DOMAIN. */
static unsigned char *record_of(const struct image *image, const char *key, const char *domain)
{
	struct image_place place = image_place_of(image, key, domain);
	unsigned count =
		le32_load(image_line(image, place.line) + LINE_COUNTS) >> 4 * place.number & 15;
	unsigned char *cluster = image_cluster(image, place);
	unsigned char *record;

	if (count == CLUSTER_ESCAPE)
		count = *cluster++;
	record = cluster + count;
	for (unsigned i = 0; i < count; record += cluster[i], i++)
		if (record[3] == strlen(key) && memcmp(record + 4, key, record[3]) == 0)
			return record;
	abort();
}

/* The list that the record of KEY leads to. */
static unsigned char *list_of(const struct image *image, const char *key, const char *domain)
{
	unsigned char *record = record_of(image, key, domain);
	uint32_t ref = le32_load(record + RECORD_HEAD + record[3] + 1);

	return image_section(image, SECTION_DATA) + (size_t)ref * DATA_UNIT;
}

static unsigned char *slot_of(const struct image *image, bool is_free)
{
	unsigned char *index = image_section(image, SECTION_DOMAIN_INDEX);
	uint64_t buckets = image_section_size(image, SECTION_DOMAIN_INDEX) / BUCKET_BYTES;

	for (uint64_t i = 0; i < buckets * BUCKET_SLOTS; i++) {
		unsigned char *slot = index + i / BUCKET_SLOTS * BUCKET_BYTES + BUCKET_REFS +
				      i % BUCKET_SLOTS * 4;

		if ((le32_load(slot) == 0) == is_free)
			return slot;
	}
	abort();
}

static void overlap_lines(struct image *image)
{
	le32_store(image_line(image, 1) + LINE_BASE, le32_load(image_line(image, 0) + LINE_BASE));
}

static void begin_at_nothing(struct image *image)
{
	le32_store(image_line(image, 0) + LINE_BASE, 0);
}

static void let_a_cluster_leave_the_data(struct image *image)
{
	struct image_place place = pair_of(image);

	le16_store(image_line(image, place.line) + LINE_ENDS + 2 * place.number, 0xffff);
}

static void hide_a_cluster(struct image *image)
{
	struct image_place place = pair_of(image);
	unsigned char *counts = image_line(image, place.line) + LINE_COUNTS;

	le32_store(counts, le32_load(counts) & ~(UINT32_C(15) << 4 * place.number));
}

static void claim_a_cluster(struct image *image)
{
	unsigned char *row = image_line(image, 0);

	for (unsigned line = 0;; line++) {
		row = image_line(image, line);
		for (unsigned i = 0; i < LINE_CLUSTERS; i++) {
			if ((le32_load(row + LINE_COUNTS) >> 4 * i & 15) != 0)
				continue;
			le32_store(row + LINE_COUNTS,
				   le32_load(row + LINE_COUNTS) | UINT32_C(1) << 4 * i);
			return;
		}
	}
}

static void change_a_fingerprint(struct image *image)
{
	struct image_place place = image_place_of(image, "filler1", "d1.test");
	unsigned char *row = image_line(image, place.line);
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned first = 0;

	for (unsigned i = 0; i < place.number; i++)
		first += counts >> 4 * i & 15;
	row[LINE_FINGERPRINTS + first]++;
}

static void change_a_key(struct image *image)
{
	record_of(image, "filler1", "d1.test")[RECORD_HEAD] = 'F';
}

static void move_a_key(struct image *image)
{
	/* Another domain, so the place is wrong. */
	memcpy(record_of(image, "filler1", "d1.test"), record_of(image, "filler2", "d2.test"), 3);
}

static void repeat_a_key(struct image *image)
{
	char key[2][64];
	unsigned char *records[2];
	unsigned found = 0;

	/* Two keys of the escaped cluster that are equally long. */
	for (unsigned i = 0; found < 2; i++) {
		every_escaped_key(i, key[found], sizeof(key[0]));
		*strchr(key[found], '@') = '\0';
		if (strlen(key[found]) == 4) {
			records[found] = record_of(image, key[found], "alias.test");
			found++;
		}
	}
	memcpy(records[1] + RECORD_HEAD, records[0] + RECORD_HEAD, 4);
}

static void lengthen_a_cluster(struct image *image)
{
	for (uint64_t line = 0;; line++) {
		unsigned char *row = image_line(image, line);

		if (le32_load(row + LINE_COUNTS) >> 28 == 0)
			continue;
		le16_store(row + LINE_ENDS + 14, (uint16_t)(le16_load(row + LINE_ENDS + 14) + 1));
		return;
	}
}

static void understate_an_escaped_count(struct image *image)
{
	image_cluster(image, image_place_of(image, "e0", "alias.test"))[0] = 14;
}

static void overstate_a_length(struct image *image)
{
	image_cluster(image, pair_of(image))[1] = 255;
}

static void empty_a_record(struct image *image)
{
	record_of(image, "filler1", "d1.test")[3] = 0;
}

/* A name that is long enough to have a unit in which no domain begins. */
static uint32_t middle_of_a_domain(const struct image *image)
{
	const unsigned char *record = domain_record(image, "xn--mller-kva.test");

	return (uint32_t)((record - image_section(image, SECTION_DOMAINS)) / DOMAIN_UNIT) + 1;
}

static void enter_a_domain_in_its_middle(struct image *image)
{
	le24_store(record_of(image, "filler1", "d1.test"), middle_of_a_domain(image));
}

static void send_a_target_astray(struct image *image)
{
	unsigned char *target = record_of(image, "filler1", "d1.test") + RECORD_HEAD + 7;

	le24_store(target + 1, middle_of_a_domain(image));
}

static void shorten_a_list(struct image *image)
{
	unsigned char *list = list_of(image, "many", "alias.test");

	le32_store(list, le32_load(list) - 1);
}

static void empty_a_list(struct image *image)
{
	le32_store(list_of(image, "many", "alias.test"), 0);
}

static void invent_a_kind(struct image *image)
{
	list_of(image, "refused", "alias.test")[LIST_KIND] = 3;
}

static void refer_to_no_key(struct image *image)
{
	struct table *table = image_open(image);
	struct table_domain domain;
	unsigned char *list;

	assert_int_equal(table_find_domain(table, bytes_of("all.test"), &domain), LOOKUP_FOUND);
	list = image_section(image, SECTION_DATA) + (size_t)domain.catch_all * DATA_UNIT;
	table_close(table);
	/* `catcher`: 7 bytes, made a target that is its key, which is none. */
	le32_store(list, 1);
	list[LIST_CONTENTS + 4] = TARGET_NEAR;
}

static void forget_to_search(struct image *image)
{
	domain_record(image, "d1.test")[DOMAIN_FLAGS] &= (unsigned char)~TABLE_DOMAIN_PROBED;
}

static void forget_extensions(struct image *image)
{
	domain_record(image, "ext.test")[DOMAIN_FLAGS] &= (unsigned char)~TABLE_DOMAIN_EXTENSIONS;
}

static void promise_a_catch_all(struct image *image)
{
	domain_record(image, "d1.test")[DOMAIN_FLAGS] |= TABLE_DOMAIN_CATCH_ALL;
}

static void lead_a_catch_all_nowhere(struct image *image)
{
	le32_store(domain_record(image, "all.test"), 0xfffffff0);
}

static void cut_the_last_domain(struct image *image)
{
	unsigned char *entry = image_section_entry(image, SECTION_DOMAINS);

	le64_store(entry + SECTION_LENGTH, le64_load(entry + SECTION_LENGTH) - DOMAIN_UNIT);
}

static void change_the_index(struct image *image)
{
	unsigned char *slot = slot_of(image, false);

	le32_store(slot, le32_load(slot) + (2 << BUCKET_REF_FLAG_BITS));
}

static void add_to_the_index(struct image *image)
{
	le32_store(slot_of(image, true), le32_load(slot_of(image, false)));
}

static void lie_about_flags_in_the_index(struct image *image)
{
	unsigned char *slot = slot_of(image, false);

	le32_store(slot, le32_load(slot) ^ TABLE_DOMAIN_CATCH_ALL);
}

static void miscount_entries(struct image *image)
{
	image->bytes[HEADER_ENTRIES]++;
}

static void miscount_targets(struct image *image)
{
	image->bytes[HEADER_TARGETS]++;
}

static void miscount_domains(struct image *image)
{
	image->bytes[HEADER_DOMAINS]++;
}

/* What is said of each. */
static const struct damage {
	void (*inflict)(struct image *image);
	const char *complaint;
} damages[] = {
	{ overlap_lines, "lines that overlap" },
	{ begin_at_nothing, "lines that overlap" },
	{ let_a_cluster_leave_the_data, "a cluster" },
	{ hide_a_cluster, "the ends of a line" },
	{ claim_a_cluster, "the ends of a line" },
	{ change_a_fingerprint, "a key under another's fingerprint" },
	{ change_a_key, "a key in the wrong place" },
	{ move_a_key, "a key in the wrong place" },
	{ repeat_a_key, "a key stands twice" },
	{ lengthen_a_cluster, "a cluster that is longer than its records" },
	{ understate_an_escaped_count, "a cluster" },
	{ overstate_a_length, "a record of a cluster" },
	{ empty_a_record, "a record" },
	{ enter_a_domain_in_its_middle, "a key's domain" },
	{ send_a_target_astray, "a target's domain" },
	{ shorten_a_list, "a list of targets" },
	{ empty_a_list, "an entry without targets, or with too many" },
	{ invent_a_kind, "a record" },
	{ refer_to_no_key, "a target without a local part" },
	{ forget_to_search, "a key in a domain that is not searched" },
	{ forget_extensions, "an extension in a domain without" },
	{ promise_a_catch_all, "the flag of a catch-all" },
	{ lead_a_catch_all_nowhere, "a catch-all" },
	{ cut_the_last_domain, "a domain" },
	{ change_the_index, "a domain that the index doesn't know, or knows wrongly" },
	{ add_to_the_index, "the index has domains that don't exist" },
	{ lie_about_flags_in_the_index, "the flags in the index" },
	{ miscount_entries, "the counts of its header" },
	{ miscount_targets, "the counts of its header" },
	{ miscount_domains, "the counts of its header" },
};

/* Without canaries, which would find some of this when the table is opened. */
static struct image image_without_canaries(void)
{
	struct image image = image_with_everything();

	le64_store(image_section_entry(&image, SECTION_CANARIES) + SECTION_LENGTH, 0);
	image_sum(&image);
	return image;
}

static void each_damage_is_named(void **state)
{
	struct image whole = image_without_canaries();
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct image image = image_copy(&whole);
		struct error err = { .text = "nothing" };
		char expected[128];
		struct table *table;

		damages[i].inflict(&image);
		image_sum(&image);
		table = table_open_bytes(image_view(&image), &err);
		(void)snprintf(expected, sizeof(expected), "not a sound table: %s",
			       damages[i].complaint);
		if (table == NULL || table_verify(table, &err) || strcmp(err.text, expected) != 0 ||
		    err.status != EX_DATAERR) {
			print_error("damage %zu: %s; expected %s\n", i, err.text, expected);
			failures++;
		}
		table_close(table);
		image_free(&image);
	}
	image_free(&whole);
	assert_int_equal(failures, 0);
}

static void a_whole_table_is_sound(void **state)
{
	struct image image = image_without_canaries();
	struct table *table = image_open(&image);

	(void)state;
	assert_true(table_verify(table, NULL));
	table_close(table);
	image_free(&image);
}

static void canaries_find_a_changed_target(void **state)
{
	struct image image = image_with_everything();
	unsigned char *canaries = image_section(&image, SECTION_CANARIES);
	struct error err;

	(void)state;
	assert_true(image_section_size(&image, SECTION_CANARIES) > 0);
	canaries[3]++; /* the fingerprint of the first */
	image_sum(&image);
	assert_null(table_open_bytes(image_view(&image), &err));
	assert_non_null(strstr(err.text, "another answer than when it was compiled"));
	image_free(&image);
}

static void canaries_find_a_lost_key(void **state)
{
	struct image image = image_with_everything();
	struct error err;

	(void)state;
	/* All that stands in the directory is gone, so the found canaries must miss. */
	for (uint64_t line = 0; line < image_lines(&image); line++)
		le32_store(image_line(&image, line) + LINE_COUNTS, 0);
	image_sum(&image);
	assert_null(table_open_bytes(image_view(&image), &err));
	assert_non_null(strstr(err.text, "another answer than when it was compiled"));
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_table_is_sound),
		cmocka_unit_test(each_damage_is_named),
		cmocka_unit_test(canaries_find_a_changed_target),
		cmocka_unit_test(canaries_find_a_lost_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
