/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/gate.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "milter/pulse.h"
#include "service/log.h"

enum { SAY_AGAIN_SECONDS = 60 };

static struct {
	int fd;
	int limit; /* the first descriptor that is no session's */
	_Atomic bool is_shut;
	int64_t said_at; /* by libmilter's thread that accepts */
} gate = { .fd = -1, .limit = INT_MAX, .said_at = -SAY_AGAIN_SECONDS };

void gate_open(int fd)
{
	struct rlimit files;

	gate.fd = fd;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur <= INT_MAX &&
	    files.rlim_cur > 2UL * GATE_RESERVED)
		gate.limit = (int)files.rlim_cur - GATE_RESERVED;
}

static void pause_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = GATE_PAUSE_MS * 1000000L };

	(void)nanosleep(&moment, NULL); /* shorter is as good */
}

static void say(const char *what, int reason)
{
	int64_t now = (int64_t)clock_seconds();

	if (now - gate.said_at < SAY_AGAIN_SECONDS)
		return;
	gate.said_at = now;
	log_line(SEVERITY_WARNING, "%s: %s", what, error_words(reason));
}

int gate_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	int session;

	errno = EAGAIN;
	if (fd == gate.fd && atomic_load(&gate.is_shut))
		return -1;
	session = (int)syscall(SYS_accept4, fd, address, size, 0);
	if (session >= 0 && (fd != gate.fd || session < gate.limit))
		return session;
	if (session >= 0) {
		/* Counted first: whoever sees it closed may look at once. */
		pulse_beat();
		(void)close(session); /* nothing was said */
		say("no descriptor is left: sessions are turned away", EMFILE);
		errno = ECONNABORTED;
		return -1;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		pulse_beat();
		say("no new session", errno);
		pause_a_moment();
		errno = EAGAIN;
	}
	return -1;
}

void gate_shut(void)
{
	atomic_store(&gate.is_shut, true);
	(void)shutdown(gate.fd, SHUT_RDWR); /* else it ends with this process */
}

int gate_polled(struct pollfd *descriptors, int count)
{
	if (count <= 0 || descriptors->fd != gate.fd || !atomic_load(&gate.is_shut))
		return count;
	pause_a_moment();
	descriptors->revents = 0;
	return 0;
}
