/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key_template - the `query` and the `result_format` of Postfix's table files, filled as Postfix
 * does: %s %u %d of the key or of the value, %S %U %D %1 to %9 of the key. Thread-safe.
 */
#ifndef SQL_KEY_TEMPLATE_H
#define SQL_KEY_TEMPLATE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

enum template_outcome {
	TEMPLATE_FILLED,
	TEMPLATE_HAS_NO_VALUE, /* the key, or the value, has no part that is asked for */
	TEMPLATE_FAILED,       /* see the error, or the buffer */
};

/* Append VALUE as it may stand in the text that is made. NULL: as it is. */
typedef bool template_escape(void *context, struct bytes value, struct buffer *out,
			     struct error *err);

/* Does TEMPLATE have only directives that there are? Status 78. */
bool key_template_check(struct bytes template, struct error *err);

/* Is the letter that stands for a part, `u` or `U`, in TEMPLATE? */
bool key_template_has(struct bytes template, char letter);

/* Fill a query for KEY. The key `@domain` has no %u. */
enum template_outcome key_template_query(struct bytes template, struct bytes key,
					 template_escape *escape, void *context, struct buffer *out,
					 struct error *err);

/* Fill a format with VALUE, found for KEY. */
enum template_outcome key_template_result(struct bytes template, struct bytes key,
					  struct bytes value, struct buffer *out);

#endif
