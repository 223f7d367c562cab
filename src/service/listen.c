/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/trust.h"

enum {
	SOCKET_PATH_MAX = 106, /* libmilter's own limit */
	BACKLOG = 1024,        /* connections that wait while a worker is replaced */
	SOCKET_MASK = 0117,    /* connecting needs write permission: owner and group */
};

/* ---- addresses ------------------------------------------------------------------------ */

static bool parse_path(const char *path, struct listen_address *out_address, struct error *err)
{
	if (path[0] != '/')
		return error_set(err, EX_CONFIG, "socket %s: not an absolute path", path);
	if (strlen(path) > SOCKET_PATH_MAX)
		return error_set(err, EX_CONFIG, "socket %s: longer than %d bytes", path,
				 SOCKET_PATH_MAX);
	*out_address = (struct listen_address){ .size = sizeof(out_address->socket.local) };
	out_address->socket.local.sun_family = AF_UNIX;
	memcpy(out_address->socket.local.sun_path, path, strlen(path) + 1);
	return true;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)address;

		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	}
	return IN6_IS_ADDR_LOOPBACK(
		&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static bool parse_port_at_host(const char *text, int family, bool allows_remote,
			       struct listen_address *out_address, struct error *err)
{
	const struct addrinfo hints = { .ai_family = family,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	const char *at = strchr(text, '@');
	struct addrinfo *found;
	char port[16];
	int number;

	if (at == NULL || at == text || at[1] == '\0' || (size_t)(at - text) >= sizeof(port))
		return error_set(err, EX_CONFIG, "socket %s: not PORT@HOST", text);
	memcpy(port, text, (size_t)(at - text));
	port[at - text] = '\0';
	number = getaddrinfo(at + 1, port, &hints, &found);
	if (number != 0)
		return error_set(err, EX_CONFIG, "socket %s: %s", text, gai_strerror(number));
	*out_address = (struct listen_address){ .size = found->ai_addrlen };
	memcpy(&out_address->socket.room, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (!allows_remote && !is_loopback(&out_address->socket.any))
		return error_set(err, EX_CONFIG,
				 "socket %s: not a loopback address, and allow_remote_mta is false",
				 text);
	return true;
}

bool listen_parse(const char *text, bool allows_remote, struct listen_address *out_address,
		  struct error *err)
{
	if (strncmp(text, "unix:", 5) == 0)
		return parse_path(text + 5, out_address, err);
	if (strncmp(text, "inet:", 5) == 0)
		return parse_port_at_host(text + 5, AF_INET, allows_remote, out_address, err);
	if (strncmp(text, "inet6:", 6) == 0)
		return parse_port_at_host(text + 6, AF_INET6, allows_remote, out_address, err);
	return error_set(err, EX_CONFIG,
			 "socket %s: none of unix:PATH, inet:PORT@HOST, inet6:PORT@HOST", text);
}

/* ---- the lock ------------------------------------------------------------------------- */

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
	if (flock(listener->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
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

/* Does somebody take connections there? */
static bool is_answered(const struct listen_address *address, bool *out_is_refused)
{
	int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	bool is_connected = fd >= 0 && connect(fd, &address->socket.any, address->size) == 0;

	*out_is_refused = fd >= 0 && !is_connected && errno == ECONNREFUSED;
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return is_connected;
}

/* Remove what a killed daemon left behind, and nothing else. We hold the lock. */
static bool remove_stale(const struct listen_address *address, struct error *err)
{
	const char *path = address->socket.local.sun_path;
	struct stat status;
	bool is_refused;

	if (lstat(path, &status) != 0)
		return errno == ENOENT || error_set_errno(err, EX_CANTCREAT, "%s", path);
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, EX_CANTCREAT, "%s: in the way, and not a socket", path);
	if (status.st_uid != geteuid())
		return error_set(err, EX_CANTCREAT, "%s: a socket of another user is in the way",
				 path);
	if (is_answered(address, &is_refused) || !is_refused)
		return error_set(err, EX_TEMPFAIL, "%s: another program answers there", path);
	return unlink(path) == 0 || errno == ENOENT ||
	       error_set_errno(err, EX_CANTCREAT, "%s: remove the stale socket", path);
}

static bool bind_path(struct listener *listener, const struct listen_address *address,
		      struct error *err)
{
	const char *path = address->socket.local.sun_path;
	struct stat status;
	mode_t before;
	int result;

	if (!check_folder(path, err) || !remove_stale(address, err))
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

static bool bind_port(const struct listener *listener, const struct listen_address *address,
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

bool listener_open(struct listener *listener, const struct listen_address *address,
		   struct error *err)
{
	bool is_path = address->socket.any.sa_family == AF_UNIX;

	listener->address = *address;
	listener->fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return error_set_errno(err, EX_OSERR, "socket");
	if (is_path ? !bind_path(listener, address, err) : !bind_port(listener, address, err))
		return false;
	if (listen(listener->fd, BACKLOG) != 0)
		return error_set_errno(err, errno == EADDRINUSE ? EX_TEMPFAIL : EX_OSERR, "listen");
	return true;
}

bool listener_is_intact(const struct listener *listener)
{
	struct stat status;

	if (listener->address.socket.any.sa_family != AF_UNIX)
		return true;
	return listener->inode != 0 &&
	       lstat(listener->address.socket.local.sun_path, &status) == 0 &&
	       status.st_dev == listener->device && status.st_ino == listener->inode;
}

void listener_close(struct listener *listener)
{
	if (listener->fd >= 0)
		(void)close(listener->fd); /* nothing was written to it */
	listener->fd = -1;
	if (listener->inode != 0 && listener_is_intact(listener))
		(void)unlink(listener->address.socket.local.sun_path); /* or the next one does */
	listener->inode = 0;
}
