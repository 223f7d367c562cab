#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The second reader, rcptmap and the text that a table was made of must agree on every entry."""
import json
import os
import pathlib
import random
import subprocess
import sys
import unicodedata
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))

import harness
import rcptmap
import second_reader
from xxh3 import xxh3

EDGES = [
    # length, hash without a seed, hash with seed 0x9e3779b97f4a7c15, as the C library has them
    (0, 0x2d06800538d394c2, 0x602b0e2cd6662c8b),
    (1, 0x13e608bc156defed, 0x1b4c466098160569),
    (2, 0x1c9074b93943b86c, 0x2f6c901464c243f0),
    (3, 0xa9088dda485b481c, 0xa8bacd847619199e),
    (4, 0x6d9253b16c8b1ed3, 0xe1c585329cf1878e),
    (7, 0x8e8291ad89127e2e, 0xb200c54e3a374bdf),
    (8, 0x60539db630471163, 0xbc53d62e02f670a4),
    (9, 0xfeff668361d723a8, 0xd4fb426f424e6e62),
    (12, 0x6829454be0cc3199, 0xcd389051b9561a62),
    (16, 0xb8c859b0f030b585, 0x7775d23337d796b5),
    (17, 0x714a04408e79b80f, 0x7d1872b1361c0fa6),
    (31, 0xed41ac283d0674b3, 0xfd26adbbe695ce82),
    (32, 0x19ff4ee1d6ba1a55, 0x136a6f0494310a0d),
    (33, 0x3e44983ad21679c8, 0x3ffc244bc1e2a4dc),
    (64, 0x287eb1fa9e4be2c1, 0xd6ae0d107b90f16f),
    (65, 0x829218de4d798646, 0xde4205e085dc5c98),
    (96, 0xf084e7cfbc624743, 0x77aeb3e80dc43abc),
    (97, 0x1daa83271a8e7b7c, 0xa72518fc62abe6bf),
    (128, 0x67425a03650261bf, 0xe9e239440dac1b3c),
    (129, 0xc664bf3311c6abc4, 0xb11455ab08c506d4),
    (130, 0xa620cbbc569eeeab, 0xc2c6574566678eb9),
    (200, 0x746cd0025327bf5b, 0x302a45dfe0468be1),
    (239, 0x1d861931c1f3cafa, 0x4f10727d65078d71),
    (240, 0x64556dc6b462a6cf, 0x6ea73b2be19b57c5),
    (241, 0x8beadd3a8874fe17, 0xa0462d397650b282),
    (256, 0x3c38817f6d79c0da, 0xe0437e437071b601),
    (1023, 0xe578082440bd4159, 0x6fce6f7887ddae6e),
    (1024, 0x81f65811d7726199, 0x78c4bbb60747397e),
    (1025, 0x706fa6a17c0bc400, 0x99b8dbc3487487d0),
    (2048, 0x22fcfa754b9a5189, 0xb7f68d18a8519718),
    (5999, 0x2496f471567a5ae9, 0x0ceb66eff472398c),
]

DOMAINS = ['a.test', 'b.test', 'sub.b.test', 'xn--bcher-kva.test', 'x' * 60 + '.test',
           '[192.0.2.1]', '[ipv6:2001:db8::1]', 'under_score.test']
STEMS = ['ann', 'bob', 'o\'neil', 'x=y', 'jürgen', 'łódź', 'a b', 'p,q', '.dot', 'two..dots', 'q"q',
         'back\\slash', '#hash', 'ann+news', 'ann+', '+ann', 'postmaster', 'x' * 120, 'y' * 127,
         'z' * 200]


def folded(text):
    return unicodedata.normalize('NFC', text.casefold())


def key_of(local, domain):
    return folded(local).encode(), domain.lower().encode()


class Made:
    """Rows of a virtual(5) table, and what each key must lead to."""

    def __init__(self):
        self.rows, self.expected = [], {}

    def add(self, local, domain, targets=(), value=None):
        """targets: (local, domain); a local of None keeps the user. value: error: or discard:."""
        local = local.lower() if local.isascii() else local
        right = value or ', '.join(self.text(*target) for target in targets)
        self.rows.append('%s\t%s\n' % (self.text(local or None, domain), right))
        kind = 'targets' if value is None else 'reply' if value.startswith('error:') else 'discard'
        self.expected.setdefault(key_of(local, domain), (
            kind, [((name or '').encode(), place.lower().encode()) for name, place in targets],
            len(self.rows)))

    @staticmethod
    def text(local, domain):
        bare = local is None or second_reader.ATOM.issuperset(local.encode()) and all(
            local.split('.')) and local[0] != '#'
        text = '' if local is None else local if bare else second_reader.quoted(local.encode())
        return text + ('@' + domain if domain else '')


