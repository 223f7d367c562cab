#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap compile refuses what people really have in their files, and says what to write instead."""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from rcptmap_test import DATA, CONFIG, OK, RcptmapTest

HEAD = 'alias.example  x\n'
POSTMASTER = 'postmaster@alias.example ann@dest.example\n'
PCRE_ROW = '/^x@alias\\.example$/  ann@dest.example\n'

# what the line says (None: the first), and what the message on it must say
VIRTUAL = (
    ('null@alias.example  /dev/null', r'a file is.*discard:'),
    ('a@alias.example  /var/mail/a', r'a file is.*aliases\(5\)'),
    ('a@alias.example  |/bin/cmd', r'a command is.*aliases\(5\)'),
    ('a@alias.example  "|/bin/cmd -x"', r'a command is.*aliases\(5\)'),
    ('a@alias.example  :include:/etc/list', r'include.*aliases'),
    ('list@alias.example  lmtp:[127.0.0.1]:8024', r'a transport.*transport_maps'),
    ('list@alias.example  lmtp:unix:/run/lmtp', r'a transport.*transport_maps'),
    ('list@alias.example  smtp:host.example', r'a transport.*transport_maps'),
    ('list@alias.example  dovecot:', r'a transport.*transport_maps'),
    ('a@alias.example  :fail: no such user', r'write error:'),
    ('a@alias.example  :fail:no such user', r'write error:'),
    ('a@alias.example  :unknown:', r'write error:'),
    ('a@alias.example  :blackhole:', r'write discard:'),
    ('a@alias.example  :defer: later', r'write error:450'),
    ('a@alias.example  b@dest.example, error:550 no', r'error:.*alone'),
    ('a@alias.example  discard: b@dest.example, discard:', None),
    ('a@alias.example  b@dest.example, discard:', r'discard:.*alone'),
    ('a@alias.example  mailto:b@dest.example', r'without.*mailto:'),
    ('a@alias.example  b@dest.example; c@dest.example', r'comma.*semicolon'),
    ('a@alias.example  b@dest.example;c@dest.example', r'comma.*semicolon'),
    ('a@alias.example  b;c', r'comma.*semicolon'),
    (PCRE_ROW, r'looks like a pattern.*"regexp" or "pcre"'),
    ('/alias.example/  a@dest.example', r'looks like a pattern'),
    ('/alias.example/i  x', r'looks like a pattern'),
    ('!/alias.example/  x', r'looks like a pattern'),
    ('if /alias.example/', r'looks like a pattern'),
    ('endif', r'looks like a pattern'),
    ('/alias.example/', r'looks like a pattern'),
    ('other.example', r'expected: key whitespace value.*declare.*other\.example x'),
    ('root:ann@far.example', r'expected: key whitespace value.*aliases file'),
    ('ann@alias.example', r'expected: key whitespace value$'),
    ('ann@alias.example\u00a0ann@far.example', r'expected: key whitespace value.*U\+00A0'),
    ('ann@alias.example\u3000ann@far.example', r'expected: key whitespace value.*U\+3000'),
    ('ann@alias.example, ann@far.example', None),
)

PCRE = (
    ('ann@alias.example  ann@dest.example', r'expected: /pattern/ value.*"virtual"'),
    ('@alias.example  ann@dest.example', r'"virtual"'),
    ('alias.example  x', r'expected: /pattern/ value.*"virtual"'),
    ('if /x/\n  /y/ ann@dest.example\nendif', r'text behind.*indented'),
    ('if /x/\nendif\n  /y/ ann@dest.example', r'text behind.*indented'),
)

REGEXP = (
    (r'/^(.*?)@alias\.example$/  $1@dest.example', r'"pcre"'),
    (r'/^(?:a|b)@alias\.example$/  x@dest.example', r'"pcre"'),
    (r'/^(?!a)b@alias\.example$/  x@dest.example', r'"pcre"'),
    (r'/^a++@alias\.example$/  x@dest.example', r'"pcre"'),
)

ALIASES = (
    ('ann  ann@far.example', r'expected: name: value.*"virtual"'),
    ('ann@alias.example  ann@far.example', r'expected: name: value.*"virtual"'),
)

LISTS = (
    ('alias.example a@b.example', r'should the type be "virtual"'),
)


