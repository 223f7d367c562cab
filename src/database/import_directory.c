/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_directory - all that the filter of an `ldap:` table answers.
 *
 * Each branch of the filter is a search of its own; what entries name is followed when all entries
 * are there, and some keys are asked as Postfix asks them.
 */
#include <string.h>
#include <sysexits.h>

#include "database/directory_reader.h"
#include "directory/attribute_name.h"
#include "directory/search_base.h"
#include "sql/key_template.h"

#define READER_ARENA_BYTES ((size_t)16 << 30)

/* A key, and the entry that is to be followed for it. */
struct directory_pending {
	struct bytes key;
	const struct directory_found *found;
	struct directory_pending *next;
};

/* ---- keys --------------------------------------------------------------------------------- */

static enum query_shape_kind shape_of(const struct filter_branch *branch)
{
	if (branch->key_count > 1 || branch->keys[0].part == FILTER_ADDRESS)
		return QUERY_ADDRESS;
	return branch->keys[0].part == FILTER_DOMAIN ? QUERY_DOMAIN : QUERY_KEY;
}

/* Would Postfix ask for importer->key? With %u in the filter it never asks for `@domain`. */
static bool is_asked(const struct importer *importer, struct buffer *filter)
{
	struct error err;

	buffer_clear(filter);
	return key_template_query(bytes_of(importer->plan->queries[importer->kind]),
				  buffer_bytes(&importer->key), NULL, NULL, filter,
				  &err) == TEMPLATE_FILLED;
}

/* Does ENTRY, below a base that depends on the key, count for importer->key? */
static bool is_below(const struct importer *importer, struct bytes name, struct buffer *base)
{
	const struct directory_query *query = importer->reader->query;
	struct error err;

	if (strchr(query->base, '%') == NULL)
		return true;
	buffer_clear(base);
	return key_template_query(bytes_of(query->base), buffer_bytes(&importer->key), NULL, NULL,
				  base, &err) == TEMPLATE_FILLED &&
	       search_base_holds(buffer_bytes(base), query->scope, name);
}

/* Has NAME counted for importer->key before, by another branch? It has now. */
static enum import_outcome note_seen(struct importer *importer, struct bytes name)
{
	struct directory_reader *reader = importer->reader;
	struct bytes parts[] = { name, bytes_of("\n"), buffer_bytes(&importer->key) };
	struct keyset_entry *entry = arena_alloc(&reader->arena, sizeof(*entry));

	if (entry == NULL || !keyset_reserve(&reader->seen, 1) ||
	    !arena_join(&reader->arena, parts, 3, &entry->key)) {
		(void)importer_fail_memory(importer);
		return IMPORT_FAILED;
	}
	if (keyset_find(&reader->seen, entry->key) != NULL)
		return IMPORT_NONE;
	keyset_insert(&reader->seen, entry);
	return IMPORT_ROW;
}

/* The first entry of what is followed is kept until all entries are there. */
static bool add_pending(struct importer *importer, const struct directory_entry *entry)
{
	struct directory_reader *reader = importer->reader;
	struct directory_pending *pending = arena_alloc(&reader->arena, sizeof(*pending));
	struct directory_found *found = arena_alloc(&reader->arena, sizeof(*found));

	if (pending == NULL || found == NULL)
		return importer_fail_memory(importer);
	*pending = (struct directory_pending){ .found = found };
	if (!arena_copy(&reader->arena, buffer_bytes(&importer->key), &pending->key))
		return importer_fail_memory(importer);
	if (!directory_pick(importer, entry, &reader->arena, found))
		return false;
	if (reader->first == NULL)
		reader->first = pending;
	else
		reader->last->next = pending;
	reader->last = pending;
	return true;
}

