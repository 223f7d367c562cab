#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap watch with servers that go away: this is said once, costs no table and no mail, and is
caught up with when they are back; and with what stands between us and a server."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from daemon import Daemon
from databases import Pgbouncer, PostgresqlServer, PostgresqlStandby
from follow_test import FollowTest, install_triggers
from rcptmap_test import OK
from watch_test import CRITICAL, WARNING


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

    def test_away_when_it_begins(self):
        self.server.halt()
        self.start()
        self.wait_for_status(CRITICAL, 'there is no table')
        self.wait_for_log('postgresql:main is away')
        self.server.start()
        self.wait_for_target('first')
        self.wait_for_status(OK)

    def test_failed_over(self):
        """Two servers are named, and the first one is gone."""
        second = PostgresqlServer().start()
        self.addCleanup(second.stop)
        other = second.database()
        self.assertEqual(other.name, self.database.name)
        other.fill([(1, 'a@one.example', 'second@dest.example', True),
                    (2, 'postmaster@one.example', 'pm@dest.example', True)])
        install_triggers(other, self.write_schema())
        connection = 'host=%s,%s dbname=%s user=tester' % (
            self.server.sockets, second.sockets, other.name)
        self.database.connection = lambda: {'connection': connection}
        self.use()
        self.start_and_wait()
        self.server.halt()
        self.wait_for_target('second')
        self.wait_for_log('postgresql:main is back after ')
        self.database = other
        self.check_changes()
        self.wait_for_status(OK)


class Between(FollowTest):
    """Where NOTIFY doesn't come through the tables are asked."""

    @classmethod
    def setUpClass(cls):
        cls.server = PostgresqlServer().start()
        cls.addClassCleanup(cls.server.stop)

    def make_database(self):
        database = self.server.database()
        install_triggers(database, self.write_schema())
        return database

    def follow_by(self, sockets):
        connection = 'host=%s dbname=%s user=tester' % (sockets, self.database.name)
        self.database.connection = lambda: {'connection': connection}
        self.use()
        self.start_and_wait()

    def test_pooler(self):
        pooler = Pgbouncer(self.server).start()
        self.addCleanup(pooler.stop)
        self.follow_by(pooler.sockets)
        self.wait_for_log('postgresql:main: warning: a pooler stands before the server')
        self.check_changes()

    def test_standby(self):
        standby = PostgresqlStandby(self.server).start()
        self.addCleanup(standby.stop)
        self.follow_by(standby.sockets)
        self.wait_for_log('postgresql:main: warning: the server is a standby')
        self.check_changes()
        self.wait_for_confirmation()
        before = self.number('compilations')
        # What is committed elsewhere makes no difference.
        self.database.run('CREATE TABLE other (x integer); INSERT INTO other VALUES (1)')
        self.wait_for_confirmation()
        self.assertEqual(self.number('compilations'), before)

    def test_standby_that_is_promoted(self):
        """From then on NOTIFY is heard there."""
        standby = PostgresqlStandby(self.server).start()
        self.addCleanup(standby.stop)
        self.follow_by(standby.sockets)
        self.wait_for_log('postgresql:main: warning: the server is a standby')
        standby.psql('SELECT pg_promote()')
        self.wait_for_log('postgresql:main: its changes are told from now on')
        self.database.run = lambda statement: standby.psql(statement, self.database.name)
        self.check_changes()
        self.assertNotIn('away', self.log_text())


if __name__ == '__main__':
    harness.main('rcptmap', 'rcptctl', 'openrcptd', 'postgresql', 'pgbouncer')
