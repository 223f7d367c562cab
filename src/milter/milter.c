/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/milter.h"

#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "message/counters.h"
#include "message/transaction.h"
#include "milter/cork.h"
#include "milter/drain.h"
#include "milter/gate.h"
#include "milter/session.h"
#include "milter/signal_thread.h"
#include "service/log.h"

enum {
	EDITS_A_PROGRESS = 1000, /* the MTA's time limit begins anew with each progress */
	LAST_MS = 2000,          /* for answers that are being made when the time is over */
};

/* Without these nothing can be rewritten, and accepting anything would leave it unexpanded. */
static const unsigned long needed_actions = SMFIF_ADDRCPT | SMFIF_DELRCPT;
static const unsigned long welcome_actions = SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST;

/*
 * Steps we do without. MAIL has to come (Sendmail says nothing of RSET otherwise), but our answer
 * to it has nothing to say. Over TCP, DATA has to come and be answered: its macros come in any
 * case, and an MTA without TCP_NODELAY would keep the end of the message back for 40 ms, until
 * they are acknowledged (measured on Postfix).
 */
static const unsigned long unwanted_steps = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOHDRS |
					    SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN |
					    SMFIP_NR_MAIL;
static const unsigned long unwanted_local_steps = SMFIP_NODATA;

/* The macros we read; where none is wanted, one that no MTA has, since an empty list means the
 * default one to Postfix. */
#define NO_MACRO "{openrcpt}"
static const struct {
	int stage;
	const char *local_names;
	const char *tcp_names;
} wanted_macros[] = {
	{ SMFIM_CONNECT, "v {daemon_name}", "v {daemon_name}" },
	{ SMFIM_HELO, NO_MACRO, NO_MACRO },
	{ SMFIM_ENVFROM, "i {mail_mailer}", "i {mail_mailer}" },
	/* Sendmail sends nothing for an empty list; else each recipient would wait 40 ms. */
	{ SMFIM_ENVRCPT, NO_MACRO, "" },
	{ SMFIM_DATA, NO_MACRO, NO_MACRO },
	{ SMFIM_EOH, NO_MACRO, NO_MACRO },
	{ SMFIM_EOM, "i", "i" },
};

static struct {
	struct snapshot_store *store;
	size_t max_sessions;
	int listen_fd;   /* the master's socket */
	int stand_in_fd; /* libmilter's: a listening socket that nobody knows */
	bool is_tcp;
} milter = { .listen_fd = -1, .stand_in_fd = -1 };

static const char restart_text[] = "Service restarts, try again later";

/* ---- answers -------------------------------------------------------------------------- */

