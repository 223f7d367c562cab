/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find - look domains and keys up.
 *
 * Results are stored field by field where they are wanted: a struct that is built on the stack and
 * then copied makes the copy wait for every store, and so for the cache misses behind them.
 */
#include "base/scan.h"
#include "table/entry_record.h"
#include "table/inside.h"

enum { CACHE_LINE_BYTES = 64, FETCHED_LINES = 3 };

/* ---- domains -------------------------------------------------------------------------- */

/* Look at one slot; ABSENT: another domain's. */
static inline enum lookup domain_in_slot(const struct table *table, uint32_t reference,
					 uint64_t hash, struct bytes name,
					 struct table_domain *out_domain)
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

static const unsigned char *bucket_of(const struct table *table, uint64_t hash)
{
	return at(table->index, format_high64(hash, table->buckets) * BUCKET_BYTES);
}

/* A free slot has neither fingerprint nor reference; slots fill from the first, so that a free last
 * one ends the search. */
static bool bucket_is_full(const unsigned char *slots)
{
	return le32_load(slots + BUCKET_REFS + 4UL * (BUCKET_SLOTS - 1)) != 0;
}

/* Find NAME, whose hash is HASH, from its first bucket SLOTS on. FOUND: bit i is set where its
 * slot i has the fingerprint. */
static inline enum lookup find_domain(const struct table *table, const unsigned char *slots,
				      unsigned found, struct bytes name, uint64_t hash,
				      struct table_domain *out_domain)
{
	const unsigned char *end = at(table->index, table->buckets * BUCKET_BYTES);

	for (uint64_t steps = 0; steps < table->buckets; steps++) {
		for (; found != 0; found &= found - 1) {
			unsigned slot = (unsigned)__builtin_ctz(found);
			uint32_t reference = le32_load(slots + BUCKET_REFS + 4UL * slot);
			enum lookup outcome;

			if (reference == 0)
				return LOOKUP_ABSENT;
			outcome = domain_in_slot(table, reference, hash, name, out_domain);
			if (outcome != LOOKUP_ABSENT)
				return outcome;
		}
		if (!bucket_is_full(slots))
			return LOOKUP_ABSENT;
		slots += BUCKET_BYTES;
		if (slots == end)
			slots = at(table->index, 0);
		found = scan_words(slots, (uint32_t)hash);
	}
	return LOOKUP_ABSENT;
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

enum lookup table_cluster_at(const struct table *table, uint64_t line, unsigned number,
			     struct cluster *out_cluster)
{
	const unsigned char *row = at(table->directory, line * LINE_BYTES);
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned count = counts >> (4 * number) & 15;
	unsigned first = nibble_sum(counts & ((UINT32_C(1) << 4 * number) - 1));
	uint64_t base = (uint64_t)le32_load(row + LINE_BASE) * DATA_UNIT;
	unsigned begin = number == 0 ? 0 : le16_load(row + LINE_ENDS + 2UL * (number - 1));
	unsigned end = le16_load(row + LINE_ENDS + 2UL * number);

	if (count == 0)
		return LOOKUP_ABSENT;
	if (begin >= end || !inside(table->data, base + begin, end - begin))
		return LOOKUP_BROKEN;
	*out_cluster = (struct cluster){
		.bytes = bytes_make(at(table->data, base + begin), end - begin),
		.count = count,
		.first = first,
		.fingerprints = first + count <= LINE_FINGERPRINT_ROOM
					? row + LINE_FINGERPRINTS + first
					: NULL,
	};
	if (count == CLUSTER_ESCAPE) {
		out_cluster->is_escaped = true;
		out_cluster->fingerprints = NULL;
		out_cluster->count = (unsigned char)out_cluster->bytes.data[0];
		out_cluster->bytes = bytes_skip(out_cluster->bytes, 1);
	}
	return out_cluster->bytes.size >= out_cluster->count ? LOOKUP_FOUND : LOOKUP_BROKEN;
}

bool table_cluster_record(const struct cluster *cluster, unsigned index, size_t offset,
			  struct bytes *out_record)
{
	size_t size = (unsigned char)cluster->bytes.data[index];
	size_t begin = cluster->count + offset;

