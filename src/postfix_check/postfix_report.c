/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_report - how the parts of postfix_check say what they find.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "postfix_check/postfix_check_inside.h"

enum { LINE_BYTES = 16384 };

/* Has TEXT been printed before? Services that share main.cf share its problems. Without memory it
 * is printed once more, and postfix_check() fails. */
static bool is_repeated(struct postfix_check *check, struct bytes text)
{
	struct keyset_entry *entry;

	if (keyset_find(&check->said, text) != NULL)
		return true;
	entry = arena_alloc(&check->postfix.arena, sizeof(*entry));
	if (entry == NULL || !keyset_reserve(&check->said, 1) ||
	    !arena_copy(&check->postfix.arena, text, &entry->key)) {
		check->postfix.lacks_memory = true;
		return false;
	}
	keyset_insert(&check->said, entry);
	return false;
}

static bool say(struct postfix_check *check, const char *where, const char *line,
		const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));
static bool say(struct postfix_check *check, const char *where, const char *line,
		const char *format, va_list arguments)
{
	char what[LINE_BYTES];
	struct buffer text;
	bool is_new;

	buffer_init(&text, 3UL * LINE_BYTES);
	(void)vsnprintf(what, sizeof(what), format, arguments);                   /* may be cut */
	(void)buffer_append_format(&text, "%s: %s\n    %s\n", where, what, line); /* likewise */
	check->postfix.lacks_memory |= text.was_short_of_memory;
	is_new = text.size > 0 && !is_repeated(check, buffer_bytes(&text));
	if (is_new)
		(void)fputs(text.data, check->options->output); /* ferror() in postfix_check() */
	buffer_free(&text);
	return is_new;
}

void postfix_check_report(struct postfix_check *check, const struct postfix_service *service,
			  const char *parameter, const char *line, const char *format, ...)
{
	bool is_master = postfix_overrides(&check->postfix, service, parameter);
	const char *where =
		is_master ? postfix_check_line(check, "master.cf: %s", service->name) : "main.cf";
	va_list arguments;

	va_start(arguments, format);
	check->problems += say(check, where, line, format, arguments);
	va_end(arguments);
}

void postfix_check_note(struct postfix_check *check, const char *line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)say(check, "note", line, format, arguments); /* no problem */
	va_end(arguments);
}

const char *postfix_check_line(struct postfix_check *check, const char *format, ...)
{
	char line[LINE_BYTES];
	const char *kept;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments); /* may be cut */
	va_end(arguments);
	kept = arena_text(&check->postfix.arena, bytes_of(line));
	check->postfix.lacks_memory |= kept == NULL;
	return kept != NULL ? kept : "";
}

static bool is_loopback(const char *service)
{
	return strncmp(service, "127.", 4) == 0 || strncmp(service, "localhost:", 10) == 0 ||
	       strncmp(service, "[::1]:", 6) == 0 || strncmp(service, "::1:", 4) == 0;
}

bool postfix_check_is_reinjection(const struct postfix_check *check,
				  const struct postfix_service *service)
{
	return check->has_filter && is_loopback(service->name) &&
	       postfix_value(&check->postfix, service, "content_filter")[0] == '\0';
}
