#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap check-postfix, with mail: a working Postfix is broken, mail goes wrong, what the check
prints is carried out, and mail works again.

One Postfix for all mistakes; it is told to read its configuration again each time.
"""
import contextlib
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import mending
import private_postfix
from daemon import Daemon, children
from mail_system import MailSystem
from private_mta import free_port
from private_postfix import PrivatePostfix, settled_file
from smtp_sink import SmtpSink

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
team@alias.example   ann@dest.example, bob@dest.example
second.example       domain
bob@second.example   bob@dest.example
ann@box.example      ann@box.example
info@box.example     ann@box.example, carl@dest.example
'''
KNOWN = ['team@alias.example', 'bob@second.example', 'info@box.example', 'x@far.example']
UNKNOWN = ['nobody@alias.example', 'nobody@second.example', 'nobody@box.example']
WANTED = ['ann@box.example', 'ann@dest.example', 'bob@dest.example', 'carl@dest.example',
          'x@far.example']


class Mail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.sink = stack.enter_context(SmtpSink())
        cls.postfix = stack.enter_context(contextlib.closing(PrivatePostfix(hold=False)))
        cls.daemon = stack.enter_context(contextlib.closing(
            Daemon(TABLE, {'mailbox_domains': ['box.example']})))
        cls.net = '127.0.0.1:%d' % free_port()
        cls.base = {
            **cls.postfix.parameters,
            **private_postfix.behind_milter(['alias.example', 'second.example'],
                                            cls.daemon.socket),
            'non_smtpd_milters': private_postfix.milter_entry(cls.daemon.socket),
            'internal_mail_filter_classes': 'bounce', 'recipient_delimiter': '+',
            'relayhost': '[127.0.0.1]:%d' % cls.sink.port,
            'virtual_mailbox_domains': 'box.example',
            'virtual_mailbox_maps': 'inline:{ { @box.example = x } }',
            'virtual_transport': 'smtp:[127.0.0.1]:%d' % cls.sink.port}
        cls.postfix.parameters = dict(cls.base)
        cls.daemon.start()
        cls.postfix.start()

    settle, messages, delivered = MailSystem.settle, MailSystem.messages, MailSystem.delivered
    client, send = MailSystem.client, MailSystem.send

    def reload(self):
        """Until nobody answers any more who has read the old files."""
        pid = self.postfix.process.pid
        start = self.postfix.log_size()
        old = {child for child in children(pid) if self.name_of(child) not in ('qmgr', 'postlogd')}
        os.kill(pid, 1)
        self.postfix.wait_for_log('reload', start)
        harness.wait_until(lambda: not old.intersection(children(pid)), 'old processes end')

    @staticmethod
    def name_of(pid):
        try:
            return pathlib.Path('/proc/%d/comm' % pid).read_text(encoding='utf-8').strip()
        except OSError:
            return ''

    def configure(self, changes, service=''):
        self.postfix.parameters = {**self.base, **changes}
        self.postfix.services = service
        self.postfix.write_configuration()
        self.reload()

    def outcome(self):
        """Who is refused, and who got the mail; of SMTP, and of sendmail(1)."""
        self.settle()
        self.sink.clear()
        # One recipient a message: who is refused must not keep the others from theirs.
        refused = [name for name in KNOWN + UNKNOWN
                   if self.send([name], sender='<>').recipients[0].code == 550]
        arrived = sorted(set(self.delivered()))
        self.postfix.sendmail(['team@alias.example'], sender='')
        return refused, arrived, self.delivered()

    def break_and_mend(self, changes, service='', is_seen=True):
        """is_seen: mail goes wrong as long as nobody does anything about it; for a client of
        mynetworks, as we are one."""
        good = (UNKNOWN, WANTED, ['ann@dest.example', 'bob@dest.example'])
        self.configure(changes, service)
        if is_seen:
            self.assertNotEqual(self.outcome(), good)
        status, text = mending.check(self.daemon.configuration, self.postfix.etc)
        self.assertEqual(status, 1, text)
        self.assertEqual(mending.mend(self.daemon.configuration, self.postfix.etc), (0, ''))
        self.reload()
        self.assertEqual(self.outcome(), good)

    def file(self, name, text):
        settled_file(self.postfix.etc / name, text)
        return self.postfix.etc / name

    def test_nothing_is_wrong(self):
        self.configure({})
        self.assertEqual(mending.check(self.daemon.configuration, self.postfix.etc), (0, ''))
        self.assertEqual(self.outcome(), (UNKNOWN, WANTED,
                                          ['ann@dest.example', 'bob@dest.example']))

    def test_the_milter(self):
        self.break_and_mend({'smtpd_milters': ''})
        self.break_and_mend({'receive_override_options': 'no_milters'})
        self.break_and_mend({'smtpd_milter_maps': 'inline:{ { 127.0.0.1 = DISABLE } }'})

    def test_classes(self):
        self.break_and_mend({'virtual_alias_domains': 'alias.example'}, is_seen=False)
        self.break_and_mend({'virtual_mailbox_domains': self.file(
            'vhost', 'box.example\nalias.example\n')}, is_seen=False)
        self.break_and_mend({'mydestination': 'localhost, inline:{ { second.example = x } }'},
                            is_seen=False)
        self.break_and_mend({'virtual_alias_domains': 'alias.example second.example box.example'})

    def test_maps(self):
        old = 'texthash:%s' % self.file('virtual', TABLE)
        self.break_and_mend({'virtual_alias_maps': ''})
        self.break_and_mend({'virtual_alias_maps': '%s, %s' % (
            old, self.base['virtual_alias_maps'])}, is_seen=False)
        self.break_and_mend({'virtual_alias_maps': 'inline:{ { @second.example = x@far.example } },'
                                                   + self.base['virtual_alias_maps']},
                            is_seen=False)
        self.break_and_mend({'virtual_mailbox_maps': 'inline:{ { ann@box.example = x } }'})

    def test_recipients(self):
        self.break_and_mend({'smtpd_recipient_restrictions':
                             'reject_unverified_recipient, permit_mynetworks, reject',
                             'unverified_recipient_reject_code': '550'})
        self.break_and_mend({'soft_bounce': 'yes'})
        self.break_and_mend({'masquerade_domains': 'example',
                             'masquerade_classes': 'envelope_recipient'})

    def test_full_coverage(self):
        self.break_and_mend(
            {'virtual_alias_domains': '', 'virtual_alias_maps': '', 'relay_domains': '',
             'relay_recipient_maps': 'inline:{ { ann@alias.example = x } }',
             'non_smtpd_milters': ''},
            '%s inet n - n - - smtpd -o syslog_name=postfix/reinject\n'
            '    -o smtpd_client_restrictions=permit_mynetworks,reject\n'
            '    -o milter_default_action=tempfail -o milter_macro_daemon_name=REINJECT\n'
            % self.net)


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
