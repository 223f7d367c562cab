/* SPDX-License-Identifier: BSD-2-Clause */
#include "metrics/page.h"

#include <string.h>

#include "message/counters.h"

/* What is counted, in the order of counters.def. */
static const struct family {
	const char *name; /* in counters.def */
	const char *help;
} families[] = {
	{ "recipients", "Recipients, by what was answered." },
	{ "deferrals", "Recipients that were deferred, by the reason." },
	{ "messages", "Messages at their end, by what became of them." },
	{ "loads", "Tables and settings that were loaded, or could not be." },
	{ "reloads", "Reloads that were asked for." },
	{ "worker_restarts", "Workers that had to be started again." },
	{ "log_dropped", "Log lines dropped: the log daemon stalled, or many were alike." },
};

/* ---- samples -------------------------------------------------------------------------------- */

static void put_head(struct buffer *out, const char *prefix, const char *name, const char *type,
		     const char *help)
{
	/* Failures are the caller's, as all below. */
	(void)buffer_append_format(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, name, help,
				   prefix, name, type);
}

static void put_family(struct buffer *out, const struct family *family)
{
	char name[64];
	size_t size = strlen(family->name);

	memcpy(name, family->name, size);
	memcpy(name + size, "_total", sizeof("_total"));
	put_head(out, "openrcpt_", name, "counter", family->help);
	for (int i = 0; i < COUNTERS; i++) {
		const struct counter_name *row = counter_name((enum counter)i);

		if (strcmp(row->family, family->name) != 0)
			continue;
		(void)buffer_append_format(out, "openrcpt_%s", name);
		if (row->label[0] != '\0')
			(void)buffer_append_format(out, "{%s=\"%s\"}", row->label, row->value);
		(void)buffer_append_format(out, " %llu\n",
					   (unsigned long long)counter_get((enum counter)i));
	}
}

static void put_value(struct buffer *out, const char *name, const char *help, uint64_t value)
{
	put_head(out, "openrcpt_", name, "gauge", help);
	(void)buffer_append_format(out, "openrcpt_%s %llu\n", name, (unsigned long long)value);
}

/* UNIT: how many of what was counted are one of what is shown. */
static void put_histogram(struct buffer *out, enum histogram which, const char *name,
			  const char *help, double unit)
{
	struct histogram_counts counts;
	uint64_t sum = 0;

	counters_histogram(which, &counts);
	put_head(out, "openrcpt_", name, "histogram", help);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum += counts.buckets[i];
		(void)buffer_append_format(out, "openrcpt_%s_bucket{le=\"", name);
		if (i < HISTOGRAM_BUCKETS - 1)
			(void)buffer_append_format(out, "%g", (double)counts.bounds[i] / unit);
		else
			(void)buffer_append_text(out, "+Inf");
		(void)buffer_append_format(out, "\"} %llu\n", (unsigned long long)sum);
	}
	(void)buffer_append_format(out, "openrcpt_%s_sum %.9g\nopenrcpt_%s_count %llu\n", name,
				   (double)counts.sum / unit, name, (unsigned long long)sum);
}

/* ---- the page ------------------------------------------------------------------------------- */

static void put_table(struct buffer *out, uint64_t now)
{
	uint64_t created = counter_get(COUNTER_TABLE_CREATED);
	uint64_t failed = counter_get(COUNTER_LAST_FAILURE);

	put_value(out, "last_load_success", "1: the last load of table or settings worked.",
		  created != 0 && counter_get(COUNTER_LAST_LOAD_FAILED) == 0);
	put_value(out, "last_failure_timestamp_seconds",
		  "When a load of table or settings failed last; 0: never.", failed);
	put_value(out, "table_is_copy",
		  "1: the file of the table can't be had, and a copy of it is served.",
		  counter_get(COUNTER_TABLE_IS_COPY));
	if (created == 0)
		return;
	put_value(out, "table_generation", "How often this table has been compiled.",
		  counter_get(COUNTER_TABLE_GENERATION));
	put_value(out, "table_entries", "Keys of the table.", counter_get(COUNTER_TABLE_ENTRIES));
	put_value(out, "table_domains", "Domains that it declares.",
		  counter_get(COUNTER_TABLE_DOMAINS));
	put_value(out, "table_size_bytes", "Its size.", counter_get(COUNTER_TABLE_BYTES));
	put_value(out, "table_timestamp_seconds", "When it was compiled.", created);
	put_value(out, "table_age_seconds", "Since it was compiled.",
		  now > created ? now - created : 0);
}

/* The names that every dashboard knows. */
static void put_process(struct buffer *out, uint64_t began)
{
	const struct {
		const char *name;
		const char *help;
		uint64_t value;
	} rows[] = {
		{ "start_time_seconds", "When the service was started.", began },
		{ "open_fds", "Open descriptors of the worker.",
		  counter_get(COUNTER_PROCESS_DESCRIPTORS) },
		{ "max_fds", "As many may be open.", counter_get(COUNTER_PROCESS_MAX_DESCRIPTORS) },
		{ "resident_memory_bytes", "Memory of the worker.",
		  counter_get(COUNTER_PROCESS_RESIDENT_BYTES) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_head(out, "process_", rows[i].name, "gauge", rows[i].help);
		(void)buffer_append_format(out, "process_%s %llu\n", rows[i].name,
					   (unsigned long long)rows[i].value);
	}
	put_head(out, "process_", "cpu_seconds_total", "counter", "CPU time of the worker.");
	(void)buffer_append_format(out, "process_cpu_seconds_total %.3f\n",
				   (double)counter_get(COUNTER_PROCESS_CPU_MS) / 1000);
}

void metrics_page_print(uint64_t began, uint64_t now, struct buffer *out)
{
	put_head(out, "openrcpt_", "build_info", "gauge", "The version, as a label.");
	(void)buffer_append_text(out, "openrcpt_build_info{version=\"" OPENRCPT_VERSION "\"} 1\n");
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		put_family(out, &families[i]);
	put_histogram(out, HISTOGRAM_EXPANDED, "expanded_recipients",
		      "Recipients that an alias became.", 1);
	put_histogram(out, HISTOGRAM_RESOLVE, "resolve_seconds", "Time that one answer took.", 1e6);
	put_value(out, "sessions", "Sessions of the MTA.", counter_get(COUNTER_SESSIONS));
	put_value(out, "sessions_max", "As many there may be.", counter_get(COUNTER_MAX_SESSIONS));
	put_value(out, "retired_workers", "Workers that still finish their sessions.",
		  counter_get(COUNTER_RETIRED_WORKERS));
	put_value(out, "sandbox_landlock_abi",
		  "Version of Landlock in force in the worker; 0: none.",
		  counter_get(COUNTER_SANDBOX_LANDLOCK_ABI));
	put_value(out, "sandbox_seccomp", "1: the worker's system calls are limited by seccomp.",
		  counter_get(COUNTER_SANDBOX_SECCOMP));
	put_table(out, now);
	put_process(out, began);
}
