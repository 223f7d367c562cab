#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The cases on a real Postfix: with openrcptd as its milter, and with its own virtual_alias_maps.

Both must give what the case expects; where the case says `postfix: differs`, native aliasing must
really give something else.

    run_postfix.py [--native] [FILE.case]...      --native: leave openrcptd out
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import addresses
import case_file
import harness
import private_postfix
from daemon import daemons_of_cases
from private_postfix import PrivatePostfix
from smtp_client import SmtpClient

NOBODY = 'inline:{ { nobody@nowhere.invalid = x } }'


class Outcome:
    """What a mail system made of one recipient in a message of its own."""

    def __init__(self, postfix, tenant, question):
        with SmtpClient(tenant.where) as client:
            sent = client.message([question.path],
                                  parameters='SMTPUTF8' if question.has_smtputf8 else '')
        refusals = [reply for reply in (sent.mail, *sent.recipients, sent.data)
                    if not reply.is_accepted]
        self.reply = refusals[0] if refusals else None
        self.recipients = None
        if not refusals:
            envelope = postfix.take_held(sent.data.queue_id)
            self.recipients = [recipient.address for recipient in envelope.recipients]
            self.originals = {recipient.original for recipient in envelope.recipients}
            self.origin = tenant.parameters['myorigin']

    def __str__(self):
        return self.reply or ', '.join(map(addresses.external, self.recipients))

    def fits(self, question):
        if self.reply:
            # The words name another table where mailboxes are concerned.
            reply = self.reply.replace('virtual mailbox table', 'virtual alias table')
            return (reply + ' ').startswith(question.reply) if question.kind in (
                'reply', 'defer') else False
        if question.kind in ('deliver', 'foreign'):
            unchanged = {original if '@' in original else original + '@' + self.origin
                         for original in self.originals}
            return {address.casefold() for address in self.recipients} == {
                address.casefold() for address in unchanged}
        # One copy or several is nobody's promise; nor is the case of a domain.
        found = {addresses.with_lower_domain(addresses.external(address)).rstrip('.')
                 for address in self.recipients}
        wanted = {addresses.with_lower_domain(address) for address in question.recipients}
        return question.kind == 'recipients' and found == wanted


def native_parameters(case, table):
    alias, mailbox = case.domains()
    return {**case_file.postfix_parameters(case.settings),
            'virtual_alias_maps': table, 'virtual_alias_domains': ' '.join(alias),
            'virtual_mailbox_domains': ' '.join(mailbox), 'virtual_mailbox_maps': NOBODY}


def milter_parameters(case, socket_path):
    alias, mailbox = case.domains()
    return {**case_file.postfix_parameters(case.settings),
            **private_postfix.behind_milter(alias, socket_path),
            'virtual_mailbox_domains': ' '.join(mailbox), 'virtual_mailbox_maps': ''}


def complaints_about(case, postfix, native, through):
    for question in case.questions:
        place = '%s: %s: ' % (question.place, question.path)
        outcome = Outcome(postfix, native, question)
        if question.difference and outcome.fits(question):
            yield place + 'Postfix is said to differ, but does not'
        elif not question.difference and not outcome.fits(question):
            yield '%sPostfix says: %s\n    expected: %s' % (place, outcome, question.expect)
        if through:
            outcome = Outcome(postfix, through, question)
            if not outcome.fits(question):
                yield '%sopenrcptd made: %s\n    expected: %s' % (
                    place, outcome, question.expect)


def run(cases, has_milter):
    """Print what is wrong; the number of it."""
    postfix, tenants = PrivatePostfix(), []
    daemons = daemons_of_cases(cases) if has_milter else [None] * len(cases)
    wrong = daemons.count(None) if has_milter else 0
    try:
        for number, (case, daemon) in enumerate(zip(cases, daemons)):
            table = postfix.add_table('table%d' % number, case.table)
            native = postfix.add_tenant('native%d' % number, native_parameters(case, table))
            through = None
            if daemon:
                daemon.wait_until_ready()
                through = postfix.add_tenant(
                    'milter%d' % number, milter_parameters(case, daemon.socket))
            tenants.append((native, through))
        with postfix:
            for case, (native, through) in zip(cases, tenants):
                for complaint in complaints_about(case, postfix, native, through):
                    print('FAIL', complaint)
                    wrong += 1
    finally:
        for daemon in filter(None, daemons):
            daemon.close()
        postfix.close()
    return wrong


def main():
    names = [name for name in sys.argv[1:] if name != '--native']
    has_milter = '--native' not in sys.argv
    harness.require('postfix', *(['openrcptd', 'rcptmap'] if has_milter else []))
    harness.end_orderly()
    cases, wrong = case_file.read_all(names), 0
    for first in range(0, len(cases), 30):          # thirty daemons at a time
        wrong += run(cases[first:first + 30], has_milter)
    print('%d recipients in %d cases, %d wrong' % (
        sum(len(case.questions) for case in cases), len(cases), wrong))
    sys.exit(1 if wrong or not cases else 0)


if __name__ == '__main__':
    main()
