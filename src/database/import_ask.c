/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_ask - ask for one key, as Postfix asks; and compare some keys with what the bulk form said
 * of them.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "database/directory_reader.h"
#include "sql/key_template.h"

enum { SAMPLES = 20, FOREIGN_SAMPLES_MAX = 1000 };

/* ---- values ------------------------------------------------------------------------------- */

bool importer_take_values(struct importer *importer, const struct database_row *row, size_t column,
			  size_t *out_count)
{
	size_t end = importer->plan->has_one_value && row->count > column ? column + 1 : row->count;

	buffer_clear(&importer->value);
	*out_count = 0;
	for (; column < end; column++) {
		enum import_outcome outcome = importer_take_value(importer, &row->values[column],
								  importer->plan->result_format);

		if (outcome == IMPORT_FAILED)
			return false;
		*out_count += outcome == IMPORT_ROW;
	}
	return true;
}

/* ---- one key ------------------------------------------------------------------------------ */

static bool escape(void *context, struct bytes value, struct buffer *out, struct error *err)
{
	const struct importer *importer = context;

	return importer->module->escape(importer->database, value, out, err);
}

bool importer_read(struct importer *importer, const char *query, enum database_way way,
		   importer_on_row *on_row, void *context)
{
	const struct database_module *module = importer->module;
	struct database_row row;
	struct error err;

	if (!module->query(importer->database, query, way, &err))
		return importer_fail(importer, &err);
	for (;;) {
		switch (module->next(importer->database, &row, &err)) {
		case DATABASE_FAILED:
			return importer_fail(importer, &err);
		case DATABASE_END:
			return true;
		case DATABASE_ROW:
			break;
		}
		if (!on_row(importer, &row, context))
			return false;
	}
}

bool importer_ask(struct importer *importer, struct bytes key, importer_on_row *on_row,
		  void *context)
{
	const char *query = importer->plan->queries[importer->kind];
	struct error err;

	buffer_clear(&importer->query);
	switch (key_template_query(bytes_of(query), key, escape, importer, &importer->query,
				   &err)) {
	case TEMPLATE_FAILED:
		return importer_fail(importer, &err);
	case TEMPLATE_HAS_NO_VALUE:
		return true;
	case TEMPLATE_FILLED:
		break;
	}
	if (!buffer_append_byte(&importer->query, '\0'))
		return importer_fail_memory(importer);
	return importer_read(importer, importer->query.data, DATABASE_ONE, on_row, context);
}

/* ---- one key of a directory --------------------------------------------------------------- */

static bool escape_filter(void *context, struct bytes value, struct buffer *out, struct error *err)
{
	(void)context;
	return filter_escape(value, out) || error_set_memory(err);
}

/* TEMPLATE for KEY, in *OUT_TEXT; NULL where the key has no such part. */
static bool fill(struct importer *importer, const char *template, struct bytes key,
		 template_escape *escape_value, const char **out_text)
{
	struct error err;

	buffer_clear(&importer->query);
	*out_text = NULL;
	switch (key_template_query(bytes_of(template), key, escape_value, NULL, &importer->query,
				   &err)) {
	case TEMPLATE_FAILED:
		return importer_fail(importer, &err);
	case TEMPLATE_HAS_NO_VALUE:
		return true;
	case TEMPLATE_FILLED:
		break;
	}
	*out_text = arena_text(&importer->reader->scratch, buffer_bytes(&importer->query));
	return *out_text != NULL || importer_fail_memory(importer);
}

bool directory_ask(struct importer *importer, struct bytes key, size_t *out_count)
{
	struct directory_reader *reader = importer->reader;
	const struct directory_query *query = reader->query;
	struct directory_search search = { .scope = query->scope,
					   .attributes = query->all,
					   .size_limit = query->size_limit };
	struct directory_found *found;
	bool is_absent;

	*out_count = 0;
	buffer_clear(&importer->value);
	arena_clear(&reader->scratch);
	if (!fill(importer, query->base, key, NULL, &search.base) ||
	    !fill(importer, importer->plan->queries[importer->kind], key, escape_filter,
		  &search.filter))
		return false;
	if (search.base == NULL || search.filter == NULL)
		return true;
	if (!directory_read(importer, &search, &reader->scratch, &found, &is_absent))
		return false;
	for (; found != NULL; found = found->next)
		if (!directory_expand(importer, found, out_count))
			return false;
	return true;
}

/* ---- a sample ----------------------------------------------------------------------------- */

