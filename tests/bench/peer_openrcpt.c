/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our own table, through the functions that the daemon and rcptmap call. Keys come as text here, as
 * they do for every peer, so cutting them at the `@` is part of the time.
 */
#include "walk.h"

#include <stdlib.h>

#include "mail/address.h"
#include "mail/fold.h"
#include "resolve/candidates.h"
#include "resolve/resolve.h"
#include "table/table.h"

enum { ARENA_LIMIT_BYTES = 64 * 1024 * 1024 };

struct ours {
	struct table *table;
	struct arena arena;
	struct resolve_limits limits;
	struct resolve_options options;
};

struct walk {
	struct ours *ours;
	uint64_t *sum;
	unsigned recipients;
};

static void *ours_open(const char *path)
{
	struct ours *ours = calloc(1, sizeof(*ours));
	struct error err;

	if (ours == NULL)
		text_fail(path, "no memory");
	ours->table = table_open(path, (uid_t)-1, false, &err);
	if (ours->table == NULL)
		text_fail(path, err.text);
	ours->limits = (struct resolve_limits){
		.expansion = WALK_RECIPIENTS_MAX,
		.recursion = WALK_RECIPIENTS_MAX,
		.address_bytes = 1000,
	};
	ours->options.limits = &ours->limits;
	arena_init(&ours->arena, ARENA_LIMIT_BYTES);
	return ours;
}

static void ours_close(void *handle)
{
	struct ours *ours = handle;

	arena_free(&ours->arena);
	table_close(ours->table);
	free(ours);
}

/* `user@domain`, `@domain` or a bare `user`. */
static bool look(const struct ours *ours, struct bytes key, struct table_entry *out_entry)
{
	size_t at = text_at_sign(key);
	struct bytes local = bytes_first(key, at);
	struct table_domain domain;
	struct bytes name = bytes_skip(key, at + 1);
	enum lookup outcome;

	if (local.size > 0)
		outcome = table_find_key(ours->table, name, local, &domain, out_entry);
	else if ((outcome = table_find_domain(ours->table, name, &domain)) == LOOKUP_FOUND)
		outcome = table_find_catch_all(ours->table, &domain, out_entry);
	if (outcome == LOOKUP_BROKEN)
		text_fail("openrcpt", "the table is broken");
	return outcome == LOOKUP_FOUND;
}

static bool ours_find(void *handle, struct bytes key, uint64_t *sum)
{
	struct table_entry entry;

	if (!look(handle, key, &entry))
		return false;
	*sum += (unsigned char)entry.targets.data[0];
	return true;
}

/* Many keys, as rcptmap asks for the lines of its input. */
static size_t ours_find_many(void *handle, const struct bytes *keys, size_t count, uint64_t *sum)
{
	const struct ours *ours = handle;
	struct question {
		struct table_domain domain;
		struct bytes local;
		bool is_known;
	} questions[PEER_BATCH];
	struct table_entry entry;
	size_t hits = 0;

	for (size_t i = 0; i < count; i++) {
		struct question *question = &questions[i];
		size_t at = text_at_sign(keys[i]);

		question->local = bytes_first(keys[i], at);
		question->is_known =
			table_find_domain_for(ours->table, bytes_skip(keys[i], at + 1),
					      question->local, &question->domain) == LOOKUP_FOUND;
	}
	for (size_t i = 0; i < count; i++)
		if (questions[i].is_known && questions[i].local.size > 0)
			table_prefetch_entry(ours->table, questions[i].domain.hash,
					     questions[i].local);
	for (size_t i = 0; i < count; i++) {
		const struct question *question = &questions[i];

		if (!question->is_known)
			continue;
		if ((question->local.size > 0
			     ? table_find(ours->table, &question->domain, question->local, &entry)
			     : table_find_catch_all(ours->table, &question->domain, &entry)) !=
		    LOOKUP_FOUND)
			continue;
		*sum += (unsigned char)entry.targets.data[0];
		hits++;
	}
	return hits;
}

static uint64_t weigh(struct bytes local, struct bytes domain)
{
	return peer_weigh(local.size > 0 ? local.data[0] : '@', domain.data[domain.size - 1],
			  local.size + 1 + domain.size);
}

static void weigh_targets(const struct ours *ours, const struct table_entry *entry, uint64_t *sum)
{
	struct table_target_cursor cursor;
	struct table_target target;
	enum lookup outcome;

	table_targets_begin(entry, &cursor);
	while ((outcome = table_next_target(ours->table, &cursor, &target)) == LOOKUP_FOUND)
		*sum += weigh(target.local, target.domain.name);
	if (outcome == LOOKUP_BROKEN)
		text_fail("openrcpt", "targets are broken");
}

static bool ours_find_all(void *handle, struct bytes key, uint64_t *sum)
{
	struct table_entry entry;

	if (!look(handle, key, &entry))
		return false;
	weigh_targets(handle, &entry, sum);
	return true;
}

static bool find_candidate(struct ours *ours, struct bytes local, const struct table_domain *domain,
			   struct table_entry *out_entry, struct candidate_hit *out_hit)
{
	const struct candidate candidate = {
		.local = local,
		.domain = domain,
		.written = { .local = local, .domain = domain->name },
	};
	const struct inquiry inquiry = { ours->table, &ours->options, &ours->arena, NULL };

