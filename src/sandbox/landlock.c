/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- what the kernel calls it --------------------------------------------------------------- */

/* The same on each architecture. */
enum { CALL_CREATE = 444, CALL_ADD = 445, CALL_RESTRICT = 446 };
enum { FLAG_VERSION = 1, RULE_PATH = 1, RULE_PORT = 2 };

#define BIT(number) (UINT64_C(1) << (number))

#define EXECUTE     BIT(0)
#define WRITE_FILE  BIT(1)
#define READ_FILE   BIT(2)
#define READ_DIR    BIT(3)
#define REMOVE_FILE BIT(5)
#define MAKE_REG    BIT(8)
#define MAKE_SOCK   BIT(9)
#define TRUNCATE    BIT(14)
#define IOCTL_DEV   BIT(15)
#define FOR_FILES   (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

#define BIND_TCP    BIT(0)
#define CONNECT_TCP BIT(1)

#define SCOPE_ABSTRACT BIT(0)
#define SCOPE_SIGNAL   BIT(1)

struct ruleset {
	uint64_t files;
	uint64_t ports;
	uint64_t scopes;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

/* How many kinds of access to files each version knows; those that follow know as many as the last
 * one here, as far as we are concerned. */
static const unsigned char kinds[] = { 0, 13, 14, 15, 15, 16 };

/* ---- rules ------------------------------------------------------------------------------------
 */

int landlock_abi(void)
{
	long abi = syscall(CALL_CREATE, NULL, (size_t)0, FLAG_VERSION);

	return abi > 0 ? (int)abi : 0;
}

bool landlock_begin(struct landlock *landlock, bool has_abstract, struct error *err)
{
	int abi = landlock_abi();
	size_t last = sizeof(kinds) - 1;
	size_t known = abi > 0 && (size_t)abi < last ? (size_t)abi : last;
	struct ruleset ruleset = { .files = BIT(kinds[known]) - 1 };
	/* An older version is told of no more than it knows. */
	size_t size = abi >= 6   ? sizeof(ruleset)
		      : abi >= 4 ? offsetof(struct ruleset, scopes)
				 : offsetof(struct ruleset, ports);

	if (abi >= 4)
		ruleset.ports = BIND_TCP | CONNECT_TCP;
	if (abi >= 6)
		ruleset.scopes = SCOPE_SIGNAL | (has_abstract ? 0 : SCOPE_ABSTRACT);
	landlock->abi = abi;
	landlock->handled = ruleset.files;
	landlock->fd = (int)syscall(CALL_CREATE, &ruleset, size, 0);
	return landlock->fd >= 0 || error_set_errno(err, EX_OSERR, "Landlock");
}

static uint64_t accesses(unsigned uses)
{
	uint64_t allowed = 0;

	if ((uses & LANDLOCK_READ) != 0)
		allowed |= READ_FILE;
	if ((uses & LANDLOCK_LIST) != 0)
		allowed |= READ_DIR;
	if ((uses & LANDLOCK_WRITE) != 0)
		allowed |= WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE;
	if ((uses & LANDLOCK_SOCKETS) != 0)
		allowed |= MAKE_SOCK | REMOVE_FILE;
	if ((uses & LANDLOCK_EXECUTE) != 0)
		allowed |= EXECUTE;
	return allowed;
}

bool landlock_allow(const struct landlock *landlock, const char *path, unsigned uses,
		    struct error *err)
{
	struct path_rule rule = { .allowed = accesses(uses) & landlock->handled };
	struct stat status;
	bool is_done;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return true;
	is_done = fstat(rule.parent_fd, &status) == 0;
	if (is_done && !S_ISDIR(status.st_mode))
		rule.allowed &= FOR_FILES;
	is_done = is_done && syscall(CALL_ADD, landlock->fd, RULE_PATH, &rule, 0) == 0;
	if (!is_done)
		error_fill_errno(err, EX_OSERR, "Landlock: %s", path);
	(void)close(rule.parent_fd); /* was for its name only */
	return is_done;
}

bool landlock_allow_port(const struct landlock *landlock, uint16_t port, struct error *err)
{
	const struct port_rule ours = { .allowed = CONNECT_TCP | BIND_TCP, .port = port };
	const struct port_rule any = { .allowed = BIND_TCP, .port = 0 };

	return landlock->abi < 4 ||
	       (syscall(CALL_ADD, landlock->fd, RULE_PORT, &ours, 0) == 0 &&
		syscall(CALL_ADD, landlock->fd, RULE_PORT, &any, 0) == 0) ||
	       error_set_errno(err, EX_OSERR, "Landlock: port %u", (unsigned)port);
}

bool landlock_enforce(const struct landlock *landlock, struct error *err)
{
	return syscall(CALL_RESTRICT, landlock->fd, 0) == 0 ||
	       error_set_errno(err, EX_OSERR, "Landlock");
}

void landlock_close(struct landlock *landlock)
{
	if (landlock->fd >= 0)
		(void)close(landlock->fd); /* its rules hold without it */
	landlock->fd = -1;
}
