/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/plan_lists.h"

/* TEXT as a list that ends with NULL, behind what is in LIST, which has room. */
static bool add_words(struct arena *arena, const char *text, const char **list, size_t *count)
{
	struct bytes rest = bytes_of(text), word;

	while (postfix_table_next_word(&rest, &word)) {
		list[*count] = arena_text(arena, word);
		if (list[*count] == NULL)
			return false;
		(*count)++;
	}
	list[*count] = NULL;
	return true;
}

static size_t count_words(const char *text)
{
	struct bytes rest = bytes_of(text), word;
	size_t count = 0;

	while (postfix_table_next_word(&rest, &word))
		count++;
	return count;
}

static bool make_list(struct arena *arena, const char *text, const char *const **out_list)
{
	const char **list = arena_alloc(arena, (count_words(text) + 1) * sizeof(*list));
	size_t count = 0;

	*out_list = list;
	return list != NULL && add_words(arena, text, list, &count);
}

bool planner_take_lists(const struct planner *planner, struct directory_query *query,
			struct planner_lists lists)
{
	struct arena *arena = &planner->plan->arena;
	const char *const texts[] = { lists.ordinary != NULL ? lists.ordinary : "maildrop",
				      lists.special != NULL ? lists.special : "",
				      lists.terminal != NULL ? lists.terminal : "",
				      lists.leaf != NULL ? lists.leaf : "" };
	const char *const **const kept[] = { &query->ordinary, &query->special, &query->terminal,
					     &query->leaf };
	size_t room = 1, count = 0;
	const char **all;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		room += count_words(texts[i]);
	all = arena_alloc(arena, room * sizeof(*all));
	if (all == NULL)
		return planner_fail_memory(planner);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!make_list(arena, texts[i], kept[i]) ||
		    !add_words(arena, texts[i], all, &count))
			return planner_fail_memory(planner);
	query->all = all;
	return true;
}
