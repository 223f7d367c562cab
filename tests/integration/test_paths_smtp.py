#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SMTP, delivered: sessions with many messages, large messages, limits, the daemon going away."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_mta
import private_postfix
from mail_system import MailSystem
from smtp_client import SmtpClient

MANY = 1000
TABLE = '''\
alias.example            domain
ann@alias.example        ann@dest.example
team@alias.example       ann@dest.example, bob@dest.example, carl@dest.example
everybody@alias.example  %s
%s
''' % (', '.join('member%d@a-rather-long-name.dest.example' % i for i in range(MANY)),
       '\n'.join('user%d@alias.example  user%d@dest.example, log@dest.example' % (i, i)
                 for i in range(MANY)))
DOMAINS = ['alias.example']
TEAM = ['ann@dest.example', 'bob@dest.example', 'carl@dest.example']
SIZE_LIMIT = 40000              # bytes: less than a thousand targets take
TOO_LARGE = '552 5.3.4 Error: message file too big'
AWAY = '451 4.7.1 Service unavailable - try again later'
# Before smtpd; clients of our own networks are let through at once.
SCREEN = '''\
127.0.0.1:%d inet n - n - 1 postscreen
    -o postscreen_access_list=permit_mynetworks
smtpd pass - - n - - smtpd
'''
TEXT = 'Subject: test\r\n\r\nHello.\r\n.\r\n'


class Smtp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS, native={
            'native': {'virtual_alias_expansion_limit': '5000'}})
        cls.addClassCleanup(cls.system.close)
        recipe = private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket)
        cls.small = cls.system.postfix.add_tenant('small', {
            **recipe, 'message_size_limit': str(SIZE_LIMIT)})
        verify = {'address_verify_poll_delay': '1s', 'address_verify_poll_count': '30'}
        cls.verifying = cls.system.postfix.add_tenant('verifying', {
            **recipe, **verify, 'smtpd_recipient_restrictions':
                'check_recipient_access inline:{ { alias.example = OK } }, '
                'reject_unverified_recipient, permit_mynetworks, reject'})
        cls.verifying_all = cls.system.postfix.add_tenant('verifying_all', {
            **recipe, **verify, 'smtpd_recipient_restrictions':
                'reject_unverified_recipient, permit_mynetworks, reject'})
        # From 3.9 on Postfix hangs up on who sends text behind DATA without having been asked.
        cls.patient = cls.system.postfix.add_tenant('patient', {
            **recipe, 'smtpd_forbid_unauth_pipelining': 'no'})
        cls.screen = private_mta.free_port()
        cls.system.postfix.services += SCREEN % cls.screen
        cls.system.start()
        cls.native = cls.system.native['native'].where

    def setUp(self):
        self.system.sink.clear()


class Sessions(Smtp):
    def test_several_messages(self):
        with SmtpClient(self.system.postfix.where) as client:
            for recipient, wanted in (('team@alias.example', TEAM),
                                      ('ann+x@alias.example', ['ann+x@dest.example']),
                                      ('x@far.example', ['x@far.example']),
                                      ('nobody@alias.example', [])):
                client.message([recipient])
                self.assertEqual(self.system.delivered(), wanted)

    def test_rset_and_a_new_message(self):
        with SmtpClient(self.system.postfix.where) as client:
            client.mail()
            client.rcpt('team@alias.example')
            client.command('RSET')
            client.mail()
            client.rcpt('ann@alias.example')
            self.assertEqual(client.data().code, 250)
            client.command('RSET')
            client.command('RSET')
            client.mail()
            client.rcpt('x@far.example')
            self.assertEqual(client.data().code, 250)
        self.assertEqual(self.system.delivered(), ['ann@dest.example', 'x@far.example'])

    def test_a_client_that_goes_away(self):
        for commands in (1, 2, 3):
            client = SmtpClient(self.system.postfix.where)
            client.pipeline(['MAIL FROM:<s@client.example>', 'RCPT TO:<team@alias.example>',
                             'DATA'][:commands])
            client.close()
        self.system.send(['ann@alias.example'])
        self.assertEqual(self.system.delivered(), ['ann@dest.example'])

    def test_messages_in_one_packet(self):
        """All commands of a message at once, and of the next one behind its text."""
        envelope = ('MAIL FROM:<s@client.example>\r\nRCPT TO:<%s>\r\n'
                    'RCPT TO:<nobody@alias.example>\r\nDATA\r\n')
        recipients = ('team@alias.example', 'x@far.example', 'ann@alias.example')
        with SmtpClient(self.patient.where) as client:
            client.send(''.join(envelope % one + TEXT for one in recipients))
            codes = [client.reply().code for _ in recipients for _ in range(5)]
        self.assertEqual(codes, [250, 250, 550, 354, 250] * 3)
        self.assertEqual(self.system.delivered(), sorted(TEAM + ['ann@dest.example',
                                                                 'x@far.example']))


