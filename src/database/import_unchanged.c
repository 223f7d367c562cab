/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_unchanged - a directory has no snapshots, so it is read until nothing changed meanwhile.
 *
 * Servers that copy each other count their changes in contextCSN, which is read before and after.
 * Others can't be asked. Where somebody is told of changes all is read once, and then taken from
 * the copy (mirror/mirror.h).
 */
#include <poll.h>
#include <string.h>
#include <sysexits.h>

#include "base/hash.h"
#include "database/directory_reader.h"

enum { TRIES = 5, COPY_TRIES = 3, COPY_PAUSE_MS = 200, STATE_BYTES_MAX = 1 << 20 };

/* ---- changes ------------------------------------------------------------------------------ */

/* All values of ATTRIBUTE at BASE into OUT. What isn't there, or may not be read, has none. */
static bool read_values(struct importer *importer, const char *base, const char *attribute,
			struct buffer *out)
{
	const char *const attributes[] = { attribute, NULL };
	const struct directory_search search = { .base = base,
						 .scope = DIRECTORY_SCOPE_BASE,
						 .filter = "(objectClass=*)",
						 .attributes = attributes };
	const struct directory_reader *reader = importer->reader;
	struct directory_entry entry;
	struct error err;

	if (!reader->module->search(reader->directory, &search, &err))
		return importer_fail(importer, &err);
	for (;;) {
		switch (reader->module->next(reader->directory, &entry, &err)) {
		case DIRECTORY_FAILED:
			return err.status == EX_UNAVAILABLE || importer_fail(importer, &err);
		case DIRECTORY_ABSENT:
		case DIRECTORY_END:
			return true;
		case DIRECTORY_ENTRY:
			break;
		}
		for (size_t i = 0; i < entry.count; i++)
			for (size_t v = 0; v < entry.attributes[i].count; v++) {
				(void)buffer_append(out, entry.attributes[i].values[v]);
				if (!buffer_append_byte(out, '\0')) /* which fails with it */
					return importer_fail_memory(importer);
			}
	}
}

/* What each of the server's trees says of its last change. */
static bool read_state(struct importer *importer, struct buffer *out)
{
	struct buffer trees;
	bool is_read;

	buffer_init(&trees, STATE_BYTES_MAX);
	buffer_clear(out);
	is_read = read_values(importer, "", "namingContexts", &trees);
	for (size_t at = 0; is_read && at < trees.size; at += strlen(trees.data + at) + 1)
		is_read = read_values(importer, trees.data + at, "contextCSN", out);
	buffer_free(&trees);
	return is_read;
}

/* They are told when nothing has to be read once more. */
static void keep_doubts(struct importer *importer)
{
	struct directory_doubts *doubts = &importer->reader->doubts[importer->kind];

	doubts->empty_values = importer->empty_values;
	memcpy(doubts->empty_example, importer->empty_example, sizeof(doubts->empty_example));
	doubts->missing_count = importer->reader->missing_count;
	memcpy(doubts->missing, importer->reader->missing, sizeof(doubts->missing));
}

static bool read_kinds(struct importer *importer)
{
	importer->reader->mismatch.status = 0;
	for (size_t i = 0; i < DATABASE_KINDS; i++) {
		if (importer->plan->queries[i] == NULL)
			continue;
		row_store_free(&importer->stores[i]);
		if (!row_store_init(&importer->stores[i]))
			return importer_fail_memory(importer);
		importer->kind = (enum database_kind)i;
		importer->empty_values = 0;
		importer->reader->missing_count = 0;
		if (!directory_read_kind(importer))
			return false;
		keep_doubts(importer);
	}
	return true;
}

/* ---- a copy ------------------------------------------------------------------------------- */

enum copied {
	COPIED_ALL,
	COPIED_NOTHING, /* there is no copy, or it is of no use */
	COPIED_FAILED,  /* reported */
};

/* Read all out of a mirror. Samples are asked for: in a directory that changes all the time another
 * answer says nothing, and in one that doesn't, that something is missing. */
static enum copied read_mirror(struct importer *importer, struct buffer *before,
			       struct buffer *after)
{
	struct directory_reader *reader = importer->reader;

	reader->is_unfit = false;
	if (!read_state(importer, before))
		return COPIED_FAILED;
	if (!read_kinds(importer))
		return reader->is_unfit ? COPIED_NOTHING : COPIED_FAILED;
	if (reader->mismatch.status == 0)
		return COPIED_ALL;
	if (!read_state(importer, after))
		return COPIED_FAILED;
	return bytes_equal(buffer_bytes(before), buffer_bytes(after)) ? COPIED_NOTHING : COPIED_ALL;
}

/* The same, if there is one. It has one state of the directory; what the server has told of its
 * last changes may be on its way. */
static enum copied read_copy(struct importer *importer, struct buffer *before, struct buffer *after)
{
	const struct mirrors *mirrors = importer->report->mirrors;
	struct directory_reader *reader = importer->reader;
	enum copied copied = COPIED_NOTHING;

