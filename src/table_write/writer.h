/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer - collect entries in any order, lay them out, emit a table file.
 *
 * Two passes without a sort: entries go to partitions by their hash, and to an unlinked spill file
 * when they grow; then partition after partition becomes directory lines. Memory: partitions times
 * 64 KiB, two bytes an entry, and the domains. Whether it spilled can't be seen in the file.
 *
 * One thread. After a failure only table_writer_free() is allowed.
 */
#ifndef TABLE_WRITE_WRITER_H
#define TABLE_WRITE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "table/patterns.h"
#include "table/table.h"

struct table_writer;

struct writer_options {
	struct table_rules rules;
	uint64_t seed;
	uint64_t generation;
	uint64_t created;
	uint64_t expected_bytes; /* of the sources together; a guess is enough */
	const char *spill_directory;
	bool is_lenient;
	bool has_provenance;
};

/* Everything about one key. Bytes are copied. */
struct writer_entry {
	struct bytes local;   /* folded; empty: the catch-all of the domain */
	uint32_t domain;      /* of writer_domain() */
	uint32_t global_line; /* line of its source, plus where that source begins */
	enum table_entry_kind kind;
	bool yields;          /* to any other entry of the same key, without a warning */
	struct bytes targets; /* from writer_target(), with TABLE_ENTRY_TARGETS */
	uint32_t target_count;
	struct bytes reply; /* else */
};

struct table_writer *table_writer_new(const struct writer_options *options, struct error *err);
void table_writer_free(struct table_writer *writer);

/* What went wrong first; status 0: nothing so far. */
const struct error *table_writer_error(const struct table_writer *writer);

/* Number of the domain NAME (folded); 0: failed, see table_writer_error(). */
uint32_t writer_domain(struct table_writer *writer, struct bytes name);
/* The same for one that is there already; 0: it isn't. */
uint32_t writer_known_domain(struct table_writer *writer, struct bytes name);
/* Add FLAGS (alias, mailbox, local) to a domain. A mailbox domain is no alias domain, whichever was
 * said first. */
void writer_domain_flags(struct table_writer *writer, uint32_t domain, unsigned flags);
unsigned writer_domain_get_flags(const struct table_writer *writer, uint32_t domain);

/*
 * Append the encoding of one target to OUT (of at least WRITER_TARGET_ROOM + local.size bytes);
 * returns its size. KEY is the entry it will stand under: its own domain costs less.
 */
enum {
	WRITER_TARGET_ROOM = 8,
	WRITER_KEY_LOCAL_MAX = 240, /* bytes of a key's folded local part */
};
size_t writer_target(const struct writer_entry *key, struct bytes local, uint32_t domain,
		     bool keeps_user, char *out);

/* Name the source whose lines begin at GLOBAL_LINE. In ascending order. */
bool writer_source(struct table_writer *writer, uint32_t global_line, struct bytes name);

/* False: see table_writer_error(). Status 65 too long, 73 and 74 spilling, 71 memory. */
bool writer_add(struct table_writer *writer, const struct writer_entry *entry);

/* The next rule; bytes are copied. In the order of the sources. */
bool writer_pattern(struct table_writer *writer, const struct table_pattern *pattern);

struct writer_duplicate {
	struct bytes local;
	struct bytes domain;
	uint32_t kept_line;
	uint32_t dropped_line;
	bool is_equal; /* both say the same, in the same order */
};

/*
 * Lay out and write the file to FD, from offset 0. ON_DUPLICATE is told of each entry dropped for
 * an earlier one. False: ERR has status 65 if keys collide (try another seed: *out_wants_seed),
 * 65 over the limits of the format, 74 writing, 71 memory.
 */
bool table_writer_finish(struct table_writer *writer, int fd,
			 void (*on_duplicate)(void *context, const struct writer_duplicate *),
			 void *context, bool *out_wants_seed, struct error *err);

#endif
