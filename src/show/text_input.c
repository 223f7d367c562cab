/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/text_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

bool text_input_init(struct text_input *input, int fd, struct text_output *output,
		     struct error *err)
{
	*input = (struct text_input){ .fd = fd, .output = output };
	input->block = malloc(TEXT_INPUT_BLOCK_BYTES);
	return input->block != NULL || error_set_memory(err);
}

void text_input_free(struct text_input *input)
{
	free(input->block);
	*input = (struct text_input){ .fd = -1 };
}

static struct bytes without_carriage_return(struct bytes line)
{
	if (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	return line;
}

/* Take whole lines out of the block. */
static size_t take_lines(struct text_input *input, size_t most, struct bytes *lines)
{
	size_t count = 0;

	while (count < most && input->begin < input->end) {
		const char *line = input->block + input->begin;
		const char *newline = memchr(line, '\n', input->end - input->begin);

		if (newline == NULL)
			break;
		input->begin += (size_t)(newline - line) + 1;
		if (input->is_inside_long_line)
			input->is_inside_long_line = false;
		else
			lines[count++] =
				without_carriage_return(bytes_make(line, (size_t)(newline - line)));
	}
	return count;
}

/* The block holds no line end. Drop what is there; hand it out first if it begins a line. */
static size_t take_rest(struct text_input *input, struct bytes *lines)
{
	struct bytes rest = bytes_make(input->block + input->begin, input->end - input->begin);
	bool is_line = rest.size > 0 && !input->is_inside_long_line;

	input->is_inside_long_line = !input->is_at_end;
	input->begin = input->end;
	if (is_line)
		lines[0] = without_carriage_return(rest);
	return is_line ? 1 : 0;
}

/* Bring what is left to the front of the block and read more behind it. */
static bool fill(struct text_input *input, struct error *err)
{
	ssize_t count;

	(void)text_output_flush(input->output); /* text_output_finish() tells whether it failed */
	memmove(input->block, input->block + input->begin, input->end - input->begin);
	input->end -= input->begin;
	input->begin = 0;
	do
		count = read(input->fd, input->block + input->end,
			     TEXT_INPUT_BLOCK_BYTES - input->end);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return error_set_errno(err, EX_IOERR, "standard input");
	input->is_at_end = count == 0;
	input->end += (size_t)count;
	return true;
}

bool text_input_next(struct text_input *input, size_t most, struct bytes *out_lines,
		     size_t *out_count, struct error *err)
{
	size_t count = take_lines(input, most, out_lines);

	while (count == 0) {
		bool is_full = input->end - input->begin == TEXT_INPUT_BLOCK_BYTES;

		if (input->is_at_end || is_full)
			count = take_rest(input, out_lines);
		if (input->is_at_end || count > 0)
			break;
		if (!fill(input, err))
			return false;
		count = take_lines(input, most, out_lines);
	}
	*out_count = count;
	return true;
}
