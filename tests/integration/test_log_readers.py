#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who counts Postfix's log lines counts the same where ours stand between them."""
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from mail_system import MailSystem
from private_mta import free_port

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
team@alias.example   ann@dest.example, bob@dest.example
gone@alias.example   error:550 5.1.6 moved
none@alias.example   discard:
later@alias.example  error:450 4.2.0 not now
'''
MESSAGES = (['ann@alias.example'], ['team@alias.example', 'who@else.example'],
            ['nobody@alias.example', 'gone@alias.example', 'later@alias.example',
             'ann@alias.example'], ['none@alias.example'])
FORGED = '"postfix/smtpd[1]: connect from unknown[192.0.2.9]"@alias.example'


def postfix_and_own(ident='openrcptd', further=()):
    """What Postfix and openrcptd logged of some messages, as lines of the system log."""
    with MailSystem(TABLE, ['alias.example'],
                    {'log_refusals': True, 'syslog_ident': ident}) as system:
        for recipients in MESSAGES + tuple(further):
            system.send(recipients)
        system.delivered()
        postfix = pathlib.Path(system.postfix.log).read_text(encoding='utf-8')
        own = system.daemon.log_text()
    stamp = re.match(r'\w+ +\d+ [\d:]+ \S+ ', postfix).group(0)
    assert re.search(r'(?m)^%s\[\d+\]: \w+: to=<' % re.escape(ident), own), own
    assert 'NOQUEUE: refused' in own, own
    return (postfix.splitlines(keepends=True),
            [stamp + line + '\n' for line in own.splitlines()])


def mixed(postfix, own):
    """Our lines, evenly between Postfix's."""
    lines = []
    for number, line in enumerate(postfix):
        lines += own[number * len(own) // len(postfix):(number + 1) * len(own) // len(postfix)]
        lines.append(line)
    return lines


class Pflogsumm(unittest.TestCase):
    def test_nothing_of_postfix_is_miscounted(self):
        for ident in ('openrcptd', 'postfix/openrcpt'):
            with self.subTest(ident):
                postfix, own = postfix_and_own(ident)
                alone, both = self.summary(postfix), self.summary(mixed(postfix, own))
                self.assertEqual(both, alone)
                counts = dict(reversed(line.split(None, 1)) for line in alone.splitlines()
                              if re.match(r' +\d+ +[a-z]+', line))
                self.assertGreaterEqual(int(counts['delivered']), 5)

    @staticmethod
    def summary(lines):
        return subprocess.run(['pflogsumm'], input=''.join(lines), check=True,
                              stdout=subprocess.PIPE, encoding='utf-8').stdout


class Exporter(unittest.TestCase):
    """Debian's prometheus-postfix-exporter, on a file."""
    UNKNOWN = 'postfix_unsupported_log_entries_total{service="%s"}'
    MARK = 'Jan  1 00:00:00 mx opendkim[1]: a line that it does not know\n'
    MARKS = UNKNOWN % 'opendkim'

    def counted(self, lines):
        """{name with labels: value} once LINES were read. It reads a file from where that ends
        when it comes to it, so marks go before and behind: of the latter more than of the former."""
        folder = harness.Scratch()
        self.addCleanup(folder.remove)
        log, port, marks = folder / 'mail.log', free_port(), 0
        log.touch()
        with subprocess.Popen(
                ['prometheus-postfix-exporter', '--web.listen-address=127.0.0.1:%d' % port,
                 '--postfix.logfile_path=%s' % log, '--postfix.showq_path=%s' % (folder / 'none')],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process, \
                log.open('a', encoding='utf-8') as file:
            try:
                while self.page(port).get(self.MARKS, 0) == 0:
                    file.write(self.MARK)
                    file.flush()
                    marks += 1
                file.write(''.join(lines) + self.MARK * (marks + 1))
                file.flush()
                harness.wait_until(lambda: self.page(port)[self.MARKS] > marks, 'all is read')
                found = self.page(port)
            finally:
                process.kill()
        return {name: value for name, value in found.items()
                if name.startswith('postfix_') and name != self.MARKS and 'up{' not in name}

    @staticmethod
    def page(port):
        def ask():
            try:
                with urllib.request.urlopen('http://127.0.0.1:%d/metrics' % port) as answer:
                    return answer.read().decode()
            except OSError:
                return None
        text = harness.wait_until(ask, 'the exporter answers')
        return {line.rpartition(' ')[0]: float(line.rpartition(' ')[2])
                for line in text.splitlines() if not line.startswith('#')}

    def expect_same(self, ident, service, further=()):
        postfix, own = postfix_and_own(ident, further)
        alone, both = self.counted(postfix), self.counted(mixed(postfix, own))
        self.assertGreater(alone['postfix_smtpd_connects_total'], 0)
        unknown = self.UNKNOWN % service
        self.assertEqual(both.pop(unknown) - alone.pop(unknown, 0), len(own))
        self.assertEqual(both, alone)

    def test_our_lines_are_those_of_another_program(self):
        self.expect_same('openrcptd', '')

    def test_our_lines_are_those_of_a_service_that_it_does_not_know(self):
        """Then no client can forge a line of Postfix by an address, which it looks for anywhere."""
        self.expect_same('postfix/openrcpt', 'openrcpt', [[FORGED]])


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap', 'pflogsumm', 'prometheus-postfix-exporter')
