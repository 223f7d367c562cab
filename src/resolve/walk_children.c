/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_children - the targets of one address, completed and folded.
 */
#include "resolve/walk.h"

#include "mail/fold.h"

/* ---- targets to children ---------------------------------------------------------------- */

/* Is LOCAL at DOMAIN within the limit? */
static bool check_length(struct walk *walk, struct bytes local, struct bytes domain)
{
	size_t limit = walk->limits->address_bytes;
	size_t shown = domain.size;

	if (local.size + 1 + domain.size <= limit)
		return true;
	if (!fold_domain_shown_bytes(domain, &shown))
		return walk_fail(walk, REASON_MEMORY);
	return local.size + 1 + shown <= limit ||
	       walk_exceed(walk, LIMIT_ADDRESS_BYTES, local.size + 1 + shown, limit);
}

/* The child LOCAL at DOMAIN, with EXTENSION passed on. */
static bool make_child(struct walk *walk, struct bytes local, const struct table_domain *domain,
		       struct bytes extension, struct child *out_child)
{
	const struct bytes parts[] = { local, extension };

	if (extension.size > 0 && !arena_join(walk->arena, parts, 2, &local))
		return walk_fail(walk, REASON_MEMORY);
	if (!check_length(walk, local, domain->name))
		return false;
	*out_child = (struct child){ .local = local, .domain = *domain };
	switch (fold_local(local, walk->arena, &out_child->key)) {
	case FOLD_OK:
		return true;
	case FOLD_INVALID:
		/* Targets and extensions are made of what keys may have: it can only be too long.
		 */
		return walk_exceed(walk, LIMIT_KEY_BYTES, FOLD_KEY_BYTES_MAX + 1,
				   FOLD_KEY_BYTES_MAX);
	case FOLD_NO_MEMORY:
		break;
	}
	return walk_fail(walk, REASON_MEMORY);
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
		return walk_fail(walk, REASON_MEMORY);
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
	return node->child_count <= walk->limits->expansion ||
	       walk_exceed(walk, LIMIT_EXPANSION, node->child_count, walk->limits->expansion);
}

/* Too many targets: how many there are is worth telling. */
static bool count_rest(struct walk *walk, struct table_target_cursor *cursor)
{
	struct reason_detail *detail = &walk->result.detail;
	struct table_target target;

	if (walk->result.reason == REASON_LIMIT && detail->limit == LIMIT_EXPANSION)
		while (table_next_target(walk->table, cursor, &target) == LOOKUP_FOUND)
			detail->found++;
	return false;
}

bool walk_children(struct walk *walk, struct node *node, struct bytes user, struct bytes extension)
{
	struct table_target_cursor cursor;
	struct table_target target;
	enum lookup outcome;
	size_t room = 0;

	table_targets_begin(node->entry, &cursor);
	while ((outcome = table_next_target(walk->table, &cursor, &target)) == LOOKUP_FOUND)
		if (!add_child(walk, node, &room, target.keeps_user ? user : target.local,
			       &target.domain, extension))
			return count_rest(walk, &cursor);
	return outcome == LOOKUP_ABSENT || walk_fail(walk, REASON_BROKEN);
}

/* ---- what a pattern made ---------------------------------------------------------------- */

/* Complete, fold and find the domain of an address that stands in no table. False: there is a
 * reason, or without one it is no domain. */
static bool find_domain(struct walk *walk, struct bytes name, struct table_domain *out_domain)
{
	const struct table_rules *rules = table_rules(walk->table);
	struct table_domain domain = { .flags = 0 };
	struct bytes key;

	if (!address_complete_domain(name, rules->origin, rules->dot_domain, walk->arena, &name))
		return walk_fail(walk, REASON_MEMORY);
	switch (fold_domain(name, walk->arena, &key)) {
	case FOLD_NO_MEMORY:
		return walk_fail(walk, REASON_MEMORY);
	case FOLD_INVALID:
		return false;
	case FOLD_OK:
		break;
	}
	domain.name = key;
	if (table_find_domain(walk->table, key, &domain) == LOOKUP_BROKEN)
		return walk_fail(walk, REASON_BROKEN);
	*out_domain = domain;
	return true;
}

void walk_spoil(struct walk *walk, const struct address *target, const struct table_entry *entry)
{
	const struct resolve_options *options = walk->inquiry->options;

	if (!walk->result.is_spoiled)
		walk->result.detail = (struct reason_detail){ .place = entry->place };
	walk->result.is_spoiled = true;
	if (options->on_spoiled != NULL)
		options->on_spoiled(options->context, target, entry);
}

/* What NODE's pattern made is no list of addresses: a mistake of the table, or a circle. */
static bool spoil_node(struct walk *walk, struct node *node)
{
	const struct address target = { .local = node->local, .domain = node->seen->domain };

	if (walk_is_growing(node))
		return walk_fail_growing(walk, node);
	node->child_count = 0;
	node->seen->maps_to_itself = false;
	node->seen->count = 1;
	walk->result.is_root_spoiled |= node->parent == NULL;
	walk_spoil(walk, &target, node->entry);
	return true;
}

/* One more child of NODE. False: there is a reason, or without one it is no address. */
static bool add_made(struct walk *walk, struct node *node, size_t *room,
		     const struct address_target *target)
{
	struct table_domain domain;

	return find_domain(walk, target->address.domain, &domain) &&
	       !address_has_routing(&target->address) &&
	       add_child(walk, node, room, target->keeps_user ? node->local : target->address.local,
			 &domain, bytes_make(NULL, 0));
}

bool walk_pattern_children(struct walk *walk, struct node *node)
{
	struct bytes rest = node->entry->pattern_value;
	struct address_target target;
	enum address_list_step outcome;
	size_t room = 0;

	while ((outcome = address_list_next(&rest, walk->arena, &target, NULL)) ==
	       ADDRESS_LIST_TARGET) {
		if (add_made(walk, node, &room, &target))
			continue;
		if (walk->result.reason == REASON_LIMIT && walk_is_growing(node))
			return walk_fail_growing(walk, node);
		return walk->result.reason == REASON_NONE && spoil_node(walk, node);
	}
	if (outcome == ADDRESS_LIST_NO_MEMORY)
		return walk_fail(walk, REASON_MEMORY);
	/* The template was checked: the address put something into it that is no address. */
	if (outcome == ADDRESS_LIST_ERROR || node->child_count == 0)
		return spoil_node(walk, node);
	return true;
}
