/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/sound_rounds.h"

#include <stdlib.h>

#include "mail/fold.h"
#include "table/patterns.h"

enum {
	ARENA_BYTES = 1 << 20,
	SLICE_LEAST = 1 << 14, /* questions that are asked together; more for a larger table */
	SLICE_MOST = 1 << 17,
	ENTRIES_A_QUESTION = 32,
	BUCKETS_BITS = 12,
	FETCH_AHEAD = 8,
};

/* One row of a slice. */
struct waiting_row {
	uint64_t number;
	size_t count; /* of recipients, as far as is known */
	bool is_lost; /* not in this round */
};

/* Is there a key, and what is known of it? Its local part stands behind. */
struct question {
	uint64_t order; /* of table_key_order() */
	uint64_t domain_hash;
	uint32_t domain_ref;
	uint32_t row; /* of the slice */
	uint32_t local_size;
};

/* ---- what waits ------------------------------------------------------------------------- */

void sound_rounds_init(struct sound_rounds *rounds, struct sound_entries *sound)
{
	*rounds = (struct sound_rounds){ .sound = sound };
	arena_init(&rounds->arena, ARENA_BYTES);
	buffer_init(&rounds->numbers, SIZE_MAX / 4);
	buffer_init(&rounds->rows, SIZE_MAX / 4);
	buffer_init(&rounds->questions, UINT32_MAX);
	buffer_init(&rounds->order, SIZE_MAX / 4);
}

void sound_rounds_free(struct sound_rounds *rounds)
{
	arena_free(&rounds->arena);
	buffer_free(&rounds->numbers);
	buffer_free(&rounds->rows);
	buffer_free(&rounds->questions);
	buffer_free(&rounds->order);
}

bool sound_rounds_add(struct sound_rounds *rounds, const struct table_row *row)
{
	const uint64_t number = table_row_number(row);

	return !table_has_patterns(rounds->sound->table) &&
	       buffer_append(&rounds->numbers, bytes_make(&number, sizeof(number)));
}

size_t sound_rounds_waiting(const struct sound_rounds *rounds)
{
	return rounds->numbers.size / sizeof(uint64_t);
}

uint64_t sound_rounds_row(const struct sound_rounds *rounds, size_t index)
{
	uint64_t number;

	memcpy(&number, rounds->numbers.data + index * sizeof(number), sizeof(number));
	return number;
}

static struct waiting_row *slice_rows(const struct sound_rounds *rounds)
{
	return (struct waiting_row *)(void *)rounds->rows.data;
}

static size_t slice_row_count(const struct sound_rounds *rounds)
{
	return rounds->rows.size / sizeof(struct waiting_row);
}

/* ---- questions -------------------------------------------------------------------------- */

static size_t question_bytes(size_t local_size)
{
	size_t size = sizeof(struct question) + local_size;

	return (size + _Alignof(struct question) - 1) / _Alignof(struct question) *
	       _Alignof(struct question);
}

static bool ask(struct sound_rounds *rounds, const struct table_domain *domain, struct bytes local)
{
	char *at = buffer_extend(&rounds->questions, question_bytes(local.size));
	const struct question question = {
		.order = table_key_order(rounds->sound->table, domain, local),
		.domain_hash = domain->hash,
		.domain_ref = domain->ref,
		.row = (uint32_t)slice_row_count(rounds),
		.local_size = (uint32_t)local.size,
	};
	uint32_t offset = at == NULL ? 0 : (uint32_t)(at - rounds->questions.data);

	if (at == NULL)
		return false;
	memcpy(at, &question, sizeof(question));
	bytes_copy(at + sizeof(question), local.data, local.size);
	return buffer_append(&rounds->order, bytes_make(&offset, sizeof(offset)));
}

/* Ask what TARGET of ROW leads to, or count it. False: no memory. */
static bool ask_target(struct sound_rounds *rounds, const struct table_row *row,
		       const struct table_target *target, struct waiting_row *of_row)
{
	const struct resolve_limits *limits = &rounds->sound->limits;
	struct bytes key;

	if (target->keeps_user ||
	    target->local.size + 1 + target->domain.name.size > limits->address_bytes) {
		of_row->is_lost = true;
		return true;
	}
	/* Outside too: folded it may be longer than an answer can have. */
	arena_clear(&rounds->arena);
	if (fold_local(target->local, &rounds->arena, &key) != FOLD_OK) {
		of_row->is_lost = true;
		return true;
	}
	if ((target->domain.flags & TABLE_DOMAIN_PROBED) == 0) {
		of_row->count++;
		return true;
	}
	if (target->domain.ref != row->domain.ref || !bytes_equal(key, row->local))
		return ask(rounds, &target->domain, key);
	/* Itself: there it stays, unless its domain has no mailboxes. */
	of_row->is_lost = (row->domain.flags & TABLE_DOMAIN_ALIAS) != 0;
	of_row->count++;
	return true;
}

