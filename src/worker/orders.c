/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/orders.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "service/descriptor.h"

bool orders_open(int out_ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out_ends) == 0;
}

int orders_read(int fd, int *out_descriptor)
{
	unsigned char byte;
	ssize_t size = descriptor_receive(fd, &byte, 1, MSG_DONTWAIT, out_descriptor);

	if (size == 1)
		return byte;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return ORDERS_SILENT;
	return ORDERS_ENDED;
}

bool orders_write(int fd, enum order message, int descriptor)
{
	char byte = (char)message;

	return descriptor_send(fd, bytes_make(&byte, 1), descriptor) == 1;
}
