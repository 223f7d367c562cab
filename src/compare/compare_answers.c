/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/compare_answers.h"

#include "mail/address.h"

enum { ARENA_BYTES = 256 << 20 };

/* Whom a catch-all is asked for. Were it listed, its entry would be compared under its own key. */
static const char nobody[] = "nobody-in-particular-5e1a7c";

void compare_answers_init(struct compare_answers *compare, const struct table *old,
			  const struct table *new, const struct settings *settings)
{
	*compare = (struct compare_answers){ .tables = { old, new } };
	compare->options =
		(struct resolve_options){ .limits = &settings->limits, .has_smtputf8 = true };
	arena_init(&compare->arenas[0], ARENA_BYTES);
	arena_init(&compare->arenas[1], ARENA_BYTES);
}

void compare_answers_free(struct compare_answers *compare)
{
	arena_free(&compare->arenas[0]);
	arena_free(&compare->arenas[1]);
}

static bool recipients_equal(const struct resolution *old, const struct resolution *new)
{
	if (old->recipient_count != new->recipient_count)
		return false;
	for (size_t i = 0; i < old->recipient_count; i++) {
		const struct address *a = &old->recipients[i].address;
		const struct address *b = &new->recipients[i].address;

		if (!bytes_equal(a->local, b->local) || !bytes_equal(a->domain, b->domain))
			return false;
	}
	return true;
}

static bool resolutions_equal(const struct resolution *old, const struct resolution *new)
{
	if (old->verdict != new->verdict || old->reason != new->reason)
		return false;
	switch (old->verdict) {
	case VERDICT_EXPAND:
		return recipients_equal(old, new);
	case VERDICT_REFUSED:
		return bytes_equal(old->reply, new->reply);
	default:
		return true;
	}
}

bool compare_answers_equal(struct compare_answers *compare, struct bytes local, struct bytes domain)
{
	for (int i = 0; i < 2; i++) {
		struct address address = { .local = local, .domain = domain };

		if (local.size == 0)
			address.local = bytes_of(nobody);
		if (domain.size == 0)
			address.domain = table_rules(compare->tables[i])->origin;
		arena_clear(&compare->arenas[i]);
		resolve_address(compare->tables[i], &compare->options, &address,
				&compare->arenas[i], &compare->resolutions[i]);
	}
	return resolutions_equal(&compare->resolutions[0], &compare->resolutions[1]);
}

bool compare_answers_lack_memory(const struct compare_answers *compare)
{
	return compare->resolutions[0].reason == REASON_MEMORY ||
	       compare->resolutions[1].reason == REASON_MEMORY;
}

void compare_answers_print(const struct compare_answers *compare, int side, struct buffer *out)
{
	const struct resolution *resolution = &compare->resolutions[side];

	/* Failures are the buffer's. */
	buffer_clear(out);
	if (resolution->verdict != VERDICT_EXPAND)
		(void)buffer_append_text(out, resolve_verdict_name(resolution->verdict));
	if (resolution->verdict == VERDICT_REFUSED && resolution->reply.size > 0) {
		(void)buffer_append_byte(out, ' ');
		(void)buffer_append(out, resolution->reply);
	}
	if (resolution->verdict != VERDICT_EXPAND)
		return;
	for (size_t i = 0; i < resolution->recipient_count; i++) {
		if (i > 0)
			(void)buffer_append_text(out, ", ");
		(void)address_print(&resolution->recipients[i].address, out);
	}
}
