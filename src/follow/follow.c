/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "follow/complaint.h"
#include "follow/follow_state.h"
#include "follow/hints.h"
#include "follow/quiet.h"
#include "follow/remembered.h"
#include "follow/signals.h"
#include "follow/watched.h"
#include "service/notify.h"
#include "table/table.h"

enum { MESSAGES_MAX = 1 << 16 };

struct follow {
	const struct follow_options *options;
	struct settings *settings; /* the last that could be read */
	struct watched watched;
	struct hints hints;
	struct attempt attempt;
	struct follow_state state;
	char state_path[PATH_MAX];
	bool has_told_of_state; /* that it can't be written */
	bool has_told_of_files; /* likewise, what is remembered of them */
	bool is_wanted;         /* compile, whatever is seen */
	int64_t look_ms;        /* when to look, hint or none */
	struct quiet quiet;
	int64_t again_ms;           /* when to try once more; 0: not */
	int64_t tell_ms;            /* when to write the state once more */
	int64_t took_ms;            /* the attempt that has ended */
	struct buffer messages;     /* of the attempt that has ended */
	struct complaint complaint; /* the failure that lasts */
	struct buffer warned;       /* what was printed last of a success */
	struct file_identity table;
};

static void say(const char *text)
{
	(void)fprintf(stderr, "rcptmap: watch: %s\n", text); /* no place to say it failed */
}

/* ---- what is told --------------------------------------------------------------------------- */

/* The first line of what the compilation printed. */
static void set_trouble(struct follow *follow)
{
	const char *text = follow->messages.size > 0 ? follow->messages.data : "";
	size_t size = strcspn(text, "\n");

	if (size >= FOLLOW_TROUBLE_BYTES)
		size = FOLLOW_TROUBLE_BYTES - 1;
	memcpy(follow->state.trouble, text, size);
	follow->state.trouble[size] = '\0';
}

static void peek_table(struct follow *follow)
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

static void tell(struct follow *follow)
{
	struct follow_state *state = &follow->state;
	struct error err;
	bool is_done;

	state->looked_ms = (uint64_t)clock_milliseconds();
	state->looked = (uint64_t)time(NULL);
	state->files = watched_count_files(&follow->watched);
	(void)snprintf(state->table, sizeof(state->table), "%s", follow->settings->table);
	peek_table(follow);
	is_done = follow_state_write(follow->state_path, state, &err) &&
		  (follow->options->metrics == NULL ||
		   follow_state_write_metrics(follow->options->metrics, state, &err));
	if (!is_done && !follow->has_told_of_state)
		say(err.text);
	follow->has_told_of_state = !is_done;
	follow->tell_ms = clock_milliseconds() + FOLLOW_TELL_MS;
}

/* ---- what is watched ------------------------------------------------------------------------ */

static void add(struct follow *follow, const char *path)
{
	if (!watched_add(&follow->watched, path))
		say("out of memory: not all files are watched");
}

/* What was read, and in which state: if it has changed since, there is news already. */
static void take_files(struct follow *follow)
{
	struct file_identity identity;
	char path[PATH_MAX];
	uint64_t position = 0;

	while (attempt_next_file(&follow->attempt, &position, path, sizeof(path), &identity)) {
		add(follow, path);
		watched_took(&follow->watched, path, &identity);
	}
}

static void add_configured(struct follow *follow)
{
	const struct settings *settings = follow->settings;

	add(follow, follow->options->configuration);
	for (size_t i = 0; i < settings->included.count; i++)
		add(follow, settings->included.items[i]);
	for (size_t i = 0; i < settings->source_count; i++)
		if (settings->sources[i].path[0] != '\0')
			add(follow, settings->sources[i].path);
}

/* Settings that can't be read are the compilation's to tell; until then the last ones count. */
static void renew_settings(struct follow *follow)
{
	struct settings *settings = follow->options->load(follow->options->context, NULL);

	if (settings != NULL) {
		settings_free(follow->settings);
		follow->settings = settings;
	}
	add_configured(follow);
}

