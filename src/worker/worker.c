/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "confine/confine.h"
#include "message/counters.h"
#include "metrics/measure.h"
#include "milter/milter.h"
#include "milter/pulse.h"
#include "milter/signal_thread.h"
#include "sandbox/sandbox.h"
#include "worker/orders.h"
#include "worker/reload.h"
#include "worker/room.h"
#include "service/log.h"

enum {
	WATCH_MS = 250,      /* a replaced table is noticed within this time */
	LOOKS_A_MEASURE = 4, /* what changes slowly is measured at each so many looks */
	DRAIN_MS = 10000,
};

struct worker {
	struct snapshot_store store;
	struct reload reload;
	int orders_fd;
	size_t max_sessions;
	bool brings_settings;
	bool is_retired;
	bool is_socket_given;
	unsigned looks; /* at the table */
};

/* Never 0, which means "not missing" to the watch. */
static uint64_t watch_seconds(void)
{
	return (uint64_t)clock_seconds() + 1;
}

/* Threads of libmilter may be in the middle of anything: nothing shared is freed, by us or by
 * exit(). Nothing waits to be written either, since a log line goes out when it is made. */
static _Noreturn void stop(void)
{
	if (!milter_drain(DRAIN_MS))
		log_line(SEVERITY_WARNING, "messages were still open; they are deferred");
	log_tell_left_out(true);
	_exit(EX_OK);
}

/* A master that is gone shows at the next read. */
static void report(const struct worker *worker, enum order what, int take_descriptor)
{
	(void)orders_write(worker->orders_fd, what, take_descriptor);
	if (take_descriptor >= 0)
		(void)close(take_descriptor); /* was only read, and is the master's now */
}

static void report_table(struct worker *worker)
{
	int copy_fd = reload_take_copy(&worker->reload);

	if (copy_fd >= 0)
		report(worker, REPORT_TABLE, copy_fd);
}

static void take_over(struct worker *worker, int settings_fd)
{
	bool needs_another = reload_needs_another(&worker->reload, settings_fd);
	bool is_done = !needs_another && reload_all(&worker->reload, settings_fd);

	if (settings_fd >= 0)
		(void)close(settings_fd); /* was only read */
	if (needs_another)
		report(worker, REPORT_ANOTHER, -1);
	else if (is_done)
		report(worker, REPORT_RELOADED, reload_take_copy(&worker->reload));
	else
		report(worker, REPORT_KEPT, -1);
}

/* The sessions that are open go on. Whatever counts or speaks for the service is another worker's
 * from now on. */
static void retire(struct worker *worker, bool leaves_socket)
{
	struct error err;

	log_line(SEVERITY_INFO, "another worker takes the connections: this one ends with its "
				"sessions");
	worker->is_retired = true;
	reload_retire(&worker->reload);
	pulse_leave();
	if (leaves_socket && !milter_leave_connections(&err))
		log_line(SEVERITY_WARNING, "the socket can't be left: %s", err.text);
}

static void end_if_idle(const struct worker *worker)
{
	if (!worker->is_retired || !milter_is_idle())
		return;
	log_line(SEVERITY_INFO, "the last session has ended");
	_exit(EX_OK); /* see stop() */
}

static void obey(struct worker *worker)
{
	int descriptor;

	switch (orders_read(worker->orders_fd, &descriptor)) {
	case ORDER_RELOAD:
		take_over(worker, descriptor);
		return;
	case ORDERS_ENDED:
		log_line(SEVERITY_ERROR, "the master is gone");
		if (!worker->is_socket_given)
			milter_leave_socket();
		stop();
	case ORDER_STOP:
		stop();
	case ORDER_RETIRE:
		retire(worker, true);
		return;
	case ORDER_RETIRE_ALONE:
		retire(worker, false);
		return;
	default:
		return;
	}
}

/* With new settings another worker goes on without them. */
static int fail(const struct worker *worker, const struct error *err)
{
	if (worker->brings_settings) {
		counters_failure(err->text, (uint64_t)time(NULL));
		log_line(SEVERITY_ERROR, "%s: settings and table stay as they were", err->text);
	} else {
		log_line(SEVERITY_FATAL, "%s", err->text);
	}
	return err->status;
}

