#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real Sendmail set up as in conf/sendmail.mc.example: mail that doesn't come by SMTP, mail that
other tables send into an alias domain, and a daemon that is away."""
import os
import pathlib
import pwd
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import milter_client
import private_sendmail
from daemon import Daemon
from private_sendmail import PrivateSendmail
from smtp_client import Closed, SmtpClient
from smtp_sink import SmtpSink

TABLE = '''\
alias.example            domain
ann@alias.example        ann@dest.example
team@alias.example       ann@dest.example, bob@dest.example
vain@alias.example       nosuchuser@local.example
refused@alias.example    x@refused.example, ann@dest.example
'''
ALIASES = '''\
staff: team@alias.example, far@far.example
ghost: nobody@alias.example, far@far.example
'''
TEAM = ['<ann@dest.example>', '<bob@dest.example>']
EXAMPLE = harness.SOURCE / 'conf' / 'sendmail.mc.example'
TABLES = {
    'mailertable': 'alias.example\trelay:[127.0.0.1]\nrefused.example\terror:nouser\n',
    'virtusertable': 'info@virtual.example\tteam@alias.example\n',
}
# The tables as text, and what goes to port 25 on a real system comes to the port `main`.
LINES = '''\
define(`RELAY_MAILER_ARGS', `TCP $h {ports[main]}')dnl
FEATURE(`virtusertable', `text -v1 {folder}/virtusertable')dnl
VIRTUSER_DOMAIN(`virtual.example')dnl
RELAY_DOMAIN(`virtual.example')dnl
'''
STRANGER = ('127.0.0.2', 0)            # a client that Sendmail doesn't take for itself
TIMES = 'T=C:30s;S:10s;R:30s;E:5m'
DAEMON = SENDMAIL = SINK = None


def example_lines(socket):
    """conf/sendmail.mc.example for our own domain, socket and files."""
    text = EXAMPLE.read_text(encoding='utf-8')
    for old, new in (('/run/openrcpt/milter.sock', str(socket)), ('example.com', 'alias.example'),
                     ("`mailertable')", "`mailertable', `text -v1 {folder}/mailertable')")):
        assert old in text, old
        text = text.replace(old, new)
    return LINES + text


def setUpModule():          # pylint: disable=invalid-name
    """One Sendmail for all tests. The daemon knows nothing of class w here."""
    global DAEMON, SENDMAIL, SINK         # pylint: disable=global-statement
    SINK = SmtpSink()
    unittest.addModuleCleanup(SINK.close)
    DAEMON = Daemon(TABLE)
    unittest.addModuleCleanup(DAEMON.close)
    socket = 'S=local:%s, ' % DAEMON.socket
    SENDMAIL = PrivateSendmail(
        SINK.port, {'main': '', 'plain': None, 'temporary': socket + 'F=T, ' + TIMES,
                    'hasty': socket + 'F=4, T=C:2s;S:1s;R:1s;E:2s', 'careless': socket + TIMES},
        domains=(), lines=example_lines(DAEMON.socket), aliases=ALIASES)
    unittest.addModuleCleanup(SENDMAIL.close)
    for name, text in TABLES.items():
        SENDMAIL.write(name, text)
    SENDMAIL.start()


def delivered():
    """What came to the sink, once the queue is empty; the sink forgets it."""
    harness.wait_until(lambda: not SENDMAIL.queue(), 'all mail is delivered')
    messages = list(SINK.messages)
    SINK.clear()
    return messages


def paths(messages):
    return sorted(path for message in messages for path, _ in message.recipients)


def bounces(messages):
    return [message for message in messages if message.sender[0] == '<>']


def kill_daemon():
    """Its worker may answer for a moment yet."""
    def is_dead():
        try:
            milter_client.connect(DAEMON.socket).close()
        except OSError:
            return True
        return False
    DAEMON.kill()
    harness.wait_until(is_dead, 'openrcptd is dead')


class TestCase(unittest.TestCase):
    def setUp(self):
        DAEMON.start()
        self.addCleanup(kill_daemon)
        SINK.clear()

    def send(self, recipients, port='main', **options):
        with SmtpClient(SENDMAIL.where(port)) as client:
            return client.message(recipients, **options)

    def assert_reached(self, wanted):
        self.assertEqual(paths(delivered()), sorted(wanted))

    def assert_bounced(self, messages, address):
        """To the sender, as an unknown user."""
        found = bounces(messages)
        self.assertEqual(paths(found), ['<sender@client.example>'])
        self.assertIn('Final-Recipient: RFC822; ' + address, found[0].text)
        self.assertIn('Status: 5.1.1', found[0].text)


class TheRecipe(TestCase):
    def test_smtp(self):
        sent = self.send(['team@alias.example', 'nobody@alias.example', 'x@far.example'])
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550, 250])
        self.assert_reached(TEAM + ['<x@far.example>'])

    def test_a_stranger_reaches_the_alias_domain_and_nothing_else(self):
        with SmtpClient(SENDMAIL.where(), source=STRANGER) as client:
            sent = client.message(['x@other.example', 'team@alias.example', 'nobody@alias.example',
                                   'ann%other.example@alias.example'])
        self.assertEqual([reply.status for reply in sent.recipients],
                         ['550 5.7.1', '250 2.1.5', '550 5.1.1', '550 5.7.1'])
        self.assert_reached(TEAM)

    def test_a_local_target_that_does_not_exist(self):
        self.send(['<vain@alias.example> NOTIFY=FAILURE'])
        messages = delivered()
        self.assert_bounced(messages, 'nosuchuser@local.example')
        self.assertIn('Original-Recipient: rfc822;vain@alias.example', messages[0].text)

    def test_a_target_that_sendmails_own_tables_refuse(self):
        self.assertEqual(self.send(['refused@alias.example']).data.code, 250)
        messages = delivered()
        self.assertEqual(paths(messages), ['<ann@dest.example>', '<sender@client.example>'])
        self.assertIn('Final-Recipient: RFC822; x@refused.example', bounces(messages)[0].text)

    def test_the_same_for_a_client_that_asks_for_reports(self):
        """Sendmail drops it, behind our back, and is out of step with the client: the guide warns.
        Once this fails, the guide can do without."""
        sent = self.send(['<refused@alias.example> NOTIFY=FAILURE'])
        self.assertFalse(sent.data.startswith('250'))
        self.assert_reached(['<ann@dest.example>'])


class SafetyNet(TestCase):
    """What meets no milter goes back through SMTP."""

    def test_aliases_that_lead_to_us(self):
        self.assertEqual(self.send(['staff@localhost']).data.code, 250)
        self.assert_reached(TEAM + ['<far@far.example>'])

    def test_aliases_that_lead_to_nobody(self):
        self.assertEqual(self.send(['ghost@localhost']).data.code, 250)
        messages = delivered()
        self.assertIn('<far@far.example>', paths(messages))
        self.assert_bounced(messages, 'ghost@localhost')

    def test_virtusertable_that_leads_to_us(self):
        self.assertEqual(self.send(['info@virtual.example']).data.code, 250)
        self.assert_reached(TEAM)

    def test_dsn_parameters_on_the_way(self):
        self.send(['<info@virtual.example> NOTIFY=FAILURE ORCPT=rfc822;First@client.example'])
        found = [one for message in delivered() for one in message.recipients]
        self.assertEqual({parameters for _, parameters in found},
                         {'NOTIFY=FAILURE ORCPT=rfc822;First@client.example'})
        self.assertEqual(len(found), 2)

    def test_a_port_without_milter(self):
        self.assertEqual(self.send(['team@alias.example'], port='plain').data.code, 250)
        self.assert_reached(TEAM)

    def test_routing_out_of_class_w(self):
        for recipient in ('ann%alias.example@localhost', 'alias.example!ann@localhost'):
            self.assertEqual(self.send([recipient]).data.code, 250)
            self.assert_reached(['<ann@dest.example>'])

    def test_a_bounce_to_an_alias(self):
        SINK.refuse['<gone@far.example>'] = '550 5.1.1 no such user'
        self.addCleanup(SINK.refuse.clear)
        self.assertEqual(self.send(['gone@far.example'], sender='team@alias.example').data.code, 250)
        self.assertEqual(paths(bounces(delivered())), TEAM)


class Submission(TestCase):
    """sendmail(1): aliases are rewritten, unknown users are bounced to the sender, nothing is lost."""

    def submit(self, *arguments, text='Subject: test\n\nHello.\n'):
        return SENDMAIL.run('-f', 'sender@client.example', *arguments, text=text)[0]

    def test_recipients_as_arguments(self):
        self.assertEqual(self.submit('team@alias.example', 'x@far.example'), 0)
        self.assert_reached(TEAM + ['<x@far.example>'])

    def test_recipients_in_the_header(self):
        self.submit('-t', text='To: team@alias.example, nobody@alias.example\nCc: x@far.example\n'
                               'Subject: test\n\nHello.\n')
        messages = delivered()
        self.assertEqual(paths(messages), sorted(TEAM + ['<x@far.example>',
                                                         '<sender@client.example>']))
        self.assert_bounced(messages, 'nobody@alias.example')

    def test_smtp_on_standard_input(self):
        replies = SENDMAIL.converse(
            'EHLO x', 'MAIL FROM:<sender@client.example>', 'RCPT TO:<TEAM@alias.example>',
            'RCPT TO:<nobody@alias.example>', 'DATA', 'Subject: x\r\n\r\nHello.\r\n.', 'QUIT')
        self.assertEqual([reply[:3] for reply in replies],
                         ['220', '250', '250', '250', '550', '354', '250', '221'])
        self.assert_reached(TEAM)

    def test_by_the_submission_program(self):
        """Its own queue and submit.cf, and SMTP from there on."""
        queue = SENDMAIL.folder / 'msp'
        queue.mkdir(mode=0o700)
        user = os.geteuid()
        if user == 0:
            user = pwd.getpwnam('nobody').pw_uid
            os.chown(queue, user, -1)
        cf = SENDMAIL.software.make_cf('\n'.join((
            "OSTYPE(`linux')dnl", "define(`MSP_QUEUE_DIR', `%s')dnl" % queue,
            "define(`confDONT_PROBE_INTERFACES', `True')dnl",
            "define(`confHOSTS_FILE', `%s')dnl" % (SENDMAIL.folder / 'hosts'),
            "define(`confSERVICE_SWITCH_FILE', `%s')dnl" % (SENDMAIL.folder / 'switch'),
            "define(`confRUN_AS_USER', `%s')dnl" % user,
            "define(`confTRUSTED_USER', `%s')dnl" % user,
            "define(`STATUS_FILE', `/dev/null')dnl",
            "define(`confPID_FILE', `/dev/null')dnl",
            "define(`RELAY_MAILER_ARGS', `TCP $h %d')dnl" % SENDMAIL.ports['main'],
            "FEATURE(`msp', `[127.0.0.1]')dnl", '')), SENDMAIL.folder / 'submit.cf')
        status, _, errors = SENDMAIL.software.run(
            cf, '-Ac', '-f', 'sender@client.example', 'team@alias.example', 'nobody@alias.example',
            'x@far.example', text='Subject: test\n\nHello.\n')
        harness.wait_until(lambda: not list(queue.glob('qf*')), 'the submission queue is empty')
        messages = delivered()
        self.assertEqual(paths(messages), sorted(TEAM + ['<x@far.example>',
                                                         '<sender@client.example>']))
        self.assert_bounced(messages, 'nobody@alias.example')
        self.assertEqual(status, os.EX_NOUSER, errors)

    def test_nothing_is_lost_while_the_daemon_is_away(self):
        DAEMON.stop()
        self.submit('team@alias.example')
        self.assertEqual((len(SENDMAIL.queue()), SINK.messages), (1, []))
        DAEMON.start()
        SENDMAIL.run('-q')
        self.assert_reached(TEAM)


class Outage(TestCase):
    def after_the_death(self, port):
        """A session whose milter dies between two recipients; what the client hears then."""
        replies = []
        with SmtpClient(SENDMAIL.where(port)) as client:
            client.mail()
            self.assertEqual(client.rcpt('ann@alias.example').code, 250)
            kill_daemon()
            try:
                for step in (lambda: client.rcpt('team@alias.example'), client.data,
                             lambda: client.command('RSET'), client.mail):
                    replies.append(step())
            except (OSError, Closed):
                pass
        return replies

    def test_f_4_while_the_daemon_is_away(self):
        DAEMON.stop()
        with SmtpClient(SENDMAIL.where('main')) as client:
            self.assertEqual(client.banner.code, 421)

    def test_f_4_when_the_daemon_dies(self):
        replies = self.after_the_death('main')
        self.assertEqual([reply.code for reply in replies], [421])
        self.assert_reached([])

    def test_f_4_when_the_daemon_hangs(self):
        """The time limits of T= count: R for each answer."""
        for pid in DAEMON.workers():
            os.kill(pid, signal.SIGSTOP)
        with SmtpClient(SENDMAIL.where('hasty')) as client:
            self.assertEqual(client.banner.code, 421)

    def test_f_t_while_the_daemon_is_away(self):
        DAEMON.stop()
        with SmtpClient(SENDMAIL.where('temporary')) as client:
            self.assertEqual(client.mail(), '451 4.3.2 Please try again later')
            DAEMON.start()
            self.assertEqual(client.mail(), '451 4.3.2 Please try again later')
        self.assertEqual(self.send(['team@alias.example'], port='temporary').data.code, 250)
        self.assert_reached(TEAM)

    def test_f_t_when_the_daemon_dies(self):
        replies = self.after_the_death('temporary')
        self.assertEqual(replies[0], '451 4.3.2 Please try again later')
        self.assertEqual(replies[-1], '451 4.3.2 Please try again later')
        self.assertFalse(replies[1].is_accepted, replies)
        self.assert_reached([])

    def test_without_f_it_goes_round_and_comes_back(self):
        """The guide says never to leave F= out: the milter is passed over without a word."""
        DAEMON.stop()
        self.assertEqual(self.send(['team@alias.example'], port='careless').data.code, 250)
        self.assertEqual((len(SENDMAIL.queue()), SINK.messages), (1, []))
        DAEMON.start()
        SENDMAIL.run('-q')
        self.assert_reached(TEAM)

    def test_all_works_again_afterwards(self):
        kill_daemon()
        with SmtpClient(SENDMAIL.where('main')) as client:
            self.assertEqual(client.banner.code, 421)
        DAEMON.start()
        self.assertEqual(self.send(['team@alias.example']).data.code, 250)
        self.assert_reached(TEAM)


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'sendmail')
