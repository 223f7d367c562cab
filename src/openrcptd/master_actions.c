/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master_inside.h"

#include <limits.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "message/counters.h"
#include "milter/pulse.h"
#include "openrcptd/master_control.h"
#include "worker/orders.h"
#include "service/log.h"
#include "service/notify.h"

enum {
	RELOAD_PAUSE_MS = 100, /* signals in between are one reload */
	RENEW_PAUSE_MS = 1000, /* after a next worker that didn't begin */
	START_LONGEST_MS = 3600000,
};

#define NEVER_MS LLONG_MAX

bool master_renew_socket(struct master *master)
{
	struct error err;

	log_line(SEVERITY_ERROR, "%s: the socket is gone: opening it anew",
		 master->listener.address.socket.local.sun_path);
	if (!listener_renew(&master->listener, &err)) {
		log_line(SEVERITY_ERROR, "%s", err.text);
		return false;
	}
	master->socket_number++;
	return true;
}

bool master_worker_is_stale(const struct master *master)
{
	return master->worker.socket_number != master->socket_number;
}

void master_keep_table(struct master *master, int take_descriptor)
{
	if (take_descriptor < 0)
		return;
	if (master->table_fd >= 0)
		(void)close(master->table_fd); /* was only read */
	master->table_fd = take_descriptor;
}

/* What a worker needs is not in its list: the socket, settings and table. */
void master_list(const struct master *master, enum master_child child,
		 int out_descriptors[MASTER_DESCRIPTORS])
{
	struct pollfd controls[CONTROL_DESCRIPTORS];
	bool is_worker = child == MASTER_WORKER;
	size_t count = 0;

	control_poll(&master->control, controls);
	for (size_t i = 0; i < CONTROL_DESCRIPTORS; i++)
		out_descriptors[count++] = controls[i].fd;
	for (size_t i = 0; i < RETIRED_ROOM; i++)
		out_descriptors[count++] =
			i < master->retired.count ? master->retired.list[i].process.orders_fd : -1;
	out_descriptors[count++] = master->listener.lock_fd;
	out_descriptors[count++] = master->former_listener.lock_fd;
	out_descriptors[count++] = master->former_listener.fd;
	out_descriptors[count++] = master->health.fd;
	out_descriptors[count++] = master->worker.orders_fd;
	out_descriptors[count++] = master->next.orders_fd;
	out_descriptors[count++] = master->next.table_fd;
	out_descriptors[count++] = child != MASTER_METRICS ? master->metrics.listener.fd : -1;
	out_descriptors[count++] = is_worker ? -1 : master->listener.fd;
	out_descriptors[count++] = is_worker ? -1 : master->table_fd;
	out_descriptors[count++] = is_worker ? -1 : master->settings_fd;
	while (count < MASTER_DESCRIPTORS)
		out_descriptors[count++] = -1;
}

/* One that no process has. There are more numbers than processes. */
static unsigned free_number(const struct master *master)
{
	unsigned number = 0;

	while ((master->worker.pid > 0 && master->worker.number == number) ||
	       (master->next.pid > 0 && master->next.number == number) ||
	       retired_have_number(&master->retired, number))
		number++;
	return number;
}

/* With SETTINGS_FD, or the settings of the start where it is -1. */
static bool start_process(struct master *master, struct worker_process *process, int settings_fd,
			  struct error *err)
{
	const struct worker_options options = {
		.settings = master->settings,
		.settings_fd = settings_fd,
		.copy_fd = master->table_fd,
		.number = free_number(master),
		.is_another = master->has_served,
		.brings_settings = settings_fd != master->settings_fd,
		.listen_fd = master->listener.fd,
		.is_socket_given = master->listener.is_given,
	};
	int own[MASTER_DESCRIPTORS];

	master_list(master, MASTER_WORKER, own);
	if (!worker_process_start(process, &options, own, MASTER_DESCRIPTORS, err))
		return false;
	process->socket_number = master->socket_number;
	master->due_ms = clock_milliseconds() + master->start_limit_ms;
	return true;
}

static enum worker_event start_worker(struct master *master)
{
	struct error err;

	/* Where there can't be another one yet, the worker begins with the old one, and is asked
	 * about it when it serves. */
	if (!listener_is_intact(&master->listener))
		(void)master_renew_socket(master);

