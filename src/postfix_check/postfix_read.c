/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix_check/postfix_read.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

enum {
	MEMORY_BYTES = 256 * 1024 * 1024,
	OUTPUT_BYTES = 64 * 1024 * 1024,
	WORDS_MAX = 64,    /* of a command */
	MASTER_FIELDS = 8, /* of a line of master.cf, without the command's arguments */
};

#define POSTCONF      "postconf"
#define POSTCONF_PATH "/usr/sbin/" POSTCONF

/* NOLINTNEXTLINE(readability-redundant-declaration): in POSIX no header has it */
extern char **environ;

/* ---- running a program ---------------------------------------------------------------- */

static bool spawn(char *const *words, int input, int output, pid_t *out_child)
{
	posix_spawn_file_actions_t actions;
	int number;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	number = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (number == 0)
		number = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (number == 0)
		number = posix_spawnp(out_child, words[0], &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions); /* never fails */
	errno = number;
	return number == 0;
}

static bool read_back(int fd, struct buffer *out_text)
{
	ssize_t size;
	char block[8192];

	if (lseek(fd, 0, SEEK_SET) != 0)
		return false;
	while ((size = read(fd, block, sizeof(block))) > 0)
		(void)buffer_append(out_text, bytes_make(block, (size_t)size)); /* marked */
	return size == 0 && !out_text->has_failed;
}

/* Run WORDS with INPUT; append what it prints. What it complains about goes to our own standard
 * error. Files in between, so that neither side can wait for the other. */
static bool run(const char *const *words, struct bytes input, struct buffer *out_text,
		int *out_status, struct error *err)
{
	int in = memfd_create("input", MFD_CLOEXEC);
	int out = memfd_create("output", MFD_CLOEXEC);
	bool is_done = false;
	pid_t child;

	if (in < 0 || out < 0 || !file_write_all(in, input) || lseek(in, 0, SEEK_SET) != 0) {
		error_fill_errno(err, EX_OSERR, "%s", words[0]);
		goto out;
	}
	/* posix_spawnp() only reads what it takes as char *. */
	if (!spawn((char *const *)(uintptr_t)words, in, out, &child) ||
	    waitpid(child, out_status, 0) != child) {
		error_fill_errno(err, EX_UNAVAILABLE, "%s", words[0]);
		goto out;
	}
	is_done = read_back(out, out_text) ||
		  error_set(err, EX_OSERR, "%s: its output can't be read", words[0]);
out:
	if (in >= 0)
		(void)close(in); /* read by nobody any more */
	if (out >= 0)
		(void)close(out); /* likewise */
	return is_done;
}

static bool run_postconf(struct postfix *postfix, const char *const *arguments,
			 struct buffer *out_text, struct error *err)
{
	const char *words[WORDS_MAX] = { postfix->postconf };
	size_t count = 1;
	int status;

	if (postfix->directory != NULL) {
		words[count++] = "-c";
		words[count++] = postfix->directory;
	}
	while (*arguments != NULL && count < WORDS_MAX - 1)
		words[count++] = *arguments++;
	buffer_clear(out_text);
	if (!run(words, bytes_make(NULL, 0), out_text, &status, err))
		return false;
	return status == 0 || error_set(err, EX_UNAVAILABLE, "%s failed", words[0]);
}

/* ---- what postconf prints ------------------------------------------------------------- */

static bool next_line(struct bytes *rest, struct bytes *out_line)
{
	size_t size = bytes_index(*rest, '\n');

	if (rest->size == 0)
		return false;
	*out_line = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size + 1);
	return true;
}

static size_t count_lines(struct bytes text)
{
	struct bytes line;
	size_t count = 0;

	while (next_line(&text, &line))
		count++;
	return count;
}

static struct bytes trim(struct bytes text)
{
	while (text.size > 0 && text.data[0] == ' ')
		text = bytes_skip(text, 1);
	while (text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	return text;
}

/* `name = value`, or `smtp/inet/name = value` with IS_OF_SERVICE. */
static bool parse_parameter(struct postfix *postfix, struct bytes line, bool is_of_service,
			    struct postfix_parameter *out_parameter)
{
	size_t equals = bytes_index(line, '=');
	struct bytes name = trim(bytes_first(line, equals));
	struct bytes service = name;

	if (equals == line.size)
		return false;
	*out_parameter = (struct postfix_parameter){ .service = NULL };
	if (is_of_service) {
		while (service.size > 0 && service.data[service.size - 1] != '/')
			service.size--;
		if (service.size == 0)
			return false;
		name = bytes_skip(name, service.size);
		service.size--;
		out_parameter->service = arena_text(&postfix->arena, service);
		/* Without its service it would be the value of all. */
		postfix->lacks_memory |= out_parameter->service == NULL;
	}
	out_parameter->name = arena_text(&postfix->arena, name);
	out_parameter->value = arena_text(&postfix->arena, trim(bytes_skip(line, equals + 1)));
	postfix->lacks_memory |= out_parameter->name == NULL || out_parameter->value == NULL;
	return !postfix->lacks_memory;
}

static bool parse_parameters(struct postfix *postfix, struct bytes main, struct bytes master,
			     struct error *err)
{
	size_t most = count_lines(main) + count_lines(master);
	struct bytes line;

