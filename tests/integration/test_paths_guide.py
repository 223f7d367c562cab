#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipes of doc/postfix.md as they stand there: main.cf and master.cf are its blocks."""
import contextlib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import guide
import harness
import private_mta
from mail_system import MailSystem, split_bounces
from relay_filter import RelayFilter
from smtp_sink import SmtpSink

TABLE = '''\
example.com          domain
ann@example.com      ann@dest.example
team@example.com     ann@dest.example, bob@dest.example
shop@example.net     team@example.com
example.net          domain
keep@free.example    keep@free.example, archive@dest.example
'''
TEAM = ['ann@dest.example', 'bob@dest.example']
UNKNOWN = '550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual alias table'


class Guide(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.system = stack.enter_context(contextlib.closing(MailSystem(TABLE, [])))
        self.filter = stack.enter_context(RelayFilter())
        self.ports = {'10025': self.filter.port, '10026': private_mta.free_port(),
                      '10027': private_mta.free_port(), 'smtp': private_mta.free_port()}
        self.filter.after = ('127.0.0.1', self.ports['10026'])
        for name in ('virtual_alias_domains', 'virtual_alias_maps', 'smtpd_milters',
                     'disable_vrfy_command', 'non_smtpd_milters', 'recipient_delimiter',
                     'internal_mail_filter_classes'):
            del self.system.postfix.parameters[name]

    def here(self, text):
        """The guide's text for this system: ports, the socket, no chroot."""
        text = text.replace('smtp inet n - y', '127.0.0.1:%d inet n - n' % self.ports['smtp'])
        text = text.replace('unix:openrcpt/milter.sock', 'unix:%s' % self.system.daemon.socket)
        for name in ('10025', '10026', '10027'):
            text = text.replace(':' + name, ':%d' % self.ports[name])
        return text

    def start(self, main, master=None):
        """MAIN and MASTER: headings whose blocks are main.cf and master.cf."""
        for heading in main:
            self.system.postfix.parameters.update(
                guide.main_cf(self.here(guide.only(heading, 'main.cf'))))
        if master:
            self.system.postfix.services = self.here(guide.only(master, 'master.cf'))
        self.system.start()
        self.assertEqual(guide.check_postfix(self.system.daemon, self.system.postfix), '')

    def assert_mail_arrives(self, where=None):
        for recipient, wanted in (('team@example.com', TEAM), ('shop@example.net', TEAM),
                                  ('ANN+x@Example.com', ['ann+x@dest.example']),
                                  ('x@far.example', ['x@far.example']),
                                  ('keep@free.example', ['archive@dest.example',
                                                         'keep@free.example'])):
            with self.subTest(recipient):
                sent = self.system.send([recipient, 'nobody@example.com'], where)
                self.assertEqual(sent.recipients, ['250 2.1.5 Ok', UNKNOWN % 'nobody@example.com'])
                self.assertEqual(self.system.delivered(), wanted)

    def test_the_recipe(self):
        self.start(['## The recipe'])
        self.assert_mail_arrives()
        self.system.submit(['team@example.com', 'nobody@example.com'])
        mail, bounces = split_bounces(self.system.messages())
        self.assertEqual((len(mail), len(bounces)), (1, 1))

    def test_vrfy_tells_nothing(self):
        self.start(['## The recipe'])
        with self.system.client() as client:
            self.assertEqual(client.command('VRFY ann@example.com').code, 502)

    def test_blind_copies(self):
        self.start(['## The recipe', '### Blind copies'])
        self.system.send(['team@example.com'])
        self.assertEqual(self.system.delivered(),
                         ['ann@dest.example', 'archive@example.org', 'bob@dest.example'])

    def test_a_filter_before_the_queue(self):
        self.start(['## The recipe'], '### A filter before the queue')
        where = ('127.0.0.1', self.ports['smtp'])
        self.assert_mail_arrives(where)
        self.system.send(['team@example.com'], where)
        self.assertIn('X-Filter: passed', self.system.messages()[0].text)

    def test_a_filter_behind_the_queue(self):
        self.start(['## The recipe', '### A filter behind the queue'],
                   '### A filter behind the queue')
        self.assert_mail_arrives()
        self.system.submit(['keep@free.example', 'team@example.com'])
        mail = self.system.messages()
        self.assertEqual({one.text.count('X-Filter: passed') for one in mail}, {1})
        self.assertEqual(sorted(path.strip('<>') for one in mail for path, _ in one.recipients),
                         sorted(TEAM + ['archive@dest.example', 'keep@free.example']))

    def test_full_coverage(self):
        self.start(['## Full coverage'], '## Full coverage')
        self.assert_mail_arrives()
        self.system.submit(['team@example.com', 'nobody@example.com'])
        mail, bounces = split_bounces(self.system.messages())
        self.assertEqual((sorted(path for path, _ in mail[0].recipients), len(bounces)),
                         (['<%s>' % one for one in TEAM], 1))


class Mailboxes(unittest.TestCase):
    """Mailboxes and aliases in one domain: the domain stays in its class, and has every address."""

    TABLE = '''\
example.com        domain
ann@example.net    ann@example.net
info@example.net   ann@example.net, bob@dest.example
'''

    def assert_both_work(self, parameters, mailboxes=None):
        """mailboxes: where the mailboxes' mail ends, if not at the system's sink."""
        with MailSystem(self.TABLE, ['example.com'], {'mailbox_domains': ['example.net']},
                        parameters) as system:
            self.assertEqual(guide.check_postfix(system.daemon, system.postfix), '')
            for recipient, wanted in (
                    ('ann@example.net', ['ann@example.net']),
                    ('Ann+x@example.net', ['Ann+x@example.net']),
                    ('info@example.net', ['ann@example.net', 'bob@dest.example'])):
                with self.subTest(recipient):
                    sent = system.send([recipient, 'nobody@example.net'])
                    self.assertEqual([reply.status for reply in sent.recipients],
                                     ['250 2.1.5', '550 5.1.1'])
                    arrived = system.delivered()
                    if mailboxes:
                        arrived += [path.strip('<>') for path in mailboxes.recipients()]
                        mailboxes.clear()
                    self.assertEqual(sorted(arrived), wanted)

    def test_relay_domains(self):
        self.assert_both_work({'relay_domains': 'example.net', 'relay_recipient_maps': ''})

    def test_virtual_mailbox_domains(self):
        with SmtpSink() as mailboxes:
            self.assert_both_work({
                'virtual_mailbox_domains': 'example.net',
                'virtual_mailbox_maps': 'inline:{ { @example.net = x } }',
                'virtual_transport': 'smtp:[127.0.0.1]:%d' % mailboxes.port}, mailboxes)


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
