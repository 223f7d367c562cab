#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Addresses beyond ASCII, from an SMTP client through Postfix to the next host."""
import pathlib
import sys
import unicodedata
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from mail_system import MailSystem, report_fields, split_bounces
from smtp_client import SmtpClient

TABLE = '''\
alias.example                domain
münchen.example              domain
jürgen@alias.example         juergen@dest.example
straße@alias.example         strasse@dest.example
σίσυφος@alias.example        sisyphus@dest.example
info@münchen.example         info@dest.example
post@xn--kln-sna.example     koeln@dest.example
wide@alias.example           ann@dest.example, gräf@dest.example
far@alias.example            ann@bücher.example
both@alias.example           gräf@bücher.example
list@alias.example           ann@dest.example, bob@bücher.example
i̇stanbul@alias.example       istanbul@dest.example
'''
A_MUNICH, A_COLOGNE, A_BOOKS = 'xn--mnchen-3ya', 'xn--kln-sna', 'xn--bcher-kva'
DOMAINS = ['alias.example', 'münchen.example', A_MUNICH + '.example', A_COLOGNE + '.example',
           'köln.example']


class Eai(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS, cls.settings,
                                parameters={'smtputf8_enable': 'yes'}, native={'native': {}})
        cls.addClassCleanup(cls.system.close)
        cls.system.start()

    def setUp(self):
        self.system.sink.clear()

    def sent(self, recipient, parameters='SMTPUTF8'):
        """The reply, and where the message arrived."""
        sent = self.system.send([recipient], parameters=parameters)
        self.assertTrue(sent.mail.is_accepted, sent.mail)
        return sent.recipients[0], self.system.delivered()

    def assert_reaches(self, recipient, target, **options):
        reply, arrived = self.sent(recipient, **options)
        self.assertEqual(arrived, [target], '%s: %s' % (ascii(recipient), reply))

    def assert_unknown(self, recipient, **options):
        reply, arrived = self.sent(recipient, **options)
        self.assertEqual((reply.status, arrived), ('550 5.1.1', []), ascii(recipient))
        return reply


