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
	struct file_identity identity;
	size_t slot;
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
	bool is_taken;

	if (guard == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	*guard = (struct guard){ .fd = copy->fd, .identity = copy->identity };
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
	free(guard);
}

bool guard_is_intact(const struct guard *guard)
{
	struct file_identity now;
	struct stat status;

	if (fstat(guard->fd, &status) != 0)
		return false;
	file_identity_of(&status, &now);
	/* A rename over the file changes its link count, and so the time of that: nothing of ours.
	 */
	return now.size == guard->identity.size &&
	       now.modified.tv_sec == guard->identity.modified.tv_sec &&
	       now.modified.tv_nsec == guard->identity.modified.tv_nsec &&
	       !atomic_load(&slots[guard->slot].is_poisoned);
}
