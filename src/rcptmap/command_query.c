/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "rcptmap/input.h"
#include "rcptmap/sink.h"
#include "rcptmap/print.h"
#include "rcptmap/question.h"
#include "rcptmap/query.h"
#include "rcptmap/tool.h"

enum {
	/* A batch of the longest lines there can be, folded. */
	ARENA_BYTES = 1 << 22,
};

struct query {
	const struct table *table;
	struct sink sink;
	struct arena arena;
	bool shows_key;
	bool has_found;
};

static bool show(struct query *query, const struct question *question, struct error *err)
{
	struct buffer *out = &query->sink.text;

	if (question->found == LOOKUP_ABSENT)
		return true;
	if (question->found == LOOKUP_FOUND && query->shows_key) {
		if (question->is_plain)
			(void)buffer_append(out, question->text); /* failures: sink_finish() */
		else
			print_field(question->text, out);
		(void)buffer_append_byte(out, '\t'); /* likewise */
	}
	if (question->found == LOOKUP_BROKEN ||
	    (question->declaration == NULL &&
	     print_value(query->table, &question->entry, out) != LOOKUP_FOUND))
		return error_set(err, EX_DATAERR, "%.*s: the table is damaged, or memory is short",
				 (int)bytes_first(question->text, 256).size, question->text.data);
	if (question->declaration != NULL)
		(void)buffer_append_text(out, question->declaration); /* sink_finish() */
	(void)buffer_append_byte(out, '\n');                          /* likewise */
	query->has_found = true;
	return sink_advance(&query->sink);
}

static bool answer(struct query *query, struct question *questions, size_t count, struct error *err)
{
	question_answer(query->table, questions, count, &query->arena);
	for (size_t i = 0; i < count; i++)
		if (!show(query, &questions[i], err))
			return false;
	arena_clear(&query->arena);
	return true;
}

static bool answer_input(struct query *query, struct error *err)
{
	struct question questions[QUESTION_BATCH];
	struct bytes lines[QUESTION_BATCH];
	struct input input;
	size_t count;
	bool is_done;

	if (!input_init(&input, STDIN_FILENO, &query->sink, err))
		return false;
	do {
		is_done = input_next(&input, QUESTION_BATCH, lines, &count, err);
		for (size_t i = 0; is_done && i < count; i++)
			questions[i].text = lines[i];
		is_done = is_done && answer(query, questions, count, err);
	} while (is_done && count > 0);
	input_free(&input);
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
			is_done = answer(query, &question, 1, err);
		}
	}
	return is_done;
}

int query_run(const struct table *table, char **keys, int count)
{
	struct query query = { .table = table };
	struct error err = { 0 };
	struct error sink_error;
	bool is_done;

	sink_init(&query.sink, STDOUT_FILENO);
	arena_init(&query.arena, ARENA_BYTES);
	is_done = answer_keys(&query, keys, count, &err);
	arena_free(&query.arena);
	if (!sink_finish(&query.sink, &sink_error))
		return tool_fail(&sink_error);
	if (!is_done)
		return tool_fail(&err);
	return query.has_found ? EX_OK : 1;
}

int command_query(const struct options *options)
{
	struct error err;
	struct table *table = tool_open_table(options, &err);
	int status;

	if (table == NULL)
		return tool_fail(&err);
	status = query_run(table, options->operands, options->operand_count);
	table_close(table);
	return status;
}
