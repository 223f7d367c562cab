/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap_connect - reach a server, with TLS where that is asked for, and log in.
 */
#include "modules/ldap.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sysexits.h>

/* ---- errors ------------------------------------------------------------------------------- */

/* Where it may go by waiting. */
static int status_of(int code)
{
	switch (code) {
	case LDAP_NO_MEMORY:
		return EX_OSERR;
	case LDAP_PARAM_ERROR:
	case LDAP_FILTER_ERROR:
		return EX_CONFIG;
	case LDAP_SERVER_DOWN:
	case LDAP_TIMEOUT:
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_DECODING_ERROR:
		return EX_TEMPFAIL;
	default:
		return EX_UNAVAILABLE;
	}
}

bool ldap_module_fail(const struct directory *directory, int code, const char *doing,
		      struct error *err)
{
	char *said = NULL;

	if (code == LDAP_TIMEOUT)
		return error_set(err, EX_TEMPFAIL, "%s: the server said nothing for %d seconds",
				 doing, directory->timeout_ms / 1000);
	if (code == LDAP_SIZELIMIT_EXCEEDED)
		return error_set(err, EX_UNAVAILABLE,
				 "%s: the server gave no more than its limit of size (code 4): "
				 "it has to allow us more, as by \"limits\" in slapd.conf(5)",
				 doing);
	(void)ldap_get_option(directory->handle, LDAP_OPT_DIAGNOSTIC_MESSAGE,
			      &said); /* or it stays NULL */
	error_fill(err, status_of(code), "%s: %s%s%s (code %d)", doing, ldap_err2string(code),
		   said != NULL && said[0] != '\0' ? ": " : "", said != NULL ? said : "", code);
	/* What TLS has to say may be of several lines. */
	for (char *c = err->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	ldap_memfree(said);
	return false;
}

/* ---- options ------------------------------------------------------------------------------ */

static bool set_time(struct directory *directory, const struct directory_options *options)
{
	const struct timeval connect = { .tv_sec = options->connect_timeout_ms / 1000 };
	const struct timeval silence = { .tv_sec = options->timeout_ms / 1000 };

	return ldap_set_option(directory->handle, LDAP_OPT_NETWORK_TIMEOUT, &connect) ==
		       LDAP_OPT_SUCCESS &&
	       ldap_set_option(directory->handle, LDAP_OPT_TIMEOUT, &silence) == LDAP_OPT_SUCCESS;
}

/* Paging is of version 3. What ldap.conf(5) or the environment says of these counts for nothing. */
static bool set_rest(struct directory *directory, const struct directory_options *options)
{
	const int version = LDAP_VERSION3;
	const int dereference = (int)options->dereference;

	return ldap_set_option(directory->handle, LDAP_OPT_PROTOCOL_VERSION, &version) ==
		       LDAP_OPT_SUCCESS &&
	       ldap_set_option(directory->handle, LDAP_OPT_DEREF, &dereference) ==
		       LDAP_OPT_SUCCESS &&
	       ldap_set_option(directory->handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) ==
		       LDAP_OPT_SUCCESS;
}

static bool has_scheme(const char *uri, const char *scheme)
{
	return strncmp(uri, scheme, strlen(scheme)) == 0;
}

/* The next of several; false: that was the last. */
static bool next_uri(const char **rest, const char **out_uri)
{
	*rest += strspn(*rest, " ");
	*out_uri = *rest;
	*rest += strcspn(*rest, " ");
	return *rest != *out_uri;
}

static bool set_tls(struct directory *directory, const struct directory_options *options,
		    struct error *err)
{
	const int need = options->verifies ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
	const int as_client = 0;
	const struct {
		int option;
		const char *value;
	} texts[] = {
		{ LDAP_OPT_X_TLS_CACERTFILE, options->ca_file },
		{ LDAP_OPT_X_TLS_CACERTDIR, options->ca_folder },
		{ LDAP_OPT_X_TLS_CERTFILE, options->certificate },
		{ LDAP_OPT_X_TLS_KEYFILE, options->key },
		{ LDAP_OPT_X_TLS_CIPHER_SUITE, options->ciphers },
	};
	bool is_set = ldap_set_option(directory->handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &need) ==
		      LDAP_OPT_SUCCESS;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value != NULL)
			is_set &= ldap_set_option(directory->handle, texts[i].option,
						  texts[i].value) == LDAP_OPT_SUCCESS;
	/* What was set counts from here on. */
	if (is_set && ldap_set_option(directory->handle, LDAP_OPT_X_TLS_NEWCTX, &as_client) ==
			      LDAP_OPT_SUCCESS)
		return true;
	return error_set(err, EX_CONFIG,
			 "TLS can't be set up: look at the files of the certificates and at the "
			 "ciphers");
}

