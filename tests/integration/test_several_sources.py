#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which of several sources counts: files, patterns, a SQLite and a PostgreSQL, in any order, as
with the same tables in the same order in virtual_alias_maps of a real Postfix."""
import collections
import itertools
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from databases import DOMAINS, PostfixTables, PostgresqlServer, Sqlite
from native import NOBODY, Native
from private_postfix import PrivatePostfix
from rcptmap_test import CONFIG, OK, RcptmapTest

SEED = 2026
USERS = ('u0', 'u1', 'u2', 'u3', 'u4')
LOCALS = ('',) + USERS + tuple(user + '+x' for user in USERS)
KEYS = ['%s@%s' % pair for pair in itertools.product(LOCALS, DOMAINS)]
PATTERNS = '''\
/^u1@/                    pattern1@patterns.example
/^u2.*@one\\.example$/     pattern2@patterns.example
/^.*@three\\.example$/     pattern3@patterns.example
'''

Source = collections.namedtuple('Source', 'name rows table source')


class SeveralSources(RcptmapTest):
    @classmethod
    def setUpClass(cls):
        cls.server = PostgresqlServer().start()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.shop = self.workshop()
        self.folder = self.shop.folder / 'etc'
        self.tables = PostfixTables(self.shop.folder.path)

    def put(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding='ascii')
        path.chmod(0o644)
        return path

    # ---- one source of each kind -----------------------------------------------------------

    def rows(self, name, chosen):
        """Of the keys each has some; a target tells whose it is."""
        return [(key, '%s@%s.example' % (key.split('@')[0].replace('+', '-') or 'all', name))
                for key in KEYS if chosen.random() < (0.3 if key[0] == '@' else 0.5)]

    def from_file(self, name, chosen):
        rows = self.rows(name, chosen)
        path = self.put(name, ''.join('%s %s\n' % row for row in rows))
        return Source(name, rows, 'texthash:%s' % path, {'type': 'virtual', 'path': path})

    def from_database(self, kind, database, name, chosen):
        rows = self.rows(name, chosen)
        database.fill([(number, *row, True) for number, row in enumerate(rows, 1)])
        path = self.tables.write(name, **database.parameters(),
                                 query="SELECT goto FROM alias WHERE address = '%s'")
        return Source(name, rows, '%s:%s' % (kind, path), {'type': kind, 'path': path})

    def from_patterns(self):
        path = self.put('patterns', PATTERNS)
        return Source('patterns', [], 'regexp:%s' % path, {'type': 'regexp', 'path': path})

    def all_sources(self):
        chosen = random.Random(SEED)
        return [self.from_file('file', chosen),
                self.from_database('sqlite', Sqlite(self.shop.folder), 'lite', chosen),
                self.from_patterns(),
                self.from_database('pgsql', self.server.database(), 'pg', chosen)]

    # ---- who counts ------------------------------------------------------------------------

    def test_as_postfix_in_each_order(self):
        orders = list(itertools.permutations(self.all_sources()))
        asked = KEYS[len(DOMAINS):] + ['%s+y@%s' % pair for pair in
                                       itertools.product(USERS + ('nobody',), DOMAINS)]
        postfix = PrivatePostfix()
        self.addCleanup(postfix.close)
        tenants = [postfix.add_tenant('order%d' % number, {
            'virtual_alias_maps': ', '.join(source.table for source in order),
            'virtual_alias_domains': ' '.join(DOMAINS), 'recipient_delimiter': '+',
            'virtual_mailbox_domains': '', 'virtual_mailbox_maps': NOBODY,
            'myorigin': 'origin.example', 'duplicate_filter_limit': '0'})
                   for number, order in enumerate(orders)]
        seen = collections.defaultdict(set)
        with postfix:
            for order, tenant in zip(orders, tenants):
                names = ' '.join(source.name for source in order)
                theirs = Native(postfix, tenant).ask(['<%s>' % name for name in asked])
                self.shop.write_configuration(
                    alias_domains=list(DOMAINS), recipient_delimiter='+',
                    sources=[source.source for source in order])
                self.shop.compile('--force')
                for name, mine, other in zip(asked, self.shop.resolve(asked), theirs):
                    with self.subTest('%s: %s' % (names, name)):
                        self.assertEqual(mine.get('recipients', []), other.recipients)
                        self.assertEqual(mine['verdict'] == 'unknown', other.reply is not None)
                    seen[name].add(str(other))
        # The order matters, or nothing would be shown.
        self.assertGreater(sum(len(others) > 1 for others in seen.values()), len(asked) // 3)

    def test_it_is_told_where_an_answer_comes_from(self):
        """And where there is another one, that this is not the one that counts."""
        sources = [source for source in self.all_sources() if source.rows]
        places = {'file': r'file:\d+', 'lite': r'sqlite:lite alias \d+',
                  'pg': r'postgresql:pg alias \d+'}
        for order in itertools.permutations(sources):
            self.shop.write_configuration(alias_domains=list(DOMAINS), recipient_delimiter='+',
                                          sources=[source.source for source in order])
            said = self.shop.compile('--force', '-v')
            conflicts = []
            first = {}
            for source in order:
                for key, _ in source.rows:
                    if key in first:
                        conflicts.append((key, source.name, first[key]))
                    first.setdefault(key, source.name)
            for key, passed_over, counts in conflicts:
                self.assertRegex(said, r'(?m)^(.*/)?%s: warning: conflicting key %s: the first source '
                                       r'counts, (.*/)?%s \[conflict\]$' % (
                                           places[passed_over], re.escape(key), places[counts]))
            self.assertEqual(said.count('[conflict]'), len(conflicts))
            self.assertNotIn('[duplicate]', said)
            keys = [key for key in first if key[0] != '@']
            told = rcptmap.run('resolve', '-v', '-t', self.shop.table, *keys).out
            for key in keys:
                self.assertRegex(told, r'(?m)^\t%s  %s$' % (re.escape(key), places[first[key]]))

    def test_keys_that_a_pattern_goes_before(self):
        """Counted, the first of them told; but not where both say the same."""
        keys = self.put('keys', 'u0@one.example u0@Dest.example\nu1+x@one.example u@dest.example\n'
                                'u2@one.example u@dest.example\n@one.example all@dest.example\n'
                                'u3@three.example u@dest.example\n')
        patterns = {'type': 'regexp', 'path': self.put(
            'patterns', '/^(.*)@one\\.example$/  $1@dest.example\n')}
        file = {'type': 'virtual', 'path': keys}
        self.shop.write_configuration(alias_domains=list(DOMAINS), sources=[patterns, file])
        self.assertRegex(self.shop.compile(), r'(?m)^%s:2: warning: conflicting key '
                         r'u1\+x@one.example: a pattern of an earlier source counts, patterns:1 '
                         r'\(and so it is with 1 more\) \[conflict\]$' % keys)
        self.shop.write_configuration(sources=[file, patterns])
        self.assertNotIn('conflict', self.shop.compile('-v'))
        self.put('keys', 'u0@one.example u0@dest.example\nu1@one.example y@dest.example\n')
        self.shop.write_configuration(sources=[patterns, file])
        self.assertRegex(self.shop.compile('--force'), r'(?m)^%s:2: warning: conflicting key '
                         r'u1@one.example: a pattern of an earlier source counts, patterns:1 '
                         r'\[conflict\]$' % keys)

    def test_equal_rows_are_nobodys_mistake(self):
        rows = 'u0@one.example a@dest.example, b@dest.example\n@two.example c@dest.example\n'
        database = Sqlite(self.shop.folder)
        database.fill([(1, 'u0@one.example', 'a@dest.example, b@dest.example', True),
                       (2, '@two.example', 'c@dest.example', True)])
        path = self.tables.write('lite', **database.parameters(),
                                 query="SELECT goto FROM alias WHERE address = '%s'")
        self.shop.write_configuration(
            alias_domains=list(DOMAINS),
            sources=[{'type': 'virtual', 'path': self.put('file', rows)},
                     {'type': 'sqlite', 'path': path},
                     {'type': 'virtual', 'path': self.put('again', rows)}])
        said = self.shop.compile()
        self.assertNotIn('[conflict]', said)
        self.assertNotIn('[duplicate]', said)
        self.put('again', rows.replace('b@dest', 'z@dest') + 'u0@one.example y@dest.example\n')
        said = self.shop.compile()
        self.assertRegex(said, r'(?m)^.*/again:1: warning: conflicting key u0@one.example: '
                               r'the first source counts, .*/file:1 \[conflict\]$')
        self.assertEqual(said.count('[conflict]'), 2)
        self.assertNotIn('conflict', self.shop.compile('-W', 'no-conflict'))

    def test_a_source_of_conf_d_comes_behind(self):
        """Its rows count where nobody else has one, and a mistake in it has its place."""
        database = Sqlite(self.shop.folder)
        database.fill([(7, 'u0@one.example', 'lite@dest.example', True),
                       (8, 'u1@one.example', 'lite@dest.example', True)])
        (self.folder / 'conf.d').mkdir(0o755)
        self.shop.write_configuration(alias_domains=['one.example'])
        self.shop.write_source('u0@one.example file@dest.example\n')
        source = {'type': 'sqlite', 'name': 'panel', **database.connection(),
                  'alias_query': 'SELECT address, goto, id FROM alias'}
        part = self.put('conf.d/50-panel.conf', rcptmap.libconfig_text({'sources': [source]}))
        said = self.shop.compile()
        self.assertRegex(said, r'(?m)^sqlite:panel alias 7: warning: conflicting key u0@one.example: '
                               r'the first source counts, .*/virtual:1 \[conflict\]$')
        told = rcptmap.run('resolve', '-v', '-t', self.shop.table, 'u0@one.example',
                           'u1@one.example').out
        self.assertIn('u0@one.example  virtual:1\n', told)
        self.assertIn('u1@one.example  sqlite:panel alias 8\n', told)
        said = rcptmap.run('config', '-c', self.shop.configuration, '-n').out
        self.assertRegex(said, r'(?m)^    # %s:1$' % re.escape(str(part)))
        for wrong, text in (({'nmae': 'x'}, 'nmae: there is no such setting of a database'),
                            ({'alias_query': ''}, 'a database without a path needs a schema, or')):
            self.put('conf.d/50-panel.conf', '\n\n' + rcptmap.libconfig_text(
                {'sources': [{**source, **wrong}]}))
            self.assert_says(self.shop.try_compile(), CONFIG,
                             r'%s:3: sources: %s' % (re.escape(str(part)), text))
        part.unlink()
        self.assertEqual(self.shop.try_compile('--force').status, OK)


if __name__ == '__main__':
    harness.main('rcptmap')
