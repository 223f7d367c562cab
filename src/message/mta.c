/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/mta.h"

#include <stdio.h>
#include <string.h>

#define POSTFIX     "Postfix"
#define REINJECTION "REINJECT"

enum { SENDMAIL_PATH_BYTES = 255 }; /* less than its MAXNAME, measured */

/* Postfix decodes utf-8; as RFC 6533 has it since 3.12; before, as xtext. */
static enum dsn_utf8_form utf8_form_of_postfix(const char *version)
{
	unsigned major;
	unsigned minor;

	/* NOLINTNEXTLINE(cert-err34-c): four digits fit */
	if (sscanf(version, POSTFIX " %4u.%4u", &major, &minor) != 2)
		return DSN_UTF8_XTEXT;
	if (major > 3 || (major == 3 && minor >= 12))
		return DSN_UTF8_RAW;
	return DSN_UTF8_XTEXT;
}

void mta_init(struct mta *mta, const char *version, bool takes_parameters)
{
	*mta = (struct mta){ .takes_parameters = takes_parameters, .utf8_form = DSN_UTF8_RAW };
	if (version == NULL)
		return;
	if (strncmp(version, POSTFIX, strlen(POSTFIX)) == 0) {
		mta->has_early_queue_id = true;
		mta->utf8_form = utf8_form_of_postfix(version);
		return;
	}
	/* Sendmail's version is a bare number; other MTAs say their names. */
	mta->names_recipient = version[0] >= '0' && version[0] <= '9';
	mta->needs_client_dsn = mta->names_recipient;
	mta->needs_smtputf8 = mta->names_recipient;
	mta->longest_path = mta->names_recipient ? SENDMAIL_PATH_BYTES : 0;
}

bool mta_is_submission(const struct mta *mta, const char *queue_id, const char *mailer)
{
	return mta->has_early_queue_id && queue_id != NULL && mailer == NULL;
}

bool mta_is_reinjection(const char *daemon)
{
	return daemon != NULL && strcmp(daemon, REINJECTION) == 0;
}
