# SPDX-License-Identifier: BSD-2-Clause
"""A machine that is moved to openrcpt by doc/postfix.md, word for word.

    with contextlib.ExitStack() as stack:
        host = MovingHost(stack, {'virtual_alias_maps': 'hash:/etc/postfix/virtual'},
                          {'/etc/postfix/virtual': TABLE})
        before = host.deliveries(RECIPIENTS)
        for kind, text in guide.blocks(...):
            host.carry_out(kind, text)

A Postfix of our own, openrcptd, and a sink where all mail ends. Blocks of the page are carried out
as they stand there: commands by the shell, lines of main.cf and openrcpt.conf in their files. Only
folders are other ones than on the page.
"""
import contextlib
import os
import pathlib
import subprocess

import guide
import harness
from daemon import Daemon, children
from mail_system import MailSystem
from private_postfix import PrivatePostfix, settled_file
from smtp_client import SmtpClient
from smtp_sink import SmtpSink

# A service of our own for each one of systemctl: it notes what is to be done afterwards.
COMMANDS = {
    'rcptmap': 'subcommand=$1; shift\n'
               '[ "$subcommand" != check-postfix ] || set -- --postfix-config %(etc)s "$@"\n'
               'exec %(rcptmap)s "$subcommand" -c %(conf)s "$@"\n',
    'systemctl': 'echo "$*" >> %(folder)s/services\n',
}


class MovingHost:
    """parameters: of main.cf before the move. files: {path on the page: text}; what the parameters
    name as hash: is made into one. Paths are those of the page; {port} is that of the sink."""

    def __init__(self, stack, parameters, files):
        self.sink = stack.enter_context(SmtpSink())
        to_sink = '[127.0.0.1]:%d' % self.sink.port
        self.postfix = stack.enter_context(contextlib.closing(PrivatePostfix(
            {'relayhost': to_sink, 'mailbox_transport': 'smtp:' + to_sink,
             'virtual_transport': 'smtp:' + to_sink}, hold=False)))
        self.daemon = stack.enter_context(contextlib.closing(Daemon(None)))
        self.folder = stack.enter_context(harness.Scratch())
        self._put_the_socket_where_postfix_looks()
        self.names = {
            '/etc/postfix': str(self.postfix.etc),
            '/etc/openrcpt': str(self.daemon.configuration.parent),
            '/var/lib/openrcpt': str(self.daemon.table.parent)}
        self._make_commands()
        self._write_files(parameters, files)
        self.postfix.start()

    def _put_the_socket_where_postfix_looks(self):
        """What the package does: /var/spool/postfix/openrcpt, 2750 openrcpt:postfix."""
        folder, old = self.postfix.spool / 'openrcpt', self.daemon.socket.parent
        folder.mkdir()
        os.chown(folder, old.stat().st_uid, old.stat().st_gid)
        folder.chmod(0o2750)
        self.daemon.socket = folder / 'milter.sock'
        self.daemon.write_configuration(socket='unix:%s' % self.daemon.socket)

    def _write_files(self, parameters, files):
        for folder in sorted({path.rpartition('/')[0] for path in files} - set(self.names)):
            self.names[folder] = str(self.folder / folder.strip('/').replace('/', '-'))
            os.mkdir(self.names[folder])
        for path, text in files.items():
            settled_file(self.here(path), text.replace('{port}', str(self.sink.port)))
        values = {name: self.here(value) for name, value in parameters.items()}
        self.postfix.parameters.update(values)
        for table in sorted({word for value in values.values()
                             for word in value.replace(',', ' ').split() if word[:5] == 'hash:'}):
            self.postfix.tool('postmap', table)

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
        """One block of the page; what its commands printed. One without a kind is an example."""
        if not kind:
            return ''
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

    def deliveries(self, recipients):
        """For each recipient the reply, and who got the message."""
        found = {}
        for recipient in recipients:
            with SmtpClient(self.postfix.where) as client:
                reply = client.message([recipient], sender='<>').recipients[0]
            found[recipient] = (str(reply), self.delivered())
        return found
