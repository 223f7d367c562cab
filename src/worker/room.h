/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * room - descriptors for sessions, and for what a worker has open beside them.
 */
#ifndef WORKER_ROOM_H
#define WORKER_ROOM_H

#include <stddef.h>

enum { ROOM_BESIDE = 64 /* descriptors that are no sessions */ };

/* Allow this process as many descriptors as WANTED sessions need. How many sessions there is room
 * for; where that is less it is logged. */
size_t room_make(size_t wanted);

#endif
