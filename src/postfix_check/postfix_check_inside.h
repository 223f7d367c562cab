/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check_inside - what the files of postfix_check share among themselves.
 *
 * Each check reports what it finds and goes on; it returns false only where we can't go on
 * ourselves (no memory, no program to run), and ERR says why. "Can't tell" is a finding like any
 * other.
 */
#ifndef POSTFIX_CHECK_POSTFIX_CHECK_INSIDE_H
#define POSTFIX_CHECK_POSTFIX_CHECK_INSIDE_H

#include "base/buffer.h"
#include "base/keyset.h"
#include "postfix_check/postfix_check.h"
#include "postfix/postfix_map.h"
#include "postfix/postfix_read.h"

enum {
	POSTFIX_CHECK_BATCH = 20000,   /* keys that are asked for at a time */
	POSTFIX_CHECK_INLINE_MAX = 20, /* domains in a line to change; beyond, they are in a map */
};

/* The domains of one class in the table. */
struct postfix_domains {
	struct bytes *names;
	size_t count;
	struct keyset index; /* of struct postfix_domain */
	unsigned flag;       /* TABLE_DOMAIN_ALIAS or TABLE_DOMAIN_MAILBOX */
	const char *what;    /* "alias", "mailbox" */
};

struct postfix_domain {
	struct keyset_entry entry; /* the domain's name */
	size_t number;
};

/* What the command that was made last would set; it counts once it is printed. */
struct postfix_change {
	const struct postfix_service *service; /* NULL: main.cf */
	const char *parameter;                 /* NULL: nothing */
	const char *value;
};

/* One run. */
struct postfix_check {
	const struct postfix_check_options *options;
	struct postfix postfix;
	struct keyset said; /* what was printed; each problem only once */
	struct postfix_change change;
	unsigned problems;
	unsigned notes;
	unsigned services;       /* smtpd(8) services that were looked at */
	const char *endpoint;    /* ours, as main.cf would call it */
	const char *socket_path; /* NULL: not a unix socket */
	struct postfix_domains alias;
	struct postfix_domains mailbox;
	const struct postfix_service *net; /* the smtpd that takes back what would be delivered
					    * unexpanded; NULL: none */
	bool has_filter;                   /* some smtpd has a content_filter */
};

/* ---- postfix_report.c: what was found, and a command that mends it --------------------- */

