# SPDX-License-Identifier: BSD-2-Clause
"""A schema of a panel: what we make of its database, and what Postfix makes of it through tables
with the panel's own queries.

tests/data/schemas/NAME.py has the data. TABLES and ROWS are statements; MEMBERS are settings of the
source; ALIAS_MAPS, MAILBOX_MAPS, DOMAIN_MAP and ALIAS_DOMAIN_MAP are queries for one key, as
Postfix asks them. ${NAME} in any of them is one of WORDS, where databases differ: a dictionary has
a text for each of DATABASES, a tuple is texts that are joined. Of a directory they are parameters of
a table's file, ROWS and CHANGES are LDIF, and ATTRIBUTES is what slapd has to know of them.

Each of LOCALS in each of DOMAINS is asked, with and without an extension, again after each of
CHANGES; those in UNCHANGED make no difference. Before the first and after the last one they are a
thousand, spelt in all ways. DIFFERENCES are names of CLASSES: what we answer otherwise, and
doc/databases.md tells. They must be seen; those in COMMON may be, with any schema."""
import importlib.util
import random
import re

import addresses
import harness
from databases import PostfixTables
from native import NOBODY, Native
from private_postfix import PrivatePostfix
from rcptmap_test import RcptmapTest

POSTFIX_TYPES = {'mysql': 'mysql', 'postgresql': 'pgsql', 'sqlite': 'sqlite', 'ldap': 'ldap'}


def local_part(address):
    """As it is compared."""
    return addresses.split(addresses.internal(address))[0].casefold()


def in_any_case(answer):
    return sorted(address.casefold() for address in answer)


def is_unknown_at_target(name, ours, theirs):
    """Whoever has no address in a domain has none in its other name: Postfix sees that late."""
    return ours is None and theirs is not None and len(theirs) == 1 and (
        local_part(theirs[0]) == local_part(name))


def is_extended(name, ours, theirs):
    """A catch-all that is asked by user@domain gets the extension put behind its targets."""
    return '+' in name and ours is not None and theirs is not None and (
        in_any_case(ours) == in_any_case(re.sub(r'\+.*@', '@', address) for address in theirs))


def is_catch_all(name, ours, theirs):
    """A catch-all that answers the first question goes before who has an address with an extension."""
    return '+' in name and ours is not None and theirs is not None and not all(
        '+' in address for address in theirs)


def is_pattern(name, ours, theirs):
    """A pattern is asked for the whole address, before a user without the extension."""
    return '+' in name and ours is not None and theirs is not None and (
        [local_part(address) for address in theirs] == [local_part(name)])


def is_case(_, ours, theirs):
    """Whose address is left as it is keeps its capitals; a row, or a query that makes an address of
    the key, has them in lower case."""
    return ours is not None and theirs is not None and (
        in_any_case(ours) == in_any_case(theirs))


CLASSES = {'unknown at the target': is_unknown_at_target, 'extension of a catch-all': is_extended,
           'pattern before an extension': is_pattern, 'capitals': is_case,
           'catch-all before an extension': is_catch_all}
COMMON = ('capitals',)

MANY = 1000
ACCENT = '\u00e4'
FOREIGN = ('dest.example', 'foreign.example', 'mx.a.example', 'example')
SPELLINGS = ('%s', '%s', '%s', '"%s"', '%s+x', '%s+x', '"%s+x"', '%s+News', '%s+a+b', '%s+', 'x%s',
             '%s.x', '%s-x', '%s_', '%s=x', "%s'", "%s''", '"%s x"', '"%s, x"', '"%s\\\\"')
CHANGES = (str, str, str, str, str.upper, str.capitalize, lambda text: text.replace('a', ACCENT))


def some_addresses(data):
    return ['%s@%s' % (local + extension, domain) for local in data.LOCALS
            for extension in ('', '+x') for domain in data.DOMAINS]


def many_addresses(data, seed=4711):
    """MANY, with those of some_addresses() in front: of who is there, was, will be and never is,
    and of the domains of others, as anybody might write them."""
    dice, made = random.Random(seed), dict.fromkeys(some_addresses(data))
    while len(made) < MANY:
        local = dice.choice(data.LOCALS + ('stranger%d' % dice.randrange(100),))
        domain = dice.choice(data.DOMAINS if dice.random() < 0.9 else FOREIGN)
        if dice.random() < 0.2:
            domain = domain.upper()
        made['%s@%s' % (dice.choice(SPELLINGS) % dice.choice(CHANGES)(local), domain)] = None
    return list(made)


def same_form(address):
    """Quotes only where they must be, and domains in lower case."""
    return addresses.with_lower_domain(addresses.external(addresses.internal(address)))


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


