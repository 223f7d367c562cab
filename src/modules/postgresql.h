/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgresql - what the files of this module share: postgresql.c, postgresql_connect.c for where
 * the server is, and postgresql_follow.c for hearing of changes.
 */
#ifndef MODULES_POSTGRESQL_H
#define MODULES_POSTGRESQL_H

#include <libpq-fe.h>

#include "modules/module.h"

enum { VALUES_MAX = 100, TEXT_BYTES = 512, POSTGRESQL_STATE_BYTES = 64 };

struct database {
	PGconn *connection;
	int timeout_ms;
	bool is_copy;
	PGresult *result; /* of a query that isn't copied */
	int row;
	bool is_late;      /* it said nothing for too long; no more use of it */
	bool is_cancelled; /* the server has given up what it was asked last, as after its time */
	char *line;        /* of a copy; its values point into it */
	struct buffer text;
	struct database_value values[VALUES_MAX];
	char doubt[TEXT_BYTES];

	/* Of one that follows. */
	char notice[TEXT_BYTES]; /* what the server said last without being asked */
	struct buffer check; /* asks which tables have no trigger; empty: there is nothing to ask */
	struct buffer digest;                  /* asks what is in the tables */
	bool is_deaf;                          /* to some of it: it never says NONE */
	bool is_polled;                        /* nobody tells: it has to be asked */
	bool is_standby;                       /* which is why */
	int64_t poll_ms;                       /* when, next */
	char snapshot[POSTGRESQL_STATE_BYTES]; /* what could be seen then */
	struct buffer state;                   /* what DIGEST said */
};

/* Connect, as OPTIONS say; sets what is to be doubted. */
bool postgresql_connect(struct database *database, const struct database_options *options,
			struct error *err);

/* What libpq says, which may have several lines, becomes ERR, in one; false. */
bool postgresql_fail(int status, const char *said, struct error *err);

/* What libpq has to say of the connection becomes ERR; false. */
bool postgresql_fail_connection(const struct database *database, struct error *err);

int64_t postgresql_now_ms(void);

/* A statement without rows. */
bool postgresql_run(struct database *database, const char *text, struct error *err);

/* These are of struct database_module. */
bool postgresql_query(struct database *database, const char *text, enum database_way way,
		      struct error *err);
enum database_step postgresql_next(struct database *database, struct database_row *out_row,
				   struct error *err);
bool postgresql_follow(struct database *database, const char *const *tables,
		       const char *const *functions, struct buffer *out_doubt, struct error *err);
enum database_news postgresql_wait(struct database *database, int timeout_ms, struct error *err);

#endif
