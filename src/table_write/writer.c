/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/writer.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/le.h"
#include "table/patterns_inside.h"
#include "table_write/raw.h"
#include "table_write/writer_inside.h"

enum {
	PARTITION_BITS_MAX = 12,
	PARTITION_TEXT_BYTES = 2 << 20,
};

static unsigned choose_partition_bits(uint64_t expected_bytes)
{
	unsigned bits = 0;

	while (bits < PARTITION_BITS_MAX && (expected_bytes >> bits) > PARTITION_TEXT_BYTES)
		bits++;
	return bits;
}

struct table_writer *table_writer_new(const struct writer_options *options, struct error *err)
{
	struct table_writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	writer->options = *options;
	writer->partition_bits = choose_partition_bits(options->expected_bytes);
	writer->spill =
		spill_new((size_t)1 << writer->partition_bits, options->spill_directory, err);
	buffer_init(&writer->catch_alls, SIZE_MAX / 4);
	buffer_init(&writer->catch_all_bytes, SIZE_MAX / 4);
	buffer_init(&writer->sources, SIZE_MAX / 4);
	buffer_init(&writer->patterns, SIZE_MAX / 4);
	canary_draw_init(&writer->canaries, options->seed);
	if (writer->spill == NULL || !domain_set_init(&writer->domains, options->seed)) {
		table_writer_free(writer);
		error_fill_memory(err);
		return NULL;
	}
	return writer;
}

void table_writer_free(struct table_writer *writer)
{
	if (writer == NULL)
		return;
	spill_free(writer->spill);
	domain_set_free(&writer->domains);
	buffer_free(&writer->catch_alls);
	buffer_free(&writer->catch_all_bytes);
	buffer_free(&writer->sources);
	buffer_free(&writer->patterns);
	canary_draw_free(&writer->canaries);
	free(writer);
}

const struct error *table_writer_error(const struct table_writer *writer)
{
	return &writer->error;
}

/* ---- collecting ----------------------------------------------------------------------- */

uint32_t writer_domain(struct table_writer *writer, struct bytes name)
{
	uint32_t ref = domain_set_add(&writer->domains, name);

	if (ref != 0 || writer->error.status != 0)
		return ref;
	if (name.size > UINT8_MAX || domain_set_is_full(&writer->domains))
		error_fill(&writer->error, EX_DATAERR, "no room for more domains");
	else
		error_fill_memory(&writer->error);
	return 0;
}

uint32_t writer_known_domain(struct table_writer *writer, struct bytes name)
{
	return domain_set_find(&writer->domains, name);
}

void writer_domain_flags(struct table_writer *writer, uint32_t domain, unsigned flags)
{
	/* All of them: routing through a local domain is followed even where it has no keys. */
	if (flags != 0)
		flags |= TABLE_DOMAIN_PROBED;
	flags |= domain_set_flags(&writer->domains, domain);
	if ((flags & TABLE_DOMAIN_MAILBOX) != 0)
		flags &= ~(unsigned)TABLE_DOMAIN_ALIAS;
	domain_set_put_flags(&writer->domains, domain, flags);
}

unsigned writer_domain_get_flags(const struct table_writer *writer, uint32_t domain)
{
	return domain_set_flags(&writer->domains, domain);
}

size_t writer_target(const struct writer_entry *key, struct bytes local, uint32_t domain,
		     bool keeps_user, char *out)
{
	size_t head;

	if (keeps_user) {
		out[0] = TARGET_FAR;
		le24_store(out + 1, domain);
		return 4;
	}
	if (domain == key->domain && local.size == key->local.size &&
	    bytes_same(local.data, key->local.data, local.size)) {
		out[0] = (char)TARGET_NEAR;
		return 1;
	}
	if (domain == key->domain && local.size <= TARGET_NEAR_MAX) {
		out[0] = (char)(TARGET_NEAR | local.size);
		head = 1;
	} else if (local.size <= TARGET_FAR_MAX) {
		out[0] = (char)(TARGET_FAR + local.size);
		le24_store(out + 1, domain);
		head = 4;
	} else {
		out[0] = TARGET_LONG;
		le16_store(out + 1, (uint16_t)local.size);
		le24_store(out + 3, domain);
		head = 6;
	}
	bytes_copy(out + head, local.data, local.size);
	return head + local.size;
}

