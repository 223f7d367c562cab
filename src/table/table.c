/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/guard.h"
#include "base/hash.h"
#include "table/patterns_inside.h"

enum { CACHE_LINE_BYTES = 64, FETCHED_BYTES_MAX = 320 };

/*
 * Results are stored field by field where they are wanted: a struct that is built on the stack and
 * then copied makes the copy wait for every store, and so for the cache misses behind them.
 */

/* ---- domains -------------------------------------------------------------------------- */

/* The record at REF; NULL: broken. */
static const unsigned char *domain_record(const struct table *table, uint32_t ref)
{
	uint64_t offset = (uint64_t)ref * DOMAIN_UNIT;
	const unsigned char *record;

	if (ref == 0 || !inside(table->domains, offset, DOMAIN_UNIT))
		return NULL;
	record = at(table->domains, offset);
	return inside(table->domains, offset + DOMAIN_NAME, record[DOMAIN_LENGTH]) ? record : NULL;
}

static void domain_fill(const unsigned char *record, uint32_t ref, uint64_t hash,
                        struct table_domain *out_domain)
{
	out_domain->name.data = (const char *)record + DOMAIN_NAME;
	out_domain->name.size = record[DOMAIN_LENGTH];
	out_domain->flags = record[DOMAIN_FLAGS];
	out_domain->ref = ref;
	out_domain->hash = hash;
	out_domain->catch_all = le32_load(record + DOMAIN_CATCH_ALL);
}

enum lookup domain_at(const struct table *table, uint32_t ref, struct table_domain *out_domain)
{
	const unsigned char *record = domain_record(table, ref);

	if (record == NULL)
		return LOOKUP_BROKEN;
	domain_fill(record, ref, 0, out_domain);
	return LOOKUP_FOUND;
}

/* Look at one slot; ABSENT: another domain's. */
static enum lookup domain_in_slot(const struct table *table, uint32_t reference, uint64_t hash,
                                  struct bytes name, struct table_domain *out_domain)
{
	uint32_t ref = reference >> BUCKET_REF_FLAG_BITS;
	const unsigned char *record = domain_record(table, ref);

	if (record == NULL)
		return LOOKUP_BROKEN;
	if (record[DOMAIN_LENGTH] != name.size ||
	    (name.size > 0 && memcmp(record + DOMAIN_NAME, name.data, name.size) != 0))
		return LOOKUP_ABSENT;
	domain_fill(record, ref, hash, out_domain);
	return LOOKUP_FOUND;
}

enum lookup table_find_domain(const struct table *table, struct bytes name,
                              struct table_domain *out_domain)
{
	uint64_t hash = hash_key(name, table->seed);
	uint64_t bucket = format_high64(hash, table->buckets);

	for (uint64_t steps = 0; steps < table->buckets; steps++) {
		const unsigned char *slots = at(table->index, bucket * BUCKET_BYTES);

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			uint32_t reference = le32_load(slots + BUCKET_REFS + i * 4);
			enum lookup outcome;

			if (reference == 0)
				return LOOKUP_ABSENT;
			if (le32_load(slots + i * 4) != (uint32_t)hash)
				continue;
			outcome = domain_in_slot(table, reference, hash, name, out_domain);
			if (outcome != LOOKUP_ABSENT)
				return outcome;
		}
		bucket = bucket + 1 == table->buckets ? 0 : bucket + 1;
	}
	return LOOKUP_ABSENT;
}

/* ---- entries -------------------------------------------------------------------------- */

static unsigned nibble_sum(uint32_t nibbles)
{
	uint32_t pairs = (nibbles & 0x0f0f0f0f) + (nibbles >> 4 & 0x0f0f0f0f);

	return pairs * 0x01010101 >> 24;
}

enum lookup cluster_at(const struct table *table, uint64_t line, unsigned number,
                       struct cluster *out_cluster)
{
	const unsigned char *row = at(table->directory, line * LINE_BYTES);
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned count = counts >> (4 * number) & 15;
	unsigned first = nibble_sum(counts & ((UINT32_C(1) << 4 * number) - 1));
	uint64_t base = (uint64_t)le32_load(row + LINE_BASE) * DATA_UNIT;
	unsigned begin = number == 0 ? 0 : le16_load(row + LINE_ENDS + 2 * (number - 1));
	unsigned end = le16_load(row + LINE_ENDS + 2 * number);

