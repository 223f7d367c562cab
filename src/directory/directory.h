/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory - what the shared object for a kind of directory has to offer, beside what all modules
 * have (see modules/module.h).
 *
 * A directory has entries with attributes in place of rows with columns, and no snapshots: who
 * reads it looks whether it changed meanwhile. One connection, one thread at a time. Errors as of
 * other modules; a search that the server ended early, as by its limit of size, is one.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

enum directory_scope { DIRECTORY_SCOPE_SUB, DIRECTORY_SCOPE_ONE, DIRECTORY_SCOPE_BASE };

enum directory_bind {
	DIRECTORY_BIND_NONE,
	DIRECTORY_BIND_SIMPLE,
	DIRECTORY_BIND_EXTERNAL, /* the server knows us by the socket, or by our certificate */
};

/* NULL: not given. All is borrowed for as long as the connection. */
struct directory_options {
	const char *uris; /* with blanks between them, tried one after the other */
	enum directory_bind bind;
	const char *user;
	const char *password;
	const char *authorization; /* with EXTERNAL: whose rights we want */
	unsigned dereference;      /* 0 never, 1 searching, 2 finding, 3 always */
	bool begins_tls;           /* StartTLS on an ldap: connection */
	bool verifies;             /* the server's certificate must be good */
	const char *ca_file;
	const char *ca_folder;
	const char *certificate;
	const char *key;
	const char *ciphers;
	int connect_timeout_ms;
	int timeout_ms; /* the longest silence of the server */
};

struct directory_search {
	const char *base;
	enum directory_scope scope;
	const char *filter;
	const char *const *attributes; /* ends with NULL */
	int size_limit;                /* more entries are an error; 0: as many as there are */
	bool is_paged;                 /* many will come */
	bool wants_identity;           /* entryUUID is asked for, too */
};

struct directory_attribute {
	struct bytes name; /* as the directory has it, with its options */
	const struct bytes *values;
	size_t count;
};

struct directory_entry {
	struct bytes name; /* its DN */
	const struct directory_attribute *attributes;
	size_t count; /* good until the next call, as all of it */
};

enum { DIRECTORY_ID_BYTES = 16 };

enum directory_change_kind {
	DIRECTORY_CHANGE_ANY, /* some that can't be told; from here on each is told */
	DIRECTORY_CHANGE_ENTRY,
};

/* What came of one search that is followed; good for the time of the call. */
struct directory_change {
	enum directory_change_kind kind;
	size_t search;                       /* its place; of ENTRY, as the rest */
	struct bytes id;                     /* entryUUID, as DIRECTORY_ID_BYTES bytes */
	const struct directory_entry *entry; /* as it is now; NULL: it isn't found any more */
};

/* Who wants to know more than that something has changed. */
struct directory_hearer {
	void (*on_change)(void *context, const struct directory_change *change);
	void *context;
};

enum directory_step {
	DIRECTORY_ENTRY,  /* *out_entry is set */
	DIRECTORY_END,    /* that was all, and the server has said so */
	DIRECTORY_ABSENT, /* there is no such base; *err says so, with 69 */
	DIRECTORY_FAILED,
};

/* Of databases, too: what came of waiting for a change. */
enum database_news {
	DATABASE_NEWS_NONE, /* the server was asked, and nothing had changed */
	DATABASE_NEWS_CHANGED,
	DATABASE_NEWS_ANEW, /* it can be followed in another way, or no more in this one */
	DATABASE_NEWS_FAILED,
};

struct directory;

struct directory_module {
	/* End it with close(). NULL on failure. */
	struct directory *(*open)(const struct directory_options *options, struct error *err);
	void (*close)(struct directory *directory); /* accepts NULL */

	/* Why somebody might read along, or answer in the server's place; NULL: nobody can. */
	const char *(*doubt)(const struct directory *directory);

	/* SEARCH, which is borrowed until next() says END, ABSENT or FAILED. */
	bool (*search)(struct directory *directory, const struct directory_search *search,
		       struct error *err);
	enum directory_step (*next)(struct directory *directory, struct directory_entry *out_entry,
				    struct error *err);

	/* As of databases (see there), with the COUNT SEARCHES whose entries are of interest in
	 * place of tables. They are borrowed for as long as the connection, as HEARER is. Before
	 * wait() says that something has changed, HEARER has all of it, once it was told that it
	 * will be; where the server doesn't tell entries it is told nothing. */
	bool (*follow)(struct directory *directory, const struct directory_search *searches,
		       size_t count, const struct directory_hearer *hearer,
		       struct buffer *out_doubt, struct error *err);
	enum database_news (*wait)(struct directory *directory, int timeout_ms, struct error *err);

	/* What an LDAP URL asks for, good until the next call; its server isn't looked at, and
	 * `attributes` is NULL where it names none. False: it is malformed. */
	bool (*read_url)(struct directory *directory, const char *url,
			 struct directory_search *out_search, struct error *err);
};

#endif
