#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The health check of the container: conf/container/health, against a daemon on a port."""
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from daemon import Daemon
from private_mta import free_port
from tcp_server import TcpServer

HEALTH = harness.SOURCE / 'conf' / 'container' / 'health'


def status(port):
    return subprocess.run([str(HEALTH), str(port)], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=harness.LIMIT_S, check=False).returncode


class Answering(TcpServer):
    """Another program on the port: it says the same to everybody, and waits for the other end."""

    def __init__(self, answer):
        self.answer = answer
        super().__init__()

    def _serve(self, stream):
        stream.write(self.answer)
        stream.flush()
        while stream.read(1):
            pass


class Health(unittest.TestCase):
    def test_a_daemon_that_answers(self):
        port = free_port()
        daemon = Daemon('ann@free.example  ann@dest.example\n', {'socket': 'inet:%d@127.0.0.1' % port})
        self.addCleanup(daemon.close)
        daemon.socket = ('127.0.0.1', port)
        daemon.start()
        self.assertEqual(status(port), 0, daemon.log_text())
        daemon.stop()
        self.assertNotEqual(status(port), 0)

    def test_nobody_there(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
        self.assertNotEqual(status(port), 0)

    def test_one_that_says_nothing(self):
        with Answering(b'') as server:
            self.assertNotEqual(status(server.port), 0)

    def test_another_protocol(self):
        for answer in (b'220 mx.example ESMTP\r\n', b'\0\0\0\1t', b'\0\0'):
            with self.subTest(answer=answer), Answering(answer) as server:
                self.assertNotEqual(status(server.port), 0)


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap')
