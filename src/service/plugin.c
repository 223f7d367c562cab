/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/plugin.h"

const char *plugin_word(enum plugin_state state)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	return words[state];
}

void plugin_put(struct bytes text, struct buffer *out)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		bool fits = byte >= ' ' && byte != 0x7f && byte != '|';

		(void)buffer_append_byte(out, fits ? (char)byte : ' '); /* the caller's */
	}
}
