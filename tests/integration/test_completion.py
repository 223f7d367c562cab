#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The completions of bash and zsh propose what the programs accept, and nothing else."""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from rcptmap_test import GOOD, OK, USAGE, RcptmapTest

FOLDER = harness.SOURCE / 'conf' / 'completion'

# As readline calls it: the words, of which @ and = are some, and the last of them to be completed.
ASK = r'''
. "$0" || exit
program=$1
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
current=${COMP_WORDS[COMP_CWORD]}
[[ $current != [=@] ]] || current=
complete -p "$1" >/dev/null || exit
function=$(complete -p "$1" | sed 's/.* -F \([a-z_]*\) .*/\1/')
"$function" "$program" "$current" "${COMP_WORDS[COMP_CWORD - 1]}"
(( ${#COMPREPLY[@]} == 0 )) || printf '%s\n' "${COMPREPLY[@]}"
'''


def path():
    folders = [os.path.dirname(harness.program(name))
               for name in ('rcptmap', 'rcptctl', 'openrcptd')]
    return ':'.join([*folders, os.environ['PATH']])


def propose(*words):
    """What bash proposes for the last of the words, of which the first is a program's name."""
    done = subprocess.run(
        ['bash', '--norc', '-c', ASK, FOLDER / 'rcptmap.bash', harness.program(words[0]), *words],
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding='utf-8', timeout=60, env={**os.environ, 'PATH': path()})
    if (done.returncode, done.stderr) != (0, ''):
        raise AssertionError('%s: %d: %s' % (words, done.returncode, done.stderr))
    return done.stdout.split()


def help_options(text):
    """Option -> does it have a value?"""
    found = {}
    for line in text.splitlines():
        match = re.match(r'  (-\w|  )(?:,? +(--[a-z-]+))?( [A-Z]+)?  ', line)
        if match:
            for name in filter(None, (match[1].strip(), match[2])):
                found[name] = match[3] is not None
    return found


def commands():
    return re.findall(r'(?m)^  rcptmap ([a-z][a-z-]*)', rcptmap.run('help').out)


class Terminal:
    """An interactive shell, and what it prints."""

    def __init__(self, *words):
        environment = {**os.environ, 'TERM': 'dumb', 'PS1': '', 'HISTFILE': '', 'COLUMNS': '200',
                       'PATH': path()}
        ours, theirs = pty.openpty()
        # It has a terminal of its own, and a session, so that it believes to be interactive.
        self.shell = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs,
                                      env=environment, start_new_session=True)
        os.close(theirs)
        self.terminal, self.said = ours, ''

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, text):
        end = time.monotonic() + harness.LIMIT_S
        while text not in self.said:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.terminal], [], [], left)[0]:
                raise AssertionError('no %r in %r' % (text, self.said))
            self.said += os.read(self.terminal, 65536).decode(errors='replace')

    def close(self):
        self.shell.kill()
        self.shell.wait()
        os.close(self.terminal)


class Options(RcptmapTest):
    def test_those_of_a_command_are_those_of_its_help(self):
        for command in commands():
            shown = help_options(rcptmap.run(command, '--help').out)
            self.assertIn('--help', shown)
            self.assertEqual(sorted(propose('rcptmap', command, '-')), sorted(shown), command)
            self.assertEqual(sorted(propose('rcptmap', command, '--')),
                             sorted(name for name in shown if name.startswith('--')), command)

    def test_the_help_shows_what_is_accepted(self):
        shown = {command: help_options(rcptmap.run(command, '--help').out)
                 for command in commands()}
        names = {name for options in shown.values() for name in options} | {'--query'}
        source = (harness.SOURCE / 'src' / 'rcptmap' / 'options.c').read_text()
        self.assertEqual(sorted(name for name in names if name.startswith('--')), sorted(
            '--' + name for name in re.findall(r'\{ "([a-z-]+)", \w+_argument', source)))
        for command, options in shown.items():
            for name in names:
                value = ['error'] if options.get(name, name in ('--query', '-W')) else []
                result = rcptmap.run(command, name, *value, '--help')
                self.assertEqual(result.status, OK if name in options else USAGE,
                                 (command, name, result.err))

    def test_before_the_command(self):
        self.assertEqual(sorted(propose('rcptmap', '-')), sorted(
            help_options(rcptmap.run('verify', '--help').out)))

    def check(self, program, source):
        """What PROGRAM's help shows is proposed, and accepted."""
        said = subprocess.run(harness.command(program, '--help'), check=True,
                              stdout=subprocess.PIPE, encoding='utf-8', timeout=60).stdout
        shown = help_options(said)
        self.assertEqual(sorted(propose(program, '-')), sorted(shown))
        text = (harness.SOURCE / 'src' / program / source).read_text()
        known = dict(re.findall(r'\{ "([a-z-]+)", (\w+)_argument, NULL, (?!OPTION_CHECK|OPTION_TAKES_OVER)', text))
        self.assertEqual({name[2:]: 'required' if has_value else 'no'
                          for name, has_value in shown.items() if name.startswith('--')}, known)
        self.assertEqual(sorted(name[1:] for name in shown if not name.startswith('--')), sorted(
            re.search(r'arguments, "([a-zA-Z:]+)"', text)[1].replace(':', '')))

    def test_those_of_the_daemon(self):
        self.check('openrcptd', 'main.c')

    def test_those_of_rcptctl(self):
        self.check('rcptctl', 'options.c')
        self.assertEqual(propose('rcptctl', 'check', '--age'),
                         ['--age-warning', '--age-critical'])


