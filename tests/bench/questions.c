/* SPDX-License-Identifier: BSD-2-Clause */
#include "generate.h"

#include <string.h>

#include "words.h"

static const struct entry *any_entry(void)
{
	return &set.entries[words_below(set.count)];
}

static const struct entry *popular_entry(void)
{
	return &set.entries[words_zipf(set.count) * UINT64_C(2654435761) % set.count];
}

static void question_hit(char *room)
{
	(void)snprintf(room, WORDS_ROOM, "%s", any_entry()->key);
}

static void question_zipf(char *room)
{
	(void)snprintf(room, WORDS_ROOM, "%s", popular_entry()->key);
}

static const struct domain *guess_user(char *room)
{
	const struct domain *domain = &set.domains[any_entry()->domain];
	size_t size = words_local(room, domain->users < GENERATE_SMALL_DOMAIN);

	(void)snprintf(room + size, WORDS_ROOM - size, "@%s", domain->name);
	return domain;
}

static void question_known(char *room)
{
	do {
		(void)guess_user(room);
	} while (generate_is_taken(room, strlen(room), false));
}

static void question_unknown(char *room)
{
	do {
	} while (guess_user(room)->has_catch_all || generate_is_taken(room, strlen(room), false));
}

static void question_foreign(char *room)
{
	size_t size = words_local(room, false);
	char domain[WORDS_ROOM];

	(void)words_domain(domain);
	if (words_chance(500))
		(void)snprintf(room + size, WORDS_ROOM - size, "@%s", words_provider());
	else
		(void)snprintf(room + size, WORDS_ROOM - size, "@%.100s.example", domain);
}

static void question_mixed(char *room)
{
	uint32_t kind = words_below(100);
	const struct entry *entry;

	if (kind >= 90) {
		question_foreign(room);
		return;
	}
	if (kind >= 60) {
		(void)guess_user(room);
		return;
	}
	do {
		entry = popular_entry();
	} while (!generate_is_address(entry));
	if (words_chance(120)) {
		const char *at = strchr(entry->key, '@');

		(void)snprintf(room, WORDS_ROOM, "%.*s+%s%s", (int)(at - entry->key), entry->key,
			       words_topic(), at);
	} else {
		(void)snprintf(room, WORDS_ROOM, "%s", entry->key);
	}
}

static void question_single(char *room)
{
	const struct entry *entry;

	do {
		entry = any_entry();
	} while (!entry->is_single || !generate_is_address(entry) ||
		 strchr(entry->key, '+') != NULL);
	(void)snprintf(room, WORDS_ROOM, "%s", entry->key);
}

static const struct {
	const char *suffix;
	void (*make)(char *room);
} questions[] = {
	{ "hit", question_hit },         { "zipf", question_zipf },   { "known", question_known },
	{ "foreign", question_foreign }, { "mixed", question_mixed }, { "single", question_single },
	{ "unknown", question_unknown },
};

void generate_questions(const char *prefix, uint64_t count)
{
	char room[WORDS_ROOM];

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		FILE *file = generate_create(prefix, questions[i].suffix);

		for (uint64_t k = 0; k < count; k++) {
			questions[i].make(room);
			fprintf(file, "%s\n", room);
		}
		generate_finish(file);
	}
}
