#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is seen of another file in the place of one of SQLite."""
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from databases import Sqlite
from hearing import Hearing


class SqliteFollowTest(unittest.TestCase):
    def setUp(self):
        self.folder = harness.Scratch('openrcpt-sqlite-')
        self.addCleanup(self.folder.remove)
        self.database = Sqlite(self.folder.path)
        self.other = self.database.path.with_name('other')
        shutil.copy(self.database.path, self.other)

    def hear(self, **how):
        hearing = Hearing('sqlite', self.database.path, 'alias', **how)
        self.addCleanup(hearing.close)
        return hearing

    def test_it_comes_later(self):
        hearing = self.hear()
        self.assertEqual(hearing.quiet(2), 0)
        self.other.rename(self.database.path)
        hearing.until('changed')
        self.assertEqual(hearing.quiet(2), 0)

    def test_it_comes_while_the_first_is_opened(self):
        """What is open then has no name any more, and nobody writes to it."""
        hearing = self.hear(between="mv '%s' '%s'" % (self.other, self.database.path))
        self.assertEqual(hearing.next(), 'changed')
        self.assertEqual(hearing.quiet(2), 0)
        self.database.run("INSERT INTO alias VALUES (1, 'a@one.example', 'x@dest.example', 1)")
        hearing.until('changed')


if __name__ == '__main__':
    harness.main('sqlite')
