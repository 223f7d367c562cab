#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd's master: reloads that go wrong, and workers that follow another."""
import collections
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import milter_client
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
'''
OTHER = TABLE + 'bob@alias.example    bob@dest.example\n'


def knows(reply):
    return reply == 'continue'


class TestCase(unittest.TestCase):
    def daemon(self):
        made = Daemon(TABLE)
        self.addCleanup(made.close)
        return made

    def started(self, **settings):
        """One whose master has heard, too, that its worker serves: the first that never does ends
        the master."""
        made = Daemon(TABLE, settings)
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        return made

    def assert_serves(self, made):
        self.assertTrue(knows(made.message(['<ann@alias.example>']).replies[0]))

    def replace_worker(self, made):
        """Kill the worker, and wait for the one that follows."""
        workers = made.workers()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: set(made.workers()) - set(workers), 'another worker')
        made.wait_until_ready()
        self.assert_serves(made)


def says(text):
    return lambda reply: reply.endswith(text)


class NextWorker(TestCase):
    """What a worker begins with that follows one after a reload."""

    def reload(self, made, **settings):
        start = len(made.log_text())
        made.write_configuration(**settings)
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('reloaded', start)

    def test_what_was_reloaded_is_in_force(self):
        made = self.daemon().start()
        self.reload(made, unknown={'reply': '550 5.1.1', 'text': 'Second'})
        made.wait_for_answer('<zoe@alias.example>', says('Second'))
        self.replace_worker(made)
        self.assertTrue(says('Second')(made.message(['<zoe@alias.example>']).replies[0]))

    def test_what_nobody_reloaded_is_not(self):
        made = self.daemon().start()
        self.reload(made, unknown={'reply': '550 5.1.1', 'text': 'Second'})
        made.wait_for_answer('<zoe@alias.example>', says('Second'))
        made.write_configuration(unknown={'reply': '550 5.1.1', 'text': 'Third'})
        self.replace_worker(made)
        self.assertTrue(says('Second')(made.message(['<zoe@alias.example>']).replies[0]))

    def test_what_needs_a_restart_stays(self):
        made = self.daemon().start()
        self.reload(made, runtime_directory=made.folder / 'not-there',
                    unknown={'reply': '550 5.1.1', 'text': 'Second'})
        self.assertIn('runtime_directory', made.wait_for_log('needs a restart'))
        made.wait_for_answer('<zoe@alias.example>', says('Second'))
        self.replace_worker(made)


class LostSocket(TestCase):
    def test_its_directory_is_gone_and_then_the_worker_too(self):
        """As soon as the directory is back, so is the service."""
        made = self.daemon().start()
        owner = made.socket.parent.stat()
        start = len(made.log_text())
        shutil.rmtree(made.socket.parent)
        made.wait_for_log('the socket is gone', start)
        os.kill(made.workers()[0], signal.SIGKILL)
        made.wait_for_log('was killed by signal', start)
        made.socket.parent.mkdir()
        os.chown(made.socket.parent, owner.st_uid, owner.st_gid)
        made.socket.parent.chmod(0o2750)
        made.wait_until_ready()
        self.assert_serves(made)


def rename_over(path, data=b'', mode=0o644):
    fresh = path.with_name('fresh')
    fresh.write_bytes(data)
    fresh.chmod(mode)
    fresh.rename(path)


def put_in_its_place(make):
    """What unlinks the table, and makes something else of its name."""
    def change(path):
        path.unlink()
        make(path)
    return change


def lose_folder(path):
    path.parent.rename(path.parent.with_name('away'))


def overwrite(path):
    """As rsync --inplace would, with the old size and time."""
    status = path.stat()
    with open(path, 'r+b') as table:
        table.seek(4096)
        table.write(bytes(status.st_size - 4096))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


# What can become of a table's file, by what the log says then.
IN_PLACE = {
    'truncated': lambda path: os.truncate(path, 100),
    'emptied': lambda path: os.truncate(path, 0),
    'overwritten': overwrite,
}
OTHERWISE = {
    'deleted': lambda path: path.unlink(),
    'replaced by garbage': lambda path: rename_over(path, b'garbage' * 2000),
    'written by others': lambda path: path.chmod(0o666),
    'of a second name': lambda path: os.link(path, path.with_name('second')),
    'unreadable': lambda path: path.chmod(0),
    'a symbolic link': put_in_its_place(lambda path: path.symlink_to(path.with_name('x'))),
    'a directory': put_in_its_place(lambda path: path.mkdir()),
    'a fifo': put_in_its_place(os.mkfifo),
    'without its directory': lose_folder,
    'in a directory of all': lambda path: path.parent.chmod(0o777),
}
if os.geteuid() == 0:
    OTHERWISE['of another owner'] = lambda path: os.chown(path, 1, -1)


class KeptTable(TestCase):
    """The table that serves outlives its worker, whatever becomes of its file."""

    def daemons(self, changes, **settings):
        """One for each change, to which that has happened; at once, the worker is killed."""
        made = {}
        for name, change in changes.items():
            made[name] = self.started(**settings)
            self.assert_serves(made[name])
        old = {name: one.workers() for name, one in made.items()}
        for name, one in made.items():
            changes[name](one.table)
            os.kill(old[name][0], signal.SIGKILL)
        for name, one in made.items():
            with self.subTest(name):
                harness.wait_until(lambda one=one, name=name: set(one.workers()) - set(old[name]),
                                   'another worker')
        return made

    def assert_serves_the_copy(self, name, one):
        with self.subTest(name):
            one.wait_until_ready()
            self.assert_serves(one)
            self.assertTrue(says('User unknown')(
                one.message(['<bob@alias.example>']).replies[0].partition(' in ')[0]))
            line = one.wait_for_log('copy that the master')
            self.assertIn(str(one.table), line)

    def heal(self, one):
        if one.table.is_dir():
            one.table.rmdir()
        elif os.path.lexists(one.table):
            one.table.unlink()          # what it became may not be written over
        away = one.table.parent.with_name('away')
        if away.exists():
            away.rename(one.table.parent)
        one.table.parent.chmod(0o755)
        one.replace_table(OTHER)

    def assert_comes_back(self, made):
        for one in made.values():
            self.heal(one)
        for name, one in made.items():
            with self.subTest(name):
                one.wait_for_answer('<bob@alias.example>', knows)
                self.assertIsNone(one.process.poll())

    def test_whatever_happens_to_the_file(self):
        made = self.daemons({**IN_PLACE, **OTHERWISE})
        for name, one in made.items():
            self.assert_serves_the_copy(name, one)
        # Nobody begins with it again and again.
        for one in made.values():
            self.assertEqual(one.log_text().count('was killed by signal'), 1)
            self.assertNotIn('ended with status', one.log_text())
        self.assert_comes_back(made)

    def test_of_a_mapped_table_it_is_the_file(self):
        """Nothing of it is left where it was changed in place: then mail waits."""
        made = self.daemons({**IN_PLACE, **OTHERWISE}, load='mapped')
        for name, one in made.items():
            if name in IN_PLACE:
                one.wait_until_ready()
                with self.subTest(name):
                    self.assertTrue(one.message(['<ann@alias.example>']).replies[0]
                                    .startswith('451 4.3.0'))
                    one.wait_for_log('there is no table')
            else:
                self.assert_serves_the_copy(name, one)
        self.assert_comes_back(made)

    def test_a_good_file_comes_first(self):
        made = self.started()
        made.table.unlink()
        self.replace_worker(made)
        made.replace_table(OTHER)
        os.kill(made.workers()[0], signal.SIGKILL)
        made.wait_for_answer('<bob@alias.example>', knows)
        # And what has come by a reload is kept as well.
        made.table.unlink()
        self.replace_worker(made)
        self.assertTrue(knows(made.message(['<bob@alias.example>']).replies[0]))

    def test_the_copy_is_sealed(self):
        made = self.started()
        links = [os.readlink('/proc/%d/fd/%s' % (made.master, fd))
                 for fd in os.listdir('/proc/%d/fd' % made.master)]
        self.assertEqual([link.partition(' ')[0] for link in links if 'memfd' in link],
                         ['/memfd:table'])


class UnsoundFile(TestCase):
    """What a start would refuse is said when it appears, and once."""

    # What happens, what undoes it, and what is said.
    CHANGES = {
        'a mode': (lambda path: path.chmod(0o666), lambda path: None,
                   'others may write it (mode 0666)'),
        'a second name': (lambda path: os.link(path, path.with_name('second')),
                          lambda path: path.with_name('second').unlink(), 'has 2 names'),
        'a folder': (lambda path: path.parent.chmod(0o777),
                     lambda path: path.parent.chmod(0o755), 'others may write its directory'),
    }
    if os.geteuid() == 0:
        CHANGES['an owner'] = (lambda path: os.chown(path, 1, -1), lambda path: path.unlink(),
                               'belongs to user 1')
        # What can't be seen isn't gone.
        CHANGES['a folder that is closed'] = (lambda path: path.parent.chmod(0o600),
                                              lambda path: path.parent.chmod(0o750),
                                              'Permission denied')

    def test_each(self):
        made = {name: self.started() for name in self.CHANGES}
        for name, one in made.items():
            self.CHANGES[name][0](one.table)
        for name, one in made.items():
            with self.subTest(name):
                self.assertIn(str(one.table), one.wait_for_log(self.CHANGES[name][2]))
        time.sleep(2.5)                 # each looks again, and has no more to say
        start = {}
        for name, one in made.items():
            self.CHANGES[name][1](one.table)
            start[name] = len(one.log_text())
            one.replace_table(OTHER)
        for name, one in made.items():
            with self.subTest(name):
                one.wait_for_log(': loaded', start[name])
                self.assertEqual(one.log_text().count(self.CHANGES[name][2]), 1)
                # A worker that follows has no more to say either.
                said = one.log_text().count('stays')
                self.replace_worker(one)
                self.assertEqual(one.log_text().count('stays'), said)


# ---- an orphan: the worker of a master that was killed -----------------------------------------


class Orphan(TestCase):
    """A master that is killed is followed at once, whatever its worker still has to do."""

    def kill_master(self, made):
        """The worker's process id."""
        orphan, = made.workers()
        self.addCleanup(kill_if_alive, orphan)
        os.kill(made.master, signal.SIGKILL)
        made.process.wait()
        return orphan

    def assert_followed(self, made, orphan):
        """By the first one that starts, while the orphan lives. Before that one listens, whoever
        asks meets the orphan, or nobody."""
        start = len(made.log_text())
        made.spawn()
        made.wait_for_log('listens on', start)
        made.wait_until_ready()
        self.assertTrue(daemon.is_alive(orphan))
        self.assertNotEqual(made.workers(), [orphan])
        self.assert_serves(made)
        self.assertNotIn('another program', made.log_text())

    def busy(self):
        """A daemon, and a session that keeps its worker busy: it doesn't read its edits."""
        made = Daemon('alias.example domain\n' + 'big@alias.example ' + ', '.join(
            'user%d@%s.example' % (number, 'x' * 60) for number in range(5000)) + '\n' +
            'ann@alias.example ann@dest.example\n', {'limits': {'expansion': 10000}})
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        session = made.session()
        self.addCleanup(session.socket.close)
        session.mail()
        self.assertTrue(knows(session.rcpt('<big@alias.example>')))
        session.send_macros('eom', i='4Wbig')
        session.send(b'E')
        select.select([session.socket], [], [])     # the first of them are there
        return made

    def test_one_that_writes_to_a_slow_mta(self):
        made = self.busy()
        self.assert_followed(made, self.kill_master(made))

    def test_one_that_hangs(self):
        made = self.busy()
        orphan = self.kill_master(made)
        os.kill(orphan, signal.SIGSTOP)
        self.assert_followed(made, orphan)
        # When it wakes up, it takes away nothing.
        os.kill(orphan, signal.SIGCONT)
        harness.wait_until(lambda: not daemon.is_alive(orphan), 'the orphan ends')
        self.assert_serves(made)


def kill_if_alive(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


# ---- the watchdog ------------------------------------------------------------------------------


class Watchdog(TestCase):
    LONG_ENOUGH_S = 12      # for a worker that is taken to hang

    def test_one_that_hangs_is_replaced(self):
        """Within ten seconds, which test_listen sees to by its own clock."""
        made = self.started()
        hung = made.workers()
        os.kill(hung[0], signal.SIGSTOP)
        harness.wait_until(lambda: set(made.workers()) - set(hung), 'another worker')
        made.wait_until_ready()
        self.assert_serves(made)

    def crowded(self):
        """A daemon with 160 descriptors, three sessions of it, and 228 connections beside them."""
        made = Daemon(TABLE, {'max_sessions': 90})
        self.addCleanup(made.close)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (160, hard))
        made.spawn()
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 1024)), hard))
        made.wait_until_ready()
        made.wait_for_log('serves')
        sessions = [made.session() for _ in range(3)]
        bare = [milter_client.connect(made.socket) for _ in range(228)]
        self.addCleanup(lambda: [one.socket.close() for one in sessions])
        self.addCleanup(lambda: [one.close() for one in bare])
        made.wait_for_log('turned away')
        return made, sessions, bare

    def test_who_answers_is_left_alone(self):
        """Its master may not use the socket; or there are more connections than descriptors: what
        was there before goes on, what comes later is turned away, and nothing spins."""
        barred = self.started()
        made, sessions, bare = self.crowded()
        workers = barred.workers(), made.workers()
        barred.socket.chmod(0)
        if os.geteuid() == 0:
            os.chown(barred.socket, 1, 1)
        before, began = cpu_seconds(workers[1][0]), time.monotonic()
        while time.monotonic() - began < self.LONG_ENOUGH_S:
            for session in sessions:
                self.assertEqual(session.message(['<ann@alias.example>']).added,
                                 ['<ann@dest.example>'])
            time.sleep(0.2)
        self.assertLess(cpu_seconds(workers[1][0]) - before,
                        0.2 * (time.monotonic() - began))
        self.assertEqual((barred.workers(), made.workers()), workers)
        barred.wait_for_log("can't be asked")
        if os.geteuid() == 0:
            self.assert_serves(barred)
        # A table can still be loaded, and the surplus was told.
        made.replace_table(OTHER)
        made.wait_for_log('entries=2')
        self.assertEqual(bare[-1].recv(1), b'')
        while bare:
            bare.pop().close()
        made.wait_until_ready()
        self.assert_serves(made)


def cpu_seconds(pid):
    fields = pathlib.Path('/proc/%d/stat' % pid).read_text(encoding='ascii').rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class PreloadedTestCase(TestCase):
    """With preload_daemon.c, which a test can tell what to do."""
    source, variable = 'preload_daemon.c', 'BREAK_CONFIG'

    def setUp(self):
        self.made = self.daemon()
        self.order = self.made.folder / 'break-config'
        library = self.made.folder / 'preload.so'
        subprocess.run(['cc', '-shared', '-fPIC', '-o', str(library),
                        str(pathlib.Path(__file__).with_name(self.source)), '-ldl'],
                       check=True)
        self.addCleanup(os.environ.update, dict(os.environ))
        self.addCleanup(os.environ.clear)
        os.environ[self.variable] = str(self.order)
        os.environ['LD_PRELOAD'] = str(library)
        # A sanitizer's library wants to be the first one.
        os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        self.made.spawn()
        del os.environ['LD_PRELOAD']
        self.made.wait_until_ready()
        self.made.wait_for_log(' serves')       # see started()
        self.workers = self.made.workers()


class Start(PreloadedTestCase):
    def test_one_that_hangs(self):
        """A worker that hangs before it serves is given up, and the service comes back."""
        self.order.write_text('start', encoding='ascii')
        self.order.chmod(0o644)
        start = len(self.made.log_text())
        os.kill(self.workers[0], signal.SIGKILL)
        self.made.wait_for_log('smfi_opensocket() hangs', start)
        self.order.unlink()
        self.made.wait_for_log('has not begun to serve', start)
        self.made.wait_for_log(' serves', start)
        self.assert_serves(self.made)


class End(PreloadedTestCase):
    def test_a_worker_takes_nothing_down_under_its_threads(self):
        """What a library frees at the end of a process, a thread of libmilter may be using."""
        master = self.made.master
        self.assertEqual(self.made.stop(), 0)
        text = self.made.log_text()
        self.assertIn('destructors run in %d\n' % master, text)
        for pid in self.workers:
            self.assertNotIn('destructors run in %d\n' % pid, text)


class BrokenReader(PreloadedTestCase):
    """libconfig dies, ends the process, or hangs: that costs one reload, and nothing else."""

    def tell(self, how):
        """What the next ones that read settings do."""
        self.order.write_text(how, encoding='ascii')
        self.order.chmod(0o644)

    def reload(self, words):
        start = len(self.made.log_text())
        os.kill(self.made.master, signal.SIGHUP)
        self.made.wait_for_log(words, start)

    def assert_unchanged(self):
        self.assertIsNone(self.made.process.poll())
        self.assert_serves(self.made)
        self.assertEqual(self.made.workers(), self.workers)

    def test_one_that_dies(self):
        self.tell('die')
        for _ in range(3):
            self.reload('stay as they were')
            self.assert_unchanged()
        self.order.unlink()
        self.reload('reloaded')
        self.assert_unchanged()

    def test_one_that_is_ended(self):
        self.tell('exit')
        self.reload('stay as they were')
        self.assert_unchanged()

    def hang(self):
        """The reader of the settings, which hangs."""
        self.tell('hang')
        os.kill(self.made.master, signal.SIGHUP)
        self.made.wait_for_log('config_read() hangs')
        return set(self.made.workers()) - set(self.workers)

    def test_one_that_hangs(self):
        self.hang()
        self.made.replace_table(OTHER)
        self.made.wait_for_answer('<bob@alias.example>', knows)
        self.made.wait_for_log('stay as they were')
        self.assert_unchanged()

    def test_a_stop_while_one_hangs(self):
        readers = self.hang()
        self.assertEqual(self.made.stop(), 0)
        for pid in readers:
            harness.wait_until(lambda pid=pid: not os.path.exists('/proc/%d' % pid),
                               'the reader ends')

    def test_a_worker_that_dies_while_one_reads(self):
        self.hang()
        start = len(self.made.log_text())
        self.order.unlink()
        self.made.write_configuration(unknown={'reply': '550 5.1.1', 'text': 'Second'})
        os.kill(self.workers[0], signal.SIGKILL)
        # The reload was put off, not lost.
        self.made.wait_for_log('serves', start)
        self.made.wait_for_answer('<zoe@alias.example>', says('Second'))


def has_own_malloc():
    """A sanitizer or valgrind, which want to know of each allocation."""
    try:
        words = harness.command('openrcptd')
    except harness.Missing:
        return False                    # and main() says so
    return len(words) > 1 or b'__asan_init' in pathlib.Path(words[0]).read_bytes() or (
        b'__tsan_init' in pathlib.Path(words[0]).read_bytes())


@unittest.skipIf(has_own_malloc(), 'allocations are counted by something else')
class FailedAllocation(PreloadedTestCase):
    """One that fails in a reload costs that reload at most, whichever it is and in whichever
    process; one that fails in a tool ends it with a status that says so."""
    source, variable = 'preload_malloc.c', 'MALLOC_ORDER'

    def reload_each(self, process, numbers):
        """How many of the reloads failed."""
        failed = 0
        for number in numbers:
            self.order.write_text('%s %d' % (process, number), encoding='ascii')
            self.order.chmod(0o644)
            start = len(self.made.log_text())
            os.kill(self.made.master, signal.SIGHUP)
            harness.wait_until(lambda start=start: re.search(
                'openrcpt.conf: reloaded|stay as they were', self.made.log_text()[start:]),
                'the reload ends')
            failed += 'stay as they were' in self.made.log_text()[start:]
            self.assertIsNone(self.made.process.poll(), number)
            self.assertEqual(self.made.workers(), self.workers, number)
        self.order.unlink()             # which the next reload sees
        start = len(self.made.log_text())
        os.kill(self.made.master, signal.SIGHUP)
        self.made.wait_for_log('openrcpt.conf: reloaded', start)
        self.assert_serves(self.made)
        return failed

    def test_where_the_settings_are_read(self):
        self.assertGreater(self.reload_each('reader', range(1, 200, 3)), 20)

    def test_where_they_are_taken_over(self):
        self.assertGreater(self.reload_each('worker', range(1, 60)), 10)

    def test_where_it_is_begun(self):
        self.reload_each('master', range(1, 4))

    def test_tools(self):
        """libconfig may die: never the tool. 0 where it can do without, 71 where it can't."""
        library = str(self.made.folder / 'preload.so')
        del os.environ['MALLOC_ORDER']
        for words in (('rcptmap', 'config', '-c'), ('openrcptd', '-t', '-c')):
            good = subprocess.run(harness.command(*words, self.made.configuration), check=True,
                                  stdout=subprocess.PIPE).stdout
            statuses = collections.Counter()
            for number in range(1, 260, 2):
                done = subprocess.run(
                    harness.command(*words, self.made.configuration), check=False,
                    env={**os.environ, 'LD_PRELOAD': library, 'FAIL_MALLOC': str(number)},
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                statuses[done.returncode] += 1
                self.assertIn(done.returncode, (0, 71), (number, done.stderr))
                if done.returncode == 0:
                    self.assertEqual(done.stdout, good)
                else:
                    self.assertTrue(done.stderr, number)
            self.assertGreater(statuses[71], 20)


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap')