def make_mixed(seed, count):
    rng = random.Random(seed)
    made = Made()

    def somebody():
        local = rng.choice(STEMS) + rng.choice(['', '', str(rng.randrange(count))])
        return rng.choice([local, local.upper(), local.title()]), rng.choice(
            ['Dest.test', 'c.test', *DOMAINS])

    for number in range(count):
        local = folded(rng.choice(STEMS)) + (str(number) if rng.random() < 0.9 else '')
        domain = rng.choice(DOMAINS) if rng.random() < 0.95 else ''
        kind = rng.random()
        if kind < 0.01:
            made.add('', rng.choice(DOMAINS), [somebody()])
        elif kind < 0.05:
            made.add(local, domain, value='error:5.2.%d:550 No %d' % (number % 9, number))
        elif kind < 0.07:
            made.add(local, domain, value='discard:')
        elif kind < 0.12:
            made.add(local, domain, [(None, 'other.test')])
        elif kind < 0.30 and domain:
            # The key itself, and but for case in the one or the other part.
            made.add(local, domain, [(local, domain), (local.upper(), domain),
                                     (local, domain.upper())])
        else:
            made.add(local, domain,
                     [somebody() for _ in range(rng.choice([1, 1, 1, 2, 3, 10, 40]))])
    return made


def make_one_domain(count):
    made = Made()
    for number in range(count):
        made.add('user%d' % number, 'only.test', [('t%d' % (number % 100), 'dest.test')])
    made.add('', 'only.test', [('rest', 'dest.test')])
    return made


def make_many_domains(count):
    made = Made()
    for number in range(count):
        made.add('info', 'd%d.test' % number, [('info', 'dest%d.test' % (number % 1000))])
    return made


def make_lists(*sizes):
    made = Made()
    for size in sizes:
        made.add('list%d' % size, 'lists.test', [('u%d' % i, 'dest%d.test' % (i % 7))
                                                 for i in range(size)])
    return made


class Compared(unittest.TestCase):
    """What all comparisons share."""

    def compiled(self, made, **settings):
        # Random rows hold loops and targets that bounce: lenient, since only the layout matters.
        self.workshop = rcptmap.Workshop(''.join(made.rows), settings={
            'recipient_delimiter': '+', 'origin': 'origin.test',
            'mailbox_domains': ['mailbox.test'], 'alias_domains': ['a.test'], **settings})
        self.addCleanup(self.workshop.close)
        self.workshop.compile('--lenient')
        return self.workshop.table

    def read(self, path):
        table = second_reader.Table(pathlib.Path(path).read_bytes())
        table.check()
        return table

    def compare_with_text(self, table, made):
        entries = {(entry.local, entry.domain): entry for entry in table.entries()}
        self.assertEqual(set(entries), set(made.expected))
        for (local, domain), (kind, targets, line) in made.expected.items():
            entry = table.find(local, domain)
            self.assertEqual(entry, entries[local, domain])
            self.assertEqual(entry.kind, kind, (local, domain))
            # Addresses without a domain are completed by the origin.
            self.assertEqual([(b'' if target.keeps_user else target.local, target.domain)
                              for target in entry.targets], targets)
            self.assertEqual(table.source_of(entry.line), ('virtual', line))

    def compare_with_dump(self, table, path):
        ours = [second_reader.json_of(table, entry) for entry in table.entries()]
        result = rcptmap.run('dump', '--json', '-t', path)
        self.assertEqual((result.status, result.err), (0, ''))
        theirs = [json.loads(line) for line in result.out.splitlines()]
        theirs = [row for row in theirs if row['kind'] in second_reader.KINDS]
        self.assertEqual(sorted(map(str, ours)), sorted(map(str, theirs)))
        self.assertEqual(rcptmap.run('verify', '-t', path).status, 0)

    def compare_with_query(self, table, path):
        """Of every key, and of neighbours of every key that are none."""
        expected, asked = [], []
        for entry in table.entries():
            near = [entry, entry._replace(local=entry.local + b'x')]
            if entry.domain and entry.local:
                near.append(entry._replace(domain=b'no.' + entry.domain))
            for one in near:
                found = table.find(one.local, one.domain)
                text = second_reader.key_text(one)
                asked.append(text + '\n')
                if found is not None:
                    expected.append('%s\t%s' % (text, second_reader.value_text(found)))
        result = rcptmap.run('query', '-t', path, '-', text=''.join(asked))
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(result.out.splitlines(), expected)
        self.assertLess(len(expected), len(asked))

    def compare(self, made, **settings):
        path = self.compiled(made, **settings)
        table = self.read(path)
        self.compare_with_text(table, made)
        self.compare_with_dump(table, path)
        self.compare_with_query(table, path)
        return table


