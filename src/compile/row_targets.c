/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_targets.h"

#include <sysexits.h>

#include "compile/row_reply.h"
#include "mail/address.h"
#include "mail/characters.h"
#include "mail/fold.h"

/* One list on its way. */
struct list {
	struct builder *builder;
	struct writer_entry *entry;
	const char *path;
	uint32_t line;
	bool is_usable;
	bool keeps_user; /* some target is `@other` */
};

bool row_targets_refuse(struct builder *builder, struct writer_entry *entry, const char *path,
			uint32_t line, const struct error *err)
{
	if (!builder->is_lenient || err->status != EX_DATAERR) {
		report_error(builder->report, err->status, path, line, "%s", err->text);
		return false;
	}
	report_warning(builder->report, WARNING_LENIENT, path, line, "%s (deferred)", err->text);
	entry->kind = TABLE_ENTRY_REPLY;
	entry->reply = bytes_of(ROW_REPLY_UNUSABLE);
	entry->target_count = 0;
	entry->yields = true;
	return true;
}

/* The whole row can't be used. */
static void refuse(struct list *list, const char *what)
{
	struct error err;

	error_fill(&err, EX_DATAERR, "%s", what);
	list->is_usable =
		row_targets_refuse(list->builder, list->entry, list->path, list->line, &err);
}

/* One target can't be used: nor can the row. Of a lenient table SUFFIX says what becomes of it, and
 * the rest of the row can be used. */
static void refuse_target(struct list *list, const char *what, const char *suffix)
{
	if (list->builder->is_lenient) {
		report_warning(list->builder->report, WARNING_LENIENT, list->path, list->line,
			       "%s%s", what, suffix);
		return;
	}
	report_error(list->builder->report, EX_DATAERR, list->path, list->line, "%s", what);
	list->is_usable = false;
}

#define LEFT_OUT " (left out)"
#define KEPT     "" /* as Postfix does */

static bool stop(struct list *list, const char *what)
{
	report_error(list->builder->report, EX_OSERR, list->path, list->line, "%s", what);
	return false;
}

/* The number of a target's domain, 0: reported; false: it makes no sense to go on. */
static bool intern_domain(struct list *list, struct bytes domain, uint32_t *out_domain)
{
	struct builder *builder = list->builder;
	const struct error *err;
	struct bytes key;

	if (!address_complete_domain(domain, builder->rules.origin, builder->rules.dot_domain,
				     &builder->arena, &domain))
		return stop(list, "out of memory");
	switch (fold_domain(domain, &builder->arena, &key)) {
	case FOLD_INVALID:
		refuse_target(list, "a target's domain is not a domain", LEFT_OUT);
		*out_domain = 0;
		return true;
	case FOLD_NO_MEMORY:
		return stop(list, "out of memory");
	case FOLD_OK:
		break;
	}
	*out_domain = writer_domain(builder->writer, key);
	if (*out_domain != 0)
		return true;
	err = table_writer_error(builder->writer);
	report_stop(builder->report, err->status, list->path, list->line, "%s", err->text);
	return false;
}

/* Is there anything to encode? */
static bool check_local(struct list *list, const struct address *address)
{
	struct builder *builder = list->builder;

	if (address->local.data[0] == '#' && address->domain.size == 0) {
		refuse_target(list, "# begins no comment here: a comment has its own line",
			      LEFT_OUT);
		return false;
	}
	if (bytes_contain(address->local, '%') || bytes_contain(address->local, '!'))
		refuse_target(list,
			      "a target has % or ! in its local part (sender-specified routing)",
			      KEPT);
	else if (bytes_contain(address->local, '@'))
		refuse_target(list, "a target has @ in its local part (sender-specified routing)",
			      KEPT);
	if (!bytes_are_ascii(address->local))
		report_warning(builder->report, WARNING_SMTPUTF8, list->path, list->line,
			       "a target is not ASCII: without SMTPUTF8 its mail may come back, or "
			       "is refused (smtputf8 in openrcpt.conf(5))");
	return true;
}

/* What can't be seen was not meant to be there, and takes mail to where nobody is. */
static bool check_seen(struct list *list, struct bytes value)
{
	bool may_be_meant = false;
	const char *name = bytes_are_ascii(value) ? NULL : character_unseen(value, &may_be_meant);
	struct error err;

	if (name == NULL)
		return true;
	error_fill(&err, EX_DATAERR, "%s in a target", name);
	if (may_be_meant || list->builder->is_lenient)
		report_warning(list->builder->report,
			       may_be_meant ? WARNING_UNSEEN : WARNING_LENIENT, list->path,
			       list->line, "%s", err.text);
	else
		refuse(list, err.text);
	return may_be_meant || list->builder->is_lenient;
}

static bool encode(struct list *list, const struct address_target *target)
{
	struct builder *builder = list->builder;
	const struct address *address = &target->address;
	uint32_t domain;
	char *at;
	size_t size;

	if (!target->keeps_user && !check_local(list, address))
		return true;
	if (!intern_domain(list, address->domain, &domain))
		return false;
	if (domain == 0)
		return true;
	at = buffer_extend(&builder->targets, WRITER_TARGET_ROOM + address->local.size);
	if (at == NULL)
		return stop(list, "the list is too long");
	size = writer_target(list->entry, address->local, domain, target->keeps_user, at);
	builder->targets.size -= WRITER_TARGET_ROOM + address->local.size - size;
	list->entry->target_count++;
	list->keeps_user |= target->keeps_user;
	return true;
}

bool row_targets_encode(struct builder *builder, struct writer_entry *entry, struct bytes value,
			const char *path, uint32_t line, bool *out_is_usable)
{
	struct list list = {
		.builder = builder,
		.entry = entry,
		.path = path,
		.line = line,
		.is_usable = true,
	};
	struct address_target target;
	struct error err;

	buffer_clear(&builder->targets);
	entry->target_count = 0;
	if (!check_seen(&list, value)) {
		*out_is_usable = false;
		return true;
	}
	for (;;) {
		switch (address_list_next(&value, &builder->arena, &target, &err)) {
		case ADDRESS_LIST_TARGET:
			if (!encode(&list, &target))
				return false;
			continue;
		case ADDRESS_LIST_ERROR:
			refuse_target(&list, err.text, LEFT_OUT);
			continue;
		case ADDRESS_LIST_NO_MEMORY:
			return stop(&list, "out of memory");
		case ADDRESS_LIST_END:
			break;
		}
		break;
	}
	if (list.is_usable && entry->target_count == 0)
		refuse(&list, "no address");
	else if (list.keeps_user && entry->target_count > 1)
		refuse(&list, "`@other` must be the only target");
	entry->targets = buffer_bytes(&builder->targets);
	*out_is_usable = list.is_usable;
	return true;
}
