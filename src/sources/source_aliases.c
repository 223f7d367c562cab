/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_aliases - aliases(5): `name: value, value, …` a logical line; names are local users.
 *
 * `:include:/file` is read here and now, the file's addresses take its place. What only local(8)
 * can do is an error: a command, a file to append to, and delivery to a user past its aliases
 * (`\user`, or the name itself among its values; the MTA would expand such a target once more, and
 * the others would get two copies). With foreign_targets = "skip" the whole entry is left to the
 * MTA's own aliases, with a warning: never a part of it.
 */
#include "sources/source.h"

#include <stdlib.h>
#include <strings.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "mail/address.h"
#include "sources/line_source.h"

enum {
	VALUE_MAX_BYTES = 16 * 1024 * 1024,
	ARENA_BYTES = 64 * 1024,
	INCLUDE_DEPTH_MAX = 20,
};

struct source {
	struct line_source base;
	const struct settings *settings;
	bool skips_foreign;
	bool is_left;          /* the row at hand, to the MTA's own aliases */
	struct bytes name;     /* of the row at hand */
	struct arena arena;    /* of one row's key */
	struct buffer value;   /* of one row */
	struct buffer element; /* of its list, being taken apart */
};

#define PAST_ALIASES "a mailbox past all aliases, which only local(8) reaches (see foreign_targets)"

/* Where an element stands, for messages. */
struct place {
	const char *path;
	uint32_t line;
	unsigned depth; /* of includes */
};

static void aliases_close(struct source *source)
{
	if (source == NULL)
		return;
	arena_free(&source->arena);
	buffer_free(&source->value);
	buffer_free(&source->element);
	line_source_close(source);
}

static struct source *aliases_open(const struct settings_source *from,
				   const struct settings *settings, struct report *report)
{
	struct source *source = line_source_open(sizeof(*source), from, LINES_LOGICAL, report);

	if (source == NULL)
		return NULL;
	source->settings = settings;
	source->skips_foreign = settings->foreign_targets == SETTINGS_FOREIGN_SKIP;
	arena_init(&source->arena, ARENA_BYTES);
	buffer_init(&source->value, VALUE_MAX_BYTES);
	buffer_init(&source->element, VALUE_MAX_BYTES);
	return source;
}

/* ---- elements of a list -------------------------------------------------------------------- */

/* How far does the quoted text or the comment at I of TEXT go? 0: it doesn't end. */
static size_t closed_size(struct bytes text, size_t i)
{
	bool is_comment = text.data[i] == '(';
	unsigned depth = 1;

	for (size_t j = i + 1; j < text.size; j++) {
		char c = text.data[j];

		if (c == '\\')
			j++;
		else if (is_comment && c == '(')
			depth++;
		else if (c == (is_comment ? ')' : '"') && --depth == 0)
			return j + 1 - i;
	}
	return 0;
}

/*
 * Copy TEXT up to the first STOP that is in no quotes and no comment, without its comments, into
 * OUT; *rest is what stands behind STOP. False: quotes or a comment don't end; or OUT has failed.
 */
static bool take_until(char stop, struct bytes *rest, struct buffer *out)
{
	struct bytes text = *rest;
	size_t i = 0;

	buffer_clear(out);
	while (i < text.size && text.data[i] != stop) {
		size_t size = 1;

		if (text.data[i] == '"' || text.data[i] == '(')
			size = closed_size(text, i);
		else if (text.data[i] == '\\' && i + 1 < text.size)
			size = 2;
		if (size == 0)
			return false;
		if (text.data[i] != '(')
			(void)buffer_append(out, bytes_make(text.data + i, size));
		i += size;
	}
	*rest = bytes_skip(text, i + 1);
	return !out->has_failed;
}

/* `|x`, `"|x"` and the like: does ELEMENT begin with PREFIX, quoted or not? */
static bool begins(struct bytes element, const char *prefix, struct bytes *out_rest)
{
	size_t size = strlen(prefix);

	if (element.size > 1 && element.data[0] == '"') {
		element = bytes_skip(element, 1);
		if (element.data[element.size - 1] == '"')
			element.size--;
	}
	if (element.size < size || strncasecmp(element.data, prefix, size) != 0)
		return false;
	*out_rest = bytes_trim(bytes_skip(element, size));
	return true;
}

/* ---- values -------------------------------------------------------------------------------- */

static bool add_list(struct source *source, const struct place *place, struct bytes list);

