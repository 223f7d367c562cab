#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd behind a real Postfix, seen from an SMTP client and in Postfix's queue."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import addresses
import harness
import private_postfix
from daemon import Daemon
from private_postfix import PrivatePostfix
from smtp_client import SmtpClient

TABLE = '''\
alias.example            domain
second.example           domain
ann@alias.example        ann@dest.example
bob@alias.example        bob@dest.example
team@alias.example       ann@dest.example, bob@dest.example, carl@dest.example
nested@alias.example     team@alias.example, dora@dest.example
"q x"@alias.example      "t y"@dest.example
@second.example          @alias.example
keep@free.example        keep@free.example, archive@dest.example
postmaster@alias.example pm@dest.example
'''
UNKNOWN = '550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual alias table'
DOMAINS = ['alias.example', 'second.example']
# In pcre tables `i` makes a pattern tell upper from lower case.
CASE_RULES = r'''
/^Ann@free\.example$/i    upper@dest.example
/^Ann@alias\.example$/i   upper@dest.example
/^ann@alias\.example$/i   lower@dest.example
'''
CASE_DAEMON = CASE = DAEMON = NATIVE = POSTFIX = THROUGH = None


def setUpModule():          # pylint: disable=invalid-name
    """One Postfix and one daemon for all tests: tenants behind the milter and without it."""
    # pylint: disable-next=global-statement
    global CASE_DAEMON, CASE, DAEMON, NATIVE, POSTFIX, THROUGH
    CASE_DAEMON = Daemon([('virtual', 'alias.example domain\n'), ('pcre', CASE_RULES)]).start()
    unittest.addModuleCleanup(CASE_DAEMON.close)
    DAEMON = Daemon(TABLE, {'local_domains': ['local.example']}).start()
    unittest.addModuleCleanup(DAEMON.close)
    POSTFIX = PrivatePostfix({
        **private_postfix.behind_milter(DOMAINS, DAEMON.socket), 'recipient_delimiter': '+',
        'non_smtpd_milters': private_postfix.milter_entry(DAEMON.socket)})
    unittest.addModuleCleanup(POSTFIX.close)
    native = {'virtual_alias_maps': POSTFIX.add_table('virtual', TABLE), 'smtpd_milters': '',
              'virtual_alias_domains': ' '.join(DOMAINS), 'recipient_delimiter': '+'}
    NATIVE = POSTFIX.add_tenant('native', native)
    THROUGH = POSTFIX.add_tenant('untrusted', {
        **private_postfix.behind_milter(DOMAINS, DAEMON.socket), 'mynetworks': '192.0.2.0/24',
        'smtpd_recipient_restrictions': '',
        'smtpd_relay_restrictions': 'reject_unauth_destination'})
    CASE = POSTFIX.add_tenant('case', private_postfix.behind_milter(
        ['alias.example'], CASE_DAEMON.socket))
    POSTFIX.start()


def send(recipients, where=None, **options):
    """Replies, and the envelope in the queue (None if nothing was queued)."""
    with SmtpClient(where or POSTFIX.where) as client:
        sent = client.message(recipients, **options)
    return sent, envelope_of(sent.data)


def envelope_of(reply):
    return POSTFIX.take_held(reply.queue_id) if reply.queue_id else None


def queued(recipients, where=None, **options):
    """Who the message is queued for, in external form, sorted."""
    _, envelope = send(recipients, where, **options)
    return sorted(addresses.external(one.address) for one in envelope.recipients)


def queue_records(recipients, where=None, **options):
    """(recipient, ORCPT, NOTIFY), sorted."""
    _, envelope = send(recipients, where, **options)
    return sorted((one.address, one.orcpt, one.notify) for one in envelope.recipients)


