/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "confine/confine.h"
#include "message/counters.h"
#include "metrics/measure.h"
#include "milter/pulse.h"
#include "openrcptd/health.h"
#include "openrcptd/master_begin.h"
#include "openrcptd/master_control.h"
#include "openrcptd/master_inside.h"
#include "worker/orders.h"
#include "worker/settings_reader.h"
#include "openrcptd/start_pace.h"
#include "openrcptd/takeover.h"
#include "openrcptd/worker_process.h"
#include "openrcptd/worker_state.h"
#include "service/listen.h"
#include "service/log.h"
#include "service/notify.h"

enum { ALIVE_MS = 5000 /* between two signs of life to a service manager */ };

/* Set by signal handlers, which do nothing else. */
static volatile sig_atomic_t reload_signalled;
static volatile sig_atomic_t reexec_signalled;
static volatile sig_atomic_t stop_signalled;

static void on_signal(int number)
{
	if (number == SIGHUP || number == SIGUSR1)
		reload_signalled = 1;
	else if (number == SIGUSR2)
		reexec_signalled = 1;
	else if (number == SIGTERM || number == SIGINT)
		stop_signalled = 1;
	/* SIGCHLD only has to wake us. */
}

/* ---- signals -------------------------------------------------------------------------- */

static const int handled_signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGCHLD };

/* Blocked but while waiting, so that none is missed between a look at the flags and the wait. */
static void handle_signals(sigset_t *out_while_waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	(void)sigemptyset(&blocked); /* can't fail, as the rest here: the numbers are sound */
	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&ignore.sa_mask);
	for (size_t i = 0; i < sizeof(handled_signals) / sizeof(handled_signals[0]); i++) {
		(void)sigaction(handled_signals[i], &action, NULL);
		(void)sigaddset(&blocked, handled_signals[i]);
	}
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	(void)sigemptyset(out_while_waiting);
}

/* ---- the states -------------------------------------------------------------------------- */

/* EVENT has happened: go to the next state, and do what belongs to that step. */
static void work(struct master *master, enum worker_event event)
{
	while (event != EVENT_NONE) {
		struct worker_step step = worker_step(master->state, event);

		master->state = step.state;
		event = master_act(master, step.action);
	}
}

/* ---- where events come from -------------------------------------------------------------- */

/* EVENT_NONE where it has no part in the states; false: there is no more to hear. */
static bool hear(struct worker_process *process, enum worker_event *out_event)
{
	int descriptor = -1;
	int message = process->orders_fd < 0 ? ORDERS_SILENT
					     : orders_read(process->orders_fd, &descriptor);

	if (descriptor >= 0) {
		if (process->table_fd >= 0)
			(void)close(process->table_fd); /* was only read */
		process->table_fd = descriptor;
	}
	*out_event = EVENT_NONE;
	switch (message) {
	case REPORT_TABLE:
		return true;
	case REPORT_READY:
		*out_event = EVENT_READY;
		return true;
	case REPORT_RELOADED:
		*out_event = EVENT_RELOADED;
		return true;
	case REPORT_KEPT:
		*out_event = EVENT_KEPT;
		return true;
	case REPORT_ANOTHER:
		*out_event = EVENT_ANOTHER;
		return true;
	case REPORT_OUTGROWN:
		*out_event = EVENT_OUTGROWN;
		return true;
	case ORDERS_ENDED:
		worker_process_hang_up(process); /* its death follows */
		return false;
	default:
		return false;
	}
}

/* Another one may read in a folder that took the place of the one before. It says so each second:
 * it is heard where there is something to be done. */
static bool is_heard(const struct master *master, enum worker_event event)
{
	if (event != EVENT_OUTGROWN)
		return true;
	if (master->state != WORKER_SERVING || clock_milliseconds() < master->next_renew_ms)
		return false;
	log_line(SEVERITY_INFO,
		 "worker %ld can't look into the folder of the table that is there now",
		 (long)master->worker.pid);
	return true;
}

