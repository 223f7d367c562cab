/* SPDX-License-Identifier: BSD-2-Clause */
#include "changes/changes.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hash.h"
#include "changes/interest.h"
#include "database/import.h"
#include "database/modules.h"
#include "follow/scout.h"
#include "mail/characters.h"
#include "mirror/journal.h"
#include "plan/schema.h"
#include "plan/source_name.h"
#include "sources/source.h"

enum {
	WAIT_MS = 5000, /* the server is asked then whether it is there */
	AGAIN_MS = 50,  /* between two changes */
	FIRST_PAUSE_MS = 1000,
	LAST_PAUSE_MS = 30000,
	GOOD_MS = 60000, /* a connection that has lasted so long */
	DOUBT_BYTES_MAX = 1 << 14,
	NAME_BYTES_MAX = 1 << 16,
};

/* How a connection has ended. */
enum outcome {
	OUTCOME_LOST,   /* was told */
	OUTCOME_ANEW,   /* nothing is wrong, but another one is wanted */
	OUTCOME_POLLED, /* was told: whoever watches says when to try again */
	OUTCOME_ALONE,  /* nobody hears us */
};

/* One connection. */
struct ear {
	int fd;
	const struct mirror *mirror;
	struct database_plan plan;
	struct interest interest;
	const struct database_module *module;
	struct database *database;
	struct directory *directory; /* in its place, as the next two */
	struct journal journal;
	struct directory_hearer hearer;
	struct buffer doubt;
};

void changes_name(const struct settings_source *source, char *out_name, size_t size)
{
	const struct source_type *type = source_type_find(source->type);
	struct buffer name;

	buffer_init(&name, NAME_BYTES_MAX);
	(void)source_name_put(source, &name); /* else it is empty, or cut */
	(void)snprintf(out_name, size, "%s:" BYTES_FORMAT, type != NULL ? type->name : source->type,
		       BYTES_ARGS(buffer_bytes(&name))); /* may be cut */
	for (char *at = out_name; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ')
			*at = '_';
	characters_mask(out_name);
	buffer_free(&name);
}

void changes_schema(const struct settings_source *source, char *out_path, size_t size)
{
	const char *name = settings_source_get(source, "schema");

	out_path[0] = '\0';
	if (name != NULL)
		schema_path(name, out_path, size);
}

/* ---- the one or the other kind of module --------------------------------------------------- */

static bool can_follow(const struct ear *ear)
{
	const struct directory_module *directory = ear->module->directory;

	return ear->plan.directory == NULL
		       ? ear->module->follow != NULL && ear->module->wait != NULL
		       : directory->follow != NULL && directory->wait != NULL;
}

static void on_change(void *context, const struct directory_change *change)
{
	journal_change(context, change);
}

/* Where other searches are made than those that are heard of, a journal would be of no use. */
static const struct directory_hearer *hearer_of(struct ear *ear)
{
	ear->hearer = (struct directory_hearer){ .on_change = on_change, .context = &ear->journal };
	return ear->interest.is_exact ? &ear->hearer : NULL;
}

static bool connect_and_follow(struct ear *ear, struct error *err)
{
	const struct directory_module *directory = ear->module->directory;

	if (ear->plan.directory == NULL) {
		ear->database = ear->module->open(&ear->plan.options, err);
		return ear->database != NULL &&
		       ear->module->follow(ear->database, ear->interest.tables,
					   ear->interest.functions, &ear->doubt, err);
	}
	journal_init(&ear->journal, ear->mirror, ear->plan.name, &ear->plan.directory->options,
		     ear->interest.searches, ear->interest.search_count);
	ear->directory = directory->open(&ear->plan.directory->options, err);
	return ear->directory != NULL &&
	       directory->follow(ear->directory, ear->interest.searches, ear->interest.search_count,
				 hearer_of(ear), &ear->doubt, err);
}

static enum database_news wait_for_news(const struct ear *ear, struct error *err)
{
	return ear->plan.directory == NULL
		       ? ear->module->wait(ear->database, WAIT_MS, err)
		       : ear->module->directory->wait(ear->directory, WAIT_MS, err);
}

static void disconnect(struct ear *ear)
{
	if (ear->plan.directory == NULL) {
		ear->module->close(ear->database);
		return;
	}
	ear->module->directory->close(ear->directory);
	journal_end(&ear->journal);
}

/* ---- one connection ------------------------------------------------------------------------ */

static enum outcome tell(const struct ear *ear, enum scout_word word, const char *text,
			 enum outcome outcome)
{
	return scout_tell(ear->fd, word, text) ? outcome : OUTCOME_ALONE;
}

/* Each line of the module's. */
static bool tell_doubts(struct ear *ear)
{
	char *line = ear->doubt.data;
	char *end;

	if (ear->interest.doubt != NULL && !scout_tell(ear->fd, SCOUT_DOUBT, ear->interest.doubt))
		return false;
	for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (!scout_tell(ear->fd, SCOUT_DOUBT, line))
			return false;
	}
	return true;
}

