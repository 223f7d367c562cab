/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_report - how the parts of postfix_check say what they find. What is indented can be
 * pasted into a shell: a command, or a comment.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum {
	LINE_BYTES = 256 * 1024 * 1024,
	NAMES_SHOWN = 5, /* in a sentence */
};

/* ---- texts ---------------------------------------------------------------------------- */

const char *postfix_check_keep(struct postfix_check *check, struct buffer *take_text)
{
	const char *kept = NULL;

	if (!take_text->has_failed)
		kept = arena_text(&check->postfix.arena, buffer_bytes(take_text));
	check->postfix.lacks_memory |= kept == NULL;
	buffer_free(take_text);
	return kept != NULL ? kept : "";
}

static const char *format_line(struct postfix_check *check, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static const char *format_line(struct postfix_check *check, const char *format, va_list arguments)
{
	va_list again;
	char *line;
	int size;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	line = size < 0 ? NULL : arena_alloc(&check->postfix.arena, (size_t)size + 1);
	if (line != NULL)
		(void)vsnprintf(line, (size_t)size + 1, format, again); /* fits */
	va_end(again);
	check->postfix.lacks_memory |= line == NULL;
	return line != NULL ? line : "";
}

const char *postfix_check_line(struct postfix_check *check, const char *format, ...)
{
	const char *line;
	va_list arguments;

	va_start(arguments, format);
	line = format_line(check, format, arguments);
	va_end(arguments);
	return line;
}

const char *postfix_check_quote(struct postfix_check *check, const char *text)
{
	struct buffer quoted;

	buffer_init(&quoted, LINE_BYTES);
	postfix_append_quoted(&quoted, bytes_of(text));
	return postfix_check_keep(check, &quoted);
}

const char *postfix_check_escape(struct postfix_check *check, const char *value)
{
	struct buffer escaped;

	buffer_init(&escaped, LINE_BYTES);
	for (; *value != '\0'; value++) {
		if (*value == '$')
			(void)buffer_append_byte(&escaped, '$'); /* marked */
		(void)buffer_append_byte(&escaped, *value);      /* marked */
	}
	return postfix_check_keep(check, &escaped);
}

/* ---- commands ------------------------------------------------------------------------- */

/* One of Postfix's programs as it is called for us: NAME, which stands beside postconf. */
static const char *program(struct postfix_check *check, const char *name)
{
	const struct postfix_check_options *options = check->options;
	const char *slash = options->postconf != NULL ? strrchr(options->postconf, '/') : NULL;

	if (slash != NULL)
		name = postfix_check_quote(check,
					   postfix_check_line(check, "%.*s/%s",
							      (int)(slash - options->postconf),
							      options->postconf, name));
	if (options->directory == NULL)
		return name;
	return postfix_check_line(check, "%s -c %s", name,
				  postfix_check_quote(check, options->directory));
}

const char *postfix_check_set_in(struct postfix_check *check, const struct postfix_service *service,
				 const char *parameter, const char *value)
{
	struct buffer dense;
	const char *setting;

	buffer_init(&dense, LINE_BYTES);
	postfix_append_dense(&dense, bytes_of(value));
	setting = postfix_check_line(check, "%s/%s=%s", service->name, parameter,
				     postfix_check_keep(check, &dense));
	return postfix_check_line(check, "%s -P %s", program(check, "postconf"),
				  postfix_check_quote(check, setting));
}

const char *postfix_check_set(struct postfix_check *check, const struct postfix_service *service,
			      const char *parameter, const char *value)
{
	const char *setting;

	check->change = (struct postfix_change){ .parameter = parameter, .value = value };
	if (postfix_overrides(&check->postfix, service, parameter)) {
		check->change.service = service;
		return postfix_check_set_in(check, service, parameter, value);
	}
	setting = postfix_check_line(check, "%s =%s%s", parameter, value[0] != '\0' ? " " : "",
				     value);
	return postfix_check_line(check, "%s -e %s", program(check, "postconf"),
				  postfix_check_quote(check, setting));
}

size_t postfix_check_count(const struct postfix_domains *domains, const bool *flagged)
{
	size_t count = 0;

	for (size_t i = 0; i < domains->count; i++)
		count += flagged[i] ? 1 : 0;
	return count;
}

/* FORMAT with NAME in place of each %1. */
static void append_row(struct buffer *out, const char *format, struct bytes name)
{
	for (; *format != '\0'; format++)
		if (format[0] == '%' && format[1] == '1') {
			(void)buffer_append(out, name); /* this and the next: marked */
			format++;
		} else {
			(void)buffer_append_byte(out, *format);
		}
}

/* The awk program that prints a row for each domain of a class, from what `rcptmap dump` prints. */
static const char *awk_program(struct postfix_check *check, const struct postfix_domains *domains,
			       const char *format)
{
	bool is_mailbox = domains->flag == TABLE_DOMAIN_MAILBOX;
	const char *name = is_mailbox ? "$i" : "$1";
	struct buffer print;

	buffer_init(&print, LINE_BYTES);
	(void)buffer_append_text(&print, "print \""); /* this and all others: marked */
	for (; *format != '\0'; format++)
		if (format[0] == '%' && format[1] == '1') {
			(void)buffer_append_format(&print, "\" %s \"", name);
			format++;
		} else {
			(void)buffer_append_byte(&print, *format == '=' ? ' ' : *format);
		}
	(void)buffer_append_byte(&print, '"');
	format = postfix_check_keep(check, &print);
	if (is_mailbox)
		return postfix_check_line(
			check, "-F'\"' '/^# mailbox_domains/ { for (i = 2; i < NF; i += 2) %s }'",
			format);
	return postfix_check_line(check, "'$2 == \"alias-domain\" { %s }'", format);
}

/* What prints the table that was looked at. */
static const char *dump(struct postfix_check *check)
{
	const struct postfix_check_options *options = check->options;
	const char *table = postfix_check_quote(check, options->table_path);

	if (options->settings->file == NULL)
		return postfix_check_line(check, "rcptmap dump -t %s", table);
	return postfix_check_line(check, "rcptmap dump -c %s -t %s",
				  postfix_check_quote(check, options->settings->file), table);
}

const char *postfix_check_map(struct postfix_check *check, const struct postfix_domains *domains,
			      const bool *flagged, const char *format, const char *file,
			      const char **out_before)
{
	const struct postfix *postfix = &check->postfix;
	const char *type = postfix_value(postfix, NULL, "default_database_type");
	const char *map;
	struct buffer rows;

	*out_before = "";
	if (postfix_check_count(domains, flagged) >= POSTFIX_CHECK_INLINE_MAX) {
		map = postfix_check_line(check, "%s/%s",
					 postfix_value(postfix, NULL, "config_directory"), file);
		*out_before = postfix_check_line(
			check, "%s | awk %s > %s && %s %s:%s && ", dump(check),
			awk_program(check, domains, format), postfix_check_quote(check, map),
			program(check, "postmap"), type, postfix_check_quote(check, map));
		return postfix_check_line(check, "%s:%s", type, map);
	}
	buffer_init(&rows, LINE_BYTES);
	(void)buffer_append_text(&rows, "inline:{"); /* this and all others: marked */
	for (size_t i = 0, count = 0; i < domains->count; i++) {
		if (!flagged[i])
			continue;
		(void)buffer_append_text(&rows, count++ > 0 ? ", { " : " { ");
		append_row(&rows, format, domains->names[i]);
		(void)buffer_append_text(&rows, " }");
	}
	(void)buffer_append_text(&rows, " }");
	return postfix_check_keep(check, &rows);
}

const char *postfix_check_names(struct postfix_check *check, const struct postfix_domains *domains,
				const bool *flagged)
{
	size_t count = postfix_check_count(domains, flagged);
	size_t shown = 0;
	struct buffer names;

	buffer_init(&names, LINE_BYTES);
	(void)buffer_append_format(&names, "%s domain%s ",
				   domains->what, /* as all others: marked */
				   count == 1 ? "" : "s");
	for (size_t i = 0; i < domains->count && shown < NAMES_SHOWN; i++) {
		if (!flagged[i])
			continue;
		if (shown++ > 0)
			(void)buffer_append_text(&names, ", ");
		(void)buffer_append(&names, domains->names[i]);
	}
	if (count > shown)
		(void)buffer_append_format(&names, " and %zu more", count - shown);
	return postfix_check_keep(check, &names);
}

/* ---- findings ------------------------------------------------------------------------- */

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

static bool say(struct postfix_check *check, const char *where, const char *command,
		const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));
