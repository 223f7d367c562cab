#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd goes on, or comes back by itself, whatever is taken away from it: whoever reads its log,
its sockets, descriptors, the table's file, room on the disk, memory, the CPU, the time of day."""
import contextlib
import glob
import json
import os
import pathlib
import pwd
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
@many.example        many@dest.example
'''
OTHER = TABLE + 'bob@alias.example    bob@dest.example\n'
KNOWN, UNKNOWN = '<ann@alias.example>', '<bob@alias.example>'
IS_ROOT = os.geteuid() == 0


def knows(reply):
    return reply == 'continue'


def is_unknown(reply):
    return reply.startswith('550 5.1.1')


def cpu_seconds(pid):
    fields = pathlib.Path('/proc/%d/stat' % pid).read_text(encoding='ascii').rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def limit(made, which, number):
    """Set a soft limit of the master, whose user may do that; a new worker has it too."""
    account = pwd.getpwnam(made.user)
    words = ['prlimit', '--pid', str(made.master), '--%s=%s:' % (which, number)]
    if IS_ROOT:
        words = ['setpriv', '--reuid', str(account.pw_uid), '--regid', str(account.pw_gid),
                 '--clear-groups', *words]
    subprocess.run(words, check=True)


def sorted_times(made, count):
    """How long each of COUNT recipients took, the shortest first."""
    took = []
    while len(took) < count:
        with made.session() as session:
            session.mail()
            for _ in range(min(500, count)):
                began = time.monotonic()
                reply = session.rcpt(KNOWN)
                took.append(time.monotonic() - began)
                if not knows(reply):
                    raise AssertionError(reply)
    return sorted(took)


def percentile(took, percent):
    return took[min(len(took) - 1, len(took) * percent // 100)]


class TestCase(unittest.TestCase):
    def made(self, table=TABLE, **settings):
        made = Daemon(table, settings)
        self.addCleanup(made.close)
        return made

    def started(self, table=TABLE, **settings):
        made = self.made(table, **settings)
        made.start()
        made.wait_for_log(' serves')
        return made

    def assert_serves(self, made):
        message = made.message([KNOWN, UNKNOWN])
        self.assertTrue(knows(message.replies[0]), message.replies)
        self.assertTrue(is_unknown(message.replies[1]), message.replies)
        self.assertEqual(message.added, ['<ann@dest.example>'])

    def ctl(self, made, *words):
        return subprocess.run(harness.command('rcptctl', '-c', made.configuration, *words),
                              check=False, capture_output=True, encoding='utf-8',
                              errors='replace', stdin=subprocess.DEVNULL)

    def asked(self, made, *words):
        return json.loads(self.ctl(made, '--json', *words).stdout)

    def worker(self, made):
        """It leads a group, as who serves the metrics does, but not who reads settings."""
        def leader():
            return next((pid for pid in made.workers() if os.getpgid(pid) == pid), 0)
        return harness.wait_until(leader, 'a worker')       # the next one starts after a pause

    def kill_worker(self, made):
        """And wait for the next one."""
        workers = made.workers()
        os.kill(self.worker(made), signal.SIGKILL)
        harness.wait_until(lambda: set(made.workers()) - set(workers), 'another worker')


# ---- the log ---------------------------------------------------------------------------------


class Log(TestCase):
    MESSAGES, RECIPIENTS = 1000, 100        # a line each: 10^5 lines

    def write_lines(self, made):
        """A message has as many lines as recipients. The time of each message, sorted."""
        recipients = ['<user%d@many.example>' % number for number in range(self.RECIPIENTS)]
        took = []
        with made.session() as session:
            for _ in range(self.MESSAGES):
                session.mail()
                session.send_macros('rcpt', i='4Wmany')
                session.socket.sendall(b''.join(
                    (len(one) + 2).to_bytes(4, 'big') + b'R' + one.encode() + b'\0'
                    for one in recipients))
                for _ in recipients:
                    self.assertEqual(session.answer([]), 'continue')
                began = time.monotonic()
                self.assertEqual(session.end()[0], 'continue')
                took.append(time.monotonic() - began)
        return sorted(took)

    def compare(self, quiet, stalled):
        for name, took in (('read', quiet), ('not read', stalled)):
            print('end of a message of %d lines, log %s: p50 %.5f s, p99 %.5f s' % (
                self.RECIPIENTS, name, percentile(took, 50), percentile(took, 99)), file=sys.stderr)
        # Whoever waited once for a reader that never comes would not be here.
        self.assertLess(percentile(stalled, 50), 10 * percentile(quiet, 50) + 0.01)

    @unittest.skipUnless(IS_ROOT, 'only root can put a socket at /dev/log')
    def test_a_log_daemon_that_is_stopped(self):
        folder = harness.Scratch()
        self.addCleanup(folder.remove)
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(log.close)
        log.bind(str(folder / 'log'))
        (folder / 'log').chmod(0o666)
        os.mknod(folder / 'null', 0o666 | 0o020000, os.makedev(1, 3))
        (folder / 'null').chmod(0o666)
        made = self.made(log='syslog')
        # In a /dev of its own, where nobody else's log is disturbed.
        self.addCleanup(os.environ.pop, 'OPENRCPT_WRAPPER', None)
        os.environ['OPENRCPT_WRAPPER'] = shlex.join([
            *harness.OWN_MOUNTS, 'sh', '-c', 'mount --bind %s /dev && exec "$@"' % folder, 'sh'])
        made.spawn()
        del os.environ['OPENRCPT_WRAPPER']
        made.wait_until_ready()
        stops = threading.Event()
        seen = []

        def read():
            log.settimeout(0.1)
            while not stops.is_set():
                with contextlib.suppress(TimeoutError):
                    seen.append(log.recv(4096))
        reader = threading.Thread(target=read)
        reader.start()
        try:
            quiet = self.write_lines(made)
        finally:
            stops.set()
            reader.join()
        self.assertTrue(any(b'orig_to=' in line for line in seen))
        self.compare(quiet, self.write_lines(made))
        self.assertGreater(
            harness.wait_until(lambda: self.asked(made, 'stats')['log_dropped_stalled'], 'a count'),
            self.MESSAGES * self.RECIPIENTS // 2)
        self.assert_serves(made)
        # Once it goes on it is told how much it missed.
        log.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                log.recv(4096)
        log.settimeout(harness.LIMIT_S)
        self.assert_serves(made)
        while b'log lines dropped' not in log.recv(4096):
            pass

    def test_standard_error_is_a_full_pipe(self):
        made = self.made()
        outcome, income = os.pipe()
        self.addCleanup(os.close, outcome)
        made.process = subprocess.Popen(
            harness.command('openrcptd', '-c', made.configuration), stdin=subprocess.DEVNULL,
            stdout=income, stderr=income, start_new_session=True)
        os.close(income)
        made.wait_until_ready()
        stops = threading.Event()

        def read():
            while not stops.is_set():
                os.read(outcome, 65536)
        reader = threading.Thread(target=read)
        reader.start()
        quiet = self.write_lines(made)
        stops.set()
        self.assert_serves(made)        # by whose lines the reader wakes up
        reader.join()
        self.compare(quiet, self.write_lines(made))
        self.assertGreater(
            harness.wait_until(lambda: self.asked(made, 'stats')['log_dropped_stalled'], 'a count'), 1000)
        self.kill_worker(made)          # nor does the master wait
        made.wait_until_ready()
        self.assert_serves(made)


# ---- floods ------------------------------------------------------------------------------------


class Flood(TestCase):
    """A thousand clients at a time at the control socket and at the metrics: slow, rude, silent."""
    CLIENTS, SENT = 1000, (b'', b'GET /metr', b'stat', b'\xff' * 300, b'\0\n', b'status\n' * 50,
                           b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', b'reload')

    def flood(self, paths, stops, count):
        ends = []
        while not stops.is_set():
            end = socket.socket(socket.AF_UNIX)
            end.setblocking(False)
            with contextlib.suppress(OSError):      # the queue is full, or we were turned away
                end.connect(str(paths[count[0] % len(paths)]))
                end.send(self.SENT[count[0] % len(self.SENT)])
            count[0] += 1
            ends.append(end)
            if len(ends) > self.CLIENTS:
                ends.pop(0).close()
            if count[0] > self.CLIENTS:
                time.sleep(0.0005)
        for end in ends:
            end.close()

    def test_mail_is_answered_beside_it(self):
        made = self.made()
        paths = [made.runtime / 'control.sock', made.runtime / 'metrics.sock']
        made.write_configuration(metrics='unix:%s' % paths[1])
        made.start()
        made.wait_for_log(' serves')
        workers = made.workers()
        quiet = sorted_times(made, 20000)
        stops, count = threading.Event(), [0]
        flood = threading.Thread(target=self.flood, args=(paths, stops, count))
        flood.start()
        try:
            harness.wait_until(lambda: count[0] > self.CLIENTS or not flood.is_alive(), 'a flood')
            beside = sorted_times(made, 20000)
        finally:
            stops.set()
            flood.join()
        print('RCPT: p50 %.5f s, p99 %.5f s; beside %d clients of control and metrics: p50 %.5f s,'
              ' p99 %.5f s' % (percentile(quiet, 50), percentile(quiet, 99), count[0],
                               percentile(beside, 50), percentile(beside, 99)), file=sys.stderr)
        self.assertGreater(count[0], self.CLIENTS)
        self.assertEqual(made.workers(), workers)
        self.assertEqual(harness.wait_until(
            lambda: self.ctl(made, 'status').returncode == 0, 'an answer'), True)


# ---- sockets -----------------------------------------------------------------------------------


class Sockets(TestCase):
    def assert_calm(self, made, start):
        """Nobody dies again and again for want of it."""
        text = made.log_text()[start:]
        self.assertIsNone(made.process.poll())
        self.assertNotIn('ended with status', text)
        self.assertLess(text.count('the socket is gone'), 20)

    def test_its_file_is_deleted(self):
        made = self.started()
        for _ in range(3):
            made.socket.unlink()
            made.wait_until_ready()
            self.assert_serves(made)

    def test_its_directory_comes_back_with_another_owner(self):
        """The daemon may not write there: it waits until that is mended, and says so."""
        made = self.started()
        owner = made.socket.parent.stat()
        start = len(made.log_text())
        shutil.rmtree(made.socket.parent)
        made.socket.parent.mkdir()
        made.socket.parent.chmod(0o555)         # as good as another owner, where we are none
        made.wait_for_log('the socket is gone', start)
        for _ in range(3):
            self.kill_worker(made)
        self.assert_calm(made, start)
        os.chown(made.socket.parent, owner.st_uid, owner.st_gid)
        made.socket.parent.chmod(0o2750)
        made.wait_until_ready()
        self.assert_serves(made)
        self.assert_calm(made, start)

    def test_its_directory_comes_back_while_workers_die(self):
        made = self.started()
        owner = made.socket.parent.stat()
        start = len(made.log_text())
        for _ in range(3):
            shutil.rmtree(made.socket.parent)
            self.kill_worker(made)
            made.socket.parent.mkdir()
            os.chown(made.socket.parent, owner.st_uid, owner.st_gid)
            made.socket.parent.chmod(0o2750)
            self.kill_worker(made)
            made.wait_until_ready()
            self.assert_serves(made)
        self.assert_calm(made, start)

    def test_those_of_rcptctl_and_the_metrics_are_deleted(self):
        made = self.made()
        metrics = made.runtime / 'metrics.sock'
        made.write_configuration(metrics='unix:%s' % metrics)
        made.start()
        made.wait_for_log(' serves')
        (made.runtime / 'control.sock').unlink()
        metrics.unlink()
        self.assert_heard(made, metrics)
        owner = made.runtime.stat()
        shutil.rmtree(made.runtime)
        made.wait_for_log('control.sock: its directory')
        made.wait_for_log('metrics.sock: its directory')
        made.runtime.mkdir()
        os.chown(made.runtime, owner.st_uid, owner.st_gid)
        self.assert_heard(made, metrics)
        self.assertEqual(stat.S_IMODE((made.runtime / 'control.sock').stat().st_mode), 0o600)
        self.assert_serves(made)
        self.assertEqual(made.log_text().count('the socket is gone'), 4)

    def assert_heard(self, made, metrics):
        def is_heard():
            try:
                with socket.socket(socket.AF_UNIX) as end:
                    end.connect(str(metrics))
                    end.sendall(b'GET /metrics HTTP/1.0\r\n\r\n')
                    return end.recv(100).startswith(b'HTTP/1')
            except OSError:
                return False
        harness.wait_until(lambda: self.ctl(made, 'status').returncode == 0, 'rcptctl is heard')
        harness.wait_until(is_heard, 'the metrics are there')


# ---- descriptors -------------------------------------------------------------------------------


class Descriptors(TestCase):
    def test_the_master_has_none_left(self):
        """It neither spins nor ends, mail goes on, and once there are some, it does what it could
        not: hear rcptctl, start a worker."""
        made = self.started()
        # Three or four for clients, who take a second each; ppoll() wants as many as it looks at.
        limit(made, 'nofile', 12)
        ends = []
        for _ in range(200):
            ends.append(socket.socket(socket.AF_UNIX))
            self.addCleanup(ends[-1].close)
            ends[-1].connect(str(made.runtime / 'control.sock'))
        before, began = cpu_seconds(made.master), time.monotonic()
        while time.monotonic() < began + 3:
            self.assert_serves(made)
        self.assertLess(cpu_seconds(made.master) - before, 0.2 * (time.monotonic() - began))
        # A reload needs some, and a worker that follows. Whether or not they get them just now:
        os.kill(made.master, signal.SIGHUP)
        os.kill(self.worker(made), signal.SIGKILL)
        time.sleep(1)
        self.assertIsNone(made.process.poll())
        limit(made, 'nofile', 1024)
        for end in ends:
            end.close()
        made.wait_until_ready()
        self.assert_serves(made)
        self.assertEqual(self.ctl(made, 'reload').returncode, 0)


# ---- the table ---------------------------------------------------------------------------------


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    with open(path, 'r+b') as file:
        file.write(data)


def instead(make):
    def change(path):
        path.unlink()
        make(path)
    return change


def bind(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


class Table(TestCase):
    """Whatever its file became, and however many workers die meanwhile."""
    CHANGES = {
        'truncated': lambda path: os.truncate(path, path.stat().st_size // 2),
        'a bit': flip,
        'nothing': lambda path: os.truncate(path, 0),
        'gone': lambda path: path.unlink(),
        'a directory': instead(lambda path: path.mkdir()),
        'a fifo': instead(os.mkfifo),
        'a link': instead(lambda path: path.symlink_to('/etc/passwd')),
        'a device': instead(lambda path: os.mknod(path, 0o020644, os.makedev(1, 3))),
        'a socket': instead(bind),
    }
    if not IS_ROOT:
        del CHANGES['a device']
    DEATHS = 4

    def test_each_while_workers_die(self):
        made = {name: self.started() for name in self.CHANGES}
        for name, one in made.items():
            self.CHANGES[name](one.table)
        for _ in range(self.DEATHS):
            for one in made.values():
                os.kill(one.workers()[0], signal.SIGKILL)
            for name, one in made.items():
                with self.subTest(name):
                    one.wait_until_ready()
                    self.assert_serves(one)
        for one in made.values():
            if one.table.is_dir() and not one.table.is_symlink():
                one.table.rmdir()
            elif os.path.lexists(one.table):
                one.table.unlink()
            one.replace_table(OTHER)
        for name, one in made.items():
            with self.subTest(name):
                one.wait_for_answer(UNKNOWN, knows)
                self.kill_worker(one)
                one.wait_for_answer(UNKNOWN, knows)
                self.assertIsNone(one.process.poll())
                self.assertNotIn('ended with status', one.log_text())


# ---- the disk ----------------------------------------------------------------------------------


@unittest.skipUnless(IS_ROOT, 'only root can mount')
class FullDisk(TestCase):
    def test_the_runtime_directory_has_no_room(self):
        """A start, a reload and rcptctl need none."""
        made = self.made()
        owner = made.runtime.stat()
        done = subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=64k,mode=755,uid=%d,gid=%d' % (
                owner.st_uid, owner.st_gid), 'tmpfs', str(made.runtime)],
            check=False, capture_output=True, encoding='utf-8')
        if done.returncode:
            self.skipTest('no tmpfs: %s' % done.stderr)
        self.addCleanup(subprocess.run, ['umount', '-l', str(made.runtime)], check=True)
        with contextlib.suppress(OSError), open(made.runtime / 'ballast', 'wb', 0) as ballast:
            while True:
                ballast.write(b'x' * 4096)
        made.write_configuration(metrics='unix:%s' % (made.runtime / 'metrics.sock'))
        made.start()
        made.wait_for_log(' serves')
        self.assert_serves(made)
        self.assertEqual(self.ctl(made, 'reload').returncode, 0)
        os.kill(self.asked(made, 'status')['worker_pid'], signal.SIGKILL)
        harness.wait_until(lambda: self.asked(made, 'status')['worker_restarts'] == 1,
                           'another worker')
        made.wait_until_ready()
        self.assert_serves(made)
        self.assertEqual(made.stop(), 0)
        # Killed, and followed: of whom the lock can't tell.
        made.start()
        made.kill()
        made.start()
        self.assert_serves(made)


# ---- memory ------------------------------------------------------------------------------------


class Memory(TestCase):
    def test_a_new_worker_has_none(self):
        """The old one was killed. As soon as there is some, the next one serves."""
        made = self.started()
        status = daemon.process_status(made.master)
        size = int(status['VmSize'].split()[0]) * 1024
        limit(made, 'as', size + 65536)
        start = len(made.log_text())
        os.kill(made.workers()[0], signal.SIGKILL)
        made.wait_for_log('ended with status', start)
        harness.wait_until(lambda: made.log_text()[start:].count('ended with status') > 3,
                           'it is tried again')
        self.assertIsNone(made.process.poll())
        limit(made, 'as', 'unlimited')
        made.wait_until_ready()
        self.assert_serves(made)


# ---- the CPU -----------------------------------------------------------------------------------


class Stopped(TestCase):
    def test_the_master_is(self):
        """Mail goes on; and when it goes on too, nobody is taken for hung."""
        made = self.started()
        workers = made.workers()
        os.kill(made.master, signal.SIGSTOP)
        began = time.monotonic()
        while time.monotonic() < began + 12:    # longer than a worker has to answer
            self.assert_serves(made)
            time.sleep(0.1)
        start = len(made.log_text())
        made.replace_table(OTHER)
        made.wait_for_answer(UNKNOWN, knows)
        os.kill(made.master, signal.SIGCONT)
        self.assertEqual(self.ctl(made, 'reload').returncode, 0)
        self.assertEqual(made.workers(), workers)
        self.assertNotIn("doesn't answer", made.log_text()[start:])

    def test_the_worker_is_for_a_moment(self):
        made = self.started()
        worker, = workers = made.workers()
        with made.session() as session:
            session.mail()
            self.assertTrue(knows(session.rcpt(KNOWN)))
            os.kill(worker, signal.SIGSTOP)
            session.send_macros('rcpt')
            session.send(b'R', KNOWN.encode() + b'\0')
            time.sleep(1)
            os.kill(worker, signal.SIGCONT)
            self.assertTrue(knows(session.answer([])))
            self.assertEqual(session.end()[0], 'continue')
        self.assertEqual(made.workers(), workers)


# ---- the clock ---------------------------------------------------------------------------------


class Clock(TestCase):
    LIBRARIES = glob.glob('/usr/lib/*/faketime/libfaketime.so.1')

    @unittest.skipUnless(LIBRARIES, 'no libfaketime')
    def test_it_jumps(self):
        """By ten years, there and back: a table is still noticed, reloaded, and kept, mail goes on,
        and nobody is taken for hung."""
        made = self.made(sandbox='off')    # it reads the file of the clock
        clock = made.folder / 'clock'
        clock.write_text('+0', encoding='ascii')
        clock.chmod(0o644)
        changes = {'LD_PRELOAD': self.LIBRARIES[0], 'FAKETIME_TIMESTAMP_FILE': str(clock),
                   'FAKETIME_NO_CACHE': '1', 'FAKETIME_DONT_FAKE_MONOTONIC': '1'}
        os.environ.update(changes)
        try:
            made.spawn()
        finally:
            for name in changes:
                del os.environ[name]
        made.wait_until_ready()
        made.wait_for_log(' serves')
        workers = made.workers()
        for number, days in enumerate((3650, -3650, 0)):
            clock.write_text('%+dd' % days, encoding='ascii')
            self.assertTrue(knows(made.message([KNOWN]).replies[0]))
            made.replace_table(TABLE + 'new%d@alias.example ann@dest.example\n' % number)
            made.wait_for_answer('<new%d@alias.example>' % number, knows)
            self.assertEqual(self.ctl(made, 'reload').returncode, 0)
            time.sleep(6)               # for the next question of the watchdog
            self.assertEqual(made.workers(), workers)
            status = self.asked(made, 'status')
            self.assertEqual(status['worker_restarts'], 0)
            # Or the daemon has not seen it.
            self.assertAlmostEqual(status['table_loaded'] - time.time(), 86400 * days, delta=86400)
        self.kill_worker(made)
        made.wait_until_ready()
        self.assertTrue(knows(made.message([KNOWN]).replies[0]))


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl')
