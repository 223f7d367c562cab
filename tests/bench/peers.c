/* SPDX-License-Identifier: BSD-2-Clause */
#include "peer.h"

const struct peer *const peers[] = {
	&peer_openrcpt, &peer_cdb,    &peer_lmdb, &peer_lmdb_transaction,
	&peer_hash,     &peer_sqlite, &peer_cmph, NULL,
};

const struct peer *peer_find(const char *name)
{
	for (const struct peer *const *peer = peers; *peer != NULL; peer++)
		if (strcmp((*peer)->name, name) == 0)
			return *peer;
	text_fail(name, "no such peer");
}
