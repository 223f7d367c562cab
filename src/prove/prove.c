/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/prove.h"

#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>

#include "mail/address.h"
#include "prove/sound_rounds.h"
#include "prove/proof_findings.h"
#include "prove/prove_patterns.h"
#include "resolve/expand.h"
#include "table/patterns.h"
#include "table/verify.h"

enum {
	PROVERS = TABLE_VERIFIERS,
	PROOF_ARENA_BYTES = 1 << 30,
	REASON_BYTES = 1024,
	/* Folding makes no text four times as long: of these each has a key. */
	PLAIN_LOCAL_MAX = 255 / 4,
	/* Another round if the last left less than this share of what waited before it. */
	WORTH_A_ROUND = 8,
};

/* Stands for whoever a catch-all is asked about. No key can be this, so nothing is proved about
 * real users; and no user is shorter, so that length proves nothing wrong either. */
static const char any_user[] = "!";

/* What one thread needs. */
struct prover {
	const struct table *table;
	struct resolve_limits limits;
	struct arena arena;
	struct proof_findings findings;
	unsigned char *undeclared;   /* a bit a domain: warned about */
	struct sound_entries *sound; /* all threads' */
	struct sound_rounds rounds;
	const struct table_row *row;
};

/* Where the row came from, counted over all sources; 0: nobody knows. */
static uint32_t row_line(const struct prover *prover)
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
	proof_findings_add(
		&prover->findings, row_line(prover), true, "%s" BYTES_FORMAT "%s: " BYTES_FORMAT,
		is_limit ? "expansion over a limit (" : "", BYTES_ARGS(buffer_bytes(&reason)),
		is_limit ? ")" : "", BYTES_ARGS(buffer_bytes(&key)));
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
	    bytes_equal(target->local, bytes_of(any_user)))
		return;
	buffer_init(&text, ADDRESS_TEXT_MAX);
	(void)address_print(target, &text); /* without memory it shows below */
	prover->findings.has_failed |= text.was_short_of_memory;
	proof_findings_add(&prover->findings, row_line(prover), true,
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
	proof_findings_add(&prover->findings, row_line(prover), true, "target " BYTES_FORMAT,
			   BYTES_ARGS(buffer_bytes(&text)));
	buffer_free(&text);
}

static void judge(struct prover *prover, const struct expansion *expansion)
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

