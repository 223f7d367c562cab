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

enum { PATTERN_LITERAL_MAX = 31 };

/* A run of bytes that is in whatever an expression matches; NUL stands for any byte. */
struct pattern_literal {
	unsigned char size; /* 0: there is none */
	char bytes[PATTERN_LITERAL_MAX];
};

/*
 * What EXPRESSION with FLAGS asks of a subject, whatever else it does: a run at its end, and the
 * longest one anywhere. Both are letters in any case. None where there is a doubt.
 */
void pattern_literals(struct bytes expression, unsigned flags, struct pattern_literal *out_end,
		      struct pattern_literal *out_anywhere);
bool pattern_literal_ends(const struct pattern_literal *literal, struct bytes subject);
bool pattern_literal_is_in(const struct pattern_literal *literal, struct bytes subject);

enum pattern_start {
	PATTERN_START_ANYWHERE, /* at a byte that is among `starts` */
	PATTERN_START_BEGIN,    /* of the subject */
	PATTERN_START_LINE,     /* there, and behind each newline */
	PATTERN_START_UNKNOWN,  /* it may depend on where matching began: left to PCRE2 */
};

/* An expression, ready to match. */
struct pattern_machine {
	pcre2_code *code; /* NULL: none */
	struct pattern_literal end;
	struct pattern_literal anywhere;
	enum pattern_start start;
	const uint8_t *starts; /* a bit a byte; NULL: `first` is the only one, if there is one */
	bool has_first;
	char first; /* in lower case */
};

bool pattern_machine_init(struct pattern_machine *machine, struct bytes expression, unsigned flags,
			  struct error *err);
void pattern_machine_free(struct pattern_machine *machine);

/*
 * PCRE2 can limit the steps of a match, but doesn't tell how many it took. So each is begun with
 * few, and again with four times as many where they didn't do: what is charged is right but for
 * that factor.
 */
enum {
	PATTERN_LEVELS = 8,
	PATTERN_FIRST_STEPS = 32,
};

/* One per level, shared by all threads. */
struct pattern_limits {
	pcre2_match_context *levels[PATTERN_LEVELS];
};

bool pattern_limits_init(struct pattern_limits *limits);
void pattern_limits_free(struct pattern_limits *limits);

/* Does MACHINE match SUBJECT? FOUND (DATA has the groups), ABSENT, BROKEN, NO_MEMORY, GAVE_UP. */
enum pattern_lookup pattern_machine_run(const struct pattern_machine *machine,
					const struct pattern_limits *limits, struct bytes subject,
					pcre2_match_data *data, struct pattern_budget *budget);

/* Substitute groups of SUBJECT into VALUE; *OUT_TEXT is set with PATTERN_FOUND only. */
enum pattern_lookup pattern_substitute(struct bytes value, struct bytes subject,
				       const PCRE2_SIZE *groups, uint32_t group_count,
				       struct arena *arena, struct bytes *out_text);

/* Compile all rules of TABLE's section into table->pattern_set. */
bool patterns_load(struct table *table, struct error *err);
void patterns_unload(struct table *table);

#endif
