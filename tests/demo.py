#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Shows the main job on a real Postfix: unknown users refused, aliases rewritten.

    demo.py [--build DIR]

A private Postfix on loopback, openrcptd as its milter with the sample configuration and aliases
of conf/, and an SMTP sink that stands for the rest of the world. Prints what it sends and what
comes back, checks it, and leaves nothing behind.
"""
import argparse
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_postfix
import rcptmap
from daemon import Daemon
from private_postfix import PrivatePostfix
from smtp_client import SmtpClient
from smtp_sink import SmtpSink

DOMAINS = ['example.com', 'example.net', 'example.org']
UNKNOWN = '550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual alias table'

# Title, recipient, and who gets the mail or how the recipient is refused.
SHOW = (
    ('One alias, three people', 'sales@example.com',
     ['ann@dest.example', 'bob@dest.example', 'carol@branch.example']),
    ('An alias of aliases', 'team@example.com', ['ann@dest.example', 'bob@dest.example']),
    ('A catch-all', 'whoever@example.net', ['office@dest.example']),
    ('... and one address that it does not catch', 'info@example.net', ['carol@branch.example']),
    ('A domain alias: everybody at example.org is at example.com', 'ann@example.org',
     ['ann@dest.example']),
    ('An extension is kept', 'ann+lists@example.com', ['ann+lists@dest.example']),
    ('Upper and lower case', 'Team@EXAMPLE.COM', ['ann@dest.example', 'bob@dest.example']),
    ('An unknown user is refused before anything is queued', 'nobody@example.com',
     UNKNOWN % 'nobody@example.com'),
    ('... also by way of the domain alias', 'nobody@example.org', UNKNOWN % 'nobody@example.org'),
)


class SampleDaemon(Daemon):
    """openrcptd with conf/openrcpt.conf and conf/virtual; only paths and user are its own."""

    def __init__(self):
        super().__init__(table=None)
        shutil.copy(harness.SOURCE / 'conf' / 'virtual', self.source)
        sample = (harness.SOURCE / 'conf' / 'openrcpt.conf').read_text(encoding='utf-8')
        own = {name: self.settings[name] for name in
               ('table', 'socket', 'user', 'runtime_directory', 'log')}
        self.configuration.write_text(
            sample.replace('/etc/openrcpt/virtual', str(self.source))
            + '\n# of the demo\n' + rcptmap.libconfig_text(own), encoding='utf-8')
        self.compile()


class Demo:
    def __init__(self):
        self.good = self.bad = 0

    def check(self, is_promised, expected):
        if is_promised:
            self.good += 1
        else:
            self.bad += 1
            print('     NOT AS PROMISED, expected: %s' % expected)

    def send(self, postfix, sink, title, recipient, expected):
        """One message to one recipient."""
        print('\n  %s' % title)
        sink.clear()
        with SmtpClient(postfix.where) as client:
            client.mail('customer@client.example')
            reply = client.rcpt(recipient)
            print('     RCPT TO:<%s>\n     %s' % (recipient, reply))
            if isinstance(expected, str) or not reply.is_accepted:
                self.check(reply == expected, expected)
                return
            reply = client.data('Subject: %s\r\n\r\nHello.\r\n' % title)
            if not reply.is_accepted:
                print('     %s' % reply)
                self.check(False, expected)
                return
            postfix.wait_for_log(reply.queue_id + ': removed')
        got = [path.strip('<>') for path in sink.recipients()]
        print('     delivered to %s' % ', '.join(got))
        self.check(got == sorted(expected), ', '.join(expected))

    def send_mixed(self, postfix, sink):
        """Several recipients in one message, one of them unknown."""
        print('\n  Several recipients: one unknown, one that another alias leads to as well')
        sink.clear()
        recipients = ['sales@example.com', 'nobody@example.com', 'ann@example.com']
        with SmtpClient(postfix.where) as client:
            sent = client.message(recipients)
            for recipient, reply in zip(recipients, sent.recipients):
                print('     RCPT TO:<%s>\n     %s' % (recipient, reply))
            if sent.data.queue_id:
                postfix.wait_for_log(sent.data.queue_id + ': removed')
        got = [path.strip('<>') for path in sink.recipients()]
        print('     delivered to %s' % ', '.join(got))
        self.check([reply.code for reply in sent.recipients] == [250, 550, 250]
                   and got == sorted(SHOW[0][2]), SHOW[0][2])

    def change_table(self, daemon, postfix, sink):
        print('\n  The table changes under the running daemon: carol leaves sales, dave comes')
        text = daemon.source.read_text(encoding='utf-8').replace(
            'carol@branch.example', 'dave@branch.example', 1)
        daemon.source.write_text(text + 'dave@example.com        dave@branch.example\n',
                                 encoding='utf-8')
        daemon.compile()
        print('     rcptmap compile')

        def knows_dave():
            with SmtpClient(postfix.where) as client:
                client.mail()
                return client.rcpt('dave@example.com').is_accepted
        harness.wait_until(knows_dave, 'openrcptd notices the new table')
        self.send(postfix, sink, 'The new answer', 'sales@example.com',
                  ['ann@dest.example', 'bob@dest.example', 'dave@branch.example'])


def show():
    """Run the whole show; the number of promises that were broken."""
    demo = Demo()
    with SmtpSink() as sink, SampleDaemon() as daemon:
        parameters = {**private_postfix.behind_milter(DOMAINS, daemon.socket),
                      'relayhost': '[127.0.0.1]:%d' % sink.port}
        with PrivatePostfix(parameters, hold=False) as postfix:
            version = postfix.tool('postconf', '-h', 'mail_version').strip()
            print('Postfix %s on 127.0.0.1:%d, openrcptd on a unix socket, an SMTP sink for the'
                  ' rest of the world.' % (version, postfix.port))
            print('Aliases: conf/virtual, compiled to %d bytes.' % daemon.table.stat().st_size)
            for title, recipient, expected in SHOW:
                demo.send(postfix, sink, title, recipient, expected)
            demo.send_mixed(postfix, sink)
            demo.change_table(daemon, postfix, sink)
        print('\n  What openrcptd logged of it')
        print('     ' + [line for line in daemon.log_text().splitlines() if 'orig_to=' in line][-1])
    print('\n%d as promised, %d not.' % (demo.good, demo.bad))
    return demo.bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--build', metavar='DIR', help='the build folder')
    options = parser.parse_args()
    if options.build:
        os.environ['OPENRCPT_BUILD_DIR'] = options.build
    harness.require('postfix', 'rcptmap', 'openrcptd')
    harness.end_orderly()
    sys.exit(1 if show() else 0)


if __name__ == '__main__':
    main()