/* Set just before the return that uses it: an unused reply would go to a later recipient. */
static sfsistat answer(SMFICTX *context, struct session *session, const struct reply *reply)
{
	char code[sizeof(reply->code)];
	char enhanced[sizeof(reply->enhanced)];

	memcpy(code, reply->code, sizeof(code));
	memcpy(enhanced, reply->enhanced, sizeof(enhanced));
	buffer_clear(&session->reply);
	if (!reply_escape_percent(reply->text, &session->reply) ||
	    !buffer_append_byte(&session->reply, '\0') ||
	    smfi_setreply(context, code, enhanced, session->reply.data) != MI_SUCCESS)
		return SMFIS_TEMPFAIL;
	return code[0] == '5' ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

static sfsistat answer_later(SMFICTX *context, struct session *session, const char *text)
{
	const struct reply reply = { .code = "451", .enhanced = "4.3.0", .text = bytes_of(text) };

	return answer(context, session, &reply);
}

/* ---- callbacks ------------------------------------------------------------------------ */

static void ask_for_macros(SMFICTX *context)
{
	for (size_t i = 0; i < sizeof(wanted_macros) / sizeof(wanted_macros[0]); i++) {
		char names[64];

		(void)snprintf(names, sizeof(names), "%s",
			       milter.is_tcp ? wanted_macros[i].tcp_names
					     : wanted_macros[i].local_names); /* fits */
		if (smfi_setsymlist(context, wanted_macros[i].stage, names) != MI_SUCCESS)
			log_line(SEVERITY_WARNING, "macros of stage %d can't be chosen",
				 wanted_macros[i].stage);
	}
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
			     unsigned long reserved_2, unsigned long reserved_3,
			     unsigned long *out_actions, unsigned long *out_steps,
			     unsigned long *out_reserved_2, unsigned long *out_reserved_3)
{
	struct session *session;

	(void)reserved_2;
	(void)reserved_3;
	/* The worker is ending, and has said why. */
	if (!signal_thread_wait(NULL))
		return SMFIS_REJECT;
	if ((actions & needed_actions) != needed_actions) {
		log_line(SEVERITY_ERROR, "the MTA offers no adding and deleting of recipients");
		return SMFIS_REJECT;
	}
	session = session_new(milter.store);
	if (session == NULL || smfi_setpriv(context, session) != MI_SUCCESS) {
		log_line(SEVERITY_ERROR, "no memory for a session");
		session_free(session);
		return SMFIS_REJECT;
	}
	*out_actions = actions & (needed_actions | welcome_actions);
	*out_steps = steps & (unwanted_steps | (milter.is_tcp ? 0 : unwanted_local_steps));
	*out_reserved_2 = 0;
	*out_reserved_3 = 0;
	session->takes_parameters = (actions & SMFIF_ADDRCPT_PAR) != 0;
	session->answers_mail = (steps & SMFIP_NR_MAIL) == 0;
	if ((actions & SMFIF_SETSYMLIST) != 0)
		ask_for_macros(context);
	return SMFIS_CONTINUE;
}

static const char *macro(SMFICTX *context, const char *name)
{
	char copy[32];

	(void)snprintf(copy, sizeof(copy), "%s", name); /* names are our own */
	return smfi_getsymval(context, copy);
}

static bool has_parameter(char **parameters, const char *name)
{
	for (; *parameters != NULL; parameters++)
		if (strcasecmp(*parameters, name) == 0)
			return true;
	return false;
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
	struct session *session = smfi_getpriv(context);
	struct message_facts *facts;

	if (session == NULL)
		return SMFIS_TEMPFAIL;
	if (!session->knows_mta)
		mta_init(&session->mta, macro(context, "v"), session->takes_parameters);
	session->knows_mta = true;
	facts = &session->facts;
	facts->has_smtputf8 = has_parameter(arguments, "SMTPUTF8");
	facts->is_reinjected = mta_is_reinjection(macro(context, "{daemon_name}"));
	facts->is_submission = mta_is_submission(&session->mta, macro(context, "i"),
						 macro(context, "{mail_mailer}"));
	session_end_message(session);
	session->is_answering = false;
	/* Where it doesn't open, each recipient is told. */
	if (session_count(session, milter.max_sessions))
		(void)session_begin_message(session);
	return session->answers_mail ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

/* Why there is no message: the session is one too many, or there is nothing to answer from, or this
 * worker ends. */
static sfsistat answer_without_message(SMFICTX *context, struct session *session)
{
	if (drain_has_begun() && !session->has_message)
		return answer_later(context, session, restart_text);
	counter_add(session->is_counted ? COUNTER_DEFERRALS_NO_TABLE : COUNTER_DEFERRALS_SESSIONS,
		    1);
	if (session->is_counted)
		return answer_later(context, session, "No table, try again later");
	return answer_later(context, session,
			    session->is_told ? "Too many sessions, try again later"
					     : "No message is open, try again later");
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
	struct session *session = smfi_getpriv(context);
	struct decision decision;

	if (session == NULL)
		return SMFIS_TEMPFAIL;
	if (!transaction_is_open(&session->transaction)) {
		/* One recipient of a submission can't be deferred; the end of the message can. */
		if (session->facts.is_submission)
			return SMFIS_CONTINUE;
		return answer_without_message(context, session);
	}
	transaction_recipient(&session->transaction, arguments[0], arguments + 1, &decision);
	switch (decision.judgement.action) {
	case POLICY_REFUSE:
		transaction_log_refusal(&session->transaction, &decision);
		return answer(context, session, &decision.reply);
	case POLICY_PUT_OFF:
		transaction_log_put_off(&session->transaction, &decision, macro(context, "i"));
		break;
	case POLICY_LEAVE:
	case POLICY_REPLACE:
	case POLICY_DROP:
		break;
	}
	return SMFIS_CONTINUE;
}

static bool make_edit(SMFICTX *context, const struct edit *edit)
{
	/* libmilter only reads what it takes as char *. */
	char *address = (char *)(uintptr_t)edit->address;
	char *parameters = (char *)(uintptr_t)edit->parameters;

	if (edit->kind == EDIT_DELETE)
		return smfi_delrcpt(context, address) == MI_SUCCESS;
	if (parameters == NULL)
		return smfi_addrcpt(context, address) == MI_SUCCESS;
	return smfi_addrcpt_par(context, address, parameters) == MI_SUCCESS;
}

static bool make_each_edit(SMFICTX *context, const struct edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i % EDITS_A_PROGRESS == EDITS_A_PROGRESS - 1 &&
		    smfi_progress(context) != MI_SUCCESS)
			return false;
		if (!make_edit(context, &edits[i]))
			return false;
	}
	return true;
}