/* All that FOUND leads to, for importer->key, into the store. */
static bool add_found(struct importer *importer, const struct directory_found *found)
{
	size_t count = 0;

	buffer_clear(&importer->value);
	if (!directory_expand(importer, found, &count))
		return false;
	return (count == 0 && !importer->reader->query->is_list) ||
	       row_store_add(&importer->stores[importer->kind], buffer_bytes(&importer->key),
			     buffer_bytes(&importer->value), count, 0) ||
	       importer_fail_memory(importer);
}

/* TEXT is a key of ENTRY, of which FOUND counts. Directories compare addresses whatever their case
 * is, so that there is one key for all. */
static bool add_key(struct importer *importer, const struct directory_entry *entry,
		    const struct directory_found *found, struct bytes text)
{
	const struct database_value value = { .text = text };
	enum import_outcome outcome = importer_take_key(importer, &value);

	importer->odd_keys = 0;
	if (outcome != IMPORT_ROW)
		return outcome == IMPORT_NONE;
	for (size_t i = 0; i < importer->key.size; i++)
		importer->key.data[i] = byte_to_lower(importer->key.data[i]);
	if (!importer_is_asked_for(importer, shape_of(importer->reader->branch)) ||
	    !is_asked(importer, &importer->query) ||
	    !is_below(importer, entry->name, &importer->query))
		return true;
	outcome = note_seen(importer, entry->name);
	if (outcome != IMPORT_ROW)
		return outcome == IMPORT_NONE;
	return found->followed_count > 0 ? add_pending(importer, entry)
					 : add_found(importer, found);
}

/* ---- entries ------------------------------------------------------------------------------ */

/* The next value of ENTRY that has KEY; *PLACE counts the values of all its attributes. */
static bool next_part(const struct directory_entry *entry, const struct filter_key *key,
		      size_t *place, struct bytes *out_part)
{
	size_t skipped = 0;

	for (size_t i = 0; i < entry->count; i++) {
		const struct directory_attribute *attribute = &entry->attributes[i];

		for (size_t v = 0; v < attribute->count; v++, skipped++) {
			if (skipped < *place)
				continue;
			*place = skipped + 1;
			if (attribute_is(attribute->name, key->attribute) &&
			    filter_key_cut(key, attribute->values[v], out_part))
				return true;
		}
	}
	return false;
}

static bool join_key(struct importer *importer, struct bytes user, struct bytes domain,
		     struct bytes *out_key)
{
	const struct bytes parts[] = { user, bytes_of("@"), domain };

	return arena_join(&importer->reader->scratch, parts, 3, out_key) ||
	       importer_fail_memory(importer);
}

/* Each user with each domain. */
static bool add_pairs(struct importer *importer, const struct directory_entry *entry,
		      const struct directory_found *found)
{
	const struct filter_key *keys = importer->reader->branch->keys;
	size_t user_key = keys[0].part == FILTER_USER ? 0 : 1;
	size_t user_place = 0;
	struct bytes user, domain, key;

	while (next_part(entry, &keys[user_key], &user_place, &user)) {
		size_t domain_place = 0;

		while (next_part(entry, &keys[1 - user_key], &domain_place, &domain)) {
			if (bytes_contain(domain, '@'))
				continue;
			if (!join_key(importer, user, domain, &key) ||
			    !add_key(importer, entry, found, key))
				return false;
		}
	}
	return true;
}

static bool add_keys(struct importer *importer, const struct directory_entry *entry,
		     const struct directory_found *found)
{
	const struct filter_key *key = &importer->reader->branch->keys[0];
	size_t place = 0;
	struct bytes text;

	while (next_part(entry, key, &place, &text)) {
		if (key->part == FILTER_DOMAIN && bytes_contain(text, '@'))
			continue;
		if (key->part == FILTER_DOMAIN &&
		    !join_key(importer, bytes_make("", 0), text, &text))
			return false;
		if (!add_key(importer, entry, found, text))
			return false;
	}
	return true;
}