	if (count == 0)
		return LOOKUP_ABSENT;
	if (begin >= end || !inside(table->data, base + begin, end - begin))
		return LOOKUP_BROKEN;
	*out_cluster = (struct cluster){
		.bytes = bytes_make(at(table->data, base + begin), end - begin),
		.count = count,
		.first = first,
		.fingerprints = first + count <= LINE_FINGERPRINT_ROOM ?
		                        row + LINE_FINGERPRINTS + first :
		                        NULL,
	};
	if (count == CLUSTER_ESCAPE) {
		out_cluster->is_escaped = true;
		out_cluster->fingerprints = NULL;
		out_cluster->count = (unsigned char)out_cluster->bytes.data[0];
		out_cluster->bytes = bytes_skip(out_cluster->bytes, 1);
	}
	return out_cluster->bytes.size >= out_cluster->count ? LOOKUP_FOUND : LOOKUP_BROKEN;
}

bool cluster_record(const struct cluster *cluster, unsigned index, size_t offset,
                    struct bytes *out_record)
{
	size_t size = (unsigned char)cluster->bytes.data[index];
	size_t begin = cluster->count + offset;

	if (!inside(cluster->bytes, begin, size))
		return false;
	*out_record = bytes_make(cluster->bytes.data + begin, size);
	return true;
}

/* HEAD is the first 4 bytes a record of this key has: domref and length as one word. */
static bool record_has_key(struct bytes record, uint32_t head, struct bytes local)
{
	return record.size >= RECORD_HEAD + local.size && le32_load(record.data) == head &&
	       memcmp(record.data + RECORD_HEAD, local.data, local.size) == 0;
}

/* A cluster is some three cache lines long, and where a record is stands in the first: have all
 * come at once. */
static void fetch(const struct cluster *cluster)
{
	for (size_t at_byte = CACHE_LINE_BYTES; at_byte < cluster->bytes.size &&
	                                        at_byte <= FETCHED_BYTES_MAX;
	     at_byte += CACHE_LINE_BYTES)
		__builtin_prefetch(cluster->bytes.data + at_byte);
}

/*
 * A miss ends with the fingerprints: the cluster itself, another cache line, is read only for an
 * entry that has the right one.
 */
static enum lookup find_in_cluster(const struct table *table, const struct cluster *cluster,
                                   unsigned char fingerprint, uint32_t head, struct bytes local,
                                   uint64_t place, struct table_entry *out_entry)
{
	size_t offset = 0;
	unsigned summed = 0;	/* offset is that of this record */

	for (unsigned i = 0; i < cluster->count; i++) {
		struct bytes record;

		if (cluster->fingerprints != NULL && cluster->fingerprints[i] != fingerprint)
			continue;
		if (summed == 0)
			fetch(cluster);
		for (; summed < i; summed++)
			offset += (unsigned char)cluster->bytes.data[summed];
		if (!cluster_record(cluster, i, offset, &record))
			return LOOKUP_BROKEN;
		if (record_has_key(record, head, local))
			return entry_from_record(table, record, place + i, out_entry);
	}
	return LOOKUP_ABSENT;
}

/* The cluster NUMBER of a line where not all fingerprints are at hand. */
static enum lookup find_slowly(const struct table *table, uint64_t number,
			       unsigned char fingerprint, uint32_t head, struct bytes local,
			       struct table_entry *out_entry)
{
	uint64_t line = number / LINE_CLUSTERS;
	unsigned in_line = (unsigned)(number % LINE_CLUSTERS);
	struct cluster cluster;
	enum lookup outcome = cluster_at(table, line, in_line, &cluster);

	if (outcome != LOOKUP_FOUND)
		return outcome;
	return find_in_cluster(table, &cluster, fingerprint, head, local,
	                       place_make(line, in_line, 0), out_entry);
}

enum lookup table_find(const struct table *table, const struct table_domain *domain,
                       struct bytes local, struct table_entry *out_entry)
{
	uint64_t hash = format_mix(domain->hash, hash_key(local, table->seed));
	uint64_t number = format_high64(hash, table->lines * LINE_CLUSTERS);
	const unsigned char *row = at(table->directory, number / LINE_CLUSTERS * LINE_BYTES);
	unsigned shift = (unsigned)(number % LINE_CLUSTERS) * 4;
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned count = counts >> shift & 15;
	unsigned first = nibble_sum(counts & ((UINT32_C(1) << shift) - 1));
	const unsigned char *fingerprints = row + LINE_FINGERPRINTS + first;

	if (local.size == 0 || local.size > KEY_LOCAL_MAX)
		return LOOKUP_ABSENT;
	/* Nearly all look-ups for nobody end here, with one cache line read. */
	if (count != CLUSTER_ESCAPE && first + count <= LINE_FINGERPRINT_ROOM) {
		unsigned i = 0;

		while (i < count && fingerprints[i] != (unsigned char)hash)
			i++;
		if (i == count)
			return LOOKUP_ABSENT;
	}
	return find_slowly(table, number, (unsigned char)hash,
	                   domain->ref | (uint32_t)local.size << 24, local, out_entry);
}