static bool needs_tls(const struct directory_options *options)
{
	const char *rest = options->uris, *uri;

	while (next_uri(&rest, &uri))
		if (has_scheme(uri, "ldaps:"))
			return true;
	return options->begins_tls;
}

/* ---- doubts ------------------------------------------------------------------------------- */

/* This machine, by a name that nobody can take. */
static bool is_here(const char *uri)
{
	static const char *const here[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = strstr(uri, "://");

	if (has_scheme(uri, "ldapi:"))
		return true;
	for (size_t i = 0; host != NULL && i < sizeof(here) / sizeof(here[0]); i++) {
		size_t size = strlen(here[i]);

		if (strncmp(host + 3, here[i], size) == 0 && strchr(":/ ", host[3 + size]) != NULL)
			return true;
	}
	return false;
}

static void set_doubt(struct directory *directory, const struct directory_options *options)
{
	const char *rest = options->uris, *uri;

	while (next_uri(&rest, &uri)) {
		const char *what = NULL;

		if (is_here(uri))
			continue;
		if (!has_scheme(uri, "ldaps:") && !options->begins_tls)
			what = "the connection is not encrypted: anybody on the way can read and "
			       "change what the directory says";
		else if (!options->verifies)
			what = "the server's certificate is not checked (tls_require_cert): "
			       "anybody on the way can answer in its place";
		if (what == NULL)
			continue;
		(void)snprintf(directory->doubt, sizeof(directory->doubt), "%.*s: %s",
			       (int)strcspn(uri, " ") < 200 ? (int)strcspn(uri, " ") : 200, uri,
			       what); /* fits */
		return;
	}
}

/* ---- logging in --------------------------------------------------------------------------- */

static int log_in(struct directory *directory, const struct directory_options *options)
{
	const char *text = "";
	struct berval secret;

	if (options->bind == DIRECTORY_BIND_EXTERNAL && options->authorization != NULL)
		text = options->authorization;
	if (options->bind == DIRECTORY_BIND_SIMPLE && options->password != NULL)
		text = options->password;
	/* The library writes nothing there. */
	secret = (struct berval){ .bv_len = strlen(text), .bv_val = (char *)text };
	if (options->bind == DIRECTORY_BIND_EXTERNAL)
		return ldap_sasl_bind_s(directory->handle, NULL, "EXTERNAL", &secret, NULL, NULL,
					NULL);
	return ldap_sasl_bind_s(directory->handle,
				options->bind == DIRECTORY_BIND_SIMPLE ? options->user : NULL,
				LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

/* Nobody there is no matter of waiting. */
static bool fail_to_begin(const struct directory *directory, int code,
			  const struct directory_options *options, struct error *err)
{
	(void)ldap_module_fail(directory, code, options->uris, err);
	if (code == LDAP_SERVER_DOWN)
		err->status = EX_UNAVAILABLE;
	return false;
}

bool ldap_module_connect(struct directory *directory, const struct directory_options *options,
			 struct error *err)
{
	int code = ldap_initialize(&directory->handle, options->uris);

	directory->timeout_ms = options->timeout_ms;
	if (code != LDAP_SUCCESS)
		return error_set(err, code == LDAP_NO_MEMORY ? EX_OSERR : EX_CONFIG, "%s: %s",
				 options->uris, ldap_err2string(code));
	if (!set_time(directory, options) || !set_rest(directory, options))
		return error_set_memory(err);
	if (needs_tls(options) && !set_tls(directory, options, err))
		return false;
	if (options->begins_tls) {
		code = ldap_start_tls_s(directory->handle, NULL, NULL);
		if (code != LDAP_SUCCESS)
			return fail_to_begin(directory, code, options, err);
	}
	if (options->bind != DIRECTORY_BIND_NONE || !options->begins_tls) {
		code = log_in(directory, options);
		if (code != LDAP_SUCCESS)
			return fail_to_begin(directory, code, options, err);
	}
	set_doubt(directory, options);
	return true;
}
