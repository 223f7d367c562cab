/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a daemon that a test starts. Once in each process, when that has given up all that
 * it will, it tries what it should be kept from, and says on standard error what came of each:
 * `tried ROLE WHAT ERRNO`, with 0 for what worked. TRY_FOLDER: of the test, where all may write;
 * TRY_RUNTIME: the runtime directory; TRY_TABLE, TRY_CONFIGURATION, TRY_PROGRAM: the daemon's;
 * TRY_PID: another process of the same user; TRY_ABSTRACT: another's socket without a file;
 * TRY_PORT: a TCP port where somebody listens.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct rusage;

static const char *value(const char *name)
{
	const char *text = getenv(name);

	return text == NULL ? "" : text;
}

static const char *in(const char *variable, const char *name, const char *role)
{
	static char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s%s", value(variable), name, role);
	return path;
}

static void tell(const char *role, const char *what, long result)
{
	int number = result < 0 ? errno : 0;

	(void)fprintf(stderr, "tried %s %s %s\n", role, what,
		      number == 0 ? "0" : strerrorname_np(number));
}

static long try_open(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	return fd < 0 ? fd : close(fd);
}

static long try_abstract(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = value("TRY_ABSTRACT");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	long result;
	int number;

	(void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);
	result = connect(fd, (struct sockaddr *)&address,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)));
	number = errno;
	(void)close(fd);
	errno = number;
	return result;
}

static long try_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)atoi(value("TRY_PORT"))),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long result;
	int number;

	if (fd < 0)
		return -1;
	result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	number = errno;
	(void)close(fd);
	errno = number;
	return result;
}

static long try_new_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -1 : 0;
}

static long try_fork(void)
{
	long child = fork();

	if (child == 0)
		_exit(0);
	return child;
}

/* The status of our own program, executed anew to print its version. */
static long try_own_program(void)
{
	char name[] = "openrcptd", option[] = "-V";
	char *words[] = { name, option, NULL };
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		(void)unsetenv("LD_PRELOAD");
		(void)execv(value("TRY_PROGRAM"), words);
		_exit(errno);
	}
	if (child < 0 || wait4(child, &status, 0, NULL) != child)
		return -1;
	errno = WEXITSTATUS(status);
	return status == 0 ? 0 : -1;
}

static void try_all(const char *role)
{
	char *none[] = { NULL };

	/* A start as root hasn't given up anything yet. */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return;
	tell(role, "read", try_open("/etc/passwd", O_RDONLY));
	tell(role, "read-configuration", try_open(value("TRY_CONFIGURATION"), O_RDONLY));
	tell(role, "read-table", try_open(value("TRY_TABLE"), O_RDONLY));
	tell(role, "write-table", try_open(value("TRY_TABLE"), O_WRONLY));
	tell(role, "write", try_open(in("TRY_FOLDER", "written", ""), O_WRONLY));
	tell(role, "make", try_open(in("TRY_FOLDER", "made-by-", role), O_WRONLY | O_CREAT));
	tell(role, "make-in-runtime",
	     try_open(in("TRY_RUNTIME", "made-by-", role), O_WRONLY | O_CREAT));
	tell(role, "remove", unlink(in("TRY_FOLDER", "removed-by-", role)));
	tell(role, "make-folder", mkdir(in("TRY_FOLDER", "folder-of-", role), 0700));
	tell(role, "link", symlink("/etc/passwd", in("TRY_FOLDER", "link-of-", role)));
	/* No program: where it may be executed the system says that it is none. */
	tell(role, "execute", execve(in("TRY_FOLDER", "program", ""), none, none));
	tell(role, "tcp", try_tcp());
	tell(role, "abstract", try_abstract());
	tell(role, "signal", kill(atoi(value("TRY_PID")), 0));
	tell(role, "ptrace", ptrace(PTRACE_PEEKDATA, atoi(value("TRY_PID")), NULL, NULL));
	tell(role, "mount", syscall(SYS_mount, NULL, "/", NULL, 0UL, NULL));
	tell(role, "bpf", syscall(SYS_bpf, 0, NULL, 0U));
	tell(role, "io_uring", syscall(SYS_io_uring_setup, 1, NULL));
	tell(role, "setuid", setuid(0));
	tell(role, "unshare", syscall(SYS_unshare, -1));
	tell(role, "new-code", try_new_code());
	/* Whoever forks would run what follows twice, but for this. */
	if (strcmp(role, "master") != 0)
		tell(role, "fork", try_fork());
	else
		tell(role, "execute-own", try_own_program());
	tell(role, "end", 0);
}

/* What each kind of process calls, and no other one does. */

int getrusage(int who, struct rusage *usage);

int getrusage(int who, struct rusage *usage)
{
	static int has_tried;

	if (!has_tried) {
		has_tried = 1;
		try_all("worker");
	}
	return (int)syscall(SYS_getrusage, who, usage);
}

/* As a master does that is followed by another program, but without handing anything over. */
static void become_another(void)
{
	char name[] = "openrcptd", option[] = "-c";
	char *words[] = { name, option, strdup(value("TRY_CONFIGURATION")), NULL };
	char *program = strdup(value("TRY_PROGRAM"));
	char mark[64];

	(void)snprintf(mark, sizeof(mark), "%ld 7 1", (long)getpid());
	(void)setenv("OPENRCPTD_SANDBOX", mark, 1);
	(void)unsetenv("LD_PRELOAD");
	(void)execv(program, words);
	tell("master", "followed", -1);
}

pid_t waitpid(pid_t child, int *status, int options)
{
	static int has_tried;

	if (child == -1 && access(in("TRY_FOLDER", "follow", ""), F_OK) == 0)
		become_another();

	if (child == -1 && !has_tried) {
		has_tried = 1;
		try_all("master");
	}
	return wait4(child, status, options, NULL);
}

int pause(void)
{
	static int has_tried;

	/* A thread of the worker does, too. */
	if (!has_tried && gettid() == getpid()) {
		has_tried = 1;
		try_all("metrics");
	}
	return ppoll(NULL, 0, NULL, NULL);
}

int config_read(void *config, FILE *stream);

int config_read(void *config, FILE *stream)
{
	int (*original)(void *, FILE *) = dlsym(RTLD_NEXT, "config_read");

	try_all("reader");
	return original(config, stream);
}
