/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/given.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Names that don't fit are none. */
static struct {
	int count;
	char names[GIVEN_MOST * (ENDPOINT_NAME_MAX + 1)];
} given;

/* 0: it is none, or none that makes sense. */
static long number_in(const char *variable)
{
	const char *text = secure_getenv(variable);
	char *end;
	long number;

	if (text == NULL)
		return 0;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && number > 0 ? number : 0;
}

void given_init(void)
{
	const char *names = secure_getenv("LISTEN_FDNAMES");
	long count = number_in("LISTEN_FDS");

	given.count = 0;
	given.names[0] = '\0';
	if (number_in("LISTEN_PID") == (long)getpid())
		given.count = (int)(count < GIVEN_MOST ? count : GIVEN_MOST);
	if (names != NULL && strlen(names) < sizeof(given.names))
		memcpy(given.names, names, strlen(names) + 1);
	for (int i = 0; i < given.count; i++)
		(void)fcntl(ENDPOINT_FIRST_FD + i, F_SETFD, FD_CLOEXEC); /* or there is none */
	/* These can't fail: the names are sound. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet */
	(void)unsetenv("LISTEN_FDS");
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet */
	(void)unsetenv("LISTEN_PID");
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet */
	(void)unsetenv("LISTEN_FDNAMES");
}

/* Which descriptor is called NAME. 0: none; -1: several. */
static int find_name(const char *name)
{
	const char *at = given.names;
	int found = 0;

	for (int i = 0; i < given.count; i++) {
		size_t size = strcspn(at, ":");

		if (size == strlen(name) && memcmp(at, name, size) == 0)
			found = found == 0 ? ENDPOINT_FIRST_FD + i : -1;
		at += size;
		at += *at == ':' ? 1 : 0;
	}
	return found;
}

static bool find(const struct endpoint *endpoint, int *out_fd, struct error *err)
{
	int fd = endpoint->name != NULL ? find_name(endpoint->name) : endpoint->fd;

	if (fd < 0)
		return error_set(err, EX_CONFIG, "there are several sockets called %s",
				 endpoint->name);
	if (fd < ENDPOINT_FIRST_FD || fd >= ENDPOINT_FIRST_FD + given.count)
		return error_set(err, EX_CONFIG,
				 "no such socket was handed over by who started this; "
				 "is its unit, of type socket, active?");
	*out_fd = fd;
	return true;
}

static bool is_option(int fd, int option, int wanted)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

bool given_find(const struct endpoint *endpoint, int *out_fd, struct endpoint_address *out_address,
		struct error *err)
{
	struct endpoint_address address = { .size = sizeof(address.socket) };
	char text[ENDPOINT_PATH_MAX + 64];
	int fd;

	if (!find(endpoint, &fd, err))
		return false;
	if (!is_option(fd, SO_TYPE, SOCK_STREAM) || !is_option(fd, SO_ACCEPTCONN, 1))
		return error_set(err, EX_CONFIG, "descriptor %d is no stream socket that listens",
				 fd);
	if (getsockname(fd, &address.socket.any, &address.size) != 0 ||
	    !endpoint_address_print(&address, text, sizeof(text)))
		return error_set(err, EX_CONFIG, "descriptor %d has no path, and no port", fd);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return error_set_errno(err, EX_OSERR, "descriptor %d", fd);
	*out_fd = fd;
	*out_address = address;
	return true;
}
