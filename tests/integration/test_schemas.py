#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Schemas of panels, against Postfix with the panel's own queries on the same database; and what
may stand in a schema's file."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
import schema_test
from database_test import DatabaseTest
from databases import MysqlServer, PostfixTables, PostgresqlServer, Sqlite
from directories import Slapd
from rcptmap_test import CONFIG, DATA, NO_INPUT, NO_PERMISSION


class OnServersTest(schema_test.SchemaTest):
    @classmethod
    def setUpClass(cls):
        cls.servers = {'mysql': MysqlServer(), 'postgresql': PostgresqlServer()}
        for server in cls.servers.values():
            cls.addClassCleanup(server.stop)
            server.start()

    def make_database(self, kind):
        if kind == 'ldap':
            made = Slapd(schema=self.data.ATTRIBUTES).start()
            self.addCleanup(made.stop)
            return made
        made = (self.servers[kind].database() if kind in self.servers else
                Sqlite(self.shop.folder))
        made.run('DROP TABLE alias')
        return made


class SchemasTest(OnServersTest):
    """Each schema in each of its databases; the tests are at the end."""


def kinds_of(data):
    """Each query that Postfix has, with its kind."""
    for name, kind in (('ALIAS_MAPS', 'alias'), ('MAILBOX_MAPS', 'mailbox'),
                       ('DOMAIN_MAP', 'domain'), ('ALIAS_DOMAIN_MAP', 'alias-domain')):
        queries = getattr(data, name, ())
        for query in (queries,) if isinstance(queries, str) else queries:
            yield kind, query


MAPS = {'alias': 'virtual_alias_maps', 'mailbox': 'virtual_mailbox_maps',
        'domain': 'virtual_mailbox_domains', 'alias-domain': 'virtual_alias_domains'}


class RecognisedTest(OnServersTest):
    """A table file of Postfix whose query a schema knows."""

    def begin(self, name, kind):
        self.data = schema_test.load(name)
        self.shop = self.workshop()
        self.database = self.make_database(kind)
        self.tables = PostfixTables(self.shop.folder.path)
        for statement in (self.data.TABLES + self.data.ROWS).split(';\n'):
            if statement.strip():
                self.database.run(self.without_prefix(self.statement(statement)))

    def without_prefix(self, text):
        return text.replace(getattr(self.data, 'MEMBERS', {}).get('table_prefix', 'no prefix'), '')

    def notes(self, kind, query, *options, **parameters):
        """What is said of QUERY: schemas, and what they read."""
        path = self.tables.write('asked', **self.database.parameters(), **parameters,
                                 query=' '.join(self.without_prefix(query).split()))
        self.shop.write_configuration(
            recipient_delimiter='+', mailbox_domains=['a.example'], sources=[{
                'type': schema_test.POSTFIX_TYPES[self.database.TYPE], 'path': path,
                'kind': kind}])
        said = self.shop.try_compile('-n', *options).err
        self.assertNotIn('no such table', said)
        found = re.findall(r'(?m)^%s: note: this is a query of (\w+) for (\w+); schema = "(\w+)" '
                           r'reads (.*)$' % re.escape(str(path)), said)
        self.assertEqual(said.count('note:'), len(found), said)
        for name, asked, schema, _ in found:
            self.assertEqual((name, asked), (schema, MAPS[kind]))
        return {name: reads for name, _, _, reads in found}

    def test_each_query(self):
        for name in schema_test.names():
            if not re.search(r'(?m)^postfix', (
                    harness.SOURCE / 'conf' / 'schemas' / ('%s.conf' % name)).read_text('utf-8')):
                continue
            self.begin(name, schema_test.load(name).DATABASES[0])
            known = [kind for kind, query in kinds_of(self.data)
                     if name in self.notes(kind, self.statement(query), '-v')]
            self.assertEqual(known.count('alias'), len(self.data.ALIAS_MAPS), (name, known))

    def test_what_is_read(self):
        self.begin('postfixadmin', 'postgresql')
        query = self.data.ALIAS_MAPS[0]
        # ViMbAdmin asks the very same.
        self.assertEqual(self.notes('alias', query, '-v'), {
            'postfixadmin': 'domains, aliases, catch-alls, domain aliases and mailboxes',
            'vimbadmin': 'domains, aliases, catch-alls and mailboxes'})
        self.assertEqual(self.notes('alias', "select a.goto from pa_alias as a where a.active and "
                                    "'%s' = a.address", '-v').keys(), {'postfixadmin', 'vimbadmin'})

    def test_what_is_not_said(self):
        self.begin('postfixadmin', 'postgresql')
        query = self.data.ALIAS_MAPS[0]
        for kind, other, options, parameters in (
                ('alias', query, (), {}),               # who doesn't ask isn't told
                ('mailbox', query, ('-v',), {}),
                ('alias', query + " AND domain <> 'b.example'", ('-v',), {}),
                ('alias', query.replace(" AND active = '1'", ''), ('-v',), {}),
                ('alias', query, ('-v',), {'domain': 'a.example'}),
                ('alias', query, ('-v',), {'result_format': 'x-%s'})):
            self.assertEqual(self.notes(kind, other, *options, **parameters), {}, other)

    def test_refused(self):
        """What can't be asked for all keys at once is told without being asked."""
        self.begin('iredmail', 'postgresql')
        self.assertEqual(self.notes('alias', self.data.ALIAS_MAPS[0]), {
            'iredmail': 'domains, aliases, catch-alls, domain aliases and mailboxes'})


