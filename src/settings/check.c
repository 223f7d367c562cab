/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/check.h"

#include <string.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/endpoint.h"
#include "mail/address.h"
#include "mail/fold.h"
#include "mail/reply.h"

enum {
	DOMAIN_ARENA_BYTES = 64 * 1024,
};

static bool wrong(const struct settings_field *row, const char *value, const char *what,
		  struct error *err)
{
	return error_set(err, EX_CONFIG, "%s: \"%s\" %s", row->path, value, what);
}

/* ---- sockets ------------------------------------------------------------------------------ */

/* WORDS: where other hosts must not reach it, that it is so; NULL: they may. */
static bool check_endpoint(const struct settings_field *row, const char *text, const char *words,
			   struct error *err)
{
	struct endpoint endpoint;
	struct error detail;

	if (!endpoint_parse(text, &endpoint, &detail))
		return error_set(err, EX_CONFIG, "%s: %s", row->path, detail.text);
	/* Where a socket is that was given shows only when it is taken. */
	if (endpoint.kind == ENDPOINT_FD)
		return true;
	if (words != NULL && endpoint_reach(&endpoint) != ENDPOINT_THIS_HOST)
		return wrong(row, text, words, err);
	return true;
}

static bool check_socket(const struct settings_field *row, const struct settings *settings,
			 const char *text, struct error *err)
{
	return check_endpoint(row, text,
			      settings->allow_remote_mta
				      ? NULL
				      : "is not a loopback address, and allow_remote_mta is false",
			      err);
}

static bool check_metrics(const struct settings_field *row, const struct settings *settings,
			  const char *text, struct error *err)
{
	return text[0] == '\0' ||
	       check_endpoint(
		       row, text,
		       settings->allow_remote_metrics
			       ? NULL
			       : "is not a loopback address, and allow_remote_metrics is false",
		       err);
}

/* ---- other texts -------------------------------------------------------------------------- */

static bool check_path(const struct settings_field *row, const struct settings *settings,
		       const char *text, struct error *err)
{
	(void)settings;
	return text[0] == '/' || wrong(row, text, "is not an absolute path", err);
}

static bool check_given(const struct settings_field *row, const struct settings *settings,
			const char *text, struct error *err)
{
	(void)settings;
	return text[0] != '\0' || wrong(row, text, "may not be empty", err);
}

static bool check_path_or_none(const struct settings_field *row, const struct settings *settings,
			       const char *text, struct error *err)
{
	return text[0] == '\0' || check_path(row, settings, text, err);
}

static bool check_user(const struct settings_field *row, const struct settings *settings,
		       const char *text, struct error *err)
{
	if (!check_given(row, settings, text, err))
		return false;
	return strcmp(text, "root") != 0 ||
	       wrong(row, text, "is who the daemon never runs as", err);
}

static bool check_domain(const struct settings_field *row, const struct settings *settings,
			 const char *text, struct error *err)
{
	struct address address = { .local = bytes_of("user"), .domain = bytes_of(text) };
	struct error detail;
	enum fold_outcome outcome;
	struct arena arena;
	struct bytes key;

	(void)settings;
	if (text[0] == '\0')
		return wrong(row, text, "is not a domain", err);
	if (!address_check(&address, &detail))
		return detail.status == EX_OSERR ? error_set_memory(err)
						 : wrong(row, text, "is not a domain", err);
	arena_init(&arena, DOMAIN_ARENA_BYTES);
	outcome = fold_domain(address.domain, &arena, &key);
	arena_free(&arena);
	if (outcome == FOLD_NO_MEMORY)
		return error_set_memory(err);
	return outcome == FOLD_OK || wrong(row, text, "is not a domain", err);
}

static bool check_domain_or_none(const struct settings_field *row, const struct settings *settings,
				 const char *text, struct error *err)
{
	return text[0] == '\0' || check_domain(row, settings, text, err);
}

static bool check_delimiter(const struct settings_field *row, const struct settings *settings,
			    const char *text, struct error *err)
{
	(void)settings;
	for (const char *at = text; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || *at == '@')
			return wrong(row, text, "has a character that can't be a delimiter", err);
	return true;
}

static bool check_reply(const struct settings_field *row, const struct settings *settings,
			const char *text, struct error *err)
{
	struct reply reply;
	struct error detail;

	(void)settings;
	if (!reply_parse(bytes_of(text), &reply, &detail))
		return wrong(row, text, detail.text, err);
	if (strlen(text) != strlen(reply.code) + 1 + strlen(reply.enhanced))
		return wrong(row, text, "is not two codes, as in 550 5.1.1", err);
	return true;
}

static bool check_reply_text(const struct settings_field *row, const struct settings *settings,
			     const char *text, struct error *err)
{
	struct reply reply;
	struct error detail;
	struct buffer line;
	bool is_reply;

	if (!check_given(row, settings, text, err))
		return false;
	buffer_init(&line, 64UL * 1024);
	(void)buffer_append_text(&line, "550 5.1.1 ");
	(void)buffer_append_text(&line, text);
	if (line.has_failed)
		is_reply = wrong(row, "", "is too long", err);
	else
		is_reply = reply_parse(buffer_bytes(&line), &reply, &detail) ||
			   wrong(row, text, detail.text, err);
	buffer_free(&line);
	return is_reply;
}

/* ---- which check for which row ------------------------------------------------------------- */

static const struct {
	const char *path;
	bool (*check)(const struct settings_field *row, const struct settings *settings,
		      const char *text, struct error *err);
} checks[] = {
	{ "socket", check_socket },
	{ "user", check_user },
	{ "runtime_directory", check_path },
	{ "control_socket", check_path_or_none },
	{ "metrics", check_metrics },
	{ "table", check_path },
	{ "origin", check_domain_or_none },
	{ "append_dot_domain", check_domain_or_none },
	{ "recipient_delimiter", check_delimiter },
	{ "postfix_maps.directory", check_path_or_none },
	{ "unknown.reply", check_reply },
	{ "unknown.text", check_reply_text },
	{ "syslog_ident", check_given },
};

static bool check_text(const struct settings_field *row, const struct settings *settings,
		       struct error *err)
{
	const char *text = *settings_text(row, settings);

	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return error_set(err, EX_CONFIG, "%s: has a control character", row->path);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (strcmp(checks[i].path, row->path) == 0)
			return checks[i].check(row, settings, text, err);
	return true;
}

bool settings_check(const struct settings_field *row, const struct settings *settings,
		    size_t number, struct error *err)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		return check_text(row, settings, err);
	case SETTINGS_LIST:
		/* Every list is one of domains. */
		return check_domain(row, settings, settings_list(row, settings)->items[number],
				    err);
	case SETTINGS_WORD:
	case SETTINGS_BOOL:
	case SETTINGS_NUMBER:
		break; /* no value of theirs is wrong */
	}
	return true;
}
