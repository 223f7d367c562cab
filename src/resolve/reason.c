/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/reason.h"

#include "mail/address.h"

static const char *const reason_names[] = {
	[REASON_NONE] = "none",
	[REASON_LOOP] = "alias loop",
	[REASON_LIMIT] = "limit exceeded",
	[REASON_TEMPLATE] = "pattern makes no address",
	[REASON_DEAD_END] = "no target that could be delivered",
	[REASON_BROKEN] = "damaged table",
	[REASON_MEMORY] = "out of memory",
	[REASON_PATTERN] = "pattern gave up",
	[REASON_UNPRINTABLE] = "a target that the MTA can't be told",
	[REASON_BAD_ADDRESS] = "bad address",
	[REASON_ROUTING] = "sender-specified routing",
	[REASON_NEEDS_SMTPUTF8] = "target needs SMTPUTF8",
};

static const struct {
	const char *name;
	const char *unit;
} limits[] = {
	[LIMIT_EXPANSION] = { "limits.expansion", "recipients" },
	[LIMIT_RECURSION] = { "limits.recursion", "levels" },
	[LIMIT_ADDRESS_BYTES] = { "limits.address_bytes", "bytes" },
	[LIMIT_MESSAGE_RECIPIENTS] = { "limits.message_recipients", "recipients" },
	[LIMIT_KEY_BYTES] = { "folded local part", "bytes" },
	[LIMIT_ADDRESSES] = { "addresses on the way", "addresses" },
};

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

static bool print_limit(const struct reason_detail *detail, struct buffer *out_text)
{
	return buffer_append_format(out_text, "%s: at least %llu %s, %llu allowed",
				    limits[detail->limit].name, (unsigned long long)detail->found,
				    limits[detail->limit].unit,
				    (unsigned long long)detail->allowed);
}

/* WHAT, with the place of the rule, if there is one. */
static bool print_rule(const struct table *table, const char *what,
		       const struct reason_detail *detail, struct buffer *out_text)
{
	const struct table_entry entry = { .place = detail->place };
	struct bytes source;
	char place[TABLE_PLACE_BYTES];
	uint32_t line;

	if (!buffer_append_text(out_text, what))
		return false;
	if (detail->place == 0)
		return true;
	if (table_provenance(table, &entry, &source, &line) != LOOKUP_FOUND)
		return true;
	table_place_line(source, line, place);
	return buffer_append_text(out_text, ": ") && address_escape(source, false, out_text) &&
	       buffer_append_text(out_text, place);
}

bool reason_print(const struct table *table, enum reason reason, const struct reason_detail *detail,
		  struct buffer *out_text)
{
	switch (reason) {
	case REASON_NONE:
		return true;
	case REASON_LIMIT:
		return print_limit(detail, out_text);
	case REASON_PATTERN:
		return print_rule(table,
				  detail->place == 0 ? "pattern gave up (address too long)"
						     : "pattern gave up (match limit)",
				  detail, out_text);
	case REASON_LOOP:
	case REASON_TEMPLATE:
		return print_rule(table, reason_name(reason), detail, out_text);
	default:
		return buffer_append_text(out_text, reason_name(reason));
	}
}