	postfix->parameters = arena_alloc(&postfix->arena, most * sizeof(*postfix->parameters));
	if (postfix->parameters == NULL)
		return error_set_memory(err);
	while (next_line(&main, &line))
		postfix->parameter_count += parse_parameter(
			postfix, line, false, &postfix->parameters[postfix->parameter_count]);
	while (next_line(&master, &line))
		postfix->parameter_count += parse_parameter(
			postfix, line, true, &postfix->parameters[postfix->parameter_count]);
	return !postfix->lacks_memory || error_set_memory(err);
}

/* Where master.cf says `-`: yes before compatibility level 1, as long as there were no levels. */
static bool is_chroot_default(const struct postfix *postfix)
{
	return strtol(postfix_value(postfix, NULL, "compatibility_level"), NULL, 10) < 1;
}

/* `smtp inet n - y - - smtpd …` */
static bool parse_service(struct postfix *postfix, struct bytes line,
			  struct postfix_service *out_service)
{
	struct bytes field[MASTER_FIELDS];
	char *name;

	for (size_t i = 0; i < MASTER_FIELDS; i++)
		if (!postfix_next_word(&line, &field[i]))
			return false;
	name = arena_alloc(&postfix->arena, field[0].size + field[1].size + 2);
	postfix->lacks_memory |= name == NULL;
	if (name == NULL)
		return false;
	(void)sprintf(name, BYTES_FORMAT "/" BYTES_FORMAT, BYTES_ARGS(field[0]),
		      BYTES_ARGS(field[1])); /* fits */
	*out_service = (struct postfix_service){
		.name = name,
		.command = arena_text(&postfix->arena, field[7]),
		.is_chrooted = bytes_equal(field[4], bytes_of("y")) ||
			       (bytes_equal(field[4], bytes_of("-")) && is_chroot_default(postfix)),
	};
	postfix->lacks_memory |= out_service->command == NULL;
	return out_service->command != NULL;
}

static bool parse_services(struct postfix *postfix, struct bytes text, struct error *err)
{
	struct bytes line;

	postfix->services =
		arena_alloc(&postfix->arena, count_lines(text) * sizeof(*postfix->services));
	if (postfix->services == NULL)
		return error_set_memory(err);
	while (next_line(&text, &line))
		postfix->service_count +=
			parse_service(postfix, line, &postfix->services[postfix->service_count]);
	return !postfix->lacks_memory || error_set_memory(err);
}

/* ---- the whole ------------------------------------------------------------------------ */

static bool read_main(struct postfix *postfix, const char *const *names, struct buffer *text,
		      struct error *err)
{
	const char *arguments[WORDS_MAX] = { "-x" };
	size_t count = 1;

