/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * milter - the milter protocol: libmilter's callbacks on one side, transactions on the other.
 *
 * The only file that knows libmilter, of which a process can run one only. It calls us on any of
 * its threads, for one session never on two at once: see session.h.
 */
#ifndef MILTER_MILTER_H
#define MILTER_MILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "message/snapshot.h"

struct milter_options {
	int take_listen_fd;            /* listening already; ours from now on */
	const char *runtime_directory; /* for a moment's file */
	struct snapshot_store *store;  /* stays for the life of the process */
	size_t max_sessions;           /* more are put off, message by message */
	int idle_timeout_seconds;
};

bool milter_open(const struct milter_options *options, struct error *err);

/* Serve. Comes back only when libmilter gives up, with an exit status. */
int milter_run(void);

/* The socket is nobody's any more: whoever connects is refused, so that another daemon can take its
 * place at once. milter_drain() follows. */
void milter_leave_socket(void);

/*
 * Take no more connections, and let open end-of-message calls finish; from another thread than
 * milter_run()'s. False: some were still running after TIMEOUT_MS. The process can end then; what
 * sessions are left get a 4xx from their MTA.
 */
bool milter_drain(int timeout_ms);

#endif