def statement(data, kind, text):
    """TEXT of DATA as a database of this KIND wants it."""
    return re.sub(r'\$\{(\w+)\}', lambda found: statement(data, kind, word(
        data.WORDS[found.group(1)], kind)), text)


class SchemaTest(RcptmapTest):
    def make_database(self, kind):
        raise NotImplementedError

    def statement(self, text):
        """TEXT for the database at hand."""
        return statement(self.data, self.database.TYPE, text)

    def write_postfix(self):
        """A Postfix that asks the database itself."""
        tables, kind = PostfixTables(self.shop.folder.path), POSTFIX_TYPES[self.database.TYPE]

        def table(name, query):
            if not isinstance(query, dict):
                query = {'query': ' '.join(self.statement(query).split())}
            path = tables.write(name, **{**self.database.parameters(), **query})
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
        found = {}
        for name, answer in zip(asked, Native(self.postfix, self.tenant).ask(
                ['<%s>' % name for name in asked])):
            if answer.reply is not None:        # and the database was there
                self.assertRegex(answer.reply, '^550 5.1.1 .*(User unknown|unknown user)', name)
            found[name] = None if answer.reply is not None else sorted(
                set(map(same_form, answer.recipients)))
        return found

    def ours(self, asked):
        found, verdicts = {}, set()
        for name, answer in zip(asked, self.shop.resolve(asked)):
            verdict = answer['verdict']
            verdicts.add(verdict)
            self.assertIn(verdict, ('foreign', 'deliver', 'expand', 'unknown'), (name, answer))
            found[name] = {'unknown': None, 'expand': sorted(set(
                map(same_form, answer.get('recipients', []))))}.get(verdict, [same_form(name)])
        if len(asked) >= MANY:
            self.assertEqual(len(verdicts), 4, verdicts)
        return found

    def check_accents(self, names, theirs):
        """A collation of MariaDB takes a letter with an accent for the one without."""
        self.assertTrue(not names or self.database.TYPE == 'mysql', names)
        without = self.theirs([name.replace(ACCENT, 'a') for name in names])
        for name in names:
            # What a query makes of the key has it still.
            self.assertEqual([address.replace(ACCENT, 'a') for address in theirs[name] or ()],
                             without[name.replace(ACCENT, 'a')] or [], name)

    def compare(self, asked, after):
        said = self.shop.compile('--force', *getattr(self.data, 'OPTIONS', ()))
        ours, theirs = self.ours(asked), self.theirs(asked)
        named = getattr(self.data, 'DIFFERENCES', ())
        seen, accents = set(), []
        for name in asked:
            if ours[name] == theirs[name]:
                continue
            found = [kind for kind in (*named, *COMMON)
                     if CLASSES[kind](name, ours[name], theirs[name])]
            if not found and ACCENT in name:
                accents.append(name)
                continue
            self.assertNotEqual(found, [], (after, name, ours[name], theirs[name], said))
            seen |= set(found)
        self.check_accents(accents, theirs)
        if after is None:
            self.assertEqual(seen - set(COMMON), set(named))
        return ours

    def write_capitals(self):
        """All that stands in the rows; the database sees no difference."""
        for table, column in self.database.run(
                "SELECT table_name, column_name FROM information_schema.columns WHERE "
                "table_schema = DATABASE() AND data_type IN ('char', 'varchar', 'text')"):
            self.database.run('UPDATE `%s` SET %s = UPPER(%s)' % (table, column, column))

    def check(self, name, kind):
        self.data = load(name)
        self.shop = self.workshop()
        self.database = self.make_database(kind)
        for statement in (getattr(self.data, 'TABLES', '') + self.data.ROWS).split(';\n'):
            if statement.strip():
                self.database.run(self.statement(statement))
        self.shop.write_configuration(recipient_delimiter='+', sources=[
            {'type': kind, **self.database.connection(), 'schema': name,
             **getattr(self.data, 'MEMBERS', {})}])
        some, many = some_addresses(self.data), many_addresses(self.data)
        self.write_postfix()
        with self.postfix:
            before = self.compare(many, None)
            self.assertGreater(len({str(answer) for answer in before.values()}), 5)
            for change in self.data.CHANGES:
                self.database.run(self.statement(change))
                is_last = change == self.data.CHANGES[-1]
                after = self.compare(many if is_last else some, change)
                if change not in getattr(self.data, 'UNCHANGED', ()):
                    self.assertFalse(all(before[name] == after[name] for name in some), change)
                before = after
            if kind == 'mysql':
                self.write_capitals()
                self.compare(some, 'rows in capitals')