static bool say(struct postfix_check *check, const char *where, const char *command,
		const char *format, va_list arguments)
{
	const char *what = format_line(check, format, arguments);
	const char *finding = postfix_check_line(check, "%s: %s\n", where, what);
	const struct postfix_change change = check->change;

	check->change.parameter = NULL;
	if (is_repeated(check, bytes_of(finding)))
		return false;
	/* All that is printed may be pasted together: what comes next builds on this. */
	if (change.parameter != NULL)
		postfix_set_raw(&check->postfix, change.service, change.parameter, change.value);
	(void)fprintf(check->options->output, "%s    %s\n", finding, command); /* ferror() later */
	return true;
}

void postfix_check_report(struct postfix_check *check, const struct postfix_service *service,
			  const char *parameter, const char *command, const char *format, ...)
{
	bool is_master = postfix_overrides(&check->postfix, service, parameter);
	const char *where =
		is_master ? postfix_check_line(check, "master.cf: %s", service->name) : "main.cf";
	va_list arguments;

	va_start(arguments, format);
	check->problems += say(check, where, command, format, arguments) ? 1 : 0;
	va_end(arguments);
}

void postfix_check_note(struct postfix_check *check, const char *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	check->notes += say(check, "note", command, format, arguments) ? 1 : 0;
	va_end(arguments);
}

void postfix_check_cannot_tell(struct postfix_check *check, const struct postfix_service *service,
			       const char *parameter, struct bytes map, const char *why)
{
	const char *name = postfix_check_line(check, BYTES_FORMAT, BYTES_ARGS(map));

	postfix_check_report(check, service, parameter,
			     postfix_check_line(check, "# see: postmap -q KEY %s",
						postfix_check_quote(check, name)),
			     "can't tell: %s of %s can't be read: %s", name, parameter, why);
}
