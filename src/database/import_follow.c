/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_follow - what counts of an entry, and of the entries that it names.
 *
 * What is named is read once, and kept. Postfix knows no loops but by its limit, at which it
 * defers: here a loop is an error of its key, and so is more than can be meant.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "database/directory_reader.h"
#include "directory/attribute_name.h"

enum { VISITS_MAX = 1000000 };

struct node {
	struct keyset_entry entry;
	struct directory_found *first;
	bool is_open; /* we are in it */
};

/* ---- one entry ---------------------------------------------------------------------------- */

static bool is_in(const char *const *list, struct bytes name)
{
	for (; *list != NULL; list++)
		if (attribute_is(name, bytes_of(*list)))
			return true;
	return false;
}

static bool has_one_of(const struct directory_entry *entry, const char *const *list)
{
	for (size_t i = 0; i < entry->count; i++)
		if (entry->attributes[i].count > 0 && is_in(list, entry->attributes[i].name))
			return true;
	return false;
}

static bool copy_values(const struct directory_attribute *attribute, struct arena *arena,
			struct bytes *out, size_t *count)
{
	for (size_t i = 0; i < attribute->count; i++)
		if (!arena_copy(arena, attribute->values[i], &out[(*count)++]))
			return false;
	return true;
}

static bool pick(const struct directory_query *query, const struct directory_entry *entry,
		 struct arena *arena, struct directory_found *found)
{
	bool is_terminal = has_one_of(entry, query->terminal);
	bool is_leaf = !has_one_of(entry, query->special);

	for (size_t i = 0; i < entry->count; i++) {
		const struct directory_attribute *attribute = &entry->attributes[i];
		bool counts = is_terminal
				      ? is_in(query->terminal, attribute->name)
				      : is_in(query->ordinary, attribute->name) ||
						(is_leaf && is_in(query->leaf, attribute->name));

		if (counts && !copy_values(attribute, arena, found->values, &found->value_count))
			return false;
		if (!is_terminal && is_in(query->special, attribute->name) &&
		    !copy_values(attribute, arena, found->followed, &found->followed_count))
			return false;
	}
	return true;
}

bool directory_pick(struct importer *importer, const struct directory_entry *entry,
		    struct arena *arena, struct directory_found *out_found)
{
	size_t total = 0;

	for (size_t i = 0; i < entry->count; i++)
		total += entry->attributes[i].count;
	*out_found = (struct directory_found){
		.values = arena_alloc(arena, total * sizeof(struct bytes)),
		.followed = arena_alloc(arena, total * sizeof(struct bytes)),
	};
	if (out_found->values != NULL && out_found->followed != NULL &&
	    pick(importer->reader->query, entry, arena, out_found))
		return true;
	return importer_fail_memory(importer);
}

bool directory_read(struct importer *importer, const struct directory_search *search,
		    struct arena *arena, struct directory_found **out_first, bool *out_is_absent)
{
	const struct directory_reader *reader = importer->reader;
	struct directory_found **end = out_first;
	struct directory_entry entry;
	struct error err;

	*out_first = NULL;
	*out_is_absent = false;
	if (!reader->module->search(reader->directory, search, &err))
		return importer_fail(importer, &err);
	for (;;) {
		switch (reader->module->next(reader->directory, &entry, &err)) {
		case DIRECTORY_FAILED:
			return importer_fail(importer, &err);
		case DIRECTORY_ABSENT:
			*out_is_absent = true;
			return true;
		case DIRECTORY_END:
			return true;
		case DIRECTORY_ENTRY:
			break;
		}
		*end = arena_alloc(arena, sizeof(**end));
		if (*end == NULL)
			return importer_fail_memory(importer);
		if (!directory_pick(importer, &entry, arena, *end))
			return false;
		end = &(*end)->next;
	}
}

/* ---- what an entry names ------------------------------------------------------------------ */

static bool complain(const struct importer *importer, const char *what, struct bytes text)
{
	importer->report->subject = buffer_bytes(&importer->key);
	report_error(importer->report, EX_DATAERR, importer->plan->labels[importer->kind], 0,
		     "%s: \"" BYTES_FORMAT "\"", what, BYTES_ARGS(bytes_first(text, 200)));
	importer->report->subject = bytes_make(NULL, 0);
	return true; /* the others can be read */
}

static bool is_url(struct bytes text)
{
	static const char *const schemes[] = { "ldap://", "ldaps://", "ldapi://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (bytes_equal_ascii_nocase(bytes_first(text, strlen(schemes[i])),
					     bytes_of(schemes[i])))
			return true;
	return false;
}

