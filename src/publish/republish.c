/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/republish.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/le.h"
#include "publish/kept.h"
#include "publish/shrinking.h"
#include "table/format.h"

enum { LOCK_WAIT_MS = 10000, TABLE_MODE = 0640 };

struct job {
	const struct republish_options *options;
	const char *path; /* of the installed table */
	struct file_output output;
	struct table_facts installed; /* all zero: none that can be read */
	struct republished done;
	uint64_t generation; /* that it gets */
};

/* ---- which ------------------------------------------------------------------------------ */

static bool choose(struct job *job, struct error *err)
{
	const struct republish_options *options = job->options;
	struct error unread;
	uint64_t newest;

	/* One that can't be read may be just why an older one is wanted. */
	if (!table_peek(job->path, &job->installed, &unread))
		job->installed = (struct table_facts){ 0 };
	if (!kept_newest(job->path, &newest, err))
		return false;
	if (newest == 0)
		return error_set(err, EX_NOINPUT, "%s: no older table is kept", job->path);
	if (options->generation != 0 && options->generation == job->installed.generation)
		return error_set(err, EX_USAGE, "%s: generation %" PRIu64 " is in use", job->path,
				 options->generation);
	job->done.source = options->generation != 0 ? options->generation : newest;
	job->done.replaced = job->installed.generation;
	job->generation = kept_next(newest, job->installed.generation);
	return true;
}

static struct table *open_kept(struct job *job, struct error *err)
{
	struct table *table;
	char path[PATH_MAX];
	uid_t owner;

	if (!kept_path(job->path, job->done.source, path, err) ||
	    !settings_table_owner(job->options->settings, &owner, err))
		return NULL;
	table = table_open(path, owner, TABLE_MAPPED, err);
	if (table == NULL && err->status == EX_NOINPUT)
		error_fill(err, EX_NOINPUT,
			   "%s: generation %" PRIu64 " is not kept (see `rcptmap history`)",
			   job->path, job->done.source);
	return table;
}

/* ---- the copy ----------------------------------------------------------------------------- */

static bool write_copy(struct job *job, const struct table *table, struct error *err)
{
	struct bytes bytes = table_bytes(table);
	char header[FORMAT_HEADER_BYTES];

	memcpy(header, bytes.data, sizeof(header));
	le64_store(header + HEADER_GENERATION, job->generation);
	le64_store(header + HEADER_COPY_OF, job->done.source);
	le64_store(header + HEADER_CREATED, (uint64_t)time(NULL));
	le64_store(header + HEADER_CHECKSUM, 0);
	le64_store(header + HEADER_CHECKSUM, hash_block(bytes_make(header, sizeof(header))));
	return (file_write_all(job->output.fd, bytes_make(header, sizeof(header))) &&
		file_write_all(job->output.fd, bytes_skip(bytes, sizeof(header)))) ||
	       error_set_errno(err, EX_IOERR, "%s: writing its new version", job->path);
}

/* PATH is what will be published. */
static bool check_copy(struct job *job, const char *path, struct error *err)
{
	const struct republish_options *options = job->options;
	const struct settings *settings = options->settings;
	struct table *table;
	uid_t owner;
	bool is_ready;

	/* It belongs to whom the one before belongs to. */
	if (!settings_table_owner(settings, &owner, err))
		return false;
	table = table_open(path, owner, TABLE_MAPPED, err);
	if (table == NULL)
		return false;
	job->done.made = *table_facts(table);
	is_ready = (options->is_forced || shrinking_check(&job->installed, &job->done.made,
							  settings->shrink_limit_percent, err)) &&
		   (options->before_publishing == NULL ||
		    options->before_publishing(table, settings, err));
	table_close(table);
	return is_ready;
}

static bool install(struct job *job, struct error *err)
{
	size_t keep = job->options->settings->keep_tables;
	bool is_installed;

	if (keep > 0 && job->done.replaced != 0 &&
	    !kept_plan(&job->output, job->done.replaced, err))
		return false;
	if (!file_output_install(&job->output, &is_installed, err))
		return false;
	job->done.not_kept = job->output.kept_trouble;
	if (job->done.not_kept.status == 0)
		(void)kept_prune(job->path, keep, &job->done.not_kept); /* the error tells */
	return true;
}

static bool publish_copy(struct job *job, const struct table *table, struct error *err)
{
	char path[PATH_MAX];

	return file_output_create(&job->output, TABLE_MODE, err) && write_copy(job, table, err) &&
	       file_output_sync(&job->output, path, sizeof(path), err) &&
	       check_copy(job, path, err) && install(job, err);
}

bool republish(const struct republish_options *options, struct republished *out_done,
	       struct error *err)
{
	struct job job = {
		.options = options,
		.path = options->settings->table,
		.output = FILE_OUTPUT_NONE,
	};
	struct table *table = NULL;
	bool is_done;

	if (!file_output_lock(job.path, LOCK_WAIT_MS, &job.output, err))
		return false;
	is_done = choose(&job, err) && (table = open_kept(&job, err)) != NULL &&
		  publish_copy(&job, table, err);
	table_close(table);
	file_output_close(&job.output);
	if (is_done)
		*out_done = job.done;
	return is_done;
}