static void remember_files(struct follow *follow)
{
	struct error err;
	bool is_done = remembered_write(follow->settings->table, &follow->watched, &err);

	if (!is_done && !follow->has_told_of_files)
		say(err.text);
	follow->has_told_of_files = !is_done;
}

static void say_held(const struct follow *follow)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		       "generation %" PRIu64 " is %" PRIu64
		       " again: it stays until a source changes or rcptmap compile",
		       follow->state.generation, follow->state.copy_of); /* fits */
	say(text);
}

/* Was an older table put in place by hand, and has no source changed since the last compilation,
 * whatever became of that one? Then the table is what is wanted. */
static bool is_held(struct follow *follow)
{
	peek_table(follow);
	if (follow->state.copy_of == 0 ||
	    !remembered_read(follow->settings->table, follow->options->configuration,
			     &follow->watched) ||
	    watched_has_news(&follow->watched))
		return false;
	say_held(follow);
	return true;
}

static bool is_table_new(struct follow *follow)
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
	tell(follow);
	if (follow->state.copy_of == 0) {
		follow->is_wanted |= follow->state.failing_since != 0;
		return;
	}
	follow->again_ms = 0;
	follow->state.failing_since = 0;
	follow->state.trouble[0] = '\0';
	complaint_end(&follow->complaint);
	say_held(follow);
	tell(follow);
}

static void look(struct follow *follow, int64_t now)
{
	if (watched_look(&follow->watched)) {
		quiet_break(&follow->quiet, now);
		hints_set(&follow->hints, &follow->watched);
	}
	if (follow->attempt.pid < 0 && is_table_new(follow))
		take_table(follow);
	follow->look_ms = now + FOLLOW_LOOK_MS;
	notify_alive();
}

/* ---- compiling ------------------------------------------------------------------------------ */

static void begin(struct follow *follow)
{
	struct error err;

	follow->is_wanted = false;
	quiet_end(&follow->quiet);
	follow->again_ms = 0;
	watched_renew(&follow->watched);
	renew_settings(follow);
	(void)watched_look(&follow->watched); /* whatever there is will be compiled */
	watched_take(&follow->watched);
	follow->state.attempts++;
	if (attempt_start(&follow->attempt, follow->options->compile, follow->options->context,
			  &err)) {
		follow->state.compiling_since = (uint64_t)time(NULL);
	} else {
		say(err.text);
		follow->again_ms = clock_milliseconds() + FOLLOW_AGAIN_MS;
	}
	tell(follow);
}

static void print(const struct buffer *text)
{
	if (text->size > 0)
		(void)fwrite(text->data, 1, text->size, stderr); /* no place to say it failed */
}

/* Warnings are said once. */
static void print_warnings(struct follow *follow)
{
	if (bytes_equal(buffer_bytes(&follow->messages), buffer_bytes(&follow->warned)))
		return;
	print(&follow->messages);
	buffer_clear(&follow->warned);
	(void)buffer_append(&follow->warned, buffer_bytes(&follow->messages)); /* else said again */
}

static void succeed(struct follow *follow)
{
	struct follow_state *state = &follow->state;
	char text[200];

	print_warnings(follow);
	complaint_end(&follow->complaint);
	state->failing_since = 0;
	state->trouble[0] = '\0';
	state->compiled = (uint64_t)time(NULL);
	state->took_ms = (uint64_t)follow->took_ms;
	peek_table(follow);
	(void)snprintf(text, sizeof(text),
		       "generation %" PRIu64 ": %" PRIu64 " %s, %" PRIu64 " %s, %" PRIu64 " ms",
		       state->generation, state->entries, state->entries == 1 ? "entry" : "entries",
		       state->domains, state->domains == 1 ? "domain" : "domains",
		       state->took_ms); /* fits */
	say(text);
}

static void fail(struct follow *follow, int status)
{
	struct follow_state *state = &follow->state;
	int64_t now = clock_milliseconds();

	state->failures++;
	if (state->failing_since == 0)
		state->failing_since = (uint64_t)time(NULL);
	set_trouble(follow);
	if (complaint_is_news(&follow->complaint, buffer_bytes(&follow->messages), now)) {
		print(&follow->messages);
		say("not published: the table stays as it is");
	}
	if (attempt_may_mend_itself(status))
		follow->again_ms = now + FOLLOW_AGAIN_MS;
}

