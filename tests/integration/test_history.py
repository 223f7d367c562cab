#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap history and rollback: which tables stay, and one of them in use again."""
import fcntl
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from daemon import Daemon
from rcptmap_test import DATA, FALSE, NO_INPUT, OK, TRY_LATER, USAGE, RcptmapTest
from table_header import with_created


def rows(target, count=3):
    """A source in which everybody leads to TARGET."""
    return 'a.example x\n' + ''.join(
        'user%d@a.example %s@dest.example\n' % (i, target) for i in range(count))


class History(RcptmapTest):
    def shop(self, *targets, settings=None):
        made = self.workshop(settings=settings)
        for target in targets:
            self.another(made, target)
        return made

    @staticmethod
    def another(shop, target):
        shop.write_source(rows(target))
        return shop.compile()

    def ask(self, shop, command, *arguments):
        return rcptmap.run(command, '-c', shop.configuration, *arguments)

    def history(self, shop):
        result = self.ask(shop, 'history', '--json')
        self.assertEqual((result.status, result.err), (OK, ''))
        return [json.loads(line) for line in result.out.splitlines()]

    def generations(self, shop):
        return [row['generation'] for row in self.history(shop)]

    def answer(self, shop):
        return shop.resolve(['user0@a.example'])[0]['recipients']

    def names(self, shop):
        return sorted(path.name for path in shop.table.parent.iterdir()
                      if not path.name.endswith(('.lock', '.warnings')))


class Kept(History):
    def test_as_many_as_the_setting_says(self):
        shop = self.shop('one', 'two', 'three', 'four', settings={'keep_tables': 2})
        self.assertEqual(self.generations(shop), [4, 3, 2])
        self.assertEqual(self.names(shop), [
            'recipients.table', 'recipients.table.2', 'recipients.table.3'])
        shop.write_configuration(keep_tables=1)
        self.another(shop, 'five')
        self.assertEqual(self.generations(shop), [5, 4])
        shop.write_configuration(keep_tables=0)
        self.another(shop, 'six')
        self.assertEqual(self.names(shop), ['recipients.table'])

    def test_what_says_the_same_is_not_kept(self):
        """A cron job may compile each minute: five tables would reach five minutes back."""
        shop = self.shop('one', 'two')
        shop.write_source('# a comment\n' + rows('two'))
        for _ in range(7):
            shop.compile()
        self.assertEqual(self.generations(shop), [9, 1])
        self.another(shop, 'three')
        self.assertEqual(self.generations(shop), [10, 9, 1])
        shop.write_configuration(recipient_delimiter='-')
        shop.compile()
        self.assertEqual(self.generations(shop), [11, 10, 9, 1])

    def test_another_pattern_says_something_else(self):
        shop = self.workshop(rows('one'))
        patterns = shop.folder / 'patterns'
        shop.write_configuration(sources=[{'type': 'virtual', 'path': shop.source},
                                          {'type': 'pcre', 'path': patterns}])
        for generation, text in enumerate((
                '/^x(\\d+)@a\\.example$/ x@dest.example\n', '/^x(\\d+)@a\\.example$/ y@dest.example\n',
                '/^x(\\d)@a\\.example$/ y@dest.example\n', '/^x(\\d)@a\\.example$/i y@dest.example\n'), 1):
            patterns.write_text(text, encoding='ascii')
            shop.compile()
            self.assertEqual(self.generations(shop), list(range(generation, 0, -1)), text)

    def test_no_file_has_two_names_and_each_is_as_it_was(self):
        shop = self.shop('one')
        shop.table.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(shop.table, 0, 12)
        before = shop.table.stat()
        content = shop.table.read_bytes()
        self.another(shop, 'two')
        kept = shop.table.with_name('recipients.table.1')
        after = kept.stat()
        for field in ('st_ino', 'st_mode', 'st_uid', 'st_gid', 'st_nlink', 'st_mtime_ns'):
            self.assertEqual(getattr(after, field), getattr(before, field), field)
        self.assertEqual(kept.read_bytes(), content)
        self.assertEqual(shop.table.stat().st_nlink, 1)

    def test_another_table_than_the_configured_one_keeps_nothing(self):
        shop = self.shop('one')
        other = shop.folder / 'etc' / 'other.table'
        for _ in range(2):
            shop.compile('-o', other)
            self.assertEqual(rcptmap.run('-c', shop.configuration, shop.source).status, OK)
        self.assertEqual(sorted(path.name for path in other.parent.glob('[!.]*.table*')),
                         ['other.table', 'virtual.table'])
        self.assertEqual(self.generations(shop), [1])

    def test_what_was_not_published_replaces_nothing(self):
        shop = self.shop('one', 'two')
        shop.write_source('a.example x\nuser@a.example no@a.example\n')
        self.assertEqual(shop.try_compile().status, DATA)
        self.assertEqual(shop.try_compile('-n').status, DATA)
        self.assertEqual(self.generations(shop), [2, 1])

    def test_generations_go_on_where_the_table_was_removed(self):
        shop = self.shop('one', 'two')
        shop.table.unlink()
        shop.compile()
        # The one that is gone was the second.
        self.assertEqual(self.generations(shop), [3, 1])
        self.another(shop, 'three')
        self.assertEqual(self.generations(shop), [4, 3, 1])

    def test_what_cant_be_kept_is_a_warning(self):
        shop = self.shop('one')
        shop.table.with_name('recipients.table.1').mkdir()
        self.assertRegex(self.another(shop, 'two'), 'warning: .*the version before this one is not kept')
        self.assertEqual(rcptmap.run('verify', '-t', shop.table).status, OK)

    def test_other_names_are_none_of_its_business(self):
        shop = self.shop('one', 'two', settings={'keep_tables': 1})
        others = ['recipients.table.0', 'recipients.table.01', 'recipients.table.x',
                  'recipients.table.1.gz', 'recipients.tables.1', 'recipients.table.']
        for name in others:
            shop.table.with_name(name).write_text('mine', encoding='ascii')
        self.another(shop, 'three')
        self.assertEqual(self.generations(shop), [3, 2])
        self.assertEqual(self.names(shop),
                         sorted(others + ['recipients.table', 'recipients.table.2']))


