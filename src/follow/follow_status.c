/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow_status.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "follow/follow_state.h"

enum {
	STALE_MS = 120000,     /* it looks each few seconds, and says so each half minute */
	CRITICAL_AFTER = 3600, /* seconds */
	HANGS_AFTER = 1800,    /* likewise, in one compilation */
	AGE_SECONDS = 600,     /* where a watcher of before doesn't tell */
};

/* Failures of appends are the caller's. */
static void put_plain(struct buffer *out, const char *text)
{
	plugin_put(bytes_of(text), out);
}

static uint64_t seconds_since(uint64_t date)
{
	uint64_t now = (uint64_t)time(NULL);

	return now > date ? now - date : 0;
}

/* Is what is known of one of its databases older than AGE seconds? */
static bool is_old(const struct follow_state *state, uint64_t age)
{
	const struct follow_source *oldest = follow_state_oldest(state);

	return oldest != NULL && seconds_since(oldest->confirmed) > age;
}

static enum plugin_state judge(const struct follow_state *state, bool is_running, uint64_t age)
{
	uint64_t now_ms = (uint64_t)clock_milliseconds();

	if (!is_running || state->generation == 0)
		return PLUGIN_CRITICAL;
	/* After a boot the clock is behind what was written before it, but nobody holds the lock.
	 */
	if (now_ms > state->looked_ms && now_ms - state->looked_ms > STALE_MS)
		return PLUGIN_CRITICAL;
	if (state->failing_since == 0)
		return state->copy_of != 0 || is_old(state, age) ||
				       (state->compiling_since != 0 &&
					seconds_since(state->compiling_since) >= HANGS_AFTER)
			       ? PLUGIN_WARNING
			       : PLUGIN_OK;
	return seconds_since(state->failing_since) >= CRITICAL_AFTER ? PLUGIN_CRITICAL
								     : PLUGIN_WARNING;
}

static void put_sources(struct buffer *out, const struct follow_state *state, uint64_t age)
{
	for (size_t i = 0; i < state->source_count; i++) {
		const struct follow_source *source = &state->sources[i];
		uint64_t since = seconds_since(source->confirmed);

		if (source->away_since == 0 && since <= age)
			continue;
		put_plain(out, source->name);
		if (source->away_since != 0) {
			(void)buffer_append_format(out, " is away for %" PRIu64 " s: ",
						   seconds_since(source->away_since));
			put_plain(out, source->reason);
		}
		if (source->confirmed == 0)
			(void)buffer_append_text(out, " was never read");
		else if (since > age)
			(void)buffer_append_format(out, " not confirmed for %" PRIu64 " s", since);
		(void)buffer_append_text(out, "; ");
	}
}

static void put_words(struct buffer *out, const struct follow_state *state, bool is_running,
		      uint64_t age)
{
	uint64_t now_ms = (uint64_t)clock_milliseconds();

	if (!is_running)
		(void)buffer_append_text(out, "nobody watches; ");
	else if (now_ms > state->looked_ms && now_ms - state->looked_ms > STALE_MS)
		(void)buffer_append_format(out, "has not looked for %" PRIu64 " s; ",
					   (now_ms - state->looked_ms) / 1000);
	if (state->failing_since != 0) {
		(void)buffer_append_format(
			out, "failing for %" PRIu64 " s: ", seconds_since(state->failing_since));
		put_plain(out, state->trouble);
		(void)buffer_append_text(out, "; ");
	}
	put_sources(out, state, age);
	if (state->generation == 0) {
		(void)buffer_append_text(out, "there is no table ");
		put_plain(out, state->table);
	} else {
		(void)buffer_append_format(out, "generation %" PRIu64 ", %" PRIu64 " %s",
					   state->generation, state->entries,
					   state->entries == 1 ? "entry" : "entries");
	}
	if (state->copy_of != 0)
		(void)buffer_append_format(out,
					   ", rolled back to generation %" PRIu64
					   " until a source changes or rcptmap compile",
					   state->copy_of);
	if (state->compiling_since != 0)
		(void)buffer_append_format(out, ", compiling for %" PRIu64 " s",
					   seconds_since(state->compiling_since));
}

static void put_numbers(struct buffer *out, const struct follow_state *state)
{
	const struct follow_source *oldest = follow_state_oldest(state);

	(void)buffer_append_format(out, " | generation=%" PRIu64 " entries=%" PRIu64,
				   state->generation, state->entries);
	(void)buffer_append_format(out, " domains=%" PRIu64 " size=%" PRIu64 "B", state->domains,
				   state->size_bytes);
	(void)buffer_append_format(out, " compilations=%" PRIu64 "c failures=%" PRIu64 "c",
				   state->attempts, state->failures);
	(void)buffer_append_format(out, " took=%" PRIu64 "ms", state->took_ms);
	if (oldest != NULL && oldest->confirmed != 0)
		(void)buffer_append_format(out, " confirmed=%" PRIu64 "s",
					   seconds_since(oldest->confirmed));
	if (state->compiled != 0)
		(void)buffer_append_format(out, " age=%" PRIu64 "s",
					   seconds_since(state->compiled));
}

static enum plugin_state tell(enum plugin_state health, const char *text, struct buffer *out)
{
	(void)buffer_append_format(out, "OPENRCPT %s: ", plugin_word(health));
	put_plain(out, text);
	(void)buffer_append_byte(out, '\n');
	return health;
}

enum plugin_state follow_status_unknown(const char *text, struct buffer *out)
{
	return tell(PLUGIN_UNKNOWN, text, out);
}

enum plugin_state follow_status(const struct settings *settings, struct buffer *out)
{
	const char *runtime =
		settings != NULL ? settings->runtime_directory : OPENRCPT_RUNTIME_DIRECTORY;
	struct follow_state state;
	enum plugin_state health;
	char path[PATH_MAX];
	struct error err;
	uint64_t age;
	bool is_running;

	if (!follow_state_path(runtime, path, &err))
		return tell(PLUGIN_UNKNOWN, err.text, out);
	is_running = follow_state_is_locked(path);
	if (!follow_state_read(path, &state, &err)) {
		if (err.status != EX_NOINPUT || is_running)
			return tell(PLUGIN_UNKNOWN, err.text, out);
		/* Another directory may be meant. */
		if (settings == NULL)
			return tell(PLUGIN_UNKNOWN,
				    "the configuration can't be read, and with the default "
				    "runtime_directory nobody watches",
				    out);
		return tell(PLUGIN_CRITICAL, "nobody watches: rcptmap watch has not run", out);
	}
	/* Not of SETTINGS: who monitors may not be allowed to read them. */
	age = state.age_limit != 0 ? state.age_limit : AGE_SECONDS;
	health = judge(&state, is_running, age);
	(void)buffer_append_format(out, "OPENRCPT %s: ", plugin_word(health));
	put_words(out, &state, is_running, age);
	put_numbers(out, &state);
	(void)buffer_append_byte(out, '\n');
	return health;
}
