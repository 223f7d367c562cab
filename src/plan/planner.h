/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * planner - what the files that make a plan share: plan.c, and for directories plan_directory.c and
 * plan_members.c.
 */
#ifndef PLAN_PLANNER_H
#define PLAN_PLANNER_H

#include "plan/plan.h"
#include "plan/postfix_table.h"

struct directory_members;
struct schema;

struct planner {
	struct database_plan *plan;
	const struct settings_source *from;
	const struct settings *settings;
	struct report *report;
	enum database_kind kind;           /* of a table of Postfix */
	struct schema *schema;             /* NULL: none */
	struct directory_members *members; /* of a directory, as they are read */
};

/* All of these report, and return false. */
bool planner_fail_memory(const struct planner *planner);
bool planner_complain(const struct planner *planner, const struct settings_member *member,
		      const char *what);
bool planner_complain_table(const struct planner *planner, const char *parameter, const char *what);

/* The number TEXT of PARAMETER; nothing is changed where TEXT is NULL. */
bool planner_take_number(const struct planner *planner, const char *parameter, const char *text,
			 unsigned long *out_number);
bool planner_check_template(const struct planner *planner, const char *parameter, const char *text);
bool planner_check_domains(const struct planner *planner);

/* As schema_fill(), if there is a schema. */
bool planner_take_schema(const struct planner *planner, const char *const *names, size_t count,
			 const char **texts);

/* A directory: before its members are read, for one that plan.c doesn't know (false: neither is
 * it one of a directory), and when all are read. */
bool planner_begin_directory(struct planner *planner);
bool planner_take_directory_member(struct planner *planner, const struct settings_member *member);
bool planner_plan_directory(struct planner *planner);

/* Where the text of the member NAME beside a table's path is kept; NULL: there is no such. */
const char **planner_directory_text(struct database_plan *plan, const char *name);

/* The same from the file of a Postfix table. */
bool planner_plan_directory_table(struct planner *planner, const struct postfix_table *table);

#endif
