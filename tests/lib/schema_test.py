# SPDX-License-Identifier: BSD-2-Clause
"""A schema of a panel: what we make of its database, and what Postfix makes of it through tables
with the panel's own queries.

tests/data/schemas/NAME.py has the data. TABLES and ROWS are statements; MEMBERS are settings of the
source; ALIAS_MAPS, MAILBOX_MAPS, DOMAIN_MAP and ALIAS_DOMAIN_MAP are queries for one key, as
Postfix asks them. ${NAME} in any of them is one of WORDS, where databases differ: a dictionary has
a text for each of DATABASES, a tuple is texts that are joined. Each of LOCALS in each of DOMAINS is asked, with and without an extension, again
after each of CHANGES; those in UNCHANGED make no difference. DIFFERENCES are names of CLASSES:
what we answer otherwise, and doc/databases.md tells."""
import importlib.util
import re

import harness
from databases import PostfixTables
from native import NOBODY, Native
from private_postfix import PrivatePostfix
from rcptmap_test import RcptmapTest

POSTFIX_TYPES = {'mysql': 'mysql', 'postgresql': 'pgsql', 'sqlite': 'sqlite'}


def is_unknown_at_target(name, ours, theirs):
    """Whoever has no address in a domain has none in its other name: Postfix sees that late."""
    return ours is None and theirs is not None and len(theirs) == 1 and (
        theirs[0].split('@')[0] == name.split('@')[0])


def is_extended(name, ours, theirs):
    """A catch-all that is asked by user@domain gets the extension put behind its targets."""
    return '+' in name and ours is not None and theirs is not None and ours == sorted(
        re.sub(r'\+.*@', '@', address) for address in theirs)


def is_pattern(name, ours, theirs):
    """A pattern is asked for the whole address, before a user without the extension."""
    return '+' in name and ours is not None and theirs is not None and (
        [address.split('@')[0] for address in theirs] == [name.split('@')[0]])


CLASSES = {'unknown at the target': is_unknown_at_target, 'extension of a catch-all': is_extended,
           'pattern before an extension': is_pattern}


def load(name):
    """What tests/data/schemas/NAME.py says."""
    path = harness.SOURCE / 'tests' / 'data' / 'schemas' / ('%s.py' % name)
    spec = importlib.util.spec_from_file_location('schema_' + name, str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def word(value, kind):
    """What VALUE, one of WORDS, is for databases of type KIND."""
    if isinstance(value, dict):
        return value[kind]
    return 'CONCAT(%s)' % ', '.join(value) if kind == 'mysql' else '(%s)' % ' || '.join(value)


def names():
    """All schemas that are installed."""
    return sorted(path.stem for path in (harness.SOURCE / 'conf' / 'schemas').glob('*.conf'))


class SchemaTest(RcptmapTest):
    def make_database(self, kind):
        raise NotImplementedError

    def statement(self, text):
        """TEXT for the database at hand."""
        return re.sub(r'\$\{(\w+)\}', lambda found: word(
            self.data.WORDS[found.group(1)], self.database.TYPE), text)

    def write_postfix(self):
        """A Postfix that asks the database itself."""
        tables, kind = PostfixTables(self.shop.folder.path), POSTFIX_TYPES[self.database.TYPE]

        def table(name, query):
            path = tables.write(name, **self.database.parameters(),
                                query=' '.join(self.statement(query).split()))
            path.chmod(0o644)
            return '%s:%s' % (kind, path)

        def maps(name):
            return ', '.join(table('%s%d' % (name.lower(), number), query) for number, query
                             in enumerate(getattr(self.data, name, ())))
        alias_domains = getattr(self.data, 'ALIAS_DOMAIN_MAP', None)
        self.shop.folder.path.chmod(0o755)
        self.postfix = PrivatePostfix()
        self.addCleanup(self.postfix.close)
        self.tenant = self.postfix.add_tenant('native', {
            'virtual_alias_maps': maps('ALIAS_MAPS'), 'myorigin': 'origin.example',
            'virtual_alias_domains': table('alias_domains', alias_domains) if alias_domains
                                     else '',
            'virtual_mailbox_domains': table('domains', self.data.DOMAIN_MAP),
            'virtual_mailbox_maps': maps('MAILBOX_MAPS') or NOBODY, 'recipient_delimiter': '+',
            # A process remembers what it was told: so each serves once.
            'duplicate_filter_limit': '0', 'max_use': '1'})

    def theirs(self, asked):
        answers = Native(self.postfix, self.tenant).ask(['<%s>' % name for name in asked])
        return {name: None if answer.reply is not None else sorted(set(answer.recipients))
                for name, answer in zip(asked, answers)}

    def ours(self, asked):
        found = {}
        for name, answer in zip(asked, self.shop.resolve(asked)):
            verdict = answer['verdict']
            self.assertIn(verdict, ('foreign', 'deliver', 'expand', 'unknown'), (name, answer))
            found[name] = {'unknown': None, 'expand': sorted(set(answer.get('recipients', [])))
                           }.get(verdict, [name])
        return found

    def compare(self, asked, after):
        said = self.shop.compile('--force', *getattr(self.data, 'OPTIONS', ()))
        ours, theirs = self.ours(asked), self.theirs(asked)
        seen = set()
        for name in asked:
            if ours[name] == theirs[name]:
                continue
            found = [kind for kind in getattr(self.data, 'DIFFERENCES', ())
                     if CLASSES[kind](name, ours[name], theirs[name])]
            self.assertNotEqual(found, [], (after, name, ours[name], theirs[name], said))
            seen |= set(found)
        if after is None:
            self.assertEqual(seen, set(getattr(self.data, 'DIFFERENCES', ())))
        return ours

    def check(self, name, kind):
        self.data = load(name)
        self.shop = self.workshop()
        self.database = self.make_database(kind)
        for statement in (self.data.TABLES + self.data.ROWS).split(';\n'):
            if statement.strip():
                self.database.run(self.statement(statement))
        self.shop.write_configuration(recipient_delimiter='+', sources=[
            {'type': kind, **self.database.connection(), 'schema': name,
             **getattr(self.data, 'MEMBERS', {})}])
        asked = ['%s@%s' % (local + extension, domain) for local in self.data.LOCALS
                 for extension in ('', '+x') for domain in self.data.DOMAINS]
        self.write_postfix()
        with self.postfix:
            before = self.compare(asked, None)
            self.assertGreater(len({str(answer) for answer in before.values()}), 5)
            for change in self.data.CHANGES:
                self.database.run(self.statement(change))
                after = self.compare(asked, change)
                if change not in getattr(self.data, 'UNCHANGED', ()):
                    self.assertNotEqual(before, after, change)
                before = after
