/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "table/inside.h"

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, EX_DATAERR, "not a sound table: %s", why);
}

static bool check_identity(struct bytes file, struct error *err)
{
	if (file.size < FORMAT_HEADER_BYTES + FORMAT_PADDING_BYTES ||
	    memcmp(file.data, FORMAT_MAGIC, 8) != 0)
		return error_set(err, EX_DATAERR, "not a table of rcptmap");
	if (le32_load(at(file, HEADER_BYTE_ORDER)) != FORMAT_BYTE_ORDER)
		return refuse(err, "byte order");
	if (le32_load(at(file, HEADER_VERSION)) != FORMAT_VERSION)
		return error_set(err, EX_DATAERR,
				 "table of format version %u, this program knows %d",
				 le32_load(at(file, HEADER_VERSION)), FORMAT_VERSION);
	if (le64_load(at(file, HEADER_FILE_BYTES)) != file.size)
		return refuse(err, "its length is not the one in its header");
	if (le32_load(at(file, HEADER_SECTION_COUNT)) > FORMAT_SECTIONS_MAX)
		return refuse(err, "too many sections");
	if ((le32_load(at(file, HEADER_FLAGS)) & ~(uint32_t)HEADER_FLAGS_KNOWN) != 0)
		return error_set(err, EX_DATAERR, "table needs a newer program (unknown flag)");
	return true;
}

static bool check_header_sum(struct bytes file, struct error *err)
{
	char page[FORMAT_HEADER_BYTES];

	memcpy(page, file.data, sizeof(page));
	le64_store(page + HEADER_CHECKSUM, 0);
	return hash_block(bytes_make(page, sizeof(page))) == le64_load(at(file, HEADER_CHECKSUM)) ||
	       refuse(err, "checksum of the header");
}

static bool check_sums(struct bytes file, struct error *err)
{
	return check_header_sum(file, err) && (hash_block(bytes_skip(file, FORMAT_HEADER_BYTES)) ==
						       le64_load(at(file, HEADER_BODY_CHECKSUM)) ||
					       refuse(err, "checksum"));
}

static struct bytes *section_place(struct table *table, struct bytes *rules, uint32_t number)
{
	switch (number) {
	case SECTION_DATA:
		return &table->data;
	case SECTION_DOMAINS:
		return &table->domains;
	case SECTION_DOMAIN_INDEX:
		return &table->index;
	case SECTION_DIRECTORY:
		return &table->directory;
	case SECTION_RULES:
		return rules;
	case SECTION_CANARIES:
		return &table->canaries;
	case SECTION_SOURCES:
		return &table->sources;
	case SECTION_PROVENANCE:
		return &table->provenance;
	case SECTION_PATTERNS:
		return &table->patterns;
	default:
		return NULL;
	}
}

static bool read_sections(struct bytes file, struct table *table, struct bytes *out_rules,
			  struct error *err)
{
	uint32_t count = le32_load(at(file, HEADER_SECTION_COUNT));
	uint64_t free_from = FORMAT_HEADER_BYTES;

	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *entry = at(file, HEADER_SECTIONS + i * SECTION_BYTES);
		uint32_t number = le32_load(entry + SECTION_NUMBER);
		uint64_t offset = le64_load(entry + SECTION_OFFSET);
		uint64_t length = le64_load(entry + SECTION_LENGTH);
		struct bytes *place = section_place(table, out_rules, number);

		/* Sections stand in the order of their entries and never share a byte. */
		if (offset < free_from || offset % FORMAT_SECTION_ALIGNMENT != 0 ||
		    !inside(file, offset, length) ||
		    !inside(file, offset + length, FORMAT_PADDING_BYTES))
			return refuse(err, "a section that overlaps or ends past the file");
		free_from = offset + length;
		if (place == NULL &&
		    (le32_load(entry + SECTION_FLAGS) & SECTION_FLAG_REQUIRED) != 0)
			return error_set(err, EX_DATAERR,
					 "table needs a newer program (section %u)", number);
		if (place == NULL)
			continue;
		if (place->data != NULL)
			return refuse(err, "a section stands twice");
		*place = bytes_make(file.data + offset, length);
	}
	return true;
}

/* One string of the rules: u16 length, bytes. */
static bool take_text(struct bytes *rest, struct bytes *out_text)
{
	uint16_t size;

	if (rest->size < 2)
		return false;
	size = le16_load(rest->data);
	*rest = bytes_skip(*rest, 2);
	if (rest->size < size)
		return false;
	*out_text = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size);
	return true;
}

