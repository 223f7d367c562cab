/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/prove_postmaster.h"

#include "resolve/resolve.h"
#include "table/patterns.h"

enum { ASKED_WITH_PATTERNS = 1000, ARENA_BYTES = 1 << 24 };

/* Nobody can tell counts as answered: what the doubt is about is told elsewhere. */
static bool is_missing(const struct table *table, const struct resolve_limits *limits,
		       const struct table_domain *domain, struct arena *arena)
{
	const struct resolve_options options = { .limits = limits, .has_smtputf8 = true };
	const struct address postmaster = { .local = bytes_of("postmaster"),
					    .domain = domain->name };
	struct resolution resolution;

	if ((domain->flags & TABLE_DOMAIN_OURS) == 0)
		return false;
	arena_clear(arena);
	resolve_address(table, &options, &postmaster, arena, &resolution);
	return resolution.verdict == VERDICT_UNKNOWN || resolution.verdict == VERDICT_REFUSED;
}

void prove_postmaster(const struct table *table, const struct resolve_limits *limits,
		      struct proof_findings *findings)
{
	uint64_t most = table_has_patterns(table) ? ASKED_WITH_PATTERNS : UINT64_MAX;
	struct bytes first = { .data = NULL };
	struct table_domain domain;
	uint64_t position = 0;
	uint64_t missing = 0;
	struct arena arena;

	arena_init(&arena, ARENA_BYTES);
	for (uint64_t asked = 0;
	     asked < most && table_next_domain(table, &position, &domain) == LOOKUP_FOUND; asked++)
		/* Named alike each time, in whatever order they are found. */
		if (is_missing(table, limits, &domain, &arena) &&
		    (missing++ == 0 || bytes_compare(domain.name, first) < 0))
			first = domain.name;
	arena_free(&arena);
	if (missing == 1)
		proof_findings_add(findings, 0, WARNING_POSTMASTER,
				   "nobody is postmaster@" BYTES_FORMAT
				   ", which every domain should answer (RFC 5321)",
				   BYTES_ARGS(first));
	else if (missing > 1)
		proof_findings_add(findings, 0, WARNING_POSTMASTER,
				   "nobody is postmaster@" BYTES_FORMAT
				   " and of %llu more domains, "
				   "which every domain should answer (RFC 5321)",
				   BYTES_ARGS(first), (unsigned long long)missing - 1);
}
