#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd's sandbox: each of its processes tries from inside what it should be kept from."""
import ctypes
import errno
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
'''
OTHER = TABLE + 'bob@alias.example    bob@dest.example\n'

# What is tried, and what becomes of it; an errno, or 0 where it works. seccomp says EPERM, Landlock
# says EACCES of files. What a process of no privileges couldn't do anyway isn't told apart.
CHILD = {
    'read': 'EACCES', 'read-configuration': 'EACCES', 'read-table': 'EACCES',
    'write-table': 'EPERM', 'write': 'EPERM', 'make': 'EPERM', 'make-in-runtime': 'EPERM',
    'remove': 'EPERM', 'make-folder': 'EPERM', 'link': 'EPERM', 'execute': 'EPERM', 'tcp': 'EPERM',
    'abstract': 'EPERM', 'signal': 'EPERM', 'ptrace': 'EPERM', 'mount': 'EPERM', 'bpf': 'EPERM',
    'io_uring': 'EPERM', 'setuid': 'EPERM', 'unshare': 'EPERM', 'new-code': 'EPERM',
    'fork': 'EPERM', 'end': '0',
}
EXPECTED = {
    'metrics': CHILD,
    'worker': {**CHILD, 'read-table': '0'},
    'reader': {**CHILD, 'read': '0', 'read-configuration': '0', 'read-table': '0',
               'new-code': '0'},
    # It starts the others, and they have no more than it has.
    'master': {**{what: result for what, result in CHILD.items() if what != 'fork'},
               'read': '0', 'read-configuration': '0', 'read-table': '0',
               'write-table': 'EACCES', 'write': 'EACCES', 'make': 'EACCES',
               'make-in-runtime': '0', 'remove': 'EACCES', 'make-folder': 'EACCES',
               'execute': 'EACCES', 'execute-own': '0', 'new-code': '0'},
}
# What a process may do without a sandbox: else the test would show nothing.
WITHOUT = {'read': '0', 'read-table': '0', 'write': '0', 'make': '0', 'make-in-runtime': '0',
           'remove': '0', 'make-folder': '0', 'link': '0', 'execute': 'ENOEXEC', 'tcp': '0',
           'abstract': '0', 'signal': '0', 'ptrace': 'ESRCH', 'new-code': '0'}


class TestCase(unittest.TestCase):
    def setUp(self):
        self.made = Daemon(TABLE)
        self.addCleanup(self.made.close)

    def start(self, **settings):
        self.made.write_configuration(**settings)
        self.made.start()
        self.made.wait_for_log('serves')

    def status(self):
        made = self.made
        result = subprocess.run(
            harness.command('rcptctl', '-c', made.configuration, '--json', 'status'),
            check=True, stdout=subprocess.PIPE)
        return json.loads(result.stdout)

    def assert_serves(self):
        self.assertEqual(self.made.message(['<ann@alias.example>']).replies[0], 'continue')

    def need_sandbox(self):
        """Where kernel and build have all of it, as the daemon itself has found."""
        told = self.status()
        if not re.fullmatch('ABI [6-9]|on', told['landlock']) or told['seccomp'] != 'on':
            self.skipTest('Landlock %s, seccomp %s' % (told['landlock'], told['seccomp']))


class FromInside(TestCase):
    def prepare(self):
        """What there is to be tried."""
        scratch = harness.Scratch()
        self.addCleanup(scratch.remove)
        self.folder = folder = scratch.path
        folder.chmod(0o777)
        (folder / 'program').write_bytes(b'no program')
        (folder / 'program').chmod(0o755)
        (folder / 'written').touch()
        (folder / 'written').chmod(0o666)
        for role in EXPECTED:
            (folder / ('removed-by-' + role)).touch()
        account = pwd.getpwnam(self.made.user)
        other = subprocess.Popen(
            ['sleep', 'infinity'],
            **({'user': account.pw_uid, 'group': account.pw_gid} if os.geteuid() == 0 else {}))
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        name = 'openrcpt-test-%d' % os.getpid()
        abstract = socket.socket(socket.AF_UNIX)
        self.addCleanup(abstract.close)
        abstract.bind('\0' + name)
        abstract.listen(64)
        tcp = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.addCleanup(tcp.close)
        return {'TRY_FOLDER': folder, 'TRY_RUNTIME': self.made.runtime,
                'TRY_TABLE': self.made.table, 'TRY_PROGRAM': harness.program('openrcptd'),
                'TRY_CONFIGURATION': self.made.configuration,
                'TRY_PID': other.pid, 'TRY_ABSTRACT': name, 'TRY_PORT': tcp.getsockname()[1]}

    def preload(self):
        library = self.made.folder / 'preload.so'
        subprocess.run(['cc', '-shared', '-fPIC', '-o', str(library),
                        str(pathlib.Path(__file__).with_name('preload_sandbox.c')), '-ldl'],
                       check=True)
        self.addCleanup(os.environ.update, dict(os.environ))
        self.addCleanup(os.environ.clear)
        for name, value in self.prepare().items():
            os.environ[name] = str(value)
        os.environ['LD_PRELOAD'] = str(library)
        # A sanitizer's library wants to be the first one.
        os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'

    def tried(self, **settings):
        """What came of each: role, then what was tried."""
        self.preload()
        metrics = self.made.runtime / 'metrics.sock'
        self.made.write_configuration(metrics='unix:%s' % metrics, **settings)
        self.made.spawn()
        del os.environ['LD_PRELOAD']
        self.made.wait_until_ready()
        for role in ('master', 'worker', 'metrics'):
            self.made.wait_for_log('tried %s end' % role)
        self.assert_serves()
        os.kill(self.made.master, signal.SIGHUP)
        self.made.wait_for_log('tried reader end')
        self.made.wait_for_log('reloaded')
        self.assert_serves()
        found = {role: {} for role in EXPECTED}
        for line in self.made.log_text().splitlines():
            words = line.split()
            if words[:1] == ['tried']:
                found[words[1]][words[2]] = words[3]
        return found

    def test_each_is_refused(self):
        found = self.tried()
        self.need_sandbox()
        for role, expected in EXPECTED.items():
            with self.subTest(role):
                self.assertEqual(found[role], expected)
        # And mail goes on, with another table, too.
        self.made.replace_table(OTHER)
        self.made.wait_for_answer('<bob@alias.example>', lambda reply: reply == 'continue')
        self.assertEqual(len(self.made.workers()), 2)

    def test_without_a_sandbox_it_is_not(self):
        found = self.tried(sandbox='off')
        for role in EXPECTED:
            for what, result in WITHOUT.items():
                with self.subTest(role=role, what=what):
                    self.assertEqual(found[role][what], result)


    def filters(self):
        return daemon.process_status(self.made.master).get('Seccomp_filters')

    def test_a_successor_can_do_all_that_it_has_to(self):
        """The same process with its program anew keeps the sandbox, and needs no second one."""
        made = self.made
        self.tried()
        self.need_sandbox()
        before = self.filters()
        start = len(made.log_text())
        (self.folder / 'follow').touch()
        made.wait_for_log('listens on', start)
        (self.folder / 'follow').unlink()
        made.wait_for_log('serves', start)
        made.wait_until_ready()
        self.assert_serves()
        self.assertEqual(self.filters(), before)
        self.assertEqual(self.status()['landlock'], 'ABI 7')
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('reloaded', start)
        self.assertNotIn('warning', made.log_text()[start:])


class Told(TestCase):
    def test_what_is_in_force(self):
        self.start()
        told = self.status()
        self.assertEqual((told['no_new_privileges'], told['capabilities']), ('on', 'none'))
        self.assertEqual(told['landlock'], told['worker_landlock'])
        self.assertEqual(told['seccomp'], told['worker_seccomp'])
        self.assertIn('Landlock %s, seccomp %s' % (told['landlock'], told['seccomp']),
                      self.made.wait_for_log('sandbox: '))
        self.need_sandbox()
        for pid in (self.made.master, *self.made.workers()):
            found = daemon.process_status(pid)
            self.assertEqual(found['Seccomp'], '2')

    def test_that_it_is_off(self):
        self.start(sandbox='off')
        told = self.status()
        for name in ('landlock', 'seccomp', 'worker_landlock', 'worker_seccomp'):
            self.assertEqual(told[name], 'off')

    def test_what_nobody_keeps(self):
        """Whatever the setting says."""
        for setting in ('enforce', 'off'):
            with self.subTest(setting):
                self.start(sandbox=setting)
                for pid in (self.made.master, *self.made.workers()):
                    found = daemon.process_status(pid)
                    self.assertEqual(found['NoNewPrivs'], '1')
                    names = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']
                    if os.geteuid() == 0:
                        names.append('CapBnd')
                    for name in names:
                        self.assertEqual(int(found[name], 16), 0, name)
                self.made.stop()


def calls_of(unit):
    """The names that the unit's SystemCallFilter= lines allow, with systemd's sets spelled out."""
    sets = {}
    for line in subprocess.run(['systemd-analyze', 'syscall-filter'], check=True, encoding='utf-8',
                               stdout=subprocess.PIPE).stdout.splitlines():
        if line.startswith('@'):
            members = sets.setdefault(line.strip(), [])
        elif line.strip() and not line.strip().startswith('#'):
            members.append(line.strip())

    def spelled_out(word):
        if not word.startswith('@'):
            return {word}
        return set().union(*map(spelled_out, sets.get(word, [])))

    allowed = set()
    for line in unit.read_text(encoding='utf-8').splitlines():
        name, _, words = line.partition('=')
        if name == 'SystemCallFilter':
            named = set().union(*map(spelled_out, words.lstrip('~').split()))
            allowed = allowed - named if words.startswith('~') else allowed | named
    return allowed


def limit_calls(names):
    """This process, to what has one of NAMES, as systemd does."""
    library = ctypes.CDLL('libseccomp.so.2')
    library.seccomp_init.restype = ctypes.c_void_p
    refused = 0x00050000 | errno.EPERM
    rules = ctypes.c_void_p(library.seccomp_init(refused))
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            library.seccomp_rule_add(rules, 0x7fff0000, number, 0)
    if library.seccomp_load(rules) != 0:
        raise OSError('no filter')


@unittest.skipUnless(shutil.which('systemd-analyze'), 'no systemd-analyze')
@unittest.skipUnless(os.geteuid() == 0, 'only root can become the user of the unit')
class Unit(TestCase):
    def test_its_own_list_leaves_room(self):
        """systemd's list of calls comes first, and what it refuses we can't have any more."""
        made = self.made
        account = pwd.getpwnam(made.user)
        # A daemon without one: then there can't be one under the unit either.
        self.start()
        self.need_sandbox()
        made.stop()
        names = calls_of(harness.SOURCE / 'conf' / 'openrcptd.service')

        def become():
            os.setgroups([])
            os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
            os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
            ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)     # no new privileges
            limit_calls(names)

        with open(made.log, 'ab') as log:
            made.process = subprocess.Popen(        # pylint: disable=consider-using-with
                harness.command('openrcptd', '-c', made.configuration), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=become)
        made.wait_until_ready()
        told = self.status()
        self.assertEqual((told['worker_landlock'], told['worker_seccomp']),
                         (told['landlock'], told['seccomp']))
        self.assertRegex(told['landlock'], '^(ABI|on)')
        self.assertEqual(told['seccomp'], 'on')
        self.assert_serves()


class Port(TestCase):
    def test_the_master_may_ask_its_worker(self):
        """Of one that it can't ask it never learns that it hangs."""
        made = self.made
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        made.write_configuration(socket='inet:%d@127.0.0.1' % port)
        made.spawn()
        made.wait_for_log('serves')
        hung = made.workers()
        os.kill(hung[0], signal.SIGSTOP)
        harness.wait_until(lambda: set(made.workers()) - set(hung), 'another worker')
        self.assertNotIn("can't be asked", made.log_text())


class Table(TestCase):
    """A rule is for a folder, whatever its name is."""

    def setUp(self):
        super().setUp()
        self.start()
        self.need_sandbox()

    @staticmethod
    def copy_folder(old, new):
        """With owners, too."""
        shutil.copytree(old, new)
        for before, after in [(old, new)] + [(path, new / path.name) for path in old.iterdir()]:
            os.chown(after, before.stat().st_uid, before.stat().st_gid)

    def test_its_folder_is_replaced(self):
        made = self.made
        old = made.table.parent.with_name('old')
        fresh = made.table.parent.with_name('fresh')
        self.copy_folder(made.table.parent, fresh)
        worker = made.workers()
        made.table.parent.rename(old)
        fresh.rename(made.table.parent)
        harness.wait_until(lambda: set(made.workers()) - set(worker), 'another worker')
        made.wait_until_ready()
        made.replace_table(OTHER)
        made.wait_for_answer('<bob@alias.example>', lambda reply: reply == 'continue')
        self.assertNotIn('Permission denied', made.log_text())

    def test_a_reload_names_another_folder(self):
        made = self.made
        other = made.folder / 'other'
        self.copy_folder(made.table.parent, other)
        worker = made.workers()

        def reload():
            made.write_configuration(table=other / made.table.name)
            return subprocess.run(harness.command('rcptctl', '-c', made.configuration, 'reload'),
                                  check=False, stderr=subprocess.PIPE, encoding='utf-8')
        # The worker that would begin with it can't: the one that serves stays.
        other.chmod(0o700)
        result = reload()
        self.assertEqual(result.returncode, 1)
        self.assertIn(str(other), result.stderr)
        self.assertEqual(made.workers(), worker)
        self.assert_serves()
        other.chmod(made.table.parent.stat().st_mode)
        self.assertEqual(reload().returncode, 0)
        harness.wait_until(lambda: not set(made.workers()) & set(worker), 'the old one ends')
        self.assert_serves()
        made.table = other / made.table.name
        made.replace_table(OTHER)
        made.wait_for_answer('<bob@alias.example>', lambda reply: reply == 'continue')


@unittest.skipUnless(os.geteuid() == 0, 'only root can give a file away')
class Owner(TestCase):
    """Who may own the table is known by name, and a worker can ask for no names."""

    def reload(self, **settings):
        made = self.made
        made.write_configuration(**settings)
        return subprocess.run(harness.command('rcptctl', '-c', made.configuration, 'reload'),
                              check=False, stderr=subprocess.PIPE, encoding='utf-8')

    def test_from_a_reload_on(self):
        made = self.made
        self.start()
        os.chown(made.table, 1, -1)
        made.wait_for_log('belongs to user 1')
        self.assertIn('belongs to user 1', self.reload().stderr)
        self.assertEqual(self.reload(table_owner='daemon').returncode, 0)
        worker = made.workers()
        os.kill(worker[0], signal.SIGKILL)              # the next one knows it, too
        harness.wait_until(lambda: set(made.workers()) - set(worker), 'another worker')
        made.wait_until_ready()
        self.assert_serves()
        self.assertEqual(self.status()['table_is_copy'], 0)

    def test_one_that_is_unknown(self):
        self.start()
        result = self.reload(table_owner='no-such-user-here')
        self.assertEqual(result.returncode, 1)
        self.assertIn('there is no such user', result.stderr)
        self.assert_serves()

    def test_at_the_start(self):
        made = self.made
        os.chown(made.table, 1, -1)
        self.start(table_owner='daemon')
        self.assert_serves()
        made.stop()
        made.write_configuration(table_owner='no-such-user-here')
        made.spawn()
        self.assertEqual(made.wait(), 78)
        self.assertIn('there is no such user', made.log_text())


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl')
