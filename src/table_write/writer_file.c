/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer_file - the sections in their order, and the header last.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/le.h"
#include "table_write/raw.h"
#include "table_write/writer_inside.h"

/* One file being written. */
struct assembly {
	struct table_writer *writer;
	struct output output;
	struct layout layout;
	unsigned char header[FORMAT_HEADER_BYTES];
	uint32_t sections;
};

static void tell_duplicate(void *context, const unsigned char *kept, const unsigned char *dropped)
{
	struct table_writer *writer = context;
	const struct writer_duplicate duplicate = {
		.local = raw_local(dropped),
		.domain = domain_set_name(&writer->domains, raw_domain(dropped)),
		.kept_line = raw_global_line(kept),
		.dropped_line = raw_global_line(dropped),
		.is_equal = raw_kind(kept) == raw_kind(dropped) &&
			    bytes_equal(raw_payload(kept), raw_payload(dropped)),
	};

	if (writer->on_duplicate != NULL)
		writer->on_duplicate(writer->context, &duplicate);
}

static void tell_dropped(void *context, const unsigned char *dropped)
{
	struct table_writer *writer = context;

	canary_draw_drop(&writer->canaries, raw_domain(dropped), raw_local(dropped),
			 raw_global_line(dropped));
}

/* ---- catch-alls ------------------------------------------------------------------------- */

static struct bytes catch_all_contents(const struct table_writer *writer,
				       const struct catch_all *catch_all)
{
	return bytes_make(writer->catch_all_bytes.data + catch_all->offset, catch_all->size);
}

static void tell_second_catch_all(struct table_writer *writer, const struct catch_all *kept,
				  const struct catch_all *dropped)
{
	const struct writer_duplicate duplicate = {
		.domain = domain_set_name(&writer->domains, kept->domain),
		.kept_line = kept->global_line,
		.dropped_line = dropped->global_line,
		.is_equal = kept->kind == dropped->kind &&
			    bytes_equal(catch_all_contents(writer, kept),
					catch_all_contents(writer, dropped)),
	};

	if (writer->on_duplicate != NULL)
		writer->on_duplicate(writer->context, &duplicate);
}

