#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""openrcpt against Postfix itself, over tables, addresses and messages made up at random.

    differential.py [--resolutions N] [--messages M] [--seed SEED] [--list]

Resolutions: each address is asked of `rcptmap resolve` and of a real Postfix with the same table
as its virtual_alias_maps. Messages: each is sent to that Postfix and to one with openrcptd as its
milter; their queue files are compared, recipient, ORCPT and NOTIFY.

Every difference has to belong to a class that doc/postfix-differences.md explains under the
anchor of that name (`<a id="CLASS"></a>`); any other one fails. The seed is printed: the same one
makes the same tables and questions.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import case_file
import classes
import harness
import private_postfix
import smtp_client
from daemon import Daemon
from native import Native, NOBODY
from private_postfix import PrivatePostfix
from random_tables import SPECIAL_TABLE, Scenario
from rcptmap import Workshop, libconfig_text
from smtp_client import SmtpClient

DOCUMENT = harness.SOURCE / 'doc' / 'postfix-differences.md'
SCENARIOS_AT_A_TIME = 16
SHOWN = 20              # differences that are printed in full
THREADS = 4
SYNTAX_ERRORS = (500, 501, 553, 555)    # smtpd's: no milter sees such an address


def documented_classes():
    """The anchors of the document about differences."""
    if not DOCUMENT.exists():
        return set()
    return set(re.findall(r'<a (?:id|name)="([\w-]+)">', DOCUMENT.read_text(encoding='utf-8')))


class Tally:
    """Counts differences by class, and shows the first few that nobody has explained."""

    def __init__(self, is_listing):
        self.known, self.is_listing = documented_classes(), is_listing
        self.counts, self.asked = collections.Counter(), collections.Counter()
        self.unexplained = 0

    def add(self, name, scenario, what):
        self.counts[name] += 1
        is_explained = name in self.known
        self.unexplained += not is_explained
        if self.is_listing or (not is_explained and self.counts[name] <= SHOWN):
            print('%s %s: %s' % (name, scenario.seed, what))

    def report(self):
        for kind, count in self.asked.items():
            print('%d %s' % (count, kind))
        for name, count in sorted(self.counts.items()):
            print('  %6d differ: %s%s' % (count, name, '' if name in self.known else
                                          '    NOT in doc/postfix-differences.md'))
        return 1 if self.unexplained or not sum(self.asked.values()) else 0


def common_parameters(scenario):
    settings = case_file.parse_settings(libconfig_text(scenario.settings))
    return {**case_file.postfix_parameters(settings),
            'duplicate_filter_limit': '0', 'virtual_mailbox_domains': ' '.join(scenario.mailbox)}


def native_parameters(scenario, tables):
    return {**common_parameters(scenario), 'virtual_alias_maps': tables,
            'virtual_alias_domains': ' '.join(scenario.alias), 'virtual_mailbox_maps': NOBODY}


def milter_parameters(scenario, socket):
    return {**common_parameters(scenario), 'virtual_mailbox_maps': '',
            **private_postfix.behind_milter(scenario.alias, socket)}


def open_parameters(scenario, tables):
    """No domain is ours, no limit is low."""
    return {**common_parameters(scenario), 'virtual_alias_maps': tables,
            'virtual_alias_domains': '', 'virtual_mailbox_domains': '', 'relay_domains': '',
            'virtual_mailbox_maps': '', 'virtual_alias_expansion_limit': '1000',
            'virtual_alias_recursion_limit': '1000'}


def add_tables(postfix, name, scenario):
    """The sources for Postfix: the value of virtual_alias_maps."""
    sources = [('pcre', SPECIAL_TABLE), *scenario.native_sources]
    return ', '.join(postfix.add_table('%s-%d' % (name, number), text, kind)
                     for number, (kind, text) in enumerate(sources))


class Natives:
    """Two tenants for a scenario: Postfix's own aliasing, and the same without domains of ours
    and low limits."""

    def __init__(self, postfix, number, scenario):
        tables = add_tables(postfix, 'table%d' % number, scenario)
        self.tenant = postfix.add_tenant('n%d' % number, native_parameters(scenario, tables))
        open_tenant = postfix.add_tenant('o%d' % number, open_parameters(scenario, tables))
        self.native = Native(postfix, self.tenant, THREADS)
        self.open_native = Native(postfix, open_tenant, THREADS)


def compile_options(scenario):
    return ['--lenient'] if scenario.is_lenient else []


def scenarios(seed, kind, count, is_strict):
    """is_strict: a function of the number."""
    return [Scenario('%s-%s-%d' % (seed, kind, number), is_strict(number))
            for number in range(count)]


# ---- resolutions -----------------------------------------------------------------------


def compare_resolutions(scenario, workshop, natives, count, tally):
    paths = scenario.questions(count)
    ours = workshop.resolve(paths)
    theirs = natives.native.ask(paths, [answer['verdict'] == 'defer' for answer in ours])
    asked = [(path, mine, other) for path, mine, other in zip(paths, ours, theirs)
             if not other.is_syntax_error]
    tally.asked['resolutions'] += len(asked)
    differing = [item for item in asked if not classes.agree(scenario, item[1], item[2])]
    explainer = classes.Explainer(scenario, workshop, natives.native, natives.open_native)
    for name, what in classes.explain(explainer, differing):
        tally.add(name, scenario, what)


