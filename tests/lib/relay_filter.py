# SPDX-License-Identifier: BSD-2-Clause
"""A content filter for Postfix: takes mail by SMTP and hands each command on to another server.

It serves as smtpd_proxy_filter and as the target of content_filter. What went through it has a
header `X-Filter: passed`.
"""
import socket

from tcp_server import TcpServer


class RelayFilter(TcpServer):
    """after: where filtered mail goes, (host, port) or the path of a unix socket; may be set
    later."""

    def __init__(self, after=None):
        self.after = after
        super().__init__()

    def _serve(self, stream):
        with self._connect() as back, back.makefile('rwb') as server:
            self._relay(stream, server)

    def _connect(self):
        if isinstance(self.after, tuple):
            return socket.create_connection(self.after)
        back = socket.socket(socket.AF_UNIX)
        back.connect(str(self.after))
        return back

    @staticmethod
    def _relay(client, server):
        """In step: one command, its reply. A client that sends several at once just waits."""
        def send(stream, *lines):
            stream.writelines(lines)
            stream.flush()

        def hand_reply_over():
            lines = [server.readline()]
            while lines[-1][3:4] == b'-':
                lines.append(server.readline())
            send(client, *lines)
            return lines[-1][:3]

        hand_reply_over()
        for line in client:
            send(server, line)
            if hand_reply_over() == b'354':
                server.write(b'X-Filter: passed\r\n')
                for text in client:
                    server.write(text)
                    if text == b'.\r\n':
                        break
                server.flush()
                hand_reply_over()
