/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/resolve.h"

#include <string.h>

#include "mail/fold.h"
#include "resolve/candidates.h"
#include "resolve/expand.h"

enum { HOPS_MAX = 16 }; /* `a%b%c@d`: followed so far to see whether it leads to us */

static const char *const verdict_names[VERDICTS] = {
	[VERDICT_FOREIGN] = "foreign", [VERDICT_DELIVER] = "deliver", [VERDICT_EXPAND] = "expand",
	[VERDICT_REFUSED] = "refused", [VERDICT_UNKNOWN] = "unknown", [VERDICT_DEFER] = "defer",
	[VERDICT_DISCARD] = "discard",
};

const char *resolve_verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

static void end_with(struct resolution *resolution, enum verdict verdict, enum reason reason)
{
	resolution->verdict = verdict;
	resolution->reason = reason;
}

/* ---- sender-specified routing ----------------------------------------------------------- */

/* What will be asked for first, most likely. LOCAL isn't folded yet, but most come folded. */
static struct bytes likely_key(const struct table *table, struct bytes local)
{
	struct bytes user = local;
	struct bytes extension;

	(void)address_split_extension(local, table_rules(table)->delimiters, &user, &extension);
	return user;
}

/*
 * Letters that make no domain of IDNA 2008, such as an emoji, make none of ours: keys are checked
 * for that, and MTAs that compare letter by letter can't take it for one either. Whatever an MTA
 * makes of other things, it must not become a way around us.
 */
static bool is_foreign_for_sure(struct bytes name)
{
	return !bytes_are_ascii(name) && fold_accepts(name);
}

/* The domain NAME as written: ours, local, or neither; LOCAL is in it. False: verdict is set. */
static bool look_at_domain(const struct inquiry *inquiry, struct bytes name, struct bytes local,
			   struct table_domain *out_domain, struct resolution *resolution)
{
	const struct table *table = inquiry->table;
	struct bytes key;
	struct table_domain domain = { .flags = 0 };

	switch (fold_domain(name, inquiry->arena, &key)) {
	case FOLD_INVALID:
		if (is_foreign_for_sure(name)) {
			key = name;
			break;
		}
		end_with(resolution, VERDICT_REFUSED, REASON_BAD_ADDRESS);
		return false;
	case FOLD_NO_MEMORY:
		end_with(resolution, VERDICT_DEFER, REASON_MEMORY);
		return false;
	case FOLD_OK:
		break;
	}
	domain.name = key;
	if (table_find_domain_for(table, key, likely_key(table, local), &domain) == LOOKUP_BROKEN) {
		end_with(resolution, VERDICT_DEFER, REASON_BROKEN);
		return false;
	}
	if (bytes_equal(key, table_rules(table)->origin))
		domain.flags |= TABLE_DOMAIN_LOCAL;
	*out_domain = domain;
	return true;
}

/*
 * Would the MTA follow the `@`, `%` or `!` in this local part to one of our domains? It strips
 * domains that are local to it. Sets the verdict where the answer isn't no.
 */
static bool routes_elsewhere(const struct inquiry *inquiry, const struct address *address,
			     const struct table_domain *domain, struct resolution *resolution)
{
	struct address hop = *address;
	struct table_domain at = *domain;

	for (int hops = 0; hops < HOPS_MAX; hops++) {
		if (!address_has_routing(&hop))
			return true;
		if ((at.flags & TABLE_DOMAIN_OURS) != 0)
			break;
		if ((at.flags & TABLE_DOMAIN_LOCAL) == 0 || !address_next_hop(&hop, &hop))
			return true;
		if (!look_at_domain(inquiry, hop.domain, hop.local, &at, resolution))
			return false;
		if ((at.flags & TABLE_DOMAIN_OURS) != 0)
			break;
	}
	end_with(resolution, VERDICT_REFUSED, REASON_ROUTING);
	return false;
}

/* ---- the answer ------------------------------------------------------------------------- */

