# SPDX-License-Identifier: BSD-2-Clause
"""A whole mail system on loopback: openrcptd, a Postfix that asks it, a sink where mail ends.

    with MailSystem(TABLE, ['alias.example']) as system:
        system.send(['ann@alias.example'])
        system.delivered()      # who got the message at the sink

Whatever Postfix doesn't deliver itself goes to the sink, which is its relay host. Unlike a Postfix
alone it delivers; `hold=True` keeps mail for a look into its queue file.
"""
import contextlib

import harness
import private_postfix
import smtp_client
from daemon import Daemon
from private_postfix import PrivatePostfix
from smtp_sink import SmtpSink

BUSY = ('maildrop', 'incoming', 'active', 'deferred')   # in the order in which mail moves


class MailSystem(harness.Started):
    """parameters: of main.cf, on top of the recipe for DOMAINS. settings: of openrcpt.conf.
    native: tenants behind Postfix's own aliasing with the same table, {name: parameters}."""

    def __init__(self, table, domains, settings=None, parameters=None, services='', hold=False,
                 native=None):
        with contextlib.ExitStack() as stack:
            self.sink = stack.enter_context(contextlib.closing(SmtpSink()))
            self.daemon = stack.enter_context(contextlib.closing(Daemon(table, settings)))
            self.postfix = stack.enter_context(contextlib.closing(PrivatePostfix({
                **private_postfix.behind_milter(domains, self.daemon.socket),
                'non_smtpd_milters': private_postfix.milter_entry(self.daemon.socket),
                'internal_mail_filter_classes': 'bounce', 'recipient_delimiter': '+',
                'relayhost': '[127.0.0.1]:%d' % self.sink.port, **(parameters or {})},
                hold=hold, services=services)))
            self.native = {}
            for name, changes in (native or {}).items():
                self.native[name] = self.postfix.add_tenant(name, {
                    'virtual_alias_maps': self.postfix.add_table('table-' + name, table),
                    'virtual_alias_domains': ' '.join(domains), 'smtpd_milters': '',
                    'recipient_delimiter': '+', **changes})
            self.stack = stack.pop_all()

    def start(self):
        self.daemon.start()
        self.postfix.start()
        return self

    def close(self):
        self.stack.close()

    # ---- mail --------------------------------------------------------------------------

    def client(self, where=None):
        """A session."""
        return smtp_client.SmtpClient(where or self.postfix.where)

    def send(self, recipients, where=None, **options):
        """One message in a session of its own; see SmtpClient.message()."""
        with self.client(where) as client:
            return client.message(recipients, **options)

    def submit(self, recipients, **options):
        """One message by sendmail(1)."""
        return self.postfix.sendmail(recipients, **options)

    def settle(self):
        """Wait until Postfix has nothing left to do."""
        def is_quiet():
            return not self.postfix.queue_files(*BUSY)

        def is_settled():
            # A message may go on behind our back, from a folder that we haven't looked into yet
            # to one that we have; but whoever moves it writes a line.
            size = self.postfix.log_size()
            return is_quiet() and is_quiet() and self.postfix.log_size() == size

        harness.wait_until(is_settled, 'the queue is empty', nudge=self.postfix.retry)

    def messages(self):
        """What arrived at the sink once Postfix is done; the sink is empty afterwards."""
        self.settle()
        found = list(self.sink.messages)
        self.sink.clear()
        return found

    def delivered(self):
        """Who got mail at the sink: addresses without brackets, sorted, repeated where it came
        twice."""
        return sorted(path.strip('<>') for message in self.messages()
                      for path, _ in message.recipients)

    def queued(self, reply):
        """(recipient, ORCPT, NOTIFY), sorted, of a message on hold."""
        envelope = self.postfix.take_held(reply.queue_id)
        return sorted((one.address, one.orcpt, one.notify) for one in envelope.recipients)


def split_bounces(messages):
    """Messages with a sender, and those without: delivery reports."""
    return ([one for one in messages if one.sender[0] != '<>'],
            [one for one in messages if one.sender[0] == '<>'])


def report_fields(message):
    """The fields about recipients in a delivery report: [{name: value}], names in lower case."""
    blocks, block = [], {}
    inside = False
    for line in message.text.split('\n'):
        if line.lower().startswith('content-type: message/'):
            inside = 'delivery-status' in line.lower()
        if line.startswith('--') and inside and block:
            inside = False
        if not line and block:
            blocks.append(block)
            block = {}
        if inside and ': ' in line and not line[0].isspace():
            name, _, value = line.partition(': ')
            block[name.lower()] = value
    return [one for one in blocks + [block] if 'final-recipient' in one]
