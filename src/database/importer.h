/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * importer - what the files of an import share: import.c, import_template.c for the one query of a
 * table of Postfix, import_value.c for what may be in a row,
 * import_unchanged.c for directories.
 */
#ifndef DATABASE_IMPORTER_H
#define DATABASE_IMPORTER_H

#include "database/import.h"
#include "sql/query_shape.h"

enum { IMPORT_EXAMPLE_BYTES = 300 };

struct directory_reader;

/* All values of one key, to be compared whatever their order. */
struct import_answer {
	uint64_t sum;
	size_t count;
};

struct importer {
	const struct database_plan *plan;
	const struct database_module *module;
	struct database *database;
	struct directory_reader *reader; /* in its place: of a directory */
	struct row_store *stores;
	struct report *report;
	enum database_kind kind; /* at hand */
	uint32_t number;         /* of the row at hand; 0: none */
	struct buffer key;       /* of a row */
	struct buffer value;     /* of a row, its values joined */
	struct buffer text;      /* for whatever is made of a part */
	struct buffer query;
	size_t odd_keys; /* with capital letters, or blanks around them */
	char odd_example[IMPORT_EXAMPLE_BYTES];
	size_t empty_values;
	char empty_example[IMPORT_EXAMPLE_BYTES];
};

/* What is made of a row. */
enum import_outcome {
	IMPORT_ROW,
	IMPORT_NONE, /* nothing comes of it: passed over, or wrong and reported */
	IMPORT_FAILED,
};

/* Report ERR, with the label of the kind at hand; false. */
bool importer_fail(const struct importer *importer, const struct error *err);
bool importer_fail_memory(const struct importer *importer);

/* All rows of the kind at hand are in its store. False: reported. */
bool importer_join(const struct importer *importer);

/* KEY without blanks around it into importer->key; folded, where the database finds it in any
 * case. */
enum import_outcome importer_take_key(struct importer *importer, const struct database_value *key);

/* Fold importer->key, as Postfix does before it asks. IMPORT_NONE: it can't be, and stays. */
enum import_outcome importer_fold_key(struct importer *importer);

/* Append VALUE to importer->value, behind a comma unless it is the first; as FORMAT says for
 * importer->key. IMPORT_NONE: NULL, empty, or nothing of it is asked for. */
enum import_outcome importer_take_value(struct importer *importer,
					const struct database_value *value, struct bytes format);

/* The values of ROW from COLUMN on, joined, in importer->value; of some types the first alone. */
bool importer_take_values(struct importer *importer, const struct database_row *row, size_t column,
			  size_t *out_count);

/* Has each row of an answer; false: reported, and the last. */
typedef bool importer_on_row(struct importer *importer, const struct database_row *row,
			     void *context);

/* Ask QUERY, which may be importer->query, and let ON_ROW have each row. */
bool importer_read(struct importer *importer, const char *query, enum database_way way,
		   importer_on_row *on_row, void *context);

/* Ask for KEY, and let ON_ROW have each row. */
bool importer_ask(struct importer *importer, struct bytes key, importer_on_row *on_row,
		  void *context);

/* Add VALUES, with commas between them, to ANSWER. */
void importer_add_answer(struct import_answer *answer, struct bytes values);

/* Ask for some of the keys that the store of the kind at hand has; SHAPE says what they are. */
bool importer_check_samples(struct importer *importer, enum query_shape_kind shape);

/* Ask importer->query; the last value of the one column is importer->text, empty where there is
 * none. */
bool importer_ask_catalog(struct importer *importer);

/* Warn of each table of MySQL that the queries name, and that is in no snapshot. */
bool importer_check_engines(struct importer *importer);

/* Is importer->key asked for at all, by its domain? */
bool importer_is_asked_for(const struct importer *importer, enum query_shape_kind shape);

/* No key has more values than expansion_limit. */
bool importer_check_limit(struct importer *importer);

/* Say what there was to warn of in the rows of the kind at hand. */
void importer_warn(struct importer *importer);

/* All that is asked of a directory, into the stores. */
bool importer_run_directory(struct importer *importer);

/* The name of the column that has a row's number, in importer->text; empty: there is none. */
bool importer_find_number(struct importer *importer, const struct query_shape *shape,
			  enum query_dialect dialect);

/* The number in VALUE; 0: none that a line number could be. */
uint32_t importer_number(const struct database_value *value);

/* All rows of a table of Postfix, into the store of the kind at hand. */
bool importer_run_template(struct importer *importer);

#endif
