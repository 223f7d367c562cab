/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_entry.h"

#include <sysexits.h>

#include "compile/row_domain.h"
#include "compile/row_plain.h"
#include "compile/row_reply.h"
#include "compile/row_targets.h"
#include "mail/address.h"
#include "mail/characters.h"
#include "mail/fold.h"

struct builder_word {
	struct builder_word *next;
	struct bytes domain; /* folded */
	struct bytes local;
	struct bytes value;
	const char *path; /* the settings' or the command line's, which outlive the builder */
	uint32_t line;
	uint32_t global_line;
	bool is_key; /* it is none yet, and becomes one if nothing says that it is a domain */
};

/* One row on its way to the writer. */
struct work {
	struct builder *builder;
	const char *path;
	uint32_t line; /* in its file */
	struct writer_entry entry;
};

static bool stop(struct work *work, const char *what)
{
	report_error(work->builder->report, EX_OSERR, work->path, work->line, "%s", what);
	return false;
}

/* The writer knows why it failed: memory, disk, or too much for a table. */
static bool stop_writer(struct work *work)
{
	const struct error *err = table_writer_error(work->builder->writer);

	report_stop(work->builder->report, err->status, work->path, work->line, "%s", err->text);
	return false;
}

/* ---- keys ------------------------------------------------------------------------------- */

/* Complete, fold and intern KEY into work->entry. *out_is_usable false: reported. */
static bool set_key(struct work *work, const struct address *key, bool *out_is_usable)
{
	struct builder *builder = work->builder;
	struct bytes domain = { NULL, 0 };
	enum fold_outcome outcome = fold_local(key->local, &builder->arena, &work->entry.local);

	*out_is_usable = false;
	if (outcome == FOLD_OK && key->domain.size > 0)
		outcome = fold_domain(key->domain, &builder->arena, &domain);
	if (outcome == FOLD_NO_MEMORY)
		return stop(work, "out of memory");
	if (outcome == FOLD_INVALID) {
		report_error(builder->report, EX_DATAERR, work->path, work->line,
			     "the key has characters that no address may have");
		return true;
	}
	if (work->entry.local.size > WRITER_KEY_LOCAL_MAX) {
		report_error(builder->report, EX_DATAERR, work->path, work->line,
			     "the local part of a key has more than %d bytes",
			     (int)WRITER_KEY_LOCAL_MAX);
		return true;
	}
	work->entry.domain = key->domain.size > 0 ? writer_domain(builder->writer, domain)
						  : builder->bare_domain;
	*out_is_usable = true;
	return work->entry.domain != 0 || stop_writer(work);
}

/* What can't be seen in a key was not meant to be there, and nobody will ever write it. */
static bool check_seen(const struct work *work, struct bytes key)
{
	bool may_be_meant = false;
	const char *name = bytes_are_ascii(key) ? NULL : character_unseen(key, &may_be_meant);

	if (name == NULL)
		return true;
	if (may_be_meant)
		report_warning(work->builder->report, WARNING_UNSEEN, work->path, work->line,
			       "the key has %s in it", name);
	else
		report_error(work->builder->report, EX_DATAERR, work->path, work->line,
			     "the key has %s in it", name);
	return may_be_meant;
}

static bool check_key(struct work *work, const struct address *key, bool is_catch_all)
{
	struct builder *builder = work->builder;
	struct error err;

	if (!is_catch_all && !address_check(key, &err)) {
		report_error(builder->report, err.status, work->path, work->line, "key: %s",
			     err.text);
		return false;
	}
	if (!address_has_routing(key))
		return true;
	if (builder->is_lenient) {
		report_warning(builder->report, WARNING_LENIENT, work->path, work->line,
			       "no client can reach a key with @, %% or ! in its local part");
		return true;
	}
	report_error(builder->report, EX_DATAERR, work->path, work->line,
		     "key: @, %% or ! in the local part (sender-specified routing)");
	return false;
}

/* ---- values ----------------------------------------------------------------------------- */

