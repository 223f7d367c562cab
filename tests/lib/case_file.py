# SPDX-License-Identifier: BSD-2-Clause
"""Behaviour as data: what a table makes of a recipient (tests/cases/*.case).

A case is a block of lines; an empty line ends it. A block of nothing but `#` lines is a remark.

  # what the case is about
  table:    a line of the virtual(5) source; `|` marks where one begins that starts with blanks
  conf:     a line of openrcpt.conf
  compile:  options of rcptmap compile, such as --lenient
  rcpt:     what stands in RCPT TO, the brackets may be left out
  message:  `SMTPUTF8`, or nothing: whether the message asks for it; else, if rcpt isn't ASCII
  expect:   recipients separated by commas; or `deliver`, `foreign`; or `reply: ` and how the reply
            begins; or `defer 4.6.0`
  postfix:  `differs, because ...`: native aliasing gives another answer to this recipient

Several rcpt may follow one table.
"""
import os
import pathlib
import re

import addresses
import harness

FOLDER = harness.SOURCE / 'tests' / 'cases'


class BadCase(Exception):
    """A case file that nobody can read; the text says where."""


class Question:
    """One recipient and what is expected for it."""

    def __init__(self, rcpt, place):
        self.rcpt, self.place = rcpt, place
        self.expect = None
        self.difference = None          # why Postfix answers something else
        self.has_smtputf8 = not rcpt.isascii()

    @property
    def path(self):
        return self.rcpt if self.rcpt.startswith('<') else '<%s>' % self.rcpt

    @property
    def kind(self):
        """deliver, foreign, reply, defer or recipients."""
        word = self.expect.split()[0].rstrip(':')
        return word if word in ('deliver', 'foreign', 'reply', 'defer') else 'recipients'

    @property
    def reply(self):
        """How the expected reply begins."""
        if self.kind == 'defer':
            return '451 ' + self.expect.split()[1]
        return self.expect.partition(':')[2].strip()

    @property
    def recipients(self):
        return sorted(addresses.split_list(self.expect))


class Case:
    def __init__(self, title, place):
        self.title, self.place = title, place
        self.table, self.conf, self.options, self.questions = '', '', [], []

    @property
    def settings(self):
        return parse_settings(self.conf)

    def domains(self):
        """(alias domains, mailbox domains)."""
        settings = self.settings
        mailbox = settings.get('mailbox_domains', [])
        rows = re.findall(r'(?m)^([^\s#@"]+\.[^\s@"]+)[ \t]', self.table)
        alias = [*rows, *settings.get('alias_domains', [])]
        return [name for name in dict.fromkeys(alias) if name not in mailbox], mailbox


# ---- openrcpt.conf, as far as cases use it ---------------------------------------------


def parse_settings(text):
    """A libconfig text as a dictionary; groups become `group.name`."""
    settings = {}
    for group, inside in re.findall(r'(\w+)\s*=\s*\{(.*?)\}', text, re.S):
        for name, value in parse_settings(inside).items():
            settings[group + '.' + name] = value
    flat = re.sub(r'(\w+)\s*=\s*\{.*?\}\s*;?', '', text, flags=re.S)
    for name, value in re.findall(r'(\w+)\s*=\s*(\[.*?\]|".*?"|[^;]+);', flat, re.S):
        if value.startswith('['):
            settings[name] = re.findall(r'"(.*?)"', value)
        elif value.startswith('"'):
            settings[name] = value[1:-1]
        elif value.strip() in ('true', 'false'):
            settings[name] = value.strip() == 'true'
        else:
            settings[name] = int(value)
    return settings


def postfix_parameters(settings):
    """What the same settings are called in main.cf."""
    dot_domain = settings.get('append_dot_domain')
    return {
        'recipient_delimiter': settings.get('recipient_delimiter', '+'),
        'propagate_unmatched_extensions':
            'virtual' if settings.get('propagate_extension', True) else '',
        'mydestination': ' '.join(settings.get('local_domains', [])),
        'myorigin': settings.get('origin', 'origin.example'),
        'append_dot_mydomain': 'yes' if dot_domain else 'no',
        'mydomain': dot_domain or 'host.example',
        'virtual_alias_expansion_limit': settings.get('limits.expansion', 1000),
        'virtual_alias_recursion_limit': settings.get('limits.recursion', 1000),
        'virtual_alias_address_length_limit': settings.get('limits.address_bytes', 1000),
    }


# ---- case files ------------------------------------------------------------------------


def _blocks(path):
    """(number of the first line, lines) of each block."""
    block, start = [], 0
    with open(path, encoding='utf-8', newline='\n') as file:
        for number, line in enumerate([*file, '\n'], 1):
            if line.strip():
                start = start if block else number
                block.append(line.rstrip('\n'))
            elif block:
                yield start, block
                block = []


def _take_line(case, name, value, place):
    last = case.questions[-1] if case.questions else None
    if name == 'table':
        case.table += value.removeprefix('|') + '\n'
    elif name == 'conf':
        case.conf += value + '\n'
    elif name == 'compile':
        case.options = value.split()
    elif name == 'rcpt':
        case.questions.append(Question(value, place))
    elif last and name == 'message' and value in ('', 'SMTPUTF8'):
        last.has_smtputf8 = value == 'SMTPUTF8'
    elif last and name == 'expect' and not last.expect:
        last.expect = value
    elif last and name == 'postfix' and value.startswith('differs, because '):
        last.difference = value
    else:
        raise BadCase('%s: this line has no place here: %s: %s' % (place, name, value))


def read(path):
    """The cases of a file."""
    cases = []
    for start, block in _blocks(path):
        title = ' '.join(line.lstrip('# ') for line in block if line.startswith('#'))
        lines = [(number, line) for number, line in enumerate(block, start)
                 if not line.startswith('#')]
        if not lines:
            continue
        case = Case(title, '%s:%d' % (os.path.basename(path), start))
        for number, line in lines:
            place = '%s:%d' % (os.path.basename(path), number)
            name, colon, value = line.partition(':')
            if not colon:
                raise BadCase(place + ': no colon')
            _take_line(case, name.strip(), value.strip(' \t'), place)
        if not title or not case.questions or any(not q.expect for q in case.questions):
            raise BadCase(case.place + ': a case wants a title, rcpt, and expect for each')
        cases.append(case)
    return cases


def read_all(names=()):
    """The cases of the files NAMES, or of all in the folder."""
    paths = [pathlib.Path(name) for name in names] or sorted(FOLDER.glob('*.case'))
    return [case for path in paths for case in read(path)]
