/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove_patterns - what can be said of pattern rules before an address comes: who answers for users
 * that nobody has.
 */
#ifndef COMPILE_PROVE_PATTERNS_H
#define COMPILE_PROVE_PATTERNS_H

#include "compile/findings.h"
#include "table/table.h"

/* Warn of each rule that answers for an unlikely user of one of our domains: there nobody is
 * unknown any more. The first thousand domains are asked. */
void prove_patterns(const struct table *table, struct findings *findings);

#endif
