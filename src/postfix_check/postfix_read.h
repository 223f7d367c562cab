/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_read - a Postfix configuration, as postconf(1) and postmap(1) of that Postfix tell it.
 *
 * Programs are run, so this belongs to a command that ends, and never to the daemon. What is found
 * lives as long as the struct. One thread.
 */
#ifndef POSTFIX_CHECK_POSTFIX_READ_H
#define POSTFIX_CHECK_POSTFIX_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

struct postfix_parameter {
	const char *service; /* `smtp/inet`; NULL: of main.cf */
	const char *name;
	const char *value; /* with all $names expanded */
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
	bool lacks_memory; /* what was found isn't all there is: no conclusion holds */
};

/* Read the parameters called NAMES (ended by NULL), all of master.cf. Status 69 where Postfix's
 * tools can't be run. Whatever comes out, end it with postfix_free(). */
bool postfix_read(struct postfix *postfix, const char *postconf, const char *directory,
		  const char *const *names, struct error *err);
void postfix_free(struct postfix *postfix);

/* The value that counts for SERVICE (NULL: main.cf's own); "" if there is none. */
const char *postfix_value(const struct postfix *postfix, const struct postfix_service *service,
			  const char *name);

/* Does SERVICE say NAME itself? */
bool postfix_overrides(const struct postfix *postfix, const struct postfix_service *service,
		       const char *name);

/* Is it, as Postfix reads a yes or no, yes? */
bool postfix_is_yes(const struct postfix *postfix, const struct postfix_service *service,
		    const char *name);

/* Ask MAP (`hash:/etc/postfix/virtual`) for all KEYS. OUT_VALUES has one for each, NULL where
 * the map has no such key. */
bool postfix_look_up(struct postfix *postfix, struct bytes map, const struct bytes *keys,
		     size_t count, const char **out_values, struct error *err);

/* Take the next word from a list: separated by commas and white space, but for what is in braces.
 */
bool postfix_next_word(struct bytes *rest, struct bytes *out_word);

/* WORD without the braces around it. */
struct bytes postfix_unbrace(struct bytes word);

#endif