	for (int i = 0; mirrors != NULL && i < COPY_TRIES && copied == COPIED_NOTHING; i++) {
		if (i > 0)
			(void)poll(NULL, 0, COPY_PAUSE_MS); /* less is no harm */
		reader->copy = mirror_reader_new(mirrors, importer->plan->name,
						 &importer->plan->directory->options);
		if (reader->copy == NULL)
			return COPIED_NOTHING;
		copied = read_mirror(importer, before, after);
		mirror_reader_free(reader->copy);
		reader->copy = NULL;
		if (reader->is_unfit)
			break;
	}
	return copied;
}

/* ---- the server --------------------------------------------------------------------------- */

/* Read all from the server, for a mirror, too. A sample that has another answer is no failure yet.
 */
static bool read_server(struct importer *importer)
{
	struct mirror_recorder *recorder = &importer->reader->recorder;

	mirror_recorder_begin(recorder);
	if (!read_kinds(importer))
		return false;
	(void)mirror_recorder_end(recorder); /* else there is no copy */
	return true;
}

/* Read until nothing changed meanwhile. What did change is in the journal of a mirror, if there is
 * one, or will be. */
static bool read_unchanged(struct importer *importer, struct buffer *before, struct buffer *after)
{
	const struct error *mismatch = &importer->reader->mismatch;

	for (int i = 0; i < TRIES; i++) {
		enum copied copied;

		if (!read_state(importer, before) || !read_server(importer) ||
		    !read_state(importer, after))
			return false;
		if (bytes_equal(buffer_bytes(before), buffer_bytes(after)))
			return mismatch->status == 0 || importer_fail(importer, mismatch);
		copied = read_copy(importer, before, after);
		if (copied != COPIED_NOTHING)
			return copied == COPIED_ALL;
	}
	report_error(importer->report, EX_TEMPFAIL, importer->plan->labels[importer->kind], 0,
		     "was changed each of the %d times that it was read", (int)TRIES);
	return false;
}

static void warn_of_kind(struct importer *importer, const struct directory_doubts *doubts)
{
	if (doubts->missing_count > 0)
		report_warning(importer->report, WARNING_MISSING_ENTRY,
			       importer->plan->labels[importer->kind], 0,
			       "%zu %s named that %s not there, as %s: passed over",
			       doubts->missing_count,
			       doubts->missing_count == 1 ? "entry is" : "entries are",
			       doubts->missing_count == 1 ? "is" : "are", doubts->missing);
	importer->empty_values = doubts->empty_values;
	memcpy(importer->empty_example, doubts->empty_example, sizeof(doubts->empty_example));
	importer_warn(importer);
}

static void warn(struct importer *importer)
{
	const struct directory_reader *reader = importer->reader;

	if (reader->why_by_keys != NULL)
		report_warning(importer->report, WARNING_ENUMERATED,
			       importer->plan->labels[importer->kind], 0,
			       "the filter %s: it was asked for each of the %zu keys that "
			       "keys_filter finds, and no others are known",
			       reader->why_by_keys, reader->key_count);
	for (size_t i = 0; i < DATABASE_KINDS; i++) {
		importer->kind = (enum database_kind)i;
		warn_of_kind(importer, &reader->doubts[i]);
	}
}

static bool read_directory(struct importer *importer)
{
	const struct mirrors *mirrors = importer->report->mirrors;
	enum copied copied = COPIED_NOTHING;
	struct buffer before, after;
	bool is_read;

	buffer_init(&before, STATE_BYTES_MAX);
	buffer_init(&after, STATE_BYTES_MAX);
	if (mirrors != NULL && !mirrors->is_for_writing)
		copied = read_copy(importer, &before, &after);
	is_read = copied == COPIED_ALL ||
		  (copied == COPIED_NOTHING && read_unchanged(importer, &before, &after));
	buffer_free(&before);
	buffer_free(&after);
	if (is_read)
		warn(importer);
	return is_read;
}

bool importer_run_directory(struct importer *importer)
{
	struct directory_reader reader = { .module = importer->module->directory };
	const char *doubt;
	struct error err;
	bool is_read;

	if (!hash_random_seed(&reader.seed))
		return importer_fail_memory(importer);
	reader.directory = reader.module->open(&importer->plan->directory->options, &err);
	if (reader.directory == NULL)
		return importer_fail(importer, &err);
	doubt = reader.module->doubt(reader.directory);
	if (doubt != NULL)
		report_warning(importer->report, WARNING_UNVERIFIED,
			       importer->plan->labels[importer->kind], 0, "%s", doubt);
	mirror_recorder_init(&reader.recorder, importer->report->mirrors, importer->plan->name,
			     &importer->plan->directory->options);
	importer->reader = &reader;
	is_read = read_directory(importer);
	importer->reader = NULL;
	mirror_recorder_free(&reader.recorder);
	reader.module->close(reader.directory);
	return is_read;
}