static void wrong(struct source *source, const struct place *place, const char *what,
		  struct bytes text)
{
	source->is_left = true;
	report_error(source->base.report, EX_DATAERR, place->path, place->line, BYTES_FORMAT ": %s",
		     BYTES_ARGS(text), what);
}

/* A buffer of the source is too short, or memory is. Always false: it makes no sense to go on. */
static bool too_long(const struct source *source, const struct place *place,
		     const struct buffer *buffer)
{
	if (buffer->was_short_of_memory)
		report_error(source->base.report, EX_OSERR, place->path, place->line,
			     "out of memory");
	else
		report_stop(source->base.report, EX_DATAERR, place->path, place->line,
			    "the value has more than %d bytes", VALUE_MAX_BYTES);
	return false;
}

/* An element that is no address. */
static void refuse_foreign(struct source *source, const struct place *place, const char *what,
			   struct bytes element)
{
	if (!source->skips_foreign) {
		wrong(source, place, what, element);
		return;
	}
	report_warning(source->base.report, WARNING_LEFT_TO_MTA, place->path, place->line,
		       BYTES_FORMAT ": %s; the entry is left to the MTA's own aliases",
		       BYTES_ARGS(element), what);
	source->is_left = true;
}

/* Is DOMAIN, of a target, one in which the names of aliases count? */
static bool is_local_domain(const struct settings *settings, struct bytes domain)
{
	const struct settings_list *list = &settings->local_domains;

	if (domain.size == 0 ||
	    bytes_equal_ascii_nocase(domain, bytes_of(settings_origin(settings))))
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (bytes_equal_ascii_nocase(domain, bytes_of(list->items[i])))
			return true;
	return false;
}

/* Is ELEMENT the user that the row is about? What can't be read is none: others complain of it. */
static bool is_name_itself(struct source *source, struct bytes element)
{
	struct address_target target;

	return source->settings != NULL &&
	       address_list_next(&element, &source->arena, &target, NULL) == ADDRESS_LIST_TARGET &&
	       !target.keeps_user && bytes_equal_ascii_nocase(target.address.local, source->name) &&
	       is_local_domain(source->settings, target.address.domain);
}

/* May the row at hand be left to the MTA's own aliases? */
static bool can_be_left(const struct source *source)
{
	return source->skips_foreign || source->base.report->is_lenient;
}

/* The owner of root's aliases must be root's; others may include files of their own. */
static bool check_owner(struct source *source, const struct place *place, const struct lines *lines,
			struct bytes path)
{
	struct trust_policy policy = trust_in_included;

	policy.also_owner = lines_status(source->base.lines)->st_uid;
	if (trust_judge(lines_status(lines), &policy) == TRUST_NO_FAULT)
		return true;
	refuse_foreign(source, place, "belongs neither to root nor to the owner of the aliases",
		       path);
	return false;
}

/* Put the addresses of the file PATH into the value. False where it makes no sense to go on. */
static bool include(struct source *source, const struct place *place, struct bytes path)
{
	struct place inside = { .depth = place->depth + 1 };
	struct lines *lines = NULL;
	enum lines_step step = LINES_END;
	char *name;
	struct bytes line;

	if (path.size == 0 || path.data[0] != '/') {
		refuse_foreign(source, place, "an included file needs an absolute path", path);
		return true;
	}
	if (inside.depth > INCLUDE_DEPTH_MAX) {
		refuse_foreign(source, place, "files include each other too deeply", path);
		return true;
	}
	name = strndup(path.data, path.size);
	inside.path = name;
	if (name == NULL) {
		report_error(source->base.report, EX_OSERR, place->path, place->line,
			     "out of memory");
		return false;
	}
	source->base.report->is_optional = can_be_left(source);
	lines = lines_open(name, LINES_PHYSICAL, source->base.report);
	source->base.report->is_optional = false;
	if (lines == NULL)
		refuse_foreign(source, place, "the included file can't be read", path);
	else if (check_owner(source, place, lines, path))
		while ((step = lines_next(lines, &line, &inside.line)) == LINES_LINE)
			if (!add_list(source, &inside, line))
				break;
	lines_close(lines);
	free(name);
	return step == LINES_END;
}

