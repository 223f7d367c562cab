/* SPDX-License-Identifier: BSD-2-Clause */
/* What patterns make of addresses, from the file to the answer: where they go wrong, nothing is
 * refused for it that the client could not have known. */
#include "resolve/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <cmocka.h>

#include "compile/compile.h"
#include "scratch.h"

/* ---- a table of a pattern source, rules, and a virtual one ---------------------------------- */

struct answers {
	struct settings *settings;
	struct table *table;
	char *messages;
	int status;
};

static void compile(struct answers *answers, const char *type, const char *rules, const char *rows,
		    const char *domains, bool is_lenient)
{
	char conf[256];
	char rules_path[4096], rows_path[4096], table_path[4096];
	struct settings_source sources[] = {
		{ .type = (char *)(uintptr_t)type, .path = rules_path },
		{ .type = (char *)(uintptr_t) "virtual", .path = rows_path }
	};
	struct compile_options options = {
		.sources = sources,
		.source_count = 2,
		.output = table_path,
		.is_sync_skipped = true,
		.is_lenient = is_lenient,
		.is_forced = true,
	};
	struct error err;
	size_t size;

	(void)snprintf(conf, sizeof(conf), "origin = \"o.test\"; alias_domains = [ %s ];", domains);
	scratch_put("conf", conf);
	scratch_put("rules", rules);
	scratch_put("rows", rows);
	strcpy(rules_path, scratch_path("rules"));
	strcpy(rows_path, scratch_path("rows"));
	strcpy(table_path, scratch_path("table"));
	assert_int_equal(chmod(rules_path, 0640) + chmod(rows_path, 0640), 0);
	*answers = (struct answers){ .settings = settings_load(scratch_path("conf"), NULL, NULL,
							       &err) };
	options.messages = open_memstream(&answers->messages, &size);
	assert_true(answers->settings != NULL && options.messages != NULL);
	answers->status = compile_run(answers->settings, &options);
	assert_int_equal(fclose(options.messages), 0);
	if (answers->status == EX_OK) {
		answers->table = table_open(table_path, (uid_t)-1, TABLE_COPIED, &err);
		assert_non_null(answers->table);
	}
}

static void end(struct answers *answers)
{
	table_close(answers->table);
	settings_free(answers->settings);
	free(answers->messages);
}

/* ADDRESS leads to EXPECTED: the verdict, the recipients, `:` and the reason. */
static void leads_to(const struct answers *answers, const char *address, const char *expected)
{
	const struct resolve_options options = { .limits = &answers->settings->limits };
	struct resolution resolution;
	struct buffer text;
	struct arena arena;

	arena_init(&arena, 1 << 24);
	buffer_init(&text, 10000);
	resolve(answers->table, &options, bytes_of(address), &arena, NULL, &resolution);
	buffer_append_text(&text, resolve_verdict_name(resolution.verdict));
	for (size_t i = 0; i < resolution.recipient_count; i++) {
		buffer_append_byte(&text, ' ');
		address_print(&resolution.recipients[i].address, &text);
	}
	buffer_append_text(&text, resolution.reply.size > 0 ? " " : "");
	buffer_append(&text, resolution.reply);
	buffer_append_text(&text, resolution.reason != REASON_NONE ? ": " : "");
	reason_print(answers->table, resolution.reason, &resolution.detail, &text);
	buffer_append_byte(&text, '\0');
	if (strcmp(text.data, expected) != 0)
		fail_msg("%s: %s\nnot: %s", address, text.data, expected);
	buffer_free(&text);
	arena_free(&arena);
}

static void says(const struct answers *answers, int status, const char *words)
{
	if (answers->status != status || strstr(answers->messages, words) == NULL)
		fail_msg("%d, not %d: %s\nnot: %s", answers->status, status, answers->messages,
			 words);
}

/* ---- addresses that come of the table ------------------------------------------------------- */

static void a_quoted_word_stays_one(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "pcre",
		"/^(.*)@c\\.test$/ ${1}@d.test\n/^\"(.*)\"@e\\.test$/ ${1}@d.test\n",
		"b.test x\nq@b.test \"john smith\"@c.test\n", "\"c.test\", \"e.test\"", false);
	assert_int_equal(answers.status, EX_OK);
	leads_to(&answers, "q@b.test", "expand \"john smith\"@d.test");
	leads_to(&answers, "\"john smith\"@c.test", "expand \"john smith\"@d.test");
	leads_to(&answers, "\"a, evil@x.test\"@c.test", "refused: sender-specified routing");
	leads_to(&answers, "\"a\\\"b, c\"@c.test", "expand \"a\\\"b, c\"@d.test");
	/* Without its quotes it would be two recipients. */
	leads_to(&answers, "\"john smith\"@e.test", "refused: bad address");
	end(&answers);
}

