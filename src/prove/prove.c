/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/prove.h"

#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>

#include "prove/prove_patterns.h"
#include "prove/prove_postmaster.h"
#include "prove/prover.h"
#include "resolve/answer.h"
#include "table/patterns.h"
#include "table/verify.h"

enum {
	PROVERS = TABLE_VERIFIERS,
	PROOF_ARENA_BYTES = 1 << 30,
	/* Folding makes no text four times as long: of these each has a key. */
	PLAIN_LOCAL_MAX = 255 / 4,
	/* Another round if the last left less than this share of what waited before it. */
	WORTH_A_ROUND = 4,
	/* Suspects that are convicted whatever it takes, more than are printed; and the steps after
	 * which the others are only counted. */
	CONVICTED_LEAST = 101,
	CONVICTION_STEPS = 1 << 15,
};

/* No key can be this, which is an address that a client may write. */
static const char unlikely_user[] = "zq7x.no-such-user.k9vj";

/* A row that seems to lead over a limit, to a loop, or to such a row. */
struct suspect {
	uint64_t number;
	uint32_t line;
};

static void add_suspect(struct prover *prover)
{
	const struct suspect suspect = {
		.number = table_row_number(prover->row),
		.line = prover_line(prover),
	};

	if (!buffer_append(&prover->suspects, bytes_make(&suspect, sizeof(suspect))))
		prover->findings.has_failed = true;
}

static void expand_row(struct prover *prover, const struct table_row *row)
{
	const struct known_entries known = walked_entries_known(prover->walked);
	const struct proof_findings_mark mark = proof_findings_mark(&prover->findings);
	struct expansion expansion;
	struct reach reach;

	prover->row = row;
	/* Somebody may have come through it; then only a dead end that it names itself is still to
	 * be told.
	 */
	switch (known.find(known.context, &row->entry, &reach)) {
	case KNOWN_REACH:
		if (!reach.names_dead_end)
			return;
		break;
	case KNOWN_FAULTY:
		add_suspect(prover);
		return;
	case KNOWN_NOTHING:
		break;
	}
	prover_walk(prover, &known, &expansion);
	if (expansion.reason == REASON_NONE && !expansion.is_circular)
		return;
	proof_findings_go_back(&prover->findings, &mark); /* it will be found again */
	if (expansion.reason == REASON_LOOP || expansion.leads_to_fault) {
		add_suspect(prover);
		return;
	}
	prover_walk(prover, NULL, &expansion);
	if (expansion.reason == REASON_LIMIT || expansion.reason == REASON_LOOP)
		walked_entries_add_fault(prover->walked, &row->entry);
	prover_judge(prover, &expansion);
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
	proof_findings_add(&prover->findings, prover_line(prover), WARNING_UNDECLARED,
			   "the domain " BYTES_FORMAT
			   " is not declared: its users are not validated",
			   BYTES_ARGS(row->domain.name));
}

/* Does mail to a user of ROW's domain that nobody has lead anywhere? Of `@other` other decides. */
static bool accepts_everybody(struct prover *prover, const struct table_row *row,
			      const struct table_row_sum *sum)
{
	const struct resolve_options options = { .limits = &prover->limits, .has_smtputf8 = true };
	const struct address somebody = { .local = bytes_of(unlikely_user),
					  .domain = row->domain.name };
	struct resolution resolution;

	if (row->entry.kind == TABLE_ENTRY_REPLY)
		return false;
	if (!sum->keeps_user)
		return true;
	arena_clear(&prover->arena);
	resolve_address(prover->table, &options, &somebody, &prover->arena, &resolution);
	return answer_accepts(resolution.verdict);
}

/* Does ROW say that its own address is a mailbox? Then that of its domain is known. */
static void note_mailbox(struct prover *prover, const struct table_row *row)
{
	uint32_t ref = row->domain.ref;
	struct table_target_cursor cursor;
	struct table_target target;

	if ((row->domain.flags & TABLE_DOMAIN_MAILBOX) == 0 ||
	    row->entry.kind != TABLE_ENTRY_TARGETS || (prover->mailbox[ref / 8] >> ref % 8 & 1))
		return;
	table_targets_begin(&row->entry, &cursor);
	while (table_next_target(prover->table, &cursor, &target) == LOOKUP_FOUND)
		if (target.domain.ref == ref &&
		    (target.keeps_user || bytes_equal_ascii_nocase(target.local, row->local)))
			prover->mailbox[ref / 8] |= (unsigned char)(1 << ref % 8);
}

/* In a mailbox domain of which no mailbox is known only aliases get mail. */
static void warn_of_no_mailbox(struct prover *provers)
{
	const struct table *table = provers[0].table;
	struct table_domain domain;
	uint64_t position = 0;

	while (table_next_domain(table, &position, &domain) == LOOKUP_FOUND) {
		bool is_known = (domain.flags & TABLE_DOMAIN_MAILBOX) == 0;

		for (unsigned i = 0; i < PROVERS && !is_known; i++)
			is_known = (provers[i].mailbox[domain.ref / 8] >> domain.ref % 8 & 1) != 0;
		if (!is_known)
			proof_findings_add(&provers[0].findings, 0, WARNING_MAILBOXES,
					   "no mailbox of the mailbox domain " BYTES_FORMAT
					   " is known: list them in a source of type recipients",
					   BYTES_ARGS(domain.name));
	}
}

