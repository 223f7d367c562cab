/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate - make up an alias table and lists of questions to it.
 *
 *   generate ENTRIES SEED PREFIX [QUESTIONS]
 *
 *   PREFIX.txt       the table in virtual(5) format: domains of very different sizes, each declared
 *                    by a row of its own; catch-alls, aliases of whole domains, extensions, bare
 *                    users, lists of up to 499 targets, continuation lines, mixed case
 *   PREFIX.hit       questions: keys, each as likely as any other
 *   PREFIX.zipf      keys, a few of them very often
 *   PREFIX.known     unknown users in domains of the table
 *   PREFIX.foreign   users in domains that the table doesn't know
 *   PREFIX.mixed     what a server is asked: 60 % zipf, some with an extension, 30 % known, 10 %
 *                    foreign
 *   PREFIX.single    keys with one target, which lies outside
 *   PREFIX.unknown   as .known, in domains without a catch-all
 *   PREFIX.json      counts
 *
 * The table is sound: no loop, no target in its own domains that is no key, no expansion over 1,000
 * recipients; `rcptmap compile` takes it as it is. The same numbers make the same bytes.
 */
#include "generate.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "text.h"
#include "words.h"

enum {
	ENTRIES_EACH_DOMAIN = 30,
	FLATTEN = 8, /* size of domain i is about 1 / (i + FLATTEN) */
	EXPANSION_MAX = 900,
	TARGETS_MAX = 499,
	LIST_OURS_MAX = 5, /* longer lists lead outside */
	LINE_ROOM = 64 * 1024,
	FILE_BUFFER_BYTES = 1 << 20,
};

struct made_up set;

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		text_fail("generate", "no memory");
	return memory;
}

static char *keep(const char *text, size_t size)
{
	static char *chunk;
	static size_t left;
	char *copy;

	if (left < size + 1) {
		left = (size_t)1 << 24;
		chunk = allocate(left, 1);
	}
	copy = chunk;
	memcpy(copy, text, size + 1);
	chunk += size + 1;
	left -= size + 1;
	return copy;
}

bool generate_is_taken(const char *name, size_t size, bool takes)
{
	uint64_t hash = hash_key(bytes_make(name, size), 1) | 1;
	uint64_t at = hash >> 20 & set.taken_mask;

	for (; set.taken[at] != 0; at = (at + 1) & set.taken_mask)
		if (set.taken[at] == hash)
			return true;
	if (takes)
		set.taken[at] = hash;
	return false;
}

/* ---- domains ---------------------------------------------------------------------------- */

static void name_domains(void)
{
	char name[WORDS_ROOM];
	char longer[WORDS_ROOM + 16];

	for (uint32_t i = 0; i < set.domain_count; i++) {
		size_t size = words_domain(name);
		const char *text = name;

		while (generate_is_taken(text, size, true)) {
			/* The short names run out. */
			(void)words_domain(name);
			size = (size_t)snprintf(longer, sizeof(longer), "%c%u%s",
						'a' + (int)words_below(26), words_below(100), name);
			text = longer;
		}
		set.domains[i].name = keep(text, size);
	}
}

static void swap_users(uint32_t a, uint32_t b)
{
	uint32_t users = set.domains[a].users;

	set.domains[a].users = set.domains[b].users;
	set.domains[b].users = users;
}

/* Sizes by Zipf's law that add up to the number of entries. */
static void size_domains(void)
{
	double sum = 0;
	uint32_t total = 0;

	for (uint32_t i = 0; i < set.domain_count; i++)
		sum += 1.0 / (i + FLATTEN);
	for (uint32_t i = 0; i < set.domain_count; i++) {
		double users = set.count / sum / (i + FLATTEN);

		set.domains[i].users = users < 2 ? 2 : (uint32_t)users;
		total += set.domains[i].users;
	}
	for (uint32_t i = 0; total != set.count; i = (i + 1) % set.domain_count) {
		if (total < set.count) {
			set.domains[i].users++;
			total++;
		} else if (set.domains[i].users > 2) {
			set.domains[i].users--;
			total--;
		}
	}
}

/* Mix their order, and make one small domain in 16 the alias of another: one row is all it has. */
static void arrange_domains(void)
{
	for (uint32_t i = set.domain_count - 1; i > 0; i--)
		swap_users(i, words_below(i + 1));
	for (uint32_t i = 0; i + 1 < set.domain_count; i++) {
		uint32_t heir = i + 1 + words_below(set.domain_count - i - 1);

		if (set.domains[i].users >= 20 || !words_chance(60))
			continue;
		set.domains[heir].users += set.domains[i].users - 1;
		set.domains[i].users = 1;
	}
}

