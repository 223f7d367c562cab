/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow_inside.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "follow/remembered.h"
#include "follow/signals.h"
#include "service/notify.h"
#include "settings/fields.h"
#include "settings/fragments.h"
#include "table/table.h"

enum { MESSAGES_MAX = 1 << 16 };

void follow_say(const char *text)
{
	(void)fprintf(stderr, "rcptmap: watch: %s\n", text); /* no place to say it failed */
}

/* ---- what is told --------------------------------------------------------------------------- */

void follow_peek_table(struct follow *follow)
{
	struct follow_state *state = &follow->state;
	struct table_facts facts = { 0 };

	(void)table_peek(follow->settings->table, &facts, NULL); /* else all are 0: none */
	state->generation = facts.generation;
	state->copy_of = facts.copy_of;
	state->entries = facts.entries;
	state->domains = facts.domains;
	state->size_bytes = facts.size_bytes;
}

void follow_tell(struct follow *follow)
{
	struct follow_state *state = &follow->state;
	struct error err;
	bool is_done;

	state->looked_ms = (uint64_t)clock_milliseconds();
	state->looked = (uint64_t)time(NULL);
	state->files = watched_count_files(&follow->watched);
	listeners_state(&follow->listeners, state->failing_since == 0, state);
	(void)snprintf(state->table, sizeof(state->table), "%s", follow->settings->table);
	follow_peek_table(follow);
	is_done = follow_state_write(follow->state_path, state, &err) &&
		  (follow->options->metrics == NULL ||
		   follow_state_write_metrics(follow->options->metrics, state, &err));
	if (!is_done && !follow->has_told_of_state)
		follow_say(err.text);
	follow->has_told_of_state = !is_done;
	follow->told_ms = clock_milliseconds();
	follow->tell_ms = follow->told_ms + FOLLOW_TELL_MS;
}

/* ---- what is watched ------------------------------------------------------------------------ */

void follow_watch(struct follow *follow, const char *path)
{
	if (!watched_add(&follow->watched, path))
		follow_say("out of memory: not all files are watched");
}

static void add_configured(struct follow *follow)
{
	const struct settings *settings = follow->settings;

	follow_watch(follow, follow->options->configuration);
	for (size_t i = 0; i < settings->included.count; i++)
		follow_watch(follow, settings->included.items[i]);
	for (size_t i = 0; i < settings->source_count; i++)
		if (settings->sources[i].path[0] != '\0')
			follow_watch(follow, settings->sources[i].path);
}

/* The files of the folder PATH that settings are read from: where these can't be read, it may be
 * for one that has just come. */
static void add_fragments(struct follow *follow, const char *path)
{
	struct settings_list files = { 0 };
	struct error ignored; /* the compilation says it */

	(void)fragments_list(path, &files, &ignored);
	for (size_t i = 0; i < files.count; i++)
		follow_watch(follow, files.items[i]);
	settings_list_free(&files);
}

/* Settings that can't be read are the compilation's to tell; until then the last ones count. */
void follow_renew_settings(struct follow *follow)
{
	struct settings *settings = follow->options->load(follow->options->context, NULL);
	const struct settings_list *known = &follow->settings->included;

	follow->has_settings = settings != NULL;
	for (size_t i = 0; settings == NULL && i < known->count; i++)
		if (known->items[i][strlen(known->items[i]) - 1] == '/')
			add_fragments(follow, known->items[i]);
	if (settings != NULL) {
		settings_free(follow->settings);
		follow->settings = settings;
	}
	add_configured(follow);
}

static void say_held(const struct follow *follow)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		       "generation %" PRIu64 " is %" PRIu64
		       " again: it stays until a source changes or rcptmap compile",
		       follow->state.generation, follow->state.copy_of); /* fits */
	follow_say(text);
}

/* Was an older table put in place by hand, and has no source changed since the last compilation,
 * whatever became of that one? Then the table is what is wanted. */
static bool is_held(struct follow *follow)
{
	follow_peek_table(follow);
	if (follow->state.copy_of == 0 ||
	    !remembered_read(follow->settings->table, follow->options->configuration,
			     &follow->watched) ||
	    watched_has_news(&follow->watched))
		return false;
	say_held(follow);
	return true;
}

bool follow_is_table_new(struct follow *follow)
{
	struct file_identity now = { 0 };
	bool is_new;

	(void)file_identity_get(follow->settings->table, &now); /* else all is 0 */
	is_new = !file_identity_equal(&now, &follow->table);
	follow->table = now;
	return is_new;
}

/* Somebody else has published. What failed may have been about the table before; but who has put an
 * older one in place wants that one, and not what failed. */
static void take_table(struct follow *follow)
{
	follow_tell(follow);
	if (follow->state.copy_of == 0) {
		follow->is_wanted |= follow->state.failing_since != 0;
		return;
	}
	follow->again_ms = 0;
	follow->state.failing_since = 0;
	follow->state.trouble[0] = '\0';
	complaint_end(&follow->complaint);
	say_held(follow);
	follow_tell(follow);
}

void follow_look(struct follow *follow, int64_t now)
{
	if (watched_look(&follow->watched)) {
		quiet_break(&follow->quiet, now);
		hints_set(&follow->hints, &follow->watched);
	}
	if (follow->attempt.pid < 0 && follow_is_table_new(follow))
		take_table(follow);
	follow->look_ms = now + FOLLOW_LOOK_MS;
	notify_alive();
}

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
	/* What is away is read when it is back. */
	if (follow->state.copy_of == 0 && !listeners_miss_one(&follow->listeners)) {
		follow->has_heard = true;
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
			is_due |= follow->has_heard;
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
		follow->is_wanted |= signals_take_compile();
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
	follow.listeners = (struct listeners){ .listen = options->listen,
					       .name = options->name,
					       .schema = options->schema };
	signals_handle(&while_waiting);
	(void)follow_is_table_new(&follow);
	follow.is_wanted = !is_held(&follow); /* else who knows what happened before */
	add_configured(&follow);
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
