/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a daemon that tests start. What its libconfig does instead of reading is the first
 * word of the file that BREAK_CONFIG names, if there is one. And each process says so that runs the
 * libraries' destructors.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int config_read(void *config, FILE *stream);

static void break_off(const char *how)
{
	if (strcmp(how, "die") == 0)
		(void)kill(getpid(), SIGKILL);
	else if (strcmp(how, "exit") == 0)
		exit(2);
	else if (strcmp(how, "hang") == 0) {
		(void)fputs("config_read() hangs\n", stderr); /* the test waits for it */
		for (;;)
			(void)pause();
	}
}

int config_read(void *config, FILE *stream)
{
	int (*original)(void *, FILE *) = dlsym(RTLD_NEXT, "config_read");
	const char *path = getenv("BREAK_CONFIG");
	FILE *order = path == NULL ? NULL : fopen(path, "r");
	char how[16];

	if (order != NULL && fscanf(order, "%15s", how) == 1)
		break_off(how);
	if (order != NULL)
		(void)fclose(order); /* was only read */
	return original(config, stream);
}

/* A worker that begins opens libmilter's socket: with the order "start" it never does. */
int smfi_opensocket(int removes);

int smfi_opensocket(int removes)
{
	int (*original)(int) = dlsym(RTLD_NEXT, "smfi_opensocket");
	const char *path = getenv("BREAK_CONFIG");
	FILE *order = path == NULL ? NULL : fopen(path, "r");
	char how[16];

	if (order != NULL && fscanf(order, "%15s", how) == 1 && strcmp(how, "start") == 0) {
		(void)fputs("smfi_opensocket() hangs\n", stderr); /* the test waits for it */
		for (;;)
			(void)pause();
	}
	if (order != NULL)
		(void)fclose(order); /* was only read */
	return original(removes);
}

__attribute__((destructor)) static void say_so(void)
{
	(void)fprintf(stderr, "destructors run in %ld\n", (long)getpid()); /* to the log */
}
