/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "follow/remembered.h"
#include "service/notify.h"
#include "settings/fields.h"
#include "settings/fragments.h"
#include "table/table.h"

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
	state->age_limit = follow->settings->follow_age_seconds;
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

void follow_watch_configured(struct follow *follow)
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
	follow_watch_configured(follow);
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

bool follow_is_held(struct follow *follow)
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
