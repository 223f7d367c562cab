# SPDX-License-Identifier: BSD-2-Clause
"""The guide for administrators, doc/postfix.md, as something that tests carry out.

Each block of code in it that has a kind (```sh, ```main.cf, ```master.cf, ```openrcpt.conf) is meant
to be used as it is. Tests change nothing in it but domains, ports and paths.
"""
import re
import subprocess

import harness

PAGE = harness.SOURCE / 'doc' / 'postfix.md'


def section(heading):
    """The text under a heading such as `### Blind copies`, up to the next one of its level."""
    page = PAGE.read_text(encoding='utf-8')
    level = len(heading.split()[0])
    found = re.search(r'^%s\n(.*?)(?=^#{1,%d} |\Z)' % (re.escape(heading), level), page,
                      re.M | re.S)
    if not found:
        raise AssertionError('%s has no %s' % (PAGE, heading))
    return found.group(1)


def blocks(text):
    """[(kind, text)]: the blocks of code; one without a kind is an example, and has ''."""
    return re.findall(r'^```([\w.]*)\n(.*?)^```$', text, re.M | re.S)


def only(heading, kind):
    """The one block of that kind under HEADING itself, subsections left out."""
    found = [text for name, text in blocks(section(heading).partition('\n##')[0]) if name == kind]
    if len(found) != 1:
        raise AssertionError('%s: %d blocks of %s' % (heading, len(found), kind))
    return found[0]


def main_cf(text):
    """{parameter: value}"""
    return dict(re.split(r'\s*=\s*', line, maxsplit=1) for line in text.splitlines())


def check_postfix(daemon, postfix):
    """What `rcptmap check-postfix` says about a private Postfix."""
    done = subprocess.run(
        harness.command('rcptmap', 'check-postfix', '-c', daemon.configuration,
                        '--postfix-config', postfix.etc),
        check=False, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding='utf-8')
    return done.stdout
