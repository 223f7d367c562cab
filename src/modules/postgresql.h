/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgresql - what the two files of this module share: postgresql.c, and postgresql_connect.c for
 * where the server is.
 */
#ifndef MODULES_POSTGRESQL_H
#define MODULES_POSTGRESQL_H

#include <libpq-fe.h>

#include "database/module.h"

enum { VALUES_MAX = 100, TEXT_BYTES = 512 };

struct database {
	PGconn *connection;
	int timeout_ms;
	bool is_copy;
	PGresult *result; /* of a query that isn't copied */
	int row;
	char *line; /* of a copy; its values point into it */
	struct buffer text;
	struct database_value values[VALUES_MAX];
	char doubt[TEXT_BYTES];
};

/* Connect, as OPTIONS say; sets what is to be doubted. */
bool postgresql_connect(struct database *database, const struct database_options *options,
			struct error *err);

/* What libpq says, which may have several lines, becomes ERR, in one; false. */
bool postgresql_fail(int status, const char *said, struct error *err);

int64_t postgresql_now_ms(void);

#endif
