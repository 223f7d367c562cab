/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client - one request to a running openrcptd, over its control socket.
 */
#ifndef RCPTCTL_CLIENT_H
#define RCPTCTL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "settings/settings.h"

struct client_answer {
	struct buffer text; /* lines `NAME<tab>VALUE`, without the last one */
	int status;         /* what the daemon says that rcptctl should end with */
	int descriptor;     /* came along; -1: none */
};

/*
 * Ask the daemon of SETTINGS for REQUEST, and wait SECONDS for the answer. False: there is none,
 * see ERR: status 69 nobody answers, 77 it may not be asked, 75 too late, 76 half an answer. Free
 * the answer in any case.
 */
bool client_ask(const struct settings *settings, const char *request, int seconds,
		struct client_answer *out_answer, struct error *err);
void client_answer_free(struct client_answer *answer);

/* The next line of *REST. False: no more. */
bool client_next(struct bytes *rest, struct bytes *out_name, struct bytes *out_value);

/* The value called NAME; empty: there is none. */
struct bytes client_value(const struct client_answer *answer, const char *name);
uint64_t client_number(const struct client_answer *answer, const char *name); /* likewise 0 */

#endif
