# SPDX-License-Identifier: BSD-2-Clause
#
# Completion of rcptmap(1), rcptctl(8) and openrcptd(8) for bash. What can be typed is asked of the programs
# themselves: their help has commands, options and values.

# An option a line from the help on standard input, and behind a blank the name of its value.
_openrcpt_options() {
	local line name pattern='^  (-[A-Za-z]|  )(,? +(--[a-z-]+))?( [A-Z]+)?  '

	while IFS= read -r line; do
		[[ $line =~ $pattern ]] || continue
		for name in "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}"; do
			[[ $name != -* ]] || printf '%s%s\n' "$name" "${BASH_REMATCH[4]}"
		done
	done
}

# The name of the value of option $1, of the lines on standard input.
_openrcpt_value() {
	local name value

	while read -r name value; do
		[[ $name != "$1" ]] || printf '%s' "$value"
	done
}

# Propose those of the words on standard input that begin with $1; with $2 in front of each.
_openrcpt_propose() {
	local word

	while read -r word _; do
		word=${2-}$word
		[[ $word != "$1"* ]] || COMPREPLY+=("$word")
	done
}

_openrcpt_propose_files() {
	compopt -o default 2>/dev/null
}

_rcptmap_commands() {
	"$program" help 2>/dev/null | sed -n 's/^  rcptmap \([a-z][a-z-]*\).*/\1/p'
}

# Of all settings: group.name.
_rcptmap_settings() {
	local line group=

	"$program" config -d 2>/dev/null | while read -r line; do
		case $line in
		*' = {') group=${line%% *}. ;;
		'};') group= ;;
		[a-z]*' = '*) printf '%s\n' "$group${line%% *}" ;;
		esac
	done
}

_rcptmap_warnings() {
	echo error
	"$program" help compile 2>/dev/null | sed '1,/^warnings:/d' | tr -s ' ' '\n' |
		sed -n '/./s/^/no-/p'
}

# The domains of the table that the line names.
_rcptmap_domains() {
	local i place=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i - 1]} in
		-c | --configuration | --config) place+=(-c "${COMP_WORDS[i]/#\~/$HOME}") ;;
		-t | --table) place+=(-t "${COMP_WORDS[i]/#\~/$HOME}") ;;
		esac
	done
	"$program" domains "${place[@]}" 2>/dev/null | cut -f 1
}

# Behind an @, which is a word of its own for readline unless somebody has told it otherwise.
_rcptmap_propose_address() {
	local cur=$1

	if [[ $cur == *@* ]]; then
		_openrcpt_propose "$cur" "${cur%@*}@" < <(_rcptmap_domains)
	elif [[ $prev == @ || ${COMP_WORDS[COMP_CWORD]} == @ ]]; then
		_openrcpt_propose "$cur" < <(_rcptmap_domains)
	fi
}

_rcptmap_propose_value() {
	case $1 in
	WORD) _openrcpt_propose "$cur" < <(_rcptmap_warnings) ;;
	KEY) _rcptmap_propose_address "$cur" ;;
	DIRECTORY) compopt -o dirnames 2>/dev/null ;;
	*) _openrcpt_propose_files ;;
	esac
}

_rcptmap_propose_operand() {
	case $command in
	'') _openrcpt_propose "$cur" < <(_rcptmap_commands) && _openrcpt_propose_files ;;
	help) _openrcpt_propose "$cur" < <(_rcptmap_commands) ;;
	config) _openrcpt_propose "$cur" < <(_rcptmap_settings) ;;
	query | resolve) _rcptmap_propose_address "$cur" ;;
	compile | diff) _openrcpt_propose_files ;;
	esac
}

# The first word before the cursor that is neither an option nor the value of one of the options $1.
_openrcpt_find_word() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} != -* ]]; then
			printf '%s' "${COMP_WORDS[i]}"
			return
		elif [[ ${COMP_WORDS[i + 1]} == = ]]; then
			((i += 2))
		elif [[ " $1 " == *" ${COMP_WORDS[i]} "* ]]; then
			((i++))
		fi
	done
}

_rcptmap_find_command() {
	local word names

	names=" $(_rcptmap_commands | tr '\n' ' ')"
	word=$(_openrcpt_find_word '-c -t -o -q --configuration --table --output --query')
	[[ $names != *" $word "* ]] || printf '%s' "$word"
}

# Options of the command; before it those that all commands share.
_rcptmap_options() {
	"$program" help "${command:-verify}" 2>/dev/null | _openrcpt_options
}

# --table=FILE is three words: set $prev to the first.
_openrcpt_join() {
	[[ ${COMP_WORDS[COMP_CWORD]} != = ]] || prev=${COMP_WORDS[COMP_CWORD - 1]}
	[[ $prev != = || $COMP_CWORD -lt 2 ]] || prev=${COMP_WORDS[COMP_CWORD - 2]}
}

_rcptmap() {
	local program=${1/#\~/$HOME} cur=$2 prev=$3 command value

	COMPREPLY=()
	command=$(_rcptmap_find_command)
	_openrcpt_join
	value=$(_rcptmap_options | _openrcpt_value "$prev")
	if [[ -n $value ]]; then
		_rcptmap_propose_value "$value"
	elif [[ $cur == -* ]]; then
		_openrcpt_propose "$cur" < <(_rcptmap_options)
	else
		_rcptmap_propose_operand
	fi
}

_rcptctl_commands() {
	"$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
}

_rcptctl() {
	local program=${1/#\~/$HOME} cur=$2 prev=$3 command options value

	COMPREPLY=()
	options=$("$program" --help 2>/dev/null | _openrcpt_options)
	command=$(_openrcpt_find_word "$(sed -n 's/ .*//p' <<<"$options" | tr '\n' ' ')")
	_openrcpt_join
	value=$(_openrcpt_value "$prev" <<<"$options")
	if [[ -n $value ]]; then
		[[ $value != CONF ]] || _openrcpt_propose_files
	elif [[ $cur == -* ]]; then
		_openrcpt_propose "$cur" <<<"$options"
	elif [[ -z $command ]]; then
		_openrcpt_propose "$cur" < <(_rcptctl_commands)
	elif [[ $command == resolve ]]; then
		# The daemon doesn't tell its domains; those of the table that it is to serve.
		program=rcptmap
		_rcptmap_propose_address "$cur"
	fi
}

_openrcptd() {
	local program=${1/#\~/$HOME} cur=$2 prev=$3

	COMPREPLY=()
	if [[ -n $("$program" --help 2>/dev/null | _openrcpt_options | _openrcpt_value "$prev") ]]; then
		_openrcpt_propose_files
	else
		_openrcpt_propose "$cur" < <("$program" --help 2>/dev/null | _openrcpt_options)
	fi
}

complete -F _rcptmap rcptmap
complete -F _rcptctl rcptctl
complete -F _openrcptd openrcptd
