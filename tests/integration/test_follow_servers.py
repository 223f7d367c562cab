#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap watch follows MariaDB and directories: see test_follow.py."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from databases import MysqlServer, PostfixTables
from directories import SUFFIX, Slapd, dn, entry
from follow_test import FollowTest
from watch_test import WARNING


class Directory:
    """As a database has it; the entry of an address is called after its number."""

    TYPE = 'ldap'
    ACTIVE = ''

    def __init__(self, server, more=''):
        self.server = server
        self.more = more

    def connection(self):
        return {'uri': (self.more + ' ' + self.server.uri).strip(), 'base': 'ou=mail,' + SUFFIX}

    def fill(self, rows):
        self.server.add(''.join(entry('n%d' % number, mail=address, maildrop=target)
                                for number, address, target, _ in rows))

    def run(self, target):
        self.server.add('dn: %s\nchangetype: modify\nreplace: maildrop\nmaildrop: %s@dest.example\n\n'
                        % (dn('n1'), target))


class DirectoryFollow(FollowTest):
    def use(self, **settings):
        self.shop.write_configuration(**{
            'follow_seconds': 0, 'follow_age_seconds': 8, 'alias_domains': ['one.example'], 'sources': [{
                'type': 'ldap', **self.database.connection(), 'timeout_seconds': 2,
                'connect_timeout_seconds': 2, 'alias_filter': '(mail=*)',
                'alias_key_attribute': 'mail', 'alias_value_attribute': 'maildrop'}], **settings})

    def change(self, target):
        self.database.run(target)


class Checks:
    """Of both; the server is one of the test's own."""

    def wait_until_away(self):
        self.wait_for_log('%s:main is away: ' % self.database.TYPE)
        self.wait_for_status(WARNING, r'%s:main is away for \d+ s' % self.database.TYPE)
        self.assertEqual(self.target(), 'first')
        self.assertEqual(self.state()[0], 0)

    def check_back(self):
        self.wait_for_log('%s:main is back after ' % self.database.TYPE)
        self.check_changes()
        text = self.log_text()
        self.assertEqual((text.count('is away'), text.count('is back')), (1, 1), text)
        self.assertNotIn('not published', text)

    def test_changes(self):
        self.start_and_wait()
        self.check_changes()
        self.assertNotIn('warning: ', self.log_text().replace('[postmaster]', ''))

    def test_restarted(self):
        self.start_and_wait()
        self.server.process.terminate()
        self.server.process.wait(harness.LIMIT_S)
        self.wait_until_away()
        self.server.start()
        self.check_back()

    def test_killed(self):
        self.start_and_wait()
        self.server.process.kill()
        self.server.process.wait(harness.LIMIT_S)
        self.wait_until_away()
        self.server.start()
        self.check_back()

    def test_stopped(self):
        self.start_and_wait()
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            self.wait_until_away()
            self.wait_for_log('the server said nothing for 2 seconds')
        finally:
            self.server.process.send_signal(signal.SIGCONT)
        self.check_back()


class MysqlFollow(Checks, FollowTest):
    def use(self, **settings):
        super().use(follow_age_seconds=8, **settings)

    def make_database(self):
        self.server = MysqlServer(has_tls=False)
        self.addCleanup(self.server.stop)
        self.server.start()
        # Or it loses what was committed when it is killed.
        self.server.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
        return self.server.database()

    def test_a_transaction_that_is_rolled_back(self):
        self.start_and_wait()
        self.wait_for_confirmation()
        before = self.number('compilations')
        self.server.sql("BEGIN; UPDATE alias SET goto = 'second@dest.example'; ROLLBACK",
                        self.database.name)
        self.wait_for_confirmation()
        self.wait_for_confirmation()
        self.assertEqual(self.number('compilations'), before)
        self.assertEqual(self.target(), 'first')


