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

/* The number of the domain NAME. One that the writer knows was looked at before; only a new one is
 * read byte by byte. 0: not plain, or no memory. */
static uint32_t target_domain(struct builder *builder, struct bytes name)
{
	uint32_t domain;

	if (name.size == 0 ||
	    (builder->rules.dot_domain.size > 0 && !bytes_contain(name, '.')))
		return 0;
	domain = writer_known_domain(builder->writer, name);
	if (domain == 0 && plain_is_domain(name))
		domain = writer_domain(builder->writer, name);
	return domain;
}

/* One target at the begin of TEXT, encoded at *OUT; its size, or 0: not plain. */
static size_t add_target(struct builder *builder, struct writer_entry *entry, struct bytes text,
                         char **out)
{
	bool has_upper;
	size_t local = plain_user(text, &has_upper);
	size_t word;
	uint32_t domain;

	if (local == 0 || local == text.size || text.data[local] != '@')
		return 0;
	word = plain_word(bytes_skip(text, local + 1));
	domain = target_domain(builder, bytes_first(bytes_skip(text, local + 1), word));
	if (domain == 0)
		return 0;
	*out += writer_target(entry, bytes_first(text, local), domain, false, *out);
	entry->target_count++;
	return local + 1 + word;
}

/* All targets, each followed by a separator or the end. */
static bool add_targets(struct builder *builder, struct writer_entry *entry, struct bytes value)
{
	size_t at = skip_separators(value, 0);
	char *begin, *end;

	buffer_clear(&builder->targets);
	/* A target takes 4 bytes beside its local part; its text has 3 of them, or one more. */
	begin = buffer_extend(&builder->targets, 2 * value.size + WRITER_TARGET_ROOM);
	if (begin == NULL)
		return false;
	for (end = begin; at < value.size;) {
		size_t size = add_target(builder, entry, bytes_skip(value, at), &end);
		size_t next = skip_separators(value, at + size);

		if (size == 0 || (next == at + size && next < value.size))
			return false;
		at = next;
	}
	entry->targets = bytes_make(begin, (size_t)(end - begin));
	return entry->target_count > 0;
}

static uint32_t key_domain(struct builder *builder, struct bytes name)
{
	struct bytes last = builder->key_domain == 0 ?
	                            bytes_make(NULL, 0) :
	                            writer_domain_name(builder->writer, builder->key_domain);

	if (last.size != name.size || !bytes_same(last.data, name.data, name.size))
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
