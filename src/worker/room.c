/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/room.h"

#include "service/log.h"
#include "service/privileges.h"

size_t room_make(size_t wanted)
{
	size_t descriptors = privileges_raise_descriptors(wanted + ROOM_BESIDE);
	size_t sessions = wanted;

	if (descriptors >= wanted + ROOM_BESIDE)
		return sessions;
	sessions = descriptors > 2UL * ROOM_BESIDE ? descriptors - ROOM_BESIDE : ROOM_BESIDE;
	log_line(SEVERITY_WARNING, "max_sessions: only %zu, since only %zu files may be open",
		 sessions, descriptors);
	return sessions;
}
