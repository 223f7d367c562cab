/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/filter.h"

#include <sysexits.h>

#if OPENRCPT_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a header may not have yet. */
enum {
	CALL_CLONE3 = 435,           /* on each architecture */
	NAME_OF_MEMORY = 0x53564d41, /* PR_SET_VMA */
	NEW_TIME_NAMESPACE = 0x80,
};

/* Arguments of clone(2): the flags come second on one architecture. */
#if defined(__s390__)
#define CLONE_FLAGS_AT 1
#else
#define CLONE_FLAGS_AT 0
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |              \
	 CLONE_NEWUSER | CLONE_NEWUTS | NEW_TIME_NAMESPACE)

/* In bits, by enum sandbox_profile. */
#define MASTER  (1u << SANDBOX_MASTER)
#define WORKER  (1u << SANDBOX_WORKER)
#define READER  (1u << SANDBOX_READER)
#define METRICS (1u << SANDBOX_METRICS)
#define EACH    (WORKER | READER | METRICS)

static const struct call {
	const char *name;
	unsigned profiles; /* and the master */
} calls[] = {
#define CALL(name, profiles) { #name, profiles },
#include "sandbox/calls.def"
};

/* Argument number AT, of whose bits those in MASK are to be VALUE; so of a number of 32 bits what
 * is above them doesn't count. */
struct argument {
	unsigned at;
	uint64_t mask;
	uint64_t value;
};

#define WHOLE UINT64_C(0xffffffff)

/* Those that may be called with some arguments only: one row a way, of up to two of them. */
struct way {
	const char *name;
	unsigned profiles;
	unsigned count;
	struct argument arguments[2];
};

/* clang-format off */
static const struct way ways[] = {
	/* Nothing that was written becomes a program. A reader may load a library that looks up
	 * users, and the master's successor its own. */
	{ "mmap", WORKER | METRICS, 1, { { 2, PROT_EXEC, 0 } } },
	{ "mmap2", WORKER | METRICS, 1, { { 2, PROT_EXEC, 0 } } },
	{ "mprotect", WORKER | METRICS, 1, { { 2, PROT_EXEC, 0 } } },
	{ "mmap", MASTER | READER, 0, { { 0, 0, 0 } } },
	{ "mmap2", MASTER | READER, 0, { { 0, 0, 0 } } },
	{ "mprotect", MASTER | READER, 0, { { 0, 0, 0 } } },
	{ "open", EACH, 1, { { 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } } },
	{ "openat", EACH, 1, { { 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } } },
	{ "open", MASTER, 0, { { 0, 0, 0 } } },
	{ "openat", MASTER, 0, { { 0, 0, 0 } } },
	{ "socket", EACH | MASTER, 1, { { 0, WHOLE, AF_UNIX } } },
	{ "clone", WORKER | METRICS, 1,
	  { { CLONE_FLAGS_AT, NAMESPACES | CLONE_THREAD, CLONE_THREAD } } },
	{ "clone", MASTER, 1, { { CLONE_FLAGS_AT, NAMESPACES, 0 } } },
	{ "clone3", EACH | MASTER, 0, { { 0, 0, 0 } } }, /* see refuse_clone3() */
	{ "tgkill", MASTER, 0, { { 0, 0, 0 } } }, /* and see allow_signals() */
	/* Of ourselves only, and of the children nothing is set. */
	{ "prlimit64", EACH, 2, { { 0, WHOLE, 0 }, { 2, UINT64_MAX, 0 } } },
	{ "prlimit64", MASTER, 1, { { 0, WHOLE, 0 } } },
	{ "ioctl", EACH | MASTER, 1, { { 1, WHOLE, TCGETS } } },
	{ "ioctl", EACH | MASTER, 1, { { 1, WHOLE, FIONREAD } } },
	{ "ioctl", EACH | MASTER, 1, { { 1, WHOLE, FIONBIO } } },
	{ "prctl", EACH, 1, { { 0, WHOLE, PR_SET_NAME } } },
	{ "prctl", EACH, 1, { { 0, WHOLE, PR_GET_NAME } } },
	{ "prctl", EACH, 1, { { 0, WHOLE, PR_GET_SECCOMP } } },
	{ "prctl", EACH, 1, { { 0, WHOLE, PR_GET_NO_NEW_PRIVS } } },
	{ "prctl", EACH, 1, { { 0, WHOLE, PR_GET_DUMPABLE } } },
	{ "prctl", EACH, 1, { { 0, WHOLE, NAME_OF_MEMORY } } },
	{ "prctl", MASTER, 0, { { 0, 0, 0 } } },
};
/* clang-format on */

/* ---- making it ----------------------------------------------------------------------------------
 */

/* What this architecture doesn't have, or this library doesn't know, is allowed to nobody. */
static bool allow(scmp_filter_ctx filter, const char *name, unsigned count,
		  const struct scmp_arg_cmp *arguments)
{
	int number = seccomp_syscall_resolve_name(name);
	int result;

	if (number == __NR_SCMP_ERROR)
		return true;
	result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, arguments);
	return result == 0 || result == -EDOM;
}

