/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mysql_connect - the hosts of a table file of Postfix, or the words of `connection`, which have
 * the names that they have there; and what comes of asking.
 */
#include <mysqld_error.h>

#include <errmsg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "modules/library.h"
#include "modules/mysql.h"

enum { PORT_MAX = 65535 };

/* How much the connection is protected. */
enum protection {
	PROTECTION_AS_FOUND, /* as the library has it */
	PROTECTION_NONE,
	PROTECTION_ENCRYPTED,
	PROTECTION_VERIFIED,
};

struct place {
	char *copy;         /* of its text */
	const char *host;   /* NULL: a socket */
	const char *socket; /* NULL: a host */
	unsigned port;
};

int64_t mysql_module_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail: the clock is there */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool mysql_module_fail(int status, const char *said, struct error *err)
{
	return library_fail(status, said, "libmariadb", err);
}

static bool is_local(const struct place *place)
{
	return place->host == NULL || strcmp(place->host, "localhost") == 0 ||
	       strcmp(place->host, "::1") == 0 || strncmp(place->host, "127.", 4) == 0;
}

static bool is(const char *text, const char *expected)
{
	return text != NULL && strcmp(text, expected) == 0;
}

/* ---- how ---------------------------------------------------------------------------------- */

static bool has_tls(const struct database_options *options)
{
	return options->tls_key_file != NULL || options->tls_cert_file != NULL ||
	       options->tls_ca_file != NULL || options->tls_ca_path != NULL ||
	       options->tls_ciphers != NULL || options->tls_verify != NULL;
}

/* Who wrote a table file of Postfix and said nothing of TLS gets what Postfix gets. */
static enum protection choose(const struct database_options *options, const struct place *place)
{
	if (is(options->tls, "no") || place->host == NULL)
		return PROTECTION_NONE;
	if (!has_tls(options) && options->tls == NULL && is_local(place))
		return PROTECTION_NONE;
	if (!has_tls(options) && options->connection == NULL)
		return PROTECTION_AS_FOUND;
	return is(options->tls_verify, "no") ? PROTECTION_ENCRYPTED : PROTECTION_VERIFIED;
}

static void set_seconds(MYSQL *handle, enum mysql_option option, int ms)
{
	unsigned seconds = (unsigned)((ms + 999) / 1000);

	(void)mysql_options(handle, option, &seconds); /* only kept */
}

static void set_text(MYSQL *handle, enum mysql_option option, const char *text)
{
	if (text != NULL)
		(void)mysql_options(handle, option, text); /* only kept */
}

static void set_protection(MYSQL *handle, const struct database_options *options,
			   enum protection protection)
{
	my_bool yes = 1, no = 0;

	if (protection == PROTECTION_AS_FOUND)
		return;
	(void)mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
			    protection == PROTECTION_VERIFIED ? &yes : &no); /* only kept */
	if (protection == PROTECTION_NONE)
		return;
	(void)mysql_ssl_set(handle, options->tls_key_file, options->tls_cert_file,
			    options->tls_ca_file, options->tls_ca_path,
			    options->tls_ciphers);                /* likewise */
	(void)mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes); /* likewise */
}

static void set_options(MYSQL *handle, const struct database_options *options,
			enum protection protection)
{
	unsigned no_files = 0;

	/* A server may ask its client for any file. */
	(void)mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_files); /* only kept */
	set_text(handle, MYSQL_READ_DEFAULT_FILE, options->option_file);
	set_text(handle, MYSQL_READ_DEFAULT_GROUP, options->option_group);
	set_seconds(handle, MYSQL_OPT_CONNECT_TIMEOUT, options->connect_timeout_ms);
	set_seconds(handle, MYSQL_OPT_READ_TIMEOUT, options->timeout_ms);
	set_seconds(handle, MYSQL_OPT_WRITE_TIMEOUT, options->timeout_ms);
	set_protection(handle, options, protection);
}

static void set_doubt(struct database *database, const struct place *place)
{
	my_bool is_verified = 0;

	if (is_local(place))
		return;
	(void)mysql_get_optionv(database->handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
				&is_verified); /* or it stays 0 */
	if (mysql_get_ssl_cipher(database->handle) == NULL)
		(void)snprintf(database->doubt, sizeof(database->doubt),
			       "the connection to %s is not encrypted: whoever is on the way "
			       "may read along, and give other answers",
			       place->host); /* may be cut */
	else if (!is_verified)
		(void)snprintf(database->doubt, sizeof(database->doubt),
			       "whether %s is who it says was not checked: say tls_verify_cert and "
			       "tls_CAfile",
			       place->host); /* may be cut */
}

