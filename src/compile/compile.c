/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "compile/check_made.h"
#include "compile/compilation.h"
#include "publish/kept.h"
#include "sources/source.h"
#include "table_write/writer.h"

enum {
	LOCK_WAIT_MS = 10000,
	CHANGES_MAX = 3,
	SEEDS_MAX = 8, /* keys that collide under so many seeds were not found by chance */
	TABLE_MODE = 0640,
};

/* ---- reading ---------------------------------------------------------------------------- */

/* PLACE is what the rows are called until one has a place of its own; NULL: each has. */
static bool read_rows(struct compilation *compilation, const struct source_type *type,
		      struct source *source, const char *place)
{
	struct source_row row = { .line = 0 };

	if (place != NULL && !builder_source(&compilation->builder, place))
		return false;
	for (;;) {
		switch (type->next(source, &row)) {
		case SOURCE_FAILED:
			return false;
		case SOURCE_END:
			return true;
		case SOURCE_ROW:
			break;
		}
		if (row.place != NULL && row.place != place) {
			place = row.place;
			if (!builder_source(&compilation->builder, place))
				return false;
		}
		if (!builder_row(&compilation->builder, &row))
			return false;
		progress_step(&compilation->progress);
	}
}

static bool read_source(struct compilation *compilation, size_t index)
{
	const struct settings_source *from = &compilation->options->sources[index];
	const struct source_type *type = source_type_find(from->type);
	struct report *report = &compilation->report;
	struct source *source;
	bool is_read;

	line_map_begin_source(&compilation->builder.lines);
	if (type == NULL) {
		report_error(report, EX_CONFIG, from->file, (uint32_t)from->line,
			     "no such type of source: \"%s\"; there are " SOURCE_TYPES, from->type);
		return false;
	}
	if (type->rewind != NULL) {
		type->rewind(compilation->kept[index]);
		return read_rows(compilation, type, compilation->kept[index], NULL);
	}
	source = type->open(from, compilation->settings, report);
	if (source == NULL)
		return false;
	is_read = read_rows(compilation, type, source, from->path);
	type->close(source);
	return is_read;
}

static bool read_sources(struct compilation *compilation, struct table_writer *writer)
{
	const struct compile_options *options = compilation->options;
	bool is_read = true;

	if (!builder_begin(&compilation->builder, writer))
		return false;
	for (size_t i = 0; i < options->source_count; i++)
		is_read &= read_source(compilation, i);
	return is_read && builder_end(&compilation->builder);
}

/* What is opened once is all read before there is a table, whose making takes longer. False:
 * reported. */
static bool open_kept(struct compilation *compilation)
{
	const struct compile_options *options = compilation->options;
	bool is_open = true;

	compilation->kept = calloc(options->source_count + 1, sizeof(*compilation->kept));
	if (compilation->kept == NULL) {
		report_error(&compilation->report, EX_OSERR, NULL, 0, "out of memory");
		return false;
	}
	for (size_t i = 0; i < options->source_count; i++) {
		const struct source_type *type = source_type_find(options->sources[i].type);

		if (type == NULL || type->rewind == NULL)
			continue;
		compilation->kept[i] = type->open(&options->sources[i], compilation->settings,
						  &compilation->report);
		is_open &= compilation->kept[i] != NULL;
	}
	return is_open;
}

