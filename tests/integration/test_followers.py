#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two daemons on one machine follow one database: what is changed is live on both; while it is away
mail goes on, and the watchers say so; when it is back they catch up by themselves."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))

# pylint: disable=wrong-import-position
import unittest

import followers
import harness
import rcptmap
from followers import address

ROWS = 500
AGE_S = 10
UNKNOWN = '<nobody@d1.example>'


class Common:
    """For each kind of database."""

    KIND = None

    def setUp(self):
        self.data = self.keep(followers.KINDS[self.KIND](ROWS))
        self.followers = [self.keep(followers.Follower(
            self.data, follow_age_seconds=AGE_S)) for _ in range(2)]

    def keep(self, started):
        self.addCleanup(started.__exit__, None, None, None)
        return started.__enter__()

    def wait_for_target(self, number, target):
        for follower in self.followers:
            follower.wait_for_target(number, target)

    def check_mail(self, number, target):
        """Answers as ever, and none that puts off."""
        for follower in self.followers:
            message = follower.message(['<%s>' % address(number), UNKNOWN])
            self.assertEqual(message.replies[0], 'continue')
            self.assertRegex(message.replies[1], '^550 5.1.1')
            self.assertEqual(message.added, ['<%s>' % target])

    def test_a_changed_row(self):
        for number in (7, 8, 9):
            self.data.change(number, 'new%d@dest.example' % number)
            self.wait_for_target(number, 'new%d@dest.example' % number)
        self.check_mail(10, 'first10@dest.example')

    def test_a_database_that_goes_and_comes_back(self):
        self.data.change(3, 'before@dest.example')
        self.wait_for_target(3, 'before@dest.example')
        self.data.go_away()
        for follower in self.followers:
            harness.wait_until(lambda one=follower: self.is_told_away(one), 'that it is away is told')
            harness.wait_until(lambda one=follower: self.is_alarm(one), 'the age alarm rises')
        self.check_mail(3, 'before@dest.example')
        self.data.come_back()
        self.data.change(3, 'after@dest.example')
        self.wait_for_target(3, 'after@dest.example')
        for follower in self.followers:
            harness.wait_until(lambda one=follower: not self.is_told_away(one) and
                               not self.is_alarm(one), 'that it is back is told')
            self.assertNotIn('put off', follower.log_text())

    @staticmethod
    def status(follower):
        return rcptmap.run('watch', '--status', '-c', follower.configuration)

    def is_told_away(self, follower):
        return ' is away for ' in self.status(follower).out

    def is_alarm(self, follower):
        return self.status(follower).status == 1


class PostgresqlTest(Common, unittest.TestCase):
    KIND = 'postgresql'


class MysqlTest(Common, unittest.TestCase):
    KIND = 'mysql'


class DirectoryTest(Common, unittest.TestCase):
    KIND = 'ldap'


if __name__ == '__main__':
    harness.main('root', 'postgresql', 'mysql', 'ldap')
