/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadowed - keys of which a pattern of an earlier source says something else, and counts.
 *
 * They are counted, and the one that stands first is told: who has one has a thousand. What each
 * thread has seen is added up at the end.
 */
#ifndef PROVE_SHADOWED_H
#define PROVE_SHADOWED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "prove/proof_findings.h"
#include "table/patterns.h"
#include "table/table.h"

struct shadowed {
	uint64_t count;
	uint32_t line; /* of the first, over all sources */
	struct buffer text;
	bool has_failed;              /* no memory */
	struct pattern_budget budget; /* of all looks; when it is spent, no more are taken */
};

void shadowed_init(struct shadowed *shadowed);
void shadowed_free(struct shadowed *shadowed);

/* Look whether ROW is one. Takes memory of ARENA. */
void shadowed_look(struct shadowed *shadowed, const struct table *table,
		   const struct table_row *row, struct arena *arena);

/* Add what OTHER has seen. */
void shadowed_merge(struct shadowed *shadowed, const struct shadowed *other);

/* Warn of them. */
void shadowed_tell(const struct shadowed *shadowed, struct proof_findings *findings);

#endif
