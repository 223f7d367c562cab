/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module - what a shared object for one kind of database has to offer: its one exported name is
 * `openrcpt_module`, a struct database_module.
 *
 * A connection is read and never written. Between begin() and end() all queries see the same state
 * of the data, so whoever asks makes haste: rows are kept by the caller, and nothing is compiled
 * while others wait. One thread at a time.
 *
 * Errors: EX_UNAVAILABLE (69) where the server isn't there or refuses: nobody listens, the login is
 * wrong, a table is missing, may not be read, or the words are not understood. EX_TEMPFAIL (75)
 * where it began and was cut off: a time-out, a lost connection, a lock, a shutdown. EX_CONFIG (78)
 * where the options make no sense. EX_OSERR (71): no memory.
 */
#ifndef MODULES_MODULE_H
#define MODULES_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "directory/directory.h"

/* Raised whenever anything in this file changes. */
enum { DATABASE_MODULE_VERSION = 4 };

#define DATABASE_MODULE_SYMBOL "openrcpt_module"

/* NULL and 0: not given. All is borrowed for the time of the call. */
struct database_options {
	const char *const *hosts; /* tried one after the other: as in Postfix's table files */
	size_t host_count;
	const char *user;
	const char *password;
	const char *name;       /* of the database; SQLite: its file */
	const char *encoding;   /* of the connection */
	const char *connection; /* in the words of the library; stands in place of the others */
	int connect_timeout_ms;
	int timeout_ms; /* the longest silence of the server */

	/* Of MariaDB alone. */
	const char *option_file; /* my.cnf, and which part of it */
	const char *option_group;
	const char *tls; /* "no": without */
	const char *tls_key_file;
	const char *tls_cert_file;
	const char *tls_ca_file;
	const char *tls_ca_path;
	const char *tls_ciphers;
	const char *tls_verify; /* "yes", "no": does the server have to prove who it is? */
	bool may_have_no_rows;  /* a statement that isn't a question has found nothing */
};

struct database_value {
	struct bytes text; /* may have any byte in it */
	bool is_null;
	bool ignores_case; /* its column compares without regard to case and to blanks behind */
};

struct database_row {
	const struct database_value *values; /* good until the next call */
	size_t count;
};

enum database_way {
	DATABASE_ALL, /* many rows: they come as they are read, as fast as it can be done */
	DATABASE_ONE, /* few rows, and another query soon */
};

enum database_step {
	DATABASE_ROW, /* *out_row is set */
	DATABASE_END, /* that was all, and the server has said so */
	DATABASE_FAILED,
};

/* One connection, as the module has it. */
struct database;

struct database_module {
	uint32_t version;            /* DATABASE_MODULE_VERSION */
	const char *name;            /* the type of source: "sqlite" */
	const char *(*client)(void); /* its library and the version of that, for people */

	/* End it with close(). NULL on failure. */
	struct database *(*open)(const struct database_options *options, struct error *err);
	void (*close)(struct database *database); /* accepts NULL */

	/* Why somebody might read along, or answer in the server's place; NULL: nobody can. */
	const char *(*doubt)(const struct database *database);

	bool (*begin)(struct database *database, struct error *err);
	bool (*end)(struct database *database, struct error *err);

	/* Ask TEXT, one statement; then next() until it says END or FAILED. */
	bool (*query)(struct database *database, const char *text, enum database_way way,
		      struct error *err);
	enum database_step (*next)(struct database *database, struct database_row *out_row,
				   struct error *err);

	/* Append VALUE as it stands between the quotes '…' of a statement. */
	bool (*escape)(struct database *database, struct bytes value, struct buffer *out,
		       struct error *err);

	/*
	 * To be told of changes, on a connection of its own, which reads nothing else; both NULL:
	 * it can't be told, and who wants to know reads all anew.
	 *
	 * Follow TABLES, ended by NULL, as the queries name them: `alias`, `mail.alias`, `"Alias"`.
	 * They are borrowed for as long as the connection. Whatever is committed after this has
	 * returned is told by wait(). FUNCTIONS are the names that stand before a bracket there,
	 * those of keywords among them: of what such a one reads nothing is told. What makes it
	 * late or unsure, as a table without a trigger, is appended to OUT_DOUBT, a line each,
	 * ended by a newline. Once for a connection. EX_UNAVAILABLE, EX_CONFIG: the server is
	 * there, but can't be followed as it is, which says nothing of whether it can be read. What
	 * can't be read either is EX_TEMPFAIL.
	 */
	bool (*follow)(struct database *database, const char *const *tables,
		       const char *const *functions, struct buffer *out_doubt, struct error *err);

	/* Wait until something may have changed, for TIMEOUT_MS; longer where the server can't be
	 * asked so soon, and as long as it takes where not all that may change is told: NONE is
	 * said of all that is read, and of now. After FAILED and ANEW the connection is of no more
	 * use; behind ANEW nothing is wrong, but somebody may have changed something. */
	enum database_news (*wait)(struct database *database, int timeout_ms, struct error *err);

	/* Of a directory: this, and none of the functions below client(). */
	const struct directory_module *directory;
};

#endif