static void report_ready(const struct worker *worker)
{
	struct error err;

	counter_set(COUNTER_MAX_SESSIONS, worker->max_sessions);
	if (signal_thread_wait(&err) && milter_take_connections(&err) &&
	    (orders_write(worker->orders_fd, REPORT_READY, -1) ||
	     error_set(&err, EX_SOFTWARE, "the master is gone")))
		return;
	_exit(fail(worker, &err)); /* libmilter's threads are running */
}

static void look_after_table(struct worker *worker)
{
	if (sandbox_covers(reload_in_force(&worker->reload)->table))
		reload_if_replaced(&worker->reload, watch_seconds());
	else if (!worker->is_retired)
		report(worker, REPORT_OUTGROWN, -1);
	log_tell_left_out(false);
	if (!worker->is_retired && worker->looks++ % LOOKS_A_MEASURE == 0) {
		measure_process();
		measure_log();
	}
	report_table(worker);
}

/* The thread of the orders: the only one that loads anything. */
static void *take_orders(void *context)
{
	struct worker *worker = context;
	struct pollfd ready = { .fd = worker->orders_fd, .events = POLLIN };

	report_ready(worker);
	for (;;) {
		int result = poll(&ready, 1, WATCH_MS);

		if (result > 0)
			obey(worker);
		else if (result == 0)
			look_after_table(worker);
		else if (errno != EINTR)
			log_line(SEVERITY_PANIC, "poll: %s", error_words(errno));
		end_if_idle(worker);
	}
	return NULL;
}

/* Threads inherit it. One that blocked a synchronous signal would die of it, handler or not. */
static void block_signals(void)
{
	sigset_t blocked;

	(void)sigemptyset(&blocked); /* can't fail, as the rest here: the numbers are sound */
	(void)sigaddset(&blocked, SIGHUP);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGUSR1);
	(void)sigaddset(&blocked, SIGUSR2);
	(void)sigaddset(&blocked, SIGALRM);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
}

/* Before anybody is served: so there is no worker to miss whose table nobody has. */
static bool begin_with_table(struct worker *worker, const struct worker_options *options,
			     struct error *err)
{
	if (!options->is_another || options->brings_settings) {
		if (!reload_table(&worker->reload, err))
			return false;
	} else {
		reload_table_or_copy(&worker->reload, options->copy_fd);
	}
	if (options->copy_fd >= 0)
		(void)close(options->copy_fd); /* was only read */
	report_table(worker);
	return true;
}

static bool begin_with_settings(struct worker *worker, const struct worker_options *options,
				struct error *err)
{
	reload_init(&worker->reload, options->settings, &worker->store);
	if (options->settings_fd < 0)
		return true;
	if (!reload_adopt(&worker->reload, options->settings_fd, err))
		return false;
	(void)close(options->settings_fd); /* was only read */
	return true;
}

static bool begin_with_milter(struct worker *worker, int listen_fd, struct error *err)
{
	const struct settings *settings = reload_in_force(&worker->reload);
	struct milter_options milter = {
		.take_listen_fd = listen_fd,
		.runtime_directory = settings->runtime_directory,
		.store = &worker->store,
		.idle_timeout_seconds = (int)settings->idle_timeout_seconds,
	};

	worker->max_sessions = room_make(settings->max_sessions);
	milter.max_sessions = worker->max_sessions;
	return milter_open(&milter, err);
}

int worker_run(const struct worker_options *options)
{
	static struct worker worker; /* threads that outlive this function use it */
	struct error err = { .status = EX_SOFTWARE };
	pthread_t thread;

	block_signals();
	counters_be_worker(options->number);
	pulse_use(options->number);
	worker.orders_fd = options->orders_fd;
	worker.brings_settings = options->brings_settings;
	worker.is_socket_given = options->is_socket_given;
	snapshot_store_init(&worker.store);
	/* What libmilter opens has to be open before the process may open nothing any more; nobody
	 * is served before milter_take_connections(). */
	measure_open();
	if (!begin_with_settings(&worker, options, &err) ||
	    !begin_with_milter(&worker, options->listen_fd, &err) ||
	    !confine_worker(options->settings, reload_in_force(&worker.reload)->table, &err) ||
	    !begin_with_table(&worker, options, &err))
		return fail(&worker, &err);
	errno = pthread_create(&thread, NULL, take_orders, &worker);
	if (errno != 0) {
		error_fill_errno(&err, EX_OSERR, "thread");
		return fail(&worker, &err);
	}
	return milter_run();
}
