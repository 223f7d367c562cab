/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>

#include <cmocka.h>

#include "make_table.h"
#include "message/transaction.h"
#include "worker/reload.h"

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

static uint64_t generation_in_use(const struct snapshot_store *store)
{
	return table_facts(store->current->table)->generation;
}

static void what_was_short_while_loading_is_tried_again(void **state)
{
	char path[] = "/tmp/test_snapshot.XXXXXX";
	struct settings *settings = settings_new();
	struct snapshot_store store;
	struct reload reload;
	struct rlimit limit, no_files;
	struct error err;

	(void)state;
	assert_non_null(settings);
	assert_int_equal(close(mkstemp(path)), 0);
	install_table(path, 1);
	free(settings->table);
	settings->table = strdup(path);
	snapshot_store_init(&store);
	reload_init(&reload, settings, &store);
	assert_true(reload_table(&reload, &err));
	install_table(path, 2);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	no_files = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &no_files), 0);
	reload_if_replaced(&reload, 100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(generation_in_use(&store), 1);
	reload_if_replaced(&reload, 101);
	assert_int_equal(generation_in_use(&store), 1);
	reload_if_replaced(&reload, 100 + WATCH_RETRY_SECONDS);
	assert_int_equal(generation_in_use(&store), 2);
	reload_close(&reload);
	snapshot_store_clear(&store);
	settings_free(settings);
	assert_int_equal(unlink(path), 0);
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
		cmocka_unit_test(what_was_short_while_loading_is_tried_again),
		cmocka_unit_test(no_message_sees_two_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