/* ---- keys ------------------------------------------------------------------------------- */

static size_t make_user_key(char *room, const struct domain *domain, unsigned tries)
{
	char local[WORDS_ROOM];
	size_t size = words_local(local, domain->users < GENERATE_SMALL_DOMAIN);

	if (tries > 6)
		size += (size_t)snprintf(local + size, sizeof(local) - size, "%u",
					 words_below(100000));
	if (words_chance(3))
		(void)snprintf(local + size, sizeof(local) - size, "+%s", words_topic());
	if (words_chance(2))
		return (size_t)snprintf(room, WORDS_ROOM, "%s%u", words_topic(),
					words_below(1000000));
	return (size_t)snprintf(room, WORDS_ROOM, "%.120s@%.120s", local, domain->name);
}

static void make_keys_of(uint32_t number, struct entry *entries)
{
	struct domain *domain = &set.domains[number];
	char key[WORDS_ROOM];

	for (uint32_t i = 0; i < domain->users; i++) {
		size_t size;

		entries[i].domain = number;
		if (i == 0 && (domain->users == 1 || words_chance(150))) {
			domain->has_catch_all = true;
			set.catch_alls++;
			size = (size_t)snprintf(key, sizeof(key), "@%s", domain->name);
		} else {
			unsigned tries = 0;

			do {
				size = make_user_key(key, domain, tries++);
			} while (generate_is_taken(key, size, true));
		}
		entries[i].key = keep(key, size);
	}
}

static void make_keys(void)
{
	struct entry *entry = set.entries;

	for (uint32_t i = 0; i < set.domain_count; i++) {
		make_keys_of(i, entry);
		entry += set.domains[i].users;
	}
}

/* ---- right-hand sides ------------------------------------------------------------------- */

bool generate_is_address(const struct entry *entry)
{
	return entry->key[0] != '@' && strchr(entry->key, '@') != NULL;
}

/* An entry in front of this one, so that no loop comes about; NULL: none that fits. */
static const struct entry *older(uint32_t self, uint32_t recipients)
{
	for (int tries = 0; tries < 8 && self > 0; tries++) {
		const struct entry *entry = &set.entries[words_below(self)];

		if (generate_is_address(entry) && recipients + entry->recipients <= EXPANSION_MAX)
			return entry;
	}
	return NULL;
}

static size_t make_target(char *room, uint32_t self, uint32_t targets)
{
	struct entry *entry = &set.entries[self];
	uint32_t kind = words_below(100);
	uint32_t mailboxes = set.count / 3 + 10;
	const struct entry *ours = NULL;
	char local[WORDS_ROOM];

	entry->is_single = targets == 1;
	if (kind >= 80 && targets <= LIST_OURS_MAX)
		ours = older(self, entry->recipients + targets);
	if (ours != NULL) {
		entry->is_single = false;
		entry->recipients = (uint16_t)(entry->recipients + ours->recipients);
		return (size_t)snprintf(room, WORDS_ROOM, "%s", ours->key);
	}
	entry->recipients++;
	if (kind < 60) {
		bool is_popular = words_chance(400);
		uint64_t number = is_popular ? words_zipf(mailboxes) : words_below(mailboxes);

		return words_mailbox(room, (uint32_t)(number * UINT64_C(2654435761) % mailboxes));
	}
	(void)words_local(local, false);
	return (size_t)snprintf(room, WORDS_ROOM, "%.120s@%s", local, words_provider());
}

static uint32_t draw_targets(void)
{
	uint32_t kind = words_below(10000);

	if (kind < 8570)
		return 1;
	if (kind < 9770)
		return 2 + words_below(4);
	if (kind < 9990)
		return 6 + words_below(15);
	return (uint32_t)(21 * exp((double)words_below(1000) / 1000 * log(TARGETS_MAX / 21.0)));
}

/* The alias of a whole domain leads to a domain in front of it. */
static size_t make_domain_alias(char *room, uint32_t domain)
{
	set.targets++;
	if (domain == 0)
		return (size_t)snprintf(room, LINE_ROOM, "postmaster@hosted.example");
	return (size_t)snprintf(room, LINE_ROOM, "@%s", set.domains[words_below(domain)].name);
}

