#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcptd and the milter protocol: what it asks for, answers and edits, packet by packet."""
import os
import pathlib
import re
import signal
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import milter_client
from daemon import Daemon
from milter_client import MilterClient

TABLE = '''\
alias.example        domain
second.example       domain
ann@alias.example    ann@dest.example
team@alias.example   ann@dest.example, bob@dest.example, carl@dest.example
many@alias.example   %s
juergen@alias.example  jürgen@dest.example
keep@free.example    keep@free.example, archive@dest.example
"q x"@alias.example  "t y"@dest.example
@second.example      @alias.example
''' % ', '.join('m%d@dest.example' % number for number in range(900))
UNKNOWN = '550 5.1.1 <nobody@alias.example>: Recipient address rejected: ' \
          'User unknown in virtual alias table'
DAEMON = None


def setUpModule():          # pylint: disable=invalid-name
    """One daemon for all tests that don't need settings of their own."""
    global DAEMON                                       # pylint: disable=global-statement
    DAEMON = Daemon(TABLE, {'local_domains': ['local.example']})
    unittest.addModuleCleanup(DAEMON.close)
    DAEMON.start()


def message(recipients, mta=milter_client.POSTFIX, macros=None, is_submission=False, **options):
    with MilterClient(DAEMON.socket, mta, macros, is_submission) as session:
        return session.message(recipients, **options)


class TestCase(unittest.TestCase):
    def daemon(self, settings, table=TABLE):
        made = Daemon(table, settings)
        self.addCleanup(made.close)
        return made.start()


class Negotiation(TestCase):
    def test_nothing_of_the_text_is_asked_for(self):
        with DAEMON.session() as session:
            off = session.steps
        for step in ('NOCONNECT', 'NOHELO', 'NOHDRS', 'NOEOH', 'NOBODY', 'NODATA', 'NOUNKNOWN'):
            self.assertTrue(off & getattr(milter_client, step), step)
        for step in ('NOMAIL', 'NORCPT', 'SKIP', 'RCPT_REJ', 'NR_RCPT'):
            self.assertFalse(off & getattr(milter_client, step), step)

    def test_only_what_is_needed_is_allowed_to_it(self):
        with DAEMON.session() as session:
            self.assertEqual(session.actions & ~(milter_client.ADDRCPT | milter_client.DELRCPT
                                                 | milter_client.ADDRCPT_PAR
                                                 | milter_client.SETSYMLIST
                                                 | milter_client.CHGFROM), 0)

    def test_older_protocols(self):
        for version, actions, steps in ((2, 0x0f, 0x7f), (3, 0x1f, 0x17f), (4, 0x3f, 0x3ff)):
            mta = milter_client.POSTFIX._replace(version=version, actions=actions, steps=steps)
            with self.subTest(version):
                got = message(['<team@alias.example> NOTIFY=NEVER'], mta)
                self.assertEqual(sorted(got.added), [
                    '<ann@dest.example>', '<bob@dest.example>', '<carl@dest.example>'])
                self.assertEqual({edit.parameters for edit in got.edits}, {''})

    def test_an_mta_that_does_not_allow_edits(self):
        for actions in (milter_client.ADDRCPT, milter_client.DELRCPT, milter_client.ADDHDRS):
            with self.assertRaises(milter_client.Ended):
                MilterClient(DAEMON.socket, milter_client.POSTFIX._replace(actions=actions))

    def test_macros_that_it_relies_on_are_asked_for(self):
        with DAEMON.session() as session:
            self.assertIn('v', session.wanted['connect'] + session.wanted['mail'])
            self.assertIn('i', session.wanted['mail'])


