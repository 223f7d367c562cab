# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd with a configuration and a table of its own, in a scratch folder.

    with Daemon('ann@free.example  ann@dest.example\\n', {'recipient_delimiter': '-'}) as d:
        ... d.socket, d.log_text(), d.master, d.workers() ...

Started by root it drops to an unprivileged user, and its socket folder belongs to that user and to
group postfix, as on a real system. The log is on standard error, which goes to a file.
"""
import grp
import os
import pathlib
import pwd
import signal
import subprocess

import harness
import milter_client
from rcptmap import Workshop

USER = 'nobody'         # whom root's daemon becomes


def daemons_of_cases(cases):
    """A daemon for each case, on its way up; None where its table doesn't compile, said so."""
    daemons = []
    for case in cases:
        try:
            daemons.append(Daemon(case.table, snippet=case.conf, compile_options=case.options))
            daemons[-1].spawn()
        except AssertionError as error:
            print('FAIL %s: %s' % (case.place, error))
            daemons.append(None)
    return daemons


def children(pid):
    """The process ids of PID's children."""
    try:
        text = pathlib.Path('/proc/%d/task/%d/children' % (pid, pid)).read_text(encoding='ascii')
    except OSError:
        return []
    return [int(word) for word in text.split()]


def process_status(pid):
    """/proc/PID/status as a dictionary."""
    text = pathlib.Path('/proc/%d/status' % pid).read_text(encoding='utf-8')
    return {name: value.strip() for name, _, value in
            (line.partition(':') for line in text.splitlines())}


def is_alive(pid):
    try:
        return process_status(pid)['State'][0] not in 'ZX'
    except (OSError, KeyError):
        return False


class Daemon(harness.Started, Workshop):
    """table, settings, snippet: as for Workshop; table None: nothing is compiled.
    compile_options: such as --lenient."""

    program = 'openrcptd'

    def __init__(self, table='', settings=None, snippet='', compile_options=()):
        super().__init__(table or '', settings, snippet)
        self.user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.socket = self.folder / 'milter' / 'milter.sock'
        self.runtime = self.folder / 'run'
        self.log = self.folder / 'openrcptd.log'
        self.process = None
        self._make_folders()
        self.write_configuration(**{
            'socket': 'unix:%s' % self.socket, 'user': self.user,
            'runtime_directory': self.runtime, 'log': 'stderr', **(settings or {})})
        if table is not None:
            self.compile(*compile_options)

    def _make_folders(self):
        self.socket.parent.mkdir()
        self.runtime.mkdir()
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            try:
                group = grp.getgrnam('postfix').gr_gid
            except KeyError:
                group = account.pw_gid
            os.chown(self.socket.parent, account.pw_uid, group)
            os.chown(self.runtime, account.pw_uid, account.pw_gid)
            for folder in (self.configuration.parent, self.table.parent):
                os.chown(folder, 0, account.pw_gid)
                folder.chmod(0o750)
        self.socket.parent.chmod(0o2750)
        self.runtime.chmod(0o755)

    # ---- life --------------------------------------------------------------------------

    def spawn(self, *options):
        """Start the daemon and wait for nothing."""
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                harness.command(self.program, '-c', self.configuration, *options),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return self.process

    def start(self):
        """Start it and wait until it answers a milter session, and its master knows that: a worker
        that dies before has never served, and takes the service with it."""
        begin = len(self.log_text())
        self.spawn()
        self.wait_until_ready()
        if self.settings.get('log') == 'stderr':
            self.wait_for_log(' serves', begin)
        return self

    def wait_until_ready(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError('openrcptd ended with %d:\n%s'
                                     % (self.process.returncode, self.log_text()))
            try:
                milter_client.MilterClient(self.socket).close()
            except (OSError, milter_client.Ended):
                return False
            return True
        harness.wait_until(answers, 'openrcptd answers')

    @property
    def master(self):
        """The process id of the master. Behind a wrapper that stays it is the wrapper's."""
        return self.process.pid

    def workers(self):
        return children(self.master)

    def ask_to_stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def stop(self):
        """Ask it to stop; its exit status."""
        self.ask_to_stop()
        return self.wait()

    def wait(self):
        """Wait for its end; whatever is left of its group is killed."""
        if self.process is None:
            return None
        try:
            status = self.process.wait(harness.LIMIT_S)
        finally:
            self._kill_group()
        self.process = None
        return status

    def kill(self):
        """End it at once, workers and all."""
        if self.process:
            pids = self.workers()
            self._kill_group()
            for pid in pids:                    # a worker may lead a group of its own
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
            self.process = None
            # Nobody waits for orphans here, and while one lives it answers at the socket.
            harness.wait_until(lambda: not any(map(is_alive, pids)), 'the workers are gone')

    def _kill_group(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def close(self):
        self.kill()
        super().close()

    # ---- what it says ------------------------------------------------------------------

    def log_text(self):
        return self.log.read_text(encoding='utf-8', errors='replace') if self.log.exists() else ''

    def wait_for_log(self, words, start=0):
        """The first line with WORDS behind position START of the log."""
        def find():
            for line in self.log_text()[start:].splitlines():
                if words in line:
                    return line
            return None
        return harness.wait_until(find, 'openrcptd logs: ' + words)

    # ---- questions ---------------------------------------------------------------------

    def session(self, mta=milter_client.POSTFIX):
        return milter_client.MilterClient(self.socket, mta)

    def message(self, recipients, **options):
        """One message in a session of its own; see MilterClient.message()."""
        with self.session() as session:
            return session.message(recipients, **options)

    def reload(self, **changes):
        """Change settings, and have them taken over; that takes a moment."""
        self.write_configuration(**changes)
        os.kill(self.master, signal.SIGHUP)

    def replace_table(self, text, *options):
        """Compile another table under the running daemon."""
        self.write_source(text)
        return self.compile(*options)

    def wait_for_answer(self, recipient, is_expected, what='the new answer'):
        """Ask about a recipient, a new message each time, until the answer fits."""
        return harness.wait_until(
            lambda: is_expected(self.message([recipient]).replies[0]), what)
