/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/known.h"

#include <stdlib.h>

#include "mail/fold.h"
#include "table/patterns.h"

enum {
	COUNT_MAX = UINT8_MAX,
	ARENA_BYTES = 1 << 20,
	SLICE_LEAST = 1 << 14,	/* questions that are asked together; more for a larger table */
	SLICE_MOST = 1 << 17,
	ENTRIES_A_QUESTION = 32,
	BUCKETS_BITS = 12,
	FETCH_AHEAD = 8,
	BYTES_HELD = 2 << 20,	/* of the file, then their pages are let go of */
};

/* One row of a slice. */
struct learner_row {
	uint64_t number;
	size_t count;		/* of recipients, as far as is known */
	bool is_lost;		/* not in this round */
};

/* Is there a key, and what is known of it? Its local part stands behind. */
struct question {
	uint64_t order;		/* of table_key_order() */
	uint64_t domain_hash;
	uint32_t domain_ref;
	uint32_t row;		/* of the slice */
	uint32_t local_size;
};

/* ---- what is known ---------------------------------------------------------------------- */

bool known_init(struct known *known, const struct table *table, const struct resolve_limits *limits)
{
	*known = (struct known){ .table = table, .limits = *limits };
	known->counts = calloc(table_slots(table), sizeof(*known->counts));
	atomic_init(&known->height, 1);
	return known->counts != NULL;
}

void known_free(struct known *known)
{
	free((void *)known->counts);
	known->counts = NULL;
}

static void set_count(struct known *known, const struct table_entry *entry, size_t count)
{
	uint64_t slot;

	if (count <= COUNT_MAX && table_slot(known->table, entry, &slot))
		atomic_store_explicit(&known->counts[slot], (uint8_t)count, memory_order_release);
}

void known_learn(struct known *known, const struct table_entry *entry, size_t count)
{
	set_count(known, entry, count);
}

static size_t get_count(const struct known *known, const struct table_entry *entry)
{
	uint64_t slot;

	return table_slot(known->table, entry, &slot) ?
	               atomic_load_explicit(&known->counts[slot], memory_order_acquire) :
	               0;
}

/* ---- what waits ------------------------------------------------------------------------- */

void learner_init(struct learner *learner, struct known *known)
{
	*learner = (struct learner){ .known = known };
	arena_init(&learner->arena, ARENA_BYTES);
	buffer_init(&learner->numbers, SIZE_MAX / 4);
	buffer_init(&learner->rows, SIZE_MAX / 4);
	buffer_init(&learner->questions, UINT32_MAX);
	buffer_init(&learner->order, SIZE_MAX / 4);
}

void learner_free(struct learner *learner)
{
	arena_free(&learner->arena);
	buffer_free(&learner->numbers);
	buffer_free(&learner->rows);
	buffer_free(&learner->questions);
	buffer_free(&learner->order);
}

bool learner_await(struct learner *learner, const struct table_row *row)
{
	const uint64_t number = table_row_number(row);

	return !table_has_patterns(learner->known->table) &&
	       buffer_append(&learner->numbers, bytes_make(&number, sizeof(number)));
}

size_t learner_waiting(const struct learner *learner)
{
	return learner->numbers.size / sizeof(uint64_t);
}

uint64_t learner_row(const struct learner *learner, size_t index)
{
	uint64_t number;

	memcpy(&number, learner->numbers.data + index * sizeof(number), sizeof(number));
	return number;
}

static struct learner_row *slice_rows(const struct learner *learner)
{
	return (struct learner_row *)(void *)learner->rows.data;
}

static size_t slice_row_count(const struct learner *learner)
{
	return learner->rows.size / sizeof(struct learner_row);
}

/* ---- questions -------------------------------------------------------------------------- */

static size_t question_bytes(size_t local_size)
{
	size_t size = sizeof(struct question) + local_size;

	return (size + _Alignof(struct question) - 1) / _Alignof(struct question) *
	       _Alignof(struct question);
}

