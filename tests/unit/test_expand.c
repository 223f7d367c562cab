/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask_table.h"

static const char *const rows[] = {
	"alias.test alias",
	"mailbox.test mailbox",
	"local.test local",
	/* one, several, with repetitions */
	"one@alias.test x@far.test",
	"two@alias.test x@far.test,y@far.test",
	"twice@alias.test x@far.test,y@far.test,x@far.test,X@far.test",
	"tree@alias.test two@alias.test,one@alias.test,z@far.test",
	"case@alias.test Mixed.Case@far.test,MIXED.case@far.test",
	/* itself */
	"self@mailbox.test self@mailbox.test",
	"kept@mailbox.test kept@mailbox.test,x@far.test",
	"later@mailbox.test x@far.test,later@mailbox.test",
	"wide@mailbox.test WIDE@mailbox.test",
	"self@alias.test self@alias.test",
	"kept@alias.test kept@alias.test,x@far.test",
	"to-self@alias.test self@mailbox.test",
	"knot@mailbox.test knot@mailbox.test,tie@mailbox.test",
	"tie@mailbox.test knot@mailbox.test",
	/* loops */
	"ring@alias.test ring2@alias.test",
	"ring2@alias.test ring3@alias.test",
	"ring3@alias.test ring@alias.test",
	"into-ring@alias.test x@far.test,ring2@alias.test",
	/* dead ends */
	"dead@alias.test nobody@alias.test",
	"half@alias.test nobody@alias.test,x@far.test",
	"nobox@alias.test nobody@mailbox.test",
	"deep-dead@alias.test dead@alias.test",
	/* entries that are no lists */
	"closed@alias.test reply:",
	"dropped@alias.test discard:",
	"to-closed@alias.test closed@alias.test",
	"to-dropped@alias.test dropped@alias.test",
	"some@alias.test closed@alias.test,x@far.test",
	"both@alias.test closed@alias.test,dropped@alias.test",
	"drop-some@alias.test dropped@alias.test,x@far.test",
	"closed-dead@alias.test nobody@alias.test,closed@alias.test",
	/* moved users and extensions */
	"moved@alias.test @mailbox.test",
	"moved@mailbox.test x@far.test",
	"stays@alias.test @far.test",
	"@catch.test @alias.test",
	"@all.test catcher@far.test",
	"with+ext@alias.test exact@far.test",
	"with@alias.test plain@far.test,moved@alias.test",
	"box@mailbox.test box@mailbox.test",
	"circle@mailbox.test @mailbox.test",
	NULL,
};

static struct asked *begin(void **state)
{
	struct asked *asked = *state;

	asked->limits = (struct resolve_limits){ 1000, 1000, 1000 };
	return asked;
}

static int set_up(void **state)
{
	static struct asked asked;

	asked_make(&asked, rows);
	*state = &asked;
	return 0;
}

static int tear_down(void **state)
{
	asked_free(*state);
	return 0;
}

static void targets_in_order_and_once(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "one@alias.test", "expand x@far.test");
	assert_answer(asked, "two@alias.test", "expand x@far.test y@far.test");
	assert_answer(asked, "twice@alias.test", "expand x@far.test y@far.test");
	assert_answer(asked, "tree@alias.test", "expand x@far.test y@far.test z@far.test");
	assert_answer(asked, "case@alias.test", "expand Mixed.Case@far.test");
}

static void an_address_may_map_to_itself(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "self@mailbox.test", "deliver self@mailbox.test");
	assert_answer(asked, "SELF@MAILBOX.test", "deliver self@mailbox.test");
	assert_answer(asked, "wide@mailbox.test", "deliver WIDE@mailbox.test");
	assert_answer(asked, "kept@mailbox.test", "expand kept@mailbox.test x@far.test");
	assert_answer(asked, "later@mailbox.test", "expand x@far.test later@mailbox.test");
	assert_answer(asked, "to-self@alias.test", "expand self@mailbox.test");
	/* The way back to one that stays is no loop. */
	assert_answer(asked, "knot@mailbox.test", "deliver knot@mailbox.test");
	assert_answer(asked, "tie@mailbox.test", "expand knot@mailbox.test");
}

