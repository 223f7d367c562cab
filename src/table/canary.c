/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canary - look-ups whose outcome the compiler wrote down, replayed whenever a table is loaded: the
 * last proof that this reader understands this file.
 *
 * A canary: u8 outcome (0 absent, 1 found), u8 length of the domain, u8 length of the local part
 * (0: the catch-all), u64 fingerprint, domain, local part.
 */
#include <sysexits.h>

#include "table/inside.h"

enum { CANARY_HEAD = 11 };

static uint64_t fingerprint_begin(enum table_entry_kind kind, struct bytes reply)
{
	return hash_key(reply, (uint64_t)kind + 1);
}

static uint64_t fingerprint_target(uint64_t before, struct bytes local, struct bytes domain,
				   bool keeps_user)
{
	return hash_key(domain, hash_key(local, before + keeps_user));
}

enum lookup entry_fingerprint(const struct table *table, const struct table_entry *entry,
			      uint64_t *out_fingerprint)
{
	uint64_t fingerprint = fingerprint_begin(entry->kind, entry->reply);
	struct table_target_cursor cursor;
	struct table_target target;
	enum lookup outcome;

	table_targets_begin(entry, &cursor);
	while ((outcome = table_next_target(table, &cursor, &target)) == LOOKUP_FOUND)
		fingerprint = fingerprint_target(fingerprint, target.local, target.domain.name,
						 target.keeps_user);
	if (outcome == LOOKUP_BROKEN)
		return outcome;
	*out_fingerprint = fingerprint;
	return LOOKUP_FOUND;
}

static bool replay_one(const struct table *table, bool is_found, struct bytes domain_name,
		       struct bytes local, uint64_t fingerprint)
{
	struct table_domain domain;
	struct table_entry entry;
	uint64_t got;
	enum lookup outcome;

	if (local.size > 0)
		outcome = table_find_key(table, domain_name, local, &domain, &entry);
	else if ((outcome = table_find_domain(table, domain_name, &domain)) == LOOKUP_FOUND)
		outcome = table_find_catch_all(table, &domain, &entry);
	if (!is_found)
		return outcome == LOOKUP_ABSENT;
	return outcome == LOOKUP_FOUND && entry_fingerprint(table, &entry, &got) == LOOKUP_FOUND &&
	       got == fingerprint;
}

bool canaries_replay(const struct table *table, struct error *err)
{
	struct bytes rest = table->canaries;

	while (rest.size > 0) {
		size_t domain_size, local_size;

		if (rest.size < CANARY_HEAD)
			return error_set(err, EX_DATAERR, "not a sound table: canaries");
		domain_size = (unsigned char)rest.data[1];
		local_size = (unsigned char)rest.data[2];
		if (rest.size - CANARY_HEAD < domain_size + local_size ||
		    !replay_one(table, rest.data[0] != 0,
				bytes_make(rest.data + CANARY_HEAD, domain_size),
				bytes_make(rest.data + CANARY_HEAD + domain_size, local_size),
				le64_load(rest.data + 3)))
			return error_set(err, EX_DATAERR,
					 "not a sound table: a look-up gives another answer than "
					 "when it was compiled");
		rest = bytes_skip(rest, CANARY_HEAD + domain_size + local_size);
	}
	return true;
}
