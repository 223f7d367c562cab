/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <sysexits.h>

#include "table/verify.h"

int command_verify(const struct options *options)
{
	struct error err;
	struct table *table = command_open_table(options, &err);
	bool is_sound;

	if (table == NULL)
		return command_fail(&err);
	is_sound = table_verify(table, &err);
	table_close(table);
	return is_sound ? EX_OK : command_fail(&err);
}