void table_prefetch(const struct table *table, uint64_t domain_hash, struct bytes local)
{
	uint64_t hash = format_mix(domain_hash, hash_key(local, table->seed));
	uint64_t number = format_high64(hash, table->lines * LINE_CLUSTERS);

	__builtin_prefetch(at(table->directory, number / LINE_CLUSTERS * LINE_BYTES));
}

void table_prefetch_key(const struct table *table, struct bytes domain, struct bytes local)
{
	table_prefetch(table, hash_key(domain, table->seed), local);
}

void table_prefetch_entry(const struct table *table, uint64_t domain_hash, struct bytes local)
{
	uint64_t hash = format_mix(domain_hash, hash_key(local, table->seed));
	uint64_t number = format_high64(hash, table->lines * LINE_CLUSTERS);
	struct cluster cluster;

	if (cluster_at(table, number / LINE_CLUSTERS, (unsigned)(number % LINE_CLUSTERS),
	               &cluster) != LOOKUP_FOUND)
		return;
	/* Most clusters are two or three cache lines long. */
	__builtin_prefetch(cluster.bytes.data);
	__builtin_prefetch(cluster.bytes.data + cluster.bytes.size / 2);
	__builtin_prefetch(cluster.bytes.data + cluster.bytes.size - 1);
}

/* Fill kind, targets and reply of OUT_ENTRY. *out_global_line: see LIST_KIND_PLACED; else 0. */
static enum lookup list_at(const struct table *table, uint32_t ref, struct table_entry *out_entry,
                           uint32_t *out_global_line)
{
	uint64_t offset = (uint64_t)ref * DATA_UNIT;
	struct bytes contents;
	uint32_t size;
	unsigned kind;

	if (ref == 0 || !inside(table->data, offset, LIST_CONTENTS))
		return LOOKUP_BROKEN;
	size = le32_load(at(table->data, offset + LIST_BYTES));
	kind = *at(table->data, offset + LIST_KIND);
	offset += LIST_CONTENTS;
	*out_global_line = 0;
	if ((kind & LIST_KIND_PLACED) != 0) {
		if (!inside(table->data, offset, sizeof(uint32_t)))
			return LOOKUP_BROKEN;
		*out_global_line = le32_load(at(table->data, offset));
		offset += sizeof(uint32_t);
	}
	kind &= ~(unsigned)LIST_KIND_PLACED;
	if (!inside(table->data, offset, size) || kind > TABLE_ENTRY_DISCARD)
		return LOOKUP_BROKEN;
	contents = bytes_make(at(table->data, offset), size);
	out_entry->kind = (enum table_entry_kind)kind;
	out_entry->targets = kind == TABLE_ENTRY_TARGETS ? contents : bytes_make(NULL, 0);
	out_entry->reply = kind == TABLE_ENTRY_TARGETS ? bytes_make(NULL, 0) : contents;
	return LOOKUP_FOUND;
}

enum lookup table_find_catch_all(const struct table *table, const struct table_domain *domain,
                                 struct table_entry *out_entry)
{
	uint32_t global_line;
	enum lookup outcome;

	if (domain->catch_all == 0)
		return LOOKUP_ABSENT;
	outcome = list_at(table, domain->catch_all, out_entry, &global_line);
	if (outcome != LOOKUP_FOUND)
		return outcome;
	out_entry->pattern_value = bytes_make(NULL, 0);
	out_entry->local = bytes_make(NULL, 0);
	out_entry->domain_ref = domain->ref;
	out_entry->place = PLACE_CATCH_ALL | global_line;
	return LOOKUP_FOUND;
}

enum lookup entry_from_record(const struct table *table, struct bytes record, uint64_t place,
                              struct table_entry *out_entry)
{
	size_t local_size;
	struct bytes targets;
	uint32_t ignored;

	if (record.size < RECORD_HEAD)
		return LOOKUP_BROKEN;
	local_size = (unsigned char)record.data[3];
	if (record.size - RECORD_HEAD < local_size)
		return LOOKUP_BROKEN;
	targets = bytes_make(record.data + RECORD_HEAD + local_size,
	                     record.size - RECORD_HEAD - local_size);
	out_entry->pattern_value = bytes_make(NULL, 0);
	out_entry->local = bytes_make(record.data + RECORD_HEAD, local_size);
	out_entry->domain_ref = le24_load(record.data);
	out_entry->place = place;
	/* A list is all that such a record has. */
	if (targets.size == RECORD_LIST_BYTES && (unsigned char)targets.data[0] == TARGET_LIST)
		return list_at(table, le32_load(targets.data + 1), out_entry, &ignored);
	out_entry->kind = TABLE_ENTRY_TARGETS;
	out_entry->reply = bytes_make(NULL, 0);
	out_entry->targets = targets;
	return LOOKUP_FOUND;
}

