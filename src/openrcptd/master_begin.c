/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master_begin.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "sandbox/capabilities.h"
#include "service/log.h"
#include "service/privileges.h"
#include "worker/room.h"

bool master_begin(const struct settings *settings, struct listener *listener, struct error *err)
{
	struct endpoint_address address;
	struct identity identity;
	bool is_path;
	char name[ENDPOINT_PATH_MAX + 64];
	int given_fd;

	if (!privileges_choose(settings->user, &identity, err) ||
	    !listen_parse("socket", settings->socket, settings->allow_remote_mta, &address,
			  &given_fd, err) ||
	    !privileges_make_directory(settings->runtime_directory, &identity, err))
		return false;
	/* Workers, which are nobody in particular, may not raise the highest number. */
	(void)privileges_raise_descriptors(settings->max_sessions + ROOM_BESIDE); /* as many as
										   * it gets */
	/* One socket may be called by several names, and has one lock. */
	if (!endpoint_address_print(&address, name, sizeof(name)))
		return error_set(err, EX_CONFIG, "socket: \"%s\" has no address", settings->socket);
	/* A port may be one of root's; a file is to be the final user's. */
	is_path = address.socket.any.sa_family == AF_UNIX;
	if (given_fd >= 0) {
		if (!listener_take(listener, &address, given_fd, err))
			return false;
	} else if (!is_path && !listener_open(listener, &address, err))
		return false;
	if (geteuid() == 0)
		capabilities_empty_bounding();
	if (!privileges_drop(&identity, err) ||
	    !listener_lock(listener, settings->runtime_directory, name, err))
		return false;
	if (is_path && given_fd < 0 && !listener_open(listener, &address, err))
		return false;
	log_line(SEVERITY_INFO, "openrcptd " OPENRCPT_VERSION " listens on %s", settings->socket);
	return true;
}

bool master_stay(const struct settings *settings, struct error *err)
{
	struct identity identity = { .user = geteuid(), .group = getegid() };

	(void)snprintf(identity.name, sizeof(identity.name), "%s", settings->user); /* for errors */
	(void)privileges_raise_descriptors(settings->max_sessions + ROOM_BESIDE);   /* as above */
	if (identity.user == 0)
		return error_set(err, EX_CONFIG, "user %s: the daemon never runs as root",
				 identity.name);
	return privileges_drop(&identity, err);
}
