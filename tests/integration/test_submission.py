#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail of sendmail(1), and bounces, while one of its recipients can't be answered.

A milter can't refuse or defer one of them by itself. What could only be told later must never
bounce: the message waits as a whole, and is delivered once the reason is gone.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
from mail_system import MailSystem, report_fields, split_bounces

TABLE = '''\
alias.example            domain
%s
team@alias.example       ann@dest.example, bob@dest.example, carl@dest.example
later@alias.example      error:4.2.1:450 Come again
shut@alias.example       error:5.2.1:550 Mailbox closed
''' % '\n'.join('u%d@alias.example  t%d@dest.example' % (number, number) for number in range(5))
ALL = ['u%d@alias.example' % number for number in range(5)]
ARRIVED = ['t%d@dest.example' % number for number in range(5)]
TEAM = ['ann@dest.example', 'bob@dest.example', 'carl@dest.example']
LIMITS = {'expansion': 1000, 'message_recipients': 1000}


class Waiting(unittest.TestCase):
    def system(self, settings=None, table=TABLE):
        system = MailSystem(table, ['alias.example'], settings)
        self.addCleanup(system.close)
        return system.start()

    def reload(self, system, **changes):
        """Have settings taken over, and wait until they are."""
        start = len(system.daemon.log_text())
        system.daemon.reload(**changes)
        system.daemon.wait_for_log('reloaded', start)

    def assert_waits(self, system, recipients, words, **options):
        """Once it was tried twice the message is still there, nobody has got anything, and the
        log of the daemon says why."""
        system.submit(recipients, **options)
        system.postfix.wait_for_log('milter-reject: END-OF-MESSAGE', times=2,
                                    nudge=lambda: system.postfix.kick('pickup', 'W'))
        self.assertEqual(len(system.postfix.queue_files('maildrop')), 1)
        self.assertEqual(system.postfix.queue_files('incoming', 'active', 'deferred', 'hold'), [])
        self.assertEqual(system.sink.messages, [])
        system.daemon.wait_for_log(words)
        system.daemon.wait_for_log('deferred as a whole')

    def assert_arrives(self, system, wanted, bounced=()):
        """Each gets it once; BOUNCED: (recipient, status) of the reports to the sender."""
        system.postfix.kick('pickup', 'W')
        mail, bounces = split_bounces(system.messages())
        self.assertEqual(sorted(path.strip('<>') for one in mail for path, _ in one.recipients),
                         sorted(wanted))
        self.assertEqual([(block['final-recipient'], block['status'])
                          for one in bounces for block in report_fields(one)], list(bounced))


class Limits(Waiting):
    def test_too_many_recipients(self):
        system = self.system({'limits': {**LIMITS, 'message_recipients': 3}})
        self.assert_waits(system, ALL, 'deferred: 452 4.5.3 <u3@alias.example>: Too many '
                          'recipients, reason=limits.message_recipients: at least 4 recipients, '
                          '3 allowed')
        self.reload(system, limits=LIMITS)
        self.assert_arrives(system, ARRIVED)

    def test_too_large_an_alias(self):
        """A limit that came behind the compiler's back."""
        system = self.system()
        self.reload(system, limits={**LIMITS, 'expansion': 2})
        self.assert_waits(system, ['u0@alias.example', 'team@alias.example'],
                          'deferred: 451 4.6.0 <team@alias.example>: Alias expansion error, '
                          'reason=limits.expansion: at least 3 recipients, 2 allowed')
        self.reload(system, limits=LIMITS)
        self.assert_arrives(system, ['t0@dest.example', *TEAM])

    def test_the_line_has_the_queue_id(self):
        system = self.system({'limits': {**LIMITS, 'message_recipients': 1}})
        self.assert_waits(system, ALL, '<u1@alias.example>')
        self.assertNotIn('NOQUEUE', system.daemon.log_text())

    def test_by_smtp_the_others_get_it_at_once(self):
        system = self.system({'limits': {**LIMITS, 'message_recipients': 3}})
        sent = system.send(ALL)
        self.assertEqual([reply.code for reply in sent.recipients], [250, 250, 250, 452, 452])
        self.assertEqual(system.delivered(), ARRIVED[:3])


class Doubts(Waiting):
    def test_a_damaged_table(self):
        system = self.system({'load': 'mapped'})
        table = system.daemon.table
        with open(table, 'r+b') as file:
            size = table.stat().st_size
            file.seek(size // 4)
            file.write(bytes(size - size // 4))
        self.assert_waits(system, ALL, 'deferred: 451 4.3.0 <u0@alias.example>: Temporary lookup '
                          'failure, reason=damaged table')
        table.unlink()
        system.daemon.replace_table(TABLE)
        system.daemon.wait_for_answer('<u0@alias.example>', 'continue'.__eq__)
        self.assert_arrives(system, ARRIVED)

    def test_an_entry_that_says_later(self):
        system = self.system()
        self.assert_waits(system, ['later@alias.example', 'u0@alias.example'],
                          'deferred: 450 4.2.1 <later@alias.example>: ')
        system.daemon.replace_table(TABLE.replace('error:4.2.1:450 Come again', 'now@dest.example'))
        system.daemon.wait_for_answer('<later@alias.example>', 'continue'.__eq__)
        self.assert_arrives(system, ['now@dest.example', 't0@dest.example'])

    def test_an_unknown_one_beside_it_bounces_then(self):
        system = self.system({'limits': {**LIMITS, 'message_recipients': 2}})
        self.assert_waits(system, ['nobody@alias.example', 'shut@alias.example',
                                   'u0@alias.example'], 'deferred: 452 4.5.3 <u0@alias.example>')
        self.reload(system, limits=LIMITS)
        self.assert_arrives(system, ['t0@dest.example'],
                            [('rfc822; nobody@alias.example', '5.1.1'),
                             ('rfc822; shut@alias.example', '5.1.1')])


class Bounces(Waiting):
    def test_a_bounce_waits_too(self):
        """Postfix keeps the message that bounces until its bounce is taken."""
        system = self.system()
        self.reload(system, limits={**LIMITS, 'expansion': 2})
        system.sink.refuse['<gone@far.example>'] = '550 5.1.1 gone'
        system.send(['gone@far.example'], sender='team@alias.example')
        system.daemon.wait_for_log('<team@alias.example>: Alias expansion error')
        system.daemon.wait_for_log('deferred as a whole')
        self.reload(system, limits=LIMITS)
        bounce, = system.messages()
        self.assertEqual((bounce.sender[0], sorted(path for path, _ in bounce.recipients)),
                         ('<>', ['<%s>' % one for one in TEAM]))


if __name__ == '__main__':
    harness.main('postfix', 'openrcptd', 'rcptmap')
