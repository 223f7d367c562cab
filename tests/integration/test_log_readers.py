#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who counts Postfix's log lines counts the same where ours stand between them."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from mail_system import MailSystem

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
team@alias.example   ann@dest.example, bob@dest.example
gone@alias.example   error:550 5.1.6 moved
none@alias.example   discard:
later@alias.example  error:450 4.2.0 not now
'''


class Pflogsumm(unittest.TestCase):
    def test_nothing_of_postfix_is_miscounted(self):
        with MailSystem(TABLE, ['alias.example'], {'log_refusals': True}) as system:
            for recipients in (['ann@alias.example'], ['team@alias.example', 'who@else.example'],
                               ['nobody@alias.example', 'gone@alias.example', 'later@alias.example',
                                'ann@alias.example'], ['none@alias.example']):
                system.send(recipients)
            system.delivered()
            postfix = pathlib.Path(system.postfix.log).read_text(encoding='utf-8')
            own = system.daemon.log_text()
        stamp = re.match(r'\w+ +\d+ [\d:]+ \S+ ', postfix).group(0)
        self.assertRegex(own, r'(?m)^openrcptd\[\d+\]: \w+: to=<')
        self.assertRegex(own, r'NOQUEUE')
        mixed = postfix + ''.join(stamp + line + '\n' for line in own.splitlines())
        alone, both = (self.summary(text) for text in (postfix, mixed))
        self.assertEqual(both, alone)
        counts = dict(reversed(line.split(None, 1)) for line in alone.splitlines()
                      if re.match(r' +\d+ +[a-z]+', line))
        self.assertGreaterEqual(int(counts['delivered']), 5)

    @staticmethod
    def summary(text):
        return subprocess.run(['pflogsumm'], input=text, check=True, stdout=subprocess.PIPE,
                              encoding='utf-8').stdout


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap', 'pflogsumm')
