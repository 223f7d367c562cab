#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# All of src and tests is formatted as .clang-format says, by the version that decides: others
# differ about a cast here and a macro there.
#
#   check_format.sh [TOP]

top=${1-$(dirname "$0")/../..}
cd "$top" || exit 99
deciding=14

if ! command -v clang-format >/dev/null; then
	echo "clang-format is missing" >&2
	exit 77
fi
case $(clang-format --version) in
*" $deciding."*) ;;
*)
	echo "$(clang-format --version): version $deciding decides, nothing was looked at" >&2
	exit 0 ;;
esac
# The names are ours and have no blanks; none at all is a failure, too.
find src tests -name '*.[ch]' | xargs clang-format --dry-run -Werror >&2 || exit 1
