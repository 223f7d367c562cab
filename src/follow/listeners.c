/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/listeners.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "mail/characters.h"

enum {
	DOUBTS_MAX = 1 << 14,
	FIRST_PAUSE_MS = 1000,
	LAST_PAUSE_MS = 30000,
	GOOD_MS = 60000, /* a listener that has lasted so long */
	TEXT_BYTES = 1000,
};

static void say(const struct followed *followed, const char *text)
{
	/* No place to say it failed. */
	(void)fprintf(stderr, "rcptmap: watch: %s%s\n", followed->told.name, text);
}

/* ---- which ones --------------------------------------------------------------------------- */

static uint64_t add_text(uint64_t hash, const char *text)
{
	return hash_key(bytes_make(text, strlen(text) + 1), hash);
}

static uint64_t add_file(uint64_t hash, const char *path)
{
	struct file_identity identity;

	memset(&identity, 0, sizeof(identity)); /* its padding, too */
	if (path[0] != '\0')
		(void)file_identity_get(path, &identity); /* else all is 0 */
	return hash_key(bytes_make(&identity, sizeof(identity)), hash);
}

/* The files of a table of Postfix and of a schema count, too: they may say something else. */
static uint64_t fingerprint_of(const struct listeners *listeners,
			       const struct settings_source *source)
{
	uint64_t hash = add_text(add_text(1, source->type), source->path);
	char schema[PATH_MAX];

	listeners->schema(source, schema, sizeof(schema));
	hash = add_file(add_file(hash, source->path), schema);
	for (size_t i = 0; i < source->member_count; i++)
		hash = add_text(add_text(hash, source->members[i].name), source->members[i].value);
	return hash;
}

static struct followed *find(const struct listeners *listeners, uint64_t fingerprint)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->items[i].fingerprint == fingerprint &&
		    !listeners->items[i].is_wanted)
			return &listeners->items[i];
	return NULL;
}

static void start(const struct listeners *listeners, struct followed *followed,
		  const struct settings *settings)
{
	struct error err;

	buffer_clear(&followed->coming); /* of one that has ended within its words */
	followed->began_ms = clock_milliseconds();
	if (!scout_start(&followed->scout, listeners->listen, followed->index, &followed->mirror,
			 settings, &err)) {
		followed->again_ms = clock_milliseconds() + LAST_PAUSE_MS;
		if (followed->is_polled)
			return;
		(void)snprintf(followed->told.reason, sizeof(followed->told.reason), "%.200s",
			       err.text);
	} else {
		followed->again_ms = 0;
	}
}

/* Without one all is read each time. */
static void open_mirror(struct followed *followed, const struct settings *settings)
{
	const char *slash = strrchr(settings->table, '/');
	char folder[PATH_MAX];
	struct error ignored;

	if (slash == NULL)
		return;
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - settings->table + 1),
		       settings->table); /* cut, there is no such folder */
	(void)mirror_open(&followed->mirror, folder, &ignored);
}

static void add(struct listeners *listeners, const struct settings *settings, size_t index,
		uint64_t fingerprint)
{
	struct followed *grown =
		reallocarray(listeners->items, listeners->count + 1, sizeof(*grown));
	struct followed *followed;

	if (grown == NULL)
		return; /* it is read now and then */
	listeners->items = grown;
	followed = &grown[listeners->count++];
	*followed = (struct followed){
		.index = index,
		.fingerprint = fingerprint,
		.is_wanted = true,
		.scout = SCOUT_NONE,
		.mirror = MIRROR_NONE,
		.is_starting = true,
		.pause_ms = FIRST_PAUSE_MS,
		.is_unread = true,
	};
	if (strcmp(settings->sources[index].type, "ldap") == 0)
		open_mirror(followed, settings);
	complaint_init(&followed->complaint);
	buffer_init(&followed->doubts, DOUBTS_MAX);
	buffer_init(&followed->coming, DOUBTS_MAX);
	listeners->name(&settings->sources[index], followed->told.name,
			sizeof(followed->told.name));
	start(listeners, followed, settings);
}

