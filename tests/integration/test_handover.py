#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One worker follows another, or none does: what becomes of connections, sessions and messages."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import milter_client
from daemon import Daemon
from mail_system import MailSystem

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
'''
OTHER = TABLE + 'bob@alias.example    bob@dest.example\n'
KNOWN = '<ann@alias.example>'


class TestCase(unittest.TestCase):
    def started(self, **settings):
        made = Daemon(TABLE, settings)
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        return made

    def session(self, made):
        session = made.session()
        self.addCleanup(session.socket.close)
        return session

    def in_a_message(self, made):
        """A session whose recipient was accepted, and whose data has not come yet."""
        session = self.session(made)
        self.assertEqual(session.mail(), 'continue')
        self.assertEqual(session.rcpt(KNOWN), 'continue')
        return session

    def ctl(self, made, *words):
        done = subprocess.run(harness.command('rcptctl', '-c', made.configuration, *words),
                              check=False, capture_output=True, encoding='utf-8',
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def status(self, made):
        return json.loads(self.ctl(made, '--json', 'status')[1])

    def reload(self, made, **changes):
        made.write_configuration(**changes)
        said = 'rcptctl: reload: socket: needs rcptctl reexec\n' if 'socket' in changes else ''
        self.assertEqual(self.ctl(made, 'reload')[0::2], (0, said))

    def assert_is_gone(self, pid):
        harness.wait_until(lambda: not daemon.is_alive(pid), 'worker %d ends' % pid)

    def assert_ends_well(self, session):
        verdict, edits = session.end()
        self.assertEqual((verdict, [edit.address for edit in edits if edit.kind == 'add']),
                         ('continue', ['<ann@dest.example>']))

    def is_put_off(self, session):
        """Does a new message say so? Before the worker has heard of the end it doesn't."""
        session.mail()
        answer = session.rcpt(KNOWN)
        if answer == 'continue':
            session.abort()
        return answer.startswith('451') and 'restarts' in answer


class Stop(TestCase):
    """Nobody follows, or not at once: open messages end well, and no others begin."""

    def test_an_open_message_ends_and_none_begins(self):
        made = self.started()
        worker, = made.workers()
        busy, other, idle = (self.in_a_message(made), self.in_a_message(made),
                             self.in_a_message(made))
        idle.abort()
        start = len(made.log_text())
        os.kill(made.master, signal.SIGTERM)
        made.wait_for_log('stopping', start)
        harness.wait_until(lambda: self.is_put_off(idle), 'no message begins')
        self.assert_ends_well(busy)
        self.assertTrue(daemon.is_alive(worker))
        self.assert_ends_well(other)
        self.assertEqual(made.process.wait(harness.LIMIT_S), 0)
        self.assertNotIn('were still open', made.log_text()[start:])

    def test_sessions_between_messages_are_not_waited_for(self):
        made = self.started()
        for _ in range(3):
            self.in_a_message(made).abort()
        # Heard of by now, since what comes behind it on the same connection is answered.
        session = self.in_a_message(made)
        session.abort()
        start = len(made.log_text())
        self.assertEqual(made.stop(), 0)
        self.assertNotIn('were still open', made.log_text()[start:])

    def test_one_that_never_ends_is_cut(self):
        made = self.started()
        session = self.in_a_message(made)
        start = len(made.log_text())
        self.assertEqual(made.stop(), 0)
        made.wait_for_log('messages were still open; they are deferred', start)
        with self.assertRaises((milter_client.Ended, OSError)):
            session.end()


def move_table(made):
    """Its directory gets another name, and the settings of that."""
    folder = made.table.parent.with_name('moved')
    if not folder.exists():
        shutil.copytree(made.table.parent, folder)
        for path in (folder, *folder.iterdir()):
            before = (made.table.parent / path.relative_to(folder)).stat()
            os.chown(path, before.st_uid, before.st_gid)
    return folder / made.table.name


class HandOver(TestCase):
    """The next worker takes the connections while the other one finishes its sessions."""

    def handed_over(self, made, change):
        """CHANGE makes another worker; the one before it."""
        old = self.status(made)['worker_pid']
        start = len(made.log_text())
        change()
        made.wait_for_log('another worker takes the connections', start)
        harness.wait_until(lambda: self.status(made)['state'] == 'serving', 'it serves')
        self.assertNotEqual(self.status(made)['worker_pid'], old)
        return old

    def assert_session_goes_on(self, made, change):
        session = self.in_a_message(made)
        idle = self.in_a_message(made)
        idle.abort()
        old = self.handed_over(made, change)
        self.assert_ends_well(self.in_a_message(made))
        for one in (session, idle):
            if one is idle:
                self.assertEqual((one.mail(), one.rcpt(KNOWN)), ('continue', 'continue'))
            self.assert_ends_well(one)
        told = self.status(made)
        self.assertEqual((told['retired_workers'], told['worker_restarts']), (1, 0))
        self.assertTrue(daemon.is_alive(old))
        session.close()
        self.assertEqual((idle.mail(), idle.rcpt(KNOWN)), ('continue', 'continue'))
        self.assert_ends_well(idle)
        idle.close()
        self.assert_is_gone(old)
        harness.wait_until(lambda: self.status(made)['retired_workers'] == 0, 'it is forgotten')
        self.assertNotIn('killed', made.log_text())

    def test_settings_that_only_a_new_worker_takes(self):
        made = self.started()
        self.assert_session_goes_on(made, lambda: self.reload(made, max_sessions=77))
        self.assertEqual(self.status(made)['max_sessions'], 77)
        self.reload(made, idle_timeout_seconds=3600)
        self.assert_ends_well(self.in_a_message(made))

    def test_another_directory_of_the_table(self):
        made = self.started()
        moved = move_table(made)
        self.assert_session_goes_on(made, lambda: self.reload(made, table=moved))

    def test_a_socket_file_that_is_gone(self):
        made = self.started()
        self.assert_session_goes_on(made, made.socket.unlink)

    def test_where_the_next_one_does_not_begin_the_worker_goes_on(self):
        made = self.started()
        session = self.in_a_message(made)
        worker = self.status(made)['worker_pid']
        made.write_configuration(table=made.folder / 'nowhere' / 'table', max_sessions=77)
        status, _, err = self.ctl(made, 'reload')
        self.assertEqual(status, 1)
        self.assertIn('nowhere/table', err)
        told = self.status(made)
        self.assertEqual((told['worker_pid'], told['state'], told['retired_workers']),
                         (worker, 'serving', 0))
        self.assertNotEqual(told['max_sessions'], 77)
        self.assert_ends_well(session)
        self.assertEqual(made.workers(), [worker])

    def test_sessions_of_all_workers_are_counted(self):
        made = self.started()
        sessions = [self.in_a_message(made) for _ in range(3)]
        old = self.handed_over(made, lambda: self.reload(made, max_sessions=5))
        sessions += [self.in_a_message(made) for _ in range(2)]
        self.assertEqual(self.status(made)['sessions'], 5)
        surplus = self.session(made)
        surplus.mail()
        self.assertTrue(surplus.rcpt(KNOWN).startswith('451'))
        os.kill(old, signal.SIGKILL)
        harness.wait_until(lambda: self.status(made)['sessions'] == 2, 'its sessions are gone')
        surplus.mail()
        self.assertEqual(surplus.rcpt(KNOWN), 'continue')
        for session in sessions[3:]:
            self.assert_ends_well(session)

    def test_a_retired_one_loads_the_table_too(self):
        made = self.started()
        session = self.in_a_message(made)
        session.abort()
        self.handed_over(made, lambda: self.reload(made, max_sessions=77))
        made.replace_table(OTHER)

        def knows_bob():
            reply, = session.message(['<bob@alias.example>']).replies
            return reply == 'continue'
        harness.wait_until(knows_bob, 'the new table')
        made.wait_for_answer('<bob@alias.example>', lambda reply: reply == 'continue')
        self.assertEqual(made.log_text().count('entries=2'), 1)

    def test_a_stop_lets_messages_of_both_end(self):
        made = self.started()
        old, idle = self.in_a_message(made), self.in_a_message(made)
        idle.abort()
        self.handed_over(made, lambda: self.reload(made, max_sessions=77))
        new = self.in_a_message(made)
        start = len(made.log_text())
        os.kill(made.master, signal.SIGTERM)
        made.wait_for_log('stopping', start)
        harness.wait_until(lambda: self.is_put_off(idle), 'the old one begins no message')
        self.assert_ends_well(new)
        self.assert_ends_well(old)
        self.assertEqual(made.process.wait(harness.LIMIT_S), 0)
        self.assertNotIn('were still open', made.log_text()[start:])

    def test_there_are_few_at_a_time(self):
        made = self.started()
        sessions = []
        for number in range(6):
            sessions.append(self.in_a_message(made))
            sessions[-1].abort()
            self.handed_over(made, lambda number=number: self.reload(
                made, max_sessions=77 + number))
        harness.wait_until(lambda: self.status(made)['retired_workers'] == 4, 'two have ended')
        for session in sessions[:2]:
            with self.assertRaises((milter_client.Ended, OSError)):
                session.message([KNOWN])
        for session in sessions[2:]:
            self.assertEqual(session.message([KNOWN]).replies, ['continue'])


class OwnProgram(Daemon):
    """Whose program is a file of its own, which can be replaced."""

    def __init__(self, table, settings=None):
        super().__init__(table, settings)
        self.path = self.folder / 'openrcptd'
        self.install(harness.program('openrcptd'))

    def install(self, source):
        """As a package manager does it: by rename."""
        fresh = self.path.with_name('openrcptd.new')
        shutil.copy(source, fresh)
        fresh.chmod(0o755)
        fresh.rename(self.path)

    def install_script(self, text):
        script = self.folder / 'script'
        script.write_text('#!/bin/sh\n' + text, encoding='ascii')
        self.install(script)

    def spawn(self, *options):
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [str(self.path), '-c', str(self.configuration), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return self.process


@unittest.skipIf(os.environ.get('OPENRCPT_WRAPPER'), 'a wrapper would be somebody else')
class Reexec(TestCase):
    """The master becomes the program that is installed now."""

    def started(self, **settings):
        made = OwnProgram(TABLE, settings)
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        return made

    def reexec(self, made):
        self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))

    def program_of(self, made):
        return os.readlink('/proc/%d/exe' % made.master)

    def test_a_new_program(self):
        made = self.started()
        session = self.in_a_message(made)
        self.assertEqual(session.message([KNOWN]).verdict, 'continue')
        self.assertEqual((session.mail(), session.rcpt(KNOWN)), ('continue', 'continue'))
        before = self.status(made)
        made.install(harness.program('openrcptd'))
        self.assertIn('(deleted)', self.program_of(made))
        self.reexec(made)
        self.assertEqual(self.program_of(made), str(made.path))
        made.wait_for_log('has taken over')
        self.assert_ends_well(session)
        self.assert_ends_well(self.in_a_message(made))
        after = self.status(made)
        self.assertNotEqual(after['worker_pid'], before['worker_pid'])
        for name in ('pid', 'socket', 'table_generation', 'worker_restarts'):
            self.assertEqual(after[name], before[name])
        self.assertGreaterEqual(after['uptime_seconds'], before['uptime_seconds'])
        stats = json.loads(self.ctl(made, '--json', 'stats')[1])
        self.assertEqual(stats['messages_edited'], 3)
        session.close()
        self.assert_is_gone(before['worker_pid'])
        # And it is a master like any other.
        self.reload(made, max_sessions=77)
        worker = self.status(made)['worker_pid']
        os.kill(worker, signal.SIGKILL)
        harness.wait_until(lambda: self.status(made)['worker_pid'] not in (0, worker),
                           'another worker')
        made.wait_until_ready()
        self.assertEqual(made.stop(), 0)
        self.assertFalse(made.socket.exists())
        self.assertEqual(list(made.runtime.glob('*.sock')), [])

    def test_files_of_conf_d(self):
        """Read by the program that has taken over, within what the one before gave up."""
        made = self.started()
        folder = made.configuration.parent / 'conf.d'
        folder.mkdir(0o755)
        part = folder / 'reply.conf'
        part.write_text('unknown = { reply = "554 5.7.1"; };\n', encoding='ascii')
        part.chmod(0o644)
        self.reexec(made)
        made.wait_for_log('has taken over')
        made.wait_for_answer('<nobody-here@alias.example>',
                             lambda reply: reply.startswith('554 5.7.1 '))
        part.write_text('mistake = 1;\n', encoding='ascii')
        status, _, err = self.ctl(made, 'reexec')
        self.assertNotEqual(status, 0)
        self.assertIn('reply.conf:1: unknown setting "mistake"', made.log_text() + err)

    def test_again_and_again(self):
        made = self.started()
        sessions = []
        for number in range(6):
            sessions.append(self.in_a_message(made))
            made.install(harness.program('openrcptd'))
            if number % 2:
                self.reexec(made)
            else:
                start = len(made.log_text())
                os.kill(made.master, signal.SIGUSR2)
                made.wait_for_log('has taken over', start)
            while len(sessions) > 3:
                session = sessions.pop(0)
                self.assert_ends_well(session)
                session.close()
        descriptors = os.listdir('/proc/%d/fd' % made.master)
        self.reexec(made)
        harness.wait_until(lambda: len(os.listdir('/proc/%d/fd' % made.master)) <=
                           len(descriptors) + 1, 'no descriptor is left over')
        self.assertIsNone(made.process.poll())

    def assert_refused(self, made, *words):
        """The reason says WORDS, and nothing has changed."""
        session = self.in_a_message(made)
        before = self.status(made)
        program = self.program_of(made)
        status, _, err = self.ctl(made, 'reexec')
        self.assertEqual(status, 1)
        for word in words:
            self.assertIn(word, err)
        after = self.status(made)
        for name in ('pid', 'worker_pid', 'state', 'retired_workers'):
            self.assertEqual(after[name], before[name])
        self.assertEqual(self.program_of(made), program)
        self.assert_ends_well(session)
        self.assert_ends_well(self.in_a_message(made))

    def test_a_program_that_is_broken(self):
        made = self.started(sandbox='off')      # in which no shell can be executed
        made.install_script('echo "openrcptd: no library" >&2\nexit 127\n')
        self.assert_refused(made, 'no library')
        made.install_script('exit 3\n')
        self.assert_refused(made, 'ended with status 3')
        made.install_script('kill -SEGV $$\n')
        self.assert_refused(made, 'killed by signal 11')
        made.install_script('exit 64\n')       # one that knows nothing of it
        self.assert_refused(made, "can't take over from this version")
        made.path.unlink()
        self.assert_refused(made, 'No such file')
        made.install(harness.program('openrcptd'))
        self.reexec(made)
        self.assert_ends_well(self.in_a_message(made))

    def test_settings_and_tables_that_are_wrong(self):
        made = self.started()
        good = made.configuration.read_text(encoding='utf-8')
        made.configuration.write_text(good + 'typo = 1;\n', encoding='utf-8')
        os.kill(made.master, signal.SIGUSR2)    # rcptctl would read it, too
        self.assertIn('typo', made.wait_for_log('reexec: '))
        made.configuration.write_text(good, encoding='utf-8')
        made.table.rename(made.table.with_name('away'))
        self.assert_refused(made, str(made.table))

    def test_a_program_of_somebody_else(self):
        made = self.started()
        if self.status(made)['landlock'].startswith('ABI'):
            made.install_script('exit 0\n')
            self.assert_refused(made, 'Permission denied')

    def test_a_program_that_hangs(self):
        made = self.started(sandbox='off')
        made.install_script('exec sleep 1000\n')
        self.assert_refused(made, "doesn't answer")

    def test_where_its_worker_does_not_begin_the_other_one_goes_on(self):
        made = self.started(control_socket=pathlib.Path('/nowhere'))
        control = made.runtime / 'other.sock'
        made.write_configuration(control_socket=control)
        os.kill(made.master, signal.SIGUSR2)
        made.wait_for_log('has taken over')
        session = self.in_a_message(made)
        worker = self.status(made)['worker_pid']
        made.write_configuration(runtime_directory=made.folder / 'nowhere',
                                 control_socket=control)
        status, _, err = self.ctl(made, 'reexec')
        self.assertEqual(status, 1)
        self.assertIn('the new worker did not begin', err)
        self.assertEqual(self.status(made)['worker_pid'], worker)
        self.assert_ends_well(session)
        # Nor does a worker that follows begin with that.
        os.kill(worker, signal.SIGKILL)
        harness.wait_until(lambda: self.status(made)['state'] == 'serving' and
                           self.status(made)['worker_pid'] != worker, 'another worker')
        self.assert_ends_well(self.in_a_message(made))

    def test_another_socket(self):
        made = self.started()
        session = self.in_a_message(made)
        before, after = made.socket, made.socket.with_name('other.sock')
        self.reload(made, socket='unix:%s' % after)
        self.assertIn('socket', made.wait_for_log('needs rcptctl reexec'))
        self.reexec(made)
        self.assertFalse(before.exists())
        made.socket = after
        self.assert_ends_well(self.in_a_message(made))
        self.assertEqual(self.status(made)['socket'], 'unix:%s' % after)
        self.assert_ends_well(session)
        self.assertEqual(self.status(made)['retired_workers'], 1)
        session.close()
        harness.wait_until(lambda: self.status(made)['retired_workers'] == 0, 'it ends')
        made.write_configuration(socket='unix:/nowhere/there.sock')
        self.reexec(made)
        made.wait_for_log('the socket stays as it was')
        self.assert_ends_well(self.in_a_message(made))
        self.assertEqual(self.status(made)['socket'], 'unix:%s' % after)
        made.write_configuration(socket='unix:%s' % before,
                                 runtime_directory=made.folder / 'nowhere',
                                 control_socket=made.runtime / 'control.sock')
        self.assertEqual(self.ctl(made, 'reexec')[0], 1)
        self.assertFalse(before.exists())
        self.assertEqual(made.stop(), 0)
        self.assertFalse(after.exists())

    def test_another_version(self):
        made = self.started()
        asked = subprocess.run([made.path, '-c', made.configuration, '--takes-over=0'],
                               check=False, capture_output=True, encoding='utf-8')
        self.assertEqual(asked.returncode, 76)
        self.assertIn("can't take over from this version", asked.stderr)

    def test_settings_that_a_reload_leaves(self):
        made = self.started(metrics='unix:%s' % (pathlib.Path('/nowhere') / 'metrics.sock'))
        metrics = made.runtime / 'metrics.sock'
        control = made.runtime / 'other.sock'
        old = made.runtime / 'control.sock'
        made.write_configuration(metrics='unix:%s' % metrics)
        self.reexec(made)
        harness.wait_until(metrics.exists, 'metrics')
        text = made.configuration.read_text(encoding='utf-8')
        made.configuration.write_text(text + 'control_socket = "%s";\n' % control,
                                      encoding='utf-8')
        os.kill(made.master, signal.SIGUSR2)
        harness.wait_until(control.exists, 'the other socket')
        self.assertEqual(self.status(made)['pid'], made.master)
        self.assertFalse(old.exists())


# Puts sockets in the places where systemd would, and becomes the program.
GIVE = '''
import os, sys
count = int(sys.argv[1])
names = sys.argv[2]
for place, fd in enumerate(sys.argv[3:3 + count], 3):
    os.dup2(int(fd), place)
