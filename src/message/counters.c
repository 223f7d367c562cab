/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/counters.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

/* They come minutes apart, and one is read in microseconds: it isn't overwritten meanwhile. */
enum { TEXTS_KEPT = 8 };

struct texts {
	_Atomic unsigned count; /* that there ever were */
	char kept[TEXTS_KEPT][COUNTERS_TEXT_MAX];
};

struct page {
	uint64_t layout; /* see layout_of_page() */
	_Atomic uint64_t values[COUNTERS];
	_Atomic uint64_t sessions[COUNTERS_WORKERS];
	_Atomic uint64_t pulses[COUNTERS_WORKERS];
	_Atomic uint64_t buckets[HISTOGRAMS][HISTOGRAM_BUCKETS];
	_Atomic uint64_t sums[HISTOGRAMS];
	struct texts texts[COUNTERS_TEXTS];
};

static struct page own_page;
static struct page *page = &own_page;
static int page_fd = -1;
static unsigned own_worker;

static const struct counter_name names[] = {
#define COUNTER(id, family, label, value) { family, label, value },
#define GAUGE(id, family)                 { family, "", "" },
#include "message/counters.def"
};

static const uint64_t bounds[HISTOGRAMS][HISTOGRAM_BUCKETS - 1] = {
	[HISTOGRAM_EXPANDED] = { 1, 2, 5, 10, 20, 50, 100, 500, 1000 },
	[HISTOGRAM_RESOLVE] = { 1, 2, 5, 10, 50, 100, 500, 1000, 5000 },
};

/* Another program with the same has the same counters in the same places. */
static uint64_t layout_of_page(void)
{
	uint64_t layout = sizeof(struct page);

	for (size_t i = 0; i < COUNTERS; i++) {
		layout = hash_key(bytes_of(names[i].family), layout);
		layout = hash_key(bytes_of(names[i].value), layout);
	}
	return layout;
}

static struct page *map(int fd)
{
	void *shared = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return shared == MAP_FAILED ? NULL : shared;
}

void counters_share(void)
{
	int fd = memfd_create("counters", MFD_CLOEXEC);
	struct page *shared = NULL;

	if (fd >= 0 && ftruncate(fd, sizeof(struct page)) == 0)
		shared = map(fd);
	if (shared == NULL) {
		if (fd >= 0)
			(void)close(fd); /* nothing is in it */
		return;
	}
	shared->layout = layout_of_page();
	page = shared;
	page_fd = fd;
}

int counters_descriptor(void)
{
	return page_fd;
}

bool counters_adopt(int fd)
{
	struct stat status;
	struct page *shared;

	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size != (off_t)sizeof(struct page))
		return false;
	shared = map(fd);
	if (shared == NULL)
		return false;
	if (shared->layout != layout_of_page()) {
		(void)munmap(shared, sizeof(*shared)); /* it is all of a mapping */
		return false;
	}
	page = shared;
	page_fd = fd;
	return true;
}

_Atomic uint64_t *counters_pulse(unsigned worker)
{
	return &page->pulses[worker];
}

void counter_add(enum counter which, uint64_t number)
{
	/* Nothing hangs on the order in which others see it. */
	(void)atomic_fetch_add_explicit(&page->values[which], number, memory_order_relaxed);
}

void counter_set(enum counter which, uint64_t number)
{
	atomic_store(&page->values[which], number);
}

static uint64_t all_sessions(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < COUNTERS_WORKERS; i++)
		sum += atomic_load(&page->sessions[i]);
	return sum;
}

uint64_t counter_get(enum counter which)
{
	return which == COUNTER_SESSIONS ? all_sessions() : atomic_load(&page->values[which]);
}

/* ---- sessions ------------------------------------------------------------------------------ */

void counters_be_worker(unsigned worker)
{
	own_worker = worker;
	counters_forget_worker(worker);
}

void counters_forget_worker(unsigned worker)
{
	atomic_store(&page->sessions[worker], 0);
}

bool counters_begin_session(uint64_t most)
{
	/* Its values are of no interest, but for the sum. */
	(void)atomic_fetch_add(&page->sessions[own_worker], 1);
	if (all_sessions() <= most)
		return true;
	counters_end_session();
	return false;
}

void counters_end_session(void)
{
	(void)atomic_fetch_sub(&page->sessions[own_worker], 1);
}

/* ---- the others ----------------------------------------------------------------------------- */

const struct counter_name *counter_name(enum counter which)
{
	return &names[which];
}

void counters_observe(enum histogram which, uint64_t value)
{
	size_t bucket = 0;

	while (bucket < HISTOGRAM_BUCKETS - 1 && value > bounds[which][bucket])
		bucket++;
	/* As in counter_add(). */
	(void)atomic_fetch_add_explicit(&page->buckets[which][bucket], 1, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&page->sums[which], value, memory_order_relaxed);
}

void counters_histogram(enum histogram which, struct histogram_counts *out_counts)
{
	memcpy(out_counts->bounds, bounds[which], sizeof(out_counts->bounds));
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		out_counts->buckets[i] = atomic_load(&page->buckets[which][i]);
	out_counts->sum = atomic_load(&page->sums[which]);
}

void counters_set_text(enum counters_text which, const char *text)
{
	struct texts *texts = &page->texts[which];
	unsigned count = atomic_load(&texts->count);

	(void)snprintf(texts->kept[count % TEXTS_KEPT], COUNTERS_TEXT_MAX, "%s",
		       text); /* may be cut */
	atomic_store(&texts->count, count + 1);
}

void counters_get_text(enum counters_text which, char out_text[COUNTERS_TEXT_MAX])
{
	const struct texts *texts = &page->texts[which];
	unsigned count = atomic_load(&texts->count);

	(void)snprintf(out_text, COUNTERS_TEXT_MAX, "%s",
		       count == 0 ? "" : texts->kept[(count - 1) % TEXTS_KEPT]); /* fits */
}

void counters_failure(const char *reason, uint64_t now)
{
	counters_set_text(COUNTERS_TEXT_FAILURE, reason);
	counter_set(COUNTER_LAST_FAILURE, now);
	counter_set(COUNTER_LAST_LOAD_FAILED, 1);
	counter_add(COUNTER_LOADS_FAILED, 1);
}
