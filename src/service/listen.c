/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/trust.h"
#include "service/given.h"
#include "service/log.h"

enum {
	BACKLOG = 1024,     /* connections that wait while a worker is replaced */
	SOCKET_MASK = 0117, /* connecting needs write permission: owner and group */
};

/* ---- addresses ------------------------------------------------------------------------ */

bool listen_parse(const char *setting, const char *text, bool allows_remote,
		  struct endpoint_address *out_address, int *out_given_fd, struct error *err)
{
	struct endpoint_address address;
	struct endpoint endpoint;
	struct error detail;
	int given_fd = -1;

	if (!endpoint_parse(text, &endpoint, &detail))
		return error_set(err, detail.status, "%s: %s", setting, detail.text);
	if (endpoint.kind == ENDPOINT_FD ? !given_find(&endpoint, &given_fd, &address, &detail)
					 : !endpoint_resolve(&endpoint, &address, &detail))
		return error_set(err, detail.status, "%s: \"%s\": %s", setting, text, detail.text);
	/* The settings could only judge the name; now there is an address. */
	if (!allows_remote && endpoint_address_reach(&address) != ENDPOINT_THIS_HOST)
		return error_set(err, EX_CONFIG,
				 "%s: \"%s\" is not a loopback address, and allow_remote_%s is "
				 "false",
				 setting, text, strcmp(setting, "socket") == 0 ? "mta" : setting);
	*out_address = address;
	*out_given_fd = given_fd;
	return true;
}

/* ---- the lock ------------------------------------------------------------------------- */

/* Its content says who has it; only what we do with a socket that is answered hangs on that. */
static void sign_lock(struct listener *listener)
{
	char text[32] = "";
	long former = 0;
	int size;

	if (pread(listener->lock_fd, text, sizeof(text) - 1, 0) > 0)
		former = strtol(text, NULL, 10);
	listener->former = former > 0 && former <= INT_MAX ? (pid_t)former : 0;
	size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(listener->lock_fd, 0) != 0 ||
	    pwrite(listener->lock_fd, text, (size_t)size, 0) != size)
		log_line(SEVERITY_WARNING, "the lock can't be signed: %s", error_words(errno));
}

bool listener_lock(struct listener *listener, const char *directory, const char *text,
		   struct error *err)
{
	char path[PATH_MAX];
	unsigned long long name = hash_block(bytes_of(text));
	int size = snprintf(path, sizeof(path), "%s/openrcptd-%016llx.lock", directory, name);

	if (size < 0 || (size_t)size >= sizeof(path))
		return error_set(err, EX_CONFIG, "%s: path too long", directory);
	listener->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (listener->lock_fd < 0)
		return error_set_errno(err, errno == EACCES ? EX_NOPERM : EX_CANTCREAT, "%s", path);
	if (flock(listener->lock_fd, LOCK_EX | LOCK_NB) == 0) {
		sign_lock(listener);
		return true;
	}
	if (errno == EWOULDBLOCK)
		return error_set(err, EX_TEMPFAIL, "%s: another openrcptd serves %s", path, text);
	return error_set_errno(err, EX_OSERR, "%s: lock", path);
}

/* ---- the socket ----------------------------------------------------------------------- */

/* Who may write to the directory can put another socket in the place of ours. */
static bool check_folder(const char *path, struct error *err)
{
	const char *name;
	int fd = trust_open_folder(path, O_PATH, &name);
	bool is_good;

	if (fd < 0)
		return error_set_errno(err, EX_CANTCREAT, "%s: its directory", path);
	is_good = trust_check_folder(path, fd, &trust_in_socket_folder, err);
	(void)close(fd); /* nothing was written */
	return is_good;
}

/* The kernel remembers who made the other end of FD listen. It can't be the last holder of the lock
 * in person, who would still have it. */
static bool is_of(int fd, pid_t former)
{
	struct ucred maker;
	socklen_t size = sizeof(maker);

	return former > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0 &&
	       maker.pid == former && maker.uid == geteuid();
}

/* Does nobody take connections there any more, or only what a killed daemon has left behind? */
static bool is_left_behind(const struct endpoint_address *address, pid_t former)
{
	int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	bool is_left = false;

	if (fd < 0)
		return false;
	if (connect(fd, &address->socket.any, address->size) == 0)
		is_left = is_of(fd, former);
	else
		is_left = errno == ECONNREFUSED;
	(void)close(fd); /* nothing was written */
	return is_left;
}