/* What the worker has said; also the last words of one that has ended. */
static void hear_worker(struct master *master)
{
	enum worker_event event;

	while (hear(&master->worker, &event)) {
		master_keep_table(master, master->worker.table_fd);
		master->worker.table_fd = -1;
		if (is_heard(master, event))
			work(master, event);
	}
}

/* It is the worker as soon as it is ready, and what it serves isn't kept before. */
static void hear_next(struct master *master)
{
	enum worker_event event;

	while (hear(&master->next, &event))
		work(master, event == EVENT_READY ? EVENT_NEXT_READY : EVENT_NONE);
}

static void log_death(const struct master *master, pid_t child, int status)
{
	long pid = (long)child;

	if (master->state == WORKER_STOPPING)
		return;
	if (master->state == WORKER_REPLACING)
		log_line(SEVERITY_INFO, "worker %ld made room", pid);
	else if (WIFSIGNALED(status))
		log_line(SEVERITY_ERROR, "worker %ld was killed by signal %d", pid,
			 WTERMSIG(status));
	else
		log_line(SEVERITY_ERROR, "worker %ld ended with status %d", pid,
			 WEXITSTATUS(status));
}

static void hear_of_death(struct master *master, pid_t child, int status)
{
	struct error err;

	if (child == master->reader.pid) {
		work(master, settings_reader_end(&master->reader, status, master->settings->file)
				     ? EVENT_SETTINGS_READ
				     : EVENT_SETTINGS_BAD);
	} else if (reexec_has_ended(&master->reexec, child, status, &err)) {
		if (!master->reexec.is_well)
			master_end_reexec(master, err.text);
	} else if (metrics_process_has_ended(&master->metrics, child, clock_milliseconds())) {
		return;
	} else if (child == master->worker.pid) {
		master->wait_status = status;
		log_death(master, child, status);
		if (master->state == WORKER_STOPPING)
			worker_process_forget(&master->worker);
		work(master, master->has_served ? EVENT_DIED : EVENT_NEVER_SERVED);
	} else if (child == master->next.pid) {
		log_death(master, child, status);
		worker_process_forget(&master->next);
		work(master, EVENT_NEXT_DIED);
	} else if (retired_has_ended(&master->retired, child, status)) {
		work(master, EVENT_RETIRED_DIED);
	}
	/* Or it was a reader that nobody waits for any more. */
}

static void reap_children(struct master *master)
{
	pid_t child;
	int status;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0)
		hear_of_death(master, child, status);
}

/* Not where it takes connections of a socket that nobody finds any more: the next one is on its
 * way, or will be in a moment. */
static bool asks_worker(const struct master *master)
{
	return worker_state_serves(master->state) && !master_worker_is_stale(master);
}

static void look_after_worker(struct master *master, bool is_readable)
{
	if (!asks_worker(master))
		return;
	switch (health_work(&master->health, &master->listener, is_readable,
			    clock_milliseconds())) {
	case HEALTH_QUIET:
	case HEALTH_WELL:
		return;
	case HEALTH_BARRED:
		if (master->health.barred == 1)
			log_line(SEVERITY_WARNING,
				 "the worker can't be asked whether it serves: %s",
				 error_words(errno));
		return;
	case HEALTH_LOST:
		log_line(SEVERITY_ERROR, "worker %ld doesn't answer: starting another",
			 (long)master->worker.pid);
		work(master, EVENT_HUNG);
		return;
	case HEALTH_NO_SOCKET:
		if (master->state != WORKER_RENEWING)
			(void)master_renew_socket(master); /* or the next look does */
		return;
	}
}

static void replace_stale_worker(struct master *master)
{
	if (master->state == WORKER_SERVING &&
	    (master->takes_over || master_worker_is_stale(master)) &&
	    clock_milliseconds() >= master->next_renew_ms)
		work(master, EVENT_SOCKET_RENEWED);
}

