/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mysql - what the files of this module share: mysql.c; mysql_connect.c for where the server is,
 * and how to be sure that it is the one; mysql_follow.c for changes.
 */
#ifndef MODULES_MYSQL_H
#define MODULES_MYSQL_H

#include <mysql.h>

#include "modules/module.h"

enum { VALUES_MAX = 100, TEXT_BYTES = 512 };

struct mysql_follow;

struct database {
	MYSQL *handle;
	MYSQL_RES *result; /* NULL: all of it was handed out, or there was none */
	int timeout_ms;
	int64_t began_ms;      /* the last thing that it was asked for */
	bool may_have_no_rows; /* a statement without any isn't wrong */
	struct database_value values[VALUES_MAX];
	char doubt[TEXT_BYTES];
	struct mysql_follow *follow; /* NULL: nobody waits for changes */
};

/* Connect, as OPTIONS say; sets what is to be doubted. */
bool mysql_module_connect(struct database *database, const struct database_options *options,
			  struct error *err);

/* What the library says, in one line, becomes ERR; false. */
bool mysql_module_fail(int status, const char *said, struct error *err);

/* Likewise, what was last said of the connection, with the status that it has. */
bool mysql_module_fail_last(const struct database *database, struct error *err);

/* Send TEXT, one statement. */
bool mysql_module_ask(struct database *database, const char *text, struct error *err);

int64_t mysql_module_now_ms(void);

/* As module.h has them. */
bool mysql_follow_begin(struct database *database, const char *const *tables,
			const char *const *functions, struct buffer *out_doubt, struct error *err);
enum database_news mysql_follow_wait(struct database *database, int timeout_ms, struct error *err);
void mysql_follow_free(struct mysql_follow *follow); /* accepts NULL */

#endif
