# SPDX-License-Identifier: BSD-2-Clause
"""A Postfix of our own for tests: installed programs, everything else in a scratch folder.

    with PrivatePostfix({'relayhost': '[127.0.0.1]:%d' % sink.port}) as postfix:
        client = SmtpClient(postfix.where)

It listens on a free port of 127.0.0.1. The system's own Postfix is neither read nor touched.

*Tenants*: differently configured mail systems that share one Postfix, each with its own smtpd,
cleanup and trivial-rewrite, and a unix socket to talk SMTP to. A hundred of them start as fast as
one, and none sees another's parameters.

Mail is put on hold by default, so that a test can read its queue file; `hold=False` delivers.
"""
import grp
import os
import pwd
import resource
import subprocess

import harness
import queue_file
from private_mta import MtaFailed, PrivateMta, free_port

TOOLS = '/usr/sbin/'

# Folders below the queue directory: mode, and whether the group is postdrop.
QUEUE_FOLDERS = {
    'active': (0o700, False), 'bounce': (0o700, False), 'corrupt': (0o700, False),
    'defer': (0o700, False), 'deferred': (0o700, False), 'flush': (0o700, False),
    'hold': (0o700, False), 'incoming': (0o700, False), 'private': (0o700, False),
    'saved': (0o700, False), 'trace': (0o700, False),
    'maildrop': (0o1730, True), 'public': (0o2710, True),
}

# Service, type, process limit, program; nothing is chrooted.
SERVICES = (
    ('pickup', 'unix', 1, 'pickup'), ('cleanup', 'unix', 0, 'cleanup'),
    ('qmgr', 'unix', 1, 'qmgr'), ('rewrite', 'unix', '-', 'trivial-rewrite'),
    ('bounce', 'unix', 0, 'bounce'), ('defer', 'unix', 0, 'bounce'),
    ('trace', 'unix', 0, 'bounce'), ('verify', 'unix', 1, 'verify'),
    ('smtp', 'unix', '-', 'smtp'), ('relay', 'unix', '-', 'smtp'),
    ('error', 'unix', '-', 'error'), ('retry', 'unix', '-', 'error'),
    ('discard', 'unix', '-', 'discard'), ('local', 'unix', '-', 'local'),
    ('virtual', 'unix', '-', 'virtual'), ('showq', 'unix', '-', 'showq'),
    ('anvil', 'unix', 1, 'anvil'), ('scache', 'unix', 1, 'scache'),
    ('proxymap', 'unix', '-', 'proxymap'), ('postlog', 'unix-dgram', 1, 'postlogd'),
)
PRIVILEGED = {'local', 'virtual'}       # start as root: the column `unprivileged` says n
PUBLIC = {'pickup', 'cleanup', 'qmgr', 'showq', 'postlog'}
WAKEUP = {'pickup': '5', 'qmgr': '300'}     # what pickup could not take at once it takes later

MAIN = {
    'compatibility_level': '3.6',
    'myhostname': 'mx.example', 'mydomain': 'host.example', 'myorigin': 'origin.example',
    'mydestination': 'local.example',
    'inet_interfaces': '127.0.0.1', 'inet_protocols': 'ipv4', 'mynetworks': '127.0.0.0/8',
    # Every local user exists; the host's own aliases are not consulted.
    'local_recipient_maps': '', 'alias_maps': '', 'alias_database': '',
    'mailbox_transport': 'discard:', 'biff': 'no',
    # No name server.
    'smtp_dns_support_level': 'disabled', 'smtp_host_lookup': 'native',
    'smtpd_peername_lookup': 'no', 'notify_classes': '',
    # Tests make mistakes on purpose, and many of them.
    'smtpd_error_sleep_time': '0', 'smtpd_soft_error_limit': '1000000',
    'smtpd_hard_error_limit': '1000000', 'smtpd_recipient_limit': '1000000',
    'smtpd_recipient_overshoot_limit': '1000000',
    'smtpd_junk_command_limit': '1000000', 'smtpd_client_connection_count_limit': '0',
    'smtpd_recipient_restrictions': 'permit_mynetworks, reject', 'in_flow_delay': '0',
    'hash_queue_names': 'deferred', 'enable_long_queue_ids': 'yes',
    'maximal_backoff_time': '1s', 'minimal_backoff_time': '1s', 'queue_run_delay': '1s',
    # Of what goes wrong on a busy machine nothing waits longer than a test does.
    'transport_retry_time': '1s', 'service_throttle_time': '1s',
    'bounce_queue_lifetime': '60s',
}
HOLD = {'header_checks': 'static:HOLD'}


