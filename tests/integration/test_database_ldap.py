#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sources of type ldap, against Postfix's own ldap: tables on the same server."""
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from databases import PostfixTables, answers
from directories import (ADMIN, PASSWORD, SUFFIX, Relay, Slapd, dn, entry, free_port,
                         random_entries)
from rcptmap_test import CONFIG, DATA, TRY_LATER, RcptmapTest

UNAVAILABLE = 69
SEED = 2026


class LdapTest(RcptmapTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Slapd().start()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.shop = self.workshop()
        self.postfix = PostfixTables(self.shop.folder.path)
        self.addCleanup(self.server.clear)

    def use_table(self, members=None, **parameters):
        """The one source is a table file of Postfix."""
        path = self.postfix.write('made', **self.server.parameters(**parameters))
        self.shop.write_configuration(sources=[{'type': 'proxy:ldap', 'path': path,
                                                **(members or {})}])
        return path

    def use_members(self, **members):
        members = {'uri': self.server.uri, 'base': 'ou=mail,' + SUFFIX, **members}
        self.shop.write_configuration(sources=[{'type': 'ldap', **members}])

    def ours(self, keys):
        asked = ''.join(key + '\n' for key in keys)
        return answers(rcptmap.run('query', '-t', self.shop.table, '-', text=asked).out)

    def compare(self, keys, **parameters):
        """Compiled from the table, and asked by Postfix: the same for each of KEYS."""
        path = self.use_table(**parameters)
        said = self.shop.compile('--force')
        theirs = self.postfix.ask('ldap', path, keys)
        self.assertGreater(len(theirs), 0, parameters)
        self.assertEqual({key: sorted(value) for key, value in self.ours(keys).items()},
                         {key: sorted(value) for key, value in theirs.items()}, parameters)
        return said

    def refuses(self, status, *patterns):
        result = self.shop.try_compile()
        self.assert_says(result, status, *patterns)
        self.assertNotIn('generation', result.err)
        self.assertNotIn(PASSWORD, result.err)

    # ---- against Postfix -------------------------------------------------------------------

    def test_answers_of_postfix(self):
        ldif, keys = random_entries(SEED)
        self.server.add(ldif)
        for query in ('(mail=%s)', 'mail=%s', '(&(objectClass=mailThing)(mail=%s))',
                      '(&(mailEnabled=TRUE)(|(mail=%s)(mailAlias=%s)))',
                      '(|(&(mailEnabled=TRUE)(mail=%s))(&(!(mailEnabled=TRUE))(mailAlias=%s)))',
                      '(mail=%u@%d)', '(|(mail=%s)(mailAlias=%u@%d))',
                      '(&(|(mail=%S)(mailAlias=%s))(!(mailEnabled=FALSE)))'):
            with self.subTest(query):
                self.compare(keys, query_filter=query)

    def test_the_default_filter_and_attribute(self):
        self.server.add(entry('a', mailacceptinggeneralid='a@one.example',
                              maildrop='x@dest.example'))
        self.compare(['a@one.example'])

    def test_formats_domains_and_several_attributes(self):
        ldif, keys = random_entries(SEED)
        self.server.add(ldif)
        query = {'query_filter': '(|(mail=%s)(mailAlias=%s))'}
        self.compare(keys, result_format='%u+%2@%d', **query)
        self.compare(keys, result_filter='%U-%S', domain='one.example, three.example', **query)
        self.compare(keys, result_attribute='maildrop, mailAlias', **query)
        self.compare(keys, domain='!one.example two.example', **query)

    def test_options_of_attributes(self):
        """Which of the values are meant: those that have the option, and others beside it."""
        self.server.add(
            entry('a', **{'mail': 'plain@one.example', 'mail;lang-de': 'de@one.example',
                          'mail;lang-en': 'en@one.example',
                          'mail;lang-de;lang-en': 'both@one.example',
                          'maildrop': 'plain@dest.example', 'maildrop;lang-de': 'de@dest.example',
                          'maildrop;lang-de;lang-fr': 'fr@dest.example'}) +
            entry('b', mail='b@one.example', maildrop='b@dest.example') +
            entry('c', **{'mail;lang-de': 'c@one.example', 'maildrop;lang-de': 'c@dest.example'}))
        keys = [name + '@one.example' for name in ('plain', 'de', 'en', 'both', 'b', 'c')]
        for query in ('(mail=%s)', '(mail;lang-de=%s)', '(MAIL;Lang-DE=%s)', '(mail;lang-en=%u@%d)'):
            for attribute in ('maildrop', 'maildrop;lang-de', 'mail, maildrop;Lang-De', 'mail'):
                with self.subTest('%s %s' % (query, attribute)):
                    self.compare(keys, query_filter=query, result_attribute=attribute)

    def test_parts(self):
        self.server.add(
            entry('a', uid=['ann', 'Amy'], associatedDomain=['one.example', 'two.example'],
                  maildrop='x@dest.example') +
            entry('b', associatedDomain='one.example', mailAlias='@two.example', maildrop='y@dest.example') +
            entry('c', mailAlias='smtp:carl@one.example', maildrop='z@dest.example'))
        keys = ['ann@one.example', 'amy@two.example', 'bob@one.example', '@one.example',
                '@two.example', 'carl@one.example', 'ann']
        self.compare(keys, query_filter='(&(uid=%u)(associatedDomain=%d))')
        self.compare(keys, query_filter='(mailAlias=smtp:%s)')

    def test_catch_alls(self):
        self.server.add(entry('b', associatedDomain='one.example', maildrop='y@dest.example') +
                        entry('c', mailAlias='@two.example', maildrop='z@dest.example'))
        for query in ('(associatedDomain=%d)', '(mailAlias=@%d)', '(|(associatedDomain=%d)(mailAlias=@%d))'):
            path = self.use_table(query_filter=query)
            self.shop.compile('--force')
            keys = ['any@one.example', 'any@two.example']
            theirs = self.postfix.ask('ldap', path, keys)
            self.assertEqual(self.ours(['@' + key.split('@')[1] for key in keys]),
                             {'@' + key.split('@')[1]: value for key, value in theirs.items()})

    def test_scope_and_a_base_with_the_domain(self):
        base = 'dc=%s,ou=mail,' + SUFFIX
        self.server.add(''.join(
            'dn: %s\nobjectClass: domain\ndc: %s\n\n' % (base % domain, domain)
            for domain in ('one.example', 'two.example')) +
            entry('a', base % 'one.example', mail='a@one.example', maildrop='1@dest.example') +
            entry('b', base % 'two.example', mail='b@one.example', maildrop='2@dest.example') +
            'dn: ou=deep,%s\nobjectClass: organizationalUnit\nou: deep\n\n' % (
                base % 'one.example') +
            entry('c', 'ou=deep,' + base % 'one.example', mail='c@one.example',
                  maildrop='3@dest.example'))
        keys = ['a@one.example', 'b@one.example', 'c@one.example', 'x@three.example']
        for scope in ('sub', 'one'):
            self.compare(keys, query_filter='(mail=%s)', scope=scope,
                         search_base=base % '%d')
            self.compare(keys, query_filter='(mail=%s)', scope=scope,
                         search_base=base % 'one.example')
        self.use_table(query_filter='(mail=%s)', search_base='cn=%u,' + SUFFIX)
        self.refuses(CONFIG, '.*made.cf: search_base: of the key only the domain is known')
        self.use_table(query_filter='(mail=%s)', search_base='ou=none,' + SUFFIX)
        self.refuses(UNAVAILABLE, 'ldap:made alias: ou=none,dc=test: No such object')

    def test_mailboxes_and_domains(self):
        self.server.add(entry('a', mail='a@one.example', maildrop='x@dest.example') +
                        entry('b', mailAlias='b@two.example', maildrop='x@dest.example'))
        table = self.use_table(query_filter='(mail=%s)', result_attribute='mail')
        domains = self.postfix.write('domains', **self.server.parameters(
            query_filter='(|(mail=*@%s)(mailAlias=*@%s))', result_attribute='cn'))
        self.shop.write_configuration(sources=[
            {'type': 'ldap', 'path': domains, 'kind': 'domain'},
            {'type': 'ldap', 'path': table, 'kind': 'mailbox'}])
        self.shop.compile()
        found = rcptmap.resolve(self.shop.configuration, [
            'a@one.example', 'c@one.example', 'c@two.example', 'c@three.example'])
        self.assertEqual([one['verdict'] for one in found],
                         ['deliver', 'unknown', 'unknown', 'foreign'])
        self.use_table(query_filter='(mail=*@%s)')
        self.refuses(CONFIG, '.*made.cf: the filter has a \\* beside the key')

    # ---- entries that name others ----------------------------------------------------------

    def test_groups(self):
        self.server.add(
            entry('g', mail='g@one.example', mailMember=[dn('a'), dn('h'), dn('none')],
                  maildrop='own@dest.example', mailFinal='leaf@dest.example') +
            entry('h', mail='h@one.example', mailMember=[dn('a'), dn('b')]) +
            entry('u', mail='u@one.example', mailMember=(
                'ldap:///ou=mail,%s?maildrop,cn?sub?(mailEnabled=YES)' % SUFFIX)) +
            entry('v', mail='v@one.example', mailMember='ldap:///%s?cn?base' % dn('a')) +
            entry('a', mail='a@one.example', maildrop=['a1@dest.example', 'a2@dest.example'],
                  mailFinal='afinal@dest.example', mailEnabled='YES') +
            entry('b', mail='b@one.example', maildrop='b@dest.example', mailEnabled='YES',
                  mailMember=dn('a')))
        keys = [name + '@one.example' for name in 'abghuv']
        query = {'query_filter': '(mail=%s)', 'special_result_attribute': 'mailMember'}
        self.compare(keys, **query)
        self.compare(keys, leaf_result_attribute='mailFinal', **query)
        self.compare(keys, terminal_result_attribute='mailFinal', **query)
        self.assertRegex(
            self.compare(keys, result_attribute='mail', result_format='%u@%D', **query),
            r'ldap:made alias: warning: 1 entry is named that is not there, as cn=none,.*: passed '
            r'over \[missing-entry\]')

    def test_loops(self):
        self.server.add(entry('g', mail='g@one.example', mailMember=dn('h')) +
                        entry('h', mail='h@one.example', mailMember=dn('i')) +
                        entry('i', mail='i@one.example', mailMember=dn('h'), maildrop='x@y.example'))
        query = {'query_filter': '(mail=%s)', 'special_result_attribute': 'mailMember'}
        self.use_table(**query)
        self.refuses(DATA, r'ldap:made alias g@one.example: leads to itself, by: "cn=h,')
        self.use_table(recursion_limit=1, **query)
        self.refuses(DATA, r'ldap:made alias g@one.example: more steps than recursion_limit allows')
        self.use_table(recursion_limit='x', **query)
        self.refuses(CONFIG, '.*made.cf: recursion_limit: is no number')

    def test_an_url_that_is_none(self):
        self.server.add(entry('g', mail='g@one.example', mailMember='ldap:///x?y?z?z?z?z?z'))
        self.use_table(query_filter='(mail=%s)', special_result_attribute='mailMember')
        self.refuses(DATA, 'ldap:made alias: ldap:///x.*: is no LDAP URL')

    # ---- what can't be done ----------------------------------------------------------------

    def test_filters_without_a_shape(self):
        self.use_table(query_filter='(|(mail=%s)(objectClass=x))')
        self.refuses(CONFIG, ".*made.cf: the filter has a \\| between parts with the key and without "
                             "it, so it can't be asked for all keys at once; say in keys_filter and "
                             "keys_attribute where the keys are")
        self.use_table(query_filter='(mail=%x)')
        self.refuses(CONFIG, '.*made.cf: query_filter: %x is none of')

    def test_key_by_key(self):
        """Filters without a shape, for the keys that another one finds."""
        ldif, keys = random_entries(SEED)
        self.server.add(ldif)
        said = {'keys_filter': '(|(mail=*)(mailAlias=*))', 'keys_attribute': 'mail, mailAlias'}
        for query in ('(|(mail=%s)(&(mailAlias=%s)(!(mail=@%d))))', '(&(mail=*)(!(!(mailAlias=%s))))',
                      '(&(mail=%s)(mail=*%s))', '(mail=%s)'):
            with self.subTest(query):
                path = self.use_table(said, query_filter=query, result_format='%s')
                warned = self.shop.compile('--force', '-v')
                theirs = self.postfix.ask('ldap', path, keys)
                self.assertGreater(len(theirs), 0)
                self.assertEqual({key: sorted(value) for key, value in self.ours(keys).items()},
                                 {key: sorted(value) for key, value in theirs.items()})
                self.assertRegex(warned, r'ldap:made alias: warning: the filter has .*: it was asked '
                                         r'for each of the \d+ keys that keys_filter finds, and no '
                                         r'others are known \[enumerated\]')
        for lacks in said:
            self.use_table({key: value for key, value in said.items() if key != lacks},
                           query_filter='(mail=%s)')
            self.refuses(CONFIG, '.*: keys_filter and keys_attribute belong together')

    def test_entries_without_a_key(self):
        """Nobody may lose mail since an attribute can't be read, and nobody knows."""
        self.server.add(entry('a', mail='a@one.example', maildrop='x@dest.example') +
                        entry('b', mailAlias='b@one.example', maildrop='x@dest.example'))
        self.use_table({'keys_filter': '(maildrop=*)', 'keys_attribute': 'mail'},
                       query_filter='(&(mail=*)(!(!(mail=%s))))')
        self.assertIn('ldap:made alias: warning: 1 of 2 entries that keys_filter finds have no key, or '
                      'we no right to read it, as cn=b,ou=mail,dc=test [empty-value]',
                      self.shop.compile('--force'))
        self.use_table({'keys_filter': '(maildrop=*)', 'keys_attribute': 'uid'},
                       query_filter='(&(mail=*)(!(!(mail=%s))))')
        self.refuses(UNAVAILABLE, 'ldap:made alias: no entry that keys_filter finds has '
                                  'keys_attribute, or we no right to read it, as of cn=')

    def test_an_attribute_whose_case_counts(self):
        self.server.add(entry('a', mailExact='Ann@one.example', maildrop='x@dest.example'))
        self.use_table(query_filter='(mailExact=%s)')
        self.refuses(UNAVAILABLE, r'ldap:made alias: the filter, asked for ann@one.example alone, '
                                  r'gives another answer \(0 values\) than asked for all at once')

    def test_keys_that_can_not_be_read(self):
        """The filter finds the entry, but who reads it doesn't see the key."""
        self.server.add(entry('a', mailAlias='a@one.example', maildrop='x@dest.example'))
        self.use_table(query_filter='(mailOther=%s)')
        self.refuses(UNAVAILABLE, r'ldap:made alias: cn=a,ou=mail,dc=test: its mailOther can not be '
                                  r'read: the directory has another name for it, or we no right')

    def test_limits_of_the_table(self):
        self.server.add(entry('a', mail='a@one.example', maildrop=['x@dest.example',
                                                                   'y@dest.example']))
        self.use_table(query_filter='(mail=%s)', expansion_limit=1)
        self.refuses(DATA, 'ldap:made alias a@one.example: 2 values are more than expansion_limit')
        self.compare(['a@one.example'], query_filter='(mail=%s)', expansion_limit=2)

    def test_parameters(self):
        for name, value, says in (
                ('query', 'x', ':7: unknown parameter "query" of a table of type ldap'),
                ('scope', 'all', ': scope: has a value that there isn\'t'),
                ('start_tls', 'maybe', ': start_tls: has a value that there isn\'t'),
                ('chase_referrals', 'yes', ': chase_referrals: other servers are not asked here'),
                ('dereference', '4', ': dereference: is not 0 to 3'),
                ('version', '4', ': version: is neither 2 nor 3')):
            self.use_table(query_filter='(mail=%s)', **{name: value})
            self.refuses(CONFIG, '.*made.cf' + says)
        self.use_table(query_filter='(mail=%s)', bind='sasl', sasl_mechs='GSSAPI')
        self.refuses(CONFIG, '.*made.cf: sasl_mechs: only EXTERNAL is known here')
        self.use_table(query_filter='(mail=%s)', search_base='')
        self.refuses(CONFIG, '.*made.cf: search_base: is missing')

    # ---- the server ------------------------------------------------------------------------

    def test_logins(self):
        self.server.add(entry('a', mail='a@one.example', maildrop='x@dest.example'))
        query = {'query_filter': '(mail=%s)'}
        self.compare(['a@one.example'], bind='sasl', sasl_mechs='EXTERNAL', **query)
        self.compare(['a@one.example'], bind='no', **query)
        self.use_table(bind_pw='wrong', **query)
        self.refuses(UNAVAILABLE, r'ldap:made alias: ldapi://.*: Invalid credentials \(code 49\)')

    def test_limit_of_size(self):
        """A short list is no list."""
        self.server.add(''.join(entry('e%d' % i, mail='e%d@one.example' % i,
                                      maildrop='x@dest.example') for i in range(600)))
        self.use_table(query_filter='(mail=%s)', bind_dn='cn=small,' + SUFFIX)
        self.refuses(UNAVAILABLE, r'ldap:made alias: .*its limit of size \(code 4\)')
        self.use_table(query_filter='(mail=%s)')
        self.shop.compile()
        self.assertEqual(len(self.ours('e%d@one.example' % i for i in range(600))), 600)

    def test_a_server_that_says_nothing(self):
        self.use_table({'timeout_seconds': 1}, query_filter='(mail=%s)')
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            self.refuses(TRY_LATER, 'ldap:made alias: .*the server said nothing for 1 seconds')
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    def test_nobody_is_there(self):
        self.use_table(query_filter='(mail=%s)', server_host='ldapi://%2Fnowhere')
        self.refuses(UNAVAILABLE, r"ldap:made alias: ldapi://%2Fnowhere: Can't contact LDAP server")
        self.use_table(query_filter='(mail=%s)',
                       server_host='ldapi://%%2Fnowhere, %s' % self.server.uri)
        self.server.add(entry('a', mail='a@one.example', maildrop='x@dest.example'))
        self.shop.compile()

    # ---- between us and the server ---------------------------------------------------------

    def use_relay(self):
        relay = Relay(self.server)
        self.addCleanup(relay.close)
        self.use_table(query_filter='(mail=%s)', server_host=relay.uri,
                       special_result_attribute='mailMember')
        return relay

    def test_changes_while_it_is_read(self):
        """Read again until nothing changed."""
        self.server.add(entry('a', mail='a@one.example', maildrop='x@dest.example'))
        relay = self.use_relay()
        count = []

        def change():
            count.append(None)
            if len(count) <= wanted:
                self.server.add(entry('n%d' % len(count), mail='n%d@one.example' % len(count),
                                      maildrop='x@dest.example'))
        relay.on_state = change
        wanted = 3
        self.shop.compile()
        self.assertEqual(len(count), 4)
        self.assertEqual(len(self.ours('n%d@one.example' % i for i in range(1, 9))), 3)
        wanted = 99
        self.refuses(TRY_LATER, 'ldap:made alias: was changed each of the 5 times that it was read')

    def test_cut_off_at_any_byte(self):
        self.server.add(''.join(entry('e%d' % i, mail='e%d@one.example' % i,
                                      maildrop='x@dest.example', mailMember=dn('e1'))
                                for i in range(2, 30)) +
                        entry('e1', mail='e1@one.example', maildrop='y@dest.example'))
        relay = self.use_relay()
        self.shop.compile()
        whole = relay.passed
        self.assertGreater(whole, 2000)
        for limit in [1, 13, 14, 15, *range(20, whole - 50, whole // 40)]:
            relay.limit = limit
            result = self.shop.try_compile('--force')
            self.assertIn(result.status, (UNAVAILABLE, TRY_LATER), limit)
            if limit > 100:
                self.assert_says(result, TRY_LATER, 'ldap:made alias: ')

    # ---- members ---------------------------------------------------------------------------

    def test_members(self):
        self.server.add(
            entry('a', mail='Ann@one.example', mailAlias=['a1@one.example', 'a2@one.example'],
                  maildrop=['x@dest.example', 'y@dest.example']) +
            entry('b', associatedDomain='two.example', maildrop='y@dest.example', mailEnabled='100%') +
            entry('c', associatedDomain='@three.example', maildrop='z@dest.example', mailEnabled='100%') +
            entry('d', associatedDomain='four.example', mailAlias='one.example'))
        self.use_members(
            alias_filter='(objectClass=mailThing)', alias_key_attribute='mailAlias mail',
            alias_value_attribute='maildrop', mailbox_filter='(mail=*)',
            mailbox_attribute='mail', catch_all_filter='mailEnabled=100%',
            catch_all_key_attribute='associatedDomain', catch_all_value_attribute='maildrop',
            domain_alias_filter='(&(associatedDomain=*)(mailAlias=*))', domain_alias_key_attribute='associatedDomain',
            domain_alias_value_attribute='mailAlias')
        self.shop.compile()
        both = ['x@dest.example', 'y@dest.example']
        keys = ['a1@one.example', 'a2@one.example', 'ann@one.example', '@two.example',
                '@three.example', '@four.example']
        self.assertEqual({key: sorted(value) for key, value in self.ours(keys).items()},
                         dict(zip(keys, [both, both, both, ['y@dest.example'], ['z@dest.example'],
                                         ['@one.example']])))

    def test_filters_for_one_key(self):
        """A filter with %s says itself where the keys are; the second of two counts for the rest."""
        self.server.add(
            entry('a', mail='ann@one.example', mailAlias='a1@one.example', mailEnabled='TRUE',
                  maildrop='x@dest.example', uid='team@one.example') +
            entry('b', mail='bob@one.example', uid=['team@one.example', 'a1@one.example'],
                  mailEnabled='TRUE') +
            entry('c', mail='carl@two.example', mailAlias='c1@two.example', maildrop='y@dest.example') +
            # Whose object class may not be read: one of a list all the same.
            entry('hidden', mail='dan@one.example'))
        self.use_members(
            alias_filter='  (&(mailEnabled=TRUE)(mailAlias=%s)) ', alias_value_attribute='maildrop',
            group_filter='(uid=%s)', group_value_attribute='mail', mailbox_filter='(mail=%s)',
            domain_filter='(&(mailEnabled=TRUE)(mail=*@%s))')
        self.shop.compile()
        self.assertEqual(
            {key: sorted(value) for key, value in self.ours(
                ['a1@one.example', 'c1@two.example', 'team@one.example']).items()},
            {'a1@one.example': ['x@dest.example'],
             'team@one.example': ['ann@one.example', 'bob@one.example']})
        found = rcptmap.resolve(self.shop.configuration, [
            'bob@one.example', 'dan@one.example', 'carl@one.example', 'nobody@two.example'])
        self.assertEqual([one['verdict'] for one in found],
                         ['deliver', 'deliver', 'unknown', 'foreign'])
        self.use_members(alias_filter='(|(mail=%s)(objectClass=x))', alias_value_attribute='maildrop')
        self.refuses(CONFIG, ".*: the filter has a \\| between parts with the key and without it, so it "
                             "can't be asked for all keys at once; make a table file of it, with "
                             "keys_filter and keys_attribute beside its path")
        self.use_members(alias_filter='(mail=%x)', alias_value_attribute='maildrop')
        self.refuses(CONFIG, '.*openrcpt.conf: alias_filter: %x is none of')

    def test_warnings_of_each_filter(self):
        """Not of the last one alone."""
        self.server.add(entry('a', mail=['ann@one.example'], mailAlias=['a1@one.example', ' '],
                              maildrop='x@dest.example'))
        self.use_members(
            alias_filter='(mailAlias=%s)', alias_value_attribute='maildrop',
            mailbox_filter='(mail=%s)', domain_filter='(mail=*@%s)')
        self.assertRegex(self.shop.compile('-v'), r'ldap:main alias: warning: 1 empty value was passed '
                                                  r'over, as of "" \[empty-value\]')

    def test_schemas(self):
        """What the source says itself goes before; keys go with their filter."""
        path = self.shop.folder / 'own.conf'
        path.write_text('parameters = { key = "mailAlias"; };\nalias_filter = "(${key}=%s)";\n'
                        'alias_value_attribute = "maildrop";\nmailbox_filter = "(mail=%s)";\n',
                        encoding='utf-8')
        self.server.add(entry('a', mail='ann@one.example', mailAlias='a1@one.example',
                              mailExact='a2@one.example', maildrop='x@dest.example'))
        for members, known in (
                ({}, ['a1', 'ann']), ({'mailbox_filter': ''}, ['a1']),
                ({'key': 'mailExact'}, ['a2', 'ann']), ({'alias_value_attribute': 'mail'}, ['a1', 'ann']),
                ({'alias_filter': '(mailExact=*)', 'alias_key_attribute': 'mailExact'}, ['a2', 'ann'])):
            self.use_members(schema=path, **members)
            self.shop.write_configuration(mailbox_domains=['one.example'])
            self.shop.compile('--force')
            found = rcptmap.resolve(self.shop.configuration, [
                '%s@one.example' % name for name in ('a1', 'a2', 'ann')])
            self.assertEqual([name for name, one in zip(('a1', 'a2', 'ann'), found)
                              if one['verdict'] != 'unknown'], known, members)
        self.use_members(schema=path, alias_key_attribute='mail')
        self.refuses(CONFIG, '.*: sources: a directory needs alias_filter')
        self.use_members(schema='postfixadmin')
        self.refuses(CONFIG, '.*/postfixadmin.conf:9: unknown setting "domain_query" of a schema')

    def test_members_and_a_password(self):
        self.server.add(entry('a', mail='a@one.example', maildrop='x@dest.example'))
        alias = {'alias_filter': '(mail=*)', 'alias_key_attribute': 'mail',
                 'alias_value_attribute': 'maildrop'}
        secret = self.shop.folder / 'secret'
        secret.write_text(PASSWORD + '\n', encoding='utf-8')
        secret.chmod(0o600)
        self.use_members(bind_dn=ADMIN, password_file=secret, **alias)
        self.shop.compile()
        shown = rcptmap.run('config', '-c', self.shop.configuration)
        self.assertNotIn(PASSWORD, shown.out + shown.err)
        secret.write_text('wrong\n', encoding='utf-8')
        self.refuses(UNAVAILABLE, 'ldap:main alias: .*: Invalid credentials')

    def test_members_that_are_missing(self):
        for members, says in (
                ({'uri': 'localhost'}, 'uri, as ldapi:///'),
                ({'base': ''.join(('a', '%', 'd'))}, 'base, as dc=example,dc=com'),
                ({'scope': 'all'}, 'a scope that is sub or one'),
                ({}, 'a path, a schema, or a filter, as alias_filter'),
                ({'alias_filter': '(mail=%s)'}, 'alias_value_attribute'),
                ({'alias_filter': '(mail=*)'}, 'alias_key_attribute'),
                ({'mailbox_attribute': 'mail'}, 'mailbox_filter')):
            self.use_members(**members)
            self.refuses(CONFIG, '.*: sources: a directory needs ' + says)
        self.use_members(alias_query='SELECT 1')
        self.refuses(CONFIG, '.*: sources: alias_query: there is no such setting of a database')


class LdapTlsTest(RcptmapTest):
    """Over a network, to an address that is not the loopback of every machine."""

    def setUp(self):
        self.shop = self.workshop()
        self.postfix = PostfixTables(self.shop.folder.path)
        self.authority = self.shop.folder / 'ca.pem'
        key = self.shop.folder / 'key.pem'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj',
             '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.2', '-keyout', str(key), '-out',
             str(self.authority)], check=True, stderr=subprocess.DEVNULL)
        for path in (self.shop.folder.path, key, self.authority):
            os.chmod(path, 0o755)
        self.hosts = ['127.0.0.2:%d' % free_port('127.0.0.2') for _ in range(2)]
        self.server = Slapd(
            entry('a', mail='a@one.example', maildrop='x@dest.example'),
            tls='TLSCertificateFile %s\nTLSCertificateKeyFile %s' % (self.authority, key),
            urls=('ldap://' + self.hosts[0], 'ldaps://' + self.hosts[1])).start()
        self.addCleanup(self.server.stop)

    def compile_members(self, **members):
        self.shop.write_configuration(sources=[{
            'type': 'ldap', 'base': 'ou=mail,' + SUFFIX, 'alias_filter': '(mail=*)',
            'alias_key_attribute': 'mail', 'alias_value_attribute': 'maildrop', **members}])
        return self.shop.try_compile('--force')

    def compile_table(self, **parameters):
        path = self.postfix.write('made', **self.server.parameters(
            query_filter='(mail=%s)', **parameters))
        self.shop.write_configuration(sources=[{'type': 'ldap', 'path': path}])
        return self.shop.try_compile('--force')

    def test_our_members(self):
        plain, safe = 'ldap://' + self.hosts[0], 'ldaps://' + self.hosts[1]
        for members in ({'uri': safe}, {'uri': plain, 'start_tls': True}):
            result = self.compile_members(**members)
            self.assert_says(result, UNAVAILABLE, 'ldap:main alias: ldaps?://127.0.0.2:')
            result = self.compile_members(ca_file=self.authority, **members)
            self.assertEqual(result.status, 0, result.err)
            self.assertNotIn('[unverified]', result.err)
        result = self.compile_members(uri=plain)
        self.assert_says(result, 0, r'ldap:main alias: warning: ldap://127.0.0.2:\d+: the connection '
                                    r'is not encrypted: .* \[unverified\]')
        result = self.compile_members(uri=safe, ca_file='/nowhere')
        self.assert_says(result, CONFIG, 'ldap:main alias: TLS can\'t be set up')

    def test_a_table_file(self):
        result = self.compile_table(server_host='ldaps://' + self.hosts[1])
        self.assert_says(result, 0, r'ldap:made alias: warning: ldaps://127.0.0.2:\d+: the server\'s '
                                    r'certificate is not checked \(tls_require_cert\): .*\[unverified')
        for parameters in ({'server_host': self.hosts[0], 'start_tls': 'yes'},
                           {'server_host': 'ldaps://' + self.hosts[1]}):
            result = self.compile_table(tls_require_cert='yes', **parameters)
            self.assert_says(result, UNAVAILABLE, 'ldap:made alias: ')
            result = self.compile_table(tls_require_cert='yes', tls_ca_cert_file=self.authority,
                                        **parameters)
            self.assertEqual(result.status, 0, result.err)
            self.assertNotIn('[unverified]', result.err)


if __name__ == '__main__':
    harness.main('rcptmap', 'postfix', 'ldap')
