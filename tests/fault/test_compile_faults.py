#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever happens to rcptmap compile: the table is the old one or the new one, and sound."""
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap

OK, IO_ERROR, TRY_LATER = 0, 74, 75
KEPT = 5                    # keep_tables
KILLS = 250
KILL_SECONDS = 25           # fewer kills where the machine is slow
LEAST_KILLS = 30


def rows(mark, count):
    """A source with COUNT users, one of whom tells which source it is."""
    return 'alias.test x\nmark@alias.test %s@far.test\n' % mark + ''.join(
        'user%d@alias.test %s%d@far.test\n' % (i, mark, i) for i in range(count))


class Faults(unittest.TestCase):
    def setUp(self):
        self.workshop = rcptmap.Workshop(rows('old', 10))
        self.addCleanup(self.workshop.close)
        self.table = pathlib.Path(self.workshop.table)

    def command(self, *options):
        return harness.command('rcptmap', 'compile', '-c', self.workshop.configuration, *options)

    def mark(self):
        """Who compiled the table last. It must be sound, all of it."""
        self.assertEqual(rcptmap.run('verify', '-t', self.table), (0, '', ''))
        result = rcptmap.run('query', '-t', self.table, 'mark@alias.test')
        self.assertEqual((result.status, result.err), (0, ''))
        return result.out.partition('@')[0]

    def beside(self, table=None):
        """What lies beside the table, but for its lock, what was told of it, and the tables before
        it."""
        table = table or self.table
        return {path.name for path in table.parent.iterdir()
                if not path.suffix[1:].isdigit()} - {
                    table.name, '.%s.lock' % table.name, table.name + '.warnings'}

    def check_kept(self):
        """Those before it are sound, have one name each, and are no more than there should be."""
        kept = [path for path in self.table.parent.glob('%s.*' % self.table.name)
                if path.suffix[1:].isdigit()]
        self.assertLessEqual(len(kept), KEPT)
        for path in kept:
            self.assertEqual(path.stat().st_nlink, 1)
            self.assertEqual(rcptmap.run('verify', '-t', path), (0, '', ''))

    def compile(self, mark, count):
        self.workshop.write_source(rows(mark, count))
        self.workshop.compile()

    def assert_failed(self, done, status, before, table=None):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertTrue(done.stderr.strip())
        self.assertEqual((table or self.table).read_bytes(), before)
        self.assertEqual(self.beside(table), set())


class Killed(Faults):
    def test_old_or_new_and_nothing_is_left(self):
        rng = random.Random(7)
        self.compile('old', 4000)
        started = time.monotonic()
        self.compile('old', 4000)
        duration = time.monotonic() - started
        killed = finished = leftovers = 0
        expected = {'old'}
        while killed < KILLS and (time.monotonic() - started < KILL_SECONDS or
                                  killed < LEAST_KILLS):
            mark = 'm%d' % (killed + finished)
            self.workshop.write_source(rows(mark, 4000))
            process = subprocess.Popen(self.command(), stderr=subprocess.PIPE)
            time.sleep(rng.random() * duration)
            process.kill()
            _, messages = process.communicate()
            self.assertIn(process.returncode, (0, -signal.SIGKILL), messages)
            found = self.mark()
            self.assertIn(found, expected | {mark})
            expected = {found}
            if process.returncode == 0:
                finished += 1
                self.assertEqual(found, mark)
                self.assertEqual(self.beside(), set())
            else:
                killed += 1
                leftovers += bool(self.beside())
                # Each run removes what the one before it left.
                self.assertLessEqual(len(self.beside()), 1)
        self.assertGreaterEqual(killed, LEAST_KILLS)
        self.assertGreater(leftovers, 0, 'no kill came while the table was written')
        self.compile('last', 4000)
        self.assertEqual((self.mark(), self.beside()), ('last', set()))
        self.check_kept()


class FullDisk(Faults):
    """A file system with a few free pages, on which the old table lies."""

    def setUp(self):
        super().setUp()
        self.disk = self.workshop.folder / 'disk'
        self.disk.mkdir(mode=0o755)
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs',
                               self.disk], stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            self.skipTest('no tmpfs: %s' % done.stderr)
        self.addCleanup(subprocess.run, ['umount', '-l', self.disk], check=True)
        self.table = self.disk / 'table'
        self.workshop.write_configuration(table=self.table)
        self.workshop.compile()

    def free_bytes(self):
        status = os.statvfs(self.disk)
        return status.f_bavail * status.f_frsize

    def try_with(self, free):
        """Compile with FREE bytes left on the disk."""
        filler = self.disk / 'filler'
        filler.write_bytes(bytes(self.free_bytes() - free))
        done = subprocess.run(self.command(), stderr=subprocess.PIPE, check=False)
        filler.unlink()
        return done

    def test_wherever_it_fills_up(self):
        old = self.table.read_bytes()
        # The source is long enough to be spilled to the disk, too.
        self.workshop.write_source(rows('new', 6000))
        failures = 0
        free = 0
        while True:
            done = self.try_with(free)
            if done.returncode == OK:
                break
            self.assert_failed(done, IO_ERROR, old)
            failures += 1
            free += 4096 if free < 32768 else 32768
        self.assertGreater(failures, 5)
        self.assertEqual((self.mark(), self.beside()), ('new', set()))


class LimitedFiles(Faults):
    def try_with(self, most_bytes):
        limit = (most_bytes, most_bytes)
        return subprocess.run(
            self.command(), stderr=subprocess.PIPE, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))

    def test_whatever_the_limit(self):
        self.workshop.compile()
        old = self.table.read_bytes()
        self.workshop.write_source(rows('new', 6000))
        failures = 0
        most = 0
        while True:
            done = self.try_with(most)
            if done.returncode == OK:
                break
            self.assert_failed(done, IO_ERROR, old)
            failures += 1
            most = most * 2 or 4096
        self.assertGreater(failures, 4)
        self.assertEqual((self.mark(), self.beside()), ('new', set()))


class Concurrent(Faults):
    def test_one_after_the_other(self):
        self.workshop.compile()
        processes = {}
        for number in range(12):
            source = self.workshop.folder / 'etc' / ('source%d' % number)
            source.write_text(rows('m%d' % number, 1000), encoding='utf-8')
            source.chmod(0o644)
            processes['m%d' % number] = subprocess.Popen(
                self.command('-o', self.table, source), stderr=subprocess.PIPE)
        succeeded = set()
        for mark, process in processes.items():
            _, messages = process.communicate()
            self.assertIn(process.returncode, (OK, TRY_LATER), messages)
            if process.returncode == OK:
                succeeded.add(mark)
        self.assertTrue(succeeded)
        self.assertIn(self.mark(), succeeded)
        info = rcptmap.run('info', '-t', self.table)
        self.assertRegex(info.out, r'(?m)^generation\W+%d$' % (1 + len(succeeded)))
        self.assertEqual(self.beside(), set())


if __name__ == '__main__':
    harness.main('rcptmap')