def settled_file(path, text):
    """Write a file that looks an hour old: one that is fresh Postfix reads again and again."""
    with open(path, 'w', encoding='utf-8', errors='surrogateescape', newline='') as file:
        file.write(text)
    age = os.stat(path).st_mtime - 3600
    os.utime(path, (age, age))


def everybody(domains):
    """The value of virtual_alias_maps that maps each address of DOMAINS to itself."""
    return 'inline:{ %s }' % ', '.join('{ @%s = @%s }' % (name, name) for name in domains)


def behind_milter(domains, socket_path):
    """The parameters of a Postfix that leaves DOMAINS to openrcptd, as the guide has them."""
    return {
        'virtual_alias_domains': ' '.join(domains),
        'virtual_alias_maps': everybody(domains) if domains else '',
        'smtpd_milters': milter_entry(socket_path),
        'disable_vrfy_command': 'yes',
    }


def milter_entry(socket_path):
    return '{ unix:%s, connect_timeout=10s, default_action=tempfail }' % socket_path


class Tenant:
    """One mail system in a shared Postfix: parameters, and where to talk SMTP to."""

    def __init__(self, postfix, name, parameters):
        self.postfix, self.name, self.parameters = postfix, name, parameters
        self.where = str(postfix.spool / 'public' / ('smtpd-' + name))

    def lines(self):
        options = ''.join('    -o { %s = %s }\n' % item for item in self.parameters.items())
        own = ('    -o rewrite_service_name=rewrite-%s\n'
               '    -o cleanup_service_name=cleanup-%s\n' % (self.name, self.name))
        for kind, private, limit, daemon in (('smtpd', 'n', '-', 'smtpd'),
                                             ('cleanup', 'n', '0', 'cleanup'),
                                             ('rewrite', 'y', '-', 'trivial-rewrite')):
            yield '%s-%s unix %s - n - %s %s\n%s%s' % (
                kind, self.name, private, limit, daemon, own, options)