class Words(RcptmapTest):
    def test_commands(self):
        self.assertEqual(propose('rcptmap', ''), commands())
        self.assertEqual(propose('rcptmap', '-c', '/x', 'di'), ['diff'])
        self.assertEqual(propose('rcptmap', '--configuration', '=', '/x', 'di'), ['diff'])
        self.assertEqual(propose('rcptmap', 'help', 'co'), ['compile', 'config'])
        self.assertEqual(propose('rcptmap', '-c', 'co'), [])
        self.assertEqual(propose('rcptmap', 'compile', 'co'), [])

    def test_settings(self):
        rows = re.findall(r'(?m)^[A-Z]+\("([a-z0-9_.]+)"', (
            harness.SOURCE / 'src' / 'settings' / 'settings.def').read_text())
        self.assertGreater(len(rows), 20)
        found = propose('rcptmap', 'config', '')
        self.assertEqual(sorted(found), sorted(rows + ['sources']))
        self.assertEqual(rcptmap.run('config', '-d', *found).status, OK)
        self.assertEqual(propose('rcptmap', 'config', 'limits.r'), ['limits.recursion'])

    def test_warnings(self):
        names = re.findall(r'(?m)^WARNING\(\w+, "([a-z0-9-]+)"', (
            harness.SOURCE / 'src' / 'sources' / 'warnings.def').read_text())
        wanted = ['error'] + ['no-' + name for name in names]
        self.assertEqual(propose('rcptmap', 'compile', '-W', ''), wanted)
        self.assertEqual(propose('rcptmap', 'compile', '--warning', '=', 'e'), ['error'])
        self.assertEqual(propose('rcptmap', 'compile', '--warning', '='), wanted)

    def test_domains(self):
        shop = self.workshop(GOOD + 'other.example x\n')
        shop.compile()
        for words in (['resolve', '-c', shop.configuration], ['-c', shop.configuration, 'query'],
                      ['resolve', '-t', shop.table], ['query', '-v', '--table', shop.table]):
            words = ['rcptmap', *map(str, words)]
            self.assertEqual(propose(*words, 'ann', '@', 'ali'), ['alias.example'])
            self.assertEqual(sorted(propose(*words, 'ann', '@')),
                             ['alias.example', 'other.example'])
            self.assertEqual(propose(*words, 'a/&b@o'), ['a/&b@other.example'])
            self.assertEqual(propose(*words, 'ann'), [])

    def test_rcptctl(self):
        rows = re.findall(r'\{ "([a-z]+)", \d+, \d+, run_', (
            harness.SOURCE / 'src' / 'rcptctl' / 'main.c').read_text())
        self.assertGreater(len(rows), 5)
        self.assertEqual(sorted(propose('rcptctl', '')), sorted(rows))
        self.assertEqual(propose('rcptctl', '-c', '/x', '--timeout', '=', '5', 'r'),
                         ['reload', 'reexec', 'resolve'])
        for words in (['-c', 're'], ['--timeout', 're'], ['--timeout', '=', 're'],
                      ['status', 're'], ['--age-warning', '5', 'check', '']):
            self.assertEqual(propose('rcptctl', *words), [], words)
        shop = self.workshop(GOOD + 'other.example x\n')
        shop.compile()
        for words in (['-c', shop.configuration, 'resolve'],
                      ['resolve', '--config', shop.configuration]):
            words = ['rcptctl', *map(str, words)]
            self.assertEqual(propose(*words, 'ann', '@', 'ali'), ['alias.example'])
            self.assertEqual(propose(*words, 'a@o'), ['a@other.example'])
            self.assertEqual(propose(*words, 'ann'), [])

    def test_a_program_that_fails_proposes_nothing(self):
        self.assertEqual(propose('rcptmap', 'resolve', '-t', '/nowhere', 'x', '@', ''), [])


class Shells(RcptmapTest):
    def complete(self, shell, prepare):
        """Type what is to be completed, and the end of the line: the answer shows what came of it."""
        shop = self.workshop()
        shop.compile()
        terminal = Terminal(*shell)
        self.addCleanup(terminal.close)
        terminal.type(prepare + "; echo rea''dy\n")
        terminal.wait_for('ready')
        terminal.type('rcptmap res\t-c %s nobody@ali\t\n' % shop.configuration)
        terminal.wait_for('User unknown in virtual alias table')
        terminal.type('rcptmap config --configuration %s limits.rec\t\n' % shop.configuration)
        terminal.wait_for('\n1000\r')
        terminal.type('rcptctl --conf\t%s resol\tx@ali\t\n' % shop.configuration)
        terminal.wait_for('rcptctl: no openrcptd answers at ')
        self.assertRegex(terminal.said, r'resolve .*\bx@alias\.example')

    def test_bash_at_work(self):
        self.complete(['bash', '--norc', '--noprofile', '-i'],
                      "bind 'set enable-bracketed-paste off'; . %s/rcptmap.bash" % FOLDER)

    def test_zsh_at_work(self):
        """Where it is installed."""
        if shutil.which('zsh') is None:
            return
        subprocess.run(['zsh', '-n', FOLDER / '_rcptmap'], check=True, timeout=60)
        self.complete(['zsh', '-f', '-i'],
                      'fpath=(%s $fpath); autoload -U compinit; compinit -D -u' % FOLDER)


if __name__ == '__main__':
    harness.main('rcptmap', 'rcptctl', 'openrcptd')
