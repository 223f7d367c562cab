# SPDX-License-Identifier: BSD-2-Clause
"""Makes up tables, addresses and messages; the same seed makes the same ones.

A scenario is one site: settings, sources and what clients ask. Its words are few on purpose, so
that rows meet, chain, loop and contradict one another. A *strict* scenario has only rows that the
compiler takes without --lenient.

Postfix gets the same sources, as far as it knows their like. What it does not know, `error:` and
`discard:`, are targets in a domain of their own there; see native.Answer.
"""
import random
import re
import unicodedata

from random_patterns import PatternTable

STEMS = ("ann bob carl dora eve o'neil x=y {z} a.b list list-request owner-list postmaster"
         " mailer-daemon double-bounce +plus bob-x ann+news news-1").split()
QUOTED_STEMS = ['g h', 'p,q', '(r)', '.dot', 'two..dots', 'bar"q', 'back\\s', 'semi;c']
WIDE_STEMS = ['jürgen', 'straße', 'σίσυφος', 'łódź', 'inci̇', 'ﬁnn']
EXTENSIONS = ['x', 'News', 'x', '', 'y+z', 'y-z', 'ü', 'own']
FOREIGN = ['far.example', 'far.example', 'Else.Example', 'third.test', 'łódka.example']
AGREED = 0.93           # spellings below this nobody reads differently
PLAIN_BYTES = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                  "!#$%&'*+-/=?^_`{|}~.")


def needs_quotes(local):
    return (not local or local[0] == '.' or local[-1] == '.' or '..' in local
            or any(c.isascii() and c not in PLAIN_BYTES for c in local))


def quote(local):
    if not needs_quotes(local):
        return local
    return '"%s"' % local.replace('\\', '\\\\').replace('"', '\\"')


def written(local, domain):
    return quote(local) + ('@' + domain if domain else '')


# What Postfix does not know, `error:` and `discard:`, is a target in a domain of its own there.
# Behind the value stands a mark with its number until the text is made for one of the two.
SPECIAL_DOMAIN = 'entry.invalid'
SPECIAL_TABLE = '/^("?entry[0-9].*@entry\\.invalid)$/ $1\n'      # asked first: it stays as it is


def text_for_us(text):
    return re.sub('\x02\\d+\x03', '', text)


def text_for_postfix(text):
    return re.sub('(error|discard):[^\\n\x02]*\x02(\\d+)\x03', r'entry\2@' + SPECIAL_DOMAIN, text)