bool writer_source(struct table_writer *writer, uint32_t global_line, struct bytes name)
{
	char head[6];

	name = bytes_first(name, UINT16_MAX);
	le32_store(head, global_line);
	le16_store(head + 4, (uint16_t)name.size);
	return (buffer_append(&writer->sources, bytes_make(head, sizeof(head))) &&
		buffer_append(&writer->sources, name)) ||
	       error_set_memory(&writer->error);
}

bool writer_pattern(struct table_writer *writer, const struct table_pattern *pattern)
{
	writer->pattern_count++;
	return pattern_append(&writer->patterns, pattern) || error_set_memory(&writer->error);
}

static struct bytes entry_contents(const struct writer_entry *entry)
{
	return entry->kind == TABLE_ENTRY_TARGETS ? entry->targets : entry->reply;
}

static bool has_delimiter(struct bytes local, struct bytes delimiters)
{
	for (size_t i = 0; i < delimiters.size; i++)
		if (bytes_contain(bytes_skip(local, 1), delimiters.data[i]))
			return true;
	return false;
}

/* The domain has a key now, and perhaps one with an extension. */
static void mark_domain(struct table_writer *writer, const struct writer_entry *entry)
{
	unsigned flags = domain_set_flags(&writer->domains, entry->domain);
	unsigned wanted = TABLE_DOMAIN_PROBED;

	if ((flags & TABLE_DOMAIN_EXTENSIONS) == 0 &&
	    has_delimiter(entry->local, writer->options.rules.delimiters))
		wanted |= TABLE_DOMAIN_EXTENSIONS;
	if ((flags & wanted) != wanted)
		domain_set_add_flags(&writer->domains, entry->domain, wanted);
}

static bool add_catch_all(struct table_writer *writer, const struct writer_entry *entry)
{
	struct bytes contents = entry_contents(entry);
	struct catch_all catch_all = {
		.domain = entry->domain,
		.global_line = entry->global_line,
		.size = (uint32_t)contents.size,
		.targets = entry->target_count,
		.offset = writer->catch_all_bytes.size,
		.kind = entry->kind,
		.yields = entry->yields,
	};

	if (!buffer_append(&writer->catch_all_bytes, contents) ||
	    !buffer_append(&writer->catch_alls, bytes_make(&catch_all, sizeof(catch_all))))
		return error_set_memory(&writer->error);
	domain_set_add_flags(&writer->domains, entry->domain, TABLE_DOMAIN_PROBED);
	return true;
}

bool writer_add(struct table_writer *writer, const struct writer_entry *entry)
{
	struct bytes contents = entry_contents(entry);
	uint64_t hash = format_mix(domain_set_hash(&writer->domains, entry->domain),
				   hash_key(entry->local, writer->options.seed));
	size_t partition = writer->partition_bits == 0 ? 0 : hash >> (64 - writer->partition_bits);
	unsigned char *raw;

	if (writer->error.status != 0)
		return false;
	if (contents.size > UINT32_MAX / 2 || entry->local.size > KEY_LOCAL_MAX)
		return error_set(&writer->error, EX_DATAERR, "an entry is too long");
	if (entry->local.size == 0)
		return add_catch_all(writer, entry);
	raw = spill_append(writer->spill, partition,
			   raw_size_for(entry->local.size, contents.size, entry->target_count),
			   &writer->error);
	if (raw == NULL)
		return false;
	le64_store(raw + RAW_HASH, hash);
	le32_store(raw + RAW_GLOBAL_LINE, entry->global_line);
	le32_store(raw + RAW_KEY, entry->domain | (uint32_t)entry->local.size << 24);
	raw_fill(raw, (unsigned)entry->kind | (entry->yields ? RAW_YIELDS : 0), entry->local,
		 contents, entry->target_count);
	mark_domain(writer, entry);
	writer->added++;
	return canary_draw_offer(&writer->canaries, hash, entry) ||
	       error_set_memory(&writer->error);
}
