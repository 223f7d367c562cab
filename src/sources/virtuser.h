/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtuser - one line of Sendmail's virtusertable: what it says, as an entry and as a pattern.
 */
#ifndef SOURCES_VIRTUSER_H
#define SOURCES_VIRTUSER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

enum { VIRTUSER_TEXT_MAX = 64 * 1024 };

/* In the order in which Sendmail asks. */
enum virtuser_form {
	VIRTUSER_DETAIL,        /* u+d@dom */
	VIRTUSER_ANY_BUT_EMPTY, /* u++@dom */
	VIRTUSER_ANY,           /* u+*@dom */
	VIRTUSER_USER,          /* u@dom */
	VIRTUSER_ALL_BUT_EMPTY, /* ++@dom */
	VIRTUSER_ALL,           /* +*@dom */
	VIRTUSER_DOMAIN,        /* @dom */
};

struct virtuser_rule {
	enum virtuser_form form;
	uint32_t line;
	struct bytes key;  /* all of it */
	struct bytes user; /* of VIRTUSER_DETAIL with its detail; may be empty */
	struct bytes domain;
	struct bytes value; /* with its %1 and so on */
};

/* Views into LINE. ERR (status 65) says what is wrong with it. */
bool virtuser_parse(struct bytes line, struct virtuser_rule *out_rule, struct error *err);

/* Is it an entry of our own kind (a `u@dom` may be a pattern besides)? */
bool virtuser_is_entry(const struct virtuser_rule *rule);

/* Does its value name %2 or %3? */
bool virtuser_uses_detail(const struct virtuser_rule *rule);

/* Make OUT_VALUE the right-hand side of the entry. A full buffer shows in has_failed alone. */
void virtuser_entry(const struct virtuser_rule *rule, struct buffer *out_value);

/*
 * Make OUT_EXPRESSION and OUT_VALUE the pattern for addresses with a detail; with IS_PLAIN, of a
 * VIRTUSER_DOMAIN, for those without. A full buffer shows as above.
 */
void virtuser_pattern(const struct virtuser_rule *rule, bool is_plain,
		      struct buffer *out_expression, struct buffer *out_value);

#endif
