/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "service/descriptor.h"
#include "service/log.h"

void control_init(struct control *control)
{
	*control = (struct control){ .listener = LISTENER_NONE };
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
}

/* Connecting needs write permission; whoever slips in before this is asked who it is. */
static bool make_private(const struct listener *listener, struct error *err)
{
	const char *path = listener->address.socket.local.sun_path;

	return (fcntl(listener->fd, F_SETFL, O_NONBLOCK) == 0 && chmod(path, 0600) == 0) ||
	       error_set_errno(err, EX_CANTCREAT, "%s", path);
}

bool control_open(struct control *control, const char *path, pid_t former, struct error *err)
{
	char name[sizeof("unix:") + sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct endpoint_address address;
	int given_fd;
	int length = snprintf(name, sizeof(name), "unix:%s", path);

	if (length < 0 || (size_t)length >= sizeof(name))
		return error_set(err, EX_CONFIG, "%s: path too long for a socket", path);
	if (!listen_parse("control_socket", name, false, &address, &given_fd, err))
		return false;
	control->listener.former = former;
	if (listener_open(&control->listener, &address, err) &&
	    make_private(&control->listener, err))
		return true;
	listener_close(&control->listener);
	return false;
}

/* Somebody tidied up: without a file nobody can ask any more. Said once, whatever it comes to. */
static void look_after_file(struct control *control, long long now_ms)
{
	const char *path = control->listener.address.socket.local.sun_path;
	struct error err;

	if (now_ms < control->check_ms)
		return;
	control->check_ms = now_ms + CONTROL_CHECK_MS;
	if (listener_is_intact(&control->listener))
		return;
	if (!control->has_told)
		log_line(SEVERITY_ERROR, "%s: the socket is gone: opening it anew", path);
	if (listener_renew(&control->listener, &err) && make_private(&control->listener, &err)) {
		control->has_told = false;
		return;
	}
	if (!control->has_told)
		log_line(SEVERITY_ERROR, "%s", err.text);
	control->has_told = true;
}

static void hang_up(struct control_client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd); /* what had to be said was sent */
	*client = (struct control_client){ .fd = -1 };
}

void control_close(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		hang_up(&control->clients[i]);
	listener_close(&control->listener);
}

void control_poll(const struct control *control, struct pollfd out[CONTROL_DESCRIPTORS])
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		out[i] = (struct pollfd){ .fd = control->clients[i].fd, .events = POLLIN };
	/* Those whom we can't take stay in the queue, and would wake us without end. */
	out[CONTROL_CLIENTS] = (struct pollfd){
		.fd = control->listener.fd,
		.events = control->resume_ms == 0 ? POLLIN : 0,
	};
}

long long control_due_ms(const struct control *control)
{
	long long due_ms = control->resume_ms == 0 ? LLONG_MAX : control->resume_ms;

	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].fd >= 0 && !control->clients[i].is_waiting &&
		    control->clients[i].due_ms < due_ms)
			due_ms = control->clients[i].due_ms;
	return due_ms;
}

/* ---- who asks ------------------------------------------------------------------------------ */

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

/* The place for one more: a free one, or that of who has said nothing for the longest; NULL: all
 * are waiting for an outcome, or came just now. */
static struct control_client *find_place(struct control *control, long long now_ms)
{
	struct control_client *oldest = NULL;

	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		if (client->fd < 0)
			return client;
		if (!client->is_waiting && (oldest == NULL || client->due_ms < oldest->due_ms))
			oldest = client;
	}
	if (oldest != NULL && now_ms < oldest->due_ms - CONTROL_REQUEST_MS + CONTROL_SILENT_MS)
		return NULL;
	return oldest;
}

/* No descriptor or no memory is left, here or in the whole system. */
static bool is_short(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

static void take_connections(struct control *control, long long now_ms)
{
	if (now_ms < control->resume_ms)
		return;
	control->resume_ms = 0;
	/* As many at most as could be there: a flood doesn't keep the master. */
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = find_place(control, now_ms);
		int fd;

		if (client == NULL) {
			control->resume_ms = now_ms + CONTROL_FULL_MS;
			return;
		}
		fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (is_short(errno))
				control->resume_ms = now_ms + CONTROL_PAUSE_MS;
			return;
		}
		if (!may_ask(fd)) {
			(void)close(fd); /* nothing was said */
			continue;
		}
		hang_up(client);
		client->fd = fd;
		client->due_ms = now_ms + CONTROL_REQUEST_MS;
	}
}

/* Is the request whole now? Who hangs up, says too much or takes too long is hung up on. */
static bool hear(struct control_client *client, long long now_ms)
{
	ssize_t size = recv(client->fd, client->request + client->size,
			    sizeof(client->request) - client->size, 0);
	const char *end;

	if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (!client->is_waiting && now_ms >= client->due_ms)
			hang_up(client);
		return false;
	}
	if (size <= 0 || client->is_waiting) {
		hang_up(client);
		return false;
	}
	end = memchr(client->request + client->size, '\n', (size_t)size);
	client->size += (size_t)size;
	if (end == NULL && client->size == sizeof(client->request))
		hang_up(client);
	if (end == NULL)
		return false;
	client->request[end - client->request] = '\0';
	return true;
}

static struct control_client *hear_all(struct control *control, long long now_ms)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].fd >= 0 && hear(&control->clients[i], now_ms))
			return &control->clients[i];
	return NULL;
}

struct control_client *control_next(struct control *control, long long now_ms)
{
	struct control_client *client;

	if (control->listener.fd < 0)
		return NULL;
	look_after_file(control, now_ms);
	/* First those whom somebody else's connection might cost their place. */
	client = hear_all(control, now_ms);
	if (client != NULL)
		return client;
	take_connections(control, now_ms);
	return hear_all(control, now_ms);
}

void control_answer(struct control_client *client, struct bytes answer, int descriptor)
{
	/* A local socket takes a page and more at once. Who reads nothing gets what there is room
	 * for, and sees that the end is missing. */
	(void)descriptor_send(client->fd, answer, descriptor);
	hang_up(client);
}
