/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_image - tables as blocks of bytes, made by the writer and open to damage: for tests of the
 * table itself. Above it make_table.h is enough.
 */
#ifndef TESTS_UNIT_TABLE_IMAGE_H
#define TESTS_UNIT_TABLE_IMAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/le.h"
#include "table/format.h"
#include "table/patterns.h"
#include "table/table.h"
#include "table_write/writer.h"
#include "under_valgrind.h"

/* Of large numbers of tries, how many to make: all, or one in a hundred where valgrind looks on. */
static inline unsigned try_every(void)
{
	return under_valgrind() ? 100 : 1;
}

/* ---- images ------------------------------------------------------------------------------- */

/* In a block of exactly its size, so that a read past its end is seen. */
struct image {
	unsigned char *bytes;
	size_t size;
};

static inline struct bytes image_view(const struct image *image)
{
	return bytes_make(image->bytes, image->size);
}

static inline struct image image_copy(const struct image *image)
{
	struct image copy = { .bytes = malloc(image->size), .size = image->size };

	if (copy.bytes == NULL)
		abort();
	memcpy(copy.bytes, image->bytes, image->size);
	return copy;
}

static inline void image_free(struct image *image)
{
	free(image->bytes);
	image->bytes = NULL;
}

/* Let damage pass the checksums. */
static inline void image_sum(struct image *image)
{
	unsigned char *header = image->bytes;

	le64_store(header + HEADER_BODY_CHECKSUM,
		   hash_block(bytes_skip(image_view(image), FORMAT_HEADER_BYTES)));
	le64_store(header + HEADER_CHECKSUM, 0);
	le64_store(header + HEADER_CHECKSUM, hash_block(bytes_make(header, FORMAT_HEADER_BYTES)));
}

/* The section entry of NUMBER, in the header. */
static inline unsigned char *image_section_entry(const struct image *image, uint32_t number)
{
	uint32_t count = le32_load(image->bytes + HEADER_SECTION_COUNT);

	for (uint32_t i = 0; i < count; i++) {
		unsigned char *entry = image->bytes + HEADER_SECTIONS + i * SECTION_BYTES;

		if (le32_load(entry + SECTION_NUMBER) == number)
			return entry;
	}
	abort();
}

static inline unsigned char *image_section(const struct image *image, uint32_t number)
{
	return image->bytes + le64_load(image_section_entry(image, number) + SECTION_OFFSET);
}

static inline uint64_t image_section_size(const struct image *image, uint32_t number)
{
	return le64_load(image_section_entry(image, number) + SECTION_LENGTH);
}

/* Where the cluster stands that has LOCAL at DOMAIN, or would have it. */
struct image_place {
	uint64_t line;
	unsigned number;
	unsigned char fingerprint;
};

static inline struct image_place place_of(const char *local, const char *domain, uint64_t seed,
					  uint64_t lines)
{
	uint64_t hash =
		format_mix(hash_key(bytes_of(domain), seed), hash_key(bytes_of(local), seed));
	uint64_t cluster = format_high64(hash, lines * LINE_CLUSTERS);

	return (struct image_place){ .line = cluster / LINE_CLUSTERS,
				     .number = (unsigned)(cluster % LINE_CLUSTERS),
				     .fingerprint = (unsigned char)hash };
}

static inline uint64_t image_lines(const struct image *image)
{
	return image_section_size(image, SECTION_DIRECTORY) / LINE_BYTES;
}

static inline struct image_place image_place_of(const struct image *image, const char *local,
						const char *domain)
{
	return place_of(local, domain, le64_load(image->bytes + HEADER_SEED), image_lines(image));
}

static inline unsigned char *image_line(const struct image *image, uint64_t line)
{
	return image_section(image, SECTION_DIRECTORY) + line * LINE_BYTES;
}

/* Where the bytes of a cluster begin. */
static inline unsigned char *image_cluster(const struct image *image, struct image_place place)
{
	unsigned char *row = image_line(image, place.line);
	unsigned begin =
		place.number == 0 ? 0 : le16_load(row + LINE_ENDS + 2 * (place.number - 1));

	return image_section(image, SECTION_DATA) +
	       (uint64_t)le32_load(row + LINE_BASE) * DATA_UNIT + begin;
}

/* ---- building ----------------------------------------------------------------------------- */

/* Things to set before build_begin(). All zeros will do. */
struct build {
	uint64_t seed;
	uint64_t expected_bytes;
	const char *delimiters;      /* NULL: "+" */
	const char *spill_directory; /* NULL: /tmp */
	bool has_no_provenance;
	bool keeps_extension; /* it isn't passed on to targets */
	bool keeps_dead_ends;

	struct table_writer *writer;
	uint32_t line;
	/* What came of it. */
	unsigned duplicates;
	unsigned equals;    /* of them */
	uint32_t kept_line; /* of the last duplicate */
	uint32_t dropped_line;
	bool wants_seed;
	struct error err;
};