static void end_attempt(struct follow *follow)
{
	int64_t began_ms = follow->attempt.began_ms;
	int status;

	if (!attempt_ended(&follow->attempt, &status, &follow->messages))
		return;
	follow->took_ms = clock_milliseconds() - began_ms;
	take_files(follow);
	/* What a failed one did not come to is watched on: it may be what has to be mended. */
	if (status == EX_OK)
		watched_drop(&follow->watched);
	remember_files(follow);
	attempt_close(&follow->attempt);
	follow->state.compiling_since = 0;
	follow->state.status = (uint64_t)status;
	if (status == EX_OK) {
		succeed(follow);
		(void)is_table_new(follow); /* it is ours */
	} else {
		fail(follow, status);
	}
	hints_set(&follow->hints, &follow->watched);
	look(follow, clock_milliseconds());
	if (watched_has_news(&follow->watched))
		quiet_break(&follow->quiet, clock_milliseconds());
	tell(follow);
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
	due = earlier(due, follow->complaint.due_ms);
	return due > now ? due - now : 0;
}

static void wait_for_something(struct follow *follow, const sigset_t *while_waiting)
{
	int64_t limit_ms = wait_ms(follow);
	const struct timespec limit = { .tv_sec = limit_ms / 1000,
					.tv_nsec = (long)(limit_ms % 1000) * 1000000 };
	struct pollfd ready = { .fd = follow->hints.fd, .events = POLLIN };

	(void)ppoll(&ready, 1, &limit, while_waiting); /* whatever it says, all is looked at */
}

static void say_again(struct follow *follow, int64_t now)
{
	if (!complaint_is_due(&follow->complaint, now))
		return;
	print(&follow->complaint.text);
	say("still not published: the table stays as it is");
}

static void begin_if_due(struct follow *follow, int64_t now)
{
	if (follow->attempt.pid >= 0)
		return;
	if (follow->again_ms != 0 && now >= follow->again_ms)
		follow->is_wanted = true;
	if (quiet_is_over(&follow->quiet, now)) {
		look(follow, now);
		/* What comes without a hint is waited for, too, but not for ever. */
		if (quiet_is_over(&follow->quiet, now)) {
			quiet_end(&follow->quiet);
			follow->is_wanted |= watched_has_news(&follow->watched);
		}
	}
	if (follow->is_wanted)
		begin(follow);
}

static void loop(struct follow *follow, const sigset_t *while_waiting)
{
	while (!signals_want_stop()) {
		bool is_hinted;
		int64_t now;

		wait_for_something(follow, while_waiting);
		end_attempt(follow);
		is_hinted = hints_take(&follow->hints);
		now = clock_milliseconds();
		if (is_hinted || now >= follow->look_ms)
			look(follow, now);
		follow->is_wanted |= signals_take_compile();
		begin_if_due(follow, now);
		say_again(follow, now);
		if (now >= follow->tell_ms)
			tell(follow);
	}
}

static void follow_end(struct follow *follow)
{
	bool was_compiling = follow->attempt.pid > 0;

	notify_stopping();
	attempt_close(&follow->attempt);
	follow->state.compiling_since = 0;
	tell(follow);
	say(was_compiling ? "stopped within a compilation: the table stays as it is" : "stopped");
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
			say(err.text);
		settings_free(follow.settings);
		return err.status;
	}
	buffer_init(&follow.messages, MESSAGES_MAX);
	complaint_init(&follow.complaint);
	buffer_init(&follow.warned, MESSAGES_MAX);
	signals_handle(&while_waiting);
	(void)is_table_new(&follow);
	follow.is_wanted = !is_held(&follow); /* else who knows what happened before */
	add_configured(&follow);
	hints_set(&follow.hints, &follow.watched);
	notify_ready();
	loop(&follow, &while_waiting);
	follow_end(&follow);
	settings_free(follow.settings);
	(void)close(lock_fd); /* and unlocks */
	return EX_OK;
}
