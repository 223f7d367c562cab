# SPDX-License-Identifier: BSD-2-Clause
"""A ledger of mail: what was asked, what was answered, what arrived; and whether that was right.

There are several tables, one of which answers a message. A table is {recipient: answer}, where an
answer is the set of addresses that the recipient leads to, or a refusal such as '550 5.1.1'. The
ledger doesn't know which one it was, but it was one for the whole message, and none but these.

An entry is one message, known by a number of its own, which nobody sends a second time. Entries are
made by many threads, each its own; judge() comes when all is quiet.
"""
import collections
import itertools

TO_BE_REPEATED = '4'            # what begins so says "later": that is always right

# What can be wrong with a message.
FAULTS = {
    'answer': 'was answered as no table would have it',
    'lost': 'was taken, and somebody did not get it',
    'unexpanded': 'went to an address that an alias should have been replaced at',
    'wrong': 'went to an address that no table has',
    'doubled': 'came twice',
    'mixture': 'went where several tables lead, but not where one does',
    'refused': 'arrived, though it was answered with "later"',
    'bounced': 'came back',
}


class Entry:
    """One message. replies: (recipient, status), such as '250 2.1.5', of those who were answered.
    verdict: the status of the message, None: the connection ended before it. others: statuses of
    the other commands. tables: which may have been it, once judged. since, until: when its session
    began and when it ended itself, as its sender counts."""

    def __init__(self, number, phase):
        self.number, self.phase = number, phase
        self.replies = []
        self.verdict = None
        self.others = []
        self.was_sent = False           # all of it, so that nobody knows where there is no verdict
        self.delivered = collections.Counter()
        self.bounces = 0
        self.tables = ()
        self.since = self.until = 0

    @property
    def taken(self):
        return [recipient for recipient, status in self.replies if status[0] == '2']

    @property
    def statuses(self):
        return [status for _, status in self.replies] + self.others + [self.verdict or '']

    @property
    def is_accepted(self):
        return self.verdict is not None and self.verdict[0] == '2'

    @property
    def is_put_off(self):
        return any(status[:1] == TO_BE_REPEATED for status in self.statuses)


def _fits(answer, status):
    """Is that what a table with ANSWER says?"""
    if status[0] == TO_BE_REPEATED:
        return True
    return status == answer if isinstance(answer, str) else status[0] == '2'


class Book:
    def __init__(self, tables, alias_domains):
        """tables: {name: table}."""
        self.tables, self.alias_domains = tables, alias_domains
        self.entries = []
        self.numbers = itertools.count(1)

    def entry(self, phase):
        made = Entry(next(self.numbers), phase)
        self.entries.append(made)       # each is one step, whichever thread
        return made

    def by_number(self):
        return {entry.number: entry for entry in self.entries}

    # ---- judgement ---------------------------------------------------------------------

    def _leads_to(self, entry, name):
        """The addresses that table NAME makes of an entry."""
        return set().union(*(self.tables[name][recipient] for recipient in entry.taken))

    def _where_it_went(self, entry):
        """Faults of what was delivered, where it was right to deliver."""
        went = set(entry.delivered)
        right = [self._leads_to(entry, name) for name in entry.tables]
        known = set().union(*right)
        if any(count > 1 for count in entry.delivered.values()):
            yield 'doubled'
        for address in went - known:
            yield 'unexpanded' if address.partition('@')[2] in self.alias_domains else 'wrong'
        if not went - known and went not in right:
            yield 'lost' if any(went < one for one in right) else 'mixture'

    def faults(self, entry):
        """The kinds of faults of an entry; sets its tables."""
        entry.tables = tuple(name for name, table in self.tables.items()
                             if all(_fits(table[recipient], status)
                                    for recipient, status in entry.replies))
        others = entry.others + ([entry.verdict] if entry.verdict else [])
        found = set()
        if not entry.tables or any(status[0] not in '234' for status in others):
            found.add('answer')
        if entry.bounces:
            found.add('bounced')
        if entry.is_accepted or (entry.was_sent and entry.verdict is None and entry.delivered):
            if entry.tables:
                found.update(self._where_it_went(entry))
                entry.tables = tuple(name for name in entry.tables
                                     if self._leads_to(entry, name) == set(entry.delivered))
            elif not entry.delivered:
                found.add('lost')
        elif entry.delivered:
            found.add('refused')
        return found

    def judge(self):
        """{fault: [entries]}, of those that there are."""
        found = collections.defaultdict(list)
        for entry in self.entries:
            for fault in self.faults(entry):
                found[fault].append(entry)
        return dict(found)

    def answered_by(self, phase=None):
        """How many delivered messages only one table can have answered: {table: count}."""
        return collections.Counter(
            entry.tables[0] for entry in self.entries
            if len(entry.tables) == 1 and entry.delivered and phase in (None, entry.phase))