class Refusal(unittest.TestCase):
    def test_unknown_user_gets_the_exact_reply(self):
        sent, envelope = send(['<nobody@alias.example>'])
        self.assertEqual(sent.recipients, [UNKNOWN % 'nobody@alias.example'])
        self.assertEqual(sent.data, '554 5.5.1 Error: no valid recipients')
        self.assertIsNone(envelope)

    def test_it_is_the_reply_of_native_aliasing(self):
        for recipient in ('nobody@alias.example', 'NoBody+x@ALIAS.example',
                          '"no body"@alias.example', '<@r.example:nobody@alias.example>', 'x=y@alias.example'):
            ours, theirs = send([recipient])[0], send([recipient], NATIVE.where)[0]
            self.assertEqual(ours.recipients, theirs.recipients)
            self.assertEqual(ours.recipients[0].code, 550)

    def test_only_the_unknown_ones_are_refused(self):
        sent, envelope = send(['nobody@alias.example', 'ann@alias.example', 'x@far.example',
                               'nobody@second.example', 'bob@alias.example'])
        self.assertEqual([reply.code for reply in sent.recipients], [550, 250, 250, 550, 250])
        self.assertEqual(sorted(one.address for one in envelope.recipients),
                         ['ann@dest.example', 'bob@dest.example', 'x@far.example'])

    def test_a_percent_sign_is_shown_as_it_is(self):
        sent, _ = send(['100%x@alias.example'])
        self.assertEqual(sent.recipients[0].code, 550)
        self.assertIn('<100%x@alias.example>', sent.recipients[0])

    def test_the_session_goes_on_after_a_refusal(self):
        with SmtpClient(POSTFIX.where) as client:
            client.mail()
            self.assertEqual(client.rcpt('nobody@alias.example').code, 550)
            self.assertEqual(client.rcpt('ann@alias.example').code, 250)
            first = client.data()
            client.mail()
            self.assertEqual(client.rcpt('nobody@alias.example').code, 550)
            self.assertEqual(client.rcpt('bob@alias.example').code, 250)
            second = client.data()
        for reply, wanted in ((first, 'ann@dest.example'), (second, 'bob@dest.example')):
            self.assertEqual([one.address for one in envelope_of(reply).recipients], [wanted])

    def test_recipients_of_an_aborted_message_are_forgotten(self):
        with SmtpClient(POSTFIX.where) as client:
            for interruption in ('RSET', 'EHLO again.example', 'HELO again.example'):
                client.mail()
                client.rcpt('team@alias.example')
                client.command(interruption)
            client.mail()
            client.rcpt('bob@alias.example')
            reply = client.data()
        self.assertEqual([one.address for one in envelope_of(reply).recipients],
                         ['bob@dest.example'])


class Rewriting(unittest.TestCase):
    def test_one_to_many(self):
        self.assertEqual(queued(['team@alias.example']),
                         ['ann@dest.example', 'bob@dest.example', 'carl@dest.example'])

    def test_aliases_of_aliases(self):
        self.assertEqual(queued(['nested@second.example']),
                         ['ann@dest.example', 'bob@dest.example', 'carl@dest.example',
                          'dora@dest.example'])

    def test_a_target_reached_twice_is_there_once(self):
        self.assertEqual(queued(['team@alias.example', 'ann@alias.example', 'ann@dest.example',
                                 'team@alias.example']),
                         ['ann@dest.example', 'bob@dest.example', 'carl@dest.example'])

    def test_an_alias_that_contains_itself(self):
        for recipient in ('keep@free.example', 'KEEP@Free.Example',
                          '<@r.example:keep@free.example>', '<"keep"@free.example.>'):
            with self.subTest(recipient):
                found = {one.casefold().rstrip('.') for one in queued([recipient])}
                self.assertEqual(found, {'archive@dest.example', 'keep@free.example'})

    def test_mixed_case(self):
        self.assertEqual(queued(['ANN@Alias.EXAMPLE']), ['ann@dest.example'])

    def test_source_route(self):
        self.assertEqual(queued(['<@a.example,@b.example:ann@alias.example>']),
                         ['ann@dest.example'])

    def test_quoted_local_part(self):
        for recipient in ('<"q x"@alias.example>', '<"q\\ x"@alias.example>',
                          '<q\\ x@alias.example>', '<"Q X"@alias.example>'):
            with self.subTest(recipient):
                self.assertEqual(queued([recipient]), ['"t y"@dest.example'])

    def test_extension(self):
        self.assertEqual(queued(['ann+list@alias.example']), ['ann+list@dest.example'])

    def test_foreign_recipients_are_left_alone(self):
        self.assertEqual(queued(['Some.One@Far.example', 'ann@alias.example']),
                         ['Some.One@Far.example', 'ann@dest.example'])

    def test_the_same_message_many_times_in_one_session(self):
        with SmtpClient(POSTFIX.where) as client:
            for _ in range(20):
                sent = client.message(['team@alias.example', 'nobody@alias.example'])
                self.assertEqual(len(envelope_of(sent.data).recipients), 3)

    def test_a_thousand_recipients(self):
        recipients = ['ann+%d@alias.example' % number for number in range(1000)]
        self.assertEqual(queued(recipients),
                         sorted('ann+%d@dest.example' % number for number in range(1000)))