def run_resolutions(options, tally):
    count = max(SCENARIOS_AT_A_TIME, options.resolutions // 1500)
    per_scenario = -(-options.resolutions // count)
    todo = scenarios(options.seed, 'r', count, lambda number: number % 2 == 1)
    while todo:
        some, todo = todo[:SCENARIOS_AT_A_TIME], todo[SCENARIOS_AT_A_TIME:]
        postfix, workshops, natives = PrivatePostfix(), [], []
        try:
            for number, scenario in enumerate(some):
                workshops.append(Workshop(scenario.sources, scenario.settings))
                workshops[-1].compile(*compile_options(scenario))
                natives.append(Natives(postfix, number, scenario))
            with postfix:
                for scenario, workshop, native in zip(some, workshops, natives):
                    compare_resolutions(scenario, workshop, native, per_scenario, tally)
        finally:
            for workshop in workshops:
                workshop.close()
            postfix.close()


# ---- messages --------------------------------------------------------------------------


NOT_SENT = smtp_client.Sent(None, [], smtp_client.Reply('554 5.5.1 Error: no valid recipients'))


def send_all(postfix, tenant, messages):
    """For each message what was sent, and the envelope or None."""
    results = [(NOT_SENT, None)] * len(messages)

    def work(first):
        with SmtpClient(tenant.where) as client:
            for number in range(first, len(messages), THREADS):
                if messages[number]:
                    is_wide = number % 2 or not ''.join(messages[number]).isascii()
                    sent = client.message(messages[number],
                                          parameters='SMTPUTF8' if is_wide else '')
                    results[number] = (sent, take_held(postfix, sent.data.queue_id))

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, first) for first in range(THREADS)]:
            done.result()
    return results


def take_held(postfix, queue_id):
    """The envelope; None: not queued, or discarded."""
    try:
        return postfix.take_held(queue_id) if queue_id else None
    except FileNotFoundError:
        return None


def compare_messages(postfix, scenario, daemon, natives, tenant, count, tally):
    """Whom openrcptd refuses Postfix is asked alone. Where that is settled it doesn't get them in
    the message, so that the rest can be compared."""
    messages = [scenario.message() for _ in range(count)]
    ours = send_all(postfix, tenant, messages)
    explainer = classes.Explainer(scenario, daemon, natives.native, natives.open_native)
    refusals = {}
    for number, (message, (sent, _)) in enumerate(zip(messages, ours)):
        for one, reply in zip(message, sent.recipients):
            if not reply.is_accepted and reply.code not in SYNTAX_ERRORS:
                refusals[classes.path_of(one)] = reply
    explained = classes.explain_refusals(explainer, list(refusals), list(refusals.values()))
    reduced = []
    for number, (message, (sent, envelope)) in enumerate(zip(messages, ours)):
        tally.asked['messages'] += 1
        kept = []
        for one, reply in zip(message, sent.recipients):
            name, what = explained.get(classes.path_of(one), (None, None))
            if name is not None and not reply.is_accepted:
                tally.add(name, scenario, what)
            if reply.is_accepted or classes.path_of(one) not in explained:
                kept.append((one, reply))
        reduced.append([one for one, _ in kept])
        ours[number] = (sent._replace(recipients=[reply for _, reply in kept]), envelope)
    theirs = send_all(postfix, natives.tenant, reduced)
    for message, their, our in zip(reduced, theirs, ours):
        for name, what in classes.explain_message(explainer, message, their, our):
            tally.add(name, scenario, '%s\n    %s' % (message, what))


def run_messages(options, tally):
    count = max(8, options.messages // 150)
    per_scenario = -(-options.messages // count)
    # Strict tables: a message with one recipient in a loop tells nothing about the others.
    todo = scenarios(options.seed, 'm', count, lambda number: True)
    while todo:
        some, todo = todo[:SCENARIOS_AT_A_TIME], todo[SCENARIOS_AT_A_TIME:]
        postfix, daemons, natives, tenants = PrivatePostfix(), [], [], []
        try:
            for number, scenario in enumerate(some):
                # Half of them as close to Postfix as it gets, half with the defaults.
                scenario.is_plain = number % 2 == 0
                settings = dict(scenario.settings)
                if scenario.is_plain:
                    settings.update(dsn_success='native', merge_duplicates=False)
                daemons.append(Daemon(scenario.sources, settings,
                                      compile_options=compile_options(scenario)))
                daemons[-1].spawn()
                natives.append(Natives(postfix, number, scenario))
                tenants.append(postfix.add_tenant(
                    'm%d' % number, milter_parameters(scenario, daemons[-1].socket)))
            for daemon in daemons:
                daemon.wait_until_ready()
            with postfix:
                for scenario, daemon, native, tenant in zip(some, daemons, natives, tenants):
                    compare_messages(postfix, scenario, daemon, native, tenant, per_scenario,
                                     tally)
        finally:
            for daemon in daemons:
                daemon.close()
            postfix.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--resolutions', type=int, default=None, metavar='N')
    parser.add_argument('--messages', type=int, default=None, metavar='M')
    parser.add_argument('--seed', default=os.environ.get('OPENRCPT_SEED') or '2026')
    parser.add_argument('--list', action='store_true', help='print every difference')
    options = parser.parse_args()
    if options.resolutions is None and options.messages is None:
        options.resolutions, options.messages = 20000, 1000
    harness.require('postfix', 'rcptmap', *(['openrcptd'] if options.messages else []))
    harness.end_orderly()
    print('seed %s' % options.seed)
    tally, start = Tally(options.list), time.monotonic()
    if options.resolutions:
        run_resolutions(options, tally)
    if options.messages:
        run_messages(options, tally)
    status = tally.report()
    print('%d s, %s' % (time.monotonic() - start, 'FAILED' if status else 'ok'))
    sys.exit(status)


if __name__ == '__main__':
    main()
