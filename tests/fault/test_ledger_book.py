#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The ledger finds each fault that mail can have, and none in mail that is right."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from ledger_book import FAULTS, Book

TABLES = {
    'old': {'ann': {'ann1@dest'}, 'all': {'a@dest', 'b@dest'}, 'new': '550 5.1.1', 'out': {'out'}},
    'new': {'ann': {'ann2@dest'}, 'all': {'a@dest', 'c@dest'}, 'new': {'n@dest'}, 'out': {'out'}},
}
OK, LATER, UNKNOWN = '250 2.1.5', '451 4.7.1', '550 5.1.1'


class Judgement(unittest.TestCase):
    def judge(self, replies, delivered, verdict='250 2.0.0', bounces=0, others=()):
        book = Book(TABLES, ['alias'])
        entry = book.entry('a phase')
        entry.replies = list(replies.items())
        entry.delivered.update(delivered)
        entry.verdict, entry.bounces, entry.was_sent = verdict, bounces, True
        entry.others += others
        found = book.judge()
        self.assertLessEqual(set(found), set(FAULTS))
        self.tables = entry.tables
        return set(found)

    def test_what_is_right(self):
        for replies, delivered, verdict in (
                ({'ann': OK}, ['ann1@dest'], OK),
                ({'ann': OK, 'new': OK, 'all': OK}, ['ann2@dest', 'n@dest', 'a@dest', 'c@dest'], OK),
                ({'ann': OK, 'new': UNKNOWN, 'out': OK}, ['ann1@dest', 'out'], OK),
                ({'ann': LATER, 'out': OK}, ['out'], OK),
                ({'ann': OK}, [], LATER),
                ({'ann': OK}, [], None),
                ({'ann': OK}, ['ann2@dest'], None),
                ({'new': UNKNOWN}, [], None)):
            with self.subTest(replies, verdict=verdict):
                self.assertEqual(self.judge(replies, delivered, verdict), set())

    def test_which_table_it_was(self):
        self.judge({'ann': OK}, ['ann2@dest'])
        self.assertEqual(self.tables, ('new',))
        self.judge({'out': OK}, ['out'])
        self.assertEqual(self.tables, ('old', 'new'))

    def test_each_fault(self):
        for fault, replies, delivered, changes in (
                ('answer', {'ann': UNKNOWN}, [], {'verdict': None}),
                ('answer', {'new': '550 5.7.1'}, [], {'verdict': None}),
                ('answer', {'ann': OK}, [], {'verdict': '554 5.0.0'}),
                ('answer', {'ann': OK}, [], {'verdict': LATER, 'others': ['550 5.0.0']}),
                ('lost', {'ann': OK}, [], {}),
                ('lost', {'all': OK, 'ann': OK}, ['a@dest', 'ann1@dest'], {}),
                ('unexpanded', {'ann': OK}, ['ann@alias'], {}),
                ('unexpanded', {'ann': OK}, ['ann@alias'], {'verdict': None}),
                ('wrong', {'ann': OK}, ['who@dest'], {}),
                ('wrong', {'ann': OK}, ['ann1@dest', 'who@dest'], {}),
                # The other recipient says that the old one answered.
                ('wrong', {'ann': OK, 'new': UNKNOWN}, ['ann2@dest'], {}),
                ('doubled', {'ann': OK}, ['ann1@dest', 'ann1@dest'], {}),
                ('mixture', {'all': OK}, ['a@dest', 'b@dest', 'c@dest'], {}),
                ('mixture', {'ann': OK, 'all': OK}, ['ann1@dest', 'a@dest', 'c@dest'], {}),
                ('refused', {'ann': OK}, ['ann1@dest'], {'verdict': LATER}),
                ('bounced', {'ann': OK}, ['ann1@dest'], {'bounces': 1})):
            with self.subTest(fault, replies=replies, delivered=delivered):
                self.assertEqual(self.judge(replies, delivered, **changes), {fault})

    def test_a_mixed_answer_is_no_tables(self):
        # What leads to the second answer here, there leads to a refusal.
        book = Book({'old': {'a': {'x'}, 'b': UNKNOWN}, 'new': {'a': UNKNOWN, 'b': {'y'}}}, [])
        entry = book.entry('a phase')
        entry.replies, entry.verdict = [('a', OK), ('b', OK)], OK
        entry.delivered.update(['x', 'y'])
        self.assertEqual(set(book.judge()), {'answer'})


if __name__ == '__main__':
    harness.main()
