/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_table - the file of a `pgsql:`, `mysql:`, `sqlite:` or `ldap:` table of Postfix.
 *
 * Read as Postfix reads it: logical lines `name = value`, the last of equal names counts, nothing
 * is done with a `$` in a value. What Postfix would pass over without a word, a name that it
 * doesn't know, is an error here: it is a misspelt one, or of a version that knows more than we do.
 */
#ifndef PLAN_POSTFIX_TABLE_H
#define PLAN_POSTFIX_TABLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "sources/report.h"

/* PARAMETER(ID, "name", types): types of P (PostgreSQL), M (MySQL), S (SQLite), L (LDAP). */
#define POSTFIX_PARAMETERS                                                                         \
	PARAMETER(HOSTS, "hosts", P | M)                                                           \
	PARAMETER(USER, "user", P | M)                                                             \
	PARAMETER(PASSWORD, "password", P | M)                                                     \
	PARAMETER(DBNAME, "dbname", P | M)                                                         \
	PARAMETER(DBPATH, "dbpath", S)                                                             \
	PARAMETER(ENCODING, "encoding", P)                                                         \
	PARAMETER(CHARSET, "charset", M)                                                           \
	PARAMETER(IDLE_INTERVAL, "idle_interval", P | M)                                           \
	PARAMETER(RETRY_INTERVAL, "retry_interval", P | M)                                         \
	PARAMETER(QUERY, "query", P | M | S)                                                       \
	PARAMETER(SELECT_FUNCTION, "select_function", P)                                           \
	PARAMETER(TABLE, "table", P | M | S)                                                       \
	PARAMETER(SELECT_FIELD, "select_field", P | M | S)                                         \
	PARAMETER(WHERE_FIELD, "where_field", P | M | S)                                           \
	PARAMETER(ADDITIONAL_CONDITIONS, "additional_conditions", P | M | S)                       \
	PARAMETER(RESULT_FORMAT, "result_format", P | M | S | L)                                   \
	PARAMETER(DOMAIN, "domain", P | M | S | L)                                                 \
	PARAMETER(EXPANSION_LIMIT, "expansion_limit", P | M | S | L)                               \
	PARAMETER(OPTION_FILE, "option_file", M)                                                   \
	PARAMETER(OPTION_GROUP, "option_group", M)                                                 \
	PARAMETER(REQUIRE_RESULT_SET, "require_result_set", M)                                     \
	PARAMETER(TLS_KEY_FILE, "tls_key_file", M)                                                 \
	PARAMETER(TLS_CERT_FILE, "tls_cert_file", M)                                               \
	PARAMETER(TLS_CA_FILE, "tls_CAfile", M)                                                    \
	PARAMETER(TLS_CA_PATH, "tls_CApath", M)                                                    \
	PARAMETER(TLS_CIPHERS, "tls_ciphers", M)                                                   \
	PARAMETER(TLS_VERIFY_CERT, "tls_verify_cert", M)                                           \
	PARAMETER(TIMEOUT, "timeout", L)                                                           \
	PARAMETER(SERVER_HOST, "server_host", L)                                                   \
	PARAMETER(SERVER_PORT, "server_port", L)                                                   \
	PARAMETER(SEARCH_BASE, "search_base", L)                                                   \
	PARAMETER(QUERY_FILTER, "query_filter", L)                                                 \
	PARAMETER(RESULT_FILTER, "result_filter", L)                                               \
	PARAMETER(RESULT_ATTRIBUTE, "result_attribute", L)                                         \
	PARAMETER(SPECIAL_RESULT_ATTRIBUTE, "special_result_attribute", L)                         \
	PARAMETER(TERMINAL_RESULT_ATTRIBUTE, "terminal_result_attribute", L)                       \
	PARAMETER(LEAF_RESULT_ATTRIBUTE, "leaf_result_attribute", L)                               \
	PARAMETER(SCOPE, "scope", L)                                                               \
	PARAMETER(BIND, "bind", L)                                                                 \
	PARAMETER(BIND_DN, "bind_dn", L)                                                           \
	PARAMETER(BIND_PW, "bind_pw", L)                                                           \
	PARAMETER(SASL_MECHS, "sasl_mechs", L)                                                     \
	PARAMETER(SASL_REALM, "sasl_realm", L)                                                     \
	PARAMETER(SASL_AUTHZ_ID, "sasl_authz_id", L)                                               \
	PARAMETER(SASL_MINSSF, "sasl_minssf", L)                                                   \
	PARAMETER(VERSION, "version", L)                                                           \
	PARAMETER(RECURSION_LIMIT, "recursion_limit", L)                                           \
	PARAMETER(SIZE_LIMIT, "size_limit", L)                                                     \
	PARAMETER(DEREFERENCE, "dereference", L)                                                   \
	PARAMETER(CHASE_REFERRALS, "chase_referrals", L)                                           \
	PARAMETER(START_TLS, "start_tls", L)                                                       \
	PARAMETER(TLS_CA_CERT_FILE, "tls_ca_cert_file", L)                                         \
	PARAMETER(TLS_CA_CERT_DIR, "tls_ca_cert_dir", L)                                           \
	PARAMETER(TLS_CERT, "tls_cert", L)                                                         \
	PARAMETER(TLS_KEY, "tls_key", L)                                                           \
	PARAMETER(TLS_REQUIRE_CERT, "tls_require_cert", L)                                         \
	PARAMETER(TLS_RANDOM_FILE, "tls_random_file", L)                                           \
	PARAMETER(TLS_CIPHER_SUITE, "tls_cipher_suite", L)                                         \
	PARAMETER(DEBUGLEVEL, "debuglevel", L)                                                     \
	PARAMETER(CACHE, "cache", L)                                                               \
	PARAMETER(CACHE_EXPIRY, "cache_expiry", L)                                                 \
	PARAMETER(CACHE_SIZE, "cache_size", L)

enum postfix_parameter {
#define PARAMETER(id, name, types) POSTFIX_##id,
	POSTFIX_PARAMETERS
#undef PARAMETER
		POSTFIX_PARAMETER_COUNT
};

struct postfix_table {
	const char *path;
	const char *values[POSTFIX_PARAMETER_COUNT]; /* in the arena; NULL: not there, or empty */
};

/* Read PATH, of a table of TYPE (`postgresql`, `mysql`, `sqlite`, `ldap`). False: reported. A
 * password that everybody may read is a warning. */
bool postfix_table_read(const char *path, const char *type, struct arena *arena,
			struct report *report, struct postfix_table *out_table);

/* `query`, or what the parameters that were there before it make of themselves. NULL: reported. */
const char *postfix_table_query(const struct postfix_table *table, struct arena *arena,
				struct report *report);

/* Take the next word of a list that has commas and blanks between its words. */
bool postfix_table_next_word(struct bytes *rest, struct bytes *out_word);

/* Does DOMAINS, the value of `domain`, have DOMAIN? An empty one has them all. */
bool postfix_table_has_domain(struct bytes domains, struct bytes domain);

#endif
