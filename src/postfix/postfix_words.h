/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_words - values of Postfix's parameters as texts: lists, braces, quoting.
 *
 * Views into what was given; nothing is allocated but where an arena is asked for. Thread-safe.
 */
#ifndef POSTFIX_POSTFIX_WORDS_H
#define POSTFIX_POSTFIX_WORDS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* Take the next line from a text. */
bool postfix_next_line(struct bytes *rest, struct bytes *out_line);

/* Take the next word from a list: separated by commas and white space, but for what is in braces.
 */
bool postfix_next_word(struct bytes *rest, struct bytes *out_word);

/* TEXT without blanks at both ends. */
struct bytes postfix_trim(struct bytes text);

/* WORD without the braces around it. */
struct bytes postfix_unbrace(struct bytes word);

/* Is it `type:name`, and not a host or a path? */
bool postfix_is_map(struct bytes word);

/* Is it one of the words of LIST? */
bool postfix_has_word(struct bytes list, const char *word);

/* Append LIST without the word WORD, comma and blank between words. Failures are marked. */
void postfix_list_without(struct buffer *out, struct bytes list, struct bytes word);

/* Append VALUE so that it has no blank: what `postconf -P` takes. Failures are marked. */
void postfix_append_dense(struct buffer *out, struct bytes value);

/* Append TEXT as one word for sh(1). Failures are marked. */
void postfix_append_quoted(struct buffer *out, struct bytes text);

#endif