/* A problem: where it is, what it is, and the command, or a comment for sh, that mends it. */
void postfix_check_report(struct postfix_check *check, const struct postfix_service *service,
			  const char *parameter, const char *command, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Something to know, but no problem: the exit status stays. */
void postfix_check_note(struct postfix_check *check, const char *command, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A problem, too: MAP, which PARAMETER names, can't be asked, and WHY. */
void postfix_check_cannot_tell(struct postfix_check *check, const struct postfix_service *service,
			       const char *parameter, struct bytes map, const char *why);

/* A text in the arena, of any length; "" and lacks_memory where there is no memory. */
const char *postfix_check_line(struct postfix_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *postfix_check_keep(struct postfix_check *check, struct buffer *take_text);

/* TEXT as one word for sh(1). */
const char *postfix_check_quote(struct postfix_check *check, const char *text);

/* The command that gives PARAMETER the VALUE: in main.cf (SERVICE is NULL, or has no value of its
 * own), or in master.cf; postfix_check_set_in() always in master.cf. */
const char *postfix_check_set(struct postfix_check *check, const struct postfix_service *service,
			      const char *parameter, const char *value);
const char *postfix_check_set_in(struct postfix_check *check, const struct postfix_service *service,
				 const char *parameter, const char *value);

/* A value that postconf expanded, for a line to change: a `$` in it stands for itself. */
const char *postfix_check_escape(struct postfix_check *check, const char *value);

/* "alias domain a.example", "alias domains a.example, b.example", for those that are FLAGGED. */
const char *postfix_check_names(struct postfix_check *check, const struct postfix_domains *domains,
				const bool *flagged);
size_t postfix_check_count(const struct postfix_domains *domains, const bool *flagged);

/*
 * A map with an entry for each domain that is FLAGGED: FORMAT has a %1 for the name on the left,
 * and another on the right of a `=`, as in "@%1=@%1". An inline: table, and *OUT_BEFORE is "";
 * or, where they are many, a file, and *OUT_BEFORE the command that makes it, with a `&&` behind
 * it.
 */
const char *postfix_check_map(struct postfix_check *check, const struct postfix_domains *domains,
			      const bool *flagged, const char *format, const char *file,
			      const char **out_before);

/* ---- postfix_list.c: lists of domains --------------------------------------------------- */

enum postfix_member { POSTFIX_UNDECIDED, POSTFIX_OUT, POSTFIX_IN, POSTFIX_UNKNOWN };

/* Which of DOMAINS are in the list that PARAMETER is; one for each, in the arena. NULL: see ERR.
 * Unknown where a map or a file before its entry can't be read, which is reported. */
enum postfix_member *postfix_check_members(struct postfix_check *check, const char *parameter,
					   const struct postfix_domains *domains,
					   struct error *err);

/* Ask MAP, which PARAMETER names. Where it can't tell that is reported, and *OUT_IS_KNOWN false. */
bool postfix_check_ask(struct postfix_check *check, const struct postfix_service *service,
		       const char *parameter, struct bytes map, const struct bytes *keys,
		       size_t count, struct arena *arena, const char **out_values,
		       bool *out_is_known, struct error *err);

/* Flags for DOMAINS, all false; NULL: see ERR. */
bool *postfix_check_flags(struct postfix_check *check, const struct postfix_domains *domains,
			  struct error *err);

/* The number of the domain called NAME; false: it is none of them. */
bool postfix_check_find(const struct postfix_domains *domains, struct bytes name,
			size_t *out_number);

/* ---- the checks ------------------------------------------------------------------------- */

/* postfix_check_ours.c: fill DOMAINS with those of its kind. */
bool postfix_check_collect(struct postfix_check *check, struct postfix_domains *domains,
			   struct error *err);

/* postfix_check_services.c: is SERVICE behind a content filter, which sends it what came in
 * elsewhere? */
bool postfix_check_is_reinjection(const struct postfix_check *check,
				  const struct postfix_service *service);
bool postfix_check_is_smtpd(const struct postfix_service *service);

/* postfix_check_milter.c: is the milter where it has to be? */
bool postfix_check_milters(struct postfix_check *check, const struct postfix_service *service,
			   struct error *err);
void postfix_check_non_smtpd(struct postfix_check *check);

/* postfix_check_socket.c: can Postfix reach it, and does it answer? */
void postfix_check_socket(struct postfix_check *check);

/* Would PATH, as a service of Postfix sees it, lead to our socket? */
bool postfix_check_leads_to_us(const struct postfix_check *check, bool is_chrooted,
			       struct bytes path);

/* postfix_check_globals.c: the parameters that are one line each. */
bool postfix_check_globals(struct postfix_check *check, struct error *err);
void postfix_check_service(struct postfix_check *check, const struct postfix_service *service);

/* postfix_check_domains.c: is each domain in its class, and in no other? */
bool postfix_check_domains(struct postfix_check *check, struct error *err);

/* postfix_check_maps.c: does Postfix accept each address, and leave it as it is? OTHER_MAPS (of
 * each mailbox domain, NULL: none) is the parameter with the recipients of its class. */
bool postfix_check_alias_maps(struct postfix_check *check, const bool *is_relayed,
			      struct error *err);
bool postfix_check_mailbox_maps(struct postfix_check *check, const char *const *other_maps,
				struct error *err);
bool postfix_check_expanded_maps(struct postfix_check *check, struct error *err);

/* postfix_check_leads.c: does mail that never meets the milter lead to our domains? */
bool postfix_check_leads(struct postfix_check *check, struct error *err);

/* postfix_check_restrictions.c: address probes, and checks of senders. */
bool postfix_check_restrictions(struct postfix_check *check, const struct postfix_service *service,
				struct error *err);

#endif
