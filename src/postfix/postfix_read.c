/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix/postfix_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "postfix/postfix_program.h"
#include "postfix/postfix_words.h"

enum {
	MEMORY_BYTES = 1024 * 1024 * 1024, /* of a table with millions of domains */
	MASTER_FIELDS = 8, /* of a line of master.cf, without the command's arguments */
};

#define POSTCONF      "postconf"
#define POSTCONF_PATH "/usr/sbin/" POSTCONF

/* What a Postfix says of a parameter that it doesn't know, such as one of a later release. */
#define UNUSED "unused parameter: "

static bool run_postconf(struct postfix *postfix, const char *option, struct program_output *output,
			 struct error *err)
{
	const char *words[] = { postfix->postconf, "-c", postfix->directory, option, NULL };
	const char *short_words[] = { postfix->postconf, option, NULL };
	struct bytes complaint;

	if (!program_run(postfix->directory != NULL ? words : short_words, bytes_make(NULL, 0),
			 output, err))
		return false;
	complaint = program_last_complaint(output);
	return output->status == 0 || error_set(err, EX_UNAVAILABLE, "%s failed: " BYTES_FORMAT,
						postfix->postconf, BYTES_ARGS(complaint));
}

/* ---- parameters ----------------------------------------------------------------------- */

static const char *keep(struct postfix *postfix, struct bytes text)
{
	const char *kept = arena_text(&postfix->arena, text);

	postfix->lacks_memory |= kept == NULL;
	return kept != NULL ? kept : "";
}

/* `name = value`, or `smtp/inet/name = value` with IS_OF_SERVICE. */
static bool parse_parameter(struct postfix *postfix, struct bytes line, bool is_of_service,
			    struct postfix_parameter *out_parameter)
{
	size_t equals = bytes_index(line, '=');
	struct bytes name = postfix_trim(bytes_first(line, equals));
	struct bytes service = name;

	if (equals == line.size)
		return false;
	*out_parameter = (struct postfix_parameter){ .raw = "", .is_explicit = is_of_service };
	if (is_of_service) {
		while (service.size > 0 && service.data[service.size - 1] != '/')
			service.size--;
		if (service.size == 0)
			return false;
		name = bytes_skip(name, service.size);
		service.size--;
		out_parameter->service = keep(postfix, service);
	}
	out_parameter->name = keep(postfix, name);
	out_parameter->value = keep(postfix, postfix_trim(bytes_skip(line, equals + 1)));
	return true;
}

static struct postfix_parameter *find_parameter(const struct postfix *postfix, const char *service,
						const char *name)
{
	for (size_t i = 0; i < postfix->parameter_count; i++) {
		struct postfix_parameter *parameter = &postfix->parameters[i];
		bool is_there = service == NULL || parameter->service == NULL
					? service == parameter->service
					: strcmp(service, parameter->service) == 0;

		if (is_there && strcmp(name, parameter->name) == 0)
			return parameter;
	}
	return NULL;
}

static size_t count_lines(struct bytes text)
{
	struct bytes line;
	size_t count = 0;

	while (postfix_next_line(&text, &line))
		count++;
	return count;
}

/* Room for as many more as TEXT has lines. */
static bool make_room(struct postfix *postfix, struct bytes text, struct error *err)
{
	size_t most = postfix->parameter_count + count_lines(text);
	struct postfix_parameter *room = arena_alloc(&postfix->arena, (most + 1) * sizeof(*room));

	if (room == NULL)
		return error_set_memory(err);
	if (postfix->parameter_count > 0)
		memcpy(room, postfix->parameters, postfix->parameter_count * sizeof(*room));
	postfix->parameters = room;
	return true;
}

static bool add_parameters(struct postfix *postfix, struct bytes text, bool is_of_service,
			   struct error *err)
{
	struct bytes line;

	if (!make_room(postfix, text, err))
		return false;
	while (postfix_next_line(&text, &line))
		postfix->parameter_count +=
			parse_parameter(postfix, line, is_of_service,
					&postfix->parameters[postfix->parameter_count]);
	return true;
}

/* What this Postfix doesn't use, a later one might. */
static bool add_unused(struct postfix *postfix, struct bytes complaints, struct error *err)
{
	const struct bytes mark = bytes_of(UNUSED);
	struct bytes line;

	if (!make_room(postfix, complaints, err))
		return false;
	while (postfix_next_line(&complaints, &line)) {
		struct postfix_parameter *parameter =
			&postfix->parameters[postfix->parameter_count];

		while (line.size > 0 && !bytes_begin_with(line, mark))
			line = bytes_skip(line, 1);
		if (!parse_parameter(postfix, bytes_skip(line, mark.size), false, parameter))
			continue;
		parameter->is_explicit = true;
		parameter->raw = parameter->value;
		postfix->parameter_count++;
	}
	return true;
}

