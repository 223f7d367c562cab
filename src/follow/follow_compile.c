/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "follow/remembered.h"

/* ---- what it has left ---------------------------------------------------------------------- */

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

/* What was read, and in which state: if it has changed since, there is news already. */
static void take_files(struct follow *follow)
{
	struct file_identity identity;
	char path[PATH_MAX];
	uint64_t position = 0;

	while (attempt_next_file(&follow->attempt, &position, path, sizeof(path), &identity)) {
		follow_watch(follow, path);
		watched_took(&follow->watched, path, &identity);
	}
}

static void remember_files(struct follow *follow)
{
	struct error err;
	bool is_done = remembered_write(follow->settings->table, &follow->watched, &err);

	if (!is_done && !follow->has_told_of_files)
		follow_say(err.text);
	follow->has_told_of_files = !is_done;
}

/* ---- compiling ------------------------------------------------------------------------------ */

/* A database is read now and then even if nobody says that it has changed: for those of which that
 * can't be told, and for what was missed. */
void follow_plan_reading(struct follow *follow)
{
	follow->read_ms = 0;
	if (follow->listeners.count > 0 && follow->settings->follow_seconds > 0)
		follow->read_ms =
			clock_milliseconds() + (int64_t)follow->settings->follow_seconds * 1000;
}

void follow_begin(struct follow *follow)
{
	struct mirrors mirrors;
	struct error err;

	follow->is_anew = !follow->is_wanted;
	follow->is_by_clock = follow->is_anew && !follow->has_heard;
	follow->is_wanted = false;
	follow->has_heard = false;
	follow->is_read_due = false;
	follow->began = (uint64_t)time(NULL);
	follow->began_ms = clock_milliseconds();
	follow->generation = follow->state.generation;
	quiet_end(&follow->quiet);
	follow->again_ms = 0;
	/* Whatever there is will be compiled. What changes from now on is news: the settings that
	 * are read next may be without it. */
	(void)watched_look(&follow->watched);
	watched_take(&follow->watched);
	watched_renew(&follow->watched);
	follow_renew_settings(follow);
	follow->state.attempts++;
	listeners_set(&follow->listeners, follow->settings);
	listeners_take(&follow->listeners);
	follow_plan_reading(follow);
	listeners_mirrors(&follow->listeners, &mirrors);
	/* What has failed may have failed by a mirror. */
	mirrors.is_for_writing = follow->wants_all || follow->state.failing_since != 0;
	follow->is_copied = !mirrors.is_for_writing;
	follow->wants_all = false;
	if (attempt_start(&follow->attempt,
			  follow->is_anew ? follow->options->compile_anew
					  : follow->options->compile,
			  &mirrors, follow->options->context, &err)) {
		follow->state.compiling_since = (uint64_t)time(NULL);
	} else {
		follow_say(err.text);
		follow->again_ms = clock_milliseconds() + FOLLOW_AGAIN_MS;
	}
	follow_tell(follow);
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
	if (state->failing_since != 0)
		listeners_retry(&follow->listeners); /* what was mended may tell of changes, too */
	state->failing_since = 0;
	state->trouble[0] = '\0';
	state->compiled = (uint64_t)time(NULL);
	state->took_ms = (uint64_t)follow->took_ms;
	follow_peek_table(follow);
	listeners_took(&follow->listeners, follow->began, follow->is_copied);
	if (follow->is_anew && state->generation == follow->generation)
		return; /* it says the same */
	(void)snprintf(text, sizeof(text),
		       "generation %" PRIu64 ": %" PRIu64 " %s, %" PRIu64 " %s, %" PRIu64 " ms",
		       state->generation, state->entries, state->entries == 1 ? "entry" : "entries",
		       state->domains, state->domains == 1 ? "domain" : "domains",
		       state->took_ms); /* fits */
	follow_say(text);
}

/* That a server is away is said by who listens to it; and nobody has heard of a change that isn't
 * published now. */
static bool was_said(const struct follow *follow, int status)
{
	return follow->is_by_clock && (status == EX_UNAVAILABLE || status == EX_TEMPFAIL) &&
	       listeners_miss_one(&follow->listeners, follow->state.trouble);
}

static void fail(struct follow *follow, int status)
{
	struct follow_state *state = &follow->state;
	int64_t now = clock_milliseconds();

	state->failures++;
	set_trouble(follow);
	if (state->failing_since == 0 && was_said(follow, status)) {
		state->trouble[0] = '\0';
		return;
	}
	if (state->failing_since == 0)
		state->failing_since = (uint64_t)time(NULL);
	if (complaint_is_news(&follow->complaint, buffer_bytes(&follow->messages), now)) {
		print(&follow->messages);
		follow_say("not published: the table stays as it is");
	}
	/* Of settings that can't be read it isn't known which files they have. */
	if (attempt_may_mend_itself(status) || !follow->has_settings)
		follow->again_ms = now + FOLLOW_AGAIN_MS;
}

void follow_end_attempt(struct follow *follow)
{
	int status;

	if (!attempt_ended(&follow->attempt, &status, &follow->messages))
		return;
	follow->took_ms = clock_milliseconds() - follow->began_ms;
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
		(void)follow_is_table_new(follow); /* it is ours */
	} else {
		fail(follow, status);
	}
	hints_set(&follow->hints, &follow->watched);
	follow_look(follow, clock_milliseconds());
	if (watched_has_news(&follow->watched))
		quiet_break(&follow->quiet, clock_milliseconds());
	follow_tell(follow);
}

void follow_say_again(struct follow *follow, int64_t now)
{
	if (!complaint_is_due(&follow->complaint, now))
		return;
	print(&follow->complaint.text);
	follow_say("still not published: the table stays as it is");
}
