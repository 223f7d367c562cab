/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/shrinking.h"

#include <sysexits.h>

static bool check_loss(const char *what, uint64_t before, uint64_t after, uint64_t limit_percent,
		       struct report *report)
{
	uint64_t lost = before > after ? before - after : 0;

	if (before == 0 || lost * 100 <= before * limit_percent)
		return true;
	report_error(report, EX_DATAERR, NULL, 0,
		     "the new table has %llu %s, the installed one %llu: not published without "
		     "--force",
		     (unsigned long long)after, what, (unsigned long long)before);
	return false;
}

bool shrinking_check(const struct table_facts *before, const struct table_facts *after,
		     size_t limit_percent, struct report *report)
{
	if (after->entries == 0) {
		report_error(report, EX_DATAERR, NULL, 0,
			     "the new table is empty: not published without --force");
		return false;
	}
	return check_loss("entries", before->entries, after->entries, limit_percent, report) &&
	       check_loss("domains", before->domains, after->domains, limit_percent, report);
}
