/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>

#include <cmocka.h>

#include "make_table.h"
#include "openrcptd/transaction.h"

enum { THREADS = 4, SWAPS = 300 };

static struct snapshot *make_snapshot(const char *target, uint64_t generation)
{
	const struct made_row rows[] = {
		{ "alias.test", MADE_ALIAS_DOMAIN },
		{ "one@alias.test", target },
		{ "two@alias.test", target },
		{ NULL, NULL },
	};
	struct settings *settings = settings_new();
	struct error err;
	struct snapshot *snapshot;

	assert_non_null(settings);
	snapshot = snapshot_new(make_table(rows, generation), settings, &err);
	assert_non_null(snapshot);
	settings_free(settings);
	return snapshot;
}

static void a_user_keeps_the_old_one(void **state)
{
	struct snapshot_store store;
	struct snapshot *old;
	struct snapshot *new;

	(void)state;
	snapshot_store_init(&store);
	assert_null(snapshot_acquire(&store));
	snapshot_publish(&store, make_snapshot("a@dest.test", 1));
	old = snapshot_acquire(&store);
	assert_int_equal(old->users, 2);
	snapshot_publish(&store, make_snapshot("b@dest.test", 2));
	assert_int_equal(old->users, 1);
	assert_int_equal(table_facts(old->table)->generation, 1);
	new = snapshot_acquire(&store);
	assert_int_equal(table_facts(new->table)->generation, 2);
	snapshot_release(&store, old);
	snapshot_release(&store, new);
	snapshot_store_clear(&store);
}

static void a_failed_load_says_why(void **state)
{
	struct settings *settings = settings_new();
	struct error err;

	(void)state;
	assert_non_null(settings);
	free(settings->table);
	settings->table = strdup("/nowhere/at/all.table");
	assert_null(snapshot_load(settings, &err));
	assert_int_equal(err.status, EX_NOINPUT);
	free(settings->table_owner);
	settings->table_owner = strdup("no-such-user-here");
	assert_null(snapshot_load(settings, &err));
	assert_int_equal(err.status, EX_CONFIG);
	settings_free(settings);
}

struct traffic {
	struct snapshot_store store;
	_Atomic bool is_over;
	_Atomic unsigned mixed;
	_Atomic unsigned messages;
};

/* Messages of two recipients, one after the other: both must lead to the same target. */
static void *send_messages(void *context)
{
	static const struct mta mta = { .takes_parameters = false };
	const struct message_facts facts = { .mta = &mta };
	char *const no_parameters[] = { NULL };
	struct traffic *traffic = context;
	struct transaction transaction;

	transaction_init(&transaction, &traffic->store);
	while (!traffic->is_over) {
		const struct edit *edits;
		struct decision decision;
		size_t count = 0;

		if (!transaction_begin(&transaction, &facts))
			abort();
		transaction_recipient(&transaction, "<one@alias.test>", no_parameters, &decision);
		transaction_recipient(&transaction, "<two@alias.test>", no_parameters, &decision);
		/* One target for both, and two deletes. */
		if (transaction_finish(&transaction, &edits, &count) != TRANSACTION_EDITED ||
		    count != 3)
			traffic->mixed++;
		traffic->messages++;
		transaction_end(&transaction);
	}
	transaction_free(&transaction);
	return NULL;
}

static void no_message_sees_two_tables(void **state)
{
	static const char *const targets[] = { "a@dest.test", "b@dest.test" };
	struct traffic traffic = { .mixed = 0 };
	pthread_t threads[THREADS];

	(void)state;
	snapshot_store_init(&traffic.store);
	snapshot_publish(&traffic.store, make_snapshot(targets[0], 1));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_messages, &traffic), 0);
	for (uint64_t i = 0; i < SWAPS; i++)
		snapshot_publish(&traffic.store, make_snapshot(targets[i % 2], i + 2));
	while (traffic.messages < SWAPS)
		(void)sched_yield();
	traffic.is_over = true;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(traffic.mixed, 0);
	assert_int_equal(traffic.store.current->users, 1);
	snapshot_store_clear(&traffic.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_keeps_the_old_one),
		cmocka_unit_test(a_failed_load_says_why),
		cmocka_unit_test(no_message_sees_two_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