static void close_kept(struct compilation *compilation)
{
	const struct compile_options *options = compilation->options;

	for (size_t i = 0; compilation->kept != NULL && i < options->source_count; i++)
		if (compilation->kept[i] != NULL)
			source_type_find(options->sources[i].type)->close(compilation->kept[i]);
	free(compilation->kept);
	compilation->kept = NULL;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Several sources may well say the same: that is nobody's mistake. */
static void on_duplicate(void *context, const struct writer_duplicate *duplicate)
{
	struct compilation *compilation = context;
	const struct line_map *lines = &compilation->builder.lines;
	bool is_same_source =
		line_map_is_same_source(lines, duplicate->kept_line, duplicate->dropped_line);
	uint32_t kept_line, dropped_line;
	const char *kept = line_map_find(lines, duplicate->kept_line, &kept_line);
	const char *dropped = line_map_find(lines, duplicate->dropped_line, &dropped_line);
	char place[TABLE_PLACE_BYTES];

	if (!is_same_source && duplicate->is_equal)
		return;
	table_place_line(bytes_of(kept), kept_line, place);
	report_warning(&compilation->report, is_same_source ? WARNING_DUPLICATE : WARNING_CONFLICT,
		       dropped, dropped_line,
		       "%s key " BYTES_FORMAT "%s" BYTES_FORMAT ": the first %s counts, %s%s",
		       is_same_source ? "duplicate" : "conflicting", BYTES_ARGS(duplicate->local),
		       duplicate->domain.size > 0 ? "@" : "", BYTES_ARGS(duplicate->domain),
		       is_same_source ? "one" : "source", kept, place);
}

static struct table_writer *make_writer(struct compilation *compilation, struct error *err)
{
	struct writer_options options = {
		.rules = compilation->builder.rules,
		.created = (uint64_t)time(NULL),
		.generation = compilation->generation,
		.expected_bytes = compilation->expected_bytes,
		.spill_directory = compilation->directory,
		.is_lenient =
			compilation->options->is_lenient || compilation->options->is_proof_skipped,
		.has_provenance = true,
	};

	if (!hash_random_seed(&options.seed)) {
		error_fill(err, EX_OSERR, "no random seed to be had");
		return NULL;
	}
	return table_writer_new(&options, err);
}

/* Some lines are wrong, and nothing else is: what the others make can be proved. */
static bool is_readable(const struct compilation *compilation)
{
	return compilation->report.status == EX_DATAERR;
}

/* One try with one seed. */
static bool write_once(struct compilation *compilation, int fd, bool *out_wants_seed)
{
	struct error err;
	struct table_writer *writer = make_writer(compilation, &err);
	struct report *report = &compilation->report;
	bool is_written = false;

	*out_wants_seed = false;
	if (writer == NULL)
		return compilation_fail(compilation, &err);
	if (!read_sources(compilation, writer)) {
		if (report->errors == 0)
			report_error(report, EX_OSERR, NULL, 0, "out of memory");
	} else if (report->errors == 0 || is_readable(compilation)) {
		progress_phase(&compilation->progress, "laying out");
		is_written = table_writer_finish(writer, fd, on_duplicate, compilation,
						 out_wants_seed, &err);
		if (!is_written && !*out_wants_seed)
			(void)compilation_fail(compilation, &err);
	}
	table_writer_free(writer);
	return is_written;
}

static bool write_table(struct compilation *compilation, int fd)
{
	bool wants_seed = true;

	for (int i = 0; i < SEEDS_MAX && wants_seed; i++) {
		if (write_once(compilation, fd, &wants_seed))
			return true;
		/* A source that was edited while it was read is read again, a few times. */
		if (compilation->report.status == EX_TEMPFAIL && i < CHANGES_MAX) {
			report_forgive(&compilation->report);
			wants_seed = true;
		}
	}
	if (wants_seed && compilation->report.errors == 0)
		report_error(&compilation->report, EX_DATAERR, NULL, 0,
			     "too many keys collide, whatever the seed: made on purpose?");
	return false;
}

/* ---- from start to end ------------------------------------------------------------------ */

static bool check_only(struct compilation *compilation)
{
	int fd = memfd_create("rcptmap", MFD_CLOEXEC);
	struct error err;
	bool is_sound;

	if (fd < 0) {
		error_fill_errno(&err, EX_OSERR, "memory file");
		return compilation_fail(compilation, &err);
	}
	is_sound = write_table(compilation, fd) && check_made_memory(compilation, fd);
	(void)close(fd); /* nothing in it is needed */
	return is_sound;
}

/* The table is installed: what was told of it need not be told again. */
static void remember_warnings(struct compilation *compilation)
{
	const char *path = compilation->options->output;
	struct table_facts facts;

	if (compilation->options->remembers_warnings && table_peek(path, &facts, NULL))
		known_warnings_save(&compilation->known, path, facts.checksum);
}

/* The new table is in place: whatever is wrong with an old one is only said. */
static void tidy_up(struct compilation *compilation)
{
	struct error err = compilation->output.kept_trouble;

	if (err.status == 0 && compilation->options->keeps_replaced)
		(void)kept_prune(compilation->options->output, compilation->settings->keep_tables,
				 &err); /* the error tells */
	if (err.status != 0)
		report_warning(&compilation->report, WARNING_KEEPING, NULL, 0, "%s", err.text);
	remember_warnings(compilation);
}

static bool put_in_place(struct compilation *compilation)
{
	struct file_output *output = &compilation->output;
	bool is_installed = false;
	struct error err;

	if (compilation_keeps_replaced(compilation) && !compilation->is_repeated &&
	    !kept_plan(output, compilation->installed.generation, &err))
		return compilation_fail(compilation, &err);
	if (file_output_install(output, &is_installed, &err)) {
		tidy_up(compilation);
		return true;
	}
	if (is_installed)
		report_error(&compilation->report, err.status, NULL, 0,
			     "%s (the new table is installed, but might not survive a power cut)",
			     err.text);
	else
		(void)compilation_fail(compilation, &err);
	return false;
}

static bool install(struct compilation *compilation)
{
	struct file_output *output = &compilation->output;
	char path[PATH_MAX];
	struct error err;

	if (!file_output_create(output, TABLE_MODE, &err))
		return compilation_fail(compilation, &err);
	if (!write_table(compilation, output->fd))
		return false;
	if (compilation->report.errors > 0)
		return check_made_memory(compilation, output->fd);
	if (snprintf(path, sizeof(path), "%s/%s", compilation->directory, output->temporary) >=
	    (int)sizeof(path)) {
		error_fill(&err, EX_CANTCREAT, "%s: the path is too long", output->path);
		return compilation_fail(compilation, &err);
	}
	if (!compilation->options->is_sync_skipped &&
	    !file_output_sync(output, path, sizeof(path), &err))
		return compilation_fail(compilation, &err);
	return check_made_file(compilation, path) &&
	       (compilation_is_done(compilation) || put_in_place(compilation));
}

static uint64_t measure_sources(const struct compile_options *options)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < options->source_count; i++) {
		struct stat status;

		if (stat(options->sources[i].path, &status) == 0)
			bytes += (uint64_t)status.st_size;
	}
	return bytes;
}

