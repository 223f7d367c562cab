/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/mta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct mta mta_of(const char *version)
{
	struct mta mta;

	mta_init(&mta, version, true);
	return mta;
}

static void postfix_is_told_by_its_name(void **state)
{
	(void)state;
	assert_true(mta_of("Postfix 3.7.11").has_early_queue_id);
	assert_false(mta_of("Postfix 3.7.11").names_recipient);
	assert_false(mta_of("8.17.1.9/8.17.1").has_early_queue_id);
	assert_true(mta_of("8.17.1.9/8.17.1").names_recipient);
	assert_false(mta_of(NULL).has_early_queue_id);
	assert_false(mta_of(NULL).names_recipient);
	assert_false(mta_of("Other 1.0").names_recipient);
}

static void utf8_addresses_are_coded_as_each_version_decodes_them(void **state)
{
	(void)state;
	assert_int_equal(mta_of("Postfix 3.11.6").utf8_form, DSN_UTF8_XTEXT);
	assert_int_equal(mta_of("Postfix 3.12-20260821").utf8_form, DSN_UTF8_RAW);
	assert_int_equal(mta_of("Postfix 4.0.0").utf8_form, DSN_UTF8_RAW);
	assert_int_equal(mta_of("Postfix 2.11").utf8_form, DSN_UTF8_XTEXT);
	assert_int_equal(mta_of("Postfix").utf8_form, DSN_UTF8_XTEXT);
	assert_int_equal(mta_of("8.17.1.9").utf8_form, DSN_UTF8_RAW);
}

static void a_submission_has_a_queue_id_and_no_mailer(void **state)
{
	struct mta postfix = mta_of("Postfix 3.7.11");
	struct mta sendmail = mta_of("8.17.1.9");

	(void)state;
	assert_true(mta_is_submission(&postfix, "4WxYz", NULL));
	assert_false(mta_is_submission(&postfix, NULL, "smtp"));
	assert_false(mta_is_submission(&postfix, "4WxYz", "smtp"));
	assert_false(mta_is_submission(&postfix, NULL, NULL));
	assert_false(mta_is_submission(&sendmail, "4WxYz", NULL));
}

static void reinjection_has_a_name(void **state)
{
	(void)state;
	assert_true(mta_is_reinjection("REINJECT"));
	assert_false(mta_is_reinjection("REINJECTED"));
	assert_false(mta_is_reinjection("mx.example"));
	assert_false(mta_is_reinjection(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(postfix_is_told_by_its_name),
		cmocka_unit_test(utf8_addresses_are_coded_as_each_version_decodes_them),
		cmocka_unit_test(a_submission_has_a_queue_id_and_no_mailer),
		cmocka_unit_test(reinjection_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
