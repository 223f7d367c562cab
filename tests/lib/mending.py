# SPDX-License-Identifier: BSD-2-Clause
"""What `rcptmap check-postfix` prints, carried out: findings, commands, and what is left then."""
import os
import pathlib
import subprocess

import harness

ROUNDS = 6              # a command may bring another mistake to light


def check(configuration, postfix_folder, *options):
    """Exit status, and all that was said."""
    done = subprocess.run(
        harness.command('rcptmap', 'check-postfix', '-c', configuration,
                        '--postfix-config', postfix_folder, *options),
        check=False, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding='utf-8')
    return done.returncode, done.stdout


def findings(text):
    """[(what, command)]"""
    lines = text.splitlines()
    if any(line.startswith(' ') for line in lines[0::2]) or \
            any(not line.startswith('    ') for line in lines[1::2]):
        raise AssertionError('not two lines a finding:\n' + text)
    return list(zip(lines[0::2], (line[4:] for line in lines[1::2])))


def settle(folder):
    """Let all files look an hour old: one that is fresh Postfix reads again and again."""
    for path in pathlib.Path(folder).iterdir():
        age = path.stat().st_mtime - 3600
        os.utime(path, (age, age))


def run(command):
    """In a shell, as an administrator would paste it."""
    folder = os.path.dirname(harness.program('rcptmap'))
    done = subprocess.run(
        ['/bin/sh', '-e'], input=command + '\n', check=False, timeout=120, encoding='utf-8',
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, 'PATH': '%s:/usr/sbin:/usr/bin:/sbin:/bin' % folder})
    if done.returncode:
        raise AssertionError('exit %d of\n%s\n%s' % (done.returncode, command, done.stdout))


def mend(configuration, postfix_folder):
    """Carry out all commands until there is nothing to say, or no command left; what is said
    then."""
    for _ in range(ROUNDS):
        status, text = check(configuration, postfix_folder)
        commands = [command for _, command in findings(text) if not command.startswith('#')]
        if not commands:
            return status, text
        for command in commands:
            run(command)
            settle(postfix_folder)
    raise AssertionError('it never ends:\n' + text)
