#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The daemon starts no program but itself, loads no module, asks no database and copies no string
# without a limit: it imports no function for that, and no library of a database; nor is rcptmap
# linked with one. By execve it becomes the program that is installed now (openrcptd/reexec.c;
# check_floors.sh sees to it that no other file does). A sanitizer that is linked in, as clang's is,
# hides some functions that it stands in front of; so less is seen there, but nothing wrong.
#
#   check_imports.sh [PROGRAM]

program=${1-${OPENRCPT_BUILD_DIR-$(dirname "$0")/../../build}/src/openrcptd/openrcptd}
export LC_ALL=C

for tool in nm readelf; do
	if ! command -v $tool >/dev/null; then
		echo "$tool is missing" >&2
		exit 77
	fi
done

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
failed=0

# refuse LIST NAMES TEXT: complain with TEXT about each line of LIST that is one of NAMES.
refuse() {
	grep -E -x -e "$2" "$scratch/$1" >"$scratch/found" || return 0
	while read -r name; do
		printf '%s: %s %s\n' "$program" "$3" "$name" >&2
	done <"$scratch/found"
	failed=1
}

nm -D --undefined-only "$program" | sed 's/@.*//; s/.* //' >"$scratch/functions"
readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' >"$scratch/libraries"
for list in functions libraries; do
	if [ ! -s "$scratch/$list" ]; then
		echo "$program: nothing found to check: $list" >&2
		failed=1
	fi
done

refuse functions 'posix_spawn.*|system|popen|wordexp|exec(l|le|lp|v|veat|vp|vpe)|fexecve' \
	'starts programs by'
# With a compiler that checks sizes they are called __strcpy_chk and so on.
refuse functions '(__)?(strcpy|stpcpy|strcat|sprintf|vsprintf|gets)(_chk)?' \
	'writes without a limit by'
refuse functions 'dlm?open' 'loads code by'
databases='lib(pq|mysqlclient|mariadb|odbc|sqlite3|db|lmdb|cdb|tdb|gdbm|ldap|ldap_r|lber|hiredis'
databases="$databases|memcached|mongoc)(-[0-9.]+)?\.so.*"
refuse libraries "$databases" 'asks a database by'

# The compiler asks databases, by modules that it loads where a source wants one.
compiler=$(dirname "$program")/../rcptmap/rcptmap
if [ $# -eq 0 ]; then
	readelf -d "$compiler" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' >"$scratch/libraries"
	program=$compiler
	if [ ! -s "$scratch/libraries" ]; then
		echo "$program: nothing found to check: libraries" >&2
		failed=1
	fi
	refuse libraries "$databases" 'is linked with'
fi
exit $failed
