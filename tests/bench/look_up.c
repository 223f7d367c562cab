/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look_up - time the look-ups of one peer; one line of JSON a measurement.
 *
 *   look_up PEER FILE rounds=N batch=N cpu=N QUERIES=MODE…
 *   look_up PEER FILE check=TEXT
 *
 * QUERIES is a list of questions, one a line. MODE is one of
 *
 *   independent   is this key there; the processor may work on several at a time
 *   bulk          the same; a peer that can is told of many keys beforehand
 *   dependent     the same, but which key is next depends on the answer
 *   targets       dependent, and every target is read
 *   ask           dependent; the whole virtual(5) question of an address
 *   expand        dependent; down to the final addresses
 *   resolve       dependent; ours alone: the daemon's whole answer
 *
 * One peer a process, so that it has the cache to itself; thread CPU time; each round takes other
 * questions than the one before. `check` asks for every key of a table and prints the sum over all
 * targets, to be compared between peers before any figure counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "clock.h"
#include "peer.h"
#include "walk.h"

enum { ROUNDS_MAX = 64 };

struct run {
	const struct peer *peer;
	void *handle;
	struct text_lines questions;
	uint64_t sum;
	uint64_t hits;
};

struct plan {
	const struct peer *peer;
	const char *file;
	void *handle; /* once something has been asked */
	size_t rounds;
	size_t batch;
};

/* What nobody can know to be zero when this is compiled. */
static volatile size_t zero;

static void run_independent(struct run *run, size_t begin, size_t count)
{
	for (size_t i = begin; i < begin + count; i++)
		run->hits += walk_find(run->peer, run->handle, run->questions.lines[i], &run->sum);
}

static void run_bulk(struct run *run, size_t begin, size_t count)
{
	for (size_t i = 0; i < count; i += PEER_BATCH) {
		size_t batch = count - i < PEER_BATCH ? count - i : PEER_BATCH;

		run->hits += walk_find_many(run->peer, run->handle,
					    run->questions.lines + begin + i, batch, &run->sum);
	}
}

/* A loop in which the next question hangs on the last answer. */
#define DEPENDENT_LOOP(name, question)                                                             \
	static void name(struct run *run, size_t begin, size_t count)                              \
	{                                                                                          \
		size_t mask = zero;                                                                \
		size_t at = begin;                                                                 \
                                                                                                   \
		for (size_t i = 0; i < count; i++) {                                               \
			size_t answer = question(run->peer, run->handle, run->questions.lines[at], \
						 &run->sum);                                       \
                                                                                                   \
			run->hits += answer;                                                       \
			at += 1 + ((answer + run->sum) & mask);                                    \
		}                                                                                  \
	}

static unsigned resolve_all(const struct peer *peer, void *handle, struct bytes address,
			    uint64_t *sum)
{
	return peer->resolve(handle, address, sum);
}

DEPENDENT_LOOP(run_dependent, walk_find)
DEPENDENT_LOOP(run_targets, walk_find_all)
DEPENDENT_LOOP(run_ask, walk_ask)
DEPENDENT_LOOP(run_expand, walk_expand)
DEPENDENT_LOOP(run_resolve, resolve_all)

static const struct mode {
	const char *name;
	void (*run)(struct run *run, size_t begin, size_t count);
} modes[] = {
	{ "independent", run_independent },
	{ "dependent", run_dependent },
	{ "bulk", run_bulk },
	{ "targets", run_targets },
	{ "ask", run_ask },
	{ "expand", run_expand },
	{ "resolve", run_resolve },
};

