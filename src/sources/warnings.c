/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/warnings.h"

#include <string.h>
#include <sysexits.h>

#include "settings/nearest.h"

enum kind { PLACE, SUBJECT, STRICT };

static const struct {
	const char *name;
	enum kind kind;
} classes[WARNINGS] = {
#define WARNING(id, text, what) [WARNING_##id] = { .name = (text), .kind = (what) },
#include "sources/warnings.def"
};

const char *warning_name(enum warning warning)
{
	return classes[warning].name;
}

bool warning_is_strict(enum warning warning)
{
	return classes[warning].kind == STRICT;
}

bool warning_names_subject(enum warning warning)
{
	return classes[warning].kind == SUBJECT;
}

/* The class whose name is NAME, or the nearest to it; WARNINGS: none is near. */
static int find_class(const char *name, unsigned *out_distance)
{
	int nearest = WARNINGS;

	*out_distance = NEAREST_ENOUGH + 1;
	for (int i = 0; i < WARNINGS; i++) {
		unsigned distance = nearest_distance(name, classes[i].name);

		if (distance < *out_distance) {
			*out_distance = distance;
			nearest = i;
		}
	}
	return nearest;
}

bool warning_choose(struct warning_choice *choice, const char *word, struct error *err)
{
	static const char no[] = "no-";
	bool is_off = strncmp(word, no, sizeof(no) - 1) == 0;
	unsigned distance;
	int class = find_class(is_off ? word + sizeof(no) - 1 : word, &distance);

	if (strcmp(word, "error") == 0) {
		choice->are_errors = true;
		return true;
	}
	if (is_off && distance == 0) {
		choice->is_off[class] = true;
		return true;
	}
	if (class != WARNINGS)
		return error_set(err, EX_USAGE, "-W %s: there is no such word; did you mean %s%s?",
				 word, no, classes[class].name);
	return error_set(err, EX_USAGE, "-W %s: neither error nor no-NAME of a warning", word);
}
