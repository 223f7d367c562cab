/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table with every feature, damaged in every way: refused when it is opened, or, where the damage
 * was made to pass the checksums, no crash and no answer that contradicts the proof.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exercise_table.h"
#include "table_image.h"

enum {
	DAMAGES = 100000,        /* that the checksums must find */
	PASSING_DAMAGES = 30000, /* that pass them */
	MOST_BYTES = 8,          /* of one damage */
};

/* The same numbers in every run: a failure can be looked at again. */
static uint64_t next_random(uint64_t *random)
{
	*random += UINT64_C(0x9e3779b97f4a7c15);
	return format_mix(*random, *random >> 13);
}

static bool is_refused(const struct image *image)
{
	struct error err = { .status = 0 };
	struct table *table = table_open_bytes(image_view(image), &err);

	if (table == NULL) {
		assert_int_equal(err.status, EX_DATAERR);
		assert_true(err.text[0] != '\0');
		return true;
	}
	table_close(table);
	return false;
}

static void every_bit_that_flips_is_seen(void **state)
{
	struct image image = image_with_everything();

	(void)state;
	assert_false(is_refused(&image));
	for (size_t i = 0; i < image.size * 8; i += try_every()) {
		image.bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		if (!is_refused(&image))
			fail_msg("bit %zu of byte %zu", i % 8, i / 8);
		image.bytes[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	assert_false(is_refused(&image));
	image_free(&image);
}

static void every_other_length_is_seen(void **state)
{
	struct image image = image_with_everything();

	(void)state;
	for (size_t size = 0; size <= image.size + 64; size += try_every()) {
		/* In a block of its own: a byte past the end belongs to nobody. */
		struct image other = { .bytes = calloc(1, size > 0 ? size : 1), .size = size };

		assert_non_null(other.bytes);
		memcpy(other.bytes, image.bytes, size < image.size ? size : image.size);
		if (is_refused(&other) != (size != image.size))
			fail_msg("length %zu of %zu", size, image.size);
		image_free(&other);
	}
	image_free(&image);
}

/* Change a few bytes between FROM and the end; small numbers are likely. */
static void damage(struct image *image, size_t from, uint64_t *random)
{
	uint64_t count = 1 + next_random(random) % MOST_BYTES;
	uint64_t at = from + next_random(random) % (image->size - from);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t value = next_random(random);

		/* One run of bytes, or bytes here and there. */
		if ((value >> 8 & 1) != 0 || at + 1 >= image->size)
			at = from + next_random(random) % (image->size - from);
		else
			at++;
		image->bytes[at] = (value >> 9 & 1) != 0
					   ? (unsigned char)value
					   : (unsigned char)(image->bytes[at] + value % 5 - 2);
	}
}

static void many_bytes_that_change_are_seen(void **state)
{
	struct image image = image_with_everything();
	struct image whole = image_copy(&image);
	uint64_t random = 1;

	(void)state;
	for (unsigned i = 0; i < DAMAGES / try_every(); i++) {
		damage(&image, 0, &random);
		if (memcmp(image.bytes, whole.bytes, image.size) != 0 && !is_refused(&image))
			fail_msg("damage number %u", i);
		memcpy(image.bytes, whole.bytes, image.size);
	}
	image_free(&image);
	image_free(&whole);
}

/* Opened with damage, if at all, it must at least not crash. Counts what it came to. */
static void ask(struct image *image, unsigned *opened, unsigned *sound)
{
	struct table *table;

	image_sum(image);
	table = table_open_bytes(image_view(image), NULL);
	if (table == NULL)
		return;
	*opened += 1;
	*sound += exercise_table(table);
	table_close(table);
}

static void damage_past_the_checksums_does_no_harm(void **state)
{
	struct image image = image_with_everything();
	struct image whole = image_copy(&image);
	unsigned tries = PASSING_DAMAGES / try_every();
	unsigned opened = 0, sound = 0;
	uint64_t random = 2;

	(void)state;
	for (unsigned i = 0; i < tries; i++) {
		damage(&image, FORMAT_HEADER_BYTES, &random);
		ask(&image, &opened, &sound);
		memcpy(image.bytes, whole.bytes, image.size);
	}
	/* Else this test has tried one thing only. */
	assert_in_range(opened, tries / 10, tries - 1);
	assert_in_range(sound, tries / 100, opened - tries / 100);
	image_free(&image);
	image_free(&whole);
}

static void damage_to_the_header_does_no_harm(void **state)
{
	struct image image = image_with_everything();
	struct image whole = image_copy(&image);
	unsigned tries = PASSING_DAMAGES / try_every();
	unsigned opened = 0, sound = 0;
	uint64_t random = 3;

	(void)state;
	for (unsigned i = 0; i < tries; i++) {
		size_t used = HEADER_SECTIONS + 9 * SECTION_BYTES;
		size_t at = HEADER_FILE_BYTES + next_random(&random) % (used - HEADER_FILE_BYTES);

		image.bytes[at] = (unsigned char)next_random(&random);
		ask(&image, &opened, &sound);
		memcpy(image.bytes, whole.bytes, image.size);
	}
	assert_in_range(opened, 1, tries - 1);
	image_free(&image);
	image_free(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_that_flips_is_seen),
		cmocka_unit_test(every_other_length_is_seen),
		cmocka_unit_test(many_bytes_that_change_are_seen),
		cmocka_unit_test(damage_past_the_checksums_does_no_harm),
		cmocka_unit_test(damage_to_the_header_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
