/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/posix_escape.h"

#include <stddef.h>

const char *posix_escape_meaning(char c)
{
	switch (c) {
	case '<':
		return "\\b(?=\\w)";
	case '>':
		return "\\b(?<=\\w)";
	case '`':
		return "\\A";
	case '\'':
		return "\\z";
	case 'b':
		return "\\b";
	case 'B':
		return "\\B";
	case 'w':
		return "\\w";
	case 'W':
		return "\\W";
	case 's':
		return "\\s";
	case 'S':
		return "\\S";
	default:
		return NULL;
	}
}

/* Behind the bracket expression at the begin of TEXT; all of it, if it doesn't end. */
static struct bytes behind_bracket(struct bytes text)
{
	size_t at = 1;

	at += at < text.size && text.data[at] == '^';
	at += at < text.size && text.data[at] == ']';
	while (at < text.size && text.data[at] != ']') {
		char kind = text.data[at] == '[' && at + 1 < text.size ? text.data[at + 1] : '\0';

		at++;
		if (kind != ':' && kind != '.' && kind != '=')
			continue;
		for (at++;
		     at + 1 < text.size && (text.data[at] != kind || text.data[at + 1] != ']');)
			at++;
		at += 2;
	}
	return bytes_skip(text, at + 1);
}

char posix_escape_unknown(struct bytes text)
{
	while (text.size > 1) {
		char c = text.data[1];

		if (text.data[0] == '[') {
			text = behind_bracket(text);
			continue;
		}
		if (text.data[0] == '\\' && posix_escape_meaning(c) == NULL &&
		    ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0'))
			return c;
		text = bytes_skip(text, text.data[0] == '\\' ? 2 : 1);
	}
	return '\0';
}