static void nobody_stays_in_an_alias_domain(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "self@alias.test", "unknown");
	assert_answer(asked, "kept@alias.test", "expand x@far.test");
}

static void a_ring_is_a_loop(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "ring@alias.test", "defer (alias loop)");
	assert_answer(asked, "ring3@alias.test", "defer (alias loop)");
	assert_answer(asked, "into-ring@alias.test", "defer (alias loop)");
}

static void dead_ends_are_left_out(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "dead@alias.test", "unknown");
	assert_answer(asked, "nobox@alias.test", "unknown");
	assert_answer(asked, "deep-dead@alias.test", "unknown");
	assert_answer(asked, "half@alias.test", "expand x@far.test");
}

static void replies_and_discards(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "closed@alias.test", "refused 550 5.2.1 Closed");
	assert_answer(asked, "to-closed@alias.test", "refused 550 5.2.1 Closed");
	assert_answer(asked, "closed-dead@alias.test", "refused 550 5.2.1 Closed");
	assert_answer(asked, "dropped@alias.test", "discard");
	assert_answer(asked, "to-dropped@alias.test", "discard");
	/* Who is left gets the mail. */
	assert_answer(asked, "some@alias.test", "expand x@far.test");
	assert_answer(asked, "drop-some@alias.test", "expand x@far.test");
	assert_answer(asked, "both@alias.test", "discard");
}

static void users_move_with_their_extension(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "moved@alias.test", "expand x@far.test");
	assert_answer(asked, "moved+e@alias.test", "expand x+e@far.test");
	assert_answer(asked, "stays@alias.test", "expand stays@far.test");
	assert_answer(asked, "Stays+E@alias.test", "expand Stays+E@far.test");
	assert_answer(asked, "one@catch.test", "expand x@far.test");
	assert_answer(asked, "One+E@catch.test", "expand x+E@far.test");
	/* Not declared as ours: who is unknown there is not for us to say. */
	assert_answer(asked, "nobody@catch.test", "defer (no target that could be delivered)");
	assert_answer(asked, "circle@mailbox.test", "deliver circle@mailbox.test");
}

static void an_extension_is_passed_on(void **state)
{
	struct asked *asked = begin(state);

	assert_answer(asked, "with+ext@alias.test", "expand exact@far.test");
	assert_answer(asked, "with+EXT@alias.test", "expand exact@far.test");
	assert_answer(asked, "with+o@alias.test", "expand plain+o@far.test x+o@far.test");
	/* To itself, extension and all. */
	assert_answer(asked, "box+e@mailbox.test", "deliver box+e@mailbox.test");
	assert_answer(asked, "any+e@all.test", "expand catcher@far.test");
}

static void an_extension_is_kept_back(void **state)
{
	struct asked asked = { .build = { .keeps_extension = true } };

	(void)state;
	asked_begin(&asked);
	asked_add(&asked, "a@alias.test x@far.test");
	asked_add(&asked, "b@mailbox.test b@mailbox.test");
	asked_end(&asked);
	assert_answer(&asked, "a+e@alias.test", "expand x@far.test");
	assert_answer(&asked, "b+e@mailbox.test", "expand b@mailbox.test");
	asked_free(&asked);
}

/* ---- limits ------------------------------------------------------------------------------- */

/* c0 → c1 → … → c9 → end, and lists whose first or second target is a chain. */
static void make_chains(struct asked *asked)
{
	char row[64];

	*asked = (struct asked){ .arena_bytes = 0 };
	asked_begin(asked);
	for (int i = 0; i < 9; i++) {
		(void)snprintf(row, sizeof(row), "c%d@a.test c%d@a.test", i, i + 1);
		asked_add(asked, row);
	}
	asked_add(asked, "c9@a.test end@far.test");
	asked_add(asked, "first@a.test c0@a.test,x@far.test");
	asked_add(asked, "second@a.test x@far.test,c0@a.test");
	asked_add(asked, "known@a.test c5@a.test,c0@a.test");
	asked_add(asked, "known2@a.test x@far.test,c5@a.test,c0@a.test");
	asked_add(asked, "stop@m.test stop@m.test");
	asked_add(asked, "s1@a.test stop@m.test");
	asked_add(asked, "s0@a.test s1@a.test");
	asked_end(asked);
}

