#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap watch: which changes it sees, what it says and how often, how it ends, --status."""
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from daemon import Daemon, children
from rcptmap_test import CONFIG, OK, TRY_LATER
from watch_test import CRITICAL, UNKNOWN, WARNING, WatchTest, rows


class Changes(WatchTest):
    def check(self, change, target='second'):
        self.start_and_wait()
        self.assertEqual(self.target(), 'first')
        change()
        self.wait_for_target(target)
        self.wait_for_status(OK)
        self.assertIsNone(self.process.poll())

    def test_renamed_over(self):
        self.check(lambda: self.replace(self.source, rows('second')))

    def test_written_in_place(self):
        self.check(lambda: self.put(self.source, rows('second')))

    def test_appended_to(self):
        def change():
            with open(self.source, 'a', encoding='ascii') as stream:
                stream.write('user9@a.example nine@dest.example\n')
        self.start_and_wait()
        change()
        harness.wait_until(lambda: self.number('entries') == 4, 'the new row is there')

    def test_removed_and_made_again(self):
        def change():
            self.source.unlink()
            self.wait_for_status(WARNING, 'No such file')
            self.put(self.source, rows('second'))
        self.check(change)

    def test_its_folder_replaced(self):
        def change():
            new = self.folder.with_name('new')
            new.mkdir()
            self.put(new / 'virtual', rows('second'))
            self.folder.rename(self.folder.with_name('old'))
            new.rename(self.folder)
        self.check(change)
        # And what is done in the new one is seen, too.
        self.put(self.source, rows('third'))
        self.wait_for_target('third')

    def test_the_folder_of_its_folder_replaced(self):
        """Nothing happens in the folder that is watched: only looking tells."""
        def change():
            top = self.folder.parent
            new = top.with_name('new')
            (new / 'sources').mkdir(parents=True)
            self.put(new / 'sources' / 'virtual', rows('second'))
            top.rename(top.with_name('old'))
            new.rename(top)
        self.check(change)

    def test_behind_a_link(self):
        real = self.shop.folder / 'elsewhere'
        self.put(real, rows('first'))
        self.source.unlink()
        self.source.symlink_to(real)
        self.check(lambda: self.put(real, rows('second')))

    def test_what_a_source_includes(self):
        included = self.shop.folder / 'included'
        self.put(included, 'first@dest.example\n')
        aliases = self.folder / 'aliases'
        self.put(aliases, 'list: :include:%s\n' % included)
        self.shop.write_configuration(sources=[{'type': 'aliases', 'path': aliases}],
                                      local_domains=['l.example'])
        self.start_and_wait()
        self.put(included, 'second@dest.example\n')
        harness.wait_until(lambda: 'second@' in rcptmap.run(
            'query', '-t', self.shop.table, 'list').out, 'the list leads elsewhere')

    def test_the_configuration(self):
        def change():
            other = self.folder / 'other'
            self.put(other, rows('second'))
            self.shop.write_configuration(sources=[{'type': 'virtual', 'path': other}])
        self.check(change)
        self.put(self.folder / 'other', rows('third'))
        self.wait_for_target('third')

    def test_what_is_no_source_any_more(self):
        other = self.folder / 'other'
        metrics = self.shop.folder / 'watch.prom'
        self.put(other, rows('second'))
        self.start_and_wait('--metrics', metrics)
        self.shop.write_configuration(sources=[{'type': 'virtual', 'path': other}])
        self.wait_for_target('second')
        self.wait_for_status(OK)
        harness.wait_until(lambda: 'openrcpt_watch_files 2\n' in metrics.read_text('ascii'),
                           'the configuration and one source are watched')

    def test_what_the_configuration_includes(self):
        other = self.folder / 'other'
        self.put(other, rows('second'))
        part = self.shop.folder / 'etc' / 'part.conf'
        line = 'sources = ( { type = "virtual"; path = "%s"; } );\n'
        self.put(part, line % self.source)
        self.shop.snippet = '#sources =\n@include "part.conf"\n'
        del self.shop.settings['sources']
        self.shop.write_configuration()
        self.check(lambda: self.put(part, line % other))

    def test_conf_d(self):
        """Made, added to, changed, and removed again: each is noticed without a signal."""
        folder = self.shop.configuration.parent / 'conf.d'
        metrics = self.shop.folder / 'watch.prom'
        part = folder / '50-part.conf'
        line = 'sources = ( { type = "virtual"; path = "%s"; } );\n'
        for name in ('more', 'others'):
            self.put(self.folder / name, 'someone@a.example %s@dest.example\n' % name)
        self.start_and_wait('--metrics', metrics)

        def leads_to(wanted):
            harness.wait_until(lambda: rcptmap.run(
                'query', '-t', self.shop.table, 'someone@a.example').out.strip() == wanted,
                               'someone leads to ' + wanted)
        leads_to('')
        folder.mkdir(0o755)
        self.put(folder / '.hidden.conf', 'no configuration')
        self.put(part, line % (self.folder / 'more'))
        leads_to('more@dest.example')
        harness.wait_until(lambda: 'openrcpt_watch_files 4\n' in metrics.read_text('ascii'),
                           'two files of settings and two sources are watched')
        self.put(part, line % (self.folder / 'others'))
        leads_to('others@dest.example')
        self.put(self.folder / 'others', 'someone@a.example changed@dest.example\n')
        leads_to('changed@dest.example')
        self.replace(part, 'mistake = 1;\n')
        self.wait_for_log(r'conf\.d/50-part\.conf:1: unknown setting "mistake"')
        leads_to('changed@dest.example')
        part.unlink()
        leads_to('')
        self.wait_for_status(OK)

    def test_a_file_of_conf_d_that_comes_with_a_mistake(self):
        """It is mended in place, of which its folder tells nothing."""
        folder = self.shop.configuration.parent / 'conf.d'
        folder.mkdir(0o755)
        part = folder / '50-part.conf'
        self.put(self.folder / 'more', 'someone@a.example more@dest.example\n')
        self.start_and_wait()
        self.put(part, 'mistake = 1;\n')
        self.wait_for_log(r'conf\.d/50-part\.conf:1: unknown setting "mistake"')
        self.put(part, 'sources = ( { type = "virtual"; path = "%s"; } );\n' % (
            self.folder / 'more'))
        self.wait_for_status(OK)
        self.assertEqual(rcptmap.run(
            'query', '-t', self.shop.table, 'someone@a.example').out.strip(), 'more@dest.example')

    def test_an_included_file_that_comes_with_a_mistake(self):
        part = self.shop.folder / 'etc' / 'part.conf'
        self.start_and_wait()
        self.put(part, 'mistake = 1;\n')
        self.shop.snippet = '@include "part.conf"\n'
        self.shop.write_configuration()
        self.wait_for_log(r'part\.conf:1: unknown setting "mistake"')
        self.put(part, '# none\n')
        self.wait_for_status(OK)

    def test_changes_that_come_together_are_one(self):
        self.start_and_wait()
        before = self.number('compilations')
        for number in range(60):
            self.replace(self.source, rows('n%d' % number))
        self.replace(self.source, rows('last'))
        self.wait_for_target('last')
        self.assertLess(self.number('compilations') - before, 30)

    def test_what_happened_before_it_began(self):
        self.shop.compile()
        self.put(self.source, rows('second'))
        self.start()
        self.wait_for_target('second')

    def test_nothing_happens_without_a_change(self):
        self.start_and_wait()
        before = self.number('compilations')
        for number in range(20):
            self.put(self.folder / 'unrelated', str(number))
        self.process.send_signal(signal.SIGHUP)     # one that is asked for
        harness.wait_until(lambda: self.number('compilations') == before + 1, 'HUP compiles')
        self.wait_for_status(OK)
        self.assertEqual(self.number('compilations'), before + 1)

    def test_a_running_daemon_takes_what_it_makes(self):
        with Daemon(rows('first')) as daemon:
            self.shop = daemon
            self.runtime = daemon.runtime
            self.start_and_wait()
            daemon.write_source(rows('second'))
            harness.wait_until(lambda: daemon.message(['<user0@a.example>']).added
                               == ['<second@dest.example>'], 'the daemon has it')
            self.assertEqual(rcptmap.run('rollback', '-c', daemon.configuration).status, OK)
            harness.wait_until(lambda: daemon.message(['<user0@a.example>']).added
                               == ['<first@dest.example>'], 'and the one before')
            self.kill()


