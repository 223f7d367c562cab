/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find - look domains and keys up.
 *
 * Results are stored field by field where they are wanted: a struct that is built on the stack and
 * then copied makes the copy wait for every store, and so for the cache misses behind them.
 */
#include "table/inside.h"

enum { CACHE_LINE_BYTES = 64, FETCHED_BYTES_MAX = 320 };

/* ---- domains -------------------------------------------------------------------------- */

/* Look at one slot; ABSENT: another domain's. */
static enum lookup domain_in_slot(const struct table *table, uint32_t reference, uint64_t hash,
                                  struct bytes name, struct table_domain *out_domain)
{
	uint32_t ref = reference >> BUCKET_REF_FLAG_BITS;
	const unsigned char *record = domain_record(table, ref);

	if (record == NULL)
		return LOOKUP_BROKEN;
	if (record[DOMAIN_LENGTH] != name.size ||
	    !bytes_same(record + DOMAIN_NAME, name.data, name.size))
		return LOOKUP_ABSENT;
	domain_fill(record, ref, hash, out_domain);
	return LOOKUP_FOUND;
}

/* Find NAME, whose hash is HASH. A free slot has neither fingerprint nor reference; slots fill from
 * the first, so that a free last one ends the search. */
static enum lookup find_domain(const struct table *table, struct bytes name, uint64_t hash,
                               struct table_domain *out_domain)
{
	uint64_t bucket = format_high64(hash, table->buckets);

	for (uint64_t steps = 0; steps < table->buckets; steps++) {
		const unsigned char *slots = at(table->index, bucket * BUCKET_BYTES);

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			uint32_t reference;
			enum lookup outcome;

			if (le32_load(slots + i * 4) != (uint32_t)hash)
				continue;
			reference = le32_load(slots + BUCKET_REFS + i * 4);
			if (reference == 0)
				return LOOKUP_ABSENT;
			outcome = domain_in_slot(table, reference, hash, name, out_domain);
			if (outcome != LOOKUP_ABSENT)
				return outcome;
		}
		if (le32_load(slots + BUCKET_REFS + (BUCKET_SLOTS - 1) * 4) == 0)
			return LOOKUP_ABSENT;
		bucket = bucket + 1 == table->buckets ? 0 : bucket + 1;
	}
	return LOOKUP_ABSENT;
}

enum lookup table_find_domain(const struct table *table, struct bytes name,
                              struct table_domain *out_domain)
{
	return find_domain(table, name, hash_key(name, table->seed), out_domain);
}

/* ---- entries -------------------------------------------------------------------------- */

static const unsigned char *line_of(const struct table *table, uint64_t hash)
{
	return at(table->directory,
	          format_high64(hash, table->lines * LINE_CLUSTERS) / LINE_CLUSTERS * LINE_BYTES);
}

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

/* A key to be found: its hash, and the first 4 bytes of its record: domref and length as one word.
 */
struct wanted {
	uint64_t hash;
	uint32_t head;
	struct bytes local;
};

static bool has_key(const unsigned char *record, size_t size, const struct wanted *wanted)
{
	return size >= RECORD_HEAD + wanted->local.size && le32_load(record) == wanted->head &&
	       bytes_same(record + RECORD_HEAD, wanted->local.data, wanted->local.size);
}

/*
 * Look for a key among COUNT records that begin with their lengths at AT_LENGTHS; SIZE bytes are
 * theirs, lengths and all. FINGERPRINTS may be NULL: then each is looked at.
 */
static enum lookup find_in_records(const struct table *table, const unsigned char *at_lengths,
                                   size_t size, unsigned count,
                                   const unsigned char *fingerprints,
                                   const struct wanted *wanted, uint64_t place,
                                   struct table_entry *out_entry)
{
	size_t offset = count;
	unsigned summed = 0;	/* offset is that of this record */

	for (unsigned i = 0; i < count; i++) {
		size_t length;

		if (fingerprints != NULL && fingerprints[i] != (unsigned char)wanted->hash)
			continue;
		for (; summed < i; summed++)
			offset += at_lengths[summed];
		length = at_lengths[i];
		if (offset > size || length > size - offset)
			return LOOKUP_BROKEN;
		if (has_key(at_lengths + offset, length, wanted))
			return entry_from_record(table, bytes_make(at_lengths + offset, length),
			                         place + i, out_entry);
	}
	return LOOKUP_ABSENT;
}

/* A cluster without all its fingerprints in its line. */
static enum lookup find_slowly(const struct table *table, uint64_t line, unsigned number,
                               const struct wanted *wanted, struct table_entry *out_entry)
{
	struct cluster cluster;
	enum lookup outcome = cluster_at(table, line, number, &cluster);

	if (outcome != LOOKUP_FOUND)
		return outcome;
	return find_in_records(table, (const unsigned char *)cluster.bytes.data,
	                       cluster.bytes.size, cluster.count, NULL, wanted,
	                       place_make(line, number, 0), out_entry);
}

/* A cluster is some three cache lines long, and where a record is stands in the first: have all
 * come at once. */