/* The filter found the entry by this attribute: if we don't see it, a key would be missing. */
static bool check_readable(const struct importer *importer, const struct directory_entry *entry,
			   const struct filter_key *key)
{
	for (size_t i = 0; i < entry->count; i++)
		if (attribute_is(entry->attributes[i].name, key->attribute))
			return true;
	report_error(importer->report, EX_UNAVAILABLE, importer->plan->labels[importer->kind], 0,
		     BYTES_FORMAT
		     ": its " BYTES_FORMAT
		     " can not be read: the directory has another name for it, or we no right",
		     BYTES_ARGS(bytes_first(entry->name, 200)), BYTES_ARGS(key->attribute));
	return false;
}

static bool on_entry(struct importer *importer, const struct directory_entry *entry)
{
	struct directory_reader *reader = importer->reader;
	struct directory_found found;

	arena_clear(&reader->scratch);
	for (size_t i = 0; i < reader->branch->key_count; i++)
		if (!check_readable(importer, entry, &reader->branch->keys[i]))
			return false;
	if (!directory_pick(importer, entry, &reader->scratch, &found))
		return false;
	if (found.value_count == 0 && found.followed_count == 0 && !reader->query->is_list)
		return true;
	return reader->branch->key_count > 1 ? add_pairs(importer, entry, &found)
					     : add_keys(importer, entry, &found);
}

/* ---- searches ----------------------------------------------------------------------------- */

/* The attributes to be read of an entry; NULL: no memory. */
static const char *const *attributes_of(struct importer *importer)
{
	struct directory_reader *reader = importer->reader;
	size_t count = 0;
	const char **list;

	while (reader->query->all[count] != NULL)
		count++;
	list = arena_alloc(&reader->arena, (count + FILTER_KEYS_MAX + 1) * sizeof(*list));
	if (list == NULL)
		return NULL;
	memcpy((void *)list, (const void *)reader->query->all, count * sizeof(*list));
	for (size_t i = 0; i < reader->branch->key_count; i++) {
		list[count] = arena_text(&reader->arena, reader->branch->keys[i].attribute);
		if (list[count++] == NULL)
			return NULL;
	}
	list[count] = NULL;
	return list;
}

/* Ask SEARCH, which stays until its end. */
static bool begin_search(struct importer *importer, struct directory_search *search)
{
	struct directory_reader *reader = importer->reader;
	struct error err;

	if (reader->copy != NULL) {
		reader->is_unfit = !mirror_reader_search(reader->copy, search);
		return !reader->is_unfit;
	}
	search->wants_identity = mirror_recorder_search(&reader->recorder, search);
	return reader->module->search(reader->directory, search, &err) ||
	       importer_fail(importer, &err);
}

/* DIRECTORY_FAILED: reported, unless the copy is unfit. */
static enum directory_step next_entry(struct importer *importer, struct directory_entry *out_entry)
{
	struct directory_reader *reader = importer->reader;
	enum directory_step step;
	struct error err;

	if (reader->copy != NULL) {
		step = mirror_reader_next(reader->copy, out_entry);
		reader->is_unfit = step == DIRECTORY_FAILED;
		return step;
	}
	step = reader->module->next(reader->directory, out_entry, &err);
	if (step == DIRECTORY_ENTRY)
		mirror_recorder_add(&reader->recorder, out_entry);
	else if (step != DIRECTORY_END)
		(void)importer_fail(importer, &err);
	return step;
}

static bool read_branch(struct importer *importer)
{
	struct directory_reader *reader = importer->reader;
	struct bytes base = search_base_common(bytes_of(reader->query->base));
	bool is_whole = strchr(reader->query->base, '%') == NULL;
	struct directory_search search = {
		.base = arena_text(&reader->arena, base),
		.scope = is_whole ? reader->query->scope : DIRECTORY_SCOPE_SUB,
		.filter = reader->branch->filter,
		.attributes = attributes_of(importer),
		.is_paged = true,
	};
	struct directory_entry entry;

	if (search.base == NULL || search.attributes == NULL)
		return importer_fail_memory(importer);
	if (!begin_search(importer, &search))
		return false;
	for (;;) {
		switch (next_entry(importer, &entry)) {
		case DIRECTORY_FAILED:
		case DIRECTORY_ABSENT:
			return false;
		case DIRECTORY_END:
			return true;
		case DIRECTORY_ENTRY:
			break;
		}
		if (!on_entry(importer, &entry))
			return false;
	}
}

