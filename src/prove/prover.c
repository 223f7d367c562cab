/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/prover.h"

#include <stdlib.h>

#include "mail/address.h"
#include "table/patterns.h"

enum { REASON_BYTES = 1024 };

/* Stands for whoever a catch-all is asked about. No key can be this, so nothing is proved about
 * real users; and no user is shorter, so that length proves nothing wrong either. */
static const char any_user[] = "!";

uint32_t prover_line(const struct prover *prover)
{
	uint32_t line;

	return table_provenance_line(prover->table, &prover->row->entry, &line) == LOOKUP_FOUND
		       ? line
		       : 0;
}

static void print_key(const struct table_row *row, struct buffer *out_text)
{
	const struct address key = { .local = row->local, .domain = row->domain.name };

	buffer_init(out_text, ADDRESS_TEXT_MAX);
	if (row->is_catch_all) {
		(void)buffer_append_byte(out_text, '@');
		(void)buffer_append(out_text, row->domain.name);
	} else if (!address_print(&key, out_text)) {
		(void)buffer_append_text(out_text, "?");
	}
}

static void find_fault(struct prover *prover, const struct expansion *expansion)
{
	bool is_limit = expansion->reason == REASON_LIMIT;
	struct buffer reason;
	struct buffer key;

	print_key(prover->row, &key);
	buffer_init(&reason, REASON_BYTES);
	(void)reason_print(prover->table, expansion->reason, &expansion->detail,
			   &reason); /* without memory it shows below */
	prover->findings.has_failed |= key.was_short_of_memory || reason.was_short_of_memory;
	proof_findings_add(&prover->findings, prover_line(prover), WARNING_LENIENT,
			   "%s" BYTES_FORMAT "%s: " BYTES_FORMAT,
			   is_limit ? "expansion over a limit (" : "",
			   BYTES_ARGS(buffer_bytes(&reason)), is_limit ? ")" : "",
			   BYTES_ARGS(buffer_bytes(&key)));
	buffer_free(&reason);
	buffer_free(&key);
}

/* ---- targets ---------------------------------------------------------------------------- */

static const char mailbox_advice[] =
	"; if it is a mailbox, map it to itself or list it in a source of type recipients";

static bool is_mailbox(const struct table *table, struct bytes name)
{
	struct table_domain domain;

	return table_find_domain(table, name, &domain) == LOOKUP_FOUND &&
	       (domain.flags & TABLE_DOMAIN_MAILBOX) != 0;
}

static void on_dead_end(void *context, const struct address *target,
			const struct table_entry *entry)
{
	struct prover *prover = context;
	struct buffer text;

	/* The entry that names it is proved on its own; who it serves can't be known here. */
	if (entry->place != prover->row->entry.place ||
	    bytes_equal(target->local, bytes_of(any_user)) ||
	    proof_findings_count_only(&prover->findings, true))
		return;
	buffer_init(&text, ADDRESS_TEXT_MAX);
	(void)address_print(target, &text); /* without memory it shows below */
	prover->findings.has_failed |= text.was_short_of_memory;
	proof_findings_add(&prover->findings, prover_line(prover), WARNING_DANGLING,
			   "target " BYTES_FORMAT
			   " could only bounce: no key of ours delivers it%s",
			   BYTES_ARGS(buffer_bytes(&text)),
			   is_mailbox(prover->table, target->domain) ? mailbox_advice : "");
	buffer_free(&text);
}

/* The row may be far from the rule: the reason names that. */
static void on_spoiled(void *context, const struct address *target, const struct table_entry *entry)
{
	const struct reason_detail detail = { .place = entry->place };
	struct prover *prover = context;
	struct buffer text;

	buffer_init(&text, ADDRESS_TEXT_MAX + REASON_BYTES);
	(void)address_print(target, &text); /* without memory it shows below, as here */
	(void)buffer_append_text(&text, ": ");
	(void)reason_print(prover->table, REASON_TEMPLATE, &detail, &text);
	prover->findings.has_failed |= text.was_short_of_memory;
	proof_findings_add(&prover->findings, prover_line(prover), WARNING_LENIENT,
			   "target " BYTES_FORMAT, BYTES_ARGS(buffer_bytes(&text)));
	buffer_free(&text);
}

void prover_judge(struct prover *prover, const struct expansion *expansion)
{
	switch (expansion->reason) {
	case REASON_LOOP:
	case REASON_LIMIT:
	case REASON_BROKEN:
	case REASON_PATTERN:
		find_fault(prover, expansion);
		break;
	case REASON_MEMORY:
		prover->findings.has_failed = true;
		break;
	case REASON_NONE:
	case REASON_TEMPLATE: /* told as it was met */
	case REASON_DEAD_END:
	case REASON_UNPRINTABLE:
	case REASON_BAD_ADDRESS:
	case REASON_ROUTING:
	case REASON_NEEDS_SMTPUTF8:
		break;
	}
}

/*
 * A bare user stands for itself in every local domain, and the origin serves for all; but not where
 * it has a key of its own for that user. Then it's any of the others, without a name.
 */
static void find_local_domain(const struct table *table, struct bytes user,
			      struct table_domain *domain)
{
	struct table_domain origin;
	struct table_entry own;

	if (table_find_domain(table, table_rules(table)->origin, &origin) == LOOKUP_FOUND &&
	    table_find(table, &origin, user, &own) == LOOKUP_ABSENT)
		*domain = origin;
}

static void count_step(void *context, struct bytes key_local, struct bytes key_domain,
		       enum lookup found, const struct table_entry *entry)
{
	struct prover *prover = context;

	(void)key_local, (void)key_domain, (void)found, (void)entry; /* each is a step */
	prover->steps++;
}

/* Go the way that an answer takes; or, but for what is KNOWN, however far it leads. */
void prover_walk(struct prover *prover, const struct known_entries *known,
		 struct expansion *out_expansion)
{
	const struct resolve_limits no_limits = {
		.expansion = SIZE_MAX,
		.recursion = SIZE_MAX,
		.address_bytes = prover->limits.address_bytes,
	};
	const struct table_row *row = prover->row;
	const struct resolve_options options = {
		.limits = known == NULL ? &prover->limits : &no_limits,
		.has_smtputf8 = true,
		.on_step = known == NULL ? count_step : NULL,
		.on_dead_end = on_dead_end,
		.on_spoiled = on_spoiled,
		.context = prover,
		.known = known,
	};
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	const struct inquiry inquiry = {
		.table = prover->table,
		.options = &options,
		.arena = &prover->arena,
		.budget = &budget,
	};
	const struct candidate_hit hit = { .is_catch_all = row->is_catch_all };
	struct bytes local = row->is_catch_all ? bytes_of(any_user) : row->local;
	struct table_domain domain = row->domain;
	const struct candidate from = {
		.local = local,
		.domain = &domain,
		.written.local = local,
	};

	if (domain.name.size == 0)
		find_local_domain(prover->table, local, &domain);
	arena_clear(&prover->arena);
	expand(&inquiry, &from, &row->entry, &hit, out_expansion);
}