class Keys(Eai):
    def test_a_recipient_with_smtputf8(self):
        self.assert_reaches('jürgen@alias.example', 'juergen@dest.example')

    def test_the_refusal_shows_the_address_as_it_is(self):
        reply = self.assert_unknown('jörg@alias.example')
        self.assertEqual(reply, '550 5.1.1 <jörg@alias.example>: Recipient address rejected: '
                         'User unknown in virtual alias table')

    def test_u_label_and_a_label_are_one_key(self):
        for domain in ('münchen', 'MÜNCHEN', A_MUNICH, A_MUNICH.upper(),
                       unicodedata.normalize('NFD', 'münchen')):
            with self.subTest(domain):
                self.assert_reaches('info@%s.example' % domain, 'info@dest.example')
        for domain in ('köln', 'Köln', A_COLOGNE):
            with self.subTest(domain):
                self.assert_reaches('post@%s.example' % domain, 'koeln@dest.example')

    def test_an_unknown_user_in_either_spelling(self):
        for domain in ('münchen', A_MUNICH):
            self.assert_unknown('nobody@%s.example' % domain)

    def test_a_label_needs_no_smtputf8(self):
        self.assert_reaches('info@%s.example' % A_MUNICH, 'info@dest.example', parameters='')

    def test_composed_and_decomposed_letters(self):
        composed, decomposed = (unicodedata.normalize(form, 'jürgen') for form in ('NFC', 'NFD'))
        self.assertNotEqual(composed, decomposed)
        for local in (composed, decomposed, composed.upper(), decomposed.upper()):
            with self.subTest(ascii(local)):
                self.assert_reaches(local + '@alias.example', 'juergen@dest.example')

    def test_case_folding(self):
        for local, target in (('STRASSE', 'strasse'), ('Straße', 'strasse'), ('STRAẞE', 'strasse'),
                              ('strasse', 'strasse'), ('ΣΊΣΥΦΟΣ', 'sisyphus'),
                              ('σίσυφοσ', 'sisyphus'), ('Σίσυφος', 'sisyphus'),
                              ('İSTANBUL', 'istanbul'), ('i\u0307stanbul', 'istanbul')):
            with self.subTest(ascii(local)):
                self.assert_reaches(local + '@alias.example', target + '@dest.example')

    def test_what_only_looks_alike(self):
        """Dotless and plain i, Cyrillic and Latin letters, compatibility forms."""
        for local in ('istanbul', 'ıstanbul', 'jurgen', 'jürg\u0435n', 'ｊürgen', 'straBe'):
            with self.subTest(ascii(local)):
                self.assert_unknown(local + '@alias.example')

    def test_text_that_lies_about_itself(self):
        for local in ('j\u202eürgen', 'jürgen\u2066', b'j\xfcrgen', b'j\xc3\x83\xbcrgen'):
            recipient = (local if isinstance(local, bytes) else local.encode()) + b'@alias.example'
            with self.subTest(recipient), SmtpClient(self.system.postfix.where) as client:
                client.mail(parameters='SMTPUTF8')
                self.assertEqual(client.command(b'RCPT TO:<%s>' % recipient).code // 100, 5)

    def test_without_smtputf8_it_is_unknown(self):
        """Postfix takes the bytes as they are; so does its own aliasing."""
        self.assert_unknown('jörg@alias.example', parameters='')


class Targets(Eai):
    def mail_to(self, recipients, parameters='', where=None):
        """The replies, and for each message at the sink its ESMTP parameters and recipients."""
        sent = self.system.send(recipients, where, parameters=parameters)
        mail, bounces = split_bounces(self.system.messages())
        self.assertEqual(bounces, [])
        return sent.recipients, sorted(
            ('SMTPUTF8' in one.sender[1], path.strip('<>'))
            for one in mail for path, _ in one.recipients)

    def test_a_local_part_needs_smtputf8(self):
        (reply, other), arrived = self.mail_to(['both@alias.example', 'jürgen@alias.example'],
                                               'SMTPUTF8')
        self.assertEqual((reply.code, other.code), (250, 250))
        self.assertEqual(arrived, [(True, 'gräf@%s.example' % A_BOOKS),
                                   (True, 'juergen@dest.example')])

    def test_without_it_the_target_is_sent_as_postfix_sends_it(self):
        native = self.system.native['native'].where
        for recipients in (['wide@alias.example'], ['wide@alias.example', 'x@far.example']):
            replies, arrived = self.mail_to(recipients)
            self.assertEqual({reply.code for reply in replies}, {250})
            self.assertIn((False, 'gräf@dest.example'), arrived)
            self.assertEqual(arrived, self.mail_to(recipients, where=native)[1])

    def test_its_domain_is_an_a_label_all_the_same(self):
        """Postfix sends the letters of the domain, too, and bounces without smtputf8_enable."""
        (reply,), arrived = self.mail_to(['both@alias.example'])
        self.assertEqual((reply.code, arrived), (250, [(False, 'gräf@%s.example' % A_BOOKS)]))

    def test_a_domain_is_sent_as_its_a_label(self):
        for parameters in ('', 'SMTPUTF8'):
            (reply,), arrived = self.mail_to(['far@alias.example'], parameters)
            self.assertEqual(reply.code, 250)
            self.assertEqual([path for _, path in arrived], ['ann@%s.example' % A_BOOKS])

    def test_a_domain_is_never_sent_raw(self):
        self.system.send(['list@alias.example', 'far@alias.example'])
        message, = self.system.messages()
        self.assertTrue(''.join(map(''.join, [message.sender, *message.recipients])).isascii())

    def test_a_message_with_all_kinds(self):
        replies, arrived = self.mail_to(
            ['list@alias.example', 'wide@alias.example', 'info@%s.example' % A_MUNICH], 'SMTPUTF8')
        self.assertEqual({reply.code for reply in replies}, {250})
        self.assertEqual([path for _, path in arrived], sorted(
            ['ann@dest.example', 'bob@%s.example' % A_BOOKS, 'gräf@dest.example',
             'info@dest.example']))
        self.assertEqual({is_wide for is_wide, _ in arrived}, {True})

    def test_orcpt_of_a_wide_original(self):
        self.system.send(['jürgen@alias.example'], parameters='SMTPUTF8')
        message, = self.system.messages()
        self.assertIn('ORCPT=utf-8;', message.recipients[0][1])

    def test_by_sendmail(self):
        """A milter is not told of SMTPUTF8 there."""
        self.system.submit(['jürgen@alias.example', 'far@alias.example', 'wide@alias.example'])
        self.assertEqual(self.system.delivered(), sorted([
            'ann@%s.example' % A_BOOKS, 'juergen@dest.example', 'ann@dest.example',
            'gräf@dest.example']))


class Strict(Eai):
    settings = {'smtputf8': 'strict'}

    def test_without_smtputf8_the_alias_is_refused(self):
        for recipient in ('both@alias.example', 'wide@alias.example'):
            sent = self.system.send([recipient, 'x@far.example'])
            reply, other = sent.recipients
            self.assertEqual((reply.status, other.code), ('550 5.6.7', 250), reply)
            self.assertEqual(self.system.delivered(), ['x@far.example'])

    def test_with_smtputf8_it_is_expanded(self):
        self.system.send(['wide@alias.example'], parameters='SMTPUTF8')
        self.assertEqual(self.system.delivered(), ['ann@dest.example', 'gräf@dest.example'])

    def test_by_sendmail_it_bounces(self):
        """A milter is not told of SMTPUTF8 there: a target that needs it is left to bounce."""
        self.system.submit(['jürgen@alias.example', 'far@alias.example', 'wide@alias.example'])
        mail, bounces = split_bounces(self.system.messages())
        self.assertEqual(sorted(path for one in mail for path, _ in one.recipients),
                         ['<ann@%s.example>' % A_BOOKS, '<juergen@dest.example>'])
        self.assertEqual([block['final-recipient'] for one in bounces
                          for block in report_fields(one)], ['rfc822; wide@alias.example'])


del Eai

if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
