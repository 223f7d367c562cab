/* SPDX-License-Identifier: BSD-2-Clause */
/* Each sandbox is a child's: what it gives up is gone for good. */
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "sandbox/capabilities.h"
#include "scratch.h"

static struct error err;

/* Run STEP in a child; it ends with the line of the first claim that was wrong. */
static void in_a_child(int (*step)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(step());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* In a child nothing else may fail. */
#define CLAIM(claim)                                                                               \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			(void)fprintf(stderr, "line %d: %s\n", __LINE__, #claim);                  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* ---- Landlock -----------------------------------------------------------------------------------
 */

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd >= 0 && close(fd) == 0;
}

static bool is_barred(const char *path, int flags)
{
	errno = 0;
	return !opens(path, flags) && errno == EACCES;
}

static bool makes_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && close(fd) == 0;
}

static bool limit(const struct sandbox_place *places, size_t count)
{
	struct landlock landlock;
	bool is_done = landlock_begin(&landlock, false, &err);

	for (size_t i = 0; is_done && i < count; i++)
		is_done = landlock_allow(&landlock, places[i].path, places[i].uses, &err);
	is_done = is_done && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		  landlock_enforce(&landlock, &err);
	landlock_close(&landlock);
	return is_done;
}

static int reach_places(void)
{
	const struct sandbox_place places[] = {
		{ scratch_path("read"), LANDLOCK_READ },
		{ scratch_path("write"), LANDLOCK_WRITE },
		{ scratch_path("socket"), LANDLOCK_SOCKETS },
		{ scratch_path("not-there"), LANDLOCK_READ },
		{ "/dev/null", LANDLOCK_WRITE },
	};

	CLAIM(limit(places, sizeof(places) / sizeof(places[0])));
	CLAIM(opens(scratch_path("read/file"), O_RDONLY));
	CLAIM(is_barred(scratch_path("read/file"), O_WRONLY));
	CLAIM(is_barred(scratch_path("read/file"), O_RDONLY | O_TRUNC) || landlock_abi() < 3);
	CLAIM(is_barred(scratch_path("read/new"), O_WRONLY | O_CREAT));
	CLAIM(is_barred(scratch_path("read"), O_RDONLY));
	CLAIM(unlink(scratch_path("read/file")) != 0 && errno == EACCES);
	CLAIM(opens(scratch_path("write/new"), O_WRONLY | O_CREAT | O_TRUNC));
	CLAIM(is_barred(scratch_path("write/new"), O_RDONLY));
	CLAIM(unlink(scratch_path("write/new")) == 0);
	CLAIM(!makes_socket(scratch_path("write/new")));
	CLAIM(makes_socket(scratch_path("socket/new")));
	CLAIM(unlink(scratch_path("socket/new")) == 0);
	CLAIM(is_barred(scratch_path("socket/new"), O_WRONLY | O_CREAT));
	CLAIM(is_barred("/etc/passwd", O_RDONLY));
	CLAIM(opens("/dev/null", O_WRONLY));
	/* Which nobody may rely on: it is how owners are looked at. */
	CLAIM(opens("/etc", O_PATH));
	return 0;
}

static int stay_with_the_folder(void)
{
	const struct sandbox_place place = { scratch_path("read"), LANDLOCK_READ };

	CLAIM(limit(&place, 1));
	kill(getpid(), SIGSTOP);
	/* Its name may be another one's by now. */
	CLAIM(is_barred(scratch_path("read/file"), O_RDONLY));
	CLAIM(opens(scratch_path("away/file"), O_RDONLY));
	return 0;
}

