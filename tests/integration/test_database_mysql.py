#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sources of type mysql, against Postfix's own mysql: tables on the same server."""
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from database_test import UNAVAILABLE, DatabaseTest, DatabaseTests
from databases import MysqlServer
from rcptmap_test import CONFIG, DATA, NO_INPUT, NO_PERMISSION, OK, TRY_LATER
from relay import PortRelay


class MysqlTest(DatabaseTests, DatabaseTest):
    POSTFIX_TYPE = 'mysql'

    @classmethod
    def setUpClass(cls):
        cls.server = MysqlServer()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def make_database(self):
        return self.server.database()

    # ---- rows ------------------------------------------------------------------------------

    def test_bytes_that_are_no_text(self):
        self.database.run('ALTER TABLE alias MODIFY address VARBINARY(255), MODIFY goto BLOB')
        self.use_members(alias_query='SELECT address, goto, id FROM alias')
        for value, pattern in (("'a@one.example', x'78ff40612e62'", 'value'),
                               ("'a@one.example', x'780040612e62'", 'value'),
                               ("x'78ff40612e62', 'x@dest.example'", 'key')):
            self.database.run('REPLACE INTO alias VALUES (1, %s, 1)' % value)
            self.refuses(DATA, 'mysql:main alias 1: the %s has a control character, or is not '
                         'valid UTF-8' % pattern)

    def test_capitals_and_nothing(self):
        """Compared by bytes as everywhere else."""
        self.database = self.server.database('utf8mb4_bin')
        super().test_capitals_and_nothing()

    def test_capitals_in_a_collation(self):
        """What the database takes for equal is one key, as for Postfix."""
        self.database.fill([
            (1, 'Ann@one.example', 'a@dest.example', True),
            (2, 'ann@One.example', 'b@dest.example', True),
            (3, 'ann@one.example  ', 'c@dest.example', True),
            (4, 'Bob@One.Example', 'd@dest.example', True)])
        keys = ['ann@one.example', 'bob@one.example', 'carl@one.example']
        for query in ("SELECT goto FROM alias WHERE address = '%s'",
                      'SELECT goto FROM alias WHERE address="%s"',
                      'SELECT `goto` FROM `alias` WHERE `address` = "%s"',
                      "SELECT goto FROM alias WHERE address = CONCAT('%u', '@', '%d')",
                      self.database.PARTS):
            with self.subTest(query):
                self.assertNotIn('[case]', self.compare(query, keys))
        self.assertEqual(self.place_of('bob@one.example', 'SELECT `goto` FROM `alias` WHERE '
                                       '`address` = "%s"'),
                         'bob@one.example  mysql:made alias 4')
        self.database.run('CREATE TABLE alias_domain (old VARCHAR(99), target VARCHAR(99))')
        self.database.run("INSERT INTO alias_domain VALUES ('Two.example', 'ONE.example')")
        self.compare("SELECT alias.goto FROM alias, alias_domain d WHERE d.old = '%d' AND "
                     "alias.address = CONCAT('%u', '@', d.target)",
                     ['ann@two.example', 'bob@two.example', 'bob@one.example'])

    def test_letters_with_accents(self):
        """A collation may take them for those without; then a list of all keys isn't enough."""
        self.database.fill([(number, 'u%d@one.example' % number, 'x@dest.example', True)
                            for number in range(2000)])
        self.database.fill([(3001, 'ann@one.example', 'a@dest.example', True),
                            (3002, '\u00e4nn@one.example', 'b@dest.example', True)])
        query = "SELECT goto FROM alias WHERE address = '%s'"
        self.use_table(query)
        self.refuses(UNAVAILABLE, r'mysql:made alias: the query, asked for .* alone, gives another '
                     r'answer \(2 values\) than asked for all at once \(1\)')
        path = self.use_table(query, {'keys_query': 'SELECT address FROM alias WHERE id > 3000'})
        self.shop.compile('--force')
        self.assertEqual(self.ours(['ann@one.example']),
                         self.postfix.ask('mysql', path, ['ann@one.example']))
        self.database.run('ALTER TABLE alias CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
        self.use_table(query)
        self.shop.compile('--force')

    def test_keys_that_differ_in_case(self):
        """Each key is asked for once, as Postfix asks."""
        self.database.fill([(1, 'Ann@one.example', 'a@dest.example', True),
                            (2, 'ann@one.example', 'b@dest.example', True)])
        self.use_table("SELECT goto FROM alias WHERE address = '%s' LIMIT 9",
                       {'keys_query': 'SELECT address FROM alias'}, expansion_limit='2')
        self.assertRegex(self.shop.compile(), 'for each of the 1 keys of keys_query')

    def test_what_stands_in_a_query(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        for condition, pattern in (("address = '%u' || '@' || '%d'", r'a \|\|, which may be OR'),
                                   ("address = '%s' # all", 'a comment, a backslash'),
                                   (r"goto = '\'' AND address = '%s'", 'a comment, a backslash')):
            self.use_table('SELECT goto FROM alias WHERE ' + condition)
            self.refuses(CONFIG, r'.*made.cf: the query has ' + pattern)

    def test_procedures(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        for name, body in (('find', 'SELECT goto FROM alias WHERE address = k'),
                           ('twice', 'BEGIN SELECT 1; SELECT 2; END'),
                           ('nothing', 'DO 1')):
            self.database.run('DELIMITER //\nCREATE PROCEDURE %s(k VARCHAR(99)) READS SQL DATA '
                              '%s//' % (name, body))
        self.use_table("CALL find('%s')", require_result_set='no')
        self.refuses(CONFIG, '.*made.cf: the query is no SELECT, so it can\'t be asked for all keys')
        keys = {'keys_query': 'SELECT address FROM alias'}
        path = self.use_table("CALL find('%s')", keys, require_result_set='no')
        self.shop.compile()
        asked = ['a@one.example', 'b@one.example']
        self.assertEqual(self.ours(asked), self.postfix.ask('mysql', path, asked))
        self.use_table("CALL twice('%s')", keys)
        self.refuses(UNAVAILABLE, 'mysql:made alias: gives more than one set of rows')
        self.use_table("CALL nothing('%s')", keys)
        self.refuses(UNAVAILABLE, 'mysql:made alias: gives no rows: CALL')
        self.use_table("CALL nothing('%s')", keys, require_result_set='no')
        self.assertNotIn('gives no rows', self.shop.try_compile().err)
        self.use_table("CALL find('%s')", keys, require_result_set='maybe')
        self.refuses(CONFIG, '.*made.cf: require_result_set: is neither yes nor no')

    # ---- snapshots -------------------------------------------------------------------------

    def test_engines_without_snapshots(self):
        for engine in ('MyISAM', 'Aria', 'InnoDB'):
            self.database = self.server.database(engine=engine)
            self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
            for table in ('alias', '`alias` a', '(alias)', '%s.alias' % self.database.name,
                          '(SELECT 1) n JOIN alias'):
                self.use_members(alias_query='SELECT address, goto FROM ' + table)
                said = self.shop.compile('--force', '-v')
                self.assertEqual('[no-snapshot]' in said, engine != 'InnoDB', (table, said))
        self.database = self.server.database(engine='MyISAM')
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.use_table("SELECT goto FROM alias WHERE address = '%s'")
        self.assertRegex(self.shop.compile('--force'), 'mysql:made alias: warning: the table alias '
                         r'has the engine MyISAM, which has no snapshots: .* \[no-snapshot\]')

    def holder(self):
        """A session that holds the lock `held`, and ends when its input does."""
        holder = subprocess.Popen(
            ['mariadb', '--no-defaults', '--skip-ssl', '--socket=%s' % self.server.listens_at,
             '-uroot', '-n'],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, encoding='utf-8')
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdin.close)
        holder.stdin.write("SELECT GET_LOCK('held', 9);\n")
        holder.stdin.flush()
        harness.wait_until(lambda: self.server.sql("SELECT IS_USED_LOCK('held')") != [['NULL']],
                           'no lock')
        return holder

    def waiter(self, state='User lock'):
        """The number of the session that waits for it."""
        found = []

        def look():
            found[:] = self.server.sql("SELECT id FROM information_schema.processlist WHERE state = "
                                       "'%s' AND db = '%s'" % (state, self.database.name))
            return found
        harness.wait_until(look, 'nobody waits')
        return int(found[0][0])

    def test_no_database_is_named(self):
        self.shop.write_configuration(sources=[{'type': 'mysql', 'alias_query': 'SELECT 1, 2'}])
        self.refuses(CONFIG, 'mysql:main alias: connection is missing, as in connection = ')

    def test_one_snapshot(self):
        """What is committed while the first query runs is not seen by the second."""
        self.use_members(
            alias_query="SELECT 'a@one.example', 'x@dest.example' FROM DUAL WHERE "
                        "GET_LOCK('held', 99) IS NOT NULL",
            mailbox_query='SELECT address FROM alias')
        holder = self.holder()
        running = self.start()
        self.waiter()
        self.database.fill([(1, 'late@one.example', 'x', True)])
        holder.stdin.close()
        with running:
            self.assertEqual(running.wait(harness.LIMIT_S), OK)
        self.assertEqual(list(self.ours(['a@one.example', 'late@one.example'])), ['a@one.example'])
        self.shop.compile()
        self.assertIn('late@one.example', self.ours(['late@one.example']))

    # ---- connections -----------------------------------------------------------------------

    def test_nobody_is_there(self):
        query = {'alias_query': 'SELECT 1, 2'}
        for connection, status, pattern in (
                ('host=/nowhere dbname=x', UNAVAILABLE, '.*/nowhere'),
                ('host=%s dbname=none user=root' % self.server.listens_at, UNAVAILABLE,
                 ".*Unknown database 'none'"),
                ('host=db.example:x dbname=none', CONFIG, 'db.example:x: no port follows'),
                ('hots=x', CONFIG, 'connection: there is no word "hots"'),
                ('mail', CONFIG, 'connection: "mail" is not of the form name=value'),
                ('tls=maybe', CONFIG, 'connection: tls: is neither yes nor no'),
                ('option_file=/nowhere/my.cnf', NO_INPUT, 'option_file /nowhere/my.cnf: No such'),
                ('dbname=x password=y', CONFIG, 'connection: no password may stand there')):
            self.use_members(connection=connection, **query)
            self.refuses(status, 'mysql:main alias: ' + pattern)

    def test_hosts_in_their_order(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        path = self.use_table("SELECT goto FROM alias WHERE address = '%s'")
        text = path.read_text(encoding='utf-8')
        for hosts in ('/nowhere, %s' % self.server.listens_at,
                      'inet:127.0.0.1:1 unix:%s' % self.server.listens_at):
            path.write_text(text.replace('unix:%s' % self.server.listens_at, hosts),
                            encoding='utf-8')
            self.shop.compile('--force')
            self.assertEqual(len(self.ours(['a@one.example'])), 1)
        path.write_text(text.replace('unix:%s' % self.server.listens_at, '/nowhere'),
                        encoding='utf-8')
        self.refuses(UNAVAILABLE, 'mysql:made alias: .*/nowhere')
        path.write_text(text.replace('dbname', '#'), encoding='utf-8')
        self.refuses(CONFIG, 'mysql:made alias: dbname is missing')

    def test_passwords(self):
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])
        self.server.sql("CREATE OR REPLACE USER secret@localhost IDENTIFIED BY 'right'")
        self.server.sql('GRANT SELECT ON %s.alias TO secret@localhost' % self.database.name)
        secret = self.shop.folder / 'secret'
        where = 'host=%s dbname=%s ' % (self.server.listens_at, self.database.name)
        query = {'alias_query': 'SELECT address, goto FROM alias'}
        self.use_members(password_file=secret, connection=where + 'user=secret', **query)
        secret.write_text('wrong\n', encoding='utf-8')
        secret.chmod(0o644)
        self.refuses(NO_PERMISSION, 'rcptmap: .*secret: everybody may read it')
        secret.chmod(0o600)
        self.refuses(UNAVAILABLE, "mysql:main alias: Access denied for user 'secret'@'localhost'")
        secret.write_text('right\n', encoding='utf-8')
        self.shop.compile()
        options = self.shop.folder / 'my.cnf'
        options.write_text('[client]\nuser=nobody\n[ours]\nuser=secret\npassword=right\n',
                           encoding='utf-8')
        options.chmod(0o600)
        self.use_members(connection=where + 'option_group=ours option_file=%s' % options, **query)
        self.shop.compile('--force')
        parameters = self.database.parameters()
        del parameters['user']
        table = self.postfix.write('made', option_file=options, option_group='ours', query=(
            "SELECT goto FROM alias WHERE address = '%s'"), **parameters)
        self.shop.write_configuration(sources=[{'type': 'mariadb', 'path': table}])
        self.shop.compile('--force')
        self.assertEqual(len(self.ours(['a@one.example'])), 1)
        self.assertNotIn('right', rcptmap.run('dump', '-t', self.shop.table).out)

    def relay(self):
        relay = PortRelay(self.server.listens_at)
        self.addCleanup(relay.close)
        return relay

    def far_user(self):
        """Who may come by a port."""
        self.server.sql("CREATE USER IF NOT EXISTS far@'%'")
        self.server.sql("GRANT SELECT ON *.* TO far@'%'")
        self.database.fill([(1, 'a@one.example', 'x@dest.example', True)])

    def test_whose_server_it_is(self):
        """Across a network it has to prove who it is, unless somebody says otherwise."""
        self.far_user()
        port = self.relay().port
        # 127.0.0.1, but written so that nothing knows it for this machine.
        near, far = '127.0.0.1:%d' % port, '0x7f.1:%d' % port
        ca = ' tls_CAfile=%s' % self.server.authority
        refused = r'.*(?i:certificate|TLS|SSL)'
        for host, words, pattern in (
                (near, '', None), (near, ca, None), (near, ' tls_verify_cert=yes', refused),
                (near, ' tls_CAfile=/etc/hostname', refused),
                (far, '', refused), (far, ca, refused),         # it isn't called so
                (far, ' tls_verify_cert=no', 'warning: whether 0x7f.1 is who it says was not'),
                (far, ' tls=no', 'warning: the connection to 0x7f.1 is not encrypted: ')):
            with self.subTest(host + words):
                self.use_members(alias_query='SELECT address, goto FROM alias', connection=(
                    'host=%s dbname=%s user=far%s' % (host, self.database.name, words)))
                if pattern == refused:
                    self.refuses(UNAVAILABLE, 'mysql:main alias: ' + pattern)
                    continue
                said = self.shop.compile('--force', '-v')
                self.assertRegex(said, pattern or 'generation')
                self.assertEqual('[unverified]' in said, pattern is not None, said)

    def test_table_files_across_a_network(self):
        self.far_user()
        port = self.relay().port
        query = "SELECT goto FROM alias WHERE address = '%s'"
        for host, words, pattern in (
                ('127.0.0.1', {}, None), ('127.0.0.1', {'tls_CAfile': self.server.authority}, None),
                ('0x7f.1', {'tls_verify_cert': 'no'}, 'warning: whether 0x7f.1 is who it says was not')):
            with self.subTest(host + str(words)):
                path = self.postfix.write('made', hosts='inet:%s:%d' % (host, port), user='far',
                                          dbname=self.database.name, query=query, **words)
                self.shop.write_configuration(sources=[{'type': 'mysql', 'path': path}])
                said = self.shop.compile('--force', '-v')
                self.assertRegex(said, pattern or 'generation')
                self.assertEqual('[unverified]' in said, pattern is not None, said)
        far = {'hosts': '0x7f.1:%d' % port, 'user': 'far', 'dbname': self.database.name,
               'query': query}
        self.postfix.write('made', **far)
        # As the library has it: since Connector/C 3.4 it wants proof by itself.
        self.assertRegex(self.shop.try_compile('--force', '-v').err,
                         r'the connection to 0x7f.1 is not encrypted: .*\[unverified\]|'
                         '(?i:certificate|TLS|SSL)')
        self.postfix.write('made', tls_CAfile=self.server.authority, **far)
        self.refuses(UNAVAILABLE, 'mysql:made alias: .*(?i:certificate|TLS|SSL)')
        self.postfix.write('made', tls_verify_cert='perhaps', query=query,
                           **self.database.parameters())
        self.refuses(CONFIG, '.*made.cf: tls_verify_cert: is neither yes nor no')

    def test_a_server_without_certificate(self):
        """Whoever is on the way can say that there is none."""
        server = MysqlServer(has_tls=False)
        self.addCleanup(server.stop)
        server.start()
        server.sql("CREATE USER far@'%'")
        relay = PortRelay(server.listens_at)
        self.addCleanup(relay.close)
        for words in ('', ' tls_verify_cert=no', ' tls=yes'):
            self.use_members(alias_query='SELECT 1, 2', connection=(
                'host=0x7f.1:%d user=far' % relay.port + words))
            self.refuses(UNAVAILABLE, 'mysql:main alias: .*(?i:TLS|SSL)')

    def test_secrets_are_in_no_core(self):
        self.use_members(alias_query="SELECT 1, 2 FROM DUAL WHERE GET_LOCK('held', 99)")
        holder = self.holder()
        running = self.start()
        with running:
            self.waiter()
            limits = pathlib.Path('/proc/%d/limits' % running.pid).read_text(encoding='ascii')
            holder.stdin.close()
        self.assertRegex(limits, r'(?m)^Max core file size +1 +1 ')

    # ---- cut off ---------------------------------------------------------------------------

    def start(self):
        return subprocess.Popen(
            harness.command('rcptmap', 'compile', '-c', self.shop.configuration),
            env={**os.environ, **rcptmap.MODULES}, stderr=subprocess.PIPE, encoding='utf-8')

    def cut(self, how, pattern, until="DUAL WHERE GET_LOCK('held', 99)", state='User lock'):
        """While it waits for rows."""
        self.use_members(alias_query="SELECT 'a@one.example', 'x@dest.example'")
        self.shop.compile()
        before = self.shop.table.read_bytes()
        self.use_members(timeout_seconds=2 if how is os.kill else 99, alias_query=(
            "SELECT 'b@one.example', 'x@dest.example' FROM " + until))
        self.holder()
        running = self.start()
        with running:
            number = self.waiter(state)
            if how is os.kill:
                self.server.process.send_signal(signal.SIGSTOP)
            else:
                how(number)
            try:
                said = running.stderr.read()
            finally:
                if how is os.kill:
                    self.server.process.send_signal(signal.SIGCONT)
            self.assertEqual(running.wait(harness.LIMIT_S), TRY_LATER, said)
        self.assertRegex(said, 'mysql:main alias: .*' + pattern)
        self.assertEqual(self.shop.table.read_bytes(), before)

    def test_given_up_in_the_middle(self):
        """Nobody waits for rows that nobody wants."""
        self.use_members(timeout_seconds=86400, alias_query=(
            "SELECT 1, 2, REPEAT('x', 99999), IF(seq > 9, GET_LOCK('held', 99999), 0) "
            'FROM seq_1_to_20'))
        self.holder()
        self.refuses(CONFIG, 'mysql:main alias: the query has 4 columns; it needs 2')

    def test_connection_ended(self):
        self.cut(lambda number: self.server.sql('KILL %d' % number),
                 '(Lost connection|Connection was killed|gone away)')

    def test_query_ended(self):
        self.cut(lambda number: self.server.sql('KILL QUERY %d' % number),
                 'Query execution was interrupted',
                 '(SELECT 1 UNION SELECT 2) n WHERE SLEEP(99) IS NOT NULL', 'User sleep')

    def test_killed(self):
        def kill(_):
            self.server.process.kill()
            self.server.process.wait(harness.LIMIT_S)
        try:
            self.cut(kill, '(Lost connection|gone away)')
        finally:
            self.server.start()

    def test_stopped(self):
        self.cut(os.kill, 'the server said nothing for 2 seconds')

    def test_stopped_before_it_answers(self):
        self.use_members(alias_query='SELECT 1, 2', connect_timeout_seconds=2)
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            self.refuses(TRY_LATER, 'mysql:main alias: ')
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    def test_cut_at_any_byte(self):
        """Of what the server sends, from nothing to all but its last byte."""
        relay = self.relay()
        self.far_user()
        self.database.fill([(number, 'u%d@one.example' % number, 'x@dest.example', True)
                            for number in range(2, 40)])
        self.use_members(alias_query='SELECT address, goto, id FROM alias',
                         connection='host=127.0.0.1:%d dbname=%s user=far'
                         % (relay.port, self.database.name))
        self.shop.compile()
        before = self.shop.table.read_bytes()
        total = relay.passed
        self.database.fill([(40, 'new@one.example', 'x@dest.example', True)])
        total += len('new@one.example') + len('x@dest.example') + len('40') + 3 + 4
        seen = set()
        for limit in (*range(1, total - 1, total // 50), total - 12, total - 1):
            relay.limit = limit
            result = self.shop.try_compile()
            self.assertIn(result.status, (UNAVAILABLE, TRY_LATER), (limit, result.err))
            self.assertEqual(self.shop.table.read_bytes(), before, limit)
            seen.add(result.status)
        self.assertEqual(seen, {UNAVAILABLE, TRY_LATER})
        relay.limit = None
        self.shop.compile()
        self.assertIn('new@one.example', self.ours(['new@one.example']))


if __name__ == '__main__':
    harness.main('rcptmap', 'mysql')