static void end(struct followed *followed)
{
	scout_close(&followed->scout);
	mirror_close(&followed->mirror);
	complaint_free(&followed->complaint);
	buffer_free(&followed->doubts);
	buffer_free(&followed->coming);
}

static void drop_unwanted(struct listeners *listeners)
{
	size_t left = 0;

	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->items[i].is_wanted)
			listeners->items[left++] = listeners->items[i];
		else
			end(&listeners->items[i]);
	}
	listeners->count = left;
}

void listeners_set(struct listeners *listeners, const struct settings *settings)
{
	size_t count = 0;

	for (size_t i = 0; i < listeners->count; i++)
		listeners->items[i].is_wanted = false;
	for (size_t i = 0; i < settings->source_count; i++) {
		const struct settings_source *source = &settings->sources[i];
		struct followed *followed;
		uint64_t fingerprint;

		if (!settings_type_is_database(source->type) || count == FOLLOW_SOURCES_MAX)
			continue;
		count++;
		fingerprint = fingerprint_of(listeners, source);
		followed = find(listeners, fingerprint);
		if (followed != NULL) {
			followed->is_wanted = true;
			followed->index = i;
		} else {
			add(listeners, settings, i, fingerprint);
		}
	}
	drop_unwanted(listeners);
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		end(&listeners->items[i]);
	free(listeners->items);
	listeners->items = NULL;
	listeners->count = 0;
}

/* ---- what they tell ------------------------------------------------------------------------ */

static void say_away(struct followed *followed, const char *still)
{
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof(text), " is %saway: %s; the table stays as it is", still,
		       followed->told.reason); /* fits */
	say(followed, text);
}

/* A quarter more or less, so that not all who follow a server try at once. */
static void try_later(const struct listeners *listeners, struct followed *followed)
{
	uint64_t chosen = 0;

	(void)hash_random_seed(&chosen); /* else all wait equally long */
	followed->again_ms = clock_milliseconds() + listeners->retry_ms * 3 / 4 +
			     (int64_t)(chosen % (uint64_t)(listeners->retry_ms / 2 + 1));
}

static void take_lost(struct followed *followed, const char *reason)
{
	followed->is_starting = false;
	followed->has_changed = true;
	if (followed->told.away_since == 0)
		followed->told.away_since = (uint64_t)time(NULL);
	(void)snprintf(followed->told.reason, sizeof(followed->told.reason), "%s",
		       reason); /* may be cut */
	buffer_clear(&followed->coming);
	/* Its reasons may change, as while a server starts. */
	if (complaint_is_news(&followed->complaint, bytes_of(followed->told.name),
			      clock_milliseconds()))
		say_away(followed, "");
}

/* What is told by each connection anew is said once. */
static void say_doubts(struct followed *followed)
{
	struct bytes rest = buffer_bytes(&followed->coming);
	bool is_said = bytes_equal(rest, buffer_bytes(&followed->doubts));

	while (!is_said && rest.size > 0) {
		const char *end = memchr(rest.data, '\n', rest.size);
		struct bytes line = bytes_first(rest, (size_t)(end - rest.data));
		char text[TEXT_BYTES];

		(void)snprintf(text, sizeof(text), ": warning: " BYTES_FORMAT,
			       BYTES_ARGS(line)); /* may be cut */
		say(followed, text);
		rest = bytes_skip(rest, line.size + 1);
	}
	buffer_clear(&followed->doubts);
	(void)buffer_append(&followed->doubts, buffer_bytes(&followed->coming)); /* else again */
	buffer_clear(&followed->coming);
}

