/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/scout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "follow/signals.h"

static const char *const words[] = {
	[SCOUT_NOTHING] = "",        [SCOUT_BACK] = "back",
	[SCOUT_CHANGED] = "changed", [SCOUT_CONFIRMED] = "confirmed",
	[SCOUT_LOST] = "lost",       [SCOUT_DOUBT] = "doubt",
	[SCOUT_POLLED] = "polled",
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static _Noreturn void be_listener(scout_listen *listen, size_t index, int fd,
				  const struct mirror *mirror, const void *context, pid_t parent)
{
	signals_reset();
	/* Who watches may be killed, and nobody would end us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* can't fail: the signal is one */
	if (getppid() != parent)
		_exit(EX_OSERR);
	(void)setpgid(0, 0); /* as our parent does, whoever is first */
	_exit(listen(index, fd, mirror, context));
}

bool scout_start(struct scout *scout, scout_listen *listen, size_t index,
		 const struct mirror *mirror, const void *context, struct error *err)
{
	pid_t parent = getpid();
	int ends[2];

	scout_close(scout);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set_errno(err, EX_OSERR, "a pipe to listen to");
	scout->pid = fork();
	if (scout->pid == 0) {
		(void)close(ends[0]); /* or we would hear ourselves, when nobody else does */
		be_listener(listen, index, ends[1], mirror, context, parent);
	}
	(void)close(ends[1]); /* is the other's */
	scout->fd = ends[0];
	if (scout->pid > 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) {
		(void)setpgid(scout->pid, scout->pid); /* whoever of both is first */
		return true;
	}
	error_fill_errno(err, EX_OSERR, "a process to listen in");
	scout_close(scout);
	return false;
}

bool scout_tell(int fd, enum scout_word word, const char *text)
{
	char line[SCOUT_LINE_BYTES];
	size_t size = strlen(words[word]);

	memcpy(line, words[word], size);
	line[size++] = ' ';
	for (; text != NULL && *text != '\0' && size + 1 < sizeof(line); text++)
		line[size++] = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;
	line[size++] = '\n';
	return file_write_all(fd, bytes_make(line, size));
}

/* What the line says, which is whole. */
static enum scout_word take_line(struct scout *scout, const char **out_text)
{
	char *blank = strchr(scout->line, ' ');

	if (blank == NULL)
		return SCOUT_NOTHING;
	*blank = '\0';
	*out_text = blank + 1;
	for (size_t i = 1; i < WORDS; i++)
		if (strcmp(scout->line, words[i]) == 0)
			return (enum scout_word)i;
	return SCOUT_NOTHING;
}

enum scout_word scout_hear(struct scout *scout, const char **out_text)
{
	char byte;

	*out_text = "";
	while (scout->fd >= 0 && read(scout->fd, &byte, 1) == 1) {
		if (byte != '\n' && scout->size + 1 < sizeof(scout->line)) {
			scout->line[scout->size++] = byte;
			continue;
		}
		if (byte != '\n') {
			scout->is_too_long = true;
			continue;
		}
		scout->line[scout->size] = '\0';
		scout->size = 0;
		if (!scout->is_too_long) {
			enum scout_word word = take_line(scout, out_text);

			if (word != SCOUT_NOTHING)
				return word;
		}
		scout->is_too_long = false;
	}
	return SCOUT_NOTHING;
}

bool scout_has_ended(struct scout *scout)
{
	if (scout->pid <= 0 || waitpid(scout->pid, NULL, WNOHANG) != scout->pid)
		return false;
	scout->pid = -1;
	return true;
}

void scout_close(struct scout *scout)
{
	if (scout->pid > 0) {
		/* It has nothing to tidy up, and may be stuck in a library. */
		(void)kill(scout->pid, SIGKILL);
		while (waitpid(scout->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (scout->fd >= 0)
		(void)close(scout->fd); /* was only read */
	*scout = SCOUT_NONE;
}
