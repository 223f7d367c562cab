/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master_inside.h"

#include <limits.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "message/counters.h"
#include "openrcptd/master_control.h"
#include "openrcptd/orders.h"
#include "service/log.h"
#include "service/notify.h"

enum {
	RELOAD_PAUSE_MS = 100, /* signals in between are one reload */
	END_MS = 15000,        /* more than a worker takes that was told to end */
	START_LONGEST_MS = 3600000,
};

#define NEVER_MS LLONG_MAX

bool master_renew_socket(struct master *master)
{
	struct error err;

	log_line(SEVERITY_ERROR, "%s: the socket is gone: opening it anew",
		 master->listener.address.socket.local.sun_path);
	if (listener_renew(&master->listener, &err))
		return true;
	log_line(SEVERITY_ERROR, "%s", err.text);
	return false;
}

void master_list_own(const struct master *master, int out_descriptors[MASTER_DESCRIPTORS])
{
	struct pollfd controls[CONTROL_DESCRIPTORS];

	control_poll(&master->control, controls);
	for (size_t i = 0; i < CONTROL_DESCRIPTORS; i++)
		out_descriptors[i] = controls[i].fd;
	out_descriptors[CONTROL_DESCRIPTORS] = master->listener.lock_fd;
	out_descriptors[CONTROL_DESCRIPTORS + 1] = master->metrics.listener.fd;
}

static bool start_process(struct master *master, struct error *err)
{
	const struct worker_options options = {
		.settings = master->settings,
		.settings_fd = master->settings_fd,
		.copy_fd = master->table_fd,
		.is_another = master->has_served,
		.listen_fd = master->listener.fd,
		.max_sessions = master->max_sessions,
	};

	int own[MASTER_DESCRIPTORS];

	master_list_own(master, own);
	return worker_process_start(&master->worker, &options, own, MASTER_DESCRIPTORS, err);
}

static enum worker_event start_worker(struct master *master)
{
	struct error err;

	/* Where there can't be another one yet, the worker begins with the old one, and is asked
	 * about it when it serves. */
	if (!listener_is_intact(&master->listener))
		(void)master_renew_socket(master);

	counter_add(COUNTER_WORKER_RESTARTS, master->has_served ? 1 : 0);
	counter_set(COUNTER_SESSIONS, 0);
	health_close(&master->health); /* the new process has no use for an open question */
	if (start_process(master, &err)) {
		master->started_ms = clock_milliseconds();
		master->due_ms = master->started_ms + master->start_limit_ms;
		return EVENT_NONE;
	}
	log_line(SEVERITY_ERROR, "%s", err.text);
	return EVENT_NOT_STARTED;
}

/* When the next worker may start: at once, unless the last one lived for a moment only. */
static enum worker_event plan_start(struct master *master, long long lived_ms)
{
	master->due_ms = clock_milliseconds() + start_pace_next(&master->pace, lived_ms);
	return EVENT_NONE;
}

static enum worker_event serve(struct master *master)
{
	log_line(SEVERITY_INFO, "worker %ld serves", (long)master->worker.pid);
	master->has_served = true;
	master->due_ms = NEVER_MS;
	notify_ready();
	master->start_limit_ms = MASTER_START_MS;
	health_restart(&master->health, clock_milliseconds());
	return EVENT_NONE;
}

static enum worker_event read_settings(struct master *master)
{
	int masters[MASTER_DESCRIPTORS + 3];
	struct error err;

	master_list_own(master, masters);
	masters[MASTER_DESCRIPTORS] = master->listener.fd;
	masters[MASTER_DESCRIPTORS + 1] = master->worker.orders_fd;
	masters[MASTER_DESCRIPTORS + 2] = master->table_fd;

	master->next_reload_ms = clock_milliseconds() + RELOAD_PAUSE_MS;
	notify_reloading();
	master_control_begins(master);
	if (settings_reader_start(&master->reader, master->settings, masters,
				  sizeof(masters) / sizeof(masters[0]), &err))
		return EVENT_NONE;
	log_line(SEVERITY_ERROR, "%s: settings and table stay as they were", err.text);
	return EVENT_SETTINGS_BAD;
}

static enum worker_event hand_over_settings(struct master *master)
{
	if (worker_process_tell(&master->worker, ORDER_RELOAD, master->reader.result_fd))
		return EVENT_NONE;
	master->wants_reload = true; /* it is ending: the next one is to do it */
	master_control_put_off(master);
	return EVENT_KEPT;
}

