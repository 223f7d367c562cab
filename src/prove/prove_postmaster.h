/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove_postmaster - does each of our domains answer for its postmaster (RFC 5321, 4.5.1)?
 */
#ifndef PROVE_PROVE_POSTMASTER_H
#define PROVE_PROVE_POSTMASTER_H

#include "prove/proof_findings.h"
#include "resolve/limits.h"
#include "table/table.h"

/* One warning for all of our domains in which postmaster is unknown or refused. Where patterns
 * would be asked, which take longer, the first thousand domains stand for all. */
void prove_postmaster(const struct table *table, const struct resolve_limits *limits,
		      struct proof_findings *findings);

#endif
