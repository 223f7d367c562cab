/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/reexec.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CHECK_ARGUMENTS = 3, WORDS_BYTES = 400 };

static struct {
	char path[PATH_MAX];
	char **arguments;
} program;

void reexec_init(char **arguments)
{
	static const char gone[] = " (deleted)"; /* the kernel's word for one replaced by now */
	ssize_t size = readlink("/proc/self/exe", program.path, sizeof(program.path) - 1);
	size_t end = size > 0 ? (size_t)size : 0;

	program.path[end] = '\0';
	if (end >= sizeof(gone) && strcmp(program.path + end - (sizeof(gone) - 1), gone) == 0)
		program.path[end - (sizeof(gone) - 1)] = '\0';
	program.arguments = arguments;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* In the new process. The arguments of the start, and then those that make it a question. */
static _Noreturn void be_program(const char *file, int words_fd)
{
	static char takes_over[] = "--takes-over=" REEXEC_VERSION;
	static char option[] = "-c";
	char path[PATH_MAX];
	size_t count = 0;
	char **arguments;
	sigset_t none;

	while (program.arguments[count] != NULL)
		count++;
	arguments = calloc(count + CHECK_ARGUMENTS + 1, sizeof(*arguments));
	if (arguments == NULL || dup2(words_fd, STDOUT_FILENO) < 0 ||
	    dup2(words_fd, STDERR_FILENO) < 0)
		_exit(EX_OSERR);
	memcpy(arguments, program.arguments, count * sizeof(*arguments));
	(void)snprintf(path, sizeof(path), "%s", file); /* it was opened by that name */
	arguments[count] = takes_over;
	arguments[count + 1] = option; /* the last one counts */
	arguments[count + 2] = path;
	(void)sigemptyset(&none); /* can't fail, as the rest here: the numbers are sound */
	(void)signal(SIGALRM, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	(void)alarm(REEXEC_SECONDS); /* which the program inherits */
	(void)execve(program.path, arguments, environ);
	(void)dprintf(STDERR_FILENO, "openrcptd: %s: %s\n", program.path,
		      error_words(errno)); /* or nobody hears it */
	_exit(EX_OSERR);
}

bool reexec_ask(struct reexec *reexec, const char *file, struct error *err)
{
	pid_t child;

	reexec->words_fd = memfd_create("words", MFD_CLOEXEC);
	if (reexec->words_fd < 0)
		return error_set_errno(err, EX_OSERR, "%s", program.path);
	child = fork();
	if (child == 0)
		be_program(file, reexec->words_fd);
	if (child < 0)
		return error_set_errno(err, EX_OSERR, "%s", program.path);
	reexec->pid = child;
	return true;
}

/* The first line of what was said, without the name of the program. */
static void take_words(int fd, char out_words[WORDS_BYTES])
{
	static const char head[] = "openrcptd: ";
	ssize_t size = pread(fd, out_words, WORDS_BYTES - 1, 0);

	out_words[size > 0 ? size : 0] = '\0';
	out_words[strcspn(out_words, "\n")] = '\0';
	if (strncmp(out_words, head, sizeof(head) - 1) == 0)
		memmove(out_words, out_words + sizeof(head) - 1,
			strlen(out_words) - (sizeof(head) - 1) + 1);
}

static void judge(int wait_status, int words_fd, struct error *err)
{
	char words[WORDS_BYTES];

	take_words(words_fd, words);
	if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGALRM)
		error_fill(err, EX_TEMPFAIL, "%s doesn't answer", program.path);
	else if (WIFSIGNALED(wait_status))
		error_fill(err, EX_SOFTWARE, "%s was killed by signal %d", program.path,
			   WTERMSIG(wait_status));
	else if (WEXITSTATUS(wait_status) == EX_USAGE)
		error_fill(err, EX_SOFTWARE, "%s can't take over from this version: restart it",
			   program.path);
	else if (words[0] != '\0')
		error_fill(err, WEXITSTATUS(wait_status), "%s", words);
	else
		error_fill(err, EX_SOFTWARE, "%s ended with status %d", program.path,
			   WEXITSTATUS(wait_status));
}

bool reexec_has_ended(struct reexec *reexec, pid_t child, int wait_status, struct error *err)
{
	if (reexec->pid != child)
		return false;
	reexec->pid = 0;
	reexec->is_well = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EX_OK;
	if (!reexec->is_well)
		judge(wait_status, reexec->words_fd, err);
	return true;
}

void reexec_forget(struct reexec *reexec)
{
	if (reexec->pid > 0)
		(void)kill(reexec->pid, SIGKILL); /* it may have ended by itself */
	if (reexec->words_fd >= 0)
		(void)close(reexec->words_fd); /* was only read */
	*reexec = (struct reexec){ .words_fd = -1, .is_wanted = reexec->is_wanted };
}

void reexec_now(struct error *err)
{
	(void)execve(program.path, program.arguments, environ);
	error_fill_errno(err, EX_OSERR, "%s", program.path);
}
