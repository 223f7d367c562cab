/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

enum { LAST_THERE_CAN_BE = 63 };

void capabilities_empty_bounding(void)
{
	/* Beyond the last one that the kernel knows it says so. */
	for (unsigned long i = 0; i <= LAST_THERE_CAN_BE; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) < 0 ||
		    prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return;
}

static bool has_ambient(void)
{
	for (unsigned long i = 0; i <= LAST_THERE_CAN_BE; i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) > 0)
			return true;
	return false;
}

static bool is_empty(const struct __user_cap_data_struct *sets)
{
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if ((sets[i].effective | sets[i].permitted | sets[i].inheritable) != 0)
			return false;
	return true;
}

/* What a system call refuses to say isn't empty. */
static bool has_none(struct __user_cap_header_struct *header)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capget, header, sets) == 0 && is_empty(sets) && !has_ambient();
}

bool capabilities_drop(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	/* Asked first: who starts us may have taken them away, and the call to do so with them. */
	if (has_none(&header))
		return true;
	/* A kernel that has no ambient ones knows no such call. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) != 0)
		return error_set_errno(err, EX_NOPERM, "give up all capabilities");
	return has_none(&header) || error_set(err, EX_NOPERM, "capabilities are left");
}
