#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap check-postfix, domains and maps: each mistake yields a command that mends it."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import check_postfix_case
import mending
from check_postfix_case import IDENTITY, TABLE, Case
from rcptmap import Workshop


MAILBOX_TABLE = '''\
ann@box.example      ann@box.example
info@box.example     ann@box.example, bob@dest.example
'''


class Domains(Case):
    def test_a_domain_in_another_class(self):
        for name in 'mydestination', 'relay_domains', 'virtual_mailbox_domains':
            before = self.main.get(name)
            self.main[name] = 'other.example, Alias.example'
            self.expect('main.cf: alias domain alias.example is in %s, too' % name,
                        " -e '%s = other.example'\n" % name)
            self.main[name] = before or ''

    def test_both_domains_are_one_finding(self):
        self.main['relay_domains'] = 'alias.example, other.example, second.example'
        self.expect('alias domains alias.example, second.example are in relay_domains')
        self.assertEqual(self.get('relay_domains'), 'other.example')

    def test_a_domain_in_the_map_of_another_class(self):
        self.main['relay_domains'] = 'inline:{ {second.example = x} }, x.example'
        self.expect('alias domain second.example is in relay_domains',
                    " 'relay_domains = !second.example, inline:{ {second.example = x} }, x.ex")

    def test_a_domain_in_the_file_of_another_class(self):
        for value in '%s', 'x.example %s':
            name = self.file('list', '# mailboxes\nx.example\nalias.example, y.example\n')
            self.main['virtual_mailbox_domains'] = value % name
            self.expect('alias domain alias.example is in virtual_mailbox_domains')

    def test_a_domain_below_another(self):
        self.main['relay_domains'] = 'example'
        self.expect('alias domains alias.example, second.example are in relay_domains')
        self.main['relay_domains'] = '.example'
        self.expect_clean()
        self.main['relay_domains'] = ''
        self.main['mydestination'] = 'example'
        self.expect_clean()

    def test_names_are_kept(self):
        self.main.update({'more': 'x.example', 'mydestination': '$more, $myhostname, localhost',
                          'myhostname': 'alias.example', 'myorigin': 'mx.example'})
        self.expect("'mydestination = !alias.example, $more, $myhostname, localhost'")

    def test_an_exception_counts(self):
        self.main['relay_domains'] = '!alias.example, inline:{ {alias.example = x} }'
        self.expect_clean()

    def test_domains_that_are_missing(self):
        self.main['virtual_alias_domains'] = 'alias.example'
        self.expect('alias domain second.example is not in virtual_alias_domains',
                    "'virtual_alias_domains = alias.example, second.example'\n")
        self.main['virtual_alias_domains'] = ''
        self.expect('alias domains alias.example, second.example are not in')

    def test_the_default_is_kept(self):
        del self.main['virtual_alias_domains']
        self.expect("'virtual_alias_domains = $virtual_alias_maps, alias.example, second.example'")

    def test_no_catch_all(self):
        self.main['virtual_alias_maps'] = ''
        self.expect("doesn't map alias domains alias.example, second.example to itself",
                    "'virtual_alias_maps = inline:{ { @alias.example=@alias.example }, {")
        self.main['virtual_alias_maps'] = 'inline:{ {@alias.example = @alias.example} }'
        self.expect('alias domain second.example to itself')

    def test_a_catch_all_that_leads_elsewhere(self):
        self.main['virtual_alias_maps'] = 'inline:{ {@alias.example = a@b.example} }, ' + IDENTITY
        self.expect('leads every address of alias domain alias.example elsewhere: a@b.example')
        self.main['virtual_alias_maps'] = 'pcre:%s, %s' % (
            self.file('pcre', '/^(.+)@alias\\.example$/ a@b.example\n'), IDENTITY)
        status, text = self.check()
        self.assertEqual((status, len(mending.findings(text))), (1, 2), text)

    def test_another_map_that_expands_ours(self):
        name = self.file('virtual', TABLE)
        self.main['virtual_alias_maps'] = 'texthash:%s, %s' % (name, IDENTITY)
        self.expect('texthash:%s expands addresses of ours' % name)
        self.main['old'] = 'texthash:%s' % name
        self.main['virtual_alias_maps'] = '$old, ' + IDENTITY
        self.expect('texthash:%s expands addresses of ours' % name)

    def test_maps_that_cannot_be_opened(self):
        for name, value in (('virtual_alias_maps', 'hash:/nowhere/x, ' + IDENTITY),
                            ('virtual_alias_maps', 'proxy:mysql:/nowhere/x, ' + IDENTITY),
                            ('virtual_alias_domains', 'cdb:/nowhere/x'),
                            ('virtual_alias_domains', '/nowhere/x'),
                            ('relay_domains', 'proxy:hash:/nowhere/x'),
                            ('mydestination', 'localhost regexp:/nowhere/x'),
                            ('virtual_mailbox_domains', 'nosuchtype:/nowhere/x'),
                            ('recipient_bcc_maps', 'hash:/nowhere/x'),
                            ('alias_maps', 'hash:/nowhere/x'),
                            ('smtpd_recipient_restrictions',
                             'check_recipient_access hash:/nowhere/x')):
            before = self.main.get(name, '')
            self.main[name] = value
            with self.subTest(value):
                status, text = self.check()
                self.assertEqual((status, len(mending.findings(text))), (1, 1), text)
                self.assertIn("can't tell: ", text)
                self.assertIn(" of %s can't be read" % name, text)
            self.main[name] = before
        del self.main['alias_maps']

    def test_full_coverage(self):
        self.main.update({
            'virtual_alias_domains': '', 'virtual_alias_maps': '', 'relay_domains': 'x.example'})
        self.master += ('127.0.0.1:10027 inet n - n - - smtpd '
                        '-o milter_macro_daemon_name=REINJECT\n')
        self.expect('alias domains alias.example, second.example are not in relay_domains')
        self.main['relay_domains'] = 'alias.example second.example'
        self.main['transport_maps'] = 'inline:{ { alias.example = smtp:[127.0.0.1]:10028 } }'
        self.expect("transport_maps doesn't lead alias domains alias.example, second.example to")
        self.main['relay_transport'] = 'smtp:[127.0.0.1]:10027'
        self.expect("transport_maps doesn't lead alias domain alias.example to 127.0.0.1:10027")
        self.main['transport_maps'] = ''
        self.expect_clean()
        self.main['relay_recipient_maps'] = 'inline:{ { ann@alias.example = x } }'
        self.expect('alias domain second.example to itself, and relay_recipient_maps doesn')
        self.main['relay_recipient_maps'] = ''
        self.main['virtual_alias_domains'] = 'alias.example'
        self.expect('alias domain alias.example is in virtual_alias_domains, too')