/* Half a quoted string that a group holds is put in where the value as a whole closes it. */
static void a_quoted_word_may_be_cut(void **state)
{
	static const char rules[] =
		"/^([^@]*)-([^@]*)@c\\.test$/ ${1}.${2}@d.test\n"
		"/^\"(.*)\"@e\\.test$/ \"${1}\"@d.test\n"
		"/^([^@]*)-([^@]*)@f\\.test$/ ${1}@d.test, ${2}@d.test\n"
		"/^([^@]*)-([^@]*)@g\\.test$/ ${1}@${2}.test\n"
		"/^\"([^-]*?)\"?-(.*)\"@h\\.test$/ \"${1}.${2}\"@d.test\n"
		"/^(.*)-x-(.*)@i\\.test$/ \"${1}\".${2}@d.test\n"
		"/^(.*)@j\\.test$/ \"${1}\"@d.test\n/^([^-]*)-.*@k\\.test$/ ${1}\n";
	static const char domains[] = "\"c.test\", \"e.test\", \"f.test\", \"g.test\", "
				      "\"h.test\", \"i.test\", \"j.test\", \"k.test\"";
	struct answers answers;

	(void)state;
	compile(&answers, "pcre", rules, "q@b.test \"john smith-x\"@c.test, y@d.test\n", domains,
		false);
	assert_int_equal(answers.status, EX_OK);
	leads_to(&answers, "q@b.test", "expand \"john smith.x\"@d.test y@d.test");
	leads_to(&answers, "\"g h+y-z\"@c.test", "expand \"g h+y.z\"@d.test");
	leads_to(&answers, "\"a, b\\\\-\\\"z\"@c.test", "expand \"a, b\\\\.\\\"z\"@d.test");
	leads_to(&answers, "\"john smith\"@e.test", "expand \"john smith\"@d.test");
	leads_to(&answers, "\"a, b\"@e.test", "expand \"a, b\"@d.test");
	leads_to(&answers, "\"a\\\"b\"@e.test", "expand \"a\\\"b\"@d.test");
	/* What the value separates, the address may not join. */
	leads_to(&answers, "\"g -h\"@f.test", "refused: bad address");
	leads_to(&answers, "\"g -h\"@g.test", "refused: bad address");
	leads_to(&answers, "\"g -x-h\"@i.test", "refused: bad address");
	leads_to(&answers, "\"g h\"@j.test", "refused: bad address");
	leads_to(&answers, "gh@j.test", "expand gh@d.test");
	leads_to(&answers, "\"g h-x\"@k.test", "refused: bad address");
	leads_to(&answers, "a-b@k.test", "expand a@o.test");
	/* Nor may half an escape take the value's own byte with it. */
	leads_to(&answers, "\"a\\\"-b\"@h.test", "refused: bad address");
	leads_to(&answers, "\"a-b c\"@h.test", "expand \"a.b c\"@d.test");
	end(&answers);
}

static const char spoiling[] = "/^\"?([^\"]*)\"?@c\\.test$/ ${1}@d.test\n";
static const char spoiled[] =
	"b.test x\nq@b.test \"j s\"@c.test\nr@b.test ok@f.test, \"j s\"@c.test\n"
	"s@b.test q@b.test, r@b.test\n";

static void a_bad_target_is_the_tables_fault(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "pcre", spoiling, spoiled, "\"c.test\"", true);
	says(&answers, EX_OK,
	     "rows:2: warning: target \"j s\"@c.test: pattern makes no address: rules:1 "
	     "[lenient]\n");
	leads_to(&answers, "q@b.test", "defer: pattern makes no address: rules:1");
	leads_to(&answers, "r@b.test", "expand ok@f.test: pattern makes no address: rules:1");
	leads_to(&answers, "s@b.test", "expand ok@f.test: pattern makes no address: rules:1");
	leads_to(&answers, "\"j s\"@c.test", "refused: bad address");
	leads_to(&answers, "js@c.test", "expand js@d.test");
	end(&answers);
	compile(&answers, "pcre", spoiling, spoiled, "\"c.test\"", false);
	says(&answers, EX_DATAERR,
	     "rows:3: target \"j s\"@c.test: pattern makes no address: rules:1\n");
	end(&answers);
}

