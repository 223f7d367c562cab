# SPDX-License-Identifier: BSD-2-Clause
"""Databases for tests: files of SQLite, and what Postfix's own tables say of the same data."""
import os
import random
import re
import shutil
import sqlite3
import subprocess

import harness

DOMAINS = ('one.example', 'two.example', 'three.example')


def random_rows(seed, count=300):
    """Rows (id, address, goto, active) of a table `alias` with the quirks of real ones."""
    chosen = random.Random(seed)
    rows = []
    for number in range(1, count + 1):
        domain = chosen.choice(DOMAINS)
        local = '' if number % 60 == 0 else chosen.choice(
            ('user%d', "o'neil%d", "''%d", 'a.b+%d', 'u_%d', 'a/b-%d', '{x}$%d')) % number
        goto = ['%s%d@%s' % (chosen.choice('xyz'), chosen.randrange(99), chosen.choice(
            ('dest.example', 'else.example'))) for _ in range(chosen.randrange(1, 4))]
        goto = chosen.choice((',', ', ', ' ', '\n')).join(goto)
        if chosen.random() < 0.05:
            goto = chosen.choice((None, ''))
        rows.append((number, '%s@%s' % (local, domain), goto, chosen.random() < 0.9))
        if chosen.random() < 0.1:       # one row a target
            rows.append((1000 + number, rows[-1][1], 'second@dest.example', True))
    return rows


def keys_of(rows):
    """What to ask: each key, some that nobody has, and capitals."""
    keys = sorted({row[1] for row in rows})
    return keys + ['nobody@one.example', '@nowhere.example', 'user1@nowhere.example',
                   keys[len(keys) // 2].upper()]


class Sqlite:
    """A file of SQLite."""

    TYPE = 'sqlite'
    ACTIVE = 'active = 1'
    PARTS = ("SELECT goto FROM alias WHERE substr(address, 1, instr(address, '@') - 1) = '%u' AND "
             "substr(address, instr(address, '@') + 1) = '%d'")

    def __init__(self, folder):
        self.path = folder / 'data.sqlite'
        self.run('CREATE TABLE alias (id INTEGER PRIMARY KEY, address TEXT, goto TEXT, '
                 'active INTEGER)')
        self.path.chmod(0o644)

    def run(self, statement, *values):
        with sqlite3.connect(str(self.path)) as connection:
            found = connection.execute(statement, *values).fetchall()
        connection.close()
        return found

    def fill(self, rows):
        with sqlite3.connect(str(self.path)) as connection:
            connection.executemany('INSERT INTO alias VALUES (?, ?, ?, ?)', rows)
        connection.close()

    def parameters(self):
        """How a table file of Postfix reaches it."""
        return {'dbpath': self.path}

    def connection(self):
        """The same for members of a source."""
        return {'connection': self.path}


class PostfixTables:
    """Table files, and Postfix's postmap to ask them."""

    def __init__(self, folder):
        self.folder = folder
        self.etc = folder / 'postfix'
        self.etc.mkdir(mode=0o755)
        (self.etc / 'main.cf').write_text('compatibility_level = 3.6\n', encoding='utf-8')

    def write(self, name, **parameters):
        path = self.folder / ('%s.cf' % name)
        path.write_text(''.join('%s = %s\n' % pair for pair in parameters.items()),
                        encoding='utf-8')
        path.chmod(0o640)
        return path

    def ask(self, kind, path, keys):
        """A dictionary of what Postfix finds: key → targets."""
        if not shutil.which('postmap'):
            raise harness.Missing('no postmap')
        done = subprocess.run(
            ['postmap', '-c', str(self.etc), '-q', '-', '%s:%s' % (kind, path)], check=False,
            input=''.join(key + '\n' for key in keys), encoding='utf-8', stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
        wrong = [line for line in done.stderr.splitlines() if 'empty lookup result' not in line]
        if wrong or done.returncode not in (0, 1):
            raise AssertionError('postmap: exit %d: %s' % (done.returncode, done.stderr))
        return answers(done.stdout)


def answers(text):
    """`key TAB targets` lines as a dictionary. A value with a line break in it has several."""
    found = {}
    key = None
    for line in text.split('\n'):
        if '\t' in line:
            key, line = line.split('\t', 1)
            found[key] = []
        if key is not None:
            found[key] += [word for word in re.split(r'[,\s]+', line) if word]
    return found
