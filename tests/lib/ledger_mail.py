# SPDX-License-Identifier: BSD-2-Clause
"""Mail without end for a ledger: tables whose answers differ, clients that never send again, and a
sink that knows which entry a message belongs to.

    with MailSystem(table_text('a'), DOMAINS, SETTINGS) as system:
        book = Book({name: table(name) for name in NAMES}, DOMAINS)
        with Load(system, book, clients=4) as load: ...
        load.collect()
"""
import random
import re
import subprocess
import threading
import time

import harness
from milter_client import Ended
from smtp_client import Closed, SmtpClient

DOMAINS = ['alias.example', 'catchall.example']
SETTINGS = {'recipient_delimiter': '+'}
NAMES = ('a', 'b', 'c')
UNKNOWN, MOVED = '550 5.1.1', '550 5.1.6'
HEADER = 'X-Ledger'
FAILURE_TEXT = 2000             # what holds a daemon's log is long
MOST_UNDER_WAY = 200            # messages that were taken and are not there yet


# ---- the tables ------------------------------------------------------------------------


def table_text(name):
    """Table NAME as source."""
    return '''\
alias.example           domain
catchall.example        domain
same@alias.example      same@dest.example
swap@alias.example      swap-{0}@dest.example
three@alias.example     one-{0}@dest.example, two@dest.example, three-{0}@dest.example
more@alias.example      two@dest.example, more-{0}@dest.example
chain@alias.example     link@alias.example
link@alias.example      last@alias.example, side-{0}@dest.example
last@alias.example      end-{0}@dest.example
moved@alias.example     error:550 5.1.6 moved
only-{0}@alias.example  only@dest.example
@catchall.example       caught-{0}@dest.example
'''.format(name)


def table(name):
    """What table NAME makes of each recipient that a client may write to."""
    def at(*locals_):
        return {local.format(name) + '@dest.example' for local in locals_}

    return {
        'same@alias.example': at('same'), 'swap@alias.example': at('swap-{}'),
        'swap+x@alias.example': at('swap-{}+x'),
        'three@alias.example': at('one-{}', 'two', 'three-{}'),
        'more@alias.example': at('two', 'more-{}'),
        'chain@alias.example': at('side-{}', 'end-{}'),
        'last@alias.example': at('end-{}'), 'moved@alias.example': MOVED,
        **{'only-%s@alias.example' % other: at('only') if other == name else UNKNOWN
           for other in NAMES},
        'nobody@alias.example': UNKNOWN, 'who@catchall.example': at('caught-{}'),
        'else@catchall.example': at('caught-{}'), 'out@foreign.example': {'out@foreign.example'},
    }


# Those that no table refuses, for who gets no answer at RCPT.
KNOWN = sorted(recipient for recipient, answer in table('a').items()
               if not recipient.startswith('only-') and not isinstance(answer, str))
ALL = sorted(table('a'))


# ---- clients ---------------------------------------------------------------------------


def status(reply):
    """`250 2.1.5`; of a reply without an enhanced code the code alone."""
    words = reply.split()
    return ' '.join(words[:2]) if re.fullmatch(r'[245]\.\d+\.\d+', words[1]) else words[0]


