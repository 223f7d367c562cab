/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/orders.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for one descriptor, aligned as its header wants. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

bool orders_open(int out_ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out_ends) == 0;
}

static int descriptor_in(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int descriptor = -1;

	if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(descriptor)))
		memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
	return descriptor;
}

int orders_read(int fd, int *out_descriptor)
{
	unsigned char byte;
	union control control;
	struct iovec piece = { .iov_base = &byte, .iov_len = 1 };
	/* The kernel drops a descriptor that finds no room. */
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = out_descriptor != NULL ? &control : NULL,
		.msg_controllen = out_descriptor != NULL ? sizeof(control) : 0,
	};
	ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (out_descriptor != NULL)
		*out_descriptor = size == 1 ? descriptor_in(&message) : -1;
	if (size == 1)
		return byte;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return ORDERS_SILENT;
	return ORDERS_ENDED;
}

bool orders_write(int fd, enum order message, int descriptor)
{
	unsigned char byte = (unsigned char)message;
	union control control = { .room = { 0 } };
	struct iovec piece = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr header = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (descriptor >= 0) {
		control.header.cmsg_len = CMSG_LEN(sizeof(descriptor));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}
