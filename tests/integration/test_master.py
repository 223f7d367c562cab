#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd's master: reloads that go wrong, and workers that follow another."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
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


class PreloadedTestCase(TestCase):
    """With preload_daemon.c, which a test can tell what to do."""

    def setUp(self):
        self.made = self.daemon()
        self.order = self.made.folder / 'break-config'
        library = self.made.folder / 'preload_daemon.so'
        subprocess.run(['cc', '-shared', '-fPIC', '-o', str(library),
                        str(pathlib.Path(__file__).with_name('preload_daemon.c')), '-ldl'],
                       check=True)
        self.addCleanup(os.environ.update, dict(os.environ))
        self.addCleanup(os.environ.clear)
        os.environ['BREAK_CONFIG'] = str(self.order)
        os.environ['LD_PRELOAD'] = str(library)
        # A sanitizer's library wants to be the first one.
        os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        self.made.spawn()
        del os.environ['LD_PRELOAD']
        self.made.wait_until_ready()
        self.workers = self.made.workers()


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


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap')
