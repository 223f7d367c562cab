# SPDX-License-Identifier: BSD-2-Clause
"""What every test program needs: the programs under test, a scratch folder, an orderly end.

A test program is a file of unittest that ends with `harness.main(needs=[...])`. It exits with 0 if
all is well, 1 if not, and 77, the skip status of automake, where something it needs is missing.

Environment:
  OPENRCPT_BUILD_DIR    the build folder; without it `build` in the sources, or the sources
  OPENRCPT_WRAPPER      words put in front of each program under test, such as `valgrind -q`
  OPENRCPT_KEEP         leave scratch folders behind, to look into them
  OPENRCPT_NO_SKIP      fail where something is missing, instead of skipping
  TMPDIR                where scratch folders are made; user postfix must be able to enter it
"""
import atexit
import glob
import os
import pathlib
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
SOURCE = pathlib.Path(__file__).resolve().parents[2]
POSTFIX_MASTER = '/usr/lib/postfix/sbin/master'
SLAPD = '/usr/sbin/slapd'


class Missing(Exception):
    """Something that a test needs is not here; the text says what."""


# ---- programs under test ---------------------------------------------------------------


def build_folder():
    given = os.environ.get('OPENRCPT_BUILD_DIR') or os.environ.get('OPENRCPT_BUILD')
    if given:
        return pathlib.Path(given).resolve()
    beside = SOURCE / 'build'
    return beside if beside.is_dir() else SOURCE


def program(name):
    """The path of one of our programs."""
    for folder in (build_folder() / 'src' / name, build_folder() / 'src', build_folder()):
        path = folder / name
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise Missing('%s is not built in %s (set OPENRCPT_BUILD_DIR)' % (name, build_folder()))


def command(name, *arguments):
    """The words that run one of our programs."""
    wrapper = shlex.split(os.environ.get('OPENRCPT_WRAPPER', ''))
    return [*wrapper, program(name), *map(str, arguments)]


# ---- scratch folders -------------------------------------------------------------------


def _scratch_base():
    """A folder for temporary ones that a daemon with a user of its own can enter."""
    for name in (tempfile.gettempdir(), '/tmp', '/dev/shm'):
        base = pathlib.Path(name).resolve()
        if all(folder.stat().st_mode & stat.S_IXOTH for folder in (base, *base.parents)):
            return base
    raise Missing('no folder for scratch files that other users can enter: set TMPDIR')


class Scratch:
    """A folder of its own that is removed at the end, of the program at the latest."""

    def __init__(self, prefix='openrcpt-test-'):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=_scratch_base()))
        self.path.chmod(0o711)
        atexit.register(self.remove)

    def remove(self):
        atexit.unregister(self.remove)
        if not os.environ.get('OPENRCPT_KEEP'):
            shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return self.path / name

    def __str__(self):
        return str(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


# ---- what runs beside a test -----------------------------------------------------------


class Started:
    """What `with` starts, and closes at its end; at once where the start fails."""

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()


# ---- waiting ---------------------------------------------------------------------------


LIMIT_S = 180           # only ends a test that would hang, however busy the machine
NUDGE_S = 2


def wait_until(claim, what, limit_s=LIMIT_S, nudge=None):
    """Ask again until CLAIM() is true, and return what it said. The limit only ends a test that
    would hang; no test depends on how long something takes. NUDGE() is called now and then: it
    asks once more for what may have been missed."""
    began = time.monotonic()
    nudge_at = began + NUDGE_S
    while True:
        answer = claim()
        if answer:
            return answer
        now = time.monotonic()
        if now > began + limit_s:
            raise AssertionError('waited %d s in vain: %s' % (limit_s, what))
        if nudge and now > nudge_at:
            nudge()
            nudge_at = time.monotonic() + NUDGE_S
        time.sleep(0.01)


# ---- the test program ------------------------------------------------------------------


def _check_root():
    if os.geteuid() != 0:
        raise Missing('only root can run a Postfix of its own')


def _check_postfix():
    _check_root()
    if not os.path.exists(POSTFIX_MASTER):
        raise Missing('no %s: install the package postfix' % POSTFIX_MASTER)


def _check_prometheus():
    if not shutil.which('prometheus') or not shutil.which('promtool'):
        raise Missing('no prometheus: install the package prometheus')


def _check_pflogsumm():
    if not shutil.which('pflogsumm'):
        raise Missing('no pflogsumm: install the package pflogsumm')


def _check_exporter():
    if not shutil.which('prometheus-postfix-exporter'):
        raise Missing('no prometheus-postfix-exporter: install the package of that name')


# A program behind it sees mounts of its own. In a chroot / is no mount, and can't be made private;
# there it will do if none of them is shared with others.
OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'unchanged', 'sh', '-c', '''\
{ mount --make-rprivate / 2>/dev/null || ! grep -q ' shared:' /proc/self/mountinfo; } && exec "$@"
''', 'sh']
JOURNALD = pathlib.Path('/usr/lib/systemd/systemd-journald')


