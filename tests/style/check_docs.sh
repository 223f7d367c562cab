#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The documents say what the programs do: each setting has its paragraph in openrcpt.conf(5) and
# its line in the sample configuration, and neither has one that doesn't exist; the same for the
# subcommands of rcptmap(1) and the types of sources. The pages are free of mandoc's warnings.
#
#   check_docs.sh [TOP]

top=${1-$(dirname "$0")/../..}
cd "$top" || exit 99
export LC_ALL=C

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
failed=0

# compare A B TEXT: complain with TEXT about each line of A that is not in B.
compare() {
	comm -23 "$scratch/$1" "$scratch/$2" >"$scratch/difference"
	while read -r name; do
		printf '%s: %s\n' "$name" "$3" >&2
	done <"$scratch/difference"
	[ ! -s "$scratch/difference" ] || failed=1
}

# `sources` is a list of groups, which a row of settings.def can't say.
{
	sed -n 's/^[A-Z]*("\([a-z0-9_.]*\)",.*/\1/p' src/settings/settings.def
	printf '%s\n' sources sources.type sources.path
} | sort >"$scratch/rows"
sed -n 's/^\.It Va \([a-z0-9_.]*\).*/\1/p' doc/openrcpt.conf.5 | sort >"$scratch/page"

# In the sample a setting stands at the beginning of its line, or behind a `#` without a blank.
awk '
{ sub(/^#/, "") }
/^[ \t]*\}/ || /^\);/ { group = "" }
/^[ \t]*[a-z0-9_]+ *= *[({]$/ { group = $1; sub(/=.*/, "", group); print group; group = group "."; next }
/^[a-z0-9_]+ *=/ || (group != "" && /^[ \t]+[a-z0-9_]+ *=/) {
	name = $1; sub(/=.*/, "", name); print group name; next
}
group == "sources." && /\{.*\}/ {
	while (match($0, /[a-z0-9_]+ *=/)) {
		name = substr($0, RSTART, RLENGTH); sub(/ *=/, "", name); print group name
		$0 = substr($0, RSTART + RLENGTH)
	}
}
' conf/openrcpt.conf | sed '/^limits$/d; /^postfix_maps$/d; /^unknown$/d' | sort -u >"$scratch/sample"

compare rows page "a setting without a paragraph in doc/openrcpt.conf.5"
compare page rows "doc/openrcpt.conf.5 describes a setting that is not in settings.def"
compare rows sample "a setting that is not in conf/openrcpt.conf"
compare sample rows "conf/openrcpt.conf has a setting that is not in settings.def"

# A paragraph of a number tells its range and its default, that of a word all words and the default.
awk '
function expect(name, words) {
	expected[++count] = words
	expected_of[count] = name
}

FILENAME ~ /def$/ {
	if (/^[A-Z]+\("/)
		row = ""
	row = row $0
	if ($0 !~ /\)$/ || /CHOICE\([A-Z0-9_]+, "[a-z0-9]+"\)$/)
		next
	if (row ~ /^(NUMBER|LIMIT)\(/) {
		gsub(/[(,]/, " ", row); gsub(/"/, "", row)
		split(row, part, " ")
		expect(part[2], part[5] " to " part[6] ", default " part[4] ".")
	} else if (row ~ /^WORD\(/) {
		split(row, part, /[(", ]+/)
		while (match(row, /CHOICE\([A-Z_]+, "[a-z]+"/)) {
			split(substr(row, RSTART, RLENGTH), choice, /[(", ]+/)
			expect(part[2], ".Li " choice[3] " ")
			if (choice[2] == part[4])
				expect(part[2], "Default: .Li " choice[3] " .")
			row = substr(row, RSTART + RLENGTH)
		}
	}
	row = ""
	next
}
/^\.It Va/ { name = $3 }
{ text[name] = text[name] " " $0 }
END {
	for (i = 1; i <= count; i++)
		if (!index(text[expected_of[i]] " ", expected[i])) {
			print expected_of[i] ": doc/openrcpt.conf.5 should say: " expected[i]
			failed = 1
		}
	exit failed
}
' src/settings/settings.def doc/openrcpt.conf.5 >&2 || failed=1

sed -n 's/^\t{ "\([a-z-]*\)",.*/\1/p' src/rcptmap/main.c | sort >"$scratch/commands"
sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' doc/rcptmap.1 | sort -u >"$scratch/described"
compare commands described "a subcommand without a paragraph in doc/rcptmap.1"
compare described commands "doc/rcptmap.1 describes a subcommand that does not exist"

# Below the synopsis; an option with a letter of its own may be described by that alone.
sed '1,/^\.Sh DESCRIPTION/d' doc/rcptmap.1 >"$scratch/description"
sed -n "s/^\t{ \"\([a-z-]*\)\", [a-z]*_argument, NULL, '\(.\)' },.*/\1 \2/p
	s/^\t{ \"\([a-z-]*\)\", [a-z]*_argument, NULL, LETTER_.*/\1/p" src/rcptmap/options.c |
while read -r name letter; do
	grep -q -e "Fl -$name\>" ${letter:+-e "Fl $letter\>"} "$scratch/description" || echo "$name"
done | sort >"$scratch/unknown_options"
: >"$scratch/nothing"
compare unknown_options nothing "an option that doc/rcptmap.1 does not describe"

sed -n 's/^\t\.name = "\([a-z]*\)",.*/\1/p' src/sources/source_*.c \
	src/database/source_*.c | sort >"$scratch/types"
sed -n '/^\.Ss Lines/q; s/^\.It Li \([a-z]*\)$/\1/p' doc/openrcpt-table.5 | sort >"$scratch/formats"
compare types formats "a type of source without a paragraph in doc/openrcpt-table.5"
compare formats types "doc/openrcpt-table.5 describes a type of source that does not exist"

sed -n 's/^WARNING([A-Z0-9_]*, "\([a-z0-9-]*\)".*/\1/p' src/sources/warnings.def |
	sort >"$scratch/warnings"
sed -n 's/^\.It Li \([a-z0-9-]*\)$/\1/p' doc/rcptmap.1 | sort -u >"$scratch/items"
compare warnings items "a class of warnings that doc/rcptmap.1 does not describe"

for list in rows page sample commands described types formats; do
	if [ ! -s "$scratch/$list" ]; then
		echo "nothing found to compare: $list" >&2
		failed=1
	fi
done

if command -v mandoc >/dev/null; then
	for page in doc/*.[1-8]; do
		mandoc -T lint -W warning "$page" >&2 || failed=1
	done
elif [ $failed -eq 0 ]; then
	echo "mandoc is missing" >&2
	exit 77
fi
exit $failed
