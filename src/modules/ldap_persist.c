/* SPDX-License-Identifier: BSD-2-Clause */
#include "modules/ldap_persist.h"

#include <stdlib.h>
#include <string.h>

#include <lber.h>

enum {
	TEXT_BYTES_MAX = 1 << 20,
	/* Of RFC 4533: a mode of a search, what the first byte of an intermediate message says, and
	 * what comes with an entry. */
	REFRESH_AND_PERSIST = 3,
	TAG_REFRESH_DELETE = 0xa1,
	TAG_REFRESH_PRESENT = 0xa2,
	TAG_ID_SET = 0xa3,
	STATE_ADD = 1,
	STATE_MODIFY = 2,
	STATE_DELETE = 3,
};

bool ldap_persist_init(struct ldap_persist *persist, const struct directory_search *searches,
		       size_t count, const struct directory_hearer *hearer)
{
	*persist = (struct ldap_persist){ .searches = searches,
					  .count = count,
					  .hearer = hearer,
					  .tells_entries = hearer != NULL,
					  .ids = calloc(count + 1, sizeof(*persist->ids)) };
	return persist->ids != NULL;
}

void ldap_persist_free(struct ldap_persist *persist)
{
	free(persist->ids);
}

/* ---- a search that stays ------------------------------------------------------------------ */

/* What asks for one; with STATE for what came after it. NULL: no memory. */
static LDAPControl *make_control(struct bytes state)
{
	BerElement *element = ber_alloc_t(LBER_USE_DER);
	LDAPControl *control = NULL;
	struct buffer cookie;
	struct berval text, value = { 0 };
	int written = -1;

	buffer_init(&cookie, TEXT_BYTES_MAX);
	(void)buffer_append_text(&cookie, "rid=000,csn="); /* checked below, as the next one */
	(void)buffer_append(&cookie, state);
	text = (struct berval){ .bv_len = cookie.size, .bv_val = cookie.data };
	if (element != NULL && !cookie.has_failed)
		written = state.size > 0 ? ber_printf(element, "{eO}", REFRESH_AND_PERSIST, &text)
					 : ber_printf(element, "{e}", REFRESH_AND_PERSIST);
	if (written >= 0 && ber_flatten2(element, &value, 0) == 0 &&
	    ldap_control_create(LDAP_CONTROL_SYNC, 1, &value, 1, &control) != LDAP_SUCCESS)
		control = NULL;
	if (element != NULL)
		ber_free(element, 1);
	buffer_free(&cookie);
	return control;
}

