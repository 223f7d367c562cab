/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { GUARDS_MAX = 16 };

struct guard {
	int fd;
	size_t slot;
	pthread_mutex_t lock;
	/* Under the lock. */
	struct stat last; /* what the file was like when it was last found intact */
	bool has_changed;
	bool (*has_old_content)(void *context);
	void *context;
};

/* What the handler reads: no lock, nothing but atomics. base is set last and cleared first. */
static struct {
	_Atomic uintptr_t base;
	_Atomic size_t size;
	atomic_bool is_poisoned;
} slots[GUARDS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool has_handler;  /* under the lock */
static size_t page_bytes; /* set before there is a handler, which reads it */
static struct sigaction before;

/* Zeros from the page of AT to the end of its range; true if it is in one. */
static bool poison(uintptr_t at)
{
	for (size_t i = 0; i < GUARDS_MAX; i++) {
		uintptr_t base = atomic_load(&slots[i].base);
		size_t size = atomic_load(&slots[i].size);
		uintptr_t page = at / page_bytes * page_bytes;

		if (base == 0 || at < base || at - base >= size)
			continue;
		/* First the word, then the zeros: who reads them must find it. */
		atomic_store(&slots[i].is_poisoned, true);
		return mmap((void *)page, base + size - page, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
	}
	return false;
}

static void on_sigbus(int number, siginfo_t *information, void *context)
{
	int saved = errno;

	(void)context;
	if (!poison((uintptr_t)information->si_addr))
		(void)sigaction(number, &before, NULL); /* then it comes again, and ends us */
	errno = saved;
}

/* Once a process; the caller holds the lock. */
static bool install_handler(struct error *err)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };

	if (has_handler)
		return true;
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	(void)sigemptyset(&action.sa_mask); /* can't fail */
	if (sigaction(SIGBUS, &action, &before) != 0)
		return error_set_errno(err, EX_OSERR, "can't watch for SIGBUS");
	has_handler = true;
	return true;
}

static bool take_slot(struct guard *guard, const struct file_copy *copy, struct error *err)
{
	for (size_t i = 0; i < GUARDS_MAX; i++) {
		if (atomic_load(&slots[i].base) != 0)
			continue;
		atomic_store(&slots[i].is_poisoned, false);
		atomic_store(&slots[i].size, copy->bytes.size);
		atomic_store(&slots[i].base, (uintptr_t)copy->bytes.data);
		guard->slot = i;
		return true;
	}
	return error_set(err, EX_OSERR, "no more than %d mapped tables at a time", GUARDS_MAX);
}

struct guard *guard_new(const struct file_copy *copy, struct error *err)
{
	struct guard *guard = malloc(sizeof(*guard));
	struct file_identity now;
	bool is_taken;

	if (guard == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	*guard = (struct guard){ .fd = copy->fd, .lock = PTHREAD_MUTEX_INITIALIZER };
	if (fstat(copy->fd, &guard->last) != 0) {
		error_fill_errno(err, EX_OSERR, "the mapped table");
		free(guard);
		return NULL;
	}
	file_identity_of(&guard->last, &now);
	guard->has_changed = !file_identity_equal(&now, &copy->identity);
	(void)pthread_mutex_lock(&lock); /* never fails: it isn't ours already */
	is_taken = install_handler(err) && take_slot(guard, copy, err);
	(void)pthread_mutex_unlock(&lock);
	if (is_taken)
		return guard;
	free(guard);
	return NULL;
}

void guard_free(struct guard *guard)
{
	if (guard == NULL)
		return;
	atomic_store(&slots[guard->slot].base, 0);
	(void)pthread_mutex_destroy(&guard->lock); /* nobody holds it */
	free(guard);
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Only a question that NOW doesn't answer costs more than a look at the file. Under the lock. */
static bool is_still_intact(struct guard *guard, const struct stat *now)
{
	const struct stat *last = &guard->last;

	if (now->st_size != last->st_size || !is_same_time(&now->st_mtim, &last->st_mtim))
		return false;
	if (is_same_time(&now->st_ctim, &last->st_ctim))
		return true;
	/* Replaced: whoever writes to its path writes to another file. */
	if (now->st_nlink == 0 && last->st_nlink > 0)
		return true;
	return guard->has_old_content != NULL && guard->has_old_content(guard->context);
}

void guard_on_doubt(struct guard *guard, bool (*has_old_content)(void *context), void *context)
{
	guard->has_old_content = has_old_content;
	guard->context = context;
}

bool guard_is_intact(struct guard *guard)
{
	struct stat now;
	bool is_intact;

	/* Asked under the lock: an answer older than the last one would look like a change. */
	(void)pthread_mutex_lock(&guard->lock); /* never fails: it isn't ours already */
	if (guard->has_changed || fstat(guard->fd, &now) != 0 || !is_still_intact(guard, &now))
		guard->has_changed = true;
	else
		guard->last = now;
	is_intact = !guard->has_changed;
	(void)pthread_mutex_unlock(&guard->lock); /* it is ours */
	return is_intact && !atomic_load(&slots[guard->slot].is_poisoned);
}