class RolledBack(WatchTest):
    """An older table that was put in place by hand stays until a source changes."""
    HELD = 'rolled back to generation 1 until a source changes or rcptmap compile'

    def setUp(self):
        super().setUp()
        self.included = self.shop.folder / 'included'
        self.put(self.included, 'list@dest.example\n')
        aliases = self.folder / 'aliases'
        self.put(aliases, 'list: :include:%s\n' % self.included)
        self.shop.write_configuration(local_domains=['l.example'], sources=[
            {'type': 'virtual', 'path': self.source}, {'type': 'aliases', 'path': aliases}])
        self.start_and_wait()
        self.put(self.source, rows('second'))
        self.wait_for_target('second')
        self.wait_for_status(OK)

    def roll_back(self):
        self.assertEqual(rcptmap.run('rollback', '-c', self.shop.configuration).status, OK)
        self.assertEqual(self.target(), 'first')

    def restart(self):
        self.stop()
        self.start()

    def test_it_stays_at_a_restart(self):
        self.roll_back()
        self.wait_for_status(WARNING, self.HELD)
        self.restart()
        self.wait_for_status(WARNING, self.HELD)
        self.assertEqual((self.target(), self.number('compilations')), ('first', 0))
        self.assertEqual(self.log_text().count('generation 3 is 1 again'), 2)
        self.put(self.source, rows('third'))
        self.wait_for_target('third')
        self.wait_for_status(OK)
        self.restart()
        self.wait_for_status(OK)
        self.assertEqual(self.number('compilations'), 1)

    def test_it_stays_where_nobody_watched_then_and_after_a_boot(self):
        self.stop()
        self.roll_back()
        for path in self.runtime.with_name('run-watch').iterdir():
            path.unlink()
        self.start()
        self.wait_for_status(WARNING, self.HELD)
        # What a source includes is watched without a compilation, too.
        self.put(self.included, 'other@dest.example\n')
        self.wait_for_target('second')
        self.wait_for_status(OK)

    def test_a_change_while_nobody_watched_is_compiled(self):
        for path, text in ((self.source, rows('third')), (self.included, 'other@dest.example\n')):
            self.stop()
            self.roll_back_to_first()
            self.put(path, text)
            self.start()
            self.wait_for_target('third')
            self.wait_for_status(OK)

    def roll_back_to_first(self):
        self.assertEqual(rcptmap.run('rollback', '-c', self.shop.configuration, '1').status, OK)
        self.assertEqual(self.target(), 'first')

    def test_another_configuration_is_compiled(self):
        self.stop()
        self.roll_back()
        other = self.shop.configuration.with_name('other.conf')
        other.write_bytes(self.shop.configuration.read_bytes())
        other.chmod(0o640)
        self.shop.configuration = other
        self.start()
        self.wait_for_target('second')

    def test_one_who_asks_gets_a_compilation(self):
        self.roll_back()
        self.wait_for_status(WARNING, self.HELD)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_target('second')
        self.wait_for_status(OK)
        self.roll_back()
        self.wait_for_status(WARNING, self.HELD.replace('1', '3'))
        self.shop.compile()
        self.wait_for_status(OK)
        self.assertEqual(self.target(), 'second')

    def test_what_failed_before_is_not_tried_again(self):
        """It lost too much in comparison with the second table, but not with the first."""
        self.put(self.source, rows('second', 40))
        harness.wait_until(lambda: self.number('entries') > 40, 'a large table')
        self.wait_for_status(OK)
        self.put(self.source, rows('third'))
        self.wait_for_status(WARNING, 'not published without --force')
        before = self.number('compilations')
        self.assertEqual(rcptmap.run('rollback', '-c', self.shop.configuration, '--force',
                                     '1').status, OK)
        self.wait_for_status(WARNING, 'OPENRCPT WARNING: generation')
        self.assertEqual((self.target(), self.number('compilations')), ('first', before))
        self.restart()
        self.wait_for_status(WARNING, 'OPENRCPT WARNING: generation.*' + self.HELD)
        self.assertEqual((self.target(), self.number('compilations')), ('first', 0))

    def test_what_is_remembered_makes_no_sense(self):
        remembered = self.shop.table.with_name('recipients.table.watched')
        good = remembered.read_text(encoding='ascii')
        self.assertEqual(remembered.stat().st_mode & 0o777, 0o600)
        for text in ('', 'nonsense\n', good.replace('end\n', ''), good.replace(' ', 'x', 4),
                     good.replace('rcptmap watch 1\n', ''), 'rcptmap watch 1\nend\n'):
            self.stop()
            self.roll_back()
            remembered.write_text(text, encoding='ascii')
            self.start()
            self.wait_for_target('second')


class Broken(WatchTest):
    WRONG = rows('second') + 'user7@a.example nobody@a.example\n'
    SAYS = r'virtual:5: target nobody@a\.example could only bounce'

    def test_it_is_said_once(self):
        self.start_and_wait()
        self.put(self.source, self.WRONG)
        self.wait_for_status(WARNING, 'failing for .*could only bounce')
        for _ in range(3):
            failures = self.number('failures')
            self.replace(self.source, self.WRONG)
            self.wait_for_more('failures', failures)
        self.assertEqual(len(re.findall(self.SAYS, self.log_text())), 1)
        self.assertEqual(self.log_text().count('not published'), 1)
        self.assertEqual(self.target(), 'first')
        # Another mistake is news.
        self.put(self.source, rows('second') + 'nonsense\n')
        self.wait_for_log(r'virtual:5: ')
        harness.wait_until(lambda: self.log_text().count('not published') == 2, 'said again')
        self.put(self.source, rows('second'))
        self.wait_for_target('second')
        self.wait_for_status(OK)
        # And so is the first one, now.
        self.put(self.source, self.WRONG)
        harness.wait_until(lambda: len(re.findall(self.SAYS, self.log_text())) == 2, 'said again')

    def test_it_is_said_again_each_hour(self):
        """By a clock that a test can put on."""
        library, ahead = self.shop.folder / 'preload.so', self.shop.folder / 'ahead'
        subprocess.run(['cc', '-shared', '-fPIC', '-o', str(library),
                        os.path.join(os.path.dirname(os.path.abspath(__file__)), 'preload_clock.c')],
                       check=True)
        self.start_and_wait(environment={
            'LD_PRELOAD': str(library), 'CLOCK_AHEAD': str(ahead),
            # A sanitizer's library wants to be the first one.
            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'})
        self.put(self.source, self.WRONG)
        self.wait_for_log('watch: not published')
        for hours in (1, 2):
            # Not yet, though it is looked at, and compiled, meanwhile.
            self.replace(ahead, str(hours * 3600 - 1800))
            failures = self.number('failures')
            self.replace(self.source, self.WRONG)
            self.wait_for_more('failures', failures)
            self.assertEqual(self.log_text().count('still not published'), hours - 1)
            self.replace(ahead, str(hours * 3600))
            harness.wait_until(lambda hours=hours: self.log_text().count(
                'watch: still not published') == hours, 'said again')
            self.assertEqual(len(re.findall(self.SAYS, self.log_text())), 1 + hours)
        self.put(self.source, rows('second'))
        self.wait_for_target('second')
        self.wait_for_status(OK)
        self.replace(ahead, '20000')
        attempts = self.number('compilations')
        self.put(self.source, rows('third'))
        self.wait_for_target('third')
        self.wait_for_more('compilations', attempts)
        self.assertEqual(self.log_text().count('not published'), 3)

    def test_warnings_are_said_once(self):
        self.put(self.source, rows('first') + 'b.example x\n')
        self.start_and_wait()
        for target in ('second', 'third', 'fourth'):
            self.put(self.source, rows(target) + 'b.example x\n')
            self.wait_for_target(target)
        self.wait_for_log('generation 4')
        self.assertEqual(self.log_text().count('nobody is postmaster@b.example'), 1)
        self.assertEqual(self.log_text().count('1 known warning'), 1)

    def test_a_table_that_lost_much(self):
        self.put(self.source, rows('first', 20))
        self.start_and_wait()
        self.put(self.source, rows('second', 3))
        self.wait_for_status(WARNING, 'not published without --force')
        self.assertEqual(self.target(), 'first')
        # Who publishes it by hand has mended it.
        self.shop.compile('--force')
        self.wait_for_status(OK)
        self.assertEqual(self.target(), 'second')

    def test_the_configuration_while_it_runs(self):
        self.start_and_wait()
        text = self.shop.configuration.read_text(encoding='ascii')
        self.put(self.shop.configuration, text + 'nonsense = 1;\n')
        self.wait_for_log('nonsense')
        self.put(self.source, rows('second'))
        self.put(self.shop.configuration, text)
        self.wait_for_target('second')
        self.wait_for_status(OK)

    def test_the_configuration_at_its_start(self):
        self.shop.write_configuration(nonsense=1)
        self.start()
        self.assertEqual(self.process.wait(harness.LIMIT_S), CONFIG)

    def test_a_source_that_is_not_there_yet(self):
        self.source.unlink()
        self.start()
        self.wait_for_status(CRITICAL, 'No such file.*there is no table')
        self.put(self.source, rows('second'))
        self.wait_for_target('second')
        self.wait_for_status(OK)


class Locked(WatchTest):
    """While somebody else holds the table's lock a compilation takes as long as a test wants."""

    def setUp(self):
        super().setUp()
        self.start_and_wait()
        self.lock = open(self.shop.table.with_name('.recipients.table.lock'), 'rb')  # pylint: disable=consider-using-with
        self.addCleanup(self.lock.close)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.before = self.shop.table.read_bytes()
        self.put(self.source, rows('second'))
        harness.wait_until(lambda: ', compiling' in self.status().out, 'it compiles')
        # Who reads the settings for the watcher has ended by then.
        self.compiler, = children(self.process.pid)

    def test_term_within_a_compilation(self):
        self.assertEqual(self.stop(), OK)
        self.assertFalse(os.path.exists('/proc/%d' % self.compiler))
        self.assertEqual(self.shop.table.read_bytes(), self.before)
        self.assertRegex(self.log_text(), 'stopped within a compilation')
        self.assertEqual(self.status().status, CRITICAL)

    def test_a_compilation_that_is_killed(self):
        os.kill(self.compiler, signal.SIGKILL)
        self.wait_for_log('killed by signal 9')
        self.wait_for_status(WARNING, 'killed by signal 9')
        self.assertEqual(self.shop.table.read_bytes(), self.before)
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_target('second')
        self.wait_for_status(OK)

    def test_changes_in_the_meantime_are_compiled_too(self):
        self.put(self.source, rows('third'))
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        self.wait_for_target('third')
        self.wait_for_status(OK)


class Service(WatchTest):
    def test_term(self):
        self.start_and_wait()
        self.assertEqual(self.stop(), OK)
        self.assertRegex(self.log_text(), r'(?m)^rcptmap: watch: stopped$')

    def test_only_one(self):
        self.start_and_wait()
        result = rcptmap.run('watch', '-c', self.shop.configuration)
        self.assert_says(result, TRY_LATER, 'rcptmap: watch: .*runs already')
        self.assertIsNone(self.process.poll())

    def test_a_service_manager_is_told(self):
        path = str(self.shop.folder / 'notify')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(harness.LIMIT_S)
            self.start(environment={'NOTIFY_SOCKET': path})
            heard = {manager.recv(1000), manager.recv(1000)}
            self.assertEqual(heard, {b'READY=1', b'WATCHDOG=1'})
            self.process.terminate()
            while b'STOPPING=1' not in heard:
                heard.add(manager.recv(1000))
            self.assertEqual(self.process.wait(harness.LIMIT_S), OK)

    def test_metrics(self):
        path = self.shop.folder / 'metrics' / 'openrcpt.prom'
        path.parent.mkdir()
        self.start_and_wait('--metrics', path)
        text = harness.wait_until(lambda: path.exists() and path.read_text(encoding='ascii'),
                                  'metrics')
        line = re.compile(r'(# (HELP|TYPE) openrcpt_[a-z_]+ .*|openrcpt_[a-z_]+ \d+(\.\d+)?)\n')
        self.assertTrue(text.endswith('\n'))
        for found in text.splitlines(keepends=True):
            self.assertTrue(line.fullmatch(found), found)
        harness.wait_until(lambda: re.search(r'(?m)^openrcpt_table_entries 3$',
                                             path.read_text(encoding='ascii')), 'entries')
        self.assertEqual(path.stat().st_mode & 0o7777, 0o644)

    def test_a_state_that_cant_be_written_stops_nothing(self):
        self.start_and_wait('--metrics', self.shop.folder / 'nowhere' / 'openrcpt.prom')
        self.put(self.source, rows('second'))
        self.wait_for_target('second')
        self.assertEqual(self.log_text().count('openrcpt.prom'), 1)


class Status(WatchTest):
    """Of states that are written by hand, under a lock that is held or not."""

    def state(self, is_held=True, **changes):
        folder = self.runtime.with_name('run-watch')
        folder.mkdir(exist_ok=True)
        values = {'table': '/t', 'looked_ms': int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000),
                  'looked': 1, 'files': 2, 'attempts': 3, 'failures': 0, 'failing_since': 0,
                  'status': 0, 'compiled': int(time.time()), 'took_ms': 5, 'generation': 7,
                  'entries': 9, 'domains': 1, 'size_bytes': 5000, 'compiling_since': 0,
                  'trouble': '', **changes}
        self.put(folder / 'state',
                 ''.join('%s %s\n' % pair for pair in values.items()) + 'end\n')
        with open(folder / 'lock', 'wb') as lock:
            if is_held:
                fcntl.flock(lock, fcntl.LOCK_EX)
            return self.status()

    def test_well(self):
        result = self.state()
        self.assertEqual(result.status, OK)
        self.assertRegex(result.out, r'\AOPENRCPT OK: generation 7, 9 entries \| generation=7 '
                                     r'entries=9 domains=1 size=5000B compilations=3c failures=0c '
                                     r'took=5ms age=\d+s\n\Z')

    def test_failing(self):
        now = int(time.time())
        result = self.state(failing_since=now - 60, trouble='virtual:3: a|b')
        self.assertEqual(result.status, WARNING)
        self.assertRegex(result.out, r'failing for \d+ s: virtual:3: a b; generation 7')
        self.assertEqual(self.state(failing_since=now - 7200).status, CRITICAL)

    def test_a_database_that_nothing_confirms(self):
        """For as long as who watches has it in his settings."""
        source = '1 %d 0 sqlite:main ' % (time.time() - 60)
        self.assertEqual(self.state(source=source, age_limit=300).status, OK)
        result = self.state(source=source, age_limit=30)
        self.assertEqual(result.status, WARNING)
        self.assertRegex(result.out, r'sqlite:main not confirmed for \d+ s; generation 7')

    def test_a_compilation_that_does_not_end(self):
        now = int(time.time())
        result = self.state(compiling_since=now - 60)
        self.assertEqual(result.status, OK)
        self.assertRegex(result.out, r', compiling for \d+ s \|')
        self.assertEqual(self.state(compiling_since=now - 3600).status, WARNING)

    def test_nobody_watches(self):
        result = self.state(is_held=False)
        self.assertEqual(result.status, CRITICAL)
        self.assertIn('nobody watches; generation 7', result.out)

    def test_it_hangs(self):
        looked = int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000) - 300000
        if looked < 0:
            self.skipTest('this host was started a moment ago')
        result = self.state(looked_ms=looked)
        self.assertEqual(result.status, CRITICAL)
        self.assertIn('has not looked for 3', result.out)

    def test_no_table(self):
        result = self.state(generation=0)
        self.assertEqual(result.status, CRITICAL)
        self.assertIn('there is no table /t', result.out)

    def test_it_has_not_run(self):
        result = self.status()
        self.assertEqual((result.status, result.out),
                         (CRITICAL, 'OPENRCPT CRITICAL: nobody watches: rcptmap watch has not run\n'))

    def test_wrong_usage(self):
        """Whoever monitors sees standard output alone."""
        for words, said in ((['--bogus'], 'unknown option --bogus'), (['x'], 'unexpected argument'),
                            (['-c'], 'a value is missing')):
            with self.subTest(words):
                result = rcptmap.run('watch', '--status', *words)
                self.assertEqual((result.status, result.out.count('\n')), (UNKNOWN, 1))
                self.assertEqual(result.out.partition(':')[0], 'OPENRCPT UNKNOWN')
                self.assertIn(said, result.out)
                self.assertIn(said, result.err)

    def test_a_configuration_that_is_not_there(self):
        """Who watches may have another directory than the default one, where somebody may."""
        default = rcptmap.run('config', '-d', 'runtime_directory').out.strip()
        result = rcptmap.run('watch', '--status', '-c', self.runtime / 'none')
        if os.path.exists(default + '-watch/state'):
            return
        self.assertEqual(result.status, UNKNOWN)
        self.assertIn("the configuration can't be read", result.out)

    def test_what_makes_no_sense(self):
        self.state()
        self.put(self.runtime.with_name('run-watch') / 'state', 'table /t\n')
        self.assertEqual(self.status().status, UNKNOWN)


if __name__ == '__main__':
    harness.main('rcptmap', 'openrcptd')
