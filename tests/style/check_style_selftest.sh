#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Can the style checks fail? Each is run on a copy of the tree in which one thing is broken, or on
# a program that does what ours must not, and must then fail with the right words.

here=$(cd "$(dirname "$0")" && pwd) || exit 99
top=$(cd "$here/../.." && pwd) || exit 99
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
failed=0

# expect CHECK WORDS [PROGRAM]: the check must fail with WORDS on the broken copy, or on PROGRAM.
expect() {
	if sh "$here/$1" "${3-$scratch/tree}" >"$scratch/output" 2>&1; then
		echo "$1 passes although it should say: $2" >&2
		failed=1
	elif ! grep -F -q -e "$2" "$scratch/output"; then
		echo "$1 fails, but not with: $2" >&2
		head -n 5 "$scratch/output" | sed 's/^/	/' >&2
		failed=1
	fi
}

fresh() {
	rm -rf "$scratch/tree"
	mkdir "$scratch/tree"
	(cd "$top" && cp -R .clang-format src conf doc "$scratch/tree/") || exit 99
	mkdir "$scratch/tree/tests" || exit 99
	chmod -R u+w "$scratch/tree"
	cd "$scratch/tree" || exit 99
}

include() {
	printf '#include %s\n' "$2" >>"src/$1"
}

fresh; include base/bytes.h '"mail/address.h"'
expect check_floors.sh 'base may not include mail: "mail/address.h"'
fresh; include openrcptd/main.c '"compile/compile.h"'
expect check_floors.sh 'openrcptd may not include compile'
fresh; include openrcptd/main.c '"postfix_check/postfix_check.h"'
expect check_floors.sh 'openrcptd may not include postfix_check'
fresh; include rcptmap/main.c '"openrcptd/master.h"'
expect check_floors.sh 'rcptmap may not include openrcptd'
fresh; include settings/check.h '"resolve/answer.h"'
expect check_floors.sh 'settings may include of resolve only "resolve/limits.h": "resolve/answer.h"'
fresh; include openrcptd/main.c '<libmilter/mfapi.h>'
expect check_floors.sh '<libmilter/mfapi.h> is for milter/milter.c alone'
fresh; include rcptmap/main.c '<libconfig.h>'
expect check_floors.sh '<libconfig.h> is for settings/reader.h alone'
fresh; include base/error.h '"base/bytes.h"'; include base/bytes.h '"base/error.h"'
expect check_floors.sh 'includes in a circle'
fresh; include base/error.h '"bytes.h"'
expect check_floors.sh 'should name its floor'
for folder in "$top"/src/*/; do
	folder=$(basename "$folder")
	set -- "$top/src/$folder"/*.c
	case $folder in
	rcptmap) above=openrcptd/master.h ;;
	*) above=rcptmap/command.h ;;
	esac
	fresh; include "$folder/$(basename "$1")" "\"$above\""
	expect check_floors.sh "$folder may not include ${above%%/*}: \"$above\""
done
fresh; mkdir src/attic; echo 'int attic;' >src/attic/attic.c; include attic/attic.c '<stdio.h>'
expect check_floors.sh 'the floor attic is not in the list of floors'
fresh; rm -r src/show
expect check_floors.sh 'there is no floor show'
fresh; echo 'int f(void) { return execve("x", 0, 0); }' >>src/worker/worker.c
expect check_floors.sh 'execve() is for openrcptd/reexec.c alone'
fresh; include base/error.h '"base/nowhere.h"'
expect check_floors.sh '"base/nowhere.h" is not there'

fresh; yes '/* one more line */' | head -n 500 >>src/base/error.h
expect check_sizes.sh 'more than 500 lines'
fresh; { echo 'int f(void)'; echo '{'; yes '	;' | head -n 59; echo '}'; } >>src/base/error.c
expect check_sizes.sh 'a function of 61 lines'
fresh; printf '/*%0100d*/\n' 0 >>src/base/error.c
expect check_sizes.sh 'more than 100 columns'

if clang-format --version 2>/dev/null | grep -q " 14\."; then
	fresh; printf 'int  f;\n' >>src/base/error.h
	expect check_format.sh 'src/base/error.h'
fi

fresh; for i in $(seq 17); do echo 'int more;' >"src/prove/more_$i.c"; done
expect check_sizes.sh ' rooms, 16 are allowed'
fresh; for i in $(seq 13); do yes 'int more;' | head -n 490 >"src/prove/error_$i.h"; done
expect check_sizes.sh ' % of the lines, 12 % are allowed'

fresh; sed 's/"stopping"/"stopping now"/' "$top/src/openrcptd/master_actions.c" >src/openrcptd/master_actions.c
expect check_log_table.sh 'stopping now (info): a line of the log that doc/logs.md does not have'
expect check_log_table.sh 'stopping (info): doc/logs.md has a line that nothing logs'
fresh; sed 's/SEVERITY_INFO, "stopping"/SEVERITY_ERROR, "stopping"/' \
	"$top/src/openrcptd/master_actions.c" >src/openrcptd/master_actions.c
