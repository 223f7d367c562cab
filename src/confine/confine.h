/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine - what each process of the daemon keeps, and nothing else from then on.
 *
 * What each needs is said here; how it is taken away, in sandbox/. Whether Landlock and seccomp are
 * used is a setting. False: the process must not go on (status 77); all else is logged, and mail
 * goes on without.
 */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "sandbox/sandbox.h"
#include "settings/settings.h"

/* After all is open. MILTER: of the socket of the MTA, which it asks whether the worker answers.
 * METRICS: of that socket; of no family where there is none. */
bool confine_master(const struct settings *settings, const struct endpoint_address *milter,
		    const struct endpoint_address *metrics, struct sandbox_state *out_state,
		    struct error *err);

/* Before the table is loaded, and with libmilter's socket open. TABLE: in force, which may be
 * another one than at the start of the master. */
bool confine_worker(const struct settings *settings, const char *table, struct error *err);

bool confine_reader(const struct settings *settings, struct error *err);

/* Before it has a thread. */
bool confine_metrics(const struct settings *settings, struct error *err);

#endif
