# SPDX-License-Identifier: BSD-2-Clause
"""A server on a free port of 127.0.0.1, for what stands around an MTA in a test.

Who derives from it says in `_serve(stream)` what one session is. Each has a thread of its own; a
client that goes away ends its session and nothing else.
"""
import socket
import threading


class TcpServer:
    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _serve(self, stream):
        """One session; the connection is closed behind it."""
        raise NotImplementedError

    def _listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(connection,), daemon=True).start()

    def _session(self, connection):
        try:
            with connection, connection.makefile('rwb') as stream:
                self._serve(stream)
        except OSError:
            pass                                # the client went away

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
