/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix/postfix_map.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "postfix/postfix_program.h"
#include "postfix/postfix_words.h"

enum {
	FILE_BYTES = 256 * 1024 * 1024,
	NOT_FOUND = 1, /* exit status of postmap -q; of its failures, too */
};

/* Asked last, so that a map is opened where there is nothing to ask for. */
#define NOBODY "openrcpt-check.invalid"

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

/* The map itself: what a server of Postfix would read for it, postmap reads itself. */
static struct bytes without_wrapper(struct bytes map)
{
	static const char *const wrappers[] = { "proxy:", "debug:" };

	/* One around the other, too. */
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
		while (map.data != NULL && bytes_begin_with(map, bytes_of(wrappers[i])))
			map = bytes_skip(map, strlen(wrappers[i]));
	return map;
}

/* Postfix's programs end with a complaint such as `postmap: fatal: open database …`. */
static bool is_fatal(struct bytes complaint)
{
	while (complaint.size > 0 && !bytes_begin_with(complaint, bytes_of("fatal: ")))
		complaint = bytes_skip(complaint, 1);
	return complaint.size > 0;
}

/* A map that can't be asked. */
struct broken_map {
	struct keyset_entry entry; /* its name */
	const char *why;
};

/* Remember it, since postmap takes a second to say so, and the map may be in many lists. */
static bool remember_broken(struct postfix *postfix, const char *name, const char *why)
{
	struct broken_map *map = arena_alloc(&postfix->arena, sizeof(*map));

	if (map == NULL || !keyset_reserve(&postfix->broken, 1))
		return false;
	map->entry.key = bytes_of(name);
	map->why = arena_text(&postfix->arena, bytes_of(why));
	if (map->why != NULL)
		keyset_insert(&postfix->broken, &map->entry);
	return map->why != NULL;
}

/* Say why MAP, which is asked as NAME, can't be. */
static enum postfix_answer cannot_tell(struct postfix *postfix, const char *name,
				       const char *option, struct bytes complaint,
				       struct error *err)
{
	size_t program = bytes_index(complaint, ' ');

	error_fill(err, EX_UNAVAILABLE, BYTES_FORMAT,
		   BYTES_ARGS(bytes_skip(complaint, program + 1)));
	/* Not every type can be listed: that one can't is no fault of the map. */
	if (strcmp(option, "-q") != 0 || remember_broken(postfix, name, err->text))
		return POSTFIX_CANT_TELL;
	error_fill_memory(err);
	return POSTFIX_FAILED;
}

/* `postmap OPTION [-] MAP` */
static enum postfix_answer run_postmap(struct postfix *postfix, const char *option,
				       struct bytes map, struct bytes input,
				       struct program_output *output, struct error *err)
{
	const char *words[8] = { postmap_path(postfix) };
	const char *name = arena_text(&postfix->arena, without_wrapper(map));
	const struct broken_map *broken;
	struct bytes complaint;
	size_t used = 1;

	if (words[0] == NULL || name == NULL) {
		error_fill_memory(err);
		return POSTFIX_FAILED;
	}
	broken = (const struct broken_map *)keyset_find(&postfix->broken, bytes_of(name));
	if (broken != NULL) {
		error_fill(err, EX_UNAVAILABLE, "%s", broken->why);
		return POSTFIX_CANT_TELL;
	}
	if (postfix->directory != NULL) {
		words[used++] = "-c";
		words[used++] = postfix->directory;
	}
	words[used++] = option;
	if (strcmp(option, "-q") == 0)
		words[used++] = "-";
	words[used++] = name;
	if (!program_run(words, input, output, err))
		return POSTFIX_FAILED;
	complaint = program_last_complaint(output);
	/* Its status for "nothing found" is the one for its failures, too. */
	if (output->status > NOT_FOUND || (output->status == NOT_FOUND && is_fatal(complaint)))
		return cannot_tell(postfix, name, option, complaint, err);
	return POSTFIX_ANSWERED;
}

/* Answers come in the order of the questions, without those that had none. */
static bool match_answers(struct bytes text, const struct bytes *keys, size_t count,
			  struct arena *arena, const char **out_values)
{
	struct bytes line;
	size_t at = 0;

