/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgresql_connect - the hosts of a table file of Postfix, or words of libpq.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "modules/library.h"
#include "modules/postgresql.h"

enum { PARAMETERS_MAX = 20 };

/* What is handed to libpq: the last of equal names counts. */
struct parameters {
	const char *names[PARAMETERS_MAX + 1];
	const char *values[PARAMETERS_MAX + 1];
	size_t count;
};

static void set(struct parameters *parameters, const char *name, const char *value)
{
	if (value == NULL || parameters->count == PARAMETERS_MAX)
		return;
	parameters->names[parameters->count] = name;
	parameters->values[parameters->count] = value;
	parameters->count++;
}

int64_t postgresql_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail: the clock is there */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool postgresql_fail(int status, const char *said, struct error *err)
{
	return library_fail(status, said, "libpq", err);
}

static bool is_local(const char *host)
{
	return host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@' ||
	       strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

/* The value of NAME among OPTIONS that PQconninfo() or PQconninfoParse() gave; NULL: not set. */
static const char *option(const PQconninfoOption *options, const char *name)
{
	for (; options != NULL && options->keyword != NULL; options++)
		if (strcmp(options->keyword, name) == 0)
			return options->val;
	return NULL;
}

static void set_doubt(struct database *database)
{
	const char *host = PQhost(database->connection);
	PQconninfoOption *options = PQconninfo(database->connection);
	const char *mode = option(options, "sslmode");

	if (!is_local(host)) {
		if (!PQsslInUse(database->connection))
			(void)snprintf(
				database->doubt, sizeof(database->doubt),
				"the connection to %s is not encrypted: whoever is on the way "
				"may read along, and give other answers",
				host); /* may be cut */
		else if (mode == NULL || strcmp(mode, "verify-full") != 0)
			(void)snprintf(database->doubt, sizeof(database->doubt),
				       "whether %s is who it says was not checked: say "
				       "sslmode=verify-full and sslrootcert=FILE",
				       host); /* may be cut */
	}
	PQconninfoFree(options);
}

static bool connect_to(struct database *database, struct parameters *parameters,
		       const struct database_options *options, bool has_own_timeout,
		       struct error *err)
{
	int64_t began_ms = postgresql_now_ms();
	char seconds[16];
	bool is_late;

	(void)snprintf(seconds, sizeof(seconds), "%d",
		       (options->connect_timeout_ms + 999) / 1000); /* fits */
	if (!has_own_timeout)
		set(parameters, "connect_timeout", seconds);
	set(parameters, "client_encoding", options->encoding != NULL ? options->encoding : "UTF8");
	set(parameters, "fallback_application_name", "rcptmap");
	set(parameters, "keepalives_idle", "30");
	set(parameters, "keepalives_interval", "10");
	set(parameters, "keepalives_count", "3");
	parameters->names[parameters->count] = NULL;
	parameters->values[parameters->count] = NULL;
	database->connection = PQconnectdbParams(parameters->names, parameters->values, 1);
	if (database->connection == NULL)
		return error_set_memory(err);
	if (PQstatus(database->connection) == CONNECTION_OK) {
		set_doubt(database);
		return true;
	}
	is_late = postgresql_now_ms() - began_ms >= options->connect_timeout_ms;
	(void)postgresql_fail(is_late ? EX_TEMPFAIL : EX_UNAVAILABLE,
			      PQerrorMessage(database->connection), err);
	PQfinish(database->connection);
	database->connection = NULL;
	return false;
}

/* HOST of a table file of Postfix, in COPY: `unix:/dir`, `/dir`, `inet:host:port`, `host:port`. */
static void set_host(struct parameters *parameters, char *copy)
{
	char *colon;

	if (strncmp(copy, "unix:", 5) == 0 || strncmp(copy, "inet:", 5) == 0)
		copy += 5;
	if (copy[0] != '/') {
		char *bracket = copy[0] == '[' ? strchr(copy, ']') : NULL;

		colon = bracket != NULL ? strchr(bracket, ':') : strrchr(copy, ':');
		if (colon != NULL) {
			*colon = '\0';
			set(parameters, "port", colon + 1);
		}
		if (bracket != NULL) {
			*bracket = '\0';
			copy++;
		}
	}
	set(parameters, "host", copy);
}

static bool connect_host(struct database *database, const char *host,
			 const struct database_options *options, struct error *err)
{
	struct parameters parameters = { .count = 0 };
	bool is_connected;
	char *copy;

	if (strstr(host, "://") != NULL) {
		set(&parameters, "dbname", host); /* which may be an URI */
		return connect_to(database, &parameters, options,
				  strstr(host, "connect_timeout=") != NULL, err);
	}
	if (options->name == NULL)
		return error_set(err, EX_CONFIG, "dbname is missing, which %s needs", host);
	copy = strdup(host);
	if (copy == NULL)
		return error_set_memory(err);
	set_host(&parameters, copy);
	set(&parameters, "dbname", options->name);
	set(&parameters, "user", options->user);
	set(&parameters, "password", options->password);
	is_connected = connect_to(database, &parameters, options, false, err);
	free(copy);
	return is_connected;
}

/* The text of `connection`, which may be words or an URI. */
static bool connect_text(struct database *database, const struct database_options *options,
			 struct error *err)
{
	struct parameters parameters = { .count = 0 };
	PQconninfoOption *words;
	bool is_connected;
	char *said = NULL;

	words = PQconninfoParse(options->connection, &said);
	if (words == NULL) {
		(void)postgresql_fail(EX_CONFIG, said != NULL ? said : "out of memory", err);
		PQfreemem(said);
		return false;
	}
	if (option(words, "password") != NULL) {
		PQconninfoFree(words);
		return error_set(err, EX_CONFIG,
				 "connection: no password may stand there; put it into a file, and "
				 "its path into password_file");
	}
	set(&parameters, "dbname", options->connection);
	set(&parameters, "password", options->password);
	/* Who crosses a network and says nothing wants to be sure whom he asks. */
	if (option(words, "sslmode") == NULL && secure_getenv("PGSSLMODE") == NULL &&
	    !is_local(option(words, "host")))
		set(&parameters, "sslmode", "verify-full");
	is_connected = connect_to(database, &parameters, options,
				  option(words, "connect_timeout") != NULL, err);
	PQconninfoFree(words);
	return is_connected;
}

bool postgresql_connect(struct database *database, const struct database_options *options,
			struct error *err)
{
	if (options->connection != NULL)
		return connect_text(database, options, err);
	if (options->host_count == 0)
		return library_needs_connection(err);
	/* The last error tells, if all fail. */
	for (size_t i = 0; i < options->host_count; i++)
		if (connect_host(database, options->hosts[i], options, err))
			return true;
	return false;
}