class Rows(RcptmapTest):
    def say(self, kind, text, settings=None):
        made = [('virtual', HEAD), (kind, text + '\n')]
        shop = self.workshop(made, settings)
        return shop, shop.try_compile('-n')

    def check(self, kind, rows):
        for text, pattern in rows:
            with self.subTest(kind=kind, text=text):
                shop, result = self.say(kind, text)
                if pattern is not None:
                    place = '%s/etc/source1:' % shop.folder
                    self.assert_says(result, DATA, place + '[0-9]+: .*' + pattern)

    def test_virtual(self):
        self.check('virtual', VIRTUAL)

    def test_pcre(self):
        self.check('pcre', PCRE)

    def test_regexp(self):
        self.check('regexp', REGEXP)

    def test_aliases(self):
        self.check('aliases', ALIASES)

    def test_domains(self):
        self.check('domains', LISTS)

    def test_an_x400_key_is_no_pattern(self):
        _, result = self.say('virtual', '/C=de/S=ann/@alias.example  ann@dest.example\n' +
                             POSTMASTER)
        self.assertEqual(result, (OK, '', ''))

    def test_a_target_in_a_mailbox_domain(self):
        _, result = self.say('virtual', 'a@alias.example  bob@box.example',
                             {'mailbox_domains': ['box.example']})
        self.assert_says(result, DATA, '.*source1:1: target bob@box.example could only bounce: no '
                         'key of ours delivers it; .*map it to itself.*recipients')

    def test_a_limit_is_named_with_its_number(self):
        text = 'a@alias.example ' + ', '.join('x%d@dest.example' % i for i in range(20))
        _, result = self.say('virtual', text, {'limits': {'expansion': 10}})
        self.assert_says(result, DATA, r'.*limits\.expansion: .*recipients, 10 allowed')


class Compiled(RcptmapTest):
    """A table as a source."""

    def check(self, path, *words):
        shop = self.workshop(HEAD)
        result = shop.try_compile('-n', str(path))
        self.assert_says(result, DATA, '%s: is a compiled table .*' % path + '.*'.join(words))
        self.assertEqual(result.err.count('\n'), 1)

    @unittest.skipUnless(os.access('/usr/sbin/postmap', os.X_OK), 'no Postfix')
    def test_of_postfix(self):
        postfix = self.workshop().folder
        (postfix / 'main.cf').touch()
        kinds = subprocess.run(['/usr/sbin/postconf', '-c', str(postfix), '-m'], check=True, encoding='utf-8',
                               stdout=subprocess.PIPE).stdout.split()
        for kind, suffix in (('hash', 'db'), ('btree', 'db'), ('cdb', 'cdb'), ('lmdb', 'lmdb')):
            if kind not in kinds:
                continue
            shop = self.workshop(HEAD)
            compiled = '%s.%s' % (shop.source, suffix)
            subprocess.run(['/usr/sbin/postmap', '-c', str(postfix), '%s:%s' % (kind, shop.source)],
                           check=True)
            with self.subTest(kind=kind):
                self.check(compiled, kind, 'text')
                plain = shop.folder / 'etc' / 'renamed'
                shutil.copy(compiled, plain)
                self.check(plain, kind, 'text')

    def test_of_ours(self):
        shop = self.workshop(HEAD + 'a@alias.example b@dest.example\n')
        shop.compile()
        self.check(shop.table, 'openrcpt', 'text')


class Types(RcptmapTest):
    def test_names_of_postfix_are_virtual_in_the_configuration_too(self):
        for kind in ('hash', 'btree', 'cdb', 'lmdb', 'dbm', 'texthash', 'proxy:hash',
                     'proxy:texthash', 'proxy:virtual'):
            shop = self.workshop([(kind, HEAD + 'a@alias.example b@dest.example\n' +
                                   POSTMASTER)])
            self.assertEqual(shop.try_compile(), (OK, '', ''), kind)
            self.assertEqual(shop.resolve(['a@alias.example'])[0]['verdict'], 'expand')

    def test_proxy_on_the_command_line(self):
        shop = self.workshop()
        shop.write_source(HEAD + 'a@alias.example b@dest.example\n' + POSTMASTER)
        self.assertEqual(shop.try_compile('-n', 'proxy:hash:%s' % shop.source), (OK, '', ''))

    def test_an_unknown_type_is_told_the_known_ones(self):
        shop = self.workshop([('memcache', HEAD)])
        self.assert_says(shop.try_compile(), CONFIG, '.*:.*: no such type of source: "memcache".*'
                         'aliases.*domains.*pcre.*recipients.*regexp.*virtual.*virtusertable')


if __name__ == '__main__':
    harness.main('rcptmap')
