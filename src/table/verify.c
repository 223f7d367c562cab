/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/verify.h"

#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>

#include "table/entry_record.h"
#include "table/inside.h"
#include "table/patterns.h"

enum { LINES_FOR_THREADS = 1000 };

struct check {
	const struct table *table;
	const struct table_visitor *visitor;
	void *context;         /* of the visitor */
	unsigned char *starts; /* a bit for each unit of DOMAINS where a record begins */
	uint64_t first_line;
	uint64_t end_line;
	uint64_t entries;
	uint64_t targets;
	uint64_t ours;
	uint64_t probed;
	struct error *err;
	bool is_sound; /* what check_lines() found */
};

static bool wrong(const struct check *check, const char *what)
{
	return error_set(check->err, EX_DATAERR, "not a sound table: %s", what);
}

static bool begins_record(const struct check *check, uint32_t ref)
{
	return (uint64_t)ref * DOMAIN_UNIT < check->table->domains.size &&
	       (check->starts[ref / 8] >> ref % 8 & 1) != 0;
}

/* ---- entries ------------------------------------------------------------------------------ */

static bool check_target(struct check *check, const struct table_target *target,
			 struct table_row_sum *sum)
{
	size_t size = target->local.size + 1 + target->domain.name.size;

	if (!begins_record(check, target->domain.ref))
		return wrong(check, "a target's domain");
	if (target->local.size == 0 && !target->keeps_user)
		return wrong(check, "a target without a local part");
	sum->targets++;
	sum->flags |= target->domain.flags;
	sum->longest = size > sum->longest ? size : sum->longest;
	if (target->local.size > sum->longest_local)
		sum->longest_local = target->local.size;
	sum->keeps_user |= target->keeps_user;
	return true;
}

/* The targets of ROW; then it is sound in itself. */
static bool check_entry(struct check *check, const struct table_row *row)
{
	struct table_target_cursor cursor;
	struct table_target target;
	struct table_row_sum sum = { .targets = 0 };
	enum lookup outcome;

	table_targets_begin(&row->entry, &cursor);
	while ((outcome = target_next(check->table, &cursor, &target)) == LOOKUP_FOUND)
		if (!check_target(check, &target, &sum))
			return false;
	if (outcome == LOOKUP_BROKEN)
		return wrong(check, "a list of targets");
	if ((sum.targets == 0) == (row->entry.kind == TABLE_ENTRY_TARGETS))
		return wrong(check, "an entry without targets, or with too many");
	check->entries++;
	check->targets += sum.targets;
	if (check->visitor->on_row != NULL)
		check->visitor->on_row(check->context, row, &sum);
	return true;
}

static bool is_extended(const struct table *table, struct bytes local)
{
	for (size_t i = 0; i < table->rules.delimiters.size; i++)
		if (bytes_contain(bytes_skip(local, 1), table->rules.delimiters.data[i]))
			return true;
	return false;
}

/* Is the key where a look-up would search it, under its fingerprint? */
static bool check_key(struct check *check, const struct table_row *row,
		      const unsigned char *fingerprint)
{
	const struct table *table = check->table;
	uint64_t cluster = place_cluster(row->entry.place);
	uint64_t hash = format_mix(row->domain.hash, hash_key(row->local, table->seed));

	if (!begins_record(check, row->domain.ref))
		return wrong(check, "a key's domain");
	if (format_high64(hash, table->lines * LINE_CLUSTERS) != cluster)
		return wrong(check, "a key in the wrong place");
	if (fingerprint != NULL && *fingerprint != (unsigned char)hash)
		return wrong(check, "a key under another's fingerprint");
	if ((row->domain.flags & TABLE_DOMAIN_PROBED) == 0)
		return wrong(check, "a key in a domain that is not searched");
	if (is_extended(table, row->local) && (row->domain.flags & TABLE_DOMAIN_EXTENSIONS) == 0)
		return wrong(check, "an extension in a domain without");
	return true;
}

static bool check_record(struct check *check, struct bytes record, uint64_t place,
			 const unsigned char *fingerprint)
{
	struct table_row row = { .is_catch_all = false };

	if (entry_from_record(check->table, record, place, &row.entry) != LOOKUP_FOUND ||
	    row.entry.local.size == 0 ||
	    table_domain_at(check->table, row.entry.domain_ref, &row.domain) != LOOKUP_FOUND)
		return wrong(check, "a record");
	row.domain.hash = hash_key(row.domain.name, check->table->seed);
	row.local = row.entry.local;
	return check_key(check, &row, fingerprint) && check_entry(check, &row);
}

/* Have two entries of a cluster the same fingerprint? Without them there is no key twice. */
static bool may_have_twins(const struct cluster *cluster)
{
	if (cluster->fingerprints == NULL)
		return true;
	for (unsigned a = 0; a < cluster->count; a++)
		for (unsigned b = a + 1; b < cluster->count; b++)
			if (cluster->fingerprints[a] == cluster->fingerprints[b])
				return true;
	return false;
}

