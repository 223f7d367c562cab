#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sources of type sqlite, against Postfix's own sqlite: tables on the same file."""
import os
import pathlib
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from database_test import UNAVAILABLE, DatabaseTest, DatabaseTests
from databases import Sqlite
from rcptmap_test import CONFIG, NO_PERMISSION, TRY_LATER


class SqliteTest(DatabaseTests, DatabaseTest):
    POSTFIX_TYPE = 'sqlite'

    def make_database(self):
        return Sqlite(self.shop.folder)

    def test_bytes_that_are_no_text(self):
        self.database.run("INSERT INTO alias VALUES (1, 'a@one.example', "
                          "CAST(x'78ff40612e62' AS TEXT), 1)")
        self.use_members(alias_query='SELECT address, goto, id FROM alias')
        self.refuses(65, 'sqlite:main alias 1: the value has a control character, or is not valid')
        self.database.run("UPDATE alias SET goto = CAST(x'780040612e62' AS TEXT)")
        self.refuses(65, 'sqlite:main alias 1: the value has a control character, or is not valid')

    def test_a_file_that_is_none(self):
        self.use_members(connection='/nowhere/data', alias_query='SELECT 1, 2')
        self.refuses(UNAVAILABLE, 'sqlite:main alias: /nowhere/data: unable to open')
        self.use_members(connection='data', alias_query='SELECT 1, 2')
        self.refuses(CONFIG, 'sqlite:main alias: the file of a SQLite database must be an absolute')
        self.database.path.write_bytes(b'x' * 5000)
        self.use_members(alias_query='SELECT 1, 2')
        self.refuses(UNAVAILABLE, 'sqlite:main alias: .*: file is not a database')

    def test_who_may_write_the_file(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.use_members(alias_query='SELECT address, goto FROM alias')
        self.database.path.chmod(0o666)
        self.refuses(NO_PERMISSION, r'.*data.sqlite: others may write it \(mode 0666\)')
        self.database.path.chmod(0o660)
        self.assertRegex(self.shop.compile(), r'data.sqlite: warning: its group may write it .*'
                         r'\[group-writes\]')

    def test_who_may_write_where_a_link_leads(self):
        """Each of them is a link into a folder where everybody may put another file."""
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        folder = self.shop.folder / 'open'
        folder.mkdir()
        table = self.use_table("SELECT goto FROM alias WHERE address='%s'")
        self.shop.compile()
        for path in (self.database.path, pathlib.Path(table), pathlib.Path(self.shop.configuration)):
            path.rename(folder / path.name)
            path.symlink_to(folder / path.name)
            with self.subTest(path):
                self.shop.compile('--force')
                folder.chmod(0o777)
                self.refuses(NO_PERMISSION, '.*/open/%s: others may write its directory' % path.name)
            folder.chmod(0o755)
            path.unlink()
            (folder / path.name).rename(path)

    def test_somebody_else_writes(self):
        self.use_members(alias_query='SELECT address, goto FROM alias', timeout_seconds=1)
        writer = sqlite3.connect(str(self.database.path), isolation_level=None)
        self.addCleanup(writer.close)
        writer.execute('BEGIN EXCLUSIVE')
        self.refuses(TRY_LATER, 'sqlite:main alias: .*: was locked by somebody for 1 seconds')
        writer.execute("INSERT INTO alias VALUES (1, 'a@one.example', 'x@dest.example', 1)")
        writer.execute('COMMIT')
        self.shop.compile()

    def test_a_query_that_does_not_end(self):
        self.use_members(timeout_seconds=1, alias_query=(
            'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) '
            'SELECT i, i FROM n WHERE i < 0'))
        self.refuses(TRY_LATER, 'sqlite:main alias: .*: no row came within 1 seconds')

    def test_wal_without_a_writer(self):
        """What is in the log is read, or nothing is: as somebody who may not write beside it."""
        self.database.run('PRAGMA journal_mode = WAL')
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        folder = self.shop.folder.path
        output = folder / 'lib' / 'other.table'
        self.use_members(alias_query='SELECT address, goto FROM alias')
        os.chmod(folder, 0o755)
        os.chown(folder / 'lib', 65534, 65534)
        command = harness.command('rcptmap', 'compile', '-c', self.shop.configuration, '-o', output)
        done = subprocess.run(command, check=False, user=65534, group=65534, extra_groups=[],
                              env={**os.environ, **rcptmap.MODULES}, stderr=subprocess.PIPE,
                              encoding='utf-8')
        self.assertEqual(done.returncode, UNAVAILABLE, done.stderr)
        self.assertRegex(done.stderr, 'is in WAL mode, and we may not make its -shm and -wal')
        self.shop.compile()


    # ---- watched ---------------------------------------------------------------------------

    def wait_for(self, address):
        harness.wait_until(lambda: self.ours([address]), 'nobody published ' + address)

    def test_watched(self):
        """rcptmap watch sees what is committed, in rollback mode and in the log of WAL mode."""
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.use_members(alias_query='SELECT address, goto FROM alias')
        self.shop.write_configuration(runtime_directory=self.shop.folder / 'run')
        watcher = subprocess.Popen(
            harness.command('rcptmap', 'watch', '-c', self.shop.configuration),
            env={**os.environ, **rcptmap.MODULES}, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            self.wait_for('a@one.example')
            self.database.fill([(2, 'b@one.example', 'x@dest.example', True)])
            self.wait_for('b@one.example')
            writer = sqlite3.connect(str(self.database.path), isolation_level=None)
            self.addCleanup(writer.close)
            writer.execute('PRAGMA journal_mode = WAL')
            for number in (3, 4):
                name = 'w%d@one.example' % number
                writer.execute('INSERT INTO alias VALUES (?, ?, ?, 1)',
                               (number, name, 'x@dest.example'))
                self.wait_for(name)
        finally:
            watcher.terminate()
            self.assertEqual(watcher.wait(harness.LIMIT_S), 0)


class ModuleTest(DatabaseTest):
    """Which shared objects are loaded."""
    POSTFIX_TYPE = 'sqlite'

    def make_database(self):
        self.modules = self.shop.folder / 'modules'
        self.modules.mkdir(mode=0o755)
        return Sqlite(self.shop.folder)

    def compile(self):
        return rcptmap.run('compile', '-c', self.shop.configuration,
                           environment={'OPENRCPT_MODULE_DIRECTORY': str(self.modules)})

    def build(self, text):
        path = self.modules / 'sqlite.so'
        compiler = (os.environ.get('CC') or 'cc').split()
        subprocess.run([*compiler, '-shared', '-fPIC', '-x', 'c', '-o', str(path), '-'],
                       check=True, input=text, encoding='utf-8')
        path.chmod(0o644)

    def test_versions(self):
        self.use_members(alias_query='SELECT 1, 2')
        self.assert_says(self.compile(), UNAVAILABLE,
                         'sqlite:main alias: type "sqlite": .*: install the package openrcpt-sqlite')
        self.build('const unsigned openrcpt_module[30] = { 999 };')
        self.assert_says(self.compile(), CONFIG, 'sqlite:main alias: .*sqlite.so: is of another '
                         'version of openrcpt')
        self.build('const unsigned other = 1;')
        self.assert_says(self.compile(), CONFIG, 'sqlite:main alias: .*: is no module of openrcpt')
        module, there = self.modules / 'sqlite.so', self.shop.folder / 'there'
        there.mkdir()
        module.rename(there / module.name)
        module.symlink_to(there / module.name)
        self.assert_says(self.compile(), CONFIG, 'sqlite:main alias: .*: is no module of openrcpt')
        there.chmod(0o777)
        self.assert_says(self.compile(), NO_PERMISSION, 'sqlite:main alias: .*others may write')
        there.chmod(0o755)
        self.modules.chmod(0o777)
        self.assert_says(self.compile(), NO_PERMISSION, 'sqlite:main alias: .*others may write')

    def test_what_is_there_is_listed(self):
        self.assertRegex(rcptmap.run('--version').out, r'(?m)^sqlite: SQLite \d+\.\d+')


if __name__ == '__main__':
    harness.main('rcptmap', 'sqlite')
