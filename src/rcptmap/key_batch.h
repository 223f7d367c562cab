/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key_batch - raw look-ups, many at a time: the keys of a batch are parsed, then their domains are
 * looked up while the cache fetches the entries, then the entries.
 *
 * A key is `user@domain`, `user`, `@domain`, or `domain` for a declaration; nothing is tried beside
 * the key itself, as in `postmap -q`. Patterns are asked for `user@domain`.
 */
#ifndef RCPTMAP_KEY_BATCH_H
#define RCPTMAP_KEY_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "table/table.h"

enum { KEY_BATCH_MAX = 32 };

struct question {
	struct bytes text; /* set by the caller */
	enum lookup found;
	bool is_plain;            /* text can be printed as it is */
	bool is_catch_all;        /* key_batch.c's own, as the rest at the end */
	struct table_entry entry; /* with FOUND, unless it is a declaration */
	const char *declaration;  /* `alias-domain`, of a bare-domain row; else NULL */
	/* The rest is key_batch.c's own. */
	struct bytes local;
	struct table_domain domain;
	struct bytes domain_key;
	struct bytes subject; /* what patterns are asked for; empty: they are not */
};

/* Answer COUNT questions. What can't be a key is ABSENT. Views live as long as ARENA and TABLE. */
void key_batch_answer(const struct table *table, struct question *questions, size_t count,
		      struct arena *arena);

/* Have the cache fetch what resolving up to KEY_BATCH_MAX addresses will read. Whatever it can't
 * tell at a glance it leaves out. */
void key_batch_prefetch(const struct table *table, const struct bytes *texts, size_t count);

#endif
