/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk - what the files of expand share among themselves: where an expansion is on its way.
 *
 * All of it lives in the arena of the inquiry. Functions that return bool set the reason when they
 * return false, and the walk is over.
 */
#ifndef RESOLVE_WALK_H
#define RESOLVE_WALK_H

#include "resolve/expand.h"
#include "resolve/seen.h"

/* One target of an address on the way. */
struct child {
	struct bytes local;
	struct bytes key;
	struct table_domain domain;
	bool is_self;
};

/* An address on the way from the recipient to where the walk is. */
struct node {
	struct node *parent;
	struct seen *seen;
	const struct table_entry *entry;
	struct bytes local; /* as written */
	struct child *children;
	size_t child_count;
	size_t next;
	size_t depth; /* hops along first targets to here */
	bool is_own;  /* its entry stands under its own key, and somebody wants to know of it */
};

struct walk {
	const struct inquiry *inquiry;
	const struct table *table;
	const struct resolve_limits *limits;
	struct arena *arena;
	struct seen_set seen;
	struct node *node;
	size_t total; /* recipients so far, as Postfix counts */
	size_t room;
	struct expansion result;
};

/* Always false. */
static inline bool walk_fail(struct walk *walk, enum reason reason)
{
	walk->result.reason = reason;
	return false;
}

/*
 * A rule stands on the way to NODE, and made what NODE's address comes from: is it NODE's own?
 * Then the address grows with each turn, and only a limit ends it.
 */
static inline bool walk_is_growing(const struct node *node)
{
	const struct node *above = node->parent;

	if (node->entry->pattern_value.size == 0)
		return false;
	while (above != NULL && above->entry->place != node->entry->place)
		above = above->parent;
	return above != NULL;
}

/* Always false. */
static inline bool walk_fail_growing(struct walk *walk, const struct node *node)
{
	walk->result.detail = (struct reason_detail){ .place = node->entry->place };
	return walk_fail(walk, REASON_LOOP);
}

/* FOUND of what LIMIT is about, or more. Always false. */
static inline bool walk_exceed(struct walk *walk, enum reason_limit limit, size_t found,
			       size_t allowed)
{
	walk->result.detail =
		(struct reason_detail){ .limit = limit, .found = found, .allowed = allowed };
	return walk_fail(walk, REASON_LIMIT);
}

/*
 * Fill the children of NODE from the targets of its entry; all of them first, so that "maps to
 * itself" is known before the first is followed. USER is for `@other`, EXTENSION is passed on.
 */
bool walk_children(struct walk *walk, struct node *node, struct bytes user, struct bytes extension);

/*
 * The same from the right-hand side that a pattern made. What was substituted may not route
 * anywhere. Where it is no list of addresses, NODE has no children, and the walk goes on without:
 * the result is spoiled.
 */
bool walk_pattern_children(struct walk *walk, struct node *node);

/* The pattern of ENTRY makes no address of TARGET: leave it out. */
void walk_spoil(struct walk *walk, const struct address *target, const struct table_entry *entry);

#endif
