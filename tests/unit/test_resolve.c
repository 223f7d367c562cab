/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/resolve.h"

#include "ask_table.h"

static const char *const rows[] = {
	"alias.test alias",
	"mailbox.test mailbox",
	"local.test local",
	"xn--mller-kva.test alias",
	"user@alias.test x@far.test",
	"with+ext@alias.test y@far.test",
	"with@alias.test z@far.test",
	"box@mailbox.test box@mailbox.test",
	"+front@alias.test front@far.test",
	"key@free.test x@far.test",
	"@catch.test caught@far.test",
	"one@catch.test x@far.test",
	"one+two@catch.test y@far.test",
	"bare bare@far.test",
	"both both@far.test",
	"both@local.test local@far.test",
	"bare+ext exact@far.test",
	"owner-list+x@alias.test o@far.test",
	"owner-list@alias.test owner@far.test",
	"postmaster@alias.test pm@far.test",
	"wide@alias.test J\303\274rgen@far.test",
	"j\303\274rgen@alias.test plain@far.test",
	"stra\303\237e@alias.test never@far.test",
	"strasse@alias.test street@far.test",
	"a b@alias.test quoted@far.test",
	NULL,
};

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

static void each_verdict(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "<user@alias.test>", "expand x@far.test");
	assert_answer(asked, "user@alias.test", "expand x@far.test");
	assert_answer(asked, "nobody@alias.test", "unknown");
	assert_answer(asked, "nobody@mailbox.test", "unknown");
	assert_answer(asked, "box@mailbox.test", "deliver box@mailbox.test");
	assert_answer(asked, "any@foreign.test", "foreign");
	/* Has keys, but nobody said that it is ours. */
	assert_answer(asked, "key@free.test", "expand x@far.test");
	assert_answer(asked, "nobody@free.test", "foreign");
}

static void case_does_not_count(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "USER@Alias.TEST", "expand x@far.test");
	assert_answer(asked, "user@alias.test.", "expand x@far.test");
	assert_answer(asked, "user@M\303\234LLER.test", "unknown");
	assert_answer(asked, "J\303\234RGEN@alias.test", "expand plain@far.test");
	assert_answer(asked, "ju\314\210rgen@alias.test", "expand plain@far.test");
	/* Keys are folded before they are stored: the one with sharp s isn't reached. */
	assert_answer(asked, "STRASSE@alias.test", "expand street@far.test");
	assert_answer(asked, "stra\303\237e@alias.test", "expand street@far.test");
	assert_answer(asked, "\"a b\"@alias.test", "expand quoted@far.test");
	assert_answer(asked, "\"user\"@alias.test", "expand x@far.test");
}

static void the_most_exact_key_counts(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "with+ext@alias.test", "expand y@far.test");
	assert_answer(asked, "with+other@alias.test", "expand z+other@far.test");
	assert_answer(asked, "user+x@alias.test", "expand x+x@far.test");
	assert_answer(asked, "+front@alias.test", "expand front@far.test");
	assert_answer(asked, "one@catch.test", "expand x@far.test");
	assert_answer(asked, "one+two@catch.test", "expand y@far.test");
	assert_answer(asked, "one+three@catch.test", "expand x+three@far.test");
	assert_answer(asked, "other+three@catch.test", "expand caught@far.test");
	assert_answer(asked, "other@catch.test", "expand caught@far.test");
}

static void bare_keys_are_for_local_domains(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "bare@local.test", "expand bare@far.test");
	assert_answer(asked, "bare@origin.test", "expand bare@far.test");
	assert_answer(asked, "bare", "expand bare@far.test");
	assert_answer(asked, "<Bare>", "expand bare@far.test");
	assert_answer(asked, "bare@alias.test", "unknown");
	assert_answer(asked, "bare@foreign.test", "foreign");
	assert_answer(asked, "nobody@local.test", "foreign");
	assert_answer(asked, "nobody", "foreign");
	assert_answer(asked, "both@local.test", "expand local@far.test");
	assert_answer(asked, "both@origin.test", "expand both@far.test");
	assert_answer(asked, "bare+ext@local.test", "expand exact@far.test");
	assert_answer(asked, "bare+o@local.test", "expand bare+o@far.test");
}

static void some_users_have_no_extension(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "postmaster@alias.test", "expand pm@far.test");
	assert_answer(asked, "postmaster+x@alias.test", "expand pm+x@far.test");
}

