/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build_peers - make each peer's file from a table's text, through its library alone.
 *
 *   build_peers TEXT PREFIX [PEER…]
 *
 * Reading the text isn't timed: this is the least the format costs. One line of JSON a peer.
 */
#include <stdio.h>

#include "clock.h"
#include "peer.h"

static bool is_wanted(const struct peer *peer, int count, char **names)
{
	if (peer->build == NULL)
		return false;
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], peer->name) == 0)
			return true;
	return count == 0;
}

int main(int argc, char **argv)
{
	struct text_table table;

	if (argc < 3)
		text_fail("usage", "build_peers TEXT PREFIX [PEER...]");
	table = text_read_table(argv[1]);
	for (const struct peer *const *peer = peers; *peer != NULL; peer++) {
		char path[4096];
		double cpu;
		double wall;

		if (!is_wanted(*peer, argc - 3, argv + 3))
			continue;
		(void)snprintf(path, sizeof(path), "%s.%s", argv[2], (*peer)->suffix);
		cpu = clock_thread_ns();
		wall = clock_wall_ns();
		(*peer)->build(&table, path);
		printf("{\"peer\": \"%s\", \"rows\": %zu, \"cpu_s\": %.3f, \"wall_s\": %.3f}\n",
		       (*peer)->name, table.count, (clock_thread_ns() - cpu) / 1e9,
		       (clock_wall_ns() - wall) / 1e9);
		(void)fflush(stdout); /* fails at exit again */
	}
	return 0;
}
