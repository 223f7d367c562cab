#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd behind a real Sendmail, seen from an SMTP client and from where the mail goes."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import private_sendmail
from daemon import Daemon
from private_mta import free_port
from private_sendmail import PrivateSendmail
from smtp_client import SmtpClient
from smtp_sink import SmtpSink

LONGEST = 'a' * 60 + '@' + '.'.join(['d' * 63, 'e' * 63, 'f' * 56, 'example'])    # 253 bytes
TABLE = '''\
alias.example            domain
second.example           domain
ann@alias.example        ann@dest.example
bob@alias.example        bob@dest.example
team@alias.example       ann@dest.example, bob@dest.example, carl@dest.example
nested@alias.example     team@alias.example, dora@dest.example
"q x"@alias.example      "t y"@dest.example
both@alias.example       Ann@dest.example, ANN@dest.example, bob@DEST.example
local@alias.example      info@local.example, ann@dest.example
long@alias.example       ann@dest.example, %s
longer@alias.example     ann@dest.example, a%s
crowd@alias.example      %s
umlaut@alias.example     jürgen@dest.example
gone@alias.example       discard:
shut@alias.example       error:5.2.1:550 Mailbox closed
later@alias.example      error:4.2.1:450 Come again
=+%s@alias.example       bob@dest.example
@second.example          @alias.example
keep@mailbox.example     keep@mailbox.example, archive@dest.example
''' % (LONGEST, LONGEST, ', '.join('u%d@dest.example' % number for number in range(1000)),
       '=' * 200)
UNKNOWN = ('550 5.1.1 <%s>... Recipient address rejected: '
           'User unknown in virtual alias table')
TEAM = ['<ann@dest.example>', '<bob@dest.example>', '<carl@dest.example>']
DAEMON = SENDMAIL = SINK = None


def setUpModule():          # pylint: disable=invalid-name
    """One Sendmail and one daemon for all tests; a second daemon is reached by TCP."""
    global DAEMON, SENDMAIL, SINK         # pylint: disable=global-statement
    SINK = SmtpSink()
    unittest.addModuleCleanup(SINK.close)
    settings = {'local_domains': ['local.example', private_sendmail.HOST]}
    DAEMON = Daemon(TABLE, settings).start()
    unittest.addModuleCleanup(DAEMON.close)
    port = free_port()
    by_tcp = Daemon(TABLE, {**settings, 'socket': 'inet:%d@127.0.0.1' % port})
    by_tcp.socket = ('127.0.0.1', port)
    unittest.addModuleCleanup(by_tcp.close)
    by_tcp.start()
    SENDMAIL = PrivateSendmail(SINK.port, {
        'main': 'S=local:%s, F=4, T=C:30s;S:10s;R:30s;E:5m' % DAEMON.socket,
        'tcp': 'S=inet:%d@127.0.0.1, F=4, T=C:30s;S:10s;R:30s;E:5m' % port,
    }, aliases='info: info@elsewhere.example\n')
    unittest.addModuleCleanup(SENDMAIL.close)
    SENDMAIL.start()


def delivered():
    """What came to the sink, once the queue is empty; the sink forgets it."""
    harness.wait_until(lambda: not SENDMAIL.queue(), 'all mail is delivered')
    messages = list(SINK.messages)
    SINK.clear()
    return messages


def paths(messages):
    return sorted(path for message in messages for path, _ in message.recipients)


def send(recipients, port='main', **options):
    """Replies, and the messages that were delivered."""
    with SmtpClient(SENDMAIL.where(port)) as client:
        sent = client.message(recipients, **options)
        after = client.command('NOOP')
    # A Sendmail that doesn't like what a milter adds writes a line of its debugger to the client.
    if not (sent.data[:3].isdigit() and after.startswith('250 2.0.0 OK')):
        raise AssertionError('the SMTP session is out of step: %r, %r' % (sent.data, after))
    return sent, delivered()


def reached(recipients, **options):
    """Who got the message."""
    return paths(send(recipients, **options)[1])


