/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap_persist - searches that stay, by RFC 4533, and what their messages say.
 */
#ifndef MODULES_LDAP_PERSIST_H
#define MODULES_LDAP_PERSIST_H

#include "modules/ldap.h"

struct ldap_persist {
	const struct directory_search *searches; /* borrowed */
	size_t count;
	const struct directory_hearer *hearer; /* borrowed; NULL: nobody wants entries */
	bool tells_entries;                    /* to it; false: what comes is only counted */
	bool has_begun;                        /* with that: all searches stay */
	int *ids;                              /* of each search, in the messages to it */
};

/* What a message says. */
enum ldap_persist_message {
	LDAP_PERSIST_NOTHING,
	LDAP_PERSIST_READY, /* what follows is new */
	LDAP_PERSIST_NEWS,
	LDAP_PERSIST_END, /* the search doesn't stay, and the code says why */
};

/* None has begun. False: no memory. */
bool ldap_persist_init(struct ldap_persist *persist, const struct directory_search *searches,
		       size_t count, const struct directory_hearer *hearer);
void ldap_persist_free(struct ldap_persist *persist);

/* Begin the search at PLACE, with what came after STATE; empty: with all. A code of LDAP. */
int ldap_persist_send(const struct directory *directory, struct ldap_persist *persist, size_t place,
		      struct bytes state);

/* Take directory->message of TYPE, and tell the hearer of it; of a search that ends *OUT_CODE. */
enum ldap_persist_message ldap_persist_read(struct directory *directory,
					    const struct ldap_persist *persist, int type,
					    int *out_code);

/* All searches stay: from here on the hearer is told of each change, and first that it is. */
void ldap_persist_begin(struct ldap_persist *persist);

/* One of them doesn't stay: the others needn't either, and the hearer is told nothing. */
void ldap_persist_give_up(const struct directory *directory, struct ldap_persist *persist);

#endif