static bool follow_pending(struct importer *importer)
{
	for (const struct directory_pending *pending = importer->reader->first; pending != NULL;
	     pending = pending->next) {
		buffer_clear(&importer->key);
		if (!buffer_append(&importer->key, pending->key))
			return importer_fail_memory(importer);
		if (!add_found(importer, pending->found))
			return false;
	}
	return true;
}

/* ---- all at once, or one by one ----------------------------------------------------------- */

static bool refuse(struct importer *importer, const char *why)
{
	if (importer->plan->directory->keys_filter != NULL)
		return directory_read_by_keys(importer, why);
	report_error(importer->report, EX_CONFIG, importer->plan->path, 0,
		     "the filter %s, so it can't be asked for all keys at once; %s", why,
		     importer->plan->is_template
			     ? "say in keys_filter and keys_attribute where the keys are"
			     : "make a table file of it, with keys_filter and keys_attribute "
			       "beside its path");
	return false;
}

/* A shape is of no use where the values depend on which address was asked for. */
static const char *why_not(const struct importer *importer, const struct filter_shape *shape)
{
	struct bytes format = importer->reader->query->result_format;
	bool is_domain = shape_of(&shape->branches[0]) == QUERY_DOMAIN;
	bool is_list = importer->kind == DATABASE_DOMAIN || importer->kind == DATABASE_ALIAS_DOMAIN;

	for (size_t i = 0; i < shape->count; i++)
		if (shape->branches[i].keys[0].is_tail && !is_list)
			return "has a * beside the key";
	if (is_domain && (key_template_has(format, 'S') || key_template_has(format, 'U')))
		return "answers for all addresses of a domain, with a result_format that has the "
		       "address in it";
	if (is_domain && (importer->kind == DATABASE_MAILBOX || is_list))
		return "answers for all addresses of a domain, and so names no mailbox";
	return NULL;
}

static bool read_shape(struct importer *importer, const struct filter_shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		importer->reader->branch = &shape->branches[i];
		if (!read_branch(importer))
			return false;
	}
	return follow_pending(importer) && importer_join(importer) &&
	       importer_check_samples(importer, shape_of(&shape->branches[0])) &&
	       importer_check_limit(importer);
}

bool directory_read_kind(struct importer *importer)
{
	struct directory_reader *reader = importer->reader;
	struct filter_shape shape;
	const char *why;
	bool is_read;

	reader->query = &importer->plan->directory->queries[importer->kind];
	reader->first = NULL;
	arena_init(&reader->arena, READER_ARENA_BYTES);
	arena_init(&reader->scratch, READER_ARENA_BYTES);
	keyset_init(&reader->seen, &reader->arena, reader->seed);
	keyset_init(&reader->read, &reader->arena, reader->seed);
	switch (filter_shape_find(bytes_of(importer->plan->queries[importer->kind]), &reader->arena,
				  &shape, &why)) {
	case FILTER_NO_MEMORY:
		is_read = importer_fail_memory(importer);
		break;
	case FILTER_HAS_NONE:
		is_read = refuse(importer, why);
		break;
	default:
		why = why_not(importer, &shape);
		if (why == NULL && importer->plan->directory->keys_filter != NULL)
			why = "has a keys_filter beside it";
		is_read = why != NULL ? refuse(importer, why) : read_shape(importer, &shape);
		break;
	}
	arena_free(&reader->scratch);
	arena_free(&reader->arena);
	return is_read;
}
