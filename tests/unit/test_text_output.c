/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/text_output.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORTH = 128 * 1024 };

static struct error err;

static size_t written_to(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);

	assert_true(end >= 0);
	return (size_t)end;
}

static void append(struct text_output *output, size_t size)
{
	char *at = buffer_extend(&output->text, size);

	assert_non_null(at);
	memset(at, 'x', size);
}

static void little_waits_for_the_end(void **state)
{
	int fd = memfd_create("output", 0);
	struct text_output output;
	char text[16];

	(void)state;
	text_output_init(&output, fd);
	assert_true(buffer_append_text(&output.text, "one\n"));
	assert_true(text_output_advance(&output));
	assert_int_equal(written_to(fd), 0);
	assert_true(buffer_append_text(&output.text, "two\n"));
	assert_true(text_output_finish(&output, &err));
	assert_int_equal(pread(fd, text, sizeof(text), 0), 8);
	assert_memory_equal(text, "one\ntwo\n", 8);
	assert_int_equal(close(fd), 0);
}

static void much_is_written_at_once(void **state)
{
	int fd = memfd_create("output", 0);
	struct text_output output;

	(void)state;
	text_output_init(&output, fd);
	append(&output, WORTH - 1);
	assert_true(text_output_advance(&output));
	assert_int_equal(written_to(fd), 0);
	append(&output, 1);
	assert_true(text_output_advance(&output));
	assert_int_equal(written_to(fd), WORTH);
	assert_int_equal(output.text.size, 0);
	append(&output, 5);
	assert_true(text_output_flush(&output));
	assert_int_equal(written_to(fd), WORTH + 5);
	assert_true(text_output_finish(&output, &err));
	assert_int_equal(written_to(fd), WORTH + 5);
	assert_int_equal(close(fd), 0);
}

static void nothing_is_all_written(void **state)
{
	struct text_output output;

	(void)state;
	text_output_init(&output, -1);
	assert_true(text_output_advance(&output));
	assert_true(text_output_finish(&output, &err));
}

static void a_full_disk_is_told(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct text_output output;

	(void)state;
	assert_true(fd >= 0);
	text_output_init(&output, fd);
	append(&output, WORTH);
	assert_false(text_output_advance(&output));
	/* And remembered, though no text is left. */
	assert_false(text_output_flush(&output));
	assert_false(text_output_finish(&output, &err));
	assert_int_equal(err.status, EX_IOERR);
	assert_string_equal(err.text, "standard output: No space left on device");
	text_output_init(&output, fd);
	append(&output, 1);
	assert_false(text_output_finish(&output, NULL));
	assert_int_equal(close(fd), 0);
}

static void who_has_seen_enough_is_told_nothing(void **state)
{
	struct text_output output;
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(close(ends[0]), 0);
	text_output_init(&output, ends[1]);
	append(&output, 1);
	assert_false(text_output_finish(&output, &err));
	assert_int_equal(err.status, EX_IOERR);
	assert_string_equal(err.text, "");
	assert_int_equal(close(ends[1]), 0);
}

/* What was appended before it may be written; that something is missing is told at the end. */
static void lack_of_memory_is_remembered(void **state)
{
	int fd = memfd_create("output", 0);
	struct text_output output;

	(void)state;
	text_output_init(&output, fd);
	output.text.limit = 10;
	append(&output, 10);
	assert_false(buffer_append_byte(&output.text, 'x'));
	assert_false(text_output_advance(&output));
	output.text.limit = SIZE_MAX / 4;
	assert_false(text_output_advance(&output));
	assert_false(text_output_finish(&output, &err));
	assert_int_equal(err.status, EX_OSERR);
	assert_string_equal(err.text, "out of memory");
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_waits_for_the_end),
		cmocka_unit_test(much_is_written_at_once),
		cmocka_unit_test(nothing_is_all_written),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(who_has_seen_enough_is_told_nothing),
		cmocka_unit_test(lack_of_memory_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
