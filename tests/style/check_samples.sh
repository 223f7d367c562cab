#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The samples work: conf/virtual compiles with conf/openrcpt.conf without an error, and what
# conf/openrcpt.conf shows commented out is really the default.

top=${OPENRCPT_SOURCE_DIR-$(dirname "$0")/../..}
rcptmap=${OPENRCPT_BUILD_DIR-$top/build}/src/rcptmap/rcptmap
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
failed=0

# Group- or world-writable ones are refused, and a checkout may be.
cp "$top/conf/openrcpt.conf" "$top/conf/virtual" "$scratch/" || exit 99
chmod 600 "$scratch/openrcpt.conf" "$scratch/virtual"

if ! "$rcptmap" compile -c "$scratch/openrcpt.conf" -o "$scratch/table" "$scratch/virtual" \
	2>"$scratch/messages"; then
	echo "conf/virtual does not compile:" >&2
	cat "$scratch/messages" >&2
	failed=1
elif ! "$rcptmap" resolve -t "$scratch/table" sales@example.com ann+lists@example.org \
	anyone@example.net >"$scratch/answers"; then
	echo "the samples' own examples are not answered:" >&2
	cat "$scratch/answers" >&2
	failed=1
fi

# Paths depend on how the build was configured.
sed 's/^#\([a-z}]\)/\1/; s/^#\(	\)/\1/' "$scratch/openrcpt.conf" >"$scratch/all.conf"
chmod 600 "$scratch/all.conf"
"$rcptmap" config -c "$scratch/all.conf" | grep -v / >"$scratch/shown" || exit 1
"$rcptmap" config -d | grep -v / >"$scratch/defaults" || exit 1
if ! diff "$scratch/defaults" "$scratch/shown" >&2; then
	echo "conf/openrcpt.conf does not show the defaults" >&2
	failed=1
fi
exit $failed
