# SPDX-License-Identifier: BSD-2-Clause
"""What Postfix's own aliasing makes of addresses, many at a time.

A message carries a hundred recipients, each with an ORCPT that names it, so that the queue file
tells whose targets are whose. A loop or limit makes Postfix refuse a whole message at its end:
such a batch is taken apart until the culprits are alone.
"""
import re
import threading

import addresses
from random_tables import SPECIAL_DOMAIN
from smtp_client import SmtpClient

BATCH = 100
NOBODY = 'inline:{ { nobody@nowhere.invalid = x } }'    # a table that knows nobody


class Answer:
    """reply: the refusal, or None. recipients: addresses in external form, domains in lower case;
    specials: numbers of the `error:` and `discard:` entries that it leads to;
    original: the address that was asked as Postfix stores it, completed."""

    def __init__(self, reply=None, origin=''):
        self.reply, self.recipients, self.original, self.origin = reply, [], None, origin
        self.specials = []

    @property
    def is_syntax_error(self):
        """smtpd took it for no address at all, and no milter would see it."""
        return self.reply is not None and self.reply.code in (500, 501, 553, 555)

    def take(self, recipient):
        self.original = recipient.original
        if '@' not in self.original:
            user, mark, host = self.original.rpartition('%')
            self.original = '%s@%s' % ((user, host) if mark else (self.original, self.origin))
        special = special_number(recipient.address)
        if special is not None:
            self.specials.append(special)
            return
        self.recipients.append(addresses.with_lower_domain(addresses.external(recipient.address)))

    def __str__(self):
        return self.reply or ', '.join(
            self.recipients + ['entry %d' % number for number in self.specials]) or 'nobody'


def special_number(address):
    """Of which `error:` or `discard:` entry ADDRESS is the target; None: of none."""
    found = re.match(r'"?entry(\d+).*@%s$' % re.escape(SPECIAL_DOMAIN), address)
    return int(found.group(1)) if found else None


class Native:
    """Asks one tenant of a private Postfix."""

    def __init__(self, postfix, tenant, threads=4):
        self.postfix, self.tenant, self.threads = postfix, tenant, threads

    def ask(self, paths, alone=None):
        """An Answer for each path; ALONE says which are likely to be refused in the end."""
        alone = alone or [False] * len(paths)
        together = [i for i, is_alone in enumerate(alone) if not is_alone]
        batches = [together[i:i + BATCH] for i in range(0, len(together), BATCH)]
        batches += [[i] for i, is_alone in enumerate(alone) if is_alone]
        answers, lock, errors = [None] * len(paths), threading.Lock(), []

        def work():
            try:
                with SmtpClient(self.tenant.where) as client:
                    while True:
                        with lock:
                            if errors or not batches:
                                return
                            batch = batches.pop()
                        self._ask_batch(client, paths, batch, answers)
            except Exception as error:          # pylint: disable=broad-except
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return answers

    def _ask_batch(self, client, paths, batch, answers):
        recipients = ['%s ORCPT=rfc822;n%d' % (paths[i], i) for i in batch]
        sent = client.message(recipients, parameters='SMTPUTF8')
        for i, reply in zip(batch, sent.recipients):
            answers[i] = Answer(None if reply.is_accepted else reply,
                                self.tenant.parameters.get('myorigin', ''))
        accepted = [i for i in batch if answers[i].reply is None]
        if sent.data.queue_id:
            for recipient in self.postfix.take_held(sent.data.queue_id).recipients:
                number = int(re.fullmatch(r'rfc822;n(\d+)', recipient.orcpt).group(1))
                answers[number].take(recipient)
        elif len(accepted) == 1:
            answers[accepted[0]] = Answer(sent.data)
        elif accepted:
            middle = len(accepted) // 2
            self._ask_batch(client, paths, accepted[:middle], answers)
            self._ask_batch(client, paths, accepted[middle:], answers)