class Scenario:
    """settings as for openrcpt.conf; rows of (key, [targets]); sources of (type, text), and the
    same ones as Postfix gets them: (type of map, text)."""

    def __init__(self, seed, is_strict):
        self.seed, self.is_strict = seed, is_strict
        self.rng = random.Random(seed)
        self.rows, self.users = [], []          # users: (local, domain) that some key is about
        self.replies = []                       # (code and enhanced code, or None: discard)
        self._choose_settings()
        for _ in range(self.rng.randint(6, 40)):
            self.rng.choice(self._recipes())()
        if not is_strict:
            self.rng.shuffle(self.rows)
        self.patterns = [PatternTable(self, self.rng.choice(['regexp', 'pcre', 'pcre']))
                         for _ in range(self.rng.choice([0, 0, 1, 1, 2]))]
        self._make_sources()
        # What the compiler would refuse of a strict scenario comes from its patterns.
        self.is_lenient = not is_strict or bool(self.patterns)

    # ---- settings ----------------------------------------------------------------------

    def _choose_settings(self):
        pick = self.rng.choice
        self.alias = ['alias.example', 'second.example'] + pick([[], [], ['bücher.example']])
        self.mailbox = pick([[], ['mail.example']])
        self.free = ['free.example']            # has keys, is not ours
        self.local = pick([[], ['local.example'], ['local.example', 'host.example']])
        self.origin = pick(['home.example', 'home.example', *self.local])
        self.delimiter = pick(['+', '+', '+', '', '-', '+-', '.', '.+'])
        self.limits = {
            'expansion': pick([1000, 1000, 6]), 'recursion': pick([40, 40, 5]),
            'address_bytes': pick([1000, 1000, 64])}
        if self.is_strict:
            self.limits = dict.fromkeys(self.limits, 1000)
        # Where Postfix has to go one hop further for them they would meet another limit.
        self.has_replies = self.limits['recursion'] > 20
        declared = self.rng.randrange(len(self.alias) + 1)      # the others by a row or a list
        self.listed_domains = self.alias[declared:] if self.rng.random() < 0.3 else []
        if not self.listed_domains:
            self.rows += [(name, ['domain']) for name in self.alias[declared:]]
        self.settings = {
            'alias_domains': self.alias[:declared], 'mailbox_domains': self.mailbox,
            'local_domains': self.local, 'origin': self.origin,
            'recipient_delimiter': self.delimiter,
            'propagate_extension': pick([True, True, False]),
            'append_dot_domain': pick(['', '', 'dot.example']), 'limits': self.limits}

    # ---- words -------------------------------------------------------------------------

    def stem(self):
        return self.rng.choice(self.rng.choices([STEMS, QUOTED_STEMS, WIDE_STEMS], [7, 1, 1])[0])

    def domain_with_keys(self):
        return self.rng.choice(self.alias * 2 + self.mailbox + self.free)

    def new_user(self, domain=None):
        """Somebody in a domain that has keys, and nobody yet in a strict scenario."""
        domain = domain if domain is not None else self.domain_with_keys()
        local = self.stem()
        if self.is_strict:
            local += str(len(self.rows))
        return local, domain

    def foreign(self):
        return written(self.stem(), self.rng.choice(FOREIGN))

    def known(self):
        """A target that some earlier row answers, which strict rows may have."""
        return written(*self.rng.choice(self.users)) if self.users else self.foreign()

    def target(self):
        kinds = [self.foreign, self.known]
        if not self.is_strict:
            kinds += [lambda: written(*self.new_user()), lambda: quote(self.stem()),
                      lambda: written(self.stem(), 'nodot'),
                      lambda: written(self.stem(), self.rng.choice(self.local or FOREIGN))]
            return self.rng.choices(kinds, [8, 6, 3, 1, 1, 1])[0]()
        return self.rng.choice(kinds)()

    def special(self):
        """The right-hand side of somebody who gets no mail."""
        number, text = len(self.replies), 'entry %d' % len(self.replies)
        value, status = self.rng.choice([
            ('error:5.2.1:550 ' + text, '550 5.2.1'), ('error:4.2.1:450 ' + text, '450 4.2.1'),
            ('error:550 5.7.1 ' + text, '550 5.7.1'), ('error:nouser ' + text, '550 5.1.1'),
            ('discard:', None)])
        self.replies.append(status)
        return '%s\x02%d\x03' % (value, number)

    def targets(self, least, most):
        return [self.target() for _ in range(self.rng.randint(least, most))]

    def add(self, user, targets):
        self.rows.append((written(*user), targets))
        self.users.append(user)

    # ---- recipes: a few rows about one thing -------------------------------------------

    def _recipes(self):
        common = [self.single, self.single, self.listed, self.chain, self.diamond, self.with_self,
                  self.everybody, self.moved_user, self.with_extension, self.bare_user,
                  self.far_spelling]
        if self.has_replies:
            common.append(self.without_mail)
        return common if self.is_strict else common + [
            self.circle, self.circle_with_self, self.twice, self.wide, self.deep, self.long,
            self.growing]

    def single(self):
        self.add(self.new_user(), self.targets(1, 1))

    def listed(self):
        self.add(self.new_user(), self.targets(2, 5))

    def chain(self):
        users = [(self.rng.choice('pqr') + str(i), self.domain_with_keys())
                 for i in range(self.rng.randint(2, 7))]
        if self.is_strict:
            users = [('%s-%d' % (local, len(self.rows)), domain) for local, domain in users]
        self.add(users[-1], [self.foreign()])
        for user, following in reversed(list(zip(users, users[1:]))):
            self.add(user, [written(*following)])

    def diamond(self):
        left, right, shared = self.new_user(), self.new_user(), self.foreign()
        if self.is_strict:
            left, right = (left[0] + 'l', left[1]), (right[0] + 'r', right[1])
        self.add(left, [shared, *self.targets(0, 2)])
        self.add(right, [shared, *self.targets(0, 2)])
        self.add(self.new_user(), [written(*left), written(*right), shared])

    def with_self(self):
        user = self.new_user(self.rng.choice(self.mailbox + self.free) if self.is_strict else None)
        own = self.rng.choice([str, str.swapcase])(written(*user))
        self.add(user, self.rng.choice([[own], [own, self.foreign()], [self.foreign(), own]]))

    def everybody(self):
        domain = self.domain_with_keys()
        if self.is_strict and any(key == '@' + domain for key, _ in self.rows):
            return
        others = [name for name in FOREIGN + ([] if self.is_strict else self.alias)]
        values = self.rng.choice([[self.foreign()], [self.foreign(), self.foreign()],
                                  ['@' + self.rng.choice(others)]])
        self.rows.append(('@' + domain, values))

    def without_mail(self):
        user = self.new_user()
        self.add(user, [self.special()])
        if self.rng.random() < 0.5:
            self.add(self.new_user(), [written(*user), *self.targets(0, 1)])

    def moved_user(self):
        self.add(self.new_user(), ['@' + self.rng.choice(FOREIGN)])

    def with_extension(self):
        local, domain = self.new_user()
        mark = self.rng.choice(self.delimiter or '+')
        self.add((local + mark + self.rng.choice(EXTENSIONS), domain), self.targets(1, 2))
        if self.rng.random() < 0.5:
            self.add((local, domain), self.targets(1, 2))

    def bare_user(self):
        # A bare key with a dot reads like the row of a domain.
        local, _ = self.new_user('')
        if '.' not in local:
            self.add((local, ''), self.targets(1, 2))

    def far_spelling(self):
        local, domain = self.new_user()
        self.rows.append((written(local, domain).swapcase(), self.targets(1, 1)))
        self.users.append((local, domain))

    def circle(self):
        users = [(self.rng.choice('uvw') + str(i), self.domain_with_keys())
                 for i in range(self.rng.randint(2, 4))]
        for user, following in zip(users, users[1:] + users[:1]):
            self.add(user, [written(*following), *self.targets(0, 1)])

    def circle_with_self(self):
        """No loop: one of them is an address of its own."""
        users = [(self.rng.choice('stu') + str(i), self.domain_with_keys())
                 for i in range(self.rng.randint(2, 4))]
        for user, following in zip(users, users[1:] + users[:1]):
            own = [written(*user)] if user is users[0] else []
            self.add(user, own + [written(*following), *self.targets(0, 1)])

    def twice(self):
        user = self.new_user()
        self.add(user, self.targets(1, 2))
        self.rows.append((written(*user).upper(), self.targets(1, 2)))

    def wide(self):
        count = self.limits['expansion'] + self.rng.randint(-1, 1)
        if count < 20:
            self.add(self.new_user(), ['w%d@far.example' % i for i in range(count)])

    def deep(self):
        count = self.limits['recursion'] + self.rng.randint(-2, 1)
        if count < 20:
            for i in range(count):
                self.add(('deep%d' % i, 'alias.example'), ['deep%d@alias.example' % (i + 1)])
            self.add(('deep%d' % count, 'alias.example'), [self.foreign()])

    def long(self):
        size = self.limits['address_bytes'] + self.rng.randint(-3, 1) - len('@far.example')
        if size < 200:
            self.add(self.new_user(), ['l' * size + '@far.example'])

    def growing(self):
        local, domain = self.new_user()
        mark = self.rng.choice(self.delimiter or '+')
        self.add((local, domain), [written(local + mark + 'more', domain), self.foreign()])

    # ---- text --------------------------------------------------------------------------

    def _make_sources(self):
        """Rows go to one to three tables, some of the bare ones to an aliases(5); lists and
        patterns come in between."""
        rng, self.sources, self.native_sources = self.rng, [], []
        parts = [[] for _ in range(rng.choice([1, 1, 2, 3]))]
        bare = []
        for row in self.rows:
            is_alias = row[0].isalnum() and row[0].isascii() and rng.random() < 0.5
            # In aliases(5) that is a mailbox past all aliases, and left to local(8).
            if any(value.partition('@')[0].casefold() == row[0].casefold() for value in row[1]):
                is_alias = False
            (bare if is_alias and not row[1][0].startswith('@') else rng.choice(parts)).append(row)
        made = [('virtual', 'hash', part) for part in parts]
        if bare:
            made.append(('aliases', 'hash', bare))
        made += [(table.kind, table.kind, table) for table in self.patterns]
        rng.shuffle(made)
        for kind, native_kind, rows in made:
            if isinstance(rows, PatternTable):
                ours = theirs = rows.text
            else:
                ours = theirs = self._layout(rows, kind == 'aliases')
                if kind == 'aliases':
                    theirs = self._layout(rows, False)
            self.sources.append((kind, text_for_us(ours)))
            self.native_sources.append((native_kind, text_for_postfix(theirs)))
        if self.listed_domains:
            self.sources.append(('domains', '\n'.join(self.listed_domains) + '\n'))

    def _layout(self, rows, is_aliases):
        pick, lines = self.rng.choice, []
        for key, values in rows:
            between = pick([', ', ', ', ',', ' ', ' , ', ',\n    ', ',\n# remark\n\t', '\n  '])
            if is_aliases:
                lines.append(key + pick([': ', ':', ':\t']) + ', '.join(values))
                continue
            lines.append(key + pick([' ', '\t', '    ']) + between.join(values) + pick(['', ' ']))
            if self.rng.random() < 0.1:
                lines.append(pick(['# remark', '', '   # indented remark']))
        return '\n'.join(lines) + pick(['\n', ''])

    # ---- questions ---------------------------------------------------------------------

    def _subject(self):
        """Somebody to ask about."""
        pick = self.rng.choice
        kind = self.rng.random()
        if kind < 0.6 and self.users:
            local, domain = pick(self.users)
            return local, domain or pick(self.local + [self.origin])
        if kind < 0.85:
            return self.stem(), pick(self.alias + self.mailbox + self.free + self.local)
        if kind < 0.93:
            return 'nobody%d' % self.rng.randrange(99), pick(self.alias + self.mailbox)
        return self.stem(), pick(FOREIGN + [self.origin, ''])

    def _extended(self, local):
        if self.rng.random() < 0.3:
            mark = self.rng.choice(self.delimiter or '+-')
            return local + mark + self.rng.choice(EXTENSIONS)
        return local

    def _spelled(self, local, domain, most):
        """One of the ways to write an address in RCPT TO; MOST below 1 leaves the odder out."""
        rng, plain = self.rng, written(local, domain)
        kind = rng.random() * most
        if kind < 0.6:
            return '<%s>' % plain
        if kind < 0.75:
            return '<%s>' % rng.choice([str.upper, str.swapcase, str.title])(plain)
        if kind < 0.8 and not needs_quotes(local):
            return '<%s>' % ('"%s"@%s' % (local, domain) if domain else '"%s"' % local)
        if kind < 0.84 and domain and local and local[0] not in '"\\' and local[0].isascii():
            return '<"\\%s"@%s>' % (local.replace('\\', '\\\\').replace('"', '\\"'), domain)
        if kind < 0.88 and domain:
            return '<%s.>' % plain
        if kind < 0.91 and domain:
            return '<@relay.example:%s>' % plain
        if kind < 0.93:
            return rng.choice(['<(remark)%s>', '<%s (remark)>', '< %s >']) % plain
        if kind < 0.95:
            return '<%s>' % unicodedata.normalize('NFD', plain)
        if kind < 0.97 and not domain.isascii():
            return '<%s>' % written(local, domain.encode('idna').decode())
        if kind < 0.98 and domain:
            form = '<%s%%%s@far.example>' if needs_quotes(local) else rng.choice(
                ['<%s%%%s@far.example>', '<%s%%%s@local.example>', '<%s%%%s>'])
            return form % (quote(local), domain)
        return '<%s>' % plain

    def question(self, most=1.0):
        local, domain = self._subject()
        if local == 'double-bounce' and domain in ('', self.origin):
            domain = self.alias[0]              # Postfix has its own ways with that one
        return self._spelled(self._extended(local), domain, most)

    def questions(self, count):
        """Different ones; fewer than COUNT where the words don't give more."""
        found = {}
        for _ in range(4 * count):
            found[self.question()] = None
            if len(found) == count:
                break
        return list(found)

    def message(self):
        """Recipients of one message, with ESMTP parameters."""
        rng, recipients = self.rng, []
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 6, 10])):
            if recipients and rng.random() < 0.15:
                again = rng.choice(recipients)
                recipients.append(rng.choice([again, again.rpartition('>')[0] + '>']))
                continue
            recipient = self.question(AGREED)
            if rng.random() < 0.5:
                flags = rng.sample(['SUCCESS', 'FAILURE', 'DELAY'], rng.randint(0, 3))
                recipient += rng.choice([' NOTIFY=', ' notify=']) + (','.join(flags) or 'NEVER')
            if rng.random() < 0.3:
                recipient += ' ORCPT=rfc822;' + rng.choice(
                    ['first@client.example', 'plus+2Bsign@client.example', 'Blank+20X@c.example'])
            recipients.append(recipient)
        return recipients or ['<%s>' % self.foreign()]