static bool set_reply(struct work *work, struct bytes value, bool *out_is_usable)
{
	struct error err;

	*out_is_usable = row_reply_parse(value, &work->builder->arena, &work->entry.reply, &err);
	work->entry.kind = TABLE_ENTRY_REPLY;
	if (!*out_is_usable)
		*out_is_usable = row_targets_refuse(work->builder, &work->entry, work->path,
						    work->line, &err);
	return true;
}

static bool set_value(struct work *work, struct bytes value, bool *out_is_usable)
{
	struct builder *builder = work->builder;

	if (bytes_begin_with(value, bytes_of("error:")))
		return set_reply(work, bytes_skip(value, 6), out_is_usable);
	if (bytes_begin_with(value, bytes_of("discard:"))) {
		work->entry.kind = TABLE_ENTRY_DISCARD;
		work->entry.reply = bytes_skip(value, 8);
		*out_is_usable = true;
		return true;
	}
	work->entry.kind = TABLE_ENTRY_TARGETS;
	*out_is_usable = row_plain_targets(builder, &work->entry, value);
	if (*out_is_usable)
		return true;
	return row_targets_encode(builder, &work->entry, value, work->path, work->line,
				  out_is_usable);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* The value was refused, with an error: let the key be known to the proof. */
static bool stand_in(struct work *work, size_t errors_before)
{
	if (!work->builder->stands_in || work->builder->report->errors == errors_before)
		return true;
	work->entry.kind = TABLE_ENTRY_REPLY;
	work->entry.reply = bytes_of("451 4.3.0 Wrong line");
	work->entry.yields = true;
	work->entry.target_count = 0;
	work->entry.targets = bytes_make(NULL, 0);
	return writer_add(work->builder->writer, &work->entry) || stop_writer(work);
}

static bool add_entry(struct work *work, const struct source_row *row, const struct address *key,
		      bool is_catch_all)
{
	size_t errors = work->builder->report->errors;
	bool is_usable;

	if (!check_key(work, key, is_catch_all))
		return true;
	if (!set_key(work, key, &is_usable))
		return false;
	if (!is_usable)
		return true;
	if (!set_value(work, row->value, &is_usable))
		return false;
	if (!is_usable)
		return stand_in(work, errors);
	return writer_add(work->builder->writer, &work->entry) || stop_writer(work);
}

/* A known mailbox: maps to itself, unless another entry has the same key. */
static bool add_recipient(struct work *work, const struct address *key)
{
	bool is_usable, is_added;
	char self[WRITER_TARGET_ROOM + WRITER_KEY_LOCAL_MAX];

	if (!check_key(work, key, false))
		return true;
	if (!set_key(work, key, &is_usable) || !is_usable)
		return !is_usable;
	work->entry.kind = TABLE_ENTRY_TARGETS;
	work->entry.yields = true;
	work->entry.target_count = 1;
	work->entry.targets = bytes_make(self, writer_target(&work->entry, work->entry.local,
							     work->entry.domain, false, self));
	is_added = writer_add(work->builder->writer, &work->entry);
	work->entry.targets = bytes_make(NULL, 0); /* self ends here */
	return is_added || stop_writer(work);
}

/* ---- words ------------------------------------------------------------------------------ */

/* The row of a bare word may declare a domain: remember it, for the end. */
static bool remember_word(struct work *work, struct bytes name, struct bytes local,
			  struct bytes value, bool is_key)
{
	struct builder *builder = work->builder;
	struct builder_word *word = arena_alloc(&builder->words_arena, sizeof(*word));
	struct bytes domain;
	enum fold_outcome outcome = fold_domain(name, &builder->arena, &domain);

	if (outcome == FOLD_INVALID)
		return true; /* then it is a user only */
	if (outcome == FOLD_NO_MEMORY || word == NULL)
		return stop(work, "out of memory");
	*word = (struct builder_word){
		.next = builder->words,
		.path = work->path,
		.line = work->line,
		.global_line = work->entry.global_line,
		.is_key = is_key,
	};
	if (!arena_copy(&builder->words_arena, domain, &word->domain) ||
	    !arena_copy(&builder->words_arena, local, &word->local) ||
	    !arena_copy(&builder->words_arena, value, &word->value))
		return stop(work, "out of memory");
	builder->words = word;
	return true;
}

/* Nothing else says that it is a domain: it becomes one, and a user as well, as for Postfix. */
static bool settle_as_both(struct builder *builder, const struct builder_word *word)
{
	const struct row_place place = { .path = word->path, .line = word->line };
	const struct source_row row = { .value = word->value };
	const struct address key = { .local = word->local };
	struct work work = {
		.builder = builder,
		.path = word->path,
		.line = word->line,
		.entry = { .global_line = word->global_line },
	};

	report_warning(builder->report, WARNING_AMBIGUOUS, place.path, place.line,
		       BYTES_FORMAT
		       " is taken for a local user and for an alias domain: put quotes "
		       "around the user, or the domain into alias_domains",
		       BYTES_ARGS(word->local));
	arena_clear(&builder->arena);
	return add_entry(&work, &row, &key, false) &&
	       row_domain_declare(builder, word->domain, &place);
}

static bool settle_word(struct builder *builder, const struct builder_word *word)
{
	const struct row_place place = { .path = word->path, .line = word->line };
	uint32_t domain = writer_domain(builder->writer, word->domain);

	if (domain == 0)
		return false;
	if ((writer_domain_get_flags(builder->writer, domain) & TABLE_DOMAIN_PROBED) != 0)
		return row_domain_declare(builder, word->domain, &place);
	return !word->is_key || settle_as_both(builder, word);
}

/* In the order of their rows, which are remembered last first. */
bool row_entry_settle_words(struct builder *builder)
{
	struct builder_word *reversed = NULL;

	while (builder->words != NULL) {
		struct builder_word *word = builder->words;

		builder->words = word->next;
		word->next = reversed;
		reversed = word;
	}
	for (const struct builder_word *word = reversed; word != NULL; word = word->next)
		if (!settle_word(builder, word))
			return false;
	return true;
}

/* ---- rows ------------------------------------------------------------------------------- */

/* A row whose KEY has no domain: is it a user's? */
static bool add_word(struct work *work, const struct source_row *row, const struct address *key)
{
	const struct row_place place = { .path = work->path, .line = work->line };
	struct bytes name;

	switch (row_domain_judge(work->builder, row->key, key->local, row->value, &place, &name)) {
	case ROW_WORD_WRONG:
		return true;
	case ROW_WORD_DOMAIN:
		return row_domain_declare(work->builder, name, &place);
	case ROW_WORD_EITHER:
		return remember_word(work, name, name, row->value, true);
	case ROW_WORD_LIST:
		return remember_word(work, name, name, bytes_make("", 0), false) &&
		       add_entry(work, row, &(struct address){ .local = name }, false);
	case ROW_WORD_USER:
		break;
	}
	return add_entry(work, row, key, false);
}

bool row_entry_add(struct builder *builder, const struct source_row *row, const char *path,
		   uint32_t global_line)
{
	struct work work = {
		.builder = builder,
		.path = path,
		.line = row->line,
		.entry = { .global_line = global_line },
	};
	const struct row_place place = { .path = path, .line = row->line };
	struct address key;
	bool is_catch_all;
	struct error err;

	if (!check_seen(&work, row->key))
		return true;
	if (row->kind == SOURCE_ROW_DOMAIN)
		return row_domain_declare(builder, row->key, &place);
	if (row->kind == SOURCE_ROW_MAILBOX_DOMAIN)
		return row_domain_declare_mailbox(builder, row->key, &place);
	if (row->kind == SOURCE_ROW_USER) {
		key = (struct address){ .local = row->key };
		return add_entry(&work, row, &key, false);
	}
	if (!address_parse_key(row->key, &builder->arena, &key, &is_catch_all, &err)) {
		report_error(builder->report, err.status, path, row->line, "%s", err.text);
		return true;
	}
	if (row->kind == SOURCE_ROW_RECIPIENT)
		return add_recipient(&work, &key);
	if (key.domain.size == 0 && !is_catch_all)
		return add_word(&work, row, &key);
	return add_entry(&work, row, &key, is_catch_all);
}