static void a_template_that_makes_no_address(void **state)
{
	static const char rules[] = "/^(.*@c\\.test)$/ ${1}@d.test\n/^(x*)y@e\\.test$/ ${1}\n"
				    "/^([a-z])([a-z]*)@g\\.test$/ ${1}@${2}\n";
	struct answers answers;

	(void)state;
	compile(&answers, "pcre", rules, "b.test x\n", "\"c.test\", \"e.test\"", true);
	says(&answers, EX_OK, "rules:1: ");
	leads_to(&answers, "ann@c.test", "defer: pattern makes no address: rules:1");
	leads_to(&answers, "y@e.test", "defer: pattern makes no address: rules:2");
	leads_to(&answers, "xy@e.test", "expand x@o.test");
	leads_to(&answers, "ann@g.test", "expand a@nn");
	leads_to(&answers, "a@g.test", "defer: pattern makes no address: rules:3");
	end(&answers);
	compile(&answers, "pcre", rules, "b.test x\n", "\"c.test\"", false);
	says(&answers, EX_DATAERR, "rules:1: ");
	end(&answers);
}

/* ---- circles -------------------------------------------------------------------------------- */

static void growing_circles_are_circles(void **state)
{
	static const char *const rules[] = {
		"/^(.*)@a\\.test$/ x${1}@a.test\n",
		"/^(.*)@a\\.test$/ ${1}${1}@a.test\n",
		"/^(.*)@a\\.test$/ archive-${1}@a.test, ok@f.test\n",
		"/^(.*)@(.*a\\.test)$/ ${1}@x.${2}\n",
		"if /@a/\n/^(.*)@/ x${1}@a.test\nendif\n",
		"/^ab@a\\.test$/ abc@a.test\n/^(ab.*)c@a\\.test$/ ${1}cc@a.test\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		static const char rows[] = "b.test x\nq@b.test ab@a.test\n";
		struct answers answers;
		char loop[64];

		(void)snprintf(loop, sizeof(loop), "alias loop: rules:%d", i < 4 ? 1 : 2);
		compile(&answers, "pcre", rules[i], rows, "\"a.test\"", true);
		says(&answers, EX_OK, loop);
		(void)snprintf(loop, sizeof(loop), "defer: alias loop: rules:%d", i < 4 ? 1 : 2);
		leads_to(&answers, "ab@a.test", loop);
		leads_to(&answers, "q@b.test", loop);
		end(&answers);
		/* Without a row that leads there, too. */
		compile(&answers, "pcre", rules[i], "b.test x\n", "\"a.test\"", false);
		says(&answers, EX_DATAERR, i < 4 ? "rules:1: " : "rules:2: ");
		says(&answers, EX_DATAERR, "alias loop: ");
		end(&answers);
	}
}

static void two_rules_in_a_circle(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "pcre", "/^a@a\\.test$/ b@a.test\n/^b@a\\.test$/ a@a.test\n",
		"b.test x\n", "\"a.test\"", false);
	says(&answers, EX_DATAERR, "rules:1: alias loop: ");
	says(&answers, EX_DATAERR, "rules:2: alias loop: ");
	end(&answers);
}

static void what_cant_be_proved_is_said(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "pcre",
		"/^([a-z]{3})[0-9](?<=7)@c\\.test$/ ${1}@f.test\n"
		"/^(?!x)([a-z]+)@c\\.test$/ ${1}@f.test\n",
		"b.test x\n", "\"c.test\"", false);
	says(&answers, EX_OK, "rules:1: warning: can't be proved: no address was found");
	assert_null(strstr(answers.messages, "rules:2: warning: can't"));
	end(&answers);
}

/* ---- work ----------------------------------------------------------------------------------- */

