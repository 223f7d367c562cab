# SPDX-License-Identifier: BSD-2-Clause
"""What tests of rcptmap share: a table, exit codes, and a test case with a workshop."""
import unittest

from rcptmap import Workshop

GOOD = '''\
alias.example        domain
ann@alias.example    ann@dest.example
bob@alias.example    bob@dest.example
team@alias.example   ann@alias.example, bob@alias.example, carl@dest.example
'''
OK, FALSE, USAGE, DATA, NO_INPUT, CANT_CREATE, TRY_LATER, NO_PERMISSION, CONFIG = (
    0, 1, 64, 65, 66, 73, 75, 77, 78)


class RcptmapTest(unittest.TestCase):
    def workshop(self, table=GOOD, settings=None, snippet=''):
        made = Workshop(table, settings, snippet)
        self.addCleanup(made.close)
        return made

    def assert_says(self, result, status, *patterns):
        """Exit status, and a line of standard error that matches each pattern."""
        self.assertEqual(result.status, status, result.err)
        for pattern in patterns:
            self.assertRegex(result.err, '(?m)^' + pattern)