static void expand_row(struct prover *prover, const struct table_row *row)
{
	const struct resolve_options options = {
		.limits = &prover->limits,
		.has_smtputf8 = true,
		.on_dead_end = on_dead_end,
		.on_spoiled = on_spoiled,
		.context = prover,
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
	struct expansion expansion;

	if (domain.name.size == 0)
		find_local_domain(prover->table, local, &domain);
	arena_clear(&prover->arena);
	expand(&inquiry, &from, &row->entry, &hit, &expansion);
	judge(prover, &expansion);
}

/* Is nothing to be looked up again, and nothing too large? Then flags are proof enough. */
static bool is_plainly_sound(const struct prover *prover, const struct table_row_sum *sum)
{
	return (sum->flags & TABLE_DOMAIN_PROBED) == 0 && !sum->keeps_user &&
	       sum->longest <= prover->limits.address_bytes &&
	       sum->longest_local <= PLAIN_LOCAL_MAX && sum->targets <= prover->limits.expansion &&
	       prover->limits.recursion > 1 &&
	       !table_has_patterns(prover->table); /* any target may be one of theirs */
}

/* ---- rows ------------------------------------------------------------------------------- */

static void warn_of_undeclared(struct prover *prover, const struct table_row *row)
{
	uint32_t ref = row->domain.ref;

	if ((row->domain.flags & (TABLE_DOMAIN_OURS | TABLE_DOMAIN_LOCAL)) != 0 ||
	    row->domain.name.size == 0 || (prover->undeclared[ref / 8] >> ref % 8 & 1) != 0)
		return;
	prover->undeclared[ref / 8] |= (unsigned char)(1 << ref % 8);
	proof_findings_add(&prover->findings, row_line(prover), false,
			   "the domain " BYTES_FORMAT
			   " is not declared: its users are not validated",
			   BYTES_ARGS(row->domain.name));
}

/* A row was verified: prove it too, or have it wait. */
static void prove_row(void *context, const struct table_row *row, const struct table_row_sum *sum)
{
	struct prover *prover = context;

	prover->row = row;
	warn_of_undeclared(prover, row);
	if (row->is_catch_all)
		proof_findings_add(&prover->findings, row_line(prover), false,
				   "catch-all: no user of " BYTES_FORMAT " is unknown",
				   BYTES_ARGS(row->domain.name));
	if (row->entry.kind != TABLE_ENTRY_TARGETS)
		sound_entries_add(prover->sound, &row->entry, 1);
	else if (is_plainly_sound(prover, sum))
		sound_entries_add(prover->sound, &row->entry, sum->targets);
	else if (!sound_rounds_add(&prover->rounds, row))
		expand_row(prover, row);
}

static void *learn(void *context)
{
	struct prover *prover = context;

	if (!sound_rounds_run(&prover->rounds))
		prover->findings.has_failed = true;
	return NULL;
}

/* What nobody has learned of takes the walk that an answer takes. */
static void *expand_the_rest(void *context)
{
	struct prover *prover = context;
	size_t count = sound_rounds_waiting(&prover->rounds);

	for (size_t i = 0; i < count; i++) {
		struct table_row row;

		if (table_row_at(prover->table, sound_rounds_row(&prover->rounds, i), &row) !=
		    LOOKUP_FOUND) {
			proof_findings_add(&prover->findings, 0, true,
					   "the table can't be read back");
			break;
		}
		prover->row = &row;
		expand_row(prover, &row);
	}
	return NULL;
}

/* ---- threads ---------------------------------------------------------------------------- */

/* UNDECLARED stays the caller's. */
static void prover_init(struct prover *prover, const struct table *table,
			struct sound_entries *sound, unsigned char *undeclared)
{
	*prover = (struct prover){
		.table = table,
		.sound = sound,
		.limits = sound->limits,
		.undeclared = undeclared,
	};
	arena_init(&prover->arena, PROOF_ARENA_BYTES);
	sound_rounds_init(&prover->rounds, sound);
	proof_findings_init(&prover->findings);
}

static void prover_free(struct prover *prover)
{
	arena_free(&prover->arena);
	sound_rounds_free(&prover->rounds);
	proof_findings_free(&prover->findings);
}

/* Have all provers do WORK, at the same time where there can be threads. */
static void run(struct prover *provers, void *(*work)(void *))
{
	pthread_t threads[PROVERS];
	bool is_running[PROVERS];

	for (unsigned i = 0; i < PROVERS; i++) {
		is_running[i] = pthread_create(&threads[i], NULL, work, &provers[i]) == 0;
		if (!is_running[i])
			(void)work(&provers[i]); /* then one after the other; NULL */
	}
	for (unsigned i = 0; i < PROVERS; i++)
		if (is_running[i])
			(void)pthread_join(threads[i], NULL); /* it exists */
}

static size_t count_waiting(const struct prover *provers)
{
	size_t count = 0;

	for (unsigned i = 0; i < PROVERS; i++)
		count += sound_rounds_waiting(&provers[i].rounds);
	return count;
}

/* Settle what waits. */
static void prove_the_rest(struct prover *provers)
{
	size_t after = count_waiting(provers);
	size_t before;

	do {
		before = after;
		if (before > 0)
			run(provers, learn);
		after = count_waiting(provers);
	} while (before - after > before / WORTH_A_ROUND);
	run(provers, expand_the_rest);
}

static bool verify_and_prove(const struct table *table, struct prover *provers, struct error *err)
{
	struct table_visitor visitor = { .on_row = prove_row };

	for (unsigned i = 0; i < PROVERS; i++)
		visitor.contexts[i] = &provers[i];
	if (!table_verify_visiting(table, &visitor, err))
		return false;
	prove_the_rest(provers);
	prove_patterns(table, &provers[0].limits, &provers[0].findings);
	return true;
}

bool prove_table(const struct table *table, const struct proof *proof, struct error *err)
{
	struct prover provers[PROVERS];
	struct sound_entries sound;
	size_t undeclared_bytes = table_domain_refs(table) / 8 + 1;
	unsigned char *undeclared = calloc(PROVERS, undeclared_bytes);
	bool is_ready, is_proved;

	if (undeclared == NULL)
		return error_set_memory(err);
	is_ready = sound_entries_init(&sound, table, &proof->limits);
	for (unsigned i = 0; i < PROVERS; i++)
		prover_init(&provers[i], table, &sound, undeclared + i * undeclared_bytes);
	is_proved = is_ready ? verify_and_prove(table, provers, err) : error_set_memory(err);
	for (unsigned i = 1; i < PROVERS; i++)
		proof_findings_merge(&provers[0].findings, &provers[i].findings);
	if (is_proved)
		proof_findings_report(&provers[0].findings, proof->lines, proof->report,
				      proof->is_lenient);
	for (unsigned i = 0; i < PROVERS; i++)
		prover_free(&provers[i]);
	free(undeclared);
	sound_entries_free(&sound);
	return is_proved;
}
