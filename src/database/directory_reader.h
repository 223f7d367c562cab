/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory_reader - what import_unchanged.c, which begins, import_directory.c, which
 * searches, and import_follow.c, which reads what entries say of other entries, have in common.
 */
#ifndef DATABASE_DIRECTORY_READER_H
#define DATABASE_DIRECTORY_READER_H

#include "base/keyset.h"
#include "database/importer.h"
#include "directory/filter_shape.h"
#include "mirror/mirror_reader.h"
#include "mirror/mirror_recorder.h"

/* What counts of an entry, by the rules of ldap_table(5). */
struct directory_found {
	struct bytes *values;
	size_t value_count;
	struct bytes *followed; /* DNs and URLs */
	size_t followed_count;
	struct directory_found *next; /* of the same search */
};

/* What a warning tells of one kind. */
struct directory_doubts {
	size_t empty_values;
	char empty_example[IMPORT_EXAMPLE_BYTES];
	size_t missing_count;
	char missing[IMPORT_EXAMPLE_BYTES];
};

struct directory_pending;

struct directory_reader {
	const struct directory_module *module;
	struct directory *directory;
	const struct directory_query *query; /* of the kind at hand */
	const struct filter_branch *branch;  /* at hand */
	struct arena arena;                  /* for one kind */
	struct arena scratch;                /* for one entry, or one key */
	uint64_t seed;
	struct keyset seen;              /* which entry counted for which key */
	struct keyset read;              /* what was followed to, by its DN or URL */
	struct directory_pending *first; /* keys for which something is to be followed */
	struct directory_pending *last;
	size_t visits;                   /* of entries, for one key */
	struct mirror_recorder recorder; /* of what the server answers to searches for all */
	struct mirror_reader *copy;      /* that answers in its place; NULL: it is asked */
	bool is_unfit;                   /* the copy can't answer, or says something else */
	struct error mismatch;           /* of a sample, for which the status isn't 0 */
	const char
		*why_by_keys; /* each key was asked for alone, since the filter …; NULL: not so */
	size_t key_count;     /* of these */
	size_t missing_count;
	char missing[IMPORT_EXAMPLE_BYTES];
	struct directory_doubts doubts[DATABASE_KINDS]; /* of kinds that have been read */
};

/* What counts of ENTRY, in ARENA. False: no memory, reported. */
bool directory_pick(struct importer *importer, const struct directory_entry *entry,
		    struct arena *arena, struct directory_found *out_found);

/* All entries of SEARCH, in ARENA. Where there is no such base there is none, and *OUT_IS_ABSENT
 * says so. False: reported. */
bool directory_read(struct importer *importer, const struct directory_search *search,
		    struct arena *arena, struct directory_found **out_first, bool *out_is_absent);

/* The values of FOUND, and of all that it leads to, behind what is in importer->value, for
 * importer->key. False: reported. */
bool directory_expand(struct importer *importer, const struct directory_found *found,
		      size_t *count);

/* Ask for KEY, as Postfix asks: its values, *OUT_COUNT of them, are in importer->value then, and
 * those that depend on the key are for importer->key. False: reported. */
bool directory_ask(struct importer *importer, struct bytes key, size_t *out_count);

/* The kind at hand key by key, into its store; WHY its filter can't be asked for all. False:
 * reported. */
bool directory_read_by_keys(struct importer *importer, const char *why);

/* All of the kind at hand, into its store. False: reported. */
bool directory_read_kind(struct importer *importer);

#endif
