/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_entry.h"

#include <sysexits.h>

#include "build_rows.h"

static void keys_are_folded(void **state)
{
	(void)state;
	entry_gives("Ann@A.TEST", "x@far.test", "ann@a.test = x@far.test\n");
	entry_gives("\"Ann B\"@a.test", "x@far.test", "\"ann b\"@a.test = x@far.test\n");
	entry_gives("\303\234ser@b\303\274.test", "x@far.test",
		    "\303\274ser@xn--b-eha.test = x@far.test\n");
	entry_gives("@A.test", "x@far.test", "@a.test = x@far.test\n");
	entry_gives("Ann", "x@far.test", "ann = x@far.test\n");
}

static void values_are_targets_replies_or_nothing(void **state)
{
	(void)state;
	entry_gives("a@a.test", "x@far.test, Y@Far.test", "a@a.test = x@far.test, Y@far.test\n");
	entry_gives("a@a.test", "error:5.2.1:550 No", "a@a.test = error:5.2.1:550 No\n");
	entry_gives("a@a.test", "discard:", "a@a.test = discard:\n");
	entry_gives("@a.test", "discard: whatever", "@a.test = discard:\n");
	entry_gives("a@a.test", "error:5.2.1:450 No",
		    BUILD_PATH
		    ":1: the enhanced code of a reply must begin with 4 as its code does\n");
}

static void keys_that_are_none_are_told(void **state)
{
	(void)state;
	entry_gives("ann@a..test", "x@far.test",
		    BUILD_PATH ":1: \"ann@a..test\": the domain \"a..test\" has an empty label\n");
	entry_gives("\"a\001b\"@a.test", "x@far.test",
		    BUILD_PATH ":1: \"\\\"a\\x01b\\\"@a.test\": the local part has control bytes, "
			       "invalid UTF-8 or bidirectional controls in it\n");
}

/* ---- limits ------------------------------------------------------------------------------- */

static void a_key_has_240_bytes_and_no_more(void **state)
{
	char key[300], expected[400];

	(void)state;
	memset(key, 'k', sizeof(key));
	strcpy(key + WRITER_KEY_LOCAL_MAX, "@a.test");
	(void)snprintf(expected, sizeof(expected), "%s = x@far.test\n", key);
	entry_gives(key, "x@far.test", expected);
	strcpy(key + WRITER_KEY_LOCAL_MAX, "k@a.test");
	(void)snprintf(expected, sizeof(expected),
		       BUILD_PATH ":1: \"%s\": the local part is longer than 240 bytes\n", key);
	entry_gives(key, "x@far.test", expected);
	/* And where it becomes longer by folding. */
	key[WRITER_KEY_LOCAL_MAX] = '\0';
	memcpy(key, "\304\260", 2);
	strcpy(key + WRITER_KEY_LOCAL_MAX, "@a.test");
	entry_gives(key, "x@far.test",
		    BUILD_PATH ":1: the local part of a key has more than 240 bytes\n");
}

static void routing_in_a_key_is_an_error_or_a_warning(void **state)
{
	static const char *const keys[] = { "a%b@a.test", "a!b@a.test", "\"a@b\"@a.test" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char expected[200];

		entry_gives(keys[i], "x@far.test",
			    BUILD_PATH ":1: key: @, % or ! in the local part "
				       "(sender-specified routing)\n");
		(void)snprintf(expected, sizeof(expected),
			       "%s = x@far.test\n" BUILD_PATH
			       ":1: warning: no client can reach a key with @, %% or ! in its "
			       "local part [lenient]\n",
			       keys[i]);
		lenient_entry_gives(keys[i], "x@far.test", expected);
	}
}

/* ---- domains ------------------------------------------------------------------------------ */

static void a_word_with_a_dot_and_a_word_declare(void **state)
{
	(void)state;
	entry_gives("D.test", "anything", "d.test: alias\n");
	entry_gives("d.test", "", "d.test: alias\n");
	row_gives(SOURCE_ROW_DOMAIN, "D.test", "", "d.test: alias\n");
	row_gives(SOURCE_ROW_DOMAIN, "nodot", "", "nodot: alias\n");
	row_gives(SOURCE_ROW_DOMAIN, "a\377.test", "", BUILD_PATH ":1: not a domain\n");
	/* No top-level domain has one letter, and no domain begins with its dot. */
	entry_gives("d.t", "anything", "\"d.t\" = anything@o.test\n");
}

#define BOTH                                                                                       \
	"warning: jane.doe is taken for a local user and for an alias domain: put quotes around "  \
	"the user, or the domain into alias_domains [ambiguous]\n"