/* The same lines, not expanded. */
static void note_raw(struct postfix *postfix, struct bytes text, bool is_of_service,
		     bool is_explicit)
{
	struct bytes line;

	while (postfix_next_line(&text, &line)) {
		struct postfix_parameter raw;
		struct postfix_parameter *parameter;

		if (!parse_parameter(postfix, line, is_of_service, &raw))
			continue;
		parameter = find_parameter(postfix, raw.service, raw.name);
		if (parameter == NULL)
			continue;
		parameter->raw = raw.value;
		parameter->is_explicit |= is_explicit;
	}
}

static bool read_parameters(struct postfix *postfix, struct program_output *output,
			    struct error *err)
{
	struct bytes text;

	if (!run_postconf(postfix, "-x", output, err)) {
		/* root's PATH has it, a user's often not. */
		if (err->status != EX_UNAVAILABLE || strcmp(postfix->postconf, POSTCONF) != 0)
			return false;
		postfix->postconf = POSTCONF_PATH;
		if (!run_postconf(postfix, "-x", output, err))
			return false;
	}
	text = buffer_bytes(&output->text);
	if (!add_parameters(postfix, text, false, err) ||
	    !add_unused(postfix, buffer_bytes(&output->complaints), err) ||
	    !run_postconf(postfix, NULL, output, err))
		return false;
	note_raw(postfix, buffer_bytes(&output->text), false, false);
	if (!run_postconf(postfix, "-n", output, err))
		return false;
	note_raw(postfix, buffer_bytes(&output->text), false, true);
	if (!run_postconf(postfix, "-Px", output, err) ||
	    !add_parameters(postfix, buffer_bytes(&output->text), true, err) ||
	    !run_postconf(postfix, "-P", output, err))
		return false;
	note_raw(postfix, buffer_bytes(&output->text), true, true);
	return !postfix->lacks_memory || error_set_memory(err);
}

/* ---- services ------------------------------------------------------------------------- */

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
		.command = keep(postfix, field[7]),
		.is_chrooted = bytes_equal(field[4], bytes_of("y")) ||
			       (bytes_equal(field[4], bytes_of("-")) && is_chroot_default(postfix)),
	};
	return true;
}

static bool read_services(struct postfix *postfix, struct program_output *output, struct error *err)
{
	struct bytes text;
	struct bytes line;

	if (!run_postconf(postfix, "-M", output, err))
		return false;
	text = buffer_bytes(&output->text);
	postfix->services =
		arena_alloc(&postfix->arena, (count_lines(text) + 1) * sizeof(*postfix->services));
	if (postfix->services == NULL)
		return error_set_memory(err);
	while (postfix_next_line(&text, &line))
		postfix->service_count +=
			parse_service(postfix, line, &postfix->services[postfix->service_count]);
	return !postfix->lacks_memory || error_set_memory(err);
}

/* ---- the whole ------------------------------------------------------------------------ */

bool postfix_read(struct postfix *postfix, const char *postconf, const char *directory,
		  struct error *err)
{
	struct program_output output;
	bool is_read;

	*postfix = (struct postfix){
		.postconf = postconf != NULL ? postconf : POSTCONF,
		.directory = directory,
	};
	arena_init(&postfix->arena, MEMORY_BYTES);
	keyset_init(&postfix->broken, &postfix->arena, 0); /* the administrator named them */
	program_output_init(&output);
	is_read = read_parameters(postfix, &output, err) && read_services(postfix, &output, err);
	program_output_free(&output);
	return is_read;
}

void postfix_free(struct postfix *postfix)
{
	arena_free(&postfix->arena);
}

static struct postfix_parameter *find(const struct postfix *postfix,
				      const struct postfix_service *service, const char *name)
{
	struct postfix_parameter *found = NULL;

	if (service != NULL)
		found = find_parameter(postfix, service->name, name);
	return found != NULL ? found : find_parameter(postfix, NULL, name);
}

bool postfix_overrides(const struct postfix *postfix, const struct postfix_service *service,
		       const char *name)
{
	return service != NULL && find_parameter(postfix, service->name, name) != NULL;
}

bool postfix_is_explicit(const struct postfix *postfix, const char *name)
{
	const struct postfix_parameter *found = find_parameter(postfix, NULL, name);

	return found != NULL && found->is_explicit;
}

const char *postfix_value(const struct postfix *postfix, const struct postfix_service *service,
			  const char *name)
{
	const struct postfix_parameter *found = find(postfix, service, name);

	return found != NULL ? found->value : "";
}

const char *postfix_raw(const struct postfix *postfix, const struct postfix_service *service,
			const char *name)
{
	const struct postfix_parameter *found = find(postfix, service, name);

	return found != NULL ? found->raw : "";
}

void postfix_set_raw(struct postfix *postfix, const struct postfix_service *service,
		     const char *name, const char *raw)
{
	struct postfix_parameter *found = find(postfix, service, name);

	if (found != NULL)
		found->raw = raw;
}

bool postfix_is_yes(const struct postfix *postfix, const struct postfix_service *service,
		    const char *name)
{
	return strcasecmp(postfix_value(postfix, service, name), "yes") == 0;
}
