/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/text_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

struct reading {
	struct text_output output;
	struct text_input input;
};

/* Begin to read TEXT from a file. */
static void begin(struct reading *reading, struct bytes text)
{
	int fd = memfd_create("lines", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.data, text.size), text.size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	text_output_init(&reading->output, STDOUT_FILENO);
	assert_true(text_input_init(&reading->input, fd, &reading->output, NULL));
}

static void end(struct reading *reading)
{
	assert_int_equal(close(reading->input.fd), 0);
	text_input_free(&reading->input);
	assert_true(text_output_finish(&reading->output, NULL));
}

/* All lines of TEXT, each followed by `|`, whatever the size of a batch. */
static void expect_lines(const char *text, const char *expected)
{
	for (size_t most = 1; most <= 4; most++) {
		struct reading reading;
		struct bytes lines[4];
		struct buffer all;
		size_t count;

		begin(&reading, bytes_of(text));
		buffer_init(&all, 4096);
		assert_true(buffer_append_text(&all, ""));
		do {
			assert_true(text_input_next(&reading.input, most, lines, &count, NULL));
			assert_true(count <= most);
			for (size_t i = 0; i < count; i++) {
				assert_true(buffer_append(&all, lines[i]));
				assert_true(buffer_append_byte(&all, '|'));
			}
		} while (count > 0);
		assert_string_equal(all.data, expected);
		buffer_free(&all);
		end(&reading);
	}
}

static void lines_end_with_lf_or_cr_lf_or_the_input(void **state)
{
	(void)state;
	expect_lines("", "");
	expect_lines("one", "one|");
	expect_lines("one\n", "one|");
	expect_lines("one\ntwo\r\nthree\n\nfive", "one|two|three||five|");
	expect_lines("a\rb\n\r\n\r", "a\rb|||");
}

/* COUNT bytes `x`, a line end, and a short line. */
static void expect_long(size_t count, size_t seen)
{
	char *text = malloc(count + 7);
	struct reading reading;
	struct bytes lines[4];
	size_t found;

	assert_non_null(text);
	memset(text, 'x', count);
	memcpy(text + count, "\nshort\n", 7);
	begin(&reading, bytes_make(text, count + 7));
	assert_true(text_input_next(&reading.input, 1, lines, &found, NULL));
	assert_int_equal(found, 1);
	assert_int_equal(lines[0].size, seen);
	assert_true(text_input_next(&reading.input, 1, lines, &found, NULL));
	assert_int_equal(found, 1);
	assert_true(bytes_equal(lines[0], bytes_of("short")));
	assert_true(text_input_next(&reading.input, 1, lines, &found, NULL));
	assert_int_equal(found, 0);
	end(&reading);
	free(text);
}

static void of_an_endless_line_the_beginning_is_seen(void **state)
{
	(void)state;
	expect_long(TEXT_INPUT_BLOCK_BYTES - 1, TEXT_INPUT_BLOCK_BYTES - 1);
	expect_long(TEXT_INPUT_BLOCK_BYTES, TEXT_INPUT_BLOCK_BYTES);
	expect_long(TEXT_INPUT_BLOCK_BYTES + 1, TEXT_INPUT_BLOCK_BYTES);
	expect_long(5 * (size_t)TEXT_INPUT_BLOCK_BYTES + 17, TEXT_INPUT_BLOCK_BYTES);
}

static void many_blocks_lose_nothing(void **state)
{
	enum { LINES = 100000 };
	struct buffer text;
	struct reading reading;
	struct bytes lines[32];
	size_t count;
	size_t seen = 0;

	(void)state;
	buffer_init(&text, 1 << 24);
	for (int i = 0; i < LINES; i++)
		assert_true(buffer_append_format(&text, "line number %d\n", i));
	begin(&reading, buffer_bytes(&text));
	do {
		assert_true(text_input_next(&reading.input, 32, lines, &count, NULL));
		for (size_t i = 0; i < count; i++) {
			char expected[32];

			(void)snprintf(expected, sizeof(expected), "line number %zu", seen++);
			assert_true(bytes_equal(lines[i], bytes_of(expected)));
		}
	} while (count > 0);
	assert_int_equal(seen, LINES);
	end(&reading);
	buffer_free(&text);
}

static void what_was_answered_leaves_before_it_waits(void **state)
{
	struct reading reading;
	struct bytes lines[1];
	size_t count;
	int ends[2];
	char answer[8];

	(void)state;
	begin(&reading, bytes_of("question\n"));
	assert_int_equal(pipe(ends), 0);
	reading.output.fd = ends[1];
	assert_true(text_input_next(&reading.input, 1, lines, &count, NULL));
	assert_true(buffer_append_text(&reading.output.text, "answer"));
	assert_true(text_input_next(&reading.input, 1, lines, &count, NULL));
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(read(ends[0], answer, sizeof(answer)), 6);
	assert_int_equal(close(ends[0]), 0);
	end(&reading);
}

static void an_input_that_fails_says_so(void **state)
{
	struct reading reading;
	struct bytes lines[1];
	struct error err;
	size_t count;
	int fd;

	(void)state;
	begin(&reading, bytes_of(""));
	fd = reading.input.fd;
	reading.input.fd = -1;
	assert_false(text_input_next(&reading.input, 1, lines, &count, &err));
	assert_int_equal(err.status, EX_IOERR);
	reading.input.fd = fd;
	end(&reading);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_lf_or_cr_lf_or_the_input),
		cmocka_unit_test(of_an_endless_line_the_beginning_is_seen),
		cmocka_unit_test(many_blocks_lose_nothing),
		cmocka_unit_test(what_was_answered_leaves_before_it_waits),
		cmocka_unit_test(an_input_that_fails_says_so),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