static size_t make_list(char *room, uint32_t self, size_t column)
{
	uint32_t targets = draw_targets();
	bool is_folded = targets > 5 && words_chance(500);
	size_t line_begin = 0;
	size_t size = 0;

	set.targets += targets;
	for (uint32_t i = 0; i < targets; i++) {
		if (i > 0 && is_folded && size - line_begin + column > 70) {
			size += (size_t)snprintf(room + size, LINE_ROOM - size, ",\n    ");
			line_begin = size;
			column = 4;
		} else if (i > 0) {
			size += (size_t)snprintf(room + size, LINE_ROOM - size, ", ");
		}
		size += make_target(room + size, self, targets);
	}
	return size;
}

/* As people type. */
static void print_mixed_case(FILE *file, const char *key)
{
	char before = '.';

	for (; *key != '\0'; before = *key++) {
		bool begins = before == '.' || before == '@';
		bool rises = begins && words_chance(500);

		(void)fputc(rises ? toupper((unsigned char)*key) : *key, file);
	}
}

static void write_entry(FILE *file, uint32_t number)
{
	static char line[LINE_ROOM];
	const struct entry *entry = &set.entries[number];
	const struct domain *domain = &set.domains[entry->domain];
	size_t size;

	if (number == 0 || entry->domain != entry[-1].domain)
		fprintf(file, "%s\tanything\n", domain->name);
	if (words_below(400) == 0)
		fprintf(file, words_chance(500) ? "\n" : "# customer %u\n", words_below(100000));
	if (words_chance(10))
		print_mixed_case(file, entry->key);
	else
		(void)fputs(entry->key, file);
	(void)fputc('\t', file);
	size = entry->key[0] == '@' && domain->users == 1
		       ? make_domain_alias(line, entry->domain)
		       : make_list(line, number, strlen(entry->key));
	(void)fwrite(line, 1, size, file);
	(void)fputc('\n', file);
}

/* ---- files ------------------------------------------------------------------------------ */

FILE *generate_create(const char *prefix, const char *suffix)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s.%s", prefix, suffix);
	file = fopen(path, "we");
	if (file == NULL || setvbuf(file, NULL, _IOFBF, FILE_BUFFER_BYTES) != 0)
		text_fail(path, strerror(errno));
	return file;
}

/* Also what failed in between. */
void generate_finish(FILE *file)
{
	bool has_failed = ferror(file) != 0;

	if (fclose(file) != 0 || has_failed)
		text_fail("generate", "can't write");
}

static void write_table(const char *prefix, uint64_t seed)
{
	FILE *file = generate_create(prefix, "txt");
	long size;

	fprintf(file, "# made up by generate: %u entries, seed %" PRIu64 "\n", set.count, seed);
	for (uint32_t i = 0; i < set.count; i++)
		write_entry(file, i);
	size = ftell(file);
	generate_finish(file);
	file = generate_create(prefix, "json");
	fprintf(file,
		"{\"entries\": %u, \"domains\": %u, \"rows\": %u, \"targets\": %" PRIu64
		", \"catch_alls\": %" PRIu64 ", \"bytes\": %ld, \"seed\": %" PRIu64 "}\n",
		set.count, set.domain_count, set.count + set.domain_count, set.targets,
		set.catch_alls, size, seed);
	generate_finish(file);
}

static void make_room(void)
{
	set.domain_count = set.count / ENTRIES_EACH_DOMAIN + FLATTEN;
	set.domains = allocate(set.domain_count, sizeof(*set.domains));
	set.entries = allocate(set.count, sizeof(*set.entries));
	for (set.taken_mask = 1; set.taken_mask < (uint64_t)set.count * 3;)
		set.taken_mask *= 2;
	set.taken = allocate(set.taken_mask, sizeof(*set.taken));
	set.taken_mask--;
}

int main(int argc, char **argv)
{
	uint64_t count;
	uint64_t seed;

	if (argc < 4)
		text_fail("usage", "generate ENTRIES SEED PREFIX [QUESTIONS]");
	set.count = (uint32_t)strtoul(argv[1], NULL, 10);
	seed = strtoull(argv[2], NULL, 10);
	count = argc > 4 ? strtoull(argv[4], NULL, 10) : 200000;
	if (set.count < 1000 || set.count > 100000000 || count == 0)
		text_fail(argv[1], "from 1000 to 100000000 entries, and at least one question");
	words_seed(seed);
	make_room();
	name_domains();
	size_domains();
	arrange_domains();
	make_keys();
	write_table(argv[3], seed);
	generate_questions(argv[3], count);
	return 0;
}