static bool find_directory(struct compilation *compilation)
{
	const char *path = compilation->options->output;
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	struct error err;

	if (size >= sizeof(compilation->directory)) {
		error_fill(&err, EX_CANTCREAT, "%s: the path is too long", path);
		return compilation_fail(compilation, &err);
	}
	if (slash == NULL)
		path = ".", size = 1;
	memcpy(compilation->directory, path, size);
	compilation->directory[size] = '\0';
	return true;
}

/*
 * What there is to be compared with. False: there is something, and what it is can't be told; to
 * go on would start the generation anew and compare the new table with nothing.
 */
static bool look_at_installed(struct compilation *compilation)
{
	const struct compile_options *options = compilation->options;
	struct error err;

	if (table_peek(options->output, &compilation->installed, &err)) {
		if (options->remembers_warnings)
			known_warnings_load(&compilation->known, options->output,
					    compilation->installed.checksum);
		return true;
	}
	if (err.status == EX_NOINPUT)
		return true;
	if (options->is_forced) {
		report_warning(&compilation->report, WARNING_REPLACED, NULL, 0,
			       "%s: replaced all the same; its generation is not known", err.text);
		return true;
	}
	report_error(&compilation->report, err.status, NULL, 0,
		     "%s: the new table can't be compared with it: not published without --force",
		     err.text);
	return false;
}

static bool choose_generation(struct compilation *compilation)
{
	const struct compile_options *options = compilation->options;
	uint64_t newest = 0;
	struct error err;

	if (options->keeps_replaced && !options->is_check_only &&
	    !kept_newest(options->output, &newest, &err))
		return compilation_fail(compilation, &err);
	compilation->generation = kept_next(newest, compilation->installed.generation);
	return true;
}

static void run(struct compilation *compilation)
{
	const struct compile_options *options = compilation->options;
	struct error err;

	if (!find_directory(compilation))
		return;
	/* Lock before reading: who comes later reads what is newer. */
	if (!options->is_check_only &&
	    !file_output_lock(options->output, LOCK_WAIT_MS, &compilation->output, &err)) {
		(void)compilation_fail(compilation, &err);
		return;
	}
	if (!look_at_installed(compilation) || !choose_generation(compilation))
		goto out;
	compilation->expected_bytes = measure_sources(options);
	if (builder_init(&compilation->builder, compilation->settings, &compilation->report,
			 options->is_lenient)) {
		compilation->builder.stands_in = true;
		compilation->builder.sources = options->sources;
		compilation->builder.source_count = options->source_count;
		if (open_kept(compilation))
			(void)(options->is_check_only ? check_only(compilation)
						      : install(compilation)); /* reported */
	}
	builder_free(&compilation->builder);
	close_kept(compilation);
out:
	file_output_close(&compilation->output);
}

static void say_result(const struct compilation *compilation)
{
	const struct compile_options *options = compilation->options;
	struct table_facts made = compilation->made;

	/* Without a proof nobody has opened it. */
	if (made.generation == 0 && !options->is_check_only)
		(void)table_peek(options->output, &made, NULL); /* else all are 0 */
	(void)fprintf(options->messages, "%s: %" PRIu64 " %s, %" PRIu64 " %s, ", options->output,
		      made.entries, made.entries == 1 ? "entry" : "entries", made.domains,
		      made.domains == 1 ? "domain" : "domains"); /* no place to say it failed */
	if (options->is_check_only)
		(void)fprintf(options->messages, "nothing written\n");
	else
		(void)fprintf(options->messages, "generation %" PRIu64 "\n", made.generation);
}

int compile_run(const struct settings *settings, const struct compile_options *options)
{
	struct compilation compilation = {
		.settings = settings,
		.options = options,
		.output = FILE_OUTPUT_NONE,
	};
	int status;

	report_init(&compilation.report, options->messages);
	known_warnings_init(&compilation.known);
	compilation.report.choice = options->warnings;
	/* What is an error has to be seen. */
	compilation.report.repeats_known = options->repeats_known || options->warnings.are_errors;
	if (options->remembers_warnings)
		compilation.report.known = &compilation.known;
	compilation.report.is_lenient = options->is_lenient;
	compilation.report.has_notes = options->has_notes;
	compilation.report.on_file = options->on_file;
	compilation.report.on_file_context = options->on_file_context;
	compilation.report.mirrors = options->mirrors;
	progress_init(&compilation.progress, options->shows_progress ? options->messages : NULL);
	run(&compilation);
	progress_end(&compilation.progress);
	report_end(&compilation.report);
	status = compilation.report.status;
	if (status == EX_OK && options->says_result)
		say_result(&compilation);
	report_free(&compilation.report);
	known_warnings_free(&compilation.known);
	return status;
}
