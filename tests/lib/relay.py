# SPDX-License-Identifier: BSD-2-Clause
"""What stands before a server's socket, and hangs up within an answer."""
import select
import socket
import threading


class Relay:
    """LISTENER in front of the socket at the path WHERE. LIMIT: after so many bytes of the server it
    hangs up, whatever is under way; None: never. ON_QUESTION: called with what the client says,
    before that is passed on."""

    def __init__(self, listener, where):
        self.listener, self.where = listener, str(where)
        self.limit = None
        self.on_question = None
        self.passed = 0         # bytes of the server, in the last connection
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:             # closed
                return
            with client, socket.socket(socket.AF_UNIX) as server:
                server.connect(self.where)
                self._pass_on(client, server)

    def _pass_on(self, client, server):
        self.passed = 0
        while True:
            ready, _, _ = select.select([client, server], [], [])
            for one in ready:
                try:
                    data = one.recv(65536)
                    if one is server and self.limit is not None:
                        data = data[:self.limit - self.passed]
                    if one is client and self.on_question is not None:
                        self.on_question(data)
                    (client if one is server else server).sendall(data)
                except OSError:
                    return
                self.passed += len(data) if one is server else 0
                if not data or self.passed == self.limit:
                    return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class PortRelay(Relay):
    """At a port of 127.0.0.1."""

    def __init__(self, where):
        super().__init__(socket.create_server(('127.0.0.1', 0)), where)
        self.port = self.listener.getsockname()[1]


class SocketRelay(Relay):
    """At a socket with this PATH."""

    def __init__(self, path, where):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        self.path = path
        super().__init__(listener, where)

    def close(self):
        super().close()
        self.path.unlink()