class Edits(TestCase):
    def test_adds_come_before_deletes(self):
        got = message(['<team@alias.example>', '<ann@second.example>'])
        kinds = [edit.kind for edit in got.edits]
        self.assertEqual(kinds, sorted(kinds))
        self.assertEqual(sorted(got.deleted), ['<ann@second.example>', '<team@alias.example>'])

    def test_a_delete_names_the_recipient_as_it_was_sent(self):
        for sent, deleted in (('<TEAM@Alias.example>', None), ('team@alias.example', None),
                              ('< team@alias.example >', None), ('<"team"@alias.example>', None),
                              ('<team(x)@alias.example.>', None), ('<"q\\ x"@alias.example>', None),
                              ('<@r.example:team@alias.example>', '<team@alias.example>')):
            with self.subTest(sent):
                got = message([sent])
                self.assertEqual([item.strip('<>') for item in got.deleted],
                                 [(deleted or sent).strip('<>')])

    def test_the_same_recipient_twice_is_deleted_once(self):
        got = message(['<ann@alias.example>', '<ann@alias.example>'])
        self.assertEqual(got.deleted, ['<ann@alias.example>'])
        self.assertEqual(got.added, ['<ann@dest.example>'])

    def test_an_added_address_is_in_brackets_and_quoted(self):
        self.assertEqual(message(['<"q x"@alias.example>']).added, ['<"t y"@dest.example>'])

    def test_an_original_that_is_its_own_target_is_not_touched(self):
        got = message(['<Keep@FREE.example>'])
        self.assertEqual((got.added, got.deleted), (['<archive@dest.example>'], []))

    def test_a_target_that_the_client_gave_is_not_added(self):
        got = message(['<Ann@dest.example>', '<ann@alias.example>'])
        self.assertEqual((got.added, got.deleted), ([], ['<ann@alias.example>']))

    def test_without_merging_it_is(self):
        made = self.daemon({'merge_duplicates': False})
        got = made.message(['<ann@alias.example>', '<ann@second.example>', '<team@alias.example>'])
        self.assertEqual(sorted(got.added), ['<ann@dest.example>'] * 3 + [
            '<bob@dest.example>', '<carl@dest.example>'])

    def test_foreign_recipients_need_no_edit(self):
        got = message(['<a@far.example>', '<b@far.example>'])
        self.assertEqual((got.replies, got.edits), (['continue'] * 2, []))

    def test_nine_hundred_targets(self):
        got = message(['<many@alias.example>', '<many@second.example>'])
        self.assertEqual((len(got.added), len(got.deleted)), (900, 2))

    def test_many_edits_are_few_writes(self):
        """Each write would wake the MTA."""
        def writes():
            text = ''.join(pathlib.Path('/proc/%d/io' % pid).read_text(encoding='ascii')
                           for pid in DAEMON.workers())
            return sum(int(count) for count in re.findall(r'syscw: (\d+)', text))

        before = writes()
        self.assertEqual(len(message(['<many@alias.example>']).edits), 901)
        self.assertLess(writes() - before, 100)

    def test_an_edit_that_reached_nobody_is_not_logged(self):
        """Nobody reads any more; libmilter itself sees one who is gone altogether."""
        made = self.daemon({})
        with MilterClient(made.socket) as session:
            session.mail()
            session.rcpt('<ann@alias.example>')
            session.socket.shutdown(socket.SHUT_RD)
            session.send(b'E')
            made.wait_for_log('deferred: the MTA hung up before the answer')
        self.assertNotIn('to=<', made.log_text())
        made.message(['<ann@alias.example>'])
        made.wait_for_log('to=<ann@dest.example>, orig_to=<ann@alias.example>')

    def test_recipients_of_a_refused_one_are_not_added(self):
        got = message(['<nobody@alias.example>', '<ann@alias.example>'])
        self.assertEqual(got.replies, [UNKNOWN, 'continue'])
        self.assertEqual(got.added, ['<ann@dest.example>'])