/* Have two records of a cluster the same key? */
static bool has_twins(const struct cluster *cluster)
{
	size_t offset_a = 0;

	for (unsigned a = 0; a < cluster->count; a++) {
		size_t offset_b = offset_a + (unsigned char)cluster->bytes.data[a];
		struct bytes record_a, record_b;

		if (!table_cluster_record(cluster, a, offset_a, &record_a))
			return true;
		offset_a = offset_b;
		for (unsigned b = a + 1; b < cluster->count; b++) {
			size_t size = RECORD_HEAD + (size_t)(unsigned char)record_a.data[3];

			if (!table_cluster_record(cluster, b, offset_b, &record_b))
				return true;
			if (bytes_equal(bytes_first(record_a, size), bytes_first(record_b, size)))
				return true;
			offset_b += (unsigned char)cluster->bytes.data[b];
		}
	}
	return false;
}

static bool check_cluster(struct check *check, uint64_t line, unsigned number)
{
	struct cluster cluster;
	enum lookup outcome = table_cluster_at(check->table, line, number, &cluster);
	size_t offset = 0;

	if (outcome == LOOKUP_ABSENT)
		return true;
	if (outcome == LOOKUP_BROKEN || (cluster.is_escaped && cluster.count < CLUSTER_ESCAPE))
		return wrong(check, "a cluster");
	for (unsigned i = 0; i < cluster.count; i++) {
		struct bytes record;

		if (!table_cluster_record(&cluster, i, offset, &record))
			return wrong(check, "a record of a cluster");
		if (!check_record(check, record, place_make(line, number, i),
				  cluster.fingerprints == NULL ? NULL : cluster.fingerprints + i))
			return false;
		offset += record.size;
	}
	if (cluster.count + offset != cluster.bytes.size)
		return wrong(check, "a cluster that is longer than its records");
	return !may_have_twins(&cluster) || !has_twins(&cluster) ||
	       wrong(check, "a key stands twice");
}

/* The ends of one line, and its clusters. *FREE_FROM is where its data may begin. */
static bool check_line(struct check *check, uint64_t line, uint32_t *free_from)
{
	const unsigned char *row = at(check->table->directory, line * LINE_BYTES);
	unsigned end = 0;

	if (le32_load(row + LINE_BASE) < *free_from)
		return wrong(check, "lines that overlap");
	for (unsigned i = 0; i < LINE_CLUSTERS; i++) {
		unsigned next = le16_load(row + LINE_ENDS + 2UL * i);
		bool is_empty = (le32_load(row + LINE_COUNTS) >> 4 * i & 15) == 0;

		if (next < end || (next == end) != is_empty)
			return wrong(check, "the ends of a line");
		end = next;
		if (!check_cluster(check, line, i))
			return false;
	}
	*free_from = le32_load(row + LINE_BASE) + (end + DATA_UNIT - 1) / DATA_UNIT;
	return true;
}

/* The share of one thread. */
static void *check_lines(void *context)
{
	struct check *check = context;
	uint32_t free_from = 1;

	check->is_sound = true;
	for (uint64_t line = check->first_line; check->is_sound && line < check->end_line; line++)
		check->is_sound = check_line(check, line, &free_from);
	return NULL;
}

/* Does the second share begin behind the first? Each has looked at its own lines only. */
static bool meet(const struct check *check, uint64_t line)
{
	const unsigned char *before;

	if (line == 0 || line >= check->table->lines)
		return true;
	before = at(check->table->directory, (line - 1) * LINE_BYTES);
	return le32_load(before + LINE_BASE) <=
		       le32_load(at(check->table->directory, line * LINE_BYTES) + LINE_BASE) ||
	       wrong(check, "lines that overlap");
}

/* All lines, on two threads where that pays. */
static bool check_all_lines(struct check *check)
{
	uint64_t lines = check->table->lines;
	struct error other_error = { .status = EX_OK };
	struct check other = *check;
	pthread_t thread;

	check->end_line = lines;
	if (lines >= LINES_FOR_THREADS) {
		check->end_line = lines / TABLE_VERIFIERS;
		other.first_line = check->end_line;
		other.end_line = lines;
		other.err = &other_error;
		other.context = check->visitor->contexts[1];
	}
	if (other.end_line == 0 || pthread_create(&thread, NULL, check_lines, &other) != 0) {
		check->end_line = lines;
		(void)check_lines(check); /* NULL, as every thread's end */
		return check->is_sound;
	}
	(void)check_lines(check);         /* NULL, as every thread's end */
	(void)pthread_join(thread, NULL); /* it exists */
	check->entries += other.entries;
	check->targets += other.targets;
	if (check->is_sound && !other.is_sound)
		return error_set(check->err, other_error.status, "%s", other_error.text);
	return check->is_sound && meet(check, other.first_line);
}