expect check_log_table.sh 'stopping (error): a line of the log that doc/logs.md does not have'
fresh; sed '/^| `listen: /d' "$top/doc/logs.md" >doc/logs.md
expect check_log_table.sh 'listen: … (text): an error of the daemon that doc/logs.md does not have'
fresh; sed 's/": discarded"/": thrown away"/' "$top/src/message/transaction_log.c" >src/message/transaction_log.c
expect check_log_table.sh 'thrown away: a piece of a record that doc/logs.md does not have'
fresh; echo 'BOOL("new_setting", new_setting, true, RELOAD, "")' >>src/settings/settings.def
expect check_docs.sh 'new_setting: a setting without a paragraph'
expect check_docs.sh 'new_setting: a setting that is not in conf/openrcpt.conf'
fresh; sed '/^BOOL("merge_duplicates"/d' src/settings/settings.def >rest
mv rest src/settings/settings.def
expect check_docs.sh 'merge_duplicates: doc/openrcpt.conf.5 describes a setting that is not'
expect check_docs.sh 'merge_duplicates: conf/openrcpt.conf has a setting that is not'
fresh; sed 's/max_sessions, 1000/max_sessions, 1001/' src/settings/settings.def >rest
mv rest src/settings/settings.def
expect check_docs.sh 'max_sessions: doc/openrcpt.conf.5 should say: 1 to 60000, default 1001.'
fresh; sed 's/LOAD_MAPPED, "mapped"/LOAD_MAPPED, "shared"/' src/settings/settings.def >rest
mv rest src/settings/settings.def
expect check_docs.sh 'load: doc/openrcpt.conf.5 should say: .Li shared'
fresh; sed 's/^WORD("log", log, SETTINGS_LOG_SYSLOG/WORD("log", log, SETTINGS_LOG_STDERR/' \
	src/settings/settings.def >rest
mv rest src/settings/settings.def
expect check_docs.sh 'log: doc/openrcpt.conf.5 should say: Default: .Li stderr .'
fresh; printf '\t{ "frobnicate", "c", 0, 0, command_frobnicate,\n' >>src/rcptmap/main.c
expect check_docs.sh 'frobnicate: a subcommand without a paragraph'
fresh; printf '\t{ "check-sendmail", "c", 0, 0, command_check_sendmail,\n' >>src/rcptmap/main.c
expect check_docs.sh 'check-sendmail: a subcommand without a paragraph'
fresh; sed '/^\t{ "info",/d' src/rcptmap/main.c >rest
mv rest src/rcptmap/main.c
expect check_docs.sh 'info: doc/rcptmap.1 describes a subcommand that does not exist'
fresh; sed '/^\t{ "check-postfix",/d' src/rcptmap/main.c >rest
mv rest src/rcptmap/main.c
expect check_docs.sh 'check-postfix: doc/rcptmap.1 describes a subcommand that does not exist'
fresh; sed '/^\.It Fl -no-sync/d' doc/rcptmap.1 >rest
mv rest doc/rcptmap.1
expect check_docs.sh 'no-sync: an option that'
fresh; printf "\t{ \"frob\", no_argument, NULL, 'y' },\n" >>src/rcptmap/options.c
expect check_docs.sh 'frob: an option that'
fresh; sed 's/\.name = "aliases"/.name = "nicknames"/' src/sources/source_aliases.c >rest
mv rest src/sources/source_aliases.c
expect check_docs.sh 'nicknames: a type of source without a paragraph'
expect check_docs.sh 'aliases: doc/openrcpt-table.5 describes a type of source that does not exist'
if command -v mandoc >/dev/null; then
	fresh; echo '.Zz no such macro' >>doc/rcptmap.1
	expect check_docs.sh 'rcptmap.1'
fi

# compile WORD...: standard input, with the words for the compiler behind it.
compile() {
	${CC-cc} -w -x c - -x none "$@" 2>"$scratch/output" || { cat "$scratch/output" >&2; exit 99; }
}

program=$scratch/program
for name in system popen posix_spawn posix_spawnp execv execl execvp fexecve wordexp strcpy \
	strcat sprintf dlopen; do
	printf 'int %s();\nvoid *volatile kept = (void *)%s;\nint main(void) { return 0; }\n' \
		"$name" "$name" | compile -o "$program" || exit
	expect check_imports.sh " by $name" "$program"
done
for name in libpq.so.5 libsqlite3.so.0 libldap-2.5.so.0; do
	echo 'int kept(void) { return 0; }' |
		compile -shared -fPIC -Wl,-soname,$name -o "$scratch/library.so" || exit
	echo 'int kept(void); int main(void) { return kept(); }' |
		compile -o "$program" "$scratch/library.so" || exit
	expect check_imports.sh "asks a database by $name" "$program"
done
expect check_imports.sh 'nothing found to check: functions' "$scratch/nowhere"

exit $failed
