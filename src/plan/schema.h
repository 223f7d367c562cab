/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema - what is asked of a database whose tables are those of a known program, or of a directory
 * whose entries are: a file of data, which brings the queries, or the filters and the names of
 * attributes, that a source would otherwise have to have itself.
 *
 * A query is a text with ${NAME} in it, where NAME is a parameter, which the source may set, or a
 * word, which differs between types of databases and may have parameters in it.
 */
#ifndef PLAN_SCHEMA_H
#define PLAN_SCHEMA_H

#include <stdbool.h>

#include "base/arena.h"
#include "settings/settings.h"
#include "sources/report.h"

struct schema {
	const char *path;
	struct settings_source content;     /* of its file */
	const struct settings_source *from; /* has the values of parameters; borrowed */
};

/*
 * Read the schema NAME, or the file NAME if there is a / in it, for databases of TYPE. False:
 * reported. In either case end it with schema_close(). A member of FROM is the value of the
 * parameter of that name. ARENA and FROM have to outlive it.
 */
bool schema_open(const char *name, const char *type, const struct settings_source *from,
		 struct arena *arena, struct report *report, struct schema *out_schema);
void schema_close(struct schema *schema);

/* The same for the file PATH, without a report; PATH has to outlive it. */
bool schema_load(const char *path, const char *type, const struct settings_source *from,
		 struct schema *out_schema, struct error *err);

/* Where the files of known programs are. */
const char *schema_directory(void);

/* The file of the schema NAME, cut to SIZE. */
void schema_path(const char *name, char *out_path, size_t size);

/* Has it a parameter NAME? */
bool schema_has_parameter(const struct schema *schema, const char *name);

/* May VALUE be that of a parameter? Ask before schema_fill(). */
bool schema_check_value(const char *value, struct error *err);

/*
 * Each of COUNT NAMES ("alias_query"; NULL: there is none in that place) for which TEXTS have NULL
 * gets what the schema says of it, complete, in ARENA; NULL: nothing. A schema with other names in
 * it is an error.
 */
bool schema_fill(const struct schema *schema, const char *const *names, size_t count,
		 struct arena *arena, const char **texts, struct error *err);

/* TEXT with what ${NAME} stands for, in ARENA. False: see ERR. */
bool schema_expand(const struct schema *schema, const char *text, struct arena *arena,
		   const char **out_query, struct error *err);

#endif
