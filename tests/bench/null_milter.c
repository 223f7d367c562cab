/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null_milter - the least that a milter of libmilter's can do for recipients: what openrcptd costs
 * beyond this is its own.
 *
 *   null_milter SOCKET edit      replace every recipient at the end of the message
 *   null_milter SOCKET trace     the same, and pass on who the recipient was (ORCPT, RFC 3461)
 *   null_milter SOCKET refuse    refuse every recipient
 *
 * The replacements go to as many destinations as those of a table made by generate: if all went to
 * one, the rest of Postfix would have less to do.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

enum { DESTINATIONS = 16, MAILBOX_PERCENT = 75 };

struct message {
	char **recipients;
	size_t count;
	size_t room;
};

static bool is_refusing;
static bool is_tracing;

static void clear(struct message *message)
{
	for (size_t i = 0; i < message->count; i++)
		free(message->recipients[i]);
	message->count = 0;
}

static bool add(struct message *message, const char *recipient)
{
	if (message->count == message->room) {
		size_t room = message->room == 0 ? 8 : message->room * 2;
		char **more = realloc(message->recipients, room * sizeof(*more));

		if (more == NULL)
			return false;
		message->recipients = more;
		message->room = room;
	}
	message->recipients[message->count] = strdup(recipient);
	return message->recipients[message->count++] != NULL;
}

static struct message *message_of(SMFICTX *context)
{
	struct message *message = smfi_getpriv(context);

	if (message == NULL) {
		message = calloc(1, sizeof(*message));
		(void)smfi_setpriv(context, message); /* asked for again otherwise */
	}
	return message;
}

/* Where a recipient goes now: spread evenly by its bytes. */
static void print_target(char *room, size_t size, const char *recipient, size_t number)
{
	unsigned spread = 2166136261u;

	for (const char *at = recipient; *at != '\0'; at++)
		spread = (spread ^ (unsigned char)*at) * 16777619u;
	spread = spread >> 7 ^ spread >> 19;
	(void)snprintf(room, size,
		       spread % 100 < MAILBOX_PERCENT ? "<user%zu.%u@box%u.hosted.example>"
						      : "<user%zu.%u@provider%u.example>",
		       number, spread % 1000000, spread / 100 % DESTINATIONS);
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
			     unsigned long reserved_2, unsigned long reserved_3,
			     unsigned long *out_actions, unsigned long *out_steps,
			     unsigned long *out_reserved_2, unsigned long *out_reserved_3)
{
	(void)context;
	(void)actions;
	(void)reserved_2;
	(void)reserved_3;
	*out_actions = SMFIF_ADDRCPT | SMFIF_DELRCPT | (is_tracing ? SMFIF_ADDRCPT_PAR : 0);
	*out_steps = steps & (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH |
			      SMFIP_NOBODY | SMFIP_NOUNKNOWN | SMFIP_NODATA);
	*out_reserved_2 = 0;
	*out_reserved_3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
	struct message *message = message_of(context);

	(void)arguments;
	if (message == NULL)
		return SMFIS_TEMPFAIL;
	clear(message);
	return SMFIS_CONTINUE;
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
	static char code[] = "550";
	static char enhanced[] = "5.1.1";
	static char text[] = "User unknown in virtual alias table";

	if (is_refusing) {
		(void)smfi_setreply(context, code, enhanced, text); /* refused all the same */
		return SMFIS_REJECT;
	}
	return add(message_of(context), arguments[0]) ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static int replace(SMFICTX *context, char *recipient, char *target)
{
	char parameters[600];
	size_t size = strlen(recipient);

	if (smfi_delrcpt(context, recipient) != MI_SUCCESS)
		return MI_FAILURE;
	if (!is_tracing)
		return smfi_addrcpt(context, target);
	/* Made-up addresses need no xtext; they stand between brackets. */
	(void)snprintf(parameters, sizeof(parameters), "ORCPT=rfc822;%.*s", (int)size - 2,
		       recipient + 1);
	return smfi_addrcpt_par(context, target, parameters);
}

static sfsistat on_message_end(SMFICTX *context)
{
	struct message *message = message_of(context);

	for (size_t i = 0; i < message->count; i++) {
		char target[512];

		print_target(target, sizeof(target), message->recipients[i], i);
		if (replace(context, message->recipients[i], target) != MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	}
	clear(message);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
	struct message *message = smfi_getpriv(context);

	if (message == NULL)
		return SMFIS_CONTINUE;
	clear(message);
	free(message->recipients);
	free(message);
	(void)smfi_setpriv(context, NULL); /* the session ends */
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	static char name[] = "null_milter";
	struct smfiDesc milter = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_recipient,
		.xxfi_eom = on_message_end,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};
	char where[512];

	if (argc != 3)
		return 64;
	is_refusing = strcmp(argv[2], "refuse") == 0;
	is_tracing = strcmp(argv[2], "trace") == 0;
	(void)snprintf(where, sizeof(where), "unix:%s", argv[1]);
	(void)unlink(argv[1]); /* mostly not there */
	(void)umask(0);
	if (smfi_setconn(where) != MI_SUCCESS || smfi_register(milter) != MI_SUCCESS)
		return 70;
	return smfi_main() == MI_SUCCESS ? 0 : 70;
}
