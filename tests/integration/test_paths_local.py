#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail that doesn't come by SMTP, with the recipe: sendmail(1), bounces, postsuper -r, copies."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_postfix
from mail_system import MailSystem, report_fields, split_bounces

TABLE = '''\
alias.example            domain
ann@alias.example        ann@dest.example
bob@alias.example        bob@dest.example
team@alias.example       ann@dest.example, bob@dest.example
"q x"@alias.example      quoted@dest.example
loc                      loc@dest.example
ann@origin.example       ann@dest.example
keep@free.example        keep@free.example, archive@dest.example
'''
SETTINGS = {'local_domains': ['local.example'], 'origin': 'origin.example'}
DOMAINS = ['alias.example']
TEAM = ['ann@dest.example', 'bob@dest.example']
SENDER = 'sender@client.example'


class Delivering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS, SETTINGS)
        cls.addClassCleanup(cls.system.close)
        cls.system.postfix.parameters['mailbox_transport'] = \
            'smtp:[127.0.0.1]:%d' % cls.system.sink.port
        cls.copies = cls.system.postfix.add_tenant('copies', {
            **private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket),
            'always_bcc': 'archive@books.example'})
        cls.lost_copies = cls.system.postfix.add_tenant('lost', {
            **private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket),
            'always_bcc': 'ann@alias.example'})
        cls.copies_of_some = cls.system.postfix.add_tenant('some', {
            **private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket),
            'recipient_bcc_maps': 'inline:{ {team@alias.example = alias@books.example}, '
                                  '{ann@dest.example = target@books.example} }'})
        cls.system.start()

    def setUp(self):
        self.system.sink.refuse.clear()
        self.system.sink.clear()

    def exchange(self):
        """Who got mail, and (recipient, status) of each report to the sender."""
        mail, bounces = split_bounces(self.system.messages())
        for bounce in bounces:
            self.assertEqual(bounce.recipients[0][0], '<%s>' % SENDER)
        return (sorted(path.strip('<>') for one in mail for path, _ in one.recipients),
                sorted((block['final-recipient'], block['status'])
                       for bounce in bounces for block in report_fields(bounce)))


class Submission(Delivering):
    """sendmail(1): nothing may be refused there, or the message would stay for ever."""

    def test_known_recipients(self):
        self.system.submit(['team@alias.example', '"q x"@alias.example', 'x@far.example'])
        self.assertEqual(self.exchange(),
                         (TEAM + ['quoted@dest.example', 'x@far.example'], []))

    def test_an_unknown_one_bounces_and_the_others_get_their_mail(self):
        self.system.submit(['nobody@alias.example', 'team@alias.example'])
        self.assertEqual(self.exchange(),
                         (TEAM, [('rfc822; nobody@alias.example', '5.1.1')]))

    def test_an_unqualified_one_is_left_to_postfix(self):
        """It is shown to us completed, so what would be deleted is not there: two copies."""
        self.system.submit(['ann', 'bob@alias.example'])
        self.assertEqual(self.exchange(), (['ann@origin.example', 'bob@dest.example'], []))

    def test_local_domains_are_left_to_postfix(self):
        self.system.submit(['loc@local.example', 'bob@alias.example'])
        self.assertEqual(self.exchange(), (['bob@dest.example', 'loc@local.example'], []))

    def test_by_smtp_they_are_expanded(self):
        self.system.send(['loc@local.example'])
        self.assertEqual(self.exchange(), (['loc@dest.example'], []))

    def test_recipients_of_the_header(self):
        self.system.submit([], options=['-t'],
                           text='To: team@alias.example\nCc: nobody@alias.example\n\nHello.\n')
        self.assertEqual(self.exchange(),
                         (TEAM, [('rfc822; nobody@alias.example', '5.1.1')]))

    def test_with_the_daemon_away_it_waits(self):
        self.system.daemon.stop()
        start = self.system.postfix.log_size()
        self.system.submit(['team@alias.example'])
        self.system.postfix.wait_for_log('try again later', start)
        self.assertEqual(len(self.system.postfix.queue_files('maildrop')), 1)
        self.assertEqual(self.system.sink.messages, [])
        self.system.daemon.start()
        self.system.postfix.kick('pickup', 'W')
        self.assertEqual(self.exchange(), (TEAM, []))


class Bounces(Delivering):
    def test_a_bounce_to_an_alias(self):
        self.system.sink.refuse['<gone@far.example>'] = '550 5.1.1 gone'
        self.system.send(['gone@far.example'], sender='team@alias.example')
        bounce, = self.system.messages()
        self.assertEqual((bounce.sender[0], sorted(path for path, _ in bounce.recipients)),
                         ('<>', ['<%s>' % one for one in TEAM]))
        self.assertEqual(report_fields(bounce)[0]['final-recipient'], 'rfc822; gone@far.example')

    def test_a_bounce_to_nobody_ends(self):
        self.system.sink.refuse['<gone@far.example>'] = '550 5.1.1 gone'
        self.system.send(['gone@far.example'], sender='nobody@alias.example')
        self.assertEqual(self.system.messages(), [])


