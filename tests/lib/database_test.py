# SPDX-License-Identifier: BSD-2-Clause
"""What is tested of each kind of database: tests that need a `database`, made by who derives."""
from pathlib import Path

import rcptmap
from databases import DOMAINS, PostfixTables, answers, keys_of, linked_rows, random_rows
from native import NOBODY, Native
from private_postfix import PrivatePostfix
from rcptmap_test import CONFIG, DATA, OK, RcptmapTest

UNAVAILABLE = 69
SEED = 2026


class DatabaseTest(RcptmapTest):
    POSTFIX_TYPE = None         # as Postfix calls it

    def make_database(self):
        raise NotImplementedError

    def setUp(self):
        self.shop = self.workshop()
        self.database = self.make_database()
        self.postfix = PostfixTables(self.shop.folder.path)

    def use_table(self, query, members=None, **parameters):
        """The one source is a table file of Postfix."""
        path = self.postfix.write('made', **self.database.parameters(), query=query, **parameters)
        self.shop.write_configuration(sources=[
            {'type': self.POSTFIX_TYPE, 'path': path, **(members or {})}])
        return path

    def use_members(self, **members):
        self.shop.write_configuration(sources=[
            {'type': self.database.TYPE, **self.database.connection(), **members}])

    def ours(self, keys):
        asked = ''.join(key + '\n' for key in keys)
        return answers(rcptmap.run('query', '-t', self.shop.table, '-', text=asked).out)

    def refuses(self, status, *patterns):
        result = self.shop.try_compile()
        self.assert_says(result, status, *patterns)
        self.assertNotIn('generation', result.err)

    def compare(self, query, keys, **parameters):
        """Compiled from the table, and asked by Postfix: the same for each of KEYS."""
        path = self.use_table(query, **parameters)
        said = self.shop.compile('--force')
        theirs = self.postfix.ask(self.POSTFIX_TYPE, path, keys)
        self.assertGreater(len(theirs), 1, query)
        self.assertEqual(self.ours(keys), theirs, query)
        return said