static void postmaster_is_always_accepted(void **state)
{
	struct asked *asked = *state;
	struct arena arena;
	struct resolution resolution = ask_for(asked, "<PostMaster>", &arena);

	assert_int_equal(resolution.verdict, VERDICT_FOREIGN);
	assert_true(resolution.is_exempt);
	arena_free(&arena);
	resolution = ask_for(asked, "<postmaster@alias.test>", &arena);
	assert_false(resolution.is_exempt);
	arena_free(&arena);
	resolution = ask_for(asked, "<postmaster@mailbox.test>", &arena);
	assert_int_equal(resolution.verdict, VERDICT_UNKNOWN);
	arena_free(&arena);
}

static void postmaster_is_expanded_where_it_has_targets(void **state)
{
	static const char *const one[] = { "postmaster pm@far.test", NULL };
	static const char *const exact[] = {
		"postmaster pm@far.test",
		"postmaster@origin.test other@far.test",
		NULL,
	};
	static const char *const refused[] = { "postmaster reply:", NULL };
	static const char *const ours[] = {
		"origin.test alias",
		"ann@origin.test x@far.test",
		NULL,
	};
	static const struct {
		const char *const *rows;
		const char *answer;
	} cases[] = {
		{ one, "expand pm@far.test" },
		{ exact, "expand other@far.test" },
		{ refused, "foreign" },
		{ ours, "foreign" },
	};
	struct asked asked;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		asked_make(&asked, cases[i].rows);
		assert_answer(&asked, "<PostMaster>", cases[i].answer);
		asked_free(&asked);
	}
}

#define ROUTED "refused (sender-specified routing)"

static void routing_through_us_is_refused(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "user%far.test@alias.test", ROUTED);
	assert_answer(asked, "far.test!user@alias.test", ROUTED);
	assert_answer(asked, "\"user@far.test\"@alias.test", ROUTED);
	assert_answer(asked, "user%far.test@mailbox.test", ROUTED);
	assert_answer(asked, "user%@alias.test", ROUTED);
	/* Written without a domain, or with one that is local: it leads to us. */
	assert_answer(asked, "user%alias.test", ROUTED);
	assert_answer(asked, "alias.test!user", ROUTED);
	assert_answer(asked, "user%alias.test@local.test", ROUTED);
	assert_answer(asked, "user%alias.test@origin.test", ROUTED);
	assert_answer(asked, "\"user@alias.test\"@local.test", ROUTED);
	assert_answer(asked, "user%alias.test%local.test@local.test", ROUTED);
	/* Elsewhere it is none of our business. */
	assert_answer(asked, "user%alias.test@foreign.test", "foreign");
	assert_answer(asked, "user%foreign.test@local.test", "foreign");
	assert_answer(asked, "user%foreign.test", "foreign");
}

static void a_source_route_is_dropped(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "<@relay.test:user@alias.test>", "expand x@far.test");
	assert_answer(asked, "<@relay.test,@other.test:nobody@alias.test>", "unknown");
}

static void what_is_no_address_is_refused(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "<>", "refused (bad address)");
	assert_answer(asked, "", "refused (bad address)");
	assert_answer(asked, "<user@alias.test", "refused (bad address)");
	assert_answer(asked, "\"user@alias.test", "refused (bad address)");
	assert_answer(asked, "<user name@alias.test>", "refused (bad address)");
	/* What can't be folded can be no user of ours, and is nobody's else to judge. */
	assert_answer(asked, "us\377er@alias.test", "refused (bad address)");
	assert_answer(asked, "us\001er@alias.test", "refused (bad address)");
	assert_answer(asked, "us\377er@foreign.test", "foreign");
}

static void who_needs_smtputf8(void **state)
{
	struct asked *asked = *state;

	assert_answer(asked, "wide@alias.test",
		      "refused (target needs SMTPUTF8) J\303\274rgen@far.test");
	asked->options.has_smtputf8 = true;
	assert_answer(asked, "wide@alias.test", "expand J\303\274rgen@far.test");
	asked->options.has_smtputf8 = false;
}

static void the_answer_says_whose_domain_it_is(void **state)
{
	static const struct {
		const char *address;
		bool is_ours, is_in_alias_domain, is_local, has_entry;
	} cases[] = {
		{ "user@alias.test", true, true, false, true },
		{ "nobody@alias.test", true, true, false, false },
		{ "box@mailbox.test", true, false, false, true },
		{ "bare@local.test", false, false, true, true },
		{ "bare", false, false, true, true },
		{ "key@free.test", false, false, false, true },
		{ "a@foreign.test", false, false, false, false },
	};
	struct asked *asked = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena;
		struct resolution got = ask_for(asked, cases[i].address, &arena);

		assert_int_equal(got.is_ours, cases[i].is_ours);
		assert_int_equal(got.is_in_alias_domain, cases[i].is_in_alias_domain);
		assert_int_equal(got.is_local, cases[i].is_local);
		assert_int_equal(got.has_entry, cases[i].has_entry);
		arena_free(&arena);
	}
}

