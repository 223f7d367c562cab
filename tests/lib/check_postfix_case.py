# SPDX-License-Identifier: BSD-2-Clause
"""A Postfix configuration that is as the guide has it, for tests to break; and a daemon beside it.

The configurations are read by the real postconf(1) and postmap(1); no Postfix is started. What
check-postfix prints is carried out, until there is nothing to say any more.
"""
import os
import subprocess
import sys
import unittest

import harness
import mending
from daemon import Daemon
from private_postfix import settled_file

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
second.example       domain
bob@second.example   bob@dest.example
team@second.example  ann@dest.example, bob@dest.example
'''
OURS = '{ unix:openrcpt/milter.sock, default_action=tempfail }'
IDENTITY = 'inline:{ {@alias.example = @alias.example}, {@second.example = @second.example} }'
MASTER = '''\
smtp      inet  n - y - - smtpd
cleanup   unix  n - y - 0 cleanup
pickup    unix  n - y 60 1 pickup
qmgr      unix  n - n 300 1 qmgr
'''
FILTER = 'scan:[127.0.0.1]:10024'


class Case(unittest.TestCase):
    """One daemon for all tests of a class, with its socket below Postfix's queue directory."""

    TABLE, SETTINGS = TABLE, {}

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(None, {'origin': 'mx.example', **cls.SETTINGS})
        cls.addClassCleanup(cls.daemon.close)
        cls.spool = cls.daemon.folder / 'milter'
        cls.daemon.write_source(cls.TABLE)
        cls.daemon.compile()
        cls.daemon.start()

    def setUp(self):
        self.folder = harness.Scratch()
        self.addCleanup(self.folder.remove)
        self.etc = self.folder / "post'fix"             # to be quoted
        self.etc.mkdir()
        self.socket = self.daemon.socket
        self.main = {
            'compatibility_level': '3.6', 'queue_directory': self.socket.parents[1],
            'mydestination': 'localhost', 'myhostname': 'mx.example',
            'virtual_alias_domains': 'alias.example second.example',
            'virtual_alias_maps': IDENTITY, 'smtpd_milters': self.ours(),
            'non_smtpd_milters': self.ours(), 'internal_mail_filter_classes': 'bounce',
            'milter_default_action': 'tempfail', 'disable_vrfy_command': 'yes',
            'recipient_delimiter': '+', 'smtpd_recipient_restrictions': 'permit_mynetworks'}
        self.master = MASTER
        self.configuration = self.daemon.configuration

    @staticmethod
    def ours(more=''):
        return OURS.replace('openrcpt/', 'milter/').replace(', default', more + ', default')

    def write(self):
        (self.etc / 'main.cf').write_text(''.join(
            '%s = %s\n' % item for item in self.main.items()), encoding='ascii')
        (self.etc / 'master.cf').write_text(self.master, encoding='ascii')
        mending.settle(self.etc)

    def check(self):
        self.write()
        return mending.check(self.configuration, self.etc)

    def file(self, name, text):
        path = self.folder / name
        settled_file(path, text)
        return path

    def expect_clean(self):
        self.assertEqual(self.check(), (0, ''))

    def expect(self, *words, rest=()):
        """One finding, with all of WORDS in it. Once its command is carried out, and those of
        what comes to light then, nothing is left but findings with the words REST."""
        status, text = self.check()
        self.assertEqual(status, 1, text)
        self.assertEqual(len(mending.findings(text)), 1, text)
        for word in words:
            self.assertIn(word, text)
        status, text = mending.mend(self.configuration, self.etc)
        for word in rest:
            self.assertIn(word, text)
        if not rest:
            self.assertEqual((status, text), (0, ''))

    def get(self, name):
        """What main.cf, or a service of master.cf, says in the end."""
        return subprocess.run(
            ['/usr/sbin/postconf', '-c', str(self.etc), '-Ph' if '/' in name else '-h', name],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding='ascii').stdout.strip()

    def words(self, name):
        return self.get(name).replace(',', ' ').split()


def main():
    """Run the tests of the calling program."""
    if not os.path.exists('/usr/sbin/postconf'):
        print('SKIP: no /usr/sbin/postconf: install the package postfix')
        sys.exit(1 if os.environ.get('OPENRCPT_NO_SKIP') else harness.SKIPPED)
    harness.main('rcptmap', 'openrcptd')
