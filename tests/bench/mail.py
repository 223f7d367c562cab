# SPDX-License-Identifier: BSD-2-Clause
"""End to end: CPU time of a private Postfix on loopback, and of the milter beside it.

Everything is delivered to discard(8), the queue lies in memory. Postfix and the milter run in
control groups, so that short-lived processes count too; where there are none, /proc is read.
"""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

import run

SESSIONS = 4
MAIN = '''compatibility_level = 3.6
queue_directory = %(spool)s
data_directory = %(data)s
myhostname = mx.bench.example
mydomain = bench.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
maillog_file = %(log)s/mail.log
maillog_file_prefixes = %(log)s
default_transport = discard:
relay_transport = discard:
local_transport = discard:
virtual_transport = discard:
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000000
smtpd_hard_error_limit = 1000000
smtpd_junk_command_limit = 1000000
smtpd_client_connection_count_limit = 0
max_use = 1000000
max_idle = 3600s
in_flow_delay = 0
initial_destination_concurrency = 50
default_destination_concurrency_limit = 50
'''
SERVICES = (
    '127.0.0.1:%(port)d inet n - n - 100 smtpd', 'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup', 'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite', 'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce', 'trace unix - - n - 0 bounce', 'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush', 'proxymap unix - - n - - proxymap',
    'error unix - - n - - error', 'retry unix - - n - - error', 'smtp unix - - n - - error',
    'discard unix - - n - 100 discard', 'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache', 'postlog unix-dgram n - n - 1 postlogd',
)
# What is asked of whom: messages with one and with fifty recipients, and a flood of unknown users.
VARIANTS = {
    'native hash': ('one', 'fifty', 'flood'),
    'native cdb': ('one', 'fifty', 'flood'),
    'null milter': ('one', 'fifty'),
    'null milter, ORCPT': ('one', 'fifty'),
    'null milter, refusing': ('flood',),
    'openrcptd': ('one', 'fifty', 'flood'),
}
NULL_MODES = {'': 'edit', 'ORCPT': 'trace', 'refusing': 'refuse'}


class Meter:
    """CPU time of a group of processes."""

    def __init__(self, name):
        self.folder, self.processes = None, []
        for kind, counter in (('cpuacct', 'cpuacct.usage'), ('', 'cpu.stat')):
            folder = pathlib.Path('/sys/fs/cgroup', kind, 'openrcpt-bench-' + name)
            try:
                folder.mkdir(exist_ok=True)
            except OSError:
                continue
            if (folder / counter).exists():
                self.folder, self.counter = folder, folder / counter
                break

    def enter(self):
        """For the child between fork and exec."""
        if self.folder is not None:
            (self.folder / 'cgroup.procs').write_text(str(os.getpid()))

    def read_us(self):
        if self.folder is None:
            return sum(processes_us(pid) for pid in self.processes)
        text = self.counter.read_text()
        if text.startswith('usage_usec'):
            return float(text.split()[1])
        return float(text) / 1000

    def close(self):
        if self.folder is not None:
            try:
                self.folder.rmdir()
            except OSError:
                pass    # a process is still on its way out: the folder is used again


def processes_us(pid):
    """CPU time of PID, of its children that live, and of those that are gone."""
    try:
        fields = pathlib.Path('/proc/%d/stat' % pid).read_text().rpartition(')')[2].split()
        children = pathlib.Path('/proc/%d/task/%d/children' % (pid, pid)).read_text().split()
    except OSError:
        return 0
    ticks = sum(int(field) for field in fields[11:15])
    return ticks * 1e6 / os.sysconf('SC_CLK_TCK') + sum(processes_us(int(c)) for c in children)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise run.Failed('%s: waited for in vain' % what)
        time.sleep(0.05)