class Refusal(unittest.TestCase):
    def test_unknown_user_gets_the_exact_reply(self):
        sent, messages = send(['nobody@alias.example'])
        self.assertEqual(sent.recipients, [UNKNOWN % 'nobody@alias.example'])
        self.assertEqual((sent.data.code, messages), (503, []))

    def test_only_the_unknown_ones_are_refused(self):
        sent, messages = send(['nobody@alias.example', 'ann@alias.example', 'x@far.example',
                               'nobody@second.example', 'bob@alias.example'])
        self.assertEqual([reply.code for reply in sent.recipients], [550, 250, 250, 550, 250])
        self.assertEqual(paths(messages),
                         ['<ann@dest.example>', '<bob@dest.example>', '<x@far.example>'])

    def test_all_refused(self):
        sent, messages = send(['nobody@alias.example', 'no@second.example', 'x%y@alias.example'])
        self.assertEqual([reply.code for reply in sent.recipients], [550, 550, 550])
        self.assertEqual((sent.data.code, messages), (503, []))

    def test_the_reply_of_an_entry(self):
        sent, messages = send(['shut@alias.example', 'later@alias.example'])
        self.assertEqual([reply.status for reply in sent.recipients], ['550 5.2.1', '450 4.2.1'])
        self.assertIn('<shut@alias.example>... Recipient address rejected: Mailbox closed',
                      sent.recipients[0])
        self.assertEqual(messages, [])

    def test_a_percent_sign_is_shown_as_it_is(self):
        sent, _ = send(['100%d%s%n%x@alias.example'])
        self.assertEqual(sent.recipients[0],
                         '550 5.1.3 <100%d%s%n%x@alias.example>... Recipient address rejected: '
                         'Sender-specified routing is not allowed')

    def test_the_configured_text(self):
        settings = {'local_domains': ['local.example'], 'unknown': {
            'reply': '550 5.1.6', 'text': '100% unknown, %s%n gone'}}
        with Daemon(TABLE, settings) as daemon, PrivateSendmail(
                SINK.port, {'main': 'S=local:%s, F=4' % daemon.socket}) as sendmail:
            with SmtpClient(sendmail.where()) as client:
                reply = client.message(['nobody@alias.example']).recipients[0]
        self.assertEqual(reply, '550 5.1.6 <nobody@alias.example>... Recipient address rejected: '
                                '100% unknown, %s%n gone')

    def test_the_session_goes_on_after_a_refusal(self):
        with SmtpClient(SENDMAIL.where()) as client:
            for name in ('ann', 'bob'):
                client.mail()
                self.assertEqual(client.rcpt('nobody@alias.example').code, 550)
                self.assertEqual(client.rcpt('%s@alias.example' % name).code, 250)
                self.assertEqual(client.data().code, 250)
                self.assertEqual(paths(delivered()), ['<%s@dest.example>' % name])