class DatabaseTests:
    """Mixed into a DatabaseTest."""

    # ---- against Postfix -------------------------------------------------------------------

    def test_answers_of_postfix(self):
        rows = random_rows(SEED)
        self.database.fill(rows)
        keys = keys_of(rows)
        active = self.database.ACTIVE
        for query in ("SELECT goto FROM alias WHERE address = '%s'",
                      "SELECT goto FROM alias WHERE address='%s' AND " + active,
                      "SELECT a.goto FROM alias a WHERE (" + active + " AND '%s' = a.address) "
                      "ORDER BY a.id",
                      "SELECT goto FROM alias WHERE address = '%u@%d'",
                      "SELECT goto FROM alias WHERE lower(address) = lower('%s') AND id > 7",
                      self.database.PARTS):
            with self.subTest(query):
                self.compare(query, keys)

    def test_result_format_and_domain(self):
        rows = [row for row in random_rows(SEED) if row[2] and ',' not in row[2] and
                ' ' not in row[2] and '\n' not in row[2]]
        self.database.fill(rows)
        keys = keys_of(rows)
        query = "SELECT goto FROM alias WHERE address = '%s'"
        self.compare(query, keys, result_format='%u+%2@%d')
        self.compare(query, keys, result_format='%U-%S')
        self.compare(query, [key for key in keys if key[0] != '@'],
                     domain='two.example, nowhere.example,three.example')
        self.compare(query, keys, domain='!two.example, two.example, one.example')

    def test_tables_of_old_form(self):
        rows = random_rows(SEED, 50)
        self.database.fill(rows)
        path = self.postfix.write('old', **self.database.parameters(), table='alias',
                                  select_field='goto', where_field='address',
                                  additional_conditions='and ' + self.database.ACTIVE)
        self.shop.write_configuration(sources=[{'type': 'proxy:' + self.POSTFIX_TYPE,
                                                'path': path}])
        self.shop.compile('--force')
        keys = keys_of(rows)
        self.assertEqual(self.ours(keys), self.postfix.ask(self.POSTFIX_TYPE, path, keys))

    def test_resolved_as_by_postfix(self):
        """Aliases of aliases, extensions, a catch-all, nobody: what becomes of an address."""
        rows = linked_rows(SEED)
        self.database.fill(rows)
        path = self.use_table("SELECT goto FROM alias WHERE address = '%s'")
        self.shop.write_configuration(alias_domains=list(DOMAINS), recipient_delimiter='+')
        self.shop.compile()
        names = sorted({row[1] for row in rows if row[1][0] != '@'})
        asked = names + [name.replace('@', '+x@') for name in names[::3]] + [
            'nobody@' + domain for domain in DOMAINS]
        postfix = PrivatePostfix()
        tenant = postfix.add_tenant('native', {
            'virtual_alias_maps': '%s:%s' % (self.POSTFIX_TYPE, path), 'myorigin': 'origin.example',
            'virtual_alias_domains': ' '.join(DOMAINS), 'recipient_delimiter': '+',
            'virtual_mailbox_domains': '', 'virtual_mailbox_maps': NOBODY,
            'duplicate_filter_limit': '0'})
        self.addCleanup(postfix.close)
        with postfix:
            theirs = Native(postfix, tenant).ask(['<%s>' % name for name in asked])
        ours = self.shop.resolve(asked)
        self.assertGreater(len({str(answer) for answer in theirs}), 50)
        for name, mine, other in zip(asked, ours, theirs):
            self.assertEqual(sorted(mine.get('recipients', [])), sorted(other.recipients), name)
            self.assertEqual(mine['verdict'] == 'unknown', other.reply is not None, name)

    def test_catch_alls(self):
        self.database.fill([(1, '@one.example', 'a@dest.example', True),
                            (2, 'x@one.example', 'b@dest.example', True),
                            (3, '@two.example', 'c@dest.example', True)])
        path = self.use_table("SELECT goto FROM alias WHERE address = '@%d'")
        self.shop.compile('--force')
        keys = ['x@one.example', 'y@one.example', 'z@two.example', 'z@three.example']
        theirs = self.postfix.ask(self.POSTFIX_TYPE, path, keys)
        self.assertEqual({key: self.ours(['@' + key.split('@')[1]]).popitem()[1]
                          for key in theirs}, theirs)
        self.assertEqual(self.ours(['x@one.example', '@three.example']), {})

    def test_aliases_of_domains(self):
        self.database.fill([(1, 'a@one.example', 'a@dest.example', True),
                            (2, 'b@one.example', 'b@dest.example', True),
                            (3, 'b@two.example', 'c@dest.example', True)])
        self.database.run('CREATE TABLE alias_domain (old VARCHAR(99), target VARCHAR(99))')
        self.database.run("INSERT INTO alias_domain VALUES ('three.example', 'one.example')")
        self.compare("SELECT alias.goto FROM alias, alias_domain d WHERE d.old = '%d' AND "
                     "alias.address = " + self.database.ALIAS_OF + " AND " + self.database.ACTIVE,
                     ['a@three.example', 'b@three.example', 'a@one.example', 'c@three.example'])

    # ---- other kinds of rows ---------------------------------------------------------------

    def test_own_queries(self):
        self.database.fill([(4711, 'a@one.example', 'b@one.example', True),
                            (4712, 'a@one.example', 'x@dest.example', True),
                            (4713, '@two.example', 'c@dest.example', True),
                            (4714, 'three.example', 'one.example', True),
                            (4715, 'b@one.example', None, True)])
        self.use_members(
            name='main',
            domain_query="SELECT 'one.example'",
            alias_domain_query="SELECT 'two.example' UNION SELECT 'three.example'",
            alias_query='SELECT address, goto, id FROM alias WHERE id IN (4711, 4712)',
            catch_all_query='SELECT address, goto FROM alias WHERE id = 4713',
            domain_alias_query='SELECT address, goto, id FROM alias WHERE id = 4714',
            mailbox_query='SELECT address, id FROM alias WHERE id = 4715')
        self.shop.compile()
        said = rcptmap.run('resolve', '-v', '-t', self.shop.table, 'a@one.example',
                           'any@two.example', 'a@three.example', 'b@one.example',
                           'no@one.example').out
        kind = self.database.TYPE
        for part in ('a@one.example\texpand\tb@one.example, x@dest.example\n',
                     'a@one.example  %s:main alias 4711\n' % kind,
                     'any@two.example\texpand\tc@dest.example\n',
                     'any@two.example  %s:main catch-all  by @two.example' % kind,
                     'a@three.example\texpand\tb@one.example, x@dest.example\n',
                     'a@three.example  %s:main domain-alias 4714  by @three.example' % kind,
                     'no@one.example\tunknown\t'):
            self.assertIn(part, said)
        dumped = rcptmap.run('dump', '--json', '-t', self.shop.table).out
        self.assertIn('"source":"%s:main alias","line":4711' % kind, dumped)
        self.assertIn('"source":"%s:main catch-all","line":null' % kind, dumped)

    def test_big_numbers(self):
        """Primary keys share the room of line numbers; who doesn't fit any more has none."""
        self.shop.write_configuration(sources=[
            {'type': self.database.TYPE, **self.database.connection(), 'name': 'n%d' % number,
             'alias_query': "SELECT 'a%d@one.example', 'x@dest.example', 999999999" % number}
            for number in range(6)])
        self.shop.compile()
        said = rcptmap.run('resolve', '-v', '-t', self.shop.table, 'a0@one.example',
                           'a5@one.example').out
        self.assertIn('%s:n0 alias 999999999\n' % self.database.TYPE, said)
        self.assertIn('%s:n5 alias\n' % self.database.TYPE, said)

    def place_of(self, address, query):
        self.use_table(query)
        self.shop.compile('--force')
        said = rcptmap.run('resolve', '-v', '-t', self.shop.table, address).out
        return said.split('\n')[1].strip()

    def test_numbers_of_rows(self):
        """The primary key of the one table that a table file of Postfix asks."""
        self.database.fill([(4711, 'a@one.example', 'x@dest.example', True)])
        place = 'a@one.example  %s:made alias' % self.database.TYPE
        where = " WHERE a.address = '%s'"
        for query in ("SELECT goto FROM alias WHERE address = '%s'",
                      'SELECT a.goto FROM alias AS a' + where,
                      "SELECT goto FROM alias WHERE address = '%u@%d' AND " + self.database.ACTIVE):
            self.assertEqual(self.place_of('a@one.example', query), place + ' 4711', query)
        for statement in ('CREATE TABLE two (a INTEGER, b INTEGER, address VARCHAR(99), '
                          'goto VARCHAR(99), PRIMARY KEY (a, b))',
                          "INSERT INTO two SELECT 1, 2, address, goto FROM alias",
                          'CREATE TABLE named (address VARCHAR(99) PRIMARY KEY, goto VARCHAR(99))',
                          'INSERT INTO named SELECT address, goto FROM alias',
                          'CREATE VIEW seen AS SELECT * FROM alias'):
            self.database.run(statement)
        for source in ('two a', 'named a', 'seen a', '(SELECT * FROM alias) a',
                       'alias a JOIN named n ON n.address = a.address'):
            query = 'SELECT a.goto FROM ' + source + where
            self.assertEqual(self.place_of('a@one.example', query), place, query)

    def test_kinds_of_tables(self):
        self.database.fill([(1, 'a@one.example', 'x', True), (2, 'one.example', 'x', True)])
        query = "SELECT 1 FROM alias WHERE address = '%s' AND id = "
        tables = [{'type': self.POSTFIX_TYPE, 'kind': kind, 'path': self.postfix.write(
            kind, **self.database.parameters(), query=query + number)}
                  for kind, number in (('mailbox', '1'), ('domain', '2'))]
        self.shop.write_configuration(sources=tables)
        self.shop.compile()
        self.assertRegex(rcptmap.run('resolve', '-t', self.shop.table, 'a@one.example',
                                     'b@one.example').out,
                         r'a@one.example\tdeliver\t.*\nb@one.example\tunknown\t')

    def test_key_by_key(self):
        rows = random_rows(SEED, 40)
        self.database.fill(rows)
        query = "SELECT goto FROM alias WHERE address = '%s' AND id > 0 LIMIT 1"
        self.use_table(query)
        self.refuses(CONFIG, r'.*made.cf: the query has GROUP BY, LIMIT, UNION or the like, so it '
                             "can't be asked for all keys at once; say in keys_query which keys")
        path = self.use_table(query, {'keys_query': 'SELECT address FROM alias'})
        said = self.shop.compile('--force')
        self.assertRegex(said, r'alias: warning: the query has GROUP BY, LIMIT, UNION or the like: '
                               r'it was asked for each of the \d+ keys of keys_query, and no '
                               r'others are known \[enumerated\]')
        keys = keys_of(rows)
        self.assertEqual(self.ours(keys), self.postfix.ask(self.POSTFIX_TYPE, path, keys))

    # ---- what is wrong ---------------------------------------------------------------------

    def test_nothing_is_published(self):
        """Whatever is wrong with one row, the installed table stays."""
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.use_members(alias_query='SELECT address, goto, id FROM alias')
        self.shop.compile()
        before = self.shop.table.read_bytes()
        kind = self.database.TYPE
        for row, pattern in (
                ((2, 'b\x01@one.example', 'x@dest.example', True),
                 r'%s:main alias 2: the key has a control character, or is not valid UTF-8' % kind),
                ((2, 'b@one.example', 'x\x7f@dest.example', True),
                 r'%s:main alias 2: the value has a control character' % kind),
                ((2, 'b@@one.example', 'x@dest.example', True), '%s:main alias 2: ' % kind),
                ((2, 'b@one.example', '|command', True), '%s:main alias 2: ' % kind)):
            self.database.fill([row])
            self.refuses(DATA, pattern)
            self.database.run('DELETE FROM alias WHERE id = 2')
        self.use_members(alias_query='SELECT address, goto FROM alias')
        self.database.fill([(2, 'b@one.example', '|command', True)])
        self.refuses(DATA, '%s:main alias b@one.example: ' % kind)
        self.assertEqual(self.shop.try_compile('--lenient', '-n').status, OK)
        self.database.run('DELETE FROM alias')
        result = self.shop.try_compile()
        self.assertNotEqual(result.status, OK, result.err)
        self.assertRegex(result.err, 'shrink|--force')
        self.assertEqual(self.shop.table.read_bytes(), before)

    def test_what_a_statement_may_be(self):
        self.use_members(alias_query='SELECT address, goto FROM nowhere')
        self.refuses(UNAVAILABLE, '%s:main alias: .*nowhere' % self.database.TYPE)
        self.use_members(alias_query='SELEC 1')
        self.refuses(UNAVAILABLE, '%s:main alias: ' % self.database.TYPE)
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.use_members(alias_query='SELECT address FROM alias')
        self.refuses(CONFIG, '%s:main alias: the query has 1 columns; it needs 2'
                     % self.database.TYPE)
        self.use_members(alias_query='DELETE FROM alias')
        self.refuses(UNAVAILABLE, '%s:main alias: ' % self.database.TYPE)
        self.assertEqual(len(self.database.run('SELECT 1 FROM alias')), 1)

    def test_members_are_judged(self):
        for members, pattern in (
                ({'alias_qeury': 'SELECT 1, 2'},
                 'alias_qeury: there is no such setting of a database'),
                ({'name': 'a b', 'alias_query': 'SELECT 1, 2'},
                 'name: may have letters, digits, - _ and .'),
                ({'timeout_seconds': 0, 'alias_query': 'SELECT 1, 2'},
                 'timeout_seconds: is no number of seconds from 1 to 86400'),
                ({'name': 'x'}, 'a database without a path needs a schema, or a query, as alias_query')):
            self.use_members(**members)
            self.refuses(CONFIG, r'.*openrcpt.conf:\d+: sources: ' + pattern)
        twice = {'type': self.database.TYPE, **self.database.connection(),
                 'alias_query': "SELECT 'a@one.example', 'x@dest.example'"}
        self.shop.write_configuration(sources=[twice, {**twice, 'name': 'main'}])
        self.refuses(CONFIG, r'.*: sources: two are called \w+:main; give one of them another name')
        self.shop.write_configuration(sources=[twice, {**twice, 'name': 'second'}])
        self.shop.compile()
        self.use_table("SELECT goto FROM alias WHERE address='%s'", {'alias_query': 'SELECT 1, 2'})
        self.refuses(CONFIG, '.*: sources: alias_query: there is no such setting beside a path')

    def test_tables_of_one_name(self):
        """Files of two folders; one of them gets a name. On the command line there is none."""
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        first = Path(self.use_table("SELECT goto FROM alias WHERE address='%s'"))
        second = first.parent / 'other' / first.name
        second.parent.mkdir(mode=0o750)
        second.write_text(first.read_text(encoding='utf-8'), encoding='utf-8')
        second.chmod(0o640)
        sources = [{'type': self.POSTFIX_TYPE, 'path': path} for path in (first, second)]
        self.shop.write_configuration(sources=sources)
        self.refuses(CONFIG, r'.*openrcpt.conf:\d+: sources: two are called \w+:made; give one of '
                     'them another name')
        self.shop.write_configuration(sources=[sources[0], {**sources[1], 'name': 'second'}])
        self.shop.compile()
        self.shop.compile('--force', '%s:%s' % (self.POSTFIX_TYPE, first))
        self.shop.write_configuration(sources=[{**sources[0], 'name': 'main'}, {
            'type': self.database.TYPE, **self.database.connection(),
            'alias_query': "SELECT 'a@one.example', 'x@dest.example'"}])
        self.refuses(CONFIG, r'.*: sources: two are called \w+:main; give one of them another name')

    def test_table_files_are_judged(self):
        query = "SELECT goto FROM alias WHERE address='%s'"
        self.use_table(query, qeury='SELECT 1')
        self.refuses(CONFIG, r'.*made.cf:\d+: unknown parameter "qeury" of a table of type ')
        self.use_table(query, result_format='%x')
        self.refuses(CONFIG, '.*made.cf: result_format: %x is none of %s %u %d')
        self.use_table(query, expansion_limit='many')
        self.refuses(CONFIG, '.*made.cf: expansion_limit: is no number')
        self.use_table(query, domain='/etc/domains')
        self.refuses(CONFIG, '.*made.cf: domain: only names are read')
        self.use_table('')
        self.refuses(CONFIG, '.*made.cf: has no query, nor all of table, select_field')

    def test_limit_of_values(self):
        self.database.fill([(number, 'a@one.example', 'x%d@dest.example' % number, True)
                            for number in range(1, 4)])
        query = "SELECT goto FROM alias WHERE address='%s'"
        self.use_table(query, expansion_limit='2')
        self.refuses(DATA, '%s:made alias a@one.example: 3 values are more than expansion_limit 2'
                     % self.database.TYPE)
        self.use_table(query, expansion_limit='3')
        self.shop.compile()

    def test_capitals_and_nothing(self):
        self.database.fill([(1, 'A@One.example', 'x@dest.example', True),
                            (2, 'b@one.example', '', True), (3, 'c@one.example', None, True)])
        self.use_table("SELECT goto FROM alias WHERE address='%s'")
        said = self.shop.compile()
        self.assertRegex(said, r'alias: warning: 1 key has capital letters, or blanks, as '
                               r'A@One.example: found here, though Postfix may never find it '
                               r'\[case\]')
        self.assertRegex(said, r'alias: warning: 1 empty value was passed over, as of '
                               r'"b@one.example" \[empty-value\]')
        self.assertEqual(self.ours(['a@one.example', 'b@one.example', 'c@one.example']),
                         {'a@one.example': ['x@dest.example']})
        self.database.fill([(4, 'a@one.example', 'y@dest.example', True)])
        self.assertRegex(self.shop.compile('--force'), r'made alias 4: warning: duplicate key '
                         r'a@one.example: the first one counts, \w+:made alias 1 \[duplicate\]')
