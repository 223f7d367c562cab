/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "rcptmap/key_batch.h"
#include "show/print.h"
#include "show/text_input.h"
#include "show/text_output.h"

enum {
	/* A batch of the longest lines there can be, folded. */
	ARENA_BYTES = 1 << 22,
	SHOWN_BYTES = 2048,
};

struct query {
	const struct table *table;
	struct text_output output;
	struct arena arena;
	bool shows_key;
	bool has_found;
	bool has_doubt;
};

/* Nobody can tell what this key leads to; the others are answered all the same. */
static void report_doubt(struct query *query, const struct question *question)
{
	struct buffer shown;

	buffer_init(&shown, SHOWN_BYTES);
	print_field(bytes_first(question->text, SHOWN_BYTES / 8), &shown);
	(void)fprintf(stderr, /* no place to say it failed */
		      "rcptmap: " BYTES_FORMAT
		      ": can't be told: a limit is reached, or the table is damaged\n",
		      BYTES_ARGS(buffer_bytes(&shown)));
	buffer_free(&shown);
	query->has_doubt = true;
}

/* Append a line; false: there is nothing that could be told. Failures: text_output_finish(). */
static bool write_line(struct query *query, const struct question *question)
{
	struct buffer *out = &query->output.text;

	if (question->found != LOOKUP_FOUND)
		return false;
	if (query->shows_key && question->is_plain)
		(void)buffer_append(out, question->text);
	else if (query->shows_key)
		print_field(question->text, out);
	if (query->shows_key)
		(void)buffer_append_byte(out, '\t');
	if (question->declaration != NULL)
		(void)buffer_append_text(out, question->declaration);
	else if (print_value(query->table, &question->entry, out) != LOOKUP_FOUND)
		return false;
	(void)buffer_append_byte(out, '\n');
	return true;
}

/* False: nothing can be written any more. */
static bool show(struct query *query, const struct question *question)
{
	size_t begin = query->output.text.size;

	if (question->found == LOOKUP_ABSENT)
		return true;
	if (write_line(query, question)) {
		query->has_found = true;
	} else {
		query->output.text.size = begin;
		report_doubt(query, question);
	}
	return text_output_advance(&query->output);
}

static bool answer(struct query *query, struct question *questions, size_t count)
{
	bool goes_on = true;

	key_batch_answer(query->table, questions, count, &query->arena);
	for (size_t i = 0; i < count && goes_on; i++)
		goes_on = show(query, &questions[i]);
	arena_clear(&query->arena);
	return goes_on;
}

static bool answer_input(struct query *query, struct error *err)
{
	struct question questions[KEY_BATCH_MAX];
	struct bytes lines[KEY_BATCH_MAX];
	struct text_input input;
	size_t count;
	bool is_done;

	if (!text_input_init(&input, STDIN_FILENO, &query->output, err))
		return false;
	do {
		is_done = text_input_next(&input, KEY_BATCH_MAX, lines, &count, err);
		for (size_t i = 0; is_done && i < count; i++)
			questions[i].text = lines[i];
		is_done = is_done && answer(query, questions, count);
	} while (is_done && count > 0);
	text_input_free(&input);
	return is_done;
}

static bool answer_keys(struct query *query, char **keys, int count, struct error *err)
{
	bool is_done = true;

	query->shows_key = count > 1;
	for (int i = 0; i < count && is_done; i++) {
		struct question question = { .text = bytes_of(keys[i]) };

		if (strcmp(keys[i], "-") == 0) {
			query->shows_key = true;
			is_done = answer_input(query, err);
		} else {
			is_done = answer(query, &question, 1);
		}
	}
	return is_done;
}

int command_query_keys(const struct table *table, char **keys, int count)
{
	struct query query = { .table = table };
	struct error err = { 0 };
	struct error sink_error;
	bool is_done;

	text_output_init(&query.output, STDOUT_FILENO);
	arena_init(&query.arena, ARENA_BYTES);
	is_done = answer_keys(&query, keys, count, &err);
	arena_free(&query.arena);
	if (!text_output_finish(&query.output, &sink_error))
		return command_fail(&sink_error);
	if (!is_done)
		return command_fail(&err);
	if (query.has_doubt)
		return EX_TEMPFAIL;
	return query.has_found ? EX_OK : 1;
}

int command_query(const struct options *options)
{
	struct error err;
	struct table *table = command_open_table(options, &err);
	int status;

	if (table == NULL)
		return command_fail(&err);
	status = command_query_keys(table, options->operands, options->operand_count);
	table_close(table);
	return status;
}
