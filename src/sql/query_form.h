/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query_form - one text for all the ways to write a query, so that two of them can be compared.
 *
 * Of no matter are blanks and capitals of words, quotes around names and numbers, the order of
 * tables and of conditions joined by AND, which side of = something stands on, other names of
 * tables, CONCAT() or ||, brackets around a condition, and `active` for `active = 1`. All else is:
 * queries of one form ask the same, though not all that ask the same have one form. Pure, and
 * thread-safe.
 */
#ifndef SQL_QUERY_FORM_H
#define SQL_QUERY_FORM_H

#include "base/arena.h"
#include "base/bytes.h"

/* The form of QUERY, in ARENA; empty: it can't be told. False: no memory. */
bool query_form_find(struct bytes query, bool is_mysql, struct arena *arena,
		     struct bytes *out_form);

#endif
