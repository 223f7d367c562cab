/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/pattern_cost.h"

#include <stdio.h>
#include <string.h>

/* Local parts are repetitions of these: what loops in expressions are about. */
static const char *const units[] = { "a", "1", "-", "a.", "a-", "a1", "x", "_", "+", "ab" };
static const char abroad[] = "x=@elsewhere.invalid";

/*
 * Behind them, so that a loop that fits doesn't lead to the end: so much of the end of the local
 * part of what is like them. A rule may want just that, and more in front of it.
 */
enum {
	LOCAL_BYTES = 64, /* of RFC 5321 */
	UNITS = sizeof(units) / sizeof(units[0]),
	TAILS = 4,
	LIKES = 3,
	PROBES = UNITS * TAILS * LIKES,
};

/* The probe NUMBER, at OUT: like ADDRESS, the same with another character before its `@`, or
 * abroad. */
static struct bytes make_probe(unsigned number, struct bytes address, char *out)
{
	const char *unit = units[number % UNITS];
	size_t tail = number / UNITS % TAILS;
	unsigned like = number / UNITS / TAILS;
	struct bytes model = like == 2 ? bytes_of(abroad) : address;
	size_t at = bytes_index(model, '@');
	size_t size = 0;

	tail = tail < at ? tail : at;
	model = bytes_first(bytes_skip(model, at - tail),
			    PATTERN_PROBE_BYTES_MAX - LOCAL_BYTES - 1);
	while (size + strlen(unit) + tail < LOCAL_BYTES) {
		memcpy(out + size, unit, strlen(unit));
		size += strlen(unit);
	}
	size += (size_t)snprintf(out + size, PATTERN_PROBE_BYTES_MAX + 1 - size, "%s" BYTES_FORMAT,
				 like == 1 ? "=" : "", BYTES_ARGS(model));
	return bytes_make(out, size);
}

void pattern_cost_of_rule(const struct table *table, uint64_t number, struct bytes address,
			  struct pattern_cost *out_cost)
{
	for (unsigned i = 0; i < PROBES; i++) {
		char text[PATTERN_PROBE_BYTES_MAX + 1];
		struct bytes probe = make_probe(i, address, text);
		uint64_t steps;

		if (table_try_pattern(table, number, probe, &steps) == PATTERN_NO_MEMORY)
			out_cost->has_failed = true;
		if (steps <= out_cost->steps)
			continue;
		out_cost->steps = steps;
		memcpy(out_cost->address, text, probe.size + 1);
	}
}

void pattern_cost_of_all(const struct table *table, struct bytes address,
			 struct pattern_cost *out_cost)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < PROBES && out_cost->given_up == 0; i++) {
		char text[PATTERN_PROBE_BYTES_MAX + 1];
		struct bytes probe = make_probe(i, address, text);
		struct bytes key = bytes_skip(probe, bytes_index(probe, '@') + 1);
		struct table_entry entry;
		uint32_t line;

		arena_clear(&arena);
		switch (table_match(table, probe, key, UINT32_MAX, &arena, &entry)) {
		case PATTERN_NO_MEMORY:
			out_cost->has_failed = true;
			break;
		case PATTERN_GAVE_UP:
			if (table_provenance_line(table, &entry, &line) != LOOKUP_FOUND)
				break;
			out_cost->given_up = line;
			memcpy(out_cost->address, text, probe.size + 1);
			break;
		case PATTERN_FOUND:
		case PATTERN_ABSENT:
		case PATTERN_BROKEN:
		case PATTERN_UNSAFE:
			break;
		}
	}
	arena_free(&arena);
}
