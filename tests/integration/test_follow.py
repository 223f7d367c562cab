#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap watch follows databases: what is committed is published, and nothing else; a server that is
away is said once, costs no table, and is caught up with when it is back."""
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
import schema_test
from daemon import Daemon
from databases import PostgresqlServer, Sqlite
from rcptmap_test import CONFIG, OK, USAGE, RcptmapTest
from watch_test import WARNING, WatchTest

def install_triggers(database, schema, *parameters):
    """As rcptmap prints them, and twice, since they may be there already."""
    result = rcptmap.run('sql', 'postgresql', str(schema), *parameters)
    if (result.status, result.err) != (OK, ''):
        raise AssertionError(result)
    for _ in range(2):
        database.run(result.out)


class FollowTest(WatchTest):
    """Nothing is read by the clock, so that whatever is published was heard of."""

    def make_database(self):
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        self.database = self.make_database()
        self.database.fill([(1, 'a@one.example', 'first@dest.example', True),
                            (2, 'postmaster@one.example', 'pm@dest.example', True)])
        self.use()

    def write_schema(self):
        path = self.shop.folder / 'schema.conf'
        self.put(path, 'alias_query = "SELECT address, goto, id FROM alias WHERE active";\n')
        return path

    def use(self, **settings):
        self.shop.write_configuration(**{
            'follow_seconds': 0, 'alias_domains': ['one.example'], 'sources': [{
                'type': self.database.TYPE, **self.database.connection(), 'timeout_seconds': 2,
                'connect_timeout_seconds': 2,
                'alias_query': 'SELECT address, goto, id FROM alias WHERE ' +
                               self.database.ACTIVE}], **settings})

    def target(self):
        result = rcptmap.run('query', '-t', self.shop.table, 'a@one.example')
        return result.out.partition('@')[0]

    def change(self, target):
        self.database.run("UPDATE alias SET goto = '%s@dest.example' WHERE id = 1" % target)

    def state(self):
        """Of the one source: is it up, when was it confirmed, since when is it away?"""
        path = self.runtime.with_name(self.runtime.name + '-watch') / 'state'
        found = re.search(r'(?m)^source (\d) (\d+) (\d+) %s:main (.*)$' % self.database.TYPE,
                          path.read_text(encoding='utf-8'))
        return [int(value) for value in found.groups()[:3]]

    def wait_for_confirmation(self):
        """What was begun before is over, and the server has said since that nothing has changed."""
        now = int(time.time())
        harness.wait_until(lambda: self.state()[1] > now, 'nothing is confirmed')

    def start_and_wait(self, *options, **more):
        super().start_and_wait(*options, **more)
        self.wait_for_target('first')
        harness.wait_until(lambda: self.state()[0] == 1, 'nobody listens')

    def check_changes(self):
        for target in ('second', 'third', 'fourth'):
            self.change(target)
            self.wait_for_target(target)


class SqliteFollow(FollowTest):
    def make_database(self):
        return Sqlite(self.shop.folder)

    def test_changes(self):
        self.start_and_wait()
        self.check_changes()

    def test_log_that_is_made_later(self):
        """In WAL mode, with nobody who has it open: its log comes with the first change."""
        self.database.run('PRAGMA journal_mode = WAL')
        self.start_and_wait()
        writer = sqlite3.connect(str(self.database.path), isolation_level=None)
        self.addCleanup(writer.close)
        for target in ('second', 'third'):
            writer.execute('UPDATE alias SET goto = ?', (target + '@dest.example',))
            self.wait_for_target(target)

    def test_another_file_in_its_place(self):
        self.database.run('PRAGMA journal_mode = WAL')
        self.start_and_wait()
        path = self.database.path
        other = path.with_name('other')
        with sqlite3.connect(str(path)) as connection:
            connection.execute("VACUUM INTO '%s'" % other)
        connection.close()
        with sqlite3.connect(str(other)) as connection:
            connection.execute("UPDATE alias SET goto = 'second@dest.example'")
        connection.close()
        other.chmod(0o644)
        for name in ('-wal', '-shm'):
            path.with_name(path.name + name).unlink(missing_ok=True)
        other.rename(path)
        self.wait_for_target('second')
        self.wait_for_confirmation()
        self.check_changes()
        self.assertNotIn('away', self.log_text())


class PostgresqlFollow(FollowTest):
    @classmethod
    def setUpClass(cls):
        cls.server = PostgresqlServer().start()
        cls.addClassCleanup(cls.server.stop)

    def make_database(self):
        database = self.server.database()
        install_triggers(database, self.write_schema())
        return database

    def listeners(self):
        return [int(row[0]) for row in self.server.psql(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'rcptmap' AND datname = "
            "'%s'" % self.database.name, may_fail=True) or []]

    def test_changes(self):
        self.start_and_wait()
        self.check_changes()
        self.assertNotIn('warning', self.log_text())
        self.assertEqual(self.state()[0], 1)

    def test_how_soon(self):
        self.start_and_wait()
        took = []
        for number in range(5):
            began = time.monotonic()
            self.change('n%d' % number)
            self.wait_for_target('n%d' % number)
            took.append(time.monotonic() - began)
        # The median: others may be at work on this machine.
        self.assertLess(sorted(took)[2], 2)

    def test_a_burst_is_one(self):
        self.start_and_wait()
        before = self.number('compilations')
        for number in range(30):
            self.change('n%d' % number)
        self.change('last')
        self.wait_for_target('last')
        self.wait_for_confirmation()
        self.assertLess(self.number('compilations') - before, 10)

    def test_a_transaction_that_is_rolled_back(self):
        self.start_and_wait()
        before = self.number('compilations')
        self.database.run("BEGIN; UPDATE alias SET goto = 'second@dest.example'; ROLLBACK")
        self.wait_for_confirmation()
        self.wait_for_confirmation()
        self.assertEqual(self.number('compilations'), before)

    def test_nothing_is_published_for_nothing(self):
        self.start_and_wait()
        generation, compilations = self.number('generation'), self.number('compilations')
        self.change('first')
        self.wait_for_more('compilations', compilations)
        self.wait_for_confirmation()
        self.assertEqual(self.log_text().count('rcptmap: watch: generation'), 1)
        self.assertEqual(self.number('generation'), generation)

    def test_the_listener_is_ended(self):
        self.start_and_wait()
        pid, = self.listeners()
        self.server.psql('SELECT pg_terminate_backend(%d)' % pid)
        # While nobody listens: it is found by the reading when it is back.
        self.change('second')
        self.wait_for_target('second')
        self.wait_for_log('postgresql:main is away: .*terminating connection')
        self.wait_for_log('postgresql:main is back after ')
        self.assertNotIn(pid, self.listeners())
        self.check_changes()

    def test_triggers_that_are_missing(self):
        self.database.run('DROP TRIGGER openrcpt_changed ON alias')
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: no trigger tells of changes of alias: ')
        self.check_changes()
        pid, = self.listeners()
        self.server.psql('SELECT pg_terminate_backend(%d)' % pid)
        self.wait_for_log('postgresql:main is back after ')
        self.wait_for_confirmation()
        self.assertEqual(self.log_text().count('no trigger'), 1)

    def test_triggers_that_go_away(self):
        self.start_and_wait()
        self.database.run('ALTER TABLE alias RENAME TO old; CREATE TABLE alias AS TABLE old; '
                          'DROP TABLE old')
        self.wait_for_log('no trigger tells of changes of alias')
        self.check_changes()

    def test_columns_that_may_not_be_read(self):
        """Neither triggers nor a digest: it is read by the clock."""
        self.database.run('DROP TRIGGER openrcpt_changed ON alias; ALTER TABLE alias ADD secret text;'
                          ' CREATE ROLE few LOGIN; GRANT SELECT (id, address, goto, active) ON '
                          'alias TO few')
        self.database.connection = lambda: {'connection': 'host=%s dbname=%s user=few' % (
            self.server.sockets, self.database.name)}
        self.use(follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: .*permission denied for table alias')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_a_listener_that_dies(self):
        self.start_and_wait()
        killed = self.listening_process()
        os.kill(killed, signal.SIGKILL)
        self.wait_for_log('postgresql:main is away: its listener has ended')
        self.wait_for_log('postgresql:main is back after ')
        self.check_changes()
        self.assertEqual(self.stop(), OK)

    def listening_process(self):
        pids, = [path.read_text(encoding='ascii').split() for path in pathlib.Path(
            '/proc/%d/task' % self.process.pid).glob('*/children')]
        pid, = pids
        return int(pid)

    def test_nobody_listens_when_the_watcher_is_gone(self):
        self.start_and_wait()
        pid = self.listening_process()
        self.kill()
        harness.wait_until(lambda: not os.path.exists('/proc/%d' % pid), 'it listens for nobody')


class Outages(FollowTest):
    """Each with a server of its own, for whom bad times come."""

    def make_database(self):
        self.server = PostgresqlServer().start()
        self.addCleanup(self.server.stop)
        database = self.server.database()
        install_triggers(database, self.write_schema())
        return database

    def use(self, **settings):
        super().use(follow_age_seconds=8, **settings)

    def check_away(self, reason):
        self.wait_for_status(WARNING, r'postgresql:main is away for \d+ s: .* not confirmed for ')
        self.wait_for_log('postgresql:main is away: .*' + reason)
        self.assertEqual(self.target(), 'first')
        up, confirmed, _ = self.state()
        self.assertEqual(up, 0)
        self.assertLess(confirmed, time.time())

    def check_back(self):
        self.wait_for_log('postgresql:main is back after ')
        self.check_changes()
        self.wait_for_status(OK)
        text = self.log_text()
        self.assertEqual((text.count('is away'), text.count('is back')), (1, 1), text)
        self.assertNotIn('not published', text)

    def told(self, daemon, *words):
        done = subprocess.run(harness.command('rcptctl', '-c', daemon.configuration, *words,
                                              'status'), check=True, stdout=subprocess.PIPE,
                              encoding='utf-8')
        return done.stdout

    def test_mail_goes_on(self):
        """And rcptctl status tells of the database."""
        with Daemon('one.example x\na@one.example none@dest.example\n') as daemon:
            self.shop, self.runtime = daemon, daemon.runtime
            self.use()
            self.start()
            name = '<a@one.example>'

            def leads_to(target):
                return daemon.message([name]).added == ['<%s@dest.example>' % target]
            harness.wait_until(lambda: leads_to('first'), 'the daemon has it')
            harness.wait_until(lambda: json.loads(self.told(daemon, '--json'))['databases'][0]['up'],
                               'it is up')
            self.server.halt()
            self.wait_for_log('postgresql:main is away')
            self.assertTrue(leads_to('first'))
            harness.wait_until(lambda: re.search(
                r'(?m)^databases +postgresql:main down, away since [-0-9]{10}.*, confirmed '
                r'[-0-9]{10}.*: ', self.told(daemon)), 'rcptctl says so')
            told, = json.loads(self.told(daemon, '--json'))['databases']
            self.assertEqual((told['name'], told['up']), ('postgresql:main', False))
            self.assertGreaterEqual(told['away_since'], told['confirmed'])
            self.server.start()
            self.change('second')
            harness.wait_until(lambda: leads_to('second'), 'it is caught up with')
            self.kill()
            harness.wait_until(lambda: 'down, confirmed' in self.told(daemon), 'nobody watches')
            self.assertIn(': nobody watches\n', self.told(daemon))

    def test_restarted(self):
        self.start_and_wait()
        self.server.halt()
        self.check_away('')
        self.server.start()
        self.check_back()

    def test_killed(self):
        self.start_and_wait()
        self.server.process.kill()
        self.server.process.wait()
        self.check_away('')
        self.server.start()
        self.check_back()

    def test_stopped(self):
        self.start_and_wait()
        pids = self.server.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            self.check_away('the server said nothing for 2 seconds')
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        self.check_back()


class Schemas(RcptmapTest):
    """The triggers for what each schema reads."""

    @classmethod
    def setUpClass(cls):
        cls.server = PostgresqlServer().start()
        cls.addClassCleanup(cls.server.stop)

    def test_each_change_is_told(self):
        count = 0
        for name in schema_test.names():
            data = schema_test.load(name)
            if 'postgresql' not in data.DATABASES:
                continue
            count += 1
            with self.subTest(name):
                self.check(data, name)
        self.assertGreater(count, 3)

    def check(self, data, name):
        database = self.server.database()
        database.run('DROP TABLE alias')
        for statement in (data.TABLES + data.ROWS).split(';\n'):
            if statement.strip():
                database.run(statement)
        install_triggers(database, name, *('%s=%s' % pair for pair in
                                           getattr(data, 'MEMBERS', {}).items()))
        for change in data.CHANGES:
            told = '\n'.join('\t'.join(row) for row in database.run('LISTEN openrcpt; ' + change))
            # What makes no difference may be in a table that isn't read.
            if change not in getattr(data, 'UNCHANGED', ()):
                self.assertIn('Asynchronous notification "openrcpt"', told, change)

    def test_who_needs_none(self):
        self.assert_says(rcptmap.run('sql', 'mysql', 'postfixadmin'), USAGE,
                         'rcptmap: sql: mysql: only postgresql needs triggers')
        self.assert_says(rcptmap.run('sql', 'postgresql', 'mailinabox'), CONFIG,
                         'rcptmap: .*has nothing for databases of type postgresql')
        self.assert_says(rcptmap.run('sql', 'postgresql', 'postfixadmin', 'x'), USAGE,
                         'rcptmap: sql: x: is no NAME=VALUE')
        self.assert_says(rcptmap.run('sql', 'postgresql', 'postfixadmin', 'prefix=x'), CONFIG,
                         '.*prefix: there is no such setting of a database')


if __name__ == '__main__':
    harness.main('rcptmap', 'rcptctl', 'openrcptd', 'postgresql', 'sqlite')
