/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/postfix_table.h"

#include <string.h>
#include <sysexits.h>

#include "sources/lines.h"

enum { P = 1, M = 2, S = 4, L = 8 };

static const struct {
	const char *name;
	unsigned types;
} parameters[] = {
#define PARAMETER(id, text, kinds) { .name = (text), .types = (kinds) },
	POSTFIX_PARAMETERS
#undef PARAMETER
};

static unsigned type_bit(const char *type)
{
	return strcmp(type, "postgresql") == 0 ? P
	       : strcmp(type, "mysql") == 0    ? M
	       : strcmp(type, "ldap") == 0     ? L
					       : S;
}

/* POSTFIX_PARAMETER_COUNT: there is none. */
static size_t find_parameter(struct bytes name, unsigned types)
{
	size_t i = 0;

	while (i < POSTFIX_PARAMETER_COUNT && ((parameters[i].types & types) == 0 ||
					       !bytes_equal(name, bytes_of(parameters[i].name))))
		i++;
	return i;
}

struct table_reader {
	struct postfix_table *table;
	const char *type;
	struct arena *arena;
	struct report *report;
};

/* Continued lines keep their blanks; in a statement all blanks are alike. False: no memory. */
static bool take_line(const struct table_reader *reader, struct bytes line, uint32_t number)
{
	size_t equals = bytes_index(line, '=');
	struct bytes name = bytes_trim(bytes_first(line, equals));
	struct bytes value = bytes_trim(bytes_skip(line, equals + 1));
	size_t place = find_parameter(name, type_bit(reader->type));
	const char **slot = &reader->table->values[place];

	if (equals == line.size) {
		report_error(reader->report, EX_CONFIG, reader->table->path, number,
			     "is not of the form: name = value");
		return true;
	}
	if (place == POSTFIX_PARAMETER_COUNT) {
		report_error(reader->report, EX_CONFIG, reader->table->path, number,
			     "unknown parameter \"" BYTES_FORMAT "\" of a table of type %s",
			     BYTES_ARGS(name), reader->type);
		return true;
	}
	*slot = NULL;
	if (value.size > 0)
		*slot = arena_text(reader->arena, value);
	if (value.size == 0 || *slot != NULL)
		return true;
	report_error(reader->report, EX_OSERR, reader->table->path, number, "out of memory");
	return false;
}

static bool read_lines(const struct table_reader *reader, struct lines *lines)
{
	size_t errors = reader->report->errors;
	struct bytes line;
	uint32_t number;

	for (;;) {
		switch (lines_next(lines, &line, &number)) {
		case LINES_FAILED:
			return false;
		case LINES_END:
			return reader->report->errors == errors;
		case LINES_LINE:
			break;
		}
		if (!take_line(reader, line, number))
			return false;
	}
}

bool postfix_table_read(const char *path, const char *type, struct arena *arena,
			struct report *report, struct postfix_table *out_table)
{
	struct table_reader reader = { out_table, type, arena, report };
	struct lines *lines = lines_open(path, LINES_LOGICAL, report);
	bool is_read;

	*out_table = (struct postfix_table){ .path = path };
	if (lines == NULL)
		return false;
	is_read = read_lines(&reader, lines);
	if (is_read &&
	    (out_table->values[POSTFIX_PASSWORD] != NULL ||
	     out_table->values[POSTFIX_BIND_PW] != NULL) &&
	    (lines_status(lines)->st_mode & S_IROTH) != 0)
		report_warning(report, WARNING_READABLE_PASSWORD, path, 0,
			       "has a password, and everybody may read it (mode %04o)",
			       (unsigned)(lines_status(lines)->st_mode & 07777));
	lines_close(lines);
	return is_read;
}

/* ---- the query ---------------------------------------------------------------------------- */

static const char *join(const struct postfix_table *table, const char *const *parts, size_t count,
			struct arena *arena, struct report *report)
{
	struct bytes pieces[10];
	struct bytes joined;

	for (size_t i = 0; i < count; i++)
		pieces[i] = bytes_of(parts[i] != NULL ? parts[i] : "");
	if (arena_join(arena, pieces, count, &joined))
		return joined.data;
	report_error(report, EX_OSERR, table->path, 0, "out of memory");
	return NULL;
}

const char *postfix_table_query(const struct postfix_table *table, struct arena *arena,
				struct report *report)
{
	const char *const *values = table->values;
	const char *const by_function[] = { "SELECT ", values[POSTFIX_SELECT_FUNCTION], "('%s')" };
	const char *const by_fields[] = {
		"SELECT ",  values[POSTFIX_SELECT_FIELD],
		" FROM ",   values[POSTFIX_TABLE],
		" WHERE ",  values[POSTFIX_WHERE_FIELD],
		" = '%s' ", values[POSTFIX_ADDITIONAL_CONDITIONS],
	};

	if (values[POSTFIX_QUERY] != NULL)
		return values[POSTFIX_QUERY];
	if (values[POSTFIX_SELECT_FUNCTION] != NULL)
		return join(table, by_function, 3, arena, report);
	if (values[POSTFIX_TABLE] != NULL && values[POSTFIX_SELECT_FIELD] != NULL &&
	    values[POSTFIX_WHERE_FIELD] != NULL)
		return join(table, by_fields, 8, arena, report);
	report_error(report, EX_CONFIG, table->path, 0,
		     "has no query, nor all of table, select_field and where_field");
	return NULL;
}

bool postfix_table_next_word(struct bytes *rest, struct bytes *out_word)
{
	size_t size = 0;

	while (rest->size > 0 && (byte_is_white(rest->data[0]) || rest->data[0] == ','))
		*rest = bytes_skip(*rest, 1);
	while (size < rest->size && !byte_is_white(rest->data[size]) && rest->data[size] != ',')
		size++;
	*out_word = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size);
	return size > 0;
}

bool postfix_table_has_domain(struct bytes domains, struct bytes domain)
{
	struct bytes rest = domains, word;

	if (domains.size == 0)
		return true;
	while (postfix_table_next_word(&rest, &word)) {
		bool is_taken_out = word.data[0] == '!';

		if (is_taken_out)
			word = bytes_skip(word, 1);
		if (bytes_equal_ascii_nocase(word, domain))
			return !is_taken_out;
	}
	return false;
}