/* Whoever asks from now on may mean other settings: so that is another one. */
static void ask_program(struct master *master)
{
	struct error err;

	master->reexec.is_wanted = false;
	master_control_begins(master, "reexec");
	if (!reexec_ask(&master->reexec, master->settings->file, &err))
		master_end_reexec(master, err.text);
}

/* There must be room for the worker that retires then, as for any other. */
static void become_program(struct master *master)
{
	struct error err;

	if (retired_are_full(&master->retired))
		error_fill(&err, EX_TEMPFAIL, "too many workers before this one still end");
	else
		takeover_give(master, &err);
	master_end_reexec(master, err.text);
}

/* Ask the program first, and then become it; both while nothing else goes on. */
static void obey_reexec(struct master *master)
{

	if (reexec_signalled) {
		reexec_signalled = 0;
		master->reexec.is_wanted = true;
	}
	if (master->state != WORKER_SERVING || master->takes_over || master->reexec.pid > 0)
		return;
	if (master->reexec.is_well)
		become_program(master);
	else if (master->reexec.is_wanted)
		ask_program(master);
}

/* The worker of the program before may not understand what this one has read. */
static bool may_reload(const struct master *master)
{
	return master->wants_reload && master->state == WORKER_SERVING && !master->takes_over;
}

static void obey_signals(struct master *master)
{
	if (stop_signalled) {
		stop_signalled = 0;
		work(master, EVENT_STOP);
	}
	if (reload_signalled) {
		reload_signalled = 0;
		master->wants_reload = true;
	}
	/* Until the worker can take it, it is only wanted. */
	if (may_reload(master) && clock_milliseconds() >= master->next_reload_ms) {
		master->wants_reload = false;
		work(master, EVENT_RELOAD);
	}
}

static void serve_metrics(struct master *master)
{
	int own[MASTER_DESCRIPTORS];

	master_list(master, MASTER_METRICS, own);
	metrics_process_work(&master->metrics, master->settings, own, MASTER_DESCRIPTORS,
			     clock_milliseconds());
}

/* Ours, not the worker's: one that hangs, or can't begin, is our business, and a service manager
 * that lost its patience would lose the table that we keep. */
static void show_life(struct master *master)
{
	if (clock_milliseconds() < master->alive_due_ms)
		return;
	notify_alive();
	log_tell_left_out(false);
	measure_log();
	master->alive_due_ms = clock_milliseconds() + ALIVE_MS;
}

static void note_counts(struct master *master)
{
	struct recent_counts now = recent_counters(clock_seconds());

	recent_note(&master->recent, &now);
	counter_set(COUNTER_RETIRED_WORKERS, master->retired.count);
}

static void look_at_clock(struct master *master)
{
	if (clock_milliseconds() >= master->due_ms)
		work(master, EVENT_DUE);
	retired_work(&master->retired, clock_milliseconds());
}

/* ---- the loop ----------------------------------------------------------------------------- */

static long long earlier(long long a, long long b)
{
	return a < b ? a : b;
}

/* In how many milliseconds something is due. */
static long long wait_ms(const struct master *master)
{
	long long now = clock_milliseconds();
	long long due = earlier(master->due_ms, master->alive_due_ms);

	due = earlier(due, control_due_ms(&master->control));
	due = earlier(due, metrics_process_due_ms(&master->metrics));
	due = earlier(due, retired_due_ms(&master->retired));

	if (master->state == WORKER_SERVING &&
	    (master->takes_over || master_worker_is_stale(master)))
		due = earlier(due, master->next_renew_ms);
	if (asks_worker(master))
		due = earlier(due, master->health.due_ms);
	if (may_reload(master))
		due = earlier(due, master->next_reload_ms);
	return due > now ? due - now : 0;
}

