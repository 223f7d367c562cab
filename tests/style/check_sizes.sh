#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# In src/: at most 500 lines a file, 60 a function from brace to brace, 100 columns a line; at most
# 16 rooms a folder (NAME.c and NAME.h are one), and no folder has more than 12 % of all lines.
#
#   check_sizes.sh [TOP]

top=${1-$(dirname "$0")/../..}
cd "$top" || exit 99
export LC_ALL=C

# One argument a file; the names are ours and have no blanks.
# shellcheck disable=SC2046
awk '
function complain(text) {
	print FILENAME ":" FNR ": " text
	failed = 1
}

# A character is counted at its first byte.
function columns(line,    i, width) {
	gsub(/[\200-\277]/, "", line)
	for (i = 1; i <= length(line); i++)
		width = substr(line, i, 1) == "\t" ? width + 8 - width % 8 : width + 1
	return width
}

FNR == 1 { inside = 0 }
FNR == 501 { complain("more than 500 lines") }
columns($0) > 100 { complain("more than 100 columns") }
/^\{/ { begin = FNR; inside = 1 }
/^\}/ && inside {
	inside = 0
	if (FNR - begin + 1 > 60)
		complain("a function of " FNR - begin + 1 " lines, 60 are allowed")
}

{
	folder = FILENAME
	sub(/\/[^\/]*$/, "", folder)
	lines[folder]++
}

FNR == 1 {
	room = FILENAME
	sub(/\.[a-z]*$/, "", room)
	if (!(room in seen))
		rooms[folder]++
	seen[room] = 1
}

END {
	if (NR == 0) {
		print "no source file found"
		failed = 1
	}
	for (folder in rooms) {
		if (rooms[folder] > 16) {
			print folder ": " rooms[folder] " rooms, 16 are allowed"
			failed = 1
		}
		if (lines[folder] > NR * 0.12) {
			printf "%s: %d %% of the lines, 12 %% are allowed\n", folder, lines[folder] * 100 / NR
			failed = 1
		}
	}
	exit failed
}
' $(find src -name '*.[ch]' -o -name '*.def' | sort) >&2