static const char long_local[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void costly_rules_are_refused(void **state)
{
	static const char *const costly[] = {
		"/^(.*)+.*@mail.a.test$/ $1@far.test\n",
		"/^([a-z]+)+@a\\.test$/ x@far.test\n",
		"/(.*)(.*)(.*)(.*)[0-9]@[ab]\\.test/ x@far.test\n",
		"if /^(a|a?)+[bc]@/\n/^x@a\\.test$/ x@far.test\nendif\n",
		"/^([a-z.]+)*[0-9]$/ x@far.test\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(costly) / sizeof(costly[0]); i++)
		for (int is_posix = 0; is_posix < 2; is_posix++) {
			struct answers answers;

			compile(&answers, is_posix ? "regexp" : "pcre", costly[i], "b.test x\n",
				"\"a.test\", \"mail.a.test\"", false);
			says(&answers, EX_DATAERR, "rules:1: the pattern takes more than ");
			end(&answers);
		}
}

static void a_costly_rule_is_about_its_domain_alone(void **state)
{
	struct answers answers;
	char address[200];

	(void)state;
	compile(&answers, "pcre", "/^([a-z]|a?)+[b1]x@mail.a.test$/ $1@far.test\n", "b.test x\n",
		"\"a.test\", \"mail.a.test\"", true);
	says(&answers, EX_OK, "rules:1: warning: the pattern takes more than ");
	(void)snprintf(address, sizeof(address), "%s@elsewhere.test", long_local);
	leads_to(&answers, address, "foreign");
	(void)snprintf(address, sizeof(address), "%s@mail.a.test.elsewhere.test", long_local);
	leads_to(&answers, address, "foreign");
	(void)snprintf(address, sizeof(address), "%s@a.test", long_local);
	leads_to(&answers, address, "unknown");
	(void)snprintf(address, sizeof(address), "%s%s@mail.a.test", long_local, long_local);
	leads_to(&answers, address, "unknown");
	(void)snprintf(address, sizeof(address), "%sx@mail.a.test", long_local);
	leads_to(&answers, address, "defer: pattern gave up (match limit): rules:1");
	end(&answers);
}

static void many_rules_share_a_budget(void **state)
{
	struct answers answers;
	struct buffer rules;

	(void)state;
	buffer_init(&rules, 1 << 20);
	for (int i = 0; i < 300; i++)
		buffer_append_format(&rules, "/^[a-y]*[a-x]*[q7]%d?@[b-d]\\.test$/ x@far.test\n",
				     i);
	buffer_append_byte(&rules, '\0');
	compile(&answers, "pcre", rules.data, "b.test x\n", "\"c.test\"", false);
	says(&answers, EX_DATAERR, ": the patterns up to this one take more than ");
	assert_null(strstr(answers.messages, "the pattern takes"));
	end(&answers);
	buffer_free(&rules);
}

static void usual_rules_are_good(void **state)
{
	static const char rules[] = "/^(.*)-request@a\\.test$/ ${1}-owner@far.test\n"
				    "/^([^+@]+)\\+([^@]*)@a\\.test$/ ${1}.${2}@far.test\n"
				    "/^(bounces|owner)-(.*)@(a|c)\\.test$/ ${1}@far.test\n"
				    "/^.*@(.*)\\.sub\\.test$/ all-${1}@far.test\n"
				    "/^[0-9]{4,}([a-z]*)@/ spam-${1}@far.test\n"
				    "/[^a-z@]-bounce@/ bounce@far.test\n"
				    "/^(.*)@c\\.test$/ ${1}@far.test\n";
	struct answers answers;

	(void)state;
	for (int is_posix = 0; is_posix < 2; is_posix++) {
		compile(&answers, is_posix ? "regexp" : "pcre", rules, "b.test x\n",
			"\"a.test\", \"c.test\"", false);
		assert_int_equal(answers.status, EX_OK);
		assert_null(strstr(answers.messages, "can't be proved"));
		end(&answers);
	}
}

static void everybody_is_more_than_one(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "pcre",
		"/-/ a@far.test\n/[0-9].*@a/ b@far.test\n/^[a-z]+@a/ c@far.test\n", "b.test x\n",
		"\"a.test\"", false);
	says(&answers, EX_OK, "");
	assert_null(strstr(answers.messages, "answers for every user"));
	end(&answers);
	compile(&answers, "pcre", "/@a\\.test$/ a@far.test\n", "b.test x\n", "\"a.test\"", false);
	says(&answers, EX_OK, "rules:1: warning: the pattern answers for every user of a.test");
	end(&answers);
}

/* ---- regexp --------------------------------------------------------------------------------- */

static void a_repeated_group_holds_what_it_took_last(void **state)
{
	static const char rules[] = "/^([a-z]*[-.]?)*@c\\.test$/ x$1@far.test\n"
				    "/^(([a-z]*)-?)+=(b*)@c\\.test$/ $1.$2.$3.x@far.test\n"
				    "/^\\(\\([a-z]*\\)\\.*\\)*+@c\\.test$/x $2@far.test\n";
	struct answers answers;

	(void)state;
	compile(&answers, "regexp", rules, "b.test x\n", "\"c.test\"", true);
	/* They are costly, too. */
	says(&answers, EX_OK, "rules:1: warning: the pattern takes more than ");
	leads_to(&answers, "c@c.test", "expand xc@far.test");
	leads_to(&answers, "x.y@c.test", "expand xy@far.test");
	leads_to(&answers, "a-b=bb@c.test", "expand b.b.bb.x@far.test");
	leads_to(&answers, "a.b+@c.test", "expand b@far.test");
	end(&answers);
}

static void letters_behind_a_backslash_mean_something(void **state)
{
	static const char *const bad[] = { "\\d", "[^\\]\\n", "[[:alpha:]]\\D", "(a\\t)" };
	struct answers answers;
	char rule[100], words[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(rule, sizeof(rule), "/^user%s@c\\.test$/ x@far.test\n", bad[i]);
		(void)snprintf(words, sizeof(words), "rules:1: no %.2s in regexp; ",
			       strrchr(bad[i], '\\'));
		compile(&answers, "regexp", rule, "b.test x\n", "\"c.test\"", false);
		says(&answers, EX_DATAERR, words);
		end(&answers);
		compile(&answers, "pcre", rule, "b.test x\n", "\"c.test\"", false);
		assert_int_equal(answers.status, i == 1 ? EX_DATAERR : EX_OK);
		end(&answers);
	}
	compile(&answers, "regexp", "/^\\<u\\w[\\d]\\W?\\b\\/?@c\\.test$/ x@far.test\n",
		"b.test x\n", "\"c.test\"", false);
	assert_int_equal(answers.status, EX_OK);
	leads_to(&answers, "us\\\\d@c.test", "unknown");
	leads_to(&answers, "usd@c.test", "expand x@far.test");
	end(&answers);
}

/* ---- dollars -------------------------------------------------------------------------------- */

static void a_dollar_of_a_reply_is_one(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "virtusertable",
		"+*@c.test error:5.2.1:550 Costs $5 or $$6\nann@c.test error:5.2.1:550 $7 for %1\n"
		"ann+*@c.test error:5.2.1:550 $8\nbob@c.test error:5.2.1:550 $9%% left\n",
		"b.test x\n", "\"c.test\"", false);
	assert_int_equal(answers.status, EX_OK);
	leads_to(&answers, "x+y@c.test", "refused 550 5.2.1 Costs $5 or $$6");
	leads_to(&answers, "ann@c.test", "refused 550 5.2.1 $7 for ann");
	leads_to(&answers, "ann+x@c.test", "refused 550 5.2.1 $8");
	leads_to(&answers, "bob+x@c.test", "refused 550 5.2.1 $9% left");
	end(&answers);
	compile(&answers, "pcre", "/^x@c\\.test$/ error:5.2.1:550 $$5 $$$$6\n", "b.test x\n",
		"\"c.test\"", false);
	leads_to(&answers, "x@c.test", "refused 550 5.2.1 $5 $$6");
	end(&answers);
}

