/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check_inside - what the files of postfix_check share among themselves.
 */
#ifndef POSTFIX_CHECK_POSTFIX_CHECK_INSIDE_H
#define POSTFIX_CHECK_POSTFIX_CHECK_INSIDE_H

#include "base/keyset.h"
#include "postfix_check/postfix_check.h"
#include "postfix_check/postfix_read.h"

enum {
	POSTFIX_CHECK_DOMAINS = 1000, /* as many are looked for */
	POSTFIX_CHECK_KEYS = 1000,
};

/* One run. */
struct postfix_check {
	const struct postfix_check_options *options;
	struct postfix postfix;
	struct keyset said; /* what was printed; each problem only once */
	unsigned problems;
	const char *endpoint;    /* ours, as main.cf would call it */
	const char *socket_path; /* NULL: not a unix socket */
	struct bytes *domains;   /* alias domains of the table, as many as POSTFIX_CHECK_DOMAINS */
	size_t domain_count;
	struct bytes *keys; /* likewise its keys: `user@domain` */
	size_t key_count;
	bool has_safety_net; /* some smtpd takes back what would be delivered unexpanded */
	bool has_filter;     /* some smtpd has a content_filter */
};

/* postfix_report.c */

/* A problem: where it is, which line would mend it, and what it is. */
void postfix_check_report(struct postfix_check *check, const struct postfix_service *service,
			  const char *parameter, const char *line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Something to know, but no problem: the exit status stays. */
void postfix_check_note(struct postfix_check *check, const char *line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* `NAME = VALUE` in the arena, for a line to change. */
const char *postfix_check_line(struct postfix_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Is SERVICE behind a content filter, which sends it what came in elsewhere? */
bool postfix_check_is_reinjection(const struct postfix_check *check,
				  const struct postfix_service *service);

/* postfix_check_milter.c: is the milter where it has to be? */
void postfix_check_milters(struct postfix_check *check, const struct postfix_service *service);
void postfix_check_non_smtpd(struct postfix_check *check);

/* postfix_check_domains.c: do Postfix's tables agree with ours? False: see ERR. */
bool postfix_check_domains(struct postfix_check *check, struct error *err);
bool postfix_check_restrictions(struct postfix_check *check, const struct postfix_service *service,
				struct error *err);

#endif
