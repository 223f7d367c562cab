/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap_follow - hear of changes, by RFC 4533: a search that stays, and gets each entry that comes,
 * goes or changes.
 *
 * It begins with all entries, unless we know the state of the server, its contextCSN, and say it:
 * then with what came after that, which mostly is nothing. Whoever wants it is told of each entry
 * that came later; to others it is the news that there is one.
 *
 * A server that copies another one may have no such search, but keeps its contextCSN, which is
 * asked each second then. One that neither copies nor is copied may have an old contextCSN that
 * stays as it is: where an entry is newer, it is of no use.
 */
#include "modules/ldap_persist.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	ASK_EVERY_MS = 1000,
	CHECK_EVERY_MS = 60000, /* whether the state is kept */
	TEXT_BYTES_MAX = 1 << 20,
	MESSAGES_MAX = 1000, /* that are taken as one change */
	CODE_REFRESH_REQUIRED = 0x1000,
};

struct ldap_follow {
	struct ldap_persist persist;
	bool is_polled; /* no search stays: the state is compared */
	bool has_news;  /* something came that wasn't told yet */
	int64_t check_at_ms;
	struct buffer state;
	struct buffer state_before;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail on Linux */
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* ---- the state of the server -------------------------------------------------------------- */

static bool is_first_of_its_base(const struct ldap_follow *follow, size_t place)
{
	for (size_t i = 0; i < place; i++)
		if (strcmp(follow->persist.searches[i].base,
			   follow->persist.searches[place].base) == 0)
			return false;
	return true;
}

/* Of all trees, into follow->state. */
static bool read_states(const struct directory *directory, struct error *err)
{
	struct ldap_follow *follow = directory->follow;

	buffer_clear(&follow->state);
	for (size_t i = 0; i < follow->persist.count; i++)
		if (is_first_of_its_base(follow, i) &&
		    !ldap_state_read(directory, follow->persist.searches[i].base, &follow->state,
				     err))
			return false;
	return true;
}

/* Is it another one than before? It is the one before from here on. */
static bool state_differs(struct ldap_follow *follow)
{
	struct buffer before = follow->state_before;
	bool is_other = !bytes_equal(buffer_bytes(&follow->state), buffer_bytes(&before));

	follow->state_before = follow->state;
	follow->state = before;
	return is_other;
}

/* Do all trees keep their state? What can't be told is no. */
static bool are_kept(const struct directory *directory, struct error *err)
{
	const struct ldap_follow *follow = directory->follow;
	struct buffer state;
	bool is_good = true;

	buffer_init(&state, TEXT_BYTES_MAX);
	for (size_t i = 0; is_good && i < follow->persist.count; i++) {
		const char *base = follow->persist.searches[i].base;

		if (!is_first_of_its_base(follow, i))
			continue;
		buffer_clear(&state);
		is_good = ldap_state_read(directory, base, &state, err);
		if (is_good && !ldap_state_is_kept(directory, base, buffer_bytes(&state)))
			is_good = error_set(err, EX_CONFIG,
					    "the server tells nothing of changes: it has no "
					    "overlay syncprov, or not for us, and no contextCSN "
					    "that it keeps and we may read");
	}
	buffer_free(&state);
	return is_good;
}

/* ---- errors ------------------------------------------------------------------------------- */

static int last_code(const struct directory *directory)
{
	int code = LDAP_SERVER_DOWN;

	(void)ldap_get_option(directory->handle, LDAP_OPT_RESULT_CODE, &code); /* or it stays */
	return code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code;
}

/* ---- searches that stay ------------------------------------------------------------------- */

/* Until the search with ID stays. What comes before that is new only where a state was said. */
static int wait_until_ready(struct directory *directory, int id, bool is_news)
{
	for (;;) {
		struct timeval timeout = timeval_of(directory->timeout_ms);
		int code = LDAP_OTHER;
		int type = ldap_result(directory->handle, id, LDAP_MSG_ONE, &timeout,
				       &directory->message);

		if (type <= 0)
			return type == 0 ? LDAP_TIMEOUT : last_code(directory);
		switch (ldap_persist_read(directory, &directory->follow->persist, type, &code)) {
		case LDAP_PERSIST_NOTHING:
			break;
		case LDAP_PERSIST_READY:
			return LDAP_SUCCESS;
		case LDAP_PERSIST_NEWS:
			directory->follow->has_news |= is_news;
			break;
		case LDAP_PERSIST_END:
			return code == LDAP_SUCCESS ? LDAP_OTHER : code;
		}
	}
}

static bool begin_search(struct directory *directory, size_t place, int *out_code,
			 struct error *err)
{
	struct ldap_follow *follow = directory->follow;
	struct buffer state;
	bool is_read;

	buffer_init(&state, TEXT_BYTES_MAX);
	is_read = ldap_state_read(directory, follow->persist.searches[place].base, &state, err);
	if (is_read) {
		follow->persist.tells_entries &= state.size > 0;
		*out_code =
			ldap_persist_send(directory, &follow->persist, place, buffer_bytes(&state));
		if (*out_code == LDAP_SUCCESS)
			*out_code = wait_until_ready(directory, follow->persist.ids[place],
						     state.size > 0);
	}
	buffer_free(&state);
	return is_read;
}

/* ---- the module --------------------------------------------------------------------------- */

void ldap_follow_free(struct ldap_follow *follow)
{
	if (follow == NULL)
		return;
	buffer_free(&follow->state);
	buffer_free(&follow->state_before);
	ldap_persist_free(&follow->persist);
	free(follow);
}

/* Codes of a server that has no such search, or won't have ours. */
static bool is_refusal(int code)
{
	return code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION || code == LDAP_UNWILLING_TO_PERFORM ||
	       code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_PROTOCOL_ERROR;
}

static bool begin_polling(const struct directory *directory, struct buffer *out_doubt,
			  struct error *err)
{
	struct ldap_follow *follow = directory->follow;

