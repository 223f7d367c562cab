#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Beside other filters: a proxy before the queue, a content filter behind it, another milter."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_postfix
from mail_system import MailSystem, report_fields, split_bounces
from other_milter import ACCEPT, OtherMilter
from relay_filter import RelayFilter

TABLE = '''\
alias.example            domain
ann@alias.example        ann@dest.example
team@alias.example       ann@dest.example, bob@dest.example
keep@free.example        keep@free.example, archive@dest.example
'''
DOMAINS = ['alias.example']
TEAM = ['ann@dest.example', 'bob@dest.example']
UNKNOWN = '550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual alias table'
NO_MILTERS = 'no_milters, no_address_mappings'
# One message for each recipient, as many filters want it: a second expansion would show.
SCAN = 'scan unix - - n - - smtp\n'


class Filtering(unittest.TestCase):
    system = None

    def recipe(self, **changes):
        """Parameters of a tenant with the recipe."""
        return {**private_postfix.behind_milter(DOMAINS, self.system.daemon.socket), **changes}

    def setUp(self):
        self.system.sink.clear()

    def arrived(self, is_filtered=True):
        """Who got mail; all of it went through the filter, or none."""
        mail, bounces = split_bounces(self.system.messages())
        self.assertEqual(bounces, [])
        for one in mail:
            self.assertEqual(one.text.count('X-Filter: passed'), int(is_filtered))
        return sorted(path.strip('<>') for one in mail for path, _ in one.recipients)


class Proxy(Filtering):
    """smtpd_proxy_filter: the first smtpd passes each command through the filter to a second."""

    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS)
        cls.addClassCleanup(cls.system.close)
        cls.tenants = {}
        add = cls.system.postfix.add_tenant
        for name, has_front, has_after in (('right', False, True), ('wrong', True, False)):
            scan = RelayFilter()
            cls.addClassCleanup(scan.close)
            recipe = private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket)
            without = {**recipe, 'smtpd_milters': ''}
            after = add('after-' + name, {
                **(recipe if has_after else without),
                'smtpd_authorized_xforward_hosts': '127.0.0.0/8'})
            scan.after = after.where
            cls.tenants[name] = add('front-' + name, {
                **(recipe if has_front else without),
                'smtpd_proxy_filter': '127.0.0.1:%d' % scan.port})
        cls.system.start()

    def test_the_milter_is_behind_the_filter(self):
        sent = self.system.send(['team@alias.example', 'nobody@alias.example', 'x@far.example'],
                                self.tenants['right'].where)
        self.assertEqual(sent.recipients[1], UNKNOWN % 'nobody@alias.example')
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550, 250])
        self.assertEqual(self.arrived(), TEAM + ['x@far.example'])

    def test_an_alias_that_contains_itself(self):
        self.system.send(['keep@free.example'], self.tenants['right'].where)
        self.assertEqual(self.arrived(), ['archive@dest.example', 'keep@free.example'])

    def test_in_front_of_it_refuses_and_never_expands(self):
        start = self.system.postfix.log_size()
        sent = self.system.send(['team@alias.example', 'nobody@alias.example', 'x@far.example'],
                                self.tenants['wrong'].where)
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550, 250])
        mail, (bounce,) = split_bounces(self.system.messages())
        self.assertEqual([one.recipients[0][0] for one in mail], ['<x@far.example>'])
        self.assertEqual(report_fields(bounce)[0]['final-recipient'],
                         'rfc822; team@alias.example')
        self.system.postfix.wait_for_log('User unknown in virtual alias table', start)


