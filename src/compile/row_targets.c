/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_targets.h"

#include <sysexits.h>

#include "mail/address.h"
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

static void refuse_for(struct list *list, const struct error *err)
{
	report_error(list->builder->report, err->status, list->path, list->line, "%s", err->text);
	list->is_usable = false;
}

static void refuse(struct list *list, const char *what)
{
	report_error(list->builder->report, EX_DATAERR, list->path, list->line, "%s", what);
	list->is_usable = false;
}

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
		refuse(list, "a target's domain is not a domain");
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
	report_error(builder->report, err->status, list->path, list->line, "%s", err->text);
	return false;
}

static void check_local(struct list *list, const struct address *address)
{
	struct builder *builder = list->builder;

	if (address->local.data[0] == '#' && address->domain.size == 0)
		refuse(list, "# begins no comment here: a comment has its own line");
	else if (bytes_contain(address->local, '%') || bytes_contain(address->local, '!'))
		refuse(list, "a target has % or ! in its local part (sender-specified routing)");
	else if (bytes_contain(address->local, '@') && !builder->is_lenient)
		refuse(list, "a target has @ in its local part (sender-specified routing)");
	if (!bytes_are_ascii(address->local))
		report_warning(builder->report, list->path, list->line,
			       "a target is not ASCII: without SMTPUTF8 its mail may come back, or "
			       "is refused (smtputf8 in openrcpt.conf(5))");
}

static bool encode(struct list *list, const struct address_target *target)
{
	struct builder *builder = list->builder;
	const struct address *address = &target->address;
	uint32_t domain;
	char *at;
	size_t size;

	if (!target->keeps_user)
		check_local(list, address);
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
	for (;;) {
		switch (address_list_next(&value, &builder->arena, &target, &err)) {
		case ADDRESS_LIST_TARGET:
			if (!encode(&list, &target))
				return false;
			continue;
		case ADDRESS_LIST_ERROR:
			refuse_for(&list, &err);
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
	if (list.keeps_user && entry->target_count > 1)
		refuse(&list, "`@other` must be the only target");
	entry->targets = buffer_bytes(&builder->targets);
	*out_is_usable = list.is_usable;
	return true;
}
