# SPDX-License-Identifier: BSD-2-Clause
"""Makes up pattern tables, regexp_table(5) and pcre_table(5), about the users of a scenario."""
import re

STEMS = ['ann', 'bob', 'carl', 'dora', 'eve', 'list', 'news-1', 'jürgen', '"g h"', '"p,q"',
         'p1', 'q2', 'nobody']
BYTES = ['j..rgen', '.[^@]{2}', '[a-e]+', '[^+@]+', 'n[a-z]*[0-9]*', '.*', '(a|b|c).*']


def literal(text):
    """TEXT as an expression of either kind."""
    return ''.join('\\' + c if c in '.+*?()[]{}|^$\\/' else c for c in text)


class PatternTable:
    """kind: regexp or pcre."""

    def __init__(self, scenario, kind):
        self.scenario, self.rng, self.kind = scenario, scenario.rng, kind
        self.lines, depth = [], 0
        for _ in range(self.rng.randint(1, 6)):
            chance = self.rng.random()
            if chance < 0.1:
                self.lines.append('if %s/%s/' % (self.rng.choice(['', '!']),
                                                 self.rng.choice(['^[a-m]', '@.*e', r'[+-].*@'])))
                depth += 1
            elif chance < 0.15 and depth:
                self.lines.append('endif')
                depth -= 1
            self.lines.append(self.rng.choices(
                [self.user, self.extended, self.domain, self.moved, self.somewhere, self.negated,
                 self.excepted, self.renamed, self.inner, self.everything],
                [6, 3, 2, 1, 2, 1, 2, 2, 0 if scenario.is_strict else 3, 0.3])[0]())
        self.lines += ['endif'] * depth
        self.text = '\n'.join(self.lines) + '\n'

    @property
    def tells_case(self):
        """Is there a rule that tells upper from lower case? Letters beyond ASCII are but bytes."""
        return (re.search('(?m)^.*/i', self.text) is not None
                or any(not line.rpartition('/')[0].isascii() for line in self.lines))

    def substitutes(self, address):
        """Could a rule put parts of ADDRESS into its result? Blocks are not looked at."""
        rules = [re.match('/(.*)/.*? .*[$][{(]', line) for line in self.lines]
        return any(re.search(rule.group(1).encode(), address.encode(), re.I | re.S)
                   for rule in rules if rule)

    # ---- pieces ------------------------------------------------------------------------

    def _domain(self):
        """The end of an expression: one of the domains that have keys, or several."""
        name = self.rng.choice(self.scenario.alias + self.scenario.mailbox + self.scenario.free)
        return self.rng.choice(['@%s$', '@%s$', '@%s$', '@%s']) % self.rng.choice(
            [literal(name), literal(name), literal(name.upper()), '(?:alias|second)\\.example'
             if self.kind == 'pcre' else '[as].*\\.example'])

    def _flags(self):
        return self.rng.choice(['', '', '', '', 'i', 'm'] + (
            ['s', 'E'] if self.kind == 'pcre' else []))

    def _group(self, number):
        return self.rng.choice(['${%d}', '$(%d)']) % number

    def _fixed(self):
        """A result without groups."""
        if self.rng.random() < 0.1 and self.scenario.has_replies:
            return self.scenario.special()
        return ', '.join(self.scenario.foreign() for _ in range(self.rng.choice([1, 1, 2])))

    def _user(self):
        return self.rng.choice([literal(self.rng.choice(STEMS)), self.rng.choice(BYTES)])

    # ---- rules -------------------------------------------------------------------------

    def user(self):
        return '/^%s%s/%s %s' % (self._user(), self._domain(), self._flags(), self._fixed())

    def extended(self):
        """The extension goes elsewhere."""
        mark = self.rng.choice(['\\+', '-', '[+.-]', '\\.'])
        return '/^([^@]*)%s([^@]*)%s/ %s.%s@far.example' % (
            mark, self._domain(), self._group(1), self._group(2))

    def domain(self):
        return '/^(%s)%s/ %s' % (self.rng.choice(['.*', '[a-m].*', '[^@]+']), self._domain(),
                                 self.rng.choice(['%s@far.example', 'all-%s@third.test',
                                                  'x@far.example, %s@third.test'])
                                 % self._group(1))

    def moved(self):
        """`@other` keeps the user."""
        return '/^%s%s/ @%s' % (self._user(), self._domain(), 'third.test')

    def somewhere(self):
        return '/%s/%s %s' % (self.rng.choice(['own', 'News', 'b.*x', 'ü', '^.?"', '2@']),
                              self._flags(), self._fixed())

    def negated(self):
        return '!/@.*(example|test|invalid)$/ %s' % self._fixed()

    def excepted(self):
        """But not these; regexp has a form of its own for it."""
        if self.kind == 'regexp':
            return '/^[a-e].*%s/%s!/[+-]|^b/%s %s' % (
                self._domain(), self._flags(), self._flags(), self._fixed())
        return '/^(?![bc])[a-e].*%s/%s %s' % (self._domain(), self._flags(), self._fixed())

    def renamed(self):
        """The domain is made of groups."""
        return '/^(%s)@([a-z]+)\\.example$/ %s@%s.test' % (
            self.rng.choice(STEMS[:6]), self._group(1), self._group(2))

    def inner(self):
        """Leads to where patterns are asked again."""
        return '/^%s%s/%s %s' % (self._user(), self._domain(), self._flags(),
                                 self.scenario.target())

    def everything(self):
        return '/@/ someone@far.example'