class Hash(unittest.TestCase):
    def test_each_branch_of_the_hash(self):
        data = bytes(i * 7 + 3 + (i >> 8) & 255 for i in range(6000))
        for size, plain, seeded in EDGES:
            self.assertEqual(xxh3(data[:size]), plain, size)
            self.assertEqual(xxh3(data[:size], 0x9e3779b97f4a7c15), seeded, size)


class RandomTables(Compared):
    def test_small_ones(self):
        for seed in range(12):
            with self.subTest(seed=seed):
                self.compare(make_mixed(seed, 10 + 25 * seed))

    def test_a_large_one(self):
        table = self.compare(make_mixed(99, 4000))
        self.assertGreater(table.lines, 100)

    def test_one_domain_with_everything(self):
        self.compare(make_one_domain(5000))

    def test_many_domains(self):
        table = self.compare(make_many_domains(5000))
        self.assertGreater(table.buckets, 900)

    def test_lists_of_every_size(self):
        self.compare(make_lists(1, 2, 10, 49, 50, 51, 499, 500))

    def test_a_hundred_thousand_targets(self):
        table = self.compare(make_lists(100000, 3), limits={'expansion': 100000})
        self.assertEqual(table.target_count, 100003)

    def test_lines_without_a_local_part_or_entries(self):
        made = Made()
        made.add('', 'a.test', [('x', 'b.test')])
        table = self.compare(made)
        self.assertEqual((table.entry_count, table.lines), (1, 1))


class MadeTables(Compared):
    """Tables with what no seed makes by chance."""

    def compare_made(self, name):
        folder = harness.Scratch()
        self.addCleanup(folder.remove)
        path = folder / 'table'
        program = harness.build_folder() / 'tests' / 'table' / 'write_image'
        with open(path, 'wb', opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            subprocess.run([program, name], stdout=file, check=True)
        table = self.read(path)
        self.compare_with_dump(table, path)
        self.compare_with_query(table, path)
        return table

    def clusters(self, table):
        return [table.cluster_at(line, number) for line in range(table.lines)
                for number in range(8)]

    def test_everything(self):
        table = self.compare_made('everything')
        self.assertTrue(any(cluster.count >= 15 for cluster in self.clusters(table)))
        self.assertEqual(len(table.patterns), 4)
        self.assertEqual(set(table.sections), set(range(1, 10)))

    def test_a_line_with_more_entries_than_fingerprints(self):
        table = self.compare_made('full-line')
        self.assertTrue(any(cluster.count and cluster.fingerprints is None
                            for cluster in self.clusters(table)))

    def test_a_bucket_that_goes_on_in_the_first(self):
        table = self.compare_made('last-bucket')
        last = table.part(second_reader.INDEX, 64 * (table.buckets - 1) + 32, 32)
        self.assertNotEqual(last[-4:], bytes(4))


class Damage(Compared):
    def test_a_flipped_bit_is_seen(self):
        data = pathlib.Path(self.compiled(make_mixed(5, 40))).read_bytes()
        rng = random.Random(1)
        for at in [0, 8, 20, 30, 90, 130, 3000, *rng.sample(range(len(data)), 20)]:
            damaged = bytearray(data)
            damaged[at] ^= 1 << rng.randrange(8)
            with self.assertRaises(second_reader.Unsound, msg=at):
                second_reader.Table(bytes(damaged))

    def test_a_missing_end_is_seen(self):
        data = pathlib.Path(self.compiled(make_mixed(5, 40))).read_bytes()
        for size in (0, 100, 4096, 4160, len(data) - 1):
            with self.assertRaises(second_reader.Unsound, msg=size):
                second_reader.Table(data[:size])


if __name__ == '__main__':
    harness.main('rcptmap')
