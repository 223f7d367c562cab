#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# All of src and tests is formatted as .clang-format says. Known to agree: clang-format 14 and 19.
#
#   check_format.sh [TOP]

top=${1-$(dirname "$0")/../..}
cd "$top" || exit 99

if ! command -v clang-format >/dev/null; then
	echo "clang-format is missing" >&2
	exit 77
fi
# The names are ours and have no blanks; none at all is a failure, too.
find src tests -name '*.[ch]' | xargs clang-format --dry-run -Werror >&2 || exit 1