static void a_value_with_dollars_but_no_groups_is_proved(void **state)
{
	struct answers answers;

	(void)state;
	compile(&answers, "pcre", "/^x@c\\.test$/ a$$b@c.test\n", "b.test x\n", "\"c.test\"",
		false);
	says(&answers, EX_DATAERR, "rules:1: target a$b@c.test could only bounce");
	end(&answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quoted_word_stays_one),
		cmocka_unit_test(a_quoted_word_may_be_cut),
		cmocka_unit_test(a_bad_target_is_the_tables_fault),
		cmocka_unit_test(a_template_that_makes_no_address),
		cmocka_unit_test(growing_circles_are_circles),
		cmocka_unit_test(two_rules_in_a_circle),
		cmocka_unit_test(what_cant_be_proved_is_said),
		cmocka_unit_test(costly_rules_are_refused),
		cmocka_unit_test(a_costly_rule_is_about_its_domain_alone),
		cmocka_unit_test(many_rules_share_a_budget),
		cmocka_unit_test(usual_rules_are_good),
		cmocka_unit_test(a_dollar_of_a_reply_is_one),
		cmocka_unit_test(a_value_with_dollars_but_no_groups_is_proved),
		cmocka_unit_test(a_repeated_group_holds_what_it_took_last),
		cmocka_unit_test(letters_behind_a_backslash_mean_something),
		cmocka_unit_test(everybody_is_more_than_one),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