/* Those that yield behind the others. */
static int by_domain_then_order(const void *left, const void *right)
{
	const struct catch_all *a = left;
	const struct catch_all *b = right;

	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	if (a->yields != b->yields)
		return a->yields ? 1 : -1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Write the first catch-all of each domain behind the lines. */
static bool lay_out_catch_alls(struct assembly *assembly, struct error *err)
{
	struct table_writer *writer = assembly->writer;
	struct catch_all *all = (struct catch_all *)(void *)writer->catch_alls.data;
	size_t count = writer->catch_alls.size / sizeof(*all);
	const struct catch_all *kept = NULL;

	if (count > 0)
		qsort(all, count, sizeof(*all), by_domain_then_order);
	for (size_t i = 0; i < count; i++) {
		struct bytes contents = catch_all_contents(writer, &all[i]);
		uint32_t ref;

		if (kept != NULL && kept->domain == all[i].domain) {
			if (!all[i].yields)
				tell_second_catch_all(writer, kept, &all[i]);
			continue;
		}
		kept = &all[i];
		if (!layout_list(&assembly->layout, kept->kind, contents, &kept->global_line, &ref,
				 err))
			return false;
		domain_set_catch_all(&writer->domains, kept->domain, ref);
		domain_set_add_flags(&writer->domains, kept->domain, TABLE_DOMAIN_CATCH_ALL);
		assembly->layout.entries++;
		assembly->layout.targets += kept->targets;
	}
	output_align(&assembly->output, DATA_UNIT);
	return true;
}

/* ---- sections --------------------------------------------------------------------------- */

static uint64_t section_begin(struct assembly *assembly, enum section_number number, unsigned flags)
{
	unsigned char *entry =
		assembly->header + HEADER_SECTIONS + (size_t)SECTION_BYTES * assembly->sections;

	output_align(&assembly->output, FORMAT_SECTION_ALIGNMENT);
	le32_store(entry + SECTION_NUMBER, number);
	le32_store(entry + SECTION_FLAGS, flags);
	le64_store(entry + SECTION_OFFSET, assembly->output.position);
	return assembly->output.position;
}

static void section_end(struct assembly *assembly, uint64_t begin)
{
	static const char zeros[FORMAT_PADDING_BYTES];
	unsigned char *entry =
		assembly->header + HEADER_SECTIONS + (size_t)SECTION_BYTES * assembly->sections;

	le64_store(entry + SECTION_LENGTH, assembly->output.position - begin);
	assembly->sections++;
	output_add(&assembly->output, bytes_make(zeros, sizeof(zeros)));
}

static void add_section(struct assembly *assembly, enum section_number number, unsigned flags,
			struct bytes first, struct bytes second)
{
	uint64_t begin = section_begin(assembly, number, flags);

	output_add(&assembly->output, first);
	output_add(&assembly->output, second);
	section_end(assembly, begin);
}

static bool add_data(struct assembly *assembly, struct error *err)
{
	struct table_writer *writer = assembly->writer;
	uint64_t begin = section_begin(assembly, SECTION_DATA, SECTION_FLAG_REQUIRED);

	if (!layout_init(&assembly->layout, &assembly->output, writer->added / LINE_ENTRIES + 1,
			 writer->options.has_provenance))
		return error_set_memory(err);
	assembly->layout.on_duplicate = tell_duplicate;
	assembly->layout.on_dropped = tell_dropped;
	assembly->layout.context = writer;
	output_add(&assembly->output, bytes_make("\0\0\0", DATA_UNIT)); /* ref 0 is none */
	if (!writer_lay_out_entries(writer, &assembly->layout, err) ||
	    !lay_out_catch_alls(assembly, err))
		return false;
	section_end(assembly, begin);
	return true;
}

static uint64_t count_ours(const struct domain_set *domains)
{
	uint64_t ours = 0;

	for (uint32_t ref = domain_set_next(domains, 0); ref != 0;
	     ref = domain_set_next(domains, ref))
		ours += (domain_set_flags(domains, ref) & TABLE_DOMAIN_OURS) != 0;
	return ours;
}

static bool add_index(struct assembly *assembly, struct error *err)
{
	size_t size;
	unsigned char *index = domain_set_index(&assembly->writer->domains, &size);

	if (index == NULL)
		return error_set_memory(err);
	add_section(assembly, SECTION_DOMAIN_INDEX, SECTION_FLAG_REQUIRED, bytes_make(index, size),
		    bytes_make(NULL, 0));
	free(index);
	return true;
}

static void append_rule(struct buffer *section, struct bytes text)
{
	char size[2];

	le16_store(size, (uint16_t)text.size);
	(void)buffer_append(section, bytes_make(size, sizeof(size)));
	(void)buffer_append(section, text);
}

static bool add_rules(struct assembly *assembly, struct error *err)
{
	const struct table_rules *rules = &assembly->writer->options.rules;
	struct buffer section;
	char flags[4];
	bool is_added;

	if (rules->delimiters.size > FORMAT_HEADER_BYTES)
		return error_set(err, EX_DATAERR, "the key rules are too long");
	buffer_init(&section, SIZE_MAX / 4);
	le32_store(flags, (rules->propagates_extension ? RULE_PROPAGATES_EXTENSION : 0) |
				  (rules->keeps_dead_ends ? RULE_KEEPS_DEAD_ENDS : 0));
	(void)buffer_append(&section, bytes_make(flags, sizeof(flags)));
	append_rule(&section, rules->delimiters);
	append_rule(&section, rules->origin);
	append_rule(&section, rules->dot_domain);
	is_added = !section.has_failed;
	if (is_added)
		add_section(assembly, SECTION_RULES, SECTION_FLAG_REQUIRED, buffer_bytes(&section),
			    bytes_make(NULL, 0));
	buffer_free(&section);
	return is_added || error_set_memory(err);
}

static bool add_canaries(struct assembly *assembly, struct error *err)
{
	struct buffer section;
	bool is_printed;

	buffer_init(&section, SIZE_MAX / 4);
	is_printed = canary_draw_print(&assembly->writer->canaries, &assembly->writer->domains,
				       &section);
	if (is_printed)
		add_section(assembly, SECTION_CANARIES, SECTION_FLAG_REQUIRED,
			    buffer_bytes(&section), bytes_make(NULL, 0));
	buffer_free(&section);
	return is_printed || error_set_memory(err);
}

static bool add_sections(struct assembly *assembly, struct error *err)
{
	struct table_writer *writer = assembly->writer;
	struct layout *layout = &assembly->layout;

	if (!add_data(assembly, err))
		return false;
	le64_store(assembly->header + HEADER_DOMAINS, count_ours(&writer->domains));
	add_section(assembly, SECTION_DOMAINS, SECTION_FLAG_REQUIRED,
		    domain_set_bytes(&writer->domains), bytes_make(NULL, 0));
	if (!add_index(assembly, err))
		return false;
	add_section(assembly, SECTION_DIRECTORY, SECTION_FLAG_REQUIRED,
		    bytes_make(layout->directory, layout->lines * LINE_BYTES), bytes_make(NULL, 0));
	if (!add_rules(assembly, err) || !add_canaries(assembly, err))
		return false;
	if (writer->pattern_count > 0) {
		char count[4];

		le32_store(count, writer->pattern_count);
		add_section(assembly, SECTION_PATTERNS, SECTION_FLAG_REQUIRED,
			    bytes_make(count, sizeof(count)), buffer_bytes(&writer->patterns));
		layout->entries += writer->pattern_count;
	}
	if (writer->options.has_provenance) {
		add_section(assembly, SECTION_SOURCES, 0, buffer_bytes(&writer->sources),
			    bytes_make(NULL, 0));
		add_section(assembly, SECTION_PROVENANCE, 0, buffer_bytes(&layout->ordinals),
			    buffer_bytes(&layout->places));
	}
	return true;
}

/* ---- header ----------------------------------------------------------------------------- */

static bool write_header(struct assembly *assembly, int fd, uint64_t body_sum, struct error *err)
{
	const struct writer_options *options = &assembly->writer->options;
	unsigned char *header = assembly->header;

	memcpy(header + HEADER_MAGIC, FORMAT_MAGIC, 8);
	le32_store(header + HEADER_VERSION, FORMAT_VERSION);
	le32_store(header + HEADER_BYTE_ORDER, FORMAT_BYTE_ORDER);
	le64_store(header + HEADER_FILE_BYTES, assembly->output.position);
	le64_store(header + HEADER_BODY_CHECKSUM, body_sum);
	le64_store(header + HEADER_SEED, options->seed);
	le64_store(header + HEADER_GENERATION, options->generation);
	le64_store(header + HEADER_CREATED, options->created);
	le64_store(header + HEADER_ENTRIES, assembly->layout.entries);
	le64_store(header + HEADER_TARGETS, assembly->layout.targets);
	le32_store(header + HEADER_SECTION_COUNT, assembly->sections);
	le32_store(header + HEADER_FLAGS, options->is_lenient ? HEADER_FLAG_LENIENT : 0);
	le64_store(header + HEADER_CHECKSUM, hash_block(bytes_make(header, FORMAT_HEADER_BYTES)));
	if (lseek(fd, 0, SEEK_SET) != 0 ||
	    !file_write_all(fd, bytes_make(header, FORMAT_HEADER_BYTES)))
		return error_set_errno(err, EX_IOERR, "writing the table");
	return true;
}

bool table_writer_finish(struct table_writer *writer, int fd,
			 void (*on_duplicate)(void *context, const struct writer_duplicate *),
			 void *context, bool *out_wants_seed, struct error *err)
{
	struct assembly *assembly = calloc(1, sizeof(*assembly));
	uint64_t body_sum;
	bool is_done = false;

	*out_wants_seed = false;
	if (writer->error.status != 0) {
		free(assembly);
		return error_set(err, writer->error.status, "%s", writer->error.text);
	}
	if (assembly == NULL)
		return error_set_memory(err);
	writer->on_duplicate = on_duplicate;
	writer->context = context;
	assembly->writer = writer;
	if (!output_init(&assembly->output, fd, FORMAT_HEADER_BYTES)) {
		error_fill_memory(err);
		goto out;
	}
	if (lseek(fd, FORMAT_HEADER_BYTES, SEEK_SET) != FORMAT_HEADER_BYTES) {
		error_fill_errno(err, EX_IOERR, "writing the table");
		goto out;
	}
	is_done = add_sections(assembly, err) && output_finish(&assembly->output, &body_sum, err) &&
		  write_header(assembly, fd, body_sum, err);
	*out_wants_seed = assembly->layout.wants_seed;
out:
	layout_free(&assembly->layout);
	output_free(&assembly->output);
	free(assembly);
	return is_done;
}
