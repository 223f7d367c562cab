/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warnings - what a compilation may warn of, and which of that somebody wants to hear.
 */
#ifndef SOURCES_WARNINGS_H
#define SOURCES_WARNINGS_H

#include <stdbool.h>

#include "base/error.h"

enum warning {
#define WARNING(id, name, kind) WARNING_##id,
#include "sources/warnings.def"
	WARNINGS
};

/* All false: everything is said, and nothing is an error. */
struct warning_choice {
	bool is_off[WARNINGS];
	bool are_errors; /* nothing is published when there was one */
	bool are_silent; /* but counted */
};

const char *warning_name(enum warning warning);

/* Is it an error, unless the table is lenient? */
bool warning_is_strict(enum warning warning);

/* Does its text tell what it is about, whatever its line? */
bool warning_names_subject(enum warning warning);

/* WORD of -W: `error`, or `no-NAME`. Status 64: it is neither. */
bool warning_choose(struct warning_choice *choice, const char *word, struct error *err);

#endif