static inline void build_begin(struct build *build)
{
	const struct writer_options options = {
		.rules = {
			.delimiters = bytes_of(build->delimiters != NULL ? build->delimiters : "+"),
			.origin = bytes_of("origin.test"),
			.propagates_extension = !build->keeps_extension,
			.keeps_dead_ends = build->keeps_dead_ends,
		},
		.seed = build->seed,
		.generation = 7,
		.created = 1700000000,
		.expected_bytes = build->expected_bytes,
		.spill_directory = build->spill_directory != NULL ? build->spill_directory : "/tmp",
		.has_provenance = !build->has_no_provenance,
	};

	build->writer = table_writer_new(&options, &build->err);
	if (build->writer == NULL || !writer_source(build->writer, 1, bytes_of("virtual")))
		abort();
	writer_domain_flags(build->writer, writer_domain(build->writer, options.rules.origin),
			    TABLE_DOMAIN_LOCAL);
}

static inline void build_flags(struct build *build, const char *domain, unsigned flags)
{
	writer_domain_flags(build->writer, writer_domain(build->writer, bytes_of(domain)), flags);
}

/* The local part of ADDRESS is what stands before its last `@`. */
static inline struct bytes build_split(struct bytes address, struct bytes *out_domain)
{
	size_t i = address.size;

	while (i > 0 && address.data[i - 1] != '@')
		i--;
	if (i == 0) {
		*out_domain = bytes_make("", 0);
		return address;
	}
	*out_domain = bytes_skip(address, i);
	return bytes_first(address, i - 1);
}

/* The targets in TEXT, separated by commas, to ROOM. `@other` keeps the user. */
static inline void build_targets(struct build *build, struct writer_entry *entry, struct bytes text,
				 char *room)
{
	while (text.size > 0) {
		struct bytes word = bytes_first(text, bytes_index(text, ','));
		struct bytes domain;
		struct bytes local = build_split(word, &domain);

		entry->targets.size +=
			writer_target(entry, local, writer_domain(build->writer, domain),
				      word.data[0] == '@', room + entry->targets.size);
		entry->target_count++;
		text = bytes_skip(text, word.size + 1);
	}
	entry->targets.data = room;
}

static inline bool build_add_entry(struct build *build, const char *key, const char *value,
				   bool yields)
{
	struct writer_entry entry = { .global_line = 1 + ++build->line, .yields = yields };
	char *room = malloc(strlen(value) * 8 + WRITER_TARGET_ROOM);
	struct bytes domain;
	bool is_added;

	if (room == NULL)
		abort();
	entry.local = build_split(bytes_of(key), &domain);
	entry.domain = writer_domain(build->writer, domain);
	if (strncmp(value, "reply:", 6) == 0) {
		entry.kind = TABLE_ENTRY_REPLY;
		entry.reply = bytes_of(value + 6);
	} else if (strcmp(value, "discard:") == 0) {
		entry.kind = TABLE_ENTRY_DISCARD;
	} else {
		build_targets(build, &entry, bytes_of(value), room);
	}
	is_added = writer_add(build->writer, &entry);
	free(room);
	return is_added;
}

/* KEY is `local@domain`, `local` or `@domain`; VALUE targets, `reply:…` or `discard:`. */
static inline bool build_add(struct build *build, const char *key, const char *value)
{
	return build_add_entry(build, key, value, false);
}

static inline void build_on_duplicate(void *context, const struct writer_duplicate *duplicate)
{
	struct build *build = context;

	build->duplicates++;
	build->equals += duplicate->is_equal;
	build->kept_line = duplicate->kept_line - 1;
	build->dropped_line = duplicate->dropped_line - 1;
}

/* False: build->err and build->wants_seed say why. */
static inline bool build_try_end(struct build *build, struct image *out_image)
{
	int fd = memfd_create("table", MFD_CLOEXEC);
	bool is_done = fd >= 0 && table_writer_finish(build->writer, fd, build_on_duplicate, build,
						      &build->wants_seed, &build->err);
	struct stat status;

	table_writer_free(build->writer);
	build->writer = NULL;
	if (is_done) {
		if (fstat(fd, &status) != 0)
			abort();
		out_image->size = (size_t)status.st_size;
		out_image->bytes = malloc(out_image->size);
		if (out_image->bytes == NULL ||
		    pread(fd, out_image->bytes, out_image->size, 0) != (ssize_t)out_image->size)
			abort();
	}
	(void)close(fd); /* it was only memory */
	return is_done;
}

static inline struct image build_end(struct build *build)
{
	struct image image;

	if (!build_try_end(build, &image)) {
		(void)fprintf(stderr, "%s\n", build->err.text);
		abort();
	}
	return image;
}

static inline struct table *image_open(const struct image *image)
{
	struct error err;
	struct table *table = table_open_bytes(image_view(image), &err);

	if (table == NULL) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return table;
}

/* ---- every feature ------------------------------------------------------------------------ */

