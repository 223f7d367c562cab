/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * patterns_inside - what the files about patterns share. Not for other floors.
 *
 * The PATTERNS section: u32 number of rules, then each rule:
 *   u32 global line, u8 kind, u8 flags, u8 result, u8 length of domain,
 *   u32 length of expression, of exception, of value; domain, expression, exception, value
 */
#ifndef TABLE_PATTERNS_INSIDE_H
#define TABLE_PATTERNS_INSIDE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buffer.h"
#include "table/inside.h"
#include "table/patterns.h"

enum {
	PATTERN_GLOBAL_LINE = 0,
	PATTERN_KIND = 4,
	PATTERN_FLAGS = 5,
	PATTERN_RESULT = 6,
	PATTERN_DOMAIN_LENGTH = 7,
	PATTERN_EXPRESSION_LENGTH = 8,
	PATTERN_EXCEPTION_LENGTH = 12,
	PATTERN_VALUE_LENGTH = 16,
	PATTERN_HEAD = 20,
	PATTERN_RULES_MAX = 10000000,
};

/* A byte of a label of a host name. */
static inline bool pattern_is_label_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-';
}

/* Read the rule at the begin of REST and step behind it. */
bool pattern_take(struct bytes *rest, struct table_pattern *out_pattern);
bool pattern_append(struct buffer *section, const struct table_pattern *pattern);

/* NULL: ERR. */
pcre2_code *pattern_code(struct bytes expression, unsigned flags, struct error *err);

/* Substitute groups of SUBJECT into VALUE; *OUT_TEXT is set with PATTERN_FOUND only. */
enum pattern_lookup pattern_substitute(struct bytes value, struct bytes subject,
				       const PCRE2_SIZE *groups, uint32_t group_count,
				       struct arena *arena, struct bytes *out_text);

/* Compile all rules of TABLE's section into table->pattern_set. */
bool patterns_load(struct table *table, struct error *err);
void patterns_unload(struct table *table);

#endif