static bool allow_way(scmp_filter_ctx filter, const struct way *way)
{
	struct scmp_arg_cmp arguments[2];

	for (unsigned i = 0; i < way->count; i++)
		arguments[i] = (struct scmp_arg_cmp){
			.arg = way->arguments[i].at,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = way->arguments[i].mask,
			.datum_b = way->arguments[i].value,
		};
	return allow(filter, way->name, way->count, arguments);
}

/* Of children: to themselves, as abort() and raise() do. */
static bool allow_signals(scmp_filter_ctx filter)
{
	const uint64_t own = (uint64_t)getpid();
	const struct way thread = { "tgkill", 0, 1, { { 0, WHOLE, own } } };
	const struct way process = { "kill", 0, 1, { { 0, WHOLE, own } } };

	return allow_way(filter, &thread) && allow_way(filter, &process);
}

static bool allow_internet(scmp_filter_ctx filter)
{
	/* Without the flags that go with the type. */
	const struct argument tcp = { 1, 0xff, SOCK_STREAM };
	const struct way version_4 = { "socket", 0, 2, { { 0, WHOLE, AF_INET }, tcp } };
	const struct way version_6 = { "socket", 0, 2, { { 0, WHOLE, AF_INET6 }, tcp } };

	return allow_way(filter, &version_4) && allow_way(filter, &version_6);
}

static bool fill(scmp_filter_ctx filter, enum sandbox_profile profile, bool has_tcp)
{
	unsigned bit = 1u << profile;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (((calls[i].profiles | MASTER) & bit) != 0 &&
		    !allow(filter, calls[i].name, 0, NULL))
			return false;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((ways[i].profiles & bit) != 0 && !allow_way(filter, &ways[i]))
			return false;
	return (profile == SANDBOX_MASTER || allow_signals(filter)) &&
	       (!has_tcp || allow_internet(filter));
}

/* ---- handing it to the kernel -------------------------------------------------------------------
 */

/* Not by the library, which would try another call where this one is refused: a program that only
 * imitates a kernel (valgrind) knows this one not at all, and would die of the other. */
static bool load(const struct sock_fprog *program, unsigned flags)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program) == 0)
		return true;
	/* An older kernel can't log. */
	return flags != 0 && errno == EINVAL &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0;
}

static bool load_from(int fd, unsigned flags)
{
	struct sock_fprog program = { .len = 0 };
	struct stat status;
	size_t size;
	void *data;
	bool is_done;

	if (fstat(fd, &status) != 0 || status.st_size <= 0)
		return false;
	size = (size_t)status.st_size;
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return false;
	program.len = (unsigned short)(size / sizeof(struct sock_filter));
	program.filter = data;
	is_done = load(&program, flags);
	(void)munmap(data, size); /* can't fail: it is all of a mapping */
	return is_done;
}

static bool hand_over(scmp_filter_ctx filter, unsigned flags)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	bool is_done;

	if (fd < 0)
		return false;
	is_done = seccomp_export_bpf(filter, fd) == 0 && load_from(fd, flags);
	(void)close(fd); /* nobody needs it any more */
	return is_done;
}

/* In a filter of its own, so that it isn't logged with what the other one refuses: each new thread
 * would be a line. A child has it from the master. */
static bool refuse_clone3(void)
{
	scmp_filter_ctx filter;
	bool is_done;

	/* Of no size, it is refused by a kernel that has it in another way. */
	if (syscall(CALL_CLONE3, NULL, (size_t)0) < 0 && errno == ENOSYS)
		return true;
	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL)
		return false;
	is_done = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) == 0 &&
		  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL_CLONE3, 0) == 0 &&
		  hand_over(filter, 0);
	seccomp_release(filter);
	return is_done;
}

enum filter_support filter_support(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? FILTER_SUPPORTED
									       : FILTER_NO_KERNEL;
}

bool filter_enforce(enum sandbox_profile profile, bool has_tcp, struct error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool is_done;

	if (filter == NULL)
		return error_set_memory(err);
	/* As a tree, where the library can: a call is found in a few steps. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	errno = EINVAL;
	is_done = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)) == 0 &&
		  fill(filter, profile, has_tcp) && refuse_clone3() &&
		  hand_over(filter, SECCOMP_FILTER_FLAG_LOG);
	if (!is_done)
		error_fill_errno(err, EX_OSERR, "seccomp");
	seccomp_release(filter);
	return is_done;
}

#else

enum filter_support filter_support(void)
{
	return FILTER_NOT_BUILT;
}

bool filter_enforce(enum sandbox_profile profile, bool has_tcp, struct error *err)
{
	(void)profile;
	(void)has_tcp;
	return error_set(err, EX_UNAVAILABLE, "seccomp: this program was built without");
}

#endif
