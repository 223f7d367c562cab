/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - look things up in a compiled alias table.
 *
 * A table is one unchanging block of bytes (doc/table-format.md). Opening proves it sound; after
 * that look-ups read in place, allocate nothing and take no lock, in
 * any number of threads. Every access is bounds-checked all the same: bytes that contradict
 * themselves are BROKEN, which a caller must answer with "try again later", never ABSENT.
 *
 * Keys are in folded form (mail/fold.h). Views point into the table and live as long as it. What an
 * out-parameter holds where the result isn't FOUND is of no meaning.
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"

struct table;

enum lookup {
	LOOKUP_FOUND,
	LOOKUP_ABSENT, /* sound table, no such key */
	LOOKUP_BROKEN, /* the bytes contradict themselves, or no memory: defer */
};

enum table_domain_flag {
	TABLE_DOMAIN_CATCH_ALL = 1,  /* has an `@domain` entry */
	TABLE_DOMAIN_EXTENSIONS = 2, /* some key here has a delimiter in its local part */
	TABLE_DOMAIN_PROBED = 4,     /* has keys, is declared, or is local: without it an address
				      * here is no key and is final */
	TABLE_DOMAIN_ALIAS = 8,      /* every address is an alias */
	TABLE_DOMAIN_MAILBOX = 16,   /* listed recipients are delivered by the MTA */
	TABLE_DOMAIN_LOCAL = 32,     /* bare `user` keys apply */
};

enum { TABLE_DOMAIN_OURS = TABLE_DOMAIN_ALIAS | TABLE_DOMAIN_MAILBOX };

struct table_domain {
	struct bytes name; /* lower-case A-label; empty: the place of bare `user` keys */
	unsigned flags;
	uint32_t ref; /* for table_find() */
	uint64_t hash;
	uint32_t catch_all; /* for table_find_catch_all() */
};

enum table_entry_kind {
	TABLE_ENTRY_TARGETS,
	TABLE_ENTRY_REPLY,   /* refuse or defer with `reply` */
	TABLE_ENTRY_DISCARD, /* accept and drop */
};

struct table_entry {
	enum table_entry_kind kind;
	struct bytes reply;         /* `550 5.2.1 text`, with TABLE_ENTRY_REPLY */
	struct bytes pattern_value; /* a right-hand side that a pattern made; empty: no pattern */
	/* The rest is table.c's own; walk the targets with table_next_target(). */
	struct bytes targets;
	struct bytes local;
	uint32_t domain_ref;
	uint64_t place; /* for table_provenance() */
};

struct table_target {
	struct bytes local;         /* internal form, case kept; empty if keeps_user */
	struct table_domain domain; /* its flags save a look-up: see TABLE_DOMAIN_PROBED */
	bool keeps_user;            /* `@other` */
};

struct table_target_cursor {
	struct bytes rest;
	struct bytes list;
	const struct table_entry *entry;
};

/* The key rules a table was compiled with; part of it, so that they can't disagree. */
struct table_rules {
	struct bytes delimiters; /* recipient_delimiter */
	struct bytes origin;     /* folded; completes an unqualified address */
	struct bytes dot_domain; /* append_dot_domain, folded; empty: off */
	bool propagates_extension;
	bool keeps_dead_ends; /* --lenient: what could only bounce stays, as in Postfix */
};

struct table_facts {
	uint64_t generation; /* counts the compilations of this path */
	uint64_t created;    /* seconds since 1970 */
	uint64_t entries;    /* keys, catch-alls included */
	uint64_t domains;    /* that are declared ours */
	uint64_t targets;
	uint64_t size_bytes;
	uint64_t checksum;
	uint64_t body_checksum; /* equal for two generations of one compilation */
	uint64_t copy_of;       /* the generation that was rolled back to; 0: it was compiled */
	uint32_t format_version;
	bool has_provenance;
	bool is_lenient; /* not proved sound: --lenient, --no-proof */
};

enum table_load {
	TABLE_COPIED, /* into memory of our own: whatever happens to the file changes nothing */
	TABLE_MAPPED, /* the file itself, for tools: who changes it in place can be believed wrongly
		       */
	TABLE_UNPROVED, /* the same, for who proves its structure next */
	TABLE_GUARDED,  /* the file itself, for tables larger than memory: once it was changed in
			 * place every look-up is BROKEN. A system call a look-up, and all of the
			 * file is read again where its times don't tell */
};

/*
 * Load the table at PATH and prove it sound: its sums, its canaries and its whole structure
 * (verify.h), a tenth of a second for 100 MB. NULL on failure, see ERR: status 66
 * not there, 77 permission or owner, 65 not sound, of another version, or not a table.
 * ALSO_OWNER may own the file beside root and ourselves; (uid_t)-1: nobody.
 */
struct table *table_open(const char *path, uid_t also_owner, enum table_load load,
			 struct error *err);

/* The same of FD, which was such a table once, and whose owner and mode don't matter any more. FD
 * stays the caller's; NAME is for ERR. */
struct table *table_open_descriptor(const char *name, int fd, enum table_load load,
				    struct error *err);

/* Would table_open() read PATH now? Status 66 or 77 as there; what is in it isn't looked at. */
bool table_check_file(const char *path, uid_t also_owner, struct error *err);

/* What the header of the table at PATH says, and no more: the body isn't looked at. */
bool table_peek(const char *path, struct table_facts *out_facts, struct error *err);
/* The same of FD, which stays the caller's. */
bool table_peek_descriptor(const char *name, int fd, struct table_facts *out_facts,
			   struct error *err);

/* The same, but for its structure, from memory, which must stay and not change until table_close().
 */
