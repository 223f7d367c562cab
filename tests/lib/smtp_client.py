# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP client that sends exactly what it is told, and shows exactly what came back.

The standard library's smtplib tidies addresses up; tests of odd addresses need the odd ones.
"""
import collections
import re
import socket

TIMEOUT_S = 180         # only ends a test that would hang
PIPELINE = 50           # commands sent before their replies are read


class Closed(Exception):
    """The server has closed the connection."""


class Reply(str):
    """What the server said, lines joined by a line feed: `550 5.1.1 <a@b>: no`."""

    @property
    def code(self):
        return int(self[:3])

    @property
    def is_accepted(self):
        return self[:1] in ('2', '3')

    @property
    def status(self):
        """Code and enhanced code: `550 5.1.1`."""
        return ' '.join(self.split()[:2])

    @property
    def queue_id(self):
        found = re.search(r'queued as (\w+)', self)
        return found.group(1) if found else None


# What became of one message.
Sent = collections.namedtuple('Sent', 'mail recipients data')


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode('utf-8', 'surrogateescape')


def bracketed(address):
    """A path; what begins with `<` is a path already, perhaps with parameters behind it."""
    data = as_bytes(address)
    return data if data.startswith(b'<') else b'<' + data + b'>'


class SmtpClient:
    """One session. WHERE is the path of a unix socket or (host, port); SOURCE the client's own
    (host, 0)."""

    def __init__(self, where, name='client.example', source=None):
        if isinstance(where, tuple):
            self.socket = socket.create_connection(where, TIMEOUT_S, source)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(TIMEOUT_S)
            self.socket.connect(str(where))
        self.file = self.socket.makefile('rb')
        self.banner = self.reply()
        self.greeting = self.command('EHLO ' + name) if self.banner.is_accepted else None

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b'\n'):
                raise Closed('\n'.join(lines))
            lines.append(line.decode('utf-8', 'surrogateescape').rstrip('\r\n'))
            if lines[-1][3:4] != '-':
                return Reply('\n'.join(lines))

    def send(self, data):
        self.socket.sendall(as_bytes(data))

    def command(self, line):
        self.send(as_bytes(line) + b'\r\n')
        return self.reply()

    def pipeline(self, lines):
        replies = []
        for first in range(0, len(lines), PIPELINE):
            some = [as_bytes(line) + b'\r\n' for line in lines[first:first + PIPELINE]]
            self.send(b''.join(some))
            replies += [self.reply() for _ in some]
        return replies

    def mail(self, sender='sender@client.example', parameters=''):
        return self.command(b'MAIL FROM:' + bracketed(sender) + as_bytes(' ' + parameters).rstrip())

    def rcpt(self, recipient):
        return self.command(b'RCPT TO:' + bracketed(recipient))

    def data(self, text=None):
        """DATA and the message; its last reply."""
        reply = self.command('DATA')
        return self.text(text) if reply.code == 354 else reply

    def text(self, text=None):
        text = text if text is not None else 'Subject: test\r\n\r\nHello.\r\n'
        return self.command(as_bytes(text) + b'.')

    def message(self, recipients, sender='sender@client.example', parameters='', text=None):
        """One message, pipelined. Where no recipient was accepted the session is reset."""
        lines = [b'MAIL FROM:' + bracketed(sender) + as_bytes(' ' + parameters).rstrip()]
        lines += [b'RCPT TO:' + bracketed(recipient) for recipient in recipients]
        replies = self.pipeline(lines)
        if any(reply.is_accepted for reply in replies[1:]) and replies[0].is_accepted:
            last = self.data(text)
        else:
            last = self.command('DATA') if replies[0].is_accepted else replies[0]
        if not last.is_accepted:
            self.command('RSET')
        return Sent(replies[0], replies[1:], last)

    def quit(self):
        try:
            self.send(b'QUIT\r\n')
            self.reply()
        except (OSError, Closed):
            pass
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quit()
