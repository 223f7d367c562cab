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
#include "resolve/walk.h"
#include "table/patterns.h"

/* Begin to expand the address SEEN: it becomes walk->node. */
static bool enter(struct walk *walk, struct seen *seen, struct bytes local,
		  const struct table_entry *entry, const struct candidate_hit *hit, size_t depth)
{
	struct node *node = arena_alloc(walk->arena, sizeof(*node));
	struct bytes user = local;
	struct bytes extension = { .data = NULL };
	const struct table_rules *rules = table_rules(walk->table);

	if (node == NULL)
		return walk_fail(walk, REASON_MEMORY);
	if (hit->strips_extension)
		(void)address_split_extension(local, rules->delimiters, &user, &extension);
	if (!rules->propagates_extension)
		extension = bytes_make(NULL, 0);
	*node = (struct node){
		.parent = walk->node,
		.seen = seen,
		.entry = entry,
		.local = local,
		.depth = depth,
	};
	seen->is_open = true;
	walk->node = node;
	return entry->pattern_value.size > 0 ? walk_pattern_children(walk, node)
					     : walk_children(walk, node, user, extension);
}

/* Count what a target came to for the address it stands under. */
static void account(struct walk *walk, bool is_first, size_t count, size_t height)
{
	struct seen *seen = walk->node->seen;

	seen->count += count;
	if (is_first)
		seen->height = height;
}

static size_t at_most(size_t limit, size_t value)
{
	return value < limit ? value : limit;
}

/* The same for who wants to know how far it leads: as far as the target, and a hop more. */
static void account_reach(struct walk *walk, bool is_first, const struct reach *reach)
{
	struct reach *sum = &walk->node->seen->reach;

	sum->count = at_most(REACH_MAX, sum->count + reach->count);
	sum->addresses = at_most(REACH_MAX, sum->addresses + reach->addresses + 1);
	if (is_first)
		sum->height = at_most(REACH_HEIGHT_MAX, reach->height + 1);
}

/* Tell who wants to know how far NODE leads. False: further than is allowed. */
static bool tell_of_reach(struct walk *walk, const struct node *node)
{
	const struct known_entries *known = walk->inquiry->options->known;

	if (known == NULL || node->seen->is_circular)
		return true;
	if (!known->is_allowed(known->context, &node->seen->reach)) {
		walk->result.leads_to_fault = true;
		return walk_fail(walk, REASON_LIMIT);
	}
	/* Whoever leads to a target that is no address is told so with its own line. */
	if (node->is_own && !walk->result.is_spoiled)
		known->add(known->context, node->entry, &node->seen->reach);
	return true;
}

static bool leave(struct walk *walk)
{
	struct node *node = walk->node;

	if (!tell_of_reach(walk, node))
		return false;
	node->seen->is_open = false;
	walk->node = node->parent;
	if (walk->node == NULL)
		return true;
	/* What is remembered is for the next time, and then Postfix doesn't ask it again. */
	if (node->seen->maps_to_itself)
		account(walk, walk->node->next == 1, 1, 0);
	else
		account(walk, walk->node->next == 1, node->seen->count, node->seen->height + 1);
	account_reach(walk, walk->node->next == 1, &node->seen->reach);
	walk->node->seen->is_circular |= node->seen->is_circular;
	return true;
}

/*
 * The walk has failed. All on the way here lead to a fault. If it only was too long, that holds for
 * those from which a chain of first targets has come too far.
 */
static void tell_of_fault(const struct walk *walk)
{
	const struct known_entries *known = walk->inquiry->options->known;
	bool leads_there = walk->result.reason == REASON_LOOP || walk->result.leads_to_fault;

	for (const struct node *node = walk->node; node != NULL; node = node->parent) {
		leads_there |= walk->node->depth - node->depth > known->height_max;
		if (leads_there && node->is_own)
			known->add_fault(known->context, node->entry);
		if (!leads_there && node->depth == 0)
			return;
	}
}

