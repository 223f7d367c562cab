/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transaction_print - the strings that an edit needs, made when the recipient comes.
 */
#include "message/transaction.h"

#include <string.h>

#include "mail/address.h"
#include "mail/dsn.h"
#include "message/transaction_inside.h"
#include "service/log.h"

enum keeping transaction_keep_text(struct transaction *transaction, const char **out_text)
{
	const struct buffer *text = &transaction->text;

	if (text->has_failed)
		return text->was_short_of_memory ? KEEPING_NO_MEMORY : KEEPING_UNPRINTABLE;
	*out_text = arena_text(&transaction->arena, buffer_bytes(text));
	return *out_text == NULL ? KEEPING_NO_MEMORY : KEEPING_DONE;
}

/* Is TEXT, which we printed, read as ADDRESS again? */
static enum keeping read_back(struct transaction *transaction, const char *text,
			      const struct address *address)
{
	struct address_path path;

	switch (address_parse_path(bytes_of(text), &transaction->scratch, &path)) {
	case ADDRESS_NO_MEMORY:
		return KEEPING_NO_MEMORY;
	case ADDRESS_NULL:
	case ADDRESS_MALFORMED:
		return KEEPING_UNPRINTABLE;
	case ADDRESS_OK:
		break;
	}
	return !path.was_rewritten && bytes_equal(path.address.local, address->local) &&
			       bytes_equal(path.address.domain, address->domain)
		       ? KEEPING_DONE
		       : KEEPING_UNPRINTABLE;
}

static bool fits_mta(const struct transaction *transaction, const char *path)
{
	size_t longest = transaction->facts.mta->longest_path;
	size_t size = strlen(path);

	if (longest == 0 || size <= longest)
		return true;
	log_line(SEVERITY_WARNING, "a target of %zu bytes: the MTA takes no more than %zu", size,
		 longest);
	return false;
}

enum keeping transaction_print_target(struct transaction *transaction,
				      const struct address *address, const char **out_text)
{
	struct buffer *text = &transaction->text;
	enum keeping keeping;

	buffer_clear(text);
	/* Marked in the buffer itself when it fails: transaction_keep_text() looks at that. */
	(void)buffer_append_byte(text, '<');
	if (!address_print(address, text) && !text->has_failed)
		return KEEPING_UNPRINTABLE;
	(void)buffer_append_byte(text, '>');
	keeping = transaction_keep_text(transaction, out_text);
	if (keeping == KEEPING_DONE)
		keeping = read_back(transaction, *out_text, address);
	if (keeping == KEEPING_DONE && !fits_mta(transaction, *out_text))
		keeping = KEEPING_UNPRINTABLE;
	return keeping;
}

enum keeping transaction_print_parameters(struct transaction *transaction,
					  const struct address_path *path, char *const *parameters,
					  bool is_only_target, const char **out_text)
{
	const struct policy *policy = &transaction->snapshot->policy;
	struct dsn dsn = { .notify = DSN_NOTIFY_ABSENT };
	struct buffer *text = &transaction->text;
	unsigned notify;

	*out_text = NULL;
	if (!transaction->facts.mta->takes_parameters)
		return KEEPING_DONE;
	for (; *parameters != NULL; parameters++)
		(void)dsn_take_parameter(&dsn, bytes_of(*parameters)); /* a bad one is left out */
	if (transaction->facts.mta->needs_client_dsn && dsn.notify == DSN_NOTIFY_ABSENT &&
	    dsn.orcpt.size == 0)
		return KEEPING_DONE;
	notify = dsn_notify_for_target(dsn.notify, is_only_target, policy->is_dsn_success_native);
	buffer_clear(text);
	/* The type utf-8 belongs to SMTPUTF8; without it any byte is xtext of rfc822. A failure is
	 * the buffer's. */
	if (dsn.orcpt.size == 0 && !transaction->facts.has_smtputf8 &&
	    !bytes_are_ascii(path->text_with_route)) {
		(void)dsn_print_parameters(notify, bytes_of("rfc822;"), dsn.orcpt, DSN_UTF8_XTEXT,
					   text);
		(void)dsn_print_xtext(path->text_with_route, text);
	} else {
		(void)dsn_print_parameters(notify, dsn.orcpt, path->text_with_route,
					   transaction->facts.mta->utf8_form, text);
	}
	return transaction_keep_text(transaction, out_text);
}
