/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_list - Postfix's lists of domains: names, `!` before them, maps, and files with more.
 */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum {
	FILES_DEEP = 10,   /* a file in a file */
	NAME_LABELS = 128, /* and as many parents of a domain */
};

bool *postfix_check_flags(struct postfix_check *check, const struct postfix_domains *domains,
			  struct error *err)
{
	bool *flags = arena_alloc(&check->postfix.arena, domains->count + 1);

	if (flags == NULL)
		error_fill_memory(err);
	else
		memset(flags, 0, domains->count + 1);
	return flags;
}

bool postfix_check_find(const struct postfix_domains *domains, struct bytes name,
			size_t *out_number)
{
	const struct postfix_domain *domain;
	char folded[256];

	if (name.size > sizeof(folded))
		return false;
	for (size_t i = 0; i < name.size; i++)
		folded[i] = byte_to_lower(name.data[i]);
	domain = (const struct postfix_domain *)keyset_find(&domains->index,
							    bytes_make(folded, name.size));
	if (domain == NULL)
		return false;
	*out_number = domain->number;
	return true;
}

bool postfix_check_ask(struct postfix_check *check, const struct postfix_service *service,
		       const char *parameter, struct bytes map, const struct bytes *keys,
		       size_t count, struct arena *arena, const char **out_values,
		       bool *out_is_known, struct error *err)
{
	struct error why;
	enum postfix_answer answer =
		postfix_look_up(&check->postfix, map, keys, count, arena, out_values, &why);

	*out_is_known = answer == POSTFIX_ANSWERED;
	if (answer == POSTFIX_CANT_TELL)
		postfix_check_cannot_tell(check, service, parameter, map, why.text);
	return answer != POSTFIX_FAILED || error_set(err, why.status, "%s", why.text);
}

/* ---- one list ------------------------------------------------------------------------- */

struct list {
	struct postfix_check *check;
	const char *parameter;
	const struct postfix_domains *domains;
	enum postfix_member *members;
	bool has_subdomains; /* it is one in which a word can stand for subdomains */
	bool has_parents;    /* namely `example.com`; otherwise `.example.com` */
};

/* The first that matches decides. */
static void decide(const struct list *list, size_t number, enum postfix_member member)
{
	if (list->members[number] == POSTFIX_UNDECIDED)
		list->members[number] = member;
}

static void decide_rest(const struct list *list, enum postfix_member member)
{
	for (size_t i = 0; i < list->domains->count; i++)
		decide(list, i, member);
}

static bool ends_below(struct bytes domain, struct bytes parent)
{
	return domain.size > parent.size && domain.data[domain.size - parent.size - 1] == '.' &&
	       bytes_equal_ascii_nocase(bytes_skip(domain, domain.size - parent.size), parent);
}

static void mark_name(const struct list *list, struct bytes word, enum postfix_member member)
{
	bool has_dot = word.size > 1 && word.data[0] == '.';
	size_t number;

	if (postfix_check_find(list->domains, word, &number))
		decide(list, number, member);
	if (!list->has_subdomains || has_dot == list->has_parents)
		return;
	if (has_dot)
		word = bytes_skip(word, 1);
	for (size_t i = 0; i < list->domains->count; i++)
		if (ends_below(list->domains->names[i], word))
			decide(list, i, member);
}

/* A map is asked for the domain, and for its parents as a list has them. */
static size_t keys_of(const struct list *list, struct bytes name, struct bytes *out_keys)
{
	size_t count = 0;

	out_keys[count++] = name;
	while (list->has_subdomains && bytes_contain(name, '.') && count < NAME_LABELS) {
		name = bytes_skip(name, bytes_index(name, '.'));
		out_keys[count++] = list->has_parents ? bytes_skip(name, 1) : name;
		name = bytes_skip(name, 1);
	}
	return count;
}

static bool mark_map(const struct list *list, struct bytes map, enum postfix_member member,
		     struct error *err)
{
	struct arena *arena = &list->check->postfix.arena;
	size_t most = 1;
	size_t count = 0;
	struct bytes *keys;
	const char **values;
	size_t *owners;
	bool is_known;

