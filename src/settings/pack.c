/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/pack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/hash.h"
#include "settings/fields.h"

/* ---- packing ------------------------------------------------------------------------------ */

/* A number is 8 bytes, a text its size and itself, a list its count and its texts. */

static void put_number(struct buffer *buffer, uint64_t number)
{
	(void)buffer_append(buffer, bytes_make(&number, sizeof(number))); /* checked at the end */
}

static void put_text(struct buffer *buffer, const char *text)
{
	struct bytes bytes = bytes_of(text);

	put_number(buffer, bytes.size);
	(void)buffer_append(buffer, bytes); /* checked at the end */
}

static void put_list(struct buffer *buffer, const struct settings_list *list)
{
	put_number(buffer, list->count);
	for (size_t i = 0; i < list->count; i++)
		put_text(buffer, list->items[i]);
}

static void put_row(struct buffer *buffer, const struct settings_field *row,
		    const struct settings *settings)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		put_text(buffer, *settings_text(row, settings));
		break;
	case SETTINGS_WORD:
		put_number(buffer, *settings_word(row, settings));
		break;
	case SETTINGS_BOOL:
		put_number(buffer, *settings_bool(row, settings));
		break;
	case SETTINGS_NUMBER:
		put_number(buffer, *settings_number(row, settings));
		break;
	case SETTINGS_LIST:
		put_list(buffer, settings_list(row, settings));
		break;
	}
}

static void put_source(struct buffer *buffer, const struct settings_source *source)
{
	put_text(buffer, source->type);
	put_text(buffer, source->path);
	put_text(buffer, source->file);
	put_number(buffer, (uint64_t)source->line);
	put_number(buffer, source->member_count);
	for (size_t i = 0; i < source->member_count; i++) {
		put_text(buffer, source->members[i].name);
		put_text(buffer, source->members[i].value);
		put_number(buffer, (uint64_t)source->members[i].line);
	}
}

static void put_sources(struct buffer *buffer, const struct settings *settings)
{
	put_number(buffer, settings->source_count);
	for (size_t i = 0; i < settings->source_count; i++)
		put_source(buffer, &settings->sources[i]);
}

/* A word is packed as its place among those that there are. */
uint64_t settings_packed_form(void)
{
	uint64_t form = SETTINGS_PACKED_FORM;

	for (size_t i = 0; settings_field(i) != NULL; i++) {
		const struct settings_field *field = settings_field(i);

		form = hash_key(bytes_of(field->path), form + field->kind);
		for (size_t w = 0; field->words != NULL && field->words[w] != NULL; w++)
			form = hash_key(bytes_of(field->words[w]), form);
	}
	return form;
}

bool settings_pack(const struct settings *settings, const struct settings *running,
		   struct buffer *buffer)
{
	for (size_t i = 0; settings_field(i) != NULL; i++) {
		const struct settings_field *row = settings_field(i);

		bool is_kept = row->when == SETTINGS_RESTART || row->when == SETTINGS_REEXEC;

		put_row(buffer, row, is_kept ? running : settings);
	}
	put_sources(buffer, settings);
	put_list(buffer, &settings->included);
	put_number(buffer, settings->file != NULL);
	if (settings->file != NULL)
		put_text(buffer, settings->file);
	put_number(buffer, settings->knows_table_owner);
	put_number(buffer, settings->table_owner_user);
	return !buffer->has_failed;
}

/* ---- unpacking ---------------------------------------------------------------------------- */

struct unpacker {
	struct bytes left;
	bool is_cut; /* there was less than there should be, or something else */
	bool is_short_of_memory;
};

static bool is_well(const struct unpacker *unpacker)
{
	return !unpacker->is_cut && !unpacker->is_short_of_memory;
}

static struct bytes take(struct unpacker *unpacker, uint64_t size)
{
	struct bytes taken = { NULL, 0 };

	/* At the end there is no data any more; taking no bytes is still right. */
	if (size > unpacker->left.size || unpacker->left.data == NULL) {
		unpacker->is_cut |= size > 0;
		return taken;
	}
	taken = bytes_first(unpacker->left, (size_t)size);
	unpacker->left = bytes_skip(unpacker->left, (size_t)size);
	return taken;
}

static uint64_t take_number(struct unpacker *unpacker)
{
	struct bytes taken = take(unpacker, sizeof(uint64_t));
	uint64_t number = 0;

	if (taken.size == sizeof(number))
		memcpy(&number, taken.data, sizeof(number));
	return number;
}

