/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/prove_patterns.h"

#include "mail/address.h"
#include "table/patterns.h"

enum { ASKED_MAX = 1000, WARNED_MAX = 100 };

/* Neither a word nor a number that a list of users would have. */
static const char unlikely_user[] = "zq7x.no-such-user.k9vj";

static bool is_new(uint32_t line, uint32_t *warned, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (warned[i] == line)
			return false;
	if (*count < WARNED_MAX)
		warned[(*count)++] = line;
	return true;
}

static void warn_of_everybody(const struct table *table, struct proof_findings *findings)
{
	uint32_t warned[WARNED_MAX];
	size_t warned_count = 0;
	struct table_domain domain;
	uint64_t position = 0;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (int asked = 0; asked < ASKED_MAX; asked++) {
		struct buffer subject;
		enum pattern_lookup outcome = PATTERN_NO_MEMORY;
		struct table_entry entry;
		uint32_t line = 0;

		if (table_next_domain(table, &position, &domain) != LOOKUP_FOUND)
			break;
		if ((domain.flags & TABLE_DOMAIN_OURS) == 0)
			continue;
		arena_clear(&arena);
		buffer_init(&subject, 1024);
		(void)buffer_append_format(&subject, "%s@" BYTES_FORMAT, unlikely_user,
					   BYTES_ARGS(domain.name));
		if (!subject.has_failed) /* for a name it is room enough */
			outcome = table_match(table, buffer_bytes(&subject), domain.name,
					      UINT32_MAX, &arena, &entry);
		findings->has_failed |= outcome == PATTERN_NO_MEMORY;
		if (outcome == PATTERN_FOUND &&
		    table_provenance_line(table, &entry, &line) == LOOKUP_FOUND &&
		    is_new(line, warned, &warned_count))
			proof_findings_add(findings, line, false,
					   "the pattern answers for every user of " BYTES_FORMAT
					   ": nobody there is unknown any more",
					   BYTES_ARGS(domain.name));
		buffer_free(&subject);
	}
	arena_free(&arena);
}

/* Could mail to TARGET only bounce? *HAS_FAILED: nobody can tell, for want of memory. */
static bool is_dead(const struct table *table, const struct resolve_limits *limits,
		    const struct address_target *target, struct arena *arena, bool *has_failed)
{
	const struct resolve_options options = { .limits = limits, .has_smtputf8 = true };
	struct resolution resolution;

	if (target->keeps_user)
		return false;
	resolve_address(table, &options, &target->address, arena, &resolution);
	*has_failed |= resolution.reason == REASON_MEMORY;
	return resolution.verdict == VERDICT_UNKNOWN || resolution.reason == REASON_DEAD_END;
}

static void prove_targets(const struct table *table, const struct resolve_limits *limits,
			  const struct table_pattern *pattern, struct proof_findings *findings)
{
	struct bytes rest = pattern->value;
	struct address_target target;
	enum address_list_step step;
	struct arena arena;

	arena_init(&arena, 1 << 24);
	while ((step = address_list_next(&rest, &arena, &target, NULL)) == ADDRESS_LIST_TARGET)
		if (is_dead(table, limits, &target, &arena, &findings->has_failed))
			proof_findings_add(findings, pattern->global_line, true,
					   "target " BYTES_FORMAT "%s" BYTES_FORMAT
					   " could only bounce: no key of ours delivers it",
					   BYTES_ARGS(target.address.local),
					   target.address.domain.size > 0 ? "@" : "",
					   BYTES_ARGS(target.address.domain));
	findings->has_failed |= step == ADDRESS_LIST_NO_MEMORY;
	arena_free(&arena);
}

void prove_patterns(const struct table *table, const struct resolve_limits *limits,
		    struct proof_findings *findings)
{
	struct table_pattern pattern;
	uint64_t position = 0;

	if (!table_has_patterns(table))
		return;
	warn_of_everybody(table, findings);
	while (table_next_pattern(table, &position, &pattern) == LOOKUP_FOUND)
		if (pattern.kind == TABLE_PATTERN_RULE && pattern.result == TABLE_ENTRY_TARGETS &&
		    !bytes_contain(pattern.value, '$'))
			prove_targets(table, limits, &pattern, findings);
}