	while (*names != NULL && count < WORDS_MAX - 4)
		arguments[count++] = *names++;
	if (run_postconf(postfix, arguments, text, err))
		return true;
	/* root's PATH has it, a user's often not. */
	if (err->status != EX_UNAVAILABLE || strcmp(postfix->postconf, POSTCONF) != 0)
		return false;
	postfix->postconf = POSTCONF_PATH;
	return run_postconf(postfix, arguments, text, err);
}

bool postfix_read(struct postfix *postfix, const char *postconf, const char *directory,
		  const char *const *names, struct error *err)
{
	struct buffer main;
	struct buffer master;
	bool is_read;

	*postfix = (struct postfix){
		.postconf = postconf != NULL ? postconf : POSTCONF,
		.directory = directory,
	};
	arena_init(&postfix->arena, MEMORY_BYTES);
	buffer_init(&main, OUTPUT_BYTES);
	buffer_init(&master, OUTPUT_BYTES);
	is_read = read_main(postfix, names, &main, err) &&
		  run_postconf(postfix, (const char *const[]){ "-Px", NULL }, &master, err) &&
		  parse_parameters(postfix, buffer_bytes(&main), buffer_bytes(&master), err) &&
		  run_postconf(postfix, (const char *const[]){ "-M", NULL }, &master, err) &&
		  parse_services(postfix, buffer_bytes(&master), err);
	buffer_free(&main);
	buffer_free(&master);
	return is_read;
}

void postfix_free(struct postfix *postfix)
{
	arena_free(&postfix->arena);
}

static const struct postfix_parameter *find_parameter(const struct postfix *postfix,
						      const char *service, const char *name)
{
	for (size_t i = 0; i < postfix->parameter_count; i++) {
		const struct postfix_parameter *parameter = &postfix->parameters[i];
		bool is_there = service == NULL || parameter->service == NULL
					? service == parameter->service
					: strcmp(service, parameter->service) == 0;

		if (is_there && strcmp(name, parameter->name) == 0)
			return parameter;
	}
	return NULL;
}

bool postfix_overrides(const struct postfix *postfix, const struct postfix_service *service,
		       const char *name)
{
	return service != NULL && find_parameter(postfix, service->name, name) != NULL;
}

const char *postfix_value(const struct postfix *postfix, const struct postfix_service *service,
			  const char *name)
{
	const struct postfix_parameter *found = NULL;

	if (service != NULL)
		found = find_parameter(postfix, service->name, name);
	if (found == NULL)
		found = find_parameter(postfix, NULL, name);
	return found != NULL ? found->value : "";
}

bool postfix_is_yes(const struct postfix *postfix, const struct postfix_service *service,
		    const char *name)
{
	return strcasecmp(postfix_value(postfix, service, name), "yes") == 0;
}

/* ---- look-ups ------------------------------------------------------------------------- */

/* postmap stands beside postconf, or where Postfix keeps its commands. */
static const char *postmap_path(struct postfix *postfix)
{
	const char *slash = strrchr(postfix->postconf, '/');
	struct bytes directory =
		slash != NULL ? bytes_make(postfix->postconf, (size_t)(slash - postfix->postconf))
			      : bytes_of(postfix_value(postfix, NULL, "command_directory"));
	char *path = arena_alloc(&postfix->arena, directory.size + sizeof("/postmap"));

	if (path != NULL)
		(void)sprintf(path, BYTES_FORMAT "/postmap", BYTES_ARGS(directory)); /* fits */
	return path;
}

/* Answers come in the order of the questions, without those that had none. */
static bool match_answers(struct postfix *postfix, struct bytes text, const struct bytes *keys,
			  size_t count, const char **out_values)
{
	struct bytes line;
	size_t at = 0;

	while (next_line(&text, &line)) {
		struct bytes key = bytes_first(line, bytes_index(line, '\t'));

		while (at < count && !bytes_equal(keys[at], key))
			at++;
		if (at == count)
			return true;
		out_values[at] = arena_text(&postfix->arena, bytes_skip(line, key.size + 1));
		if (out_values[at++] == NULL)
			return false;
	}
	return true;
}

bool postfix_look_up(struct postfix *postfix, struct bytes map, const struct bytes *keys,
		     size_t count, const char **out_values, struct error *err)
{
	const char *words[WORDS_MAX] = { postmap_path(postfix) };
	size_t used = 1;
	struct buffer input;
	struct buffer output;
	int status;
	bool is_done = false;

	/* What a server of Postfix would read for it, postmap reads itself. */
	if (bytes_begin_with(map, bytes_of("proxy:")))
		map = bytes_skip(map, strlen("proxy:"));
	if (postfix->directory != NULL) {
		words[used++] = "-c";
		words[used++] = postfix->directory;
	}
	words[used++] = "-q";
	words[used++] = "-";
	words[used++] = arena_text(&postfix->arena, map);
	buffer_init(&input, OUTPUT_BYTES);
	buffer_init(&output, OUTPUT_BYTES);
	for (size_t i = 0; i < count; i++) {
		out_values[i] = NULL;
		(void)buffer_append(&input, keys[i]); /* marked */
		(void)buffer_append_byte(&input, '\n');
	}
	if (words[0] == NULL || words[used - 1] == NULL || input.has_failed)
		error_fill_memory(err);
	else if (run(words, buffer_bytes(&input), &output, &status, err))
		is_done = match_answers(postfix, buffer_bytes(&output), keys, count, out_values) ||
			  error_set_memory(err);
	buffer_free(&input);
	buffer_free(&output);
	return is_done;
}

/* ---- lists ---------------------------------------------------------------------------- */

static bool is_separator(char byte)
{
	return byte == ' ' || byte == '\t' || byte == ',' || byte == '\r' || byte == '\n';
}

bool postfix_next_word(struct bytes *rest, struct bytes *out_word)
{
	size_t size = 0;
	int depth = 0;

	while (rest->size > 0 && is_separator(rest->data[0]))
		*rest = bytes_skip(*rest, 1);
	if (rest->size == 0)
		return false;
	while (size < rest->size && (depth > 0 || !is_separator(rest->data[size]))) {
		depth += rest->data[size] == '{';
		depth -= rest->data[size] == '}';
		size++;
	}
	*out_word = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size);
	return true;
}

struct bytes postfix_unbrace(struct bytes word)
{
	if (word.size >= 2 && word.data[0] == '{' && word.data[word.size - 1] == '}')
		return trim(bytes_make(word.data + 1, word.size - 2));
	return word;
}
