#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Follows the page about moving an existing table over (doc/postfix.md), word for word.

A Postfix of our own with its own virtual_alias_maps is the host to be moved: `main.cf` as the page
shows it. Each block of the page is then carried out in its order, commands by the shell, lines of
main.cf and openrcpt.conf in their files. The same mail must end at the same places before and
after, and again after going back. Only folders are other ones than on the page.
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import guide
import harness
from daemon import Daemon, children
from private_postfix import PrivatePostfix, settled_file
from smtp_client import SmtpClient
from mail_system import MailSystem
from smtp_sink import SmtpSink

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
# A service of our own for each one of systemctl: it notes what is to be done afterwards.
COMMANDS = {
    'rcptmap': 'subcommand=$1; shift\n'
               '[ "$subcommand" != check-postfix ] || set -- --postfix-config %(etc)s "$@"\n'
               'exec %(rcptmap)s "$subcommand" -c %(conf)s "$@"\n',
    'systemctl': 'echo "$*" >> %(folder)s/services\n',
}


def section():
    """The page's part about moving over: blocks of the way there, and of the way back."""
    text = guide.section('## Moving an existing table over').partition('### Mailboxes ')[0]
    there, _, back = text.partition('### Going back')
    return guide.blocks(there), guide.blocks(back)


class Host:
    """The machine: a Postfix, a sink, and folders that stand for those of the page."""

    def __init__(self, stack, before):
        self.sink = stack.enter_context(SmtpSink())
        to_sink = '[127.0.0.1]:%d' % self.sink.port
        self.postfix = stack.enter_context(contextlib.closing(PrivatePostfix(
            {'relayhost': to_sink, 'mailbox_transport': 'smtp:' + to_sink}, hold=False)))
        self.daemon = stack.enter_context(contextlib.closing(Daemon(None)))
        self.folder = stack.enter_context(harness.Scratch())
        self._put_the_socket_where_postfix_looks()
        self.names = {
            '/etc/postfix': str(self.postfix.etc), '/etc/openrcpt': str(
                self.daemon.configuration.parent)}
        self.postfix.parameters.update(
            {name: self.here(value) for name, value in before.items()})
        self.postfix.add_table('virtual', VIRTUAL)
        self._make_commands()
        self.postfix.start()

    def _put_the_socket_where_postfix_looks(self):
        """What the package does: /var/spool/postfix/openrcpt, 2750 openrcpt:postfix."""
        folder, old = self.postfix.spool / 'openrcpt', self.daemon.socket.parent
        folder.mkdir()
        os.chown(folder, old.stat().st_uid, old.stat().st_gid)
        folder.chmod(0o2750)
        self.daemon.socket = folder / 'milter.sock'
        self.daemon.write_configuration(socket='unix:%s' % self.daemon.socket)

    def _make_commands(self):
        words = {'rcptmap': harness.program('rcptmap'), 'conf': self.daemon.configuration,
                 'folder': self.folder, 'etc': self.postfix.etc}
        (self.folder / 'bin').mkdir()
        for name, text in COMMANDS.items():
            path = self.folder / 'bin' / name
            path.write_text('#!/bin/sh\n' + text % words, encoding='utf-8')
            path.chmod(0o755)

    def here(self, text):
        """TEXT with the folders of this host."""
        for name, path in self.names.items():
            text = text.replace(name, path)
        return text

    # ---- carrying out the page ---------------------------------------------------------

    def carry_out(self, kind, text):
        """One block of the page; what its commands printed."""
        said = {'sh': self.run, 'main.cf': self.edit_main_cf,
                'openrcpt.conf': self.edit_openrcpt_conf}[kind](self.here(text))
        services = self.folder / 'services'
        if services.exists():
            for line in services.read_text(encoding='utf-8').splitlines():
                {'enable --now openrcptd': self.daemon.start,
                 'reload postfix': self.reload_postfix}[line]()
            services.unlink()
        return said

    def run(self, text):
        done = subprocess.run(
            ['/bin/sh', '-e'], input=text, check=False, cwd=self.folder.path, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8',
            env={**self.postfix.environment, 'HOME': str(self.folder), 'LC_ALL': 'C.UTF-8',
                 'PATH': '%s/bin:/usr/sbin:/usr/bin:/sbin:/bin' % self.folder})
        if done.returncode:
            raise AssertionError('exit %d of\n%s%s' % (done.returncode, text, done.stdout))
        return done.stdout

    def edit_main_cf(self, text):
        path, changes = self.postfix.etc / 'main.cf', guide.main_cf(text)
        lines = [line for line in path.read_text(encoding='utf-8').splitlines(True)
                 if line.split(' = ')[0] not in changes]
        settled_file(path, ''.join(lines) + text)
        return ''

    def edit_openrcpt_conf(self, text):
        own = ('socket', 'user', 'runtime_directory', 'log', 'table')
        self.daemon.settings = {name: self.daemon.settings[name] for name in own}
        self.daemon.snippet = text
        self.daemon.write_configuration()
        return ''

    def reload_postfix(self):
        """Like systemctl, it waits: nobody answers any more who has read the old files."""
        master = self.postfix.process.pid
        names = {pid: self._name_of(pid) for pid in children(master)}
        start = self.postfix.log_size()
        os.kill(master, 1)
        self.postfix.wait_for_log('reload', start)
        old = {pid for pid, name in names.items() if name not in ('qmgr', 'postlogd', '')}
        harness.wait_until(lambda: not old.intersection(children(master)), 'old processes end')

    @staticmethod
    def _name_of(pid):
        try:
            return pathlib.Path('/proc/%d/comm' % pid).read_text(encoding='utf-8').strip()
        except OSError:
            return ''

    # ---- mail --------------------------------------------------------------------------

    settle, messages, delivered = MailSystem.settle, MailSystem.messages, MailSystem.delivered

    def deliveries(self):
        """For each recipient the reply, and who got the message."""
        found = {}
        for recipient in RECIPIENTS:
            with SmtpClient(self.postfix.where) as client:
                reply = client.message([recipient], sender='<>').recipients[0]
            found[recipient] = (str(reply), self.delivered())
        return found


class Migration(unittest.TestCase):
    maxDiff = None

    def test_the_page(self):
        there, back = section()
        kinds = [kind for kind, _ in there]
        self.assertEqual(kinds.count('main.cf'), 2, 'before and after')
        before = guide.main_cf(there[kinds.index('main.cf')][1])
        with contextlib.ExitStack() as stack:
            host = Host(stack, before)
            native = host.deliveries()
            self.check_that_it_shows_something(native)
            self.follow(host, there)
            self.assertEqual(host.deliveries(), native)
            self.assertIn('orig_to=<ann@example.com>', host.daemon.log_text())
            for kind, text in back:
                host.carry_out(kind, text)
            host.daemon.stop()
            self.assertEqual(host.deliveries(), native)

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
