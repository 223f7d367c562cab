/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/orders.h"

#include <errno.h>
#include <sys/socket.h>

bool orders_open(int out_ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out_ends) == 0;
}

int orders_read(int fd)
{
	unsigned char byte;
	ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT);

	if (size == 1)
		return byte;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return ORDERS_SILENT;
	return ORDERS_ENDED;
}

bool orders_write(int fd, enum order message)
{
	const unsigned char byte = (unsigned char)message;

	return send(fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}
