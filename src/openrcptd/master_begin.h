/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master_begin - what the master does once, before its loop: all that wants root, and then root no
 * more.
 */
#ifndef OPENRCPTD_MASTER_BEGIN_H
#define OPENRCPTD_MASTER_BEGIN_H

#include <stdbool.h>

#include "base/error.h"
#include "service/listen.h"
#include "settings/settings.h"

/*
 * Make the runtime directory, become the final user, take the lock and open the socket. LISTENER is
 * LISTENER_NONE before; the caller closes it, also after a failure.
 */
bool master_begin(const struct settings *settings, struct listener *listener, struct error *err);

/* A program that takes over is the final user already: prove that it stays so, and make room for
 * the sessions of SETTINGS. Nobody is asked for a name: who would answer may be down, and there is
 * no way back. */
bool master_stay(const struct settings *settings, struct error *err);

#endif
