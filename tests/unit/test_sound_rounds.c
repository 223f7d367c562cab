/* SPDX-License-Identifier: BSD-2-Clause */
/* What the proof learns in rounds must be what a walk over each entry finds: any table, any limits.
 */
#include "prove/sound_rounds.h"

#include "ask_table.h"
#include "resolve/expand.h"

enum { TABLES = 400, ROWS_MOST = 60, LARGE_ROWS = 4000, TEXT_BYTES = 2048 };

static uint64_t random_state = 1;

static unsigned draw(unsigned below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(random_state >> 33) % below;
}

/* ---- the walk over one entry -------------------------------------------------------------- */

struct walk {
	const struct table_row *row;
	bool meets_dead_end;
};

static void on_dead_end(void *context, const struct address *target,
			const struct table_entry *entry)
{
	struct walk *walk = context;

	(void)target;
	walk->meets_dead_end |= entry->place == walk->row->entry.place;
}

/* Would the thorough proof of ROW find nothing? */
static bool is_sound(const struct asked *asked, const struct table_row *row, struct arena *arena)
{
	struct walk walk = { .row = row };
	const struct resolve_options options = {
		.limits = &asked->limits,
		.has_smtputf8 = true,
		.on_dead_end = on_dead_end,
		.context = &walk,
	};
	const struct candidate_hit hit = { .is_catch_all = row->is_catch_all };
	struct bytes local = row->is_catch_all ? bytes_of("!") : row->local;
	const struct inquiry inquiry = { asked->table, &options, arena, NULL };
	const struct candidate from = {
		.local = local,
		.domain = &row->domain,
		.written.local = local,
	};
	struct expansion expansion;

	if (row->entry.kind != TABLE_ENTRY_TARGETS)
		return true;
	arena_clear(arena);
	expand(&inquiry, &from, &row->entry, &hit, &expansion);
	return expansion.reason == REASON_NONE && !walk.meets_dead_end;
}

/* ---- learning ----------------------------------------------------------------------------- */

static void learn_all(const struct asked *asked, struct sound_entries *sound,
		      struct sound_rounds *rounds)
{
	struct table_cursor cursor;
	struct table_row row;
	size_t before;

	assert_true(sound_entries_init(sound, asked->table, &asked->limits));
	sound_rounds_init(rounds, sound);
	table_rows_begin(asked->table, &cursor);
	while (table_next_row(asked->table, &cursor, &row) == LOOKUP_FOUND) {
		if (row.entry.kind != TABLE_ENTRY_TARGETS)
			sound_entries_add(sound, &row.entry, 1);
		else
			assert_true(sound_rounds_add(rounds, &row));
	}
	do {
		before = sound_rounds_waiting(rounds);
		assert_true(sound_rounds_run(rounds));
	} while (sound_rounds_waiting(rounds) < before);
}

static bool waits(const struct sound_rounds *rounds, const struct table_row *row)
{
	for (size_t i = 0; i < sound_rounds_waiting(rounds); i++)
		if (sound_rounds_row(rounds, i) == table_row_number(row))
			return true;
	return false;
}

/* How many were learned; each of them is sound. */
static size_t check_learned(const struct asked *asked)
{
	struct table_cursor cursor;
	struct sound_rounds rounds;
	struct sound_entries sound;
	struct table_row row;
	struct arena arena;
	size_t learned = 0;

	arena_init(&arena, 1 << 24);
	learn_all(asked, &sound, &rounds);
	table_rows_begin(asked->table, &cursor);
	while (table_next_row(asked->table, &cursor, &row) == LOOKUP_FOUND) {
		if (waits(&rounds, &row))
			continue;
		learned++;
		if (!is_sound(asked, &row, &arena))
			fail_msg(BYTES_FORMAT "@" BYTES_FORMAT " was learned, and is not sound",
				 BYTES_ARGS(row.local), BYTES_ARGS(row.domain.name));
	}
	sound_rounds_free(&rounds);
	sound_entries_free(&sound);
	arena_free(&arena);
	return learned;
}

/* ---- made-up tables ----------------------------------------------------------------------- */

static const char *const domains[] = { "alias.test", "mailbox.test", "other.test", "local.test" };

static void print_user(char *out, unsigned number)
{
	(void)snprintf(out, 100, "%s%u%s@%s", number % 7 == 0 ? "long.name.of.user." : "u", number,
		       number % 9 == 0 ? "+x" : "", domains[number % 4]);
}

/* Mostly keys with a higher number, so that most tables have ways out. */
static void print_target(char *out, unsigned self, unsigned users)
{
	unsigned kind = draw(24);

	if (kind < 9)
		(void)snprintf(out, 100, "f%u@far.test", draw(30));
	else if (kind < 19)
		print_user(out, self + 1 + draw(users - self));
	else if (kind == 19)
		print_user(out, draw(users));
	else if (kind == 20)
		print_user(out, self);
	else if (kind == 21)
		(void)snprintf(out, 100, "U%u@%s", draw(users), domains[draw(4)]);
	else if (kind == 22)
		(void)snprintf(out, 100, "u%u+y@%s", draw(users), domains[draw(4)]);
	else
		(void)snprintf(out, 100, "nobody%u@%s", draw(5), domains[draw(4)]);
}