os.environ.update(LISTEN_FDS=str(count), LISTEN_FDNAMES=names, LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3 + count], sys.argv[3 + count:])
'''


class GivenDaemon(Daemon):
    """Its sockets are made by whoever starts it, and outlive it: {name: socket}."""

    def __init__(self, table, settings):
        super().__init__(table, settings)
        milter = socket.socket(socket.AF_UNIX)
        milter.bind(str(self.socket))
        self.socket.chmod(0o666)
        metrics = socket.socket()
        metrics.bind(('127.0.0.1', 0))
        self.port = metrics.getsockname()[1]
        self.given = {'milter': milter, 'metrics': metrics}
        for one in self.given.values():
            one.listen(64)

    def spawn(self, *options):
        # Numbers that are no other's place.
        fds = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 100) for one in self.given.values()]
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [sys.executable, '-c', GIVE, str(len(fds)), ':'.join(self.given),
                 *map(str, fds),
                 *harness.command(self.program, '-c', self.configuration, *options)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=fds,
                start_new_session=True)
        for fd in fds:
            os.close(fd)
        return self.process

    def close(self):
        super().close()
        for one in self.given.values():
            one.close()


@unittest.skipIf(os.environ.get('OPENRCPT_WRAPPER'), 'a wrapper would be somebody else')
class Given(TestCase):
    """Sockets of systemd's."""

    def given(self, **settings):
        made = GivenDaemon(TABLE, {'socket': 'fd:milter', **settings})
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        return made

    def test_by_name_and_by_number(self):
        made = self.given(metrics='fd:4')
        self.assert_ends_well(self.in_a_message(made))
        told = self.status(made)
        self.assertEqual((told['socket'], told['socket_address']),
                         ('fd:milter', 'unix:%s' % made.socket))
        with urllib.request.urlopen('http://127.0.0.1:%d/metrics' % made.port) as page:
            self.assertIn(b'openrcpt_sessions', page.read())

    def test_while_it_is_started_again_whoever_connects_waits(self):
        made = self.given()
        self.assertEqual(made.stop(), 0)
        waiting = milter_client.connect(made.socket)
        self.addCleanup(waiting.close)
        waiting.sendall(b'\0\0\0\rO' + bytes(3) + b'\6' + b'\0\0\1\xff' + b'\0\x1f\xff\xff')
        made.start()
        self.assertEqual(waiting.recv(5)[4:], b'O')

    def test_a_killed_master_leaves_it_open(self):
        made = self.given()
        session = self.in_a_message(made)
        start = len(made.log_text())
        os.kill(made.master, signal.SIGKILL)
        made.process.wait()
        made.wait_for_log('the master is gone', start)
        waiting = milter_client.connect(made.socket)
        waiting.close()
        made.start()
        self.assert_ends_well(session)
        self.assert_ends_well(self.in_a_message(made))

    def test_another_worker_takes_it_over(self):
        made = self.given()
        session = self.in_a_message(made)
        self.reload(made, max_sessions=77)
        self.assert_ends_well(self.in_a_message(made))
        self.assert_ends_well(session)

    def test_another_program_takes_it_over(self):
        made = self.given(metrics='fd:metrics')
        session = self.in_a_message(made)
        self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
        self.assert_ends_well(self.in_a_message(made))
        self.assert_ends_well(session)
        self.assertEqual(self.status(made)['socket_address'], 'unix:%s' % made.socket)
        with urllib.request.urlopen('http://127.0.0.1:%d/metrics' % made.port) as page:
            self.assertIn(b'openrcpt_sessions', page.read())
        self.assertEqual(made.stop(), 0)
        self.assertTrue(made.socket.exists())

    def test_a_file_that_is_gone_is_no_fault_of_the_worker(self):
        made = self.given()
        worker = self.status(made)['worker_pid']
        made.socket.unlink()
        made.wait_for_log("the worker can't be asked whether it serves")
        self.assertEqual(self.status(made)['worker_pid'], worker)
        self.assertNotIn('opening it anew', made.log_text())

    def test_one_daemon_a_socket_however_it_is_called(self):
        made = self.given()
        second = Daemon(TABLE, {'socket': 'unix:%s' % made.socket,
                                'runtime_directory': made.runtime})
        self.addCleanup(second.close)
        second.spawn()
        self.assertEqual(second.process.wait(harness.LIMIT_S), 75)
        self.assertIn('another openrcptd serves', second.log_text())

    def test_what_was_not_given(self):
        for name in ('fd:milter', 'fd:3'):
            made = Daemon(TABLE, {'socket': name})
            self.addCleanup(made.close)
            made.spawn()
            self.assertEqual(made.process.wait(harness.LIMIT_S), 78)
            self.assertIn('no such socket was handed over', made.log_text())
            checked = subprocess.run(
                harness.command('openrcptd', '-t', '-c', made.configuration), check=False)
            self.assertEqual(checked.returncode, 0)

    @unittest.skipUnless(shutil.which('systemd-socket-activate'), 'no systemd-socket-activate')
    def test_as_systemd_gives_it(self):
        made = Daemon(TABLE, {'socket': 'fd:milter'})
        self.addCleanup(made.close)
        with open(made.log, 'ab') as log:
            made.process = subprocess.Popen(
                ['systemd-socket-activate', '-l', str(made.socket), '--fdname=milter',
                 *harness.command('openrcptd', '-c', made.configuration)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        harness.wait_until(made.socket.exists, 'systemd listens')
        made.wait_until_ready()
        self.assert_ends_well(self.in_a_message(made))

    @unittest.skipUnless(shutil.which('systemd-analyze'), 'no systemd-analyze')
    def test_the_units(self):
        for name in ('openrcptd.socket', 'openrcptd-metrics.socket'):
            unit = harness.SOURCE / 'conf' / name
            checked = subprocess.run(['systemd-analyze', 'verify', '--man=no', str(unit)],
                                     check=False, capture_output=True, encoding='utf-8')
            self.assertNotIn(name, checked.stderr)
            text = unit.read_text(encoding='utf-8')
            self.assertIn('"fd:%s"' % text.partition('FileDescriptorName=')[2].split()[0], text)


class Traffic(unittest.TestCase):
    """Real mail through a real Postfix meanwhile: each message is accepted, and arrives once."""

    DOMAIN = 'alias.example'
    TABLE = 'alias.example domain\n' + ''.join(
        'user%d@alias.example one%d@dest.example, two%d@dest.example\n' % (n, n, n)
        for n in range(10))

    def setUp(self):
        self.system = MailSystem(self.TABLE, [self.DOMAIN])
        self.addCleanup(self.system.close)
        self.system.start()
        self.system.daemon.wait_for_log('serves')
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.sent, self.wrong = [], []

    # ---- who sends ---------------------------------------------------------------------

    def note(self, user, *replies):
        with self.lock:
            self.wrong += [reply for reply in replies if not reply.is_accepted]
            self.sent.append(user)

    def short_sessions(self, user):
        while not self.is_over.is_set():
            sent = self.system.send(['user%d@alias.example' % user])
            self.note(user, sent.mail, *sent.recipients, sent.data)

    def long_sessions(self, user):
        while not self.is_over.is_set():
            with self.system.client() as client:
                for _ in range(100):
                    sent = client.message(['user%d@alias.example' % user])
                    self.note(user, sent.mail, *sent.recipients, sent.data)

    def slow_messages(self, user):
        """A while between RCPT and DATA."""
        while not self.is_over.is_set():
            with self.system.client() as client:
                replies = [client.mail(), client.rcpt('user%d@alias.example' % user)]
                self.is_over.wait(0.7)
                replies.append(client.data())
                self.note(user, *replies)

    # ---- what happens ------------------------------------------------------------------

    def during_traffic(self, *changes):
        senders = [threading.Thread(target=self.guarded, args=(kind, user))
                   for user, kind in enumerate((self.short_sessions, self.long_sessions,
                                                self.slow_messages, self.short_sessions))]
        for sender in senders:
            sender.start()
        try:
            for change in changes:
                self.after_some_messages()
                change()
            self.after_some_messages()
        finally:
            self.is_over.set()
            for sender in senders:
                sender.join()

    def guarded(self, kind, user):
        try:
            kind(user)
        except Exception as error:      # pylint: disable=broad-exception-caught
            with self.lock:
                self.wrong.append(repr(error))

    def after_some_messages(self):
        count = len(self.sent)
        harness.wait_until(lambda: len(self.sent) > count + 20 or self.wrong, 'mail flows')

    def assert_all_is_well(self):
        self.assertEqual(self.wrong, [])
        self.assertEqual(
            self.system.delivered(),
            sorted('%s%d@dest.example' % (word, user) for user in self.sent
                   for word in ('one', 'two')))
        log = self.system.postfix.log_text()
        for words in ('warning: milter', "can't read SMFIC", 'milter-reject', 'deferred'):
            self.assertNotIn(words, log)

    def handed_over(self, change):
        def do():
            made = self.system.daemon
            # More than four at a time are not waited for.
            harness.wait_until(lambda: made.log_text().count('which had retired, has ended') + 4 >
                               made.log_text().count('another worker takes the connections'),
                               'the workers before end')
            start = len(made.log_text())
            change()
            made.wait_for_log('another worker takes the connections', start)
        return do

    def settings(self, **changes):
        def change():
            self.system.daemon.reload(**changes)
        return self.handed_over(change)

    def test_other_programs(self):
        def reexec():
            made = self.system.daemon
            done = subprocess.run(
                harness.command('rcptctl', '-c', made.configuration, 'reexec'), check=False,
                capture_output=True, encoding='utf-8', stdin=subprocess.DEVNULL)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.during_traffic(*[self.handed_over(reexec)] * 6)
        self.assert_all_is_well()

    def test_settings_and_another_directory(self):
        moved = move_table(self.system.daemon)
        self.during_traffic(*[self.settings(max_sessions=100 + i) for i in range(5)],
                            self.settings(table=moved),
                            *[self.settings(idle_timeout_seconds=900 + i) for i in range(3)])
        self.assert_all_is_well()


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl')
