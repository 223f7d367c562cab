#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The envelope in a Postfix queue file.

A queue file is a run of records: a type byte, a length (seven bits a byte, the lowest first, the
high bit says that there is more), and so many bytes of content. Behind the envelope come the
message and a second part of the envelope. A milter's edits are threaded in with records of type
`p`, which send the reader to another place in the file.
"""
import collections
import sys

# Addresses are without quotes, as Postfix stores them. orcpt is '' where there is none.
Recipient = collections.namedtuple('Recipient', 'address original orcpt notify')

NEVER, SUCCESS, FAILURE, DELAY = 1, 2, 4, 8     # Recipient.notify; 0: default


class Envelope:
    """sender, recipients (still to be delivered to, in the order of the file), attributes."""

    def __init__(self):
        self.sender = None
        self.recipients = []
        self.cancelled = []             # addresses that a milter has deleted
        self.attributes = {}


class Damaged(Exception):
    """Not a queue file, or one that is still being written."""


class _Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def byte(self):
        if self.at >= len(self.data):
            raise Damaged('ends in the middle of a record')
        self.at += 1
        return self.data[self.at - 1]

    def length(self):
        total = shift = 0
        while True:
            part = self.byte()
            total += (part & 127) << shift
            if part < 128:
                return total
            shift += 7

    def record(self):
        kind = chr(self.byte())
        size = self.length()
        if self.at + size > len(self.data):
            raise Damaged('record %s ends past the file' % kind)
        self.at += size
        return kind, self.data[self.at - size:self.at]

    def jump(self, content):
        offset = int(content)
        if offset:
            self.at = offset


def parse(data):
    """The Envelope of a queue file's bytes."""
    envelope, reader = Envelope(), _Reader(data)
    in_text = False
    orcpt, notify, original = '', 0, None
    for _ in range(len(data)):
        kind, content = reader.record()
        text = content.decode('utf-8', 'surrogateescape')
        if kind == 'p':
            reader.jump(content)
        elif kind == 'E':
            return envelope
        elif kind == 'M':
            in_text = True
        elif kind == 'X':
            in_text = False
        elif in_text:
            continue
        elif kind == 'S':
            envelope.sender = text
        elif kind == 'A':
            name, _, value = text.partition('=')
            if name == 'dsn_orig_rcpt':
                orcpt = value
            elif name == 'notify_flags':
                notify = int(value)
            else:
                envelope.attributes[name] = value
        elif kind == 'O':
            original = text
        elif kind in 'RD/':
            if kind == 'R':
                envelope.recipients.append(Recipient(text, original, orcpt, notify))
            elif kind == '/':
                envelope.cancelled.append(text)
            orcpt, notify, original = '', 0, None
    raise Damaged('its records go round in a circle')


def read(path):
    with open(path, 'rb') as file:
        return parse(file.read())


if __name__ == '__main__':
    for name in sys.argv[1:]:
        found = read(name)
        print('from', found.sender)
        for recipient in found.recipients:
            print('to', *recipient)
