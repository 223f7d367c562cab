/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_plain.h"

#include "mail/plain.h"

static bool is_separator(char byte)
{
	return byte == ' ' || byte == ',' || byte == '\t' || byte == '\n';
}

static const char *skip_separators(const char *at, const char *end)
{
	while (at < end && is_separator(*at))
		at++;
	return at;
}

/* The number of the domain NAME. One that the writer knows was looked at before; only a new one is
 * read byte by byte. 0: not plain, or no memory. */
static uint32_t target_domain(struct builder *builder, struct bytes name)
{
	uint32_t domain;

	if (name.size == 0 || (builder->rules.dot_domain.size > 0 && !bytes_contain(name, '.')))
		return 0;
	domain = writer_known_domain(builder->writer, name);
	/* A row of a lenient table may yet lose this target: no domain is made for nothing. */
	if (domain == 0 && !builder->is_lenient && plain_is_domain(name))
		domain = writer_domain(builder->writer, name);
	return domain;
}

/* The target between *AT and END, encoded at OUT; *AT is behind it then. Its size there, or 0: not
 * plain. */
static size_t add_target(struct builder *builder, struct writer_entry *entry, const char **at,
			 const char *end, char *out)
{
	const char *begin = *at;
	bool has_upper;
	size_t local = plain_user(bytes_make(begin, (size_t)(end - begin)), &has_upper);
	const char *behind = begin + local;
	uint32_t domain = builder->origin_domain; /* of a user alone */

	if (local == 0)
		return 0;
	if (behind < end && *behind == '@') {
		const char *host = behind + 1;
		size_t word = plain_word(bytes_make(host, (size_t)(end - host)));

		domain = target_domain(builder, bytes_make(host, word));
		behind = host + word;
	}
	if (domain == 0)
		return 0;
	*at = behind;
	return writer_target(entry, bytes_make(begin, local), domain, false, out);
}

bool row_plain_targets(struct builder *builder, struct writer_entry *entry, struct bytes value)
{
	const char *end = value.data + value.size;
	const char *at = skip_separators(value.data, end);
	char *begin, *out;

	entry->target_count = 0;
	/* A target takes 4 bytes beside its local part; its text has 3 of them, or one more. */
	if (builder->targets.room < 2 * value.size + WRITER_TARGET_ROOM) {
		buffer_clear(&builder->targets);
		(void)buffer_extend(&builder->targets, 2 * value.size + WRITER_TARGET_ROOM);
		if (builder->targets.has_failed)
			return false;
	}
	begin = builder->targets.data;
	for (out = begin; at < end; entry->target_count++) {
		size_t size = add_target(builder, entry, &at, end, out);
		const char *next = skip_separators(at, end);

		/* Each is followed by a separator or the end. */
		if (size == 0 || (next == at && next < end))
			return false;
		out += size;
		at = next;
	}
	entry->targets = bytes_make(begin, (size_t)(out - begin));
	return entry->target_count > 0;
}

/* The number of KEY's domain, which is often that of the key before. 0: the writer failed. */
static uint32_t key_domain(struct builder *builder, const struct plain_address *key)
{
	uint32_t domain;

	if (key->is_last_domain)
		return builder->key_domain;
	domain = writer_domain(builder->writer, key->domain);
	if (domain != 0) {
		builder->key_domain = domain;
		builder->key_domain_size = key->domain.size;
		memcpy(builder->key_domain_name, key->domain.data, key->domain.size);
	}
	return domain;
}

bool row_plain_add(struct builder *builder, const struct source_row *row, uint32_t global_line)
{
	struct bytes last = bytes_make(builder->key_domain_name, builder->key_domain_size);
	struct writer_entry entry = { .kind = TABLE_ENTRY_TARGETS, .global_line = global_line };
	struct plain_address key;

	if (row->kind != SOURCE_ROW_ENTRY || row->key.size == 0 ||
	    plain_address(row->key, last, &key) != row->key.size || key.has_upper)
		return false;
	entry.local = key.local;
	entry.domain = key_domain(builder, &key);
	/* A failure of the writer stays with it: the thorough way meets it again, and reports. */
	return entry.domain != 0 && row_plain_targets(builder, &entry, row->value) &&
	       writer_add(builder->writer, &entry);
}
