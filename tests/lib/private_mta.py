# SPDX-License-Identifier: BSD-2-Clause
"""What every mail server of our own is: a scratch folder, free ports of 127.0.0.1, a process that
leads a group, and a log.

Who derives from it says how it is prepared (`_prepare`), which words run it (`_command`), and at
which ports it must answer (`_ports`). Used with `with` it is started, and gone at the end.
"""
import os
import signal
import socket
import subprocess

import harness

ATTEMPTS = 5            # somebody may be faster to take a free port
GRACE_S = 5             # for an end that is asked for, before it is forced


class MtaFailed(Exception):
    """It could not be started or used; the text says why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class PrivateMta(harness.Started):
    NAME = None                         # as messages have it
    GREETINGS = (b'220', b'421')        # codes that show it is there
    _before_exec = None                 # a method to be called in the new process

    def __init__(self, prefix):
        self.folder = harness.Scratch(prefix)
        self.log = self.folder / 'mail.log'
        self.output = self.log          # what it prints
        self.environment = None
        self.process = None

    def _prepare(self):
        """Choose free ports and write the configuration."""
        raise NotImplementedError

    def _command(self):
        raise NotImplementedError

    def _ports(self):
        raise NotImplementedError

    # ---- life --------------------------------------------------------------------------

    def start(self):
        for _ in range(ATTEMPTS):
            self._prepare()
            self._spawn()
            if self._is_ready():
                return self
            self.stop()
        raise MtaFailed('%s did not start:\n%s' % (self.NAME, self.log_text()))

    def _spawn(self):
        with open(self.output, 'ab') as output:
            # It leads a session, so that the whole family can be ended at once.
            self.process = subprocess.Popen(
                self._command(), env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=self._before_exec)

    def _greets(self, port):
        with socket.create_connection(('127.0.0.1', port), harness.LIMIT_S) as connection:
            return connection.recv(4)[:3] in self.GREETINGS

    def _is_ready(self):
        """Does every port answer?"""
        def answers():
            if self.process.poll() is not None:
                return 'dead'
            try:
                return 'ready' if all(map(self._greets, self._ports())) else 'dead'
            except ConnectionRefusedError:
                return None
        return harness.wait_until(answers, self.NAME + ' answers') == 'ready'

    def stop(self):
        """End the process that was started, and the group that it leads."""
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(GRACE_S)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        self.process.wait()
        self.process = None

    def close(self):
        self.stop()
        self.folder.remove()

    # ---- what happened -----------------------------------------------------------------

    def log_text(self):
        """What it printed, and what it logged."""
        paths = [self.output] + [self.log] * (self.log != self.output)
        return ''.join(path.read_text(errors='replace') for path in paths if path.exists())

    def mail_log(self, start=0):
        """What it has logged from position START on."""
        return self.log.read_bytes()[start:].decode(errors='replace') if self.log.exists() else ''

    def log_size(self):
        """A position in the log, for wait_for_log()."""
        return self.log.stat().st_size if self.log.exists() else 0

    def wait_for_log(self, words, start=0, times=1, **waiting):
        """The first line with WORDS behind position START of the log, or the one that is the
        TIMES-th. WAITING: as for wait_until()."""
        def find():
            lines = [line for line in self.mail_log(start).splitlines() if words in line]
            return lines[times - 1] if len(lines) >= times else None
        return harness.wait_until(find, 'the log of %s says: %s' % (self.NAME, words), **waiting)
