# SPDX-License-Identifier: BSD-2-Clause
"""Where things are, how programs are run and timed, and what a handful of repetitions comes to."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time


class Failed(Exception):
    """A part of the benchmark can't be done; the text says why."""


class Place:
    """The folders of one run, and its size."""

    def __init__(self, source, build, work, is_quick):
        self.source, self.build = pathlib.Path(source), pathlib.Path(build)
        self.work = pathlib.Path(work)
        self.tools = self.build / 'tests' / 'bench'
        self.is_quick = is_quick
        self.sizes = (10000, 1000000) if is_quick else (10000, 100000, 1000000, 10000000)
        self.large = None if is_quick else 10000000
        self.main = 1000000
        self.repetitions = 3 if is_quick else 5
        (self.work / 'data').mkdir(parents=True, exist_ok=True)
        (self.work / 'postfix').mkdir(exist_ok=True)
        self.configuration = self.work / 'openrcpt.conf'
        self.configuration.write_text('origin = "mail.example";\n')
        # LMDB below the size it needs loses keys; see doc/performance.md.
        (self.work / 'postfix' / 'main.cf').write_text(
            'compatibility_level = 3.6\nlmdb_map_size = 4000000000\n')
        (self.work / 'postfix' / 'master.cf').write_text('')

    def data(self, size, suffix):
        return self.work / 'data' / ('v%d.%s' % (size, suffix))

    def counts(self, size):
        return json.loads(self.data(size, 'json').read_text())

    def tool(self, name):
        return str(self.tools / name)

    @property
    def rcptmap(self):
        return str(self.build / 'src' / 'rcptmap' / 'rcptmap')

    @property
    def openrcptd(self):
        return str(self.build / 'src' / 'openrcptd' / 'openrcptd')


def take_precedence():
    """Where the kernel shares out the processor by session, nice(1) counts within one alone."""
    try:
        os.setsid()
    except OSError:
        pass    # the leader of a group already
    try:
        pathlib.Path('/proc/self/autogroup').write_text('-10')
    except OSError:
        pass    # no such kernel, or no right: measured all the same


def say(text):
    print('%s %s' % (time.strftime('%H:%M:%S'), text), file=sys.stderr, flush=True)


def first(words):
    """Run before everybody else, where we may."""
    return (['nice', '-n', '-20'] if os.geteuid() == 0 else []) + [str(word) for word in words]


def run(words, **more):
    """Run a program; its standard output."""
    done = subprocess.run(first(words), capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise Failed('%s: exit %d: %s' % (' '.join(map(str, words)), done.returncode,
                                          done.stderr.strip()[-500:]))
    return done.stdout


def run_lines(words):
    """The lines of JSON that one of our tools prints."""
    return [json.loads(line) for line in run(words).splitlines()]


def measure(place, words, stdin=None, accept=(0,)):
    """Run a program that prints nothing worth reading: what it took, and its largest memory."""
    result = place.work / 'measured.json'
    with open(stdin or os.devnull, 'rb') as source, open(os.devnull, 'wb') as sink, \
            open(place.work / 'messages', 'wb') as messages:
        subprocess.run(first([place.tool('measure'), result] + list(words)), stdin=source,
                       stdout=sink, stderr=messages, check=False)
    took = json.loads(result.read_text())
    if took['status'] not in accept:
        raise Failed('%s: exit %d: %s' % (' '.join(map(str, words)), took['status'],
                                          (place.work / 'messages').read_text()[-500:]))
    took['cpu_s'] = took['user_s'] + took['system_s']
    return took


def middle(values):
    """Median and spread; None of nothing."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {'median': statistics.median(values), 'least': min(values), 'most': max(values),
            'count': len(values)}


def median(summary):
    return None if summary is None else summary['median']


def ratio(above, below):
    return None if above is None or not below else above / below


def load_average():
    return os.getloadavg()[0]
