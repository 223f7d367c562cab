/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof_findings - what the proof finds, sorted by line before it is reported.
 */
#ifndef PROVE_PROOF_FINDINGS_H
#define PROVE_PROOF_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "sources/line_map.h"
#include "sources/report.h"

struct proof_findings {
	struct buffer items; /* of struct finding */
	struct buffer texts;
	/* Warnings and errors apart: however many of the ones, none of the others is lost. */
	size_t kept[2];
	size_t uncounted; /* beyond what is kept */
	bool has_failed;  /* no memory, here or where it was proved */
};

void proof_findings_init(struct proof_findings *findings);
void proof_findings_free(struct proof_findings *findings);

/* GLOBAL_LINE 0: nobody knows. What is strict is an error, of a lenient table a WARNING. */
void proof_findings_add(struct proof_findings *findings, uint32_t global_line, enum warning warning,
			const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Are there so many that one more is only counted? Then it is, and needs no text. */
bool proof_findings_count_only(struct proof_findings *findings, bool is_error);

/* How far they have come, and back to there: what was added since never was. */
struct proof_findings_mark {
	size_t items_bytes;
	size_t texts_bytes;
	size_t kept[2];
	size_t uncounted;
};
struct proof_findings_mark proof_findings_mark(const struct proof_findings *findings);
void proof_findings_go_back(struct proof_findings *findings,
			    const struct proof_findings_mark *mark);

/* Append OTHER's. */
void proof_findings_merge(struct proof_findings *findings, const struct proof_findings *other);

/* Sorted, each with its place in LINES; what is an error is one unless IS_LENIENT. */
void proof_findings_report(struct proof_findings *findings, const struct line_map *lines,
			   struct report *report, bool is_lenient);

#endif
