/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptctl/check.h"

#include <stdio.h>

enum { TROUBLE_BYTES = 2048 };

/* What has been found so far. */
struct findings {
	enum plugin_state state;
	struct buffer trouble; /* joined by "; " */
};

/* Append to the findings; a text that is cut says enough. */
static void find(struct findings *findings, enum plugin_state state, const char *format,
		 struct bytes detail)
{
	if (state == PLUGIN_OK)
		return;
	if (state > findings->state)
		findings->state = state;
	if (findings->trouble.size > 0)
		(void)buffer_append_text(&findings->trouble, "; ");
	(void)buffer_append_text(&findings->trouble, format);
	plugin_put(detail, &findings->trouble);
}

static enum plugin_state state_of(double value, const struct check_limit *limit)
{
	if (limit->critical >= 0 && value >= limit->critical)
		return PLUGIN_CRITICAL;
	return limit->warning >= 0 && value >= limit->warning ? PLUGIN_WARNING : PLUGIN_OK;
}

/* With VALUE: a message on a telephone ends before the numbers. */
static void find_number(struct findings *findings, double value, const struct check_limit *limit,
			const char *text, int decimals, const char *unit)
{
	char detail[64];

	(void)snprintf(detail, sizeof(detail), ": %.*f %s", decimals, value, unit); /* fits */
	find(findings, state_of(value, limit), text, bytes_of(detail));
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

/* A message whose recipients were accepted may be deferred at its end, and then nobody gets it. */
static double deferred_percent(const struct client_answer *status)
{
	double recipients = percent(client_number(status, "recent_deferred"),
				    client_number(status, "recent_recipients"));
	double messages = percent(client_number(status, "recent_messages_deferred"),
				  client_number(status, "recent_messages"));

	return messages > recipients ? messages : recipients;
}

static void judge_service(const struct client_answer *status, struct findings *findings)
{
	struct bytes state = client_value(status, "state");
	bool serves = bytes_equal(state, bytes_of("serving")) ||
		      bytes_equal(state, bytes_of("reloading")) ||
		      bytes_equal(state, bytes_of("handing over"));

	find(findings, serves ? PLUGIN_OK : PLUGIN_CRITICAL, "not serving: ", state);
	if (client_number(status, "table_created") == 0)
		find(findings, PLUGIN_CRITICAL, "there is no table", bytes_of(""));
	if (client_number(status, "table_is_copy") != 0)
		find(findings, PLUGIN_WARNING, "the table in use is a copy: its file can't be had",
		     bytes_of(""));
	if (client_number(status, "last_failure_counts") != 0)
		find(findings, PLUGIN_WARNING,
		     "the last load failed: ", client_value(status, "last_failure_reason"));
}

/* `'age'=12s;10;20;0` */
static void put_datum(struct buffer *out, const char *name, double value, const char *unit,
		      const struct check_limit *limit)
{
	(void)buffer_append_format(out, " '%s'=%.10g%s;", name, value, unit);
	if (limit->warning >= 0)
		(void)buffer_append_format(out, "%.10g", limit->warning);
	(void)buffer_append_text(out, ";");
	if (limit->critical >= 0)
		(void)buffer_append_format(out, "%.10g", limit->critical);
	(void)buffer_append_text(out, ";0");
}

enum plugin_state check_judge(const struct client_answer *status, const struct check_limits *limits,
			      struct buffer *out)
{
	struct findings findings = { .state = PLUGIN_OK };
	double age = (double)client_number(status, "table_age_seconds");
	double deferred = deferred_percent(status);
	double sessions =
		percent(client_number(status, "sessions"), client_number(status, "max_sessions"));
	struct bytes generation = client_value(status, "table_generation");

	buffer_init(&findings.trouble, TROUBLE_BYTES);
	judge_service(status, &findings);
	find_number(&findings, age, &limits->age_seconds, "the table is old", 0, "s");
	find_number(&findings, deferred, &limits->deferred_percent,
		    "many recipients or messages are deferred", 1, "%");
	find_number(&findings, sessions, &limits->sessions_percent,
		    "nearly as many sessions as there may be", 1, "%");
	(void)buffer_append_format(out, "%s - ", plugin_word(findings.state));
	if (findings.trouble.size > 0)
		(void)buffer_append(out, buffer_bytes(&findings.trouble));
	else
		(void)buffer_append_format(out, "table " BYTES_FORMAT " is served",
					   BYTES_ARGS(generation));
	(void)buffer_append_text(out, " |");
	put_datum(out, "table_age", age, "s", &limits->age_seconds);
	put_datum(out, "deferred", deferred, "%", &limits->deferred_percent);
	put_datum(out, "sessions", sessions, "%", &limits->sessions_percent);
	(void)buffer_append_byte(out, '\n');
	buffer_free(&findings.trouble);
	return findings.state;
}

void check_fail(enum plugin_state state, const char *text, struct buffer *out)
{
	(void)buffer_append_format(out, "%s - ", plugin_word(state));
	plugin_put(bytes_of(text), out);
	(void)buffer_append_byte(out, '\n');
}
