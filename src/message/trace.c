/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/trace.h"

#include "mail/address.h"
#include "resolve/answer.h"
#include "service/log.h"

/* Whatever has no room or no memory is missing from a line, which is better than no line. */

static void begin_line(const struct trace *trace, struct buffer *out_line)
{
	buffer_init(out_line, LOG_LINE_MAX);
	(void)address_escape(trace->recipient, false, out_line);
	(void)buffer_append_text(out_line, ": ");
}

static void end_line(struct buffer *line)
{
	log_line(SEVERITY_DEBUG, BYTES_FORMAT, BYTES_ARGS(buffer_bytes(line)));
	buffer_free(line);
}

/* `user@domain`, `user` or `@domain`, as keys are written. */
static void print_key(struct bytes local, struct bytes domain, struct buffer *out_line)
{
	(void)address_escape(local, false, out_line);
	if (domain.size == 0)
		return;
	(void)buffer_append_byte(out_line, '@');
	(void)address_escape(domain, false, out_line);
}

void trace_place(struct bytes source, uint32_t line, struct buffer *out_line)
{
	size_t begin = out_line->size;

	(void)address_escape(source, false, out_line); /* marked, as the rest */
	if (table_source_is_database(source))
		for (size_t i = begin; i < out_line->size; i++)
			if (out_line->data[i] == ' ')
				out_line->data[i] = ':';
	if (line == 0)
		return;
	(void)buffer_append_byte(out_line, ':');
	(void)buffer_append_number(out_line, line);
}

static void print_place(const struct trace *trace, const struct table_entry *entry,
			struct buffer *out_line)
{
	struct bytes source;
	uint32_t line;

	if (table_provenance(trace->table, entry, &source, &line) != LOOKUP_FOUND)
		return;
	(void)buffer_append_text(out_line, ", source=");
	trace_place(source, line, out_line);
}

static void on_step(void *context, struct bytes key_local, struct bytes key_domain,
		    enum lookup found, const struct table_entry *entry)
{
	static const char *const words[] = {
		[LOOKUP_FOUND] = ": found",
		[LOOKUP_ABSENT] = ": not found",
		[LOOKUP_BROKEN] = ": can't be told",
	};
	const struct trace *trace = context;
	struct buffer line;

	begin_line(trace, &line);
	(void)buffer_append_text(&line, "key ");
	print_key(key_local, key_domain, &line);
	(void)buffer_append_text(&line, words[found]);
	if (entry != NULL)
		print_place(trace, entry, &line);
	end_line(&line);
}

static void on_dead_end(void *context, const struct address *target,
			const struct table_entry *entry)
{
	const struct trace *trace = context;
	struct buffer line;

	begin_line(trace, &line);
	(void)buffer_append_text(&line, "target ");
	print_key(target->local, target->domain, &line);
	(void)buffer_append_text(&line, table_rules(trace->table)->keeps_dead_ends
						? ": kept, though it could only bounce"
						: ": left out, it could only bounce");
	print_place(trace, entry, &line);
	end_line(&line);
}

void trace_begin(struct trace *trace, const struct table *table, struct bytes recipient,
		 struct resolve_options *options)
{
	*trace = (struct trace){ .table = table, .recipient = recipient };
	if (!log_has_debug())
		return;
	options->on_step = on_step;
	options->on_dead_end = on_dead_end;
	options->context = trace;
}

/* Mail goes to the others, and somebody has to be told of the one. */
static void warn_of_missing(const struct trace *trace, const struct resolution *resolution)
{
	struct buffer line;
	size_t recipient_size;

	buffer_init(&line, LOG_LINE_MAX);
	(void)address_escape(trace->recipient, false, &line);
	recipient_size = line.size;
	(void)reason_print(trace->table, resolution->reason, &resolution->detail, &line);
	log_line(SEVERITY_WARNING, BYTES_FORMAT ": a target is left out, reason=" BYTES_FORMAT,
		 BYTES_ARGS(bytes_first(buffer_bytes(&line), recipient_size)),
		 BYTES_ARGS(bytes_skip(buffer_bytes(&line), recipient_size)));
	buffer_free(&line);
}

void trace_end(const struct trace *trace, const struct resolution *resolution)
{
	struct buffer line;

	if (answer_accepts(resolution->verdict) && resolution->reason != REASON_NONE)
		warn_of_missing(trace, resolution);
	if (!log_has_debug())
		return;
	begin_line(trace, &line);
	(void)buffer_append_text(&line, resolve_verdict_name(resolution->verdict));
	for (size_t i = 0; i < resolution->recipient_count && !line.has_failed; i++) {
		(void)buffer_append_text(&line, i == 0 ? " " : ", ");
		print_key(resolution->recipients[i].address.local,
			  resolution->recipients[i].address.domain, &line);
	}
	if (resolution->reason != REASON_NONE)
		(void)buffer_append_text(&line, ", reason=");
	(void)reason_print(trace->table, resolution->reason, &resolution->detail, &line);
	end_line(&line);
}
