#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What rcptmap compile warns of: by class, as errors, in silence, and only once."""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from rcptmap_test import DATA, GOOD, OK, USAGE, RcptmapTest

QUIET = GOOD + 'postmaster@alias.example ann@alias.example\n'
DUPLICATE = 'ann@alias.example zoe@dest.example\n'
CATCH_ALL = '@alias.example zoe@dest.example\n'


class Classes(RcptmapTest):
    # A table that makes a warning of the class, or (table, settings, options).
    CLASSES = {
        'aliases-file': (QUIET + 'ann: zoe@dest.example\n', {}, ['--lenient']),
        'ambiguous': QUIET + 'jane.doe jdoe\n',
        'catch-all': QUIET + CATCH_ALL,
        'dangling': (QUIET + 'x@alias.example nobody@alias.example\n', {}, ['--lenient']),
        'duplicate': QUIET + DUPLICATE,
        'extension': ([('virtusertable', 'ann@v.example zoe@dest.example\n')], {}, []),
        'left-to-mta': ([('aliases', 'ann: |/bin/cat\npostmaster: x@dest.example\n')],
                        {'foreign_targets': 'skip', 'local_domains': ['l.example']}, []),
        'lenient': (QUIET + 'onecolumn\n', {}, ['--lenient']),
        'local-domain': (QUIET, {'local_domains': ['alias.example']}, []),
        'mailboxes': (QUIET, {'mailbox_domains': ['mail.example']}, []),
        'postmaster': GOOD,
        'smtputf8': QUIET + 'x@alias.example j\u00f6rg@dest.example\n',
        'unclosed-if': ([('pcre', 'if /x@y/\n/^x@y$/ z@dest.example\n')], {}, []),
        'undeclared': QUIET + 'x@other.example y@dest.example\n',
        'unseen': QUIET + 'x@alias.example a\u200db@dest.example\n',
    }

    def shop_of(self, what):
        table, settings, options = what if isinstance(what, tuple) else (what, {}, [])
        return self.workshop(table, settings), options

    def test_each_has_its_name_and_can_be_switched_off(self):
        for name, what in self.CLASSES.items():
            with self.subTest(name):
                shop, options = self.shop_of(what)
                said = shop.try_compile('-n', *options)
                line = r'(?m)^.*: warning: .* \[%s\]$' % name
                self.assertEqual(said.status, OK, said.err)
                self.assertRegex(said.err, line)
                without = shop.try_compile('-n', '-W', 'no-' + name, *options)
                self.assertEqual(without.err, re.sub(line + '\n', '', said.err))

    def test_each_is_described(self):
        page = (harness.SOURCE / 'doc' / 'rcptmap.1').read_text()
        names = re.findall(r'(?m)^WARNING\(\w+, "([a-z0-9-]+)"', (
            harness.SOURCE / 'src' / 'sources' / 'warnings.def').read_text())
        self.assertGreater(len(names), 15)
        described = re.search(r'(?s)\.It Fl W Cm no- Ns Ar name.*?\n\.El', page).group()
        self.assertEqual(re.findall(r'(?m)^\.It Li ([a-z0-9-]+)$', described), names)

    def test_a_misspelt_one(self):
        shop = self.workshop(QUIET)
        self.assert_says(shop.try_compile('-W', 'no-catchall'), USAGE,
                         'rcptmap: .* did you mean no-catch-all\\?$')
        self.assert_says(shop.try_compile('-W', 'eror'), USAGE, 'rcptmap: -W eror: ')


class AsErrors(RcptmapTest):
    def test_a_warning_keeps_the_old_table(self):
        shop = self.workshop(QUIET)
        self.assertEqual(shop.try_compile('-W', 'error'), (OK, '', ''))
        before = shop.table.read_bytes()
        shop.write_source(QUIET + DUPLICATE)
        for options in ([], ['-n'], ['--no-proof'], ['-n', '--no-proof']):
            said = shop.try_compile('-W', 'error', *options)
            self.assert_says(said, DATA, r'.*: warning: duplicate key .* \[duplicate\]$',
                             r'rcptmap: 1 warning is taken for an error \(-W error\)$')
            self.assertEqual(shop.table.read_bytes(), before)
        self.assertEqual(shop.try_compile('-W', 'error', '-W', 'no-duplicate'), (OK, '', ''))

    def test_a_known_one_is_an_error_and_shown(self):
        shop = self.workshop(QUIET + DUPLICATE)
        shop.compile()
        self.assert_says(shop.try_compile('-W', 'error'), DATA, '.*: warning: duplicate key')

    def test_the_maps_of_postfix_are_not_written(self):
        shop = self.workshop(QUIET + DUPLICATE)
        maps = shop.folder / 'maps'
        maps.mkdir(mode=0o755)
        shop.write_configuration(postfix_maps={'directory': maps})
        self.assertEqual(shop.try_compile('-W', 'error').status, DATA)
        self.assertEqual(list(maps.iterdir()), [])


