/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/explain.h"

#include <stdint.h>

#include "mail/plain.h"
#include "show/print.h"

enum {
	/* What 100,000 recipients, the highest limit there is, can need. */
	ARENA_BYTES = 256 << 20,
};

/* What the appends below can't do, their buffer remembers; explain_address() hands it on. */
static void put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text);
}

static bool has_tree(const struct explain *explain)
{
	return explain->form.is_dot || (explain->form.is_verbose && !explain->form.is_json);
}

/* `virtual:12`, or nothing. */
static struct bytes place_of(struct explain *explain, const struct table_entry *entry)
{
	buffer_clear(&explain->scratch);
	if (entry != NULL)
		(void)print_place(explain->table, entry, &explain->scratch); /* empty: not known */
	buffer_take_failure(&explain->steps, &explain->scratch);
	return buffer_bytes(&explain->scratch);
}

static void add_json_step(void *context, struct bytes local, struct bytes domain, enum lookup found,
			  const struct table_entry *entry)
{
	struct explain *explain = context;
	struct json *json = &explain->steps_json;
	struct buffer *scratch = &explain->scratch;
	struct bytes place;

	json_object_begin(json);
	json_name(json, "key");
	buffer_clear(scratch);
	print_key(local, domain, scratch);
	json_printed(json, scratch);
	json_name(json, "found");
	/* Nobody can tell: neither true nor false. */
	if (found == LOOKUP_BROKEN)
		json_null(json);
	else
		json_boolean(json, found == LOOKUP_FOUND);
	json_name(json, "source");
	place = place_of(explain, found == LOOKUP_FOUND ? entry : NULL);
	if (place.size > 0)
		json_printed(json, scratch);
	else
		json_null(json);
	json_name(json, "value");
	buffer_clear(scratch);
	if (found == LOOKUP_FOUND && entry != NULL &&
	    print_value(explain->table, entry, scratch) == LOOKUP_FOUND)
		json_printed(json, scratch);
	else
		json_null(json);
	json_object_end(json);
}

/* As a field: what came from a client, and isn't ours, may have control bytes within its quotes. */
static void write_destination(const struct address *address, struct buffer *scratch,
			      struct buffer *out)
{
	if (plain_is_atoms(address->local)) {
		print_address(address->local, address->domain, out);
		return;
	}
	buffer_clear(scratch);
	print_address(address->local, address->domain, scratch);
	buffer_take_failure(out, scratch);
	print_field(buffer_bytes(scratch), out);
}

/* ---- from start to end ------------------------------------------------------------------- */

void explain_init(struct explain *explain, const struct table *table,
		  const struct resolve_limits *limits, const struct answer_texts *texts,
		  const struct explain_form *form)
{
	*explain = (struct explain){ .table = table, .texts = texts, .form = *form };
	explain->options = (struct resolve_options){ .limits = limits, .has_smtputf8 = true };
	if (has_tree(explain)) {
		explain_tree_init(&explain->tree, table, &explain->options);
	} else if (form->is_verbose) {
		explain->options.on_step = add_json_step;
		explain->options.context = explain;
	}
	arena_init(&explain->arena, ARENA_BYTES);
	buffer_init(&explain->steps, SIZE_MAX / 4);
	buffer_init(&explain->scratch, SIZE_MAX / 4);
}

void explain_free(struct explain *explain)
{
	arena_free(&explain->arena);
	buffer_free(&explain->steps);
	buffer_free(&explain->scratch);
	if (has_tree(explain))
		explain_tree_free(&explain->tree);
}

/* Where the mail goes, as it would be printed into an envelope. */
struct destination {
	const struct address *first; /* an address that stays itself */
	const struct recipient *recipients;
	size_t count;
};

static struct destination destination_of(const struct resolution *resolution,
					 const struct address *address)
{
	switch (resolution->verdict) {
	case VERDICT_FOREIGN:
	case VERDICT_DELIVER:
		return (struct destination){ .first = address, .count = 1 };
	case VERDICT_EXPAND:
		return (struct destination){
			.recipients = resolution->recipients,
			.count = resolution->recipient_count,
		};
	default:
		return (struct destination){ .count = 0 };
	}
}

static const struct address *destination_at(const struct destination *destination, size_t index)
{
	return destination->first != NULL ? destination->first
					  : &destination->recipients[index].address;
}

/* A column between two tabs. */
static void put_column(struct buffer *out, const char *text)
{
	size_t size = strlen(text);
	char *at = buffer_extend(out, size + 2);

	if (at == NULL)
		return;
	at[0] = '\t';
	memcpy(at + 1, text, size);
	at[size + 1] = '\t';
}

static void write_text(struct explain *explain, struct bytes text,
		       const struct resolution *resolution, const struct destination *destination,
		       const struct reply *reply, struct buffer *out)
{
	print_field(text, out);
	put_column(out, resolve_verdict_name(resolution->verdict));
	for (size_t i = 0; i < destination->count; i++) {
		if (i > 0)
			put(out, ", ");
		write_destination(destination_at(destination, i), &explain->scratch, out);
	}
	if (reply != NULL)
		(void)reply_print(reply, out); /* the buffer knows */
	(void)buffer_append_byte(out, '\n');   /* likewise */
}

