# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of both MTAs share. They write mail of example.com to users of this host.

tests=$(dirname "$0")
sockets=/var/spool/postfix/openrcpt

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

# wait_until COMMAND…: for a minute at most.
wait_until() {
	tries=300
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "in vain: $*"
		sleep 0.2
	done
}

make_users() {
	for user in openrcpt-a openrcpt-b; do
		id $user >/dev/null 2>&1 || useradd --create-home --shell /usr/sbin/nologin $user
		rm -f /var/mail/$user
	done
}

compile() {
	cat >/etc/openrcpt/virtual <<-EOF
		example.com             alias-domain
		postmaster@example.com  openrcpt-a@localhost
		sales@example.com       openrcpt-a@localhost, openrcpt-b@localhost
	EOF
	rcptmap compile
	rcptmap verify
	openrcptd -t
}

has_systemd() {
	[ -d /run/systemd/system ]
}

# is_served SOCKET GROUP: what a daemon left behind that was killed doesn't count.
is_served() {
	[ -S "$1" ] && [ "$(stat -c %G "$1")" = "$2" ]
}

# restart_daemon SOCKET GROUP: as the package does, or where there is no systemd as its unit would.
restart_daemon() {
	if has_systemd; then
		systemctl restart openrcptd
	else
		openrcptd &
		daemon=$!
		trap 'kill $daemon' EXIT
	fi
	wait_until is_served "$1" "$2"
}

# has_mail USER TEXT
has_mail() {
	grep -q "$2" "/var/mail/$1" 2>/dev/null
}

# Both get it, and neither twice.
check_mail() {
	"$tests/send.py" --refused 550 5.1.1 nobody@example.com
	"$tests/send.py" sales@example.com
	for user in openrcpt-a openrcpt-b; do
		wait_until has_mail $user '^Subject: sales@example.com'
		[ "$(grep -c '^Subject: sales@example.com' /var/mail/$user)" -eq 1 ] || fail "$user got it twice"
	done
	"$tests/send.py" postmaster@example.com
	wait_until has_mail openrcpt-a '^Subject: postmaster@example.com'
	! has_mail openrcpt-b '^Subject: postmaster@example.com' || fail 'openrcpt-b got the mail of another one'
}
