/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account.h"
#include "base/endpoint.h"
#include "base/error.h"
#include "postfix_check/postfix_check_inside.h"

enum {
	ANSWER_MS = 5000, /* a daemon answers within a few, a busy one in a second */
	ANSWER_KIND_AT = 4,
};

/* ---- the way to it -------------------------------------------------------------------- */

static bool is_same_file(const char *path, const char *other)
{
	struct stat status;
	struct stat other_status;

	return stat(path, &status) == 0 && stat(other, &other_status) == 0 &&
	       status.st_dev == other_status.st_dev && status.st_ino == other_status.st_ino;
}

bool postfix_check_leads_to_us(const struct postfix_check *check, bool is_chrooted,
			       struct bytes path)
{
	const char *queue = postfix_value(&check->postfix, NULL, "queue_directory");
	bool is_below = path.size > 0 && (path.data[0] != '/' || is_chrooted);
	char seen[2 * ENDPOINT_PATH_MAX + 1024];
	int size = snprintf(seen, sizeof(seen), "%s%s" BYTES_FORMAT, is_below ? queue : "",
			    is_below && path.data[0] != '/' ? "/" : "", BYTES_ARGS(path));

	if (path.size == 0 || size < 0 || (size_t)size >= sizeof(seen))
		return false;
	return strcmp(seen, check->socket_path) == 0 || is_same_file(seen, check->socket_path);
}

static bool may(const struct stat *status, uid_t user, const gid_t *groups, size_t group_count,
		mode_t wanted)
{
	mode_t shift = 0;

	if (status->st_uid == user)
		shift = 6;
	for (size_t i = 0; i < group_count && shift == 0; i++)
		if (groups[i] == status->st_gid)
			shift = 3;
	return ((status->st_mode >> shift) & wanted) == wanted;
}

static const char *mending(struct postfix_check *check, const char *group, const char *folder)
{
	const char *quoted = postfix_check_quote(check, folder);

	return postfix_check_line(check, "chgrp %s %s; chmod 2750 %s",
				  postfix_check_quote(check, group), quoted, quoted);
}

/* Can Postfix's user go through all folders to the socket? Reports the first one it can't. */
static void check_folders(struct postfix_check *check, const char *name, uid_t user,
			  const gid_t *groups, size_t count)
{
	const char *slash = check->socket_path;
	const char *folder = "/";
	struct stat status;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		folder = postfix_check_line(check, "%.*s", (int)(slash - check->socket_path),
					    check->socket_path);
		/* What isn't there yet can't be judged; nobody answers there, either. */
		if (stat(folder, &status) != 0)
			return;
		if (!may(&status, user, groups, count, 1)) {
			postfix_check_report(check, NULL, "", mending(check, name, folder),
					     "user %s can't enter %s, where the socket is", name,
					     folder);
			return;
		}
	}
	if (stat(check->socket_path, &status) == 0 && !may(&status, user, groups, count, 2))
		postfix_check_report(check, NULL, "",
				     postfix_check_line(check, "%s; systemctl restart openrcptd",
							mending(check, name, folder)),
				     "user %s can't connect to %s", name, check->socket_path);
}

static void check_access(struct postfix_check *check)
{
	const char *owner = postfix_value(&check->postfix, NULL, "mail_owner");
	const char *name = owner[0] != '\0' ? owner : "postfix";
	struct account account;
	gid_t *groups;
	size_t count;

	if (account_find_user(name, &account, NULL) != ACCOUNT_FOUND ||
	    !account_groups(name, account.group, &groups, &count, NULL)) {
		postfix_check_report(check, NULL, "mail_owner", "# see: getent passwd",
				     "can't tell whether user %s can connect: nobody knows his "
				     "groups",
				     name);
		return;
	}
	check_folders(check, name, account.user, groups, count);
	free(groups);
}

/* ---- the daemon ------------------------------------------------------------------------ */

/* Is FD ready for EVENTS in time? errno says why not. */
static bool is_ready(int fd, short events)
{
	struct pollfd wait = { .fd = fd, .events = events };
	int error = 0;
	socklen_t size = sizeof(error);

	if (poll(&wait, 1, ANSWER_MS) != 1) {
		errno = ETIMEDOUT;
		return false;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) {
		errno = error;
		return false;
	}
	return true;
}

/* The first exchange of the milter protocol, as an MTA has it. errno says why not. */
static bool answers(const struct endpoint_address *address)
{
	static const unsigned char question[] = { 0, 0, 0, 13,   'O', 0,    0,    0,   6,
						  0, 0, 1, 0xff, 0,   0x1f, 0xff, 0xff };
	int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	unsigned char answer[64];
	bool is_answered;
	int number;

	if (fd < 0)
		return false;
	is_answered =
		(connect(fd, &address->socket.any, address->size) == 0 || errno == EINPROGRESS) &&
		is_ready(fd, POLLOUT) &&
		send(fd, question, sizeof(question), MSG_NOSIGNAL) == sizeof(question) &&
		is_ready(fd, POLLIN);
	number = errno;
	if (is_answered) {
		is_answered = recv(fd, answer, sizeof(answer), 0) > ANSWER_KIND_AT &&
			      answer[ANSWER_KIND_AT] == question[ANSWER_KIND_AT];
		number = EPROTO;
	}
	(void)close(fd); /* the end of the session, which is an answer enough */
	errno = number;
	return is_answered;
}

static void check_daemon(struct postfix_check *check)
{
	const char *socket = check->options->settings->socket;
	struct endpoint_address address;
	struct endpoint endpoint;
	struct error err;

	/* What can't be parsed was refused with the settings. */
	if (!endpoint_parse(socket, &endpoint, NULL))
		return;
	if (!endpoint_resolve(&endpoint, &address, &err))
		postfix_check_report(check, NULL, "", "# openrcpt.conf: socket",
				     "can't tell whether openrcptd answers at %s: %s", socket,
				     err.text);
	else if (answers(&address))
		return;
	else if (errno == EACCES || errno == EPERM)
		postfix_check_report(check, NULL, "", "# ask as root",
				     "can't tell whether openrcptd answers at %s: %s", socket,
				     error_words(errno));
	else
		postfix_check_report(check, NULL, "", "systemctl start openrcptd",
				     "nobody answers at %s: %s", socket, error_words(errno));
}

void postfix_check_socket(struct postfix_check *check)
{
	if (check->socket_path != NULL)
		check_access(check);
	check_daemon(check);
}