/* The value of one of ROW's words. */
static unsigned take_word(struct unpacker *unpacker, const struct settings_field *row)
{
	uint64_t number = take_number(unpacker);
	uint64_t count = 0;

	while (row->words[count] != NULL)
		count++;
	if (number < count)
		return (unsigned)number;
	unpacker->is_cut = true;
	return 0;
}

/* NULL where something is wrong. The caller frees. */
static char *take_text(struct unpacker *unpacker)
{
	struct bytes taken = take(unpacker, take_number(unpacker));
	char *text;

	if (!is_well(unpacker))
		return NULL;
	if (bytes_contain(taken, '\0')) {
		unpacker->is_cut = true;
		return NULL;
	}
	text = calloc(taken.size + 1, 1);
	if (text == NULL)
		unpacker->is_short_of_memory = true;
	else if (taken.size > 0)
		memcpy(text, taken.data, taken.size);
	return text;
}

static void take_list(struct unpacker *unpacker, struct settings_list *list)
{
	uint64_t count = take_number(unpacker);

	for (uint64_t i = 0; i < count && is_well(unpacker); i++) {
		char *item = take_text(unpacker);

		if (item != NULL && !settings_list_add(list, item))
			unpacker->is_short_of_memory = true;
		free(item);
	}
}

static void take_row(struct unpacker *unpacker, const struct settings_field *row,
		     struct settings *settings)
{
	char *text;

	switch (row->kind) {
	case SETTINGS_TEXT:
		text = take_text(unpacker);
		if (text == NULL)
			return;
		free(*settings_text(row, settings));
		*settings_text(row, settings) = text;
		break;
	case SETTINGS_WORD:
		*settings_word(row, settings) = take_word(unpacker, row);
		break;
	case SETTINGS_BOOL:
		*settings_bool(row, settings) = take_number(unpacker) != 0;
		break;
	case SETTINGS_NUMBER:
		*settings_number(row, settings) = (size_t)take_number(unpacker);
		break;
	case SETTINGS_LIST:
		take_list(unpacker, settings_list(row, settings));
		break;
	}
}

static void take_members(struct unpacker *unpacker, struct settings_source *source)
{
	uint64_t count = take_number(unpacker);

	for (uint64_t i = 0; i < count && is_well(unpacker); i++) {
		char *name = take_text(unpacker);
		char *value = take_text(unpacker);
		int line = (int)take_number(unpacker);

		if (name != NULL && value != NULL &&
		    !settings_source_set(source, name, value, line))
			unpacker->is_short_of_memory = true;
		free(name);
		free(value);
	}
}

static void take_sources(struct unpacker *unpacker, struct settings *settings)
{
	uint64_t count = take_number(unpacker);

	settings_sources_clear(settings);
	for (uint64_t i = 0; i < count && is_well(unpacker); i++) {
		char *type = take_text(unpacker);
		char *path = take_text(unpacker);
		char *file = take_text(unpacker);
		int line = (int)take_number(unpacker);

		if (type != NULL && path != NULL && file != NULL &&
		    !settings_source_add(settings, type, path, file, line))
			unpacker->is_short_of_memory = true;
		if (is_well(unpacker))
			take_members(unpacker, &settings->sources[settings->source_count - 1]);
		free(type);
		free(path);
		free(file);
	}
}

struct settings *settings_unpack(struct bytes packed, struct error *err)
{
	struct unpacker unpacker = { .left = packed };
	struct settings *settings = settings_new();

	if (settings == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	for (size_t i = 0; settings_field(i) != NULL && is_well(&unpacker); i++)
		take_row(&unpacker, settings_field(i), settings);
	take_sources(&unpacker, settings);
	take_list(&unpacker, &settings->included);
	if (take_number(&unpacker) != 0)
		settings->file = take_text(&unpacker);
	settings->knows_table_owner = take_number(&unpacker) != 0;
	settings->table_owner_user = (uid_t)take_number(&unpacker);
	if (is_well(&unpacker) && unpacker.left.size == 0)
		return settings;
	settings_free(settings);
	if (unpacker.is_short_of_memory)
		error_fill_memory(err);
	else
		error_fill(err, EX_SOFTWARE, "packed settings are damaged");
	return NULL;
}
