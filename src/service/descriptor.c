/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/descriptor.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for one descriptor, aligned as its header wants. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

ssize_t descriptor_send(int fd, struct bytes text, int descriptor)
{
	union control control = { .room = { 0 } };
	/* sendmsg() only reads what it takes as void *. */
	struct iovec piece = { .iov_base = (void *)(uintptr_t)text.data, .iov_len = text.size };
	struct msghdr header = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (descriptor >= 0) {
		control.header.cmsg_len = CMSG_LEN(sizeof(descriptor));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
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

ssize_t descriptor_receive(int fd, void *room, size_t room_bytes, int flags, int *out_descriptor)
{
	union control control;
	struct iovec piece = { .iov_base = room, .iov_len = room_bytes };
	/* The kernel drops a descriptor that finds no room. */
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = out_descriptor != NULL ? &control : NULL,
		.msg_controllen = out_descriptor != NULL ? sizeof(control) : 0,
	};
	ssize_t size = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);

	if (out_descriptor != NULL)
		*out_descriptor = size > 0 ? descriptor_in(&message) : -1;
	return size;
}
