/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * descriptor - bytes over a local socket, and a descriptor that goes along with them.
 */
#ifndef SERVICE_DESCRIPTOR_H
#define SERVICE_DESCRIPTOR_H

#include <stddef.h>
#include <sys/types.h>

#include "base/bytes.h"

/* Send what there is room for, at once, with a copy of DESCRIPTOR, or none where it is -1. As
 * send(2), without SIGPIPE. */
ssize_t descriptor_send(int fd, struct bytes text, int descriptor);

/* As recv(2) with FLAGS. *OUT_DESCRIPTOR came along and is the caller's; -1: none, or there was no
 * room for another one in this process. NULL: not wanted. */
ssize_t descriptor_receive(int fd, void *room, size_t room_bytes, int flags, int *out_descriptor);

#endif
