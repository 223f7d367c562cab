#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What comes while one worker follows another, or one program another: a death, a second order."""
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import test_handover
from daemon import Daemon
from test_handover import TABLE


class TestCase(test_handover.TestCase):
    """Of a daemon that a test can tell what to do, see preload_daemon.c."""

    def made(self, **settings):
        """One that isn't started."""
        made = Daemon(TABLE, settings)
        self.addCleanup(made.close)
        return made

    def spawned(self, made, order=''):
        library = made.folder / 'preload.so'
        subprocess.run(['cc', '-shared', '-fPIC', '-o', str(library),
                        str(pathlib.Path(__file__).with_name('preload_daemon.c')), '-ldl'],
                       check=True)
        # A sanitizer's library wants to be the first one.
        own = {'BREAK_CONFIG': str(made.table.parent / 'order'), 'LD_PRELOAD': str(library),
               'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'}
        before = dict(os.environ)
        try:
            self.tell(made, order)
            os.environ.update(own)
            made.spawn()
        finally:
            os.environ.clear()
            os.environ.update(before)
        return made

    def started(self, **settings):
        made = self.spawned(self.made(**settings))
        made.wait_until_ready()
        made.wait_for_log(' serves')
        return made

    def tell(self, made, order):
        """By rename, so that nobody reads half of it."""
        fresh = made.table.parent / 'order.new'
        fresh.write_text(order, encoding='ascii')
        fresh.chmod(0o644)
        fresh.rename(made.table.parent / 'order')

    def ask(self, made, *words):
        """rcptctl, which waits for an outcome; it takes the settings of this moment."""
        asked = subprocess.Popen(harness.command('rcptctl', '-c', made.configuration, *words),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, encoding='utf-8')
        self.addCleanup(asked.stderr.close)
        self.addCleanup(asked.wait)
        self.addCleanup(asked.kill)
        return asked

    def outcome(self, asked):
        return asked.wait(harness.LIMIT_S), asked.stderr.read()

    def begun(self, made, *words):
        """What WORDS ask for, at the moment when the next worker begins."""
        start = len(made.log_text())
        self.tell(made, 'wait')
        asked = self.ask(made, *words)
        made.wait_for_log('smfi_opensocket() waits', start)
        harness.wait_until(lambda: self.status(made)['state'] == 'handing over', 'the next one')
        return asked

    def kill_worker(self, made):
        worker = self.status(made)['worker_pid']
        os.kill(worker, signal.SIGKILL)
        made.wait_for_log('worker %d was killed' % worker)
        return worker


class Workers(TestCase):
    def test_a_next_one_that_hangs(self):
        made = self.started()
        session = self.in_a_message(made)
        before = self.status(made)
        self.tell(made, 'start')
        made.write_configuration(max_sessions=77)
        asked = self.ask(made, 'reload')
        made.wait_for_log('smfi_opensocket() hangs')
        self.tell(made, '')
        self.assert_ends_well(self.in_a_message(made))
        status, err = self.outcome(asked)
        self.assertEqual(status, 1)
        self.assertIn('has not begun to serve', err)
        harness.wait_until(lambda: self.status(made)['state'] == 'serving', 'the first one')
        after = self.status(made)
        for name in ('worker_pid', 'max_sessions', 'retired_workers', 'worker_restarts'):
            self.assertEqual(after[name], before[name])
        self.assert_ends_well(session)
        self.reload(made, max_sessions=77)
        self.assertEqual(self.status(made)['max_sessions'], 77)

    def test_the_old_one_dies_while_the_next_one_begins(self):
        made = self.started()
        made.write_configuration(max_sessions=77)
        asked = self.begun(made, 'reload')
        old = self.kill_worker(made)
        self.assertEqual(self.status(made)['state'], 'starting')
        self.tell(made, '')
        self.assertEqual(self.outcome(asked), (0, ''))
        self.assert_ends_well(self.in_a_message(made))
        told = self.status(made)
        self.assertNotEqual(told['worker_pid'], old)
        self.assertEqual((told['max_sessions'], told['worker_restarts'], told['retired_workers']),
                         (77, 1, 0))

    def test_both_die(self):
        made = self.started()
        made.write_configuration(max_sessions=77)
        asked = self.begun(made, 'reload')
        self.kill_worker(made)
        self.tell(made, 'fail')
        status, err = self.outcome(asked)
        self.assertEqual((status, err != ''), (1, True))
        self.tell(made, '')
        self.assert_ends_well(self.in_a_message(made))
        self.assertNotEqual(self.status(made)['max_sessions'], 77)

    def test_next_ones_that_fail_come_by_the_second(self):
        made = self.started()
        session = self.in_a_message(made)
        self.tell(made, 'fail')
        made.socket.unlink()
        first = harness.wait_until(lambda: self.failures(made), 'one that fails')
        began = time.monotonic()
        last = harness.wait_until(lambda: self.failures_behind(made, first + 2), 'more of them')
        # Later by a busy machine, but not sooner; the next one may have been about to come.
        self.assertGreater(time.monotonic() - began, last - first - 1.5)
        self.tell(made, '')
        self.assert_ends_well(session)
        made.wait_for_log('takes the connections')
        self.assert_ends_well(self.in_a_message(made))

    def failures(self, made):
        return made.log_text().count('ended with status')

    def failures_behind(self, made, count):
        found = self.failures(made)
        return found if found > count else None

    def test_a_stop_while_the_next_one_begins(self):
        made = self.started()
        session = self.in_a_message(made)
        made.write_configuration(max_sessions=77)
        asked = self.begun(made, 'reload')
        start = len(made.log_text())
        made.ask_to_stop()
        made.wait_for_log('stopping', start)
        self.tell(made, '')
        self.assert_ends_well(session)
        self.assertEqual(made.process.wait(harness.LIMIT_S), 0)
        self.assertNotEqual(self.outcome(asked)[0], 0)
        self.assertFalse(made.socket.exists())

    def test_a_killed_master_leaves_nobody_behind(self):
        made = self.started()
        session = self.in_a_message(made)
        made.write_configuration(max_sessions=77)
        self.begun(made, 'reload')
        workers = made.workers()
        self.assertEqual(len(workers), 2)
        os.kill(made.master, signal.SIGKILL)
        self.tell(made, '')
        self.assert_ends_well(session)
        for worker in workers:
            self.assert_is_gone(worker)

    def test_there_is_no_room_for_one_more(self):
        made = self.started()
        stopped = []
        for number in range(8):
            self.in_a_message(made)
            stopped.append(self.status(made)['worker_pid'])
            self.reload(made, max_sessions=77 + number)
            os.kill(stopped[-1], signal.SIGSTOP)        # so it doesn't end
        self.assertEqual(self.status(made)['retired_workers'], 8)
        made.write_configuration(max_sessions=99)
        program = self.status(made)['worker_pid']
        for order in ('reload', 'reexec'):
            status, _, err = self.ctl(made, order)
            self.assertEqual(status, 1)
            self.assertIn('too many workers before this one still end', err)
        self.assertNotIn('has taken over', made.log_text())
        told = self.status(made)
        self.assertEqual((told['worker_pid'], told['max_sessions']), (program, 84))
        self.assert_ends_well(self.in_a_message(made))


@unittest.skipIf(os.environ.get('OPENRCPT_WRAPPER'), 'a wrapper would be somebody else')
class Programs(TestCase):
    def test_its_worker_fails_where_the_other_one_has_died(self):
        made = self.started()
        made.write_configuration(max_sessions=77)
        asked = self.begun(made, 'reexec')
        self.kill_worker(made)
        self.tell(made, 'fail')
        status, err = self.outcome(asked)
        self.assertEqual(status, 1)
        self.assertIn('the new worker did not begin', err)
        self.tell(made, '')
        self.assert_ends_well(self.in_a_message(made))
        self.assertNotEqual(self.status(made)['max_sessions'], 77)

    def test_the_table_comes_along(self):
        """Neither its file is there any more, nor the worker that had it."""
        made = self.started()
        asked = self.begun(made, 'reexec')
        made.table.unlink()
        self.kill_worker(made)
        self.tell(made, '')
        self.assertEqual(self.outcome(asked), (0, ''))
        self.assert_ends_well(self.in_a_message(made))
        self.assertEqual(self.status(made)['table_is_copy'], 1)

    def test_sessions_are_counted_for_the_worker_that_has_them(self):
        made = self.started()
        self.reload(made, max_sessions=77)
        harness.wait_until(lambda: self.status(made)['retired_workers'] == 0, 'the first has ended')
        old = self.status(made)['worker_pid']
        self.in_a_message(made)
        start = len(made.log_text())
        self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
        # Until it has heard that it retires, the old one takes connections, too.
        made.wait_for_log('another worker takes the connections', start)
        session = self.in_a_message(made)
        self.assertEqual(self.status(made)['sessions'], 2)
        os.kill(old, signal.SIGKILL)
        harness.wait_until(lambda: self.status(made)['sessions'] == 1, 'its session is gone')
        self.assert_ends_well(session)

    def test_its_worker_fails_on_another_socket(self):
        made = self.started()
        session = self.in_a_message(made)
        before, other = self.status(made), made.socket.with_name('other.sock')
        made.write_configuration(socket='unix:%s' % other)
        asked = self.begun(made, 'reexec')
        self.assertTrue(other.exists())
        self.assert_ends_well(self.in_a_message(made))
        self.tell(made, 'fail')
        status, err = self.outcome(asked)
        self.assertEqual(status, 1)
        self.assertIn('the new worker did not begin', err)
        self.assertFalse(other.exists())
        self.tell(made, '')
        after = self.status(made)
        for name in ('socket', 'worker_pid', 'retired_workers', 'state'):
            self.assertEqual(after[name], before[name])
        self.assert_ends_well(session)
        self.assert_ends_well(self.in_a_message(made))
        made.socket.unlink()                    # is looked after as before
        made.wait_for_log('the socket is gone')
        self.assertNotIn('takes the connections', made.log_text().partition('is gone')[0])
        self.assert_ends_well(self.session_of(made))
        self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
        made.socket = other
        self.assert_ends_well(self.in_a_message(made))

    def session_of(self, made):
        harness.wait_until(made.socket.exists, 'the socket')
        return self.in_a_message(made)

    def test_whoever_asks_meanwhile_gets_his_own(self):
        made = self.started()
        made.write_configuration(max_sessions=77)
        first = self.begun(made, 'reexec')
        made.write_configuration(max_sessions=78)
        second = self.ask(made, 'reexec')
        third = self.ask(made, 'reload')
        harness.wait_until(lambda: self.clients(made) == 3, 'all three wait')
        self.tell(made, '')
        for asked in (first, second, third):
            self.assertEqual(self.outcome(asked), (0, ''))
        self.assertEqual(self.status(made)['max_sessions'], 78)
        self.assertEqual(made.log_text().count('has taken over'), 2)

    def clients(self, made):
        """How many connections the control socket has."""
        path = str(made.runtime / 'control.sock')
        lines = pathlib.Path('/proc/net/unix').read_text(encoding='utf-8').splitlines()
        return sum(line.endswith(' ' + path) and line.split()[5] == '03' for line in lines)

    def test_a_reload_that_comes_while_the_program_begins(self):
        """It is for the new worker: the other one may not understand the settings."""
        made = self.started()
        self.tell(made, 'begin')
        asked = self.ask(made, 'reexec')
        made.wait_for_log('config_read() of the new program waits')
        os.kill(made.master, signal.SIGHUP)
        self.tell(made, '')
        self.assertEqual(self.outcome(asked), (0, ''))
        made.wait_for_log(': reloaded')
        self.assertNotIn(': reloaded', made.log_text().partition('has taken over')[0])

    def test_orders_of_all_kinds_at_once(self):
        made = self.started()
        wrong = []

        def repeat(order, times):
            for _ in range(times):
                done = self.ctl(made, order)
                if done[0::2] != (0, ''):
                    wrong.append((order, *done))
        askers = [threading.Thread(target=repeat, args=args) for args in
                  (('reload', 12), ('reload', 12), ('reload', 12), ('reexec', 6), ('reexec', 6))]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        self.assertEqual(wrong, [])
        self.assert_ends_well(self.in_a_message(made))
        harness.wait_until(lambda: self.status(made)['retired_workers'] == 0, 'all have ended')
        self.assertEqual(self.status(made)['worker_restarts'], 0)

    def test_a_stop_while_the_program_is_asked(self):
        made = self.started()
        self.tell(made, 'slow')
        asked = self.ask(made, 'reexec')
        harness.wait_until(lambda: self.is_asked(made), 'the program is asked')
        self.assertEqual(made.stop(), 0)
        self.assertNotEqual(self.outcome(asked)[0], 0)

    def is_asked(self, made):
        return any(map(self.is_asked_as, made.workers()))

    def is_asked_as(self, pid):
        arguments = pathlib.Path('/proc/%d/cmdline' % pid).read_text(encoding='utf-8')
        return '--takes-over' in arguments

    @unittest.skipIf(os.geteuid() != 0, 'only root becomes another user')
    def test_another_user(self):
        """It waits for a restart, however often the program is replaced."""
        made = self.started()
        made.write_configuration(user='daemon')
        for _ in range(3):
            self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
            self.assert_ends_well(self.in_a_message(made))
        self.assertEqual(made.log_text().count('user: needs a restart'), 3)
        self.assertIsNone(made.process.poll())

    def test_nobody_can_tell_who_a_user_is(self):
        made = self.started()
        self.tell(made, 'accounts')
        for _ in range(2):
            self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
            self.assert_ends_well(self.in_a_message(made))

    def test_a_stop_between_two_sockets(self):
        made = self.started()
        session = self.in_a_message(made)
        other = made.socket.with_name('other.sock')
        made.write_configuration(socket='unix:%s' % other)
        self.begun(made, 'reexec')
        start = len(made.log_text())
        made.ask_to_stop()
        made.wait_for_log('stopping', start)
        self.tell(made, '')
        self.assert_ends_well(session)
        self.assertEqual(made.process.wait(harness.LIMIT_S), 0)
        self.assertEqual(list(other.parent.iterdir()), [])

    def test_sockets_that_cannot_be_had(self):
        made = self.started(metrics='unix:%s' % '/nowhere/metrics.sock')
        metrics = made.runtime / 'metrics.sock'
        made.write_configuration(metrics='unix:%s' % metrics)
        self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
        self.assertTrue(metrics.exists())
        good = made.configuration.read_text(encoding='utf-8')
        start = len(made.log_text())
        made.write_configuration(metrics='unix:/nowhere/metrics.sock',
                                 control_socket=pathlib.Path('/nowhere/control.sock'))
        os.kill(made.master, signal.SIGUSR2)
        made.wait_for_log('has taken over', start)
        made.configuration.write_text(good, encoding='utf-8')
        self.assertEqual(self.status(made)['state'], 'serving')
        self.assertTrue(metrics.exists())
        self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
        self.assertEqual(self.status(made)['state'], 'serving')

    def test_a_sandbox_that_was_off(self):
        made = self.started(sandbox='off')
        self.assertEqual(self.status(made)['seccomp'], 'off')
        fresh = self.made()
        self.spawned(fresh)
        fresh.wait_until_ready()
        expected = self.status(fresh)
        made.write_configuration(sandbox='enforce')
        for _ in range(2):                      # the second one finds it
            self.assertEqual(self.ctl(made, 'reexec')[0::2], (0, ''))
            told = self.status(made)
            for name in ('landlock', 'seccomp', 'worker_landlock', 'worker_seccomp'):
                self.assertEqual(told[name], expected[name])
        self.assert_ends_well(self.in_a_message(made))


class Start(TestCase):
    def test_a_reload_that_comes_too_early(self):
        """Before there is anything to be loaded anew, it ends nothing."""
        made = self.spawned(self.made(), 'slow')
        made.wait_for_log('config_read() waits')
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(made.master, number)
        self.assertTrue(daemon.is_alive(made.master))
        self.tell(made, '')
        made.wait_until_ready()
        made.wait_for_log('reloaded')
        made.wait_for_log('has taken over')


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl')
