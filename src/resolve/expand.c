/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How Postfix counts (measured on 3.7 and 3.11), so that the same table meets the same limits:
 *
 * - recursion N allows N-1 hops along *first* targets; the others begin anew. An address known to
 *   map to itself is not asked again and so not counted.
 * - expansion N is the number of final addresses with all repetitions; one that maps to itself
 *   counts with its whole expansion once, then as one.
 *
 * Both depend on the address only, not on the way to it, so that they can be remembered with it.
 */
#include "resolve/expand.h"

#include "mail/fold.h"
#include "resolve/seen.h"
#include "table/patterns.h"

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
	struct child *children;
	size_t child_count;
	size_t next;
	size_t depth; /* hops along first targets to here */
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

static bool fail(struct walk *walk, enum reason reason)
{
	walk->result.reason = reason;
	return false;
}

/* ---- targets to children ---------------------------------------------------------------- */

/* Is LOCAL at DOMAIN within the limit? */
static bool check_length(struct walk *walk, struct bytes local, struct bytes domain)
{
	size_t limit = walk->limits->address_bytes;
	size_t shown = domain.size;

	if (local.size + 1 + domain.size <= limit)
		return true;
	if (!fold_domain_shown_bytes(domain, &shown))
		return fail(walk, REASON_MEMORY);
	return local.size + 1 + shown <= limit || fail(walk, REASON_LIMIT);
}

/* The child LOCAL at DOMAIN, with EXTENSION passed on. */
static bool make_child(struct walk *walk, struct bytes local, const struct table_domain *domain,
		       struct bytes extension, struct child *out_child)
{
	const struct bytes parts[] = { local, extension };

	if (extension.size > 0 && !arena_join(walk->arena, parts, 2, &local))
		return fail(walk, REASON_MEMORY);
	if (!check_length(walk, local, domain->name))
		return false;
	*out_child = (struct child){ .local = local, .domain = *domain };
	switch (fold_local(local, walk->arena, &out_child->key)) {
	case FOLD_OK:
		return true;
	case FOLD_INVALID:
		/* Targets and extensions are made of what keys may have: it can only be too long.
		 */
		return fail(walk, REASON_LIMIT);
	case FOLD_NO_MEMORY:
		break;
	}
	return fail(walk, REASON_MEMORY);
}

static bool is_node(const struct child *child, const struct seen *seen)
{
	return bytes_equal(child->key, seen->key) && bytes_equal(child->domain.name, seen->domain);
}

static bool grow_children(struct walk *walk, struct node *node, size_t *room)
{
	size_t more = *room == 0 ? 2 : *room * 4;
	struct child *children = arena_alloc(walk->arena, more * sizeof(*children));

	if (children == NULL)
		return fail(walk, REASON_MEMORY);
	if (node->child_count > 0)
		memcpy(children, node->children, node->child_count * sizeof(*children));
	node->children = children;
	*room = more;
	return true;
}

/* One more child of NODE. */
static bool add_child(struct walk *walk, struct node *node, size_t *room, struct bytes local,
		      const struct table_domain *domain, struct bytes extension)
{
	struct child *child;

	if (node->child_count == *room && !grow_children(walk, node, room))
		return false;
	child = &node->children[node->child_count];
	if (!make_child(walk, local, domain, extension, child))
		return false;
	child->is_self = is_node(child, node->seen);
	node->seen->maps_to_itself |= child->is_self;
	/* It will be asked for when its turn comes. */
	if ((domain->flags & TABLE_DOMAIN_PROBED) != 0 && !child->is_self)
		table_prefetch(walk->table, domain->hash, child->key);
	node->child_count++;
	return node->child_count <= walk->limits->expansion || fail(walk, REASON_LIMIT);
}

/* All targets first, so that "maps to itself" is known before the first of them is followed. */
static bool make_children(struct walk *walk, struct node *node, struct bytes user,
			  struct bytes extension)
{
	struct table_target_cursor cursor;
	struct table_target target;
	enum lookup outcome;
	size_t room = 0;

