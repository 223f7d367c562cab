/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mail/fold.h"
#include "message/counters.h"
#include "sandbox/sandbox.h"
#include "worker/settings_reader.h"
#include "worker/table_copy.h"
#include "service/log.h"

enum { FOLD_BYTES = 65536 };

void reload_init(struct reload *reload, const struct settings *started,
		 struct snapshot_store *store)
{
	*reload = (struct reload){
		.started = started,
		.store = store,
		.also_owner = TRUST_NOBODY,
	};
	watch_init(&reload->watch);
}

void reload_close(struct reload *reload)
{
	watch_close(&reload->watch);
	settings_free(reload->current);
	reload->current = NULL;
}

const struct settings *reload_in_force(const struct reload *reload)
{
	return reload->current != NULL ? reload->current : reload->started;
}

void reload_retire(struct reload *reload)
{
	reload->is_quiet = true;
}

/* ---- do table and settings belong together? -------------------------------------------- */

static void warn_of_rule(const char *path)
{
	log_line(SEVERITY_WARNING,
		 "%s: the table was compiled with another value, which counts until it is compiled "
		 "anew",
		 path);
}

static bool is_folded_form(const char *domain, struct bytes folded)
{
	struct arena arena;
	struct bytes key;
	bool is_equal = false;

	arena_init(&arena, FOLD_BYTES);
	switch (fold_domain(bytes_of(domain), &arena, &key)) {
	case FOLD_OK:
		is_equal = bytes_equal(key, folded);
		break;
	case FOLD_INVALID:
		break;
	case FOLD_NO_MEMORY:
		is_equal = true; /* nobody can tell, and it is for a warning only */
		break;
	}
	arena_free(&arena);
	return is_equal;
}

static void warn_of_rules(const struct settings *settings, const struct table *table)
{
	const struct table_rules *rules = table_rules(table);

	if (!bytes_equal(bytes_of(settings->recipient_delimiter), rules->delimiters))
		warn_of_rule("recipient_delimiter");
	if (settings->propagate_extension != rules->propagates_extension)
		warn_of_rule("propagate_extension");
	if (!is_folded_form(settings_origin(settings), rules->origin))
		warn_of_rule("origin");
	if (!is_folded_form(settings->append_dot_domain, rules->dot_domain))
		warn_of_rule("append_dot_domain");
}

static void log_table(const char *path, const struct table *table, int64_t took_ms)
{
	const struct table_facts *facts = table_facts(table);

	log_line(SEVERITY_INFO,
		 "%s: loaded: generation=%llu, entries=%llu, domains=%llu, bytes=%llu, "
		 "checksum=%016llx, ms=%" PRId64,
		 path, (unsigned long long)facts->generation, (unsigned long long)facts->entries,
		 (unsigned long long)facts->domains, (unsigned long long)facts->size_bytes,
		 (unsigned long long)facts->checksum, took_ms);
}

/* ---- what is wrong with the file --------------------------------------------------------- */

static void say(struct reload *reload, uint64_t now_seconds)
{
	reload->said_at = now_seconds;
	if (reload->is_quiet)
		return;
	if (reload->store->current == NULL)
		log_line(SEVERITY_ERROR, "%s: there is no table: all mail is deferred",
			 reload->trouble.text);
	else if (reload->serves_copy)
		log_line(SEVERITY_ERROR,
			 "%s: the table in use stays; it is a copy that the master had kept",
			 reload->trouble.text);
	else
		log_line(SEVERITY_ERROR, "%s: the table in use stays", reload->trouble.text);
}

static void count_failure(const struct error *err)
{
	counters_failure(err->text, (uint64_t)time(NULL));
}

static void take_trouble(struct reload *reload, const struct error *err, uint64_t now_seconds)
{
	bool is_new = reload->trouble.status == 0 || strcmp(reload->trouble.text, err->text) != 0;

	reload->trouble = *err;
	if (!is_new)
		return;
	if (!reload->is_quiet)
		count_failure(err);
	say(reload, now_seconds);
}

static void say_again(struct reload *reload, uint64_t now_seconds)
{
	if (reload->trouble.status == 0)
		return;
	if (reload->said_at == 0)
		reload->said_at = now_seconds;
	if (now_seconds - reload->said_at >= RELOAD_SAY_AGAIN_SECONDS)
		say(reload, now_seconds);
}