	for (size_t i = 0; i < list->domains->count; i++)
		for (size_t j = 0; j <= list->domains->names[i].size; j++)
			most += j == 0 || list->domains->names[i].data[j - 1] == '.' ? 1 : 0;
	keys = arena_alloc(arena, most * sizeof(*keys));
	values = arena_alloc(arena, most * sizeof(*values));
	owners = arena_alloc(arena, most * sizeof(*owners));
	if (keys == NULL || values == NULL || owners == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < list->domains->count; i++) {
		struct bytes own[NAME_LABELS];
		size_t own_count = keys_of(list, list->domains->names[i], own);

		for (size_t j = 0; j < own_count; j++) {
			owners[count] = i;
			keys[count++] = own[j];
		}
	}
	if (!postfix_check_ask(list->check, NULL, list->parameter, map, keys, count, arena, values,
			       &is_known, err))
		return false;
	if (!is_known)
		decide_rest(list, POSTFIX_UNKNOWN);
	for (size_t i = 0; i < count && is_known; i++)
		if (values[i] != NULL)
			decide(list, owners[i], member);
	return true;
}

static bool mark_words(const struct list *list, struct bytes text, bool is_negated, int depth,
		       struct error *err);

/* Lines of words; behind a `#` is a comment. */
static bool mark_file(const struct list *list, struct bytes path, bool is_negated, int depth,
		      struct error *err)
{
	struct arena *arena = &list->check->postfix.arena;
	const char *name = arena_text(arena, path);
	enum postfix_answer answer;
	struct bytes text;
	struct bytes line;
	struct error why;

	if (name == NULL)
		return error_set_memory(err);
	answer = postfix_read_file(name, arena, &text, &why);
	if (answer == POSTFIX_FAILED)
		return error_set(err, why.status, "%s", why.text);
	if (answer == POSTFIX_CANT_TELL || depth >= FILES_DEEP) {
		postfix_check_cannot_tell(list->check, NULL, list->parameter, path,
					  answer == POSTFIX_CANT_TELL ? why.text
								      : "it names itself");
		decide_rest(list, POSTFIX_UNKNOWN);
		return true;
	}
	while (postfix_next_line(&text, &line))
		if (!mark_words(list, bytes_first(line, bytes_index(line, '#')), is_negated,
				depth + 1, err))
			return false;
	return true;
}

static bool mark_words(const struct list *list, struct bytes text, bool is_negated, int depth,
		       struct error *err)
{
	struct bytes word;

	while (postfix_next_word(&text, &word)) {
		bool is_not = is_negated;
		enum postfix_member member;

		while (word.size > 0 && word.data[0] == '!') {
			is_not = !is_not;
			word = bytes_skip(word, 1);
		}
		member = is_not ? POSTFIX_OUT : POSTFIX_IN;
		if (word.size > 0 && word.data[0] == '/') {
			if (!mark_file(list, word, is_not, depth, err))
				return false;
		} else if (postfix_is_map(word)) {
			if (!mark_map(list, word, member, err))
				return false;
		} else {
			mark_name(list, word, member);
		}
	}
	return true;
}

enum postfix_member *postfix_check_members(struct postfix_check *check, const char *parameter,
					   const struct postfix_domains *domains, struct error *err)
{
	const struct postfix *postfix = &check->postfix;
	struct bytes with_parents =
		bytes_of(postfix_value(postfix, NULL, "parent_domain_matches_subdomains"));
	/* The other classes are lists of plain names, whatever they look like. */
	struct list list = {
		.check = check,
		.parameter = parameter,
		.domains = domains,
		.members = arena_alloc(&check->postfix.arena,
				       (domains->count + 1) * sizeof(*list.members)),
		.has_subdomains = strcmp(parameter, "relay_domains") == 0,
		.has_parents = postfix_has_word(with_parents, parameter),
	};

	if (list.members == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	for (size_t i = 0; i < domains->count; i++)
		list.members[i] = POSTFIX_UNDECIDED;
	if (domains->count > 0 &&
	    !mark_words(&list, bytes_of(postfix_value(postfix, NULL, parameter)), false, 0, err))
		return NULL;
	decide_rest(&list, POSTFIX_OUT);
	return list.members;
}