class Rewriting(unittest.TestCase):
    def test_one_to_many(self):
        self.assertEqual(reached(['team@alias.example']), TEAM)

    def test_aliases_of_aliases(self):
        self.assertEqual(reached(['nested@second.example']), sorted(TEAM + ['<dora@dest.example>']))

    def test_a_target_reached_twice_is_there_once(self):
        self.assertEqual(reached(['team@alias.example', 'ann@alias.example', 'ann@dest.example',
                                  'TEAM@alias.example', 'team@alias.example']), TEAM)
        # Sendmail would only see that equal spellings are the same.
        self.assertEqual(reached(['both@alias.example']),
                         ['<Ann@dest.example>', '<bob@dest.example>'])
        self.assertEqual(reached(['ann@alias.example', 'ANN@dest.example']), ['<ANN@dest.example>'])

    def test_an_alias_that_contains_itself(self):
        for recipient in ('keep@mailbox.example', 'KEEP@Mailbox.Example',
                          '<@r.example:keep@mailbox.example>', '"keep"@mailbox.example'):
            with self.subTest(recipient):
                found = [path.casefold().replace('"', '') for path in reached([recipient])]
                self.assertEqual(sorted(found), ['<archive@dest.example>', '<keep@mailbox.example>'])

    def test_the_clients_case_deletes(self):
        """Sendmail compares local part and domain exactly."""
        for recipient in ('ANN@alias.example', 'ann@ALIAS.example', 'AnN@aLias.eXample'):
            with self.subTest(recipient):
                self.assertEqual(reached([recipient]), ['<ann@dest.example>'])
        self.assertEqual(reached(['ann@alias.example', 'ANN@alias.example', 'Ann@Alias.Example']),
                         ['<ann@dest.example>'])

    def test_quoted_local_part(self):
        for recipient in ('"q x"@alias.example', '"q\\ x"@alias.example', 'q\\ x@alias.example',
                          '"Q X"@alias.example'):
            with self.subTest(recipient):
                self.assertEqual(reached([recipient]), ['<"t y"@dest.example>'])

    def test_extension(self):
        self.assertEqual(reached(['ann+list@alias.example']), ['<ann+list@dest.example>'])

    def test_foreign_recipients_are_left_alone(self):
        self.assertEqual(reached(['Some.One@Far.example', 'ann@alias.example']),
                         ['<Some.One@Far.example>', '<ann@dest.example>'])

    def test_a_local_target_runs_through_aliases(self):
        self.assertEqual(reached(['local@alias.example']),
                         ['<ann@dest.example>', '<info@elsewhere.example>'])

    def test_a_hundred_recipients(self):
        recipients = ['ann+%d@alias.example' % number for number in range(100)]
        self.assertEqual(reached(recipients),
                         sorted('<ann+%d@dest.example>' % number for number in range(100)))

    def test_a_thousand_targets(self):
        self.assertEqual(reached(['crowd@alias.example']),
                         sorted('<u%d@dest.example>' % number for number in range(1000)))

    def test_recipients_to_be_dropped(self):
        sent, messages = send(['gone@alias.example'])
        self.assertEqual((sent.recipients[0].code, sent.data.code, messages), (250, 250, []))
        self.assertEqual(reached(['gone@alias.example', 'ann@alias.example']),
                         ['<ann@dest.example>'])

    def test_a_target_beyond_ascii_is_never_sent(self):
        sent, messages = send(['umlaut@alias.example', 'bob@alias.example'])
        self.assertEqual([reply.status for reply in sent.recipients], ['550 5.6.7', '250 2.1.5'])
        self.assertEqual(paths(messages), ['<bob@dest.example>'])
        with SmtpClient(SENDMAIL.where()) as client:
            self.assertEqual(client.mail(parameters='SMTPUTF8').code, 555)

    def test_a_target_too_long_for_sendmail(self):
        """Sendmail leaves out what is longer, and the mail would be lost for it."""
        self.assertEqual(reached(['long@alias.example']),
                         sorted(['<ann@dest.example>', '<%s>' % LONGEST]))
        sent, messages = send(['longer@alias.example', 'bob@alias.example'])
        self.assertEqual([reply.code for reply in sent.recipients], [451, 250])
        self.assertEqual(paths(messages), ['<bob@dest.example>'])

    def test_the_null_sender(self):
        sent, messages = send(['team@alias.example', 'nobody@alias.example'], sender='<>')
        self.assertEqual([reply.code for reply in sent.recipients], [250, 550])
        self.assertEqual([message.sender[0] for message in messages], ['<>'])
        self.assertEqual(paths(messages), TEAM)