/* False where it makes no sense to go on: reported. */
static bool add_element(struct source *source, const struct place *place, struct bytes element)
{
	struct bytes rest;

	if (element.size == 0)
		return true;
	if (begins(element, ":include:", &rest)) {
		struct buffer copy;
		bool is_added;

		/* The element's own memory is wanted for those of the file. */
		buffer_init(&copy, VALUE_MAX_BYTES);
		is_added = buffer_append(&copy, rest) ? include(source, place, buffer_bytes(&copy))
						      : too_long(source, place, &copy);
		buffer_free(&copy);
		return is_added;
	}
	if (begins(element, "|", &rest)) {
		refuse_foreign(source, place, "a command, not an address", element);
		return true;
	}
	if (begins(element, "/", &rest)) {
		refuse_foreign(source, place, "a file, not an address", element);
		return true;
	}
	if (element.data[0] == '\\') {
		refuse_foreign(source, place, PAST_ALIASES, element);
		return true;
	}
	if (is_name_itself(source, element)) {
		refuse_foreign(source, place, PAST_ALIASES, element);
		return true;
	}
	if (source->value.size > 0)
		(void)buffer_append_text(&source->value, ", "); /* shows in has_failed */
	(void)buffer_append(&source->value, element);           /* likewise */
	return !source->value.has_failed || too_long(source, place, &source->value);
}

static bool add_list(struct source *source, const struct place *place, struct bytes list)
{
	while (list.size > 0) {
		if (!take_until(',', &list, &source->element)) {
			if (source->element.has_failed)
				return too_long(source, place, &source->element);
			report_error(source->base.report, EX_DATAERR, place->path, place->line,
				     "a quote or a comment does not end");
			source->is_left = true;
			return true;
		}
		if (!add_element(source, place, bytes_trim(buffer_bytes(&source->element))))
			return false;
	}
	return true;
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* Take `name:` off LINE. */
static bool take_name(struct source *source, const struct place *place, struct bytes *line,
		      struct bytes *out_name)
{
	bool is_virtual = bytes_contain(*line, '@') && !bytes_contain(*line, ':');
	struct bytes given;
	struct address address;
	bool is_catch_all;
	struct error err;

	arena_clear(&source->arena);
	/* Without a colon the name is the whole line, and nothing is left of it. */
	if (!take_until(':', line, &source->element) || line->size == 0 ||
	    buffer_bytes(&source->element).size == 0) {
		if (source->element.has_failed)
			return too_long(source, place, &source->element);
		report_error(source->base.report, EX_DATAERR, place->path, place->line,
			     "expected: name: value%s",
			     is_virtual ? "; should the type be \"virtual\"?" : "");
		return false;
	}
	given = bytes_trim(buffer_bytes(&source->element));
	if (!address_parse_key(given, &source->arena, &address, &is_catch_all, &err)) {
		report_error(source->base.report, err.status, place->path, place->line, "%s",
			     err.text);
		return false;
	}
	if (is_catch_all || address.domain.size > 0) {
		wrong(source, place, "a name of aliases has no domain", given);
		return false;
	}
	if (arena_copy(&source->arena, address.local, out_name))
		return true;
	report_error(source->base.report, EX_OSERR, place->path, place->line, "out of memory");
	return false;
}

/* `error:…` and `discard:…` are no lists. */
static bool is_verdict(struct bytes value)
{
	return bytes_begin_with(value, bytes_of("error:")) ||
	       bytes_begin_with(value, bytes_of("discard:"));
}

static enum line_outcome read_row(struct source *source, struct bytes line, uint32_t number,
				  struct source_row *out_row)
{
	struct place place = { .path = source->base.path, .line = number };
	size_t errors = source->base.report->errors;
	struct bytes name, value;

	source->is_left = false;

	if (!take_name(source, &place, &line, &name))
		return LINE_IS_NONE;
	source->name = name;
	value = bytes_trim(line);
	if (!is_verdict(value)) {
		buffer_clear(&source->value);
		if (!add_list(source, &place, value))
			return LINE_FAILED;
		value = buffer_bytes(&source->value);
	}
	/* Part of an entry is no entry: who is left out would get no mail, and nobody would know.
	 */
	if (source->is_left && can_be_left(source))
		return LINE_IS_NONE;
	if (value.size == 0) {
		if (source->base.report->errors == errors)
			report_warning(source->base.report, WARNING_LEFT_TO_MTA, place.path,
				       place.line, "nothing is left of it; the name is left out");
		return LINE_IS_NONE;
	}
	*out_row = (struct source_row){
		.kind = SOURCE_ROW_USER, .key = name, .value = value, .line = number
	};
	return LINE_IS_ROW;
}

static enum source_step aliases_next(struct source *source, struct source_row *out_row)
{
	return line_source_next(source, read_row, out_row);
}

const struct source_type source_type_aliases = {
	.name = "aliases",
	.open = aliases_open,
	.next = aliases_next,
	.close = aliases_close,
};
