/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow_state - how `rcptmap watch` is doing, in a small file for `rcptmap watch --status`, and as
 * metrics for node_exporter.
 *
 * The file lies in a directory of its own, named after `runtime_directory`: that one belongs to the
 * daemon, and may go with it. Beside it is a lock that is held as long as somebody watches.
 */
#ifndef FOLLOW_FOLLOW_STATE_H
#define FOLLOW_FOLLOW_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "settings/settings.h"

enum {
	FOLLOW_TROUBLE_BYTES = 400,
	FOLLOW_NAME_BYTES = 128,
	FOLLOW_REASON_BYTES = 300,
	FOLLOW_SOURCES_MAX = 100, /* more are read, and nobody listens to them */
};

/* A source that is a database. */
struct follow_source {
	char name[FOLLOW_NAME_BYTES]; /* "postgresql:main"; see follow.h */
	uint64_t confirmed;  /* the table in use says what it said then; 0: that isn't known */
	uint64_t away_since; /* 0: its server is there */
	bool is_up;
	char reason[FOLLOW_REASON_BYTES]; /* why it is away */
};

/* Dates are seconds since 1970; 0: never. */
struct follow_state {
	char table[PATH_MAX];
	uint64_t looked_ms; /* of the clock that only goes forward, when it last looked */
	uint64_t looked;
	uint64_t files;           /* watched */
	uint64_t compiling_since; /* 0: nothing is being compiled */
	uint64_t attempts;
	uint64_t failures;
	uint64_t failing_since; /* the first failure since the last success; 0: all is well */
	uint64_t status;        /* of the last attempt: sysexits(3) */
	uint64_t compiled;      /* the last success */
	uint64_t took_ms;       /* likewise */
	uint64_t generation;    /* of the table as it was last looked at; 0: none */
	uint64_t copy_of;       /* the generation that was rolled back to; 0: it was compiled */
	uint64_t entries;
	uint64_t domains;
	uint64_t size_bytes;
	uint64_t age_limit; /* seconds, from which on a confirmation is old: follow_age_seconds */
	char trouble[FOLLOW_TROUBLE_BYTES]; /* the first line of the last failure */
	struct follow_source sources[FOLLOW_SOURCES_MAX];
	size_t source_count;
};

/* The one of STATE that was confirmed the longest ago; NULL: it has none. */
const struct follow_source *follow_state_oldest(const struct follow_state *state);

/* Where both are, of RUNTIME_DIRECTORY. False: the path is too long. */
bool follow_state_path(const char *runtime_directory, char out_path[PATH_MAX], struct error *err);

/* Make the directory of PATH if it isn't there, and lock it. The descriptor holds the lock. -1:
 * ERR; status 75: somebody else has it. */
int follow_state_lock(const char *path, struct error *err);

/* Is it locked, that is, does somebody watch? False also where that can't be told. */
bool follow_state_is_locked(const char *path);

/* Write it at once or not at all. */
bool follow_state_write(const char *path, const struct follow_state *state, struct error *err);
bool follow_state_write_metrics(const char *path, const struct follow_state *state,
				struct error *err);

/* Status 66: it isn't there; 65: it makes no sense. */
bool follow_state_read(const char *path, struct follow_state *out_state, struct error *err);

#endif
