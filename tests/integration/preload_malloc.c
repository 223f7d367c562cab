/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program that tests start: one allocation fails, once in a process.
 *
 * FAIL_MALLOC: its number, from the start. MALLOC_ORDER: a file with a word and a number, counted
 * from where the word says: `reader`, which reads the settings; `worker`, which takes them over;
 * `master`, which has them read.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static _Atomic unsigned long calls;
static _Atomic unsigned long fails_at; /* 0: never */

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("FAIL_MALLOC");

	if (number != NULL)
		fails_at = calls + strtoul(number, NULL, 10);
}

static int fails(void)
{
	if (++calls != fails_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return fails() ? NULL : __libc_realloc(memory, size);
}

/* Without an allocation that would be counted. */
static void obey(const char *place)
{
	const char *path = getenv("MALLOC_ORDER");
	unsigned long number = 0;
	char word[16] = "";
	FILE *order;

	if (path == NULL)
		return;
	fails_at = 0;
	order = fopen(path, "r");
	if (order == NULL)
		return;
	if (fscanf(order, "%15s %lu", word, &number) != 2)
		number = 0;
	(void)fclose(order); /* was only read */
	if (strcmp(word, place) == 0 && number > 0)
		fails_at = calls + number;
}

int config_read(void *config, FILE *stream);

int config_read(void *config, FILE *stream)
{
	int (*original)(void *, FILE *) = dlsym(RTLD_NEXT, "config_read");

	obey("reader");
	return original(config, stream);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t (*original)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	ssize_t size = original(fd, message, flags);

	if (size == 1 && message->msg_controllen > 0 && *(char *)message->msg_iov->iov_base == 'R')
		obey("worker");
	return size;
}

int memfd_create(const char *name, unsigned flags)
{
	int (*original)(const char *, unsigned) = dlsym(RTLD_NEXT, "memfd_create");

	if (strcmp(name, "settings") == 0)
		obey("master");
	return original(name, flags);
}
