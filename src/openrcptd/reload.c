/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/reload.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mail/fold.h"
#include "openrcptd/settings_reader.h"
#include "service/log.h"

enum { FOLD_BYTES = 65536 };

void reload_init(struct reload *reload, const struct settings *started,
		 struct snapshot_store *store)
{
	*reload = (struct reload){ .started = started, .store = store };
	watch_init(&reload->watch);
}

void reload_close(struct reload *reload)
{
	watch_close(&reload->watch);
	settings_free(reload->current);
	reload->current = NULL;
}

static const struct settings *in_force(const struct reload *reload)
{
	return reload->current != NULL ? reload->current : reload->started;
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

/* ---- loading -------------------------------------------------------------------------- */

static bool load(struct reload *reload, const struct settings *settings, struct error *err)
{
	int64_t began_ms = clock_milliseconds();
	struct snapshot *snapshot = snapshot_load(settings, err);

	if (snapshot == NULL)
		return false;
	watch_set(&reload->watch, settings->table, table_identity(snapshot->table));
	log_table(settings->table, snapshot->table, clock_milliseconds() - began_ms);
	warn_of_rules(settings, snapshot->table);
	snapshot_publish(reload->store, snapshot);
	reload->has_told_of_doubt = false;
	return true;
}

/* Say once that a mapped table can't be believed any more. */
static void tell_of_doubt(struct reload *reload, const char *path)
{
	struct snapshot *snapshot = snapshot_acquire(reload->store);

	if (snapshot != NULL && !reload->has_told_of_doubt && !table_is_intact(snapshot->table)) {
		log_line(SEVERITY_ERROR,
			 "%s: written while it is mapped: every recipient is deferred until the "
			 "table is replaced",
			 path);
		reload->has_told_of_doubt = true;
	}
	snapshot_release(reload->store, snapshot);
}

bool reload_table(struct reload *reload, struct error *err)
{
	return load(reload, in_force(reload), err);
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

bool reload_all(struct reload *reload, int settings_fd)
{
	struct error err = { .status = 0 };
	struct settings *settings = settings_reader_result(settings_fd, &err);

	if (settings == NULL || !load(reload, settings, &err)) {
		log_line(SEVERITY_ERROR, "%s: settings and table stay as they were", err.text);
		settings_free(settings);
		return false;
	}
	settings_free(reload->current);
	reload->current = settings;
	return true;
}

void reload_if_replaced(struct reload *reload, uint64_t now_seconds)
{
	const char *path = in_force(reload)->table;
	struct error err = { .status = 0 };

	tell_of_doubt(reload, path);
	switch (watch_check(&reload->watch, path, now_seconds)) {
	case WATCH_SAME:
		return;
	case WATCH_REPLACED:
		if (reload_table(reload, &err))
			return;
		log_line(SEVERITY_ERROR, "%s: the table in use stays", err.text);
		/* Memory or descriptors may have been short; a bad table stays bad. */
		if (err.status != EX_DATAERR)
			watch_try_again(&reload->watch, now_seconds);
		return;
	case WATCH_CHANGED:
		log_line(SEVERITY_ERROR, "%s: changed in place, ignoring", path);
		return;
	case WATCH_MISSING:
		log_line(SEVERITY_WARNING, "%s: missing; the table in use stays", path);
		return;
	}
}
