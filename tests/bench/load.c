/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load - how long a table takes to come into force, and what those who look up notice of it.
 *
 *   load TABLE QUESTIONS ROUNDS
 *
 * Each round loads TABLE as the daemon does and publishes it while another thread asks without a
 * pause. One line of JSON: times to load, to publish and to drop the old table, the longest that a
 * reader waited for its share during a swap, and whether any of its look-ups failed.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "message/snapshot.h"
#include "settings/settings.h"
#include "text.h"

enum { ROUNDS_MAX = 256, LOOK_UPS_EACH_SWAP = 1000 };

struct reader {
	struct snapshot_store *store;
	struct text_lines questions;
	_Atomic bool is_over;
	_Atomic uint64_t longest_ns; /* since it was last set to 0 */
	_Atomic uint64_t look_ups;
	uint64_t failures;
};

struct times {
	double load_ns[ROUNDS_MAX];
	double publish_ns[ROUNDS_MAX];
	double drop_ns[ROUNDS_MAX];
	double wait_ns[ROUNDS_MAX];
};

static struct snapshot *load_table(const struct settings *settings)
{
	struct error err;
	struct snapshot *snapshot = snapshot_load(settings, &err);

	if (snapshot == NULL)
		text_fail("load", err.text);
	return snapshot;
}

static void look_up(struct reader *reader, const struct snapshot *snapshot)
{
	struct bytes key = reader->questions.lines[reader->look_ups % reader->questions.count];
	size_t at = text_at_sign(key);
	struct table_domain domain;
	struct table_entry entry;
	enum lookup outcome = table_find_domain(snapshot->table, bytes_skip(key, at + 1), &domain);

	if (outcome == LOOKUP_FOUND)
		outcome = table_find(snapshot->table, &domain, bytes_first(key, at), &entry);
	reader->failures += outcome != LOOKUP_FOUND;
	reader->look_ups++;
}

static void *read_on(void *argument)
{
	struct reader *reader = argument;

	while (!atomic_load(&reader->is_over)) {
		double start = clock_wall_ns();
		struct snapshot *snapshot = snapshot_acquire(reader->store);
		uint64_t took_ns = (uint64_t)(clock_wall_ns() - start);

		look_up(reader, snapshot);
		snapshot_release(reader->store, snapshot);
		if (took_ns > atomic_load(&reader->longest_ns))
			atomic_store(&reader->longest_ns, took_ns);
	}
	return NULL;
}

/* A share of the old one is kept over the swap, so that its end is timed apart. */
static void swap_once(struct snapshot_store *store, struct reader *reader,
		      const struct settings *settings, struct times *times, size_t round)
{
	double start = clock_wall_ns();
	uint64_t look_ups;
	struct snapshot *next = load_table(settings);
	struct snapshot *old = snapshot_acquire(store);

	times->load_ns[round] = clock_wall_ns() - start;
	atomic_store(&reader->longest_ns, 0);
	start = clock_wall_ns();
	snapshot_publish(store, next);
	times->publish_ns[round] = clock_wall_ns() - start;
	look_ups = atomic_load(&reader->look_ups);
	while (atomic_load(&reader->look_ups) < look_ups + LOOK_UPS_EACH_SWAP)
		(void)sched_yield(); /* never fails on Linux */
	times->wait_ns[round] = (double)atomic_load(&reader->longest_ns);
	start = clock_wall_ns();
	snapshot_release(store, old);
	times->drop_ns[round] = clock_wall_ns() - start;
}

static void print_times(const char *name, double *values, size_t count, double unit)
{
	double median = clock_median(values, count);

	printf("\"%s\": %.3f, \"%s_least\": %.3f, \"%s_most\": %.3f, ", name, median / unit, name,
	       values[0] / unit, name, values[count - 1] / unit);
}

int main(int argc, char **argv)
{
	struct settings *settings = settings_new();
	struct snapshot_store store;
	struct reader reader = { .store = &store };
	static struct times times;
	size_t rounds;
	pthread_t thread;

	if (argc != 4 || settings == NULL)
		text_fail("usage", "load TABLE QUESTIONS ROUNDS");
	free(settings->table);
	settings->table = argv[1];
	reader.questions = text_read_lines(argv[2]);
	rounds = strtoul(argv[3], NULL, 10);
	if (rounds == 0 || rounds > ROUNDS_MAX)
		text_fail(argv[3], "out of range");
	snapshot_store_init(&store);
	snapshot_publish(&store, load_table(settings));
	if (pthread_create(&thread, NULL, read_on, &reader) != 0)
		text_fail("load", "no thread");
	for (size_t i = 0; i < rounds; i++)
		swap_once(&store, &reader, settings, &times, i);
	atomic_store(&reader.is_over, true);
	(void)pthread_join(thread, NULL); /* it is there */
	printf("{");
	print_times("load_ms", times.load_ns, rounds, 1e6);
	print_times("publish_us", times.publish_ns, rounds, 1e3);
	print_times("drop_ms", times.drop_ns, rounds, 1e6);
	print_times("wait_us", times.wait_ns, rounds, 1e3);
	printf("\"rounds\": %zu, \"look_ups\": %llu, \"failures\": %llu}\n", rounds,
	       (unsigned long long)reader.look_ups, (unsigned long long)reader.failures);
	snapshot_store_clear(&store);
	settings->table = NULL;
	settings_free(settings);
	return 0;
}
