#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""log = "journal", with a real journald: its own, in a mount namespace with a /run of its own."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example, bob@dest.example
gone@alias.example   discard:
loop@alias.example   pool@alias.example
pool@alias.example   loop@alias.example
'''
INSIDE = 'OPENRCPT_TEST_INSIDE'
# journald wants to see cgroups, which a chroot may not have.
OWN_RUN = '''\
if [ ! -d /sys/fs/cgroup ]; then
	mount -t sysfs sysfs /sys && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
fi
mount -t tmpfs -o mode=755 tmpfs /run &&
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal /run/lock &&
printf '[Journal]\\nForwardToSyslog=yes\\n' >/run/systemd/journald.conf.d/test.conf &&
exec "$@"
'''


class Journal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        cls.addClassCleanup(cls.syslog.close)
        cls.syslog.settimeout(harness.LIMIT_S)
        cls.syslog.bind('/run/systemd/journal/syslog')
        journald = subprocess.Popen(                # pylint: disable=consider-using-with
            [str(harness.JOURNALD)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(journald.wait)
        cls.addClassCleanup(journald.kill)
        harness.wait_until(lambda: os.path.exists('/run/systemd/journal/socket'), 'a journal')
        cls.daemon = Daemon(TABLE, {'log': 'journal', 'log_refusals': True},
                            compile_options=['--lenient'])
        cls.addClassCleanup(cls.daemon.close)
        cls.daemon.start()

    @staticmethod
    def entries():
        found = subprocess.run(
            ['journalctl', '-D', '/run/log/journal', '-o', 'json', '--no-pager', '--all',
             'SYSLOG_IDENTIFIER=openrcptd'], check=True, stdout=subprocess.PIPE)
        return [json.loads(line) for line in found.stdout.splitlines()]

    def entry(self, **fields):
        """The first one with these fields."""
        def find():
            for entry in self.entries():
                if all(entry.get(name) == value for name, value in fields.items()):
                    return entry
            return None
        return harness.wait_until(find, 'the journal has %s' % fields)

    def expect(self, entry, **fields):
        self.assertEqual({name: entry.get(name) for name in fields}, fields)

    def test_an_alias(self):
        self.daemon.message(['<ann@alias.example>'])
        entry = self.entry(OPENRCPT_ORIG_TO='<ann@alias.example>')
        self.expect(entry, OPENRCPT_TO='<ann@dest.example>,<bob@dest.example>',
                    OPENRCPT_SOURCE='virtual:2', OPENRCPT_TABLE='1', PRIORITY='6',
                    SYSLOG_FACILITY='2', _TRANSPORT='journal', SYSLOG_PID=entry['_PID'],
                    MESSAGE='%(OPENRCPT_QUEUE_ID)s: to=%(OPENRCPT_TO)s, '
                            'orig_to=%(OPENRCPT_ORIG_TO)s, source=virtual:2, table=1' % entry)

    def test_what_goes_nowhere_has_no_field_for_it(self):
        self.daemon.message(['<gone@alias.example>'])
        entry = self.entry(OPENRCPT_ORIG_TO='<gone@alias.example>')
        self.assertIn(': discarded, orig_to=', entry['MESSAGE'])
        self.assertNotIn('OPENRCPT_TO', entry)

    def test_verdicts(self):
        self.daemon.message(['<loop@alias.example>', '<nobody@alias.example>'])
        self.expect(self.entry(OPENRCPT_VERDICT='deferred'), OPENRCPT_QUEUE_ID='NOQUEUE',
                    OPENRCPT_ORIG_TO='<loop@alias.example>', OPENRCPT_REASON='alias loop',
                    PRIORITY='4')
        entry = self.entry(OPENRCPT_VERDICT='refused', OPENRCPT_ORIG_TO='<nobody@alias.example>')
        self.expect(entry, PRIORITY='6')
        self.assertNotIn('OPENRCPT_REASON', entry)

    def test_no_client_makes_a_field(self):
        self.daemon.message(['<"forged\nOPENRCPT_TO=x\n"@alias.example>'])
        harness.wait_until(lambda: any('forged' in entry['MESSAGE'] for entry in self.entries()),
                           'the line')
        for entry in self.entries():
            if 'forged' in entry['MESSAGE']:
                self.assertNotIn('OPENRCPT_TO', entry)

    def test_other_lines_have_none(self):
        entry = next(entry for entry in self.entries() if entry['MESSAGE'].endswith(' serves'))
        self.expect(entry, PRIORITY='6', SYSLOG_FACILITY='2', _TRANSPORT='journal')
        self.assertFalse([name for name in entry if name.startswith('OPENRCPT_')])

    def test_long_lines_and_many_in_one_call(self):
        """No more than the kernel queues without systemd, net.unix.max_dgram_qlen: 10."""
        table = 'alias.example domain\n' + ''.join(
            'm%d@alias.example %s\n' % (n, ', '.join('%s%d-%d@dest.example' % ('x' * 40, n, target)
                                                    for target in range(20))) for n in range(8))
        with Daemon(table, {'log': 'journal'}) as daemon:
            daemon.message(['<m%d@alias.example>' % n for n in range(8)])
            for n in range(8):
                entry = self.entry(OPENRCPT_ORIG_TO='<m%d@alias.example>' % n)
                self.assertRegex(entry['OPENRCPT_TO'], r',\.\.\.\(\+\d+\)$')
                self.expect(entry, OPENRCPT_TABLE='1', OPENRCPT_SOURCE='virtual:%d' % (n + 2))

    def test_rsyslog_has_each_line_as_ever(self):
        self.daemon.message(['<ann@alias.example>'])
        line = b''
        while b'orig_to=<ann@alias.example>' not in line:
            line = self.syslog.recv(65536)
        self.assertRegex(line.decode(), r'^<22>\w+ [ \d]\d [\d:]+ openrcptd\[\d+\]: \w+: to=<ann@')


if __name__ == '__main__':
    harness.require('root', 'openrcptd', 'rcptmap', 'journald')
    if INSIDE not in os.environ:
        os.environ[INSIDE] = '1'
        os.execvp(harness.OWN_MOUNTS[0], [*harness.OWN_MOUNTS, 'sh', '-c', OWN_RUN, 'sh',
                                          sys.executable, '-B', *sys.argv])
    harness.main()