static void take_back(struct followed *followed, bool tells_more)
{
	char text[TEXT_BYTES];

	if (followed->told.away_since != 0) {
		(void)snprintf(text, sizeof(text), " is back after %" PRIu64 " s",
			       (uint64_t)time(NULL) - followed->told.away_since); /* fits */
		say(followed, text);
	}
	if (tells_more) {
		(void)snprintf(text, sizeof(text), ": its changes are told from now on"); /* fits */
		say(followed, text);
	}
	complaint_end(&followed->complaint);
	followed->is_starting = false;
	followed->told.away_since = 0;
	followed->told.reason[0] = '\0';
	say_doubts(followed);
}

static void take_doubt(struct followed *followed, const char *text)
{
	(void)buffer_append_format(&followed->coming, "%s\n", text); /* else it isn't said */
}

/* It listens. Until now it may have been read by the clock, or told late. */
static unsigned take_listening(struct followed *followed, bool keeps)
{
	bool has_no_doubts_more = followed->coming.size == 0 && followed->doubts.size > 0;
	bool tells_more = followed->is_polled || has_no_doubts_more;

	followed->is_polled = false;
	take_back(followed, tells_more);
	followed->has_changed = true;
	return keeps ? LISTENERS_TURNED : LISTENERS_TURNED | LISTENERS_CHANGED;
}

/* Who has listened until now has missed what was changed since. */
static unsigned take_polled(struct followed *followed, const char *why, bool keeps)
{
	bool has_missed = !followed->is_polled && !followed->is_starting;

	followed->is_polled = true;
	take_doubt(followed, why);
	take_doubt(followed, "changes are seen each follow_seconds, when all is read");
	take_back(followed, false);
	followed->has_changed |= has_missed;
	return has_missed && !keeps ? LISTENERS_TURNED | LISTENERS_CHANGED : LISTENERS_TURNED;
}

static unsigned take_word(const struct listeners *listeners, struct followed *followed,
			  enum scout_word word, const char *text, bool keeps)
{
	if (word == SCOUT_BACK || word == SCOUT_CHANGED || word == SCOUT_CONFIRMED)
		followed->heard = (uint64_t)time(NULL);
	switch (word) {
	case SCOUT_BACK:
		return take_listening(followed, keeps);
	case SCOUT_CHANGED:
		followed->has_changed = true;
		return LISTENERS_CHANGED;
	case SCOUT_CONFIRMED:
		if (keeps || followed->has_changed || followed->is_unread)
			return LISTENERS_NOTHING;
		followed->told.confirmed = (uint64_t)time(NULL);
		return LISTENERS_CONFIRMED;
	case SCOUT_LOST:
		if (!followed->is_polled) {
			take_lost(followed, text);
			return LISTENERS_TURNED;
		}
		/* It would go on trying, much more often. */
		scout_close(&followed->scout);
		mirror_forget(&followed->mirror);
		try_later(listeners, followed);
		return LISTENERS_NOTHING;
	case SCOUT_POLLED:
		return take_polled(followed, text, keeps);
	case SCOUT_DOUBT:
		take_doubt(followed, text);
		return LISTENERS_NOTHING;
	default:
		return LISTENERS_NOTHING;
	}
}

/* Whatever has ended it: another one follows, later and later. That it was back for a moment is no
 * reason to hurry: each time all is read. */
static void take_end(const struct listeners *listeners, struct followed *followed)
{
	int64_t now_ms = clock_milliseconds();

	scout_close(&followed->scout);
	mirror_forget(&followed->mirror);
	if (followed->is_polled) {
		try_later(listeners, followed);
		return;
	}
	if (followed->told.away_since == 0)
		take_lost(followed, "its listener has ended");
	followed->has_changed = true;
	if (now_ms - followed->began_ms >= GOOD_MS)
		followed->pause_ms = FIRST_PAUSE_MS;
	followed->again_ms = now_ms + followed->pause_ms;
	followed->pause_ms =
		followed->pause_ms * 2 < LAST_PAUSE_MS ? followed->pause_ms * 2 : LAST_PAUSE_MS;
}