static bool read_rules(struct bytes section, struct table_rules *out_rules)
{
	struct bytes rest = bytes_skip(section, 4);
	uint32_t flags;

	if (section.size < 4)
		return false;
	flags = le32_load(section.data);
	out_rules->propagates_extension = (flags & RULE_PROPAGATES_EXTENSION) != 0;
	out_rules->keeps_dead_ends = (flags & RULE_KEEPS_DEAD_ENDS) != 0;
	return take_text(&rest, &out_rules->delimiters) && take_text(&rest, &out_rules->origin) &&
	       take_text(&rest, &out_rules->dot_domain) && rest.size == 0;
}

static bool check_shapes(const struct table *table, struct error *err)
{
	if (table->data.size < DATA_UNIT || table->data.size % DATA_UNIT != 0 ||
	    table->data.size / DATA_UNIT > UINT32_MAX)
		return refuse(err, "size of the data");
	if (table->domains.size < DOMAIN_UNIT || table->domains.size % DOMAIN_UNIT != 0 ||
	    table->domains.size / DOMAIN_UNIT > DOMAIN_REF_MAX + UINT64_C(1))
		return refuse(err, "size of the domains");
	if (table->index.size == 0 || table->index.size % BUCKET_BYTES != 0)
		return refuse(err, "size of the domain index");
	if (table->directory.size == 0 || table->directory.size % LINE_BYTES != 0)
		return refuse(err, "size of the directory");
	if (table->provenance.data != NULL &&
	    table->provenance.size < table->directory.size / LINE_BYTES * sizeof(uint32_t))
		return refuse(err, "size of the provenance");
	return true;
}

static struct table_facts read_facts(struct bytes page)
{
	return (struct table_facts){
		.generation = le64_load(at(page, HEADER_GENERATION)),
		.created = le64_load(at(page, HEADER_CREATED)),
		.entries = le64_load(at(page, HEADER_ENTRIES)),
		.domains = le64_load(at(page, HEADER_DOMAINS)),
		.targets = le64_load(at(page, HEADER_TARGETS)),
		.size_bytes = le64_load(at(page, HEADER_FILE_BYTES)),
		.checksum = le64_load(at(page, HEADER_CHECKSUM)),
		.body_checksum = le64_load(at(page, HEADER_BODY_CHECKSUM)),
		.copy_of = le64_load(at(page, HEADER_COPY_OF)),
		.format_version = FORMAT_VERSION,
		.is_lenient = (le32_load(at(page, HEADER_FLAGS)) & HEADER_FLAG_LENIENT) != 0,
	};
}

bool table_peek(const char *path, struct table_facts *out_facts, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool is_read;

	if (fd < 0)
		return error_set_errno(err, EX_NOINPUT, "%s", path);
	is_read = table_peek_descriptor(path, fd, out_facts, err);
	(void)close(fd); /* it was only read */
	return is_read;
}

bool table_peek_descriptor(const char *path, int fd, struct table_facts *out_facts,
			   struct error *err)
{
	char page[FORMAT_HEADER_BYTES];
	struct bytes header = bytes_make(page, sizeof(page));
	ssize_t got = pread(fd, page, sizeof(page), 0);

	if (got != (ssize_t)sizeof(page) || memcmp(page, FORMAT_MAGIC, 8) != 0 ||
	    le32_load(page + HEADER_VERSION) != FORMAT_VERSION || !check_header_sum(header, err))
		return error_set(err, EX_DATAERR, "%s: not a table that can be read", path);
	*out_facts = read_facts(header);
	return true;
}

bool header_read(struct bytes file, struct table *out_table, struct error *err)
{
	struct table table = { .file = file };
	struct bytes rules = { .data = NULL };

	if (!check_identity(file, err) || !check_sums(file, err) ||
	    !read_sections(file, &table, &rules, err) || !check_shapes(&table, err))
		return false;
	if (rules.data == NULL || table.canaries.data == NULL || !read_rules(rules, &table.rules))
		return refuse(err, "its rules can't be read");
	table.body_sum = le64_load(at(file, HEADER_BODY_CHECKSUM));
	table.seed = le64_load(at(file, HEADER_SEED));
	table.lines = table.directory.size / LINE_BYTES;
	table.buckets = table.index.size / BUCKET_BYTES;
	table.facts = read_facts(file);
	table.facts.has_provenance = table.provenance.data != NULL;
	*out_table = table;
	return true;
}
