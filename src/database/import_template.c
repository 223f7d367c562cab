/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_template - all that the one query of a Postfix table answers.
 *
 * A query with a shape is asked once, in its bulk form; then some keys are asked as Postfix asks
 * them, in the same snapshot, and must get the same answers. A query without one is asked for each
 * key that keys_query names, and for want of that refused: a list that may be short is no list.
 */
#include <string.h>
#include <sysexits.h>

#include "database/importer.h"
#include "plan/postfix_table.h"
#include "plan/recognise.h"
#include "sql/key_template.h"
#include "sql/query_shape.h"

enum { SHAPE_ARENA_BYTES = 64 << 20 };

/* ---- the bulk form ------------------------------------------------------------------------ */

static enum query_dialect dialect_of(const struct database_plan *plan)
{
	return strcmp(plan->type, "postgresql") == 0 ? QUERY_POSTGRESQL
	       : strcmp(plan->type, "mysql") == 0    ? QUERY_MYSQL
						     : QUERY_SQLITE;
}

/* What ROW says of importer->key, into the store. */
static bool add_values(struct importer *importer, const struct database_row *row, size_t column)
{
	size_t count;

	if (!importer_take_values(importer, row, column, &count))
		return false;
	return count == 0 ||
	       row_store_add(&importer->stores[importer->kind], buffer_bytes(&importer->key),
			     buffer_bytes(&importer->value), count, importer->number) ||
	       importer_fail_memory(importer);
}

/* Where the last @ of TEXT is; its size: there is none. */
static size_t last_at(struct bytes text)
{
	size_t i = text.size;

	while (i > 0 && text.data[i - 1] != '@')
		i--;
	return i > 0 ? i - 1 : text.size;
}

bool importer_is_asked_for(const struct importer *importer, enum query_shape_kind shape)
{
	struct bytes key = buffer_bytes(&importer->key);
	size_t at = last_at(key);
	bool has_user = at > 0 && at < key.size;

	if (shape == QUERY_ADDRESS && !has_user)
		return false;
	if (importer->plan->domains.size == 0)
		return true;
	/* A catch-all is asked by the full addresses that it answers. */
	return (has_user || shape == QUERY_DOMAIN || shape == QUERY_CATCH_ALL) &&
	       postfix_table_has_domain(importer->plan->domains, bytes_skip(key, at + 1));
}

/* Where a column ignores blanks behind a text, they aren't part of it. */
static struct bytes text_of(const struct database_value *value)
{
	struct bytes text = value->text;