class Instance:
    """One variant, running."""

    def __init__(self, place, variant):
        self.place, self.variant, self.port = place, variant, free_port()
        self.folder = place.work / 'mail'
        self.spool = pathlib.Path('/dev/shm/openrcpt-bench-spool')
        self.socket = self.folder / 'milter' / 'milter.sock'
        self.postfix, self.milter = Meter('postfix'), Meter('milter')
        self.process = None

    def __enter__(self):
        try:
            self.make_folders()
            self.start_milter()
            self.start_postfix()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make_folders(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.spool, ignore_errors=True)
        for name in ('etc', 'data', 'log', 'milter', 'run'):
            (self.folder / name).mkdir(parents=True)
        self.spool.mkdir()
        shutil.chown(self.folder / 'data', 'postfix')
        shutil.chown(self.folder / 'milter', 'nobody', 'postfix')
        (self.folder / 'milter').chmod(0o2750)
        shutil.chown(self.folder / 'run', 'nobody')

    # ---- the milter --------------------------------------------------------------------

    def milter_words(self):
        if self.variant == 'openrcptd':
            return [self.place.openrcptd, '-f', '-c', self.write_daemon_settings()]
        if self.variant.startswith('null'):
            return [self.place.tool('null_milter'), self.socket,
                    NULL_MODES[self.variant.partition(', ')[2]]]
        return None

    def write_daemon_settings(self):
        """The table is copied to where the daemon's user may read it."""
        table = self.folder / 'recipients.table'
        shutil.copyfile(self.place.data(self.place.main, 'table'), table)
        shutil.chown(table, 'root', pwd.getpwnam('nobody').pw_gid)
        table.chmod(0o640)
        path = self.folder / 'openrcpt.conf'
        path.write_text('socket = "unix:%s";\nuser = "nobody";\ntable = "%s";\nlog = "stderr";\n'
                        'runtime_directory = "%s";\n' % (self.socket, table, self.folder / 'run'))
        shutil.chown(path, 'root', pwd.getpwnam('nobody').pw_gid)
        return path

    def start_milter(self):
        words = self.milter_words()
        if words is None:
            return
        with open(self.folder / 'log' / 'milter.log', 'wb') as log:
            self.process = subprocess.Popen(
                run.first(words), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=self.milter.enter)
        self.milter.processes = [self.process.pid]

        def answers():
            if self.process.poll() is not None:
                raise run.Failed('%s: %s' % (
                    self.variant, (self.folder / 'log' / 'milter.log').read_text()[-500:]))
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(str(self.socket)) == 0
        wait_for(answers, self.variant)

    # ---- Postfix -----------------------------------------------------------------------

    def maps(self):
        base, domains = (self.place.work / 'data' / name for name in
                         ('p%d' % self.place.main, 'domains'))
        if self.variant.startswith('native'):
            kind = self.variant.split()[1]
            return ('virtual_alias_maps = %s:%s\nvirtual_alias_domains = %s:%s\n'
                    % (kind, base, kind, domains))
        return ('virtual_alias_maps =\nrelay_domains = cdb:%s\nrelay_recipient_maps =\n'
                'smtpd_milters = unix:%s\nmilter_default_action = tempfail\n'
                % (domains, self.socket))

    def start_postfix(self):
        etc = self.folder / 'etc'
        names = {'spool': self.spool, 'data': self.folder / 'data', 'log': self.folder / 'log'}
        (etc / 'main.cf').write_text(MAIN % names + self.maps())
        (etc / 'master.cf').write_text(
            ''.join(line % {'port': self.port} + '\n' if '%' in line else line + '\n'
                    for line in SERVICES))
        with open(self.folder / 'log' / 'start.log', 'wb') as log:
            subprocess.run(['nice', '-n', '-10', 'postfix', '-c', etc, 'start'], stdout=log,
                           stderr=log, stdin=subprocess.DEVNULL, check=False,
                           preexec_fn=self.postfix.enter)

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(('127.0.0.1', self.port)) == 0
        wait_for(answers, 'Postfix')
        self.postfix.processes = [int((self.spool / 'pid' / 'master.pid').read_text())]

    def is_queue_empty(self):
        return not any(path.is_file() for name in ('active', 'incoming', 'maildrop', 'deferred')
                       for path in (self.spool / name).rglob('*'))

    def step(self, recipients, skip, messages, each, mode):
        """One load, and all that comes of it: CPU us a unit of Postfix and milter."""
        before = self.postfix.read_us(), self.milter.read_us()
        answers = json.loads(run.run([
            self.place.tool('smtp_load'), self.port, recipients, skip, messages, each, SESSIONS,
            mode]))
        wait_for(self.is_queue_empty, 'an empty queue', 300)
        units = messages * each
        return {'postfix_us': (self.postfix.read_us() - before[0]) / units,
                'milter_us': (self.milter.read_us() - before[1]) / units,
                'rate': units / answers['wall_s'], 'answers': answers}

    def __exit__(self, *_):
        subprocess.run(['postfix', '-c', self.folder / 'etc', 'stop'], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.process is not None:
            # libmilter takes five seconds to notice; the null milter has nothing to end well.
            is_null = self.variant.startswith('null')
            self.process.send_signal(signal.SIGKILL if is_null else signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        time.sleep(0.3)
        self.postfix.close()
        self.milter.close()
        shutil.rmtree(self.spool, ignore_errors=True)


def make_domains(place):
    """The domains of the table as a table of Postfix's own, as hash and cdb."""
    path = place.work / 'data' / 'domains'
    with open(place.data(place.main, 'txt'), encoding='ascii') as table, \
            open(path, 'w', encoding='ascii') as domains:
        for line in table:
            key = line.split('\t')[0]
            if line.endswith('\tanything\n'):
                domains.write('%s anything\n' % key)
    for kind in ('hash', 'cdb'):
        run.run(['postmap', '-c', place.work / 'postfix', '%s:%s' % (kind, path)])


def steps(place):
    """name: (recipients, messages, recipients each, mode)"""
    part = 6 if place.is_quick else 1
    return {'one': ('single', 2400 // part, 1, 'mail'),
            'fifty': ('single', 120 // part, 50, 'mail'),
            'flood': ('unknown', 240 // part, 100, 'flood')}


def check_answers(variant, name, took):
    """A figure counts only if the recipients were treated as they should be."""
    answers = took['answers']
    wanted = 'refused' if name == 'flood' else 'accepted'
    others = [key for key in ('accepted', 'deferred', 'refused') if key != wanted and answers[key]]
    if others:
        raise run.Failed('%s, %s: %s' % (variant, name, answers))


def run_variant(place, variant, repetition, values):
    with Instance(place, variant) as instance:
        warm_up = 'unknown' if variant.endswith('refusing') else 'single'
        instance.step(place.data(place.main, warm_up), 0, 100, 1,
                      'flood' if warm_up == 'unknown' else 'mail')
        for number, name in enumerate(VARIANTS[variant]):
            recipients, messages, each, mode = steps(place)[name]
            took = instance.step(place.data(place.main, recipients),
                                 1000 + 20000 * (3 * repetition + number), messages, each, mode)
            check_answers(variant, name, took)
            values.setdefault((variant, name), []).append(took)


def measure(place):
    if os.geteuid() != 0:
        raise run.Failed('the end-to-end part needs root')
    make_domains(place)
    values, repetitions = {}, 3 if place.is_quick else 5
    for repetition in range(repetitions):
        for variant in VARIANTS:
            run.say('mail, repetition %d of %d: %s' % (repetition + 1, repetitions, variant))
            run_variant(place, variant, repetition, values)
    results = {}
    for (variant, name), taken in values.items():
        row = {key: run.middle([took[key] for took in taken])
               for key in ('postfix_us', 'milter_us', 'rate')}
        row['total_us'] = run.middle([took['postfix_us'] + took['milter_us'] for took in taken])
        results.setdefault(variant, {})[name] = row
    return results
