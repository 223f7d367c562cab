/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - where entries come from: one importer a file source_<type>.c, one row in source.c.
 *
 * An importer turns its format into rows: key and right-hand side, as text of the source, with file
 * and line. It knows nothing of the table. Errors and warnings go to `struct report`, all of them;
 * a source with an error is never published.
 */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "settings/settings.h"
#include "sources/report.h"
#include "table/patterns.h"

enum source_row_kind {
	SOURCE_ROW_ENTRY,  /* key → value (a right-hand side) */
	SOURCE_ROW_USER,   /* key → value, where key is a user of local_domains whatever it
			    * looks like: a local part without quotes */
	SOURCE_ROW_DOMAIN, /* key declares an alias domain */
	SOURCE_ROW_MAILBOX_DOMAIN, /* and a mailbox domain */
	SOURCE_ROW_RECIPIENT,      /* key is a known mailbox */
	SOURCE_ROW_PATTERN,        /* pattern → value (a template), see struct source_pattern */
};

/*
 * One rule of a pattern source. Rules are tried in the order of their rows against the whole
 * address in external form (`"q x"@example.org`); the first that matches ends the search. A key of
 * the whole address goes before the rules of its own source. The row's value is a template (see
 * table/template.h) of a right-hand side. The importer has seen that the expressions can be
 * compiled, by table_pattern_check(), which said too how many groups there are: nobody compiles
 * them again before they stand in a table.
 */
struct source_pattern {
	enum table_pattern_kind kind; /* rule, if, endif; the last two have no value */
	unsigned flags;               /* of enum table_pattern_flag */
	struct bytes expression;      /* in the syntax of PCRE2 */
	struct bytes exception;       /* must not match, with the same flags; empty: none */
	uint32_t group_count;         /* that the value may name */
};

struct source_row {
	enum source_row_kind kind;
	struct bytes key; /* good until the next call */
	struct bytes value;
	uint32_t line;                 /* of its first line; of a database its primary key, or 0 */
	const char *place;             /* what rows like this are called, as long as the source is
					* open; NULL: the path of the source */
	struct source_pattern pattern; /* of SOURCE_ROW_PATTERN */
};

struct source;

enum source_step {
	SOURCE_ROW,    /* *out_row is set */
	SOURCE_END,    /* all of the source was read, and it didn't change meanwhile */
	SOURCE_FAILED, /* reported; there is no next row */
};

struct source_type {
	const char *name;
	/* Open FROM; NULL: reported to REPORT. FROM and SETTINGS must stay until close. */
	struct source *(*open)(const struct settings_source *from, const struct settings *settings,
			       struct report *report);
	/* The next row. A line that is wrong is reported and passed over: END after errors is
	 * END all the same, and the report knows. */
	enum source_step (*next)(struct source *source, struct source_row *out_row);
	void (*close)(struct source *source);
	/* Begin anew with the first row. Not NULL: the source is opened once for a compilation,
	 * before there is a table, and holds nothing open that others wait for. */
	void (*rewind)(struct source *source);
};

/* The type called NAME, or NULL. Those of Postfix's tables (`hash`, `proxy:texthash`) are
 * `virtual`, which is what their text is; `pgsql` is `postgresql`,
 * `mariadb` is `mysql`. */
const struct source_type *source_type_find(const char *name);

/* All of them, for messages. */
#define SOURCE_TYPES                                                                               \
	"aliases, domains, ldap, mysql, pcre, postgresql, recipients, regexp, sqlite, virtual, "   \
	"virtusertable"

/* One of each source_<type>.c; those of databases are in the folder of that name. */
extern const struct source_type source_type_aliases;
extern const struct source_type source_type_domains;
extern const struct source_type source_type_ldap;
extern const struct source_type source_type_pcre;
extern const struct source_type source_type_mysql;
extern const struct source_type source_type_postgresql;
extern const struct source_type source_type_recipients;
extern const struct source_type source_type_regexp;
extern const struct source_type source_type_sqlite;
extern const struct source_type source_type_virtual;
extern const struct source_type source_type_virtusertable;

#endif
