#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Delivery reports: what RFC 3461 wants of an alias, beside what Postfix's own aliasing does.

In the queue file first, then with real reports: the sink refuses a target, Postfix bounces, and
the sender reads in the bounce which of the recipients it had named failed.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from mail_system import MailSystem, report_fields, split_bounces

TABLE = '''\
alias.example            domain
ann@alias.example        ann@dest.example
team@alias.example       ann@dest.example, bob@dest.example
nested@alias.example     team@alias.example, carl@dest.example
jürgen@alias.example     juergen@dest.example
"q x"@alias.example      quoted@dest.example
keep@free.example        keep@free.example, archive@dest.example
'''
DOMAINS = ['alias.example']
NO_SUCH_USER = '550 5.1.1 no such user here'
SENDER = 'sender@client.example'


class Queue(unittest.TestCase):
    """The envelope that Postfix keeps is the one of native aliasing."""

    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS, hold=True, native={'native': {}}).start()
        cls.addClassCleanup(cls.system.close)
        cls.native = cls.system.native['native'].where

    def queued(self, recipients, where=None, **options):
        sent = self.system.send(recipients, where, **options)
        self.assertEqual(sent.data.code, 250, sent)
        return self.system.queued(sent.data)

    def assert_like_native(self, recipients, **options):
        ours, theirs = self.queued(recipients, **options), \
            self.queued(recipients, self.native, **options)
        self.assertEqual(ours, theirs)
        return ours

    def test_orcpt_in_xtext(self):
        for sent, kept in (('rfc822;plain@client.example', 'rfc822;plain@client.example'),
                           ('rfc822;a+2Bb+3Dc@client.example', 'rfc822;a+b=c@client.example'),
                           ('rfc822;with+20blank@c.example', 'rfc822;with blank@c.example'),
                           ('RFC822;Case@Client.Example', 'RFC822;Case@Client.Example'),
                           ('other;100%+2B', 'other;100%+')):
            with self.subTest(sent):
                found = self.assert_like_native(['<team@alias.example> ORCPT=' + sent])
                self.assertEqual({orcpt for _, orcpt, _ in found}, {kept})

    def test_orcpt_in_utf_8(self):
        """Postfix reads it of a client as RFC 6533 has it; of a milter, before 3.12, as xtext."""
        for sent in ('utf-8;j+C3+BCrgen@client.example', 'utf-8;jürgen@client.example',
                     'utf-8;\\x{FC}\\x{2B}x@client.example'):
            with self.subTest(sent):
                found = self.assert_like_native(['<team@alias.example> ORCPT=' + sent],
                                                parameters='SMTPUTF8')
                self.assertEqual(len({orcpt for _, orcpt, _ in found}), 1)
                self.assertTrue(found[0][1].startswith('utf-8;'), found)

    def test_an_orcpt_that_is_no_xtext_is_replaced(self):
        found = self.queued(['<ann@alias.example> ORCPT=x400;/C=x/'])
        self.assertEqual(found, [('ann@dest.example', 'rfc822;ann@alias.example', 0)])

    def test_orcpt_that_we_make(self):
        found = self.queued(['<jürgen@alias.example>'], parameters='SMTPUTF8')
        self.assertEqual(found, [('juergen@dest.example', 'utf-8;jürgen@alias.example', 0)])
        self.assert_like_native(['<"q x"@alias.example>', '<Team@ALIAS.example>'])

    def test_a_bad_orcpt_never_gets_to_a_milter(self):
        for sent in ('<team@alias.example> ORCPT=rfc822', '<team@alias.example> ORCPT=',
                     '<team@alias.example> ORCPT=rfc822;a+b@client.example',
                     '<team@alias.example> NOTIFY=SOMETIMES',
                     '<team@alias.example> NOTIFY=NEVER,FAILURE'):
            with self.subTest(sent):
                ours, theirs = (self.system.send([sent], where)
                                for where in (None, self.native))
                self.assertEqual(ours.recipients, theirs.recipients)
                self.assertEqual(ours.recipients[0].code, 501)

    def test_notify_with_orcpt_through_two_aliases(self):
        for notify in ('NEVER', 'FAILURE', 'DELAY', 'FAILURE,DELAY', 'SUCCESS'):
            with self.subTest(notify):
                self.assert_like_native(['<nested+x@alias.example> NOTIFY=%s '
                                         'ORCPT=rfc822;first@client.example' % notify])

    def test_an_alias_that_keeps_a_copy(self):
        found = self.assert_like_native(
            ['<keep@free.example> NOTIFY=FAILURE ORCPT=rfc822;o@client.example'])
        self.assertEqual([one[1:] for one in found], [('rfc822;o@client.example', 4)] * 2)

    def test_ret_and_envid_are_left_alone(self):
        for parameters in ('RET=HDRS ENVID=QQ314+2B', 'RET=FULL ENVID=a', 'ENVID=b', 'RET=HDRS'):
            with self.subTest(parameters):
                pair = []
                for where in (None, self.native):
                    sent = self.system.send(['team@alias.example'], where, parameters=parameters)
                    attributes = self.system.postfix.take_held(sent.data.queue_id).attributes
                    pair.append((attributes.get('envelope_id'), attributes.get('ret_flags')))
                self.assertEqual(*pair)
                self.assertNotEqual(pair[0], (None, None))


