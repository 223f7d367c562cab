#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sources of type postgresql, against Postfix's own pgsql: tables on the same server."""
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from database_test import UNAVAILABLE, DatabaseTest, DatabaseTests
from databases import PostgresqlServer
from rcptmap_test import CONFIG, DATA, NO_INPUT, NO_PERMISSION, OK, TRY_LATER
from relay import PortRelay

# A row now and then, for as long as anybody wants.
SLOW = ("SELECT i || '@one.example', 'x@dest.example' FROM generate_series(1, 1000000) i "
        "WHERE pg_sleep(0.01) IS NOT NULL")


class PostgresqlTest(DatabaseTests, DatabaseTest):
    POSTFIX_TYPE = 'pgsql'

    @classmethod
    def setUpClass(cls):
        cls.server = PostgresqlServer().start()
        cls.addClassCleanup(cls.server.stop)

    def make_database(self):
        return self.server.database()

    # ---- rows ------------------------------------------------------------------------------

    def test_bytes_that_are_no_text(self):
        self.database = self.server.database('SQL_ASCII')
        self.database.run(r"INSERT INTO alias VALUES (1, 'a@one.example', E'x\xff@a.b', true)")
        self.use_members(alias_query='SELECT address, goto, id FROM alias')
        self.refuses(DATA, 'postgresql:main alias 1: the value has a control character, or is not')
        self.database.run(r"UPDATE alias SET address = E'x\xff@a.b', goto = 'x@a.b'")
        self.refuses(DATA, 'postgresql:main alias 1: the key has a control character, or is not')

    def test_escapes_of_a_copy(self):
        self.database.run(r"INSERT INTO alias VALUES (1, 'a@one.example', "
                          r"E'b@x.example,\r\n\tc@x.example\n', true), "
                          r"(2, 'b@one.example', E'\\N@x.example', true)")
        self.use_members(alias_query='SELECT address, goto, id FROM alias WHERE id = 1;')
        self.shop.compile()
        self.assertEqual(self.ours(['a@one.example']),
                         {'a@one.example': ['b@x.example', 'c@x.example']})
        self.use_members(alias_query='SELECT address, goto, id FROM alias')
        self.shop.compile('--force')
        self.assertEqual(self.ours(['b@one.example']), {'b@one.example': ['N@x.example']})

    def test_no_database_is_named(self):
        self.shop.write_configuration(sources=[{'type': 'postgresql', 'alias_query': 'SELECT 1, 2'}])
        self.refuses(CONFIG, 'postgresql:main alias: connection is missing, as in connection = ')

    def test_one_snapshot(self):
        """What is committed while the first query runs is not seen by the second."""
        holder = subprocess.Popen(
            ['psql', '-X', '-q', '-h', str(self.server.sockets), '-U', 'tester', '-d',
             self.database.name], stdin=subprocess.PIPE, encoding='utf-8')
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdin.close)
        holder.stdin.write('SELECT pg_advisory_lock(7) \\g /dev/null\n')
        holder.stdin.flush()
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = %s"
        harness.wait_until(lambda: self.database.run(locks % 'true') == [['1']], 'no lock')
        self.use_members(
            alias_query="SELECT 'a@one.example', 'x@dest.example' WHERE pg_advisory_lock(7) "
                        "IS NOT NULL", mailbox_query='SELECT address FROM alias')
        running = self.start()
        harness.wait_until(lambda: self.database.run(locks % 'false') == [['1']], 'nobody waits')
        self.database.fill([(1, 'late@one.example', 'x', True)])
        holder.stdin.write('SELECT pg_advisory_unlock(7) \\g /dev/null\n')
        holder.stdin.flush()
        with running:
            self.assertEqual(running.wait(harness.LIMIT_S), OK)
        self.assertEqual(list(self.ours(['a@one.example', 'late@one.example'])), ['a@one.example'])
        self.shop.compile()
        self.assertIn('late@one.example', self.ours(['late@one.example']))

    # ---- connections -----------------------------------------------------------------------

    def test_nobody_is_there(self):
        query = {'alias_query': 'SELECT 1, 2'}
        self.use_members(connection='host=/nowhere dbname=x', **query)
        self.refuses(UNAVAILABLE, 'postgresql:main alias: .*/nowhere')
        self.use_members(connection='host=%s dbname=none user=tester' % self.server.sockets,
                         **query)
        self.refuses(UNAVAILABLE, 'postgresql:main alias: .*database "none" does not exist')
        self.use_members(connection='hots=x', **query)
        self.refuses(CONFIG, 'postgresql:main alias: invalid connection option "hots"')
        self.use_members(connection='dbname=x password=y', **query)
        self.refuses(CONFIG, 'postgresql:main alias: connection: no password may stand there')

    def test_hosts_in_their_order(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.use_table("SELECT goto FROM alias WHERE address = '%s'")
        path = self.postfix.folder / 'made.cf'
        text = path.read_text(encoding='utf-8')
        uri = 'postgresql://tester@/%s?host=%s' % (self.database.name, self.server.sockets)
        relay = self.relay()
        for hosts in ('/nowhere, %s' % self.server.sockets, 'unix:/nowhere ' + uri,
                      '127.0.0.1:%d' % relay.port, 'inet:127.0.0.1:%d, /nowhere' % relay.port,
                      '[127.0.0.1]:%d' % relay.port):
            path.write_text(text.replace('unix:%s' % self.server.sockets, hosts), encoding='utf-8')
            self.shop.compile('--force')
            self.assertEqual(len(self.ours(['a@one.example'])), 1)
        path.write_text(text.replace('unix:%s' % self.server.sockets, '/nowhere'),
                        encoding='utf-8')
        self.refuses(UNAVAILABLE, 'postgresql:made alias: .*/nowhere')

    def test_passwords(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.server.psql("DO $$ BEGIN CREATE ROLE secret LOGIN PASSWORD 'right'; EXCEPTION WHEN "
                         "duplicate_object THEN NULL; END $$")
        self.database.run('GRANT SELECT ON alias TO secret')
        secret = self.shop.folder / 'secrets' / 'secret'
        secret.parent.mkdir()
        self.use_members(
            alias_query='SELECT address, goto FROM alias', password_file=secret,
            connection='host=%s dbname=%s user=secret' % (self.server.sockets, self.database.name))
        self.refuses(NO_INPUT, 'rcptmap: .*secret: No such file')
        secret.write_text('wrong\n', encoding='utf-8')
        secret.chmod(0o644)
        self.refuses(NO_PERMISSION, 'rcptmap: .*secret: everybody may read it')
        secret.chmod(0o600)
        secret.parent.chmod(0o777)
        self.refuses(NO_PERMISSION, 'rcptmap: .*secret: others may write its directory')
        secret.parent.chmod(0o755)
        self.refuses(UNAVAILABLE, 'postgresql:main alias: .*password authentication failed')
        secret.write_text('right\n', encoding='utf-8')
        self.shop.compile()
        table = self.use_table("SELECT goto FROM alias WHERE address = '%s'")
        table.write_text(table.read_text(encoding='utf-8').replace('user = tester', 'user = secret')
                         + 'password = right\n', encoding='utf-8')
        self.assertNotIn('readable-password', self.shop.compile('--force'))
        table.chmod(0o644)
        self.assertRegex(self.shop.compile('--force'), r'\[readable-password\]')
        self.assertNotIn('right', rcptmap.run('dump', '-t', self.shop.table).out)

    def relay(self):
        relay = PortRelay(self.server.listens_at)
        self.addCleanup(relay.close)
        return relay

    def test_whose_server_it_is(self):
        """Across a network it has to prove who it is, unless somebody says otherwise."""
        relay = self.relay()
        where = 'host=db.example hostaddr=127.0.0.1 port=%d dbname=%s user=tester' % (
            relay.port, self.database.name)
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        query = {'alias_query': 'SELECT address, goto FROM alias'}
        self.use_members(connection=where, **query)
        self.refuses(UNAVAILABLE, 'postgresql:main alias: .*(root certificate|SSL)')
        self.use_members(connection=where + ' sslmode=disable', **query)
        self.assertRegex(self.shop.compile(), r'postgresql:main alias: warning: the connection to '
                         r'db.example is not encrypted: .*\[unverified\]')

    def test_secrets_are_in_no_core(self):
        secret = self.shop.folder / 'secret'
        secret.write_text('word', encoding='utf-8')
        secret.chmod(0o600)
        self.use_members(alias_query=SLOW, password_file=secret)
        running = self.start()
        with running:
            backend = self.backend()
            limits = pathlib.Path('/proc/%d/limits' % running.pid).read_text(encoding='ascii')
            self.server.psql('SELECT pg_cancel_backend(%d)' % backend)
        self.assertRegex(limits, r'(?m)^Max core file size +1 +1 ')

    # ---- cut off ---------------------------------------------------------------------------

    def start(self):
        return subprocess.Popen(
            harness.command('rcptmap', 'compile', '-c', self.shop.configuration),
            env={**os.environ, **rcptmap.MODULES}, stderr=subprocess.PIPE, encoding='utf-8')

    def backend(self):
        """The process of the server that sends us rows."""
        found = []

        def look():
            found[:] = self.server.psql(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%%' AND wait_event = "
                "'PgSleep' AND datname = '%s'" % self.database.name, may_fail=True) or []
            return found
        harness.wait_until(look, 'nobody copies')
        return int(found[0][0])

    def cut(self, how, pattern):
        self.use_members(alias_query="SELECT 'a@one.example', 'x@dest.example'")
        self.shop.compile()
        before = self.shop.table.read_bytes()
        self.use_members(alias_query=SLOW, timeout_seconds=2)
        running = self.start()
        with running:
            how(self.backend())
            said = running.stderr.read()
            self.assertEqual(running.wait(harness.LIMIT_S), TRY_LATER, said)
        self.assertRegex(said, 'postgresql:main alias: .*' + pattern)
        self.assertEqual(self.shop.table.read_bytes(), before)

    def test_cut_at_any_byte(self):
        """Of what the server sends, from nothing to all but its last byte."""
        relay = self.relay()
        self.database.fill([(number, 'u%d@one.example' % number, 'x@dest.example', True)
                            for number in range(40)])
        self.use_members(alias_query='SELECT address, goto, id FROM alias',
                         connection='host=127.0.0.1 port=%d dbname=%s user=tester sslmode=disable'
                         % (relay.port, self.database.name))
        self.shop.compile()
        before = self.shop.table.read_bytes()
        total = relay.passed
        self.database.fill([(40, 'new@one.example', 'x@dest.example', True)])
        total += len('new@one.example\tx@dest.example\t40\n') + 5
        seen = set()
        for limit in (*range(1, total - 1, total // 50), total - 6, total - 1):
            relay.limit = limit
            result = self.shop.try_compile()
            self.assertIn(result.status, (UNAVAILABLE, TRY_LATER), (limit, result.err))
            self.assertEqual(self.shop.table.read_bytes(), before, limit)
            seen.add(result.status)
        self.assertEqual(seen, {UNAVAILABLE, TRY_LATER})
        relay.limit = None
        self.shop.compile()
        self.assertIn('new@one.example', self.ours(['new@one.example']))

    def test_ended_by_the_administrator(self):
        self.cut(lambda pid: self.server.psql('SELECT pg_terminate_backend(%d)' % pid),
                 'terminating connection due to administrator command')

    def test_canceled(self):
        self.cut(lambda pid: self.server.psql('SELECT pg_cancel_backend(%d)' % pid),
                 'canceling statement due to user request')

    def test_killed(self):
        self.cut(lambda pid: os.kill(pid, signal.SIGKILL),
                 '(server closed the connection|terminating connection)')
        self.server.wait()

    def test_stopped(self):
        stopped = []

        def stop(pid):
            stopped.append(pid)
            os.kill(pid, signal.SIGSTOP)
        try:
            self.cut(stop, 'the server said nothing for 2 seconds')
        finally:
            os.kill(stopped[0], signal.SIGCONT)

    def test_stopped_before_it_answers(self):
        self.use_members(alias_query='SELECT 1, 2', connect_timeout_seconds=2)
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            self.refuses(TRY_LATER, 'postgresql:main alias: .*timeout expired')
        finally:
            self.server.process.send_signal(signal.SIGCONT)


if __name__ == '__main__':
    harness.main('rcptmap', 'postgresql')
