/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master_begin.h"

#include <sys/socket.h>

#include "service/log.h"
#include "service/privileges.h"
#include "worker/room.h"

bool master_begin(const struct settings *settings, struct listener *listener, struct error *err)
{
	struct endpoint_address address;
	struct identity identity;
	bool is_path;

	if (!privileges_choose(settings->user, &identity, err) ||
	    !listen_parse(settings->socket, settings->allow_remote_mta, &address, err) ||
	    !privileges_make_directory(settings->runtime_directory, &identity, err))
		return false;
	/* Workers, which are nobody in particular, may not raise the highest number. */
	(void)privileges_raise_descriptors(settings->max_sessions + ROOM_BESIDE); /* as many as
										   * it gets */
	/* A port may be one of root's; a file is to be the final user's. */
	is_path = address.socket.any.sa_family == AF_UNIX;
	if (!is_path && !listener_open(listener, &address, err))
		return false;
	if (!privileges_drop(&identity, err) ||
	    !listener_lock(listener, settings->runtime_directory, settings->socket, err))
		return false;
	if (is_path && !listener_open(listener, &address, err))
		return false;
	log_line(SEVERITY_INFO, "openrcptd " OPENRCPT_VERSION " listens on %s", settings->socket);
	return true;
}
