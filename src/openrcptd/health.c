/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/health.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/pulse.h"

/* What an MTA says first: protocol 6, all actions, all steps; and the end of a session. */
static const unsigned char question[] = { 0, 0, 0, 13,   'O', 0,    0,    0,   6,
					  0, 0, 1, 0xff, 0,   0x1f, 0xff, 0xff };
static const unsigned char farewell[] = { 0, 0, 0, 1, 'Q' };

enum { ANSWER_KIND_AT = 4 };

void health_init(struct health *health, long long now_ms)
{
	*health = (struct health){
		.fd = -1,
		.due_ms = now_ms + HEALTH_INTERVAL_MS,
		.pulse = pulse_count(),
		.before = pulse_count(),
	};
}

void health_close(struct health *health)
{
	if (health->fd >= 0)
		(void)close(health->fd); /* whatever was said, nobody waits for it */
	health->fd = -1;
}

void health_restart(struct health *health, long long now_ms)
{
	health_close(health);
	health_init(health, now_ms);
}

/* PULSE is what was counted when all was well. */
static enum health_event miss(struct health *health, uint64_t pulse, long long next_ms)
{
	health_close(health);
	health->due_ms = next_ms;
	if (pulse_count() != pulse) {
		health->misses = 0;
		return HEALTH_WELL;
	}
	if (++health->misses < HEALTH_MISSES)
		return HEALTH_QUIET;
	health->misses = 0;
	return HEALTH_LOST;
}

static enum health_event be_barred(struct health *health, long long now_ms)
{
	int reason = errno;

	health_close(health);
	health->due_ms = now_ms + HEALTH_INTERVAL_MS;
	health->barred++;
	errno = reason;
	return HEALTH_BARRED;
}

/* A socket that was given may be out of our reach: of another network, or its file be gone. That is
 * no fault of the worker's, whose queue is full at most. */
static bool is_barred(const struct listener *listener, int reason)
{
	return reason == EACCES || reason == EPERM || (listener->is_given && reason != EAGAIN);
}

static enum health_event ask(struct health *health, const struct listener *listener,
			     long long now_ms)
{
	const struct endpoint_address *address = &listener->address;
	long long next_ms = now_ms + HEALTH_INTERVAL_MS;

	health->before = health->pulse;
	health->pulse = pulse_count();
	health->fd = socket(address->socket.any.sa_family,
			    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (health->fd < 0)
		return be_barred(health, now_ms);
	if (connect(health->fd, &address->socket.any, address->size) != 0 && errno != EINPROGRESS)
		return is_barred(listener, errno) ? be_barred(health, now_ms)
						  : miss(health, health->before, next_ms);
	health->barred = 0;
	/* Over TCP the connection may not stand yet: then this fails, and counts as a miss. On
	 * loopback it stands at once. */
	if (send(health->fd, question, sizeof(question), MSG_NOSIGNAL) != sizeof(question))
		return miss(health, health->before, next_ms);
	health->due_ms = next_ms;
	return HEALTH_QUIET;
}

static enum health_event hear(struct health *health, long long now_ms)
{
	unsigned char answer[64];
	ssize_t size = recv(health->fd, answer, sizeof(answer), 0);

	/* Said at once, it leaves nobody time to be answered since the question. */
	if (size <= ANSWER_KIND_AT || answer[ANSWER_KIND_AT] != question[ANSWER_KIND_AT])
		return miss(health, health->before, now_ms + HEALTH_INTERVAL_MS);
	/* It doesn't matter if it doesn't hear this: it sees the end of the connection. */
	(void)send(health->fd, farewell, sizeof(farewell), MSG_NOSIGNAL);
	health_close(health);
	health->misses = 0;
	health->due_ms = now_ms + HEALTH_INTERVAL_MS;
	return HEALTH_WELL;
}

enum health_event health_work(struct health *health, const struct listener *listener,
			      bool is_readable, long long now_ms)
{
	if (health->fd >= 0 && is_readable)
		return hear(health, now_ms);
	if (now_ms < health->due_ms)
		return HEALTH_QUIET;
	/* It has had its time: the next question is due now. */
	if (health->fd >= 0)
		return miss(health, health->pulse, now_ms);
	if (!listener_is_intact(listener)) {
		health->due_ms = now_ms + HEALTH_INTERVAL_MS;
		return HEALTH_NO_SOCKET;
	}
	return ask(health, listener, now_ms);
}