class BlindCopies(Delivering):
    def test_always_bcc(self):
        self.system.send(['team@alias.example'], self.copies.where)
        self.assertEqual(self.system.delivered(), sorted(TEAM + ['archive@books.example']))

    def test_always_bcc_into_an_alias_domain_is_lost(self):
        start = self.system.postfix.log_size()
        self.system.send(['bob@alias.example'], self.lost_copies.where)
        self.assertEqual(self.system.delivered(), ['bob@dest.example'])
        line = self.system.postfix.wait_for_log('to=<ann@alias.example>', start)
        self.assertIn('User unknown in virtual alias table', line)

    def test_recipient_bcc_maps(self):
        """They are asked about the alias, not about its targets."""
        self.system.send(['team@alias.example'], self.copies_of_some.where)
        self.assertEqual(self.system.delivered(), sorted(TEAM + ['alias@books.example']))


class Requeue(Delivering):
    def test_what_was_expanded_stays_so(self):
        """postsuper -r hands the queue file to cleanup again; no milter is asked."""
        self.system.sink.refuse['<bob@dest.example>'] = '450 4.2.0 later'
        start = self.system.postfix.log_size()
        self.system.send(['team@alias.example', 'keep@free.example'])
        harness.wait_until(lambda: len(self.system.sink.recipients()) == 3, 'the others have it')
        # The first time the others may not be marked as done yet; the second time they are.
        self.system.postfix.wait_for_log('status=deferred', start, times=2,
                                         nudge=self.system.postfix.retry)
        self.system.postfix.tool('postsuper', '-r', 'ALL')
        self.system.sink.refuse.clear()
        self.system.postfix.kick('pickup', 'W')
        self.assertEqual(self.system.delivered(),
                         ['ann@dest.example', 'archive@dest.example', 'bob@dest.example',
                          'keep@free.example'])


class Aliases(unittest.TestCase):
    """The same aliases(5) with us and in alias_maps: who gets how many copies."""
    ENTRIES = (('ann', r'\ann, ann@far.example'),
               ('bob', 'bob, bob@far.example'),
               ('carl', 'carl@far.example'),
               ('team', 'ann, bob, carl, dora@far.example'),
               ('rt', '"|/bin/cat", archive@far.example'),
               ('list', ':include:/nowhere/list, one@far.example'))

    @classmethod
    def setUpClass(cls):
        text = ''.join('%s: %s\n' % entry for entry in cls.ENTRIES)
        cls.system = MailSystem([('aliases', text)], [], {
            **SETTINGS, 'foreign_targets': 'skip'})
        cls.addClassCleanup(cls.system.close)
        local = {'mydestination': 'local.example origin.example', 'myorigin': 'origin.example',
                 'mailbox_transport': 'smtp:[127.0.0.1]:%d' % cls.system.sink.port,
                 'alias_maps': cls.system.postfix.add_table(
                     'aliases', ''.join('%s %s\n' % entry for entry in cls.ENTRIES[:-1]))}
        cls.system.postfix.parameters.update(local)
        cls.native = cls.system.postfix.add_tenant('native', {**local, 'smtpd_milters': ''})
        cls.system.start()

    def test_each_gets_as_many_copies_as_without_us(self):
        for name, copies in (('ann', ['ann@far.example', 'ann@origin.example']),
                             ('bob', ['bob@far.example', 'bob@origin.example']),
                             ('carl', ['carl@far.example']), ('rt', ['archive@far.example']),
                             ('team', ['ann@far.example', 'ann@origin.example',
                                       'bob@far.example', 'bob@origin.example',
                                       'carl@far.example', 'dora@far.example'])):
            for where in (None, self.native.where):
                self.system.send([name + '@local.example'], where)
                found = [one.replace('@local.', '@origin.') for one in self.system.delivered()]
                self.assertEqual(found, copies, (name, where))

    def test_an_include_that_fails_leaves_it_to_the_mta(self):
        answer = self.system.daemon.resolve(['list@local.example'])[0]
        self.assertEqual(answer['verdict'], 'foreign')


class Options(unittest.TestCase):
    """What is in the queue file after sendmail(1)."""

    def test_sendmail_n_is_lost_on_targets(self):
        with MailSystem(TABLE, DOMAINS, SETTINGS, hold=True) as system:
            system.submit(['team@alias.example', 'x@far.example'], options=['-N', 'never'])
            path, = harness.wait_until(lambda: system.postfix.queue_files('hold'), 'it is there')
            found = system.postfix.take_held(path.name).recipients
        self.assertEqual(sorted((one.address, one.notify) for one in found),
                         [('ann@dest.example', 0), ('bob@dest.example', 0), ('x@far.example', 1)])


del Delivering

if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
