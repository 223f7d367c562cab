/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan - what is asked of a database, and where: from the file of a Postfix table, or from the
 * members of a source.
 *
 * A Postfix table has one query for one key; with members there is one query for each kind of row,
 * which answers with all of them.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>

#include "base/arena.h"
#include "modules/module.h"
#include "directory/directory.h"
#include "settings/settings.h"
#include "sources/report.h"

/* In the order in which rows are handed out: first what says whose a domain is. */
enum database_kind {
	DATABASE_DOMAIN,
	DATABASE_ALIAS_DOMAIN,
	DATABASE_ALIAS,
	DATABASE_GROUP, /* of a directory: aliases that another filter finds */
	DATABASE_CATCH_ALL,
	DATABASE_DOMAIN_ALIAS,
	DATABASE_MAILBOX,
	DATABASE_PATTERN, /* addresses with wildcards, for which there is no key */
	DATABASE_KINDS
};

/* One search of a directory; the filter is the query of its kind. Lists end with NULL. */
struct directory_query {
	const char *base; /* may have parts of the key in it */
	enum directory_scope scope;
	const char *const *ordinary;
	const char *const *special;  /* name entries that are to be read, too */
	const char *const *terminal; /* where an entry has one, nothing else of it counts */
	const char *const *leaf;     /* count where an entry has no special one */
	const char *const *all;      /* of these */
	struct bytes result_format;
	bool is_list;   /* an entry counts for its key, whatever can be read of it */
	int size_limit; /* for one key; 0: none */
	unsigned long recursion_limit;
};

struct directory_plan {
	struct directory_options options;
	struct directory_query queries[DATABASE_KINDS];

	/* For a filter without a shape: which entries have the keys to ask, and where; NULL: none.
	 */
	const char *keys_filter;
	const char *keys_attribute;
	const char *const *keys; /* the latter, as a list */
};

struct database_plan {
	struct arena arena;
	const char *type; /* of the module: "postgresql" */
	const char *name; /* "main" */
	const char *path; /* for messages: of the table's file, or of the configuration */
	uint32_t line;    /* in it; 0: none */
	struct database_options options;
	const char *labels[DATABASE_KINDS];  /* "postgresql:main alias" */
	const char *queries[DATABASE_KINDS]; /* NULL: none */
	struct directory_plan *directory;    /* NULL: it is a database */

	/* Of a table of Postfix: the one query is a template. */
	bool is_template;
	bool has_one_value;     /* of a row the first column alone counts */
	const char *keys_query; /* for a query without a shape: which keys to ask; NULL: none */
	struct bytes result_format;
	struct bytes domains; /* the keys it is asked for; empty: all */
	unsigned long expansion_limit;
};

/* Read FROM. False: reported. In either case end it with database_plan_free(). Borrows of FROM and
 * SETTINGS. */
bool database_plan_make(const struct settings_source *from, const struct settings *settings,
			const char *type, struct report *report, struct database_plan *out_plan);
void database_plan_free(struct database_plan *plan);

/* The word for KIND: "alias-domain". */
const char *database_kind_name(enum database_kind kind);

#endif
