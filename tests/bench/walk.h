/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk - the questions that are asked of a peer; the same ones, the same way, of each.
 */
#ifndef BENCH_WALK_H
#define BENCH_WALK_H

#include "peer.h"

enum {
	/* Recipients of one address; what Postfix has by default. */
	WALK_RECIPIENTS_MAX = 1000,
	WALK_DEPTH_MAX = 12,
};

/* One key: is it there? Reads where its value begins. */
bool walk_find(const struct peer *peer, void *handle, struct bytes key, uint64_t *sum);

/* One key, and every target of it. */
size_t walk_find_many(const struct peer *peer, void *handle, const struct bytes *keys, size_t count,
		      uint64_t *sum);
bool walk_find_all(const struct peer *peer, void *handle, struct bytes key, uint64_t *sum);

/* An address, as virtual(5) has it: `user+ext@domain`, `user@domain`, `@domain`; every target of
 * the first key that is there. */
bool walk_ask(const struct peer *peer, void *handle, struct bytes address, uint64_t *sum);

/* An address, and again each target that it leads to, until none is a key. An extension that no
 * key has is passed on. The number of final addresses. */
unsigned walk_expand(const struct peer *peer, void *handle, struct bytes address, uint64_t *sum);

#endif