/* The least limit under which ADDRESS is expanded. */
static size_t least_recursion(struct asked *asked, const char *address)
{
	for (size_t limit = 1; limit < 100; limit++) {
		struct arena arena;
		struct resolution resolution;

		asked->limits.recursion = limit;
		resolution = ask_for(asked, address, &arena);
		arena_free(&arena);
		if (resolution.verdict != VERDICT_DEFER)
			return limit;
		assert_int_equal(resolution.reason, REASON_LIMIT);
	}
	return 0;
}

static void recursion_counts_hops_along_first_targets(void **state)
{
	struct asked asked;

	(void)state;
	make_chains(&asked);
	/* One hop wants 2. */
	assert_int_equal(least_recursion(&asked, "c9@a.test"), 2);
	assert_int_equal(least_recursion(&asked, "c8@a.test"), 3);
	assert_int_equal(least_recursion(&asked, "c0@a.test"), 11);
	assert_int_equal(least_recursion(&asked, "first@a.test"), 12);
	/* A second target begins anew, and so has one hop more than a first one. */
	assert_int_equal(least_recursion(&asked, "second@a.test"), 11);
	/* An address reached before is as deep as it would be without that. */
	assert_int_equal(least_recursion(&asked, "known@a.test"), 11);
	assert_int_equal(least_recursion(&asked, "known2@a.test"), 11);
	asked_free(&asked);
}

static void who_maps_to_itself_is_not_asked_again(void **state)
{
	struct asked asked;

	(void)state;
	make_chains(&asked);
	assert_int_equal(least_recursion(&asked, "stop@m.test"), 1);
	assert_int_equal(least_recursion(&asked, "s1@a.test"), 2);
	assert_int_equal(least_recursion(&asked, "s0@a.test"), 3);
	asked_free(&asked);
}

static size_t least_expansion(struct asked *asked, const char *address)
{
	for (size_t limit = 1; limit < 100; limit++) {
		struct arena arena;
		struct resolution resolution;

		asked->limits.expansion = limit;
		resolution = ask_for(asked, address, &arena);
		arena_free(&arena);
		if (resolution.verdict != VERDICT_DEFER)
			return limit;
		assert_int_equal(resolution.reason, REASON_LIMIT);
	}
	return 0;
}

static void expansion_counts_repetitions(void **state)
{
	static const char *const lists[] = {
		"one@a.test x@far.test",
		"three@a.test x@far.test,y@far.test,z@far.test",
		"again@a.test x@far.test,x@far.test,X@far.test",
		"nine@a.test three@a.test,three@a.test,three@a.test",
		"ten@a.test one@a.test,nine@a.test",
		/* Itself and two others: three the first time, then one. */
		"self@m.test self@m.test,x@far.test,y@far.test",
		"self5@a.test self@m.test,self@m.test,self@m.test",
		/* And one of each that leads to it, from the second time on. */
		"via@a.test self@m.test,one@a.test",
		"via6@a.test via@a.test,via@a.test",
		"closed@a.test reply:",
		"mixed@a.test closed@a.test,one@a.test,nobody@m.test",
		"m.test mailbox",
		NULL,
	};
	struct asked asked;

	(void)state;
	asked_make(&asked, lists);
	assert_int_equal(least_expansion(&asked, "one@a.test"), 1);
	assert_int_equal(least_expansion(&asked, "three@a.test"), 3);
	assert_int_equal(least_expansion(&asked, "again@a.test"), 3);
	assert_int_equal(least_expansion(&asked, "nine@a.test"), 9);
	assert_int_equal(least_expansion(&asked, "ten@a.test"), 10);
	assert_int_equal(least_expansion(&asked, "self@m.test"), 3);
	assert_int_equal(least_expansion(&asked, "self5@a.test"), 5);
	assert_int_equal(least_expansion(&asked, "via6@a.test"), 6);
	assert_int_equal(least_expansion(&asked, "mixed@a.test"), 3);
	asked_free(&asked);
}

