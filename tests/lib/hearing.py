# SPDX-License-Identifier: BSD-2-Clause
"""What a module tells of changes: the lines of tests/follow/hear.c, as they come."""
import os
import queue
import subprocess
import threading
import time

import harness
from rcptmap import MODULES


class Hearing:
    def __init__(self, *words, between=None):
        """BETWEEN: a command that is run before it is followed."""
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            [str(harness.build_folder() / 'tests' / 'follow' / 'hear'), *map(str, words)],
            env={**os.environ, **MODULES, **({'HEAR_BETWEEN': between} if between else {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            encoding='utf-8')
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.doubts = []
        line = self.next()
        while line == 'any' or line.startswith('doubt '):   # which is told of a begin, too
            self.doubts.append(line.removeprefix('doubt '))
            line = self.next()
        if line != 'ready':
            self.close()
            raise AssertionError(line)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip('\n'))
        self.lines.put('ended')

    def next(self):
        return self.lines.get(timeout=harness.LIMIT_S)

    def until(self, *wanted):
        """What came, until one of WANTED begins a line."""
        said = []
        end = time.monotonic() + harness.LIMIT_S
        while not said or not said[-1].startswith(wanted):
            if said and said[-1] == 'ended' or time.monotonic() > end:
                raise AssertionError(said)
            said.append(self.next())
        return said

    def quiet(self, count=4):
        """Until nothing has changed COUNT times, one after the other; how often something had."""
        changes = nothing = 0
        while nothing < count:
            line = self.next()
            if line not in ('changed', 'none'):
                raise AssertionError(line)
            changes += line == 'changed'
            nothing = nothing + 1 if line == 'none' else 0
        return changes

    def close(self):
        self.process.kill()
        self.process.wait(harness.LIMIT_S)
        self.thread.join(harness.LIMIT_S)
        self.process.stdout.close()