class Load(harness.Started):
    """Clients that write until the end, each in a thread of its own. phases: the names of those that
    there were, the last of which is now."""

    def __init__(self, system, book, clients=4, seed=1):
        self.system, self.book = system, book
        self.phases = ['start']
        self.ends = threading.Event()
        self.taken = 0                  # about: threads count it without a lock
        self.failures = []
        self.threads = [threading.Thread(target=self._repeat, args=(self._session, seed + number))
                        for number in range(clients)]
        self.threads.append(threading.Thread(target=self._repeat, args=(self._submit, seed)))

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def close(self):
        self.ends.set()
        for thread in self.threads:
            if thread.ident:
                thread.join()

    def _repeat(self, work, seed):
        chance = random.Random(seed)
        try:
            while not self.ends.is_set():
                while self.taken - len(self.system.sink.messages) > MOST_UNDER_WAY:
                    if self.ends.wait(0.02):
                        return
                work(chance)
        except Exception as failure:    # pylint: disable=broad-except
            self.failures.append(failure)

    @property
    def phase(self):
        return self.phases[-1]

    def _entry(self, since):
        entry = self.book.entry(self.phase)
        entry.since = since
        return entry

    def put_off_in(self, calm):
        """Entries that were put off though they, and their session, saw CALM phases only."""
        return [entry for entry in self.book.entries if entry.is_put_off and
                calm.issuperset(self.phases[entry.since:entry.until + 1])]

    def _session(self, chance):
        """Some messages, until one is put off: Postfix asks no other filter in that session."""
        since = len(self.phases) - 1
        try:
            with SmtpClient(self.system.postfix.where) as client:
                for _ in range(chance.randint(1, 5)):
                    recipients = chance.sample(ALL, chance.choice((1, 1, 2, 3, 6)))
                    entry = self._entry(since)
                    self._message(client, entry, recipients)
                    entry.until = len(self.phases) - 1
                    if entry.is_put_off:
                        return
        except (OSError, Closed):
            pass                        # the entry says how far it came

    def _message(self, client, entry, recipients):
        entry.others += [status(one) for one in (client.banner, client.greeting) if one]
        if client.greeting is None:
            return
        replies = client.pipeline([b'MAIL FROM:<sender@client.example>'] + [
            b'RCPT TO:<%s>' % recipient.encode() for recipient in recipients])
        entry.others.append(status(replies[0]))
        if replies[0].is_accepted:
            entry.replies += zip(recipients, map(status, replies[1:]))
        if entry.taken:
            reply = client.command('DATA')
            if reply.code == 354:
                entry.was_sent = True
                reply = client.text('%s: %d\r\nSubject: test\r\n\r\nHello.\r\n'
                                    % (HEADER, entry.number))
            entry.verdict = status(reply)
            self.taken += entry.is_accepted
        else:
            entry.others.append(status(client.command('RSET')))

    def _submit(self, chance):
        """By sendmail(1): nobody can be told "later", so Postfix has to try again itself."""
        entry = self._entry(len(self.phases) - 1)
        recipients = chance.sample(KNOWN, chance.randint(1, 3))
        entry.was_sent = True
        self.system.submit(recipients, text='%s: %d\nSubject: test\n\nHello.\n'
                           % (HEADER, entry.number))
        entry.replies += [(recipient, '250') for recipient in recipients]
        entry.verdict = '250'
        self.ends.wait(0.3)

    # ---- at the end --------------------------------------------------------------------

    def collect(self):
        """Wait until all has arrived, and enter it."""
        self.system.settle()
        entries = self.book.by_number()
        for message in self.system.sink.messages:
            number = re.search(r'(?m)^%s: (\d+)$' % HEADER, message.text)
            entry = entries[int(number.group(1))] if number else self._strange()
            if message.sender[0] == '<>':
                entry.bounces += 1
            else:
                entry.delivered.update(path.strip('<>') for path, _ in message.recipients)
        if self.failures:
            raise AssertionError(self.failures)

    def _strange(self):
        """An entry for what nobody sent."""
        return self.book.entry('none')


# ---- what is done to the daemon ----------------------------------------------------------


class Disturbance(threading.Thread):
    """Does WORK(number) TIMES times, or until it is told to end."""

    def __init__(self, name, work, times=None, pause_s=0.0):
        super().__init__(name=name, daemon=True)
        self.work, self.times, self.pause_s = work, times, pause_s
        self.ends = threading.Event()
        self.count = 0
        self.failure = None

    def run(self):
        try:
            while self.count != self.times and not self.ends.is_set():
                self.work(self.count)
                self.count += 1
                if self.pause_s:
                    time.sleep(self.pause_s)
        except Exception as failure:    # pylint: disable=broad-except
            self.failure = failure      # end() tells

    def told(self):
        return '%s: %s: …%s' % (self.name, type(self.failure).__name__,
                                str(self.failure)[-FAILURE_TEXT:])

    def end(self):
        self.ends.set()
        self.join()
        if self.failure:
            raise AssertionError(self.told())


def reload_by_tool(daemon):
    """rcptctl reload: its exit status, and what it complained of."""
    done = subprocess.run(harness.command('rcptctl', '-c', daemon.configuration, 'reload'),
                          check=False, capture_output=True, encoding='utf-8',
                          errors='replace', stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr
