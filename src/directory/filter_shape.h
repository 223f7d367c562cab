/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_shape - from the filter of a Postfix table, which finds the entries for one key, to
 * filters that find the entries for all keys, with the attributes that have them.
 *
 * It can be done where the key is compared with whole values by `=`, in parts joined by `&`; where
 * `|` joins several such parts each is a filter of its own, and who asks them all takes an entry
 * for one key once. Pure; thread-safe.
 */
#ifndef DIRECTORY_FILTER_SHAPE_H
#define DIRECTORY_FILTER_SHAPE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"

enum { FILTER_BRANCHES_MAX = 32, FILTER_KEYS_MAX = 2 };

enum filter_part {
	FILTER_KEY,     /* %s: all of the key */
	FILTER_ADDRESS, /* %u@%d: likewise, where it has both */
	FILTER_DOMAIN,  /* %d: what is behind the @ */
	FILTER_USER,    /* %u: beside a FILTER_DOMAIN only */
};

/* Values of ATTRIBUTE have a key, or a part of one, between BEFORE and AFTER, which are in the
 * case of the filter, and mostly empty. */
struct filter_key {
	struct bytes attribute;
	enum filter_part part;
	bool is_tail; /* `*@%s`: behind the @ of the value */
	struct bytes before;
	struct bytes after;
};

struct filter_branch {
	const char *filter;
	struct filter_key keys[FILTER_KEYS_MAX];
	size_t key_count; /* 2: the user and the domain */
};

struct filter_shape {
	struct filter_branch branches[FILTER_BRANCHES_MAX];
	size_t count;
};

enum filter_outcome {
	FILTER_HAS_SHAPE,
	FILTER_HAS_NONE, /* *out_why says why, as the end of a sentence */
	FILTER_NO_MEMORY,
};

/* What is found borrows of FILTER and lives in ARENA. */
enum filter_outcome filter_shape_find(struct bytes filter, struct arena *arena,
				      struct filter_shape *out_shape, const char **out_why);

/* Append VALUE as it may stand in a filter (RFC 4515). False: no memory. */
bool filter_escape(struct bytes value, struct buffer *out);

/* The key, or the part of it, that VALUE has for KEY. False: none. */
bool filter_key_cut(const struct filter_key *key, struct bytes value, struct bytes *out_part);

#endif