class Listed(History):
    def test_what_changed_in_numbers(self):
        shop = self.shop('one')
        shop.write_source(rows('one') + 'new@a.example one@dest.example\n')
        shop.compile()
        shop.write_source(rows('two', 2) + 'new@a.example one@dest.example\n')
        shop.compile()
        found = self.history(shop)
        numbers = [[row[name] for name in ('generation', 'entries', 'added', 'removed', 'changed')]
                   for row in found]
        self.assertEqual(numbers, [[3, 3, 0, 1, 2], [2, 4, 1, 0, 0], [1, 3, None, None, None]])
        self.assertEqual([row['installed'] for row in found], [True, False, False])
        self.assertEqual(found[1]['file'], '%s.2' % shop.table)
        text = self.ask(shop, 'history')
        self.assertEqual((text.status, text.err), (OK, ''))
        self.assertRegex(text.out, r'(?m)^ +3  \S+Z +3 +0 +1 +2  in use$')
        self.assertRegex(self.ask(shop, 'history', '-n').out,
                         r'(?m)^ +3  \S+Z +3 +- +- +-  in use$')

    def test_one_that_is_damaged(self):
        shop = self.shop('one', 'two', 'three')
        kept = shop.table.with_name('recipients.table.2')
        data = bytearray(kept.read_bytes())
        data[-100] ^= 1
        kept.write_bytes(data)
        result = self.ask(shop, 'history')
        self.assert_says(result, DATA, 'rcptmap: .*recipients.table.2: ')
        self.assertRegex(result.out, r"(?m)^ +2  can't be read$")
        self.assertRegex(result.out, r'(?m)^ +1  \S+Z ')
        self.assert_says(self.ask(shop, 'rollback'), DATA, 'rcptmap: .*recipients.table.2: ')
        self.assertEqual(self.answer(shop), ['three@dest.example'])

    def test_diff_against_a_generation(self):
        shop = self.shop('one', 'two', 'three')
        for operands, target in ((['@2'], 'two'), (['@1', '@3'], 'one'),
                                 (['%s.2' % shop.table, shop.table], 'two')):
            result = self.ask(shop, 'diff', *operands)
            self.assertEqual((result.status, result.err), (FALSE, ''))
            self.assertIn('! user0@a.example\t%s@dest.example -> three@dest.example\n' % target,
                          result.out)
        self.assertEqual(self.ask(shop, 'diff', '@3').status, OK)
        self.assertEqual(self.ask(shop, 'diff', '@9').status, NO_INPUT)
        self.assertEqual(self.ask(shop, 'diff', '@x').status, USAGE)

    def test_before_there_is_a_table(self):
        shop = self.workshop()
        self.assert_says(self.ask(shop, 'history'), NO_INPUT, 'rcptmap: .*recipients.table: No such')
        self.assert_says(self.ask(shop, 'rollback'), NO_INPUT,
                         'rcptmap: .*: no older table is kept')


