/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/line_map.h"

#include <stdlib.h>

void line_map_init(struct line_map *map)
{
	*map = (struct line_map){ .source_count = 0 };
}

void line_map_clear(struct line_map *map)
{
	map->source_count = 0;
	map->begun = 0;
	map->last_line = 0;
}

void line_map_free(struct line_map *map)
{
	free(map->sources);
	line_map_init(map);
}

void line_map_begin_source(struct line_map *map)
{
	map->begun++;
}

bool line_map_add_source(struct line_map *map, const char *path)
{
	struct line_map_source *sources =
		realloc(map->sources, (map->source_count + 1) * sizeof(*sources));

	if (sources == NULL)
		return false;
	map->sources = sources;
	sources[map->source_count++] = (struct line_map_source){
		.path = path,
		.first_line = map->last_line + 1,
		.source = map->begun,
	};
	return true;
}

bool line_map_add_line(struct line_map *map, uint32_t line, uint32_t *out_global_line)
{
	uint32_t first_line = map->sources[map->source_count - 1].first_line;
	uint32_t global_line = first_line + line;

	if (global_line < first_line)
		return false;
	if (map->last_line < global_line)
		map->last_line = global_line;
	*out_global_line = global_line;
	return true;
}

/* NULL: it is in none. */
static const struct line_map_source *find(const struct line_map *map, uint32_t global_line)
{
	size_t i = map->source_count;

	while (i > 0 && map->sources[i - 1].first_line > global_line)
		i--;
	return i == 0 ? NULL : &map->sources[i - 1];
}

const char *line_map_find(const struct line_map *map, uint32_t global_line, uint32_t *out_line)
{
	const struct line_map_source *source = find(map, global_line);

	*out_line = source == NULL ? 0 : global_line - source->first_line;
	return source == NULL ? NULL : source->path;
}

bool line_map_is_same_source(const struct line_map *map, uint32_t global_line, uint32_t other)
{
	const struct line_map_source *first = find(map, global_line);
	const struct line_map_source *second = find(map, other);

	return first != NULL && second != NULL && first->source == second->source;
}
