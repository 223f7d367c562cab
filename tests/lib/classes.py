# SPDX-License-Identifier: BSD-2-Clause
"""How answers of openrcpt and of Postfix's own aliasing may differ, and how that is proved.

A class is a name with a check: it holds only if the reason for it can be shown, mostly by asking
Postfix something else. What no class explains is called `unexplained`. doc/postfix-differences.md
has the same names, with the reasons for people.
"""
import collections
import unicodedata

import addresses
import queue_file

UNEXPLAINED = 'unexplained'


def to_ascii(domain):
    try:
        return domain.lower().encode('idna').decode()
    except UnicodeError:
        return domain


def to_unicode(domain):
    try:
        return domain.encode().decode('idna') if 'xn--' in domain.lower() else domain
    except UnicodeError:
        return domain


def with_ascii_domain(address):
    local, domain = addresses.split(address)
    return addresses.join(local, to_ascii(domain))


def loose(address):
    """One form for all spellings of an address."""
    return unicodedata.normalize('NFC', with_ascii_domain(address).casefold())


def set_of(items, form=lambda item: item):
    return {form(item) for item in items}


# ---- one address -----------------------------------------------------------------------


def agree(ours, theirs):
    """Do the answers mean the same? OURS is an object of `resolve --json`, THEIRS a
    native.Answer. A loop is found by Postfix only at the end of the message."""
    if theirs.reply is not None or ours['reply'] is not None:
        return (theirs.reply is not None and ours['reply'] is not None
                and theirs.reply.status == ' '.join(ours['reply'].split()[:2]))
    return set_of(theirs.recipients) == recipients_of(ours, theirs)


def recipients_of(ours, theirs):
    """Who gets the mail. What is left as it is goes where the address as stored says."""
    if ours['verdict'] in ('foreign', 'deliver'):
        return {addresses.with_lower_domain(addresses.external(theirs.original)).rstrip('.')}
    return set_of(ours['recipients'], addresses.with_lower_domain)


def path_of(recipient):
    """Without the ESMTP parameters."""
    return recipient.rpartition('>')[0] + '>'


def path_parts(path):
    """Local part and domain of a path as sent, roughly: no quotes, route or remarks."""
    text = addresses.internal(path.strip('<> ')).replace('(remark)', '').strip()
    if text.startswith('@') and ':' in text:
        text = text.partition(':')[2]
    local, domain = addresses.split(text)
    return local, domain.rstrip('.')


def has_routing(path):
    local, _ = path_parts(path)
    return any(mark in local for mark in '@%!')


def normal_path(path):
    """The address as the table would spell it."""
    local, domain = path_parts(path)
    domain = unicodedata.normalize('NFC', to_unicode(domain))
    return '<%s>' % addresses.external(addresses.join(unicodedata.normalize('NFC', local), domain))


Item = collections.namedtuple('Item', 'path ours theirs')