static bool ask(struct learner *learner, const struct table_domain *domain, struct bytes local)
{
	char *at = buffer_extend(&learner->questions, question_bytes(local.size));
	const struct question question = {
		.order = table_key_order(learner->known->table, domain, local),
		.domain_hash = domain->hash,
		.domain_ref = domain->ref,
		.row = (uint32_t)slice_row_count(learner),
		.local_size = (uint32_t)local.size,
	};
	uint32_t offset = at == NULL ? 0 : (uint32_t)(at - learner->questions.data);

	if (at == NULL)
		return false;
	memcpy(at, &question, sizeof(question));
	bytes_copy(at + sizeof(question), local.data, local.size);
	return buffer_append(&learner->order, bytes_make(&offset, sizeof(offset)));
}

/* Ask what TARGET of ROW leads to, or count it. False: no memory. */
static bool ask_target(struct learner *learner, const struct table_row *row,
                       const struct table_target *target, struct learner_row *of_row)
{
	const struct resolve_limits *limits = &learner->known->limits;
	struct bytes key;

	if (target->keeps_user ||
	    target->local.size + 1 + target->domain.name.size > limits->address_bytes) {
		of_row->is_lost = true;
		return true;
	}
	/* Outside too: folded it may be longer than an answer can have. */
	arena_clear(&learner->arena);
	if (fold_local(target->local, &learner->arena, &key) != FOLD_OK) {
		of_row->is_lost = true;
		return true;
	}
	if ((target->domain.flags & TABLE_DOMAIN_PROBED) == 0) {
		of_row->count++;
		return true;
	}
	if (target->domain.ref != row->domain.ref || !bytes_equal(key, row->local))
		return ask(learner, &target->domain, key);
	/* Itself: there it stays, unless its domain has no mailboxes. */
	of_row->is_lost = (row->domain.flags & TABLE_DOMAIN_ALIAS) != 0;
	of_row->count++;
	return true;
}

/* Take row NUMBER into the slice. False: no memory. */
static bool take_row(struct learner *learner, uint64_t number)
{
	const struct table *table = learner->known->table;
	size_t questions = learner->questions.size;
	size_t order = learner->order.size;
	struct learner_row of_row = { .number = number };
	struct table_target_cursor cursor;
	struct table_target target;
	struct table_row row;
	enum lookup outcome = table_row_at(table, number, &row);

	if (outcome == LOOKUP_FOUND)
		table_targets_begin(&row.entry, &cursor);
	while (outcome == LOOKUP_FOUND && !of_row.is_lost) {
		outcome = table_next_target(table, &cursor, &target);
		if (outcome == LOOKUP_FOUND && !ask_target(learner, &row, &target, &of_row))
			return false;
	}
	of_row.is_lost |= outcome == LOOKUP_BROKEN;
	if (of_row.is_lost) {
		learner->questions.size = questions;
		learner->order.size = order;
	}
	return buffer_append(&learner->rows, bytes_make(&of_row, sizeof(of_row)));
}

/* Of COUNT in the order of the file, so many are spread over some 2 MB of it. */
static size_t held_at_once(const struct table *table, size_t count)
{
	return count / (table_facts(table)->size_bytes / BYTES_HELD + 1) + 1;
}

/* ---- answers ---------------------------------------------------------------------------- */

static const struct question *question_at(const struct learner *learner, uint32_t offset)
{
	return (const struct question *)(const void *)(learner->questions.data + offset);
}