class Silence(RcptmapTest):
    def test_only_errors_are_told(self):
        shop = self.workshop(QUIET + DUPLICATE)
        self.assertEqual(shop.try_compile('-q'), (OK, '', ''))
        self.assertEqual(shop.try_compile('--quiet', '-n'), (OK, '', ''))
        self.assertEqual(shop.try_compile('-q', '-W', 'error'),
                         (DATA, '', 'rcptmap: 1 warning is taken for an error (-W error)\n'))
        shop.write_source(QUIET + DUPLICATE + 'onecolumn\n')
        said = shop.try_compile('-q')
        self.assertEqual(said.status, DATA)
        self.assertNotIn('warning', said.err)
        self.assertIn(':7: ', said.err)

    def test_what_was_not_told_is_told_later(self):
        shop = self.workshop(QUIET + DUPLICATE)
        shop.compile('-q')
        self.assertIn('[duplicate]', shop.compile())


class Known(RcptmapTest):
    SUMMED_UP = 'rcptmap: 1 known warning; -v shows it\n'

    def setUp(self):
        self.shop = self.workshop(QUIET + CATCH_ALL)
        self.first = self.shop.compile()
        self.assertRegex(self.first, r'^.*: warning: catch-all: .* \[catch-all\]\n$')

    def test_it_is_told_once(self):
        for options in (['-n'], [], ['-n'], []):
            self.assertEqual(self.shop.compile(*options), self.SUMMED_UP)
        self.assertEqual(self.shop.compile('-n', '-v').splitlines()[:1], self.first.splitlines())

    def test_a_new_one_is_told(self):
        self.shop.write_source('# moved\n' + QUIET + CATCH_ALL + DUPLICATE)
        said = self.shop.compile()
        self.assertRegex(said, r'^.*:8: warning: duplicate key .* \[duplicate\]\n%s$'
                         % self.SUMMED_UP)
        self.assertEqual(self.shop.compile(), self.SUMMED_UP.replace('1 known warning', (
            '2 known warnings')).replace('it\n', 'them\n'))

    def test_one_that_comes_back_is_told(self):
        self.shop.write_source(QUIET)
        self.assertEqual(self.shop.compile(), '')
        self.shop.write_source(QUIET + CATCH_ALL)
        self.assertEqual(self.shop.compile(), self.first)

    def test_a_failure_makes_nothing_known(self):
        self.shop.write_source(QUIET + CATCH_ALL + DUPLICATE + 'onecolumn\n')
        self.assertEqual(self.shop.try_compile().status, DATA)
        self.shop.write_source(QUIET + CATCH_ALL + DUPLICATE)
        self.assertIn('[duplicate]', self.shop.try_compile('-n').err)
        self.assertIn('[duplicate]', self.shop.compile())

    def test_beside_another_table_nothing_is_known(self):
        copy = self.shop.table.read_bytes()
        self.shop.write_source(QUIET)
        self.shop.compile()
        beside = self.shop.table.with_name(self.shop.table.name + '.warnings')
        self.assertFalse(beside.exists())
        self.shop.write_source(QUIET + CATCH_ALL)
        self.shop.compile()
        self.assertTrue(beside.exists())
        self.shop.table.write_bytes(copy)
        self.assertEqual(self.shop.compile(), self.first)
        beside.unlink()
        self.assertEqual(self.shop.compile(), self.first)

    def test_only_for_the_configured_table(self):
        other = self.shop.folder / 'lib' / 'other.table'
        for _ in range(2):
            self.assertEqual(self.shop.compile('-o', other), self.first)
        self.assertEqual(list(other.parent.glob('other.table.w*')), [])

    def test_the_table_is_what_it_would_be(self):
        self.shop.compile()
        facts = json.loads(rcptmap.run('info', '--json', '-t', self.shop.table).out)
        self.assertEqual(facts['generation'], 2)
        self.assertEqual(rcptmap.run('verify', '-t', self.shop.table).status, OK)


if __name__ == '__main__':
    harness.main('rcptmap')
