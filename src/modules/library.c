/* SPDX-License-Identifier: BSD-2-Clause */
#include "modules/library.h"

#include <stddef.h>
#include <sysexits.h>

enum { SAID_BYTES = 512 };

bool library_fail(int status, const char *said, const char *name, struct error *err)
{
	char text[SAID_BYTES];
	size_t size = 0;

	for (; *said != '\0' && size + 1 < sizeof(text); said++) {
		char byte = *said == '\n' || *said == '\t' ? ' ' : *said;

		if (byte != ' ' || (size > 0 && text[size - 1] != ' '))
			text[size++] = byte;
	}
	while (size > 0 && text[size - 1] == ' ')
		size--;
	text[size] = '\0';
	if (size == 0)
		return error_set(err, status, "%s gives no reason", name);
	return error_set(err, status, "%s", text);
}

bool library_needs_connection(struct error *err)
{
	return error_set(err, EX_CONFIG,
			 "connection is missing, as in connection = \"dbname=mail\"");
}