	counter_add(COUNTER_WORKER_RESTARTS, master->has_served ? 1 : 0);
	health_close(&master->health); /* nobody is left who could answer */
	if (start_process(master, &master->worker, master->settings_fd, &err))
		return EVENT_NONE;
	log_line(SEVERITY_ERROR, "%s", err.text);
	return EVENT_NOT_STARTED;
}

/* Of two sockets one is kept: the new one, where a worker serves it. */
static void choose_socket(struct master *master, bool is_new)
{
	struct listener other = is_new ? master->former_listener : master->listener;

	if (master->former_listener.fd < 0)
		return;
	if (!is_new) {
		master->listener = master->former_listener;
		master->socket_number--; /* the worker's again */
	}
	master->former_listener = LISTENER_NONE;
	if (other.lock_fd >= 0)
		(void)close(other.lock_fd); /* nobody else has it */
	listener_close(&other);
}

void master_end_reexec(struct master *master, const char *reason)
{
	/* What the next worker could not begin with is nothing for those after it. */
	if (reason != NULL && master->former_settings != NULL) {
		settings_free(master->settings);
		master->settings = master->former_settings;
	} else {
		settings_free(master->former_settings);
	}
	master->former_settings = NULL;
	choose_socket(master, reason == NULL);
	master->takes_over = false;
	if (reason == NULL)
		log_line(SEVERITY_INFO, "openrcptd " OPENRCPT_VERSION " has taken over");
	else
		log_line(SEVERITY_ERROR, "reexec: %s", reason);
	master_control_answer_waiting(master, "reexec", reason);
	reexec_forget(&master->reexec);
}

/* When the next worker may start: at once, unless the last one lived for a moment only. */
static enum worker_event plan_start(struct master *master, long long lived_ms)
{
	master->due_ms = clock_milliseconds() + start_pace_next(&master->pace, lived_ms);
	return EVENT_NONE;
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

static enum worker_event serve(struct master *master)
{
	log_line(SEVERITY_INFO, "worker %ld serves", (long)master->worker.pid);
	master->has_served = true;
	master->due_ms = NEVER_MS;
	master->start_limit_ms = MASTER_START_MS;
	master_keep_table(master, master->worker.table_fd);
	master->worker.table_fd = -1;
	pulse_use(master->worker.number);
	health_restart(&master->health, clock_milliseconds());
	if (master->worker.brings_settings)
		(void)adopt_settings(master); /* which leads to nothing else */
	else
		notify_ready();
	master->worker.brings_settings = false;
	if (master->takes_over)
		master_end_reexec(master, NULL);
	return EVENT_NONE;
}

static enum worker_event read_settings(struct master *master)
{
	int masters[MASTER_DESCRIPTORS];
	struct error err;

	master_list(master, MASTER_READER, masters);
	master->next_reload_ms = clock_milliseconds() + RELOAD_PAUSE_MS;
	notify_reloading();
	master->failures = counter_get(COUNTER_LOADS_FAILED);
	master_control_begins(master, "reload");
	if (settings_reader_start(&master->reader, master->settings, masters, MASTER_DESCRIPTORS,
				  &err))
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

static enum worker_event kill_worker(struct master *master)
{
	give_up_reload(master);
	worker_process_kill(&master->worker);
	master->due_ms = clock_milliseconds() + RETIRED_END_MS;
	return EVENT_NONE;
}

/* It may hang, or its table be large and the disk slow: so the next one gets twice the time. */
static void allow_more_time(struct master *master)
{
	master->start_limit_ms *= 2;
	if (master->start_limit_ms > START_LONGEST_MS)
		master->start_limit_ms = START_LONGEST_MS;
}

static void end_failed_reexec(struct master *master)
{
	if (master->takes_over)
		master_end_reexec(master, "the new worker did not begin; the log says why");
}

static enum worker_event give_up_start(struct master *master)
{
	log_line(SEVERITY_ERROR, "worker %ld has not begun to serve for %lld s: starting another",
		 (long)master->worker.pid, master->start_limit_ms / 1000);
	allow_more_time(master);
	end_failed_reexec(master);
	return kill_worker(master);
}

static enum worker_event bury_worker(struct master *master)
{
	long long lived_ms = clock_milliseconds() - master->worker.started_ms;