/* ---- where -------------------------------------------------------------------------------- */

/* TEXT is as in a table file of Postfix: `unix:/path`, `/path`, `inet:host:port`, `host:port`. */
static bool find_place(const char *text, struct place *out_place, struct error *err)
{
	char *copy = strdup(text);
	char *name = copy, *bracket, *colon, *end;
	unsigned long port;

	*out_place = (struct place){ .copy = copy };
	if (copy == NULL)
		return error_set_memory(err);
	if (strncmp(copy, "unix:", 5) == 0 || strncmp(copy, "inet:", 5) == 0)
		name += 5;
	if (name[0] == '/') {
		out_place->socket = name;
		return true;
	}
	bracket = name[0] == '[' ? strchr(name, ']') : NULL;
	colon = bracket != NULL ? strchr(bracket, ':') : strrchr(name, ':');
	if (bracket != NULL) {
		*bracket = '\0';
		name++;
	}
	out_place->host = name;
	if (colon == NULL)
		return true;
	*colon = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port == 0 || port > PORT_MAX)
		return error_set(err, EX_CONFIG, "%s: no port follows the colon", text);
	out_place->port = (unsigned)port;
	return true;
}

/* A server that was too slow may be quicker the next time; whoever refuses won't. */
static int status_of(const struct database *database, const struct database_options *options)
{
	bool is_late = mysql_module_now_ms() - database->began_ms >= options->connect_timeout_ms;

	return is_late || mysql_errno(database->handle) == 1040 /* too many connections */
		       ? EX_TEMPFAIL
		       : EX_UNAVAILABLE;
}

/* Whoever asks for no proof gets no encryption either, where the server offers none: the library
 * says nothing. */
static bool check_protection(const struct database *database, enum protection protection,
			     struct error *err)
{
	return protection < PROTECTION_ENCRYPTED ||
	       mysql_get_ssl_cipher(database->handle) != NULL ||
	       error_set(err, EX_UNAVAILABLE, "the server offers no TLS");
}

static bool connect_place(struct database *database, const struct place *place,
			  const struct database_options *options, struct error *err)
{
	const char *charset = options->encoding != NULL ? options->encoding : "utf8mb4";
	enum protection protection = choose(options, place);
	my_bool no = 0;

	database->handle = mysql_init(NULL);
	if (database->handle == NULL)
		return error_set_memory(err);
	set_options(database->handle, options, protection);
	set_text(database->handle, MYSQL_SET_CHARSET_NAME, charset);
	database->began_ms = mysql_module_now_ms();
	if (mysql_real_connect(database->handle, place->host, options->user, options->password,
			       options->name, place->port, place->socket,
			       CLIENT_MULTI_RESULTS) == NULL ||
	    mysql_set_character_set(database->handle, charset) != 0) {
		(void)mysql_module_fail(status_of(database, options), mysql_error(database->handle),
					err);
	} else if (check_protection(database, protection, err)) {
		/* Whatever a file of options says: another connection is in no snapshot. */
		(void)mysql_options(database->handle, MYSQL_OPT_RECONNECT, &no); /* only kept */
		set_doubt(database, place);
		return true;
	}
	mysql_close(database->handle);
	database->handle = NULL;
	return false;
}

static bool connect_host(struct database *database, const char *host,
			 const struct database_options *options, struct error *err)
{
	struct place place;
	bool is_connected =
		find_place(host, &place, err) && connect_place(database, &place, options, err);

	free(place.copy);
	return is_connected;
}

/* The library passes over a file that isn't there. */
static bool check_files(const struct database_options *options, struct error *err)
{
	if (options->option_file != NULL && access(options->option_file, R_OK) != 0)
		return error_set_errno(err, EX_NOINPUT, "option_file %s", options->option_file);
	return true;
}

/* ---- the words of `connection` ------------------------------------------------------------ */

struct word {
	const char *name;
	size_t offset; /* of its value in struct database_options */
	bool is_choice;
};

static const struct word words[] = {
	{ "user", offsetof(struct database_options, user), false },
	{ "dbname", offsetof(struct database_options, name), false },
	{ "charset", offsetof(struct database_options, encoding), false },
	{ "option_file", offsetof(struct database_options, option_file), false },
	{ "option_group", offsetof(struct database_options, option_group), false },
	{ "tls", offsetof(struct database_options, tls), true },
	{ "tls_key_file", offsetof(struct database_options, tls_key_file), false },
	{ "tls_cert_file", offsetof(struct database_options, tls_cert_file), false },
	{ "tls_CAfile", offsetof(struct database_options, tls_ca_file), false },
	{ "tls_CApath", offsetof(struct database_options, tls_ca_path), false },
	{ "tls_ciphers", offsetof(struct database_options, tls_ciphers), false },
	{ "tls_verify_cert", offsetof(struct database_options, tls_verify), true },
};

