/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compilation - what the files of one compilation share, while it runs.
 */
#ifndef COMPILE_COMPILATION_H
#define COMPILE_COMPILATION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "compile/builder.h"
#include "compile/compile.h"
#include "compile/progress.h"
#include "settings/settings.h"
#include "sources/known_warnings.h"
#include "sources/report.h"
#include "table/table.h"

struct compilation {
	const struct settings *settings;
	const struct compile_options *options;
	struct report report;
	struct known_warnings known;
	struct builder builder;
	struct source **kept; /* of each source that is opened once; else NULL */
	struct progress progress;
	struct file_output output;
	struct table_facts installed; /* all zero: none, or one that --force replaces unread */
	uint64_t generation;          /* that the new one gets */
	bool is_repeated;             /* it says what the installed one says */
	struct table_facts made;
	char directory[PATH_MAX]; /* of the output: where it spills */
	uint64_t expected_bytes;
};

/* Report ERR. Always false. */
bool compilation_fail(struct compilation *compilation, const struct error *err);

#endif