/* ---- domains ------------------------------------------------------------------------------ */

/* Mark where records begin; they must fill the section exactly. */
static bool mark_domains(struct check *check)
{
	const struct table *table = check->table;
	uint64_t unit = 1;

	while (unit * DOMAIN_UNIT < table->domains.size) {
		struct table_domain domain;
		uint64_t size;

		if (table_domain_at(table, (uint32_t)unit, &domain) != LOOKUP_FOUND)
			return wrong(check, "a domain");
		check->starts[unit / 8] |= (unsigned char)(1 << unit % 8);
		size = DOMAIN_NAME + domain.name.size + 1;
		unit += (size + DOMAIN_UNIT - 1) / DOMAIN_UNIT;
	}
	return unit * DOMAIN_UNIT == table->domains.size || wrong(check, "the last domain");
}

static bool check_domain(struct check *check, const struct table_domain *domain)
{
	struct table_domain found;
	struct table_row row = { .domain = *domain, .is_catch_all = true };
	bool is_probed = (domain->flags & TABLE_DOMAIN_PROBED) != 0;
	enum lookup outcome = table_find_domain(check->table, domain->name, &found);

	if (outcome == LOOKUP_BROKEN || (outcome == LOOKUP_FOUND) != is_probed ||
	    (is_probed && found.ref != domain->ref))
		return wrong(check, "a domain that the index doesn't know, or knows wrongly");
	if ((domain->catch_all != 0) != ((domain->flags & TABLE_DOMAIN_CATCH_ALL) != 0))
		return wrong(check, "the flag of a catch-all");
	if ((domain->flags & TABLE_DOMAIN_OURS) != 0 && !is_probed)
		return wrong(check, "a declared domain that is not searched");
	check->ours += (domain->flags & TABLE_DOMAIN_OURS) != 0;
	check->probed += is_probed;
	row.domain.hash = hash_key(domain->name, check->table->seed);
	outcome = table_find_catch_all(check->table, domain, &row.entry);
	if (outcome == LOOKUP_BROKEN)
		return wrong(check, "a catch-all");
	return outcome == LOOKUP_ABSENT || check_entry(check, &row);
}

/* A reference of the index repeats two flags of the domain that it leads to. */
static bool check_reference(struct check *check, uint32_t reference)
{
	const unsigned repeated = TABLE_DOMAIN_CATCH_ALL | TABLE_DOMAIN_EXTENSIONS;
	uint32_t ref = reference >> BUCKET_REF_FLAG_BITS;
	struct table_domain domain;

	if (!begins_record(check, ref) ||
	    table_domain_at(check->table, ref, &domain) != LOOKUP_FOUND)
		return wrong(check, "a reference of the index");
	return (domain.flags & repeated) == (reference & repeated) ||
	       wrong(check, "the flags in the index");
}

static bool check_domains(struct check *check)
{
	const struct table *table = check->table;
	uint64_t slots = 0;

	for (uint32_t ref = 1; ref < table_domain_refs(table); ref++) {
		struct table_domain domain;

		if (!begins_record(check, ref))
			continue;
		if (table_domain_at(table, ref, &domain) != LOOKUP_FOUND)
			return wrong(check, "a domain");
		if (!check_domain(check, &domain))
			return false;
	}
	for (uint64_t i = 0; i < table->buckets * BUCKET_SLOTS; i++) {
		uint32_t reference =
			le32_load(at(table->index, i / BUCKET_SLOTS * BUCKET_BYTES + BUCKET_REFS +
							   i % BUCKET_SLOTS * 4));

		if (reference != 0 && !check_reference(check, reference))
			return false;
		slots += reference != 0;
	}
	return slots == check->probed || wrong(check, "the index has domains that don't exist");
}

bool table_verify(const struct table *table, struct error *err)
{
	static const struct table_visitor nobody = { .on_row = NULL };

	return table_verify_visiting(table, &nobody, err);
}

bool table_verify_visiting(const struct table *table, const struct table_visitor *visitor,
			   struct error *err)
{
	struct check check = {
		.table = table,
		.visitor = visitor,
		.context = visitor->contexts[0],
		.err = err,
	};
	struct table_pattern pattern;
	uint64_t position = 0;
	bool is_sound;

	check.starts = calloc(table_domain_refs(table) / 8 + 1, 1);
	if (check.starts == NULL)
		return error_set_memory(err);
	is_sound = mark_domains(&check) && check_all_lines(&check) && check_domains(&check);
	free(check.starts);
	if (!is_sound)
		return false;
	while (table_next_pattern(table, &position, &pattern) == LOOKUP_FOUND)
		check.entries++;
	if (check.entries != table->facts.entries || check.targets != table->facts.targets ||
	    check.ours != table->facts.domains)
		return wrong(&check, "the counts of its header");
	return true;
}
