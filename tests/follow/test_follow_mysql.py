#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What MariaDB is seen to change, with a real one."""
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from databases import MysqlServer
from hearing import Hearing


class MysqlFollowTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = MysqlServer()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def setUp(self):
        self.database = self.server.database()
        self.database.run("INSERT INTO alias VALUES (1, 'a@one.example', 'x@dest.example', 1)")

    def hear(self, *tables):
        hearing = Hearing('mysql', self.database.connection()['connection'], *(tables or ('alias',)))
        self.addCleanup(hearing.close)
        hearing.quiet()
        return hearing

    def run_sql(self, text):
        self.server.sql(text, self.database.name)

    def test_what_is_told(self):
        """Each commit once, or twice where a second begins between; nothing for ever."""
        hearing = self.hear()
        self.assertEqual(hearing.doubts, [])
        for statement in ("INSERT INTO alias VALUES (2, 'b@one.example', 'x@dest.example', 1)",
                          "UPDATE alias SET goto = 'y@dest.example' WHERE id = 2",
                          'DELETE FROM alias WHERE id = 2', 'TRUNCATE alias',
                          'DROP TABLE alias',
                          'CREATE TABLE alias (id INT)'):
            with self.subTest(statement):
                self.run_sql(statement)
                hearing.until('changed')
                self.assertLessEqual(hearing.quiet(), 1)

    def test_what_is_not_told(self):
        hearing = self.hear()
        self.run_sql("BEGIN; INSERT INTO alias VALUES (2, 'b@one.example', 'x', 1); ROLLBACK")
        self.run_sql("UPDATE alias SET goto = 'x@dest.example' WHERE id = 1")
        self.run_sql('CREATE TABLE other (id INT); INSERT INTO other VALUES (1)')
        self.assertEqual(hearing.quiet(), 0)

    def test_a_transaction_counts_when_it_ends(self):
        """What was written before, and committed later, is told when it is there."""
        hearing = self.hear()
        self.run_sql("BEGIN; INSERT INTO alias VALUES (2, 'b@one.example', 'x', 1); "
                     "SELECT SLEEP(3); COMMIT")
        said = hearing.until('changed')
        self.assertLessEqual(hearing.quiet(), 1, said)

    def test_names(self):
        self.run_sql('CREATE TABLE `my``ta.ble` (id INT)')
        self.run_sql('CREATE DATABASE IF NOT EXISTS elsewhere; '
                     'CREATE OR REPLACE TABLE elsewhere.alias (id INT)')
        hearing = self.hear('`my``ta.ble`', 'elsewhere.`alias`', 'by_with')
        self.assertEqual(hearing.doubts, [])
        for statement in ('INSERT INTO `my``ta.ble` VALUES (1)',
                          'INSERT INTO elsewhere.alias VALUES (1)'):
            self.run_sql(statement)
            hearing.until('changed')
            hearing.quiet()

    def test_doubts(self):
        """What no time is kept for is summed up, and nothing is said of it in between."""
        self.run_sql('CREATE TABLE fleeting (id INT) ENGINE=MEMORY')
        self.run_sql('CREATE TABLE `of``aria` (id INT) ENGINE=Aria')
        # That a table isn't empty any more is told at once.
        self.run_sql('INSERT INTO fleeting VALUES (1); INSERT INTO `of``aria` VALUES (1)')
        hearing = Hearing('mysql', self.database.connection()['connection'], 'alias', 'fleeting',
                          '`of``aria`')
        self.addCleanup(hearing.close)
        self.assertEqual(hearing.doubts, [
            "%s: its engine (%s) doesn't keep when it was changed: it is summed up every 30 seconds"
            % one for one in (('fleeting', 'MEMORY'), ('of`aria', 'Aria'))])
        time.sleep(2)       # the times are asked meanwhile, which say nothing of these
        self.run_sql('UPDATE fleeting SET id = 2')
        self.assertEqual(hearing.next(), 'changed')
        self.run_sql('UPDATE `of``aria` SET id = 2')
        self.assertEqual(hearing.next(), 'changed')
        self.assertEqual(hearing.next(), 'none')

    def test_sums_that_take_too_long(self):
        """That is no outage, and the server doesn't go on with them."""
        self.run_sql('CREATE TABLE fleeting (id INT) ENGINE=MEMORY')
        def processes(words):
            return self.server.sql("SELECT id FROM information_schema.processlist WHERE db = '%s' "
                                   "AND info LIKE '%s%%'" % (self.database.name, words))
        locker = threading.Thread(target=self.server.sql, args=(
            'LOCK TABLES fleeting WRITE; SELECT SLEEP(1000)', self.database.name, True))
        locker.start()
        try:
            harness.wait_until(lambda: processes('SELECT SLEEP'), 'it is locked')
            with self.assertRaisesRegex(AssertionError,
                                        'failed 69 the tables gave no sum in time'):
                self.hear('fleeting')
            harness.wait_until(lambda: not processes('CHECKSUM'), 'it goes on with the sums')
        finally:
            for row in processes('SELECT SLEEP'):
                self.server.sql('KILL %s' % row[0])
            locker.join(harness.LIMIT_S)

    def test_sums_that_the_server_gives_up(self):
        """By a limit of its own: it is there, and can't be followed."""
        self.run_sql('CREATE TABLE locked (id INT) ENGINE=Aria; CREATE USER hasty@localhost; GRANT '
                     'SELECT ON *.* TO hasty@localhost WITH MAX_STATEMENT_TIME 1')
        with subprocess.Popen(
                ['mariadb', '--no-defaults', '--skip-ssl', '--socket=%s' % self.server.listens_at,
                 '-uroot', '-e', 'LOCK TABLES locked WRITE; SELECT SLEEP(9999)', self.database.name],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as holder:
            try:
                harness.wait_until(lambda: self.server.sql(
                    "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"),
                                   'nobody has locked it')
                words = self.database.connection()['connection'].replace('=root', '=hasty')
                with self.assertRaisesRegex(AssertionError, 'failed 69 the tables gave no sum in time'):
                    Hearing('mysql', words, 'locked')
            finally:
                holder.kill()

    def test_views(self):
        """What is behind one isn't known, so nothing says that nothing has changed."""
        self.run_sql('CREATE VIEW seen AS SELECT * FROM alias; CREATE TABLE other (id INT)')
        hearing = Hearing('mysql', self.database.connection()['connection'], 'other', 'seen')
        self.addCleanup(hearing.close)
        self.assertEqual(hearing.doubts, ['seen is a view: changes behind it are not told'])
        time.sleep(3)       # it would have been asked
        self.run_sql('INSERT INTO other VALUES (1)')
        self.assertEqual(hearing.next(), 'changed')
        with self.assertRaisesRegex(AssertionError, 'failed 78 the queries read no table'):
            self.hear('seen')

    def test_functions(self):
        """Likewise, of what somebody's own may read."""
        self.run_sql("CREATE FUNCTION wide() RETURNS TEXT READS SQL DATA RETURN (SELECT MIN(goto) "
                     "FROM alias); CREATE FUNCTION pure(x TEXT) RETURNS TEXT NO SQL RETURN x; "
                     "CREATE PROCEDURE proc(x TEXT) SELECT goto FROM alias WHERE address = x; "
                     "CREATE TABLE other (id INT)")
        hearing = self.hear('alias', 'pure()', 'lower()', 'IN()', 'nowhere.wide()')
        self.assertEqual(hearing.doubts, [])
        for name in ('proc', 'wide', '%s.`Wide`' % self.database.name):
            with self.subTest(name):
                hearing = Hearing('mysql', self.database.connection()['connection'], 'other',
                                  name + '()')
                self.addCleanup(hearing.close)
                self.assertEqual(hearing.doubts, [
                    "%s may read what isn't told of: such changes are seen each follow_seconds"
                    % name.rsplit('.', maxsplit=1)[-1].strip('`')])
        time.sleep(3)       # it would have been asked
        self.run_sql('INSERT INTO other VALUES (1)')
        self.assertEqual(hearing.next(), 'changed')

    def test_another_engine(self):
        self.run_sql('ALTER TABLE alias ENGINE=MyISAM')
        hearing = self.hear()
        self.assertEqual(hearing.doubts, [])
        for target in ('x', 'y'):
            self.run_sql("REPLACE INTO alias VALUES (2, 'b@one.example', '%s@x.example', 1)" % target)
            hearing.until('changed')
            hearing.quiet()

    def test_a_server_that_stands_still(self):
        hearing = self.hear()
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            said = hearing.until('failed')
        finally:
            self.server.process.send_signal(signal.SIGCONT)
        self.assertEqual(said[-1], 'failed 75 the server said nothing for 2 seconds')

    def test_a_server_that_is_killed(self):
        """It remembers no times then; that is no change for who comes back."""
        hearing = self.hear()
        self.server.process.kill()
        self.server.process.wait(harness.LIMIT_S)
        self.assertRegex(hearing.until('failed')[-1], '^failed 75 ')
        with self.assertRaisesRegex(AssertionError, 'failed 69 '):
            self.hear()
        self.server.start()
        hearing = self.hear()
        self.assertEqual(hearing.quiet(), 0)
        self.run_sql("UPDATE alias SET goto = 'z@dest.example' WHERE id = 1")
        hearing.until('changed')


if __name__ == '__main__':
    harness.main('mysql')