/* Did somebody say no, who is there? */
static bool is_refused(const struct error *err)
{
	return err->status == EX_UNAVAILABLE || err->status == EX_CONFIG;
}

/* Who has let us in, and then says no, may be read all the same: that is the compilation's to find
 * out, and to tell. Where options make no sense, it tells that, too. */
static enum outcome tell_why_not(const struct ear *ear, const struct error *err)
{
	bool is_let_in = ear->database != NULL || ear->directory != NULL;

	if (err->status == EX_CONFIG || (is_let_in && is_refused(err)))
		return tell(ear, SCOUT_POLLED, err->text, OUTCOME_POLLED);
	return tell(ear, SCOUT_LOST, err->text, OUTCOME_LOST);
}

static enum outcome hear(struct ear *ear)
{
	struct error err;

	if (!connect_and_follow(ear, &err))
		return tell_why_not(ear, &err);
	if (!tell_doubts(ear) || !scout_tell(ear->fd, SCOUT_BACK, NULL))
		return OUTCOME_ALONE;
	for (;;) {
		enum scout_word word = SCOUT_CONFIRMED;

		switch (wait_for_news(ear, &err)) {
		case DATABASE_NEWS_FAILED:
			/* Whether it still lets us in is told by the next connection. */
			return is_refused(&err) ? OUTCOME_ANEW
						: tell(ear, SCOUT_LOST, err.text, OUTCOME_LOST);
		case DATABASE_NEWS_ANEW:
			return OUTCOME_ANEW;
		case DATABASE_NEWS_CHANGED:
			word = SCOUT_CHANGED;
			break;
		case DATABASE_NEWS_NONE:
			break;
		}
		/* Where not all can be heard, silence says nothing. */
		if (word == SCOUT_CONFIRMED && ear->interest.doubt != NULL)
			continue;
		if (!scout_tell(ear->fd, word, NULL))
			return OUTCOME_ALONE;
		/* Of a thousand changes a second nobody wants to hear each. */
		if (word == SCOUT_CHANGED)
			(void)poll(NULL, 0, AGAIN_MS); /* less is no harm */
	}
}

/* What is wrong with a plan is said by each compilation. */
static bool make_plan(struct ear *ear, const struct settings *settings, size_t index)
{
	const struct settings_source *source = &settings->sources[index];
	const struct source_type *type = source_type_find(source->type);
	FILE *nowhere = fopen("/dev/null", "we");
	struct report report;
	bool is_made;

	if (nowhere == NULL)
		return false;
	report_init(&report, nowhere);
	is_made = database_plan_make(source, settings, type->name, &report, &ear->plan);
	report_free(&report);
	(void)fclose(nowhere); /* nobody reads it */
	return is_made;
}

static enum outcome hear_planned(struct ear *ear)
{
	struct error err;
	enum outcome outcome;

	database_keep_out_of_cores(&ear->plan);
	ear->module = modules_load(ear->plan.type, &err);
	if (ear->module == NULL || !interest_find(&ear->plan, &ear->interest, &err))
		return tell(ear, SCOUT_LOST, err.text, OUTCOME_LOST);
	if (!can_follow(ear))
		return tell(ear, SCOUT_POLLED, "tells nothing of changes", OUTCOME_POLLED);
	outcome = hear(ear);
	disconnect(ear);
	return outcome;
}

/* All is read anew for each connection: a password may be another one. */
static enum outcome hear_once(const struct settings *settings, size_t index, int fd,
			      const struct mirror *mirror)
{
	struct ear ear = { .fd = fd, .mirror = mirror };
	enum outcome outcome;

	buffer_init(&ear.doubt, DOUBT_BYTES_MAX);
	outcome = make_plan(&ear, settings, index)
			  ? hear_planned(&ear)
			  : tell(&ear, SCOUT_LOST, "what is to be read isn't known", OUTCOME_LOST);
	database_plan_free(&ear.plan);
	buffer_free(&ear.doubt);
	return outcome;
}

/* ---- again and again ----------------------------------------------------------------------- */

/* A quarter more or less, so that not all who have lost a server come back at once. */
static int with_jitter(int pause_ms)
{
	uint64_t chosen = 0;

	(void)hash_random_seed(&chosen); /* else all wait equally long */
	return pause_ms * 3 / 4 + (int)(chosen % (uint64_t)(pause_ms / 2));
}

int changes_listen(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	int pause_ms = FIRST_PAUSE_MS;

	for (;;) {
		int64_t began_ms = clock_milliseconds();

		switch (hear_once(context, index, fd, mirror)) {
		case OUTCOME_POLLED:
			return EX_OK;
		case OUTCOME_ALONE:
			return EX_UNAVAILABLE;
		case OUTCOME_LOST:
		case OUTCOME_ANEW:
			break;
		}
		if (clock_milliseconds() - began_ms >= GOOD_MS)
			pause_ms = FIRST_PAUSE_MS;
		(void)poll(NULL, 0, with_jitter(pause_ms)); /* less is no harm */
		pause_ms = pause_ms * 2 < LAST_PAUSE_MS ? pause_ms * 2 : LAST_PAUSE_MS;
	}
}