/* ---- which keys are tried ----------------------------------------------------------------- */

static void on_step(void *context, struct bytes local, struct bytes domain, enum lookup found,
		    const struct table_entry *entry)
{
	struct buffer *told = context;

	assert_int_equal(found == LOOKUP_FOUND, entry != NULL);
	buffer_append_format(told, "%s" BYTES_FORMAT "@" BYTES_FORMAT "%s",
			     told->size > 0 ? " " : "", BYTES_ARGS(local), BYTES_ARGS(domain),
			     found == LOOKUP_FOUND ? "!" : "");
}

static void assert_steps(struct asked *asked, const char *address, const char *expected)
{
	struct arena arena;

	buffer_clear(&asked->told);
	asked->options.on_step = on_step;
	asked->options.context = &asked->told;
	(void)ask_for(asked, address, &arena);
	buffer_append_byte(&asked->told, '\0');
	assert_string_equal(asked->told.data, expected);
	asked->options.on_step = NULL;
	arena_free(&arena);
}

static void keys_are_tried_in_order(void **state)
{
	struct asked *asked = *state;

	assert_steps(asked, "with+no@alias.test", "with+no@alias.test with@alias.test!");
	assert_steps(asked, "no+one@alias.test", "no+one@alias.test no@alias.test @alias.test");
	assert_steps(asked, "no@alias.test", "no@alias.test @alias.test");
	/* No key there has an extension. */
	assert_steps(asked, "no+one@mailbox.test", "no@mailbox.test @mailbox.test");
	assert_steps(asked, "no+one@local.test", "no@local.test no+one@ no@ @local.test");
	assert_steps(asked, "bare@local.test", "bare@local.test bare@!");
	assert_steps(asked, "other@catch.test", "other@catch.test @catch.test!");
	assert_steps(asked, "a@foreign.test", "");
}

static void on_target(void *context, size_t level, const struct address *target,
		      struct bytes key_local, enum target_turn turn)
{
	static const char *const marks[] = {
		[TARGET_NEW] = "", [TARGET_ITSELF] = "=", [TARGET_REPEATED] = "*"
	};
	struct buffer *told = context;

	for (size_t i = 0; i < key_local.size; i++)
		assert_int_equal(key_local.data[i], byte_to_lower(target->local.data[i]));
	buffer_append_format(told, "%zu " BYTES_FORMAT "@" BYTES_FORMAT "%s\n", level,
			     BYTES_ARGS(target->local), BYTES_ARGS(target->domain), marks[turn]);
}

/* Depth first, each when its turn comes; and where the walk fails that is the last one. */
static void targets_are_told_with_their_level(void **state)
{
	static const char *const chain[] = {
		"a.test alias",
		"all@a.test One@a.test,two@a.test,x@far.test",
		"one@a.test y@far.test,one@b.test",
		"one@b.test one@b.test",
		"two@a.test one@a.test,X@far.test",
		"loop@a.test self@a.test",
		"self@a.test loop@a.test,z@far.test",
		NULL,
	};
	struct asked asked;
	struct arena arena;

	(void)state;
	asked_make(&asked, chain);
	asked.options.on_target = on_target;
	asked.options.context = &asked.told;
	(void)ask_for(&asked, "All@a.test", &arena);
	arena_free(&arena);
	buffer_append_byte(&asked.told, '\0');
	assert_string_equal(asked.told.data, "0 All@a.test\n"
					     "1 One@a.test\n"
					     "2 y@far.test\n"
					     "2 one@b.test\n"
					     "3 one@b.test=\n"
					     "1 two@a.test\n"
					     "2 one@a.test*\n"
					     "2 X@far.test\n"
					     "1 x@far.test*\n");
	buffer_clear(&asked.told);
	(void)ask_for(&asked, "loop@a.test", &arena);
	arena_free(&arena);
	buffer_append_byte(&asked.told, '\0');
	assert_string_equal(asked.told.data, "0 loop@a.test\n1 self@a.test\n2 loop@a.test*\n");
	asked_free(&asked);
}

static void a_target_without_keys_is_final(void **state)
{
	struct asked *asked = *state;

	/* far.test has no key, so that nothing is asked about x. */
	assert_steps(asked, "user@alias.test", "user@alias.test!");
}

/* ---- other delimiters --------------------------------------------------------------------- */

static void dash_is_no_delimiter_in_owner_and_request(void **state)
{
	struct asked asked = { .build = { .delimiters = "-" } };

	(void)state;
	asked_begin(&asked);
	asked_add(&asked, "a.test alias");
	asked_add(&asked, "owner@a.test owner@far.test");
	asked_add(&asked, "list@a.test list@far.test");
	asked_end(&asked);
	assert_answer(&asked, "list-x@a.test", "expand list-x@far.test");
	assert_answer(&asked, "owner-list@a.test", "unknown");
	assert_answer(&asked, "list-request@a.test", "unknown");
	asked_free(&asked);
}

