#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# doc/logs.md has each line that can be logged, and no other: tables of four columns are the lines
# of log_line(), with their severity, and of rcptmap watch; tables of three the errors that the
# folders of the daemon make, which stand in such lines. `…` is whatever varies. Of the records of
# messages, which are put together from pieces, each piece must stand somewhere on the page.
#
#   check_log_table.sh [TOP]

top=${1-$(dirname "$0")/../..}
cd "$top" || exit 99
export LC_ALL=C

page=doc/logs.md
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
failed=0

# formats CALL DEFAULT FILE…: the texts that CALL, a pattern, is given, each with the severity before
# it, or DEFAULT where there is none. Strings are joined; what printf() puts in is `…`.
formats() {
	call=$1 default=$2
	shift 2
	cat "$@" | tr '\n\t' '  ' | awk -v call="$call" -v default_word="$default" '
	# The strings at the beginning of REST, as one.
	function text_of(rest,  text, word) {
		for (;;) {
			sub(/^ +/, "", rest)
			if (match(rest, /^"([^"\\]|\\.)*"/))
				text = text substr(rest, 2, RLENGTH - 2)
			else if (match(rest, /^PRI[du]64/))
				text = text "d"
			else if (match(rest, /^(BYTES_FORMAT|OPENRCPT_VERSION)/))
				text = text "%s"
			else
				break
			rest = substr(rest, RLENGTH + 1)
		}
		gsub(/%[-0-9.*]*[hlzj]*[a-zA-Z]/, "…", text)
		gsub(/\\"/, "\"", text)
		return text
	}
	{
		while (match($0, call)) {
			found = substr($0, RSTART, RLENGTH)
			$0 = substr($0, RSTART + RLENGTH)
			severity = default_word
			if (match(found, /SEVERITY_[A-Z]+/))
				severity = tolower(substr(found, RSTART + 9, RLENGTH - 9))
			text = text_of($0)
			if (found ~ /_errno/)
				text = text ": …"
			if (text ~ /[a-z\/]/ && severity != "debug")
				print severity "|" text
		}
	}'
}

# rows COLUMNS: the first column of the tables that have as many, without its backquotes; of four
# columns with the second before it, as formats() has it.
rows() {
	awk -F ' *[|] *' -v columns="$1" '
	/^\| `/ && NF == columns + 2 {
		text = $2
		gsub(/^`|`$/, "", text)
		print (columns == 4 ? $3 : "text") "|" text
	}' "$page"
}

# compare A B TEXT: complain with TEXT about each line of A that is not in B.
compare() {
	comm -23 "$scratch/$1" "$scratch/$2" >"$scratch/difference"
	while IFS='|' read -r severity text; do
		printf '%s (%s): %s\n' "$text" "$severity" "$3" >&2
	done <"$scratch/difference"
	[ ! -s "$scratch/difference" ] || failed=1
}

error='error_(set|fill)(_errno)?[(][^,]*,[^,]*, *'
{
	formats 'log_line[(]SEVERITY_[A-Z]+, *' none src/*/*.c
	formats 'add_text[(]&batch, [^,]*, *' 'its own' src/service/log.c
	# Who gives it a reason, too.
	formats 'say[(]' warning src/milter/gate.c | sed 's/$/: …/'
	formats '(say[(]([a-z_]* [?])?|stays as it is" *:|sizeof[(]text[)],) *' none src/follow/follow*.c |
		sed 's/|/|rcptmap: watch: /'
	formats 'sizeof[(]text[)], *' none src/follow/listeners.c |
		sed 's/|/|rcptmap: watch: …/'
} | sort -u >"$scratch/lines"
formats "$error" text src/service/*.c src/openrcptd/*.c src/worker/*.c src/confine/*.c src/sandbox/*.c src/milter/*.c src/metrics/*.c |
	sort -u >"$scratch/errors"
rows 4 | sort -u >"$scratch/page_lines"
rows 3 | sort -u >"$scratch/page_errors"

compare lines page_lines "a line of the log that $page does not have"
compare page_lines lines "$page has a line that nothing logs"
compare errors page_errors "an error of the daemon that $page does not have"
compare page_errors errors "$page has an error that nothing makes"

grep -v -e '^#' -e 'strchr' src/message/transaction_log.c | grep -o '"[^"]*[a-z][^"]*"' |
	sed 's/^"//; s/"$//; s/%[-0-9.*]*[hlzj]*[a-zA-Z]/…/g; s/^[,: ]*//; s/[ :]*$//' |
	sort -u >"$scratch/pieces"
while read -r piece; do
	if ! grep -q -F -e "$piece" "$page"; then
		echo "$piece: a piece of a record that $page does not have" >&2
		failed=1
	fi
done <"$scratch/pieces"

for list in lines errors page_lines page_errors pieces; do
	if [ ! -s "$scratch/$list" ]; then
		echo "nothing found to compare: $list" >&2
		failed=1
	fi
done
exit $failed