/* ---- targets -------------------------------------------------------------------------- */

void table_targets_begin(const struct table_entry *entry, struct table_target_cursor *out_cursor)
{
	*out_cursor = (struct table_target_cursor){
		.rest = entry->targets,
		.entry = entry,
	};
}

/* Take HEAD bytes and then a local part of SIZE bytes from REST. */
static bool take_local(struct bytes *rest, size_t head, size_t size, struct bytes *out_local)
{
	if (rest->size < head || rest->size - head < size)
		return false;
	*out_local = bytes_make(rest->data + head, size);
	*rest = bytes_skip(*rest, head + size);
	return true;
}

enum lookup table_next_target(const struct table *table, struct table_target_cursor *cursor,
                              struct table_target *out_target)
{
	const struct bytes at_target = cursor->rest;
	uint32_t ref;
	unsigned first;

	if (at_target.size == 0)
		return LOOKUP_ABSENT;
	first = (unsigned char)at_target.data[0];
	if (first == TARGET_LIST)
		return LOOKUP_BROKEN;	/* entry_from_record() has followed it */
	out_target->keeps_user = false;
	if (first >= TARGET_NEAR) {
		ref = cursor->entry->domain_ref;
		if (!take_local(&cursor->rest, 1, first & 0x7f, &out_target->local))
			return LOOKUP_BROKEN;
		if (first == TARGET_NEAR)
			out_target->local = cursor->entry->local;
	} else if (first == TARGET_LONG) {
		if (at_target.size < 6 ||
		    !take_local(&cursor->rest, 6, le16_load(at_target.data + 1),
		                &out_target->local))
			return LOOKUP_BROKEN;
		ref = le24_load(at_target.data + 3);
	} else {
		if (!take_local(&cursor->rest, 4, first - TARGET_FAR, &out_target->local))
			return LOOKUP_BROKEN;
		ref = le24_load(at_target.data + 1);
		out_target->keeps_user = first == TARGET_FAR;
	}
	if (domain_at(table, ref, &out_target->domain) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	if ((out_target->domain.flags & TABLE_DOMAIN_PROBED) != 0)
		out_target->domain.hash = hash_key(out_target->domain.name, table->seed);
	return LOOKUP_FOUND;
}

/* ---- life ----------------------------------------------------------------------------- */

struct table *table_open_bytes(struct bytes bytes, struct error *err)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL) {
		(void)error_set_memory(err); /* always false */
		return NULL;
	}
	if (!header_read(bytes, table, err) || !patterns_load(table, err) ||
	    !canaries_replay(table, err)) {
		table_close(table);
		return NULL;
	}
	return table;
}

struct table *table_open(const char *path, uid_t also_owner, enum table_load load,
                         struct error *err)
{
	const struct file_limits limits = {
		.least_bytes = FORMAT_HEADER_BYTES,
		.most_bytes = SIZE_MAX,
		.also_owner = also_owner,
	};
	struct file_copy copy;
	struct guard *guard = NULL;
	struct error why;
	struct table *table = NULL;

	if (load == TABLE_COPIED ? !file_copy_load(path, &limits, &copy, err) :
	                           !file_copy_map(path, &limits, &copy, err))
		return NULL;
	if (load == TABLE_GUARDED)
		guard = guard_new(&copy, &why);
	if (load != TABLE_GUARDED || guard != NULL)
		table = table_open_bytes(copy.bytes, &why);
	if (table == NULL) {
		(void)error_set(err, why.status, "%s: %s", path, why.text); /* always false */
		guard_free(guard);
		file_copy_free(&copy);
		return NULL;
	}
	table->copy = copy;
	table->guard = guard;
	return table;
}

bool table_is_guarded(const struct table *table)
{
	return table->guard != NULL;
}

bool table_is_intact(const struct table *table)
{
	return table->guard == NULL || guard_is_intact(table->guard);
}

void table_close(struct table *table)
{
	if (table == NULL)
		return;
	patterns_unload(table);
	guard_free(table->guard);
	if (table->copy.bytes.data != NULL)
		file_copy_free(&table->copy);
	free(table);
}

const struct table_rules *table_rules(const struct table *table)
{
	return &table->rules;
}

const struct table_facts *table_facts(const struct table *table)
{
	return &table->facts;
}

const struct file_identity *table_identity(const struct table *table)
{
	return table->copy.bytes.data == NULL ? NULL : &table->copy.identity;
}

struct bytes table_bytes(const struct table *table)
{
	return table->file;
}