static bool is_only_itself(const struct resolution *resolution, const struct candidate *candidate)
{
	return resolution->recipient_count == 1 &&
	       bytes_equal(resolution->recipients[0].key_local, candidate->local) &&
	       bytes_equal(resolution->recipients[0].address.domain, candidate->domain->name);
}

static bool needs_smtputf8(const struct resolution *resolution)
{
	for (size_t i = 0; i < resolution->recipient_count; i++)
		if (resolution->recipients[i].needs_smtputf8)
			return true;
	return false;
}

/*
 * Is LOCAL one that a pattern need not be made for: routing, or no plain word of RFC 5321? Then it
 * is the client's own mistake that nothing comes of it, else the table's.
 */
static bool is_odd(struct bytes local)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789#$&'*+-/=?^_`{|}~.";

	if (local.size == 0 || local.data[0] == '-')
		return true;
	for (size_t i = 0; i < local.size; i++) {
		char byte = byte_to_lower(local.data[i]);

		if (byte == '\0' || ((unsigned char)byte < 0x80 && strchr(plain, byte) == NULL))
			return true;
	}
	return false;
}

/* A rule, at PLACE, matches the recipient itself, LOCAL, but makes no address of it. */
static void end_spoiled(struct resolution *resolution, struct bytes local, bool is_own,
			uint64_t place)
{
	if (is_own && is_odd(local)) {
		end_with(resolution, VERDICT_REFUSED, REASON_BAD_ADDRESS);
		return;
	}
	resolution->detail = (struct reason_detail){ .place = place };
	end_with(resolution, VERDICT_DEFER, REASON_TEMPLATE);
}

static void judge_expansion(const struct expansion *expansion,
			    const struct resolve_options *options,
			    const struct candidate *candidate, struct resolution *resolution)
{
	resolution->recipients = expansion->recipients;
	resolution->recipient_count = expansion->recipient_count;
	if (expansion->reason != REASON_NONE) {
		resolution->recipient_count = 0;
		resolution->detail = expansion->detail;
		end_with(resolution, VERDICT_DEFER, expansion->reason);
	} else if (expansion->recipient_count == 0 && expansion->is_spoiled) {
		end_spoiled(resolution, candidate->written.local, expansion->is_root_spoiled,
			    expansion->detail.place);
	} else if (expansion->recipient_count == 0 && expansion->is_discarded) {
		end_with(resolution, VERDICT_DISCARD, REASON_NONE);
	} else if (expansion->recipient_count == 0 && expansion->reply.size > 0) {
		resolution->reply = expansion->reply;
		end_with(resolution, VERDICT_REFUSED, REASON_NONE);
	} else if (expansion->recipient_count == 0 && resolution->is_ours) {
		end_with(resolution, VERDICT_UNKNOWN, REASON_NONE);
	} else if (expansion->recipient_count == 0) {
		/* Who exists in a domain that isn't ours we can't say. */
		end_with(resolution, VERDICT_DEFER, REASON_DEAD_END);
	} else if (is_only_itself(resolution, candidate)) {
		end_with(resolution, VERDICT_DELIVER, REASON_NONE);
	} else if (!options->has_smtputf8 && needs_smtputf8(resolution)) {
		end_with(resolution, VERDICT_REFUSED, REASON_NEEDS_SMTPUTF8);
	} else {
		end_with(resolution, VERDICT_EXPAND, REASON_NONE);
	}
	if (expansion->is_spoiled && resolution->reason == REASON_NONE) {
		resolution->reason = REASON_TEMPLATE;
		resolution->detail = expansion->detail;
	}
}

