#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap watch follows databases: what is committed is published, and nothing else."""
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
from databases import PostfixTables, PostgresqlServer, Sqlite
from follow_test import FollowTest, install_triggers
from rcptmap_test import CONFIG, OK, USAGE, RcptmapTest
from watch_test import WARNING

class SqliteFollow(FollowTest):
    def make_database(self):
        return Sqlite(self.shop.folder)

    def test_changes(self):
        self.start_and_wait()
        self.check_changes()

    def test_words_that_are_not_known(self):
        """A commit is one of the whole file, whatever is read."""
        self.use(sources=[{
            'type': 'sqlite', **self.database.connection(),
            'alias_query': "SELECT address, goto, id FROM alias WHERE goto <> $nothing OR active"}])
        self.start_and_wait()
        self.check_changes()
        self.wait_for_confirmation()
        self.assertNotIn('not all words', self.log_text())

    def test_names_that_are_no_labels(self):
        """Of files of Postfix, in an encoding of old, or so long that they are cut within a
        character; a reader of metrics takes all of a file or nothing."""
        metrics = self.shop.folder / 'metrics'
        names = [b'm\xfcnchen"', b'm\xf6nchen"',
                 *(name.encode() for name in ('ä' * 70, 'ä' * 70 + 'b', 'x' + 'ä' * 70))]
        paths = [os.fsencode(str(self.shop.folder)) + b'/' + name for name in names]
        for path in paths:
            with open(path, 'wb') as file:
                file.write(b"dbpath = %s\nquery = SELECT goto FROM alias WHERE address = '%%s'\n"
                           % os.fsencode(self.database.path))
            os.chmod(path, 0o644)
        marks = ['MARK%d' % i for i in range(len(paths))]
        self.use(sources=[{'type': 'sqlite', 'path': mark} for mark in marks])
        text = self.shop.configuration.read_bytes()
        for mark, path in zip(marks, paths):
            text = text.replace(mark.encode(), path.replace(b'"', b'\\"'))
        self.shop.configuration.write_bytes(text)
        self.start('--metrics', metrics)
        harness.wait_until(lambda: metrics.exists() and b'_up{' in metrics.read_bytes(),
                           'the metrics')
        text = metrics.read_bytes()
        found = re.findall(r'(?m)^openrcpt_watch_source_up{source="(.*)"} ', text.decode())
        self.assertEqual(found[:2], [r'sqlite:m?nchen\"', r'sqlite:m?nchen\"#2'])
        self.assertEqual(len(set(found)), len(names))
        checked = subprocess.run(['promtool', 'check', 'metrics'], input=text, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((checked.returncode, checked.stdout), (0, b''))

    def test_log_that_is_made_later(self):
        """In WAL mode, with nobody who has it open: its log comes with the first change."""
        self.database.run('PRAGMA journal_mode = WAL')
        self.start_and_wait()
        writer = sqlite3.connect(str(self.database.path), isolation_level=None)
        self.addCleanup(writer.close)
        for target in ('second', 'third'):
            writer.execute('UPDATE alias SET goto = ?', (target + '@dest.example',))
            self.wait_for_target(target)

    def test_a_file_that_is_none(self):
        """It can't be read either: it is away, and looked at soon."""
        path = self.database.path
        other = path.with_name('other')
        path.rename(other)
        self.put(path, 'no database, and long enough for the header of one' * 99)
        self.start()
        self.wait_for_log('sqlite:main is away: ')
        other.rename(path)
        self.wait_for_log('sqlite:main is back after ')
        self.wait_for_target('first')
        self.check_changes()

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

    def test_what_was_rolled_back_stays(self):
        """Until a change is heard of: neither since a listener is back, nor by the clock."""
        self.use(follow_seconds=1)
        self.start_and_wait()
        self.change('second')
        self.wait_for_log('generation 2: ')
        self.assertEqual(rcptmap.run('rollback', '-c', self.shop.configuration).status, OK)
        self.wait_for_status(WARNING, 'rolled back to generation 1')
        before = self.number('compilations')
        pid, = self.listeners()
        self.server.psql('SELECT pg_terminate_backend(%d)' % pid)
        self.wait_for_log('postgresql:main is back after ')
        self.stop()
        self.start()
        harness.wait_until(lambda: self.state()[0] == 1, 'nobody listens')
        time.sleep(2)       # in which the clock would have come
        self.assertEqual((self.target(), self.number('compilations')), ('first', 0), before)
        self.change('third')
        self.wait_for_target('third')
        self.wait_for_status(OK)

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
        # They come while it is asked, and are relied on from then on.
        before = self.number('compilations')
        install_triggers(self.database, self.write_schema())
        self.wait_for_more('compilations', before)
        self.wait_for_log('postgresql:main: its changes are told from now on')
        self.check_changes()
        self.database.run('DROP TRIGGER openrcpt_changed ON alias')
        harness.wait_until(lambda: self.log_text().count('no trigger') == 2, 'they are missed')
        self.assertEqual(self.log_text().count('is away'), 1)

    def test_triggers_for_a_source(self):
        """Its own queries name tables, a view, and a name that is none."""
        self.database.run('DROP TRIGGER openrcpt_changed ON alias; DROP FUNCTION openrcpt_changed; '
                          'CREATE TABLE "Do""main\'s" (name text); '
                          'CREATE VIEW seen AS SELECT address FROM alias')
        source = {
            'type': 'postgresql', **self.database.connection(),
            'alias_query': "WITH w AS (SELECT * FROM alias) SELECT address, goto, id FROM w",
            'alias_domain_query': 'SELECT name FROM "Do""main\'s"'}
        self.use(sources=[source])
        made = rcptmap.run('sql', '-c', self.shop.configuration, 'postgresql:main')
        self.assertEqual((made.status, made.err), (OK, ''))
        for _ in range(2):
            self.database.run(made.out)
        self.start_and_wait()
        self.check_changes()
        before = self.number('compilations')
        self.database.run('INSERT INTO "Do""main\'s" VALUES (\'two.example\')')
        self.wait_for_more('compilations', before)
        self.assertNotIn('warning: no trigger', self.log_text())
        self.stop()
        self.use(sources=[{**source, 'mailbox_query': 'SELECT address FROM seen'}])
        made = rcptmap.run('sql', '-c', self.shop.configuration, 'postgresql:main')
        self.database.run(made.out)
        self.assertIn('ON seen', made.out)

    def test_triggers_for_a_table_of_postfix(self):
        path = PostfixTables(self.shop.folder.path).write(
            'made', **self.database.parameters(), query="SELECT goto FROM alias WHERE address='%s'")
        self.use(sources=[{'type': 'pgsql', 'path': path}])
        made = rcptmap.run('sql', '-c', self.shop.configuration, 'postgresql:made')
        self.assertIn(' ON alias\n', made.out)
        for name, pattern in (('postgresql:other', 'postgresql:other: there is no such source'),
                              ('mysql:made', 'mysql:made: only postgresql needs triggers'),
                              ('postgresql', 'a schema is missing')):
            self.assert_says(rcptmap.run('sql', '-c', self.shop.configuration, name), USAGE,
                             'rcptmap: sql: ' + pattern)
        self.assert_says(rcptmap.run('sql', '-c', self.shop.configuration, 'postgresql:made', 'a=b'),
                         USAGE, 'rcptmap: sql: postgresql:made: a source has no parameters')

    def test_triggers_that_go_away(self):
        self.start_and_wait()
        self.database.run('ALTER TABLE alias RENAME TO old; CREATE TABLE alias AS TABLE old; '
                          'DROP TABLE old')
        self.wait_for_log('no trigger tells of changes of alias')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_words_that_are_not_known(self):
        """There may be tables behind them, so what is heard confirms nothing."""
        self.use(sources=[{
            'type': 'postgresql', **self.database.connection(),
            'alias_query': "SELECT address, goto, id FROM alias WHERE active AND goto <> E'\\n'"}])
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: not all words of a query are known here')
        self.check_changes()
        harness.wait_until(lambda: 'compiling' not in self.status().out, 'it is compiled')
        _, before, _ = self.state()
        time.sleep(12)      # in which the server would have been asked
        self.assertEqual(self.state(), [1, before, 0])

    def test_a_schema_that_changes(self):
        """Who listens to what its queries read before has to listen to what they read now."""
        schema = self.write_schema()
        self.use(sources=[{'type': 'postgresql', **self.database.connection(),
                           'schema': str(schema)}])
        self.start_and_wait()
        self.database.run("CREATE TABLE other AS TABLE alias; "
                          "UPDATE other SET goto = 'second@dest.example' WHERE id = 1")
        self.replace(schema, 'alias_query = "SELECT address, goto, id FROM other WHERE active";\n')
        self.wait_for_target('second')
        self.wait_for_log('no trigger tells of changes of other')
        self.wait_for_confirmation()
        self.database.run("UPDATE other SET goto = 'third@dest.example' WHERE id = 1")
        self.wait_for_target('third')

    def test_rows_that_are_written_to_a_part(self):
        """Triggers of the whole aren't told of them."""
        for part, how in (('one', 'PARTITION BY LIST (active); CREATE TABLE one PARTITION OF alias '
                                  'DEFAULT'), ('two', '; CREATE TABLE two () INHERITS (alias)')):
            with self.subTest(part):
                self.database.run(
                    'ALTER TABLE alias RENAME TO old; CREATE TABLE alias (LIKE old) %s; INSERT '
                    'INTO %s TABLE old; DROP TABLE old CASCADE' % (how, part))
                self.database.run("UPDATE %s SET goto = 'first@dest.example' WHERE id = 1" % part)
                install_triggers(self.database, self.write_schema())
                self.start_and_wait()
                self.database.run("UPDATE %s SET goto = 'second@dest.example' WHERE id = 1" % part)
                self.wait_for_target('second')
                self.stop()
                self.shop.table.unlink()

    def test_queries_that_name_no_table(self):
        """Of what a function reads nothing is told, so nothing is confirmed either."""
        self.database.run("CREATE FUNCTION rows_of() RETURNS SETOF alias STABLE LANGUAGE sql AS "
                          "'SELECT * FROM alias'; DROP TRIGGER openrcpt_changed ON alias")
        self.use(follow_seconds=1, sources=[{
            'type': 'postgresql', **self.database.connection(),
            'alias_query': 'SELECT address, goto, id FROM rows_of() WHERE active'}])
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: the queries read no table whose changes could '
                          'be told')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_columns_that_may_not_be_read(self):
        """Neither triggers nor a digest: it is read by the clock."""
        self.database.run('DROP TRIGGER openrcpt_changed ON alias; ALTER TABLE alias ADD secret text')
        self.use_role('few', 'SELECT (id, address, goto, active)', follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: .*permission denied for table alias')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def use_role(self, name, rights, **settings):
        self.server.psql('CREATE ROLE %s LOGIN' % name)
        self.database.run('GRANT %s ON alias TO %s' % (rights, name))
        self.database.connection = lambda: {'connection': 'host=%s dbname=%s user=%s' % (
            self.server.sockets, self.database.name, name)}
        self.use(**settings)

    def test_a_right_that_is_taken_away(self):
        """The tables could be asked before; that they can't any more is no outage."""
        self.database.run('DROP TRIGGER openrcpt_changed ON alias; ALTER TABLE alias ADD secret text')
        self.use_role('less', 'SELECT', follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: no trigger tells of changes of alias')
        self.database.run('REVOKE SELECT ON alias FROM less; '
                          'GRANT SELECT (id, address, goto, active) ON alias TO less')
        self.wait_for_log('postgresql:main: warning: .*permission denied for table alias')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_a_server_that_may_not_be_listened_to(self):
        """It lets itself be read, so it isn't away; and once it may, it is listened to."""
        function = 'EXECUTE ON FUNCTION pg_notify(text, text)'
        self.database.run('REVOKE %s FROM public' % function)
        self.use_role('deaf', 'SELECT', follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: .*permission denied for function pg_notify')
        self.check_changes()
        self.wait_for_confirmation()
        self.assertEqual((self.state()[0], self.listeners()), (1, []))
        self.process.send_signal(signal.SIGHUP)     # tries again, and says nothing of it
        self.wait_for_more('compilations', self.number('compilations'))
        self.wait_for_confirmation()
        self.assertEqual(self.log_text().count('pg_notify'), 1)
        self.database.run('GRANT %s TO public' % function)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_log('postgresql:main: its changes are told from now on')
        self.assertEqual(len(self.listeners()), 1)
        self.wait_for_confirmation()
        self.assertNotIn('away', self.log_text())

    def test_one_that_is_away_and_one_that_is_polled(self):
        """The other is read all the same: the one may be there for who reads."""
        self.database.run('REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM public')
        self.use_role('half', 'SELECT')
        other = Sqlite(self.shop.folder)
        other.fill([(1, 'b@one.example', 'b@dest.example', True)])
        query = 'SELECT address, goto, id FROM alias WHERE active'
        self.use(follow_seconds=1, sources=[
            {'type': one.TYPE, **one.connection(), 'alias_query': query}
            for one in (self.database, other)])
        self.start_and_wait()
        self.wait_for_log('warning: .*permission denied for function pg_notify')
        moved = other.path.with_name('moved')
        other.path.rename(moved)
        self.wait_for_log('sqlite:main is away: ')
        # More than what is tried again each minute.
        self.wait_for_more('compilations', self.number('compilations') + 5)
        self.change('second')
        moved.rename(other.path)
        self.wait_for_target('second')
        self.wait_for_log('sqlite:main is back after ')
        self.assertNotIn('postgresql:main is away', self.log_text())

    def test_a_digest_that_the_server_gives_up(self):
        """As where a role has a time for each statement: the rows may come in time."""
        self.use_view('slow(id)', follow_seconds=1)
        self.server.psql("ALTER DATABASE %s SET statement_timeout = '1s'" % self.database.name)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: the tables gave no digest within 1 seconds')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_a_digest_that_takes_too_long(self):
        """What can be read is read by the clock, and isn't taken for away."""
        self.use_view('slow(id)', follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: the tables gave no digest within 2 seconds')
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_a_digest_that_would_never_end(self):
        """Nobody waits for it any more, so the server doesn't go on with it."""
        self.use_view('slow(1000 * id)', follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('the tables gave no digest within 2 seconds')
        harness.wait_until(lambda: self.server.psql(
            "SELECT 1 FROM pg_stat_activity WHERE datname = '%s' AND query LIKE "
            "'%%openrcpt_row%%' AND state = 'active'" % self.database.name) == [],
                           'it goes on with the digest')
        self.check_changes()

    def test_a_limit_of_the_server(self):
        """Shorter than ours, it stays."""
        self.use_view('slow(1000 * id)', follow_seconds=1, timeout_seconds=60)
        self.database.run("ALTER DATABASE %s SET statement_timeout = '1500ms'" % self.database.name)
        self.start_and_wait()
        self.wait_for_log('postgresql:main: warning: the tables gave no digest within 2 seconds')
        self.assertNotIn('away', self.log_text())

    def test_a_digest_that_takes_too_long_later(self):
        """What was changed while nobody listened is read then, too."""
        self.use_view('id')
        self.start_and_wait()
        pid, = self.listeners()
        self.database.run("UPDATE alias SET goto = 'second@dest.example' WHERE id = 1; CREATE OR "
                          'REPLACE VIEW seen AS SELECT *, slow(id) AS extra FROM alias; '
                          'SELECT pg_terminate_backend(%d)' % pid)
        self.wait_for_log('the tables gave no digest within 2 seconds')
        self.wait_for_target('second')

    def use_view(self, extra, timeout_seconds=2, **settings):
        """EXTRA isn't selected, so that it costs time in a digest alone."""
        self.database.run("CREATE FUNCTION slow(n integer) RETURNS integer IMMUTABLE LANGUAGE "
                          "plpgsql AS 'BEGIN PERFORM pg_sleep(2 + n); RETURN n; END'; "
                          'CREATE VIEW seen AS SELECT *, %s AS extra FROM alias' % extra)
        self.use(**settings, sources=[{
            'type': 'postgresql', **self.database.connection(),
            'timeout_seconds': timeout_seconds,
            'alias_query': 'SELECT address, goto, id FROM seen WHERE active'}])

    def test_settings_that_change(self):
        """Who listened to the database of before ends, and another one begins."""
        self.start_and_wait()
        before, self.database = self.listeners(), self.make_database()
        self.assertEqual(len(before), 1)
        self.database.fill([(1, 'a@one.example', 'second@dest.example', True),
                            (2, 'postmaster@one.example', 'pm@dest.example', True)])
        self.use()
        self.wait_for_target('second')
        harness.wait_until(lambda: self.server.psql(
            'SELECT 1 FROM pg_stat_activity WHERE pid = %d' % before[0]) == [], 'it listens on')
        harness.wait_until(lambda: len(self.listeners()) == 1 and self.state()[0] == 1,
                           'nobody listens')
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
                database.run(schema_test.statement(data, database.TYPE, statement))
        install_triggers(database, name, *('%s=%s' % pair for pair in
                                           getattr(data, 'MEMBERS', {}).items()))
        for change in data.CHANGES:
            told = '\n'.join('\t'.join(row) for row in database.run(
                'LISTEN openrcpt; ' + schema_test.statement(data, database.TYPE, change)))
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
    harness.main('rcptmap', 'postgresql', 'sqlite', 'prometheus')