	while (postfix_next_line(&text, &line)) {
		struct bytes key = bytes_first(line, bytes_index(line, '\t'));

		while (at < count && !bytes_equal(keys[at], key))
			at++;
		if (at == count)
			return true;
		out_values[at] = arena_text(arena, bytes_skip(line, key.size + 1));
		if (out_values[at++] == NULL)
			return false;
	}
	return true;
}

enum postfix_answer postfix_look_up(struct postfix *postfix, struct bytes map,
				    const struct bytes *keys, size_t count, struct arena *arena,
				    const char **out_values, struct error *err)
{
	struct program_output output;
	struct buffer input;
	enum postfix_answer answer = POSTFIX_FAILED;

	program_output_init(&output);
	buffer_init(&input, FILE_BYTES);
	for (size_t i = 0; i < count; i++) {
		out_values[i] = NULL;
		(void)buffer_append(&input, keys[i]); /* this and all others: marked */
		(void)buffer_append_byte(&input, '\n');
	}
	(void)buffer_append_text(&input, NOBODY "\n");
	if (input.has_failed)
		error_fill_memory(err);
	else
		answer = run_postmap(postfix, "-q", map, buffer_bytes(&input), &output, err);
	if (answer == POSTFIX_ANSWERED &&
	    !match_answers(buffer_bytes(&output.text), keys, count, arena, out_values)) {
		error_fill_memory(err);
		answer = POSTFIX_FAILED;
	}
	program_output_free(&output);
	buffer_free(&input);
	return answer;
}

/* ---- all that it has ------------------------------------------------------------------ */

enum postfix_answer postfix_read_file(const char *path, struct arena *arena, struct bytes *out_text,
				      struct error *err)
{
	FILE *file = fopen(path, "re");
	struct buffer text;
	enum postfix_answer answer = POSTFIX_ANSWERED;
	char block[8192];
	size_t size;

	if (file == NULL) {
		error_fill_errno(err, EX_UNAVAILABLE, "open %s", path);
		return POSTFIX_CANT_TELL;
	}
	buffer_init(&text, FILE_BYTES);
	while ((size = fread(block, 1, sizeof(block), file)) > 0)
		(void)buffer_append(&text, bytes_make(block, size)); /* marked */
	if (ferror(file)) {
		error_fill_errno(err, EX_UNAVAILABLE, "read %s", path);
		answer = POSTFIX_CANT_TELL;
	} else if (text.has_failed || !arena_copy(arena, buffer_bytes(&text), out_text)) {
		error_fill_memory(err);
		answer = POSTFIX_FAILED;
	}
	(void)fclose(file); /* only read */
	buffer_free(&text);
	return answer;
}

static bool is_file_of_patterns(struct bytes map, struct bytes *out_path)
{
	static const char *const types[] = { "pcre:", "regexp:", "cidr:" };

	map = without_wrapper(map);
	if (map.data == NULL)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct bytes type = bytes_of(types[i]);

		if (map.size > type.size && bytes_begin_with(map, type) &&
		    map.data[type.size] == '/') {
			*out_path = bytes_skip(map, type.size);
			return true;
		}
	}
	return false;
}

enum postfix_answer postfix_list_map(struct postfix *postfix, struct bytes map, struct arena *arena,
				     struct bytes *out_text, bool *out_are_patterns,
				     struct error *err)
{
	struct program_output output;
	enum postfix_answer answer;
	struct bytes path;

	*out_are_patterns = is_file_of_patterns(map, &path);
	if (*out_are_patterns) {
		const char *name = arena_text(arena, path);

		if (name != NULL)
			return postfix_read_file(name, arena, out_text, err);
		error_fill_memory(err);
		return POSTFIX_FAILED;
	}
	program_output_init(&output);
	answer = run_postmap(postfix, "-s", map, bytes_make(NULL, 0), &output, err);
	if (answer == POSTFIX_ANSWERED &&
	    !arena_copy(arena, buffer_bytes(&output.text), out_text)) {
		error_fill_memory(err);
		answer = POSTFIX_FAILED;
	}
	program_output_free(&output);
	return answer;
}