class Rollback(History):
    def test_there_and_back(self):
        shop = self.shop('one', 'two')
        result = self.ask(shop, 'rollback')
        self.assertEqual((result.status, result.err), (OK, ''))
        self.assertEqual(result.out, '%s: generation 1 is in use again, as generation 3: 3 entries, '
                                     '1 domain; added 0, removed 0, changed 3\n' % shop.table)
        self.assertEqual(self.answer(shop), ['one@dest.example'])
        self.assertEqual([(row['generation'], row['same_as']) for row in self.history(shop)],
                         [(3, 1), (2, None), (1, None)])
        self.assertRegex(self.ask(shop, 'history').out, r'(?m)  in use  1 again$')
        self.assertEqual(rcptmap.run('verify', '-t', shop.table), (OK, '', ''))
        self.assertEqual(self.ask(shop, 'rollback').status, OK)
        self.assertEqual(self.answer(shop), ['two@dest.example'])
        self.assertEqual(self.generations(shop), [4, 3, 2, 1])
        self.another(shop, 'three')
        self.assertEqual(self.generations(shop), [5, 4, 3, 2, 1])

    def test_what_it_is_a_copy_of_outlives_that(self):
        shop = self.shop('one', 'two', settings={'keep_tables': 1})
        self.assertEqual(self.ask(shop, 'rollback').status, OK)
        self.assertEqual([(row['generation'], row['same_as']) for row in self.history(shop)],
                         [(3, 1), (2, None)])
        told = rcptmap.run('info', '-t', shop.table)
        self.assertRegex(told.out, r'(?m)^copy_of +1$')
        self.assertEqual(json.loads(rcptmap.run('info', '--json', '-t', shop.table).out)['copy_of'], 1)
        self.another(shop, 'three')
        self.assertNotIn('copy_of', rcptmap.run('info', '-t', shop.table).out)
        self.assertIsNone(
            json.loads(rcptmap.run('info', '--json', '-t', shop.table).out)['copy_of'])

    def test_it_is_as_old_as_the_rollback(self):
        shop = self.shop('one', 'two')
        kept = shop.table.with_name('recipients.table.1')
        kept.write_bytes(with_created(kept.read_bytes(), 1000000000))
        before = self.history(shop)
        self.assertEqual(self.ask(shop, 'rollback').status, OK)
        created = [row['created'] for row in self.history(shop)]
        self.assertGreaterEqual(created[0], before[0]['created'])
        self.assertEqual(created[1:], [before[0]['created'], 1000000000])

    def test_to_a_generation(self):
        shop = self.shop('one', 'two', 'three')
        self.assertEqual(self.ask(shop, 'rollback', '1').status, OK)
        self.assertEqual(self.answer(shop), ['one@dest.example'])
        self.assert_says(self.ask(shop, 'rollback', '9'), NO_INPUT,
                         'rcptmap: .*: generation 9 is not kept')
        self.assert_says(self.ask(shop, 'rollback', '4'), USAGE,
                         'rcptmap: .*: generation 4 is in use')
        for word in ('0', '-1', 'x', '1x', ''):
            self.assertEqual(self.ask(shop, 'rollback', word).status, USAGE, word)
        self.assertEqual(self.generations(shop), [4, 3, 2, 1])

    def test_one_that_is_much_smaller_wants_force(self):
        shop = self.shop('one')
        shop.write_source(rows('two', 30))
        shop.compile()
        before = shop.table.read_bytes()
        self.assert_says(self.ask(shop, 'rollback'), DATA, 'rcptmap: .*not published without --force')
        self.assertEqual(shop.table.read_bytes(), before)
        self.assertEqual(self.names(shop), ['recipients.table', 'recipients.table.1'])
        self.assertEqual(self.ask(shop, 'rollback', '--force').status, OK)

    def test_in_place_of_one_that_is_damaged(self):
        shop = self.shop('one', 'two')
        shop.table.write_bytes(b'nonsense')
        result = self.ask(shop, 'rollback')
        self.assertEqual((result.status, result.err), (OK, ''))
        self.assertEqual(self.answer(shop), ['one@dest.example'])
        self.assertEqual(self.generations(shop), [3, 1])

    def test_one_writer_at_a_time(self):
        shop = self.shop('one', 'two')
        with open(shop.table.with_name('.recipients.table.lock'), 'rb') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_says(self.ask(shop, 'rollback'), TRY_LATER,
                             'rcptmap: .*locked by another process')

    def test_a_running_daemon_takes_it(self):
        with Daemon(rows('one')) as daemon:
            daemon.replace_table(rows('two'))
            daemon.wait_for_log('generation=2')
            start = len(daemon.log_text())
            self.assertEqual(self.ask(daemon, 'rollback').status, OK)
            daemon.wait_for_log('generation=3', start)
            self.assertEqual(daemon.message(['<user0@a.example>']).added, ['<one@dest.example>'])
            self.assertNotIn('error', daemon.log_text())

    def test_the_maps_of_postfix_come_with_it(self):
        shop = self.workshop()
        maps = shop.folder / 'maps'
        shop.write_configuration(postfix_maps={'directory': maps, 'type': 'texthash'})
        for domains in ('a.example x\nb.example x\n', 'a.example x\nc.example x\n'):
            shop.write_source(domains + 'user@a.example user@dest.example\n')
            shop.compile()
        self.assertNotIn('b.example', (maps / 'alias_domains').read_text(encoding='ascii'))
        self.assertEqual(self.ask(shop, 'rollback').status, OK)
        self.assertIn('b.example', (maps / 'alias_domains').read_text(encoding='ascii'))


if __name__ == '__main__':
    harness.main('rcptmap', 'openrcptd')
