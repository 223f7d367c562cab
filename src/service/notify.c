/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

static void notify(const char *state)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = path == NULL ? 0 : strlen(path);
	socklen_t address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	int fd;

	if (size == 0 || size >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, size);
	/* The name of an abstract socket begins with NUL; it is written with @ instead. */
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		     (struct sockaddr *)&address,
		     address_size); /* nobody listens: see the header */
	(void)close(fd);            /* a datagram is gone by now */
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_reloading(void)
{
	char state[100];

	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		       clock_microseconds()); /* fits */
	notify(state);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

void notify_alive(void)
{
	notify("WATCHDOG=1");
}
