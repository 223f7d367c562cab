/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make_table - a table from a few rows, in memory: for tests above the table that want no sources.
 *
 * A value is a list of targets separated by commas, or one of the words below. A row without a
 * value declares its key as a domain.
 */
#ifndef TESTS_UNIT_MAKE_TABLE_H
#define TESTS_UNIT_MAKE_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table/table.h"
#include "table_write/writer.h"

#define MADE_ALIAS_DOMAIN   "(alias domain)"
#define MADE_MAILBOX_DOMAIN "(mailbox domain)"
#define MADE_LOCAL_DOMAIN   "(local domain)"
#define MADE_DISCARD        "(discard)"
#define MADE_DEFER          "(defer)"
#define MADE_REPLY          "(reply)" /* followed by the reply */

struct made_row {
	const char *key;
	const char *value;
};

static inline size_t made_at(struct bytes address)
{
	for (size_t i = address.size; i > 0; i--)
		if (address.data[i - 1] == '@')
			return i - 1;
	return address.size;
}

static inline uint32_t made_domain(struct table_writer *writer, struct bytes address)
{
	return writer_domain(writer, bytes_skip(address, made_at(address) + 1));
}

static inline void make_targets(struct table_writer *writer, struct writer_entry *entry,
				struct bytes list, char *room)
{
	while (list.size > 0) {
		struct bytes word = bytes_first(list, bytes_index(list, ','));

		entry->targets.size +=
			writer_target(entry, bytes_first(word, made_at(word)),
				      made_domain(writer, word), false, room + entry->targets.size);
		entry->target_count++;
		list = bytes_skip(list, word.size + 1);
	}
	entry->targets.data = room;
}

static inline void make_row(struct table_writer *writer, const struct made_row *row, uint32_t line)
{
	static char room[1 << 20];
	struct bytes key = bytes_of(row->key);
	struct bytes value = bytes_of(row->value);
	struct writer_entry entry = { .local = bytes_first(key, made_at(key)),
				      .global_line = line };
	unsigned flags = bytes_equal(value, bytes_of(MADE_ALIAS_DOMAIN))     ? TABLE_DOMAIN_ALIAS
			 : bytes_equal(value, bytes_of(MADE_MAILBOX_DOMAIN)) ? TABLE_DOMAIN_MAILBOX
			 : bytes_equal(value, bytes_of(MADE_LOCAL_DOMAIN))   ? TABLE_DOMAIN_LOCAL
									     : 0;

	if (flags != 0) {
		writer_domain_flags(writer, writer_domain(writer, key), flags);
		return;
	}
	entry.domain = made_domain(writer, key);
	if (bytes_equal(value, bytes_of(MADE_DISCARD))) {
		entry.kind = TABLE_ENTRY_DISCARD;
	} else if (bytes_begin_with(value, bytes_of(MADE_REPLY))) {
		entry.kind = TABLE_ENTRY_REPLY;
		entry.reply = bytes_skip(value, strlen(MADE_REPLY));
	} else {
		make_targets(writer, &entry, value, room);
	}
	if (!writer_add(writer, &entry))
		abort();
}

static inline struct table *make_table_from_file(int fd)
{
	struct error err;
	struct stat status;
	struct table *table;
	void *memory;

	if (fstat(fd, &status) != 0)
		abort();
	memory = mmap(NULL, (size_t)status.st_size + 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		abort();
	table = table_open_bytes(bytes_make(memory, (size_t)status.st_size), &err);
	if (table == NULL)
		abort();
	return table;
}

/* A table of ROWS, ended by a key of NULL; aborts on any failure. Its memory is never given back.
 */
static inline struct table *make_table(const struct made_row *rows, uint64_t generation)
{
	const struct writer_options options = {
		.rules = { .delimiters = bytes_of("+"),
			   .origin = bytes_of("origin.test"),
			   .propagates_extension = true },
		.seed = 1,
		.generation = generation,
		.created = 1,
		.spill_directory = "/tmp",
		.has_provenance = true,
	};
	struct error err;
	struct table_writer *writer = table_writer_new(&options, &err);
	int fd = memfd_create("table", 0);
	bool wants_seed;
	struct table *table;

	if (writer == NULL || fd < 0 || !writer_source(writer, 1, bytes_of("virtual")))
		abort();
	writer_domain_flags(writer, writer_domain(writer, options.rules.origin),
			    TABLE_DOMAIN_LOCAL);
	for (uint32_t line = 1; rows->key != NULL; rows++, line++)
		make_row(writer, rows, line);
	if (!table_writer_finish(writer, fd, NULL, NULL, &wants_seed, &err))
		abort();
	table_writer_free(writer);
	table = make_table_from_file(fd);
	(void)close(fd); /* the mapping stays */
	return table;
}

/* Put a table of one domain at PATH by a rename, as the compiler does. */
static inline void install_table(const char *path, uint64_t generation)
{
	const struct made_row rows[] = { { "alias.test", MADE_ALIAS_DOMAIN }, { NULL, NULL } };
	struct table *table = make_table(rows, generation);
	struct bytes bytes = table_bytes(table);
	char beside[4096];
	FILE *file;

	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	file = fopen(beside, "w");
	if (file == NULL || fwrite(bytes.data, 1, bytes.size, file) != bytes.size ||
	    fclose(file) != 0 || chmod(beside, 0640) != 0 || rename(beside, path) != 0)
		abort();
	table_close(table);
}

#endif