class MysqlFailover(FollowTest):
    """The hosts of a table file are tried one after the other."""

    def make_database(self):
        self.servers = [MysqlServer(has_tls=False) for _ in range(2)]
        for server in self.servers:
            self.addCleanup(server.stop)
            server.start()
        second = self.servers[1].database()
        second.fill([(1, 'a@one.example', 'other@dest.example', True),
                     (2, 'postmaster@one.example', 'pm@dest.example', True)])
        self.second = second
        return self.servers[0].database()       # of the same name

    def use(self, **settings):
        path = PostfixTables(self.shop.folder.path).write('made', **{
            **self.database.parameters(), 'query': "SELECT goto FROM alias WHERE address = '%s'",
            'hosts': ' '.join('unix:%s' % server.listens_at for server in self.servers)})
        self.shop.write_configuration(**{
            'follow_seconds': 0, 'alias_domains': ['one.example'], 'sources': [{
                'type': 'mysql', 'path': path, 'name': 'main', 'timeout_seconds': 2,
                'connect_timeout_seconds': 2}], **settings})

    def test_the_first_is_stopped(self):
        self.start_and_wait()
        self.check_changes()
        self.servers[0].process.kill()
        self.servers[0].process.wait(harness.LIMIT_S)
        self.wait_for_target('other')
        self.wait_for_log('mysql:main is back after ')
        self.second.run("UPDATE alias SET goto = 'fifth@dest.example' WHERE id = 1")
        self.wait_for_target('fifth')


class LdapFollow(Checks, DirectoryFollow):
    def make_database(self):
        self.server = Slapd().start()
        self.addCleanup(self.server.stop)
        return Directory(self.server)


class LdapPolled(DirectoryFollow):
    """Directories that can be read, and tell nothing."""

    def make_database(self):
        self.server = Slapd(replication='')
        self.addCleanup(self.server.stop)
        self.server.start()
        return Directory(self.server)

    def configure(self, *pairs):
        """Where one of PAIRS stands the other will, when it is started again."""
        path = self.server.configuration
        text = path.read_text(encoding='utf-8')
        for old, new in pairs:
            self.assertIn(old, text)
            text = text.replace(old, new)
        path.write_text(text, encoding='utf-8')
        self.server.process.terminate()
        self.server.process.wait(harness.LIMIT_S)
        self.server.start()

    def test_an_overlay_that_comes(self):
        """Whoever was polled, and could not be read, may tell of changes when it can be read again."""
        self.use(follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log('ldap:main: warning: the server tells nothing of changes')
        self.check_changes()
        self.server.process.terminate()
        self.server.process.wait(harness.LIMIT_S)
        self.wait_for_log('not published')
        self.configure(('index objectClass', 'overlay syncprov\nindex objectClass'))
        self.wait_for_log('ldap:main: its changes are told from now on')
        self.wait_for_confirmation()
        self.check_changes()
        self.assertNotIn('away', self.log_text())

    def test_a_limit(self):
        """Pages have one of their own."""
        self.server.add(''.join(entry('m%d' % i, mail='m%d@one.example' % i, maildrop='x@dest.example')
                                for i in range(9)))
        self.configure(('size=unlimited', 'size=5 size.prtotal=unlimited'),
                       ('index objectClass', 'overlay syncprov\nindex objectClass'),
                       ('access to attrs=userPassword',
                        'access to attrs=contextCSN by * none\naccess to attrs=userPassword'))
        self.use(follow_seconds=1)
        self.start_and_wait()
        self.wait_for_log(r'ldap:main: warning: .*\(code 4\)')
        self.check_changes()
        self.configure(('size=5', 'size=unlimited'))
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_log('ldap:main: its changes are told from now on')
        self.assertNotIn('away', self.log_text())


class LdapFailover(DirectoryFollow):
    """Two servers in a row, of which one copies the other: the first goes away."""

    def make_database(self):
        self.second = Slapd().start()
        self.addCleanup(self.second.stop)
        self.first = Slapd(None, replication=self.second.copy()).start()
        self.addCleanup(self.first.stop)
        return Directory(self.second, self.first.uri)

    def test_the_first_is_stopped(self):
        harness.wait_until(lambda: self.first.tool('ldapsearch', '-b', dn('n2'), may_fail=True),
                           'nothing was copied')
        self.start_and_wait()
        self.wait_for_log('warning: the server has no overlay syncprov')
        self.check_changes()
        self.first.process.kill()
        self.first.process.wait(harness.LIMIT_S)
        self.wait_for_log('ldap:main is away: ')
        self.wait_for_log('ldap:main is back after ')
        self.change('fifth')
        self.wait_for_target('fifth')


if __name__ == '__main__':
    harness.main('rcptmap', 'mysql', 'ldap')
