/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "confine/confine.h"
#include "metrics/measure.h"
#include "milter/milter.h"
#include "milter/signal_thread.h"
#include "openrcptd/orders.h"
#include "openrcptd/reload.h"
#include "sandbox/sandbox.h"
#include "service/log.h"

enum {
	WATCH_MS = 1000, /* a replaced table is noticed within this time */
	DRAIN_MS = 10000,
};

struct worker {
	struct snapshot_store store;
	struct reload reload;
	int orders_fd;
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
		log_line(SEVERITY_WARNING, "messages were still being finished; they are deferred");
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
	bool is_done = reload_all(&worker->reload, settings_fd);

	if (settings_fd >= 0)
		(void)close(settings_fd); /* was only read */
	if (is_done)
		report(worker, REPORT_RELOADED, reload_take_copy(&worker->reload));
	else
		report(worker, REPORT_KEPT, -1);
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
		milter_leave_socket();
		stop();
	case ORDER_STOP:
		stop();
	default:
		return;
	}
}

static int fail(const struct error *err)
{
	log_line(SEVERITY_FATAL, "%s", err->text);
	return err->status;
}

/* libmilter may have taken sessions by now; they wait for the same thing. */
static void report_ready(const struct worker *worker)
{
	struct error err;

	if (signal_thread_wait(&err) && (orders_write(worker->orders_fd, REPORT_READY, -1) ||
					 error_set(&err, EX_SOFTWARE, "the master is gone")))
		return;
	_exit(fail(&err)); /* libmilter's threads are running */
}

static void look_after_table(struct worker *worker)
{
	if (sandbox_covers(reload_path(&worker->reload)))
		reload_if_replaced(&worker->reload, watch_seconds());
	else
		report(worker, REPORT_OUTGROWN, -1);
	measure_process();
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
	if (!options->is_another) {
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

int worker_run(const struct worker_options *options)
{
	static struct worker worker; /* threads that outlive this function use it */
	const struct milter_options milter = {
		.take_listen_fd = options->listen_fd,
		.runtime_directory = options->settings->runtime_directory,
		.store = &worker.store,
		.max_sessions = options->max_sessions,
		.idle_timeout_seconds = (int)options->settings->idle_timeout_seconds,
	};
	struct error err = { .status = EX_SOFTWARE };
	pthread_t thread;

	block_signals();
	worker.orders_fd = options->orders_fd;
	snapshot_store_init(&worker.store);
	reload_init(&worker.reload, options->settings, &worker.store);
	if (options->settings_fd >= 0) {
		if (!reload_adopt(&worker.reload, options->settings_fd, &err))
			return fail(&err);
		(void)close(options->settings_fd); /* was only read */
	}
	measure_open();
	/* What libmilter opens has to be open before the process may open nothing any more; nobody
	 * is served before milter_run(). */
	if (!milter_open(&milter, &err) ||
	    !confine_worker(options->settings, reload_path(&worker.reload), &err) ||
	    !begin_with_table(&worker, options, &err))
		return fail(&err);
	errno = pthread_create(&thread, NULL, take_orders, &worker);
	if (errno != 0) {
		error_fill_errno(&err, EX_OSERR, "thread");
		return fail(&err);
	}
	return milter_run();
}