static const char *queue_id(const struct session *session)
{
	return session->queue_id[0] == '\0' ? NULL : session->queue_id;
}

/* The answer is out, or the MTA is gone. */
static void on_answered(bool is_sent, void *context)
{
	struct session *session = context;

	if (is_sent)
		transaction_log(&session->transaction, queue_id(session));
	else
		transaction_log_deferral(&session->transaction, queue_id(session),
					 "the MTA hung up before the answer");
	session->is_answering = false;
	session_end_message(session);
}

/* Edits go out with the answer, or not at all; what is logged of them comes behind it. */
static bool make_edits(SMFICTX *context, struct session *session, const struct edit *edits,
		       size_t count)
{
	cork_begin();
	if (!make_each_edit(context, edits, count)) {
		cork_drop();
		return false;
	}
	cork_watch(on_answered, session);
	cork_end();
	session->is_answering = true;
	return true;
}

static void copy_queue_id(struct session *session, const char *id)
{
	(void)snprintf(session->queue_id, sizeof(session->queue_id), "%s",
		       id == NULL ? "" : id); /* may be cut */
}

static sfsistat finish_message(SMFICTX *context, struct session *session)
{
	const struct edit *edits = NULL;
	const char *reason = "no recipient would be left, or no memory";
	size_t count = 0;

	copy_queue_id(session, macro(context, "i"));
	switch (transaction_finish(&session->transaction, &edits, &count)) {
	case TRANSACTION_UNCHANGED:
		counter_add(COUNTER_MESSAGES_UNCHANGED, 1);
		return SMFIS_CONTINUE;
	case TRANSACTION_DISCARDED:
		counter_add(COUNTER_MESSAGES_DISCARDED, 1);
		(void)make_edits(context, session, NULL, 0); /* there is none that could fail */
		return SMFIS_DISCARD;
	case TRANSACTION_EDITED:
		if (make_edits(context, session, edits, count)) {
			counter_add(COUNTER_MESSAGES_EDITED, 1);
			return SMFIS_CONTINUE;
		}
		reason = "an edit of the envelope failed";
		break;
	case TRANSACTION_DEFERRED:
		break;
	}
	counter_add(COUNTER_MESSAGES_DEFERRED, 1);
	transaction_log_deferral(&session->transaction, queue_id(session), reason);
	return answer_later(context, session, "Recipients can't be rewritten now, try again later");
}

static sfsistat on_message_end(SMFICTX *context)
{
	struct session *session = smfi_getpriv(context);
	sfsistat status;

	if (session == NULL)
		return SMFIS_TEMPFAIL;
	if (!drain_begin_answer())
		status = answer_later(context, session, restart_text);
	else if (!transaction_is_open(&session->transaction))
		status = answer_without_message(context, session);
	else
		status = finish_message(context, session);
	if (!session->is_answering)
		session_end_message(session);
	drain_end_answer();
	return status;
}

static sfsistat on_data(SMFICTX *context)
{
	(void)context;
	return SMFIS_CONTINUE;
}

static sfsistat on_abort(SMFICTX *context)
{
	struct session *session = smfi_getpriv(context);

	if (session != NULL)
		session_end_message(session);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
	struct session *session = smfi_getpriv(context);

	/* The only callback of a connection on which nobody negotiated. */
	if (session == NULL)
		return SMFIS_CONTINUE;
	(void)smfi_setpriv(context, NULL); /* fails for a context of NULL only */
	session_free(session);
	return SMFIS_CONTINUE;
}

