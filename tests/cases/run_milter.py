#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The cases through openrcptd and a small MTA that speaks the milter protocol.

    run_milter.py [FILE.case]...
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import addresses
import case_file
import harness
from daemon import daemons_of_cases


def without_route(path):
    return re.sub(r'^<@[^:]*:', '<', path)


def same(left, right):
    return addresses.internal(left).casefold() == addresses.internal(right).casefold()


def wanted_edits(question):
    """What has to be deleted and added. A recipient that is its own target stays as it is."""
    if question.kind != 'recipients':
        return [], []
    plain = without_route(question.path).strip('<>').strip()
    if any(same(plain, recipient) for recipient in question.recipients):
        return [], sorted('<%s>' % recipient for recipient in question.recipients
                          if not same(plain, recipient))
    return [without_route(question.path)], ['<%s>' % item for item in question.recipients]


def fits(message, question):
    reply = message.replies[0]
    if question.kind in ('reply', 'defer'):
        return (reply + ' ').startswith(question.reply) and message.verdict is None
    deleted, added = wanted_edits(question)
    return (reply == 'continue' and message.verdict in ('continue', 'accept')
            and message.deleted == deleted and sorted(message.added) == added)


def complaints_about(case, daemon):
    with daemon.session() as session:
        for question in case.questions:
            parameters = ['SMTPUTF8'] if question.has_smtputf8 else []
            message = session.message([question.path], parameters=parameters)
            if not fits(message, question):
                yield '%s: %s: openrcptd: %s, %s, edits %s\n    expected: %s' % (
                    question.place, question.path, message.replies, message.verdict,
                    [tuple(edit) for edit in message.edits], question.expect)


def run(cases):
    """Print what is wrong; the number of it."""
    daemons = daemons_of_cases(cases)
    wrong = daemons.count(None)
    try:
        for case, daemon in zip(cases, daemons):
            if not daemon:
                continue
            daemon.wait_until_ready()
            for complaint in complaints_about(case, daemon):
                print('FAIL', complaint)
                wrong += 1
    finally:
        for daemon in filter(None, daemons):
            daemon.close()
    return wrong


def main():
    harness.require('openrcptd', 'rcptmap')
    harness.end_orderly()
    cases, wrong = case_file.read_all(sys.argv[1:]), 0
    for first in range(0, len(cases), 30):          # thirty daemons at a time
        wrong += run(cases[first:first + 30])
    print('%d recipients in %d cases, %d wrong' % (
        sum(len(case.questions) for case in cases), len(cases), wrong))
    sys.exit(1 if wrong or not cases else 0)


if __name__ == '__main__':
    main()
