#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap watch reads a directory once, and takes what changes from what it is told."""
import pathlib
import random
import re
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from directories import SUFFIX, Slapd, dn, entry
from follow_test import FollowTest
from rcptmap_test import OK

SEED = 2026
BASE = 'ou=mail,' + SUFFIX


class Directory:
    TYPE = 'ldap'
    ACTIVE = ''

    def __init__(self, server):
        self.server = server

    def fill(self, rows):
        self.server.add(''.join(entry('n%d' % number, mail=address, maildrop=target,
                                      mailEnabled='TRUE')
                                for number, address, target, _ in rows))

    def run(self, target):
        self.server.add('dn: %s\nchangetype: modify\nreplace: maildrop\n'
                        'maildrop: %s@dest.example\n\n' % (dn('n1'), target))


class MirrorTest(FollowTest):
    def make_database(self):
        self.server = Slapd(debug='stats').start()
        self.addCleanup(self.server.stop)
        return Directory(self.server)

    def use(self, **settings):
        self.shop.write_configuration(**{
            'follow_seconds': 0, 'alias_domains': ['one.example'], 'sources': [{
                'type': 'ldap', **self.server.connection(), 'timeout_seconds': 5,
                'alias_filter': '(&(mailEnabled=TRUE)(mail=*))',
                'alias_key_attribute': 'mail', 'alias_value_attribute': 'maildrop',
                # Each key of which is one with and one without an @: two searches that are the same.
                'catch_all_filter': '(mailAlias=*)', 'catch_all_key_attribute': 'mailAlias',
                'catch_all_value_attribute': 'maildrop'}], **settings})

    def change(self, target):
        self.database.run(target)

    def readings(self):
        """How often all was asked for. Who compares wants no names of entries; who listens asks for
        single ones, and the other searches of that one have no end."""
        count = 0
        for text in self.server.log_text().split('slapd starting'):     # and numbering anew
            def operations(pattern, text=text):
                return set(re.findall(r'(conn=\d+ op=\d+) ' + pattern, text, re.MULTILINE))
            count += len(operations('SRCH base="%s" scope=2 ' % BASE)
                         & operations('SRCH attr=maildrop mail entryUUID$')
                         & operations('SEARCH RESULT '))
        return count

    def wait_until_same(self):
        """The table says what one says that is made of the server's answers alone."""
        other = self.shop.folder / 'other.table'

        def is_same():
            made = rcptmap.run('compile', '-c', self.shop.configuration, '-o', other)
            self.assertEqual(made.status, OK, made.err)
            return rcptmap.run('diff', self.shop.table, other).status == OK
        harness.wait_until(is_same, 'the table is that of the directory')

    def test_what_changes_is_not_asked_for(self):
        self.start_and_wait()
        self.assertEqual(self.readings(), 1)
        self.check_changes()
        self.wait_for_confirmation()
        self.assertEqual(self.readings(), 1)
        self.wait_until_same()

    def test_asked_to_compile_it_reads_all(self):
        self.start_and_wait()
        self.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: self.readings() == 2, 'it is read')
        self.check_changes()
        self.assertEqual(self.readings(), 2)

    def test_by_the_clock_it_reads_all(self):
        self.use(follow_seconds=1)
        self.start_and_wait()
        harness.wait_until(lambda: self.readings() > 2, 'it is read again and again')

    def test_after_an_outage_it_reads_all(self):
        self.start_and_wait()
        self.server.process.kill()
        self.server.process.wait(harness.LIMIT_S)
        self.wait_for_log('ldap:main is away: ')
        self.server.start()
        self.wait_for_log('ldap:main is back after ')
        harness.wait_until(lambda: self.readings() == 2, 'it is read')
        self.check_changes()
        self.assertEqual(self.readings(), 2)

    def test_random_changes(self):
        """Entries that come, go, are renamed, and that other searches find, or none."""
        chosen = random.Random(SEED)
        names = ['n%d' % number for number in range(3, 60)]
        self.server.add(''.join(entry(name, mail=name + '@one.example',
                                      maildrop='first@dest.example', mailEnabled='TRUE')
                                for name in names))
        self.start_and_wait()
        for _ in range(12):
            self.server.add(''.join(self.random_change(chosen, names)
                                    for _ in range(chosen.randrange(1, 12))))
            self.wait_until_same()
        self.assertEqual(self.readings(), 1)

    def random_change(self, chosen, names):
        name = chosen.choice(names)
        what = chosen.randrange(6)
        target = 'to%d@dest.example' % chosen.randrange(1000)
        if what == 0:
            names.append('m%d' % chosen.randrange(10 ** 9))
            return entry(names[-1], mail=names[-1] + '@one.example', maildrop=target,
                         mailEnabled=chosen.choice(('TRUE', 'FALSE')))
        if what == 1:
            names.remove(name)
            return 'dn: %s\nchangetype: delete\n\n' % dn(name)
        if what == 2:
            names[names.index(name)] = new = 'r%d' % chosen.randrange(10 ** 9)
            return ('dn: %s\nchangetype: modrdn\nnewrdn: cn=%s\ndeleteoldrdn: 1\n\n'
                    % (dn(name), new))
        if what == 3:
            return ('dn: %s\nchangetype: modify\nreplace: mailEnabled\nmailEnabled: %s\n\n'
                    % (dn(name), chosen.choice(('TRUE', 'FALSE'))))
        if what == 4:
            return ('dn: %s\nchangetype: modify\nreplace: mailAlias\nmailAlias: %s.example\n\n'
                    % (dn(name), name))
        return 'dn: %s\nchangetype: modify\nreplace: maildrop\nmaildrop: %s\n\n' % (dn(name), target)

    def test_a_directory_that_never_rests(self):
        """It is read once, and what changed meanwhile is known."""
        stop = threading.Event()

        def write():
            number = 0
            while not stop.is_set():
                self.server.add(''.join(
                    'dn: %s\nchangetype: modify\nreplace: maildrop\nmaildrop: w%d@dest.example\n\n'
                    % (dn('n2'), number + i) for i in range(50)))
                number += 50
        writer = threading.Thread(target=write)
        writer.start()
        try:
            self.start_and_wait()
            self.check_changes()
        finally:
            stop.set()
            writer.join()
        self.assertNotIn('was changed each of', self.log_text())
        self.wait_until_same()


if __name__ == '__main__':
    harness.main('rcptmap', 'ldap')