class Mailboxes(Case):
    TABLE, SETTINGS = MAILBOX_TABLE, {'mailbox_domains': ['box.example']}

    def setUp(self):
        super().setUp()
        self.main.update({'virtual_alias_domains': '', 'virtual_alias_maps': '',
                          'virtual_mailbox_domains': 'box.example',
                          'virtual_mailbox_maps': 'inline:{ { @box.example = x } }'})

    def test_good_ones(self):
        for name, value in (('virtual_mailbox_maps', 'inline:{ { @box.example = x } }'),
                            ('virtual_mailbox_maps', ''),
                            ('virtual_mailbox_maps', 'static:x'),
                            ('virtual_mailbox_maps', 'inline:{ {ann@box.example = x}, '
                                                     '{info@box.example = x} }'),
                            ('virtual_mailbox_domains', self.file('vhost', 'box.example\n'))):
            self.main[name] = value
            self.expect_clean()
        self.main['virtual_mailbox_maps'] = 'inline:{ { ann@box.example = x } }'
        self.main['virtual_alias_maps'] = 'inline:{ { @box.example = @box.example } }'
        self.expect_clean()
        self.main.update({'virtual_mailbox_domains': '', 'virtual_alias_maps': '',
                          'relay_domains': 'box.example', 'relay_recipient_maps': ''})
        self.expect_clean()

    def test_the_guide_taken_literally(self):
        self.main.update({'virtual_alias_domains': 'box.example',
                          'virtual_alias_maps': 'inline:{ { @box.example = @box.example } }'})
        self.expect('mailbox domain box.example is in virtual_alias_domains: Postfix would bounce')
        self.assertEqual(self.get('virtual_alias_domains'), '')

    def test_aliases_that_smtpd_refuses(self):
        self.main['virtual_mailbox_maps'] = 'inline:{ { ann@box.example = x } }'
        self.expect("doesn't map mailbox domain box.example to itself, and virtual_mailbox_maps",
                    "'virtual_alias_maps = inline:{ { @box.example=@box.example } }'")
        self.main.update({'virtual_mailbox_domains': '', 'relay_domains': 'box.example',
                          'relay_recipient_maps': 'inline:{ { ann@box.example = x } }'})
        self.expect('to itself, and relay_recipient_maps')

    def test_the_old_aliases(self):
        name = self.file('virtual', MAILBOX_TABLE)
        self.main['virtual_alias_maps'] = 'texthash:%s' % name
        self.expect('texthash:%s expands addresses of ours, too, as info@box.example' % name)

    def test_all_can_be_pasted_together(self):
        """What is printed later builds on what was printed before."""
        self.main.update({'virtual_alias_domains': 'box.example', 'mydestination': 'localhost',
                          'virtual_alias_maps': 'inline:{ { info@box.example = x@far.example } }',
                          'virtual_mailbox_maps': 'inline:{ { ann@box.example = x } }',
                          'smtpd_recipient_restrictions': 'reject_unverified_recipient'})
        table = Workshop(TABLE + MAILBOX_TABLE, {
            'origin': 'mx.example', 'mailbox_domains': ['box.example'], 'socket': 'unix:%s'
            % self.socket, 'user': 'nobody'})
        self.addCleanup(table.close)
        table.compile()
        self.configuration = table.configuration
        status, text = self.check()
        self.assertEqual((status, len(mending.findings(text))), (1, 7), text)
        for _, command in mending.findings(text):
            mending.run(command)
        mending.settle(self.etc)
        self.assertEqual(mending.check(self.configuration, self.etc), (0, ''))

    def test_no_class(self):
        self.main['virtual_mailbox_domains'] = 'x.example'
        self.expect('mailbox domain box.example is not in virtual_mailbox_domains, nor')

    def test_copies(self):
        self.main['always_bcc'] = 'ann@box.example'
        self.expect_clean()
        self.main['always_bcc'] = 'info@box.example'
        self.expect('always_bcc leads to info@box.example', rest=['always_bcc'])

    def test_codes(self):
        self.main['unknown_virtual_mailbox_reject_code'] = '450'
        self.expect('unknown_virtual_mailbox_reject_code is 450')