static void addresses_have_a_longest_length(void **state)
{
	static const char *const lists[] = {
		"a@a.test 123456@far.test",
		"b@a.test 12345@far.test",
		"u@a.test 1@xn--mller-kva.test",
		NULL,
	};
	struct asked asked;

	(void)state;
	asked_make(&asked, lists);
	asked.limits.address_bytes = 14;
	assert_answer(&asked, "a@a.test", "defer (limit exceeded)");
	assert_answer(&asked, "b@a.test", "expand 12345@far.test");
	assert_answer(&asked, "b+@a.test", "defer (limit exceeded)");
	/* Counted as people write it: müller.test has 12 bytes. */
	assert_answer(&asked, "u@a.test", "expand 1@xn--mller-kva.test");
	assert_answer(&asked, "u+@a.test", "defer (limit exceeded)");
	asked_free(&asked);
}

/* The largest list that the settings allow, of addresses that are all looked up. */
static void the_largest_list(void **state)
{
	enum { MOST = 100000 };
	struct asked asked = { .arena_bytes = 0 };
	char *value = malloc(MOST * 24);
	size_t used = 0;
	struct arena arena;
	struct resolution resolution;

	(void)state;
	assert_non_null(value);
	for (unsigned i = 0; i < MOST; i++)
		used += (size_t)sprintf(value + used, "%su%u@free.test", i > 0 ? "," : "", i);
	asked_begin(&asked);
	build_add(&asked.build, "list@a.test", value);
	build_add(&asked.build, "key@free.test", "x@far.test");
	asked_end(&asked);
	asked.limits.expansion = MOST;
	resolution = ask_for(&asked, "list@a.test", &arena);
	assert_int_equal(resolution.reason, REASON_NONE);
	assert_int_equal(resolution.verdict, VERDICT_EXPAND);
	assert_int_equal(resolution.recipient_count, MOST);
	arena_free(&arena);
	asked.limits.expansion = MOST - 1;
	assert_answer(&asked, "list@a.test", "defer (limit exceeded)");
	asked_free(&asked);
	free(value);
}

/* Layers that each lead to all of the next: paths without number, work without number if naive. */
static void a_web_of_aliases_is_little_work(void **state)
{
	enum { LAYERS = 30, WIDTH = 10 };
	struct asked asked = { .arena_bytes = 0 };

	(void)state;
	asked_begin(&asked);
	for (int layer = 0; layer < LAYERS; layer++) {
		for (int i = 0; i < WIDTH; i++) {
			char key[32], value[WIDTH * 32];
			size_t used = 0;

			(void)snprintf(key, sizeof(key), "l%dn%d@a.test", layer, i);
			for (int j = 0; j < WIDTH; j++)
				used += (size_t)sprintf(value + used, "%sl%dn%d@a.test",
							j > 0 ? "," : "", layer + 1, j);
			build_add(&asked.build, key, value);
		}
	}
	asked_end(&asked);
	asked.limits.expansion = 100000;
	assert_answer(&asked, "l0n0@a.test", "defer (limit exceeded)");
	assert_answer(&asked, "l27n0@a.test",
		      "expand l30n0@a.test l30n1@a.test l30n2@a.test l30n3@a.test l30n4@a.test "
		      "l30n5@a.test l30n6@a.test l30n7@a.test l30n8@a.test l30n9@a.test");
	asked_free(&asked);
}

/* ---- trouble ------------------------------------------------------------------------------ */

static void damage_defers(void **state)
{
	struct asked *asked = begin(state);
	struct image image = image_copy(&asked->image);
	struct asked damaged = *asked;
	struct image_place place = image_place_of(&image, "closed", "alias.test");
	unsigned char *row = image_line(&image, place.line);

	/* The clusters of this line begin far behind the data. */
	le32_store(row + LINE_BASE, 0xffffff00);
	le64_store(image_section_entry(&image, SECTION_CANARIES) + SECTION_LENGTH, 0);
	image_sum(&image);
	damaged.table = image_open(&image);
	damaged.options.limits = &damaged.limits;
	assert_answer(&damaged, "closed@alias.test", "defer (damaged table)");
	table_close(damaged.table);
	image_free(&image);
}