class Parameters(TestCase):
    def parameters(self, recipient, **options):
        return message([recipient], **options).parameters()

    def test_orcpt(self):
        for sent, orcpt in (
                ('<ann@alias.example>', 'rfc822;ann@alias.example'),
                ('<Ann+x@Alias.example>', 'rfc822;Ann+2Bx@Alias.example'),
                ('<ann=@second.example>', None),
                ('<"q x"@alias.example>', 'rfc822;"q+20x"@alias.example'),
                ('<@r.example:ann@alias.example>', 'rfc822;@r.example:ann@alias.example'),
                ('<ann@alias.example> ORCPT=rfc822;Other+2Bone@client.example',
                 'rfc822;Other+2Bone@client.example'),
                ('<ann@alias.example> orcpt=X400;whatever', 'X400;whatever')):
            with self.subTest(sent):
                for words in self.parameters(sent).values():
                    self.assertIn('ORCPT=' + orcpt, words)

    def test_notify(self):
        for recipient in ('ann', 'team'):
            for sent, single, listed in (
                    ('NEVER', 'NEVER', 'NEVER'), ('FAILURE', 'FAILURE', 'FAILURE'),
                    ('SUCCESS', 'SUCCESS', 'NEVER'), ('success,delay', 'SUCCESS,DELAY', 'DELAY'),
                    ('SUCCESS,FAILURE,DELAY', 'SUCCESS,FAILURE,DELAY', 'FAILURE,DELAY')):
                with self.subTest(recipient + ' ' + sent):
                    found = self.parameters('<%s@alias.example> NOTIFY=%s' % (recipient, sent))
                    wanted = single if recipient == 'ann' else listed
                    for words in found.values():
                        notify, = [word[7:] for word in words if word.startswith('NOTIFY=')]
                        self.assertEqual(set(notify.split(',')), set(wanted.split(',')))

    def test_notify_that_was_not_given_is_not_made_up(self):
        for words in self.parameters('<team@alias.example>').values():
            self.assertEqual([word for word in words if word.startswith('NOTIFY')], [])

    def test_success_as_postfix_does_it(self):
        made = self.daemon({'dsn_success': 'native'})
        got = made.message(['<ann@alias.example> NOTIFY=SUCCESS,FAILURE'])
        self.assertIn('NOTIFY=FAILURE', got.parameters()['<ann@dest.example>'])

    def test_bad_parameters_are_never_passed_on(self):
        for bad in ('ORCPT=rfc822;bad+zz', 'ORCPT=nothing', 'ORCPT=rfc822;', 'NOTIFY=',
                    'NOTIFY=SOMETIMES', 'NOTIFY=NEVER,FAILURE', 'FOO=bar', 'ORCPT=rfc822;a\x01b',
                    'ORCPT=;x', 'NOTIFY=SUCCESS,,DELAY'):
            with self.subTest(bad):
                for words in self.parameters('<ann@alias.example> ' + bad).values():
                    self.assertEqual(words, ['ORCPT=rfc822;ann@alias.example'])

    def test_letters_beyond_ascii(self):
        old = {'v': 'Postfix 3.7.11'}
        new = {'v': 'Postfix 3.12.0'}
        recipient = '<ann+ü@alias.example>'
        for macros, orcpt in ((old, 'utf-8;ann+2B+C3+BC@alias.example'), (new, None)):
            found = self.parameters(recipient, macros=macros, parameters=['SMTPUTF8'])
            words = found['<ann+ü@dest.example>']
            if orcpt:
                self.assertIn('ORCPT=' + orcpt, words)
            else:
                self.assertRegex(' '.join(words), r'ORCPT=utf-8;ann')
                self.assertNotIn('+C3', ' '.join(words))


class Answers(TestCase):
    def test_percent_signs_are_doubled_on_the_wire(self):
        with DAEMON.session() as session:
            session.mail()
            session.send(b'R', b'<nobody+100%s@alias.example>\0')
            kind, data = session.receive()
        self.assertEqual(kind, b'y')
        self.assertIn(b'100%%s', data)

    def test_a_target_beyond_ascii_is_sent_as_it_is(self):
        for parameters in ([], ['SMTPUTF8']):
            got = message(['<juergen@alias.example>'], parameters=parameters)
            self.assertEqual(got.added, ['<jürgen@dest.example>'])

    def test_where_strict_it_needs_smtputf8(self):
        made = self.daemon({'smtputf8': 'strict'})
        got = made.message(['<juergen@alias.example>'])
        self.assertRegex(got.replies[0], '^550 5.6.7 <juergen@alias.example>')
        got = made.message(['<juergen@alias.example>'], parameters=['SMTPUTF8'])
        self.assertEqual(got.added, ['<jürgen@dest.example>'])

    def test_a_reload_changes_whether_it_is_strict(self):
        made = self.daemon({'smtputf8': 'strict'})
        made.reload(smtputf8='lenient')
        made.wait_for_answer('<juergen@alias.example>', 'continue'.__eq__)

    def test_odd_arguments(self):
        for sent in ('', '<>', '<', '>', '<@>', '<<<>>>', '"', '<"', '<\\>', 'x' * 60000, '\x00',
                     '<(((((@alias.example>', '<@alias.example>', '<@@alias.example>',
                     b'<\xff@alias.example>', '<a@\udcff>'):
            with self.subTest(sent[:20]):
                got = message([sent])
                self.assertEqual(len(got.replies), 1)
                self.assertEqual(got.edits, [])
                if b'alias.example' in milter_client._data(sent):
                    self.assertRegex(got.replies[0], '^[45]')

    def test_too_many_recipients(self):
        made = self.daemon({'limits': {'message_recipients': 5}})
        got = made.message(['<team@alias.example>', '<a@far.example>', '<b@far.example>',
                            '<c@far.example>', '<ann@alias.example>'])
        self.assertEqual(got.replies[:3], ['continue'] * 3)
        self.assertRegex(got.replies[3], '^452 4.5.3 ')
        self.assertEqual(len(got.added), 3)

    def test_other_words_for_unknown_users(self):
        made = self.daemon({'unknown': {'reply': '450 4.1.1', 'text': '100% unknown'}})
        self.assertEqual(made.message(['<nobody@alias.example>']).replies, [
            '450 4.1.1 <nobody@alias.example>: Recipient address rejected: 100% unknown'])