class Many(Case):
    """No limit but the machine's."""

    COUNT = 3000
    TABLE = ''.join('d%d.example x\nu@d%d.example a@dest.example\n' % (number, number)
                    for number in range(COUNT))
    SETTINGS = {'shrink_limit_percent': 0}

    def setUp(self):
        super().setUp()
        self.main.update({'virtual_alias_domains': '', 'virtual_alias_maps': ''})

    def test_domains_by_file(self):
        name = self.file('some', ''.join('d%d.example x\n@d%d.example @d%d.example\n' % (
            (number,) * 3) for number in range(1000)))
        self.main['virtual_alias_domains'] = 'texthash:%s' % name
        self.main['virtual_alias_maps'] = 'texthash:%s' % name
        status, text = self.check()
        self.assertEqual((status, len(mending.findings(text))), (1, 2), text)
        self.assertIn('and 1995 more are not in virtual_alias_domains', text)
        self.assertLess(len(text), 4000)
        self.assertEqual(mending.mend(self.configuration, self.etc), (0, ''))

    def test_a_few_in_a_line(self):
        name = self.file('most', ''.join('d%d.example x\n@d%d.example @d%d.example\n' % (
            (number,) * 3) for number in range(self.COUNT - 2)))
        self.main['virtual_alias_domains'] = self.main['virtual_alias_maps'] = 'texthash:%s' % name
        status, text = self.check()
        self.assertIn("'virtual_alias_domains = texthash:%s, d" % name, text)
        self.assertEqual(mending.mend(self.configuration, self.etc), (0, ''))

    def test_the_last_key(self):
        name = self.file('all', ''.join('d%d.example x\n@d%d.example @d%d.example\n' % (
            (number,) * 3) for number in range(self.COUNT)))
        self.main['virtual_alias_domains'] = self.main['virtual_alias_maps'] = 'texthash:%s' % name
        self.expect_clean()
        for number in 0, self.COUNT // 2, self.COUNT - 1:
            self.main['virtual_alias_maps'] = (
                'inline:{ { u@d%d.example = x@far.example } }, texthash:%s' % (number, name))
            self.expect('as u@d%d.example' % number)

    def test_other_classes(self):
        name = self.file('all', ''.join('d%d.example x\n@d%d.example @d%d.example\n' % (
            (number,) * 3) for number in range(self.COUNT)))
        self.main['virtual_alias_domains'] = self.main['virtual_alias_maps'] = 'texthash:%s' % name
        for parameter in 'relay_domains', 'virtual_mailbox_domains':
            self.main[parameter] = 'texthash:%s' % name
            self.expect('and 2995 more are in %s, too' % parameter)
            self.main[parameter] = ''
        self.main['smtpd_recipient_restrictions'] = 'permit_mynetworks, reject_unverified_recipient'
        self.expect('and 2995 more without asking openrcpt')


if __name__ == '__main__':
    check_postfix_case.main()