	while (value->ignores_case && text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	return text;
}

/* VALUE without what an address of the domain TAIL has at its end. */
static bool cut_domain(struct database_value *value, const struct database_value *tail)
{
	struct bytes text = text_of(value), domain = text_of(tail);
	size_t at = text.size - domain.size;

	if (domain.size == 0 || text.size < domain.size + 2 || text.data[at - 1] != '@')
		return false;
	if (value->ignores_case ? !bytes_equal_ascii_nocase(bytes_skip(text, at), domain)
				: !bytes_equal(bytes_skip(text, at), domain))
		return false;
	value->text = bytes_first(text, at - 1);
	return true;
}

/* importer->key becomes LOCAL@DOMAIN. */
static enum import_outcome take_pair(struct importer *importer, struct database_value local,
				     const struct database_value *domain)
{
	enum import_outcome outcome;

	if (local.is_null || local.text.size == 0 || domain->is_null || domain->text.size == 0)
		return IMPORT_NONE;
	buffer_clear(&importer->query);
	(void)buffer_append(&importer->query, text_of(&local)); /* checked below */
	(void)buffer_append_byte(&importer->query, '@');        /* likewise */
	(void)buffer_append(&importer->query, domain->text);    /* likewise */
	if (importer->query.has_failed) {
		(void)importer_fail_memory(importer);
		return IMPORT_FAILED;
	}
	local = (struct database_value){
		.text = buffer_bytes(&importer->query),
		.ignores_case = local.ignores_case && domain->ignores_case,
	};
	outcome = importer_take_key(importer, &local);
	return outcome;
}

/* The key that the first columns of ROW make. */
static enum import_outcome take_shaped_key(struct importer *importer, enum query_shape_kind shape,
					   const struct database_row *row)
{
	struct database_value first = row->values[0];
	struct database_value local;
	bool is_list = importer->kind == DATABASE_DOMAIN || importer->kind == DATABASE_ALIAS_DOMAIN;

	switch (shape) {
	case QUERY_PARTS:
		return take_pair(importer, first, &row->values[1]);
	case QUERY_DOMAIN_ALIAS:
		local = row->values[1];
		if (local.is_null || row->values[2].is_null || !cut_domain(&local, &row->values[2]))
			return IMPORT_NONE;
		return take_pair(importer, local, &first);
	case QUERY_DOMAIN:
		if (is_list)
			break;
		/* A domain without its @. */
		if (first.is_null || first.text.size == 0)
			return IMPORT_NONE;
		buffer_clear(&importer->query);
		if (!buffer_append_byte(&importer->query, '@') ||
		    !buffer_append(&importer->query, first.text)) {
			(void)importer_fail_memory(importer);
			return IMPORT_FAILED;
		}
		first.text = buffer_bytes(&importer->query);
		break;
	case QUERY_CATCH_ALL:
		if (first.is_null || first.text.size < 2 || first.text.data[0] != '@')
			return IMPORT_NONE;
		break;
	case QUERY_KEY:
	case QUERY_ADDRESS:
		break;
	}
	return importer_take_key(importer, &first);
}

/* With a number the row begins with that. */
static bool add_bulk_row(struct importer *importer, const struct query_shape *shape,
			 bool has_number, struct database_row row)
{
	enum import_outcome outcome;

	importer->number = has_number ? importer_number(&row.values[0]) : 0;
	row.values += has_number;
	row.count -= has_number;

	if (row.count <= shape->key_columns) {
		report_error(importer->report, EX_CONFIG, importer->plan->path, 0,
			     "the query has no columns");
		return false;
	}
	outcome = take_shaped_key(importer, shape->kind, &row);
	if (outcome != IMPORT_ROW || !importer_is_asked_for(importer, shape->kind))
		return outcome != IMPORT_FAILED;
	return add_values(importer, &row, shape->key_columns);
}

/* The bulk query, with the number of each row in front, if there is one, in importer->query. */
static bool put_bulk(struct importer *importer, const struct query_shape *shape,
		     bool *out_has_number)
{
	static const char select[] = "SELECT ";
	struct buffer *out = &importer->query;

	if (!importer_find_number(importer, shape, dialect_of(importer->plan)))
		return false;
	*out_has_number = importer->text.size > 0;
	buffer_clear(out);
	(void)buffer_append_text(out, select); /* checked at the end, as the rest */
	if (*out_has_number) {
		(void)buffer_append(out, shape->qualifier);
		(void)buffer_append_byte(out, '.');
		(void)buffer_append(out, buffer_bytes(&importer->text));
		(void)buffer_append_text(out, ", ");
	}
	(void)buffer_append(out, bytes_skip(shape->bulk, sizeof(select) - 1));
	(void)buffer_append_byte(out, '\0');
	return !out->has_failed || importer_fail_memory(importer);
}

struct bulk {
	const struct query_shape *shape;
	bool has_number;
};

static bool on_bulk_row(struct importer *importer, const struct database_row *row, void *context)
{
	const struct bulk *bulk = context;

	return add_bulk_row(importer, bulk->shape, bulk->has_number, *row);
}

static bool read_bulk(struct importer *importer, const struct query_shape *shape)
{
	struct bulk bulk = { .shape = shape };

	return put_bulk(importer, shape, &bulk.has_number) &&
	       importer_read(importer, importer->query.data, DATABASE_ALL, on_bulk_row, &bulk);
}

/* ---- key by key --------------------------------------------------------------------------- */

static bool on_key_row(struct importer *importer, const struct database_row *row, void *context)
{
	(void)context;
	return add_values(importer, row, 0);
}

/* Ask for KEY, which importer->key becomes. */
static bool ask_key(struct importer *importer, struct bytes key)
{
	buffer_clear(&importer->key);
	return buffer_append(&importer->key, key) ? importer_ask(importer, key, on_key_row, NULL)
						  : importer_fail_memory(importer);
}

/* One of the keys that keys_query names, into the store CONTEXT, as Postfix asks for it. */
static bool on_named_key(struct importer *importer, const struct database_row *row, void *context)
{
	enum import_outcome outcome = importer_take_key(importer, &row->values[0]);

	if (outcome == IMPORT_ROW)
		outcome = importer_fold_key(importer);
	if (outcome != IMPORT_ROW || !importer_is_asked_for(importer, QUERY_KEY))
		return outcome != IMPORT_FAILED;
	return row_store_add(context, buffer_bytes(&importer->key), bytes_make("", 0), 0, 0) ||
	       importer_fail_memory(importer);
}

static bool run_by_keys(struct importer *importer, const char *why)
{
	struct row_store keys;
	struct row_store_key key;
	size_t position = 0;
	bool is_done;

	importer->number = 0;
	if (!row_store_init(&keys))
		return importer_fail_memory(importer);
	is_done = importer_read(importer, importer->plan->keys_query, DATABASE_ALL, on_named_key,
				&keys) &&
		  (row_store_join(&keys) || importer_fail_memory(importer));
	while (is_done && row_store_next(&keys, &position, &key))
		is_done = ask_key(importer, key.key);
	if (is_done && position == SIZE_MAX)
		is_done = importer_fail_memory(importer);
	if (is_done)
		report_warning(importer->report, WARNING_ENUMERATED,
			       importer->plan->labels[importer->kind], 0,
			       "the query %s: it was asked for each of the %zu keys of keys_query, "
			       "and no others are known",
			       why, keys.key_count);
	row_store_free(&keys);
	return is_done;
}

/* ---- from start to end -------------------------------------------------------------------- */

static void complain_of_limit(struct importer *importer, const struct row_store_key *key)
{
	importer->report->subject = key->key;
	report_error(importer->report, EX_DATAERR, importer->plan->labels[importer->kind], 0,
		     "%zu values are more than expansion_limit %lu allows", key->value_count,
		     importer->plan->expansion_limit);
	importer->report->subject = bytes_make(NULL, 0);
}

bool importer_check_limit(struct importer *importer)
{
	struct row_store *store = &importer->stores[importer->kind];
	unsigned long limit = importer->plan->expansion_limit;
	struct row_store_key key;
	size_t position = 0;

	while (limit != 0 && row_store_next(store, &position, &key))
		if (key.value_count > limit)
			complain_of_limit(importer, &key);
	return position != SIZE_MAX || importer_fail_memory(importer);
}

/* A shape is of no use where the values depend on which address was asked for. */
static const char *why_not(const struct importer *importer, enum query_shape_kind shape)
{
	bool is_list = importer->kind != DATABASE_ALIAS;
	bool is_domain = shape == QUERY_DOMAIN || shape == QUERY_CATCH_ALL;

	if (is_domain && !is_list &&
	    (key_template_has(importer->plan->result_format, 'S') ||
	     key_template_has(importer->plan->result_format, 'U')))
		return "answers for all addresses of a domain, with a result_format that has the "
		       "address in it";
	if (is_domain && importer->kind == DATABASE_MAILBOX)
		return "answers for all addresses of a domain, and so names no mailbox";
	return NULL;
}

static bool refuse(struct importer *importer, const char *why)
{
	report_error(importer->report, EX_CONFIG, importer->plan->path, 0,
		     "the query %s, so it can't be asked for all keys at once; say in keys_query "
		     "which keys there are, as in keys_query = \"SELECT address FROM alias\"",
		     why);
	recognise_query(importer->plan, importer->kind, importer->report);
	return false;
}

bool importer_run_template(struct importer *importer)
{
	const char *query = importer->plan->queries[importer->kind];
	struct query_shape shape = { 0 };
	const char *why = NULL;
	struct arena arena;
	bool is_done;

	arena_init(&arena, SHAPE_ARENA_BYTES);
	switch (query_shape_find(bytes_of(query), dialect_of(importer->plan), &arena, &shape,
				 &why)) {
	case QUERY_NO_MEMORY:
		arena_free(&arena);
		return importer_fail_memory(importer);
	case QUERY_HAS_SHAPE:
		why = why_not(importer, shape.kind);
		break;
	case QUERY_HAS_NONE:
		break;
	}
	if (importer->plan->keys_query != NULL)
		is_done = run_by_keys(importer, why != NULL ? why : "has a keys_query beside it") &&
			  importer_join(importer);
	else if (why != NULL)
		is_done = refuse(importer, why);
	else
		is_done = read_bulk(importer, &shape) && importer_join(importer) &&
			  importer_check_samples(importer, shape.kind);
	arena_free(&arena);
	if (is_done && importer->report->has_notes)
		recognise_query(importer->plan, importer->kind, importer->report);
	return is_done && importer_check_limit(importer);
}