/* Each value counts by itself: the database may give them in another order. */
void importer_add_answer(struct import_answer *answer, struct bytes values)
{
	while (values.size > 0) {
		size_t size = bytes_index(values, ',');
		uint64_t hash = 1469598103934665603u;

		for (size_t i = 0; i < size; i++)
			hash = (hash ^ (unsigned char)values.data[i]) * 1099511628211u;
		answer->sum += hash;
		answer->count++;
		values = bytes_skip(values, size + 1);
	}
}

static bool on_sample_row(struct importer *importer, const struct database_row *row, void *context)
{
	size_t count;

	if (!importer_take_values(importer, row, 0, &count))
		return false;
	importer_add_answer(context, buffer_bytes(&importer->value));
	return true;
}

static bool ask_sample(struct importer *importer, struct bytes key, struct import_answer *answer)
{
	size_t count;

	if (!directory_ask(importer, key, &count))
		return false;
	importer_add_answer(answer, buffer_bytes(&importer->value));
	return true;
}

/* Would Postfix ask for KEY as it is? */
static bool is_plain(struct bytes key)
{
	for (size_t i = 0; i < key.size; i++)
		if ((key.data[i] >= 'A' && key.data[i] <= 'Z') ||
		    (unsigned char)key.data[i] >= 0x80)
			return false;
	return true;
}

/* A collation may take a letter with an accent for the one without: then another key has part of
 * what Postfix gets as the answer. */
static bool is_foreign(struct bytes key)
{
	for (size_t i = 0; i < key.size; i++)
		if ((unsigned char)key.data[i] >= 0x80)
			return true;
	return false;
}

/* Some address that KEY, of the shape SHAPE, answers. */
static bool make_sample(struct importer *importer, struct bytes key, enum query_shape_kind shape)
{
	bool is_catch_all = (shape == QUERY_DOMAIN || shape == QUERY_CATCH_ALL) && key.size > 0 &&
			    key.data[0] == '@';

	buffer_clear(&importer->key);
	if (is_catch_all)
		(void)buffer_append_text(&importer->key, "any"); /* checked below */
	(void)buffer_append(&importer->key, key);                /* likewise */
	return !importer->key.has_failed || importer_fail_memory(importer);
}

/* Of a directory the last one is kept: what it means depends on what has changed meanwhile. */
static void complain_of_sample(const struct importer *importer, const char *key, size_t asked,
			       size_t bulk)
{
	const char *what = importer->reader != NULL ? "filter" : "query";
	const char *hint = importer->reader != NULL
				   ? "the directory compares its attribute otherwise than mail "
				     "addresses are compared"
				   : "say in keys_query which keys there are, and each is asked "
				     "for alone";
	struct error err;

	error_fill(&err, EX_UNAVAILABLE,
		   "the %s, asked for %s alone, gives another answer (%zu values) than asked for "
		   "all at once (%zu): %s",
		   what, key, asked, bulk, hint);
	if (importer->reader != NULL)
		importer->reader->mismatch = err;
	else
		(void)importer_fail(importer, &err);
}

static bool check_sample(struct importer *importer, const struct row_store_key *stored,
			 enum query_shape_kind shape)
{
	struct import_answer bulk = { 0 }, asked = { 0 };
	char *key;
	bool is_asked;

	importer_add_answer(&bulk, stored->value);
	if (!make_sample(importer, stored->key, shape))
		return false;
	key = strndup(importer->key.data, importer->key.size);
	if (key == NULL)
		return importer_fail_memory(importer);
	if (importer->reader == NULL)
		is_asked = importer_ask(importer, bytes_of(key), on_sample_row, &asked);
	else
		is_asked = ask_sample(importer, bytes_of(key), &asked);
	if (is_asked && (bulk.sum != asked.sum || bulk.count != asked.count)) {
		complain_of_sample(importer, key, asked.count, bulk.count);
		is_asked = importer->reader != NULL;
	}
	free(key);
	return is_asked;
}

bool importer_check_samples(struct importer *importer, enum query_shape_kind shape)
{
	struct row_store *store = &importer->stores[importer->kind];
	size_t step = store->key_count / SAMPLES + 1;
	struct row_store_key stored;
	size_t position = 0, place = 0, foreign = 0;
	bool has_collations = strcmp(importer->plan->type, "mysql") == 0;

	/* A key that stands there in capitals, too, has answers that Postfix doesn't see: they are
	 * another key of the store, and no matter here. */
	while (row_store_next(store, &position, &stored)) {
		bool is_wanted = place++ % step == 0 && is_plain(stored.key);

		if (has_collations && is_foreign(stored.key))
			is_wanted = foreign++ < FOREIGN_SAMPLES_MAX;
		if (!is_wanted)
			continue;
		if (!check_sample(importer, &stored, shape))
			return false;
	}
	return position != SIZE_MAX || importer_fail_memory(importer);
}
