/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/shrinking.h"

#include <inttypes.h>
#include <sysexits.h>

static bool check_loss(const char *what, uint64_t before, uint64_t after, uint64_t limit,
		       struct error *err)
{
	uint64_t lost = before > after ? before - after : 0;

	return before == 0 || lost * 100 <= before * limit ||
	       error_set(err, EX_DATAERR,
			 "the new table has %" PRIu64 " %s, the installed one %" PRIu64
			 ": not published without --force",
			 after, what, before);
}

bool shrinking_check(const struct table_facts *before, const struct table_facts *after,
		     size_t limit_percent, struct error *err)
{
	if (after->entries == 0)
		return error_set(err, EX_DATAERR,
				 "the new table is empty: not published without --force");
	return check_loss("entries", before->entries, after->entries, limit_percent, err) &&
	       check_loss("domains", before->domains, after->domains, limit_percent, err);
}