def _check_journald():
    if not JOURNALD.exists() or not shutil.which('journalctl'):
        raise Missing('no %s: install the package systemd' % JOURNALD)
    if subprocess.run([*OWN_MOUNTS, 'true'], check=False).returncode != 0:
        raise Missing('no mount namespace for a journal of its own')


def _check_table(kind, package):
    """Does Postfix have tables of this type?"""
    _check_postfix()
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, 'main.cf').touch()
        types = subprocess.run(['postconf', '-c', folder, '-m'], check=False,
                               stdout=subprocess.PIPE, encoding='utf-8').stdout.split()
    if kind not in types:
        raise Missing('no %s: tables: install the package %s' % (kind, package))


def _check_sqlite():
    _check_module('sqlite')
    _check_table('sqlite', 'postfix-sqlite')


def _check_ldap():
    _check_module('ldap')
    _check_table('ldap', 'postfix-ldap')
    if not os.path.exists(SLAPD):
        raise Missing('no %s: install the package slapd' % SLAPD)


def _check_mysql():
    _check_module('mysql')
    _check_table('mysql', 'postfix-mysql')
    if not os.path.exists('/usr/sbin/mariadbd'):
        raise Missing('no MariaDB server: install the package mariadb-server')
    if not shutil.which('openssl'):
        raise Missing('no openssl: install the package of this name')


def _check_postgresql():
    _check_module('postgresql')
    _check_table('pgsql', 'postfix-pgsql')
    if not glob.glob('/usr/lib/postgresql/*/bin/initdb'):
        raise Missing('no PostgreSQL server: install the package postgresql')


def _check_pgbouncer():
    if not os.path.exists('/usr/sbin/pgbouncer'):
        raise Missing('no pgbouncer: install the package of this name')


def _check_module(name):
    if not (build_folder() / 'src' / 'modules' / (name + '.so')).exists():
        raise Missing('the module for %s is not built' % name)


NEEDS = {
    'root': _check_root,
    'postfix': _check_postfix,
    'rcptmap': lambda: program('rcptmap'),
    'openrcptd': lambda: program('openrcptd'),
    'rcptctl': lambda: program('rcptctl'),
    'prometheus': _check_prometheus,
    'pflogsumm': _check_pflogsumm,
    'prometheus-postfix-exporter': _check_exporter,
    'journald': _check_journald,
    'mysql': _check_mysql,
    'ldap': _check_ldap,
    'postgresql': _check_postgresql,
    'sqlite': _check_sqlite,
    'pgbouncer': _check_pgbouncer,
}


def require(*needs):
    """End the program with the skip status unless all NEEDS are met. A test run that must not
    skip sets OPENRCPT_NO_SKIP."""
    try:
        for need in needs:
            NEEDS[need]()
    except Missing as missing:
        print('SKIP: %s: %s' % (os.path.basename(sys.argv[0]), missing), flush=True)
        sys.exit(1 if os.environ.get('OPENRCPT_NO_SKIP') else SKIPPED)


def end_orderly():
    """Leave by way of atexit and `finally` when asked to stop."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors='backslashreplace', line_buffering=True)


def main(*needs):
    """Run the tests of the calling program."""
    require(*needs)
    end_orderly()
    unittest.main(verbosity=2 if os.environ.get('VERBOSE') else 1)
