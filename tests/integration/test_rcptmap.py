#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap(1) with a table: damage, questions, usage, and as postmap is used."""
import json
import os
import pathlib
import re
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from rcptmap_test import (DATA, FALSE, GOOD, NO_INPUT, NO_PERMISSION, OK, USAGE, RcptmapTest)


class Damage(RcptmapTest):
    def readers(self, table):
        return [rcptmap.run(*words, '-t', table, *rest) for words, rest in (
            (['verify'], []), (['query'], ['ann@alias.example']),
            (['resolve'], ['ann@alias.example']), (['info'], []), (['dump'], []))]

    def damaged(self, change):
        shop = self.workshop()
        shop.compile()
        data = bytearray(shop.table.read_bytes())
        changed = change(data)
        shop.table.write_bytes(data if changed is None else changed)
        return shop

    def test_a_flipped_byte_anywhere(self):
        size = self.damaged(lambda data: None).table.stat().st_size
        for place in list(range(0, 300, 7)) + list(range(300, size, size // 40)) + [size - 1]:
            def flip(data, place=place):
                data[place] ^= 0x20
            shop = self.damaged(flip)
            result = rcptmap.run('verify', '-t', shop.table)
            self.assertEqual(result.status, DATA, 'byte %d: %s' % (place, result.err))
            shop.close()

    def test_a_file_cut_short(self):
        for size in (0, 1, 8, 4095, 4096, 4097, 5000):
            shop = self.damaged(lambda data, size=size: data[:size])
            for result in self.readers(shop.table):
                self.assert_says(result, DATA, '.*' + re.escape(str(shop.table)))

    def test_a_file_that_grew(self):
        shop = self.damaged(lambda data: data + b'\0' * 64)
        for result in self.readers(shop.table):
            self.assertEqual(result.status, DATA)

    def test_something_else_altogether(self):
        shop = self.damaged(lambda data: b'#!/bin/sh\necho hello\n' * 500)
        for result in self.readers(shop.table):
            self.assertEqual(result.status, DATA)

    def test_a_newer_version_is_called_so(self):
        shop = self.damaged(lambda data: struct.pack_into('<I', data, 8, 77))
        for result in self.readers(shop.table):
            self.assert_says(result, DATA, '.*version.*77')

    def test_a_damaged_table_can_be_replaced(self):
        shop = self.damaged(lambda data: data[:5000])
        shop.try_compile('--force')
        self.assertEqual(rcptmap.run('verify', '-t', shop.table).status, OK)

    def test_others_may_write_it(self):
        shop = self.workshop()
        shop.compile()
        for mode in (0o666, 0o646, 0o660):
            shop.table.chmod(mode)
            for result in self.readers(shop.table):
                self.assertEqual(result.status, NO_PERMISSION, oct(mode))

    def test_a_link_is_not_followed(self):
        shop = self.workshop()
        shop.compile()
        link = shop.folder / 'lib' / 'link.table'
        link.symlink_to(shop.table)
        for result in self.readers(link):
            self.assertNotEqual(result.status, OK)

    def test_no_table(self):
        for result in self.readers('/nowhere/x.table'):
            self.assertEqual(result.status, NO_INPUT)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can give a file away')
    def test_a_table_of_somebody_else(self):
        shop = self.workshop()
        shop.compile()
        os.chown(shop.table, 12345, 12345)
        for result in self.readers(shop.table):
            self.assertEqual(result.status, NO_PERMISSION)


class Questions(RcptmapTest):
    def setUp(self):
        self.shop = self.workshop(GOOD + '"q x"@alias.example "t y"@dest.example\n'
                                  '@far.example @near.example\n')
        self.shop.compile()

    def ask(self, command, *words, text=None):
        return rcptmap.run(command, '-c', self.shop.configuration, *words, text=text)

    def test_query(self):
        self.assertEqual(self.ask('query', 'ANN@alias.example'), (OK, 'ann@dest.example\n', ''))
        self.assertEqual(self.ask('query', '@far.example'), (OK, '@near.example\n', ''))
        self.assertEqual(self.ask('query', '"q x"@alias.example').out, '"t y"@dest.example\n')
        self.assertEqual(self.ask('query', 'nobody@alias.example'), (FALSE, '', ''))

    def test_query_of_many(self):
        result = self.ask('query', '-', text='ann@alias.example\nnobody@x.example\n'
                          'bob@alias.example\n')
        self.assertEqual((result.status, result.out), (
            OK, 'ann@alias.example\tann@dest.example\nbob@alias.example\tbob@dest.example\n'))
        self.assertEqual(self.ask('query', '-', text='nobody@x.example\n').status, FALSE)

    def test_resolve(self):
        result = self.ask('resolve', 'ann+x@alias.example', 'x@else.example', 'u@far.example')
        self.assertEqual((result.status, result.out), (
            OK, 'ann+x@alias.example\texpand\tann+x@dest.example\n'
            'x@else.example\tforeign\tx@else.example\nu@far.example\texpand\tu@near.example\n'))

    def test_resolve_tells_by_its_status(self):
        unknown = self.ask('resolve', 'ann@alias.example', 'nobody@alias.example')
        self.assertEqual(unknown.status, FALSE)
        self.assertIn('nobody@alias.example\tunknown\t550 5.1.1 <nobody@alias.example>: Recipient'
                      ' address rejected: User unknown in virtual alias table\n', unknown.out)

    def test_resolve_as_json_with_steps(self):
        result = self.ask('resolve', '--json', '-v', 'team+x@alias.example')
        answer = json.loads(result.out)
        self.assertEqual(sorted(answer),
                         ['address', 'reason', 'recipients', 'reply', 'steps', 'verdict'])
        self.assertIsNone(answer['reason'])
        self.assertEqual((answer['verdict'], answer['reply']), ('expand', None))
        found = {step['key']: step['source'] for step in answer['steps'] if step['found']}
        self.assertEqual(found.get('team@alias.example'), 'virtual:4')
        self.assertEqual(found.get('ann@alias.example'), 'virtual:2')

    def test_resolve_of_ten_thousand(self):
        asked = ['ann+%d@alias.example' % number for number in range(10000)]
        answers = self.shop.resolve(asked)
        self.assertEqual([answer['address'] for answer in answers], asked)
        self.assertEqual(answers[4711]['recipients'], ['ann+4711@dest.example'])

    def test_a_dump_compiles_to_the_same_table(self):
        dump = self.ask('dump')
        copy, table = self.shop.folder / 'copy', self.shop.folder / 'lib' / 'copy.table'
        copy.write_text(dump.out)
        self.assertEqual(self.shop.try_compile('-o', table, copy).status, OK)
        self.assertEqual(rcptmap.run('diff', self.shop.table, table), (OK, '', ''))
        self.assertEqual(rcptmap.run('dump', '-t', table).out, dump.out)

    def test_diff(self):
        table = self.shop.folder / 'lib' / 'other.table'
        other = self.shop.folder / 'other'
        other.write_text(GOOD.replace('bob@dest', 'robert@dest').replace('ann@alias.example ',
                                                                       'anna@alias.example ', 1)
                         .replace('ann@alias.example,', ''))
        self.assertEqual(self.shop.try_compile('-o', table, other).status, OK)
        result = rcptmap.run('diff', self.shop.table, table)
        self.assertEqual(result.status, FALSE)
        for address in ('ann@alias.example', 'anna@alias.example', 'bob@alias.example',
                        'team@alias.example'):
            self.assertIn(address, result.out)

    def test_verify(self):
        self.assertEqual(self.ask('verify').status, OK)


class Usage(RcptmapTest):
    def test_bad_usage_is_one_line_and_64(self):
        for words in (['frobnicate'], ['compile', '--frob'], ['query'], ['resolve'],
                      ['diff'], ['config', 'x'], ['config', '-n', 'table'], ['resolve', '-c'],
                      ['query', '-t', '/x'], []):
            with self.subTest(words):
                result = rcptmap.run(*words)
                self.assertEqual((result.status, result.out), (USAGE, ''), result.err)
                self.assertEqual(result.err.count('\n'), 1, result.err)

    def test_did_you_mean(self):
        for words, meant in ((['reslove'], 'resolve'), (['help', 'complie'], 'compile'),
                             (['-c', '/x', 'verfy'], 'verify')):
            result = rcptmap.run(*words)
            self.assert_says(result, USAGE, 'rcptmap: .* did you mean %s\\?$' % meant)
        self.assertNotIn('mean', rcptmap.run('frobnicate').err)

    def test_config_of_one_name_is_its_value_alone(self):
        shop = self.workshop()
        shop.write_configuration(local_domains=['a.example', 'b.example'])

        def config(*words):
            return rcptmap.run('config', '-c', shop.configuration, *words)
        self.assertEqual(config('table'), (OK, '%s\n' % shop.table, ''))
        self.assertEqual(config('local_domains').out, 'a.example\nb.example\n')
        self.assertEqual(config('sources').out, 'virtual:%s\n' % shop.source)
        self.assertEqual(config('limits.expansion', 'propagate_extension').out, '1000\ntrue\n')
        self.assertEqual(config('-d', 'local_domains').out, '')
        self.assert_says(config('limits.expantion'), USAGE, '.* did you mean limits.expansion\\?$')
        names = re.findall(r'^(\w+) =(?! {)', config().out, re.M)
        for name in names:
            self.assertEqual(config(name).status, OK, name)

    def test_every_command_has_help_and_a_version(self):
        commands = re.findall(r'^  rcptmap ([a-z-]+)', rcptmap.run('help').out, re.M)
        self.assertGreater(len(commands), 9)
        for command in commands:
            self.assertRegex(rcptmap.run(command, '--help').out, '^usage: rcptmap %s' % command)
            self.assertEqual(rcptmap.run('-h', command), rcptmap.run(command, '--help'))
            self.assertEqual(rcptmap.run(command, '--version'), rcptmap.run('version'))
            self.assertEqual(rcptmap.run('help', command), rcptmap.run(command, '-h'))

    def test_options_may_stand_before_the_command(self):
        shop = self.workshop(GOOD + 'postmaster@alias.example ann@alias.example\n')
        self.assertEqual(rcptmap.run('-c', shop.configuration, 'compile'), (OK, '', ''))
        self.assertTrue(shop.table.exists())
        self.assertEqual(rcptmap.run('-t', shop.table, 'query', 'ann@alias.example').out,
                         'ann@dest.example\n')

    def test_help_and_version_are_commands(self):
        self.assertEqual(rcptmap.run('version'), rcptmap.run('--version'))
        self.assertEqual(rcptmap.run('help'), rcptmap.run('--help'))
        self.assertEqual(rcptmap.run('help', 'compile'), rcptmap.run('compile', '--help'))

    def test_version_and_help(self):
        self.assertRegex(rcptmap.run('--version').out, r'^rcptmap \d+\.\d+')
        self.assertEqual(rcptmap.run('--help').status, OK)


class AsPostmap(RcptmapTest):
    def setUp(self):
        self.shop = self.workshop()

    def run_here(self, *words, **more):
        return rcptmap.run('-c', self.shop.configuration, *words, cwd=self.shop.source.parent,
                           **more)

    def test_compile_beside_the_source(self):
        self.assert_says(self.run_here('virtual'), OK)
        self.assertTrue(self.shop.source.with_name('virtual.table').is_file())
        self.assertFalse(self.shop.table.exists())

    def test_it_says_where_the_table_went(self):
        said = self.run_here('virtual').err
        self.assertRegex(said, r'^rcptmap: made virtual\.table; openrcptd reads %s, .*'
                         r'`rcptmap compile`.*\n$' % re.escape(str(self.shop.table)))
        self.assertEqual(self.run_here('-n', 'virtual').err, '')
        self.shop.write_configuration(table=self.shop.source.with_name('virtual.table'))
        self.assertEqual(self.run_here('virtual').err, '')

    def test_query(self):
        self.run_here('virtual')
        self.assertEqual(self.run_here('-q', 'ann@alias.example', 'virtual'),
                         (OK, 'ann@dest.example\n', ''))
        self.assertEqual(self.run_here('-q', 'nobody@alias.example', 'virtual').status, FALSE)
        self.assertEqual(self.run_here('-q', '-', 'virtual', text='bob@alias.example\n').out,
                         'bob@alias.example\tbob@dest.example\n')

    def test_a_mistake_names_file_and_line_as_typed(self):
        self.shop.write_source(GOOD + 'onecolumn\n')
        self.assert_says(self.run_here('virtual'), DATA, 'virtual:5: ')


if __name__ == '__main__':
    harness.main('rcptmap')
