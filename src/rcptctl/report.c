/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptctl/report.h"

#include <string.h>

#include "show/json.h"
#include "show/print.h"

enum { NAME_WIDTH = 24, SOURCE_BYTES = 1 << 18 /* a name has 64 KB at most */ };

static const char *const times[] = { "table_created", "table_loaded", "last_failure", NULL };

static bool is_among(struct bytes name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (bytes_equal(name, bytes_of(*names)))
			return true;
	return false;
}

static bool is_number(struct bytes value)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] < '0' || value.data[i] > '9')
			return false;
	return value.size > 0 && value.size < 20 && (value.size == 1 || value.data[0] != '0');
}

static uint64_t number_of(struct bytes value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value.size; i++)
		number = number * 10 + (uint64_t)(value.data[i] - '0');
	return number;
}

static void put_time(struct bytes value, struct buffer *out)
{
	char text[PRINT_TIME_ROOM];

	print_time(number_of(value), text);
	(void)buffer_append_text(out, text); /* the caller's, as all here */
}

static void put_line(struct bytes name, struct bytes value, struct buffer *out)
{
	(void)buffer_append(out, name);
	for (size_t i = name.size; i < NAME_WIDTH; i++)
		(void)buffer_append_byte(out, ' ');
	(void)buffer_append_byte(out, ' ');
	if (is_number(value) && is_among(name, times))
		put_time(value, out);
	else
		(void)buffer_append(out, value);
	(void)buffer_append_byte(out, '\n');
}

/* Names are words of the daemon's own. */
static void put_member(struct bytes name, struct bytes value, struct json *json)
{
	char word[64];
	size_t size = name.size < sizeof(word) - 1 ? name.size : sizeof(word) - 1;

	memcpy(word, name.data, size);
	word[size] = '\0';
	json_name(json, word);
	if (is_number(value))
		json_number(json, number_of(value));
	else
		json_string(json, value);
}

static void put_sources(const struct table *table, struct buffer *out)
{
	const char *name = "table_sources";
	struct bytes source;
	size_t position = 0;

	while (table_next_source(table, &position, &source) == LOOKUP_FOUND) {
		struct buffer shown;

		buffer_init(&shown, SOURCE_BYTES);
		print_field(source, &shown);
		put_line(bytes_of(name), buffer_bytes(&shown), out);
		buffer_free(&shown);
		name = "";
	}
}

static void put_date(const char *text, uint64_t date, struct buffer *out)
{
	char shown[PRINT_TIME_ROOM];

	print_time(date, shown);
	(void)buffer_append_format(out, "%s%s", text, shown);
}

/* `postgresql:main up, confirmed DATE`, or since when it is away, and why. */
static void put_databases(const struct follow_state *watch, struct buffer *out)
{
	const char *name = "databases";

	for (size_t i = 0; i < watch->source_count; i++) {
		const struct follow_source *source = &watch->sources[i];
		struct buffer text;

		buffer_init(&text, SOURCE_BYTES);
		(void)buffer_append_format(&text, "%s %s", source->name,
					   source->is_up ? "up" : "down");
		if (source->away_since != 0)
			put_date(", away since ", source->away_since, &text);
		if (source->confirmed != 0)
			put_date(", confirmed ", source->confirmed, &text);
		if (source->reason[0] != '\0')
			(void)buffer_append_format(&text, ": %s", source->reason);
		put_line(bytes_of(name), buffer_bytes(&text), out);
		buffer_free(&text);
		name = "";
	}
}

static void put_json_databases(const struct follow_state *watch, struct json *json)
{
	json_name(json, "databases");
	json_array_begin(json);
	for (size_t i = 0; i < watch->source_count; i++) {
		const struct follow_source *source = &watch->sources[i];

		json_object_begin(json);
		json_name(json, "name");
		json_string(json, bytes_of(source->name));
		json_name(json, "up");
		json_boolean(json, source->is_up);
		json_name(json, "confirmed");
		json_number(json, source->confirmed);
		json_name(json, "away_since");
		json_number(json, source->away_since);
		json_name(json, "reason");
		json_string(json, bytes_of(source->reason));
		json_object_end(json);
	}
	json_array_end(json);
}

void report_values(const struct client_answer *answer, const char *const *only,
		   const struct table *table, const struct follow_state *watch, bool is_json,
		   struct buffer *out)
{
	struct bytes rest = buffer_bytes(&answer->text);
	struct bytes name, value;
	struct json json;

	json_init(&json, out);
	if (is_json)
		json_object_begin(&json);
	while (client_next(&rest, &name, &value)) {
		if (only != NULL && !is_among(name, only))
			continue;
		if (is_json)
			put_member(name, value, &json);
		else
			put_line(name, value, out);
	}
	if (table != NULL && !is_json)
		put_sources(table, out);
	if (watch != NULL && !is_json)
		put_databases(watch, out);
	if (!is_json)
		return;
	if (table != NULL) {
		json_name(&json, "table_sources");
		print_json_sources(table, &json);
	}
	if (watch != NULL)
		put_json_databases(watch, &json);
	json_object_end(&json);
	(void)buffer_append_byte(out, '\n');
}
