/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/sorted.h"

#include <sysexits.h>

#include "ask_table.h"
#include "show/print.h"

static struct asked asked;
static struct sorted sorted;
static struct error err;

/* The keys in order, one a line. */
static void has_keys(const char *expected)
{
	struct buffer text;

	buffer_init(&text, 1 << 20);
	buffer_append_text(&text, "");
	for (size_t i = 0; i < sorted.domain_count; i++)
		for (size_t key = sorted.first_keys[i]; key < sorted.first_keys[i + 1]; key++) {
			struct table_entry entry;
			struct bytes local = sorted_local(&sorted.keys[key]);

			assert_int_equal(
				sorted_find(asked.table, &sorted.domains[i], local, &entry),
				LOOKUP_FOUND);
			print_key(local, sorted.domains[i].name, &text);
			buffer_append_byte(&text, '\n');
		}
	assert_true(bytes_equal(buffer_bytes(&text), bytes_of(expected)));
	buffer_free(&text);
}

static void free_all(void)
{
	sorted_free(&sorted);
	asked_free(&asked);
}

static void domains_and_keys_are_in_order(void **state)
{
	static const char *const rows[] = { "b@b.test x@far.test", "a@b.test x@far.test",
					    "@b.test x@far.test",  "ab@b.test x@far.test",
					    "z@a.test x@far.test", "user x@far.test",
					    "c.test alias",        NULL };

	(void)state;
	asked_make(&asked, rows);
	assert_true(sorted_load(asked.table, &sorted, &err));
	has_keys("user\nz@a.test\n@b.test\na@b.test\nab@b.test\nb@b.test\n");
	for (size_t i = 1; i < sorted.domain_count; i++)
		assert_true(bytes_compare(sorted.domains[i - 1].name, sorted.domains[i].name) < 0);
	/* That of bare keys has no name; one that is declared has no key. */
	assert_int_equal(sorted.domains[0].name.size, 0);
	assert_true(bytes_equal(sorted.domains[3].name, bytes_of("c.test")));
	assert_int_equal(sorted.first_keys[3], sorted.first_keys[4]);
	free_all();
}

static void domains_alone_need_no_keys(void **state)
{
	static const char *const rows[] = { "b@b.test x@far.test", "a.test alias", NULL };

	(void)state;
	asked_make(&asked, rows);
	assert_true(sorted_load_domains(asked.table, &sorted, &err));
	assert_null(sorted.keys);
	assert_null(sorted.first_keys);
	assert_true(bytes_equal(sorted.domains[0].name, bytes_of("a.test")));
	assert_true(bytes_equal(sorted.domains[1].name, bytes_of("b.test")));
	free_all();
}

static void an_empty_table_is_one(void **state)
{
	static const char *const rows[] = { NULL };

	(void)state;
	asked_make(&asked, rows);
	assert_true(sorted_load(asked.table, &sorted, &err));
	has_keys("");
	sorted_free(&sorted);
	free_all();
}

static void many_keys_are_all_there(void **state)
{
	enum { MANY = 3000, DOMAINS = 100 };
	size_t keys = 0;

	(void)state;
	asked = (struct asked){ .arena_bytes = 0 };
	asked_begin(&asked);
	for (unsigned i = 0; i < MANY; i++) {
		char row[60];

		(void)snprintf(row, sizeof(row), "u%u@d%u.test x@far.test", i, i % DOMAINS);
		asked_add(&asked, row);
	}
	asked_end(&asked);
	assert_true(sorted_load(asked.table, &sorted, &err));
	for (size_t i = 0; i < sorted.domain_count; i++)
		for (size_t key = sorted.first_keys[i]; key < sorted.first_keys[i + 1]; key++) {
			keys++;
			assert_true(key == sorted.first_keys[i] ||
				    bytes_compare(sorted_local(&sorted.keys[key - 1]),
						  sorted_local(&sorted.keys[key])) < 0);
		}
	assert_int_equal(keys, MANY);
	free_all();
}

static void what_is_not_there_is_damage(void **state)
{
	static const char *const rows[] = { "b@b.test x@far.test", NULL };
	struct table_entry entry;

	(void)state;
	asked_make(&asked, rows);
	assert_true(sorted_load(asked.table, &sorted, &err));
	assert_int_equal(sorted_find(asked.table, &sorted.domains[0], bytes_of("nobody"), &entry),
			 LOOKUP_BROKEN);
	assert_int_equal(sorted_find(asked.table, &sorted.domains[0], bytes_make("", 0), &entry),
			 LOOKUP_BROKEN);
	free_all();
}

/* A count of entries in the directory says more than there are. */
static void a_damaged_table_is_told(void **state)
{
	static const char *const rows[] = { "b@b.test x@far.test", NULL };
	struct table *damaged;
	struct image image;

	(void)state;
	asked_make(&asked, rows);
	image = image_copy(&asked.image);
	damaged = image_open(&image);
	memset(image_line(&image, 0) + LINE_COUNTS, 0x33, 4);
	assert_false(sorted_load(damaged, &sorted, &err));
	assert_int_equal(err.status, EX_DATAERR);
	table_close(damaged);
	image_free(&image);
	asked_free(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_and_keys_are_in_order),
		cmocka_unit_test(domains_alone_need_no_keys),
		cmocka_unit_test(an_empty_table_is_one),
		cmocka_unit_test(many_keys_are_all_there),
		cmocka_unit_test(what_is_not_there_is_damage),
		cmocka_unit_test(a_damaged_table_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
