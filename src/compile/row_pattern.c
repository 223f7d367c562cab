/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_pattern.h"

#include <string.h>
#include <sysexits.h>

#include "compile/row_reply.h"
#include "mail/address.h"
#include "table/template.h"

/* One rule on its way to the writer. */
struct work {
	struct builder *builder;
	const char *path;
	uint32_t line;
	struct table_pattern pattern;
	uint32_t group_count;
};

static void refuse(struct work *work, const char *what)
{
	report_error(work->builder->report, EX_DATAERR, work->path, work->line, "%s", what);
}

/* The same for a reason that may be a lack of memory. */
static void refuse_for(struct work *work, const struct error *err)
{
	report_error(work->builder->report, err->status, work->path, work->line, "%s", err->text);
}

static void refuse_without_memory(struct work *work)
{
	report_error(work->builder->report, EX_OSERR, work->path, work->line, "out of memory");
}

/* The template as a list for an address of one letter; a reason where it can't be one. */
static bool fill_template(struct work *work, struct bytes value, struct buffer *out_list)
{
	struct template_piece piece;
	enum template_step step;
	struct error err;

	if (!template_check(value, work->group_count, &err)) {
		refuse_for(work, &err);
		return false;
	}
	while ((step = template_next(&value, &piece)) != TEMPLATE_END)
		(void)buffer_append(out_list, step == TEMPLATE_GROUP ? bytes_of("x") : piece.text);
	/* There is room for all of it: only memory can be short. */
	if (out_list->has_failed)
		refuse_without_memory(work);
	return !out_list->has_failed;
}

static bool check_list(struct work *work, struct bytes list)
{
	struct address_target target;
	struct error err;
	size_t count = 0;
	bool keeps_user = false;

	for (;;) {
		switch (address_list_next(&list, &work->builder->arena, &target, &err)) {
		case ADDRESS_LIST_ERROR:
		case ADDRESS_LIST_NO_MEMORY:
			refuse_for(work, &err);
			return false;
		case ADDRESS_LIST_TARGET:
			count++;
			keeps_user |= target.keeps_user;
			if (!target.keeps_user && address_has_routing(&target.address)) {
				refuse(work, "a target has @, % or ! in its local part");
				return false;
			}
			continue;
		case ADDRESS_LIST_END:
			break;
		}
		break;
	}
	if (count == 0 || (keeps_user && count > 1))
		refuse(work, count == 0 ? "no address" : "`@other` must be the only target");
	return count == 1 || (count > 1 && !keeps_user);
}

static bool check_template(struct work *work, struct bytes value)
{
	struct buffer list;
	bool is_good;

	buffer_init(&list, value.size + 1);
	is_good = fill_template(work, value, &list) && check_list(work, buffer_bytes(&list));
	buffer_free(&list);
	return is_good;
}

/* A text in which `$$` stands for `$`; groups have no place in it. */
static bool plain_text(struct work *work, struct bytes value, struct bytes *out_text)
{
	char *text = arena_alloc(&work->builder->arena, value.size);
	struct template_piece piece;
	enum template_step step;
	size_t size = 0;

	if (text == NULL) {
		refuse_without_memory(work);
		return false;
	}
	while ((step = template_next(&value, &piece)) == TEMPLATE_TEXT) {
		memcpy(text + size, piece.text.data, piece.text.size);
		size += piece.text.size;
	}
	if (step != TEMPLATE_END) {
		refuse(work, "a reply has no groups: `$$` stands for `$`");
		return false;
	}
	*out_text = bytes_make(text, size);
	return true;
}

/* Is the right-hand side good? Then it stands in work->pattern. */
static bool set_value(struct work *work, struct bytes value)
{
	struct error err;

	if (bytes_begin_with(value, bytes_of("error:"))) {
		work->pattern.result = TABLE_ENTRY_REPLY;
		if (!plain_text(work, bytes_skip(value, 6), &value))
			return false;
		if (row_reply_parse(value, &work->builder->arena, &work->pattern.value, &err))
			return true;
		refuse_for(work, &err);
		return false;
	}
	if (bytes_begin_with(value, bytes_of("discard:"))) {
		work->pattern.result = TABLE_ENTRY_DISCARD;
		work->pattern.value = bytes_skip(value, 8);
		return true;
	}
	work->pattern.result = TABLE_ENTRY_TARGETS;
	work->pattern.value = value;
	return check_template(work, value);
}

static bool check_block(struct work *work)
{
	struct builder *builder = work->builder;

	if (work->pattern.kind == TABLE_PATTERN_IF)
		builder->open_blocks++;
	if (work->pattern.kind != TABLE_PATTERN_ENDIF)
		return true;
	if (builder->open_blocks == 0) {
		refuse(work, "endif without if");
		return false;
	}
	builder->open_blocks--;
	return true;
}

bool row_pattern_add(struct builder *builder, const struct source_row *row, const char *path,
		     uint32_t global_line)
{
	struct work work = {
		.builder = builder,
		.path = path,
		.line = row->line,
		.group_count = row->pattern.group_count,
		.pattern = {
			.kind = row->pattern.kind,
			.flags = row->pattern.flags,
			.global_line = global_line,
			.expression = row->pattern.expression,
			.exception = row->pattern.exception,
		},
	};

	if (!check_block(&work))
		return true;
	if (work.pattern.kind == TABLE_PATTERN_RULE && !set_value(&work, row->value)) {
		if (!builder->is_lenient)
			return true;
		/* Whom it matches is known; but mail has to wait for a better rule. */
		work.pattern.result = TABLE_ENTRY_REPLY;
		work.pattern.value = bytes_of(ROW_REPLY_UNUSABLE);
	}
	if (table_pattern_domain(&work.pattern, &builder->arena, &work.pattern.domain) &&
	    writer_pattern(builder->writer, &work.pattern))
		return true;
	report_error(builder->report, EX_OSERR, path, row->line, "out of memory");
	return false;
}

bool row_pattern_close(struct builder *builder)
{
	const struct table_pattern end = {
		.kind = TABLE_PATTERN_ENDIF,
		.global_line = builder->lines.last_line,
	};

	for (; builder->open_blocks > 0; builder->open_blocks--)
		if (!writer_pattern(builder->writer, &end))
			return false;
	return true;
}