	follow->is_polled = true;
	ldap_persist_give_up(directory, &follow->persist);
	if (!read_states(directory, err) || !are_kept(directory, err))
		return false;
	(void)state_differs(follow);
	follow->check_at_ms = now_ms() + CHECK_EVERY_MS;
	(void)buffer_append_text(out_doubt,
				 "the server has no overlay syncprov, or not for us: its "
				 "contextCSN is asked each second, and any change of its tree is "
				 "one\n"); /* may be cut: only told */
	return true;
}

bool ldap_follow_begin(struct directory *directory, const struct directory_search *searches,
		       size_t count, const struct directory_hearer *hearer,
		       struct buffer *out_doubt, struct error *err)
{
	struct ldap_follow *follow = calloc(1, sizeof(*follow));
	bool is_good;

	if (follow == NULL)
		return error_set_memory(err);
	is_good = ldap_persist_init(&follow->persist, searches, count, hearer);
	buffer_init(&follow->state, TEXT_BYTES_MAX);
	buffer_init(&follow->state_before, TEXT_BYTES_MAX);
	directory->follow = follow;
	if (!is_good)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		int code;

		if (!begin_search(directory, i, &code, err))
			return false;
		if (is_refusal(code))
			return begin_polling(directory, out_doubt, err);
		if (code == LDAP_SUCCESS)
			continue;
		(void)ldap_module_fail(directory, code, searches[i].base, err);
		/* Pages may be had in the time that all of it can't. */
		if (code == LDAP_TIMELIMIT_EXCEEDED)
			err->status = EX_UNAVAILABLE;
		return false;
	}
	ldap_persist_begin(&follow->persist);
	return true;
}

/* Nothing came: is the server there? */
static enum database_news ask_server(const struct directory *directory, struct error *err)
{
	static char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	LDAPMessage *message = NULL;
	int code = ldap_search_ext_s(directory->handle, "", LDAP_SCOPE_BASE, "(objectClass=*)",
				     attributes, 0, NULL, NULL, NULL, 0, &message);

	(void)ldap_msgfree(message); /* accepts NULL; tells only its type */
	/* Whoever refuses is there. */
	if (code == LDAP_SUCCESS || code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_NO_SUCH_OBJECT)
		return DATABASE_NEWS_NONE;
	(void)ldap_module_fail(directory, code, "asked whether it is there", err);
	return DATABASE_NEWS_FAILED;
}

static enum database_news poll_state(const struct directory *directory, int timeout_ms,
				     struct error *err)
{
	struct ldap_follow *follow = directory->follow;
	int64_t end_ms = now_ms() + timeout_ms;
	int64_t left_ms = timeout_ms;

	do {
		int64_t wait_ms = left_ms < ASK_EVERY_MS ? left_ms : ASK_EVERY_MS;
		struct timespec wait = { wait_ms / 1000, wait_ms % 1000 * 1000000 };

		(void)nanosleep(&wait, NULL); /* where a signal ends it, it is asked early */
		if (!read_states(directory, err))
			return DATABASE_NEWS_FAILED;
		if (state_differs(follow))
			return DATABASE_NEWS_CHANGED;
		if (now_ms() >= follow->check_at_ms) {
			if (!are_kept(directory, err))
				return DATABASE_NEWS_FAILED;
			follow->check_at_ms = now_ms() + CHECK_EVERY_MS;
		}
		left_ms = end_ms - now_ms();
	} while (left_ms > 0);
	return DATABASE_NEWS_NONE;
}

/* A search has ended that should have stayed. */
static enum database_news fail_end(const struct directory *directory, int code, struct error *err)
{
	if (code == CODE_REFRESH_REQUIRED || code == LDAP_SUCCESS)
		error_fill(err, EX_TEMPFAIL, "the server wants to be asked for all entries anew");
	else
		(void)ldap_module_fail(directory, code, "the search for changes", err);
	return DATABASE_NEWS_FAILED;
}

/* What has come already, or comes before END_MS; *OUT_TYPE 0: nothing. */
static bool wait_for_message(struct directory *directory, int64_t end_ms, int *out_type,
			     struct error *err)
{
	int64_t left_ms = directory->follow->has_news ? 0 : end_ms - now_ms();
	struct timeval timeout = timeval_of(left_ms > 0 ? left_ms : 0);

	*out_type = ldap_result(directory->handle, LDAP_RES_ANY, LDAP_MSG_ONE, &timeout,
				&directory->message);
	return *out_type >= 0 ||
	       ldap_module_fail(directory, last_code(directory), "the search for changes", err);
}

enum database_news ldap_follow_wait(struct directory *directory, int timeout_ms, struct error *err)
{
	struct ldap_follow *follow = directory->follow;
	int64_t end_ms = now_ms() + timeout_ms;

	if (follow->is_polled)
		return poll_state(directory, timeout_ms, err);
	/* What has come already is taken as one, but not for ever. */
	for (int i = 0; i < MESSAGES_MAX; i++) {
		int code = LDAP_OTHER;
		int type;

		if (!wait_for_message(directory, end_ms, &type, err))
			return DATABASE_NEWS_FAILED;
		if (type == 0)
			break;
		switch (ldap_persist_read(directory, &directory->follow->persist, type, &code)) {
		case LDAP_PERSIST_NEWS:
			follow->has_news = true;
			break;
		case LDAP_PERSIST_END:
			return fail_end(directory, code, err);
		default:
			break;
		}
	}
	if (!follow->has_news)
		return ask_server(directory, err);
	follow->has_news = false;
	return DATABASE_NEWS_CHANGED;
}
