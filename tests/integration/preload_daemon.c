/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a daemon that tests start. What its libconfig does instead of reading is the first
 * word of the file that BREAK_CONFIG names, if there is one. And each process says so that runs the
 * libraries' destructors.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int config_read(void *config, FILE *stream);
int smfi_opensocket(int removes);

/* Is WORD the order of this moment? */
static int is_told(const char *word)
{
	const char *path = getenv("BREAK_CONFIG");
	FILE *order = path == NULL ? NULL : fopen(path, "r");
	char how[16] = "";
	int size;

	if (order == NULL)
		return 0;
	size = fscanf(order, "%15s", how);
	(void)fclose(order); /* was only read */
	return size == 1 && strcmp(how, word) == 0;
}

/* The test waits for these words. */
static void say(const char *words)
{
	(void)fprintf(stderr, "%s\n", words); /* to the log */
}

static void wait_while(const char *word, const char *words)
{
	const struct timespec moment = { .tv_nsec = 5000000 };

	if (is_told(word))
		say(words);
	while (is_told(word))
		(void)nanosleep(&moment, NULL); /* shorter is as good */
}

static void hang(const char *words)
{
	say(words);
	for (;;)
		(void)pause();
}

/* Is this a program that is only asked whether it could take over? */
static int is_asked(void)
{
	FILE *arguments = fopen("/proc/self/cmdline", "r");
	char text[4096] = "";
	size_t size = arguments == NULL ? 0 : fread(text, 1, sizeof(text), arguments);

	if (arguments != NULL)
		(void)fclose(arguments); /* was only read */
	return memmem(text, size, "--takes-over", strlen("--takes-over")) != NULL;
}

int config_read(void *config, FILE *stream)
{
	int (*original)(void *, FILE *) = dlsym(RTLD_NEXT, "config_read");

	if (is_told("die"))
		(void)kill(getpid(), SIGKILL);
	if (is_told("exit"))
		exit(2);
	if (is_told("hang"))
		hang("config_read() hangs");
	wait_while("slow", "config_read() waits");
	if (!is_asked())
		wait_while("begin", "config_read() of the new program waits");
	return original(config, stream);
}

/* A worker that begins opens libmilter's socket. With the order "start" it never does, with "wait"
 * not before there is another order, with "fail" it can't. */
int smfi_opensocket(int removes)
{
	int (*original)(int) = dlsym(RTLD_NEXT, "smfi_opensocket");

	if (is_told("start"))
		hang("smfi_opensocket() hangs");
	wait_while("wait", "smfi_opensocket() waits");
	return is_told("fail") ? -1 : original(removes);
}

/* With the order "accounts" nobody can tell who a user is. */
int getpwnam_r(const char *name, struct passwd *entry, char *room, size_t size,
	       struct passwd **found)
{
	int (*original)(const char *, struct passwd *, char *, size_t, struct passwd **) =
		dlsym(RTLD_NEXT, "getpwnam_r");

	return is_told("accounts") ? EIO : original(name, entry, room, size, found);
}

__attribute__((destructor)) static void say_so(void)
{
	(void)fprintf(stderr, "destructors run in %ld\n", (long)getpid()); /* to the log */
}