static int loop(struct master *master, const sigset_t *while_waiting)
{
	const struct recent_counts none = recent_counters(clock_seconds());

	recent_init(&master->recent, &none);
	health_init(&master->health, clock_milliseconds());
	while (master->state != WORKER_ENDED) {
		long long limit_ms = wait_ms(master);
		const struct timespec limit = { .tv_sec = limit_ms / 1000,
						.tv_nsec = (long)(limit_ms % 1000) * 1000000 };
		int health_fd = asks_worker(master) ? master->health.fd : -1;
		/* A descriptor of -1 is skipped. A retired worker says nothing. */
		struct pollfd ready[3 + CONTROL_DESCRIPTORS] = {
			{ .fd = master->worker.orders_fd, .events = POLLIN },
			{ .fd = health_fd, .events = POLLIN },
			{ .fd = master->next.orders_fd, .events = POLLIN },
		};
		bool is_ready;

		control_poll(&master->control, &ready[3]);
		is_ready =
			ppoll(ready, sizeof(ready) / sizeof(ready[0]), &limit, while_waiting) > 0;
		hear_worker(master);
		hear_next(master);
		reap_children(master);
		look_after_worker(master, is_ready && ready[1].revents != 0);
		master_control_serve(master);
		serve_metrics(master);
		obey_signals(master);
		obey_reexec(master);
		replace_stale_worker(master);
		look_at_clock(master);
		show_life(master);
		note_counts(master);
	}
	return master->exit_status;
}

/* All is open that has to be. */
static int confine_and_loop(struct master *master, const sigset_t *while_waiting)
{
	struct error err;

	if (confine_master(master->settings, &master->listener.address,
			   &master->metrics.listener.address, &master->sandbox, &err))
		return loop(master, while_waiting);
	log_line(SEVERITY_FATAL, "%s", err.text);
	return err.status;
}

/* All that is there from the beginning, or once; false: it is over before it has begun. */
static bool begin(struct master *master, struct takeover *takeover, struct error *err)
{
	/* A worker has asked the same before there was something to take over. */
	if (!settings_find_table_owner(master->settings, err) && takeover == NULL)
		return false;
	if (takeover != NULL) {
		takeover_take(takeover, master);
		pulse_use(master->worker.number);
		return master_stay(master->settings, err);
	}
	counters_share();
	pulse_use(0);
	if (!master_begin(master->settings, &master->listener, err))
		return false;
	master_control_open(master);
	if (!metrics_process_open(&master->metrics, master->settings, master->listener.former, err))
		log_line(SEVERITY_WARNING, "%s", err->text);
	return true;
}

int master_run(struct settings *take_settings, struct takeover *takeover)
{
	struct master master = {
		.settings = take_settings,
		.listener = LISTENER_NONE,
		.former_listener = LISTENER_NONE,
		.health.fd = -1,
		.worker = WORKER_PROCESS_NONE,
		.next = WORKER_PROCESS_NONE,
		.reader = SETTINGS_READER_NONE,
		.reexec = REEXEC_NONE,
		.metrics = METRICS_PROCESS_NONE,
		.settings_fd = -1,
		.table_fd = -1,
		.start_limit_ms = MASTER_START_MS,
		.state = WORKER_ABSENT, /* and one is due */
	};
	struct error err;
	sigset_t while_waiting;
	int status;

	control_init(&master.control);
	master.began_ms = clock_milliseconds();
	handle_signals(&while_waiting);
	(void)umask(077);
	if (chdir("/") != 0)
		log_line(SEVERITY_WARNING, "/: %s", error_words(errno));
	if (!begin(&master, takeover, &err)) {
		log_line(SEVERITY_FATAL, "%s", err.text);
		status = err.status;
	} else {
		status = confine_and_loop(&master, &while_waiting);
	}
	log_tell_left_out(true);
	worker_process_forget(&master.worker);
	worker_process_forget(&master.next);
	reexec_forget(&master.reexec);
	health_close(&master.health);
	control_close(&master.control);
	metrics_process_close(&master.metrics);
	listener_close(&master.listener);
	listener_close(&master.former_listener);
	settings_free(master.settings);
	settings_free(master.former_settings);
	return status;
}
