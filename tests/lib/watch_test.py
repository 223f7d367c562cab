# SPDX-License-Identifier: BSD-2-Clause
"""What tests of rcptmap watch share: a watcher, its log, and its status."""
import os
import re
import subprocess

import harness
import rcptmap
from rcptmap_test import OK, RcptmapTest

WARNING, CRITICAL, UNKNOWN = 1, 2, 3


def rows(target, count=2):
    """A source in which everybody leads to TARGET."""
    return 'a.example x\npostmaster@a.example pm@dest.example\n' + ''.join(
        'user%d@a.example %s@dest.example\n' % (i, target) for i in range(count))


class WatchTest(RcptmapTest):
    """The source is in a folder of its own, two levels deep, which tests replace."""

    def setUp(self):
        self.shop = self.workshop()
        self.folder = self.shop.folder / 'top' / 'sources'
        self.folder.mkdir(parents=True)
        self.source = self.folder / 'virtual'
        self.log = self.shop.folder / 'watch.log'
        self.runtime = self.shop.folder / 'run'
        self.process = None
        self.shop.write_configuration(
            runtime_directory=self.runtime, shrink_limit_percent=50,
            sources=[{'type': 'virtual', 'path': self.source}])
        self.put(self.source, rows('first'))
        self.addCleanup(self.kill)

    @staticmethod
    def put(path, text):
        """Written in place, if it is there."""
        path.write_text(text, encoding='ascii')
        path.chmod(0o644)

    def replace(self, path, text):
        new = path.with_name(path.name + '.new')
        self.put(new, text)
        new.rename(path)

    # ---- the watcher -----------------------------------------------------------------------

    def start(self, *options, environment=None):
        # What the one before has left isn't taken for its own.
        (self.runtime.with_name(self.runtime.name + '-watch') / 'state').unlink(missing_ok=True)
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                harness.command('rcptmap', 'watch', '-c', self.shop.configuration, *options),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **rcptmap.MODULES, 'LC_ALL': 'C.UTF-8',
                     **(environment or {})})

    def start_and_wait(self, *options, **more):
        self.start(*options, **more)
        self.wait_for_status(OK)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(harness.LIMIT_S)

    def log_text(self):
        return self.log.read_text(encoding='utf-8', errors='replace')

    def wait_for_log(self, pattern):
        return harness.wait_until(lambda: re.search(pattern, self.log_text(), re.MULTILINE),
                                  'the log has ' + pattern)

    # ---- what it made ------------------------------------------------------------------------

    def target(self):
        result = rcptmap.run('query', '-t', self.shop.table, 'user0@a.example')
        return result.out.partition('@')[0]

    def wait_for_target(self, target):
        harness.wait_until(lambda: self.target() == target, 'the table leads to ' + target)

    # ---- its status --------------------------------------------------------------------------

    def status(self):
        result = rcptmap.run('watch', '-c', self.shop.configuration, '--status')
        self.assertRegex(result.out, r'\AOPENRCPT (OK|WARNING|CRITICAL|UNKNOWN): [^\n]*\n\Z')
        self.assertEqual(result.err, '')
        word = result.out.split()[1]
        self.assertEqual(word, ('OK:', 'WARNING:', 'CRITICAL:', 'UNKNOWN:')[result.status])
        return result

    def wait_for_status(self, status, pattern=''):
        def fits():
            found = self.status()
            return found if (found.status == status and 'compiling' not in found.out
                             and re.search(pattern, found.out)) else None
        return harness.wait_until(fits, 'status %d %s' % (status, pattern))

    def number(self, name):
        found = re.search(r'\| .*\b%s=(\d+)' % name, self.status().out)
        return int(found.group(1)) if found else None


    def wait_for_more(self, name, before):
        harness.wait_until(lambda: self.number(name) > before, 'more ' + name)