class ClientForms(unittest.TestCase):
    """Every odd spelling means what its plain form means, or is refused; none slips through."""

    ANN = ('<ann@alias.example>', '<ANN@alias.Example>', 'ann@alias.example',
           '< ann@alias.example >', '<ann @alias.example>', '<ann@alias.example.>',
           '<(c)ann@alias.example>', '<ann(c)@alias.example>', '<"ann"@alias.example>',
           '<"a\\nn"@alias.example>', '<@r.example:ann@alias.example>',
           '<@r.example,@q.example:Ann@alias.example>', '<@local.example:ann@alias.example>',
           '<@alias.example:ann@alias.example>')
    ROUTED = ('<ann%alias.example@local.example>', '<alias.example!ann@local.example>',
              '<ann%alias.example@mx.test.example>', '<ann%alias.example>', '<alias.example!ann>',
              '<ann%far.example@alias.example>', '<"ann@far.example"@alias.example>',
              '<@r.example:ann%alias.example@local.example>')
    UNKNOWN = ('<|/bin/sh@alias.example>', '<:include:/etc/passwd@alias.example>',
               '<$1@alias.example>', '<änn@alias.example>', '<postmaster@alias.example>',
               '<.ann@alias.example>', '<%s@alias.example>' % ('x' * 200))

    def send_raw(self, recipient):
        """Unlike send() this adds no brackets."""
        with SmtpClient(SENDMAIL.where()) as client:
            client.mail()
            reply = client.command('RCPT TO:' + recipient)
            last = client.data() if reply.is_accepted else reply
        return last, paths(delivered())

    def test_spellings_of_one_address(self):
        for recipient in self.ANN:
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient)
                self.assertEqual(found, ['<ann@dest.example>'], reply)

    def test_spellings_in_one_message(self):
        with SmtpClient(SENDMAIL.where()) as client:
            client.mail()
            for recipient in self.ANN:
                self.assertEqual(client.command('RCPT TO:' + recipient).code, 250)
            self.assertEqual(client.data().code, 250)
        self.assertEqual(paths(delivered()), ['<ann@dest.example>'])

    def test_spellings_of_one_unknown_address(self):
        for recipient in self.ANN:
            for old, new in (('ann@', 'zoe@'), ('ANN', 'ZOE'), ('Ann', 'Zoe'), ('ann(', 'zoe('),
                             ('ann"', 'zoe"'), ('ann ', 'zoe '), ('a\\nn', 'z\\oe')):
                recipient = recipient.replace(old, new)
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient)
                self.assertEqual((reply.status, found), ('550 5.1.1', []))

    def test_sender_specified_routing(self):
        """Sendmail would follow it out of class w, behind our back."""
        for recipient in self.ROUTED:
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient)
                self.assertEqual((reply.status, found), ('550 5.1.3', []))

    def test_what_only_looks_dangerous_is_unknown(self):
        for recipient in self.UNKNOWN:
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient)
                self.assertEqual((reply.status, found), ('550 5.1.1', []))

    def test_what_sendmail_refuses_itself(self):
        for recipient in ('<>', '<@alias.example>', '<ann@far.example@alias.example>',
                          '<100%@alias.example>', '<%s@alias.example>' % ('x' * 500)):
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient)
                self.assertEqual((reply.code, found), (553, []))


class Sessions(unittest.TestCase):
    def test_recipients_of_an_aborted_message_are_forgotten(self):
        with SmtpClient(SENDMAIL.where()) as client:
            for interruption in ('RSET', 'EHLO again.example', 'HELO again.example'):
                client.mail()
                self.assertEqual(client.rcpt('team@alias.example').code, 250)
                self.assertEqual(client.command(interruption).code, 250)
                client.mail()
                client.rcpt('bob@alias.example')
                self.assertEqual(client.data().code, 250)
                self.assertEqual(paths(delivered()), ['<bob@dest.example>'], interruption)

    def test_a_client_that_vanishes(self):
        client = SmtpClient(SENDMAIL.where())
        client.mail()
        client.rcpt('team@alias.example')
        client.close()
        self.assertEqual(reached(['bob@alias.example']), ['<bob@dest.example>'])

    def test_the_same_message_many_times_in_one_session(self):
        with SmtpClient(SENDMAIL.where()) as client:
            for _ in range(10):
                sent = client.message(['team@alias.example', 'nobody@alias.example'])
                self.assertEqual(sent.data.code, 250)
        self.assertEqual(paths(delivered()), sorted(TEAM * 10))

    def test_commands_in_one_packet(self):
        with SmtpClient(SENDMAIL.where()) as client:
            client.send(b'MAIL FROM:<s@client.example>\r\nRCPT TO:<ann@alias.example>\r\n'
                        b'RCPT TO:<nobody@alias.example>\r\nRCPT TO:<bob@alias.example>\r\n'
                        b'DATA\r\n')
            codes = [client.reply().code for _ in range(5)]
            self.assertEqual(codes, [250, 250, 550, 250, 354])
            self.assertEqual(client.text().code, 250)
        self.assertEqual(paths(delivered()), ['<ann@dest.example>', '<bob@dest.example>'])

    def test_by_tcp(self):
        sent, messages = send(['team@alias.example', 'nobody@alias.example', 'x@far.example'],
                              port='tcp')
        self.assertEqual(sent.recipients[1], UNKNOWN % 'nobody@alias.example')
        self.assertEqual(paths(messages), TEAM + ['<x@far.example>'])


