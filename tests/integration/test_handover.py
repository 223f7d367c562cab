#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One worker follows another, or none does: what becomes of connections, sessions and messages."""
import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import milter_client
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
'''
KNOWN = '<ann@alias.example>'


class TestCase(unittest.TestCase):
    def started(self, **settings):
        made = Daemon(TABLE, settings)
        self.addCleanup(made.close)
        made.start()
        made.wait_for_log('serves')
        return made

    def session(self, made):
        session = made.session()
        self.addCleanup(session.socket.close)
        return session

    def in_a_message(self, made):
        """A session whose recipient was accepted, and whose data has not come yet."""
        session = self.session(made)
        self.assertEqual(session.mail(), 'continue')
        self.assertEqual(session.rcpt(KNOWN), 'continue')
        return session

    def assert_ends_well(self, session):
        verdict, edits = session.end()
        self.assertEqual((verdict, [edit.address for edit in edits if edit.kind == 'add']),
                         ('continue', ['<ann@dest.example>']))


class Stop(TestCase):
    """Nobody follows, or not at once: open messages end well, and no others begin."""

    def test_an_open_message_ends_and_none_begins(self):
        made = self.started()
        worker, = made.workers()
        busy, other, idle = (self.in_a_message(made), self.in_a_message(made),
                             self.in_a_message(made))
        idle.abort()
        start = len(made.log_text())
        os.kill(made.master, signal.SIGTERM)
        made.wait_for_log('stopping', start)
        harness.wait_until(lambda: self.is_put_off(idle), 'no message begins')
        self.assert_ends_well(busy)
        self.assertTrue(daemon.is_alive(worker))
        self.assert_ends_well(other)
        self.assertEqual(made.process.wait(harness.LIMIT_S), 0)
        self.assertNotIn('were still open', made.log_text()[start:])

    def is_put_off(self, session):
        """Does a new message say so? Before the worker has heard of the end it doesn't."""
        session.mail()
        answer = session.rcpt(KNOWN)
        if answer == 'continue':
            session.abort()
        return answer.startswith('451') and 'restarts' in answer

    def test_sessions_between_messages_are_not_waited_for(self):
        made = self.started()
        for _ in range(3):
            self.in_a_message(made).abort()
        # Heard of by now, since what comes behind it on the same connection is answered.
        session = self.in_a_message(made)
        session.abort()
        start = len(made.log_text())
        self.assertEqual(made.stop(), 0)
        self.assertNotIn('were still open', made.log_text()[start:])

    def test_one_that_never_ends_is_cut(self):
        made = self.started()
        session = self.in_a_message(made)
        start = len(made.log_text())
        self.assertEqual(made.stop(), 0)
        made.wait_for_log('messages were still open; they are deferred', start)
        with self.assertRaises((milter_client.Ended, OSError)):
            session.end()


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl')