/* ---- loading -------------------------------------------------------------------------- */

static void count_table(const struct table *table)
{
	const struct table_facts *facts = table_facts(table);

	counter_add(COUNTER_LOADS_OK, 1);
	counter_set(COUNTER_TABLE_GENERATION, facts->generation);
	counter_set(COUNTER_TABLE_ENTRIES, facts->entries);
	counter_set(COUNTER_TABLE_DOMAINS, facts->domains);
	counter_set(COUNTER_TABLE_BYTES, facts->size_bytes);
	counter_set(COUNTER_TABLE_CREATED, facts->created);
	counter_set(COUNTER_TABLE_LOADED, (uint64_t)time(NULL));
	counter_set(COUNTER_LAST_LOAD_FAILED, 0);
}

/* The counters outlive a worker, and with them the table that it had. */
static void count_no_table(void)
{
	static const enum counter gauges[] = {
		COUNTER_TABLE_CREATED, COUNTER_TABLE_GENERATION, COUNTER_TABLE_ENTRIES,
		COUNTER_TABLE_DOMAINS, COUNTER_TABLE_BYTES,      COUNTER_TABLE_LOADED,
		COUNTER_TABLE_IS_COPY,
	};

	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		counter_set(gauges[i], 0);
}

static void publish(struct reload *reload, const struct settings *settings,
		    struct snapshot *take_snapshot, int64_t began_ms)
{
	if (!reload->is_quiet) {
		log_table(settings->table, take_snapshot->table, clock_milliseconds() - began_ms);
		warn_of_rules(settings, take_snapshot->table);
		count_table(take_snapshot->table);
	}
	snapshot_publish(reload->store, take_snapshot);
	reload->has_told_of_doubt = false;
}

static bool load(struct reload *reload, const struct settings *settings, struct error *err)
{
	int64_t began_ms = clock_milliseconds();
	struct snapshot *snapshot = snapshot_load(settings, err);

	if (snapshot == NULL)
		return false;
	watch_set(&reload->watch, settings->table, table_identity(snapshot->table));
	publish(reload, settings, snapshot, began_ms);
	if (!settings_table_owner(settings, &reload->also_owner, NULL))
		reload->also_owner = TRUST_NOBODY; /* it was known a moment ago */
	reload->trouble.status = 0;
	reload->serves_copy = false;
	if (!reload->is_quiet)
		counter_set(COUNTER_TABLE_IS_COPY, 0);
	reload->has_news = !reload->is_quiet;
	return true;
}

static bool load_copy(struct reload *reload, int copy_fd, struct error *err)
{
	int64_t began_ms = clock_milliseconds();
	const struct settings *settings = reload_in_force(reload);
	struct snapshot *snapshot;

	if (copy_fd < 0)
		return error_set(err, EX_SOFTWARE, "none was kept");
	snapshot = snapshot_load_descriptor(settings, copy_fd, err);
	if (snapshot == NULL)
		return false;
	publish(reload, settings, snapshot, began_ms);
	reload->serves_copy = true;
	counter_set(COUNTER_TABLE_IS_COPY, 1);
	return true;
}

void reload_table_or_copy(struct reload *reload, int copy_fd)
{
	struct error of_file = { .status = 0 };
	struct error of_copy;
	const struct snapshot *now;

	if (reload_table(reload, &of_file)) {
		now = reload->store->current;
		reload->has_news = !table_copy_is_of(copy_fd, now->table);
		return;
	}
	if (!load_copy(reload, copy_fd, &of_copy)) {
		log_line(SEVERITY_ERROR, "the copy of the last table: %s", of_copy.text);
		count_no_table();
	}
	take_trouble(reload, &of_file, 0);
}

int reload_take_copy(struct reload *reload)
{
	struct snapshot *snapshot;
	struct error err;
	int fd;

	if (!reload->has_news)
		return -1;
	reload->has_news = false;
	snapshot = snapshot_acquire(reload->store);
	fd = table_copy_make(snapshot->table, &err);
	snapshot_release(reload->store, snapshot);
	if (fd < 0)
		log_line(SEVERITY_WARNING,
			 "%s: a worker that follows hangs on the file, or begins with the table"
			 " before this one",
			 err.text);
	return fd;
}

bool reload_table(struct reload *reload, struct error *err)
{
	return load(reload, reload_in_force(reload), err);
}