SCHEMA = '''
parameters = { prefix = "p_"; };
words = { now = { sqlite = "${prefix}now"; postgresql = "now()"; }; };
alias_query = "SELECT address, goto, id FROM ${prefix}alias WHERE '${now}' = 'p_now'";
mailbox_query = { sqlite = "SELECT 'ann@a.example'"; postgresql = "SELECT 1"; };
'''


class FileTest(DatabaseTest):
    """A schema of one's own, with what can be wrong with it."""

    def make_database(self):
        return Sqlite(self.shop.folder)

    def setUp(self):
        super().setUp()
        self.path = self.shop.folder / 'own.conf'
        self.database.run('ALTER TABLE alias RENAME TO p_alias')
        self.database.run("INSERT INTO p_alias VALUES (7, 'team@a.example', 'x@dest.example', 1)")

    def use(self, text=SCHEMA, **members):
        self.path.write_text(text, encoding='utf-8')
        self.path.chmod(0o644)
        self.use_members(schema=self.path, **members)

    def verdicts(self):
        self.shop.write_configuration(mailbox_domains=['a.example'])
        self.shop.compile('--force')
        return [answer['verdict'] for answer in
                self.shop.resolve(['team@a.example', 'ann@a.example'])]

    def test_differences_are_told(self):
        """Each by its anchor."""
        told = (harness.SOURCE / 'doc' / 'postfix-differences.md').read_text(encoding='utf-8')
        for name in schema_test.CLASSES:
            self.assertIn('<a id="%s"></a>' % name.replace(' ', '-'), told)

    def test_own_file(self):
        self.use()
        self.assertEqual(self.verdicts(), ['expand', 'deliver'])
        self.assertIn('sqlite:main alias 7\n', rcptmap.run(
            'resolve', '-v', '-t', self.shop.table, 'team@a.example').out)

    def test_own_queries_go_before(self):
        self.use(alias_query="SELECT 'ann@a.example', 'y@dest.example'")
        self.assertEqual(self.verdicts(), ['unknown', 'expand'])
        self.use(mailbox_query='')
        self.assertEqual(self.verdicts(), ['expand', 'unknown'])
        self.use(mailbox_query='', alias_query='')
        self.refuses(CONFIG, r'.*openrcpt.conf:\d+: sources: a database without a path needs a '
                             'schema, or a query, as alias_query')

    def test_parameters(self):
        self.database.run('ALTER TABLE p_alias RENAME TO other_alias')
        self.use(SCHEMA.replace('p_now', 'other_now'), prefix='other_')
        self.assertEqual(self.verdicts(), ['expand', 'deliver'])
        self.use(prefix="x' OR 1")
        self.refuses(CONFIG, r'.*openrcpt.conf:\d+: sources: prefix: may have letters, '
                             'digits and _')
        self.use(perfix='other_')
        self.refuses(CONFIG, r'.*openrcpt.conf:\d+: sources: perfix: there is no such setting of a '
                             'database')

    def test_what_is_wrong_with_a_file(self):
        own = str(self.path)
        for change, pattern in (
                (('${now}', '${then}'), '%s: ${then} is neither a parameter nor a word' % own),
                (('${now}', '${now'), '%s: ${now\' = ' % own),
                (('"${prefix}now"', '"${now}"'), '%s: ${now} has too many others in it' % own),
                (('mailbox_query = { sqlite', 'mailbox_query = { mysql'),
                 '%s:5: mailbox_query: has nothing for databases of type sqlite' % own),
                (('mailbox_query', 'mailbox_qeury'),
                 '%s:5: unknown setting "mailbox_qeury" of a schema' % own),
                (('"p_"', '7'), '%s:2: prefix: must be a text, or a group with a text for' % own),
                (('parameters = {', 'parameters = "a"; other = {'),
                 '%s:2: parameters: must be a group' % own),
                (('"p_"', 'p_'), '%s:2: syntax error' % own),
                (('alias_query =', 'postfix = "a"; alias_query ='),
                 '%s:4: postfix: must have lists of queries' % own),
                (('alias_query =', 'postfix = { maps = "a"; }; alias_query ='),
                 '%s:4: postfix: must have lists of queries' % own),
                (('alias_query =', 'postfix = { maps = ( "a", 7 ); }; alias_query ='),
                 '%s:4: postfix: maps: must be a list of texts' % own)):
            self.use(SCHEMA.replace(*change))
            self.refuses(CONFIG, re.escape('rcptmap: ' + pattern))

    def test_who_may_write_it(self):
        self.use()
        self.path.chmod(0o666)
        self.refuses(NO_PERMISSION, 'rcptmap: %s: others may write it' % self.path)
        self.path.unlink()
        self.refuses(NO_INPUT, 'rcptmap: %s: No such file' % self.path)
        self.use_members(schema='./own.conf')
        self.refuses(CONFIG, 'rcptmap: schema: ./own.conf is not an absolute path')
        self.use_members(schema='nowhere')
        self.refuses(NO_INPUT, 'rcptmap: .*/schemas/nowhere.conf: No such file')

    def test_patterns(self):
        """Rows whose local part is a pattern of LIKE, in the order of the answer."""
        self.use_members(pattern_query="SELECT address, goto, id FROM p_alias ORDER BY id DESC",
                         mailbox_query="SELECT 'sales-me@a.example'")
        self.shop.write_configuration(mailbox_domains=['a.example'])
        for number, address, goto in ((8, 'sales-%@a.example', '$1@dest.example,'),
                                      (9, 'SALES-n_rth@a.example', 'north@dest.example')):
            self.database.run("INSERT INTO p_alias VALUES (%d, '%s', '%s', 1)"
                              % (number, address, goto))
        self.shop.compile('--force')
        asked = ('sales-south@a.example', 'sales-north@a.example', 'Sales-North+x@A.example',
                 'sales-me@a.example', 'sales@a.example', 'xsales-1@a.example', 'team@a.example')
        self.assertEqual([answer.get('recipients') or answer['verdict'] for answer in
                          self.shop.resolve(asked)],
                         [['$1@dest.example'], ['north@dest.example'], ['north@dest.example'],
                          ['sales-me@a.example'], 'unknown', 'unknown', ['x@dest.example']])
        self.assertIn('sqlite:main pattern', rcptmap.run(
            'resolve', '-v', '-t', self.shop.table, 'sales-south@a.example').out)
        self.database.run("INSERT INTO p_alias VALUES (10, 'sales-%', 'x@dest.example', 1)")
        self.refuses(DATA, 'sqlite:main pattern sales-%: a pattern needs an @ and a domain')

    def test_includes_are_refused(self):
        other = self.shop.folder / 'other.conf'
        other.write_text('catch_all_query = "SELECT 1, 2";\n', encoding='utf-8')
        self.use(SCHEMA + '@include "%s"\n' % other)
        self.refuses(CONFIG, '.*: a schema may not include files')

    def test_watched_files(self):
        """rcptmap watch looks at it, too."""
        self.use()
        self.shop.write_configuration(mailbox_domains=['a.example'],
                                      runtime_directory=self.shop.folder / 'run')
        watcher = subprocess.Popen(
            harness.command('rcptmap', 'watch', '-c', self.shop.configuration),
            env={**os.environ, **rcptmap.MODULES}, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            harness.wait_until(lambda: self.ours(['team@a.example']), 'nobody published')
            self.path.write_text(SCHEMA.replace('SELECT address', "SELECT 'new@a.example'"),
                                 encoding='utf-8')
            harness.wait_until(lambda: self.ours(['new@a.example']), 'nobody saw the schema')
        finally:
            watcher.terminate()
            self.assertEqual(watcher.wait(harness.LIMIT_S), 0)


def add_test(name, kind):
    def test(self):
        self.check(name, kind)
    setattr(SchemasTest, 'test_%s_in_%s' % (name, kind), test)


for schema in schema_test.names():
    for database in schema_test.load(schema).DATABASES:
        add_test(schema, database)


if __name__ == '__main__':
    harness.main('rcptmap', 'mysql', 'postgresql', 'postfix', 'ldap')