class InFront(Smtp):
    """What Postfix does before it asks a milter."""

    def test_postscreen(self):
        sent = self.system.send(['team@alias.example', 'nobody@alias.example'],
                                ('127.0.0.1', self.screen))
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550])
        self.assertEqual(self.system.delivered(), TEAM)
        self.assertIn('postscreen[', self.system.postfix.log_text())

    def test_alias_domains_pass_before_probes(self):
        sent = self.system.send(['team@alias.example', 'nobody@alias.example', 'x@far.example'],
                                self.verifying.where)
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550, 250])
        self.assertEqual(self.system.delivered(), TEAM + ['x@far.example'])

    def test_probes_know_no_alias(self):
        sent = self.system.send(['ann@alias.example'], self.verifying_all.where)
        self.assertEqual(sent.recipients[0].status, '450 4.1.1')


class Large(Smtp):
    def test_a_thousand_recipients(self):
        """Each with a target of its own and one that all of them share."""
        recipients = ['user%d@alias.example' % number for number in range(MANY)]
        sent = self.system.send(recipients)
        self.assertEqual({reply.code for reply in sent.recipients}, {250})
        ours = self.system.delivered()
        self.system.send(recipients, self.native)
        theirs = self.system.delivered()
        self.assertEqual(ours, sorted(set(theirs)))
        self.assertEqual(len(ours), MANY + 1)

    def test_a_thousand_recipients_half_of_them_unknown(self):
        recipients = ['%s%d@alias.example' % (name, number) for number in range(MANY // 2)
                      for name in ('user', 'nobody')]
        sent = self.system.send(recipients)
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550] * (MANY // 2))
        self.assertEqual(len(self.system.delivered()), MANY // 2 + 1)

    def test_a_thousand_targets(self):
        sent = self.system.send(['everybody@alias.example'])
        self.assertEqual(sent.data.code, 250, sent)
        ours = self.system.delivered()
        self.assertEqual(len(ours), MANY)
        self.system.send(['everybody@alias.example'], self.native)
        self.assertEqual(ours, self.system.delivered())

    def test_additions_reach_message_size_limit(self):
        """The whole message is refused, nobody gets it, and the session goes on."""
        start = self.system.postfix.log_size()
        with SmtpClient(self.small.where) as client:
            sent = client.message(['everybody@alias.example', 'x@far.example'])
            self.assertEqual(sent.recipients, ['250 2.1.5 Ok'] * 2)
            self.assertEqual(sent.data, TOO_LARGE)
            self.assertEqual(self.system.delivered(), [])
            self.assertEqual(client.message(['team@alias.example']).data.code, 250)
        self.assertEqual(self.system.delivered(), TEAM)
        self.assertIn('File too large', self.system.postfix.log_text()[start:])

    def test_our_own_limit_comes_first(self):
        """limits.message_recipients: one recipient is put off, the others get their mail."""
        self.system.daemon.stop()
        self.system.daemon.write_configuration(limits={'message_recipients': 500})
        self.system.daemon.start()
        try:
            sent = self.system.send(['everybody@alias.example', 'team@alias.example'])
        finally:
            self.system.daemon.stop()
            del self.system.daemon.settings['limits']
            self.system.daemon.write_configuration()
            self.system.daemon.start()
        self.assertEqual([reply.status for reply in sent.recipients], ['452 4.5.3', '250 2.1.5'])
        self.assertEqual(self.system.delivered(), TEAM)


class Away(Smtp):
    """default_action=tempfail: what can't be asked is put off, and nothing is queued."""

    def test_down_and_up_again(self):
        with SmtpClient(self.system.postfix.where) as client:
            self.assertEqual(client.message(['team@alias.example']).data.code, 250)
        self.system.daemon.stop()
        try:
            with SmtpClient(self.system.postfix.where) as client:
                self.assertEqual(client.banner.code, 220)
                self.assertEqual(client.mail(), AWAY)
                self.assertEqual(client.command('RSET').code, 250)
                self.assertEqual(client.mail(), AWAY)
        finally:
            self.system.daemon.start()
        with SmtpClient(self.system.postfix.where) as client:
            self.assertEqual(client.message(['ann@alias.example']).data.code, 250)
        self.assertEqual(self.system.delivered(), sorted(TEAM + ['ann@dest.example']))

    def test_killed_in_the_middle_of_a_message(self):
        for commands in (['MAIL FROM:<s@client.example>'],
                         ['MAIL FROM:<s@client.example>', 'RCPT TO:<team@alias.example>'],
                         ['MAIL FROM:<s@client.example>', 'RCPT TO:<team@alias.example>',
                          'RCPT TO:<x@far.example>', 'DATA']):
            with SmtpClient(self.system.postfix.where) as client:
                client.pipeline(commands)
                self.system.daemon.kill()
                try:
                    if commands[-1] == 'DATA':
                        self.assertEqual(client.text().code, 451)
                    else:
                        self.assertEqual(client.rcpt('ann@alias.example').code, 451)
                finally:
                    self.system.daemon.start()
        self.assertEqual(self.system.delivered(), [])


del Smtp

if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