static void fetch(const unsigned char *cluster, size_t size)
{
	for (size_t next = CACHE_LINE_BYTES; next < size && next <= FETCHED_BYTES_MAX;
	     next += CACHE_LINE_BYTES)
		__builtin_prefetch(cluster + next);
}

/*
 * Find WANTED in its line. A look-up for nobody reads this one cache line and, all but always,
 * nothing more: the cluster itself is read only for an entry with the right fingerprint.
 */
static enum lookup find_in_line(const struct table *table, const struct wanted *wanted,
                                struct table_entry *out_entry)
{
	uint64_t cluster = format_high64(wanted->hash, table->lines * LINE_CLUSTERS);
	uint64_t line = cluster / LINE_CLUSTERS;
	unsigned number = (unsigned)(cluster % LINE_CLUSTERS);
	const unsigned char *row = at(table->directory, line * LINE_BYTES);
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned count = counts >> number * 4 & 15;
	unsigned first = nibble_sum(counts & ((UINT32_C(1) << number * 4) - 1));
	const unsigned char *fingerprints = row + LINE_FINGERPRINTS + first;
	uint64_t begin, end;
	unsigned i = 0;

	if (count == CLUSTER_ESCAPE || first + count > LINE_FINGERPRINT_ROOM)
		return find_slowly(table, line, number, wanted, out_entry);
	while (i < count && fingerprints[i] != (unsigned char)wanted->hash)
		i++;
	if (i == count)
		return LOOKUP_ABSENT;
	begin = number == 0 ? 0 : le16_load(row + LINE_ENDS + 2 * (number - 1));
	end = le16_load(row + LINE_ENDS + 2 * number);
	if (begin >= end || end - begin < count)
		return LOOKUP_BROKEN;
	end -= begin;
	begin += (uint64_t)le32_load(row + LINE_BASE) * DATA_UNIT;
	if (!inside(table->data, begin, end))
		return LOOKUP_BROKEN;
	fetch(at(table->data, begin), end);
	return find_in_records(table, at(table->data, begin), end, count, fingerprints, wanted,
	                       place_make(line, number, 0), out_entry);
}

enum lookup table_find(const struct table *table, const struct table_domain *domain,
                       struct bytes local, struct table_entry *out_entry)
{
	const struct wanted wanted = {
		.hash = format_mix(domain->hash, hash_key(local, table->seed)),
		.head = domain->ref | (uint32_t)local.size << 24,
		.local = local,
	};

	if (local.size == 0 || local.size > KEY_LOCAL_MAX)
		return LOOKUP_ABSENT;
	return find_in_line(table, &wanted, out_entry);
}

/* Has the first bucket of this hash a domain with its fingerprint, or is it full? */
static bool may_have_domain(const struct table *table, uint64_t hash)
{
	const unsigned char *slots =
		at(table->index, format_high64(hash, table->buckets) * BUCKET_BYTES);

	for (unsigned i = 0; i < BUCKET_SLOTS; i++)
		if (le32_load(slots + i * 4) == (uint32_t)hash)
			return true;
	return le32_load(slots + BUCKET_REFS + (BUCKET_SLOTS - 1) * 4) != 0;
}

/* Has the cluster of this hash an entry with its fingerprint, or can't the line tell? */
static bool may_have_key(const struct table *table, uint64_t hash)
{
	unsigned number = (unsigned)(format_high64(hash, table->lines * LINE_CLUSTERS) %
	                             LINE_CLUSTERS);
	const unsigned char *row = line_of(table, hash);
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned count = counts >> number * 4 & 15;
	unsigned first = nibble_sum(counts & ((UINT32_C(1) << number * 4) - 1));

	if (count == CLUSTER_ESCAPE || first + count > LINE_FINGERPRINT_ROOM)
		return true;
	for (unsigned i = 0; i < count; i++)
		if (row[LINE_FINGERPRINTS + first + i] == (unsigned char)hash)
			return true;
	return false;
}

enum lookup table_find_key(const struct table *table, struct bytes domain_name,
                           struct bytes local, struct table_domain *out_domain,
                           struct table_entry *out_entry)
{
	uint64_t domain_hash = hash_key(domain_name, table->seed);
	struct wanted wanted = {
		.hash = format_mix(domain_hash, hash_key(local, table->seed)),
		.local = local,
	};
	enum lookup outcome;

	if (local.size == 0 || local.size > KEY_LOCAL_MAX)
		return LOOKUP_ABSENT;
	__builtin_prefetch(line_of(table, wanted.hash));
	/* Fingerprints first: the domain's own record is read only for a key that may be there. */
	if (!may_have_domain(table, domain_hash) || !may_have_key(table, wanted.hash))
		return LOOKUP_ABSENT;
	outcome = find_domain(table, domain_name, domain_hash, out_domain);
	if (outcome != LOOKUP_FOUND)
		return outcome;
	wanted.head = out_domain->ref | (uint32_t)local.size << 24;
	return find_in_line(table, &wanted, out_entry);
}

void table_prefetch(const struct table *table, uint64_t domain_hash, struct bytes local)
{
	__builtin_prefetch(
		line_of(table, format_mix(domain_hash, hash_key(local, table->seed))));
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