static void judge_hit(const struct inquiry *inquiry, const struct candidate *candidate,
		      const struct candidate_hit *hit, struct resolution *resolution)
{
	struct expansion expansion;

	resolution->has_entry = true;
	switch (resolution->entry.kind) {
	case TABLE_ENTRY_REPLY:
		resolution->reply = resolution->entry.reply;
		end_with(resolution, VERDICT_REFUSED, REASON_NONE);
		return;
	case TABLE_ENTRY_DISCARD:
		end_with(resolution, VERDICT_DISCARD, REASON_NONE);
		return;
	case TABLE_ENTRY_TARGETS:
		break;
	}
	expand(inquiry, candidate, &resolution->entry, hit, &expansion);
	judge_expansion(&expansion, inquiry->options, candidate, resolution);
}

/* The local part's key; false: verdict is set. */
static bool key_of(const struct address *address, struct arena *arena, struct bytes *out_key,
		   struct resolution *resolution)
{
	enum fold_outcome outcome = address->local.size == 0
					    ? FOLD_INVALID
					    : fold_local(address->local, arena, out_key);

	if (outcome == FOLD_OK)
		return true;
	if (outcome == FOLD_NO_MEMORY)
		end_with(resolution, VERDICT_DEFER, REASON_MEMORY);
	else if (resolution->is_ours)
		end_with(resolution, VERDICT_REFUSED, REASON_BAD_ADDRESS);
	else
		end_with(resolution, VERDICT_FOREIGN, REASON_NONE);
	return false;
}

/* Replace TEXT by a copy of it. */
static bool keep(struct bytes *text, struct arena *arena)
{
	return arena_copy(arena, *text, text);
}

/*
 * Of a table that may change under us: what the answer says is copied, and believed only if the
 * table is what it was when the last byte had been read.
 */
static void settle_guarded(const struct table *table, struct arena *arena,
			   struct resolution *resolution)
{
	bool is_copied = true;

	for (size_t i = 0; i < resolution->recipient_count; i++) {
		struct recipient *recipient = &resolution->recipients[i];

		is_copied &= keep(&recipient->address.local, arena) &&
			     keep(&recipient->address.domain, arena) &&
			     keep(&recipient->key_local, arena);
	}
	is_copied &= keep(&resolution->reply, arena);
	if (is_copied && table_is_intact(table))
		return;
	/* Nothing of it counts: not even whose domain it is, by which routing is judged. */
	*resolution = (struct resolution){
		.verdict = VERDICT_DEFER,
		.reason = is_copied ? REASON_BROKEN : REASON_MEMORY,
	};
}

/*
 * Postfix sends probes and its last reports from here, and accepts it without a look at any table:
 * an unknown user would make hosts that ask back refuse the probe.
 */
static bool is_double_bounce(const struct table *table, const struct address *address,
			     const struct candidate *candidate)
{
	return address->domain.size > 0 &&
	       bytes_equal(candidate->domain->name, table_rules(table)->origin) &&
	       bytes_equal(candidate->local, bytes_of("double-bounce"));
}

/* What is found for CANDIDATE, which ADDRESS has become; or what stands in the way. */
static void judge(const struct inquiry *inquiry, const struct address *address,
		  const struct candidate *candidate, struct resolution *resolution)
{
	struct candidate_hit hit;

	switch (candidates_find(inquiry, candidate, &resolution->entry, &hit)) {
	case CANDIDATE_BROKEN:
		end_with(resolution, VERDICT_DEFER, REASON_BROKEN);
		break;
	case CANDIDATE_NO_MEMORY:
		end_with(resolution, VERDICT_DEFER, REASON_MEMORY);
		break;
	case CANDIDATE_GAVE_UP:
		resolution->detail.place = resolution->entry.place;
		end_with(resolution, VERDICT_DEFER, REASON_PATTERN);
		break;
	case CANDIDATE_UNSAFE:
		end_spoiled(resolution, candidate->written.local, true, resolution->entry.place);
		break;
	case CANDIDATE_ABSENT:
		resolution->is_exempt = is_double_bounce(inquiry->table, address, candidate);
		end_with(resolution,
			 resolution->is_ours && !resolution->is_exempt ? VERDICT_UNKNOWN
								       : VERDICT_FOREIGN,
			 REASON_NONE);
		break;
	case CANDIDATE_FOUND:
		judge_hit(inquiry, candidate, &hit, resolution);
		break;
	}
}

