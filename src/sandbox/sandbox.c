/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "sandbox/capabilities.h"

#define MARK "OPENRCPTD_SANDBOX"

enum {
	READ_PLACES = 4,
	PORTS = sizeof(((struct sandbox_limits *)NULL)->ports) / sizeof(uint16_t),
};

/* The folders that may be read, of a process that may not read everywhere. */
static struct {
	bool is_limited;
	size_t count;
	struct {
		dev_t device;
		ino_t inode;
	} places[READ_PLACES];
} reach;

bool sandbox_is_built(void)
{
	return OPENRCPT_SANDBOX;
}

/* ---- files --------------------------------------------------------------------------------------
 */

static void remember_place(const struct sandbox_place *place)
{
	struct stat status;

	if ((place->uses & LANDLOCK_READ) == 0 || reach.count == READ_PLACES ||
	    stat(place->path, &status) != 0)
		return;
	reach.places[reach.count].device = status.st_dev;
	reach.places[reach.count].inode = status.st_ino;
	reach.count++;
}

static bool reads_everywhere(const struct sandbox_limits *limits)
{
	for (size_t i = 0; i < limits->count; i++)
		if ((limits->places[i].uses & LANDLOCK_READ) != 0 &&
		    strcmp(limits->places[i].path, "/") == 0)
			return true;
	return false;
}

/* Before the rules are made: a folder that is swapped in between then seems not to be covered,
 * which is the better mistake. */
static void remember_places(const struct sandbox_limits *limits)
{
	reach.count = 0;
	for (size_t i = 0; i < limits->count; i++)
		remember_place(&limits->places[i]);
}

static bool allow_places(const struct landlock *landlock, const struct sandbox_limits *limits,
			 struct error *err)
{
	for (size_t i = 0; i < limits->count; i++)
		if (!landlock_allow(landlock, limits->places[i].path, limits->places[i].uses, err))
			return false;
	for (size_t i = 0; i < PORTS; i++)
		if (limits->ports[i] != 0 && !landlock_allow_port(landlock, limits->ports[i], err))
			return false;
	return true;
}

static bool enter_landlock(const struct sandbox_limits *limits, struct error *err)
{
	struct landlock landlock;
	bool is_done;

	remember_places(limits);
	if (!landlock_begin(&landlock, limits->has_abstract, err))
		return false;
	is_done = allow_places(&landlock, limits, err) && landlock_enforce(&landlock, err);
	landlock_close(&landlock);
	reach.is_limited = is_done && !reads_everywhere(limits);
	return is_done;
}

bool sandbox_covers(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat status;
	int size = slash == NULL
			   ? -1
			   : snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - path), path);

	/* One that can't be seen isn't kept from us by this. */
	if (!reach.is_limited || size < 0 || (size_t)size >= sizeof(folder) ||
	    stat(folder, &status) != 0)
		return true;
	for (size_t i = 0; i < reach.count; i++)
		if (reach.places[i].device == status.st_dev &&
		    reach.places[i].inode == status.st_ino)
			return true;
	return false;
}

/* ---- the proof ----------------------------------------------------------------------------------
 */

bool sandbox_prove(struct error *err)
{
	if (!capabilities_drop(err))
		return false;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return error_set(err, EX_NOPERM, "new privileges can be had");
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ||
	       error_set(err, EX_NOPERM, "others may look into this process");
}

/* ---- both ---------------------------------------------------------------------------------------
 */

bool sandbox_enter(const struct sandbox_limits *limits, struct sandbox_state *out_state,
		   struct error *err)
{
	int abi = landlock_abi();
	bool is_done = true;

	*out_state = (struct sandbox_state){ .landlock_abi = 0 };
	if (!sandbox_is_built())
		return true;
	if (abi > 0) {
		is_done = enter_landlock(limits, err);
		out_state->landlock_abi = is_done ? abi : 0;
	}
	if (filter_support() != FILTER_SUPPORTED)
		return is_done;
	/* Of two errors the second one is told. */
	out_state->has_seccomp = filter_enforce(
		limits->profile, limits->ports[0] != 0 || limits->ports[1] != 0, err);
	return is_done && out_state->has_seccomp;
}

/* ---- a successor --------------------------------------------------------------------------------
 */

bool sandbox_bequeath(const struct sandbox_state *state, struct error *err)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%ld %d %d", (long)getpid(), state->landlock_abi,
		       state->has_seccomp); /* fits */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the master has one thread */
	return setenv(MARK, text, 1) == 0 || error_set_errno(err, EX_OSERR, "environment");
}

bool sandbox_inherited(struct sandbox_state *out_state)
{
	const char *text = secure_getenv(MARK);
	struct sandbox_state state = { .landlock_abi = 0 };
	long pid = 0;
	char *end;

	if (text == NULL)
		return false;
	pid = strtol(text, &end, 10);
	state.landlock_abi = (int)strtol(end, &end, 10);
	state.has_seccomp = strtol(end, &end, 10) == 1;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet */
	(void)unsetenv(MARK); /* its name is sound */
	/* execve(2) keeps the process id, and no child has it. */
	if (pid != (long)getpid() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    (state.has_seccomp && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER))
		return false;
	*out_state = state;
	return true;
}

/* ---- words --------------------------------------------------------------------------------------
 */

const char *sandbox_landlock_words(int abi, bool is_wanted)
{
	static const char *const numbers[] = { "ABI 1", "ABI 2", "ABI 3", "ABI 4", "ABI 5",
					       "ABI 6", "ABI 7", "ABI 8", "ABI 9" };
	const size_t count = sizeof(numbers) / sizeof(numbers[0]);

	if (abi > 0)
		return (size_t)abi <= count ? numbers[abi - 1] : "on";
	if (!is_wanted)
		return "off";
	if (!sandbox_is_built())
		return "not in this build";
	return landlock_abi() > 0 ? "failed" : "not available";
}

const char *sandbox_seccomp_words(bool has_seccomp, bool is_wanted)
{
	if (has_seccomp)
		return "on";
	if (!is_wanted)
		return "off";
	if (!sandbox_is_built() || filter_support() == FILTER_NOT_BUILT)
		return "not in this build";
	return filter_support() == FILTER_NO_KERNEL ? "not available" : "failed";
}