/* Take row NUMBER into the slice. False: no memory. */
static bool take_row(struct sound_rounds *rounds, uint64_t number)
{
	const struct table *table = rounds->sound->table;
	size_t questions = rounds->questions.size;
	size_t order = rounds->order.size;
	struct waiting_row of_row = { .number = number };
	struct table_target_cursor cursor;
	struct table_target target;
	struct table_row row;
	enum lookup outcome = table_row_at(table, number, &row);

	if (outcome == LOOKUP_FOUND)
		table_targets_begin(&row.entry, &cursor);
	while (outcome == LOOKUP_FOUND && !of_row.is_lost) {
		outcome = table_next_target(table, &cursor, &target);
		if (outcome == LOOKUP_FOUND && !ask_target(rounds, &row, &target, &of_row))
			return false;
	}
	of_row.is_lost |= outcome == LOOKUP_BROKEN;
	if (of_row.is_lost) {
		rounds->questions.size = questions;
		rounds->order.size = order;
	}
	return buffer_append(&rounds->rows, bytes_make(&of_row, sizeof(of_row)));
}

/* ---- answers ---------------------------------------------------------------------------- */

static const struct question *question_at(const struct sound_rounds *rounds, uint32_t offset)
{
	return (const struct question *)(const void *)(rounds->questions.data + offset);
}

/* Counting sort by the first bits of their order, which is order enough. NULL: no memory. */
static uint32_t *sort_questions(const struct sound_rounds *rounds, size_t count)
{
	const uint32_t *offsets = (const uint32_t *)(const void *)rounds->order.data;
	size_t *places = calloc((1 << BUCKETS_BITS) + 1, sizeof(*places));
	uint32_t *sorted = calloc(count + 1, sizeof(*sorted));

	if (places == NULL || sorted == NULL) {
		free(places);
		free(sorted);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		places[(question_at(rounds, offsets[i])->order >> (64 - BUCKETS_BITS)) + 1]++;
	for (size_t i = 1; i <= 1 << BUCKETS_BITS; i++)
		places[i] += places[i - 1];
	for (size_t i = 0; i < count; i++)
		sorted[places[question_at(rounds, offsets[i])->order >> (64 - BUCKETS_BITS)]++] =
			offsets[i];
	free(places);
	return sorted;
}

static struct bytes question_local(const struct question *question)
{
	return bytes_make(question + 1, question->local_size);
}

static void answer(struct sound_rounds *rounds, const struct question *question)
{
	const struct sound_entries *sound = rounds->sound;
	const struct table_domain domain = {
		.ref = question->domain_ref,
		.hash = question->domain_hash,
	};
	struct waiting_row *row = &slice_rows(rounds)[question->row];
	struct table_entry entry;
	size_t count = 0;

	if (table_find(sound->table, &domain, question_local(question), &entry) == LOOKUP_FOUND)
		count = sound_entries_find(sound, &entry);
	row->is_lost |= count == 0;
	row->count += count;
}

static bool answer_all(struct sound_rounds *rounds)
{
	const struct table *table = rounds->sound->table;
	size_t count = rounds->order.size / sizeof(uint32_t);
	uint32_t *sorted = sort_questions(rounds, count);

	if (sorted == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (i + 2UL * FETCH_AHEAD < count) {
			const struct question *far =
				question_at(rounds, sorted[i + 2UL * FETCH_AHEAD]);
			const struct question *near = question_at(rounds, sorted[i + FETCH_AHEAD]);

			table_prefetch(table, far->domain_hash, question_local(far));
			table_prefetch_entry(table, near->domain_hash, question_local(near));
		}
		answer(rounds, question_at(rounds, sorted[i]));
	}
	free(sorted);
	return true;
}

/* ---- rounds ----------------------------------------------------------------------------- */

/* The height of what is learned now: one more than that of anything known so far. */
static bool may_learn(struct sound_entries *sound)
{
	return (size_t)atomic_fetch_add(&sound->height, 1) + 2 < sound->limits.recursion;
}

/* Learn what the answers tell; the other rows wait on, as the first *KEPT of all. */
static void end_slice(struct sound_rounds *rounds, size_t *kept)
{
	struct sound_entries *sound = rounds->sound;
	const struct waiting_row *rows = slice_rows(rounds);
	size_t count = slice_row_count(rounds);
	bool learns = may_learn(sound);

	for (size_t i = 0; i < count; i++) {
		/* Of a catch-all that is no place, and it has no slot. */
		const struct table_entry entry = { .place = rows[i].number };

		if (learns && !rows[i].is_lost && rows[i].count <= sound->limits.expansion) {
			sound_entries_add(sound, &entry, rows[i].count);
			continue;
		}
		memcpy(rounds->numbers.data + *kept * sizeof(rows[i].number), &rows[i].number,
		       sizeof(rows[i].number));
		++*kept;
	}
	buffer_clear(&rounds->rows);
	buffer_clear(&rounds->questions);
	buffer_clear(&rounds->order);
}

static size_t slice_size(const struct table *table)
{
	uint64_t size = table_facts(table)->entries / ENTRIES_A_QUESTION;

	return size < SLICE_LEAST ? SLICE_LEAST : size > SLICE_MOST ? SLICE_MOST : (size_t)size;
}

bool sound_rounds_run(struct sound_rounds *rounds)
{
	size_t slice = slice_size(rounds->sound->table);
	size_t count = sound_rounds_waiting(rounds);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!take_row(rounds, sound_rounds_row(rounds, i)))
			return false;
		if (i + 1 < count && rounds->order.size / sizeof(uint32_t) < slice &&
		    slice_row_count(rounds) < slice)
			continue;
		if (!answer_all(rounds))
			return false;
		end_slice(rounds, &kept);
	}
	rounds->numbers.size = kept * sizeof(uint64_t);
	return true;
}