class Explainer:
    def __init__(self, scenario, workshop, native):
        self.ours = set_of(scenario.alias + scenario.mailbox, to_ascii)
        self.workshop, self.native = workshop, native

    def is_ours(self, address):
        return to_ascii(addresses.split(address)[1]) in self.ours

    def only_bounces(self, addresses_in_question):
        """Would Postfix bounce these? It refuses them, or leaves them in the alias domain."""
        asked = ['<%s>' % address for address in addresses_in_question]
        for address, answer in zip(addresses_in_question, self.native.ask(asked)):
            stays = address.casefold() in set_of(answer.recipients, str.casefold)
            refused = answer.reply is not None and answer.reply.status == '550 5.1.1'
            if not self.is_ours(address) or not (stays or refused):
                return False
        return True

    def dangling(self, item):
        """Targets that could only bounce are left out."""
        if item.theirs.reply is not None:
            return False
        if item.ours['reply'] is not None and not item.ours['reply'].startswith('550 5.1.1'):
            return False
        kept = set() if item.ours['reply'] else set_of(
            recipients_of(item.ours, item.theirs), loose)
        extra = [one for one in item.theirs.recipients if loose(one) not in kept]
        return (kept < set_of(item.theirs.recipients, loose) and bool(extra)
                and self.only_bounces(extra))

    def routing(self, item):
        return (item.ours['reply'] or '').startswith('550 5.1.3') and has_routing(item.path)

    def postmaster(self, item):
        """Without a domain it is left to the MTA, key or not."""
        local, domain = path_parts(item.path)
        return item.ours['verdict'] == 'foreign' and (
            local.casefold(), domain) == ('postmaster', '')

    def spelling(self, item):
        """Equal but for upper and lower case."""
        if item.ours['reply'] is not None or item.theirs.reply is not None:
            return False
        return (set_of(recipients_of(item.ours, item.theirs), str.casefold)
                == set_of(item.theirs.recipients, str.casefold))

    def idna_target(self, item):
        """Equal once domains are A-labels."""
        if item.ours['reply'] is not None or item.theirs.reply is not None:
            return False
        return (set_of(recipients_of(item.ours, item.theirs), loose)
                == set_of(item.theirs.recipients, loose))

    def normal_form(self, item):
        """Postfix says the same about the address in the spelling of the table."""
        normal = normal_path(item.path)
        if normal == item.path:
            return None
        answer = self.native.ask([normal])[0]
        again = Item(normal, item.ours, answer)
        if not (agree(item.ours, answer) or self.idna_target(again) or self.dangling(again)):
            return None
        local, domain = path_parts(item.path)
        return 'idna' if to_unicode(domain) != domain else (
            'nfc' if unicodedata.normalize('NFC', local + domain) != local + domain else None)

    def deferred_entry(self, item):
        """An entry in a loop defers for all its extensions: Postfix says so of its key."""
        if not (item.ours['reply'] or '').startswith('451 4.6.0') or item.theirs.reply:
            return False
        steps = self.workshop.resolve([item.path], '-v')[0]['steps']
        keys = [step['key'] for step in steps if step['found']]
        return bool(keys) and any(
            answer.reply is not None and answer.reply.status == '451 4.6.0'
            for answer in self.native.ask(['<%s>' % key for key in keys if key[0] != '@']))

    def class_of_change(self, changed, sent, refusals):
        """Recipients of a message that Postfix accepted and openrcptd didn't, or later."""
        if sent.data.status == '451 4.6.0':
            return 'early-defer'
        targets = [target for answer in self.native.ask([path_of(one) for one in changed])
                   for target in answer.recipients]
        if '550 5.6.7' in refusals and not all(
                addresses.split(target)[0].isascii() for target in targets):
            return 'smtputf8'
        return 'dangling' if targets and self.only_bounces(targets) else UNEXPLAINED

    def class_of(self, item):
        for name, holds in (('postmaster', self.postmaster), ('routing', self.routing),
                            ('case', self.spelling), ('idna', self.idna_target), ('dangling', self.dangling),
                            ('deferred-entry', self.deferred_entry)):
            if holds(item):
                return name
        return self.normal_form(item) or UNEXPLAINED


def explain(scenario, workshop, native, differing):
    """(class, what differs) for each of DIFFERING: (path, ours, theirs)."""
    explainer = Explainer(scenario, workshop, native)
    for path, ours, theirs in differing:
        name = explainer.class_of(Item(path, ours, theirs))
        yield name, '%s\n    ours:    %s %s\n    Postfix: %s' % (
            path, ours['verdict'], ours['reply'] or ', '.join(ours['recipients']), theirs)


# ---- a whole message -------------------------------------------------------------------

Record = collections.namedtuple('Record', 'address orcpt notify')


def records(envelope):
    """Recipient, ORCPT and NOTIFY of each record."""
    return [Record(with_ascii_domain(addresses.external(one.address)).rstrip('.').casefold(),
                   one.orcpt, one.notify) for one in envelope.recipients]


