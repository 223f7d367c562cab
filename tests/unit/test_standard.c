/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that was started with some of its standard descriptors closed. */
#include "show/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLOSED_MAX = 8, WRONG = 1, RIGHT };

/* Is FD one that can't be used for what it is? */
static bool is_of_no_use(int fd)
{
	char byte = 'x';

	if (fd == STDIN_FILENO)
		return read(fd, &byte, 1) == -1 && errno == EBADF;
	return write(fd, &byte, 1) == -1 && errno == EBADF;
}

/* In a process of its own: CLOSED has a bit for each of the three. */
static int try_with(unsigned closed)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		bool is_right = true;

		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			if ((closed >> fd & 1) != 0)
				(void)close(fd);
		standard_occupy();
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			if ((closed >> fd & 1) != 0)
				is_right = is_right && fcntl(fd, F_GETFD) >= 0 && is_of_no_use(fd);
		is_right = is_right && open("/dev/null", O_RDONLY) > STDERR_FILENO;
		_exit(is_right ? RIGHT : WRONG);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_is_closed_is_taken_and_of_no_use(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < CLOSED_MAX; closed++)
		assert_int_equal(try_with(closed), RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_closed_is_taken_and_of_no_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