static void no_delimiter_no_extension(void **state)
{
	struct asked asked = { .build = { .delimiters = "" } };

	(void)state;
	asked_begin(&asked);
	asked_add(&asked, "a.test alias");
	asked_add(&asked, "list@a.test list@far.test");
	asked_end(&asked);
	assert_answer(&asked, "list+x@a.test", "unknown");
	asked_free(&asked);
}

/* ---- trouble ------------------------------------------------------------------------------ */

/* Whatever is damaged: an address that the whole table knows is never unknown. */
static void damage_is_never_unknown(void **state)
{
	struct asked *asked = *state;
	unsigned deferred = 0;

	for (uint64_t line = 0; line < image_lines(&asked->image); line++) {
		struct image image = image_copy(&asked->image);
		struct asked damaged = *asked;
		struct arena arena;

		le32_store(image_line(&image, line) + LINE_BASE, 0xffffff00);
		le64_store(image_section_entry(&image, SECTION_CANARIES) + SECTION_LENGTH, 0);
		image_sum(&image);
		damaged.table = image_open(&image);
		for (size_t i = 0; rows[i] != NULL; i++) {
			char address[64];
			struct resolution resolution;

			(void)snprintf(address, sizeof(address), "%.*s", (int)strcspn(rows[i], " "),
				       rows[i]);
			if (strchr(address, '@') == NULL || address[0] == '@' ||
			    strstr(address, "stra") != NULL)
				continue;
			resolution = ask_for(&damaged, address, &arena);
			if (resolution.verdict == VERDICT_DEFER)
				assert_int_equal(resolution.reason, REASON_BROKEN);
			assert_int_not_equal(resolution.verdict, VERDICT_UNKNOWN);
			deferred += resolution.verdict == VERDICT_DEFER;
			arena_free(&arena);
		}
		table_close(damaged.table);
		image_free(&image);
	}
	assert_true(deferred > 0);
}

static void a_damaged_domain_defers(void **state)
{
	struct asked *asked = *state;
	struct image image = image_copy(&asked->image);
	struct asked damaged = *asked;
	unsigned char *index = image_section(&image, SECTION_DOMAIN_INDEX);

	for (uint64_t i = 0; i < image_section_size(&image, SECTION_DOMAIN_INDEX); i += 4)
		if (i % BUCKET_BYTES >= BUCKET_REFS && le32_load(index + i) != 0)
			le32_store(index + i, 0xfffffff0);
	le64_store(image_section_entry(&image, SECTION_CANARIES) + SECTION_LENGTH, 0);
	image_sum(&image);
	damaged.table = image_open(&image);
	assert_answer(&damaged, "user@alias.test", "defer (damaged table)");
	assert_answer(&damaged, "nobody@mailbox.test", "defer (damaged table)");
	/* A doubt isn't taken for "no key" there either. */
	assert_answer(&damaged, "<postmaster>", "defer (damaged table)");
	table_close(damaged.table);
	image_free(&image);
}

static void each_verdict_and_reason_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < VERDICTS; i++)
		assert_true(strlen(resolve_verdict_name((enum verdict)i)) > 0);
	for (int i = 0; i <= REASON_NEEDS_SMTPUTF8; i++)
		assert_true(strlen(reason_name((enum reason)i)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verdict),
		cmocka_unit_test(case_does_not_count),
		cmocka_unit_test(the_most_exact_key_counts),
		cmocka_unit_test(bare_keys_are_for_local_domains),
		cmocka_unit_test(some_users_have_no_extension),
		cmocka_unit_test(postmaster_is_always_accepted),
		cmocka_unit_test(postmaster_is_expanded_where_it_has_targets),
		cmocka_unit_test(routing_through_us_is_refused),
		cmocka_unit_test(a_source_route_is_dropped),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(who_needs_smtputf8),
		cmocka_unit_test(the_answer_says_whose_domain_it_is),
		cmocka_unit_test(keys_are_tried_in_order),
		cmocka_unit_test(targets_are_told_with_their_level),
		cmocka_unit_test(a_target_without_keys_is_final),
		cmocka_unit_test(dash_is_no_delimiter_in_owner_and_request),
		cmocka_unit_test(no_delimiter_no_extension),
		cmocka_unit_test(damage_is_never_unknown),
		cmocka_unit_test(a_damaged_domain_defers),
		cmocka_unit_test(each_verdict_and_reason_has_a_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