enum {
	EVERY_SEED = 3,
	EVERY_ESCAPED = 18, /* keys of one cluster */
	EVERY_FILLERS = 230,
	EVERY_PATTERNS = 4,
	/* What the rest below adds up to, and so how many lines there are. */
	EVERY_RECORDS = EVERY_ESCAPED + EVERY_FILLERS + 12,
	EVERY_LINES = EVERY_RECORDS / LINE_ENTRIES + 1,
};

/* NUMBER of the keys `eN@alias.test` that share the cluster of the first. */
static inline void every_escaped_key(unsigned number, char *out_key, size_t room)
{
	struct image_place first = place_of("e0", "alias.test", EVERY_SEED, EVERY_LINES);
	unsigned found = 0;

	for (unsigned i = 0;; i++) {
		char local[16];
		struct image_place place;

		(void)snprintf(local, sizeof(local), "e%u", i);
		place = place_of(local, "alias.test", EVERY_SEED, EVERY_LINES);
		if (place.line != first.line || place.number != first.number)
			continue;
		if (found++ == number) {
			(void)snprintf(out_key, room, "%s@alias.test", local);
			return;
		}
	}
}

static inline void every_pattern(struct build *build)
{
	const struct table_pattern patterns[EVERY_PATTERNS] = {
		{ .kind = TABLE_PATTERN_IF, .expression = bytes_of("^list-") },
		{ .flags = TABLE_PATTERN_CASELESS,
		  .expression = bytes_of("^list-(.*)@alias\\.test$"),
		  .exception = bytes_of("-owner@"),
		  .value = bytes_of("$1@dest.test"),
		  .domain = bytes_of("alias.test") },
		{ .kind = TABLE_PATTERN_ENDIF },
		{ .flags = TABLE_PATTERN_NEGATED,
		  .result = TABLE_ENTRY_REPLY,
		  .expression = bytes_of("test$"),
		  .value = bytes_of("550 5.1.1 Not a test") },
	};

	for (unsigned i = 0; i < EVERY_PATTERNS; i++) {
		struct table_pattern pattern = patterns[i];

		pattern.global_line = 1000 + i;
		if (!writer_pattern(build->writer, &pattern))
			abort();
	}
}

static inline void every_special(struct build *build)
{
	static char local[KEY_LOCAL_MAX + 1];
	static char long_key[KEY_LOCAL_MAX + 16];
	static char long_target[KEY_LOCAL_MAX + 32];
	static char many[8000];
	size_t used = 0;

	memset(local, 'x', KEY_LOCAL_MAX);
	(void)snprintf(long_key, sizeof(long_key), "%s@alias.test", local);
	(void)snprintf(long_target, sizeof(long_target), "%s@dest.test,b@dest.test", local);
	for (unsigned i = 0; i < 200; i++)
		used += (size_t)snprintf(many + used, sizeof(many) - used, "%su%u@dest.test",
					 i == 0 ? "" : ",", i);
	build_add(build, "refused@alias.test", "reply:550 5.2.1 Mailbox disabled");
	build_add(build, "dropped@alias.test", "discard:");
	build_add(build, "many@alias.test", many);
	build_add(build, "self@mailbox.test", "self@mailbox.test");
	build_add(build, "moved@alias.test", "@mailbox.test");
	build_add(build, "user+ext@ext.test", "Mixed.Case@ext.test,user@ext.test");
	build_add(build, "bare", "bare@dest.test");
	build_add(build, "a b@alias.test", "c d@dest.test");
	build_add(build, long_key, long_target);
	build_add(build, "m\303\274ller@xn--mller-kva.test", "M\303\274ller@dest.test");
	build_add(build, "near@alias.test", "other@alias.test,near@alias.test");
	build_add(build, "twice@alias.test", "a@dest.test");
	build_add(build, "twice@alias.test", "b@dest.test");
	every_pattern(build);
	build_add(build, "@all.test", "catcher@dest.test,second@dest.test");
	build_add(build, "@refused.test", "reply:450 4.2.0 Later");
}

/* A table of about 20 kB with one of each thing that the format knows. */
static inline struct image image_with_everything(void)
{
	struct build build = { .seed = EVERY_SEED };
	char key[KEY_LOCAL_MAX + 16];

	build_begin(&build);
	build_flags(&build, "alias.test", TABLE_DOMAIN_ALIAS);
	build_flags(&build, "mailbox.test", TABLE_DOMAIN_MAILBOX);
	build_flags(&build, "declared.test", TABLE_DOMAIN_ALIAS);
	every_special(&build);
	for (unsigned i = 0; i < EVERY_ESCAPED; i++) {
		every_escaped_key(i, key, sizeof(key));
		build_add(&build, key, "escaped@dest.test");
	}
	for (unsigned i = 0; i < EVERY_FILLERS; i++) {
		(void)snprintf(key, sizeof(key), "filler%u@d%u.test", i, i % 20);
		build_add(&build, key, "somebody@dest.test");
	}
	return build_end(&build);
}

#endif