/* Have every mapped page of PATH in the page table: a long-lived process has touched them all. */
static void populate(const char *path)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	struct stat status;
	char line[4096];

	if (maps == NULL || stat(path, &status) != 0)
		text_fail(path, strerror(errno));
	while (fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t begin;
		uintptr_t end;
		uint64_t inode;
		size_t size;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %" SCNu64, &begin, &end,
			   &inode) != 3 ||
		    inode != status.st_ino)
			continue;
		size = end - begin;
		if (size > (size_t)status.st_size)
			size = (size_t)status.st_size;
		/* A kernel that can't leaves it to the warm-up. */
		(void)madvise((void *)begin, size, MADV_POPULATE_READ);
	}
	(void)fclose(maps); /* only read */
}

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	text_fail(name, "no such mode");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static void open_once(struct plan *plan)
{
	if (plan->handle != NULL)
		return;
	plan->handle = plan->peer->open(plan->file);
	populate(plan->file);
}

static void measure(const struct plan *plan, const char *questions, const struct mode *mode)
{
	struct run run = { .peer = plan->peer, .handle = plan->handle };
	double times[ROUNDS_MAX];
	size_t batch = plan->batch;
	double median;

	run.questions = text_read_lines(questions);
	if (batch > run.questions.count / 2)
		batch = run.questions.count / 2;
	mode->run(&run, 0, batch);
	run.hits = 0;
	for (size_t i = 0; i < plan->rounds; i++) {
		size_t begin = (i + 1) * batch % (run.questions.count - batch);
		double start = clock_thread_ns();

		mode->run(&run, begin, batch);
		times[i] = (clock_thread_ns() - start) / (double)batch;
	}
	median = clock_median(times, plan->rounds);
	printf("{\"peer\": \"%s\", \"questions\": \"%s\", \"mode\": \"%s\", \"ns\": %.2f, "
	       "\"least\": %.2f, \"most\": %.2f, \"hits\": %.4f, \"sum\": \"%" PRIu64 "\"}\n",
	       run.peer->name, base_name(questions), mode->name, median, times[0],
	       times[plan->rounds - 1], (double)run.hits / (double)(batch * plan->rounds), run.sum);
	text_free_lines(&run.questions);
}

/* A bare word with a dot declares a domain and is no key. */
static bool is_key(struct bytes key)
{
	return bytes_contain(key, '@') || !bytes_contain(key, '.');
}

static void check(const struct plan *plan, const char *text)
{
	struct text_table table = text_read_table(text);
	uint64_t sum = 0;
	size_t keys = 0;

	for (size_t i = 0; i < table.count; i++) {
		if (!is_key(table.entries[i].key))
			continue;
		if (!walk_find_all(plan->peer, plan->handle, table.entries[i].key, &sum))
			text_fail(plan->peer->name, table.entries[i].key.data);
		keys++;
	}
	printf("{\"peer\": \"%s\", \"keys\": %zu, \"sum\": \"%" PRIu64 "\"}\n", plan->peer->name,
	       keys, sum);
}

/* Stay where the caches are. */
static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set); /* measures all the same */
}

static void ask(struct plan *plan, const char *name, const char *value)
{
	open_once(plan);
	if (strcmp(name, "check") == 0)
		check(plan, value);
	else
		measure(plan, name, find_mode(value));
}

static void take(struct plan *plan, char *name, const char *value)
{
	if (strcmp(name, "rounds") == 0)
		plan->rounds = strtoul(value, NULL, 10);
	else if (strcmp(name, "batch") == 0)
		plan->batch = strtoul(value, NULL, 10);
	else if (strcmp(name, "cpu") == 0)
		pin(atoi(value));
	else
		ask(plan, name, value);
	if (plan->rounds == 0 || plan->rounds > ROUNDS_MAX || plan->batch == 0)
		text_fail(name, "out of range");
}

int main(int argc, char **argv)
{
	struct plan plan = { .rounds = 5, .batch = 100000 };

	if (argc < 4)
		text_fail("usage", "look_up PEER FILE NAME=VALUE...");
	plan.peer = peer_find(argv[1]);
	plan.file = argv[2];
	for (int i = 3; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals == NULL)
			text_fail(argv[i], "not NAME=VALUE");
		*equals = '\0';
		take(&plan, argv[i], equals + 1);
	}
	if (plan.handle != NULL)
		plan.peer->close(plan.handle);
	return 0;
}
