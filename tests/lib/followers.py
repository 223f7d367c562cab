# SPDX-License-Identifier: BSD-2-Clause
"""Daemons, each with a `rcptmap watch` of its own beside it, that follow one database; and large
databases for them.

    with Postgres(1000) as data, Follower(data) as one, Follower(data) as two:
        data.change(17, 'new@dest.example')
        one.wait_for_target(17, 'new@dest.example')
"""
import os
import re
import signal
import subprocess

import databases
import directories
import harness
from daemon import Daemon, children, is_alive
from rcptmap import MODULES, libconfig_text, run

DOMAINS = 1000          # at most so many


def address(number):
    return 'user%d@d%d.example' % (number, number % DOMAINS)


def end(process):
    """Kill it, and whoever it has started: PostgreSQL's children would keep the data."""
    pids = children(process.pid)
    process.kill()
    process.wait()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    harness.wait_until(lambda: not any(map(is_alive, pids)), 'the server has gone')


# ---- what is followed ------------------------------------------------------------------


class Sql(harness.Started):
    """Tables `alias` and `domain` of COUNT rows. SERVER: how it is made; FILL: its own series."""

    SERVER = None
    FILL = ''
    ACTIVE = 'active'

    def __init__(self, count):
        self.count = count
        self.server = self.SERVER()
        self.data = None

    def start(self):
        self.server.start()
        self.data = self.server.database()
        self.data.run(self.FILL % {'count': self.count, 'domains': DOMAINS})
        self.data.run('CREATE TABLE domain AS SELECT DISTINCT %s AS name FROM alias' % self.DOMAIN)
        return self

    def queries(self):
        return {'alias_domain_query': 'SELECT name FROM domain',
                'alias_query': 'SELECT address, goto, id FROM alias WHERE %s' % self.ACTIVE}

    def source(self):
        return {'type': self.data.TYPE, **self.data.connection(), **self.queries()}

    def change(self, number, target):
        self.data.run("UPDATE alias SET goto = '%s' WHERE id = %d" % (target, number))

    def go_away(self):
        """Killed, as by a loss of power."""
        end(self.server.process)

    def come_back(self):
        self.server.start()

    def close(self):
        self.server.stop()


class Postgresql(Sql):
    SERVER = databases.PostgresqlServer
    DOMAIN = "split_part(address, '@', 2)"
    FILL = ("INSERT INTO alias SELECT i, 'user' || i || '@d' || i %% %(domains)d || '.example', "
            "'first' || i || '@dest.example', true FROM generate_series(1, %(count)d) AS i")

    def start(self):
        """With the triggers by which it tells of changes."""
        super().start()
        schema = self.server.folder / 'schema.conf'
        schema.write_text(libconfig_text(self.queries()), encoding='utf-8')
        made = run('sql', 'postgresql', schema)
        if made.status != 0:
            raise AssertionError('rcptmap sql: %s' % made.err)
        self.data.run(made.out)
        return self


class Mysql(Sql):
    SERVER = databases.MysqlServer
    DOMAIN = "substring_index(address, '@', -1)"
    ACTIVE = 'active = 1'
    FILL = ("INSERT INTO alias SELECT seq, concat('user', seq, '@d', seq %% %(domains)d, "
            "'.example'), concat('first', seq, '@dest.example'), 1 FROM seq_1_to_%(count)d")

    def start(self):
        """What was committed is there after it was killed."""
        super().start()
        self.data.run('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
        return self


class Directory(harness.Started):
    """As many entries, and one for each domain."""

    ROOM = 'maxsize %d\nindex associatedDomain,maildrop pres\noverlay syncprov'

    def __init__(self, count):
        ldif = ''.join(
            directories.entry('d%d' % number, associatedDomain='d%d.example' % number)
            for number in range(min(count, DOMAINS)))
        ldif += ''.join(
            'dn: cn=u%d,ou=mail,%s\nobjectClass: mailThing\ncn: u%d\nmail: %s\n'
            'maildrop: first%d@dest.example\n\n'
            % (number, directories.SUFFIX, number, address(number), number)
            for number in range(1, count + 1))
        self.server = directories.Slapd(ldif, replication=self.ROOM % max(100000000, count * 4000))

    def start(self):
        self.server.start()
        return self

    def source(self):
        return {'type': 'ldap', 'uri': self.server.uri, 'base': 'ou=mail,' + directories.SUFFIX,
                'alias_domain_filter': '(associatedDomain=*)',
                'alias_domain_attribute': 'associatedDomain',
                'alias_filter': '(maildrop=*)', 'alias_key_attribute': 'mail',
                'alias_value_attribute': 'maildrop'}

    def change(self, number, target):
        self.server.tool('ldapmodify', text=(
            'dn: cn=u%d,ou=mail,%s\nchangetype: modify\nreplace: maildrop\nmaildrop: %s\n'
            % (number, directories.SUFFIX, target)))

    def go_away(self):
        end(self.server.process)

    def come_back(self):
        self.server.start()

    def close(self):
        self.server.stop()


KINDS = {'postgresql': Postgresql, 'mysql': Mysql, 'ldap': Directory}


# ---- who follows -----------------------------------------------------------------------


class Follower(Daemon):
    """SETTINGS: besides the one source."""

    def __init__(self, data, **settings):
        super().__init__(table=None, settings={
            'sources': [data.source()], **settings})
        self.watch_log = self.folder / 'watch.log'
        self.watcher = None

    def start(self):
        with open(self.watch_log, 'ab') as log:
            self.watcher = subprocess.Popen(
                harness.command('rcptmap', 'watch', '-c', self.configuration),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, 'LC_ALL': 'C.UTF-8', **MODULES})
        harness.wait_until(self.table.exists, 'rcptmap watch has made a table', limit_s=600)
        return super().start()

    def close(self):
        if self.watcher is not None:
            self.watcher.terminate()
            self.watcher.wait(harness.LIMIT_S)
        super().close()

    def watch_text(self):
        return self.watch_log.read_text(encoding='utf-8', errors='replace')

    def compilations(self):
        """Milliseconds that each took."""
        return [int(text) for text in re.findall(r'^rcptmap: watch: generation .*, (\d+) ms$',
                                                 self.watch_text(), re.MULTILINE)]

    def has_target(self, number, target):
        return target in ''.join(self.message(['<%s>' % address(number)]).added)

    def wait_for_target(self, number, target):
        harness.wait_until(lambda: self.has_target(number, target),
                           '%s leads to %s' % (address(number), target))
