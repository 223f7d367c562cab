/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_read - a Postfix configuration, as postconf(1) of that Postfix tells it.
 *
 * Programs are run, so this belongs to a command that ends, and never to the daemon. What is found
 * lives as long as the struct. One thread.
 */
#ifndef POSTFIX_POSTFIX_READ_H
#define POSTFIX_POSTFIX_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/keyset.h"

struct postfix_parameter {
	const char *service; /* `smtp/inet`; NULL: of main.cf */
	const char *name;
	const char *value; /* with all $names expanded */
	const char *raw;   /* as written, or the default as Postfix has it; "" is not known */
	bool is_explicit;  /* somebody wrote it down */
};

/* A line of master.cf. */
struct postfix_service {
	const char *name;    /* `smtp/inet` */
	const char *command; /* `smtpd` */
	bool is_chrooted;
};

struct postfix {
	const char *postconf;  /* program; NULL: wherever it is */
	const char *directory; /* of main.cf; NULL: Postfix's own choice */
	struct arena arena;
	struct postfix_parameter *parameters;
	size_t parameter_count;
	struct postfix_service *services;
	size_t service_count;
	struct keyset broken; /* maps that can't be asked; postfix_map.c's own */
	bool lacks_memory;    /* what was found isn't all there is: no conclusion holds */
};

/* Read all parameters, and all of master.cf. Status 69 where Postfix's tools can't be run or can't
 * read it. Whatever comes out, end it with postfix_free(). */
bool postfix_read(struct postfix *postfix, const char *postconf, const char *directory,
		  struct error *err);
void postfix_free(struct postfix *postfix);

/* The value that counts for SERVICE (NULL: main.cf's own); "" if there is none. */
const char *postfix_value(const struct postfix *postfix, const struct postfix_service *service,
			  const char *name);

/* The same as it is written, with its $names: for a line to change. */
const char *postfix_raw(const struct postfix *postfix, const struct postfix_service *service,
			const char *name);

/* From now on postfix_raw() gives RAW, which lives as long: a line to change builds on the one
 * before. What counts stays as it was. */
void postfix_set_raw(struct postfix *postfix, const struct postfix_service *service,
		     const char *name, const char *raw);

/* Does SERVICE say NAME itself? */
bool postfix_overrides(const struct postfix *postfix, const struct postfix_service *service,
		       const char *name);

/* Does main.cf say NAME itself? */
bool postfix_is_explicit(const struct postfix *postfix, const char *name);

/* Is it, as Postfix reads a yes or no, yes? */
bool postfix_is_yes(const struct postfix *postfix, const struct postfix_service *service,
		    const char *name);

#endif
