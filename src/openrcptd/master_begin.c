/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master_begin.h"

#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/capabilities.h"
#include "service/log.h"
#include "service/privileges.h"

enum { DESCRIPTORS_BESIDE = 64 /* those that are no sessions */ };

/* Room for WANTED sessions; how many there is room for. */
static size_t make_room(size_t wanted)
{
	size_t descriptors = privileges_raise_descriptors(wanted + DESCRIPTORS_BESIDE);
	size_t sessions = wanted;

	if (descriptors >= wanted + DESCRIPTORS_BESIDE)
		return sessions;
	sessions = descriptors > 2UL * DESCRIPTORS_BESIDE ? descriptors - DESCRIPTORS_BESIDE
							  : DESCRIPTORS_BESIDE;
	log_line(SEVERITY_WARNING, "max_sessions: only %zu, since only %zu files may be open",
		 sessions, descriptors);
	return sessions;
}

bool master_begin(const struct settings *settings, struct listener *listener,
		  size_t *out_max_sessions, struct error *err)
{
	struct endpoint_address address;
	struct identity identity;
	bool is_path;

	if (!privileges_choose(settings->user, &identity, err) ||
	    !listen_parse(settings->socket, settings->allow_remote_mta, &address, err) ||
	    !privileges_make_directory(settings->runtime_directory, &identity, err))
		return false;
	*out_max_sessions = make_room(settings->max_sessions);
	/* A port may be one of root's; a file is to be the final user's. */
	is_path = address.socket.any.sa_family == AF_UNIX;
	if (!is_path && !listener_open(listener, &address, err))
		return false;
	if (geteuid() == 0)
		capabilities_empty_bounding();
	if (!privileges_drop(&identity, err) ||
	    !listener_lock(listener, settings->runtime_directory, settings->socket, err))
		return false;
	if (is_path && !listener_open(listener, &address, err))
		return false;
	log_line(SEVERITY_INFO, "openrcptd " OPENRCPT_VERSION " listens on %s", settings->socket);
	return true;
}
