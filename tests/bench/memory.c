/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory - what this machine's memory allows: the least that any look-up can take.
 *
 *   memory BYTES
 *
 * Reads one cache line after the other of a block of BYTES in huge pages, as a loaded table has
 * them, in random order: each line says which is next (dependent), or all are known beforehand
 * (independent). One line of JSON, nanoseconds a line.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "text.h"

enum {
	LINE_BYTES = 64,
	HUGE_PAGE_BYTES = 2 * 1024 * 1024,
	READS = 1000000,
	ROUNDS = 5,
};

struct line {
	size_t next;
	char rest[LINE_BYTES - sizeof(size_t)];
};

static struct line *allocate(size_t count)
{
	size_t bytes = count * sizeof(struct line);
	struct line *lines;

	bytes = (bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
	lines = aligned_alloc(HUGE_PAGE_BYTES, bytes);
	if (lines == NULL)
		text_fail("memory", "no memory");
	(void)madvise(lines, bytes, MADV_HUGEPAGE); /* small pages are slower, that is all */
	memset(lines, 0, bytes);
	return lines;
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One circle through all lines, in random order. */
static void link_lines(struct line *lines, size_t count)
{
	uint64_t state = 42;

	for (size_t i = 0; i < count; i++)
		lines[i].next = i;
	for (size_t i = count - 1; i > 0; i--) {
		size_t other = (size_t)(random_next(&state) % i);
		size_t next = lines[i].next;

		lines[i].next = lines[other].next;
		lines[other].next = next;
	}
}

static double read_dependent(const struct line *lines, size_t *at)
{
	double start = clock_thread_ns();

	for (size_t i = 0; i < READS; i++)
		*at = lines[*at].next;
	return (clock_thread_ns() - start) / READS;
}

static double read_independent(const struct line *lines, size_t count, size_t *sum)
{
	uint64_t state = 7;
	double start = clock_thread_ns();

	for (size_t i = 0; i < READS; i++)
		*sum += lines[(size_t)((unsigned __int128)random_next(&state) * count >> 64)].next;
	return (clock_thread_ns() - start) / READS;
}

int main(int argc, char **argv)
{
	double dependent[ROUNDS], independent[ROUNDS];
	size_t count = argc == 2 ? strtoull(argv[1], NULL, 10) / sizeof(struct line) : 0;
	struct line *lines;
	size_t at = 0;
	size_t sum = 0;

	if (count < 2)
		text_fail("usage", "memory BYTES");
	lines = allocate(count);
	link_lines(lines, count);
	for (int i = 0; i < ROUNDS; i++) {
		dependent[i] = read_dependent(lines, &at);
		independent[i] = read_independent(lines, count, &sum);
	}
	printf("{\"bytes\": %zu, \"dependent_ns\": %.2f, \"independent_ns\": %.2f, \"sum\": %zu}\n",
	       count * sizeof(struct line), clock_median(dependent, ROUNDS),
	       clock_median(independent, ROUNDS), sum + at);
	free(lines);
	return 0;
}