/* Remove what a killed daemon left behind, and nothing else. We hold the lock. */
static bool remove_stale(const struct endpoint_address *address, pid_t former, struct error *err)
{
	const char *path = address->socket.local.sun_path;
	struct stat status;

	if (lstat(path, &status) != 0)
		return errno == ENOENT || error_set_errno(err, EX_CANTCREAT, "%s", path);
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, EX_CANTCREAT, "%s: in the way, and not a socket", path);
	if (status.st_uid != geteuid())
		return error_set(err, EX_CANTCREAT, "%s: a socket of another user is in the way",
				 path);
	if (!is_left_behind(address, former))
		return error_set(err, EX_TEMPFAIL, "%s: another program answers there", path);
	return unlink(path) == 0 || errno == ENOENT ||
	       error_set_errno(err, EX_CANTCREAT, "%s: remove the stale socket", path);
}

static bool bind_path(struct listener *listener, const struct endpoint_address *address,
		      struct error *err)
{
	const char *path = address->socket.local.sun_path;
	struct stat status;
	mode_t before;
	int result;

	if (!check_folder(path, err) || !remove_stale(address, listener->former, err))
		return false;
	before = umask(SOCKET_MASK);
	result = bind(listener->fd, &address->socket.any, address->size);
	(void)umask(before); /* never fails */
	if (result != 0)
		return error_set_errno(err, EX_CANTCREAT, "%s: bind", path);
	if (lstat(path, &status) != 0)
		return error_set_errno(err, EX_CANTCREAT, "%s", path);
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
	return true;
}

static bool bind_port(const struct listener *listener, const struct endpoint_address *address,
		      struct error *err)
{
	const int on = 1;

	/* libmilter writes an edit in pieces; without NODELAY each would wait 40 ms. Sessions
	 * inherit it from the listening socket. */
	if (setsockopt(listener->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return error_set_errno(err, EX_OSERR, "socket options");
	if (address->socket.any.sa_family == AF_INET6 &&
	    setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return error_set_errno(err, EX_OSERR, "socket options");
	if (bind(listener->fd, &address->socket.any, address->size) == 0)
		return true;
	return error_set_errno(err, errno == EADDRINUSE ? EX_TEMPFAIL : EX_CANTCREAT,
			       "bind the socket");
}

bool listener_open(struct listener *listener, const struct endpoint_address *address,
		   struct error *err)
{
	bool is_path = address->socket.any.sa_family == AF_UNIX;

	listener->address = *address;
	/* Several processes may wait on it, and one of them gets nothing. */
	listener->fd = socket(address->socket.any.sa_family,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return error_set_errno(err, EX_OSERR, "socket");
	if (is_path ? !bind_path(listener, address, err) : !bind_port(listener, address, err))
		return false;
	if (listen(listener->fd, BACKLOG) != 0)
		return error_set_errno(err, errno == EADDRINUSE ? EX_TEMPFAIL : EX_OSERR, "listen");
	return true;
}

bool listener_take(struct listener *listener, const struct endpoint_address *address, int given_fd,
		   struct error *err)
{
	const int on = 1;

	listener->address = *address;
	listener->fd = given_fd;
	listener->is_given = true;
	/* As in bind_port(). */
	return address->socket.any.sa_family == AF_UNIX ||
	       setsockopt(given_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 ||
	       error_set_errno(err, EX_OSERR, "socket options");
}

/* CANT_TELL is the answer where we may not look. */
static bool has_our_file(const struct listener *listener, bool cant_tell)
{
	struct stat status;

	if (listener->inode == 0)
		return false;
	if (lstat(listener->address.socket.local.sun_path, &status) != 0)
		return errno != ENOENT && errno != ENOTDIR && cant_tell;
	return status.st_dev == listener->device && status.st_ino == listener->inode;
}

bool listener_is_intact(const struct listener *listener)
{
	return listener->is_given || listener->address.socket.any.sa_family != AF_UNIX ||
	       has_our_file(listener, true);
}

bool listener_renew(struct listener *listener, struct error *err)
{
	struct listener renewed = LISTENER_NONE;

	if (!listener_open(&renewed, &listener->address, err)) {
		listener_close(&renewed);
		return false;
	}
	renewed.lock_fd = listener->lock_fd;
	listener_close(listener); /* its file isn't ours any more, and stays */
	*listener = renewed;
	return true;
}

void listener_close(struct listener *listener)
{
	if (listener->fd >= 0)
		(void)close(listener->fd); /* nothing was written to it */
	listener->fd = -1;
	if (has_our_file(listener, false))
		(void)unlink(listener->address.socket.local.sun_path); /* or the next one does */
	listener->inode = 0;
}
