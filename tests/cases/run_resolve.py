#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The cases through `rcptmap compile` and `rcptmap resolve --json`.

    run_resolve.py [FILE.case]...
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import case_file
import harness
from rcptmap import Workshop

VERDICTS = {'4': ('defer', 'refused'), '5': ('unknown', 'refused')}     # by class of reply


def needs_message(question):
    """resolve answers for a message that has SMTPUTF8; some questions are about one without."""
    return question.kind == 'reply' and question.reply.startswith('550 5.6.7')


def fits(answer, question):
    if question.kind in ('reply', 'defer'):
        reply = answer['reply'] or ''
        return ((reply + ' ').startswith(question.reply)
                and answer['verdict'] in VERDICTS[question.reply[0]] and not answer['recipients'])
    if question.kind in ('deliver', 'foreign'):
        return answer['verdict'] == question.kind and answer['reply'] is None
    return (answer['verdict'] == 'expand' and answer['reply'] is None
            and sorted(answer['recipients']) == question.recipients)


def complaints_about(case):
    with Workshop(case.table, snippet=case.conf) as workshop:
        result = workshop.try_compile(*case.options)
        if result.status:
            yield '%s: rcptmap compile: exit %d\n%s' % (case.place, result.status, result.err)
            return
        asked = [question for question in case.questions if not needs_message(question)]
        answers = workshop.resolve([question.path for question in asked])
        for question, answer in zip(asked, answers):
            if not fits(answer, question):
                yield '%s: %s: rcptmap says: %s\n    expected: %s' % (
                    question.place, question.path, answer, question.expect)


def main():
    harness.require('rcptmap')
    harness.end_orderly()
    cases, wrong = case_file.read_all(sys.argv[1:]), 0
    for case in cases:
        for complaint in complaints_about(case):
            print('FAIL', complaint)
            wrong += 1
    print('%d recipients in %d cases, %d wrong' % (
        sum(len(case.questions) for case in cases), len(cases), wrong))
    sys.exit(1 if wrong or not cases else 0)


if __name__ == '__main__':
    main()
