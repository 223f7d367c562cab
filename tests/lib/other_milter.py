# SPDX-License-Identifier: BSD-2-Clause
"""A milter that isn't ours, to stand beside it: it looks at the recipients and at the end of the
message, and answers as it is told.

    with OtherMilter() as other:
        other.at_end = OtherMilter.reply('550 5.7.1 spam')
"""
import struct

from tcp_server import TcpServer

CONTINUE, ACCEPT, REJECT, TEMPFAIL = b'c', b'a', b'r', b't'
ACTIONS, STEPS = 0x1ff, 0
ANSWERED = b'CHMRTNLBEU'        # commands that want an answer; the others (macros, abort) don't


class OtherMilter(TcpServer):
    def __init__(self):
        self.at_recipient = {}          # recipient as sent, with brackets -> answer
        self.at_end = CONTINUE
        self.recipients = []            # all that it was shown
        self.ends = 0                   # how many messages came to their end
        super().__init__()
        self.entry = 'inet:127.0.0.1:%d' % self.port

    @staticmethod
    def reply(text):
        """The answer that makes the MTA say TEXT."""
        return b'y' + text.encode() + b'\0'

    def _serve(self, stream):
        while True:
            head = stream.read(5)
            if len(head) < 5 or head[4:] == b'Q':
                return
            data = stream.read(struct.unpack('>I', head[:4])[0] - 1)
            answer = self._answer(head[4:], data)
            if answer:
                stream.write(struct.pack('>I', len(answer)) + answer)
                stream.flush()

    def _answer(self, command, data):
        if command == b'O':
            return b'O' + struct.pack('>III', 6, ACTIONS, STEPS)
        if command == b'R':
            recipient = data.split(b'\0')[0].decode('utf-8', 'surrogateescape')
            self.recipients.append(recipient)
            return self.at_recipient.get(recipient, CONTINUE)
        if command == b'E':
            self.ends += 1
            return self.at_end
        return CONTINUE if command in ANSWERED else None
