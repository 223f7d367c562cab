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
	int take_listen_fd;            /* listening already, and never blocks; ours from now on */
	const char *runtime_directory; /* for a moment's file */
	struct snapshot_store *store;  /* stays for the life of the process */
	size_t max_sessions;           /* more are put off, message by message */
	int idle_timeout_seconds;
};

/* Nobody is served yet, and whoever connects waits, or is another worker's. */
bool milter_open(const struct milter_options *options, struct error *err);

/* Serve. Comes back only when libmilter gives up, with an exit status. */
int milter_run(void);

/* From now on whoever connects is served. Any thread may call this, and what follows. */
bool milter_take_connections(struct error *err);

/* From now on whoever connects is another worker's, also who waits already. The sessions that are
 * open go on. */
bool milter_leave_connections(struct error *err);

/* Has the last session ended, and does nobody wait on a socket that we haven't left? */
bool milter_is_idle(void);

/* The socket is nobody's any more: whoever connects is refused, so that another daemon can take its
 * place at once; where this worker serves it no more, nothing changes. milter_drain() follows. */
void milter_leave_socket(void);

/*
 * Take no more connections, and let open messages finish; from another thread than milter_run()'s.
 * False: some were still open after TIMEOUT_MS, and answers that were being made then after two
 * seconds more. The process can end then; what sessions are left get a 4xx from their MTA.
 */
bool milter_drain(int timeout_ms);

#endif
