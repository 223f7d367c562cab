# SPDX-License-Identifier: BSD-2-Clause
"""A Sendmail of our own for tests. It conflicts with Postfix, so it is not installed: its Debian
packages are fetched once into a cache, and unpacked into a scratch folder.

    with PrivateSendmail(sink.port, {'main': 'S=local:/path/milter.sock, F=4'}) as sendmail:
        client = SmtpClient(sendmail.where('main'))

Each name is a port of its own on 127.0.0.1, with its own way to the milter: the value is what
INPUT_MAIL_FILTER has behind the name; None means a port without a milter, '' one with whatever
`lines` have. What Sendmail would send into the world goes to the sink.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

import harness
from private_mta import MtaFailed, PrivateMta, free_port

PACKAGES = ('sendmail-bin', 'sendmail-base', 'sendmail-cf')
HOST = 'mx.test.example'                # as in preload.c
DOMAINS = ('alias.example', 'second.example', 'mailbox.example')

# In order; {…} is filled in. What is unusual here is for the tests' sake, and comes first.
MC = '''\
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`confPID_FILE', `{folder}/sendmail.pid')dnl
define(`ALIAS_FILE', `{folder}/aliases')dnl
define(`STATUS_FILE', `/dev/null')dnl
define(`HELP_FILE', `/dev/null')dnl
define(`confCW_FILE', `-o {folder}/none')dnl
define(`confCR_FILE', `-o {folder}/none')dnl
define(`confCT_FILE', `-o {folder}/none')dnl
define(`confHOSTS_FILE', `{folder}/hosts')dnl
define(`confSERVICE_SWITCH_FILE', `{folder}/switch')dnl
define(`confDOMAIN_NAME', `{host}')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit,GroupWritableDirPathSafe,MapInUnsafeDirPath,\
ClassFileInUnsafeDirPath,LinkedAliasFileInWritableDir,RunProgramInUnsafeDirPath')dnl
define(`confTO_IDENT', `0')dnl
define(`confQUEUE_LA', `10000')dnl
define(`confREFUSE_LA', `10000')dnl
define(`confDELAY_LA', `0')dnl
define(`confDELIVERY_MODE', `interactive')dnl
define(`confMILTER_LOG_LEVEL', `22')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`SMART_HOST', `esmtp:[127.0.0.1]')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {sink_port}')dnl
define(`LOCAL_MAILER_PATH', `/bin/false')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
FEATURE(`delay_checks')dnl
LOCAL_DOMAIN(`local.example')dnl
{lines}
MAILER(`local')dnl
MAILER(`smtp')dnl
'''
NOT_ROOT = '''\
LOCAL_CONFIG
O RunAsUser={user}
O TrustedUser={user}
'''


# ---- the packages ----------------------------------------------------------------------


def cache_folder():
    """Packages stay here from one run to the next."""
    base = os.environ.get('XDG_CACHE_HOME')
    if not base:
        base = '/var/cache' if os.geteuid() == 0 else pathlib.Path.home() / '.cache'
    return pathlib.Path(base) / 'openrcpt-tests'


def _run(*words, cwd=None):
    done = subprocess.run(words, check=False, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise harness.Missing('no Sendmail: %s: %s' % (
            ' '.join(words[:2]), (done.stderr.strip() or 'failed').splitlines()[-1]))
    return done.stdout


def _fetch(names, into):
    """Have apt download packages; each is moved into the cache as a whole."""
    with tempfile.TemporaryDirectory(dir=into) as folder:
        os.chmod(folder, 0o755)
        try:
            _run('apt-get', 'download', *names, cwd=folder)
        except harness.Missing:
            if os.geteuid() != 0:
                raise
            _run('apt-get', 'update')           # there were no package lists, or old ones
            _run('apt-get', 'download', *names, cwd=folder)
        for package in pathlib.Path(folder).iterdir():
            package.replace(into / package.name)


def _package_files(name, folder):
    return sorted(folder.glob(name + '_*.deb'), key=lambda path: path.stat().st_mtime)


def _unpack(names, folder):
    """Unpack packages into FOLDER, fetching those that are not in the cache."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise harness.Missing('no Sendmail: %s' % error) from error
    absent = [name for name in names if not _package_files(name, cache)]
    if absent:
        _fetch(absent, cache)
    for name in names:
        _run('dpkg', '-x', str(_package_files(name, cache)[-1]), str(folder))


