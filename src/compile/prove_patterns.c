/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/prove_patterns.h"

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

void prove_patterns(const struct table *table, struct findings *findings)
{
	uint32_t warned[WARNED_MAX];
	size_t warned_count = 0;
	struct table_domain domain;
	uint64_t position = 0;
	struct arena arena;

	if (!table_has_patterns(table))
		return;
	arena_init(&arena, 1 << 20);
	for (int asked = 0; asked < ASKED_MAX; asked++) {
		struct buffer subject;
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
		if (!subject.has_failed &&
		    table_match(table, buffer_bytes(&subject), domain.name, UINT32_MAX, &arena,
		                &entry) == PATTERN_FOUND &&
		    table_provenance_line(table, &entry, &line) == LOOKUP_FOUND &&
		    is_new(line, warned, &warned_count))
			findings_add(findings, line, false,
			             "the pattern answers for every user of " BYTES_FORMAT
			             ": nobody there is unknown any more",
			             BYTES_ARGS(domain.name));
		buffer_free(&subject);
	}
	arena_free(&arena);
}