def explain_message(scenario, native, message, theirs, ours):
    """(class, what differs) of a message: what Postfix did itself, and with openrcptd."""
    explainer = Explainer(scenario, None, native)
    (sent, envelope), (sent_by_us, our_envelope) = theirs, ours
    if any(reply.code == 501 for reply in sent.recipients):
        message = [one for one, reply in zip(message, sent.recipients) if reply.code != 501]
    changed = [one for one, before, after in zip(message, sent.recipients, sent_by_us.recipients)
               if before.status != after.status]
    if changed:
        refusals = {reply.status for reply in sent_by_us.recipients if not reply.is_accepted}
        yield explainer.class_of_change(changed, sent, refusals), changed
        return
    if envelope is None or our_envelope is None:
        if sent.data.status != sent_by_us.data.status:
            yield 'final', '%s\n    %s' % (sent.data, sent_by_us.data)
        return
    typed = records(our_envelope)
    untyped = [with_rfc822(record) for record in typed]
    if untyped != typed:
        yield 'utf8-orcpt', [record.orcpt for record in typed]
    originals = []
    for one in message:
        local, domain = path_parts(path_of(one))
        originals.append(loose(addresses.join(local, domain or scenario.origin)))
    if scenario.is_plain:
        differences = plain_records(records(envelope), untyped, originals)
    else:
        differences = merged_records(records(envelope), untyped, originals)
    for name, what, missing in differences:
        is_dead = missing and name == UNEXPLAINED and explainer.only_bounces([missing])
        yield ('dangling' if is_dead else name), what


def with_rfc822(record):
    """Postfix calls the original rfc822 also where it has letters beyond ASCII; it is utf-8."""
    kind, _, text = record.orcpt.partition(';')
    if kind == 'utf-8' and not text.isascii():
        return record._replace(orcpt='rfc822;' + text)
    return record


def plain_records(theirs, ours, originals):
    """(class, what, address that is missing) with dsn_success = native, merge_duplicates = false:
    the same multiset. But an original that is
    its own target stays in place, with SUCCESS; and of two originals with one target and one
    ORCPT Postfix drops the second addition."""
    missing = collections.Counter(theirs) - collections.Counter(ours)
    extra = collections.Counter(ours) - collections.Counter(theirs)
    for record in list(extra.elements()):
        without = [other for other in missing if other[:2] == record[:2]
                   and notify_fits(other.notify, record.notify)]
        if without and loose(addresses.internal(record.address)) in originals:
            yield 'self-success', '%s instead of %s' % (record, without[0]), None
            missing -= collections.Counter(without[:1])
        else:
            yield UNEXPLAINED, 'too much: %s' % (record,), None
    for record in missing:
        yield ('same-orcpt' if record in ours else UNEXPLAINED, 'missing: %s' % (record,),
               record.address)


def merged_records(theirs, ours, originals):
    """The defaults: one record for each recipient, one of those that Postfix has; SUCCESS may be
    kept where an alias has one target. What the client gave twice and no alias is stays twice."""
    found = collections.Counter(record.address for record in ours)
    for address, count in found.items():
        if count > max(1, originals.count(loose(addresses.internal(address)))):
            yield UNEXPLAINED, '%s is there %d times' % (address, count), None
    for record in ours:
        group = [one for one in theirs if one.address == record.address]
        if not group:
            yield UNEXPLAINED, 'too much: %s' % (record,), None
        elif not any(one.orcpt == record.orcpt and notify_fits(one.notify, record.notify)
                     for one in group):
            yield UNEXPLAINED, 'parameters: %s instead of %s' % (record, group), None
    for address in {one.address for one in theirs} - set(found):
        yield UNEXPLAINED, 'missing: %s' % address, address


def notify_fits(theirs, ours):
    kept = ours & ~queue_file.SUCCESS
    return ours == theirs or (bool(ours & queue_file.SUCCESS) and (
        kept == theirs or (theirs == queue_file.NEVER and kept == 0)))