static void make_folders(void)
{
	static const char *const names[] = { "read", "write", "socket" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(mkdir(scratch_path(names[i]), 0700), 0);
	scratch_put("read/file", "x");
}

static void files_are_out_of_reach_but_for_places(void **state)
{
	(void)state;
	if (landlock_abi() == 0 || !sandbox_is_built())
		skip();
	make_folders();
	in_a_child(reach_places);
}

static void a_folder_that_takes_its_place_is_another(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (landlock_abi() == 0 || !sandbox_is_built())
		skip();
	make_folders();
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(stay_with_the_folder());
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(rename(scratch_path("read"), scratch_path("away")), 0);
	assert_int_equal(mkdir(scratch_path("read"), 0700), 0);
	scratch_put("read/file", "x");
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- seccomp
 * ------------------------------------------------------------------------------------- */

static void *end_at_once(void *context)
{
	return context;
}

static bool has_threads(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, end_at_once, NULL) == 0 &&
	       pthread_join(thread, NULL) == 0;
}

static bool is_refused(long result)
{
	return result == -1 && errno == EPERM;
}

static int filter_of(enum sandbox_profile profile, bool has_tcp)
{
	char *arguments[] = { NULL };
	void *page;

	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(filter_enforce(profile, has_tcp, &err));
	CLAIM(syscall(435, NULL, (size_t)0) == -1 && errno == ENOSYS);
	CLAIM(is_refused(syscall(SYS_mount, NULL, NULL, NULL, 0UL, NULL)));
	CLAIM(is_refused(syscall(SYS_ptrace, 0L, 0L, 0L, 0L)));
	CLAIM(is_refused(syscall(SYS_bpf, 0, NULL, 0U)));
	CLAIM(is_refused(unshare(CLONE_NEWUSER)));
	CLAIM(is_refused(socket(AF_NETLINK, SOCK_RAW, 0)));
	CLAIM(has_tcp ? socket(AF_INET, SOCK_STREAM, 0) >= 0
		      : is_refused(socket(AF_INET, SOCK_STREAM, 0)));
	CLAIM(is_refused(socket(AF_INET, SOCK_DGRAM, 0)));
	CLAIM(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
	CLAIM(memfd_create("x", 0) >= 0);
	if (profile == SANDBOX_MASTER) {
		CLAIM(kill(getppid(), 0) == 0);
		return 0;
	}
	CLAIM(is_refused(setuid(0)));
	CLAIM(is_refused(execve("/bin/true", arguments, arguments)));
	CLAIM(is_refused(kill(getppid(), 0)));
	CLAIM(raise(0) == 0);
	CLAIM(is_refused(open("/dev/null", O_WRONLY)));
	CLAIM(open("/dev/null", O_RDONLY) >= 0);
	CLAIM(is_refused(fork()));
	page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (profile == SANDBOX_READER) {
		CLAIM(page != MAP_FAILED);
		return 0;
	}
	CLAIM(page == MAP_FAILED && errno == EPERM);
	CLAIM(has_threads());
	return 0;
}

static int filter_of_the_master(void)
{
	return filter_of(SANDBOX_MASTER, false);
}

static int filter_of_a_master_with_tcp(void)
{
	return filter_of(SANDBOX_MASTER, true);
}

static int filter_of_a_worker(void)
{
	return filter_of(SANDBOX_WORKER, false);
}

static int filter_of_a_reader(void)
{
	return filter_of(SANDBOX_READER, false);
}

static int filter_of_the_metrics(void)
{
	return filter_of(SANDBOX_METRICS, false);
}

/* As it is in the daemon: what the master has stays in force. */
static int filter_of_a_masters_worker(void)
{
	int status;
	pid_t child;

	CLAIM(filter_of(SANDBOX_MASTER, false) == 0);
	child = fork();
	if (child == 0)
		_exit(filter_of(SANDBOX_WORKER, false));
	CLAIM(waitpid(child, &status, 0) == child);
	return status == 0 ? 0 : 1;
}

static void only_what_is_listed_may_be_called(void **state)
{
	(void)state;
	if (filter_support() != FILTER_SUPPORTED || !sandbox_is_built())
		skip();
	in_a_child(filter_of_the_master);
	in_a_child(filter_of_a_master_with_tcp);
	in_a_child(filter_of_a_worker);
	in_a_child(filter_of_a_reader);
	in_a_child(filter_of_the_metrics);
	in_a_child(filter_of_a_masters_worker);
}

/* ---- both
 * ---------------------------------------------------------------------------------------- */

static int cover(void)
{
	const struct sandbox_place place = { scratch_path("read"), LANDLOCK_READ };
	const struct sandbox_limits limits = {
		.profile = SANDBOX_WORKER,
		.places = &place,
		.count = 1,
	};
	struct sandbox_state now;
	int abi = landlock_abi();

	CLAIM(sandbox_covers(scratch_path("write/file")));
	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(sandbox_enter(&limits, &now, &err));
	CLAIM(now.landlock_abi == abi);
	CLAIM(now.has_seccomp == (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2));
	CLAIM(sandbox_covers(scratch_path("read/file")));
	CLAIM(sandbox_covers(scratch_path("read/not-there")));
	CLAIM(!sandbox_covers(scratch_path("write/file")));
	/* That fails by itself, and may be there one day. */
	CLAIM(sandbox_covers(scratch_path("not-there/file")));
	return 0;
}

static int cover_everything(void)
{
	const struct sandbox_place place = { "/", LANDLOCK_READ };
	const struct sandbox_limits limits = {
		.profile = SANDBOX_READER,
		.places = &place,
		.count = 1,
	};
	struct sandbox_state now;

	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(sandbox_enter(&limits, &now, &err));
	CLAIM(sandbox_covers(scratch_path("read/file")));
	return 0;
}

static int open_port(uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	return -1;
}

/* One that nobody had a moment ago. */
static uint16_t find_port(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int fd = open_port(0);

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 || close(fd) != 0)
		return 0;
	return ntohs(address.sin_port);
}

static int keep_a_port(void)
{
	const struct sandbox_limits limits = {
		.profile = SANDBOX_MASTER,
		.ports = { find_port(), 0 },
	};
	uint16_t other = find_port();
	struct sandbox_state now;

	CLAIM(limits.ports[0] != 0 && other != 0 && limits.ports[0] != other);
	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(sandbox_enter(&limits, &now, &err));
	CLAIM(open_port(other) < 0 && errno == EACCES);
	/* Another program may have it by now. */
	CLAIM(open_port(limits.ports[0]) >= 0 || errno == EADDRINUSE);
	CLAIM(open_port(0) >= 0);
	return 0;
}

static void only_its_own_ports_can_be_opened(void **state)
{
	(void)state;
	if (landlock_abi() < 4 || !sandbox_is_built())
		skip();
	in_a_child(keep_a_port);
}

static void it_says_what_it_covers(void **state)
{
	(void)state;
	if (landlock_abi() == 0 || !sandbox_is_built())
		skip();
	make_folders();
	in_a_child(cover);
	in_a_child(cover_everything);
}

/* ---- the proof
 * ----------------------------------------------------------------------------------- */

static int prove(void)
{
	CLAIM(!sandbox_prove(&err) && err.status == EX_NOPERM);
	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(!sandbox_prove(&err) && err.status == EX_NOPERM);
	CLAIM(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	CLAIM(sandbox_prove(&err));
	/* Which root could before. */
	CLAIM(chroot("/") != 0);
	return 0;
}

static int empty_bounding(void)
{
	capabilities_empty_bounding();
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		CLAIM(prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 0);
	return 0;
}

static void what_must_be_gone_is_proved_to_be(void **state)
{
	(void)state;
	in_a_child(prove);
	if (geteuid() == 0)
		in_a_child(empty_bounding);
}

/* ---- a successor
 * ---------------------------------------------------------------------------------- */

static int inherit(void)
{
	const struct sandbox_state state = { .landlock_abi = 3, .has_seccomp = false };
	struct sandbox_state now;

	CLAIM(!sandbox_inherited(&now));
	CLAIM(sandbox_bequeath(&state, &err));
	/* Nothing was given up: whoever says so is wrong. */
	CLAIM(!sandbox_inherited(&now));
	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(sandbox_bequeath(&state, &err));
	CLAIM(sandbox_inherited(&now));
	CLAIM(now.landlock_abi == 3 && !now.has_seccomp);
	/* It is said once, and goes to nobody else. */
	CLAIM(!sandbox_inherited(&now));
	CLAIM(sandbox_bequeath(&state, &err));
	if (fork() == 0)
		_exit(sandbox_inherited(&now) ? 1 : 0);
	{
		int status;

		CLAIM(wait(&status) > 0 && status == 0);
	}
	return 0;
}

static void only_a_successor_inherits(void **state)
{
	(void)state;
	in_a_child(inherit);
}

static void states_have_words(void **state)
{
	(void)state;
	assert_string_equal(sandbox_landlock_words(7, true), "ABI 7");
	assert_string_equal(sandbox_landlock_words(1000, true), "on");
	assert_string_equal(sandbox_landlock_words(0, false), "off");
	assert_string_equal(sandbox_seccomp_words(true, true), "on");
	assert_string_equal(sandbox_seccomp_words(false, false), "off");
	assert_string_not_equal(sandbox_landlock_words(0, true), "off");
	assert_string_not_equal(sandbox_seccomp_words(false, true), "off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(files_are_out_of_reach_but_for_places),
		SCRATCH_TEST(a_folder_that_takes_its_place_is_another),
		SCRATCH_TEST(it_says_what_it_covers),
		cmocka_unit_test(only_its_own_ports_can_be_opened),
		cmocka_unit_test(only_what_is_listed_may_be_called),
		cmocka_unit_test(what_must_be_gone_is_proved_to_be),
		cmocka_unit_test(only_a_successor_inherits),
		cmocka_unit_test(states_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
