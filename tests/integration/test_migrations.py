#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Moves three kinds of hosts by the whole configurations of doc/postfix.md, as they stand there.

Mailboxes and aliases in one domain as docker-mailserver has them, Mailman 3 beside aliases, and a
Sendmail with its virtusertable. Before and after, every address must end at the same place; what
may differ is named.
"""
import contextlib
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import guide
import harness
import private_sendmail
from moving_host import MovingHost

# ---- mailboxes and aliases -------------------------------------------------------------

MAILBOX_LAYOUT = '### Mailboxes and aliases in one domain'
MAILBOXES = {
    '/etc/postfix/vhost': 'example.com\nexample.net\n',
    '/etc/postfix/vmailbox': 'ann@example.com example.com/ann/\nbob@example.com example.com/bob/\n'
                             'carl@example.net example.net/carl/\n',
    '/etc/postfix/virtual': '''\
info@example.com      ann@example.com
sales@example.com     ann@example.com,bob@example.com,eve@dest.example
staff@example.com     sales@example.com,carl@example.net
twice@example.com     info@example.com,ann@example.com
bob@example.com       bob@example.com,archive@dest.example
@example.net          carl@example.net
carl@example.net      carl@example.net
root                  ann@example.com
''',
    '/etc/postfix/regexp': '/^shop-[0-9]+@example\\.com$/  bob@example.com\n',
}
MAILBOX_RECIPIENTS = (
    'ann@example.com', 'Ann@EXAMPLE.com', 'ann+x@example.com', 'bob@example.com',
    'info@example.com', 'info+x@example.com', 'sales@example.com', 'staff@example.com',
    'twice@example.com', 'shop-12@example.com', 'shop-x@example.com', 'nobody@example.com',
    'nobody+x@example.com', 'carl@example.net', 'any@example.net', 'root@mail.example.org',
    'user@mail.example.org', 'x@far.example')

# ---- Mailman ---------------------------------------------------------------------------

ROLES = ('', '-bounces', '-confirm', '-join', '-leave', '-owner', '-request', '-subscribe',
         '-unsubscribe')
MAILMAN = '/var/lib/mailman3/data/'
VIRTUAL = '''\
postmaster@example.net         admin@dest.example
friends@example.net            talk@lists.example.com, ann@dest.example
postmaster@lists.example.com   admin@dest.example
'''
MAILMAN_RECIPIENTS = (
    *('talk%s@lists.example.com' % role for role in ROLES), 'Talk@Lists.Example.com',
    'talk-bounces+ann=dest.example@lists.example.com', 'talk-confirm+0123@lists.example.com',
    'other@lists.example.com', 'talk@lists.internal.example', 'friends@example.net',
    'postmaster@lists.example.com', 'nobody@example.net', 'user@mail.example.org')

# ---- Sendmail --------------------------------------------------------------------------

LOCAL_HOST_NAMES = 'mail.example.org\nlocalhost\nexample.com\nexample.net\n'
VIRTUSERTABLE = '''\
info@example.com\tann@dest.example
jane@example.com\tinfo@example.com
sales@example.com\tjoe
gone@example.com\terror:5.1.6:550 Moved away
tag+*@example.com\ttag%3@dest.example
@example.net\t%1@dest.example
'''
SENDMAIL_RECIPIENTS = (
    'info@example.com', 'Info@Example.COM', 'info+x@example.com', 'jane@example.com',
    'sales@example.com', 'gone@example.com', 'tag+one@example.com', 'any@example.net',
    'joe@mail.example.org', 'x@far.example')
SENDMAIL_LINES = '''\
define(`confDOMAIN_NAME', `mail.example.org')dnl
%s
FEATURE(`virtusertable', `text -k0 -v1 {folder}/virtusertable')dnl'''


def ends_in_sendmail(recipients):
    """Where a Sendmail with this virtusertable sends each: an address, or None if refused."""
    lines = SENDMAIL_LINES % '\n'.join(
        "LOCAL_DOMAIN(`%s')dnl" % name for name in LOCAL_HOST_NAMES.split())
    with contextlib.closing(private_sendmail.PrivateSendmail(
            25, {'main': None}, domains=(), lines=lines)) as sendmail:
        # This kind of map ends a value at white space; the words of a reply don't matter here.
        sendmail.write('virtusertable', VIRTUSERTABLE.replace(' ', '_'))
        sendmail.start()
        _, said, _ = sendmail.run('-bt', text=''.join(
            '/parse %s\n' % recipient for recipient in recipients))
    found = re.findall(r'(?m)^mailer (\S+), (?:host .*, )?user (.*)$', said)
    if len(found) != len(recipients):
        raise AssertionError(said)
    return {recipient: {'*error*': None, 'local': user + '@mail.example.org'}.get(mailer, user)
            for recipient, (mailer, user) in zip(recipients, found)}


def ends(deliveries):
    """Code and enhanced code, and who got it; the words of a refusal name another table, and the
    identity map writes a domain in lower case."""
    return {recipient: (reply[:9], [local + at + domain.lower() for local, at, domain in (
        address.partition('@') for address in found)])
            for recipient, (reply, found) in deliveries.items()}


class Migrations(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.host = None

    def layout(self, heading):
        return guide.blocks(guide.section(heading).partition('\n###')[0])

    def move(self, steps):
        """Carry them out; nothing may be said but warnings, and notes of check-postfix."""
        for kind, text in steps:
            said = self.host.carry_out(kind, text)
            remarks = [line for line in said.splitlines()
                       if not re.search('(^|: )(warning|note): ', line) and line[:4] != '    ']
            self.assertEqual(remarks, [], text)

    def test_mailboxes_and_aliases_in_one_domain(self):
        (_, before), *steps, (_, catch_all), (_, refresh) = self.layout(MAILBOX_LAYOUT)
        self.host = MovingHost(self.stack, guide.main_cf(before), MAILBOXES)
        native = ends(self.host.deliveries(MAILBOX_RECIPIENTS))
        self.assertEqual(native['sales@example.com'][1], [
            'ann@example.com', 'archive@dest.example', 'bob@example.com', 'eve@dest.example'])
        self.assertEqual(native['nobody@example.com'], ('550 5.1.1', []))
        self.move(steps)
        self.assertEqual(ends(self.host.deliveries(MAILBOX_RECIPIENTS)), native)
        self.check_refresh(refresh)
        self.check_catch_all(catch_all, dict(steps)['openrcpt.conf'])

    def test_relay_domains(self):
        """The same with the other class of domains, as the page says."""
        (_, before), *steps, _, _ = [
            (kind, text.replace('virtual_mailbox_domains', 'relay_domains').replace(
                'virtual_mailbox_maps', 'relay_recipient_maps'))
            for kind, text in self.layout(MAILBOX_LAYOUT)]
        self.host = MovingHost(self.stack, guide.main_cf(before), MAILBOXES)
        native = ends(self.host.deliveries(MAILBOX_RECIPIENTS))
        self.assertEqual(native['info+x@example.com'][1], ['ann+x@example.com'])
        self.move(steps)
        self.assertEqual(ends(self.host.deliveries(MAILBOX_RECIPIENTS)), native)

    def add_mailbox(self, line):
        with open(self.host.here('/etc/postfix/vmailbox'), 'a', encoding='utf-8') as file:
            file.write(line)

    def check_refresh(self, line):
        """The line for cron compiles if a source is newer than the table, and only then."""
        table = self.host.daemon.table
        before = table.stat().st_ino
        self.host.run(self.host.here(line.replace('&&', '|| exit 0;')))
        self.assertEqual(table.stat().st_ino, before)
        self.add_mailbox('new@example.com x\n')
        self.host.run(self.host.here(line))
        self.assertNotEqual(table.stat().st_ino, before)
        self.assertIn('new@example.com\tdeliver', self.host.run(
            'rcptmap resolve new@example.com\n'))

    def check_catch_all(self, line, settings):
        """A catch-all mailbox and those that are listed."""
        self.add_mailbox('@example.com x\n')
        self.host.run(self.host.here(line))
        source = '{ type = "recipients"; path = "/etc/postfix/vmailbox"; }'
        self.assertIn(source, settings)
        self.host.carry_out('openrcpt.conf', settings.replace(
            source, '{ type = "virtual"; path = "/etc/openrcpt/mailboxes"; }'))
        self.host.run('rcptmap compile\n')
        answers = self.host.run(
            'rcptmap resolve any@example.com ann@example.com info@example.com\n')
        self.assertEqual([line.split('\t')[1:] for line in answers.splitlines()], [
            ['deliver', 'any@example.com'], ['deliver', 'ann@example.com'],
            ['expand', 'ann@example.com']])

    def test_mailman(self):
        (_, before), *steps = self.layout('### Mailman 3')
        files = {MAILMAN + 'postfix_vmap': '# AUTOMATICALLY GENERATED\n' + ''.join(
            'talk%s@lists.example.com    talk%s@lists.internal.example\n' % (role, role)
            for role in ROLES), '/etc/postfix/virtual': VIRTUAL,
                 MAILMAN + 'postfix_domains': 'lists.internal.example lists.example.com\n',
                 MAILMAN + 'postfix_lmtp': ''.join(
                     'talk%s@lists.internal.example    smtp:[127.0.0.1]:{port}\n' % role
                     for role in ROLES)}
        self.host = MovingHost(self.stack, guide.main_cf(before), files)
        os.chmod(self.host.here(MAILMAN + 'postfix_vmap'), 0o664)       # as Mailman does
        native = ends(self.host.deliveries(MAILMAN_RECIPIENTS))
        self.assertEqual(native['talk-bounces+ann=dest.example@lists.example.com'][1],
                         ['talk-bounces+ann=dest.example@lists.internal.example'])
        self.assertEqual(native['other@lists.example.com'], ('550 5.1.1', []))
        self.move(steps)
        self.assertEqual(ends(self.host.deliveries(MAILMAN_RECIPIENTS)), native)

    def test_virtusertable(self):
        # The two differences that the page names.
        differ = {'joe@example.com': ('joe@mail.example.org', []),
                  'any+x@example.net': ('any@dest.example', ['any+x@dest.example'])}
        in_sendmail = ends_in_sendmail((*SENDMAIL_RECIPIENTS, *differ))
        self.assertEqual(in_sendmail['sales@example.com'], 'joe@mail.example.org')
        self.assertIsNone(in_sendmail['gone@example.com'])
        self.host = MovingHost(self.stack, {}, {
            '/etc/mail/virtusertable': VIRTUSERTABLE,
            '/etc/mail/local-host-names': LOCAL_HOST_NAMES})
        self.move(self.layout("### Sendmail's virtusertable"))
        found = self.host.deliveries((*SENDMAIL_RECIPIENTS, *differ))
        for recipient, ends_here in differ.items():
            self.assertEqual((in_sendmail[recipient], found.pop(recipient)[1]), ends_here)
        for recipient, (reply, delivered) in found.items():
            expected = in_sendmail[recipient]
            self.assertEqual(delivered, [expected] if expected else [], recipient)
            self.assertEqual(reply[:1], '2' if expected else '5', recipient)


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap', 'sendmail')