unsigned listeners_hear(struct listeners *listeners, const struct settings *settings, bool keeps)
{
	int64_t now = clock_milliseconds();
	unsigned news = LISTENERS_NOTHING;

	for (size_t i = 0; i < listeners->count; i++) {
		struct followed *followed = &listeners->items[i];
		/* Before what it told: it tells nothing after. */
		bool has_ended = scout_has_ended(&followed->scout);
		enum scout_word word;
		const char *text;

		while ((word = scout_hear(&followed->scout, &text)) != SCOUT_NOTHING)
			news |= take_word(listeners, followed, word, text, keeps);
		if (has_ended) {
			take_end(listeners, followed);
			news |= LISTENERS_TURNED;
		}
		if (followed->again_ms != 0 && now >= followed->again_ms)
			start(listeners, followed, settings);
		if (complaint_is_due(&followed->complaint, now))
			say_away(followed, "still ");
	}
	return news;
}

/* ---- what is asked ------------------------------------------------------------------------- */

size_t listeners_poll(const struct listeners *listeners, struct pollfd *out, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < listeners->count && used < count; i++)
		if (listeners->items[i].scout.pid > 0)
			out[used++] = (struct pollfd){ .fd = listeners->items[i].scout.fd,
						       .events = POLLIN };
	return used;
}

bool listeners_are_starting(const struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->items[i].is_starting)
			return true;
	return false;
}

/* The source is called as in `rcptmap: postgresql:main alias: …`. */
static bool is_about(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	char next = at != NULL ? at[strlen(name)] : '\0';

	return next == ' ' || next == ':';
}

bool listeners_miss_one(const struct listeners *listeners, const char *text)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->items[i].told.away_since != 0 &&
		    is_about(text, listeners->items[i].told.name))
			return true;
	return false;
}

void listeners_retry(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->items[i].is_polled && listeners->items[i].scout.pid < 0)
			listeners->items[i].again_ms = clock_milliseconds();
}

void listeners_take(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		listeners->items[i].is_unread |= listeners->items[i].has_changed;
		listeners->items[i].has_changed = false;
		listeners->items[i].taken = listeners->items[i].heard;
	}
}

void listeners_took(struct listeners *listeners, uint64_t date, bool is_copied)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct followed *followed = &listeners->items[i];

		if (!is_copied || followed->mirror.base_fd < 0 || followed->is_polled ||
		    followed->taken == 0)
			followed->told.confirmed = date;
		else if (followed->told.confirmed < followed->taken)
			followed->told.confirmed = followed->taken;
		followed->is_unread = false;
	}
}

void listeners_mirrors(const struct listeners *listeners, struct mirrors *out_mirrors)
{
	struct mirrors mirrors = { .count = 0 };

	for (size_t i = 0; i < listeners->count && mirrors.count < MIRRORS_MAX; i++)
		if (listeners->items[i].mirror.base_fd >= 0)
			mirrors.items[mirrors.count++] = listeners->items[i].mirror;
	*out_mirrors = mirrors;
}

/* Two may have one name, as the files of two tables of Postfix; a metric has to be one of them. */
static void tell_apart(struct follow_state *state, size_t index)
{
	struct follow_source *source = &state->sources[index];

	for (size_t i = 0; i < index; i++) {
		size_t size = strlen(source->name);

		if (strcmp(state->sources[i].name, source->name) != 0)
			continue;
		if (size > sizeof(source->name) - 8)
			size = sizeof(source->name) - 8;
		(void)snprintf(source->name + size, sizeof(source->name) - size, "#%zu",
			       index + 1); /* fits */
		/* The end may have been within a character. */
		characters_mask(source->name);
		return;
	}
}

void listeners_state(const struct listeners *listeners, bool is_well, struct follow_state *state)
{
	state->source_count = listeners->count;
	for (size_t i = 0; i < listeners->count; i++) {
		const struct followed *followed = &listeners->items[i];
		struct follow_source *source = &state->sources[i];

		*source = followed->told;
		source->is_up = followed->is_polled
					? is_well
					: followed->told.away_since == 0 && !followed->is_starting;
		tell_apart(state, i);
	}
}
