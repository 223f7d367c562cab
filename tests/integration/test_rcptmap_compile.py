#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap compile: messages with their place, exit codes, and what is left of the old table."""
import fcntl
import json
import os
import pathlib
import pty
import pwd
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from rcptmap_test import (CANT_CREATE, CONFIG, DATA, GOOD, NO_INPUT, OK, TRY_LATER, USAGE,
                          RcptmapTest)


POSTMASTER = 'postmaster@alias.example ann@alias.example\n'


class Success(RcptmapTest):
    def test_nothing_is_said(self):
        shop = self.workshop(GOOD + POSTMASTER)
        self.assertEqual(shop.try_compile(), (OK, '', ''))
        self.assertTrue(shop.table.is_file())

    @unittest.skipIf(os.geteuid() != 0, 'only root keeps the owner of a file')
    def test_a_table_of_its_owner_stays_his(self):
        shop = self.workshop(GOOD + POSTMASTER, {'table_owner': 'daemon', 'keep_tables': 3})
        shop.compile()
        owner = pwd.getpwnam('daemon').pw_uid
        os.chown(shop.table, owner, -1)
        shop.write_source(GOOD + POSTMASTER + 'eve@alias.example eve@dest.example\n')
        self.assertEqual(shop.try_compile(), (OK, '', ''))
        self.assertEqual(shop.table.stat().st_uid, owner)
        # The one before is kept, and the same once more is not.
        self.assertEqual(shop.try_compile(), (OK, '', ''))
        self.assertEqual(len(list(shop.table.parent.glob(shop.table.name + '.*[0-9]'))), 1)
        rolled = rcptmap.run('rollback', '-c', shop.configuration, '--force')
        self.assertEqual((rolled.status, rolled.err), (OK, ''))
        self.assertEqual(shop.table.stat().st_uid, owner)

    def test_checking_writes_nothing(self):
        shop = self.workshop(GOOD + POSTMASTER)
        self.assertEqual(shop.try_compile('-n'), (OK, '', ''))
        self.assertFalse(shop.table.exists())

    def test_nothing_is_left_beside_the_table(self):
        shop = self.workshop(GOOD + POSTMASTER)
        shop.compile()
        shop.compile()
        left = [path.name for path in shop.table.parent.iterdir() if path.suffix != '.lock']
        self.assertEqual(left, [shop.table.name])

    def test_sources_and_output_of_the_command_line(self):
        shop = self.workshop()
        other, output = shop.folder / 'other', shop.folder / 'lib' / 'other.table'
        other.write_text('second.example x\nann@second.example z@dest.example\n')
        for source in (other, 'virtual:%s' % other):
            self.assert_says(shop.try_compile('-o', output, source), OK)
            answer = rcptmap.run('query', '-t', output, 'ann@second.example')
            self.assertEqual((answer.status, answer.out), (OK, 'z@dest.example\n'))
        self.assertFalse(shop.table.exists())

    def test_a_file_alone_does_not_replace_the_table_unasked(self):
        shop = self.workshop(GOOD + POSTMASTER)
        other = shop.folder / 'other'
        other.write_text('second.example x\nann@second.example z@dest.example\n'
                         'postmaster@second.example ann@second.example\n')
        shop.compile()
        before = shop.table.read_bytes()
        self.assert_says(shop.try_compile(other), USAGE, 'rcptmap: compile: .*-o.*--force')
        self.assertEqual(shop.table.read_bytes(), before)
        self.assertEqual(shop.try_compile('-n', '--force', other).status, OK)
        self.assertEqual(shop.table.read_bytes(), before)
        self.assertEqual(shop.try_compile(shop.source), (OK, '', ''))
        self.assertEqual(shop.try_compile('hash:%s' % shop.source), (OK, '', ''))
        self.assertEqual(shop.try_compile('--force', other), (OK, '', ''))
        self.assertEqual(shop.resolve(['ann@second.example'])[0]['verdict'], 'expand')

    def test_sources_of_one_name_can_be_told_apart(self):
        shop = self.workshop()
        paths = [shop.folder / name for name in ('a/virtual', 'b/virtual', 'b/a/virtual', 'lists')]
        for number, path in enumerate(paths):
            path.parent.mkdir(exist_ok=True)
            path.write_text('u%d@alias.example x@dest.example\n' % number)
        shop.write_configuration(sources=[{'type': 'virtual', 'path': path}
                                          for path in [shop.source, *paths]])
        shop.compile()
        scratch = shop.folder.path.name
        found = [shop.resolve([address + '@alias.example'], '-v')[0]['steps'][-1]['source']
                 for address in ('ann', 'u0', 'u1', 'u2', 'u3')]
        self.assertEqual(found, ['etc/virtual:2', scratch + '/a/virtual:1', 'b/virtual:1',
                                 'b/a/virtual:1', 'lists:1'])

    def test_the_result_is_told_if_asked(self):
        shop = self.workshop(GOOD + POSTMASTER)
        self.assertEqual(shop.try_compile('-v').err,
                         '%s: 4 entries, 1 domain, generation 1\n' % shop.table)
        self.assertEqual(shop.try_compile('-v', '--dry-run').err,
                         '%s: 4 entries, 1 domain, nothing written\n' % shop.table)
        self.assertEqual(shop.try_compile('-v', '--no-proof').err,
                         '%s: 4 entries, 1 domain, generation 2\n' % shop.table)

    def test_the_result_is_told_on_a_terminal(self):
        shop = self.workshop()
        ours, theirs = pty.openpty()
        done = subprocess.run(harness.command('rcptmap', 'compile', '-c', shop.configuration),
                              check=False, timeout=60, stdin=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        said = os.read(ours, 65536).decode()
        os.close(ours)
        self.assertEqual(done.returncode, OK)
        self.assertIn('%s: 3 entries, 1 domain, generation 1' % shop.table, said)

    def test_several_sources_are_one_table(self):
        shop = self.workshop()
        other = shop.folder / 'other'
        other.write_text('zoe@alias.example team@alias.example\n')
        self.assert_says(shop.try_compile(shop.source, other), OK)
        self.assertEqual(len(shop.resolve(['zoe@alias.example'])[0]['recipients']), 3)
        names = [shop.source.name, 'other']
        self.assertEqual(
            json.loads(rcptmap.run('info', '--json', '-t', shop.table).out)['sources'], names)
        self.assertRegex(rcptmap.run('info', '-t', shop.table).out,
                         r'(?m)^sources +%s\n +%s$' % tuple(names))

    def test_the_generation_counts_compilations(self):
        shop = self.workshop()
        shop.compile()
        before = json.loads(rcptmap.run('info', '--json', '-t', shop.table).out)
        shop.compile()
        after = json.loads(rcptmap.run('info', '--json', '-t', shop.table).out)
        self.assertEqual(after['generation'], before['generation'] + 1)
        self.assertEqual((after['entries'], after['domains']), (3, 1))


class BadSources(RcptmapTest):
    """Every mistake names its line, and what was installed before stays."""

    # A line that is wrong -> words of the message.
    SYNTAX = (
        ('onecolumn', 'expected'),
        ('"open@alias.example x@dest.example', 'quote'),
        ('bad@alias.example a@@b', '@'),
        ('bad@alias.example @other.example, x@dest.example', '@other'),
        ('bad@alias.example x@dest.example, @other.example', '@other'),
        ('bad@alias.example Name <a@dest.example>', ''),
        ('bad@alias.example x@dest.example # remark', ''),
        ('bad@alias.example x@dest.example (remark)', ''),
        ('bad@alias.example |/bin/sh', ''),
        ('bad@alias.example "|/bin/sh"', ''),
        ('bad@alias.example /var/mail/file', ''),
        ('bad@alias.example :include:/etc/list', ''),
        ('bad@alias.example group: a@dest.example;', ''),
        ('bad@alias.example @route.example:a@dest.example', ''),
        ('bad@alias.example a%b@dest.example', ''),
        ('bad@alias.example b!a@dest.example', ''),
        ('bad@alias.example -x@dest.example', ''),
        ('bad@alias.example <>', ''),
        ('bad@alias.example ""', ''),
        ('bad@alias.example ,', ''),
        ('bad@alias.example a@1.2.3.4', ''),
        ('bad@alias.example a@-dash.example', ''),
        ('bad@alias.example a@dest..example', ''),
        ('bad@alias.example "open@dest.example', ''),
        ('bad@alias.example a@dest.example\x01', ''),
        ('bad@alias.example \u202eevil@dest.example', ''),
        ('b\u202ead@alias.example a@dest.example', ''),
        ('bad@alias.example %s@dest.example' % ('x' * 241), ''),
    )
    PROOF = (
        ('a@alias.example b@alias.example\nb@alias.example a@alias.example', 'loop'),
        ('self@alias.example self@alias.example', 'bounce'),
        ('gone@alias.example nobody@alias.example', 'bounce'),
        ('many@alias.example ' + ', '.join('u%d@dest.example' % i for i in range(1001)), ''),
    )

    def test_each_mistake_names_its_line(self):
        for line, words in self.SYNTAX + self.PROOF:
            with self.subTest(line[:60]):
                shop = self.workshop(GOOD + line + '\n')
                place = re.escape(str(shop.source)) + ':5: '
                self.assert_says(shop.try_compile(), DATA, place + '.*' + re.escape(words))
                self.assertFalse(shop.table.exists())

    def test_fixed_target_of_a_pattern(self):
        rules = '/^a@/ tester@far.example\n/^b@/ tester@alias.example\n'
        shop = self.workshop([('pcre', rules)], {'alias_domains': ['alias.example']})
        place = re.escape(str(shop.folder / 'etc' / 'source0'))
        result = shop.try_compile()
        self.assert_says(result, DATA, place + ':2: target tester@alias.example could only bounce')
        self.assertNotIn('tester@far.example', result.err)

    def test_not_utf8(self):
        shop = self.workshop(GOOD.encode() + b'b\xff@alias.example a@dest.example\n'
                             b'bad@alias.example a\xff@dest.example\n')
        place = re.escape(str(shop.source))
        self.assert_says(shop.try_compile(), DATA, place + ':5: ', place + ':6: ')

    def test_all_mistakes_are_told(self):
        lines = ['bad%d@alias.example a@@b' % number for number in range(30)]
        shop = self.workshop(GOOD + '\n'.join(lines) + '\n')
        result = shop.try_compile()
        found = [int(number) for number in re.findall(r'virtual:(\d+): ', result.err)]
        self.assertEqual((result.status, found), (DATA, list(range(5, 35))))

    def test_not_more_than_a_hundred_are_told(self):
        shop = self.workshop(GOOD + 'bad@alias.example a@@b\n' * 500)
        told = re.findall(r'virtual:\d+: ', shop.try_compile().err)
        self.assertEqual(len(told), 100)

    def test_the_old_table_stays_byte_for_byte(self):
        shop = self.workshop()
        shop.compile()
        before, stamp = shop.table.read_bytes(), shop.table.stat()
        for line, _ in self.SYNTAX[:3] + self.PROOF[:2]:
            shop.write_source(GOOD + line + '\n')
            self.assertEqual(shop.try_compile().status, DATA)
            now = shop.table.stat()
            self.assertEqual(shop.table.read_bytes(), before)
            self.assertEqual((now.st_ino, now.st_mtime_ns), (stamp.st_ino, stamp.st_mtime_ns))

    def test_warnings(self):
        for line, words in (('ann@alias.example z@dest.example', 'duplicate'),
                            ('@alias.example z@dest.example', 'catch-all'),
                            ('x@undeclared.example z@dest.example', 'undeclared.example'),
                            ('u@alias.example ü@dest.example', 'ASCII')):
            with self.subTest(line):
                shop = self.workshop(GOOD + line + '\n')
                self.assert_says(shop.try_compile(), OK,
                                 re.escape(str(shop.source)) + ':5: warning: .*' + words)


class Warnings(RcptmapTest):
    """What is no mistake of a line, but may be one of the table."""

    def said(self, text, **settings):
        return self.workshop(text, settings).compile()

    def test_a_catch_all_accepts_everybody_or_it_is_none(self):
        for value, is_one in (('ann@dest.example', True), ('discard:', True),
                              ('@dest.example', True), ('error:550 5.1.6 moved', False),
                              ('error:nouser User unknown', False), ('@alias.example', False)):
            said = self.said(GOOD + POSTMASTER + 'other.example x\n@other.example %s\n' % value)
            self.assertEqual('catch-all: no user of other.example' in said, is_one, value)
        said = self.said(GOOD + '@alias.example z@dest.example\nother.example x\n'
                         '@other.example @alias.example\n')
        self.assertIn('catch-all: no user of other.example', said)

    def test_a_mailbox_domain_has_mailboxes(self):
        words = 'no mailbox of the mailbox domain mail.example is known'
        for rows, is_told in (('', True), ('a@mail.example b@dest.example\n', True),
                              ('a@mail.example A@Mail.example\n', False),
                              ('a@mail.example b@dest.example, a@mail.example\n', False),
                              ('@mail.example @mail.example\n', False)):
            said = self.said(GOOD + rows, mailbox_domains=['mail.example'])
            self.assertEqual(words in said, is_told, rows)
        shop = self.workshop([('virtual', GOOD), ('recipients', 'a@mail.example\n')],
                             {'mailbox_domains': ['mail.example']})
        self.assertNotIn(words, shop.compile())
        shop = self.workshop(
            [('pcre', '/^([a-z]+)\\+[a-z]+@mail\\.example$/ ${1}@mail.example\n')],
            {'mailbox_domains': ['mail.example']})
        self.assertIn(words, shop.compile('--lenient'))

    def test_every_domain_has_a_postmaster(self):
        self.assertNotIn('postmaster', self.said(GOOD + POSTMASTER))
        self.assertNotIn('postmaster', self.said(GOOD + '@alias.example z@dest.example\n'))
        self.assertIn('rcptmap: warning: nobody is postmaster@alias.example, which',
                      self.said(GOOD))
        many = ''.join('d%d.example x\n' % number for number in range(30))
        said = self.said(GOOD + POSTMASTER + many)
        self.assertEqual(said.count('nobody is postmaster'), 1)
        self.assertIn('nobody is postmaster@d0.example and of 29 more domains', said)


class Lenient(RcptmapTest):
    def test_what_it_lets_through(self):
        for line, _ in BadSources.PROOF:
            with self.subTest(line[:60]):
                shop = self.workshop(GOOD + line + '\n')
                self.assert_says(shop.try_compile('--lenient'), OK,
                                 re.escape(str(shop.source)) + ':5: warning: ')

    def test_without_a_proof_nothing_is_said_but_in_the_table(self):
        """--no-proof marks a table as --lenient does, whatever is in it."""
        for options, mark in (((), 'no'), (('--lenient',), 'yes'), (('--no-proof',), 'yes')):
            shop = self.workshop(GOOD)
            shop.compile('--no-sync', *options)
            self.assertIn('lenient'.ljust(22) + mark, rcptmap.run('info', '-t', shop.table).out)
        shop = self.workshop(GOOD + BadSources.PROOF[0][0] + '\n')
        self.assertEqual(shop.compile('--no-proof'), '')
        self.assertEqual(rcptmap.run('verify', '-t', shop.table).status, OK)

    def test_a_bad_line_costs_itself_and_a_warning(self):
        """The lines around it count. Who is named by its key is never refused."""
        for line, _ in BadSources.SYNTAX:
            with self.subTest(line[:60]):
                shop = self.workshop(GOOD + line + '\nzoe@alias.example zoe@dest.example\n')
                self.assert_says(shop.try_compile('--lenient'), OK,
                                 re.escape(str(shop.source)) + ':5: warning: ')
                zoe, bad = shop.resolve(['zoe@alias.example', 'bad@alias.example'])
                self.assertEqual(zoe['recipients'], ['zoe@dest.example'])
                if line.startswith('bad@'):
                    self.assertIn((bad['verdict'], (bad['reply'] or '')[:9]),
                                  [('expand', ''), ('refused', '451 4.3.5')])

    def test_what_can_be_used_of_a_line_is(self):
        shop = self.workshop(GOOD + 'list@alias.example ann@dest.example, b@@b, c@dest..example\n'
                             'other@alias.example b@@b\n@alias.example error:700 what\n')
        shop.compile('--lenient')
        list_, other, any_ = shop.resolve(
            ['list@alias.example', 'other@alias.example', 'any@alias.example'])
        self.assertEqual(list_['recipients'], ['ann@dest.example'])
        self.assertRegex(other['reply'], '^451 4.3.5 ')
        self.assertRegex(any_['reply'], '^451 4.3.5 ')

    def test_a_bad_rule_costs_itself(self):
        rules = '/(/ x@dest.example\n/^bad@alias/ x@@y\n/^ann@alias/ ann@dest.example\n/^x/\n'
        shop = self.workshop([('pcre', rules)], {'alias_domains': ['alias.example']})
        place = re.escape(str(shop.folder / 'etc' / 'source0'))
        self.assertEqual(shop.try_compile().status, DATA)
        self.assert_says(shop.try_compile('--lenient'), OK, place + ':1: warning: ',
                         place + ':2: warning: ', place + ':4: warning: ')
        bad, ann, zoe = shop.resolve(['bad@alias.example', 'ann@alias.example',
                                      'zoe@alias.example'])
        self.assertRegex(bad['reply'], '^451 4.3.5 ')
        self.assertEqual(ann['recipients'], ['ann@dest.example'])
        self.assertEqual(zoe['verdict'], 'unknown')

    def test_nothing_is_let_in_in_silence(self):
        """What strict refuses, lenient warns of: at the same lines."""
        lines = [line for line, _ in BadSources.SYNTAX] + [
            'info@alias.example user1\\@alias.example', 'x%y@alias.example z@dest.example']
        for line in lines:
            shop = self.workshop(GOOD + line + '\n')
            strict, lenient = shop.try_compile(), shop.try_compile('--lenient')
            self.assertEqual((strict.status, lenient.status), (DATA, OK), line)
            self.assertRegex(lenient.err, r'virtual:5: warning: ', line)

    def test_a_loop_found_late_defers_as_well(self):
        """Only an extension makes this one a loop: no key leads round in a circle."""
        shop = self.workshop('alias.example x\na+x@alias.example z@dest.example\n'
                             'a@alias.example a+x@alias.example\n')
        shop.compile()
        answers = shop.resolve(['a@alias.example', 'a+x@alias.example', 'a+y@alias.example'])
        self.assertEqual([answer['verdict'] for answer in answers], ['expand', 'expand', 'defer'])
        self.assertRegex(answers[2]['reply'], '^451 4.6.0 ')


class Shrinking(RcptmapTest):
    def rows(self, count, domains=1):
        return ''.join('d%d.example x\n' % number for number in range(domains)) + ''.join(
            'u%d@d0.example u@dest.example\n' % number for number in range(count))

    def test_a_table_that_lost_most_entries_wants_force(self):
        shop = self.workshop(self.rows(10))
        shop.compile()
        before = shop.table.read_bytes()
        shop.write_source(self.rows(4))
        self.assertEqual(shop.try_compile().status, DATA)
        self.assertEqual(shop.table.read_bytes(), before)
        shop.compile('--force')
        self.assertNotEqual(shop.table.read_bytes(), before)

    def test_half_is_not_most(self):
        shop = self.workshop(self.rows(10))
        shop.compile()
        shop.write_source(self.rows(5))
        shop.compile()

    def test_domains_count_too(self):
        shop = self.workshop(self.rows(10, domains=5))
        shop.compile()
        shop.write_source(self.rows(10, domains=2))
        self.assertEqual(shop.try_compile().status, DATA)

    def test_the_limit_can_be_set(self):
        shop = self.workshop(self.rows(10), {'shrink_limit_percent': 90})
        shop.compile()
        shop.write_source(self.rows(2))
        shop.compile()

    def test_an_empty_table_wants_force(self):
        for text in ('', '# nothing\n'):
            shop = self.workshop(text)
            self.assertEqual(shop.try_compile().status, DATA)
            self.assertFalse(shop.table.exists())
            shop.compile('--force')


class Places(RcptmapTest):
    def test_a_source_that_is_not_there(self):
        shop = self.workshop()
        shop.source.unlink()
        self.assert_says(shop.try_compile(), NO_INPUT, '.*' + re.escape(str(shop.source)))

    def test_a_configuration_that_is_not_there(self):
        self.assertEqual(rcptmap.run('compile', '-c', '/nowhere/openrcpt.conf').status, NO_INPUT)

    def test_an_output_folder_that_is_not_there(self):
        shop = self.workshop()
        self.assertEqual(shop.try_compile('-o', '/nowhere/x.table').status, CANT_CREATE)

    def test_an_output_that_is_no_file_is_not_replaced(self):
        shop = self.workshop()
        target = shop.folder / 'lib' / 'elsewhere'
        target.write_text('precious')
        shop.table.symlink_to(target)
        self.assertNotEqual(shop.try_compile().status, OK)
        self.assertEqual((shop.table.is_symlink(), target.read_text()), (True, 'precious'))

    def test_another_compiler_at_work(self):
        shop = self.workshop()
        shop.compile()
        locks = list(shop.table.parent.glob('.*.lock'))
        self.assertEqual(len(locks), 1)
        with open(locks[0], 'r+b') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_says(shop.try_compile(), TRY_LATER, '.*' + re.escape(shop.table.name))
        shop.compile()

    def test_an_output_that_somebody_else_made(self):
        """The name is taken by something that is no table."""
        shop = self.workshop()
        shop.table.write_text('not a table')
        if shop.try_compile().status == OK:
            self.assertEqual(rcptmap.run('verify', '-t', shop.table).status, OK)
        else:
            self.assertEqual(shop.table.read_text(), 'not a table')


class Configuration(RcptmapTest):
    def test_unknown_settings_name_their_line(self):
        # Three lines come before a snippet, two where it has the sources.
        for snippet, place in (('recipient_delimeter = "+";\n', 4),
                               ('\nlimits = { depth = 3; };\n', 5),
                               ('sources = ( { typo = "x"; } );\n', 3)):
            with self.subTest(snippet):
                shop = self.workshop(snippet=snippet)
                self.assert_says(shop.try_compile(), CONFIG,
                                 re.escape(str(shop.configuration)) + ':%d: ' % place)

    def test_wrong_values(self):
        for snippet in ('limits = { expansion = 0; };', 'limits = { expansion = "3"; };',
                        'alias_domains = "alias.example";', 'log = "file";', 'origin = 3;',
                        'propagate_extension = 1;', 'user = "x'):
            with self.subTest(snippet):
                shop = self.workshop(snippet=snippet + '\n')
                self.assert_says(shop.try_compile(), CONFIG, re.escape(str(shop.configuration)))

    def test_an_unknown_source_type(self):
        shop = self.workshop(settings={'sources': [{'type': 'oracle', 'path': '/etc/passwd'}]})
        self.assertEqual(shop.try_compile().status, CONFIG)

    def test_config_prints_what_it_reads(self):
        shop = self.workshop(settings={'recipient_delimiter': '-+', 'alias_domains': ['a.example']})
        shown = rcptmap.run('config', '-c', shop.configuration)
        again = shop.folder / 'etc' / 'again.conf'
        again.write_text(shown.out)
        self.assertEqual(rcptmap.run('config', '-c', again), shown)
        changed = rcptmap.run('config', '-n', '-c', shop.configuration).out
        self.assertIn('"-+"', changed)
        self.assertNotIn('limits', changed)
        self.assertIn('limits', rcptmap.run('config', '-d').out)


if __name__ == '__main__':
    harness.main('rcptmap')