class PrivatePostfix(PrivateMta):
    """parameters: main.cf; a value of None leaves the parameter out. services: further lines of
    master.cf, where {port} is the main port."""

    NAME = 'Postfix'

    def __init__(self, parameters=None, hold=True, services=''):
        harness.NEEDS['postfix']()
        super().__init__('openrcpt-postfix-')
        self.output = self.folder / 'master.err'
        self.etc, self.spool = self.folder / 'etc', self.folder / 'spool'
        self.parameters = {**MAIN, **(HOLD if hold else {}), **(parameters or {})}
        self.services = services
        self.tenants = {}
        self.port = None
        self.environment = {**os.environ, 'MAIL_CONFIG': str(self.etc)}
        self._make_folders()

    # ---- files -------------------------------------------------------------------------

    def _make_folders(self):
        owner, postdrop = pwd.getpwnam('postfix').pw_uid, grp.getgrnam('postdrop').gr_gid
        for folder in (self.etc, self.spool, self.spool / 'pid', self.folder / 'data'):
            folder.mkdir(mode=0o755)
        os.chown(self.folder / 'data', owner, 0)
        for name, (mode, is_postdrop) in QUEUE_FOLDERS.items():
            path = self.spool / name
            path.mkdir()
            os.chown(path, owner, postdrop if is_postdrop else 0)
            path.chmod(mode)

    def _service_lines(self):
        yield '127.0.0.1:%d inet n - n - - smtpd\n' % self.port
        for name, kind, limit, daemon in SERVICES:
            yield '%s %s %s %s n %s %s %s\n' % (
                name, kind, 'n' if name in PUBLIC else '-', 'n' if name in PRIVILEGED else '-',
                WAKEUP.get(name, '-'), limit, daemon)
        for tenant in self.tenants.values():
            yield from tenant.lines()
        yield self.services.format(port=self.port)

    def write_configuration(self):
        parameters = {
            **self.parameters, 'queue_directory': self.spool,
            'data_directory': self.folder / 'data', 'maillog_file': self.log,
            'maillog_file_prefixes': self.folder.path}
        settled_file(self.etc / 'main.cf', ''.join(
            '%s = %s\n' % item for item in parameters.items() if item[1] is not None))
        settled_file(self.etc / 'master.cf', ''.join(self._service_lines()))

    def add_tenant(self, name, parameters):
        """Before start(). Returns the Tenant."""
        self.tenants[name] = Tenant(self, name, parameters)
        return self.tenants[name]

    def add_table(self, name, text, kind='hash'):
        """Write a table, have postmap compile it, and return `kind:path` for main.cf."""
        path = self.etc / name
        settled_file(path, text)
        if kind in ('hash', 'btree', 'cdb', 'lmdb'):
            self.tool('postmap', '%s:%s' % (kind, path))
        return '%s:%s' % (kind, path)

    def _run(self, name, *arguments, text=None):
        return subprocess.run(
            [TOOLS + name, *map(str, arguments)], env=self.environment, check=False,
            input=text, text=True, errors='surrogateescape',
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def tool(self, name, *arguments, text=None, check=True):
        """Run one of Postfix's programs for this instance; what it printed."""
        if not (self.etc / 'main.cf').exists():
            self.port = self.port or free_port()
            self.write_configuration()
        done = self._run(name, *arguments, text=text)
        if check and done.returncode:
            raise MtaFailed('%s: %s' % (name, done.stdout.strip()))
        return done.stdout

    # ---- life --------------------------------------------------------------------------

    @property
    def where(self):
        return ('127.0.0.1', self.port)

    def _prepare(self):
        self.port = free_port()
        self.write_configuration()

    def _command(self):
        return [harness.POSTFIX_MASTER, '-c', str(self.etc), '-d']

    def _ports(self):
        return [self.port]

    def _before_exec(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536),) * 2)

    def kick(self, service, request):
        """Have a service do something now. It may be busy, or on its way: then ask again."""
        harness.wait_until(
            lambda: self._run('postkick', 'public', service, request).returncode == 0,
            '%s hears us' % service)

    def retry(self):
        """Have qmgr try again what is deferred: it lets a message lie that it meets while it is
        still being delivered."""
        self.kick('qmgr', 'IDF')

    # ---- what happened -----------------------------------------------------------------

    def queue_files(self, *folders):
        """The paths of queued messages, oldest first."""
        found = [path for folder in folders or ('hold',)
                 for path in (self.spool / folder).rglob('*') if path.is_file()]
        return sorted(found, key=lambda path: path.name)

    def take_held(self, queue_id):
        """The envelope of a message on hold, which is removed."""
        path = self.spool / 'hold' / queue_id
        envelope = queue_file.read(path)
        path.unlink()
        return envelope

    def take_all_held(self):
        return [self.take_held(path.name) for path in self.queue_files('hold')]

    # ---- mail --------------------------------------------------------------------------

    def sendmail(self, recipients, sender='sender@client.example', text='Subject: test\n\nHello.\n',
                 options=()):
        """Submit by sendmail(1); it is picked up soon after."""
        return self.tool('sendmail', '-C', self.etc, '-f', sender, *options, '--', *recipients,
                         text=text)
