#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap check-postfix, the milter and single parameters: each mistake yields a command that
mends it."""
import os
import pathlib
import pwd
import shlex
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import check_postfix_case
import harness
import mending
from check_postfix_case import FILTER, IDENTITY, MASTER, TABLE, Case
from private_mta import free_port
from rcptmap import Workshop


class Clean(Case):
    """Nothing to complain about."""

    def test_the_recipe(self):
        self.expect_clean()

    def test_domains_in_files(self):
        name = self.file('domains', 'alias.example x\nsecond.example x\n')
        self.main['virtual_alias_domains'] = 'texthash:%s' % name
        self.expect_clean()
        self.main['virtual_alias_domains'] = self.file(
            'list', '# ours\nalias.example\nsecond.example # too\n')
        self.expect_clean()

    def test_a_path_without_chroot(self):
        self.master = MASTER.replace('n - y - - smtpd', 'n - n - - smtpd')
        self.main['smtpd_milters'] = 'unix:%s' % self.socket
        self.expect_clean()

    def test_a_local_socket(self):
        for name in 'smtpd_milters', 'non_smtpd_milters':
            self.main[name] = self.ours().replace('unix:', 'local:')
        self.expect_clean()

    def test_a_filter_with_a_smtpd_behind_it(self):
        self.main['content_filter'] = FILTER
        for name in '127.0.0.1:10025', '10025':
            self.master = MASTER + ('%s inet n - n - - smtpd -o content_filter= '
                                    '-o receive_override_options=no_milters\n' % name)
            self.expect_clean()

    def test_the_safety_net(self):
        self.main.update({
            'virtual_alias_domains': '', 'virtual_alias_maps': '',
            'relay_domains': 'alias.example second.example', 'relay_recipient_maps': '',
            'transport_maps': 'inline:{ {alias.example = smtp:[127.0.0.1]:10027}, '
                              '{second.example = smtp:[127.0.0.1]:10027} }'})
        self.master += ('127.0.0.1:10027 inet n - n - - smtpd '
                        '-o milter_macro_daemon_name=REINJECT\n')
        self.expect_clean()

    def test_sendmail_is_a_note(self):
        del self.main['non_smtpd_milters']
        status, text = self.check()
        self.assertEqual(status, 0, text)
        self.assertIn('note: mail of sendmail(1)', text)
        self.assertEqual(mending.mend(self.configuration, self.etc), (0, ''))

    def test_a_pattern_that_changes_nothing(self):
        pattern = self.file('pcre', '/^(.*)@alias\\.example$/ $1@alias.example\n')
        self.main['virtual_alias_maps'] = 'pcre:%s, %s' % (pattern, IDENTITY)
        self.expect_clean()

    def test_upper_case_on_the_right(self):
        self.main['virtual_alias_maps'] = IDENTITY.replace('= @alias.ex', '= @Alias.Ex')
        self.expect_clean()

    def test_what_does_not_matter(self):
        self.main['mydestination'] = 'localhost, mx.example, other.example'
        self.main['smtpd_sender_restrictions'] = 'warn_if_reject reject_unverified_sender'
        self.main['masquerade_domains'] = 'example'
        self.main['always_bcc'] = 'archive@far.example'
        self.expect_clean()

    def test_success_on_a_terminal(self):
        self.write()
        done = subprocess.run(
            ['script', '-qec', shlex.join(harness.command(
                'rcptmap', 'check-postfix', '-c', self.configuration,
                '--postfix-config', self.etc)), '/dev/null'],
            check=False, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            encoding='utf-8')
        self.assertEqual((done.returncode, done.stdout.strip()),
                         (0, '2 domains, 1 service: nothing wrong'))


class Milter(Case):
    def test_no_milter(self):
        self.main['smtpd_milters'] = ''
        self.expect('main.cf: smtpd_milters', " -e 'smtpd_milters = %s'\n" % self.ours())

    def test_other_milters_stay(self):
        self.main.update({'dkim': 'inet:localhost:8891',
                          'smtpd_milters': '$dkim, { inet:localhost:1, protocol=6 }'})
        self.expect('smtpd_milters = inet:localhost:8891, { inet:localhost:1, protocol=6 }, { unix')

    def test_a_service_without_it(self):
        self.master += 'submission inet n - y - - smtpd -o smtpd_milters=inet:localhost:8891\n'
        self.expect('master.cf: submission/inet', " -P 'submission/inet/smtpd_milters=inet:")
        self.assertIn('inet:localhost:8891', self.get('submission/inet/smtpd_milters'))

    def test_not_the_last_milter(self):
        self.main['smtpd_milters'] = self.ours(', connect_timeout=10s') + ', inet:127.0.0.1:8891'
        self.expect('main.cf: openrcpt is not the last milter', 'connect_timeout=10s, default_')

    def test_a_bad_default_action(self):
        for action in 'accept', 'reject', 'quarantine':
            self.main['smtpd_milters'] = self.ours().replace('=tempfail', ' = ' + action)
            self.expect("main.cf: openrcpt's default_action in smtpd_milters is " + action)

    def test_a_bad_default_action_of_all(self):
        self.main['milter_default_action'] = 'accept'
        self.main['smtpd_milters'] = 'unix:milter/milter.sock'
        self.expect('milter_default_action, which counts for openrcpt, is accept')

    def test_a_bad_default_action_of_one_service(self):
        self.main['smtpd_milters'] = 'unix:milter/milter.sock'
        self.master += 'submission inet n - y - - smtpd -o milter_default_action=accept\n'
        self.expect('milter_default_action, which counts for openrcpt, is accept')

    def test_an_absolute_path_in_a_chroot(self):
        self.main['smtpd_milters'] = 'unix:%s' % self.socket
        self.expect('smtp/inet runs in a chroot', "'smtpd_milters = %s'\n" % self.ours())

    def test_a_socket_outside_of_the_chroot(self):
        self.main['queue_directory'] = self.folder
        for name in 'smtpd_milters', 'non_smtpd_milters':
            self.main[name] = 'unix:%s' % self.socket
        status, text = self.check()
        self.assertEqual(status, 1, text)
        self.assertIn('smtp/inet runs in a chroot, where %s is not visible' % self.socket, text)
        self.assertIn('    # openrcpt.conf: socket = "unix:%s/openrcpt/milter.sock"'
                      % self.folder, text)

    def test_expansion_behind_a_filter(self):
        self.main['content_filter'] = FILTER
        for name in '127.0.0.1:10025', '10025':
            self.master = MASTER + (
                '%s inet n - n - - smtpd -o content_filter= '
                '-o receive_override_options=no_address_mappings\n' % name)
            self.expect('%s/inet takes back' % name,
                        '/receive_override_options=no_milters,no_address_mappings')

    def test_submission_is_no_reinjection(self):
        self.main['content_filter'] = FILTER
        self.master += ('submission inet n - n - - smtpd -o content_filter= '
                        '-o receive_override_options=no_milters\n')
        self.expect('has no_milters for submission/inet')

    def test_no_milters(self):
        for name in '26', 'submission', '127.0.0.1:2525':
            self.master = MASTER + (
                '%s inet n - y - - smtpd -o receive_override_options='
                'no_milters,no_header_body_checks\n' % name)
            self.expect('master.cf: ', 'receive_override_options has no_milters for ',
                        '/receive_override_options=no_header_body_checks')

    def test_no_milters_for_all(self):
        self.main['receive_override_options'] = 'no_address_mappings, no_milters'
        status, text = self.check()
        self.assertEqual(status, 1)
        self.assertIn("'receive_override_options = no_address_mappings'", text)
        self.assertEqual(mending.mend(self.configuration, self.etc), (0, ''))

    def test_milters_by_client(self):
        ours = self.ours().replace(' ', '')
        for value in 'DISABLE', 'inet:localhost:1':
            self.main['smtpd_milter_maps'] = (
                'inline:{ { 10.0.0.1 = %s } }, inline:{ { 127.0.0.1 = %s } }' % (ours, value))
            self.expect('smtpd_milter_maps turns openrcpt off')
            self.assertIn('10.0.0.1', self.get('smtpd_milter_maps'))
            self.assertNotIn('127.0.0.1', self.get('smtpd_milter_maps'))
        self.main['smtpd_milter_maps'] = 'cidr:%s' % self.file('cidr', '10.0.0.0/8 DISABLE\n')
        self.expect('smtpd_milter_maps turns openrcpt off')
        self.main['smtpd_milter_maps'] = 'static:DISABLE'
        self.expect("can't tell: static:DISABLE of smtpd_milter_maps", rest=["can't tell"])

    def test_a_proxy_filter(self):
        self.master = MASTER.replace('smtpd', 'smtpd -o smtpd_proxy_filter=127.0.0.1:10024')
        self.expect('master.cf: smtp/inet', 'smtpd_proxy_filter', 'smtp/inet/smtpd_milters=')

    def test_the_milter_behind_a_proxy_filter(self):
        self.master = MASTER.replace(
            'smtpd\n', 'smtpd -o smtpd_proxy_filter=127.0.0.1:10024 -o smtpd_milters=\n')
        self.master += '127.0.0.1:10025 inet n - n - - smtpd\n'
        self.expect_clean()
        self.master = self.master.rstrip() + ' -o smtpd_milters=\n'
        self.expect('master.cf: 127.0.0.1:10025/inet', "doesn't ask openrcpt")

    def test_reports_to_aliases(self):
        self.main['internal_mail_filter_classes'] = 'notify'
        self.expect("'internal_mail_filter_classes = notify, bounce'")

    def test_sendmail_without_milters(self):
        self.master = MASTER.replace('1 pickup', '1 pickup -o receive_override_options=no_milters')
        self.expect('no_milters for pickup/unix')

    def test_cleanup_without_them(self):
        self.master = MASTER.replace('0 cleanup', '0 cleanup -o non_smtpd_milters='
                                     '{unix:milter/milter.sock,default_action=accept}')
        self.expect("'cleanup/unix/non_smtpd_milters={unix:milter/milter.sock,default_action=t")


class Socket(Case):
    def setUp(self):
        super().setUp()
        self.workshop = Workshop(TABLE, {'origin': 'mx.example', 'user': 'nobody'})
        self.addCleanup(self.workshop.close)
        self.configuration = self.workshop.configuration
        self.main['queue_directory'] = self.workshop.folder

    def use(self, socket):
        self.workshop.write_configuration(socket=socket)
        self.workshop.compile()

    def test_nobody_answers(self):
        self.use('unix:%s/milter/milter.sock' % self.workshop.folder)
        status, text = self.check()
        self.assertEqual(status, 1)
        self.assertEqual(mending.findings(text), [(
            'main.cf: nobody answers at unix:%s/milter/milter.sock: No such file or directory'
            % self.workshop.folder, 'systemctl start openrcptd')])

    def test_a_port(self):
        port = free_port()
        self.use('inet:%d@127.0.0.1' % port)
        self.main['smtpd_milters'] = self.main['non_smtpd_milters'] = 'inet:localhost:%d' % port
        status, text = self.check()
        self.assertEqual((status, len(mending.findings(text))), (1, 1), text)
        self.assertIn('nobody answers at inet:%d@127.0.0.1: Connection refused' % port, text)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can give folders away')
    def test_a_folder_that_postfix_cannot_enter(self):
        self.use('unix:%s/milter/milter.sock' % self.workshop.folder)
        (self.workshop.folder / 'milter').mkdir(mode=0o700)
        status, text = self.check()
        self.assertEqual(status, 1)
        self.assertIn("can't enter %s/milter" % self.workshop.folder, text)
        for _, command in mending.findings(text):
            if command.startswith('chgrp'):
                mending.run(command)
        self.assertNotIn("can't enter", self.check()[1])


class Rest(Case):
    def test_the_delimiter(self):
        self.main['recipient_delimiter'] = '-'
        self.expect('recipient_delimiter is "-"', "'recipient_delimiter = +'\n")

    def test_the_origin(self):
        self.main['myorigin'] = 'other.example'
        self.expect('myorigin is other.example, but the table was compiled with origin mx.example',
                    '    # openrcpt.conf: origin = "other.example"', rest=['myorigin'])
        self.main['myorigin'] = self.file('mailname', 'mx.example\n')
        self.expect_clean()
        self.main['myorigin'] = self.file('mailname', 'mail.mx.example\n')
        self.expect('myorigin is mail.mx.example', rest=['myorigin'])
        self.main['myorigin'] = '/nowhere/mailname'
        status, text = self.check()
        self.assertEqual(status, 1, text)
        self.assertIn("can't tell: /nowhere/mailname of myorigin", text)

    def test_verify_probes(self):
        self.main['smtpd_recipient_restrictions'] = 'permit_mynetworks, reject_unverified_recipient'
        self.expect('probes addresses of alias domains alias.example, second.example')
        self.assertEqual(self.words('smtpd_recipient_restrictions')[:2],
                         ['permit_mynetworks', 'check_recipient_access'])
        self.main['smtpd_recipient_restrictions'] = 'permit_mynetworks'
        self.master += ('submission inet n - y - - smtpd -o '
                        'smtpd_client_restrictions=permit_mynetworks,reject_unverified_recipient\n')
        self.expect('master.cf: submission/inet', 'without asking openrcpt')

    def test_verify_probes_in_a_class(self):
        self.main.update({'smtpd_restriction_classes': 'one, two', 'one': 'reject_unlisted_sender',
                          'two': 'reject_unverified_recipient, permit'})
        status, text = self.check()
        self.assertEqual(status, 1)
        self.assertIn('reject_unverified_recipient in two probes', text)
        self.assertIn('note: reject_unlisted_sender', text)
        self.main['one'] = 'permit'
        self.expect('reject_unverified_recipient in two probes')

    def test_verify_probes_of_senders(self):
        self.main['smtpd_sender_restrictions'] = 'permit_mynetworks, reject_unverified_sender'
        self.expect('reject_unverified_sender in smtpd_sender_restrictions')

    def test_unlisted_senders(self):
        self.main['smtpd_reject_unlisted_sender'] = 'yes'
        status, text = self.check()
        self.assertEqual(status, 0)
        self.assertIn("note: reject_unlisted_sender doesn't find unknown senders", text)
        self.assertEqual(mending.mend(self.configuration, self.etc), (0, ''))

    def test_vrfy(self):
        del self.main['disable_vrfy_command']
        self.expect('VRFY', "'disable_vrfy_command = yes'\n")

    def test_soft_bounce(self):
        self.main['soft_bounce'] = 'yes'
        self.expect('soft_bounce', "'soft_bounce = no'\n")
        del self.main['soft_bounce']
        self.master += 'submission inet n - y - - smtpd -o soft_bounce=yes\n'
        self.expect('master.cf: submission/inet: soft_bounce')

    def test_codes(self):
        self.main['unknown_virtual_alias_reject_code'] = '450'
        self.expect('unknown_virtual_alias_reject_code is 450, but openrcpt refuses with 550 5.1.1',
                    'unknown.reply = "450 4.1.1"')

    def test_replies_that_are_changed(self):
        for pattern, expected in (('/^451 (.*)/ 550 $1', 'makes "550 '),
                                  ('/^550 5.1.1(.*)/ 450 4.1.1$1', 'makes "450 '),
                                  ('/^554 (.*)/ 550 $1', None)):
            self.main['smtpd_reject_filter_maps'] = 'pcre:%s' % self.file('pcre', pattern + '\n')
            status, text = self.check()
            self.assertEqual((status, bool(text)), (1, True) if expected else (0, False), text)
            self.assertIn(expected or '', text)
            self.assertEqual(mending.mend(self.configuration, self.etc), (0, ''))

    def test_masquerading(self):
        self.main['masquerade_classes'] = 'envelope_sender, envelope_recipient, header_sender'
        for value in 'example', 'alias.example':
            self.main['masquerade_domains'] = value
            self.expect('masquerade_domains changes the domain of recipients',
                        "'masquerade_classes = envelope_sender, header_sender'")

    def test_copies(self):
        for name in 'always_bcc', 'luser_relay':
            self.main[name] = 'ann@alias.example'
            self.expect('%s leads to ann@alias.example' % name, " '%s = ann@dest.example'" % name)
            self.main[name] = 'nobody@Alias.example'
            self.expect('%s leads to nobody@alias.example' % name, rest=[name])
            self.main[name] = ''

    def test_maps_that_lead_to_us(self):
        lines = {'alias_maps': 'root: x, ann@alias.example',
                 'recipient_canonical_maps': 'x@far.example bob@second.example',
                 'canonical_maps': '@far.example @alias.example',
                 'virtual_alias_maps': 'friend@far.example team@second.example'}
        for name in ('recipient_bcc_maps', 'sender_bcc_maps', *lines):
            line = lines.get(name, 'x@far.example ann@alias.example')
            path = self.file(name, line + '\n')
            self.main[name] = 'texthash:%s' % path
            if name == 'virtual_alias_maps':
                self.main[name] += ', ' + IDENTITY
            self.expect('%s leads to ' % path, rest=['leads to'])
            self.main[name] = IDENTITY if name == 'virtual_alias_maps' else ''
        self.main['recipient_bcc_maps'] = 'pcre:%s' % self.file(
            'pcre', '/^(.*)@x.example$/ $1@alias.example\n')
        self.expect('leads to $1@alias.example', rest=['leads to'])

    def test_no_postfix_there(self):
        status, text = mending.check(self.configuration, self.etc, '--postconf',
                                     '/nowhere/postconf')
        self.assertEqual(status, 69, text)
        self.assertIn('/nowhere/postconf: No such file or directory', text)

    def test_no_main_cf(self):
        status, text = mending.check(self.configuration, self.folder)
        self.assertEqual(status, 69, text)
        self.assertIn('main.cf: No such file or directory', text)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can give files away')
    def test_the_table_may_belong_to_the_user_of_the_daemon(self):
        workshop = Workshop(TABLE, {'user': 'nobody'})
        self.addCleanup(workshop.close)
        workshop.compile()
        for owner, expected, words in (('nobody', 69, '/nowhere/postconf'),
                                       ('daemon', 77, str(workshop.table))):
            os.chown(workshop.table, pwd.getpwnam(owner).pw_uid, -1)
            status, text = mending.check(workshop.configuration, self.etc, '--postconf',
                                         '/nowhere/postconf')
            self.assertEqual(status, expected, text)
            self.assertIn(words, text)


class OtherTables(Case):
    TABLE = TABLE + 'bare ann@dest.example\n'
    SETTINGS = {'recipient_delimiter': '-', 'local_domains': ['localhost', 'old.example']}

    def test_special_names(self):
        self.main.update({'recipient_delimiter': '-', 'owner_request_special': 'no',
                          'mydestination': 'localhost, old.example'})
        self.expect('owner_request_special is no')

    def test_local_domains(self):
        self.main.update({'recipient_delimiter': '-', 'mydestination': 'localhost, new.example'})
        self.expect('mydestination and local_domains', 'old.example new.example',
                    '# openrcpt.conf: local_domains = [ "localhost", "new.example" ]',
                    rest=['local_domains'])


if __name__ == '__main__':
    check_postfix_case.main()
