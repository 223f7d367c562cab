/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow_inside.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "follow/signals.h"
#include "service/notify.h"

enum { MESSAGES_MAX = 1 << 16 };

/* ---- the loop ----------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t wait_ms(const struct follow *follow)
{
	int64_t now = clock_milliseconds();
	int64_t due = earlier(follow->look_ms, follow->tell_ms);

	if (follow->quiet.since_ms != 0 && follow->attempt.pid < 0)
		due = earlier(due, follow->quiet.due_ms);
	if (follow->again_ms != 0)
		due = earlier(due, follow->again_ms);
	if (follow->read_ms != 0 && follow->attempt.pid < 0)
		due = earlier(due, follow->read_ms);
	if (follow->is_wanted && follow->attempt.pid < 0)
		due = earlier(due, follow->start_ms);
	due = earlier(due, follow->complaint.due_ms);
	return due > now ? due - now : 0;
}

static void wait_for_something(struct follow *follow, const sigset_t *while_waiting)
{
	int64_t limit_ms = wait_ms(follow);
	const struct timespec limit = { .tv_sec = limit_ms / 1000,
					.tv_nsec = (long)(limit_ms % 1000) * 1000000 };
	struct pollfd ready[1 + FOLLOW_SOURCES_MAX] = { { .fd = follow->hints.fd,
							  .events = POLLIN } };
	size_t count = 1 + listeners_poll(&follow->listeners, ready + 1, FOLLOW_SOURCES_MAX);

	(void)ppoll(ready, count, &limit, while_waiting); /* whatever it says, all is looked at */
}

/* An older table that was put in place by hand isn't replaced only since a listener is back: it
 * can't say whether anything has changed. */
static void hear(struct follow *follow, int64_t now)
{
	unsigned news =
		listeners_hear(&follow->listeners, follow->settings, follow->state.copy_of != 0);

	if ((news & LISTENERS_CHANGED) != 0) {
		follow->has_heard = true;
		quiet_break(&follow->quiet, now);
	}
	if ((news & LISTENERS_TURNED) != 0)
		follow->tell_ms = now;
	else if ((news & LISTENERS_CONFIRMED) != 0)
		follow->tell_ms = earlier(follow->tell_ms, follow->told_ms + FOLLOW_CONFIRM_MS);
}

/* Is it time to read databases though nobody has said that they have changed? */
static void read_if_due(struct follow *follow, int64_t now)
{
	if (follow->read_ms == 0 || now < follow->read_ms || follow->attempt.pid >= 0)
		return;
	follow_look(follow, now); /* somebody may just have put an older table in place */
	/* Who is away for its listener may be there for who reads, and others are there. */
	if (follow->state.copy_of == 0) {
		follow->is_read_due = true;
		follow->wants_all = true;
		quiet_break(&follow->quiet, now);
	}
	follow_plan_reading(follow);
}

static void begin_if_due(struct follow *follow, int64_t now)
{
	bool is_due = false;

	if (follow->attempt.pid >= 0)
		return;
	if (now < follow->start_ms && listeners_are_starting(&follow->listeners))
		return;
	follow->start_ms = 0;
	if (follow->again_ms != 0 && now >= follow->again_ms) {
		follow->is_wanted |= !follow->is_anew;
		is_due = follow->is_anew;
	}
	if (quiet_is_over(&follow->quiet, now)) {
		follow_look(follow, now);
		/* What comes without a hint is waited for, too, but not for ever. */
		if (quiet_is_over(&follow->quiet, now)) {
			quiet_end(&follow->quiet);
			follow->is_wanted |= watched_has_news(&follow->watched);
			is_due |= follow->has_heard || follow->is_read_due;
		}
	}
	if (follow->is_wanted || is_due)
		follow_begin(follow);
}

static void loop(struct follow *follow, const sigset_t *while_waiting)
{
	while (!signals_want_stop()) {
		bool is_hinted;
		int64_t now;

		wait_for_something(follow, while_waiting);
		follow_end_attempt(follow);
		hear(follow, clock_milliseconds());
		is_hinted = hints_take(&follow->hints);
		now = clock_milliseconds();
		if (is_hinted || now >= follow->look_ms)
			follow_look(follow, now);
		if (signals_take_compile()) {
			follow->is_wanted = true;
			follow->wants_all = true;
			listeners_retry(&follow->listeners); /* something may have been mended */
		}
		read_if_due(follow, now);
		begin_if_due(follow, now);
		follow_say_again(follow, now);
		if (now >= follow->tell_ms)
			follow_tell(follow);
	}
}

static void follow_end(struct follow *follow)
{
	bool was_compiling = follow->attempt.pid > 0;

	notify_stopping();
	attempt_close(&follow->attempt);
	listeners_close(&follow->listeners);
	follow->state.compiling_since = 0;
	follow_tell(follow);
	follow_say(was_compiling ? "stopped within a compilation: the table stays as it is"
				 : "stopped");
	hints_close(&follow->hints);
	watched_free(&follow->watched);
	buffer_free(&follow->messages);
	complaint_free(&follow->complaint);
	buffer_free(&follow->warned);
}

int follow_run(const struct follow_options *options)
{
	struct follow follow = {
		.options = options,
		.hints = HINTS_NONE,
		.attempt = ATTEMPT_NONE,
	};
	sigset_t while_waiting;
	struct error err = { .status = 0 };
	int lock_fd;

	follow.settings = options->load(options->context, &err);
	if (follow.settings == NULL ||
	    !follow_state_path(follow.settings->runtime_directory, follow.state_path, &err) ||
	    (lock_fd = follow_state_lock(follow.state_path, &err)) < 0) {
		if (err.text[0] != '\0')
			follow_say(err.text);
		settings_free(follow.settings);
		return err.status;
	}
	buffer_init(&follow.messages, MESSAGES_MAX);
	complaint_init(&follow.complaint);
	buffer_init(&follow.warned, MESSAGES_MAX);
	follow.listeners = (struct listeners){ .retry_ms = FOLLOW_RETRY_MS,
					       .listen = options->listen,
					       .name = options->name,
					       .schema = options->schema };
	signals_handle(&while_waiting);
	(void)follow_is_table_new(&follow);
	follow.is_wanted = !follow_is_held(&follow); /* else who knows what happened before */
	follow_watch_configured(&follow);
	hints_set(&follow.hints, &follow.watched);
	listeners_set(&follow.listeners, follow.settings);
	follow_plan_reading(&follow);
	follow.start_ms = clock_milliseconds() + FOLLOW_START_MS;
	notify_ready();
	loop(&follow, &while_waiting);
	follow_end(&follow);
	settings_free(follow.settings);
	(void)close(lock_fd); /* and unlocks */
	return EX_OK;
}
