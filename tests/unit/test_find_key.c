/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain and key in one call: the same answer as one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "make_table.h"

enum { USERS = 3000, DOMAINS = 60 };

static struct table *table;

/* USERS keys over DOMAINS domains. */
static int make(void **state)
{
	static struct made_row rows[USERS + 1];
	static char keys[USERS][40];

	(void)state;
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "user%d@d%d.test", i / DOMAINS,
			       i % DOMAINS);
		rows[i] = (struct made_row){ keys[i], "somebody@far.test" };
	}
	table = make_table(rows, 1);
	return table == NULL;
}

static int drop(void **state)
{
	(void)state;
	table_close(table);
	return 0;
}

static void expect(const char *local, const char *domain_name, enum lookup wanted)
{
	struct table_domain domain;
	struct table_entry entry;
	struct table_entry again;

	assert_int_equal(
		table_find_key(table, bytes_of(domain_name), bytes_of(local), &domain, &entry),
		wanted);
	if (wanted != LOOKUP_FOUND)
		return;
	assert_true(bytes_equal(domain.name, bytes_of(domain_name)));
	assert_true(bytes_equal(entry.local, bytes_of(local)));
	assert_int_equal(table_find(table, &domain, bytes_of(local), &again), LOOKUP_FOUND);
	assert_int_equal(entry.place, again.place);
	assert_true(entry.targets.data == again.targets.data);
}

static void every_key_is_found(void **state)
{
	(void)state;
	for (int i = 0; i < USERS; i++) {
		char local[20];
		char domain[20];

		(void)snprintf(local, sizeof(local), "user%d", i / DOMAINS);
		(void)snprintf(domain, sizeof(domain), "d%d.test", i % DOMAINS);
		expect(local, domain, LOOKUP_FOUND);
	}
}

/* As many as make some fingerprints right by chance. */
static void nobody_else_is(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		char local[20];

		(void)snprintf(local, sizeof(local), "nobody%d", i);
		expect(local, "d7.test", LOOKUP_ABSENT);
		expect(local, "elsewhere.test", LOOKUP_ABSENT);
		expect("user1", local, LOOKUP_ABSENT);
	}
	expect("", "d7.test", LOOKUP_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_found),
		cmocka_unit_test(nobody_else_is),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
