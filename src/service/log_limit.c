/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/log_limit.h"

#include <string.h>

/* A kind that is none, for free places and for those without one. */
enum { NO_KIND = 0 };

/* By FNV-1a, which takes one byte after the other: numbers are left out on the way. */
uint64_t log_limit_kind(const char *format, struct bytes line)
{
	struct bytes text = strcmp(format, "%s") == 0 ? line : bytes_of(format);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
	return hash == NO_KIND ? NO_KIND + 1 : hash;
}

static bool is_over(const struct log_kind *kind, int64_t now)
{
	return now - kind->began >= LOG_LIMIT_SECONDS;
}

/* A place that nobody needs any more: whoever had it may begin anew. */
static bool is_free(const struct log_kind *kind, int64_t now)
{
	return kind->kind == NO_KIND || (is_over(kind, now) && kind->left_out == 0);
}

static struct log_kind *find_place(struct log_limit *limit, uint64_t kind, int64_t now)
{
	struct log_kind *others = &limit->kinds[LOG_LIMIT_KINDS];
	struct log_kind *place = NULL;

	for (size_t i = 0; i < LOG_LIMIT_KINDS; i++) {
		if (limit->kinds[i].kind == kind)
			return &limit->kinds[i];
		if (place == NULL && is_free(&limit->kinds[i], now))
			place = &limit->kinds[i];
	}
	if (place == NULL)
		return others;
	*place = (struct log_kind){ .kind = kind, .began = now };
	return place;
}

static void leave_out(struct log_kind *kind, int severity, struct bytes line)
{
	if (kind->left_out++ > 0)
		return;
	line = bytes_first(line, sizeof(kind->sample) - 1);
	if (line.size > 0)
		memcpy(kind->sample, line.data, line.size);
	kind->sample[line.size] = '\0';
	kind->severity = severity;
}

bool log_limit_admits(struct log_limit *limit, uint64_t kind, int severity, struct bytes line,
		      int64_t now)
{
	struct log_kind *place = find_place(limit, kind, now);

	if (place->written == 0 || (is_over(place, now) && place->left_out == 0)) {
		place->began = now;
		place->written = 0;
	}
	if (place->written < LOG_LIMIT_LINES) {
		place->written++;
		return true;
	}
	leave_out(place, severity, line);
	return false;
}

bool log_limit_take(struct log_limit *limit, int64_t now, struct log_kind *out_kind)
{
	for (size_t i = 0; i <= LOG_LIMIT_KINDS; i++) {
		struct log_kind *kind = &limit->kinds[i];

		if (kind->left_out == 0 || !is_over(kind, now))
			continue;
		*out_kind = *kind;
		kind->left_out = 0;
		kind->written = 0;
		return true;
	}
	return false;
}
