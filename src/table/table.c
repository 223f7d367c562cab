/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/guard.h"
#include "table/patterns_inside.h"
#include "table/verify.h"

static struct table *open_bytes(struct bytes bytes, struct error *err)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	if (!header_read(bytes, table, err) || !patterns_load(table, err) ||
	    !canaries_replay(table, err)) {
		table_close(table);
		return NULL;
	}
	return table;
}

struct table *table_open_bytes(struct bytes bytes, struct error *err)
{
	return open_bytes(bytes, err);
}

/* Nobody looks at the header again: all that it said is in memory of our own. */
static bool has_old_content(void *context)
{
	const struct table *table = context;

	return hash_block(bytes_skip(table->file, FORMAT_HEADER_BYTES)) == table->body_sum;
}

/* Of a file that was read or mapped; COPY is the table's from now on, also after a failure. */
static struct table *open_copy(const char *path, struct file_copy copy, enum table_load load,
			       struct error *err)
{
	struct guard *guard = NULL;
	struct error why;
	struct table *table = NULL;

	if (load == TABLE_GUARDED)
		guard = guard_new(&copy, &why);
	if (load != TABLE_GUARDED || guard != NULL)
		table = open_bytes(copy.bytes, &why);
	if (table != NULL && load != TABLE_UNPROVED && !table_verify(table, &why)) {
		table_close(table);
		table = NULL;
	}
	if (table == NULL) {
		error_fill(err, why.status, "%s: %s", path, why.text);
		guard_free(guard);
		file_copy_free(&copy);
		return NULL;
	}
	table->copy = copy;
	table->guard = guard;
	if (guard != NULL)
		guard_on_doubt(guard, has_old_content, table);
	return table;
}

static struct file_limits limits_for(uid_t also_owner)
{
	return (struct file_limits){
		.least_bytes = FORMAT_HEADER_BYTES,
		.most_bytes = SIZE_MAX,
		.also_owner = also_owner,
	};
}

struct table *table_open(const char *path, uid_t also_owner, enum table_load load,
			 struct error *err)
{
	const struct file_limits limits = limits_for(also_owner);
	struct file_copy copy;

	if (load == TABLE_COPIED ? !file_copy_load(path, &limits, &copy, err)
				 : !file_copy_map(path, &limits, &copy, err))
		return NULL;
	return open_copy(path, copy, load, err);
}

struct table *table_open_descriptor(const char *name, int fd, enum table_load load,
				    struct error *err)
{
	struct file_copy copy;

	if (load == TABLE_COPIED ? !file_copy_load_open(name, fd, &copy, err)
				 : !file_copy_map_open(name, fd, &copy, err))
		return NULL;
	return open_copy(name, copy, load, err);
}

bool table_check_file(const char *path, uid_t also_owner, struct error *err)
{
	const struct file_limits limits = limits_for(also_owner);

	return file_check(path, &limits, err);
}

int table_descriptor(const struct table *table)
{
	return table->copy.bytes.data == NULL ? -1 : table->copy.fd;
}

bool table_is_guarded(const struct table *table)
{
	return table->guard != NULL;
}

bool table_is_intact(const struct table *table)
{
	return table->guard == NULL || guard_is_intact(table->guard);
}

void table_close(struct table *table)
{
	if (table == NULL)
		return;
	patterns_unload(table);
	guard_free(table->guard);
	if (table->copy.bytes.data != NULL)
		file_copy_free(&table->copy);
	free(table);
}

const struct table_rules *table_rules(const struct table *table)
{
	return &table->rules;
}

const struct table_facts *table_facts(const struct table *table)
{
	return &table->facts;
}

const struct file_identity *table_identity(const struct table *table)
{
	return table->copy.bytes.data == NULL ? NULL : &table->copy.identity;
}

uint64_t table_seed(const struct table *table)
{
	return table->seed;
}

struct bytes table_bytes(const struct table *table)
{
	return table->file;
}