	table_targets_begin(node->entry, &cursor);
	while ((outcome = table_next_target(walk->table, &cursor, &target)) == LOOKUP_FOUND)
		if (!add_child(walk, node, &room, target.keeps_user ? user : target.local,
			       &target.domain, extension))
			return false;
	return outcome == LOOKUP_ABSENT || fail(walk, REASON_BROKEN);
}

/* ---- what a pattern made ---------------------------------------------------------------- */

/* Complete, fold and find the domain of an address that stands in no table. */
static bool find_domain(struct walk *walk, struct bytes name, struct table_domain *out_domain)
{
	const struct table_rules *rules = table_rules(walk->table);
	struct table_domain domain = { .flags = 0 };
	struct bytes key;

	if (!address_complete_domain(name, rules->origin, rules->dot_domain, walk->arena, &name))
		return fail(walk, REASON_MEMORY);
	switch (fold_domain(name, walk->arena, &key)) {
	case FOLD_NO_MEMORY:
		return fail(walk, REASON_MEMORY);
	case FOLD_INVALID:
		return fail(walk, REASON_BAD_ADDRESS);
	case FOLD_OK:
		break;
	}
	domain.name = key;
	if (table_find_domain(walk->table, key, &domain) == LOOKUP_BROKEN)
		return fail(walk, REASON_BROKEN);
	*out_domain = domain;
	return true;
}

/* Read the right-hand side of a pattern. What was substituted may not route anywhere. */
static bool make_pattern_children(struct walk *walk, struct node *node, struct bytes user)
{
	struct bytes rest = node->entry->pattern_value;
	struct address_target target;
	enum address_list_step outcome;
	size_t room = 0;

	while ((outcome = address_list_next(&rest, walk->arena, &target, NULL)) ==
	       ADDRESS_LIST_TARGET) {
		struct table_domain domain;

		if (!find_domain(walk, target.address.domain, &domain))
			return false;
		if (address_has_routing(&target.address))
			return fail(walk, REASON_BAD_ADDRESS);
		if (!add_child(walk, node, &room, target.keeps_user ? user : target.address.local,
			       &domain, bytes_make(NULL, 0)))
			return false;
	}
	if (outcome == ADDRESS_LIST_NO_MEMORY)
		return fail(walk, REASON_MEMORY);
	/* A list of nobody is no answer. */
	if (outcome == ADDRESS_LIST_END && node->child_count == 0)
		return fail(walk, REASON_BROKEN);
	/* The template was checked: the address put something into it that is no address. */
	return outcome == ADDRESS_LIST_END || fail(walk, REASON_BAD_ADDRESS);
}

/* ---- the walk --------------------------------------------------------------------------- */

/* Begin to expand the address SEEN: it becomes walk->node. */
static bool enter(struct walk *walk, struct seen *seen, struct bytes local,
		  const struct table_entry *entry, const struct candidate_hit *hit, size_t depth)
{
	struct node *node = arena_alloc(walk->arena, sizeof(*node));
	struct bytes user = local;
	struct bytes extension = { .data = NULL };
	const struct table_rules *rules = table_rules(walk->table);

	if (node == NULL)
		return fail(walk, REASON_MEMORY);
	if (hit->strips_extension)
		(void)address_split_extension(local, rules->delimiters, &user, &extension);
	if (!rules->propagates_extension)
		extension = bytes_make(NULL, 0);
	*node = (struct node){
		.parent = walk->node,
		.seen = seen,
		.entry = entry,
		.depth = depth,
	};
	seen->is_open = true;
	walk->node = node;
	return entry->pattern_value.size > 0 ? make_pattern_children(walk, node, local)
					     : make_children(walk, node, user, extension);
}

