/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack - settings as bytes, for another process of the same program.
 *
 * So that one process reads and checks the file, and others take what it has found. libconfig
 * stays out of them: it ends the whole process now and then where memory is short. The bytes mean
 * something to the same build only, and are never kept.
 */
#ifndef SETTINGS_PACK_H
#define SETTINGS_PACK_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "settings/settings.h"

enum { SETTINGS_PACKED_MAX = 64 << 20 /* bytes */ };

/*
 * Append SETTINGS to BUFFER, but with the values of RUNNING for all that needs a restart: who takes
 * them over can't change by mistake what it can't change. False: no memory, or too long.
 */
bool settings_pack(const struct settings *settings, const struct settings *running,
		   struct buffer *buffer);

/* What was packed, whole and nothing behind it; end it with settings_free(). NULL on failure. */
struct settings *settings_unpack(struct bytes packed, struct error *err);

#endif