struct table *table_open_bytes(struct bytes bytes, struct error *err);
void table_close(struct table *table);

const struct table_rules *table_rules(const struct table *table);
const struct table_facts *table_facts(const struct table *table);
/* Can what was read of the table so far be believed? Only a guarded one can say no: ask when the
 * last view has been copied. */
bool table_is_intact(const struct table *table);
bool table_is_guarded(const struct table *table);

/* Of the file it was loaded from; NULL for one from memory. */
const struct file_identity *table_identity(const struct table *table);
/* Of the file that is mapped, the table's own; -1 where none is. */
int table_descriptor(const struct table *table);
/* Each compilation draws one at random, and no reply shows it: for sets whose members outsiders
 * may choose. */
uint64_t table_seed(const struct table *table);
/* The block itself, for checks that read it as bytes. */
struct bytes table_bytes(const struct table *table);

/* Find the domain NAME (folded). ABSENT: no key can be in it, and it isn't ours. */
enum lookup table_find_domain(const struct table *table, struct bytes name,
			      struct table_domain *out_domain);

/* The same, and table_prefetch() for LOCAL, while the domain is looked for. A wrong LOCAL, or one
 * that isn't folded, costs time and nothing else. */
enum lookup table_find_domain_for(const struct table *table, struct bytes name, struct bytes local,
				  struct table_domain *out_domain);

/* Find the entry of LOCAL (folded, not empty) in DOMAIN. */
enum lookup table_find(const struct table *table, const struct table_domain *domain,
		       struct bytes local, struct table_entry *out_entry);

/* Both in one, in less time: the line of the key is fetched while the domain is looked for. ABSENT:
 * one of the two isn't there. */
enum lookup table_find_key(const struct table *table, struct bytes domain_name, struct bytes local,
			   struct table_domain *out_domain, struct table_entry *out_entry);

/* Find the `@domain` entry. */
enum lookup table_find_catch_all(const struct table *table, const struct table_domain *domain,
				 struct table_entry *out_entry);

/* Have the cache fetch what table_find() will read; costs nothing and promises nothing. */
void table_prefetch(const struct table *table, uint64_t domain_hash, struct bytes local);

/* A while later: what it will read then. Reads what table_prefetch() had fetched. */
void table_prefetch_entry(const struct table *table, uint64_t domain_hash, struct bytes local);

void table_targets_begin(const struct table_entry *entry, struct table_target_cursor *out_cursor);
/* FOUND with the next target, ABSENT behind the last one, BROKEN. */
enum lookup table_next_target(const struct table *table, struct table_target_cursor *cursor,
			      struct table_target *out_target);

/* Where an entry came from. ABSENT where the table carries no provenance. SOURCE is the source as
 * shown to users, the type's file name part: `virtual` of /etc/openrcpt/virtual. */
enum lookup table_provenance(const struct table *table, const struct table_entry *entry,
			     struct bytes *out_source, uint32_t *out_line);

/* Is SOURCE a database, called `TYPE:NAME KIND`? Its lines are primary keys, 0 for none. */
bool table_source_is_database(struct bytes source);

/* What stands behind SOURCE where a place is told: `:12` of a file, ` 12` of a database, nothing
 * for line 0. */
enum { TABLE_PLACE_BYTES = 16 };
void table_place_line(struct bytes source, uint32_t line, char out_text[TABLE_PLACE_BYTES]);

/* The same as a number over all sources: the compiler knows where each begins. */
enum lookup table_provenance_line(const struct table *table, const struct table_entry *entry,
				  uint32_t *out_global_line);

/* And the number at which its source begins: patterns of sources before it go before the entry. */
enum lookup table_provenance_source(const struct table *table, const struct table_entry *entry,
				    uint32_t *out_first_line);

/* The next of the sources that the table was made of, as table_provenance() names them, and in
 * their order. *POSITION begins as 0; ABSENT behind the last one, and where there is no provenance.
 */
enum lookup table_next_source(const struct table *table, size_t *position, struct bytes *out_name);

/* ---- walking over everything, for dump, diff and checks -------------------------------- */

struct table_cursor {
	uint64_t line;
	uint32_t cluster;
	uint32_t record;
	uint64_t offset;
	uint64_t domain;
};

/* What one step shows: an entry and its key. For a catch-all local is empty. */
struct table_row {
	struct bytes local;
	struct table_domain domain;
	struct table_entry entry;
	bool is_catch_all;
};

void table_rows_begin(const struct table *table, struct table_cursor *out_cursor);
/* The catch-alls come last. */
enum lookup table_next_row(const struct table *table, struct table_cursor *cursor,
			   struct table_row *out_row);

/* A number by which a row is found again, and the row. */
uint64_t table_row_number(const struct table_row *row);
enum lookup table_row_at(const struct table *table, uint64_t number, struct table_row *out_row);

/* Grows with the place at which a row for LOCAL in DOMAIN would stand: who asks for many keys in
 * this order reads the table front to back. */
uint64_t table_key_order(const struct table *table, const struct table_domain *domain,
			 struct bytes local);

/* A number for an entry, below table_slots(), for what is kept beside the table. False: it has
 * none, as catch-alls, and entries of lines that are much too full. */
bool table_slot(const struct table *table, const struct table_entry *entry, uint64_t *out_slot);
uint64_t table_slots(const struct table *table);

/* Larger than every table_domain.ref. */
uint32_t table_domain_refs(const struct table *table);

/* All domains that have keys or are declared. *position begins as 0. */
enum lookup table_next_domain(const struct table *table, uint64_t *position,
			      struct table_domain *out_domain);

#endif