class Submission(TestCase):
    """Mail of sendmail(1) and bounces, as Postfix shows it: a refusal would keep it for ever."""

    def test_nothing_is_refused(self):
        sent = ['nobody@alias.example', 'a%b@alias.example', 'ann@alias.example', '', 'user',
                'juergen@alias.example', '"@alias.example', 'x@local.example']
        got = message(sent, is_submission=True, sender='')
        self.assertEqual(got.replies, ['continue'] * len(sent))
        self.assertEqual(got.verdict, 'continue')
        self.assertIn('<ann@dest.example>', got.added)
        self.assertEqual(got.deleted.count('nobody@alias.example'), 0)

    def test_a_doubt_or_a_limit_puts_off_the_message(self):
        """It comes again; left in place the recipient would bounce as unknown."""
        made = self.daemon({'limits': {'message_recipients': 3, 'expansion': 3}},
                           TABLE.partition('many@')[0] + 'later@alias.example error:450 Later\n')
        for last, words in (('b@far.example', '452 4.5.3 <b@far.example>: Too many recipients, '
                             'reason=limits.message_recipients: at least 4 recipients, 3 allowed'),
                            ('later@alias.example', '450 4.0.0 <later@alias.example>: '
                             'Recipient address rejected: Later')):
            with MilterClient(made.socket, is_submission=True) as session:
                got = session.message(['team@alias.example', last, 'ann@alias.example'], sender='')
            self.assertEqual(got.replies, ['continue'] * 3)
            self.assertRegex(got.verdict, '^451 4.3.0 ')
            self.assertEqual(got.edits, [])
            self.assertRegex(made.wait_for_log(words), r'warning: [^ ]+: deferred: 45')
            made.wait_for_log('deferred as a whole: recipients put off: 1')

    def test_a_submission_is_edited(self):
        got = message(['team@alias.example'], is_submission=True)
        self.assertEqual(len(got.added), 3)
        self.assertEqual([item.strip('<>') for item in got.deleted], ['team@alias.example'])


class Sendmail(TestCase):
    def test_it_puts_the_address_before_a_reply_itself(self):
        got = message(['<nobody@alias.example>', '<ann@alias.example>'], milter_client.SENDMAIL)
        self.assertEqual(got.replies[0], UNKNOWN.replace('<nobody@alias.example>: ', ''))
        self.assertEqual(got.added, ['<ann@dest.example>'])

    def test_a_queue_id_at_mail_does_not_make_a_submission(self):
        got = message(['<nobody@alias.example>'], milter_client.SENDMAIL)
        self.assertRegex(got.replies[0], '^550 ')


class Reinjection(TestCase):
    """Mail that the MTA sends back through us, so that nothing leaves unexpanded."""

    def test_what_stays_as_it_is_would_come_round_again(self):
        made = self.daemon({'mailbox_domains': ['mail.example']}, 'x@mail.example x@mail.example\n')
        with MilterClient(made.socket, macros={'{daemon_name}': 'REINJECT'}) as session:
            self.assertRegex(session.message(['<x@mail.example>']).replies[0], '^451 4.6.0 ')
            self.assertRegex(session.message(['<y@mail.example>']).replies[0], '^550 5.1.1 ')


