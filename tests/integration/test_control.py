#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptctl and the control socket: what a running daemon tells, and that asking harms no mail."""
import json
import os
import pathlib
import pwd
import signal
import socket
import stat
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
gone@alias.example   error:550 5.1.6 moved
'''
OTHER = TABLE + 'bob@alias.example    bob@dest.example\n'
KNOWN, UNKNOWN = '<ann@alias.example>', '<nobody@alias.example>'


class TestCase(unittest.TestCase):
    def started(self, **settings):
        made = Daemon(TABLE, settings)
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        return made

    def take_place(self, session):
        """MAIL isn't answered, and may still be on its way; the recipient is."""
        session.mail()
        self.assertEqual(session.rcpt('<who@else.example>'), 'continue')

    def ctl(self, made, *words):
        done = subprocess.run(harness.command('rcptctl', '-c', made.configuration, *words),
                              check=False, capture_output=True, encoding='utf-8',
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def asked(self, made, *words):
        """The one object that is printed."""
        status, out, err = self.ctl(made, '--json', *words)
        self.assertEqual((status, err), (0, ''))
        return json.loads(out)


class Status(TestCase):
    def test_what_is_served(self):
        made = self.started(max_sessions=7)
        harness.wait_until(lambda: self.asked(made, 'status')['sessions'] == 0, 'nobody is there')
        told = self.asked(made, 'status')
        self.assertEqual({name: told[name] for name in (
            'state', 'pid', 'worker_pid', 'worker_restarts', 'table_generation', 'table_entries',
            'table_domains', 'table_bytes', 'table_is_copy', 'sessions', 'max_sessions')}, {
                'state': 'serving', 'pid': made.master, 'worker_pid': made.workers()[0],
                'worker_restarts': 0, 'table_generation': 1, 'table_entries': 2,
                'table_domains': 1, 'table_bytes': made.table.stat().st_size, 'table_is_copy': 0,
                'sessions': 0, 'max_sessions': 7})
        self.assertNotIn('last_failure', told)
        made.replace_table(OTHER)
        made.wait_for_log('entries=3')
        with made.session() as session:
            self.take_place(session)
            told = self.asked(made, 'status')
            self.assertEqual((told['table_generation'], told['table_entries'], told['sessions']),
                             (2, 3, 1))
            self.assertEqual(self.asked(made, 'sessions'), {'sessions': 1, 'max_sessions': 7})

    def test_as_text(self):
        made = self.started()
        status, out, _ = self.ctl(made, 'status')
        self.assertEqual(status, 0)
        self.assertRegex(out, r'(?m)^state +serving$')
        self.assertRegex(out, r'(?m)^table_created +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')

    def test_what_the_table_was_made_of(self):
        made = self.started()
        two = [{'type': 'virtual', 'path': made.source},
               {'type': 'virtual', 'path': made.folder / 'more'}]
        self.assertEqual(self.asked(made, 'status')['table_sources'], [made.source.name])
        (made.folder / 'more').write_text('new@alias.example new@dest.example\n')
        made.write_configuration(sources=two)
        made.compile()
        self.assertEqual(self.ctl(made, 'reload'), (0, '', ''))
        made.table.unlink()             # the one that serves, not the one that lies there
        names = [made.source.name, 'more']
        self.assertEqual(self.asked(made, 'status')['table_sources'], names)
        self.assertRegex(self.ctl(made, 'status')[1],
                         r'(?m)^table_sources +%s\n +%s$' % tuple(names))
        self.assertNotIn('table_sources', self.asked(made, 'stats'))

    def test_a_worker_that_died_is_counted_and_its_counts_stay(self):
        made = self.started()
        made.message([KNOWN, UNKNOWN])
        workers = made.workers()
        os.kill(workers[0], signal.SIGKILL)
        harness.wait_until(lambda: set(made.workers()) - set(workers), 'another worker')
        made.wait_until_ready()
        told = self.asked(made, 'status')
        self.assertEqual((told['worker_restarts'], told['worker_pid']), (1, made.workers()[0]))
        self.assertEqual(self.asked(made, 'stats')['recipients_expand'], 1)

    def test_a_table_that_failed(self):
        made = self.started()
        made.table.with_suffix('.new').write_bytes(b'no table at all')
        made.table.with_suffix('.new').rename(made.table)
        made.wait_for_log('stays')
        told = self.asked(made, 'status')
        self.assertIn('is too short', told['last_failure_reason'])
        self.assertEqual((told['last_failure_counts'], told['table_generation']), (1, 1))


class Stats(TestCase):
    def test_recipients_and_messages(self):
        made = self.started()
        made.message([KNOWN, UNKNOWN, '<gone@alias.example>', '<who@else.example>'])
        made.message(['<who@else.example>'])
        told = self.asked(made, 'stats')
        self.assertEqual({name: told[name] for name in told if told[name] and (
            name.startswith(('recipients_', 'messages_', 'deferrals_', 'loads_')))}, {
                'recipients_expand': 1, 'recipients_unknown': 1, 'recipients_refused': 1,
                'recipients_foreign': 2, 'messages_edited': 1, 'messages_unchanged': 1,
                'loads_ok': 1})

    def test_deferrals(self):
        made = Daemon('alias.example x\na@alias.example b@alias.example\n'
                      'b@alias.example a@alias.example\n', {'max_sessions': 1},
                      compile_options=['--lenient'])
        self.addCleanup(made.close)
        made.start()
        with made.session() as first:
            first.message(['<a@alias.example>'])
            made.message(['<a@alias.example>'])
        told = self.asked(made, 'stats')
        self.assertEqual((told['recipients_defer'], told['deferrals_loop'],
                          told['deferrals_sessions']), (1, 1, 1))


class Reload(TestCase):
    def test_it_waits_for_the_outcome(self):
        made = self.started()
        made.write_source(OTHER)
        made.compile()
        self.assertEqual(self.ctl(made, 'reload'), (0, '', ''))
        self.assertEqual(self.asked(made, 'status')['table_generation'], 2)
        self.assertEqual(self.asked(made, 'reload'), {'table_generation': 2})
        self.assertEqual(self.asked(made, 'stats')['reloads_ok'], 2)

    def test_bad_settings(self):
        made = self.started()
        good = made.configuration.read_text(encoding='utf-8')
        made.configuration.write_text(good + '\nmax_sesions = 5;\n', encoding='utf-8')
        sane = made.folder / 'sane.conf'
        sane.write_text(good, encoding='utf-8')
        sane.chmod(0o640)
        done = subprocess.run(harness.command('rcptctl', '-c', sane, 'reload'), check=False,
                              capture_output=True, encoding='utf-8')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('max_sesions', done.stderr)
        made.configuration.write_text(good, encoding='utf-8')
        self.assertEqual(self.ctl(made, 'reload'), (0, '', ''))

    def test_a_mistake_that_begins_lines(self):
        """Nor does it reach a terminal as it is."""
        made = self.started()
        made.write_configuration(dsn_success='a\nsessions\t99\x1b[31m')
        status, out, err = self.ctl(made, 'reload')
        self.assertEqual((status, out), (78, ''))   # rcptctl's own reading
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('settings and table stay')
        made.write_configuration(dsn_success='single')
        told = self.asked(made, 'status')
        self.assertEqual(told['sessions'], 0)
        self.assertIn('dsn_success: "a?sessions?99?[31m" is none of', told['last_failure_reason'])

    def test_what_takes_more_than_a_reload(self):
        made = self.started()
        made.write_configuration(syslog_ident='other', metrics='unix:%s' % (made.runtime / 'm'),
                                 sandbox='off')
        said = ('rcptctl: reload: metrics, syslog_ident: needs rcptctl reexec\n'
                'rcptctl: reload: sandbox: needs a restart\n')
        self.assertEqual(self.ctl(made, 'reload'), (0, '', said))
        waiting = {'needs_reexec': 'metrics, syslog_ident', 'needs_restart': 'sandbox'}
        self.assertEqual(self.asked(made, 'reload'), {'table_generation': 1, **waiting})
        told = self.asked(made, 'status')
        self.assertEqual({name: told[name] for name in waiting}, waiting)
        made.write_configuration(metrics='', sandbox='enforce')
        self.assertEqual(self.asked(made, 'reload'),
                         {'table_generation': 1, 'needs_reexec': 'syslog_ident'})
        self.assertEqual(self.ctl(made, 'reexec'), (0, '', ''))
        self.assertEqual(self.ctl(made, 'reload'), (0, '', ''))
        self.assertFalse([name for name in self.asked(made, 'status') if 'needs' in name])

    def test_a_bad_table(self):
        made = self.started()
        made.table.with_suffix('.new').write_bytes(b'no table at all')
        made.table.with_suffix('.new').rename(made.table)
        status, out, err = self.ctl(made, 'reload')
        self.assertEqual((status, out), (1, ''))
        self.assertIn('is too short', err)
        self.assertEqual(made.message([KNOWN]).added, ['<ann@dest.example>'])

    def test_many_at_once(self):
        made = self.started()
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.ctl(made, 'reload')))
                   for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [(0, '', '')] * 6)


class Resolve(TestCase):
    def test_from_the_table_in_use(self):
        made = self.started()
        made.table.unlink()             # what the file says is of no interest
        status, out, _ = self.ctl(made, 'resolve', 'ann@alias.example', 'x@else.example')
        self.assertEqual((status, out), (0, 'ann@alias.example\texpand\tann@dest.example\n'
                                            'x@else.example\tforeign\tx@else.example\n'))
        status, out, _ = self.ctl(made, '-v', '--json', 'resolve', 'nobody@alias.example')
        self.assertEqual((status, json.loads(out)['reply'][:9]), (1, '550 5.1.1'))
        self.assertTrue(json.loads(out)['steps'])


class Check(TestCase):
    def check(self, made, *words):
        status, out, _ = self.ctl(made, *words, 'check')
        self.assertEqual(out.count('\n'), 1)
        return status, out

    def test_all_is_well(self):
        made = self.started()
        status, out = self.check(made)
        self.assertEqual(status, 0)
        self.assertRegex(out, r"^OK - .* \| 'table_age'=\d+s;;;0 'deferred'=0%;5;20;0 "
                              r"'sessions'=0%;80;95;0$")
        self.assertEqual(self.asked(made, 'check')['state'], 'OK')

    def test_limits(self):
        made = self.started(max_sessions=2)
        with made.session() as session:
            self.take_place(session)
            self.assertEqual(self.check(made, '--sessions-warning', '50')[0], 1)
            self.assertEqual(self.check(made, '--sessions-critical', '50')[0], 2)
        self.assertEqual(self.check(made, '--age-critical', '0')[0], 2)
        status, out = self.check(made, '--age-warning', '0')
        self.assertEqual(status, 1)
        self.assertRegex(out, r'WARNING - the table is old: \d+ s \|')

    def test_deferrals(self):
        made = Daemon('alias.example x\na@alias.example b@alias.example\n'
                      'b@alias.example a@alias.example\n', compile_options=['--lenient'])
        self.addCleanup(made.close)
        made.start()
        made.message(['<who@else.example>'] * 9)
        self.assertEqual(self.check(made)[0], 0)
        made.message(['<a@alias.example>'])
        status, out = self.check(made)
        self.assertEqual(status, 1)
        self.assertIn('many recipients or messages are deferred: 10.0 % |', out)
        self.assertIn("'deferred'=10%;5;20;0", out)
        self.assertEqual(self.check(made, '--deferred-critical', '10')[0], 2)
        told = self.asked(made, 'status')
        self.assertEqual((told['recent_recipients'], told['recent_deferred']), (10, 1))

    def test_who_was_turned_away(self):
        """Whose sessions have ended when somebody asks."""
        made = self.started(max_sessions=1)
        with made.session() as session:
            self.take_place(session)
            with made.session() as other:
                other.mail()
                self.assertEqual(other.rcpt(KNOWN)[:3], '451')
        status, out = self.check(made)
        self.assertEqual(status, 2)
        self.assertIn("'deferred'=50%;", out)

    def test_troubles(self):
        made = self.started()
        made.table.with_suffix('.new').write_bytes(b'no table at all')
        made.table.with_suffix('.new').rename(made.table)
        made.wait_for_log('stays')
        status, out = self.check(made)
        self.assertEqual((status, out.partition(' ')[0]), (1, 'WARNING'))
        self.assertIn('is too short', out)
        made.stop()
        status, out = self.check(made)
        self.assertEqual((status, out.partition(' ')[0]), (2, 'CRITICAL'))

    def test_no_table(self):
        """A mapped table has no copy that outlives a change in place: its worker's successor has
        none, and doesn't tell of that of the dead one."""
        made = self.started(load='mapped')
        with open(made.table, 'r+b') as file:
            file.write(b'nonsense')
        os.kill(made.workers()[0], signal.SIGKILL)
        made.wait_for_log('there is no table')
        made.wait_until_ready()
        told = self.asked(made, 'status')
        self.assertEqual(([name for name in told if name.startswith('table_')], told['state']),
                         ([], 'serving'))
        status, out = self.check(made)
        self.assertEqual(status, 2)
        self.assertIn('there is no table', out)
        made.compile('--force')
        harness.wait_until(lambda: self.check(made)[0] == 0, 'the new table')

    def test_what_is_not_known(self):
        made = self.started()
        made.configuration.write_text('no = such;', encoding='utf-8')
        status, out = self.check(made)
        self.assertEqual(status, 3)
        self.assertRegex(out, r'^UNKNOWN - .*openrcpt\.conf:1: ')
        status, out, _ = self.ctl(made, 'check', '--json')
        self.assertEqual((status, json.loads(out)['state']), (3, 'UNKNOWN'))

    def test_wrong_usage(self):
        """Whoever monitors sees standard output alone."""
        made = self.started()
        for words, said in ((['check', '--age-wraning', '3'], 'unknown option --age-wraning'),
                            (['-x', 'check'], 'unknown option -x'),
                            (['check', '--age-warning', 'x'], 'x is no such number'),
                            (['check', '--timeout'], 'a value is missing behind --timeout'),
                            (['check', 'now'], 'too many arguments'),
                            (['check', '-c', '/nonexistent/conf'], '/nonexistent/conf')):
            with self.subTest(words):
                status, out, err = self.ctl(made, *words)
                self.assertEqual((status, out.count('\n')), (3, 1))
                self.assertEqual(out.partition(' - ')[0], 'UNKNOWN')
                self.assertIn(said, out)
                self.assertIn(said, err)
        self.assertEqual(self.ctl(made, 'check', '--help')[0], 0)

    def test_numbers_stand_behind_a_bar(self):
        """Which a path may have, too."""
        made = self.started()
        made.configuration.write_text(
            made.configuration.read_text(encoding='utf-8').replace(
                str(made.table), str(made.table) + '|no=1'), encoding='utf-8')
        self.assertEqual(self.ctl(made, 'reload')[0], 1)
        status, out = self.check(made)
        self.assertEqual((status, out.count('|')), (1, 1))
        self.assertIn('recipients.table no=1', out)


class Usage(TestCase):
    def test_errors(self):
        made = self.started()
        for words, said in ((['relaod'], 'did you mean reload?'), (['resolve'], 'is missing'),
                            (['status', 'x'], 'too many'), ([], 'see rcptctl -h'),
                            (['help'], 'see rcptctl -h'), (['--verbos'], 'what is to be done'),
                            (['-q', 'status'], 'unknown option -q'),
                            (['--quite', 'status'], 'unknown option --quite'),
                            (['--timeout', 'x', 'status'], 'no such number')):
            with self.subTest(words):
                status, out, err = self.ctl(made, *words)
                self.assertEqual((status, out), (64, ''))
                self.assertIn(said, err)
        for word in ('--help', '--version'):
            self.assertEqual(self.ctl(made, word)[0::2], (0, ''))

    def test_nowhere_to_print(self):
        """What is opened next has no part in it: the table that the daemon lends was written to."""
        made = self.started()
        for words in (['resolve', 'x@else.example'], ['status'], ['check'], ['--help']):
            with self.subTest(words):
                done = subprocess.run(
                    ['sh', '-c', 'exec "$@" >&-', 'sh',
                     *harness.command('rcptctl', '-c', made.configuration, *words)],
                    check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding='utf-8')
                self.assertEqual(done.returncode, 74)
                self.assertIn('standard output: Bad file descriptor', done.stderr)

    def test_no_daemon(self):
        made = self.started()
        made.stop()
        status, out, err = self.ctl(made, 'status')
        self.assertEqual((status, out), (69, ''))
        self.assertIn(str(made.runtime / 'control.sock'), err)


class Socket(TestCase):
    def path(self, made):
        return made.runtime / 'control.sock'

    def connect(self, made):
        end = socket.socket(socket.AF_UNIX)
        self.addCleanup(end.close)
        end.settimeout(harness.LIMIT_S)
        end.connect(str(self.path(made)))
        return end

    def test_it_is_for_its_owner_and_goes_with_the_daemon(self):
        made = self.started()
        self.assertEqual(stat.S_IMODE(self.path(made).stat().st_mode), 0o600)
        made.stop()
        self.assertFalse(self.path(made).exists())

    def test_a_killed_daemon_is_followed(self):
        made = self.started()
        os.kill(made.master, signal.SIGKILL)
        made.process.wait()
        start = len(made.log_text())
        made.spawn()
        made.wait_for_log('serves', start)
        self.assertEqual(self.asked(made, 'status')['pid'], made.master)

    def test_a_second_one_leaves_it_alone(self):
        first = self.started()
        second = Daemon(TABLE, {'control_socket': self.path(first)})
        self.addCleanup(second.close)
        second.start()
        second.wait_for_log("rcptctl can't reach this daemon")
        self.assertEqual(second.message([KNOWN]).added, ['<ann@dest.example>'])
        self.assertEqual(self.asked(first, 'status')['pid'], first.master)

    def test_rubbish_and_floods(self):
        made = self.started()
        for data in (b'', b'\n', b'x' * 300, b'\0\0\n', b'status', b'status\nstatus\n',
                     b'\xff' * 255 + b'\n'):
            end = self.connect(made)
            end.sendall(data)
            end.shutdown(socket.SHUT_WR)
        silent = [self.connect(made) for _ in range(50)]
        self.assertEqual(made.message([KNOWN]).added, ['<ann@dest.example>'])
        for end in silent:              # each is hung up on, with or without its second
            self.assertEqual(end.recv(1), b'')
        self.assertEqual(self.asked(made, 'status')['state'], 'serving')
        self.assertEqual(made.message([KNOWN]).added, ['<ann@dest.example>'])

    def test_who_says_nothing_keeps_nobody(self):
        """More than the daemon hears at a time: who asks is answered long before their second."""
        made = self.started()
        for _ in range(3):
            silent = [self.connect(made) for _ in range(16)]
            self.assertEqual(self.asked(made, 'status')['state'], 'serving')
            for end in silent:
                end.close()

    def test_a_crowd_that_waits(self):
        """For reloads, each of which takes its time; more than the daemon hears at a time."""
        made = self.started()
        crowd = [subprocess.Popen(harness.command('rcptctl', '-c', made.configuration, 'reload'),
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
                 for _ in range(40)]
        self.assertEqual([(one.communicate()[1], one.returncode) for one in crowd],
                         [(b'', 0)] * len(crowd))

    @unittest.skipIf(os.geteuid() != 0, 'another user is needed')
    def test_others_are_not_heard(self):
        made = self.started()
        self.path(made).chmod(0o666)
        other = next(one for one in pwd.getpwall()
                     if one.pw_uid not in (0, self.path(made).stat().st_uid))
        asked = subprocess.run(
            [sys.executable, '-c',
             'import os, socket, sys\n'
             'os.setgroups([]); os.setgid(%d); os.setuid(%d)\n'
             'end = socket.socket(socket.AF_UNIX); end.connect(sys.argv[1])\n'
             'try: end.sendall(b"status\\n"); print(end.recv(10))\n'
             'except (ConnectionResetError, BrokenPipeError): print(b"")\n'
             % (other.pw_gid, other.pw_uid), str(self.path(made))],
            check=True, capture_output=True, encoding='ascii')
        self.assertEqual(asked.stdout, "b''\n")

    def test_a_hung_worker_keeps_nobody(self):
        made = self.started()
        worker, = made.workers()
        os.kill(worker, signal.SIGSTOP)
        self.assertEqual(self.asked(made, 'status')['worker_pid'], worker)


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl')