class DeliveryStatus(unittest.TestCase):
    """NOTIFY and ORCPT come to the next hop."""

    def parameters(self, recipient):
        """Those of the recipients, all the same, as a sorted list."""
        sent, messages = send([recipient])
        self.assertEqual(sent.recipients[0].code, 250)
        found = {parameters for message in messages for _, parameters in message.recipients}
        self.assertEqual(len(found), 1, messages)
        return sorted(found.pop().split())

    def test_orcpt_of_the_client_is_kept(self):
        for value in ('rfc822;First+2Bone@client.example', 'X-odd;a(b)c', 'utf-8;j+C3+BCrgen@y',
                      'utf-8;j\\x{FC}rgen@y', 'rfc822;' + 'x' * 1500):
            with self.subTest(value):
                self.assertEqual(self.parameters('<team@alias.example> ORCPT=' + value),
                                 ['ORCPT=' + value])

    def test_orcpt_is_made_of_the_original(self):
        for recipient, orcpt in (('Team@Alias.example', 'Team@Alias.example'),
                                 ('"q x"@alias.example', '"q+20x"@alias.example'),
                                 ('ann+x=y@alias.example', 'ann+2Bx+3Dy@alias.example'),
                                 ('@r.example:team@alias.example',
                                  '@r.example:team@alias.example')):
            with self.subTest(recipient):
                self.assertEqual(self.parameters('<%s> NOTIFY=FAILURE' % recipient),
                                 ['NOTIFY=FAILURE', 'ORCPT=rfc822;' + orcpt])

    def test_a_client_that_asks_for_nothing_gets_nothing(self):
        self.assertEqual(self.parameters('team@alias.example'), [])

    def test_a_sendmail_without_dsn(self):
        """It would drop a recipient with parameters, and tell nobody."""
        with PrivateSendmail(
                SINK.port, {'main': 'S=local:%s, F=4' % DAEMON.socket},
                lines="define(`confPRIVACY_FLAGS', `noreceipts')dnl") as sendmail:
            with SmtpClient(sendmail.where()) as client:
                self.assertNotIn('DSN', client.greeting)
                sent = client.message(['team@alias.example'])
                refused = client.message(['<team@alias.example> NOTIFY=FAILURE'])
            self.assertEqual((sent.data.code, refused.recipients[0].code), (250, 504))
            harness.wait_until(lambda: not sendmail.queue(), 'all mail is delivered')
        self.assertEqual(paths(delivered()), TEAM)

    def test_the_longest_orcpt(self):
        found = self.parameters('<=+%s@alias.example> NOTIFY=FAILURE,DELAY' % ('=' * 200))
        self.assertEqual(found, ['NOTIFY=FAILURE,DELAY',
                                 'ORCPT=rfc822;+3D+2B' + '+3D' * 200 + '@alias.example'])

    def test_notify(self):
        for given, wanted in (('NEVER', 'NEVER'), ('FAILURE', 'FAILURE'), ('DELAY', 'DELAY'),
                              ('failure,Delay', 'FAILURE,DELAY'), ('SUCCESS', 'NEVER'),
                              ('SUCCESS,FAILURE', 'FAILURE')):
            with self.subTest(given):
                self.assertEqual(self.parameters('<team@alias.example> NOTIFY=' + given),
                                 ['NOTIFY=' + wanted, 'ORCPT=rfc822;team@alias.example'])

    def test_success_is_passed_on_to_an_only_target(self):
        self.assertIn('NOTIFY=SUCCESS,FAILURE',
                      self.parameters('<ann@alias.example> NOTIFY=SUCCESS,FAILURE'))

    def test_each_recipient_has_its_own(self):
        _, messages = send([
            '<ann@alias.example> NOTIFY=FAILURE ORCPT=rfc822;one@client.example',
            '<bob+x@second.example> NOTIFY=NEVER ORCPT=rfc822;two@client.example',
            '<far@far.example> NOTIFY=DELAY ORCPT=rfc822;three@client.example'])
        self.assertEqual(sorted(one for message in messages for one in message.recipients), [
            ('<ann@dest.example>', 'NOTIFY=FAILURE ORCPT=rfc822;one@client.example'),
            ('<bob+x@dest.example>', 'NOTIFY=NEVER ORCPT=rfc822;two@client.example'),
            ('<far@far.example>', 'NOTIFY=DELAY ORCPT=rfc822;three@client.example')])

    def test_nothing_invalid_gets_into_an_edit(self):
        """What Sendmail lets through of the client's parameters it may still refuse of a milter:
        then it drops the recipient. So everybody has to get the message, or the client a 5xx."""
        for parameter in ('ORCPT=rfc822;', 'ORCPT=;x', 'ORCPT=x', 'ORCPT=rfc822;a+zz',
                          'ORCPT=rfc822;a+2b', 'ORCPT=rfc822;a+', 'ORCPT=rfc822;a=b', 'ORCPT=',
                          'ORCPT', 'ORCPT=r c;a', 'ORCPT=a;b;c', 'ORCPT=rfc822;ä', 'ORCPT=ä;x',
                          'ORCPT=utf-8;\\x{', 'ORCPT=utf-8;\\x{110000}', 'ORCPT=utf-8;ü',
                          'ORCPT=rfc822;a ORCPT=rfc822;b', 'NOTIFY=', 'NOTIFY', 'NOTIFY=,',
                          'NOTIFY=NEVER,FAILURE', 'NOTIFY=FAILURE,', 'NOTIFY=,FAILURE',
                          'NOTIFY=FAILURE,FAILURE', 'NOTIFY=FAILURE NOTIFY=DELAY', 'NOTIFY=X',
                          'FOO=bar', 'FOO', 'ORCPT=rfc822;a\tNOTIFY=NEVER',
                          'ORCPT=rfc822;' + '+41' * 600):
            with self.subTest(parameter):
                sent, messages = send(['<team@alias.example> ' + parameter])
                if sent.recipients[0].is_accepted:
                    self.assertEqual((sent.data.code, paths(messages)), (250, TEAM))
                else:
                    self.assertEqual((sent.recipients[0].code // 100, messages), (5, []))

    def test_ret_and_envid_stay(self):
        _, messages = send(['ann@alias.example'], parameters='RET=HDRS ENVID=QQ314')
        self.assertIn('RET=HDRS', messages[0].sender[1])
        self.assertIn('ENVID=QQ314', messages[0].sender[1])

    def test_a_bounce_names_the_original(self):
        SINK.refuse['<carl@dest.example>'] = '550 5.1.1 no such user'
        try:
            _, messages = send(['<team@alias.example> ORCPT=rfc822;First@client.example'])
        finally:
            SINK.refuse.clear()
        bounces = [message for message in messages if message.sender[0] == '<>']
        self.assertEqual(paths(bounces), ['<sender@client.example>'])
        self.assertIn('Original-Recipient: rfc822;First@client.example', bounces[0].text)
        self.assertEqual(paths(messages),
                         ['<ann@dest.example>', '<bob@dest.example>', '<sender@client.example>'])


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'sendmail')
