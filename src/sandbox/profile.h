/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile - the kinds of processes that a sandbox is made for.
 *
 * What a process is kept from, its children are kept from too. So MASTER may whatever one of the
 * others may, and they give up more by themselves before they look at anything from outside.
 */
#ifndef SANDBOX_PROFILE_H
#define SANDBOX_PROFILE_H

enum sandbox_profile {
	SANDBOX_MASTER,  /* starts the others, opens sockets, executes its own program anew */
	SANDBOX_WORKER,  /* reads one file, has threads */
	SANDBOX_READER,  /* reads files anywhere, asks for users */
	SANDBOX_METRICS, /* serves from memory alone, has threads */
	SANDBOX_PROFILES
};

#endif