bool reload_adopt(struct reload *reload, int settings_fd, struct error *err)
{
	struct settings *settings = settings_reader_result(settings_fd, err);

	if (settings == NULL)
		return false;
	settings_free(reload->current);
	reload->current = settings;
	return true;
}

bool reload_needs_another(const struct reload *reload, int settings_fd)
{
	const struct settings *before = reload_in_force(reload);
	struct error err;
	struct settings *after = settings_reader_result(settings_fd, &err);
	bool needs_another;

	if (after == NULL)
		return false; /* reload_all() tells why */
	/* libmilter takes its time limit once, descriptors are counted at the start, and the
	 * sandbox has its folder from then, too. */
	needs_another = before->max_sessions != after->max_sessions ||
			before->idle_timeout_seconds != after->idle_timeout_seconds ||
			!sandbox_covers(after->table);
	settings_free(after);
	return needs_another;
}

bool reload_all(struct reload *reload, int settings_fd)
{
	struct error err = { .status = 0 };
	struct settings *settings = settings_reader_result(settings_fd, &err);

	if (settings == NULL || !load(reload, settings, &err)) {
		count_failure(&err);
		log_line(SEVERITY_ERROR, "%s: settings and table stay as they were", err.text);
		settings_free(settings);
		return false;
	}
	settings_free(reload->current);
	reload->current = settings;
	return true;
}

/* ---- watching ---------------------------------------------------------------------------- */

static void load_again(struct reload *reload, uint64_t now_seconds)
{
	struct error err = { .status = 0 };

	if (reload_table(reload, &err))
		return;
	take_trouble(reload, &err, now_seconds);
	/* Memory or descriptors may have been short, or its folder be mended; a bad table stays
	 * bad. */
	if (err.status != EX_DATAERR)
		watch_try_again(&reload->watch, now_seconds);
}

/* Its bytes are those in use. Could they be read again? Owner, mode and names leave the time of the
 * last write alone, and a folder's leave the whole file alone: so that is asked each time. */
static void judge_file(struct reload *reload, uint64_t now_seconds)
{
	const struct settings *settings = reload_in_force(reload);
	struct error err = { .status = 0 };

	if (!table_check_file(settings->table, reload->also_owner, &err)) {
		take_trouble(reload, &err, now_seconds);
		return;
	}
	if (reload->trouble.status != EX_NOPERM || reload->serves_copy)
		return;
	if (!reload->is_quiet)
		log_line(SEVERITY_INFO, "%s: can be read again", settings->table);
	reload->trouble.status = 0;
}

/* Say once that a mapped table can't be believed any more. */
static void tell_of_doubt(struct reload *reload, const char *path)
{
	struct snapshot *snapshot = snapshot_acquire(reload->store);

	if (snapshot == NULL)
		return;
	if (!reload->is_quiet && !reload->has_told_of_doubt && !table_is_intact(snapshot->table)) {
		log_line(SEVERITY_ERROR,
			 "%s: written while it is mapped: every recipient is deferred until the "
			 "table is replaced",
			 path);
		reload->has_told_of_doubt = true;
	}
	snapshot_release(reload->store, snapshot);
}

void reload_if_replaced(struct reload *reload, uint64_t now_seconds)
{
	const char *path = reload_in_force(reload)->table;
	struct error err;

	tell_of_doubt(reload, path);
	switch (watch_check(&reload->watch, path, now_seconds)) {
	case WATCH_SAME:
		if (reload->watch.missing_since == 0)
			judge_file(reload, now_seconds);
		break;
	case WATCH_REPLACED:
		load_again(reload, now_seconds);
		break;
	case WATCH_CHANGED:
		reload->trouble.status = 0; /* each change is news */
		error_fill(&err, EX_DATAERR, "%s: changed in place, ignoring", path);
		take_trouble(reload, &err, now_seconds);
		break;
	case WATCH_MISSING:
		if (reload->is_quiet)
			break;
		log_line(SEVERITY_WARNING, "%s: missing%s", path,
			 reload->store->current == NULL ? "" : "; the table in use stays");
		break;
	case WATCH_UNKNOWN:
		error_fill_errno(&err, EX_NOPERM, "%s", path);
		take_trouble(reload, &err, now_seconds);
		break;
	}
	say_again(reload, now_seconds);
}
