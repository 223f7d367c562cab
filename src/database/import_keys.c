/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_keys - a filter that can't be asked for all keys: one search finds them, then each is
 * asked for alone, as Postfix does.
 */
#include <stdio.h>
#include <sysexits.h>

#include "database/directory_reader.h"
#include "directory/search_base.h"

/* Entries that keys_filter finds. */
struct with_keys {
	size_t count;
	size_t bare_count; /* without any key that we can read */
	char bare[IMPORT_EXAMPLE_BYTES];
};

/* What ENTRY has are keys, as Postfix asks for them. */
static bool keep_keys(struct importer *importer, const struct directory_entry *entry,
		      struct with_keys *found, struct row_store *keys)
{
	size_t value_count = 0;

	for (size_t i = 0; i < entry->count; i++) {
		const struct directory_attribute *attribute = &entry->attributes[i];

		value_count += attribute->count;
		for (size_t v = 0; v < attribute->count; v++) {
			const struct database_value value = { .text = attribute->values[v] };
			enum import_outcome outcome = importer_take_key(importer, &value);

			if (outcome == IMPORT_ROW)
				outcome = importer_fold_key(importer);
			if (outcome == IMPORT_FAILED)
				return false;
			if (outcome == IMPORT_ROW && importer_is_asked_for(importer, QUERY_KEY) &&
			    !row_store_add(keys, buffer_bytes(&importer->key), bytes_make("", 0), 0,
					   0))
				return importer_fail_memory(importer);
		}
	}
	importer->odd_keys = 0; /* a directory finds them */
	found->count++;
	if (value_count == 0 && found->bare_count++ == 0)
		(void)snprintf(found->bare, sizeof(found->bare), BYTES_FORMAT,
			       BYTES_ARGS(entry->name)); /* may be cut */
	return true;
}

/* Whose key we may not read is unknown to us: if it is that of all, the attribute is wrong. */
static bool judge_bare(const struct importer *importer, const struct with_keys *found)
{
	const char *label = importer->plan->labels[importer->kind];

	if (found->bare_count > 0 && found->bare_count == found->count) {
		report_error(importer->report, EX_UNAVAILABLE, label, 0,
			     "no entry that keys_filter finds has keys_attribute, or we no right "
			     "to read it, as of %s",
			     found->bare);
		return false;
	}
	if (found->bare_count > 0)
		report_warning(importer->report, WARNING_EMPTY_VALUE, label, 0,
			       "%zu of %zu entries that keys_filter finds have no key, or we no "
			       "right to read it, as %s",
			       found->bare_count, found->count, found->bare);
	return true;
}

static bool read_keys(struct importer *importer, struct row_store *keys)
{
	struct directory_reader *reader = importer->reader;
	const struct directory_plan *plan = importer->plan->directory;
	const struct directory_search search = {
		.base = arena_text(&reader->arena,
				   search_base_common(bytes_of(reader->query->base))),
		.scope = DIRECTORY_SCOPE_SUB,
		.filter = plan->keys_filter,
		.attributes = plan->keys,
		.is_paged = true,
	};
	struct with_keys found = { .count = 0 };
	struct directory_entry entry;
	struct error err;

	if (search.base == NULL)
		return importer_fail_memory(importer);
	if (!reader->module->search(reader->directory, &search, &err))
		return importer_fail(importer, &err);
	for (;;) {
		switch (reader->module->next(reader->directory, &entry, &err)) {
		case DIRECTORY_FAILED:
		case DIRECTORY_ABSENT:
			return importer_fail(importer, &err);
		case DIRECTORY_END:
			return judge_bare(importer, &found) &&
			       (row_store_join(keys) || importer_fail_memory(importer));
		case DIRECTORY_ENTRY:
			break;
		}
		if (!keep_keys(importer, &entry, &found, keys))
			return false;
	}
}

static bool ask_key(struct importer *importer, struct bytes key)
{
	size_t count;

	buffer_clear(&importer->key);
	if (!buffer_append(&importer->key, key))
		return importer_fail_memory(importer);
	if (!directory_ask(importer, key, &count))
		return false;
	return count == 0 ||
	       row_store_add(&importer->stores[importer->kind], key, buffer_bytes(&importer->value),
			     count, 0) ||
	       importer_fail_memory(importer);
}

bool directory_read_by_keys(struct importer *importer, const char *why)
{
	struct row_store keys;
	struct row_store_key key;
	size_t position = 0;
	bool is_done;

	if (!row_store_init(&keys))
		return importer_fail_memory(importer);
	is_done = read_keys(importer, &keys);
	while (is_done && row_store_next(&keys, &position, &key))
		is_done = ask_key(importer, key.key);
	if (is_done && position == SIZE_MAX)
		is_done = importer_fail_memory(importer);
	importer->reader->why_by_keys = why;
	importer->reader->key_count = keys.key_count;
	row_store_free(&keys);
	return is_done && importer_join(importer) && importer_check_limit(importer);
}
