#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A short run of the ledger; and the ledger sees it where Postfix or a table is made wrong."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import harness
import ledger_mail
from ledger import Ledger, options_of

SHORT = ['--kills', '8', '--restarts', '5', '--reloads', '300', '--least-s', '1', '--clients', '3']


class ShortRun(unittest.TestCase):
    def test_no_mail_is_lost_or_wrong(self):
        with Ledger(options_of(SHORT)) as ledger:
            ledger.run()
            self.assertEqual(ledger.report(), {})
            self.assertGreater(len(ledger.book.entries), 100)
            self.assertEqual((ledger.counts['kills'], ledger.counts['restarts'],
                              ledger.counts['reloads']), (8, 5, 300))


class MadeWrong(unittest.TestCase):
    """Each is a system that does what ours must not."""

    def report(self, ledger, *disturbances):
        ledger.phase('made wrong', *disturbances)
        ledger.end()
        return ledger.report()

    def test_a_postfix_that_accepts_without_the_daemon(self):
        with Ledger(options_of(['--clients', '2']), accepts=True) as ledger:
            found = self.report(ledger, ledger_mail.Disturbance('kills', ledger.kill, 10))
        # Nobody expands, and nobody refuses.
        self.assertIn('answer', found)
        self.assertIn('bounced', found)
        self.assertIn('lost', found)

    def test_a_table_that_the_ledger_does_not_know(self):
        with Ledger(options_of(['--clients', '2'])) as ledger:
            text = ledger_mail.table_text('a')
            ledger.add_table(text.replace('swap-a@', 'stranger@'))
            ledger.daemon.wait_for_log('loaded: generation=5')
            found = self.report(ledger)
        self.assertIn('wrong', found)


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap', 'rcptctl')
