#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd as a service: options, exit codes, lock, socket, privileges, reload, crashes."""
import os
import pathlib
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import milter_client
import private_postfix
from daemon import Daemon
from smtp_client import SmtpClient

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
'''
OTHER = TABLE + 'bob@alias.example    bob@dest.example\n'
USAGE, DATA, NO_INPUT, CANT_CREATE, TRY_LATER, NO_PERMISSION, CONFIG = 64, 65, 66, 73, 75, 77, 78
IS_ROOT = os.geteuid() == 0


def run(*words):
    """Run openrcptd to its end: exit status and what it printed."""
    done = subprocess.run(harness.command('openrcptd', *words), check=False, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8', errors='replace')
    return done.returncode, done.stdout


def knows(reply):
    return reply == 'continue'


def is_unknown(reply):
    return reply.startswith('550 5.1.1')


class TestCase(unittest.TestCase):
    def daemon(self, table=TABLE, settings=None, snippet=''):
        made = Daemon(table, settings, snippet)
        self.addCleanup(made.close)
        return made

    def misconfigured(self, snippet='', **settings):
        """The table is compiled before the configuration goes bad."""
        made = self.daemon()
        made.snippet = snippet
        made.write_configuration(**settings)
        return made

    def check(self, made, *options):
        return run('-t', '-c', made.configuration, *options)


class Options(TestCase):
    def test_version(self):
        status, text = run('-V')
        self.assertEqual(status, 0)
        self.assertRegex(text, r'^openrcptd \d+\.\d+')

    def test_bad_usage(self):
        for words in (['-x'], ['extra'], ['-c']):
            self.assertEqual(run(*words)[0], USAGE)
        self.assertIn('\nusage: openrcptd', run('-v')[1])

    def test_it_says_where_check_postfix_went(self):
        for words in (['--check-postfix'], ['-c', '/etc/openrcpt.conf', '--check-postfix'],
                      ['--postfix-config', '/etc/postfix', '--check-postfix']):
            status, text = run(*words)
            self.assertEqual(status, USAGE)
            self.assertIn('rcptmap check-postfix', text)
            self.assertEqual(text.count('\n'), 1, text)

    def test_a_good_configuration(self):
        self.assertEqual(self.check(self.daemon()), (0, ''))

    def test_unknown_settings_name_their_line(self):
        made = self.misconfigured('\nrecipient_delimeter = "+";\n')
        status, text = self.check(made)
        self.assertEqual(status, CONFIG)
        self.assertRegex(text, re.escape(str(made.configuration)) + r':\d+: .*recipient_delimeter')

    def test_all_mistakes_are_told(self):
        made = self.misconfigured('\nfoo = 1;\nbar = 2;\nlimits = { baz = 3; };\n')
        text = self.check(made)[1]
        for name in ('foo', 'bar', 'baz'):
            self.assertIn(name, text)

    def test_no_configuration(self):
        self.assertEqual(run('-t', '-c', '/nowhere/openrcpt.conf')[0], NO_INPUT)

    def test_bad_sockets(self):
        for value in ('inet:0@127.0.0.1x', 'unix:relative/path', 'inet:7788', 'inet:8894@0.0.0.0',
                      'inet:8894@192.0.2.1', 'carrier:pigeon', 'unix:/' + 'x' * 120):
            with self.subTest(value):
                status, text = self.check(self.misconfigured(socket=value))
                self.assertEqual(status, CONFIG, text)

    def test_bad_tables(self):
        def remove(path):
            path.unlink()

        def cut(path):
            path.write_bytes(path.read_bytes()[:4500])

        def flip(path):
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)

        def replace(path):
            path.write_text('alias.example domain\n', encoding='ascii')

        def open_up(path):
            path.chmod(0o666)

        for change, wanted in ((remove, NO_INPUT), (cut, DATA), (flip, DATA),
                               (replace, DATA), (open_up, NO_PERMISSION)):
            with self.subTest(change.__name__):
                made = self.daemon()
                change(made.table)
                status, text = self.check(made)
                self.assertEqual(status, wanted, text)
                self.assertIn(str(made.table), text)
                made.spawn()
                self.assertEqual(made.wait(), wanted, made.log_text())


class OneDaemon(TestCase):
    def test_a_second_one_does_not_start(self):
        first = self.daemon().start()
        first_process = first.process
        first.spawn()
        second = first.process
        self.assertEqual(second.wait(60), TRY_LATER, first.log_text())
        first.process = first_process
        self.assertTrue(knows(first.message(['<ann@alias.example>']).replies[0]))

    def test_a_socket_left_behind_is_taken_over(self):
        made = self.daemon().start()
        made.kill()
        self.assertTrue(made.socket.exists())
        made.start()
        self.assertTrue(knows(made.message(['<ann@alias.example>']).replies[0]))

    def test_the_socket_of_somebody_else_is_left_alone(self):
        made = self.daemon()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(made.socket))
            listener.listen()
            before = made.socket.stat().st_ino
            made.spawn()
            self.assertIn(made.wait(), (TRY_LATER, CANT_CREATE), made.log_text())
            self.assertEqual(made.socket.stat().st_ino, before)

    def test_a_file_in_its_place_is_left_alone(self):
        made = self.daemon()
        made.socket.write_text('precious')
        made.spawn()
        self.assertEqual(made.wait(), CANT_CREATE, made.log_text())
        self.assertEqual(made.socket.read_text(), 'precious')

    def test_a_clean_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            made = self.daemon().start()
            workers = made.workers()
            os.kill(made.master, number)
            self.assertEqual(made.wait(), 0, made.log_text())
            self.assertFalse(made.socket.exists())
            self.assertFalse(any(os.path.exists('/proc/%d' % pid) for pid in workers))


class Sockets(TestCase):
    def test_loopback(self):
        for template, family in (('inet:%d@127.0.0.1', socket.AF_INET),
                                 ('inet6:%d@::1', socket.AF_INET6)):
            with self.subTest(template):
                try:
                    with socket.socket(family) as probe:
                        probe.bind(('127.0.0.1' if family == socket.AF_INET else '::1', 0))
                        port = probe.getsockname()[1]
                except OSError as error:
                    self.skipTest('no such loopback: %s' % error)
                made = self.daemon(settings={'socket': template % port})
                made.socket = ('127.0.0.1' if family == socket.AF_INET else '::1', port)
                made.start()
                self.assertEqual(made.message(['<ann@alias.example>']).added,
                                 ['<ann@dest.example>'])

    @unittest.skipUnless(IS_ROOT, 'only root can hand a socket to others')
    def test_who_may_connect(self):
        made = self.daemon().start()
        mode = made.socket.stat()
        self.assertEqual(stat.S_IMODE(mode.st_mode), 0o660)
        self.assertEqual(mode.st_gid, made.socket.parent.stat().st_gid)


@unittest.skipUnless(IS_ROOT, 'only root has privileges to drop')
class Privileges(TestCase):
    def test_no_way_back_to_root(self):
        made = self.daemon().start()
        account = pwd.getpwnam(daemon.USER)
        workers = made.workers()
        self.assertTrue(workers)
        for pid in [made.master, *workers]:
            status = daemon.process_status(pid)
            self.assertEqual(status['Uid'].split(), [str(account.pw_uid)] * 4)
            self.assertEqual(status['Gid'].split(), [str(account.pw_gid)] * 4)
            self.assertNotIn('0', status['Groups'].split())
            for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
                self.assertEqual(int(status[name], 16), 0, name)
            self.assertEqual(status['NoNewPrivs'], '1')

    def test_root_is_refused(self):
        made = self.misconfigured(user='root')
        made.spawn()
        self.assertEqual(made.wait(), CONFIG, made.log_text())

    def test_an_unknown_user(self):
        made = self.misconfigured(user='no-such-user')
        made.spawn()
        self.assertEqual(made.wait(), CONFIG, made.log_text())

    def test_a_table_that_its_user_cannot_read(self):
        made = self.daemon()
        os.chown(made.table, 0, 0)
        made.spawn()
        self.assertEqual(made.wait(), NO_PERMISSION, made.log_text())


class Reload(TestCase):
    def test_a_replaced_table_is_noticed(self):
        made = self.daemon().start()
        self.assertTrue(is_unknown(made.message(['<bob@alias.example>']).replies[0]))
        made.replace_table(OTHER)
        made.wait_for_answer('<bob@alias.example>', knows)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can give a file away')
    def test_a_table_that_root_has_restored_is_compiled_anew(self):
        """By a copy, which the daemon may not read; a compilation mends that."""
        made = self.daemon().start()
        os.chown(made.table, 0, 0)
        made.wait_for_log('Permission denied: the table in use stays')
        made.replace_table(OTHER)
        made.wait_for_answer('<bob@alias.example>', knows)

    def test_signals(self):
        for number in (signal.SIGHUP, signal.SIGUSR1):
            made = self.daemon().start()
            workers = made.workers()
            start = len(made.log_text())
            made.write_configuration(unknown={'reply': '554 5.7.1', 'text': 'Go away'})
            os.kill(made.master, number)
            made.wait_for_log('loaded', start)
            made.wait_for_answer('<zoe@alias.example>', lambda reply: reply.startswith(
                '554 5.7.1 <zoe@alias.example>: Recipient address rejected: Go away'))
            self.assertEqual(made.workers(), workers)

    def test_a_message_keeps_its_table(self):
        made = self.daemon().start()
        with made.session() as session:
            session.mail()
            self.assertTrue(is_unknown(session.rcpt('<bob@alias.example>')))
            self.assertTrue(knows(session.rcpt('<ann@alias.example>')))
            made.replace_table(OTHER.replace('ann@dest', 'anna@dest'))
            made.wait_for_answer('<bob@alias.example>', knows)
            self.assertTrue(is_unknown(session.rcpt('<bob@alias.example>')))
            self.assertTrue(knows(session.rcpt('<ann+x@alias.example>')))
            _, edits = session.end()
            self.assertEqual(sorted(edit.address for edit in edits if edit.kind == 'add'),
                             ['<ann+x@dest.example>', '<ann@dest.example>'])
            self.assertEqual(session.message(['<ann@alias.example>']).added,
                             ['<anna@dest.example>'])

    def test_a_bad_table_leaves_the_old_one(self):
        made = self.daemon().start()
        good = made.table.read_bytes()
        for bad in (good[:4500], b'', b'x' * len(good), good[:5000] + b'\xff' + good[5001:]):
            start = len(made.log_text())
            fresh = made.table.with_name('fresh')
            fresh.write_bytes(bad)
            fresh.chmod(0o644)
            fresh.rename(made.table)
            made.wait_for_log('the table in use stays', start)
            self.assertTrue(knows(made.message(['<ann@alias.example>']).replies[0]))
            self.assertTrue(is_unknown(made.message(['<bob@alias.example>']).replies[0]))
        made.table.unlink()
        made.replace_table(OTHER)
        made.wait_for_answer('<bob@alias.example>', knows)

    def test_a_bad_configuration_leaves_the_old_one(self):
        made = self.daemon().start()
        start = len(made.log_text())
        made.configuration.write_text(made.configuration.read_text() + '\ntypo = 1;\n')
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('stay as they were', start)
        self.assertIn('typo', made.log_text()[start:])
        self.assertTrue(knows(made.message(['<ann@alias.example>']).replies[0]))

    def test_what_needs_a_restart_is_named(self):
        made = self.daemon().start()
        start = len(made.log_text())
        made.write_configuration(user='nobody-else')
        os.kill(made.master, signal.SIGHUP)
        self.assertIn('user', made.wait_for_log('needs a restart', start))

    def test_conf_d_beside_a_link(self):
        """Where the configuration is a link, conf.d is beside the link, as for rcptmap."""
        made = self.daemon()
        elsewhere = made.configuration.parent / 'elsewhere'
        folder = made.configuration.parent / 'conf.d'
        part = folder / 'reply.conf'
        for new in (elsewhere, folder):
            new.mkdir(0o755)
        made.configuration.rename(elsewhere / 'real.conf')
        made.configuration.symlink_to(elsewhere / 'real.conf')
        part.write_text('unknown = { reply = "554 5.7.1"; };\n')
        part.chmod(0o644)
        made.start()
        self.assertTrue(made.message(['<zoe@alias.example>']).replies[0].startswith('554 5.7.1 '))
        part.write_text('unknown = { reply = "553 5.7.1"; };\n')
        start = len(made.log_text())
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('reloaded', start)
        made.wait_for_answer('<zoe@alias.example>', lambda reply: reply.startswith('553 5.7.1 '))

    def test_a_relative_path_of_the_configuration(self):
        """It is read again, from another working directory."""
        made = self.daemon()
        with open(made.log, 'ab') as log:
            made.process = subprocess.Popen(
                harness.command('openrcptd', '-c', made.configuration.name),
                cwd=made.configuration.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        made.wait_until_ready()
        made.wait_for_log(' serves')
        start = len(made.log_text())
        made.reload(unknown={'reply': '553 5.7.1'})
        made.wait_for_log('%s: reloaded' % made.configuration, start)
        made.wait_for_answer('<zoe@alias.example>', lambda reply: reply.startswith('553 5.7.1 '))

    def test_files_of_conf_d(self):
        """By the running daemon, confined as it is, and by one that starts."""
        made = self.daemon().start()
        folder = made.configuration.parent / 'conf.d'
        part = folder / 'reply.conf'
        folder.mkdir(0o755)
        part.write_text('unknown = { reply = "554 5.7.1"; text = "Go away"; };\n')
        part.chmod(0o644)
        start = len(made.log_text())
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('reloaded', start)
        made.wait_for_answer('<zoe@alias.example>', lambda reply: reply.startswith('554 5.7.1 '))
        part.write_text('\ntypo = 1;\n')
        start = len(made.log_text())
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('stay as they were', start)
        self.assertIn('%s:2: unknown setting "typo"' % part, made.log_text()[start:])
        self.assertTrue(made.message(['<zoe@alias.example>']).replies[0].startswith('554 5.7.1 '))
        status, text = self.check(made)
        self.assertEqual(status, CONFIG)
        self.assertIn('%s:2: unknown setting "typo"' % part, text)
        part.write_text('unknown = { reply = "553 5.7.1"; };\n')
        start = len(made.log_text())
        made.stop()
        made.start()
        self.assertTrue(made.message(['<zoe@alias.example>']).replies[0].startswith('553 5.7.1 '))
        part.unlink()
        start = len(made.log_text())
        os.kill(made.master, signal.SIGHUP)
        made.wait_for_log('reloaded', start)
        made.wait_for_answer('<zoe@alias.example>', is_unknown)

    def test_many_signals(self):
        made = self.daemon().start()
        for _ in range(200):
            os.kill(made.master, signal.SIGHUP)
            os.kill(made.master, signal.SIGUSR1)
        made.replace_table(OTHER)
        made.wait_for_answer('<bob@alias.example>', knows)
        self.assertIsNone(made.process.poll())


class Crash(TestCase):
    def test_a_worker_that_dies_is_replaced(self):
        made = self.daemon().start()
        for round_number in range(3):
            # It answers a little before the master knows; one that never served isn't replaced.
            harness.wait_until(lambda at_least=round_number: made.log_text().count(' serves\n') >
                               at_least, 'the master knows that it serves')
            workers = made.workers()
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            made.wait_until_ready()
            self.assertTrue(knows(made.message(['<ann@alias.example>']).replies[0]))
            self.assertFalse(set(workers) & set(made.workers()))

    def test_workers_do_not_outlive_their_master(self):
        made = self.daemon().start()
        workers = made.workers()
        os.kill(made.master, signal.SIGKILL)
        made.process.wait()
        for pid in workers:
            harness.wait_until(lambda pid=pid: not os.path.exists('/proc/%d' % pid), 'workers end')


@unittest.skipUnless(IS_ROOT and os.path.exists(harness.POSTFIX_MASTER), 'no Postfix to run')
class BehindPostfix(TestCase):
    """What an SMTP client sees when the daemon comes and goes."""

    def setUp(self):
        self.made = self.daemon().start()
        self.made.wait_for_log(' serves')
        self.postfix = private_postfix.PrivatePostfix(
            private_postfix.behind_milter(['alias.example'], self.made.socket))
        self.addCleanup(self.postfix.close)
        self.postfix.start()

    def ask(self, recipient='ann@alias.example'):
        """The first refusal, or the reply to RCPT, in a new session."""
        with SmtpClient(self.postfix.where) as client:
            reply = client.mail()
            return client.rcpt(recipient) if reply.is_accepted else reply

    def assert_nothing_queued(self):
        # What a client leaves behind cleanup(8) takes away, a moment after the session.
        folders = ('hold', 'incoming', 'active', 'deferred')
        harness.wait_until(lambda: not self.postfix.queue_files(*folders), 'nothing is queued')

    def test_worker_killed_in_a_message(self):
        with SmtpClient(self.postfix.where) as client:
            client.mail()
            self.assertEqual(client.rcpt('ann@alias.example').code, 250)
            for pid in self.made.workers():
                os.kill(pid, signal.SIGKILL)
            reply = client.rcpt('ann@alias.example')
            self.assertEqual(reply.code, 451, reply)
        self.made.wait_until_ready()
        self.assertEqual(self.ask().code, 250)
        self.assertEqual(self.ask('bob@alias.example').status, '550 5.1.1')
        self.assert_nothing_queued()

    def test_daemon_killed_and_started_again(self):
        with SmtpClient(self.postfix.where) as client:
            client.mail()
            self.assertEqual(client.rcpt('ann@alias.example').code, 250)
            self.made.kill()
            self.assertEqual(client.data().code, 451)
        self.assertEqual(self.ask().code, 451)
        self.made.start()
        self.assertEqual(self.ask().code, 250)
        self.assert_nothing_queued()

    def test_table_replaced_between_rcpt_and_end(self):
        with SmtpClient(self.postfix.where) as client:
            client.mail()
            self.assertEqual(client.rcpt('ann@alias.example').code, 250)
            self.made.replace_table(OTHER.replace('ann@dest', 'anna@dest'))
            self.made.wait_for_answer('<bob@alias.example>', knows)
            self.assertEqual(client.rcpt('bob@alias.example').code, 550)
            envelope = self.postfix.take_held(client.data().queue_id)
            self.assertEqual([one.address for one in envelope.recipients], ['ann@dest.example'])
            sent = client.message(['ann@alias.example'])
        envelope = self.postfix.take_held(sent.data.queue_id)
        self.assertEqual([one.address for one in envelope.recipients], ['anna@dest.example'])


class Log(TestCase):
    def test_a_line_for_each_alias(self):
        made = self.daemon().start()
        made.message(['<Ann+x@alias.example>'])
        line = made.wait_for_log('orig_to=')
        self.assertRegex(line, r': to=<ann\+x@dest\.example>, orig_to=<Ann\+x@alias\.example>,'
                               r' source=virtual:2, table=1$')

    def test_what_a_client_sent_is_escaped(self):
        made = self.daemon('alias.example x\n@alias.example z@dest.example\n').start()
        made.message(['<"a\x1b[31mb\x07\tc"@alias.example>', '<"x\u202ey"@alias.example>',
                      b'<"\xff\xfe"@alias.example>', '<ann@alias.example>'])
        made.wait_for_log('orig_to=<ann')
        self.assertEqual(re.findall(r'[^\x20-\x7e\n]', made.log_text()), [])


class OtherMta(TestCase):
    def test_an_mta_that_cannot_delete_is_refused(self):
        made = self.daemon().start()
        poor = milter_client.POSTFIX._replace(actions=milter_client.ADDHDRS | milter_client.ADDRCPT)
        with self.assertRaises(milter_client.Ended):
            made.session(poor)
        self.assertTrue(knows(made.message(['<ann@alias.example>']).replies[0]))


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap')