/* Count what a target came to for the address it stands under. */
static void account(struct walk *walk, bool is_first, size_t count, size_t height)
{
	struct seen *seen = walk->node->seen;

	seen->count += count;
	if (is_first)
		seen->height = height;
}

static bool leave(struct walk *walk)
{
	struct node *node = walk->node;

	node->seen->is_open = false;
	walk->node = node->parent;
	if (walk->node != NULL)
		account(walk, walk->node->next == 1, node->seen->count, node->seen->height + 1);
	return true;
}

static bool add_recipient(struct walk *walk, const struct child *child)
{
	struct expansion *result = &walk->result;

	if (result->recipient_count == walk->room) {
		size_t room = walk->room == 0 ? 2 : walk->room * 4;
		struct recipient *recipients = arena_alloc(walk->arena, room * sizeof(*recipients));

		if (recipients == NULL)
			return fail(walk, REASON_MEMORY);
		if (walk->room > 0)
			memcpy(recipients, result->recipients, walk->room * sizeof(*recipients));
		result->recipients = recipients;
		walk->room = room;
	}
	result->recipients[result->recipient_count++] = (struct recipient){
		.address = { .local = child->local, .domain = child->domain.name },
		.key_local = child->key,
		.needs_smtputf8 = !bytes_are_ascii(child->local),
	};
	return true;
}

/* COUNT more recipients; the limit is on all of them. */
static bool count_recipients(struct walk *walk, size_t count)
{
	size_t limit = walk->limits->expansion;

	walk->total += count;
	return walk->total <= limit || fail(walk, REASON_LIMIT);
}

/* CHILD is final: a recipient, or nothing if it could only bounce. */
static bool settle(struct walk *walk, const struct child *child, bool is_dead, bool is_first)
{
	const struct resolve_options *options = walk->inquiry->options;
	struct address address = { .local = child->local, .domain = child->domain.name };

	if (!count_recipients(walk, 1))
		return false;
	account(walk, is_first, 1, 1);
	if (!is_dead)
		return add_recipient(walk, child);
	if (options->on_dead_end != NULL)
		options->on_dead_end(options->context, &address, walk->node->entry);
	return true;
}

/* The address itself among its targets: it stays, unless its domain has no mailboxes. */
static bool settle_self(struct walk *walk, const struct child *child, bool is_first)
{
	bool is_dead = (child->domain.flags & TABLE_DOMAIN_ALIAS) != 0;

	if (!settle(walk, child, is_dead, is_first))
		return false;
	if (is_first)
		walk->node->seen->height = 0; /* Postfix doesn't ask it again */
	return true;
}

/*
 * SEEN is being expanded, and is met again on the way. Does the circle end all the same? Where an
 * address on it maps to itself Postfix goes no further there (measured).
 */
static bool ends_on_the_way(const struct walk *walk, const struct seen *seen)
{
	for (const struct node *node = walk->node; node != NULL && node->seen != seen;
	     node = node->parent)
		if (node->seen->maps_to_itself)
			return true;
	return false;
}

/* An address met before. */
static bool repeat(struct walk *walk, const struct seen *seen, bool is_first, size_t depth)
{
	if (seen->maps_to_itself) {
		account(walk, is_first, 1, 0);
		return count_recipients(walk, 1);
	}
	if (seen->is_open && !ends_on_the_way(walk, seen))
		return fail(walk, REASON_LOOP);
	if (seen->is_open) {
		account(walk, is_first, 1, 0);
		return count_recipients(walk, 1);
	}
	if (depth + seen->height >= walk->limits->recursion)
		return fail(walk, REASON_LIMIT);
	account(walk, is_first, seen->count, seen->height + 1);
	return count_recipients(walk, seen->count);
}

/* An `error:` or `discard:` entry as a target: the mail goes nowhere from there. */
static bool settle_special(struct walk *walk, struct seen *seen, const struct table_entry *entry,
			   bool is_first)
{
	seen->count = 1;
	if (entry->kind == TABLE_ENTRY_DISCARD)
		walk->result.is_discarded = true;
	else if (walk->result.reply.size == 0)
		walk->result.reply = entry->reply;
	account(walk, is_first, 1, 1);
	return count_recipients(walk, 1);
}