class ContentFilter(Filtering):
    """content_filter: queued, sent through the filter, taken back by another smtpd."""

    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS, services=SCAN,
                                parameters={'scan_destination_recipient_limit': '1'})
        cls.addClassCleanup(cls.system.close)
        cls.tenants = {}
        recipe = private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket)
        add = cls.system.postfix.add_tenant
        for name, override, front in (
                ('right', NO_MILTERS, {}),
                ('wrong', 'no_address_mappings', {}),
                ('unmapped', 'no_milters',
                 {'receive_override_options': 'no_address_mappings'})):
            scan = RelayFilter()
            cls.addClassCleanup(scan.close)
            scan.after = add('after-' + name,
                             {**recipe, 'receive_override_options': override}).where
            cls.tenants[name] = add('front-' + name, {
                **recipe, **front, 'content_filter': 'scan:[127.0.0.1]:%d' % scan.port})
        cls.system.start()

    def test_mail_is_expanded_once(self):
        for name in ('right', 'unmapped'):
            with self.subTest(name):
                where = self.tenants[name].where
                sent = self.system.send(['team@alias.example', 'nobody@alias.example'], where)
                self.assertEqual(sent.recipients[1], UNKNOWN % 'nobody@alias.example')
                self.assertEqual(self.arrived(), TEAM)
                self.system.send(['keep@free.example'], where)
                self.assertEqual(self.arrived(), ['archive@dest.example', 'keep@free.example'])

    def test_no_address_mappings_alone_does_not_stop_a_milter(self):
        self.system.send(['keep@free.example'], self.tenants['wrong'].where)
        self.assertEqual(self.arrived(), ['archive@dest.example'] * 2 + ['keep@free.example'])

    def test_delivery_status_parameters_survive_the_filter(self):
        self.system.send(['<team@alias.example> NOTIFY=FAILURE ORCPT=rfc822;o@client.example'],
                         self.tenants['right'].where)
        self.assertEqual(
            {parameters for one in self.system.messages() for _, parameters in one.recipients},
            {'ORCPT=rfc822;o@client.example NOTIFY=FAILURE'})


class BesideAnotherMilter(Filtering):
    """The recipe says: ours last."""

    @classmethod
    def setUpClass(cls):
        cls.system = MailSystem(TABLE, DOMAINS)
        cls.addClassCleanup(cls.system.close)
        cls.other = OtherMilter()
        cls.addClassCleanup(cls.other.close)
        recipe = private_postfix.behind_milter(DOMAINS, cls.system.daemon.socket)
        ours, add = recipe['smtpd_milters'], cls.system.postfix.add_tenant
        cls.ours_last = add('last', {
            **recipe, 'smtpd_milters': '%s, %s' % (cls.other.entry, ours)}).where
        cls.ours_first = add('first', {
            **recipe, 'smtpd_milters': '%s, %s' % (ours, cls.other.entry)}).where
        cls.system.start()

    def setUp(self):
        super().setUp()
        self.other.__dict__.update(at_recipient={}, at_end=b'c', recipients=[], ends=0)

    def test_one_before_ours_sees_the_aliases(self):
        self.system.send(['team@alias.example', 'nobody@alias.example'], self.ours_last)
        self.assertEqual(self.other.recipients, ['<team@alias.example>', '<nobody@alias.example>'])
        self.assertEqual(self.arrived(False), TEAM)

    def test_one_before_ours_refuses_a_recipient(self):
        self.other.at_recipient['<ann@alias.example>'] = OtherMilter.reply('550 5.7.1 not her')
        sent = self.system.send(['ann@alias.example', 'keep@free.example'], self.ours_last)
        self.assertEqual(sent.recipients, ['550 5.7.1 not her', '250 2.1.5 Ok'])
        self.assertEqual(self.arrived(False), ['archive@dest.example', 'keep@free.example'])

    def test_one_behind_ours_refuses_a_recipient_too_late(self):
        """We are not told, so its targets are added: the reason for `last`."""
        self.other.at_recipient['<ann@alias.example>'] = OtherMilter.reply('550 5.7.1 not her')
        sent = self.system.send(['ann@alias.example', 'keep@free.example'], self.ours_first)
        self.assertEqual(sent.recipients, ['550 5.7.1 not her', '250 2.1.5 Ok'])
        self.assertEqual(self.arrived(False), ['ann@dest.example', 'archive@dest.example',
                                               'keep@free.example'])

    def test_one_behind_ours_does_not_see_whom_we_refuse(self):
        self.system.send(['nobody@alias.example', 'team@alias.example'], self.ours_first)
        self.assertEqual(self.other.recipients, ['<team@alias.example>'])
        self.assertEqual(self.arrived(False), TEAM)

    def test_it_refuses_the_message(self):
        self.other.at_end = OtherMilter.reply('550 5.7.1 spam')
        for where in (self.ours_first, self.ours_last):
            sent = self.system.send(['team@alias.example'], where)
            self.assertEqual((sent.data, self.arrived(False)), ('550 5.7.1 spam', []))
        self.assertEqual(self.other.ends, 2)

    def test_it_accepts_at_once(self):
        self.other.at_recipient['<team@alias.example>'] = ACCEPT
        for where in (self.ours_first, self.ours_last):
            sent = self.system.send(['team@alias.example', 'nobody@alias.example'], where)
            self.assertEqual([reply.code for reply in sent.recipients], [250, 550])
            self.assertEqual(self.arrived(False), TEAM)


del Filtering

if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
