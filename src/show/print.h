/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print - keys and right-hand sides as virtual(5) text, which compiles to what was printed.
 */
#ifndef SHOW_PRINT_H
#define SHOW_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "show/json.h"
#include "table/patterns.h"
#include "table/table.h"

/* Append `user@domain`, `user` or, where LOCAL is empty, `@domain`. Quoted where a reader of
 * virtual(5) would otherwise see a comment or a domain. Failures are the buffer's. */
void print_key(struct bytes local, struct bytes domain, struct buffer *out_text);

/* Append the external form of an address or, where LOCAL is empty, `@domain`. */
void print_address(struct bytes local, struct bytes domain, struct buffer *out_text);

/* Append an entry's right-hand side: targets joined with ", ", `error:…`, `discard:`. BROKEN: the
 * table contradicts itself, and what was appended is no answer. */
enum lookup print_value(const struct table *table, const struct table_entry *entry,
			struct buffer *out_text);

/* Append a reply, `550 5.2.1 text` in the table, as a source has it: `error:5.2.1:550 text`. */
enum lookup print_reply(struct bytes line, struct buffer *out_text);

/* Append the two columns of a pattern as a pcre: source has them; an `if` or `endif` has one. */
void print_pattern_key(const struct table_pattern *pattern, struct buffer *out_text);
enum lookup print_pattern_value(const struct table_pattern *pattern, struct buffer *out_text);

/* The targets as a JSON array of strings; SCRATCH holds one at a time. */
enum lookup print_json_targets(const struct table *table, const struct table_entry *entry,
			       struct buffer *scratch, struct json *json);

/* The names of the table's sources as a JSON array of strings; of a broken one what can be read. */
void print_json_sources(const struct table *table, struct json *json);

/* Append `virtual:12`; ABSENT, and nothing appended, where the table doesn't tell. */
enum lookup print_place(const struct table *table, const struct table_entry *entry,
			struct buffer *out_text);

/* What the right-hand side of a bare-domain row says of a domain of ours: `alias-domain`,
 * `mailbox-domain`; NULL: it isn't declared. */
const char *print_declaration(const struct table_domain *domain);

enum { PRINT_TIME_ROOM = 64 };

/* SECONDS since 1970 as `2026-11-29T18:00:00Z`; empty: no such time. */
void print_time(uint64_t seconds, char out_text[PRINT_TIME_ROOM]);

/* Append TEXT, which came from outside, so that it is one field of one line. */
void print_field(struct bytes text, struct buffer *out_text);

#endif