static void find_answer(const struct inquiry *inquiry, const struct address *address,
			struct resolution *resolution)
{
	struct candidate candidate = { .written = *address };
	struct table_domain domain;

	*resolution = (struct resolution){ .verdict = VERDICT_FOREIGN };
	if (address->domain.size == 0)
		candidate.written.domain = table_rules(inquiry->table)->origin;
	if (!look_at_domain(inquiry, candidate.written.domain, address->local, &domain, resolution))
		return;
	resolution->is_ours = (domain.flags & TABLE_DOMAIN_OURS) != 0;
	resolution->is_in_alias_domain = (domain.flags & TABLE_DOMAIN_ALIAS) != 0;
	resolution->is_local = (domain.flags & TABLE_DOMAIN_LOCAL) != 0;
	resolution->keeps_dead_ends = table_rules(inquiry->table)->keeps_dead_ends;
	if (!routes_elsewhere(inquiry, address, &domain, resolution) ||
	    !candidates_exist(inquiry->table, &domain) ||
	    !key_of(address, inquiry->arena, &candidate.local, resolution))
		return;
	candidate.domain = &domain;
	judge(inquiry, address, &candidate, resolution);
}

void resolve_address(const struct table *table, const struct resolve_options *options,
		     const struct address *address, struct arena *arena,
		     struct resolution *out_resolution)
{
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	const struct inquiry inquiry = {
		.table = table,
		.options = options,
		.arena = arena,
		.budget = &budget,
	};

	find_answer(&inquiry, address, out_resolution);
	if (table_is_guarded(table))
		settle_guarded(table, arena, out_resolution);
}

static bool is_bare_postmaster(const struct address_path *path)
{
	return path->address.domain.size == 0 && !path->was_rewritten &&
	       bytes_equal_ascii_nocase(path->address.local, bytes_of("postmaster"));
}

/*
 * Everybody may write to it (RFC 5321 section 4.5.1): targets take its place, as Postfix has it,
 * and so do a wish to drop it and a doubt; but no refusal counts, nor whose the origin is.
 */
static void accept_postmaster(struct resolution *resolution)
{
	if (resolution->verdict == VERDICT_EXPAND || resolution->verdict == VERDICT_DISCARD ||
	    resolution->verdict == VERDICT_DEFER)
		return;
	*resolution = (struct resolution){ .verdict = VERDICT_FOREIGN, .is_exempt = true };
}

/* `user%host` and `host!user` are routing wherever they lead to us. */
static void refuse_rewritten(struct resolution *resolution)
{
	if (!resolution->is_ours)
		return;
	resolution->recipient_count = 0;
	end_with(resolution, VERDICT_REFUSED, REASON_ROUTING);
}

void resolve(const struct table *table, const struct resolve_options *options, struct bytes text,
	     struct arena *arena, struct address_path *out_path, struct resolution *out_resolution)
{
	struct address_path path = { .text = text, .text_with_route = text };

	*out_resolution = (struct resolution){ .verdict = VERDICT_FOREIGN };
	switch (address_parse_path(text, arena, &path)) {
	case ADDRESS_NULL:
	case ADDRESS_MALFORMED:
		end_with(out_resolution, VERDICT_REFUSED, REASON_BAD_ADDRESS);
		break;
	case ADDRESS_NO_MEMORY:
		end_with(out_resolution, VERDICT_DEFER, REASON_MEMORY);
		break;
	case ADDRESS_OK:
		resolve_address(table, options, &path.address, arena, out_resolution);
		if (is_bare_postmaster(&path))
			accept_postmaster(out_resolution);
		if (path.was_rewritten)
			refuse_rewritten(out_resolution);
		break;
	}
	if (out_path != NULL)
		*out_path = path;
}