/* As Postfix takes it, unless something else says that it is a domain. */
static void a_word_that_may_be_a_user_is_one(void **state)
{
	(void)state;
	entry_gives("jane.doe", "jdoe",
		    "\"jane.doe\" = jdoe@o.test\njane.doe: alias\n" BUILD_PATH ":1: " BOTH);
	entry_gives("\"jane.doe\"", "jdoe", "\"jane.doe\" = jdoe@o.test\n");
	entry_gives("o'neil.b", "oneil", "\"o'neil.b\" = oneil@o.test\n");
	entry_gives("ann.b+x", "annb", "\"ann.b+x\" = annb@o.test\n");
	building_begin("", false);
	building_entry("jane.doe", "jdoe");
	building_entry("ann@jane.doe", "x@far.test");
	assert_string_equal(building_end(), "jane.doe: alias\nann@jane.doe = x@far.test\n");
	building_begin("alias_domains = [ \"jane.doe\" ];\n", false);
	building_entry("Jane.Doe", "jdoe");
	assert_string_equal(building_end(), "jane.doe: alias\n");
	building_begin("", false);
	building_entry("jane.doe", "jdoe");
	building_row(SOURCE_ROW_DOMAIN, "jane.doe", "");
	assert_string_equal(building_end(), "jane.doe: alias\n");
}

