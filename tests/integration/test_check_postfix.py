#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap check-postfix: each mistake in a Postfix configuration yields the line to change.

The configurations are read by the real postconf(1) and postmap(1); no Postfix is started.
"""
import os
import pathlib
import pwd
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from rcptmap import Workshop

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example
second.example       domain
bob@second.example   bob@dest.example
'''
OURS = '{ unix:openrcpt/milter.sock, default_action=tempfail }'
IDENTITY = 'inline:{ {@alias.example = @alias.example}, {@second.example = @second.example} }'
MASTER = '''\
smtp      inet  n - y - - smtpd
cleanup   unix  n - y - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
'''


class CheckPostfix(unittest.TestCase):
    def setUp(self):
        self.folder = harness.Scratch()
        self.addCleanup(self.folder.remove)
        self.spool = self.folder / 'spool'
        (self.folder / 'postfix').mkdir()
        self.spool.mkdir()
        self.socket = self.spool / 'openrcpt' / 'milter.sock'
        self.main = {
            'compatibility_level': '3.6', 'queue_directory': self.spool,
            'mydestination': 'localhost', 'myhostname': 'mx.example',
            'virtual_alias_domains': 'alias.example second.example',
            'virtual_alias_maps': IDENTITY, 'smtpd_milters': OURS, 'non_smtpd_milters': OURS,
            'milter_default_action': 'tempfail', 'disable_vrfy_command': 'yes',
            'recipient_delimiter': '+', 'smtpd_recipient_restrictions': 'permit_mynetworks'}
        self.master = MASTER
        self.settings = {'socket': 'unix:%s' % self.socket}

    def check(self):
        (self.folder / 'postfix' / 'main.cf').write_text(''.join(
            '%s = %s\n' % item for item in self.main.items()), encoding='ascii')
        (self.folder / 'postfix' / 'master.cf').write_text(self.master, encoding='ascii')
        workshop = Workshop(TABLE, {**self.settings, 'user': 'nobody'})
        self.addCleanup(workshop.close)
        workshop.compile()
        done = subprocess.run(
            harness.command('rcptmap', 'check-postfix', '-c', workshop.configuration,
                            '--postfix-config', self.folder / 'postfix'),
            check=False, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding='utf-8')
        return done.returncode, done.stdout + done.stderr

    def expect_clean(self):
        status, text = self.check()
        self.assertEqual((status, text), (0, ''))

    def expect(self, *words):
        """One problem, with all of WORDS in it."""
        status, text = self.check()
        self.assertEqual(status, 1, text)
        self.assertEqual(len([line for line in text.splitlines()
                              if line and not line.startswith(' ')]), 1, text)
        for word in words:
            self.assertIn(word, text)

    # ---- nothing to complain about -----------------------------------------------------

    def test_the_recipe(self):
        self.expect_clean()

    def test_domains_in_files(self):
        name = self.folder / 'domains'
        name.write_text('alias.example x\nsecond.example x\n', encoding='ascii')
        self.main['virtual_alias_domains'] = 'texthash:%s' % name
        self.expect_clean()

    def test_a_path_without_chroot(self):
        self.master = MASTER.replace('n - y - - smtpd', 'n - n - - smtpd')
        self.main['smtpd_milters'] = 'unix:%s' % self.socket
        self.expect_clean()

    def test_a_port(self):
        self.settings = {'socket': 'inet:8894@127.0.0.1'}
        self.main['smtpd_milters'] = self.main['non_smtpd_milters'] = 'inet:localhost:8894'
        self.expect_clean()

    def test_a_filter_with_a_smtpd_behind_it(self):
        self.main['content_filter'] = 'scan:[127.0.0.1]:10024'
        self.master += ('127.0.0.1:10025 inet n - n - - smtpd -o content_filter= '
                        '-o receive_override_options=no_milters\n')
        self.expect_clean()

    def test_the_safety_net(self):
        self.main.update({
            'virtual_alias_domains': '', 'virtual_alias_maps': '',
            'relay_domains': 'alias.example second.example',
            'transport_maps': 'inline:{ {alias.example = smtp:[127.0.0.1]:10027} }'})
        self.master += ('127.0.0.1:10027 inet n - n - - smtpd '
                        '-o milter_macro_daemon_name=REINJECT\n')
        self.expect_clean()

    def test_sendmail_is_a_note(self):
        del self.main['non_smtpd_milters']
        status, text = self.check()
        self.assertEqual(status, 0, text)
        self.assertIn('note: mail of sendmail(1)', text)
        self.assertIn('    non_smtpd_milters = %s' % OURS, text)

    # ---- the milter --------------------------------------------------------------------

    def test_no_milter(self):
        self.main['smtpd_milters'] = ''
        self.expect('main.cf: smtpd_milters', '\n    smtpd_milters = %s\n' % OURS)

    def test_a_service_without_it(self):
        self.master += 'submission inet n - y - - smtpd -o smtpd_milters=\n'
        self.expect('master.cf: submission/inet', '\n    smtpd_milters = %s\n' % OURS)

    def test_not_the_last_milter(self):
        self.main['smtpd_milters'] = OURS + ', inet:127.0.0.1:8891'
        self.expect('main.cf: openrcpt is not the last milter', '\n    smtpd_milters = ..., ')

    def test_a_bad_default_action(self):
        for action in 'accept', 'reject', 'quarantine':
            self.main['smtpd_milters'] = OURS.replace('tempfail', action)
            self.expect('main.cf: its default_action is %s' % action, 'default_action=tempfail')

    def test_a_bad_default_action_of_all(self):
        self.main['milter_default_action'] = 'accept'
        self.main['smtpd_milters'] = 'unix:openrcpt/milter.sock'
        self.expect('main.cf: milter_default_action is accept', '\n    smtpd_milters = ')

    def test_a_bad_default_action_of_one_service(self):
        self.main['smtpd_milters'] = 'unix:openrcpt/milter.sock'
        self.master += 'submission inet n - y - - smtpd -o milter_default_action=accept\n'
        self.expect('milter_default_action is accept')

    def test_a_socket_outside_of_the_chroot(self):
        self.settings = {'socket': 'unix:/run/openrcpt/milter.sock'}
        self.main['smtpd_milters'] = 'unix:/run/openrcpt/milter.sock'
        self.main['non_smtpd_milters'] = OURS.replace('openrcpt/', '/run/openrcpt/')
        status, text = self.check()
        self.assertEqual(status, 1, text)
        self.assertIn('smtp/inet runs in a chroot, where /run/openrcpt/milter.sock is not visible',
                      text)

    def test_an_absolute_path_in_a_chroot(self):
        self.main['smtpd_milters'] = 'unix:%s' % self.socket
        self.expect('smtp/inet runs in a chroot', '\n    smtpd_milters = %s\n' % OURS)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can give folders away')
    def test_a_folder_that_postfix_cannot_enter(self):
        self.socket.parent.mkdir(mode=0o700)
        self.expect("can't enter %s" % self.socket.parent, 'chmod 2750')

    def test_expansion_behind_a_filter(self):
        self.main['content_filter'] = 'scan:[127.0.0.1]:10024'
        self.master += '127.0.0.1:10025 inet n - n - - smtpd -o content_filter=\n'
        self.expect('master.cf: 127.0.0.1:10025/inet',
                    '\n    -o receive_override_options=no_milters\n')

    def test_a_proxy_filter(self):
        self.master = MASTER.replace('smtpd', 'smtpd -o smtpd_proxy_filter=127.0.0.1:10024')
        self.expect('master.cf: smtp/inet', 'smtpd_proxy_filter', '-o smtpd_milters=')

    def test_the_milter_behind_a_proxy_filter(self):
        self.master = MASTER.replace(
            'smtpd\n', 'smtpd -o smtpd_proxy_filter=127.0.0.1:10024 -o smtpd_milters=\n')
        self.master += '127.0.0.1:10025 inet n - n - - smtpd\n'
        self.expect_clean()
        self.master = self.master.rstrip() + ' -o smtpd_milters=\n'
        self.expect('master.cf: 127.0.0.1:10025/inet', "doesn't ask openrcpt")

    # ---- domains -----------------------------------------------------------------------

    def test_a_domain_in_another_class(self):
        for name in 'mydestination', 'relay_domains', 'virtual_mailbox_domains':
            before = self.main.get(name)
            self.main[name] = 'other.example, Alias.example'
            self.expect('main.cf: alias domain alias.example is in %s' % name,
                        '\n    %s = ... without alias.example\n' % name)
            self.main[name] = before or ''

    def test_a_domain_in_the_map_of_another_class(self):
        self.main['relay_domains'] = 'inline:{ {second.example = x} }'
        self.expect('alias domain second.example is in relay_domains')

    def test_an_exception_counts(self):
        self.main['relay_domains'] = '!alias.example, inline:{ {alias.example = x} }'
        self.expect_clean()

    def test_a_domain_that_is_missing(self):
        self.main['virtual_alias_domains'] = 'alias.example'
        self.expect('alias domain second.example is not in virtual_alias_domains',
                    '\n    virtual_alias_domains = ... second.example\n')

    def test_no_catch_all(self):
        self.main['virtual_alias_maps'] = 'inline:{ {@alias.example = @alias.example} }'
        self.expect('virtual_alias_maps has no @second.example',
                    '\n    virtual_alias_maps = inline:{ {@second.example = @second.example} }\n')

    def test_a_catch_all_that_leads_elsewhere(self):
        self.main['virtual_alias_maps'] = 'inline:{ {@alias.example = a@b.example} }, ' + IDENTITY
        self.expect('virtual_alias_maps has @alias.example already, and leads elsewhere: '
                    'a@b.example')

    def test_another_map_that_expands_ours(self):
        name = self.folder / 'virtual'
        name.write_text(TABLE, encoding='ascii')
        self.main['virtual_alias_maps'] = 'texthash:%s, %s' % (name, IDENTITY)
        self.expect('texthash:%s expands addresses of ours' % name,
                    '\n    virtual_alias_maps = ... without texthash:%s\n' % name)

    def test_the_delimiter(self):
        self.main['recipient_delimiter'] = '-'
        self.expect('recipient_delimiter is "-"', '\n    recipient_delimiter = +\n')

    # ---- the rest ----------------------------------------------------------------------

    def test_verify_probes(self):
        self.main['smtpd_recipient_restrictions'] = 'permit_mynetworks, reject_unverified_recipient'
        status, text = self.check()
        self.assertEqual(status, 1, text)
        for domain in 'alias.example', 'second.example':
            self.assertIn('check_recipient_access inline:{%s=OK}' % domain, text)
        self.main['smtpd_recipient_restrictions'] = (
            'check_recipient_access inline:{ {alias.example=OK}, {second.example=OK} }, '
            'reject_unverified_recipient')
        self.expect_clean()

    def test_vrfy(self):
        del self.main['disable_vrfy_command']
        self.expect('VRFY', '\n    disable_vrfy_command = yes\n')

    def test_soft_bounce(self):
        self.main['soft_bounce'] = 'yes'
        self.expect('soft_bounce', '\n    soft_bounce = no\n')

    def test_no_postfix_there(self):
        workshop = Workshop(TABLE, self.settings)
        self.addCleanup(workshop.close)
        workshop.compile()
        done = subprocess.run(
            harness.command('rcptmap', 'check-postfix', '-c', workshop.configuration,
                            '--postconf', '/nowhere/postconf'), check=False, timeout=120,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding='utf-8')
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn('/nowhere/postconf: No such file or directory', done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can give files away')
    def test_the_table_may_belong_to_the_user_of_the_daemon(self):
        workshop = Workshop(TABLE, {**self.settings, 'user': 'nobody'})
        self.addCleanup(workshop.close)
        workshop.compile()
        for owner, status, words in (('nobody', 69, '/nowhere/postconf'),
                                     ('daemon', 77, str(workshop.table))):
            os.chown(workshop.table, pwd.getpwnam(owner).pw_uid, -1)
            done = subprocess.run(
                harness.command('rcptmap', 'check-postfix', '-c', workshop.configuration,
                                '--postconf', '/nowhere/postconf'), check=False, timeout=120,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                encoding='utf-8')
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == '__main__':
    if not os.path.exists('/usr/sbin/postconf'):
        print('SKIP: no /usr/sbin/postconf: install the package postfix')
        sys.exit(1 if os.environ.get('OPENRCPT_NO_SKIP') else harness.SKIPPED)
    harness.main('rcptmap')
