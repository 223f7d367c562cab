/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql_tokens - the words of a statement, as far as one must know them to see its shape.
 *
 * What databases read differently is SQL_UNKNOWN, so that nobody builds on a guess: comments,
 * backslashes in a text, texts with a letter in front ('E', 'X') and dollar quotes. Views into the
 * statement. Thread-safe.
 */
#ifndef SQL_SQL_TOKENS_H
#define SQL_SQL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum sql_kind {
	SQL_WORD,   /* a name or keyword without quotes, or a number */
	SQL_NAME,   /* a name in "…", `…` or […] */
	SQL_TEXT,   /* '…', of MySQL also "…" */
	SQL_SYMBOL, /* an operator, a bracket, a comma */
	SQL_END,
	SQL_UNKNOWN,
};

struct sql_token {
	enum sql_kind kind;
	struct bytes text;   /* with its quotes */
	struct bytes inside; /* of a text: what is between them, as written */
};

/* Take the next token from *REST. Of MySQL what stands in "…" is a text, as in '…': where its
 * sql_mode has ANSI_QUOTES it is a name, and the statement fails when it is asked. */
void sql_next(struct bytes *rest, bool is_mysql, struct sql_token *out_token);

/* Is TOKEN the keyword WORD (lower case), in any case? */
bool sql_is_word(const struct sql_token *token, const char *word);

/* Is TOKEN the operator SYMBOL? */
bool sql_is_symbol(const struct sql_token *token, const char *symbol);

/* Is TOKEN one of WORDS, which NULL ends? */
bool sql_is_one_of(const struct sql_token *token, const char *const *words);

#endif