	if (!inside(cluster->bytes, begin, size))
		return false;
	*out_record = bytes_make(cluster->bytes.data + begin, size);
	return true;
}

/* A key to be found. */
struct wanted {
	uint32_t head; /* the first 4 bytes of its record: domref and length as one word */
	struct bytes local;
};

static inline bool has_key(const unsigned char *record, size_t size, const struct wanted *wanted)
{
	return size >= RECORD_HEAD + wanted->local.size && le32_load(record) == wanted->head &&
	       bytes_same(record + RECORD_HEAD, wanted->local.data, wanted->local.size);
}

/* A cluster without all its fingerprints in its line: look at every record. */
static __attribute__((noinline)) enum lookup find_slowly(const struct table *table, uint64_t line,
							 unsigned number,
							 const struct wanted *wanted,
							 struct table_entry *out_entry)
{
	struct cluster cluster;
	struct bytes record;
	size_t offset = 0;
	enum lookup outcome = table_cluster_at(table, line, number, &cluster);

	if (outcome != LOOKUP_FOUND)
		return outcome;
	for (unsigned i = 0; i < cluster.count; i++, offset += record.size) {
		if (!table_cluster_record(&cluster, i, offset, &record))
			return LOOKUP_BROKEN;
		if (has_key((const unsigned char *)record.data, record.size, wanted))
			return entry_from_record(table, record, place_make(line, number, i),
						 out_entry);
	}
	return LOOKUP_ABSENT;
}

/*
 * A cluster is some three cache lines long, and where a record is stands in the first: have all
 * come at once. As many always: a loop whose end hangs on the directory waits for it.
 */
static inline void fetch(const unsigned char *cluster, size_t size)
{
	const size_t last = size - 1;

	__builtin_prefetch(cluster);
	for (size_t line = 1; line <= FETCHED_LINES; line++)
		__builtin_prefetch(cluster + (line * CACHE_LINE_BYTES < last
						      ? line * CACHE_LINE_BYTES
						      : last));
}

/* What the directory says of the cluster of a hash. */
struct spot {
	uint64_t line;
	unsigned number; /* of the cluster in its line */
	unsigned count;
	unsigned found; /* bit i: entry i has the fingerprint */
	bool is_told;   /* the line has all fingerprints of this cluster */
};

static inline struct spot spot_of(const struct table *table, uint64_t hash)
{
	uint64_t cluster = format_high64(hash, table->lines * LINE_CLUSTERS);
	struct spot spot = {
		.line = cluster / LINE_CLUSTERS,
		.number = (unsigned)(cluster % LINE_CLUSTERS),
	};
	const unsigned char *row = at(table->directory, spot.line * LINE_BYTES);
	uint32_t counts = le32_load(row + LINE_COUNTS);
	unsigned first = nibble_sum(counts & ((UINT32_C(1) << spot.number * 4) - 1));
	unsigned last_start = LINE_FINGERPRINT_ROOM - SCAN_BYTES;
	unsigned start = first < last_start ? first : last_start; /* stay inside the line */

	spot.count = counts >> spot.number * 4 & 15;
	spot.is_told = spot.count != CLUSTER_ESCAPE && first + spot.count <= LINE_FINGERPRINT_ROOM;
	if (spot.is_told)
		spot.found = scan_bytes(row + LINE_FINGERPRINTS + start, (unsigned char)hash) >>
				     (first - start) &
			     ((1U << spot.count) - 1);
	return spot;
}

/* Can there be an entry? Only this one line was read. */
static inline bool spot_may_have(const struct spot *spot)
{
	return !spot->is_told || spot->found != 0;
}

/*
 * Find WANTED where SPOT says. A look-up for nobody reads one line of the directory and, all but
 * always, nothing more: the cluster itself is read only for an entry with the right fingerprint.
 */
static inline __attribute__((always_inline)) enum lookup find_at(const struct table *table,
								 const struct spot *spot,
								 const struct wanted *wanted,
								 struct table_entry *out_entry)
{
	const unsigned char *row = at(table->directory, spot->line * LINE_BYTES);
	const unsigned char *cluster;
	uint64_t begin, size;

	if (!spot->is_told)
		return find_slowly(table, spot->line, spot->number, wanted, out_entry);
	if (spot->found == 0)
		return LOOKUP_ABSENT;
	/* Of the first one the counts are read, for nothing. */
	begin = le16_load(row + LINE_ENDS - 2 + 2UL * spot->number) &
		(spot->number == 0 ? 0 : 0xffff);
	size = le16_load(row + LINE_ENDS + 2UL * spot->number);
	if (begin >= size || size - begin < spot->count)
		return LOOKUP_BROKEN;
	size -= begin;
	begin += (uint64_t)le32_load(row + LINE_BASE) * DATA_UNIT;
	if (!inside(table->data, begin, size))
		return LOOKUP_BROKEN;
	cluster = at(table->data, begin);
	fetch(cluster, size);
	for (unsigned found = spot->found; found != 0; found &= found - 1) {
		unsigned index = (unsigned)__builtin_ctz(found);
		/* Reads SCAN_BYTES: there is padding behind every section. */
		size_t offset = spot->count + scan_sum(cluster, index);
		size_t length = cluster[index];

		if (offset > size || length > size - offset)
			return LOOKUP_BROKEN;
		if (has_key(cluster + offset, length, wanted))
			return entry_from_record(table, bytes_make(cluster + offset, length),
						 place_make(spot->line, spot->number, index),
						 out_entry);
	}
	return LOOKUP_ABSENT;
}

static enum lookup find_hashed_domain(const struct table *table, struct bytes name, uint64_t hash,
				      struct table_domain *out_domain)
{
	const unsigned char *slots = bucket_of(table, hash);

