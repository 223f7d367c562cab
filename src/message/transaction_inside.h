/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transaction_inside - what the files of transaction share among themselves.
 */
#ifndef MESSAGE_TRANSACTION_INSIDE_H
#define MESSAGE_TRANSACTION_INSIDE_H

#include "mail/address.h"
#include "message/transaction.h"

/* Who the message goes to in the end. */
struct final {
	struct keyset_entry entry; /* first; the key is the folded address */
	const char *address;       /* to be added; NULL: stays, or somebody else adds it */
	const char *parameters;
	bool is_kept; /* an original of the message: stays, is not added */
};

enum { ORIGINAL_TARGETS = 16 }; /* as many as the log shows */

/* A recipient that the client gave, and that doesn't stay as it is. */
struct original {
	struct keyset_entry entry; /* first; the key is the text that deletes it */
	struct original *next;
	struct bytes folded; /* its key in finals */
	bool is_deleted;     /* not kept, and no earlier one has the same text */
	struct table_entry source;
	size_t target_count;     /* 0: it is dropped */
	struct final *targets[]; /* the first of them, ORIGINAL_TARGETS at most */
};

/* What became of a recipient that was to be kept, or of a part of it. */
enum keeping {
	KEEPING_DONE,
	KEEPING_TOO_MANY, /* recipients in one message */
	KEEPING_CIRCULAR, /* nobody but itself is left */
	KEEPING_NO_MEMORY,
	KEEPING_UNPRINTABLE, /* the MTA can't be told who it is */
};

/* What is in transaction->text, as a C string of the message. */
enum keeping transaction_keep_text(struct transaction *transaction, const char **out_text);

/* ADDRESS in brackets, quoted anew. */
enum keeping transaction_print_target(struct transaction *transaction,
				      const struct address *address, const char **out_text);

/* What goes with each target of one original; NULL: nothing. */
enum keeping transaction_print_parameters(struct transaction *transaction,
					  const struct address_path *path, char *const *parameters,
					  bool is_only_target, const char **out_text);

static inline bool transaction_merges(const struct transaction *transaction)
{
	return transaction->snapshot->policy.merges_duplicates;
}

#endif
