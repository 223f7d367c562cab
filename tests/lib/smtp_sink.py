# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP server that keeps what it gets: where mail ends in a test.

It offers DSN and SMTPUTF8, so that an MTA hands ORCPT and NOTIFY on to it. Refusals can be set up:
`sink.refuse['<bob@dest.example>'] = '550 5.1.1 no such user'`.
"""
import collections
import threading

import harness
from tcp_server import TcpServer

# sender and recipients as sent: (path, parameters); text without the final dot.
Message = collections.namedtuple('Message', 'sender recipients text')

FEATURES = ('sink.example', 'PIPELINING', 'SIZE 50000000', '8BITMIME', 'DSN', 'SMTPUTF8',
            'ENHANCEDSTATUSCODES')


class SmtpSink(TcpServer):
    def __init__(self):
        self.messages = []
        self.refuse = {}                        # path -> reply to RCPT
        self.arrived = threading.Condition()
        super().__init__()

    def wait_for(self, count, limit_s=harness.LIMIT_S):
        """The messages, as soon as there are COUNT of them."""
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.messages) >= count, limit_s):
                raise AssertionError('%d messages arrived instead of %d'
                                     % (len(self.messages), count))
            return list(self.messages)

    def recipients(self):
        """All paths, of all messages, sorted."""
        return sorted(path for message in self.messages for path, _ in message.recipients)

    def clear(self):
        with self.arrived:
            self.messages.clear()

    # ---- sessions ----------------------------------------------------------------------

    def _serve(self, stream):
        def say(*lines, code='250'):
            for line in lines[:-1]:
                stream.write(('%s-%s\r\n' % (code, line)).encode())
            stream.write(('%s %s\r\n' % (code, lines[-1])).encode())
            stream.flush()

        sender, recipients = None, []
        say('sink.example ESMTP', code='220')
        for raw in stream:
            line = raw.decode('utf-8', 'surrogateescape').rstrip('\r\n')
            verb = line[:4].upper()
            if verb == 'EHLO':
                say(*FEATURES)
            elif verb == 'MAIL':
                sender, recipients = _path(line), []
                say('2.1.0 ok')
            elif verb == 'RCPT':
                path = _path(line)
                if path[0] in self.refuse:
                    stream.write(self.refuse[path[0]].encode() + b'\r\n')
                    stream.flush()
                else:
                    recipients.append(path)
                    say('2.1.5 ok')
            elif verb == 'DATA' and recipients:
                say('go on', code='354')
                text = _text(stream)
                with self.arrived:
                    self.messages.append(Message(sender, recipients, text))
                    self.arrived.notify_all()
                say('2.0.0 kept')
                sender, recipients = None, []
            elif verb == 'DATA':
                say('5.5.1 no recipients', code='554')
            elif verb == 'QUIT':
                say('2.0.0 bye', code='221')
                return
            else:
                sender, recipients = None, []
                say('2.0.0 ok')


def _path(line):
    """`RCPT TO:<a@b> NOTIFY=NEVER` -> ('<a@b>', 'NOTIFY=NEVER')."""
    path, _, parameters = line.partition(':')[2].strip().rpartition('>')
    return path + '>', parameters.strip()


def _text(stream):
    lines = []
    for raw in stream:
        line = raw.decode('utf-8', 'replace').rstrip('\r\n')
        if line == '.':
            return '\n'.join(lines)
        lines.append(line[1:] if line.startswith('.') else line)
    raise ConnectionError('the message has no end')