/* Counting sort by the first bits of their order, which is order enough. NULL: no memory. */
static uint32_t *sort_questions(const struct learner *learner, size_t count)
{
	const uint32_t *offsets = (const uint32_t *)(const void *)learner->order.data;
	size_t *places = calloc((1 << BUCKETS_BITS) + 1, sizeof(*places));
	uint32_t *sorted = malloc((count + 1) * sizeof(*sorted));

	if (places == NULL || sorted == NULL) {
		free(places);
		free(sorted);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		places[(question_at(learner, offsets[i])->order >> (64 - BUCKETS_BITS)) + 1]++;
	for (size_t i = 1; i <= 1 << BUCKETS_BITS; i++)
		places[i] += places[i - 1];
	for (size_t i = 0; i < count; i++)
		sorted[places[question_at(learner, offsets[i])->order >> (64 - BUCKETS_BITS)]++] =
			offsets[i];
	free(places);
	return sorted;
}

static struct bytes question_local(const struct question *question)
{
	return bytes_make(question + 1, question->local_size);
}

static void answer(struct learner *learner, const struct question *question)
{
	const struct known *known = learner->known;
	const struct table_domain domain = {
		.ref = question->domain_ref,
		.hash = question->domain_hash,
	};
	struct learner_row *row = &slice_rows(learner)[question->row];
	struct table_entry entry;
	size_t count = 0;

	if (table_find(known->table, &domain, question_local(question), &entry) == LOOKUP_FOUND)
		count = get_count(known, &entry);
	row->is_lost |= count == 0;
	row->count += count;
}

static bool answer_all(struct learner *learner)
{
	const struct table *table = learner->known->table;
	size_t count = learner->order.size / sizeof(uint32_t);
	size_t held = held_at_once(table, count);
	uint32_t *sorted = sort_questions(learner, count);

	if (sorted == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (i + 2 * FETCH_AHEAD < count) {
			const struct question *far = question_at(learner,
			                                         sorted[i + 2 * FETCH_AHEAD]);
			const struct question *near = question_at(learner, sorted[i + FETCH_AHEAD]);

			table_prefetch(table, far->domain_hash, question_local(far));
			table_prefetch_entry(table, near->domain_hash, question_local(near));
		}
		answer(learner, question_at(learner, sorted[i]));
		if (i % held == held - 1)
			table_forget_pages(table);
	}
	table_forget_pages(table);
	free(sorted);
	return true;
}

/* ---- rounds ----------------------------------------------------------------------------- */

/* The height of what is learned now: one more than that of anything known so far. */
static bool may_learn(struct known *known)
{
	return (size_t)atomic_fetch_add(&known->height, 1) + 2 < known->limits.recursion;
}

/* Learn what the answers tell; the other rows wait on, as the first *KEPT of all. */
static void end_slice(struct learner *learner, size_t *kept)
{
	struct known *known = learner->known;
	const struct learner_row *rows = slice_rows(learner);
	size_t count = slice_row_count(learner);
	bool learns = may_learn(known);

	for (size_t i = 0; i < count; i++) {
		/* Of a catch-all that is no place, and it has no slot. */
		const struct table_entry entry = { .place = rows[i].number };

		if (learns && !rows[i].is_lost && rows[i].count <= known->limits.expansion) {
			set_count(known, &entry, rows[i].count);
			continue;
		}
		memcpy(learner->numbers.data + *kept * sizeof(rows[i].number), &rows[i].number,
		       sizeof(rows[i].number));
		++*kept;
	}
	buffer_clear(&learner->rows);
	buffer_clear(&learner->questions);
	buffer_clear(&learner->order);
}

static size_t slice_size(const struct table *table)
{
	uint64_t size = table_facts(table)->entries / ENTRIES_A_QUESTION;

	return size < SLICE_LEAST ? SLICE_LEAST : size > SLICE_MOST ? SLICE_MOST : (size_t)size;
}

bool learner_round(struct learner *learner)
{
	size_t slice = slice_size(learner->known->table);
	size_t count = learner_waiting(learner);
	size_t held = held_at_once(learner->known->table, count);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!take_row(learner, learner_row(learner, i)))
			return false;
		if (i % held == held - 1)
			table_forget_pages(learner->known->table);
		if (i + 1 < count && learner->order.size / sizeof(uint32_t) < slice &&
		    slice_row_count(learner) < slice)
			continue;
		if (!answer_all(learner))
			return false;
		end_slice(learner, &kept);
	}
	learner->numbers.size = kept * sizeof(uint64_t);
	return true;
}