/* An address met for the first time. */
static bool visit(struct walk *walk, const struct child *child, struct seen *seen, bool is_first,
		  size_t depth)
{
	struct candidate candidate = {
		.local = child->key,
		.domain = &child->domain,
		.written = { .local = child->local, .domain = child->domain.name },
	};
	struct table_entry *entry = NULL;
	struct candidate_hit hit;
	enum candidate_outcome outcome = CANDIDATE_ABSENT;

	/* The recipient itself is among those seen. */
	if (depth >= walk->limits->recursion || walk->seen.count - 1 > RESOLVE_ADDRESSES_MAX)
		return fail(walk, REASON_LIMIT);
	/* A pattern that is meant for it has letters, not the code that the table has for them. */
	if (table_has_patterns(walk->table) &&
	    !fold_domain_show(child->domain.name, walk->arena, &candidate.written.domain))
		return fail(walk, REASON_MEMORY);
	if (candidates_exist(walk->table, &child->domain)) {
		entry = arena_alloc(walk->arena, sizeof(*entry));
		if (entry == NULL)
			return fail(walk, REASON_MEMORY);
		outcome = candidates_find(walk->inquiry, &candidate, entry, &hit);
	}
	switch (outcome) {
	case CANDIDATE_BROKEN:
		return fail(walk, REASON_BROKEN);
	case CANDIDATE_NO_MEMORY:
		return fail(walk, REASON_MEMORY);
	case CANDIDATE_UNSAFE:
		return fail(walk, REASON_BAD_ADDRESS);
	case CANDIDATE_ABSENT:
		seen->count = 1;
		return settle(walk, child, (child->domain.flags & TABLE_DOMAIN_OURS) != 0,
			      is_first);
	case CANDIDATE_FOUND:
		break;
	}
	if (entry->kind != TABLE_ENTRY_TARGETS)
		return settle_special(walk, seen, entry, is_first);
	return enter(walk, seen, child->local, entry, &hit, depth);
}

/* Follow the next target of walk->node. */
static bool step(struct walk *walk)
{
	struct node *node = walk->node;
	const struct child *child = &node->children[node->next++];
	bool is_first = node->next == 1;
	size_t depth = is_first ? node->depth + 1 : 0;
	bool is_new;
	struct seen *seen;

	if (child->is_self) {
		if (node->seen->has_stayed)
			return repeat(walk, node->seen, is_first, depth);
		node->seen->has_stayed = true;
		return settle_self(walk, child, is_first);
	}
	seen = seen_add(&walk->seen, child->key, child->domain.name, &is_new);
	if (seen == NULL)
		return fail(walk, REASON_MEMORY);
	if (!is_new)
		return repeat(walk, seen, is_first, depth);
	return visit(walk, child, seen, is_first, depth);
}

void expand(const struct inquiry *inquiry, const struct candidate *from,
	    const struct table_entry *entry, const struct candidate_hit *hit,
	    struct expansion *out_expansion)
{
	struct walk walk = {
		.inquiry = inquiry,
		.table = inquiry->table,
		.limits = inquiry->options->limits,
		.arena = inquiry->arena,
	};
	bool is_new;
	bool goes_on;
	struct seen *seen;

	seen_init(&walk.seen, walk.arena, table_seed(walk.table));
	seen = seen_add(&walk.seen, from->local, from->domain->name, &is_new);
	goes_on = seen == NULL ? fail(&walk, REASON_MEMORY)
			       : enter(&walk, seen, from->written.local, entry, hit, 0);
	while (goes_on && walk.node != NULL)
		goes_on = walk.node->next < walk.node->child_count ? step(&walk) : leave(&walk);
	*out_expansion = walk.result;
}
