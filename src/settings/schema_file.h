/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema_file - the file of a database schema: what to ask of it, as libconfig text.
 *
 *     parameters = { table_prefix = ""; };
 *     words = { at = { mysql = "CONCAT('@', name)"; sqlite = "'@' || name"; }; };
 *     alias_query = "SELECT address, goto FROM ${table_prefix}alias";
 *     domain_query = { mysql = "SELECT ..."; sqlite = "SELECT ..."; };
 *     postfix = { virtual_alias_maps = [ "SELECT ... '%s'" ]; };
 *
 * In a list of `postfix` are texts, and groups with a text for some types of databases. Here is
 * only seen to the form; what a name means, and ${...}, is the reader's business.
 */
#ifndef SETTINGS_SCHEMA_FILE_H
#define SETTINGS_SCHEMA_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "settings/settings.h"

/* What stands in front of the name of a member that isn't at the top of the file. */
#define SCHEMA_FILE_PARAMETER "parameters."
#define SCHEMA_FILE_WORD      "words."
#define SCHEMA_FILE_POSTFIX   "postfix." /* one for each of a list, all of the same name */

/*
 * Read PATH as it is for databases of TYPE ("sqlite"): the members of *OUT_CONTENT. End it with
 * settings_source_clear(), in either case. Status 78; 66, 77 as settings_load() has them.
 */
bool schema_file_read(const char *path, const char *type, struct settings_source *out_content,
		      struct error *err);

#endif
