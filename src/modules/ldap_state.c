/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap_state - what a server says of its last change: contextCSN, an attribute of the root of a
 * tree.
 */
#include "modules/ldap.h"

#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

/* The contextCSN of the entry NAME, values joined by `;`, behind what is in OUT. */
static int read_state_of(const struct directory *directory, const char *name, struct buffer *out)
{
	static char attribute[] = "contextCSN";
	char *attributes[] = { attribute, NULL };
	LDAPMessage *message = NULL, *entry;
	struct berval **values = NULL;
	int code = ldap_search_ext_s(directory->handle, name, LDAP_SCOPE_BASE, "(objectClass=*)",
				     attributes, 0, NULL, NULL, NULL, 0, &message);

	entry = code == LDAP_SUCCESS ? ldap_first_entry(directory->handle, message) : NULL;
	if (entry != NULL)
		values = ldap_get_values_len(directory->handle, entry, attribute);
	for (int i = 0; values != NULL && values[i] != NULL; i++) {
		if (i > 0)
			(void)buffer_append_byte(out, ';'); /* checked by the caller, as the rest */
		(void)buffer_append(out, bytes_make(values[i]->bv_val, values[i]->bv_len));
	}
	if (values != NULL)
		ldap_value_free_len(values);
	(void)ldap_msgfree(message); /* accepts NULL; tells only its type */
	return code;
}

/* The name of the entry above; NULL: there is none. */
static const char *parent_of(const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			return name + 1;
		if (*name == '\\' && name[1] != '\0')
			name++;
	}
	return NULL;
}

bool ldap_state_read(const struct directory *directory, const char *base, struct buffer *out,
		     struct error *err)
{
	size_t size = out->size;

	for (const char *name = base; name != NULL && out->size == size; name = parent_of(name)) {
		int code = read_state_of(directory, name, out);

		if (code == LDAP_SUCCESS || code == LDAP_NO_SUCH_OBJECT ||
		    code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_UNWILLING_TO_PERFORM)
			continue;
		return ldap_module_fail(directory, code, name, err);
	}
	return !out->has_failed || error_set_memory(err);
}

/* The newest of the values in STATE. */
static struct bytes newest_of(struct bytes state)
{
	struct bytes newest = bytes_make("", 0);

	while (state.size > 0) {
		struct bytes value = bytes_first(state, bytes_index(state, ';'));

		if (value.size > newest.size ||
		    (value.size == newest.size && memcmp(value.data, newest.data, value.size) > 0))
			newest = value;
		state = bytes_skip(state, value.size + 1);
	}
	return newest;
}

bool ldap_state_is_kept(const struct directory *directory, const char *base, struct bytes state)
{
	static char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	struct bytes newest = newest_of(state);
	LDAPMessage *message = NULL;
	struct buffer filter;
	bool has_none = false;

	buffer_init(&filter, TEXT_BYTES_MAX);
	(void)buffer_append_format(&filter,
				   "(&(entryCSN>=" BYTES_FORMAT ")(!(entryCSN=" BYTES_FORMAT ")))",
				   BYTES_ARGS(newest), BYTES_ARGS(newest)); /* checked below */
	if (newest.size > 0 && !filter.has_failed &&
	    ldap_search_ext_s(directory->handle, base, LDAP_SCOPE_SUBTREE, filter.data, attributes,
			      0, NULL, NULL, NULL, 1, &message) == LDAP_SUCCESS)
		has_none = ldap_first_entry(directory->handle, message) == NULL;
	(void)ldap_msgfree(message); /* accepts NULL; tells only its type */
	buffer_free(&filter);
	return has_none;
}
