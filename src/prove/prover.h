/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prover - the part of a proof that one thread does: go the way of an answer for the row at hand,
 * and find words for what is wrong with it.
 */
#ifndef PROVE_PROVER_H
#define PROVE_PROVER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "prove/proof_findings.h"
#include "prove/shadowed.h"
#include "prove/sound_rounds.h"
#include "prove/walked_entries.h"
#include "resolve/expand.h"
#include "table/table.h"

/* What one thread needs. */
struct prover {
	const struct table *table;
	struct resolve_limits limits;
	struct arena arena;
	struct proof_findings findings;
	unsigned char *undeclared;   /* a bit a domain: warned about */
	unsigned char *mailbox;      /* a bit a domain: has one */
	struct sound_entries *sound; /* all threads' */
	struct sound_rounds rounds;
	struct walked_entries *walked; /* all threads' */
	struct buffer suspects;        /* struct suspect */
	struct shadowed shadowed;
	const struct table_row *row;
	uint64_t steps;
};

/* Where the row came from, counted over all sources; 0: nobody knows. */
uint32_t prover_line(const struct prover *prover);

/* Go the way that an answer takes; or, but for what is KNOWN, however far it leads. What could only
 * bounce, or is no address, is found on the way. */
void prover_walk(struct prover *prover, const struct known_entries *known,
		 struct expansion *out_expansion);

/* Find what EXPANSION says is wrong with the row. */
void prover_judge(struct prover *prover, const struct expansion *expansion);

#endif