class Sessions(TestCase):
    def test_many_messages_in_one_session(self):
        with DAEMON.session() as session:
            for number in range(300):
                got = session.message(['<team+%d@alias.example>' % number,
                                       '<nobody@alias.example>'])
                self.assertEqual((len(got.added), got.replies[1]), (3, UNKNOWN))

    def test_an_aborted_message_leaves_nothing(self):
        with DAEMON.session() as session:
            for _ in range(3):
                session.mail()
                session.rcpt('<team@alias.example>')
                session.abort()
            self.assertEqual(session.message(['<ann@alias.example>']).added, ['<ann@dest.example>'])

    def test_mail_without_an_abort_before_it(self):
        with DAEMON.session() as session:
            session.mail()
            session.rcpt('<team@alias.example>')
            self.assertEqual(session.message(['<ann@alias.example>']).added, ['<ann@dest.example>'])

    def test_two_hundred_sessions_at_a_time(self):
        wrong = []

        def work(number):
            try:
                with DAEMON.session() as session:
                    for _ in range(5):
                        got = session.message(['<ann+%d@alias.example>' % number])
                        if got.added != ['<ann+%d@dest.example>' % number]:
                            wrong.append(got.added)
            except Exception as error:          # pylint: disable=broad-except
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_too_many_sessions_are_told_to_come_back(self):
        made = self.daemon({'max_sessions': 3})
        open_sessions = []
        try:
            for _ in range(3):
                open_sessions.append(made.session())
                open_sessions[-1].mail()
                self.assertEqual(open_sessions[-1].rcpt('<ann@alias.example>'), 'continue')
            self.assertRegex(made.message(['<ann@alias.example>']).replies[0], '^451 ')
            open_sessions.pop().close()
            harness.wait_until(
                lambda: made.message(['<ann@alias.example>']).replies == ['continue'],
                'a place is free again')
        finally:
            for session in open_sessions:
                session.close()

    def test_too_many_sessions_are_logged_once_each(self):
        made = self.daemon({'max_sessions': 1})
        words = 'more than 1 sessions'
        with made.session() as first:
            first.mail()
            first.rcpt('<ann@alias.example>')       # only that is answered
            for count in (1, 2):
                with made.session() as late:
                    for _ in range(3):
                        got = late.message(['<ann@alias.example>'] * 3)
                        self.assertEqual(got.replies,
                                         ['451 4.3.0 Too many sessions, try again later'] * 3)
                self.assertEqual(made.log_text().count(words), count)

    def test_rubbish_harms_nobody_else(self):
        worker = DAEMON.workers()
        for data in (b'', b'\0', b'\xff' * 100, struct.pack('>I', 1) + b'O',
                     struct.pack('>I', 0xffffffff) + b'R', struct.pack('>I', 0),
                     struct.pack('>I', 13) + b'O' + struct.pack('>III', 6, 0x1ff, 0x1fffff)
                     + struct.pack('>I', 2) + b'R\0', b'GET / HTTP/1.1\r\n\r\n' * 10):
            with milter_client.connect(DAEMON.socket) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
        self.assertEqual(message(['<ann@alias.example>']).added, ['<ann@dest.example>'])
        self.assertEqual(DAEMON.workers(), worker)


class Stalled(TestCase):
    """Peers that stop, wherever, keep no thread from those that go on. The master is stopped, too:
    its questions would bring the worker other threads."""

    # Where they stop, and what they say before that.
    PLACES = {'the head of a packet': b'\0\0\0', 'a packet': b'\0\0\0\x40Mabc', 'silence': None}

    def test_each_place(self):
        for place, said in self.PLACES.items():
            for count in (1, 4, 16):
                with self.subTest(place, count=count):
                    self.assert_others_are_served(said, count)

    def connect(self, made, is_session):
        end = made.session() if is_session else milter_client.connect(made.socket)
        self.addCleanup((end.socket if is_session else end).close)
        return end

    def assert_others_are_served(self, said, count):
        made = self.daemon({})
        made.wait_for_log('serves')
        # The older session comes first, of those that have to wait.
        stalled = [self.connect(made, True) for _ in range(count)] if said else []
        others = [self.connect(made, True) for _ in range(2)]
        for session in others:
            session.mail()
        os.kill(made.master, signal.SIGSTOP)
        time.sleep(0.05)                    # the threads wait again, all but a few end
        # All at once: libmilter has heard them all before its threads wake up.
        for session in stalled:
            session.socket.sendall(said)
        for _ in range(count - len(stalled)):
            self.connect(made, False)
        for session in others:
            session.send_macros('rcpt')
            session.send(b'R', b'<ann@alias.example>\0')
        for session in others:
            self.assertEqual(session.answer([]), 'continue')
        self.assertEqual(made.message(['<ann@alias.example>']).added, ['<ann@dest.example>'])


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap')
