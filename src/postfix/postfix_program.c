/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix/postfix_program.h"

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"

enum {
	OUTPUT_BYTES = 256 * 1024 * 1024,
	SIGNALLED = 128, /* as a shell has it */
};

void program_output_init(struct program_output *output)
{
	buffer_init(&output->text, OUTPUT_BYTES);
	buffer_init(&output->complaints, OUTPUT_BYTES);
	output->status = 0;
}

void program_output_free(struct program_output *output)
{
	buffer_free(&output->text);
	buffer_free(&output->complaints);
}

static bool spawn(char *const *words, const int files[3], pid_t *out_child)
{
	posix_spawn_file_actions_t actions;
	int number;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	number = posix_spawn_file_actions_adddup2(&actions, files[0], STDIN_FILENO);
	if (number == 0)
		number = posix_spawn_file_actions_adddup2(&actions, files[1], STDOUT_FILENO);
	if (number == 0)
		number = posix_spawn_file_actions_adddup2(&actions, files[2], STDERR_FILENO);
	if (number == 0)
		number = posix_spawnp(out_child, words[0], &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions); /* never fails */
	errno = number;
	return number == 0;
}

static bool read_back(int fd, struct buffer *out_text)
{
	ssize_t size;
	char block[8192];

	buffer_clear(out_text);
	if (lseek(fd, 0, SEEK_SET) != 0)
		return false;
	while ((size = read(fd, block, sizeof(block))) > 0)
		(void)buffer_append(out_text, bytes_make(block, (size_t)size)); /* marked */
	return size == 0 && !out_text->has_failed;
}

static bool run_with(const char *const *words, const int files[3], struct program_output *output,
		     struct error *err)
{
	pid_t child;
	int status;

	/* posix_spawnp() only reads what it takes as char *. */
	if (!spawn((char *const *)(uintptr_t)words, files, &child) ||
	    waitpid(child, &status, 0) != child)
		return error_set_errno(err, EX_UNAVAILABLE, "%s", words[0]);
	output->status = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
	if (!read_back(files[1], &output->text) || !read_back(files[2], &output->complaints))
		return error_set(err, EX_OSERR, "%s: its output can't be read", words[0]);
	return true;
}

bool program_run(const char *const *words, struct bytes input, struct program_output *output,
		 struct error *err)
{
	int files[3] = { memfd_create("input", MFD_CLOEXEC), memfd_create("output", MFD_CLOEXEC),
			 memfd_create("complaints", MFD_CLOEXEC) };
	bool is_done;

	if (files[0] < 0 || files[1] < 0 || files[2] < 0 || !file_write_all(files[0], input) ||
	    lseek(files[0], 0, SEEK_SET) != 0)
		is_done = error_set_errno(err, EX_OSERR, "%s", words[0]);
	else
		is_done = run_with(words, files, output, err);
	for (size_t i = 0; i < 3; i++)
		if (files[i] >= 0)
			(void)close(files[i]); /* read by nobody any more */
	return is_done;
}

struct bytes program_last_complaint(const struct program_output *output)
{
	struct bytes text = buffer_bytes(&output->complaints);
	size_t begin;

	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	for (begin = text.size; begin > 0 && text.data[begin - 1] != '\n'; begin--)
		continue;
	return bytes_skip(text, begin);
}
