#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipe for full coverage: what no milter has seen goes through an smtpd on loopback."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_mta
import private_postfix
from mail_system import MailSystem, report_fields, split_bounces

TABLE = '''\
alias.example            domain
ann@alias.example        ann@dest.example
team@alias.example       ann@dest.example, bob@dest.example
box@box.example          box@box.example
'''
TEAM = ['ann@dest.example', 'bob@dest.example']
ALIASES = '''\
sales:  team@alias.example
lost:   nobody@alias.example
both:   ann@alias.example, x@far.example
'''
SERVICE = '''\
127.0.0.1:%d inet n - n - - smtpd
    -o syslog_name=postfix/reinject
    -o smtpd_client_restrictions=permit_mynetworks,reject
    -o milter_default_action=tempfail
    -o milter_macro_daemon_name=%s
'''
SENDER = 'sender@client.example'


def full_coverage(name='REINJECT'):
    """A mail system with the recipe; NAME is what its second smtpd calls itself."""
    port = private_mta.free_port()
    settings = {'mailbox_domains': ['box.example']}
    system = MailSystem(TABLE, [], settings, services=SERVICE % (port, name), parameters={
        'virtual_alias_domains': '', 'virtual_alias_maps': '',
        'relay_domains': 'alias.example box.example', 'relay_recipient_maps': '',
        'transport_maps': 'inline:{ { alias.example = smtp:[127.0.0.1]:%d }, '
                          '{ box.example = smtp:[127.0.0.1]:%d } }' % (port, port),
        'non_smtpd_milters': '', 'internal_mail_filter_classes': ''})
    path = system.postfix.add_table('aliases', ALIASES, 'texthash').partition(':')[2]
    system.postfix.tool('postalias', 'hash:' + path)
    system.postfix.parameters['alias_maps'] = 'hash:' + path
    return system


class FullCoverage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = full_coverage()
        cls.addClassCleanup(cls.system.close)
        cls.copies = cls.system.postfix.add_tenant('copies', {
            'smtpd_milters': private_postfix.milter_entry(cls.system.daemon.socket),
            'relay_domains': 'alias.example', 'relay_recipient_maps': '',
            'always_bcc': 'ann@alias.example'})
        cls.system.start()

    def setUp(self):
        self.system.sink.refuse.clear()
        self.system.sink.clear()

    def restart(self):
        """Whatever has become of a test that stopped the daemon."""
        if self.system.daemon.process is None:
            self.system.daemon.start()

    def exchange(self):
        """Who got mail, and (recipient, status, words) of each report to the sender."""
        mail, bounces = split_bounces(self.system.messages())
        for bounce in bounces:
            self.assertEqual(bounce.recipients[0][0], '<%s>' % SENDER)
        return (sorted(path.strip('<>') for one in mail for path, _ in one.recipients),
                sorted((block['final-recipient'], block['status'])
                       for bounce in bounces for block in report_fields(bounce)))

    def test_smtp(self):
        sent = self.system.send(['team@alias.example', 'nobody@alias.example', 'x@far.example'])
        self.assertEqual([reply.status for reply in sent.recipients],
                         ['250 2.1.5', '550 5.1.1', '250 2.1.5'])
        self.assertEqual(self.exchange(), (TEAM + ['x@far.example'], []))
        self.assertNotIn('postfix/reinject', self.system.postfix.log_text().partition(
            sent.data.queue_id)[2])

    def test_sendmail(self):
        start = self.system.postfix.log_size()
        self.system.submit(['team@alias.example', 'x@far.example'])
        self.assertEqual(self.exchange(), (TEAM + ['x@far.example'], []))
        self.assertIn('postfix/reinject', self.system.postfix.log_text()[start:])

    def test_sendmail_to_an_unknown_user(self):
        self.system.submit(['nobody@alias.example', 'ann@alias.example'])
        mail, (bounce,) = split_bounces(self.system.messages())
        self.assertEqual([one.recipients[0][0] for one in mail], ['<ann@dest.example>'])
        self.assertEqual(report_fields(bounce)[0]['status'], '5.1.1')
        self.assertIn('User unknown in virtual alias table', bounce.text)

    def test_aliases(self):
        self.system.send(['sales@local.example'])
        self.assertEqual(self.exchange(), (TEAM, []))
        self.system.send(['both@local.example'])
        self.assertEqual(self.exchange(), (['ann@dest.example', 'x@far.example'], []))

    def test_an_alias_to_an_unknown_user(self):
        self.system.send(['lost@local.example'])
        self.assertEqual(self.exchange(), ([], [('rfc822; nobody@alias.example', '5.1.1')]))

    def test_blind_copies(self):
        self.system.send(['x@far.example'], self.copies.where)
        self.assertEqual(self.exchange(), (['ann@dest.example', 'x@far.example'], []))

    def test_bounces(self):
        self.system.sink.refuse['<gone@far.example>'] = '550 5.1.1 gone'
        self.system.send(['gone@far.example'], sender='team@alias.example')
        bounce, = self.system.messages()
        self.assertEqual(sorted(path.strip('<>') for path, _ in bounce.recipients), TEAM)

    def test_requeued_mail(self):
        """Queued while an address was an alias of nobody's; sent on by postsuper -r."""
        self.system.daemon.stop()
        self.addCleanup(self.restart)
        start = self.system.postfix.log_size()
        self.system.submit(['team@alias.example'])
        self.system.postfix.wait_for_log('status=deferred', start)
        self.system.postfix.tool('postsuper', '-r', 'ALL')
        self.system.daemon.start()
        self.system.postfix.kick('pickup', 'W')
        self.assertEqual(self.exchange(), (TEAM, []))

    def test_with_the_daemon_away_mail_waits(self):
        self.system.daemon.stop()
        self.addCleanup(self.restart)
        self.assertEqual(self.system.send(['team@alias.example']).mail.code, 451)
        start = self.system.postfix.log_size()
        self.system.submit(['team@alias.example'])
        self.system.postfix.wait_for_log('status=deferred', start)
        self.assertEqual(self.system.sink.messages, [])
        self.system.daemon.start()
        self.assertEqual(self.exchange(), (TEAM, []))

    def test_delivery_status_parameters_survive_the_detour(self):
        self.system.submit(['ann@alias.example'], options=['-N', 'never'])
        message, = self.system.messages()
        self.assertEqual(message.recipients, [
            ('<ann@dest.example>', 'ORCPT=rfc822;ann@alias.example NOTIFY=NEVER')])


class Loops(unittest.TestCase):
    """A mailbox, sent round by mistake: its domain belongs to a host that delivers."""

    def outcome(self, name, words):
        """What Postfix logged once it said WORDS; nobody has got the message."""
        with full_coverage(name) as system:
            system.submit(['box@box.example'])
            system.postfix.wait_for_log(words)
            self.assertEqual(system.sink.recipients(), [])
            return system.postfix.log_text()

    def test_by_its_name_we_know_that_it_has_been_round(self):
        log = self.outcome('REINJECT', 'status=deferred')
        self.assertIn('451 4.6.0 <box@box.example>', log)

    def test_without_the_name_it_goes_round_until_postfix_ends_it(self):
        self.outcome('other', 'too many hops')



if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
