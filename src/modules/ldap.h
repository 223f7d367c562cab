/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap - what the files of the module for LDAP share: ldap.c; ldap_connect.c for everything before
 * the first search; ldap_entry.c for one entry; ldap_follow.c for changes, and ldap_state.c for
 * what a server says of the last.
 */
#ifndef MODULES_LDAP_H
#define MODULES_LDAP_H

#include <sys/time.h>

#include <ldap.h>

#include "directory/directory.h"

enum { LDAP_DOUBT_BYTES = 512 };

struct ldap_follow;

struct directory {
	LDAP *handle;
	int timeout_ms;
	struct directory_search search; /* at hand; borrowed */
	int message_id;
	struct berval cookie; /* where its next page begins */
	LDAPMessage *message; /* with the entry that was handed out last */
	char *name;           /* of that, as the rest */
	struct directory_attribute *attributes;
	char **names;
	struct berval ***values;
	size_t count;
	struct bytes *texts;
	LDAPURLDesc *url; /* that was read last */
	char doubt[LDAP_DOUBT_BYTES];
	struct ldap_follow *follow; /* NULL: nobody waits for changes */
};

/* Connect and log in, as OPTIONS say; sets what is to be doubted. */
bool ldap_module_connect(struct directory *directory, const struct directory_options *options,
			 struct error *err);

/* What CODE means, and what the server said to it, becomes ERR; false. DOING: "search". */
bool ldap_module_fail(const struct directory *directory, int code, const char *doing,
		      struct error *err);

/* directory->message, which is an entry, becomes *OUT_ENTRY, good until ldap_entry_drop(). */
enum directory_step ldap_entry_take(struct directory *directory, struct directory_entry *out_entry,
				    struct error *err);

/* Also frees directory->message; there may be none. */
void ldap_entry_drop(struct directory *directory);

/* The attributes that SEARCH wants, for the library; to be freed with free(), and good as long as
 * SEARCH. NULL: no memory. */
char **ldap_entry_attributes(const struct directory_search *search);

/* What the tree that BASE is in says of its last change, behind what is in OUT; values are joined
 * by `;`, and what isn't there, or may not be read, has none. */
bool ldap_state_read(const struct directory *directory, const char *base, struct buffer *out,
		     struct error *err);

/* Is there nothing below BASE that is newer than STATE? False: there is, or it can't be told. */
bool ldap_state_is_kept(const struct directory *directory, const char *base, struct bytes state);

/* As directory.h has them. */
bool ldap_follow_begin(struct directory *directory, const struct directory_search *searches,
		       size_t count, const struct directory_hearer *hearer,
		       struct buffer *out_doubt, struct error *err);
enum database_news ldap_follow_wait(struct directory *directory, int timeout_ms, struct error *err);
void ldap_follow_free(struct ldap_follow *follow); /* accepts NULL */

#endif
