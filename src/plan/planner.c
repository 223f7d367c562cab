/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/planner.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "plan/schema.h"
#include "sql/key_template.h"

bool planner_fail_memory(const struct planner *planner)
{
	report_error(planner->report, EX_OSERR, planner->plan->path, 0, "out of memory");
	return false;
}

bool planner_complain(const struct planner *planner, const struct settings_member *member,
		      const char *what)
{
	report_error(planner->report, EX_CONFIG, planner->from->file, (uint32_t)member->line,
		     "sources: %s: %s", member->name, what);
	return false;
}

bool planner_complain_table(const struct planner *planner, const char *parameter, const char *what)
{
	report_error(planner->report, EX_CONFIG, planner->plan->path, 0, "%s: %s", parameter, what);
	return false;
}

bool planner_take_number(const struct planner *planner, const char *parameter, const char *text,
			 unsigned long *out_number)
{
	unsigned long number;
	char *end;

	if (text == NULL)
		return true;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
		return planner_complain_table(planner, parameter, "is no number");
	*out_number = number;
	return true;
}

bool planner_check_template(const struct planner *planner, const char *parameter, const char *text)
{
	struct error err;

	return key_template_check(bytes_of(text), &err) ||
	       planner_complain_table(planner, parameter, err.text);
}

bool planner_check_domains(const struct planner *planner)
{
	struct bytes rest = planner->plan->domains;
	struct bytes word;

	while (postfix_table_next_word(&rest, &word))
		if (bytes_contain(word, '/') || bytes_contain(word, ':'))
			return planner_complain_table(
				planner, "domain", "only names are read, no files and no tables");
	return true;
}

bool planner_take_schema(const struct planner *planner, const char *const *names, size_t count,
			 const char **texts)
{
	struct error err;

	if (planner->schema == NULL ||
	    schema_fill(planner->schema, names, count, &planner->plan->arena, texts, &err))
		return true;
	report_error(planner->report, err.status, NULL, 0, "%s", err.text);
	return false;
}
