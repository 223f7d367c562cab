/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/takeover_sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message/counters.h"
#include "openrcptd/master_control.h"
#include "service/log.h"

void takeover_control_path(const struct settings *settings, char out_path[PATH_MAX])
{
	if (settings->control_socket[0] != '\0')
		(void)snprintf(out_path, PATH_MAX, "%s", settings->control_socket);
	else
		(void)snprintf(out_path, PATH_MAX, "%s/control.sock", settings->runtime_directory);
}

static bool open_other(struct master *master, struct listener *other, struct error *err)
{
	const struct settings *settings = master->settings;
	struct endpoint_address address;
	char before[ENDPOINT_PATH_MAX + 64] = "";
	char after[ENDPOINT_PATH_MAX + 64] = "";
	int given_fd;

	if (!listen_parse("socket", settings->socket, settings->allow_remote_mta, &address,
			  &given_fd, err))
		return false;
	/* Both fit, for what we listen on. */
	(void)endpoint_address_print(&master->listener.address, before, sizeof(before));
	(void)endpoint_address_print(&address, after, sizeof(after));
	if (strcmp(before, after) == 0)
		return true; /* under another name */
	return listener_lock(other, settings->runtime_directory, after, err) &&
	       (given_fd >= 0 ? listener_take(other, &address, given_fd, err)
			      : listener_open(other, &address, err));
}

/* A setting that can't be had: what is told of it is what is. */
static void keep_text(const char *before, char **text)
{
	char *kept;

	if (asprintf(&kept, "%s", before) < 0)
		return; /* then only what is told of it is wrong */
	free(*text);
	*text = kept;
}

/* The one of BEFORE stays until a worker serves the other one. */
static void change_milter_socket(const char *before, struct master *master)
{
	struct listener other = LISTENER_NONE;
	struct error err;

	if (open_other(master, &other, &err)) {
		if (other.fd < 0)
			return;
		master->former_listener = master->listener;
		master->listener = other;
		master->socket_number++;
		return;
	}
	log_line(SEVERITY_ERROR, "%s: the socket stays as it was", err.text);
	if (other.lock_fd >= 0)
		(void)close(other.lock_fd); /* nobody else has it */
	listener_close(&other);
	keep_text(before, &master->settings->socket);
}

/* The one of BEFORE goes where the other one is there. */
static void change_control_socket(const char *before, struct master *master)
{
	struct listener former = master->control.listener;

	master->control.listener = LISTENER_NONE;
	master_control_open(master);
	if (master->control.listener.fd >= 0 || former.fd < 0) {
		listener_close(&former);
		return;
	}
	master->control.listener = former;
	keep_text(before, &master->settings->control_socket);
}

/* Likewise; but the other one may be the same port of another host, which nobody can have before
 * the one of BEFORE is gone. */
static void change_metrics_socket(const char *before, struct master *master)
{
	struct settings *settings = master->settings;
	struct metrics_process former = master->metrics;
	struct error err;

	master->metrics = METRICS_PROCESS_NONE;
	if (metrics_process_open(&master->metrics, settings, getpid(), &err)) {
		metrics_process_close(&former);
		return;
	}
	metrics_process_close(&former);
	if (metrics_process_open(&master->metrics, settings, getpid(), &err))
		return;
	log_line(SEVERITY_WARNING, "%s", err.text);
	keep_text(before, &settings->metrics);
	if (!metrics_process_open(&master->metrics, settings, getpid(), &err))
		log_line(SEVERITY_WARNING, "%s", err.text);
}

void takeover_change_sockets(const struct takeover_before *before, struct master *master)
{
	struct settings *settings = master->settings;
	char control[PATH_MAX];

	takeover_control_path(settings, control);
	if (strcmp(before->socket, settings->socket) != 0)
		change_milter_socket(before->socket, master);
	if (strcmp(before->user, settings->user) != 0) {
		log_line(SEVERITY_WARNING, "user: needs a restart");
		counters_set_text(COUNTERS_TEXT_RESTART, "user");
		/* Or the program after this one would want to be that user. */
		keep_text(before->user, &settings->user);
	}
	if (strcmp(before->control, control) != 0)
		change_control_socket(before->control, master);
	if (strcmp(before->metrics, settings->metrics) != 0)
		change_metrics_socket(before->metrics, master);
}
