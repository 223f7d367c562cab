/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/follow_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buffer.h"
#include "follow/replace_text.h"

enum { TEXT_MAX = 1 << 17, MODE = 0644, FOLDER_MODE = 0755 };

/* The numbers, by name in the file; those with a metric are told to node_exporter, too. */
static const struct number {
	const char *name;
	size_t offset;
	const char *metric;
	const char *help;
} numbers[] = {
#define NUMBER(field, metric, help)                                                                \
	{                                                                                          \
#field, offsetof(struct follow_state, field), metric, help                         \
	}
	NUMBER(looked_ms, NULL, NULL),
	NUMBER(looked, "openrcpt_watch_looked_timestamp_seconds", "when it last looked"),
	NUMBER(files, "openrcpt_watch_files", "files that are watched"),
	NUMBER(compiling_since, "openrcpt_watch_compiling_since_timestamp_seconds",
	       "when the compilation that is under way began; 0: none is"),
	NUMBER(attempts, "openrcpt_watch_compilations_total", "compilations, failed ones too"),
	NUMBER(failures, "openrcpt_watch_failures_total", "compilations that failed"),
	NUMBER(failing_since, "openrcpt_watch_failing_since_timestamp_seconds",
	       "the first failure since the last success; 0: all is well"),
	NUMBER(status, "openrcpt_watch_last_status", "exit status of the last compilation"),
	NUMBER(compiled, "openrcpt_watch_success_timestamp_seconds", "the last success"),
	NUMBER(took_ms, "openrcpt_watch_success_duration_seconds", "what the last success took"),
	NUMBER(generation, "openrcpt_table_generation", "of the table; 0: there is none"),
	NUMBER(copy_of, "openrcpt_table_copy_of_generation",
	       "the generation that was rolled back to; 0: the table was compiled"),
	NUMBER(entries, "openrcpt_table_entries", "of the table"),
	NUMBER(domains, "openrcpt_table_domains", "of the table"),
	NUMBER(size_bytes, "openrcpt_table_size_bytes", "of the table"),
	NUMBER(age_limit, "openrcpt_watch_confirmed_limit_seconds",
	       "from which age on a confirmation is old: follow_age_seconds"),
#undef NUMBER
};

enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static uint64_t get(const struct follow_state *state, const struct number *number)
{
	uint64_t value;

	memcpy(&value, (const char *)state + number->offset, sizeof(value));
	return value;
}

const struct follow_source *follow_state_oldest(const struct follow_state *state)
{
	const struct follow_source *oldest = NULL;

	for (size_t i = 0; i < state->source_count; i++)
		if (oldest == NULL || state->sources[i].confirmed < oldest->confirmed)
			oldest = &state->sources[i];
	return oldest;
}

/* ---- where it is ---------------------------------------------------------------------------- */

bool follow_state_path(const char *runtime_directory, char out_path[PATH_MAX], struct error *err)
{
	size_t size = strlen(runtime_directory);

	while (size > 1 && runtime_directory[size - 1] == '/')
		size--;
	return snprintf(out_path, PATH_MAX, "%.*s-watch/state", (int)size, runtime_directory) <
		       PATH_MAX ||
	       error_set(err, EX_CONFIG, "runtime_directory: the path is too long");
}

/* PATH with another word in place of the last one. */
static bool beside(const char *path, const char *name, char out_path[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int size = slash == NULL ? 0 : (int)(slash - path) + 1;

	return snprintf(out_path, PATH_MAX, "%.*s%s", size, path, name) < PATH_MAX;
}

/* Where it is made its mode is that, whatever the umask is: who asks for the status reads there. */
static bool make_folder(const char *path)
{
	char name[PATH_MAX];

	if (!beside(path, "", name))
		return false;
	if (mkdir(name, FOLDER_MODE) != 0)
		return errno == EEXIST;
	return chmod(name, FOLDER_MODE) == 0;
}

int follow_state_lock(const char *path, struct error *err)
{
	char name[PATH_MAX];
	int fd;

	if (!make_folder(path)) {
		error_fill_errno(err, EX_CANTCREAT, "%s: its directory", path);
		return -1;
	}
	(void)beside(path, "lock", name); /* shorter than PATH */
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, MODE);
	if (fd < 0) {
		error_fill_errno(err, EX_CANTCREAT, "%s", name);
		return -1;
	}
	(void)fchmod(fd, MODE); /* likewise */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	error_fill(err, EX_TEMPFAIL, "%s: locked: `rcptmap watch` runs already", name);
	(void)close(fd); /* nothing was written */
	return -1;
}

bool follow_state_is_locked(const char *path)
{
	char name[PATH_MAX];
	bool is_locked;
	int fd;

	if (!beside(path, "lock", name))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	is_locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd); /* and unlocks */
	return is_locked;
}

/* ---- writing ------------------------------------------------------------------------------ */

bool follow_state_write(const char *path, const struct follow_state *state, struct error *err)
{
	struct buffer text;
	bool is_done;

	buffer_init(&text, TEXT_MAX);
	/* Failures of appends are replace_text()'s to tell. */
	(void)buffer_append_format(&text, "table %s\n", state->table);
	for (size_t i = 0; i < NUMBERS; i++)
		(void)buffer_append_format(&text, "%s %" PRIu64 "\n", numbers[i].name,
					   get(state, &numbers[i]));
	for (size_t i = 0; i < state->source_count; i++) {
		const struct follow_source *source = &state->sources[i];

		(void)buffer_append_format(&text, "source %d %" PRIu64 " %" PRIu64 " %s %s\n",
					   source->is_up ? 1 : 0, source->confirmed,
					   source->away_since, source->name, source->reason);
	}
	(void)buffer_append_format(&text, "trouble %s\nend\n", state->trouble);
	is_done = replace_text(path, &text, MODE, err);
	buffer_free(&text);
	return is_done;
}

