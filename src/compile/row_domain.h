/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_domain - which rows declare a domain, and which names may be declared.
 *
 * In virtual(5) `word anything` is two things at once: a declaration of the domain `word`, where
 * Postfix has the table in virtual_alias_domains, and the key of the local user `word`. Here it is
 * a declaration alone where that is sure, and both where it isn't.
 */
#ifndef COMPILE_ROW_DOMAIN_H
#define COMPILE_ROW_DOMAIN_H

#include "compile/builder.h"

/* Where a row stands, for messages. */
struct row_place {
	const char *path;
	uint32_t line;
};

/*
 * Declare the alias domain NAME, unless the settings say that it is a mailbox domain. What is no
 * host name is reported. False where it makes no sense to go on: reported.
 */
bool row_domain_declare(struct builder *builder, struct bytes name, const struct row_place *place);

/* The same for a mailbox domain. */
bool row_domain_declare_mailbox(struct builder *builder, struct bytes name,
				const struct row_place *place);

/* What a key without `@` is. */
enum row_word {
	ROW_WORD_USER,
	ROW_WORD_DOMAIN,
	ROW_WORD_EITHER, /* a domain if any other row or list has it; else both */
	ROW_WORD_LIST,   /* a user; a domain, too, if any other row has it */
	ROW_WORD_WRONG,  /* neither: reported */
};

/* WRITTEN is the key as it stands in the source, LOCAL the same without quotes. *out_name is what
 * would be declared. */
enum row_word row_domain_judge(struct builder *builder, struct bytes written, struct bytes local,
			       struct bytes value, const struct row_place *place,
			       struct bytes *out_name);

#endif
