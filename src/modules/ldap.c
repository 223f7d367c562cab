/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap - a directory as a source, by libldap.
 *
 * A search for many is asked in pages (RFC 2696), of which a server that knows nothing of them
 * makes one. Entries are taken from the library one by one.
 */
#include "modules/ldap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "modules/module.h"

enum { PAGE_ENTRIES = 500 };

/* ---- an entry ----------------------------------------------------------------------------- */

static void drop_entry(struct directory *directory)
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

static enum directory_step take_entry(struct directory *directory,
				      struct directory_entry *out_entry, struct error *err)
{
	directory->name = ldap_get_dn(directory->handle, directory->message);
	if (directory->name != NULL && take_attributes(directory) &&
	    put_entry(directory, out_entry))
		return check_whole(directory, err) ? DIRECTORY_ENTRY : DIRECTORY_FAILED;
	error_fill_memory(err);
	return DIRECTORY_FAILED;
}

/* ---- a search ----------------------------------------------------------------------------- */

static bool send_search(struct directory *directory, struct error *err)
{
	const struct directory_search *search = &directory->search;
	static const int scopes[] = {
		[DIRECTORY_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
		[DIRECTORY_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
		[DIRECTORY_SCOPE_BASE] = LDAP_SCOPE_BASE,
	};
	LDAPControl *controls[] = { NULL, NULL };
	int code = LDAP_SUCCESS;

	if (search->is_paged)
		code = ldap_create_page_control(directory->handle, PAGE_ENTRIES, &directory->cookie,
						0, &controls[0]);
	/* The library takes the list of attributes as one that could be written, and doesn't. */
	if (code == LDAP_SUCCESS)
		code = ldap_search_ext(directory->handle, search->base, scopes[search->scope],
				       search->filter, (char **)search->attributes, 0, controls,
				       NULL, NULL, search->size_limit, &directory->message_id);
	if (controls[0] != NULL)
		ldap_control_free(controls[0]);
	return code == LDAP_SUCCESS || ldap_module_fail(directory, code, search->filter, err);
}

static bool module_search(struct directory *directory, const struct directory_search *search,
			  struct error *err)
{
	drop_entry(directory);
	ldap_memfree(directory->cookie.bv_val);
	directory->cookie = (struct berval){ 0 };
	directory->search = *search;
	return send_search(directory, err);
}

/* Is there another page? Then directory->cookie says where. */
static int take_cookie(struct directory *directory, LDAPControl **controls)
{
	LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	ber_int_t estimate;

	ldap_memfree(directory->cookie.bv_val);
	directory->cookie = (struct berval){ 0 };
	if (!directory->search.is_paged || control == NULL)
		return LDAP_SUCCESS;
	return ldap_parse_pageresponse_control(directory->handle, control, &estimate,
					       &directory->cookie);
}

/* The server has come to the end of the search, or of a page. */
static enum directory_step end_page(struct directory *directory, struct error *err)
{
	LDAPControl **controls = NULL;
	int code = LDAP_SUCCESS;
	int parsed = ldap_parse_result(directory->handle, directory->message, &code, NULL, NULL,
				       NULL, &controls, 0);

	if (parsed == LDAP_SUCCESS && code == LDAP_SUCCESS)
		parsed = take_cookie(directory, controls);
	if (controls != NULL)
		ldap_controls_free(controls);
	if (parsed != LDAP_SUCCESS)
		code = parsed;
	if (code == LDAP_SUCCESS)
		return DIRECTORY_END;
	(void)ldap_module_fail(directory, code, directory->search.base, err);
	return code == LDAP_NO_SUCH_OBJECT ? DIRECTORY_ABSENT : DIRECTORY_FAILED;
}

/* Wait for what comes next, into directory->message; its type, or below 0. */
static int wait_for_message(struct directory *directory, struct error *err)
{
	struct timeval timeout = { .tv_sec = directory->timeout_ms / 1000 };
	int code = LDAP_SERVER_DOWN;
	int type = ldap_result(directory->handle, directory->message_id, LDAP_MSG_ONE, &timeout,
			       &directory->message);

	if (type > 0)
		return type;
	if (type == 0)
		code = LDAP_TIMEOUT;
	else
		(void)ldap_get_option(directory->handle, LDAP_OPT_RESULT_CODE,
				      &code); /* or it stays */
	(void)ldap_module_fail(directory, code, directory->search.base, err);
	return -1;
}

static enum directory_step module_next(struct directory *directory,
				       struct directory_entry *out_entry, struct error *err)
{
	for (;;) {
		enum directory_step step;
		int type;

		drop_entry(directory);
		type = wait_for_message(directory, err);
		if (type < 0)
			return DIRECTORY_FAILED;
		if (type == LDAP_RES_SEARCH_ENTRY)
			return take_entry(directory, out_entry, err);
		if (type != LDAP_RES_SEARCH_RESULT)
			continue; /* a reference to another server: Postfix passes over it, too */
		step = end_page(directory, err);
		if (step != DIRECTORY_END || directory->cookie.bv_len == 0)
			return step;
		if (!send_search(directory, err))
			return DIRECTORY_FAILED;
	}
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void module_close(struct directory *directory)
{
	if (directory == NULL)
		return;
	drop_entry(directory);
	ldap_memfree(directory->cookie.bv_val);
	ldap_follow_free(directory->follow);
	if (directory->url != NULL)
		ldap_free_urldesc(directory->url);
	if (directory->handle != NULL)
		(void)ldap_unbind_ext_s(directory->handle, NULL, NULL); /* it was only read */
	free(directory);
}

static struct directory *module_open(const struct directory_options *options, struct error *err)
{
	struct directory *directory = calloc(1, sizeof(*directory));

	if (directory == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	if (ldap_module_connect(directory, options, err))
		return directory;
	module_close(directory);
	return NULL;
}

static const char *module_doubt(const struct directory *directory)
{
	return directory->doubt[0] != '\0' ? directory->doubt : NULL;
}

static bool module_read_url(struct directory *directory, const char *url,
			    struct directory_search *out_search, struct error *err)
{
	LDAPURLDesc *parsed;

	if (directory->url != NULL)
		ldap_free_urldesc(directory->url);
	directory->url = NULL;
	if (ldap_url_parse(url, &parsed) != LDAP_URL_SUCCESS)
		return error_set(err, EX_DATAERR, "%s: is no LDAP URL", url);
	directory->url = parsed;
	*out_search = (struct directory_search){
		.base = parsed->lud_dn != NULL ? parsed->lud_dn : "",
		.scope = parsed->lud_scope == LDAP_SCOPE_SUBTREE    ? DIRECTORY_SCOPE_SUB
			 : parsed->lud_scope == LDAP_SCOPE_ONELEVEL ? DIRECTORY_SCOPE_ONE
								    : DIRECTORY_SCOPE_BASE,
		.filter = parsed->lud_filter != NULL ? parsed->lud_filter : "(objectClass=*)",
		.attributes = (const char *const *)parsed->lud_attrs,
	};
	return true;
}

static const char *module_library(void)
{
	static char text[64];
	LDAPAPIInfo information = { .ldapai_info_version = LDAP_API_INFO_VERSION };
	int version = 0;

	if (ldap_get_option(NULL, LDAP_OPT_API_INFO, &information) == LDAP_OPT_SUCCESS) {
		version = information.ldapai_vendor_version;
		ber_memvfree((void **)information.ldapai_extensions);
		ldap_memfree(information.ldapai_vendor_name);
	}
	(void)snprintf(text, sizeof(text), "OpenLDAP %d.%d.%d", version / 10000,
		       version / 100 % 100, version % 100); /* fits */
	return text;
}

static const struct directory_module functions = {
	.open = module_open,
	.close = module_close,
	.doubt = module_doubt,
	.search = module_search,
	.next = module_next,
	.follow = ldap_follow_begin,
	.wait = ldap_follow_wait,
	.read_url = module_read_url,
};

__attribute__((visibility("default"))) extern const struct database_module openrcpt_module;

const struct database_module openrcpt_module = {
	.version = DATABASE_MODULE_VERSION,
	.name = "ldap",
	.client = module_library,
	.directory = &functions,
};