static bool take_word(char *text, struct database_options *options, const char **out_host,
		      struct error *err)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		return error_set(err, EX_CONFIG, "connection: \"%s\" is not of the form name=value",
				 text);
	*value++ = '\0';
	if (strcmp(text, "password") == 0)
		return error_set(err, EX_CONFIG,
				 "connection: no password may stand there; put it into a file, and "
				 "its path into password_file");
	if (strcmp(text, "host") == 0) {
		*out_host = value;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].name) != 0)
			continue;
		if (words[i].is_choice && !is(value, "yes") && !is(value, "no"))
			return error_set(err, EX_CONFIG, "connection: %s: is neither yes nor no",
					 text);
		*(const char **)((char *)options + words[i].offset) = value;
		return true;
	}
	return error_set(err, EX_CONFIG, "connection: there is no word \"%s\"", text);
}

static bool connect_text(struct database *database, const struct database_options *options,
			 struct error *err)
{
	struct database_options read = *options;
	const char *host = "localhost";
	char *copy = strdup(options->connection);
	char *rest = copy, *text;
	bool is_good = true;

	if (copy == NULL)
		return error_set_memory(err);
	while (is_good && (text = strtok_r(rest, " \t\n", &rest)) != NULL)
		is_good = take_word(text, &read, &host, err);
	is_good = is_good && check_files(&read, err) && connect_host(database, host, &read, err);
	free(copy);
	return is_good;
}

/* ---- from start to end -------------------------------------------------------------------- */

bool mysql_module_connect(struct database *database, const struct database_options *options,
			  struct error *err)
{
	if (options->connection != NULL)
		return connect_text(database, options, err);
	if (options->host_count == 0)
		return library_needs_connection(err);
	if (options->name == NULL)
		return error_set(err, EX_CONFIG, "dbname is missing");
	if (!check_files(options, err))
		return false;
	/* The last error tells, if all fail. */
	for (size_t i = 0; i < options->host_count; i++)
		if (connect_host(database, options->hosts[i], options, err))
			return true;
	return false;
}

/* ---- asking, and what comes of it --------------------------------------------------------- */

/* Errors that pass: cut off, ended by somebody, locked, too much at once. */
static bool passes(unsigned code)
{
	static const unsigned codes[] = {
		CR_SERVER_GONE_ERROR,
		CR_SERVER_LOST,
		ER_CON_COUNT_ERROR,
		ER_OUT_OF_RESOURCES,
		ER_DISK_FULL,
		ER_OUTOFMEMORY,
		ER_SERVER_SHUTDOWN,
		ER_NET_READ_ERROR,
		ER_NET_READ_INTERRUPTED,
		ER_NET_ERROR_ON_WRITE,
		ER_NET_WRITE_INTERRUPTED,
		ER_TOO_MANY_USER_CONNECTIONS,
		ER_LOCK_WAIT_TIMEOUT,
		ER_LOCK_DEADLOCK,
		ER_USER_LIMIT_REACHED,
		ER_QUERY_INTERRUPTED,
		ER_CONNECTION_KILLED,
		ER_STATEMENT_TIMEOUT,
		ER_TABLE_DEF_CHANGED,
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

bool mysql_module_fail_last(const struct database *database, struct error *err)
{
	unsigned code = mysql_errno(database->handle);
	bool is_cut = code == CR_SERVER_LOST || code == CR_SERVER_GONE_ERROR;

	if (code == CR_OUT_OF_MEMORY)
		return error_set_memory(err);
	if (is_cut && mysql_module_now_ms() - database->began_ms >= database->timeout_ms)
		return error_set(err, EX_TEMPFAIL, "the server said nothing for %d seconds",
				 database->timeout_ms / 1000);
	return mysql_module_fail(passes(code) ? EX_TEMPFAIL : EX_UNAVAILABLE,
				 mysql_error(database->handle), err);
}

bool mysql_module_ask(struct database *database, const char *text, struct error *err)
{
	mysql_free_result(database->result); /* its rows were read */
	database->result = NULL;
	database->began_ms = mysql_module_now_ms();
	return mysql_real_query(database->handle, text, strlen(text)) == 0 ||
	       mysql_module_fail_last(database, err);
}