	give_up_reload(master);
	worker_process_forget(&master->worker);
	return plan_start(master, lived_ms);
}

/* It hasn't served; perhaps since it is the new program's, and the one before it died. */
static enum worker_event bury_beginner(struct master *master)
{
	end_failed_reexec(master);
	return bury_worker(master);
}

/* ---- the next worker beside this one ----------------------------------------------------- */

/* With the settings that a reload has brought, if there is one. */
static enum worker_event start_next(struct master *master)
{
	int settings_fd =
		master->reader.result_fd >= 0 ? master->reader.result_fd : master->settings_fd;
	struct error err;

	if (retired_are_full(&master->retired))
		error_fill(&err, EX_TEMPFAIL, "too many workers before this one still end");
	else if (start_process(master, &master->next, settings_fd, &err))
		return EVENT_NONE;
	counters_failure(err.text, (uint64_t)time(NULL));
	log_line(SEVERITY_ERROR, "%s", err.text);
	return EVENT_NOT_STARTED;
}

/* From now on the next one is the worker, and the other one goes on with its sessions. */
static enum worker_event turn_over(struct master *master)
{
	retired_add(&master->retired, &master->worker, !master_worker_is_stale(master),
		    clock_milliseconds());
	master->worker = master->next;
	master->next = WORKER_PROCESS_NONE;
	return serve(master);
}

static enum worker_event drop_next(struct master *master)
{
	worker_process_forget(&master->next);
	master->due_ms = NEVER_MS;
	master->next_renew_ms = clock_milliseconds() + RENEW_PAUSE_MS;
	end_failed_reexec(master);
	if (!end_reload(master))
		return EVENT_NONE;
	log_line(SEVERITY_ERROR, "%s: settings and table stay as they were",
		 master->settings->file);
	master_control_ends(master, false);
	return EVENT_NONE;
}

static enum worker_event give_up_next(struct master *master)
{
	struct error err;

	error_fill(&err, EX_TEMPFAIL, "worker %ld has not begun to serve for %lld s",
		   (long)master->next.pid, master->start_limit_ms / 1000);
	counters_failure(err.text, (uint64_t)time(NULL));
	log_line(SEVERITY_ERROR, "%s", err.text);
	allow_more_time(master);
	worker_process_kill(&master->next);
	master->due_ms = clock_milliseconds() + RETIRED_END_MS;
	return EVENT_NONE;
}

static enum worker_event promote(struct master *master)
{
	worker_process_forget(&master->worker);
	master->worker = master->next;
	master->next = WORKER_PROCESS_NONE;
	counter_add(COUNTER_WORKER_RESTARTS, 1);
	return EVENT_NONE;
}

/* ---- the end ------------------------------------------------------------------------------- */

static enum worker_event count(struct master *master)
{
	bool is_anybody_left =
		master->worker.pid > 0 || master->next.pid > 0 || master->retired.count > 0;

	return is_anybody_left ? EVENT_NONE : EVENT_GONE;
}

static enum worker_event kill_all(struct master *master)
{
	worker_process_kill(&master->worker);
	worker_process_kill(&master->next);
	retired_kill(&master->retired);
	master->due_ms = clock_milliseconds() + RETIRED_END_MS;
	return EVENT_NONE;
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
	/* One that can't be told is ending anyway. */
	(void)worker_process_tell(&master->worker, ORDER_STOP, -1);
	(void)worker_process_tell(&master->next, ORDER_STOP, -1);
	retired_stop(&master->retired, clock_milliseconds());
	master->due_ms = clock_milliseconds() + RETIRED_END_MS;
	return count(master);
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
	case ACTION_START_NEXT:
		return start_next(master);
	case ACTION_TURN_OVER:
		return turn_over(master);
	case ACTION_DROP_NEXT:
		return drop_next(master);
	case ACTION_GIVE_UP_NEXT:
		return give_up_next(master);
	case ACTION_PROMOTE:
		return promote(master);
	case ACTION_KILL_WORKER:
		worker_process_kill(&master->worker);
		break;
	case ACTION_KILL:
		return kill_worker(master);
	case ACTION_GIVE_UP:
		return give_up_start(master);
	case ACTION_BURY:
		return bury_worker(master);
	case ACTION_BURY_BEGINNER:
		return bury_beginner(master);
	case ACTION_FAIL:
		return fail(master);
	case ACTION_STOP:
		return stop(master);
	case ACTION_COUNT:
		return count(master);
	case ACTION_KILL_ALL:
		return kill_all(master);
	}
	return EVENT_NONE;
}
