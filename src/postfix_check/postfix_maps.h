/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_maps - what Postfix has to know of the domains of a table: as text, and as the two maps
 * that `postfix_maps` of the settings asks for.
 *
 * `alias_domains` has each alias domain, for virtual_alias_domains. `catch_all` maps every address
 * of our domains, alias and mailbox, to itself, for virtual_alias_maps: smtpd accepts them then,
 * and asks the milter. Runs postmap(1), so it belongs to a command that ends.
 */
#ifndef POSTFIX_CHECK_POSTFIX_MAPS_H
#define POSTFIX_CHECK_POSTFIX_MAPS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "settings/settings.h"
#include "show/sorted.h"
#include "table/table.h"

enum postfix_map {
	POSTFIX_MAP_CATCH_ALL,
	POSTFIX_MAP_ALIAS_DOMAINS,
	POSTFIX_MAPS,
};

/* Its file in the directory. */
const char *postfix_map_name(enum postfix_map map);

/* How Postfix calls the type that SETTINGS name. */
const char *postfix_maps_type(const struct settings *settings);

/* Append the text of MAP, a line a domain. What can't be appended the buffer remembers. */
void postfix_map_print(enum postfix_map map, const struct sorted *domains, struct buffer *out);

/*
 * Write both maps where SETTINGS say, each at once or not at all, and only if its domains have
 * changed. Call it while the table is locked. Status 69: postmap can't be run, or failed; 73 and
 * 74: the files can't be written. Some of the maps may be new then.
 */
bool postfix_maps_write(const struct table *table, const struct settings *settings,
			struct error *err);

#endif