static void too_little_memory_defers(void **state)
{
	struct asked *asked = begin(state);
	size_t most = asked->arena_bytes;
	unsigned deferred = 0;

	/* Every amount gives the answer or none, and never another one. */
	for (asked->arena_bytes = 0; asked->arena_bytes < 20000; asked->arena_bytes += 64) {
		struct arena arena;
		struct resolution resolution = ask_for(asked, "Tree@alias.test", &arena);

		if (resolution.verdict == VERDICT_DEFER) {
			assert_int_equal(resolution.reason, REASON_MEMORY);
			assert_int_equal(resolution.recipient_count, 0);
			deferred++;
		} else {
			assert_int_equal(resolution.verdict, VERDICT_EXPAND);
			assert_int_equal(resolution.recipient_count, 3);
		}
		arena_free(&arena);
	}
	assert_in_range(deferred, 1, 20000 / 64 - 1);
	asked->arena_bytes = most;
}

static void on_dead_end(void *context, const struct address *target,
			const struct table_entry *entry)
{
	struct buffer *told = context;

	assert_non_null(entry);
	buffer_append_format(told, BYTES_FORMAT "@" BYTES_FORMAT " ", BYTES_ARGS(target->local),
			     BYTES_ARGS(target->domain));
}

static void dead_ends_are_told(void **state)
{
	struct asked *asked = begin(state);

	asked->options.on_dead_end = on_dead_end;
	asked->options.context = &asked->told;
	assert_answer(asked, "half@alias.test", "expand x@far.test");
	assert_answer(asked, "nobox@alias.test", "unknown");
	assert_answer(asked, "kept@alias.test", "expand x@far.test");
	assert_answer(asked, "one@alias.test", "expand x@far.test");
	assert_string_equal(asked->told.data,
			    "nobody@alias.test nobody@mailbox.test kept@alias.test ");
	asked->options.on_dead_end = NULL;
}

/* A table that was compiled with --lenient says as Postfix does. */
static void a_lenient_table_keeps_dead_ends(void **state)
{
	static struct asked asked;

	(void)state;
	asked = (struct asked){ .build.keeps_dead_ends = true };
	asked_begin(&asked);
	for (const char *const *row = rows; *row != NULL; row++)
		asked_add(&asked, *row);
	asked_end(&asked);
	asked.options.on_dead_end = on_dead_end;
	asked.options.context = &asked.told;
	assert_answer(&asked, "dead@alias.test", "expand nobody@alias.test");
	assert_answer(&asked, "half@alias.test", "expand nobody@alias.test x@far.test");
	assert_string_equal(asked.told.data, "nobody@alias.test nobody@alias.test ");
	assert_answer(&asked, "nobox@alias.test", "expand nobody@mailbox.test");
	assert_answer(&asked, "deep-dead@alias.test", "expand nobody@alias.test");
	assert_answer(&asked, "self@alias.test", "deliver self@alias.test");
	assert_answer(&asked, "kept@alias.test", "expand kept@alias.test x@far.test");
	/* What has an answer of its own keeps it. */
	assert_answer(&asked, "closed-dead@alias.test", "expand nobody@alias.test");
	assert_answer(&asked, "ring@alias.test", "defer (alias loop)");
	assert_answer(&asked, "nobody@alias.test", "unknown");
	asked_free(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_in_order_and_once),
		cmocka_unit_test(an_address_may_map_to_itself),
		cmocka_unit_test(nobody_stays_in_an_alias_domain),
		cmocka_unit_test(a_ring_is_a_loop),
		cmocka_unit_test(dead_ends_are_left_out),
		cmocka_unit_test(replies_and_discards),
		cmocka_unit_test(users_move_with_their_extension),
		cmocka_unit_test(an_extension_is_passed_on),
		cmocka_unit_test(an_extension_is_kept_back),
		cmocka_unit_test(recursion_counts_hops_along_first_targets),
		cmocka_unit_test(who_maps_to_itself_is_not_asked_again),
		cmocka_unit_test(expansion_counts_repetitions),
		cmocka_unit_test(addresses_have_a_longest_length),
		cmocka_unit_test(the_largest_list),
		cmocka_unit_test(a_web_of_aliases_is_little_work),
		cmocka_unit_test(damage_defers),
		cmocka_unit_test(too_little_memory_defers),
		cmocka_unit_test(dead_ends_are_told),
		cmocka_unit_test(a_lenient_table_keeps_dead_ends),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