/* Of the attributes that a URL names those that are asked for; NULL: no memory. */
static const char *const *common_attributes(struct importer *importer,
					    const char *const *attributes)
{
	static const char *const none[] = { "1.1", NULL }; /* as RFC 4511 has it */
	const char *const *all = importer->reader->query->all;
	size_t room = 1, count = 0;
	const char **common;

	for (size_t i = 0; all[i] != NULL; i++)
		room++;
	common = arena_alloc(&importer->reader->arena, room * sizeof(*common));
	if (common == NULL)
		return NULL;
	for (size_t i = 0; all[i] != NULL; i++)
		if (is_in(attributes, bytes_of(all[i])))
			common[count++] = all[i];
	common[count] = NULL;
	return count > 0 ? common : none;
}

/* Read what TEXT, a DN or a URL, names, into NODE. */
static bool fetch(struct importer *importer, const char *text, struct node *node)
{
	struct directory_reader *reader = importer->reader;
	struct directory_search search = {
		.base = text,
		.scope = DIRECTORY_SCOPE_BASE,
		.filter = "(objectClass=*)",
	};
	struct error err;
	bool is_absent;

	if (is_url(bytes_of(text)) &&
	    !reader->module->read_url(reader->directory, text, &search, &err))
		return importer_fail(importer, &err);
	search.attributes = search.attributes == NULL
				    ? reader->query->all
				    : common_attributes(importer, search.attributes);
	if (search.attributes == NULL)
		return importer_fail_memory(importer);
	if (!directory_read(importer, &search, &reader->arena, &node->first, &is_absent))
		return false;
	if (is_absent && reader->missing_count++ == 0)
		(void)snprintf(reader->missing, sizeof(reader->missing), "%.100s", text); /* cut */
	return true;
}

/* The node for TEXT, read if it is new. NULL: reported. */
static struct node *find_node(struct importer *importer, struct bytes text)
{
	struct directory_reader *reader = importer->reader;
	struct node *node = (struct node *)keyset_find(&reader->read, text);

	if (node != NULL)
		return node;
	node = arena_alloc(&reader->arena, sizeof(*node));
	if (node == NULL || !keyset_reserve(&reader->read, 1)) {
		(void)importer_fail_memory(importer);
		return NULL;
	}
	*node = (struct node){ .is_open = false };
	if (!arena_copy(&reader->arena, text, &node->entry.key)) {
		(void)importer_fail_memory(importer);
		return NULL;
	}
	if (!fetch(importer, node->entry.key.data, node))
		return NULL;
	keyset_insert(&reader->read, &node->entry);
	return node;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static bool put_values(struct importer *importer, const struct directory_found *found,
		       size_t *count)
{
	for (size_t i = 0; i < found->value_count; i++) {
		const struct database_value value = { .text = found->values[i] };
		enum import_outcome outcome = importer_take_value(
			importer, &value, importer->reader->query->result_format);

		if (outcome == IMPORT_FAILED)
			return false;
		*count += outcome == IMPORT_ROW;
	}
	return true;
}

static bool expand(struct importer *importer, const struct directory_found *found,
		   unsigned long depth, size_t *count);

static bool follow(struct importer *importer, struct bytes text, unsigned long depth, size_t *count)
{
	struct node *node;
	bool is_done = true;

	if (depth > importer->reader->query->recursion_limit)
		return complain(importer, "more steps than recursion_limit allows lead to", text);
	if (++importer->reader->visits > VISITS_MAX)
		return importer->reader->visits > VISITS_MAX + 1 ||
		       complain(importer, "leads to more than a million entries, as to", text);
	node = find_node(importer, text);
	if (node == NULL)
		return false;
	if (node->is_open)
		return complain(importer, "leads to itself, by", text);
	node->is_open = true;
	for (struct directory_found *found = node->first; found != NULL && is_done;
	     found = found->next)
		is_done = expand(importer, found, depth, count);
	node->is_open = false;
	return is_done;
}

static bool expand(struct importer *importer, const struct directory_found *found,
		   unsigned long depth, size_t *count)
{
	if (!put_values(importer, found, count))
		return false;
	for (size_t i = 0; i < found->followed_count; i++)
		if (!follow(importer, found->followed[i], depth + 1, count))
			return false;
	return true;
}

bool directory_expand(struct importer *importer, const struct directory_found *found, size_t *count)
{
	importer->reader->visits = 0;
	return expand(importer, found, 0, count);
}