class Reports(unittest.TestCase):
    """Delivered for real: the next host sees ORCPT and NOTIFY, the sender a report, in which
    Postfix 3.7 writes the original recipient without xtext."""

    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS, native={'native': {}}).start()
        cls.addClassCleanup(cls.system.close)
        cls.native = cls.system.native['native'].where

    def tearDown(self):
        self.system.sink.refuse.clear()

    def exchange(self, recipients, where=None, **options):
        """Mail that arrived, and the recipients' fields of the reports to the sender."""
        sent = self.system.send(recipients, where, **options)
        self.assertEqual(sent.data.code, 250, sent)
        mail, bounces = split_bounces(self.system.messages())
        for bounce in bounces:
            self.assertEqual([path for path, _ in bounce.recipients], ['<%s>' % SENDER])
        fields = [block for bounce in bounces for block in report_fields(bounce)]
        return mail, sorted((block['action'], block.get('original-recipient'),
                             block['final-recipient']) for block in fields)

    def both(self, recipients, **options):
        """What both say is the same; return it."""
        ours = self.exchange(recipients, **options)[1]
        self.assertEqual(ours, self.exchange(recipients, self.native, **options)[1])
        return ours

    def test_a_failing_target_names_the_original_recipient(self):
        self.system.sink.refuse['<bob@dest.example>'] = NO_SUCH_USER
        self.assertEqual(self.both(['team@alias.example']), [
            ('failed', 'rfc822;team@alias.example', 'rfc822; bob@dest.example')])

    def test_a_failing_target_names_what_the_client_named(self):
        self.system.sink.refuse['<ann@dest.example>'] = NO_SUCH_USER
        found = self.both(['<team@alias.example> ORCPT=rfc822;First+2Bone@client.example'])
        self.assertEqual(found, [
            ('failed', 'rfc822;First+one@client.example', 'rfc822; ann@dest.example')])

    def test_all_targets_fail(self):
        for name in ('ann', 'bob', 'carl'):
            self.system.sink.refuse['<%s@dest.example>' % name] = NO_SUCH_USER
        self.assertEqual({block[1] for block in self.both(['nested@alias.example'])},
                         {'rfc822;nested@alias.example'})

    def test_never_means_no_report(self):
        self.system.sink.refuse['<bob@dest.example>'] = NO_SUCH_USER
        self.assertEqual(self.both(['<team@alias.example> NOTIFY=NEVER']), [])

    def test_two_originals_with_reports_of_their_own(self):
        self.system.sink.refuse['<bob@dest.example>'] = NO_SUCH_USER
        self.system.sink.refuse['<quoted@dest.example>'] = NO_SUCH_USER
        found = self.both(['<team@alias.example> ORCPT=rfc822;one@client.example',
                           '<"q x"@alias.example> NOTIFY=NEVER'])
        self.assertEqual(found, [('failed', 'rfc822;one@client.example',
                                  'rfc822; bob@dest.example')])

    def test_the_null_sender_gets_no_report(self):
        self.system.sink.refuse['<bob@dest.example>'] = NO_SUCH_USER
        self.system.send(['team@alias.example'], sender='<>')
        self.assertEqual(self.system.delivered(), ['ann@dest.example'])

    def test_ret_decides_how_much_comes_back(self):
        self.system.sink.refuse['<bob@dest.example>'] = NO_SUCH_USER
        for value, is_full in (('HDRS', False), ('FULL', True)):
            self.system.send(['team@alias.example'],
                             parameters='RET=%s ENVID=id%s' % (value, value))
            _, (bounce,) = split_bounces(self.system.messages())
            self.assertEqual('Hello.' in bounce.text, is_full)
            self.assertIn('Original-Envelope-Id: id' + value, bounce.text)

    def test_the_next_host_gets_the_parameters(self):
        for where in (None, self.native):
            mail, _ = self.exchange(['<team@alias.example> NOTIFY=FAILURE,DELAY '
                                     'ORCPT=rfc822;o+2B@client.example'], where)
            self.assertEqual(sorted(mail[0].recipients), [
                ('<%s@dest.example>' % name,
                 'ORCPT=rfc822;o+2B@client.example NOTIFY=FAILURE,DELAY')
                for name in ('ann', 'bob')])

    def test_success_of_an_only_target(self):
        """Native reports `expanded` at once; ours leaves the report to who delivers."""
        mail, reports = self.exchange(['<ann@alias.example> NOTIFY=SUCCESS'])
        self.assertEqual((mail[0].recipients, reports), (
            [('<ann@dest.example>', 'ORCPT=rfc822;ann@alias.example NOTIFY=SUCCESS')], []))
        mail, reports = self.exchange(['<ann@alias.example> NOTIFY=SUCCESS'], self.native)
        self.assertEqual([block[0] for block in reports], ['expanded'])
        self.assertIn('NOTIFY=NEVER', mail[0].recipients[0][1])

    def test_success_of_several_targets_is_dropped(self):
        mail, reports = self.exchange(['<team@alias.example> NOTIFY=SUCCESS,FAILURE'])
        self.assertEqual(reports, [])
        self.assertEqual({parameters for _, parameters in mail[0].recipients},
                         {'ORCPT=rfc822;team@alias.example NOTIFY=FAILURE'})


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
