# SPDX-License-Identifier: BSD-2-Clause
"""A row of a database changes: how long until two daemons on this machine answer by it.

The time begins before the tool that changes the row is started, and ends with the first message that
gets the new target. What it is spent on: until the new table is in place (the news, a quarter of a
second for more of it, the compilation), and the load in the daemon. A compilation takes some more time
after that, for what it remembers of warnings and files.
"""
import os
import random
import sys
import time

import run

CHANGES = 20
PAUSE_S = 0.5           # until a follower has said what it took
LIMIT_S = 120


class Change:
    """One change, seen by one follower."""

    def __init__(self, follower, number, target):
        self.follower, self.number, self.target = follower, number, target
        self.count = len(follower.compilations())
        self.began = time.time()
        self.live = None

    def look(self):
        if self.live is None and self.follower.has_target(self.number, self.target):
            self.live = time.time()
        return self.live is not None

    def parts(self):
        """Seconds of each part."""
        published = self.follower.table.stat().st_mtime
        compiled_s = self.follower.compilations()[-1] / 1000
        return {'all': self.live - self.began, 'compile': compiled_s,
                    'place': published - self.began, 'load': self.live - published}


def change_once(data, followers, number, target):
    """What it took, of each follower."""
    changes = [Change(follower, number, target) for follower in followers]
    data.change(number, target)
    limit = time.time() + LIMIT_S
    while not all([change.look() for change in changes]):   # each looks each time
        if time.time() > limit:
            raise run.Failed('following: a change was not seen:\n'
                             + followers[0].watch_text()[-1000:])
        time.sleep(0.005)
    time.sleep(PAUSE_S)
    return [change.parts() for change in changes]


def measure_kind(library, kind, size, changes):
    with library.KINDS[kind](size) as data, library.Follower(data) as one, \
            library.Follower(data) as two:
        took, dice = [], random.Random(size)
        for number in range(1, changes + 1):
            run.say('following %s, %d rows: change %d' % (kind, size, number))
            time.sleep(dice.random())   # at no fixed distance from a second of the server's
            took += change_once(data, (one, two), number * 37 % size + 1,
                                'changed%d@dest.example' % number)
    return {part: run.middle([one[part] for one in took]) for part in took[0]}


def measure(place):
    os.environ['OPENRCPT_BUILD_DIR'] = str(place.build)
    sys.path.insert(0, str(place.source / 'tests' / 'lib'))
    import followers    # pylint: disable=import-outside-toplevel
    changes = 3 if place.is_quick else CHANGES
    return {kind: {str(size): measure_kind(followers, kind, size, changes)
                   for size in ((100000,) if place.is_quick else (100000, place.main))}
            for kind in followers.KINDS}
