/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/canary_draw.h"

#include <stdio.h>
#include <stdlib.h>

#include "table/inside.h"

enum { ABSENT_CANARIES = 8 };

void canary_draw_init(struct canary_draw *draw, uint64_t seed)
{
	*draw = (struct canary_draw){ .random = seed, .limit = UINT64_MAX };
}

static void drop_sample(struct sample *sample)
{
	free(sample->bytes);
	*sample = (struct sample){ .bytes = NULL };
}

void canary_draw_free(struct canary_draw *draw)
{
	for (size_t i = 0; i < CANARY_DRAW_MAX; i++)
		drop_sample(&draw->all[i]);
}

/* The one that is last in order. */
static size_t last_sample(const struct canary_draw *draw)
{
	size_t last = 0;

	for (size_t i = 1; i < draw->count; i++)
		if (draw->all[i].order > draw->all[last].order)
			last = i;
	return last;
}

bool canary_draw_take(struct canary_draw *draw, uint64_t order, const struct writer_entry *entry)
{
	struct bytes contents = entry->kind == TABLE_ENTRY_TARGETS ? entry->targets : entry->reply;
	struct sample sample = {
		.local_size = entry->local.size,
		.contents_size = contents.size,
		.domain = entry->domain,
		.global_line = entry->global_line,
		.kind = entry->kind,
		.order = order,
	};
	size_t place;

	sample.bytes = malloc(sample.local_size + sample.contents_size + 1);
	if (sample.bytes == NULL)
		return false;
	memcpy(sample.bytes, entry->local.data, sample.local_size);
	if (contents.size > 0)
		memcpy(sample.bytes + sample.local_size, contents.data, contents.size);
	place = draw->count < CANARY_DRAW_MAX ? draw->count++ : last_sample(draw);
	drop_sample(&draw->all[place]);
	draw->all[place] = sample;
	if (draw->count == CANARY_DRAW_MAX)
		draw->limit = draw->all[last_sample(draw)].order;
	return true;
}

static struct bytes sample_local(const struct sample *sample)
{
	return bytes_make(sample->bytes, sample->local_size);
}

void canary_draw_drop(struct canary_draw *draw, uint32_t domain, struct bytes local,
		      uint32_t global_line)
{
	for (size_t i = 0; i < CANARY_DRAW_MAX; i++) {
		struct sample *sample = &draw->all[i];

		if (sample->bytes != NULL && sample->domain == domain &&
		    sample->global_line == global_line && bytes_equal(sample_local(sample), local))
			drop_sample(sample);
	}
}

static bool print_canary(bool is_found, struct bytes domain, struct bytes local,
			 uint64_t fingerprint, struct buffer *out_section)
{
	char head[11] = { (char)is_found, (char)domain.size, (char)local.size };

	le64_store(head + 3, fingerprint);
	return buffer_append(out_section, bytes_make(head, sizeof(head))) &&
	       buffer_append(out_section, domain) && buffer_append(out_section, local);
}

static bool sample_fingerprint(const struct sample *sample, const struct domain_set *domains,
			       uint64_t *out_fingerprint)
{
	const struct table table = { .domains = domain_set_bytes(domains) };
	struct bytes contents =
		bytes_make(sample->bytes + sample->local_size, sample->contents_size);
	struct table_entry entry = {
		.kind = sample->kind,
		.local = sample_local(sample),
		.domain_ref = sample->domain,
	};

	if (sample->kind == TABLE_ENTRY_TARGETS)
		entry.targets = contents;
	else
		entry.reply = contents;
	return entry_fingerprint(&table, &entry, out_fingerprint) == LOOKUP_FOUND;
}

static bool print_absent(const struct canary_draw *draw, const struct domain_set *domains,
			 size_t number, struct buffer *out_section)
{
	const struct sample *sample = &draw->all[number];
	char local[48];

	/* No key looks like this: the number comes from the secret seed. */
	(void)snprintf(local, sizeof(local), "canary.%zu.%016llx", number,
		       (unsigned long long)format_mix(draw->random, number));
	return print_canary(false, domain_set_name(domains, sample->domain), bytes_of(local), 0,
			    out_section);
}

bool canary_draw_print(const struct canary_draw *draw, const struct domain_set *domains,
		       struct buffer *out_section)
{
	for (size_t i = 0; i < CANARY_DRAW_MAX; i++) {
		const struct sample *sample = &draw->all[i];
		uint64_t fingerprint;

		if (sample->bytes == NULL)
			continue;
		if (!sample_fingerprint(sample, domains, &fingerprint) ||
		    !print_canary(true, domain_set_name(domains, sample->domain),
				  sample_local(sample), fingerprint, out_section))
			return false;
		if (i < ABSENT_CANARIES && !print_absent(draw, domains, i, out_section))
			return false;
	}
	return true;
}
