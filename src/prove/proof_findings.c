/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/proof_findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
	KEPT_MAX = 20000, /* of a kind: far more than are printed */
	TEXT_MAX = 1024,
};

struct finding {
	size_t text; /* offset in texts */
	size_t order;
	uint32_t global_line;
	enum warning warning; /* a strict one is an error */
};

void proof_findings_init(struct proof_findings *findings)
{
	*findings = (struct proof_findings){ .uncounted = 0 };
	buffer_init(&findings->items, SIZE_MAX / 4);
	buffer_init(&findings->texts, SIZE_MAX / 4);
}

void proof_findings_free(struct proof_findings *findings)
{
	buffer_free(&findings->items);
	buffer_free(&findings->texts);
}

bool proof_findings_count_only(struct proof_findings *findings, bool is_error)
{
	bool is_full = findings->kept[is_error] >= KEPT_MAX;

	findings->uncounted += is_full;
	return is_full;
}

static void add(struct proof_findings *findings, uint32_t global_line, enum warning warning,
		const char *text)
{
	bool is_error = warning_is_strict(warning);
	size_t count = findings->items.size / sizeof(struct finding);
	const struct finding finding = {
		.text = findings->texts.size,
		.order = count,
		.global_line = global_line,
		.warning = warning,
	};

	if (proof_findings_count_only(findings, is_error))
		return;
	findings->kept[is_error]++;
	/* With the NUL behind the text. */
	if (!buffer_append(&findings->texts, bytes_make(text, strlen(text) + 1)) ||
	    !buffer_append(&findings->items, bytes_make(&finding, sizeof(finding))))
		findings->has_failed = true;
}

void proof_findings_add(struct proof_findings *findings, uint32_t global_line, enum warning warning,
			const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	va_end(arguments);
	add(findings, global_line, warning, text);
}

struct proof_findings_mark proof_findings_mark(const struct proof_findings *findings)
{
	return (struct proof_findings_mark){
		.items_bytes = findings->items.size,
		.texts_bytes = findings->texts.size,
		.kept = { findings->kept[0], findings->kept[1] },
		.uncounted = findings->uncounted,
	};
}

void proof_findings_go_back(struct proof_findings *findings, const struct proof_findings_mark *mark)
{
	findings->items.size = mark->items_bytes;
	findings->texts.size = mark->texts_bytes;
	findings->kept[0] = mark->kept[0];
	findings->kept[1] = mark->kept[1];
	findings->uncounted = mark->uncounted;
}

static struct finding *items(const struct proof_findings *findings, size_t *out_count)
{
	*out_count = findings->items.size / sizeof(struct finding);
	return (struct finding *)(void *)findings->items.data;
}

void proof_findings_merge(struct proof_findings *findings, const struct proof_findings *other)
{
	size_t count;
	const struct finding *all = items(other, &count);

	for (size_t i = 0; i < count; i++)
		add(findings, all[i].global_line, all[i].warning, other->texts.data + all[i].text);
	findings->uncounted += other->uncounted;
	findings->has_failed |= other->has_failed;
}

static int by_line(const void *left, const void *right)
{
	const struct finding *a = left;
	const struct finding *b = right;

	if (a->global_line != b->global_line)
		return a->global_line < b->global_line ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

void proof_findings_report(struct proof_findings *findings, const struct line_map *lines,
			   struct report *report, bool is_lenient)
{
	size_t count;
	struct finding *all = items(findings, &count);

	if (count > 0)
		qsort(all, count, sizeof(*all), by_line);
	for (size_t i = 0; i < count; i++) {
		const char *text = findings->texts.data + all[i].text;
		uint32_t line;
		const char *path = line_map_find(lines, all[i].global_line, &line);

		if (warning_is_strict(all[i].warning) && !is_lenient)
			report_error(report, EX_DATAERR, path, line, "%s", text);
		else
			report_warning(report, all[i].warning, path, line, "%s", text);
	}
	if (findings->uncounted > 0)
		report_warning(report, WARNING_UNCOUNTED, NULL, 0, "%zu more findings of the proof",
			       findings->uncounted);
	if (findings->has_failed)
		report_error(report, EX_OSERR, NULL, 0, "out of memory");
}