def _libraries(folder):
    """Where unpacked libraries are."""
    found = {str(path.parent) for name in ('lib', 'usr/lib')
             for path in (folder / name).rglob('*.so*')}
    return ':'.join(sorted(found))


def _missing_libraries(folder):
    environment = {**os.environ, 'LD_LIBRARY_PATH': _libraries(folder)}
    done = subprocess.run(['ldd', str(folder / 'usr/libexec/sendmail/sendmail')], check=False,
                          env=environment, stdout=subprocess.PIPE, text=True)
    return [line.split()[0] for line in done.stdout.splitlines() if 'not found' in line]


def _is_installed(package):
    done = subprocess.run(['dpkg-query', '-W', '-f=${db:Status-Status}', package], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout == 'installed'


def _library_packages(name):
    """Packages that NAME depends on, look like libraries and are not installed."""
    depends = _run('dpkg-deb', '-f', str(_package_files(name, cache_folder())[-1]), 'Depends')
    words = [word.split()[0] for word in depends.split(',') if word.strip()]
    return [word for word in words if word.startswith('lib') and not _is_installed(word)]


def unpack(folder):
    """Sendmail and what it needs beyond the installed, in FOLDER."""
    for tool in ('apt-get', 'dpkg', 'dpkg-deb', 'ldd', 'm4', 'cc'):
        if not shutil.which(tool):
            raise harness.Missing('no Sendmail: no program %s here' % tool)
    _unpack(PACKAGES, folder)
    known, names = set(), {'sendmail-bin'}
    missing = _missing_libraries(folder)
    while missing and names:
        names = {one for name in names for one in _library_packages(name)} - known
        known |= names
        _unpack(sorted(names), folder)
        missing = _missing_libraries(folder)
    if missing:
        raise harness.Missing('no Sendmail: libraries are missing: ' + ' '.join(missing))
    # With the setgid bit that it is shipped with, the loader would preload nothing.
    (folder / 'usr/libexec/sendmail/sendmail').chmod(0o755)


class Software:
    """The unpacked program, shared by all instances of a test program."""

    def __init__(self):
        self.folder = harness.Scratch('openrcpt-sendmail-')
        unpack(self.folder.path)
        self.program = self.folder / 'usr/libexec/sendmail/sendmail'
        self.cf = self.folder / 'usr/share/sendmail/cf'
        preload = self.folder / 'preload.so'
        _run('cc', '-shared', '-fPIC', '-O1', '-o', str(preload),
             str(harness.SOURCE / 'tests' / 'sendmail' / 'preload.c'))
        self.environment = {**os.environ, 'LD_PRELOAD': str(preload),
                            'LD_LIBRARY_PATH': _libraries(self.folder.path)}

    def make_cf(self, mc, path):
        """A .cf from the text of a .mc."""
        source = path.with_suffix('.mc')
        source.write_text(mc, encoding='utf-8')
        path.write_text(_run('m4', '-D_CF_DIR_=%s/' % self.cf, str(self.cf / 'm4/cf.m4'),
                             str(source)), encoding='utf-8')
        return path

    def run(self, cf, *arguments, text=''):
        """Run sendmail on a .cf: exit status, and what it printed."""
        done = subprocess.run(
            [str(self.program), '-C', str(cf), *arguments], check=False, input=text, text=True,
            errors='surrogateescape', env=self.environment, timeout=harness.LIMIT_S,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout, done.stderr


SOFTWARE = []


def software():
    """Unpacked at the first call. A test program lists it among its needs: where it can't be had
    the program is skipped."""
    if not SOFTWARE:
        SOFTWARE.append(Software())
    return SOFTWARE[0]


harness.NEEDS['sendmail'] = software


# ---- one instance ----------------------------------------------------------------------


class PrivateSendmail(PrivateMta):
    """lines: of the .mc, before the MAILER lines; {ports[NAME]} and {folder} are filled in.
    aliases: text of aliases(5)."""

    NAME = 'Sendmail'
    # A milter that is away makes it say 4xx, which is good enough.
    GREETINGS = tuple(b'%d' % code for code in range(200, 600))

    def __init__(self, sink_port, filters, domains=DOMAINS, lines='', aliases=''):
        super().__init__('openrcpt-sendmail-run-')
        self.software = software()
        self.environment = self.software.environment
        self.cf = self.folder / 'sendmail.cf'
        self.sink_port, self.filters, self.domains, self.lines = sink_port, filters, domains, lines
        self.ports = {}
        (self.folder / 'queue').mkdir(mode=0o700)
        self.write('hosts', '127.0.0.1 localhost %s\n' % HOST)
        self.write('switch', 'aliases files\nhosts files\n')
        self.write('aliases', 'postmaster: pm@dest.example\nMAILER-DAEMON: postmaster\n' + aliases)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding='utf-8')
        path.chmod(0o644)
        return path

    def where(self, name='main'):
        return ('127.0.0.1', self.ports[name])

    def _filter_lines(self):
        """The first filter is also that of sessions on standard input, unless `lines` have one."""
        define = 'MAIL_FILTER' if '' in self.filters.values() else 'INPUT_MAIL_FILTER'
        for name, options in self.filters.items():
            if options:
                yield "%s(`%s', `%s')dnl" % (define, name, options)
                define = 'MAIL_FILTER'
            own = '' if options == '' else ', InputMailFilters=' + (name if options else '')
            yield ("DAEMON_OPTIONS(`Family=inet, Addr=127.0.0.1, Port=%d, Name=%s%s')dnl"
                   % (self.ports[name], name.upper(), own))

    def _mc_names(self):
        return {'folder': self.folder, 'host': HOST, 'sink_port': self.sink_port,
                'ports': self.ports}

    def _write_cf(self):
        names = self._mc_names()
        lines = [*self._filter_lines(), self.lines.format(**names),
                 *("RELAY_DOMAIN(`%s')dnl" % name for name in self.domains)]
        mc = MC.format(lines='\n'.join(lines), **names)
        if os.geteuid() != 0:
            mc += NOT_ROOT.format(user=os.geteuid())
        self.software.make_cf(mc, self.cf)

    # ---- life --------------------------------------------------------------------------

    def _prepare(self):
        self.ports = {name: free_port() for name in self.filters}
        self._write_cf()
        status, out, errors = self.run('-bi')
        if status != 0:
            raise MtaFailed('newaliases: ' + out + errors)

    def _command(self):
        return [str(self.software.program), '-C', str(self.cf), '-bD']

    def _ports(self):
        return self.ports.values()

    # ---- what happened -----------------------------------------------------------------

    def run(self, *arguments, text=''):
        """Run sendmail(8) on our sendmail.cf: exit status, and what it printed."""
        return self.software.run(self.cf, *arguments, text=text)

    def queue(self):
        """Names of the control files of messages still in the queue."""
        return sorted(path.name for path in (self.folder / 'queue').glob('qf*'))

    def converse(self, *lines):
        """Speak SMTP to `sendmail -bs`, on standard input and output; the replies."""
        with subprocess.Popen(
                [str(self.software.program), '-C', str(self.cf), '-bs'], text=True, bufsize=1,
                env=self.software.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL) as process:
            replies = [_reply(process.stdout)]
            for line in lines:
                process.stdin.write(line + '\r\n')
                replies.append(_reply(process.stdout))
        return replies


def _reply(stream):
    lines = []
    while not lines or lines[-1][3:4] == '-':
        lines.append(stream.readline().rstrip('\r\n'))
    return '\n'.join(lines)
