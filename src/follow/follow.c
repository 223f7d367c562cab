/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "follow/follow_state.h"
#include "follow/hints.h"
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
	bool is_wanted;         /* compile, whatever is seen */
	int64_t look_ms;        /* when to look, hint or none */
	int64_t changed_ms;     /* the first of the changes that are still coming; 0: none is */
	int64_t quiet_ms;       /* when these count as over */
	int64_t again_ms;       /* when to try once more; 0: not */
	int64_t say_ms;         /* when to say the failure once more */
	int64_t tell_ms;        /* when to write the state once more */
	int64_t took_ms;        /* the attempt that has ended */
	struct buffer messages; /* of the attempt that has ended */
	struct buffer said;     /* what was printed last of a failure */
	struct buffer warned;   /* and of a success */
	struct file_identity table;
};

/* Set by signal handlers, which do nothing else. */
static volatile sig_atomic_t stop_signalled;
static volatile sig_atomic_t compile_signalled;

static void on_signal(int number)
{
	if (number == SIGHUP)
		compile_signalled = 1;
	else if (number == SIGTERM || number == SIGINT)
		stop_signalled = 1;
	/* SIGCHLD only has to wake us. */
}

static const int handled_signals[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };

/* Blocked but while waiting, so that none is missed between a look at the flags and the wait. */
static void handle_signals(sigset_t *out_while_waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	(void)sigemptyset(&blocked); /* can't fail, as the rest here: the numbers are sound */
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(handled_signals) / sizeof(handled_signals[0]); i++) {
		(void)sigaction(handled_signals[i], &action, NULL);
		(void)sigaddset(&blocked, handled_signals[i]);
	}
	(void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	(void)sigemptyset(out_while_waiting);
}

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
	state->files = follow->watched.count;
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

static void see_change(struct follow *follow, int64_t now)
{
	int64_t most;

	if (follow->changed_ms == 0)
		follow->changed_ms = now;
	most = follow->changed_ms + FOLLOW_QUIET_MOST_MS;
	follow->quiet_ms = now + FOLLOW_QUIET_MS < most ? now + FOLLOW_QUIET_MS : most;
}

/* Somebody else has published: what failed may have been about the table before. */
static bool is_table_new(struct follow *follow)
{
	struct file_identity now = { 0 };
	bool is_new;

	(void)file_identity_get(follow->settings->table, &now); /* else all is 0 */
	is_new = !file_identity_equal(&now, &follow->table);
	follow->table = now;
	return is_new;
}

static void look(struct follow *follow, int64_t now)
{
	if (watched_look(&follow->watched)) {
		see_change(follow, now);
		hints_set(&follow->hints, &follow->watched);
	}
	if (is_table_new(follow) && follow->state.failing_since != 0 && follow->attempt.pid < 0)
		follow->is_wanted = true;
	follow->look_ms = now + FOLLOW_LOOK_MS;
	notify_alive();
}

/* ---- compiling ------------------------------------------------------------------------------ */

static void begin(struct follow *follow)
{
	struct error err;

	follow->is_wanted = false;
	follow->changed_ms = 0;
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

/* Print the messages, unless they are what BEFORE has; then BEFORE has them. */
static bool print_news(struct follow *follow, struct buffer *before)
{
	if (bytes_equal(buffer_bytes(&follow->messages), buffer_bytes(before)))
		return false;
	print(&follow->messages);
	buffer_clear(before);
	(void)buffer_append(before, buffer_bytes(&follow->messages)); /* else it is said again */
	return true;
}

static void succeed(struct follow *follow)
{
	struct follow_state *state = &follow->state;
	char text[200];

	(void)print_news(follow, &follow->warned);
	buffer_clear(&follow->said);
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

/* A mistake in a source stays one until the source is another; the rest may mend itself. */
static bool may_mend_itself(int status)
{
	return status != EX_DATAERR && status != EX_CONFIG && status != EX_USAGE;
}

static void fail(struct follow *follow, int status)
{
	struct follow_state *state = &follow->state;
	int64_t now = clock_milliseconds();

	state->failures++;
	if (state->failing_since == 0)
		state->failing_since = (uint64_t)time(NULL);
	set_trouble(follow);
	if (print_news(follow, &follow->said)) {
		say("not published: the table stays as it is");
		follow->say_ms = now + FOLLOW_SAY_AGAIN_MS;
	}
	if (may_mend_itself(status))
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
	attempt_close(&follow->attempt);
	follow->state.compiling_since = 0;
	follow->state.status = (uint64_t)status;
	if (status == EX_OK)
		succeed(follow);
	else
		fail(follow, status);
	(void)is_table_new(follow); /* it is ours */
	hints_set(&follow->hints, &follow->watched);
	look(follow, clock_milliseconds());
	if (watched_has_news(&follow->watched))
		see_change(follow, clock_milliseconds());
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

	if (follow->changed_ms != 0 && follow->attempt.pid < 0)
		due = earlier(due, follow->quiet_ms);
	if (follow->again_ms != 0)
		due = earlier(due, follow->again_ms);
	if (follow->state.failing_since != 0)
		due = earlier(due, follow->say_ms);
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
	if (follow->state.failing_since == 0 || now < follow->say_ms)
		return;
	print(&follow->said);
	say("still not published: the table stays as it is");
	follow->say_ms = now + FOLLOW_SAY_AGAIN_MS;
}

static void begin_if_due(struct follow *follow, int64_t now)
{
	if (follow->attempt.pid >= 0)
		return;
	if (follow->again_ms != 0 && now >= follow->again_ms)
		follow->is_wanted = true;
	if (follow->changed_ms != 0 && now >= follow->quiet_ms) {
		look(follow, now);
		/* What comes without a hint is waited for, too, but not for ever. */
		if (now >= follow->quiet_ms) {
			follow->changed_ms = 0;
			follow->is_wanted |= watched_has_news(&follow->watched);
		}
	}
	if (follow->is_wanted)
		begin(follow);
}

static void loop(struct follow *follow, const sigset_t *while_waiting)
{
	while (!stop_signalled) {
		bool is_hinted;
		int64_t now;

		wait_for_something(follow, while_waiting);
		end_attempt(follow);
		is_hinted = hints_take(&follow->hints);
		now = clock_milliseconds();
		if (is_hinted || now >= follow->look_ms)
			look(follow, now);
		if (compile_signalled) {
			compile_signalled = 0;
			follow->is_wanted = true;
		}
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
	buffer_free(&follow->said);
	buffer_free(&follow->warned);
}

int follow_run(const struct follow_options *options)
{
	struct follow follow = {
		.options = options,
		.hints = HINTS_NONE,
		.attempt = ATTEMPT_NONE,
		.is_wanted = true, /* who knows what happened before */
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
	buffer_init(&follow.said, MESSAGES_MAX);
	buffer_init(&follow.warned, MESSAGES_MAX);
	handle_signals(&while_waiting);
	add_configured(&follow);
	hints_set(&follow.hints, &follow.watched);
	notify_ready();
	loop(&follow, &while_waiting);
	follow_end(&follow);
	settings_free(follow.settings);
	(void)close(lock_fd); /* and unlocks */
	return EX_OK;
}
