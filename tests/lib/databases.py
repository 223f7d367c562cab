# SPDX-License-Identifier: BSD-2-Clause
"""Databases for tests: files of SQLite, a PostgreSQL of our own, and what Postfix's own tables say of
the same data."""
import glob
import os
import pathlib
import pwd
import random
import re
import sqlite3
import subprocess

import harness

DOMAINS = ('one.example', 'two.example', 'three.example')


def random_rows(seed, count=300):
    """Rows (id, address, goto, active) of a table `alias` with the quirks of real ones."""
    chosen = random.Random(seed)
    rows = []
    for number in range(1, count + 1):
        domain = chosen.choice(DOMAINS)
        local = '' if number % 60 == 0 else chosen.choice(
            ('user%d', "o'neil%d", "''%d", 'a.b+%d', 'u_%d', 'a/b-%d', '{x}$%d')) % number
        goto = ['%s%d@%s' % (chosen.choice('xyz'), chosen.randrange(99), chosen.choice(
            ('dest.example', 'else.example'))) for _ in range(chosen.randrange(1, 4))]
        goto = chosen.choice((',', ', ', ' ', '\n')).join(goto)
        if chosen.random() < 0.05:
            goto = chosen.choice((None, ''))
        rows.append((number, '%s@%s' % (local, domain), goto, chosen.random() < 0.9))
        if chosen.random() < 0.1:       # one row a target
            rows.append((1000 + number, rows[-1][1], 'second@dest.example', True))
    return rows


def linked_rows(seed, count=200):
    """Rows whose targets are each other, in domains where every address is an alias."""
    chosen = random.Random(seed)
    address = 'u%d@%s'
    names = [address % (number, chosen.choice(DOMAINS)) for number in range(count)]
    rows = []
    for number, name in enumerate(names):
        later = names[number + 1:]
        for _ in range(chosen.randrange(1, 4)):
            goto = chosen.choice(later) if later and chosen.random() < 0.4 else (
                't%d@dest.example' % chosen.randrange(50))
            rows.append((len(rows), name, goto, True))
    rows.append((len(rows), '@%s' % DOMAINS[0], 'all@dest.example', True))
    return rows


