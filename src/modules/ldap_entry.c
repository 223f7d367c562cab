/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap_entry - an entry as the library has it, in the form of directory.h.
 */
#include "modules/ldap.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

void ldap_entry_drop(struct directory *directory)
{
	for (size_t i = 0; i < directory->count; i++) {
		if (directory->values[i] != NULL)
			ldap_value_free_len(directory->values[i]);
		ldap_memfree(directory->names[i]);
	}
	free((void *)directory->names);
	free((void *)directory->values);
	free(directory->attributes);
	free(directory->texts);
	ldap_memfree(directory->name);
	(void)ldap_msgfree(directory->message); /* accepts NULL; tells only its type */
	directory->names = NULL;
	directory->values = NULL;
	directory->attributes = NULL;
	directory->texts = NULL;
	directory->name = NULL;
	directory->message = NULL;
	directory->count = 0;
}

/* One attribute more; takes NAME. */
static bool take_attribute(struct directory *directory, char *name)
{
	size_t room = directory->count + 1;
	char **names = realloc((void *)directory->names, room * sizeof(*names));
	struct berval ***values;

	if (names != NULL)
		directory->names = names;
	values = realloc((void *)directory->values, room * sizeof(*values));
	if (values != NULL)
		directory->values = values;
	if (names == NULL || values == NULL) {
		ldap_memfree(name);
		return false;
	}
	names[directory->count] = name;
	values[directory->count] = ldap_get_values_len(directory->handle, directory->message, name);
	directory->count++;
	return true;
}

static bool take_attributes(struct directory *directory)
{
	BerElement *state = NULL;
	char *name = ldap_first_attribute(directory->handle, directory->message, &state);
	bool is_taken = true;

	while (name != NULL && is_taken) {
		is_taken = take_attribute(directory, name);
		if (is_taken)
			name = ldap_next_attribute(directory->handle, directory->message, state);
	}
	ber_free(state, 0);
	return is_taken;
}

/* The entry in the form of directory.h. */
static bool put_entry(struct directory *directory, struct directory_entry *out_entry)
{
	size_t total = 0;
	struct bytes *text;

	for (size_t i = 0; i < directory->count; i++)
		total += (size_t)ldap_count_values_len(directory->values[i]);
	directory->attributes = calloc(directory->count + 1, sizeof(*directory->attributes));
	directory->texts = text = calloc(total + 1, sizeof(*text));
	if (directory->attributes == NULL || text == NULL)
		return false;
	for (size_t i = 0; i < directory->count; i++) {
		struct directory_attribute *attribute = &directory->attributes[i];

		attribute->name = bytes_of(directory->names[i]);
		attribute->values = text;
		attribute->count = (size_t)ldap_count_values_len(directory->values[i]);
		for (size_t v = 0; v < attribute->count; v++)
			*text++ = bytes_make(directory->values[i][v]->bv_val,
					     directory->values[i][v]->bv_len);
	}
	*out_entry = (struct directory_entry){ bytes_of(directory->name), directory->attributes,
					       directory->count };
	return true;
}

/* Active Directory gives only so many values at once, and says so in an option. */
static bool check_whole(const struct directory *directory, struct error *err)
{
	for (size_t i = 0; i < directory->count; i++)
		if (strcasestr(directory->names[i], ";range=") != NULL)
			return error_set(err, EX_UNAVAILABLE,
					 "%s: the server gives only some values of %s at once",
					 directory->name, directory->names[i]);
	return true;
}

enum directory_step ldap_entry_take(struct directory *directory, struct directory_entry *out_entry,
				    struct error *err)
{
	directory->name = ldap_get_dn(directory->handle, directory->message);
	if (directory->name != NULL && take_attributes(directory) &&
	    put_entry(directory, out_entry))
		return check_whole(directory, err) ? DIRECTORY_ENTRY : DIRECTORY_FAILED;
	error_fill_memory(err);
	return DIRECTORY_FAILED;
}

/* ---- what is asked of entries ------------------------------------------------------------- */

char **ldap_entry_attributes(const struct directory_search *search)
{
	static char id[] = "entryUUID";
	size_t count = 0;
	char **list;

	while (search->attributes[count] != NULL)
		count++;
	list = calloc(count + 2, sizeof(*list));
	if (list == NULL)
		return NULL;
	/* The library takes them as what could be written, and writes nothing. */
	memcpy((void *)list, (const void *)search->attributes, count * sizeof(*list));
	if (search->wants_identity)
		list[count] = id;
	return list;
}
