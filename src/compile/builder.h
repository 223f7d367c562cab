/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * builder - from rows of sources to entries of a table: parse, complete, fold, check, encode.
 *
 * Knows the meaning of a row (spec of virtual(5) and what openrcpt makes of it); nothing of files
 * and formats. What is wrong is reported with its line and passed over.
 */
#ifndef COMPILE_BUILDER_H
#define COMPILE_BUILDER_H

#include "base/arena.h"
#include "base/buffer.h"
#include "mail/plain.h"
#include "settings/settings.h"
#include "sources/line_map.h"
#include "sources/report.h"
#include "sources/source.h"
#include "table_write/writer.h"

/* `word anything`: a bare user or a domain, decided when all rows are known. */
struct builder_word;

struct builder {
	const struct settings *settings;
	struct report *report;
	struct table_writer *writer;
	bool is_lenient;
	/* A row whose value is wrong leaves a key that defers, so that a proof of the rest doesn't
	 * miss it. What is wrong is never published, so neither is this. */
	bool stands_in;
	struct arena arena; /* of one row */
	struct arena words_arena;
	struct builder_word *words;
	struct buffer targets; /* of one row, encoded */
	struct table_rules rules;
	struct arena rules_arena;
	/* Of the last plain key: those of a domain stand together. */
	uint32_t key_domain;
	size_t key_domain_size;
	char key_domain_name[PLAIN_DOMAIN_MAX];
	uint32_t bare_domain; /* where bare `user` keys stand */
	uint32_t origin_domain;
	bool is_origin_local; /* it is one of local_domains */
	struct line_map lines;
	/* All that will come, so that each gets a name of its own; NULL: the base name will do. */
	const struct settings_source *sources;
	size_t source_count;
	size_t open_blocks; /* `if`s of the source at hand without their `endif` */
};

/* Fill BUILDER->rules from the settings; a setting that can't be used is reported. */
bool builder_init(struct builder *builder, const struct settings *settings, struct report *report,
		  bool is_lenient);
void builder_free(struct builder *builder);

/* Begin anew with WRITER: declares the domains of the settings. False: no memory. */
bool builder_begin(struct builder *builder, struct table_writer *writer);

/* The rows that follow come from PATH. In the table it is called by its base name, or as many of
 * its folders in front as it takes to tell it from the other sources. */
bool builder_source(struct builder *builder, const char *path);

/* False where it makes no sense to go on (no memory, disk full): reported. */
bool builder_row(struct builder *builder, const struct source_row *row);

/* All rows are there: settle what was left open. */
bool builder_end(struct builder *builder);

#endif
