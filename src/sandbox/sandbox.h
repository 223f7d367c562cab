/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox - what a process gives up for good, once it has all that it needs.
 *
 * No new privileges, no capabilities: for these there is a proof, and who can't give it must not
 * serve. Landlock and seccomp: as far as the kernel and this program have them. Where one is
 * missing, the other still counts, and mail goes on without both: no sandbox is better than no
 * mail.
 *
 * Call it while there is one thread: others would keep what they have.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/profile.h"

/* A folder or a file, and an OR of enum landlock_use. */
struct sandbox_place {
	const char *path;
	unsigned uses;
};

struct sandbox_limits {
	enum sandbox_profile profile;
	const struct sandbox_place *places;
	size_t count;
	uint16_t ports[2]; /* over TCP: which it may open, and connect to; 0: none. Of the master
			    * only; without one there are no sockets of the internet at all */
	bool has_abstract; /* as for landlock_begin() */
};

/* What is in force. */
struct sandbox_state {
	int landlock_abi; /* 0: not in force */
	bool has_seccomp;
};

/* Prove what each process of ours has given up by then: it can get no new privileges, dumps no
 * core, and has no capabilities, the last of which are dropped here. Status 77: it could not be
 * proved. */
bool sandbox_prove(struct error *err);

/* Landlock and seccomp for this process. False: one of them can't be had although the kernel has
 * it, and ERR says why (status 71); OUT_STATE tells what is in force in any case. */
bool sandbox_enter(const struct sandbox_limits *limits, struct sandbox_state *out_state,
		   struct error *err);

/* Is no more than no sandbox at all possible in this build? A sanitizer's runtime opens what it
 * wants, where it wants. */
bool sandbox_is_built(void);

/* May this process read PATH, a file, as far as its sandbox is concerned? False: the folder is
 * there, and isn't one that it may read in: one of another name, or one that took the place of
 * that. Only another process can do so then. */
bool sandbox_covers(const char *path);

/*
 * A process that executes its own program anew takes its sandbox along. sandbox_bequeath(): say so
 * in the environment, before execve(2). sandbox_inherited(): have we come to be in that way, and
 * what is in force? The kernel is asked too, so that a forged variable means less of a sandbox only
 * where whoever starts us wants that.
 */
bool sandbox_bequeath(const struct sandbox_state *state, struct error *err);
bool sandbox_inherited(struct sandbox_state *out_state);

/* In words: "ABI 7", "not available", "off". IS_WANTED: should there be a sandbox? */
const char *sandbox_landlock_words(int abi, bool is_wanted);
const char *sandbox_seccomp_words(bool has_seccomp, bool is_wanted);

#endif