/* ---- the life of libmilter ------------------------------------------------------------ */

/* A socket of the same family that libmilter can open by itself. */
static bool stand_in_name(int fd, const char *directory, char *out_name, size_t room,
			  const char **out_path, struct error *err)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	int length;

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return error_set_errno(err, EX_OSERR, "socket");
	*out_path = NULL;
	milter.is_tcp = address.ss_family != AF_UNIX;
	if (address.ss_family == AF_INET)
		length = snprintf(out_name, room, "inet:0@127.0.0.1");
	else if (address.ss_family == AF_INET6)
		length = snprintf(out_name, room, "inet6:0@::1");
	else {
		length = snprintf(out_name, room, "unix:%s/openrcptd.%ld", directory,
				  (long)getpid());
		*out_path = out_name + strlen("unix:");
	}
	return (length > 0 && (size_t)length < room) ||
	       error_set(err, EX_CONFIG, "%s: path too long", directory);
}

/*
 * libmilter opens its own socket, and only a patched one takes a descriptor. So it opens one that
 * nobody knows. In its place, under the same number, the inherited one is put later.
 */
static bool open_stand_in(int listen_fd, const char *directory, struct error *err)
{
	char name[PATH_MAX];
	const char *path;
	int is_listening = 0;
	socklen_t size = sizeof(is_listening);
	int number;

	if (!stand_in_name(listen_fd, directory, name, sizeof(name), &path, err))
		return false;
	/* The lowest free number is the one that libmilter will get. */
	number = dup(listen_fd);
	if (number < 0 || close(number) != 0)
		return error_set_errno(err, EX_OSERR, "socket");
	if (smfi_setconn(name) != MI_SUCCESS || smfi_opensocket(false) != MI_SUCCESS)
		return error_set(err, EX_CANTCREAT, "%s: libmilter can't open it", name);
	if (path != NULL)
		(void)unlink(path); /* nobody needs it, and its name is our process's */
	if (getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0 ||
	    is_listening == 0)
		return error_set(err, EX_SOFTWARE, "libmilter's socket is not where I look for it");
	milter.listen_fd = listen_fd;
	milter.stand_in_fd = fcntl(number, F_DUPFD_CLOEXEC, 0);
	/* Who left the master's socket must not come to wait here for ever. */
	if (milter.stand_in_fd < 0 || fcntl(number, F_SETFL, O_NONBLOCK) != 0)
		return error_set_errno(err, EX_OSERR, "socket");
	return gate_open(number, err);
}

bool milter_open(const struct milter_options *options, struct error *err)
{
	static char name[] = "openrcptd";
	const struct smfiDesc description = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = needed_actions | welcome_actions,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_recipient,
		.xxfi_eom = on_message_end,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};

	milter.store = options->store;
	milter.max_sessions = options->max_sessions;
	if (smfi_register(description) != MI_SUCCESS)
		return error_set(err, EX_SOFTWARE, "libmilter of another version");
	if (smfi_settimeout(options->idle_timeout_seconds) != MI_SUCCESS)
		return error_set(err, EX_SOFTWARE, "libmilter refuses the time limit");
	return open_stand_in(options->take_listen_fd, options->runtime_directory, err);
}

int milter_run(void)
{
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}

bool milter_take_connections(struct error *err)
{
	return gate_exchange(milter.listen_fd, err);
}

bool milter_leave_connections(struct error *err)
{
	if (!gate_exchange(milter.stand_in_fd, err))
		return false;
	if (milter.listen_fd >= 0)
		(void)close(milter.listen_fd); /* the other worker's, and stays so */
	milter.listen_fd = -1;
	return true;
}

bool milter_is_idle(void)
{
	struct pollfd queue = { .fd = milter.listen_fd, .events = POLLIN };

	return gate_sessions() == 0 && (queue.fd < 0 || poll(&queue, 1, 0) <= 0);
}

void milter_leave_socket(void)
{
	gate_shut();
}

bool milter_drain(int timeout_ms)
{
	struct error err;

	if (milter.stand_in_fd >= 0 && !milter_leave_connections(&err))
		log_line(SEVERITY_WARNING, "the socket can't be closed: %s", err.text);
	return drain(timeout_ms, LAST_MS);
}