static void add_user(struct asked *asked, unsigned number, unsigned users)
{
	char row[TEXT_BYTES];
	char target[100];
	unsigned targets = draw(3) > 0 ? 1 : 1 + draw(8);
	size_t size;

	print_user(row, number);
	size = strlen(row);
	row[size++] = ' ';
	row[size] = '\0';
	if (draw(20) == 0) {
		strcat(row, draw(3) == 0 ? "@other.test" : draw(2) == 0 ? "reply:" : "discard:");
	} else {
		for (unsigned i = 0; i < targets; i++) {
			print_target(target, number, users);
			strcat(row, i == 0 ? "" : ",");
			strcat(row, target);
		}
	}
	asked_add(asked, row);
}

static void make_random(struct asked *asked, unsigned users)
{
	static const size_t expansions[] = { 1, 2, 5, 1000 };
	static const size_t recursions[] = { 1, 2, 3, 4, 6, 1000 };
	static const size_t sizes[] = { 12, 16, 30, 1000 };

	*asked = (struct asked){ .arena_bytes = 0 };
	asked_begin(asked);
	asked_add(asked, "alias.test alias");
	asked_add(asked, "mailbox.test mailbox");
	asked_add(asked, "local.test local");
	if (draw(4) == 0)
		asked_add(asked, "@alias.test catcher@far.test");
	if (draw(2) == 0)
		asked_add(asked, "@third.test u1@other.test");
	for (unsigned i = 0; i < users; i++)
		add_user(asked, i, users);
	asked_end(asked);
	asked->limits = (struct resolve_limits){
		.expansion = expansions[draw(4)],
		.recursion = recursions[draw(6)],
		.address_bytes = sizes[draw(4)],
	};
}

static void what_is_learned_is_sound(void **state)
{
	size_t learned = 0, rows = 0;

	(void)state;
	for (unsigned i = 0; i < TABLES; i++) {
		unsigned users = 1 + draw(ROWS_MOST);
		struct asked asked;

		make_random(&asked, users);
		learned += check_learned(&asked);
		rows += users;
		asked_free(&asked);
	}
	assert_in_range(learned, rows / 10, rows * 9 / 10);
}

static void ways_out_are_learned_and_others_not(void **state)
{
	static const char *const rows[] = {
		"alias.test alias",
		"a@alias.test b@alias.test",
		"b@alias.test c@alias.test",
		"c@alias.test d@alias.test,x@far.test",
		"d@alias.test x@far.test,y@far.test",
		"mailbox.test mailbox",
		"box@mailbox.test BOX@mailbox.test",
		"kept@mailbox.test box@mailbox.test,kept@mailbox.test",
		"closed@alias.test reply:",
		"to-closed@alias.test closed@alias.test",
		"other.test alias",
		"@other.test a@alias.test,y@far.test",
		/* nine are learned until here, and none below */
		"self@alias.test Self@alias.test",
		"ring@alias.test ring2@alias.test",
		"ring2@alias.test ring@alias.test",
		"dead@alias.test nobody@alias.test",
		"to-ring@alias.test x@far.test,ring@alias.test",
		"far@alias.test @far.test",
		"@alias.test nobody@mailbox.test",
		NULL,
	};
	struct asked asked;

	(void)state;
	asked_make(&asked, rows);
	assert_int_equal(check_learned(&asked), 9);
	asked_free(&asked);
}

/* ---- slots and places --------------------------------------------------------------------- */

static void every_entry_has_a_slot_and_a_place(void **state)
{
	struct table_cursor cursor;
	struct asked asked;
	struct table_row row;
	unsigned char *is_taken;
	size_t slots = 0;

	(void)state;
	make_random(&asked, LARGE_ROWS);
	is_taken = calloc(table_slots(asked.table), 1);
	assert_non_null(is_taken);
	table_rows_begin(asked.table, &cursor);
	while (table_next_row(asked.table, &cursor, &row) == LOOKUP_FOUND) {
		struct table_row again;
		uint64_t slot;

		assert_int_equal(table_row_at(asked.table, table_row_number(&row), &again),
				 LOOKUP_FOUND);
		assert_ptr_equal(again.local.data, row.local.data);
		assert_ptr_equal(again.entry.targets.data, row.entry.targets.data);
		assert_int_equal(again.is_catch_all, row.is_catch_all);
		assert_int_equal(again.domain.ref, row.domain.ref);
		assert_true(again.domain.hash == row.domain.hash);
		if (!table_slot(asked.table, &row.entry, &slot))
			continue;
		assert_in_range(slot, 0, table_slots(asked.table) - 1);
		assert_int_equal(is_taken[slot], 0);
		is_taken[slot] = 1;
		slots++;
	}
	assert_in_range(slots, LARGE_ROWS * 95 / 100, LARGE_ROWS);
	free(is_taken);
	asked_free(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_learned_is_sound),
		cmocka_unit_test(ways_out_are_learned_and_others_not),
		cmocka_unit_test(every_entry_has_a_slot_and_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
