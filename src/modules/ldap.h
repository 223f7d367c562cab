/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap - what the files of the module for LDAP share: ldap.c, and ldap_connect.c for everything
 * before the first search.
 */
#ifndef MODULES_LDAP_H
#define MODULES_LDAP_H

#include <sys/time.h>

#include <ldap.h>

#include "directory/directory.h"

enum { LDAP_DOUBT_BYTES = 512 };

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
};

/* Connect and log in, as OPTIONS say; sets what is to be doubted. */
bool ldap_module_connect(struct directory *directory, const struct directory_options *options,
			 struct error *err);

/* What CODE means, and what the server said to it, becomes ERR; false. DOING: "search". */
bool ldap_module_fail(const struct directory *directory, int code, const char *doing,
		      struct error *err);

#endif