/* A reload is over, one way or the other. False: there was none. */
static bool end_reload(struct master *master)
{
	if (!settings_reader_cancel(&master->reader))
		return false;
	notify_ready();
	return true;
}

static enum worker_event keep_settings(struct master *master)
{
	(void)end_reload(master); /* there was one */
	master_control_ends(master, false);
	return EVENT_NONE;
}

/* The worker goes, perhaps in a reload. One that it hasn't begun is only put off. One that it has
 * may be what it died of, and must not end the next one too. */
static void give_up_reload(struct master *master)
{
	bool has_begun = master->reader.pid == 0;

	if (!end_reload(master))
		return;
	if (has_begun) {
		log_line(SEVERITY_ERROR, "worker %ld ended in a reload: settings stay as they were",
			 (long)master->worker.pid);
		master_control_ends(master, false);
		return;
	}
	master->wants_reload = true;
	master_control_put_off(master);
}

/* A worker that is started later begins with what this one has taken over. */
static enum worker_event adopt_settings(struct master *master)
{
	if (master->settings_fd >= 0)
		(void)close(master->settings_fd); /* was only read */
	master->settings_fd = settings_reader_take(&master->reader);
	log_line(SEVERITY_INFO, "%s: reloaded", master->settings->file);
	master_control_ends(master, true);
	notify_ready();
	return EVENT_NONE;
}

/* A worker that can't be told is ending anyway. */
static enum worker_event end_worker(struct master *master)
{
	(void)worker_process_tell(&master->worker, ORDER_STOP, -1);
	master->due_ms = clock_milliseconds() + END_MS;
	return EVENT_NONE;
}

static enum worker_event replace_worker(struct master *master)
{
	/* The next one is to do it. */
	if (end_reload(master)) {
		master->wants_reload = true;
		master_control_put_off(master);
	}
	return end_worker(master);
}

static enum worker_event kill_worker(struct master *master)
{
	give_up_reload(master);
	worker_process_kill(&master->worker);
	master->due_ms = clock_milliseconds() + END_MS;
	return EVENT_NONE;
}

/* It may hang, or its table be large and the disk slow: so the next one gets twice the time. */
static enum worker_event give_up_start(struct master *master)
{
	log_line(SEVERITY_ERROR, "worker %ld has not begun to serve for %lld s: starting another",
		 (long)master->worker.pid, master->start_limit_ms / 1000);
	master->start_limit_ms *= 2;
	if (master->start_limit_ms > START_LONGEST_MS)
		master->start_limit_ms = START_LONGEST_MS;
	return kill_worker(master);
}

static enum worker_event bury_worker(struct master *master)
{
	give_up_reload(master);
	worker_process_forget(&master->worker);
	return plan_start(master, clock_milliseconds() - master->started_ms);
}

/* What is wrong at the start is wrong for the next one too. */
static enum worker_event fail(struct master *master)
{
	int status = WIFEXITED(master->wait_status) ? WEXITSTATUS(master->wait_status) : EX_OK;

	master->exit_status = status != EX_OK ? status : EX_SOFTWARE;
	return EVENT_NONE;
}

static enum worker_event stop(struct master *master)
{
	notify_stopping();
	log_line(SEVERITY_INFO, "stopping");
	(void)settings_reader_cancel(&master->reader); /* whether or not there was one */
	return end_worker(master);
}

enum worker_event master_act(struct master *master, enum worker_action action)
{
	switch (action) {
	case ACTION_NONE:
		break;
	case ACTION_START:
		return start_worker(master);
	case ACTION_PLAN:
		return plan_start(master, 0);
	case ACTION_SERVE:
		return serve(master);
	case ACTION_READ:
		return read_settings(master);
	case ACTION_HAND_OVER:
		return hand_over_settings(master);
	case ACTION_ADOPT:
		return adopt_settings(master);
	case ACTION_KEEP:
		return keep_settings(master);
	case ACTION_REPLACE:
		return replace_worker(master);
	case ACTION_KILL:
		return kill_worker(master);
	case ACTION_GIVE_UP:
		return give_up_start(master);
	case ACTION_BURY:
		return bury_worker(master);
	case ACTION_FAIL:
		return fail(master);
	case ACTION_STOP:
		return stop(master);
	}
	return EVENT_NONE;
}