/* In brackets, which no address has that isn't quoted. */
static void write_text_reason(struct explain *explain, const struct resolution *resolution,
			      struct buffer *out)
{
	if (resolution->reason == REASON_NONE)
		return;
	put(out, "\t(reason)\t");
	(void)reason_print(explain->table, resolution->reason, &resolution->detail,
			   out); /* the buffer knows */
	put(out, "\n");
}

static void write_tree(struct explain *explain, const struct resolution *resolution,
		       struct buffer *out)
{
	struct buffer *scratch = &explain->scratch;

	explain_tree_end(&explain->tree, resolution);
	if (!explain->form.is_dot) {
		tree_print_text(&explain->tree.tree, explain->form.is_coloured, out);
		write_text_reason(explain, resolution, out);
		return;
	}
	buffer_clear(scratch);
	(void)reason_print(explain->table, resolution->reason, &resolution->detail,
			   scratch); /* the buffer knows */
	buffer_take_failure(out, scratch);
	tree_print_dot(&explain->tree.tree, buffer_bytes(scratch), out);
}

static void write_json(struct explain *explain, struct bytes text,
		       const struct resolution *resolution, const struct destination *destination,
		       const struct reply *reply, struct buffer *out)
{
	struct buffer *scratch = &explain->scratch;
	struct json json;

	json_init(&json, out);
	json_object_begin(&json);
	json_name(&json, "address");
	json_string(&json, text);
	json_name(&json, "verdict");
	json_string(&json, bytes_of(resolve_verdict_name(resolution->verdict)));
	json_name(&json, "recipients");
	json_array_begin(&json);
	for (size_t i = 0; i < destination->count; i++) {
		buffer_clear(scratch);
		print_address(destination_at(destination, i)->local,
			      destination_at(destination, i)->domain, scratch);
		json_printed(&json, scratch);
	}
	json_array_end(&json);
	json_name(&json, "reply");
	buffer_clear(scratch);
	if (reply != NULL) {
		(void)reply_print(reply, scratch); /* the buffer knows */
		json_printed(&json, scratch);
	} else {
		json_null(&json);
	}
	json_name(&json, "reason");
	if (resolution->reason != REASON_NONE) {
		buffer_clear(scratch);
		(void)reason_print(explain->table, resolution->reason, &resolution->detail,
				   scratch); /* the buffer knows */
		json_printed(&json, scratch);
	} else {
		json_null(&json);
	}
	if (explain->form.is_verbose) {
		json_name(&json, "steps");
		json_written(&json, buffer_bytes(&explain->steps));
	}
	json_object_end(&json);
	put(out, "\n");
}

/* What counts is what the client hears: an entry's own 4xx defers, too. */
static void count_reply(struct explain *explain, const struct reply *reply)
{
	if (reply->code[0] == '4')
		explain->has_deferred = true;
	else
		explain->has_refused = true;
}

/* What is listened with begins anew. */
static void begin_steps(struct explain *explain, struct bytes text)
{
	buffer_clear(&explain->steps);
	json_init(&explain->steps_json, &explain->steps);
	if (explain->form.is_json && explain->form.is_verbose)
		json_array_begin(&explain->steps_json);
	if (has_tree(explain))
		explain_tree_begin(&explain->tree, text);
}

static void write_answer(struct explain *explain, struct bytes text,
			 const struct resolution *resolution, const struct destination *destination,
			 const struct reply *reply, struct buffer *out)
{
	const struct explain_form *form = &explain->form;

	if (form->is_json) {
		if (form->is_verbose)
			json_array_end(&explain->steps_json);
		write_json(explain, text, resolution, destination, reply, out);
		return;
	}
	if (!form->is_dot)
		write_text(explain, text, resolution, destination, reply, out);
	if (has_tree(explain))
		write_tree(explain, resolution, out);
}

void explain_address(struct explain *explain, struct bytes text, struct buffer *out)
{
	struct resolution resolution;
	struct address_path path = { .was_rewritten = false };
	struct destination destination;
	struct reply reply;
	bool has_reply;

	begin_steps(explain, text);
	resolve(explain->table, &explain->options, text, &explain->arena, &path, &resolution);
	has_reply =
		!answer_accepts(resolution.verdict) &&
		answer_make(&resolution, explain->texts,
			    answer_address(&path, text, &explain->arena), &explain->arena, &reply);
	if (has_reply)
		count_reply(explain, &reply);
	/* The MTA completes what it leaves in place. */
	if (path.address.domain.size == 0)
		path.address.domain = table_rules(explain->table)->origin;
	destination = destination_of(&resolution, &path.address);
	write_answer(explain, text, &resolution, &destination, has_reply ? &reply : NULL, out);
	buffer_take_failure(out, &explain->steps);
	arena_clear(&explain->arena);
}
