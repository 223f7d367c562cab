/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "milter/pulse.h"
#include "service/log.h"

enum {
	SAY_AGAIN_SECONDS = 60,
	MOST_DESCRIPTORS = 1 << 20, /* where the system has no limit, this is one */
};

static struct {
	int fd;
	int wake_fd; /* readable: what FD stands for has changed */
	int limit;   /* the first descriptor that is no session's */
	_Atomic bool is_shut;
	_Atomic bool is_accepting;  /* a session may be open that isn't written down yet */
	_Atomic uint64_t *sessions; /* by descriptor: the inode of the socket; 0: none */
	_Atomic int highest;        /* descriptor that was a session's */
	int64_t said_at;            /* by libmilter's thread that accepts */
} gate = { .fd = -1, .wake_fd = -1, .limit = INT_MAX, .said_at = -SAY_AGAIN_SECONDS };

bool gate_open(int fd, struct error *err)
{
	struct rlimit files;

	gate.limit = MOST_DESCRIPTORS;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur <= MOST_DESCRIPTORS &&
	    files.rlim_cur > 2UL * GATE_RESERVED)
		gate.limit = (int)files.rlim_cur - GATE_RESERVED;
	/* One page of it is touched for each 512 sessions. */
	free(gate.sessions);
	gate.sessions = calloc((size_t)gate.limit, sizeof(*gate.sessions));
	if (gate.sessions == NULL)
		return error_set_memory(err);
	if (gate.wake_fd < 0)
		gate.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (gate.wake_fd < 0)
		return error_set_errno(err, EX_OSERR, "socket");
	gate.fd = fd;
	return true;
}

bool gate_exchange(int fd, struct error *err)
{
	const uint64_t one = 1;

	if (dup2(fd, gate.fd) < 0)
		return error_set_errno(err, EX_OSERR, "socket");
	/* Full, it is readable as well. */
	if (write(gate.wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return error_set_errno(err, EX_OSERR, "socket");
	return true;
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

/* What SESSION is at this moment: its number will be another one's. It may be closed meanwhile; as
 * fstat() the thread sanitizer would take that for a mistake. */
static uint64_t identity_of(int session)
{
	struct stat status;

	return fstatat(session, "", &status, AT_EMPTY_PATH) == 0 && S_ISSOCK(status.st_mode)
		       ? (uint64_t)status.st_ino
		       : 0;
}

static void write_down(int session)
{
	if (session > atomic_load(&gate.highest))
		atomic_store(&gate.highest, session);
	atomic_store(&gate.sessions[session], identity_of(session));
}

size_t gate_sessions(void)
{
	size_t count = atomic_load(&gate.is_accepting) ? 1 : 0;
	int highest = atomic_load(&gate.highest);

	for (int fd = 0; gate.sessions != NULL && fd <= highest; fd++) {
		uint64_t known = atomic_load(&gate.sessions[fd]);

		if (known == 0)
			continue;
		if (identity_of(fd) == known)
			count++;
		else /* unless the next one is there by now */
			(void)atomic_compare_exchange_strong(&gate.sessions[fd], &known, 0);
	}
	return count;
}

static int accept_one(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	int session = (int)syscall(SYS_accept4, fd, address, size, 0);

	if (fd != gate.fd)
		return session;
	if (session >= 0 && session < gate.limit) {
		write_down(session);
		return session;
	}
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

int gate_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	int session = -1;
	int reason = EAGAIN;

	if (fd != gate.fd)
		return accept_one(fd, address, size);
	/* In this order, and gate_exchange() before a look at it: so no session is overlooked. */
	atomic_store(&gate.is_accepting, true);
	if (!atomic_load(&gate.is_shut)) {
		session = accept_one(fd, address, size);
		reason = errno;
	}
	atomic_store(&gate.is_accepting, false);
	errno = reason;
	return session;
}

void gate_shut(void)
{
	atomic_store(&gate.is_shut, true);
	(void)shutdown(gate.fd, SHUT_RDWR); /* else it ends with this process */
}

bool gate_is(const struct pollfd *descriptors, nfds_t count)
{
	return count == 1 && descriptors->fd == gate.fd;
}

int gate_poll(int (*poll_kernel)(struct pollfd *, nfds_t, int), struct pollfd *descriptor,
	      int timeout_ms)
{
	struct pollfd both[] = {
		*descriptor,
		{ .fd = gate.wake_fd, .events = POLLIN },
	};
	int result = poll_kernel(both, sizeof(both) / sizeof(both[0]), timeout_ms);
	uint64_t number;

	descriptor->revents = 0;
	if (result <= 0)
		return result;
	if (both[1].revents != 0) {
		(void)!read(gate.wake_fd, &number, sizeof(number)); /* or somebody else has */
		return 0;
	}
	if (atomic_load(&gate.is_shut)) {
		pause_a_moment();
		return 0;
	}
	descriptor->revents = both[0].revents;
	return result;
}