class PatternsThatTellCase(unittest.TestCase):
    """Two recipients that differ in case only, and are not the same to a pattern."""

    def test_each_is_expanded(self):
        for order in (['Ann@alias.example', 'ann@alias.example'],
                      ['ann@alias.example', 'Ann@alias.example']):
            self.assertEqual(queued(order, CASE.where), ['lower@dest.example', 'upper@dest.example'])

    def test_neither_loses_its_mail_where_one_stays(self):
        """Postfix keeps one record for both: to delete it would lose the other's mail."""
        for order in (['Ann@free.example', 'ann@free.example'],
                      ['ann@free.example', 'Ann@free.example']):
            self.assertEqual(queued(order, CASE.where), [order[0], 'upper@dest.example'])

    def test_with_records_of_their_own_there_is_a_copy_more(self):
        found = queued(['<Ann@free.example> ORCPT=rfc822;one@x.example',
                        '<ann@free.example> ORCPT=rfc822;two@x.example'], CASE.where)
        self.assertEqual(found, ['Ann@free.example', 'ann@free.example', 'upper@dest.example'])


class ClientForms(unittest.TestCase):
    """Every odd spelling means what its plain form means, or is refused; none slips through."""

    ANN = ('<ann@alias.example>', '<ANN@alias.Example>', 'ann@alias.example',
           '< ann@alias.example >', '<ann @alias.example>', '<ann@alias .example>',
           '<ann@alias.example.>', '<(c)ann@alias.example>', '<ann(c)@alias.example>',
           '<ann@alias.example (c)>', '<"ann"@alias.example>', '<"a\\nn"@alias.example>',
           '<@r.example:ann@alias.example>', '<@r.example,@q.example:Ann@alias.example>')
    ROUTED = ('<ann%alias.example@local.example>', '<"ann@alias.example"@local.example>',
              '<alias.example!ann@local.example>', '<ann%alias.example>', '<alias.example!ann>',
              '<ann%far.example@alias.example>', '<ann@far.example@alias.example>',
              '<"ann@far.example"@alias.example>')
    REFUSED = ('<""@alias.example>', '<|/bin/sh@alias.example>', '<$1@alias.example>',
               '<:include:/etc/passwd@alias.example>', '<.ann@alias.example>',
               '<"ann\x01"@alias.example>', '<%s@alias.example>' % ('x' * 500))

    def send_raw(self, recipient, where=None):
        """Unlike send() this adds no brackets."""
        with SmtpClient(where or POSTFIX.where) as client:
            client.mail()
            reply = client.command('RCPT TO:' + recipient)
            last = client.data() if reply.is_accepted else reply
        envelope = envelope_of(last)
        return last, [one.address for one in envelope.recipients] if envelope else []

    def test_spellings_of_one_address(self):
        for recipient in self.ANN:
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient)
                self.assertEqual(found, ['ann@dest.example'], reply)

    def test_spellings_of_one_unknown_address(self):
        for recipient in self.ANN:
            recipient = recipient.replace('ann', 'zoe').replace('ANN', 'ZOE').replace('Ann', 'Zoe')
            with self.subTest(recipient):
                reply, _ = self.send_raw(recipient.replace('a\\nn', 'zo\\e'))
                self.assertEqual(reply.status, '550 5.1.1')

    def test_sender_specified_routing(self):
        for recipient in self.ROUTED:
            with self.subTest(recipient):
                reply, _ = self.send_raw(recipient)
                self.assertEqual(reply.status, '550 5.1.3')

    def test_from_an_untrusted_client_nothing_odd_gets_in(self):
        for recipient in self.ROUTED + self.REFUSED:
            with self.subTest(recipient):
                reply, found = self.send_raw(recipient, THROUGH.where)
                self.assertEqual((str(reply.code)[0], found), ('5', []), reply)

    def test_what_only_looks_dangerous_is_unknown(self):
        for recipient in self.REFUSED:
            with self.subTest(recipient):
                reply, _ = self.send_raw(recipient)
                self.assertEqual(reply.code, 550)

    def test_postmaster_without_a_domain(self):
        for recipient in ('<postmaster>', '<PostMaster>'):
            reply, found = self.send_raw(recipient)
            self.assertEqual([one.casefold() for one in found], ['postmaster@origin.example'],
                             reply)

    def test_without_smtputf8_letters_beyond_ascii_are_unknown(self):
        reply, _ = self.send_raw('<änn@alias.example>')
        self.assertEqual(reply.status, '550 5.1.1')