/* A row was verified: prove it too, or have it wait. */
static void prove_row(void *context, const struct table_row *row, const struct table_row_sum *sum)
{
	struct prover *prover = context;

	prover->row = row;
	warn_of_undeclared(prover, row);
	note_mailbox(prover, row);
	shadowed_look(&prover->shadowed, prover->table, row, &prover->arena);
	if (row->is_catch_all && accepts_everybody(prover, row, sum))
		proof_findings_add(&prover->findings, prover_line(prover), WARNING_CATCH_ALL,
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
			proof_findings_add(&prover->findings, 0, WARNING_LENIENT,
					   "the table can't be read back");
			break;
		}
		expand_row(prover, &row);
	}
	return NULL;
}

/* ---- suspects --------------------------------------------------------------------------- */

static int by_line(const void *left, const void *right)
{
	const struct suspect *a = left;
	const struct suspect *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

/* Is SUSPECT faulty? If so, its finding says why. */
static bool convict(struct prover *prover, const struct suspect *suspect)
{
	size_t before = prover->findings.kept[true] + prover->findings.uncounted;
	struct expansion expansion;
	struct table_row row;

	if (table_row_at(prover->table, suspect->number, &row) != LOOKUP_FOUND)
		return false;
	prover->row = &row;
	prover_walk(prover, NULL, &expansion);
	prover_judge(prover, &expansion);
	return prover->findings.kept[true] + prover->findings.uncounted > before;
}

/*
 * A suspect is all but surely faulty (not if it leads twice to an address that maps to itself, of
 * which the second time counts for less). So those that will be shown are walked, to be sure and to
 * say why; where there are very many more, they are counted.
 */
static void convict_suspects(struct prover *provers)
{
	struct prover *prover = &provers[0];
	size_t convicted = 0;
	struct suspect *all;
	size_t count;

	for (unsigned i = 1; i < PROVERS; i++)
		if (!buffer_append(&prover->suspects, buffer_bytes(&provers[i].suspects)))
			prover->findings.has_failed = true;
	all = (struct suspect *)(void *)prover->suspects.data;
	count = prover->suspects.size / sizeof(*all);
	if (count > 0)
		qsort(all, count, sizeof(*all), by_line);
	prover->steps = 0;
	for (size_t i = 0; i < count; i++) {
		if (convicted >= CONVICTED_LEAST && prover->steps > CONVICTION_STEPS) {
			prover->findings.uncounted += count - i;
			break;
		}
		convicted += convict(prover, &all[i]);
	}
}

/* ---- threads ---------------------------------------------------------------------------- */

/* BITS, of which there are twice BYTES, stay the caller's. */
static void prover_init(struct prover *prover, struct sound_entries *sound,
			struct walked_entries *walked, unsigned char *bits, size_t bytes)
{
	*prover = (struct prover){
		.table = sound->table,
		.sound = sound,
		.walked = walked,
		.limits = sound->limits,
		.undeclared = bits,
		.mailbox = bits + bytes,
	};
	arena_init(&prover->arena, PROOF_ARENA_BYTES);
	sound_rounds_init(&prover->rounds, sound);
	proof_findings_init(&prover->findings);
	shadowed_init(&prover->shadowed);
	buffer_init(&prover->suspects, SIZE_MAX / 4);
}

static void prover_free(struct prover *prover)
{
	arena_free(&prover->arena);
	sound_rounds_free(&prover->rounds);
	proof_findings_free(&prover->findings);
	shadowed_free(&prover->shadowed);
	buffer_free(&prover->suspects);
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
	convict_suspects(provers);
}

static bool verify_and_prove(const struct table *table, struct prover *provers, struct error *err)
{
	struct table_visitor visitor = { .on_row = prove_row };

	for (unsigned i = 0; i < PROVERS; i++)
		visitor.contexts[i] = &provers[i];
	if (!table_verify_visiting(table, &visitor, err))
		return false;
	prove_the_rest(provers);
	warn_of_no_mailbox(provers);
	for (unsigned i = 1; i < PROVERS; i++)
		shadowed_merge(&provers[0].shadowed, &provers[i].shadowed);
	shadowed_tell(&provers[0].shadowed, &provers[0].findings);
	prove_patterns(table, &provers[0].limits, &provers[0].findings);
	return true;
}

bool prove_table(const struct table *table, const struct proof *proof, struct error *err)
{
	struct prover provers[PROVERS];
	struct sound_entries sound;
	struct walked_entries walked;
	size_t bytes = table_domain_refs(table) / 8 + 1;
	unsigned char *bits = calloc(PROVERS, 2 * bytes);
	bool is_ready, is_proved;

	if (bits == NULL)
		return error_set_memory(err);
	is_ready = sound_entries_init(&sound, table, &proof->limits);
	is_ready &= walked_entries_init(&walked, &sound, table_facts(table)->entries);
	for (unsigned i = 0; i < PROVERS; i++)
		prover_init(&provers[i], &sound, &walked, bits + 2 * bytes * i, bytes);
	is_proved = is_ready ? verify_and_prove(table, provers, err) : error_set_memory(err);
	for (unsigned i = 1; i < PROVERS; i++)
		proof_findings_merge(&provers[0].findings, &provers[i].findings);
	if (is_proved && proof->wants_postmaster)
		prove_postmaster(table, &proof->limits, &provers[0].findings);
	if (is_proved)
		proof_findings_report(&provers[0].findings, proof->lines, proof->report,
				      proof->is_lenient);
	for (unsigned i = 0; i < PROVERS; i++)
		prover_free(&provers[i]);
	free(bits);
	walked_entries_free(&walked);
	sound_entries_free(&sound);
	return is_proved;
}
