/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack - settings as bytes, for another process of the same program.
 *
 * One process reads and checks the file, and others take over what it found. So they need not run
 * libconfig, which may end the whole process if memory is short. Only the same build understands
 * the bytes; they are never stored.
 */
#ifndef SETTINGS_PACK_H
#define SETTINGS_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "settings/settings.h"

enum {
	SETTINGS_PACKED_MAX = 64 << 20, /* bytes */
	SETTINGS_PACKED_FORM = 1,       /* raised where pack.c says anything in another way */
};

/*
 * Append SETTINGS to BUFFER, but with the values of RUNNING for whatever takes more than a reload:
 * so the process that takes them over can't change such a value by mistake. False: no memory, or
 * too long.
 */
bool settings_pack(const struct settings *settings, const struct settings *running,
		   struct buffer *buffer);

/* The same for programs of which one understands what the other has packed. */
uint64_t settings_packed_form(void);

/* What was packed, whole and nothing behind it; end it with settings_free(). NULL on failure. */
struct settings *settings_unpack(struct bytes packed, struct error *err);

#endif
