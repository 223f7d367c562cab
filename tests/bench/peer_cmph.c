/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmph's CHD: a minimal perfect hash, and records beside it. What a table can do that is never
 * changed and knows all its keys beforehand, with nothing else done for speed.
 *
 * The file: packed size, keys (u32 each); the packed function, to a multiple of 4; an offset for
 * each key (u32, of its record, in bytes); the records: size of key (u16), of value (u32), both.
 */
#include "peer.h"

#include <cmph.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/le.h"

enum { HEAD_BYTES = 8, RECORD_HEAD = 6 };

struct chd {
	struct bytes file;
	char *function;
	const char *offsets;
	const char *records;
	uint32_t keys;
};

struct keys {
	const struct text_table *table;
	size_t next;
};

static int keys_read(void *data, char **out_key, cmph_uint32 *out_size)
{
	struct keys *keys = data;
	struct bytes key = keys->table->entries[keys->next++].key;

	*out_key = (char *)(uintptr_t)key.data;
	*out_size = (cmph_uint32)key.size;
	return (int)key.size;
}

static void keys_dispose(void *data, char *key, cmph_uint32 size)
{
	(void)data; /* the keys aren't cmph's */
	(void)key;
	(void)size;
}

static void keys_rewind(void *data)
{
	struct keys *keys = data;

	keys->next = 0;
}

static cmph_t *make_function(const struct text_table *table, const char *path)
{
	struct keys keys = { .table = table };
	cmph_io_adapter_t adapter = {
		.data = &keys,
		.nkeys = (cmph_uint32)table->count,
		.read = keys_read,
		.dispose = keys_dispose,
		.rewind = keys_rewind,
	};
	cmph_config_t *config = cmph_config_new(&adapter);
	cmph_t *function;

	cmph_config_set_algo(config, CMPH_CHD);
	cmph_config_set_graphsize(config, 0.99);
	function = cmph_new(config);
	cmph_config_destroy(config);
	if (function == NULL)
		text_fail(path, "cmph found no function");
	return function;
}

static uint32_t round_up(uint32_t size)
{
	return (size + 3) & ~UINT32_C(3);
}

static void write_records(FILE *file, const struct text_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct text_entry entry = table->entries[i];
		char head[RECORD_HEAD];

		le16_store(head, (uint16_t)entry.key.size);
		le32_store(head + 2, (uint32_t)entry.value.size);
		(void)fwrite(head, 1, sizeof(head), file);
		(void)fwrite(entry.key.data, 1, entry.key.size, file);
		(void)fwrite(entry.value.data, 1, entry.value.size, file);
	}
}

static void cmph_build(const struct text_table *table, const char *path)
{
	cmph_t *function = make_function(table, path);
	uint32_t packed_size = cmph_packed_size(function);
	uint32_t keys = cmph_size(function);
	char *packed = calloc(1, round_up(packed_size));
	char *offsets = calloc(keys, sizeof(uint32_t));
	FILE *file = fopen(path, "w");
	char head[HEAD_BYTES];
	uint32_t offset = 0;

	if (packed == NULL || offsets == NULL || file == NULL)
		text_fail(path, "can't be created");
	cmph_pack(function, packed);
	for (size_t i = 0; i < table->count; i++) {
		struct text_entry entry = table->entries[i];
		uint32_t place =
			cmph_search_packed(packed, entry.key.data, (cmph_uint32)entry.key.size);

		le32_store(offsets + place * sizeof(uint32_t), offset);
		offset += (uint32_t)(RECORD_HEAD + entry.key.size + entry.value.size);
	}
	le32_store(head, round_up(packed_size));
	le32_store(head + 4, keys);
	(void)fwrite(head, 1, sizeof(head), file);
	(void)fwrite(packed, 1, round_up(packed_size), file);
	(void)fwrite(offsets, sizeof(uint32_t), keys, file);
	write_records(file, table);
	/* Also what failed before. */
	if (ferror(file) || fclose(file) != 0)
		text_fail(path, "can't be written");
	free(packed);
	free(offsets);
	cmph_destroy(function);
}

static void *cmph_open(const char *path)
{
	struct chd *chd = malloc(sizeof(*chd));

	if (chd == NULL)
		text_fail(path, "no memory");
	chd->file = text_read_file(path);
	chd->keys = le32_load(chd->file.data + 4);
	chd->function = (char *)(uintptr_t)chd->file.data + HEAD_BYTES;
	chd->offsets = chd->function + le32_load(chd->file.data);
	chd->records = chd->offsets + chd->keys * sizeof(uint32_t);
	return chd;
}

static void cmph_close(void *handle)
{
	free(handle); /* the mapping ends with the process */
}

static bool cmph_fetch(void *handle, struct bytes key, struct bytes *out_value)
{
	struct chd *chd = handle;
	uint32_t place = cmph_search_packed(chd->function, key.data, (cmph_uint32)key.size);
	const char *record;

	if (place >= chd->keys)
		return false;
	record = chd->records + le32_load(chd->offsets + place * sizeof(uint32_t));
	if (le16_load(record) != key.size || memcmp(record + RECORD_HEAD, key.data, key.size) != 0)
		return false;
	*out_value = bytes_make(record + RECORD_HEAD + key.size, le32_load(record + 2));
	return true;
}

const struct peer peer_cmph = {
	.name = "cmph",
	.suffix = "chd",
	.build = cmph_build,
	.open = cmph_open,
	.close = cmph_close,
	.fetch = cmph_fetch,
};
