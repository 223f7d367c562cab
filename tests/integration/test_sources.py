#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sources that are not virtual(5): random pattern tables and aliases against Postfix's own tools,
random virtusertables against the order in which Sendmail asks.

OPENRCPT_SEED=N repeats a run; OPENRCPT_ROUNDS=N makes more of it.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_sendmail
import rcptmap
from rcptmap_test import DATA, RcptmapTest

SEED = int(os.environ.get('OPENRCPT_SEED') or 2026)
COMMENT = '(a comment, with a comma)'
ROUNDS = int(os.environ.get('OPENRCPT_ROUNDS') or 100)


class SourceTest(RcptmapTest):
    def setUp(self):
        print('OPENRCPT_SEED=%d' % SEED, flush=True)
        self.random = random.Random(SEED)

    def shop(self, kind, text, **settings):
        shop = self.workshop(text)
        shop.write_configuration(sources=[{'type': kind, 'path': shop.source}], **settings)
        return shop

    def one_of(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability


# ---- against Postfix -------------------------------------------------------------------


class PostfixTest(SourceTest):
    def setUp(self):
        super().setUp()
        if not shutil.which('postmap'):
            self.skipTest('no postmap')
        self.folder = harness.Scratch()
        self.addCleanup(self.folder.remove)
        (self.folder / 'main.cf').write_text('compatibility_level = 3.6\n', encoding='utf-8')

    def postfix(self, *words, text=None):
        done = subprocess.run(
            [words[0], '-c', str(self.folder), *map(str, words[1:])], check=False, text=True,
            input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done

    def compare(self, kind, table, text, keys, **settings):
        """Each of KEYS: the answer of postmap from TABLE is the one of rcptmap."""
        shop = self.shop(kind, text, **settings)
        # Rules that are made up lead in circles, too.
        shop.compile('--force', *(['--lenient'] if kind in ('pcre', 'regexp') else []))
        asked = ''.join(key + '\n' for key in keys)
        ours = rcptmap.run('query', '-t', shop.table, '-', text=asked)
        theirs = self.postfix('postmap', '-q', '-', table, text=asked)
        self.assertEqual(theirs.stderr, '', 'Postfix passes over a rule:\n' + text)
        # postalias leaves comments to whoever delivers.
        expected = theirs.stdout.replace(' ' + COMMENT, '')
        self.assertEqual(ours.out, expected, '\n%s\n%s' % (text, ours.err))
        shop.close()
        return len(theirs.stdout.splitlines())


class Patterns(PostfixTest):
    def expression(self, kind):
        """A regular expression, and how many groups it has."""
        groups = 0
        text = self.one_of('', '^')
        for _ in range(self.random.randrange(1, 4)):
            piece = self.one_of('a', 'b', '[ab]', '[^a]', '.', '(a)', '(b|c)', '([a-c])', 'a*',
                                'b?', '(ab)?', '[[:digit:]]', 'c{1,2}', r'\.', r'\+', 'A')
            # The longest match and the first one differ here: doc/postfix-differences.md.
            if kind == 'regexp' and piece == '(ab)?' and 'a*' in text:
                continue
            groups += piece.startswith('(')
            text += piece
        if self.chance(0.3):
            text += '.*'
        if self.chance(0.7):
            text += self.one_of('@a', '@b', r'@a\.test$', r'@[ab]\.test$', '@', r'\.TEST$')
        if kind == 'pcre' and self.chance(0.1):
            text = '(?:%s)' % text
        return text, groups

    def pattern(self, kind):
        text, groups = self.expression(kind)
        flags = ''.join(flag for flag in ('im' if kind == 'regexp' else 'imsAEU')
                        if self.chance(0.1))
        delimiter = self.one_of('/', '/', '/', '#', ';')
        if delimiter == '#':        # at the begin of a line it is a comment
            delimiter = '/'
        return delimiter + text + delimiter + flags, groups

    def value(self, groups):
        text = 'v%d' % self.random.randrange(100)
        for _ in range(self.random.randrange(3)):
            if groups:
                number = self.random.randrange(1, groups + 1)
                text += self.one_of('${%d}', '$(%d)') % number + 'x'
        return text + self.one_of('@x.test', '@y.test, z@z.test', '$$@x.test')

    def table(self, kind):
        lines, depth = [], 0
        for _ in range(self.random.randrange(1, 12)):
            pattern, groups = self.pattern(kind)
            negation = self.one_of('', '', '', '!')
            if self.chance(0.15):
                lines.append(self.one_of('if ', 'IF ') + negation + pattern)
                depth += 1
            elif depth and self.chance(0.3):
                lines.append('endif')
                depth -= 1
            elif kind == 'regexp' and not negation and self.chance(0.2):
                lines.append('%s!%s  %s' % (pattern, self.pattern(kind)[0], self.value(groups)))
            else:
                lines.append('%s%s\t%s' % (negation, pattern,
                                           self.value(0 if negation else groups)))
            if self.chance(0.1):
                lines.append(self.one_of('# comment', '', '  # indented'))
        return '\n'.join(lines + ['endif'] * depth) + '\n'

    def addresses(self):
        letters = 'aaabbccABC1.+-'
        found = set()
        while len(found) < 60:
            local = ''.join(self.random.choice(letters) for _ in range(self.random.randrange(1, 6)))
            if local[0] not in '.-' and local[-1] != '.' and '..' not in local:
                found.add(local + self.one_of('@a.test', '@b.test', '@A.Test', '@ab.test'))
        return sorted(found)

    def run_kind(self, kind):
        found = 0
        for _ in range(ROUNDS):
            text = self.table(kind)
            path = self.folder / 'patterns'
            path.write_text(text, encoding='utf-8')
            found += self.compare(kind, '%s:%s' % (kind, path), text, self.addresses())
        self.assertGreater(found, 10 * ROUNDS)

    def test_regexp_answers_as_postfix(self):
        self.run_kind('regexp')

    def test_pcre_answers_as_postfix(self):
        try:
            self.postfix('postmap', '-q', 'x', 'pcre:/dev/null')
        except AssertionError as error:
            self.skipTest('postmap has no pcre: %s' % error)
        self.run_kind('pcre')

    def test_targets_are_asked_with_their_letters(self):
        """`łódka` is `xn--dka-fna80b` in the table, in which `b.*x` could see something."""
        shop = self.workshop([
            ('virtual', 'ann@a.test b@łódka.example\nbob@a.test c@łódka.example\n'),
            ('pcre', '/^b@łódka\\.example$/ right@x.test\n/b.*x/ wrong@x.test\n')],
            {'alias_domains': ['a.test']})
        shop.compile('--force')
        self.assertEqual([answer['recipients'] for answer in shop.resolve(
            ['ann@a.test', 'bob@a.test'])], [['right@x.test'], ['c@xn--dka-fna80b.example']])

    def test_a_pattern_that_makes_nothing_is_a_doubt(self):
        """Postfix takes an empty result for an error in its map, and defers; so do we, unless
        there is another target."""
        shop = self.workshop([
            ('pcre', '/^(x*)y@foreign\\.test$/ $1\n/^(x*),?(x*)z@alias\\.test$/ $1,$2\n'),
            ('virtual', 'ann@alias.test a@x.test y@foreign.test\n')],
            {'alias_domains': ['alias.test']})
        shop.compile('--force', '--lenient')
        self.assertEqual(
            [(answer['verdict'], (answer['reply'] or '')[:9]) for answer in shop.resolve(
                ['y@foreign.test', 'z@alias.test', 'ann@alias.test', 'xy@foreign.test'])],
            2 * [('defer', '451 4.6.0')] + 2 * [('expand', '')])

    def test_what_postfix_passes_over_is_an_error(self):
        for kind, line in (('pcre', '/a/z x@b.test'), ('pcre', '/(a)/ $2@b.test'),
                           ('regexp', '!/(a)/ $1@b.test'), ('regexp', '/a x@b.test'),
                           ('pcre', '/(/ x@b.test'), ('regexp', 'endif'), ('pcre', 'x y')):
            shop = self.shop(kind, '/^ok@/ y@b.test\n' + line + '\n')
            self.assert_says(shop.try_compile('--force'), DATA, '.*/virtual:2: ')
            path = self.folder / 'patterns'
            path.write_text(line + '\n', encoding='utf-8')
            theirs = self.postfix('postmap', '-q', 'a', '%s:%s' % (kind, path))
            self.assertIn('warning', theirs.stderr, line)


class Aliases(PostfixTest):
    def name(self):
        return ''.join(self.random.choice('abcXY.-_1') for _ in range(self.random.randrange(1, 5)))

    def address(self):
        number = self.random.randrange(1000)
        address = 'u%d@x.test' % number
        return self.one_of(address, address, address, '"q %d"@x.test' % number,
                           '%s %s' % (address, COMMENT))

    def table(self):
        names, lines = [], []
        while len(names) < 10:
            name = self.name()
            if name.lower() in (known.lower() for known in names) or name.strip('.-') != name \
                    or '..' in name:
                continue
            names.append(name)
            written = self.one_of(name, name, '"%s"' % name, '%s ' % name)
            comma = self.one_of(',', ', ', ',\n ', ',\n# between\n\t')
            lines.append('%s:%s%s' % (
                written, self.one_of('', ' ', '\t', '\n  '),
                comma.join(self.address() for _ in range(self.random.randrange(1, 5)))))
        return '\n'.join(lines) + '\n', names

    def test_aliases_hold_what_postalias_reads(self):
        for _ in range(ROUNDS):
            text, names = self.table()
            path = self.folder / 'aliases'
            path.write_text(text, encoding='utf-8')
            made = self.postfix('postalias', 'hash:%s' % path)
            self.assertEqual((made.returncode, made.stderr), (0, ''), text)
            keys = [self.one_of(str, str.lower, str.upper)(name) for name in names]
            found = self.compare('aliases', 'hash:%s' % path, text, keys)
            self.assertEqual(found, len(names))

    def test_commands_and_files(self):
        text = 'ann: |"/bin/cmd -x", ann@x.test\nbob: /var/mail/bob\ncarl: carl@x.test\n'
        shop = self.shop('aliases', text)
        self.assert_says(shop.try_compile(), DATA, '.*/virtual:1: .*command',
                         '.*/virtual:2: .*file')
        shop = self.shop('aliases', text, foreign_targets='skip')
        shop.compile()
        found = rcptmap.run('query', '-t', shop.table, 'ann', 'bob', 'carl')
        self.assertEqual(found.out, 'carl\tcarl@x.test\n')


# ---- against the order in which Sendmail asks ------------------------------------------


class Virtusertable(SourceTest):
    users, domains, details = ('u', 'v', 'w.x'), ('a.test', 'b.test', 'c.test'), ('d', 'e')

    def value(self):
        number = self.random.randrange(1000)
        return self.one_of('t%d@x.test', 't%d%%3@x.test', '%%1-%d@x.test', '%%1_%%2_%d@x.test',
                           '%%1%%3@y%d.test', 'error:5.2.1:550 no%d') % number

    def table(self):
        keys = []
        for domain in self.domains:
            for user in self.users:
                for local in (user, user + '++', user + '+*',
                              *(user + '+' + detail for detail in self.details)):
                    keys.append(local + '@' + domain)
            keys += ['++@' + domain, '+*@' + domain, '@' + domain]
        self.random.shuffle(keys)
        return {key: self.value() for key in keys if self.chance(0.3)}

    @staticmethod
    def sendmail(table, local, domain):
        """What Sendmail makes of LOCAL@DOMAIN, or None."""
        def filled(value, user, detail, plus):
            if value.startswith('error:'):
                return value
            return value.replace('%1', user).replace('%2', detail).replace('%3', plus)

        whole = local + '@' + domain
        # The user has one byte at least, be it a plus.
        user, plus, detail = local[1:].partition('+')
        user = local[:1] + user
        if whole in table:
            return filled(table[whole], local, '', '')
        if not plus:
            value = table.get('@' + domain)
            return None if value is None else filled(value, user, '', '')
        for key, needs_detail in ((user + '++', True), (user + '+*', False), (user, False),
                                  ('++', True), ('+*', False), ('', False)):
            value = table.get(key + '@' + domain)
            if value is not None and (detail or not needs_detail):
                return filled(value, user, detail, plus + detail)
        return None

    def asked(self):
        return [(user + rest, domain) for domain in self.domains
                for user in (*self.users, 'z', 'q.r')
                for rest in ('', '+', '+d', '+e', '+f', '+d+e')] + [
                    (local, domain) for domain in self.domains
                    for local in ('+d', '++d', '+d+e', '+')]

    def check(self, table, answer, local, domain):
        expected = self.sendmail(table, local, domain)
        if expected is None:
            return answer['verdict'] == 'unknown'
        if expected.startswith('error:'):
            return (answer['verdict'] == 'refused'
                    and answer['reply'].endswith(expected.split()[-1]))
        return answer['recipients'] == [expected]

    def test_answers_are_sendmails(self):
        asked = self.asked()
        for _ in range(ROUNDS):
            table = self.table()
            text = ''.join('%s\t%s\n' % row for row in table.items())
            shop = self.shop('virtusertable', text, alias_domains=list(self.domains),
                             propagate_extension=False)
            shop.compile('--force')
            answers = shop.resolve(['%s@%s' % pair for pair in asked])
            for (local, domain), answer in zip(asked, answers):
                self.assertTrue(self.check(table, answer, local, domain),
                                '%s\n%s' % (text, answer))
            shop.close()


VIRTUSER_MC = '''\
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `{folder}')dnl
define(`ALIAS_FILE', `/dev/null')dnl
define(`confCW_FILE', `-o {folder}/none')dnl
define(`confCR_FILE', `-o {folder}/none')dnl
define(`confCT_FILE', `-o {folder}/none')dnl
define(`confDOMAIN_NAME', `mx.test.example')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit,GroupWritableDirPathSafe,MapInUnsafeDirPath')dnl
define(`SMART_HOST', `esmtp:[127.0.0.1]')dnl
FEATURE(`nocanonify')dnl
FEATURE(`virtusertable', `text -k0 -v1 {folder}/virtusertable')dnl
VIRTUSER_DOMAIN(`{domains}')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
'''


class RealSendmail(Virtusertable):
    """Is the order that the other test believes in Sendmail's? Its address test mode says."""

    def ask(self, software, configuration, asked):
        _, out, _ = software.run(configuration, '-bt', text=''.join(
            '/parse %s@%s\n' % pair for pair in asked))
        found = re.findall(r'(?m)^mailer (\S+), (?:host .*, )?user (.*)$', out)
        self.assertEqual(len(found), len(asked), out[-2000:])
        return found

    def test_answers_are_sendmails(self):
        try:
            software = private_sendmail.Software()
        except harness.Missing as missing:
            self.skipTest(str(missing))
        folder = harness.Scratch()
        self.addCleanup(folder.remove)
        (folder / 'virtusertable').touch()
        configuration = software.make_cf(VIRTUSER_MC.format(
            folder=folder, domains=' '.join(self.domains)), folder / 'sendmail.cf')
        asked = self.asked()
        for _ in range(10):
            table = self.table()
            # This kind of map ends a value at white space; the reply's words don't matter here.
            (folder / 'virtusertable').write_text(''.join(
                '%s\t%s\n' % (key, value.replace(' ', '_')) for key, value in table.items()),
                encoding='utf-8')
            for (local, domain), (mailer, user) in zip(
                    asked, self.ask(software, configuration, asked)):
                expected = self.sendmail(table, local, domain) or '%s@%s' % (local, domain)
                if expected.startswith('error:'):
                    self.assertEqual((mailer, user), (
                        '*error*', expected.split(':')[2].replace(' ', '_')), table)
                else:
                    self.assertEqual((mailer, user), ('esmtp', expected), table)


# ---- lists -----------------------------------------------------------------------------


class Lists(SourceTest):
    def test_a_listed_recipient_is_not_swallowed_by_a_catch_all(self):
        shop = self.workshop('@a.test all@x.test\nann@a.test bob@x.test\n')
        for name, text in (('domains', 'b.test\n'), ('mailboxes', 'ann@a.test\nmax@a.test OK\n')):
            path = shop.folder / 'etc' / name
            path.write_text(text, encoding='utf-8')
            path.chmod(0o644)
        shop.write_configuration(mailbox_domains=['a.test'], sources=[
            {'type': 'virtual', 'path': 'virtual'}, {'type': 'domains', 'path': 'domains'},
            {'type': 'recipients', 'path': 'mailboxes'}])
        shop.compile()
        verdicts = [answer['verdict'] for answer in shop.resolve(
            ['max@a.test', 'ann@a.test', 'eve@a.test', 'eve@b.test', 'eve@c.test'])]
        self.assertEqual(verdicts, ['deliver', 'expand', 'expand', 'unknown', 'foreign'])


if __name__ == '__main__':
    harness.main('rcptmap')
