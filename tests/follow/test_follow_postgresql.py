#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What PostgreSQL is heard to change where triggers of its tables aren't all, with a real one."""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from databases import PostgresqlServer
from hearing import Hearing

POLLED = 'no trigger tells of changes of %s: the tables are asked each few seconds (see rcptmap sql)'
DEAF = "%s may read what isn't told of: such changes are seen each follow_seconds"


class PostgresqlFollowTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = PostgresqlServer()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def setUp(self):
        self.database = self.server.database()
        self.database.run("INSERT INTO alias VALUES (1, 'a@one.example', 'x@dest.example', true)")
        schema = self.server.folder / 'schema.conf'
        schema.write_text('alias_query = "SELECT address, goto FROM alias";\n', encoding='utf-8')
        self.triggers = rcptmap.run('sql', 'postgresql', schema).out
        self.database.run(self.triggers)

    def hear(self, *names):
        hearing = Hearing('postgresql', self.database.connection()['connection'], *names)
        self.addCleanup(hearing.close)
        return hearing

    def use_file(self):
        """A foreign table `far`: its rows change without a commit. The result: how to."""
        path = self.server.folder / 'rows'

        def write(target):
            made = path.with_suffix('.new')
            made.write_text('a@one.example\t%s\n' % target, encoding='utf-8')
            made.chmod(0o644)
            made.rename(path)
        write('first')
        self.database.run(
            'CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; '
            'CREATE FOREIGN TABLE far (address text, goto text) SERVER files OPTIONS '
            "(filename '%s'); CREATE VIEW near AS SELECT * FROM far" % path)
        return write

    def test_a_foreign_table(self):
        write = self.use_file()
        for name in ('far', 'near'):
            with self.subTest(name):
                hearing = self.hear('alias', name)
                self.assertEqual(hearing.doubts, [POLLED % name])
                self.assertEqual(hearing.quiet(2), 0)
                write('second ' + name)
                hearing.until('changed')

    def test_triggers_of_a_foreign_table(self):
        """They tell of what is written here, not of what is written there."""
        write = self.use_file()
        events = 'INSERT OR UPDATE OR DELETE OR TRUNCATE'
        try:
            self.database.run('CREATE TRIGGER heard AFTER %s ON far FOR EACH STATEMENT '
                              'EXECUTE FUNCTION openrcpt_changed()' % events)
        except AssertionError as refused:       # by an older one
            self.assertIn('TRUNCATE triggers', str(refused))
            return
        hearing = self.hear('far')
        self.assertEqual(hearing.doubts, [POLLED % 'far'])
        write('second')
        hearing.until('changed')

    def test_functions(self):
        """Of what one reads nothing is told, so nothing says that nothing has changed."""
        self.database.run(
            "CREATE FUNCTION wide() RETURNS text STABLE LANGUAGE sql AS 'SELECT goto FROM alias'; "
            'CREATE SCHEMA mail; CREATE FUNCTION mail."Wide"(text) RETURNS text LANGUAGE sql AS '
            "'SELECT $1'; CREATE FUNCTION pure(text) RETURNS text IMMUTABLE LANGUAGE sql AS "
            "'SELECT $1'")
        hearing = self.hear('alias', 'pure()', 'lower()', 'IN()', 'now()', 'Pure()')
        self.assertEqual(hearing.doubts, [])
        hearing.until('none')
        for name in ('wide', 'WIDE', 'public.wide', 'mail."Wide"'):
            with self.subTest(name):
                hearing = self.hear('alias', 'lower()', name + '()')
                self.assertEqual(hearing.doubts, [DEAF % name])
        time.sleep(3)       # it would have been asked
        self.database.run("UPDATE alias SET goto = 'y@dest.example'")
        self.assertEqual(hearing.next(), 'changed')


if __name__ == '__main__':
    harness.main('postgresql')
