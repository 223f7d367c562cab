/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * republish - put an older table in place again, as a new generation.
 *
 * What is published is a copy with a header of its own: generations go forward only, so that a line
 * of the log tells which table answered. It is verified as the daemon does, and installed as a
 * compilation installs: locked, written aside, synced, renamed.
 */
#ifndef PUBLISH_REPUBLISH_H
#define PUBLISH_REPUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "settings/settings.h"
#include "table/table.h"

struct republish_options {
	const struct settings *settings; /* they name the table */
	uint64_t generation;             /* which; 0: the newest that is kept */
	bool is_forced;                  /* even if it has lost much */
	/* As of compile_options. NULL: nothing. */
	bool (*before_publishing)(const struct table *table, const struct settings *settings,
				  struct error *err);
};

struct republished {
	uint64_t source;         /* the generation that was copied */
	uint64_t replaced;       /* the one in whose place it is; 0: none, or it can't be read */
	struct table_facts made; /* of what is in use now */
	struct error not_kept;   /* why the replaced one isn't kept, though it should be, or is
				  * one too many; status 0: all is well */
};

/* False: ERR says why, and the installed table is what it was, unless ERR says otherwise. Status
 * 66: no such generation is kept. */
bool republish(const struct republish_options *options, struct republished *out_done,
	       struct error *err);

#endif
