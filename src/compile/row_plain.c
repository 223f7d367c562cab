/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_plain.h"

#include "compile/plain.h"

/* Behind commas and white space; the size of TEXT at its end. */
static size_t skip_separators(struct bytes text, size_t at)
{
	while (at < text.size && (text.data[at] == ' ' || text.data[at] == ',' ||
	                          text.data[at] == '\t' || text.data[at] == '\n'))
		at++;
	return at;
}

static bool add_target(struct builder *builder, struct writer_entry *entry,
                       const struct plain_address *target)
{
	uint32_t domain = writer_domain(builder->writer, target->domain);
	char *at = buffer_extend(&builder->targets, WRITER_TARGET_ROOM + target->local.size);
	size_t size;

	if (domain == 0 || at == NULL)
		return false;
	size = writer_target(entry, target->local, domain, false, at);
	builder->targets.size -= WRITER_TARGET_ROOM + target->local.size - size;
	entry->target_count++;
	return true;
}

/* All targets, each followed by a separator or the end. */
static bool add_targets(struct builder *builder, struct writer_entry *entry, struct bytes value)
{
	size_t at = skip_separators(value, 0);

	buffer_clear(&builder->targets);
	while (at < value.size) {
		struct plain_address target;
		size_t size = plain_address(bytes_skip(value, at), &target);
		size_t next;

		if (size == 0)
			return false;
		next = skip_separators(value, at + size);
		if (next == at + size && next < value.size)
			return false;
		if (!add_target(builder, entry, &target))
			return false;
		at = next;
	}
	entry->targets = buffer_bytes(&builder->targets);
	return entry->target_count > 0;
}

static uint32_t key_domain(struct builder *builder, struct bytes name)
{
	if (builder->key_domain == 0 ||
	    !bytes_equal(writer_domain_name(builder->writer, builder->key_domain), name))
		builder->key_domain = writer_domain(builder->writer, name);
	return builder->key_domain;
}

bool row_plain_add(struct builder *builder, const struct source_row *row, uint32_t global_line)
{
	struct writer_entry entry = { .kind = TABLE_ENTRY_TARGETS, .global_line = global_line };

	if (row->kind != SOURCE_ROW_ENTRY || row->plain_key.local.size == 0)
		return false;
	entry.local = row->plain_key.local;
	entry.domain = key_domain(builder, row->plain_key.domain);
	/* A failure of the writer stays with it: the thorough way meets it again, and reports. */
	return entry.domain != 0 && add_targets(builder, &entry, row->value) &&
	       writer_add(builder->writer, &entry);
}
