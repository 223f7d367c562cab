/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside - what the files of this floor share about an open table. Not for other floors.
 */
#ifndef TABLE_INSIDE_H
#define TABLE_INSIDE_H

#include "base/file.h"
#include "base/le.h"
#include "table/format.h"
#include "table/table.h"

struct table {
	struct bytes file;
	struct bytes data;
	struct bytes domains;
	struct bytes index;
	struct bytes directory;
	struct bytes canaries;
	struct bytes sources;
	struct bytes provenance;
	struct bytes patterns;
	uint64_t seed;
	uint64_t body_sum; /* as it was when the table was opened */
	uint64_t lines;
	uint64_t buckets;
	struct table_rules rules;
	struct table_facts facts;
	struct guard *guard;             /* of a TABLE_GUARDED one */
	struct pattern_set *pattern_set; /* NULL: no patterns */
	struct file_copy copy;           /* bytes.data is NULL for a table from memory */
};

/* Is [OFFSET, OFFSET+SIZE) inside B? Without overflow. */
static inline bool inside(struct bytes b, uint64_t offset, uint64_t size)
{
	return size <= b.size && offset <= b.size - size;
}

static inline const unsigned char *at(struct bytes b, uint64_t offset)
{
	return (const unsigned char *)b.data + offset;
}

/* The record at REF; NULL: broken. */
static inline const unsigned char *domain_record(const struct table *table, uint32_t ref)
{
	uint64_t offset = (uint64_t)ref * DOMAIN_UNIT;
	const unsigned char *record;

	if (ref == 0 || !inside(table->domains, offset, DOMAIN_UNIT))
		return NULL;
	record = at(table->domains, offset);
	return inside(table->domains, offset + DOMAIN_NAME, record[DOMAIN_LENGTH]) ? record : NULL;
}

static inline void domain_fill(const unsigned char *record, uint32_t ref, uint64_t hash,
			       struct table_domain *out_domain)
{
	out_domain->name.data = (const char *)record + DOMAIN_NAME;
	out_domain->name.size = record[DOMAIN_LENGTH];
	out_domain->flags = record[DOMAIN_FLAGS];
	out_domain->ref = ref;
	out_domain->hash = hash;
	out_domain->catch_all = le32_load(record + DOMAIN_CATCH_ALL);
}

/* One cluster of one line, as the directory describes it. */
struct cluster {
	struct bytes bytes; /* lengths and records, behind the escaped count if there is one */
	unsigned count;
	unsigned first; /* position of its first entry in the line, if nothing is escaped */
	const unsigned char *fingerprints; /* of its entries; NULL: not all fit, look at each */
	bool is_escaped;
};

/* FOUND; ABSENT: it is empty; BROKEN. */
enum lookup table_cluster_at(const struct table *table, uint64_t line, unsigned number,
			     struct cluster *out_cluster);

/* Record number INDEX, which begins at OFFSET behind the lengths. False: broken. */
bool table_cluster_record(const struct cluster *cluster, unsigned index, size_t offset,
			  struct bytes *out_record);

/* Fill kind, targets and reply of OUT_ENTRY from the list at REF. */
enum lookup entry_follow_list(const struct table *table, uint32_t ref,
			      struct table_entry *out_entry);

/* As table_next_target(), but for the hash of the target's domain. */
enum lookup target_next(const struct table *table, struct table_target_cursor *cursor,
			struct table_target *out_target);

/* The domain record at REF. */
enum lookup table_domain_at(const struct table *table, uint32_t ref,
			    struct table_domain *out_domain);

static inline uint64_t place_make(uint64_t line, unsigned cluster, unsigned index)
{
	return line << 16 | (uint64_t)cluster << 8 | index;
}

/* Which of all clusters a place is in. */
static inline uint64_t place_cluster(uint64_t place)
{
	return (place >> 16) * LINE_CLUSTERS + (place >> 8 & 0xff);
}

/* The place of a catch-all: this bit and the global line its list carries. */
#define PLACE_CATCH_ALL (UINT64_C(1) << 63)

/* Check header and sections, fill all but copy, guard and pattern_set. */
bool header_read(struct bytes file, struct table *out_table, struct error *err);

/* What a canary remembers of an entry: a hash of its meaning. BROKEN where it can't be read. */
enum lookup entry_fingerprint(const struct table *table, const struct table_entry *entry,
			      uint64_t *out_fingerprint);
/* Look all canaries up. */
bool canaries_replay(const struct table *table, struct error *err);

#endif