int ldap_persist_send(const struct directory *directory, struct ldap_persist *persist, size_t place,
		      struct bytes state)
{
	static const char *const none[] = { LDAP_NO_ATTRS, NULL };
	static const int scopes[] = {
		[DIRECTORY_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
		[DIRECTORY_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
		[DIRECTORY_SCOPE_BASE] = LDAP_SCOPE_BASE,
	};
	struct directory_search search = persist->searches[place];
	LDAPControl *controls[] = { make_control(state), NULL };
	int code = LDAP_NO_MEMORY;
	char **attributes;

	/* From the begin they would all come. */
	search.wants_identity = persist->tells_entries && state.size > 0;
	if (!search.wants_identity)
		search.attributes = none;
	attributes = ldap_entry_attributes(&search);
	if (controls[0] != NULL && attributes != NULL)
		code = ldap_search_ext(directory->handle, search.base, scopes[search.scope],
				       search.filter, attributes, 0, controls, NULL, NULL, 0,
				       &persist->ids[place]);
	free((void *)attributes);
	if (controls[0] != NULL)
		ldap_control_free(controls[0]);
	return code;
}

/* ---- messages ----------------------------------------------------------------------------- */

static enum ldap_persist_message read_intermediate(const struct directory *directory,
						   LDAPMessage *message)
{
	struct berval *data = NULL;
	char *name = NULL;
	enum ldap_persist_message said = LDAP_PERSIST_NOTHING;
	int tag = 0;

	if (ldap_parse_intermediate(directory->handle, message, &name, &data, NULL, 0) ==
		    LDAP_SUCCESS &&
	    name != NULL && strcmp(name, LDAP_SYNC_INFO) == 0 && data != NULL && data->bv_len > 0)
		tag = (unsigned char)data->bv_val[0];
	if (tag == TAG_REFRESH_DELETE || tag == TAG_REFRESH_PRESENT)
		said = LDAP_PERSIST_READY;
	else if (tag == TAG_ID_SET)
		said = LDAP_PERSIST_NEWS;
	ldap_memfree(name);
	ber_bvfree(data);
	return said;
}

/* Something has changed that isn't told as an entry. */
static void tell_any(const struct ldap_persist *persist)
{
	const struct directory_change change = { .kind = DIRECTORY_CHANGE_ANY };

	if (persist->has_begun)
		persist->hearer->on_change(persist->hearer->context, &change);
}

/* What ELEMENT, the value of the control that comes with each entry, says of it; borrows of it. */
static bool read_state(BerElement *element, struct directory_change *change, bool *out_is_gone)
{
	struct berval id;
	ber_int_t state;

	if (ber_scanf(element, "{em", &state, &id) == LBER_ERROR || id.bv_len != DIRECTORY_ID_BYTES)
		return false;
	change->id = bytes_make(id.bv_val, id.bv_len);
	*out_is_gone = state == STATE_DELETE;
	return state == STATE_ADD || state == STATE_MODIFY || state == STATE_DELETE;
}

/* What is told of an entry is as it is stored; overlays make up more for who searches. So the one
 * in directory->message is asked for as the search at PLACE would find it. Where it isn't found any
 * more, that will be told. False: it can't be asked for. */
static bool ask_entry(struct directory *directory, const struct ldap_persist *persist, size_t place)
{
	struct directory_search search = persist->searches[place];
	struct timeval timeout = { .tv_sec = directory->timeout_ms / 1000 };
	char *name = ldap_get_dn(directory->handle, directory->message);
	LDAPMessage *answer = NULL;
	char **attributes;
	int code = LDAP_NO_MEMORY;

	search.wants_identity = true;
	attributes = ldap_entry_attributes(&search);
	if (name != NULL && attributes != NULL)
		code = ldap_search_ext_s(directory->handle, name, LDAP_SCOPE_BASE, search.filter,
					 attributes, 0, NULL, NULL, &timeout, 0, &answer);
	free((void *)attributes);
	ldap_memfree(name);
	if (code == LDAP_SUCCESS && ldap_msgtype(answer) == LDAP_RES_SEARCH_ENTRY) {
		(void)ldap_msgfree(directory->message); /* tells only its type */
		directory->message = answer;
		return true;
	}
	(void)ldap_msgfree(answer); /* accepts NULL */
	return code == LDAP_SUCCESS || code == LDAP_NO_SUCH_OBJECT;
}

/* directory->message is an entry of the search at PLACE. False: it can't be told. */
static bool tell_entry(struct directory *directory, const struct ldap_persist *persist,
		       size_t place, BerElement *state)
{
	const struct directory_hearer *hearer = persist->hearer;
	struct directory_change change = { .kind = DIRECTORY_CHANGE_ENTRY, .search = place };
	struct directory_entry entry;
	struct error ignored;
	bool is_gone;

	if (!read_state(state, &change, &is_gone))
		return false;
	if (!is_gone) {
		if (!ask_entry(directory, persist, place) ||
		    ldap_entry_take(directory, &entry, &ignored) != DIRECTORY_ENTRY)
			return false;
		change.entry = &entry;
	}
	hearer->on_change(hearer->context, &change);
	return true;
}

/* Likewise, where somebody wants it. */
static void take_entry(struct directory *directory, const struct ldap_persist *persist, int id)
{
	LDAPControl **controls = NULL;
	LDAPControl *control = NULL;
	BerElement *state = NULL;
	size_t place = 0;

	if (!persist->has_begun)
		return;
	while (place < persist->count && persist->ids[place] != id)
		place++;
	if (place == persist->count)
		return; /* of a search that nobody follows */
	if (ldap_get_entry_controls(directory->handle, directory->message, &controls) ==
	    LDAP_SUCCESS)
		control = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL);
	if (control != NULL)
		state = ber_init(&control->ldctl_value);
	if (state == NULL || !tell_entry(directory, persist, place, state))
		tell_any(persist);
	if (state != NULL)
		ber_free(state, 1);
	if (controls != NULL)
		ldap_controls_free(controls);
}

enum ldap_persist_message ldap_persist_read(struct directory *directory,
					    const struct ldap_persist *persist, int type,
					    int *out_code)
{
	LDAPMessage *message = directory->message;
	enum ldap_persist_message said = LDAP_PERSIST_NOTHING;

	switch (type) {
	case LDAP_RES_SEARCH_ENTRY:
		take_entry(directory, persist, ldap_msgid(message));
		said = LDAP_PERSIST_NEWS;
		break;
	case LDAP_RES_SEARCH_REFERENCE:
		tell_any(persist);
		said = LDAP_PERSIST_NEWS;
		break;
	case LDAP_RES_INTERMEDIATE:
		said = read_intermediate(directory, message);
		if (said == LDAP_PERSIST_NEWS)
			tell_any(persist);
		break;
	case LDAP_RES_SEARCH_RESULT:
		said = LDAP_PERSIST_END;
		*out_code = LDAP_OTHER;
		(void)ldap_parse_result(directory->handle, message, out_code, NULL, NULL, NULL,
					NULL, 0); /* or it stays */
		break;
	default:
		break;
	}
	ldap_entry_drop(directory);
	return said;
}

void ldap_persist_begin(struct ldap_persist *persist)
{
	persist->has_begun = persist->tells_entries;
	tell_any(persist);
}

void ldap_persist_give_up(const struct directory *directory, struct ldap_persist *persist)
{
	persist->tells_entries = persist->has_begun = false;
	for (size_t i = 0; i < persist->count; i++)
		if (persist->ids[i] > 0)
			(void)ldap_abandon_ext(directory->handle, persist->ids[i], NULL,
					       NULL); /* else what comes is passed over */
}