	return find_domain(table, slots, scan_words(slots, (uint32_t)hash), name, hash, out_domain);
}

enum lookup table_find_domain(const struct table *table, struct bytes name,
			      struct table_domain *out_domain)
{
	return find_hashed_domain(table, name, hash_key(name, table->seed), out_domain);
}

enum lookup table_find_domain_for(const struct table *table, struct bytes name, struct bytes local,
				  struct table_domain *out_domain)
{
	uint64_t hash = hash_key(name, table->seed);
	enum lookup outcome;
	uint64_t catch_all;

	table_prefetch(table, hash, local);
	outcome = find_hashed_domain(table, name, hash, out_domain);
	if (outcome != LOOKUP_FOUND)
		return outcome;
	/* Where there is no key it will be the answer. */
	catch_all = (uint64_t)out_domain->catch_all * DATA_UNIT;
	__builtin_prefetch(at(table->data, inside(table->data, catch_all, 1) ? catch_all : 0));
	return LOOKUP_FOUND;
}

enum lookup table_find(const struct table *table, const struct table_domain *domain,
		       struct bytes local, struct table_entry *out_entry)
{
	const struct wanted wanted = {
		.head = domain->ref | (uint32_t)local.size << 24,
		.local = local,
	};
	struct spot spot;

	if (local.size == 0 || local.size > KEY_LOCAL_MAX)
		return LOOKUP_ABSENT;
	spot = spot_of(table, format_mix(domain->hash, hash_key(local, table->seed)));
	return find_at(table, &spot, &wanted, out_entry);
}

enum lookup table_find_key(const struct table *table, struct bytes domain_name, struct bytes local,
			   struct table_domain *out_domain, struct table_entry *out_entry)
{
	uint64_t domain_hash = hash_key(domain_name, table->seed);
	uint64_t hash = format_mix(domain_hash, hash_key(local, table->seed));
	const unsigned char *slots = bucket_of(table, domain_hash);
	struct wanted wanted = { .local = local };
	enum lookup outcome;
	struct spot spot;
	unsigned found;

	if (local.size == 0 || local.size > KEY_LOCAL_MAX)
		return LOOKUP_ABSENT;
	__builtin_prefetch(line_of(table, hash));
	/* Fingerprints first: the domain's own record is read only for a key that may be there. */
	found = scan_words(slots, (uint32_t)domain_hash);
	if (found == 0 && !bucket_is_full(slots))
		return LOOKUP_ABSENT;
	spot = spot_of(table, hash);
	if (!spot_may_have(&spot))
		return LOOKUP_ABSENT;
	outcome = find_domain(table, slots, found, domain_name, domain_hash, out_domain);
	if (outcome != LOOKUP_FOUND)
		return outcome;
	wanted.head = out_domain->ref | (uint32_t)local.size << 24;
	return find_at(table, &spot, &wanted, out_entry);
}

void table_prefetch(const struct table *table, uint64_t domain_hash, struct bytes local)
{
	__builtin_prefetch(line_of(table, format_mix(domain_hash, hash_key(local, table->seed))));
}

void table_prefetch_entry(const struct table *table, uint64_t domain_hash, struct bytes local)
{
	uint64_t hash = format_mix(domain_hash, hash_key(local, table->seed));
	uint64_t number = format_high64(hash, table->lines * LINE_CLUSTERS);
	struct cluster cluster;

	if (table_cluster_at(table, number / LINE_CLUSTERS, (unsigned)(number % LINE_CLUSTERS),
			     &cluster) != LOOKUP_FOUND)
		return;
	/* Most clusters are two or three cache lines long. */
	__builtin_prefetch(cluster.bytes.data);
	__builtin_prefetch(cluster.bytes.data + cluster.bytes.size / 2);
	__builtin_prefetch(cluster.bytes.data + cluster.bytes.size - 1);
}