/* A label of Prometheus is UTF-8, and has three bytes that need a backslash; a name is, and has no
 * line break. */
static void put_label(struct buffer *text, const char *metric, const char *name)
{
	(void)buffer_append_format(text, "%s{source=\"", metric); /* the caller's, as all here */
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			(void)buffer_append_byte(text, '\\');
		(void)buffer_append_byte(text, *name);
	}
	(void)buffer_append_text(text, "\"} ");
}

static void put_sources(struct buffer *text, const struct follow_state *state)
{
	static const char confirmed[] = "openrcpt_watch_source_confirmed_timestamp_seconds";
	static const char up[] = "openrcpt_watch_source_up";

	if (state->source_count == 0)
		return;
	(void)buffer_append_format(text,
				   "# HELP %s when the table in use was known to say what the "
				   "database says; 0: never\n"
				   "# TYPE %s gauge\n",
				   confirmed, confirmed);
	for (size_t i = 0; i < state->source_count; i++) {
		put_label(text, confirmed, state->sources[i].name);
		(void)buffer_append_format(text, "%" PRIu64 "\n", state->sources[i].confirmed);
	}
	(void)buffer_append_format(text,
				   "# HELP %s is the server of the database there?\n"
				   "# TYPE %s gauge\n",
				   up, up);
	for (size_t i = 0; i < state->source_count; i++) {
		put_label(text, up, state->sources[i].name);
		(void)buffer_append_format(text, "%d\n", state->sources[i].is_up ? 1 : 0);
	}
}

static void put_metric(struct buffer *text, const struct number *number,
		       const struct follow_state *state)
{
	const char *name = number->metric;
	bool is_counter = strstr(name, "_total") != NULL;
	uint64_t value = get(state, number);

	(void)buffer_append_format(text, "# HELP %s %s\n# TYPE %s %s\n%s ", name, number->help,
				   name, is_counter ? "counter" : "gauge", name);
	/* Prometheus wants the unit itself. */
	if (number->offset == offsetof(struct follow_state, took_ms))
		(void)buffer_append_format(text, "%" PRIu64 ".%03u\n", value / 1000,
					   (unsigned)(value % 1000));
	else
		(void)buffer_append_format(text, "%" PRIu64 "\n", value);
}

bool follow_state_write_metrics(const char *path, const struct follow_state *state,
				struct error *err)
{
	struct buffer text;
	bool is_done;

	buffer_init(&text, TEXT_MAX);
	for (size_t i = 0; i < NUMBERS; i++)
		if (numbers[i].metric != NULL)
			put_metric(&text, &numbers[i], state);
	put_sources(&text, state);
	is_done = replace_text(path, &text, MODE, err);
	buffer_free(&text);
	return is_done;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* `1 DATE DATE NAME REASON`; what is cut is left out. */
static void take_source(struct follow_state *state, const char *text)
{
	struct follow_source *source = &state->sources[state->source_count];
	uint64_t numbers_in_front[3];
	const char *blank;
	char *rest;

	if (state->source_count == FOLLOW_SOURCES_MAX)
		return;
	for (size_t i = 0; i < 3; i++) {
		numbers_in_front[i] = strtoull(text, &rest, 10);
		if (rest == text || *rest != ' ')
			return;
		text = rest + 1;
	}
	blank = strchr(text, ' ');
	if (blank == NULL || (size_t)(blank - text) >= sizeof(source->name))
		return;
	*source = (struct follow_source){
		.is_up = numbers_in_front[0] == 1,
		.confirmed = numbers_in_front[1],
		.away_since = numbers_in_front[2],
	};
	memcpy(source->name, text, (size_t)(blank - text));
	(void)snprintf(source->reason, sizeof(source->reason), "%s", blank + 1); /* may be cut */
	state->source_count++;
}

static void take_line(struct follow_state *state, char *line, bool *out_is_end)
{
	char *value = strchr(line, ' ');

	if (value != NULL)
		*value++ = '\0';
	if (strcmp(line, "end") == 0)
		*out_is_end = true;
	if (value == NULL)
		return;
	if (strcmp(line, "table") == 0)
		(void)snprintf(state->table, sizeof(state->table), "%s", value);
	else if (strcmp(line, "trouble") == 0)
		(void)snprintf(state->trouble, sizeof(state->trouble), "%s", value);
	else if (strcmp(line, "source") == 0)
		take_source(state, value);
	for (size_t i = 0; i < NUMBERS; i++) {
		uint64_t number = strtoull(value, NULL, 10);

		if (strcmp(line, numbers[i].name) == 0)
			memcpy((char *)state + numbers[i].offset, &number, sizeof(number));
	}
}

bool follow_state_read(const char *path, struct follow_state *out_state, struct error *err)
{
	struct follow_state state = { .looked_ms = 0 };
	FILE *stream = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	bool is_end = false;

	if (stream == NULL)
		return error_set_errno(err, errno == ENOENT ? EX_NOINPUT : EX_NOPERM, "%s", path);
	while ((size = getline(&line, &room, stream)) > 0) {
		line[size - 1] = line[size - 1] == '\n' ? '\0' : line[size - 1];
		take_line(&state, line, &is_end);
	}
	free(line);
	(void)fclose(stream); /* was only read */
	if (!is_end)
		return error_set(err, EX_DATAERR, "%s: is no state of rcptmap watch", path);
	*out_state = state;
	return true;
}