def keys_of(rows):
    """What to ask: each key, some that nobody has, and capitals."""
    keys = sorted({row[1] for row in rows})
    return keys + ['nobody@one.example', '@nowhere.example', 'user1@nowhere.example',
                   keys[len(keys) // 2].upper()]


class Sqlite:
    """A file of SQLite."""

    TYPE = 'sqlite'
    ACTIVE = 'active = 1'
    ALIAS_OF = "'%u' || '@' || d.target"
    PARTS = ("SELECT goto FROM alias WHERE substr(address, 1, instr(address, '@') - 1) = '%u' AND "
             "substr(address, instr(address, '@') + 1) = '%d'")

    def __init__(self, folder):
        self.path = folder / 'data.sqlite'
        self.run('CREATE TABLE alias (id INTEGER PRIMARY KEY, address TEXT, goto TEXT, '
                 'active INTEGER)')
        self.path.chmod(0o644)

    def run(self, statement, *values):
        with sqlite3.connect(str(self.path)) as connection:
            found = connection.execute(statement, *values).fetchall()
        connection.close()
        return found

    def fill(self, rows):
        with sqlite3.connect(str(self.path)) as connection:
            connection.executemany('INSERT INTO alias VALUES (?, ?, ?, ?)', rows)
        connection.close()

    def parameters(self):
        """How a table file of Postfix reaches it."""
        return {'dbpath': self.path}

    def connection(self):
        """The same for members of a source."""
        return {'connection': self.path}


# ---- PostgreSQL ------------------------------------------------------------------------


class PostgresqlServer:
    """A server with a socket in a folder of its own and no port, run by an ordinary user."""

    USER = 'nobody'

    def __init__(self):
        found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'))
        self.programs = pathlib.Path(found[-1]).parent
        self.user = pwd.getpwnam(self.USER)
        self._make_folders()
        self._as_user('initdb', '-D', self.data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8',
                      '--locale=C', '-N')
        # Whoever is called secret needs a password.
        rules = self.data / 'pg_hba.conf'
        rules.write_text('local all secret scram-sha-256\n' + rules.read_text(encoding='utf-8'),
                         encoding='utf-8')

    def _make_folders(self):
        self.folder = harness.Scratch('openrcpt-pg-')
        self.sockets = self.folder / 'run'
        self.listens_at = self.sockets / '.s.PGSQL.5432'
        self.data = self.folder / 'data'
        self.process = None
        self.count = 0
        for path in (self.sockets, self.data):
            path.mkdir(mode=0o755)
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _words(self, name, *arguments):
        return [str(self.programs / name), *map(str, arguments)]

    def _as_user(self, name, *arguments):
        done = subprocess.run(
            self._words(name, *arguments), check=False, user=self.user.pw_uid,
            group=self.user.pw_gid, extra_groups=[], cwd='/', stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8')
        if done.returncode != 0:
            raise AssertionError('%s: %s' % (name, done.stdout))

    def start(self):
        log = open(self.folder / 'log', 'ab')    # pylint: disable=consider-using-with
        with log:
            self.process = subprocess.Popen(
                self._words('postgres', '-D', self.data, '-k', self.sockets, '-c',
                            'listen_addresses=', '-c', 'fsync=off'),
                user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[], cwd='/',
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait()
        return self

    def wait(self):
        """Until it takes connections."""
        harness.wait_until(lambda: self.psql('SELECT 1', may_fail=True) is not None,
                           'PostgreSQL does not answer')

    def halt(self):
        """Until start()."""
        self.process.send_signal(2)      # a fast end
        self.process.wait(harness.LIMIT_S)
        self.process = None

    def processes(self):
        """Of all that serve, the postmaster first."""
        pids = [self.process.pid]
        for path in pathlib.Path('/proc/%d/task' % pids[0]).glob('*/children'):
            pids += map(int, path.read_text(encoding='ascii').split())
        return pids

    def stop(self):
        if self.process is not None:
            self.halt()
        self.folder.remove()

    def psql(self, statement, database='postgres', may_fail=False, copy=None):
        """Rows of STATEMENT, as lists of texts. COPY: text for a COPY FROM STDIN."""
        words = ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-F', '\t', '-h',
                 str(self.sockets), '-U', 'tester', '-d', database, '-c', statement]
        done = subprocess.run(words, check=False, input=copy or '', encoding='utf-8',
                              errors='surrogateescape', stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            if may_fail:
                return None
            raise AssertionError('psql: %s' % done.stderr)
        return [line.split('\t') for line in done.stdout.splitlines()]

    def database(self, encoding='UTF8'):
        """A new one."""
        self.count += 1
        name = 'made%d' % self.count
        self.psql("CREATE DATABASE %s ENCODING '%s' TEMPLATE template0" % (name, encoding))
        return Postgresql(self, name)


class PostgresqlStandby(PostgresqlServer):
    """A copy of another one, which follows it."""

    def __init__(self, primary):    # pylint: disable=super-init-not-called
        self.programs, self.user = primary.programs, primary.user
        self._make_folders()
        self.data.chmod(0o700)
        self._as_user('pg_basebackup', '-h', primary.sockets, '-U', 'tester', '-D', self.data, '-R',
                      '-c', 'fast', '-X', 'stream')


class Pgbouncer:
    """A pooler in front of a PostgresqlServer, in transaction mode."""

    PROGRAM = '/usr/sbin/pgbouncer'

    def __init__(self, server):
        self.server = server
        self.folder = harness.Scratch('openrcpt-pool-')
        self.sockets = self.folder / 'run'
        self.sockets.mkdir(mode=0o755)
        os.chown(self.sockets, server.user.pw_uid, server.user.pw_gid)
        self.configuration = self.folder / 'pgbouncer.ini'
        self.configuration.write_text(
            '[databases]\n* = host=%s user=tester\n[pgbouncer]\nlisten_addr =\nlisten_port = 5432\n'
            'unix_socket_dir = %s\nauth_type = any\npool_mode = transaction\n'
            'ignore_startup_parameters = extra_float_digits\n' % (server.sockets, self.sockets),
            encoding='utf-8')
        self.configuration.chmod(0o644)
        self.process = None

    def start(self):
        with open(self.folder / 'log', 'ab') as log:
            self.process = subprocess.Popen(
                [self.PROGRAM, str(self.configuration)], user=self.server.user.pw_uid,
                group=self.server.user.pw_gid, extra_groups=[], cwd='/',
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_until((self.sockets / '.s.PGSQL.5432').exists, 'the pooler does not listen')
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.folder.remove()


class Postgresql:
    """A database of a PostgresqlServer."""

    TYPE = 'postgresql'
    ACTIVE = 'active'
    ALIAS_OF = "'%u' || '@' || d.target"
    PARTS = ("SELECT goto FROM alias WHERE split_part(address, '@', 1) = '%u' AND "
             "split_part(address, '@', 2) = '%d'")

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.run('CREATE TABLE alias (id integer PRIMARY KEY, address text, goto text, '
                 'active boolean)')

    def run(self, statement):
        return self.server.psql(statement, self.name)

    def fill(self, rows):
        def field(value):
            if value is None:
                return '\\N'
            return str(value).replace('\\', '\\\\').replace('\n', '\\n').replace('\t', '\\t')
        self.server.psql('COPY alias FROM STDIN', self.name, copy=''.join(
            '\t'.join(map(field, row)) + '\n' for row in rows))

    def parameters(self):
        return {'hosts': 'unix:%s' % self.server.sockets, 'dbname': self.name, 'user': 'tester'}

    def connection(self):
        return {'connection': 'host=%s dbname=%s user=tester' % (self.server.sockets, self.name)}


# ---- MariaDB ---------------------------------------------------------------------------


class Certificates:
    """An authority, and a certificate of it for 127.0.0.1."""

    def __init__(self, folder):
        self.authority, self.key, self.certificate = (
            folder / name for name in ('ca.pem', 'key.pem', 'cert.pem'))
        subject = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj']
        self._openssl('req', '-x509', *subject, '/CN=authority', '-days', '9', '-keyout',
                      folder / 'ca.key', '-out', self.authority)
        self._openssl('req', '-x509', *subject, '/CN=server', '-days', '9', '-CA', self.authority,
                      '-CAkey', folder / 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1',
                      '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', self.key,
                      '-out', self.certificate)
        for path in (self.authority, self.key, self.certificate):
            path.chmod(0o644)

    @staticmethod
    def _openssl(*words):
        done = subprocess.run(['openssl', *map(str, words)], check=False, encoding='utf-8',
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError('openssl: %s' % done.stdout)


class MysqlServer:
    """A MariaDB with a socket in a folder of its own and a port of loopback, run by an ordinary
    user."""

    USER = 'nobody'
    PROGRAM = '/usr/sbin/mariadbd'

    def __init__(self, has_tls=True):
        self.folder = harness.Scratch('openrcpt-my-')
        self.data = self.folder / 'data'
        self.listens_at = self.data / 'server.sock'
        self.user = pwd.getpwnam(self.USER)
        # A newer server makes itself a certificate, unless it is told not to.
        self.options = ['--skip-ssl']
        if has_tls:
            made = Certificates(self.folder)
            self.authority = made.authority
            self.options = ['--ssl-cert=%s' % made.certificate, '--ssl-key=%s' % made.key]
        self.process = None
        self.count = 0
        self.data.mkdir(mode=0o755)
        os.chown(self.data, self.user.pw_uid, self.user.pw_gid)
        done = subprocess.run(
            ['mariadb-install-db', '--no-defaults', '--user=' + self.USER,
             '--datadir=%s' % self.data, '--skip-test-db', '--auth-root-authentication-method=normal',
             '--innodb-log-file-size=8M'],
            check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding='utf-8')
        if done.returncode != 0:
            raise AssertionError('mariadb-install-db: %s' % done.stdout)

    def start(self):
        with open(self.folder / 'log', 'ab') as log:
            self.process = subprocess.Popen(
                [self.PROGRAM, '--no-defaults', '--datadir=%s' % self.data,
                 '--socket=%s' % self.listens_at, '--skip-networking', '--skip-name-resolve',
                 '--pid-file=%s' % (self.data / 'pid'), '--innodb-flush-log-at-trx-commit=0',
                 '--innodb-log-file-size=8M', '--innodb-buffer-pool-size=32M',
                 *self.options],
                user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[], cwd='/',
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait()
        return self

    def wait(self):
        """Until it takes connections."""
        def answers_us():
            if self.process.poll() is not None:
                raise AssertionError((self.folder / 'log').read_text(encoding='utf-8'))
            return self.sql('SELECT 1', may_fail=True)
        harness.wait_until(answers_us, 'MariaDB does not answer')

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(harness.LIMIT_S)
            self.process = None
        self.folder.remove()

    def sql(self, statement, database='mysql', may_fail=False):
        """Rows of STATEMENT, as lists of texts."""
        done = subprocess.run(
            ['mariadb', '--no-defaults', '--skip-ssl', '--socket=%s' % self.listens_at, '-uroot',
             '-N', '-B', '--default-character-set=utf8mb4', database], check=False, input=statement,
            encoding='utf-8', errors='surrogateescape', stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        if done.returncode != 0:
            if may_fail:
                return None
            raise AssertionError('mariadb: %s' % done.stderr)
        return [line.split('\t') for line in done.stdout.splitlines()]

    def database(self, collation='utf8mb4_general_ci', engine='InnoDB'):
        """A new one."""
        self.count += 1
        name = 'made%d' % self.count
        self.sql('CREATE DATABASE %s CHARACTER SET %s COLLATE %s' % (
            name, collation.split('_', maxsplit=1)[0], collation))
        return Mysql(self, name, engine)


class Mysql:
    """A database of a MysqlServer."""

    TYPE = 'mysql'
    ACTIVE = 'active = 1'
    ALIAS_OF = "CONCAT('%u', '@', d.target)"
    PARTS = ("SELECT goto FROM alias WHERE SUBSTRING_INDEX(address, '@', 1) = '%u' AND "
             "SUBSTRING_INDEX(address, '@', -1) = '%d'")

    def __init__(self, server, name, engine):
        self.server, self.name = server, name
        self.run('CREATE TABLE alias (id INTEGER PRIMARY KEY, address VARCHAR(255), goto TEXT, '
                 'active TINYINT) ENGINE=%s' % engine)

    def run(self, statement):
        return self.server.sql(statement, self.name)

    def fill(self, rows):
        def field(value):
            if value is None:
                return 'NULL'
            if isinstance(value, (bool, int)):
                return str(int(value))
            return "'%s'" % value.replace('\\', '\\\\').replace("'", "''")
        self.run('INSERT INTO alias VALUES ' + ', '.join(
            '(%s)' % ', '.join(map(field, row)) for row in rows))

    def parameters(self):
        return {'hosts': 'unix:%s' % self.server.listens_at, 'dbname': self.name, 'user': 'root'}

    def connection(self):
        return {'connection': 'host=%s dbname=%s user=root' % (self.server.listens_at, self.name)}


# ---- Postfix ---------------------------------------------------------------------------


class PostfixTables:
    """Table files, and Postfix's postmap to ask them."""

    def __init__(self, folder):
        self.folder = folder
        self.etc = folder / 'postfix'
        self.etc.mkdir(mode=0o755)
        (self.etc / 'main.cf').write_text('compatibility_level = 3.6\n', encoding='utf-8')

    def write(self, name, **parameters):
        path = self.folder / ('%s.cf' % name)
        path.write_text(''.join('%s = %s\n' % pair for pair in parameters.items()),
                        encoding='utf-8')
        path.chmod(0o640)
        return path

    def ask(self, kind, path, keys):
        """A dictionary of what Postfix finds: key → targets."""
        done = subprocess.run(
            ['postmap', '-c', str(self.etc), '-q', '-', '%s:%s' % (kind, path)], check=False,
            input=''.join(key + '\n' for key in keys), encoding='utf-8', stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
        known = ('empty lookup result', 'not found, skipping', 'Had some trouble with entries')
        wrong = [line for line in done.stderr.splitlines()
                 if not any(text in line for text in known)]
        if wrong or done.returncode not in (0, 1):
            raise AssertionError('postmap: exit %d: %s' % (done.returncode, done.stderr))
        return answers(done.stdout)


def answers(text):
    """`key TAB targets` lines as a dictionary. A value with a line break in it has several."""
    found = {}
    key = None
    for line in text.split('\n'):
        if '\t' in line:
            key, line = line.split('\t', 1)
            found[key] = []
        if key is not None:
            found[key] += [word for word in re.split(r'[,\s]+', line) if word]
    return found
