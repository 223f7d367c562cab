/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sorted - the domains of a table by name, and the keys of each by local part.
 *
 * A table is stored in the order of its hashes, which is new in each compilation; whoever compares
 * or reads one wants an order that stays. Takes 16 bytes a key; bytes point into the table.
 */
#ifndef SHOW_SORTED_H
#define SHOW_SORTED_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "table/table.h"

struct sorted_key {
	const char *local; /* empty: the catch-all, which comes first */
	uint32_t size;
};

struct sorted {
	struct table_domain *domains; /* that of bare keys, without a name, comes first */
	size_t domain_count;
	struct sorted_key *keys;
	size_t *first_keys; /* of each domain; one more stands behind the last */
};

/* Status 65: the table contradicts itself. End it with sorted_free(). */
bool sorted_load(const struct table *table, struct sorted *out_sorted, struct error *err);
/* The same without the keys: keys and first_keys are NULL. */
bool sorted_load_domains(const struct table *table, struct sorted *out_sorted, struct error *err);
void sorted_free(struct sorted *sorted);

static inline struct bytes sorted_local(const struct sorted_key *key)
{
	return bytes_make(key->local, key->size);
}

/* The entry under a key of DOMAIN, where LOCAL may be empty. BROKEN if it isn't there. */
enum lookup sorted_find(const struct table *table, const struct table_domain *domain,
			struct bytes local, struct table_entry *out_entry);

#endif