static bool add_recipient(struct walk *walk, const struct child *child)
{
	struct expansion *result = &walk->result;

	if (result->recipient_count == walk->room) {
		size_t room = walk->room == 0 ? 2 : walk->room * 4;
		struct recipient *recipients = arena_alloc(walk->arena, room * sizeof(*recipients));

		if (recipients == NULL)
			return walk_fail(walk, REASON_MEMORY);
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
	return walk->total <= limit || walk_exceed(walk, LIMIT_EXPANSION, walk->total, limit);
}

/* N levels allow N - 1 hops. */
static bool check_depth(struct walk *walk, size_t hops)
{
	size_t limit = walk->limits->recursion;

	if (hops < limit)
		return true;
	if (walk_is_growing(walk->node))
		return walk_fail_growing(walk, walk->node);
	return walk_exceed(walk, LIMIT_RECURSION, hops + 1, limit);
}

/* Where a recipient leads to: nowhere else. */
static const struct reach no_further = { .count = 1 };

/* Tell that the target LOCAL@DOMAIN of walk->node could only bounce. */
static void tell_of_dead_end(const struct walk *walk, struct bytes local, struct bytes domain)
{
	const struct resolve_options *options = walk->inquiry->options;
	const struct address address = { .local = local, .domain = domain };

	walk->node->seen->reach.names_dead_end = true;
	if (options->on_dead_end != NULL)
		options->on_dead_end(options->context, &address, walk->node->entry);
}

/* CHILD is final: a recipient; if it could only bounce nothing, or in a lenient table a recipient
 * all the same, for it may be a mailbox that nobody told us of. */
static bool settle(struct walk *walk, const struct child *child, bool is_dead, bool is_first)
{
	if (!count_recipients(walk, 1))
		return false;
	account(walk, is_first, 1, 1);
	account_reach(walk, is_first, &no_further);
	if (is_dead)
		tell_of_dead_end(walk, child->local, child->domain.name);
	return (is_dead && !table_rules(walk->table)->keeps_dead_ends) ||
	       add_recipient(walk, child);
}

/* The address itself among its targets: it stays, unless its domain has no mailboxes. */
static bool settle_self(struct walk *walk, const struct child *child, bool is_first)
{
	bool is_dead = (child->domain.flags & TABLE_DOMAIN_ALIAS) != 0;

	if (!settle(walk, child, is_dead, is_first))
		return false;
	if (is_first) /* Postfix doesn't ask it again */
		walk->node->seen->height = walk->node->seen->reach.height = 0;
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

/* A rule that leads back is named; a row is told by the address. */
static bool fail_in_circle(struct walk *walk)
{
	const struct table_entry *entry = walk->node->entry;
	uint64_t place = entry->pattern_value.size > 0 ? entry->place : 0;

	walk->result.detail = (struct reason_detail){ .place = place };
	return walk_fail(walk, REASON_LOOP);
}

/* An address met before. */
static bool repeat(struct walk *walk, struct seen *seen, bool is_first, size_t depth)
{
	/* Met first under another that names it, too. */
	walk->node->seen->reach.names_dead_end |= seen->is_dead;
	if (seen->is_dead && walk->node->parent == NULL &&
	    seen->named_by != walk->node->entry->place) {
		seen->named_by = walk->node->entry->place;
		tell_of_dead_end(walk, seen->key, seen->domain);
	}
	account_reach(walk, is_first, seen == walk->node->seen ? &no_further : &seen->reach);
	walk->node->seen->is_circular |=
		seen->is_circular || (seen->is_open && seen != walk->node->seen);
	if (seen->maps_to_itself) {
		account(walk, is_first, 1, 0);
		return count_recipients(walk, 1);
	}
	if (seen->is_open && !ends_on_the_way(walk, seen))
		return fail_in_circle(walk);
	if (seen->is_open) {
		account(walk, is_first, 1, 0);
		return count_recipients(walk, 1);
	}
	if (!check_depth(walk, depth + seen->height))
		return false;
	account(walk, is_first, seen->count, seen->height + 1);
	return count_recipients(walk, seen->count);
}

/* An `error:` or `discard:` entry as a target: the mail goes nowhere from there. */
static bool settle_special(struct walk *walk, struct seen *seen, const struct table_entry *entry,
			   bool is_first)
{
	seen->count = 1;
	seen->reach = no_further;
	account_reach(walk, is_first, &no_further);
	if (entry->kind == TABLE_ENTRY_DISCARD)
		walk->result.is_discarded = true;
	else if (walk->result.reply.size == 0)
		walk->result.reply = entry->reply;
	account(walk, is_first, 1, 1);
	return count_recipients(walk, 1);
}

/* A target of which a pattern, in ENTRY, makes no address. */
static bool settle_spoiled(struct walk *walk, struct seen *seen, const struct child *child,
			   const struct table_entry *entry, bool is_first)
{
	const struct address target = { .local = child->local, .domain = child->domain.name };

	seen->count = 1;
	seen->reach = no_further;
	walk_spoil(walk, &target, entry);
	account(walk, is_first, 1, 1);
	account_reach(walk, is_first, &no_further);
	return count_recipients(walk, 1);
}

/* How CHILD is found; reasons are set already. */
enum found {
	FOUND_ENTRY,
	FOUND_NONE,
	FOUND_SPOILED, /* *out_entry has the place of the pattern that does it */
	FOUND_NOTHING_SURE,
};

static enum found fail_to_find(struct walk *walk, enum reason reason)
{
	(void)walk_fail(walk, reason); /* always false */
	return FOUND_NOTHING_SURE;
}

static enum found look_up(struct walk *walk, const struct child *child,
			  struct table_entry **out_entry, struct candidate_hit *out_hit)
{
	struct candidate candidate = {
		.local = child->key,
		.domain = &child->domain,
		.written = { .local = child->local, .domain = child->domain.name },
	};
	struct table_entry *entry;

	if (!candidates_exist(walk->table, &child->domain))
		return FOUND_NONE;
	/* A pattern that is meant for it has letters, not the code that the table has for them. */
	if (table_has_patterns(walk->table) &&
	    !fold_domain_show(child->domain.name, walk->arena, &candidate.written.domain))
		return fail_to_find(walk, REASON_MEMORY);
	entry = arena_alloc(walk->arena, sizeof(*entry));
	if (entry == NULL)
		return fail_to_find(walk, REASON_MEMORY);
	*out_entry = entry;
	switch (candidates_find(walk->inquiry, &candidate, entry, out_hit)) {
	case CANDIDATE_FOUND:
		return FOUND_ENTRY;
	case CANDIDATE_ABSENT:
		return FOUND_NONE;
	case CANDIDATE_NO_MEMORY:
		return fail_to_find(walk, REASON_MEMORY);
	case CANDIDATE_GAVE_UP:
		walk->result.detail = (struct reason_detail){ .place = entry->place };
		return fail_to_find(walk, REASON_PATTERN);
	case CANDIDATE_UNSAFE:
		return FOUND_SPOILED;
	case CANDIDATE_BROKEN:
		break;
	}
	return fail_to_find(walk, REASON_BROKEN);
}

/* Does ENTRY stand under the very address that was asked for, so that no other leads to it? */
static bool is_own(const struct table_entry *entry, const struct candidate_hit *hit,
		   const struct table_domain *domain)
{
	return !hit->is_catch_all && !hit->strips_extension && entry->pattern_value.size == 0 &&
	       entry->domain_ref == domain->ref;
}

/* How far SEEN leads is known: go on behind it. */
static bool pass_known(struct walk *walk, struct seen *seen, bool is_first)
{
	seen->count = seen->reach.count;
	seen->height = seen->reach.height;
	account(walk, is_first, seen->count, seen->height + 1);
	account_reach(walk, is_first, &seen->reach);
	return true;
}

/* An address met for the first time, once its entry is found. */
static bool visit_entry(struct walk *walk, const struct child *child, struct seen *seen,
			const struct table_entry *entry, const struct candidate_hit *hit,
			bool is_first, size_t depth)
{
	const struct known_entries *known = walk->inquiry->options->known;
	bool may_be_known = known != NULL && is_own(entry, hit, &child->domain);
	enum known what =
		may_be_known ? known->find(known->context, entry, &seen->reach) : KNOWN_NOTHING;

	if (what == KNOWN_FAULTY) {
		walk->result.leads_to_fault = true;
		return walk_fail(walk, REASON_LIMIT);
	}
	if (what == KNOWN_REACH)
		return pass_known(walk, seen, is_first);
	if (!enter(walk, seen, child->local, entry, hit, depth))
		return false;
	walk->node->is_own = may_be_known;
	return true;
}

/* An address met for the first time. */
static bool visit(struct walk *walk, const struct child *child, struct seen *seen, bool is_first,
		  size_t depth)
{
	/* The recipient itself is among those seen. */
	size_t others = walk->seen.count - 1;
	const struct known_entries *known = walk->inquiry->options->known;
	size_t allowed = known == NULL ? RESOLVE_ADDRESSES_MAX : known->addresses_max;
	struct table_entry *entry;
	struct candidate_hit hit;

	if (!check_depth(walk, depth))
		return false;
	if (others > allowed)
		return walk_exceed(walk, LIMIT_ADDRESSES, others, allowed);
	switch (look_up(walk, child, &entry, &hit)) {
	case FOUND_NOTHING_SURE:
		return false;
	case FOUND_NONE:
		seen->count = 1;
		seen->reach = no_further;
		seen->is_dead = (child->domain.flags & TABLE_DOMAIN_OURS) != 0;
		seen->named_by = walk->node->entry->place;
		return settle(walk, child, seen->is_dead, is_first);
	case FOUND_SPOILED:
		return settle_spoiled(walk, seen, child, entry, is_first);
	case FOUND_ENTRY:
		break;
	}
	if (entry->kind != TABLE_ENTRY_TARGETS)
		return settle_special(walk, seen, entry, is_first);
	return visit_entry(walk, child, seen, entry, &hit, is_first, depth);
}

/* LOCAL at DOMAIN has its turn. */
static void tell_of_turn(const struct walk *walk, struct bytes local, struct bytes key,
			 struct bytes domain, enum target_turn turn)
{
	const struct resolve_options *options = walk->inquiry->options;
	const struct address address = { .local = local, .domain = domain };
	size_t level = 0;

	if (options->on_target == NULL)
		return;
	for (const struct node *node = walk->node; node != NULL; node = node->parent)
		level++;
	options->on_target(options->context, level, &address, key, turn);
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
		tell_of_turn(walk, child->local, child->key, child->domain.name, TARGET_ITSELF);
		if (node->seen->has_stayed)
			return repeat(walk, node->seen, is_first, depth);
		node->seen->has_stayed = true;
		return settle_self(walk, child, is_first);
	}
	seen = seen_add(&walk->seen, child->key, child->domain.name, &is_new);
	if (seen == NULL)
		return walk_fail(walk, REASON_MEMORY);
	tell_of_turn(walk, child->local, child->key, child->domain.name,
		     is_new ? TARGET_NEW : TARGET_REPEATED);
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
	tell_of_turn(&walk, from->written.local, from->local, from->domain->name, TARGET_NEW);
	goes_on = seen == NULL ? walk_fail(&walk, REASON_MEMORY)
			       : enter(&walk, seen, from->written.local, entry, hit, 0);
	if (goes_on)
		walk.node->is_own =
			inquiry->options->known != NULL && is_own(entry, hit, from->domain);
	while (goes_on && walk.node != NULL)
		goes_on = walk.node->next < walk.node->child_count ? step(&walk) : leave(&walk);
	if (inquiry->options->known != NULL &&
	    (walk.result.reason == REASON_LOOP || walk.result.reason == REASON_LIMIT))
		tell_of_fault(&walk);
	walk.result.is_circular = seen != NULL && seen->is_circular;
	*out_expansion = walk.result;
}
