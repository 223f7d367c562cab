#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail through a real Postfix, while its daemon is killed, restarted, reloaded, and its table swapped.

Each message and recipient is in a ledger. At the end: is none lost, unexpanded, doubled, at a wrong
address or put together from two tables; was each answer the right one, or "later"? The share of
"later" is printed, by phase. The numbers below are those of the full run, which takes some minutes;
`make check` runs a short one.
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import ledger_mail
import private_postfix
from daemon import children
from ledger_book import FAULTS, Book
from ledger_mail import Disturbance
from mail_system import MailSystem

SWAP_S = 0.02
IN_PHASES = 0.6         # of what is done it is this share, each kind alone; then all kinds at once
BY_TOOL = 50            # one reload of as many is rcptctl's, who waits for its end
SHOWN = 5               # faults of a kind
CALM = {'quiet', 'swaps', 'reloads', 'swaps again'}     # phases that nobody has a reason to wait in
WORDS = {**FAULTS, 'put off': 'was answered with "later", though nothing had gone away',
         'unseen': 'is a table that never answered, so that nothing is known of it'}


class Ledger(harness.Started):
    """One system, its load, and what is done to it. accepts: Postfix is told to do without the
    daemon where it doesn't answer, which is wrong."""

    def __init__(self, options, accepts=False):
        self.options = options
        self.chance = random.Random(options.seed)
        self.book = Book({name: ledger_mail.table(name) for name in ledger_mail.NAMES},
                         ledger_mail.DOMAINS)
        self.system = MailSystem(ledger_mail.table_text('a'), ledger_mail.DOMAINS,
                                 ledger_mail.SETTINGS)
        self.daemon = self.system.daemon
        if accepts:
            entry = private_postfix.milter_entry(self.daemon.socket)
            self.system.postfix.parameters['smtpd_milters'] = entry.replace('tempfail', 'accept')
        self.tables = []
        self.load = ledger_mail.Load(self.system, self.book, options.clients, options.seed)
        self.counts = collections.Counter()
        self.seconds = collections.Counter()
        self.swaps = None
        self.gives_up = False           # somebody failed: the others need not wait for him
        self.is_up = True               # before that a signal may meet a process without handlers

    def start(self):
        for name in ledger_mail.NAMES:
            self.add_table(ledger_mail.table_text(name))
        self.system.start()
        self.daemon.wait_for_log(' serves')
        self.load.start()
        return self

    def close(self):
        if self.swaps:
            self.swaps.ends.set()
            self.swaps.join()
        self.load.close()
        self.system.close()

    def add_table(self, text):
        """One more that is swapped in: proved, and beside the place of the one in use."""
        self.daemon.replace_table(text)
        kept = self.daemon.table.with_name('table-%d' % len(self.tables))
        shutil.copy2(self.daemon.table, kept)
        self.tables.append((kept, self.daemon.table.stat()))

    # ---- what is done ------------------------------------------------------------------

    def swap(self, number):
        kept, status = self.tables[number % len(self.tables)]
        fresh = self.daemon.table.with_name('fresh')
        shutil.copy2(kept, fresh)
        os.chown(fresh, status.st_uid, status.st_gid)
        fresh.rename(self.daemon.table)

    def kill(self, _):
        """The worker, at any moment of its life."""
        harness.wait_until(self.signal_worker, 'a worker to be killed')
        self.counts['kills'] += 1
        time.sleep(self.chance.uniform(0.0, 0.1))
        if self.chance.random() < 0.8:          # or the next one, before it serves
            self.wait_for_answer()
            time.sleep(self.chance.uniform(0.0, 0.3))

    def signal_worker(self):
        """False where there is none just now. It leads a group; who reads settings doesn't."""
        process = self.daemon.process
        for pid in children(process.pid) if process else []:
            try:
                if os.getpgid(pid) == pid:
                    os.kill(pid, signal.SIGKILL)
                    return True
            except ProcessLookupError:
                pass
        return False

    def wait_for_answer(self):
        def answers():
            if self.gives_up:
                return True
            try:
                self.daemon.session().close()
                return True
            except (OSError, ledger_mail.Ended):
                return False
        harness.wait_until(answers, 'the daemon answers')

    def restart(self, number):
        self.is_up = False
        if number % 5 == 4:
            self.daemon.kill()
        elif self.daemon.stop() != 0:
            raise AssertionError('openrcptd did not end well')
        while not self.has_started():
            self.counts['starts that were killed'] += 1
        self.is_up = True
        self.counts['restarts'] += 1
        time.sleep(self.chance.uniform(0.0, 0.3))

    def has_started(self):
        """False: its first worker was killed before it served. That ends a daemon, and whoever
        manages services starts it again."""
        log = self.daemon.log
        start = log.stat().st_size
        process = self.daemon.spawn()

        def is_known():
            with open(log, 'rb') as text:
                text.seek(start)
                return b' serves\n' in text.read() or process.poll() is not None
        harness.wait_until(is_known, 'openrcptd serves')
        return process.poll() is None

    def hang_up(self, number):
        def has_sent():
            process = self.daemon.process
            if not process or not self.is_up:
                return False
            process.send_signal(signal.SIGHUP if number % 2 else signal.SIGUSR1)
            return True
        harness.wait_until(has_sent, 'a daemon to be told')
        self.counts['reloads'] += 1

    def reload(self, _):
        status, said = ledger_mail.reload_by_tool(self.daemon)
        self.counts['reloads'] += 1
        self.counts['reloads by rcptctl'] += 1
        if status != 0:
            self.counts['reloads that rcptctl saw fail'] += 1
            # Only where the daemon is taken away as well may it fail.
            if self.load.phase == 'reloads':
                raise AssertionError('rcptctl reload: %d %s' % (status, said))

    # ---- phases ------------------------------------------------------------------------

    def phase(self, name, *disturbances):
        self.load.phases.append(name)
        began = time.monotonic()
        for one in disturbances:
            one.start()
        while any(one.is_alive() for one in disturbances) or (
                time.monotonic() < began + self.options.least_s):
            time.sleep(0.05)
            failures = self.load.failures + [one.told() for one in disturbances if one.failure]
            if failures:
                self.gives_up = True
                raise AssertionError(failures)
        for one in disturbances:
            one.end()
        self.seconds[name] += time.monotonic() - began

    def disturbances(self, share):
        """What kills, what restarts, what reloads; SHARE of all."""
        reloads = round(self.options.reloads * share)
        by_tool = reloads // BY_TOOL
        return ([Disturbance('kills', self.kill, round(self.options.kills * share))],
                [Disturbance('restarts', self.restart, round(self.options.restarts * share))],
                [Disturbance('signals', self.hang_up, reloads - by_tool, 0.004),
                 Disturbance('rcptctl', self.reload, by_tool)])

    def run(self):
        self.phase('quiet')
        self.swaps = Disturbance('swaps', self.swap, pause_s=SWAP_S)
        self.swaps.start()
        self.phase('swaps')
        kills, restarts, reloads = self.disturbances(IN_PHASES)
        self.phase('kills', *kills)
        self.phase('restarts', *restarts)
        self.phase('reloads', *reloads)
        kills, restarts, reloads = self.disturbances(1 - IN_PHASES)
        self.phase('all at once', *kills, *restarts, *reloads)
        self.phase('swaps again')
        self.end()

    def end(self):
        if self.swaps:
            self.swaps.end()
            self.counts['swaps'] = self.swaps.count
        self.load.close()
        self.load.collect()

    # ---- the report --------------------------------------------------------------------

    def report(self):
        """Print it. The faults: {name: how many}."""
        found = self.book.judge()
        put_off = self.load.put_off_in(CALM)
        if put_off:
            found['put off'] = put_off
        for name in self.seconds:
            print(self.line_of(name))
        print(self.line_of(None))
        print(', '.join('%d %s' % (count, name) for name, count in sorted(self.counts.items())))
        print('only one table can have answered: %s'
              % dict(sorted(self.book.answered_by().items())))
        unseen = [name for name in ledger_mail.NAMES if not self.book.answered_by()[name]]
        if unseen:
            print('FAULT unseen: %s: %s' % (', '.join(unseen), WORDS['unseen']))
        for fault, entries in found.items():
            print('FAULT %s: %d messages: %s' % (fault, len(entries), WORDS[fault]))
            for entry in entries[:SHOWN]:
                print('  %s' % vars(entry))
        return {**{fault: len(entries) for fault, entries in found.items()},
                **({'unseen': len(unseen)} if unseen else {})}

    def line_of(self, phase):
        entries = [one for one in self.book.entries if phase in (None, one.phase)]
        replies = sum(len(one.replies) for one in entries)
        put_off = sum(one.is_put_off for one in entries)
        return ('%-12s %4d s, %6d messages, %6d recipients answered, %6d deliveries;'
                ' 4xx to %d messages, %.2f %%' % (
                    phase or 'all', self.seconds[phase] if phase else sum(self.seconds.values()),
                    len(entries), replies, sum(one.delivered.total() for one in entries),
                    put_off, 100.0 * put_off / max(1, len(entries))))


def options_of(words):
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    for name, number, what in (
            ('kills', 100, 'of the worker'), ('restarts', 50, 'of the service'),
            ('reloads', 10000, 'that are asked for'), ('clients', 4, 'that write at once'),
            ('seed', 1, 'of what is random'), ('least-s', 5, 'seconds that a phase takes')):
        parser.add_argument('--' + name, type=int, default=number, help=what)
    return parser.parse_args(words)


def main():
    harness.require('postfix', 'openrcptd', 'rcptmap', 'rcptctl')
    harness.end_orderly()
    options = options_of(None)
    with Ledger(options) as ledger:
        ledger.run()
        faults = ledger.report()
    sys.exit(1 if faults else 0)


if __name__ == '__main__':
    main()
