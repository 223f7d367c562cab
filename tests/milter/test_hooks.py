#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What libmilter is to find in the program instead of the C library: is it there, and is it used?"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import milter_client
from daemon import Daemon

LIST = harness.SOURCE / 'src' / 'milter' / 'libmilter_hooks.def'
SOFTWARE = 70
TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
'''


def hooks():
    """The names of the functions that are to be there."""
    return re.findall(r'^HOOK\(.*?, (\w+),\s+\(', LIST.read_text(encoding='ascii'), re.MULTILINE)


def lines_of(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          encoding='ascii').stdout.splitlines()


def hooks_found_in(program):
    """Those that libmilter finds in the program. A static one finds them in any case where they
    are, a shared one only those that the program exports."""
    is_shared = any('NEEDED' in line and 'libmilter' in line
                    for line in lines_of('readelf', '--dynamic', '--wide', program))
    lines = lines_of('nm', '--dynamic', '--defined-only', program)
    if not is_shared:
        lines += lines_of('nm', '--defined-only', program)
    return {line.split()[-1] for line in lines if ' T ' in line} & set(hooks())


def unhooked():
    """The daemon without its hooks."""
    return harness.program(harness.build_folder() / 'tests' / 'milter' / 'unhooked')


def pending(pid):
    """The signals that were sent to the process and that nobody took."""
    bits = int(daemon.process_status(pid)['ShdPnd'], 16)
    return {number for number in range(1, 32) if bits >> (number - 1) & 1}


class Build(unittest.TestCase):
    def test_each_hook_is_found(self):
        self.assertGreaterEqual(len(hooks()), 5)
        self.assertEqual(hooks_found_in(harness.program('openrcptd')), set(hooks()))

    def test_a_build_without_them_is_noticed(self):
        self.assertEqual(hooks_found_in(unhooked()), set())


class Signals(unittest.TestCase):
    """Of HUP, TERM and INT each would end libmilter, and thereby the process."""

    def test_a_signal_to_the_worker_changes_nothing(self):
        made = Daemon(TABLE)
        self.addCleanup(made.close)
        made.start()
        workers = made.workers()
        with made.session() as session:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                for pid in workers:
                    os.kill(pid, number)
                for client in (session, made):
                    with self.subTest(number=number, is_new=client is made):
                        self.assertEqual(client.message(['<ann@alias.example>']).added,
                                         ['<ann@dest.example>'])
                self.assertEqual(made.workers(), workers)
        for pid in workers:
            self.assertLessEqual({signal.SIGHUP, signal.SIGTERM, signal.SIGINT}, pending(pid))


class Start(unittest.TestCase):
    def test_a_daemon_without_its_hooks_serves_nobody(self):
        made = Daemon(TABLE)
        self.addCleanup(made.close)
        made.program = unhooked()
        process = made.spawn()

        def ends():
            try:
                made.session().close()
            except (OSError, milter_client.Ended):
                return process.poll() is not None
            return self.fail('it serves:\n' + made.log_text())

        harness.wait_until(ends, 'it ends', 60)
        self.assertEqual(process.returncode, SOFTWARE, made.log_text())
        self.assertRegex(made.log_text(), r'fatal: libmilter .* our sigwait\(\)')
        self.assertNotIn('serves', made.log_text())


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap')
