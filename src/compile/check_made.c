/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/check_made.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "prove/prove.h"
#include "publish/same_content.h"
#include "publish/shrinking.h"

bool compilation_fail(struct compilation *compilation, const struct error *err)
{
	report_error(&compilation->report, err->status, NULL, 0, "%s", err->text);
	return false;
}

/* Known ones count, too: what was an error stays one. */
static bool check_warnings(struct compilation *compilation)
{
	size_t count = compilation->report.warnings;

	if (!compilation->options->warnings.are_errors || count == 0)
		return true;
	report_error(&compilation->report, EX_DATAERR, NULL, 0,
		     "%zu warning%s taken for %s (-W error)", count, count == 1 ? " is" : "s are",
		     count == 1 ? "an error" : "errors");
	return false;
}

static bool check_table(struct compilation *compilation, const struct table *table)
{
	const struct proof proof = {
		.limits = compilation->settings->limits,
		.lines = &compilation->builder.lines,
		.report = &compilation->report,
		.is_lenient = compilation->options->is_lenient,
		.wants_postmaster = compilation->options->wants_postmaster,
	};
	size_t errors = compilation->report.errors;
	struct error err;

	progress_phase(&compilation->progress, "proving");
	if (!prove_table(table, &proof, &err))
		return compilation_fail(compilation, &err);
	if (errors > 0 && compilation->report.errors > errors)
		report_warning(
			&compilation->report, WARNING_PARTIAL_PROOF, NULL, 0,
			"lines that are wrong were left out of the proof; what leads to them "
			"may be among the mistakes");
	compilation->made = *table_facts(table);
	return compilation->report.errors == 0 &&
	       (compilation->options->is_forced ||
		shrinking_check(&compilation->installed, &compilation->made,
				compilation->settings->shrink_limit_percent, &err) ||
		compilation_fail(compilation, &err)) &&
	       check_warnings(compilation);
}

/* What is replaced stays, unless it says what the new one says. */
bool compilation_keeps_replaced(const struct compilation *compilation)
{
	return compilation->options->keeps_replaced && compilation->settings->keep_tables > 0 &&
	       compilation->installed.generation != 0;
}

bool compilation_is_done(const struct compilation *compilation)
{
	return compilation->options->keeps_same && compilation->is_repeated;
}

bool check_made_file(struct compilation *compilation, const char *path)
{
	const struct compile_options *options = compilation->options;
	struct error err;
	struct table *table;
	uid_t owner;
	bool is_ready;

	if (options->is_proof_skipped && options->before_publishing == NULL)
		return check_warnings(compilation);
	/* It belongs to whom the one before belongs to. */
	if (!settings_table_owner(compilation->settings, &owner, &err))
		return compilation_fail(compilation, &err);
	table = table_open(path, owner, TABLE_UNPROVED, &err);
	if (table == NULL)
		return compilation_fail(compilation, &err);
	is_ready = options->is_proof_skipped ? check_warnings(compilation)
					     : check_table(compilation, table);
	compilation->is_repeated =
		is_ready && (options->keeps_same || compilation_keeps_replaced(compilation)) &&
		same_content_as_file(table, options->output, owner);
	if (is_ready && options->before_publishing != NULL && !compilation_is_done(compilation) &&
	    !options->before_publishing(table, compilation->settings, &err))
		is_ready = compilation_fail(compilation, &err);
	table_close(table);
	return is_ready;
}

bool check_made_memory(struct compilation *compilation, int fd)
{
	struct stat status;
	struct error err;
	struct table *table;
	void *memory;
	bool is_sound = false;

	if (fstat(fd, &status) != 0 || (memory = mmap(NULL, (size_t)status.st_size, PROT_READ,
						      MAP_SHARED, fd, 0)) == MAP_FAILED) {
		error_fill_errno(&err, EX_OSERR, "memory file");
		return compilation_fail(compilation, &err);
	}
	table = table_open_bytes(bytes_make(memory, (size_t)status.st_size), &err);
	is_sound = table == NULL                            ? compilation_fail(compilation, &err)
		   : compilation->options->is_proof_skipped ? check_warnings(compilation)
							    : check_table(compilation, table);
	table_close(table);
	(void)munmap(memory, (size_t)status.st_size); /* it was mapped */
	return is_sound;
}