static void what_stands_behind_domains_is_known(void **state)
{
	static const char *const values[] = { "OK", "x", "1", "20261129", "-", "DOMAIN", "D.test" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		entry_gives("d.test", values[i], "d.test: alias\n");
	entry_gives("d.test.", "x", "d.test: alias\n");
}

/* What people write where a host name belongs. */
static void only_host_names_are_declared(void **state)
{
	static const char *const names[] = {
		"/^example\\.com$/", "http://x.example", "*.example.edu",  "example..com",
		"!example.com",      "hash:/etc/x.db",   "\"example.us\"", ".example.com",
		"[192.0.2.1]",       "-a.test",          "a.test:25",      "1.2.3.4",
		"example.com..",
	};
	static const char *const words[] = { "/x.com/",          "*.example.edu", "a..b",
					     "http://x.example", "/x/",           "hash:/etc/x",
					     "\"example.us\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		building_begin("", false);
		building_row(SOURCE_ROW_DOMAIN, names[i], "");
		if (strncmp(building_end(), BUILD_PATH ":1: the domain ", 26) != 0)
			fail_msg("%s gives %s", names[i], building.text);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		building_begin("", false);
		building_entry(words[i], "x");
		if (strncmp(building_end(), BUILD_PATH ":1: ", 15) != 0)
			fail_msg("%s gives %s", words[i], building.text);
	}
	row_gives(SOURCE_ROW_DOMAIN, "*.example.edu", "",
		  BUILD_PATH ":1: the domain \"*.example.edu\" has a byte in it that no host name "
			     "has; there are no wildcards: list each domain\n");
	entry_gives("a..b", "jdoe", BUILD_PATH ":1: the domain \"a..b\" has an empty label\n");
}

static void a_domain_that_is_local_is_told(void **state)
{
	(void)state;
	building_begin("local_domains = [ \"l.test\" ];\n", false);
	building_entry("l.test", "x");
	building_row(SOURCE_ROW_DOMAIN, "L.test", "");
	building_row(SOURCE_ROW_DOMAIN, "o.test", "");
	assert_string_equal(building_end(),
			    "l.test: alias local\no.test: alias local\n" BUILD_PATH
			    ":1: warning: l.test is one of local_domains, too: its local users "
			    "without a key here are refused [local-domain]\n");
	building_begin("local_domains = [ \"l.test\", \"m.test\", \"o.test\" ];\n"
		       "alias_domains = [ \"l.test\" ];\nmailbox_domains = [ \"m.test\" ];\n",
		       false);
	building_row(SOURCE_ROW_DOMAIN, "o.test", "");
	assert_int_equal(building.reported.report.warnings, 3);
	assert_non_null(
		strstr(building_end(), "m.test is in local_domains and in mailbox_domains"));
}

static void what_nobody_sees_is_told(void **state)
{
	(void)state;
	entry_gives("ann\xC2\xA0@a.test", "x@far.test",
		    BUILD_PATH ":1: the key has U+00A0 (no-break space) in it\n");
	row_gives(SOURCE_ROW_DOMAIN, "a\xE2\x80\x8B.test", "",
		  BUILD_PATH ":1: the key has U+200B (zero width space) in it\n");
	row_gives(SOURCE_ROW_RECIPIENT,
		  "\xEF\xBB\xBF"
		  "ann@a.test",
		  "", BUILD_PATH ":1: the key has U+FEFF (byte order mark) in it\n");
	entry_gives("ann@a.test", "x@far.test,\xC2\xA0y@far.test",
		    BUILD_PATH ":1: U+00A0 (no-break space) in a target\n");
}

static void a_mailbox_domain_is_no_alias_domain(void **state)
{
	(void)state;
	building_begin("mailbox_domains = [ \"d.test\" ];\n", false);
	building_entry("d.test", "anything");
	building_row(SOURCE_ROW_DOMAIN, "d.test", "");
	assert_string_equal(building_end(), "d.test: mailbox\n");
}

/* Whichever was said first, and that it was is told. */
static void a_domain_of_both_kinds_is_a_mailbox_domain(void **state)
{
	static const char told[] =
		"d.test: mailbox\n" BUILD_PATH
		":2: warning: d.test is declared as an alias domain and as a mailbox domain: it is "
		"taken for a mailbox domain [conflict]\n";

	(void)state;
	building_begin("", false);
	building_row(SOURCE_ROW_DOMAIN, "d.test", "");
	building_row(SOURCE_ROW_MAILBOX_DOMAIN, "D.test", "");
	building_row(SOURCE_ROW_MAILBOX_DOMAIN, "d.test", "");
	assert_string_equal(building_end(), told);
	building_begin("", false);
	building_row(SOURCE_ROW_MAILBOX_DOMAIN, "d.test", "");
	building_row(SOURCE_ROW_DOMAIN, "d.test", "");
	assert_string_equal(building_end(), told);
	building_begin("alias_domains = [ \"d.test\" ];\n", false);
	building_row(SOURCE_ROW_DOMAIN, "d.test", "");
	building_row(SOURCE_ROW_MAILBOX_DOMAIN, "d.test", "");
	assert_string_equal(building_end(), told);
}

/* `host.test list@far.test` may mean a user; where the domain has keys it means the domain, too. */
static void a_word_with_an_address_is_decided_at_the_end(void **state)
{
	(void)state;
	entry_gives("host.test", "x@far.test", "\"host.test\" = x@far.test\n");
	building_begin("", false);
	building_entry("host.test", "x@far.test");
	building_entry("ann@host.test", "x@far.test");
	assert_string_equal(building_end(), "\"host.test\" = x@far.test\n"
					    "host.test: alias\n"
					    "ann@host.test = x@far.test\n");
	building_begin("mailbox_domains = [ \"host.test\" ];\n", false);
	building_entry("ann@host.test", "x@far.test");
	building_entry("host.test", "x@far.test");
	assert_string_equal(building_end(), "\"host.test\" = x@far.test\n"
					    "host.test: mailbox\n"
					    "ann@host.test = x@far.test\n");
}

static void a_user_is_one_whatever_it_looks_like(void **state)
{
	(void)state;
	row_gives(SOURCE_ROW_USER, "host.test", "word", "\"host.test\" = word@o.test\n");
	row_gives(SOURCE_ROW_USER, "Ann", "x@far.test", "ann = x@far.test\n");
}

/* ---- recipients --------------------------------------------------------------------------- */

static void a_recipient_stays_itself(void **state)
{
	(void)state;
	row_gives(SOURCE_ROW_RECIPIENT, "Ann@A.test", "", "ann@a.test = ann@a.test\n");
	row_gives(SOURCE_ROW_RECIPIENT, "a%b@a.test", "",
		  BUILD_PATH ":1: key: @, % or ! in the local part (sender-specified routing)\n");
}

static void a_recipient_yields_to_an_entry(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		building_begin("", false);
		if (i == 0)
			building_row(SOURCE_ROW_RECIPIENT, "ann@a.test", "");
		building_entry("ann@a.test", "x@far.test");
		if (i == 1)
			building_row(SOURCE_ROW_RECIPIENT, "ann@a.test", "");
		assert_string_equal(building_end(), "ann@a.test = x@far.test\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(keys_are_folded),
		SCRATCH_TEST(values_are_targets_replies_or_nothing),
		SCRATCH_TEST(keys_that_are_none_are_told),
		SCRATCH_TEST(a_key_has_240_bytes_and_no_more),
		SCRATCH_TEST(routing_in_a_key_is_an_error_or_a_warning),
		SCRATCH_TEST(a_word_with_a_dot_and_a_word_declare),
		SCRATCH_TEST(a_word_that_may_be_a_user_is_one),
		SCRATCH_TEST(what_stands_behind_domains_is_known),
		SCRATCH_TEST(only_host_names_are_declared),
		SCRATCH_TEST(a_domain_that_is_local_is_told),
		SCRATCH_TEST(what_nobody_sees_is_told),
		SCRATCH_TEST(a_mailbox_domain_is_no_alias_domain),
		SCRATCH_TEST(a_domain_of_both_kinds_is_a_mailbox_domain),
		SCRATCH_TEST(a_word_with_an_address_is_decided_at_the_end),
		SCRATCH_TEST(a_user_is_one_whatever_it_looks_like),
		SCRATCH_TEST(a_recipient_stays_itself),
		SCRATCH_TEST(a_recipient_yields_to_an_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