class DeliveryStatus(unittest.TestCase):
    """NOTIFY and ORCPT, as native aliasing leaves them in the queue."""

    def assert_like_native(self, recipients, **options):
        self.assertEqual(queue_records(recipients, **options),
                         queue_records(recipients, NATIVE.where, **options))

    def test_orcpt_of_the_client_is_kept(self):
        found = queue_records(['<team@alias.example> ORCPT=rfc822;First+2Bone@client.example'])
        self.assertEqual({orcpt for _, orcpt, _ in found}, {'rfc822;First+one@client.example'})
        self.assert_like_native(['<team@alias.example> ORCPT=rfc822;First+2Bone@client.example'])

    def test_orcpt_is_made_of_the_original(self):
        for recipient in ('<Team@Alias.example>', '<"q x"@alias.example>',
                          '<"q\\ x"@alias.example>', '<@r.example:team@alias.example>', '<team(c)@alias.example>',
                          '<ann+x=y@alias.example>'):
            with self.subTest(recipient):
                self.assert_like_native([recipient])

    def test_notify(self):
        for value in ('NEVER', 'FAILURE', 'DELAY', 'FAILURE,DELAY', 'SUCCESS,FAILURE',
                      'SUCCESS,DELAY,FAILURE', 'SUCCESS'):
            for parameter in ('NOTIFY=', 'notify='):
                with self.subTest(parameter + value):
                    self.assert_like_native(['<team@alias.example> ' + parameter + value])

    def test_success_is_passed_on_to_an_only_target(self):
        found = queue_records(['<ann@alias.example> NOTIFY=SUCCESS,FAILURE'])
        self.assertEqual([notify for _, _, notify in found], [2 | 4])

    def test_each_recipient_has_its_own(self):
        self.assert_like_native([
            '<team@alias.example> NOTIFY=FAILURE ORCPT=rfc822;one@client.example',
            '<nested+x@second.example> NOTIFY=NEVER ORCPT=rfc822;two@client.example',
            '<far@far.example> NOTIFY=DELAY ORCPT=rfc822;three@client.example'])

    def test_ret_and_envid_stay(self):
        _, envelope = send(['ann@alias.example'], parameters='RET=HDRS ENVID=QQ314')
        self.assertEqual(envelope.attributes.get('envelope_id'), 'QQ314')
        self.assertEqual(envelope.attributes.get('ret_flags'), '2')

    def test_the_null_sender(self):
        sent, envelope = send(['team@alias.example'], sender='<>')
        self.assertEqual((sent.mail.code, envelope.sender, len(envelope.recipients)), (250, '', 3))


class Submission(unittest.TestCase):
    """sendmail(1): nothing is refused there, or the message would stay for ever."""

    def submit(self, recipients, count=1):
        POSTFIX.sendmail(recipients)
        found = harness.wait_until(lambda: POSTFIX.queue_files('hold'), 'a message is picked up')
        self.assertEqual(len(found), count)
        envelope = POSTFIX.take_held(found[0].name)
        return sorted(one.address for one in envelope.recipients)

    def test_aliases_are_rewritten(self):
        self.assertEqual(self.submit(['team@alias.example', 'x@far.example']),
                         ['ann@dest.example', 'bob@dest.example', 'carl@dest.example',
                          'x@far.example'])

    def test_an_unknown_user_is_left_for_postfix_to_bounce(self):
        self.assertEqual(self.submit(['nobody@alias.example', 'ann@alias.example']),
                         ['ann@dest.example', 'nobody@alias.example'])

    def test_routing_is_left_for_postfix_as_well(self):
        found = self.submit(['ann%far.example@alias.example', 'bob@alias.example'])
        self.assertIn('bob@dest.example', found)
        self.assertEqual(len(found), 2)

    def test_a_quoted_local_part(self):
        self.assertEqual(self.submit(['"q x"@alias.example']), ['t y@dest.example'])


class Pipelining(unittest.TestCase):
    def test_commands_in_one_packet(self):
        with SmtpClient(POSTFIX.where) as client:
            client.send(b'MAIL FROM:<s@client.example>\r\nRCPT TO:<ann@alias.example>\r\n'
                        b'RCPT TO:<nobody@alias.example>\r\nRCPT TO:<bob@alias.example>\r\n'
                        b'DATA\r\n')
            codes = [client.reply().code for _ in range(5)]
            self.assertEqual(codes, [250, 250, 550, 250, 354])
            envelope = envelope_of(client.text())
        self.assertEqual(sorted(one.address for one in envelope.recipients),
                         ['ann@dest.example', 'bob@dest.example'])


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
