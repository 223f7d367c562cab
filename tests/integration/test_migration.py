#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Follows the page about moving an existing table over (doc/postfix.md), word for word.

A Postfix of our own with its own virtual_alias_maps is the host to be moved: `main.cf` as the page
shows it. Each block of the page is then carried out in its order, commands by the shell, lines of
main.cf and openrcpt.conf in their files. The same mail must end at the same places before and
after, and again after going back. Only folders are other ones than on the page.
"""
import contextlib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import guide
import harness
from moving_host import MovingHost

VIRTUAL = '''\
# The table of the host to be moved, for Postfix.
ann@example.com           ann@dest.example
bob@example.com           bob@dest.example
team@example.com          ann@dest.example, bob@dest.example,
                          carl@far.example
nested@example.com        team@example.com, dora@dest.example
owner+urgent@example.com  pager@dest.example
owner@example.com         owner@dest.example
postmaster@example.com    admin@dest.example
shop@example.net          sales@example.com
sales@example.com         eve@dest.example, fred@far.example
@example.net              catchall@dest.example

# Other domains, and local users.
friend@elsewhere.example  friend@dest.example
both@elsewhere.example    both@elsewhere.example, copy@dest.example
root                      admin@dest.example
webmaster@localhost       admin@dest.example
'''
RECIPIENTS = (
    'ann@example.com', 'ANN@Example.COM', 'ann+list@example.com', '"ann"@example.com',
    'team@example.com', 'team+x@example.com', 'nested@example.com', 'owner@example.com',
    'owner+urgent@example.com', 'owner+other@example.com', 'postmaster@example.com',
    'nobody@example.com', 'nobody+x@example.com', 'shop@example.net',
    'anybody@example.net', 'anybody+x@example.net', 'shop+x@example.net', 'friend@elsewhere.example',
    'other@elsewhere.example', 'both@elsewhere.example', 'x@far.example',
    'root@mail.example.org', 'root@localhost', 'root@example.org', 'user@mail.example.org',
    'webmaster@localhost')


def section():
    """The page's part about moving over: blocks of the way there, and of the way back."""
    text = guide.section('## Moving an existing table over').partition('### Mailboxes ')[0]
    there, _, back = text.partition('### Going back')
    return guide.blocks(there), guide.blocks(back)


class Migration(unittest.TestCase):
    maxDiff = None

    def test_the_page(self):
        there, back = section()
        kinds = [kind for kind, _ in there]
        self.assertEqual(kinds.count('main.cf'), 2, 'before and after')
        before = guide.main_cf(there[kinds.index('main.cf')][1])
        with contextlib.ExitStack() as stack:
            host = MovingHost(stack, before, {'/etc/postfix/virtual': VIRTUAL})
            native = host.deliveries(RECIPIENTS)
            self.check_that_it_shows_something(native)
            self.follow(host, there)
            self.assertEqual(host.deliveries(RECIPIENTS), native)
            self.assertIn('orig_to=<ann@example.com>', host.daemon.log_text())
            for kind, text in back:
                host.carry_out(kind, text)
            host.daemon.stop()
            self.assertEqual(host.deliveries(RECIPIENTS), native)

    def follow(self, host, steps):
        """Carry all of it out; what must be silent is silent, what must be seen is seen."""
        was_shown, said = False, ''
        for kind, text in steps:
            if kind == 'main.cf' and not was_shown:
                was_shown = True                # what the host has, not what to do
                self.assertIn(host.here(text.splitlines()[1]), said)
                continue
            said = host.carry_out(kind, text)
            if 'diff' in text or 'check-postfix' in text or 'compile' in text:
                remarks = [line for line in said.splitlines() if ': warning: ' not in line]
                self.assertEqual(remarks, [], text)
        self.assertGreater((host.folder / 'move-to-openrcpt' / 'addresses').stat().st_size, 200)

    def check_that_it_shows_something(self, native):
        self.assertEqual(native['team@example.com'], (
            '250 2.1.5 Ok', ['ann@dest.example', 'bob@dest.example', 'carl@far.example']))
        self.assertEqual(native['anybody@example.net'], (
            '250 2.1.5 Ok', ['catchall@dest.example']))
        self.assertEqual(native['nobody@example.com'], (
            '550 5.1.1 <nobody@example.com>: Recipient address rejected: '
            'User unknown in virtual alias table', []))


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
