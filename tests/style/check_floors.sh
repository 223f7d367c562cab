#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A folder of src/ is a floor, and includes go down only; of some floors only one header may be
# included. Also: one file alone starts the program anew, each of some libraries is known to one file,
# and no chain of includes comes back to where it began.
#
#   check_floors.sh [TOP]

top=${1-$(dirname "$0")/../..}
cd "$top/src" || exit 99

# One argument a file; the names are ours and have no blanks.
# shellcheck disable=SC2046
awk '
function complain(text) {
	print FILENAME ":" FNR ": " text
	failed = 1
}

function floor_of(path) {
	return substr(path, 1, index(path, "/") - 1)
}

# Depth first; `state` is 1 on the way in, 2 when done.
function walk(file, way,    list, count, i) {
	state[file] = 1
	count = split(includes[file], list, " ")
	for (i = 1; i <= count; i++) {
		if (state[list[i]] == 1) {
			print "src/" file ": includes in a circle:" way " " file " " list[i]
			failed = 1
		} else if (!state[list[i]])
			walk(list[i], way " " file)
	}
	state[file] = 2
}

BEGIN {
	lower = " base mail table resolve "
	may["base"] = " base "
	may["mail"] = " base mail "
	may["service"] = " base service "
	may["sandbox"] = " base sandbox "
	may["postfix"] = " base postfix "
	may["table"] = " base mail table "
	may["table_write"] = " base mail table table_write "
	may["resolve"] = lower
	may["show"] = " base mail table show "
	may["settings"] = " base mail resolve settings "
	may["explain"] = lower "show explain "
	may["compare"] = lower "show settings compare "
	may["message"] = lower "service settings message "
	may["postfix_check"] = lower "service show settings postfix postfix_check "
	may["follow"] = " base mail table service settings directory mirror follow "
	may["publish"] = " base mail resolve table settings publish "
	may["sources"] = lower "settings sources "
	may["sql"] = " base sql "
	may["directory"] = " base directory "
	may["mirror"] = " base directory mirror "
	may["plan"] = lower "settings sources sql directory modules plan "
	may["database"] = lower "settings sources sql directory mirror modules plan database "
	may["changes"] = lower "follow service settings sources sql directory mirror modules plan database changes "
	may["modules"] = " base directory modules "
	may["prove"] = lower "sources prove "
	may["milter"] = lower "service settings message milter "
	may["compile"] = lower "table_write settings publish sources prove compile "
	may["confine"] = " base service sandbox settings message confine "
	may["metrics"] = lower "service message metrics "
	may["worker"] = lower "service sandbox settings message milter metrics confine worker "
	may["openrcptd"] = lower "service sandbox settings message milter metrics confine worker openrcptd "
	may["rcptmap"] = lower "show settings explain compare follow postfix_check publish sources directory mirror plan database changes compile rcptmap "
	may["rcptctl"] = lower "service show settings explain follow rcptctl "
	sole["settings resolve"] = "resolve/limits.h"
	sole["plan modules"] = "modules/module.h"
	sole["database modules"] = "modules/module.h"
	sole["changes modules"] = "modules/module.h"
	only["libmilter/mfapi.h"] = "milter/milter.c"
	only["microhttpd.h"] = "metrics/server.c"
	only["seccomp.h"] = "sandbox/filter.c"
	only["libpq-fe.h"] = "modules/postgresql.h"
	only["mysql.h"] = "modules/mysql.h"
	only["ldap.h"] = "modules/ldap.h"
	only["sqlite3.h"] = "modules/sqlite.c"
	only["libconfig.h"] = "settings/reader.h"
}

/^[ \t]*#[ \t]*include/ {
	name = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", name)
	sub(/[">].*$/, "", name)
	here = floor_of(FILENAME)
	if (!(here in may))
		complain("the floor " here " is not in the list of floors")
	if ($0 ~ /</) {
		if (name in only && FILENAME != only[name])
			complain("<" name "> is for " only[name] " alone")
		next
	}
	there = floor_of(name)
	if (there == "")
		complain("\"" name "\" should name its floor, as in \"base/bytes.h\"")
	else if (!(there in may))
		complain("\"" name "\" is on no floor")
	else if (!index(may[here], " " there " "))
		complain(here " may not include " there ": \"" name "\"")
	else if ((here " " there) in sole && name != sole[here " " there])
		complain(here " may include of " there " only \"" sole[here " " there] "\": \"" name "\"")
	if ((getline line < name) < 0)
		complain("\"" name "\" is not there")
	close(name)
	includes[FILENAME] = includes[FILENAME] " " name
}

/(^|[^a-z_])execve *\([^2]/ && FILENAME != "openrcptd/reexec.c" {
	complain("execve() is for openrcptd/reexec.c alone")
}

{ has_files[floor_of(FILENAME)] = 1 }

END {
	for (floor in may)
		if (!has_files[floor]) {
			print "tests/style/check_floors.sh: there is no floor " floor
			failed = 1
		}
	for (file in includes)
		if (!state[file])
			walk(file, "")
	if (NR == 0) {
		print "no source file found"
		failed = 1
	}
	exit failed
}
' $(find . -name '*.[ch]' -o -name '*.def' | sed 's,^\./,,' | sort) >&2
