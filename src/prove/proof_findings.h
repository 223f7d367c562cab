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

struct findings {
	struct buffer items; /* of struct finding */
	struct buffer texts;
	/* Warnings and errors apart: however many of the ones, none of the others is lost. */
	size_t kept[2];
	size_t uncounted; /* beyond what is kept */
	bool has_failed;  /* no memory, here or where it was proved */
};

void findings_init(struct findings *findings);
void findings_free(struct findings *findings);

/* GLOBAL_LINE 0: nobody knows. */
void findings_add(struct findings *findings, uint32_t global_line, bool is_error,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Append OTHER's. */
void findings_merge(struct findings *findings, const struct findings *other);

/* Sorted, each with its place in LINES; what is an error is one unless IS_LENIENT. */
void findings_report(struct findings *findings, const struct line_map *lines, struct report *report,
		     bool is_lenient);

#endif