	switch (candidates_find(&inquiry, &candidate, out_entry, out_hit)) {
	case CANDIDATE_FOUND:
		return true;
	case CANDIDATE_ABSENT:
		return false;
	case CANDIDATE_BROKEN:
	case CANDIDATE_NO_MEMORY:
	case CANDIDATE_GAVE_UP:
	case CANDIDATE_UNSAFE:
		break;
	}
	text_fail("openrcpt", "a broken table, or an unsafe pattern");
}

/* As resolve() does. Absent: no flags. */
static void find_domain(const struct ours *ours, struct bytes local, struct table_domain *domain)
{
	size_t plus = bytes_index(local, '+');

	(void)table_find_domain_for(ours->table, domain->name,
				    plus > 0 ? bytes_first(local, plus) : local, domain);
}

static bool ours_ask(void *handle, struct bytes address, uint64_t *sum)
{
	struct ours *ours = handle;
	size_t at = text_at_sign(address);
	struct table_domain domain = { .name = bytes_skip(address, at + 1) };
	struct table_entry entry;
	struct candidate_hit hit;

	find_domain(ours, bytes_first(address, at), &domain);
	if (!candidates_exist(ours->table, &domain) ||
	    !find_candidate(ours, bytes_first(address, at), &domain, &entry, &hit))
		return false;
	if (entry.pattern_value.size > 0)
		*sum += (unsigned char)entry.pattern_value.data[0];
	weigh_targets(ours, &entry, sum);
	arena_clear(&ours->arena);
	return true;
}

/* ---- expansion -------------------------------------------------------------------------- */

static void expand(struct walk *walk, struct bytes local, const struct table_domain *domain,
		   unsigned depth);

static struct bytes join(struct ours *ours, struct bytes a, struct bytes b)
{
	char *joined = arena_alloc(&ours->arena, a.size + b.size);

	if (joined == NULL)
		text_fail("openrcpt", "no memory");
	memcpy(joined, a.data, a.size);
	memcpy(joined + a.size, b.data, b.size);
	return bytes_make(joined, a.size + b.size);
}

static void count(struct walk *walk, struct bytes local, struct bytes domain)
{
	*walk->sum += weigh(local, domain);
	walk->recipients++;
}

static void follow(struct walk *walk, struct bytes local, const struct table_domain *domain,
		   const struct table_target *target, struct bytes extension, unsigned depth)
{
	struct bytes next = target->keeps_user ? local : target->local;
	struct bytes key;

	if (extension.size > 0 && !target->keeps_user)
		next = join(walk->ours, next, extension);
	if (target->domain.ref == domain->ref && bytes_equal(next, local)) {
		count(walk, next, target->domain.name);
		return;
	}
	if (fold_local(next, &walk->ours->arena, &key) != FOLD_OK)
		text_fail("openrcpt", "a target can't be folded");
	expand(walk, key, &target->domain, depth + 1);
}

static void expand(struct walk *walk, struct bytes local, const struct table_domain *domain,
		   unsigned depth)
{
	struct table_target_cursor cursor;
	struct table_target target;
	struct table_entry entry;
	struct candidate_hit hit;
	struct bytes extension = { .data = NULL };

	if (depth == WALK_DEPTH_MAX || walk->recipients >= WALK_RECIPIENTS_MAX)
		return;
	if ((domain->flags & TABLE_DOMAIN_PROBED) == 0 ||
	    !find_candidate(walk->ours, local, domain, &entry, &hit)) {
		count(walk, local, domain->name);
		return;
	}
	if (hit.strips_extension)
		extension = bytes_skip(local, bytes_index(local, '+'));
	table_targets_begin(&entry, &cursor);
	while (table_next_target(walk->ours->table, &cursor, &target) == LOOKUP_FOUND)
		follow(walk, local, domain, &target, extension, depth);
}

static unsigned ours_expand(void *handle, struct bytes address, uint64_t *sum)
{
	struct ours *ours = handle;
	struct walk walk = { .ours = ours, .sum = sum };
	size_t at = text_at_sign(address);
	struct table_domain domain = { .name = bytes_skip(address, at + 1) };

	find_domain(ours, bytes_first(address, at), &domain);
	expand(&walk, bytes_first(address, at), &domain, 0);
	arena_clear(&ours->arena);
	return walk.recipients;
}

/* What the daemon does for RCPT: parse, fold, expand, each recipient once. */
static unsigned ours_resolve(void *handle, struct bytes address, uint64_t *sum)
{
	struct ours *ours = handle;
	struct resolution resolution;

	resolve(ours->table, &ours->options, address, &ours->arena, NULL, &resolution);
	for (size_t i = 0; i < resolution.recipient_count; i++)
		*sum += weigh(resolution.recipients[i].address.local,
			      resolution.recipients[i].address.domain);
	*sum += resolution.verdict;
	arena_clear(&ours->arena);
	return (unsigned)resolution.recipient_count;
}

const struct peer peer_openrcpt = {
	.name = "openrcpt",
	.suffix = "table",
	.open = ours_open,
	.close = ours_close,
	.find = ours_find,
	.find_many = ours_find_many,
	.find_all = ours_find_all,
	.ask = ours_ask,
	.expand = ours_expand,
	.resolve = ours_resolve,
};
