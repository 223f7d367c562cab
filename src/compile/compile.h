/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compile - read all sources, lay out the table, prove it, install it.
 */
#ifndef COMPILE_COMPILE_H
#define COMPILE_COMPILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "settings/settings.h"
#include "sources/warnings.h"
#include "table/table.h"

struct mirrors;

struct compile_options {
	const struct settings_source *sources;
	size_t source_count;
	const char *output; /* path of the table */
	bool is_lenient;
	bool is_forced;
	bool is_check_only;    /* -n: write nothing */
	bool is_proof_skipped; /* nor verified: for benchmarks of the layout alone */
	bool is_sync_skipped;  /* likewise */
	bool keeps_replaced;   /* as many as `keep_tables` says: see publish/kept.h */
	bool keeps_same;       /* publish nothing that says what the installed table says */
	bool wants_postmaster; /* warn of domains that have none */
	bool shows_progress;
	struct warning_choice warnings;
	bool remembers_warnings; /* beside the table: what was told of it is only counted */
	bool repeats_known;      /* told again all the same */
	bool has_notes;          /* of a report */
	bool says_result;        /* on success: `TABLE: 4 entries, 2 domains, generation 7` */
	FILE *messages;
	/* Called with each source that is read, and what it includes; NULL: nobody wants to know.
	 */
	void (*on_file)(const char *path, const struct stat *status, void *context);
	void *on_file_context;
	const struct mirrors *mirrors; /* copies of directories; NULL: there are none */
	/* What has to be done with the table before it is published; NULL: nothing. Where it fails
	 * the old table stays. */
	bool (*before_publishing)(const struct table *table, const struct settings *settings,
				  struct error *err);
};

/*
 * Compile. The result is an exit status of sysexits(3); 0 if and only if the new table is verified,
 * durable and installed (or, with is_check_only, would be). Everything there is to say was printed.
 */
int compile_run(const struct settings *settings, const struct compile_options *options);

#endif
