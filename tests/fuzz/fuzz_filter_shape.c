/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter of a Postfix table. The filter of a branch ends within its brackets, and one or two
 * attributes have the key; a refusal says why. Any name is within itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/filter_shape.h"
#include "directory/search_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): NDEBUG must not make this target blind. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_branch(const struct filter_branch *branch, struct bytes value)
{
	struct bytes part;
	int depth = 0;

	must(branch->filter[0] == '(', "a filter begins with a bracket");
	for (const char *at = branch->filter; *at != '\0'; at++) {
		depth += (*at == '(') - (*at == ')');
		must(depth > 0 || at[1] == '\0', "brackets match");
	}
	must(depth == 0, "brackets end");
	must(branch->key_count == 1 || branch->key_count == 2, "a branch has a key");
	for (size_t i = 0; i < branch->key_count; i++) {
		must(branch->keys[i].attribute.size > 0, "an attribute has it");
		must(!filter_key_cut(&branch->keys[i], value, &part) || part.size > 0,
		     "a key is not empty");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* In memory of its own size, so that reading past its end is seen. */
	char *text = malloc(size + (size == 0));
	struct bytes filter = bytes_make(text, size);
	struct filter_shape shape;
	struct arena arena;
	const char *why = NULL;
	enum filter_outcome outcome;

	must(text != NULL, "there is memory");
	memcpy(text, data, size);
	arena_init(&arena, 1 << 26);
	/* A name of C has no NUL in it, and neither has a filter. */
	if (memchr(text, '\0', size) == NULL) {
		outcome = filter_shape_find(filter, &arena, &shape, &why);
		must(outcome != FILTER_HAS_NONE || why != NULL, "a refusal says why");
		must(search_base_common(filter).size <= size, "what is common is a part");
		must(search_base_holds(filter, DIRECTORY_SCOPE_SUB, filter), "a name is in itself");
	} else {
		outcome = FILTER_HAS_NONE;
	}
	for (size_t i = 0; outcome == FILTER_HAS_SHAPE && i < shape.count; i++)
		check_branch(&shape.branches[i], filter);
	arena_free(&arena);
	free(text);
	return outcome == FILTER_HAS_SHAPE ? 0 : -1;
}
