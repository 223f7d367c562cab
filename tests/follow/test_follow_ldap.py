#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a directory is heard to change, with a real slapd."""
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from directories import SUFFIX, Slapd, dn, entry
from hearing import Hearing

FILTERS = ('(&(mailEnabled=TRUE)(mail=*))', '(mailAlias=*)')
BASE = 'ou=mail,' + SUFFIX


def change(name, *lines):
    return 'dn: %s\nchangetype: modify\n%s\n\n' % (dn(name), '\n'.join(lines))


class LdapFollowTest(unittest.TestCase):
    def start(self, *arguments, **options):
        server = Slapd(*arguments, **options).start()
        self.addCleanup(server.stop)
        return server

    def hear(self, uri, *filters, base=BASE, what='ldap'):
        hearing = Hearing(what, uri, base, *(filters or FILTERS))
        self.addCleanup(hearing.close)
        self.assertEqual(hearing.quiet(), 0)    # what was there is no news
        return hearing

    def check_changes(self, server, hearing):
        for ldif in (entry('b', mail='b@one.example', mailEnabled='TRUE'),
                     entry('c', mailAlias='c@one.example'),
                     change('b', 'replace: maildrop', 'maildrop: x@dest.example'),
                     change('c', 'delete: mailAlias'),          # no more among what was asked for
                     change('c', 'add: mailAlias', 'mailAlias: d@one.example'),
                     'dn: %s\nchangetype: modrdn\nnewrdn: cn=e\ndeleteoldrdn: 1\n\n' % dn('c'),
                     'dn: %s\nchangetype: delete\n\n' % dn('e')):
            with self.subTest(ldif):
                server.add(ldif)
                hearing.until('changed')
                self.assertLessEqual(hearing.quiet(), 1)

    def test_what_is_told(self):
        server = self.start(''.join(entry('a%d' % i, mail='a%d@one.example' % i, mailEnabled='TRUE')
                                    for i in range(700)))
        hearing = self.hear(server.uri)
        self.assertEqual(hearing.doubts, [])
        self.check_changes(server, hearing)
        server.add(entry('z', mail='z@one.example') + entry('y', uid='y'))
        server.add(change('z', 'replace: maildrop', 'maildrop: x@dest.example'))
        self.assertEqual(hearing.quiet(), 0)    # others than those asked for

    def test_entries(self):
        """Who wants them is told of each, and by which search, before it is told of a change."""
        server = self.start(''.join(entry('a%d' % i, mail='a%d@one.example' % i, mailEnabled='TRUE')
                                    for i in range(700)))
        hearing = Hearing('entries', server.uri, BASE, *FILTERS)
        self.addCleanup(hearing.close)
        self.assertEqual(hearing.doubts, ['any'])
        self.assertEqual(hearing.quiet(), 0)
        away = 'dn: %s\nchangetype: modrdn\nnewrdn: cn=a2\ndeleteoldrdn: 1\nnewsuperior: %s\n\n'
        for ldif, *wanted in (
                (entry('b', mail='b@one.example', mailEnabled='TRUE', mailAlias='c@one.example'),
                 'entry 0 cn=b,%s b@one.example' % BASE, 'entry 1 cn=b,%s b@one.example' % BASE),
                (change('b', 'delete: mailAlias'), 'entry 0 cn=b,%s b@one.example' % BASE, 'gone 1'),
                (change('a1', 'replace: mailEnabled', 'mailEnabled: FALSE'), 'gone 0'),
                (change('a1', 'replace: mailEnabled', 'mailEnabled: TRUE'),
                 'entry 0 cn=a1,%s a1@one.example' % BASE),
                ('dn: %s\nchangetype: delete\n\n' % dn('a1'), 'gone 0'),
                (away % (dn('a2'), SUFFIX), 'gone 0')):
            with self.subTest(ldif):
                server.add(ldif)
                said = [line for line in hearing.until('changed') if line != 'none']
                while len(said) <= len(wanted):     # each search has a message of its own
                    said += [line for line in hearing.until('changed') if line != 'none']
                self.assertEqual(sorted(line for line in said if line != 'changed'), sorted(wanted))

    def test_one_that_copies_another(self):
        """It has no search that stays; what it says of its state is compared."""
        first = self.start(entry('a', mail='a@one.example'))
        copy = self.start(None, replication=first.copy())
        harness.wait_until(lambda: copy.tool('ldapsearch', '-b', dn('a'), may_fail=True),
                           'nothing was copied')
        hearing = self.hear(copy.uri)
        self.assertRegex(hearing.doubts[0], '^the server has no overlay syncprov, or not for us: ')
        self.check_changes(first, hearing)

    def test_a_state_that_is_not_kept(self):
        """Left from another time: it says nothing of changes."""
        server = self.start(entry('a', mail='a@one.example'), replication='')
        server.add(entry('b', mail='b@one.example'))
        with self.assertRaisesRegex(AssertionError, 'failed 78 the server tells nothing of changes'):
            self.hear(server.uri)

    def test_a_server_that_stands_still(self):
        server = self.start(entry('a', mail='a@one.example'))
        hearing = self.hear(server.uri)
        server.process.send_signal(signal.SIGSTOP)
        try:
            said = hearing.until('failed')
        finally:
            server.process.send_signal(signal.SIGCONT)
        self.assertRegex(said[-1], '^failed 75 .*: the server said nothing for 2 seconds')

    def test_a_server_that_ends(self):
        server = self.start(entry('a', mail='a@one.example', mailEnabled='TRUE'))
        for number in (signal.SIGINT, signal.SIGKILL):
            hearing = self.hear('ldapi://%2Fnowhere ' + server.uri)
            server.process.send_signal(number)
            server.process.wait(harness.LIMIT_S)
            self.assertRegex(hearing.until('failed')[-1], '^failed (69|75) ')
            with self.assertRaisesRegex(AssertionError, 'failed 69 '):
                self.hear(server.uri)
            server.start()
        hearing = self.hear(server.uri)
        server.add(change('a', 'replace: maildrop', 'maildrop: x@dest.example'))
        hearing.until('changed')


if __name__ == '__main__':
    harness.main('ldap')
