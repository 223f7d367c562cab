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
	map->last_line = 0;
}

void line_map_free(struct line_map *map)
{
	free(map->sources);
	line_map_init(map);
}

bool line_map_add_source(struct line_map *map, const char *path)
{
	struct line_map_source *sources =
		realloc(map->sources, (map->source_count + 1) * sizeof(*sources));

	if (sources == NULL)
		return false;
	map->sources = sources;
	sources[map->source_count++] =
		(struct line_map_source){ .path = path, .first_line = map->last_line + 1 };
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

const char *line_map_find(const struct line_map *map, uint32_t global_line, uint32_t *out_line)
{
	size_t i = map->source_count;

	*out_line = 0;
	while (i > 0 && map->sources[i - 1].first_line > global_line)
		i--;
	if (i == 0)
		return NULL;
	*out_line = global_line - map->sources[i - 1].first_line;
	return map->sources[i - 1].path;
}
