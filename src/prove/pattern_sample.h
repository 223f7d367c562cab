/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern_sample - a text that an expression may well match, made from what the expression says.
 *
 * A guess: look-ahead, conditions and the like are passed over, so whoever asks has to try whether
 * it matches. Thread-safe.
 */
#ifndef PROVE_PATTERN_SAMPLE_H
#define PROVE_PATTERN_SAMPLE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct sample_style {
	char filler;   /* where several bytes fit, this one if it does */
	bool is_short; /* leaves out what may be left out */
};

/* Longer ones are no use as addresses. */
enum { SAMPLE_BYTES_MAX = 400 };

/*
 * Append a sample of EXPRESSION, PCRE2's, to OUT_TEXT, which has room for SAMPLE_BYTES_MAX. False:
 * it has something in it that isn't understood, or there is no memory (it shows in OUT_TEXT).
 */
bool pattern_sample_make(struct bytes expression, const struct sample_style *style,
			 struct buffer *out_text);

#endif
