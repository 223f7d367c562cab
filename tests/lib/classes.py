# SPDX-License-Identifier: BSD-2-Clause
"""How answers of openrcpt and of Postfix's own aliasing may differ, and how that is proved.

A class is a name with a check: it holds only if the reason for it can be shown, mostly by asking
Postfix something else. What no class explains is called `unexplained`. doc/postfix-differences.md
has the same names, with the reasons for people.
"""
import collections
import re
import unicodedata

import addresses
import queue_file
from native import Answer, special_number

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


def agree(scenario, ours, theirs):
    """Do the answers mean the same? OURS is an object of `resolve --json`, THEIRS a
    native.Answer. A loop is found by Postfix only at the end of the message."""
    if theirs.specials and not theirs.recipients:
        return agrees_with_entries(scenario, ours, theirs)
    if theirs.reply is not None or ours['reply'] is not None:
        return (theirs.reply is not None and ours['reply'] is not None
                and theirs.reply.status == ' '.join(ours['reply'].split()[:2]))
    return set_of(theirs.recipients) == recipients_of(ours, theirs)


def agrees_with_entries(scenario, ours, theirs):
    """Nobody gets the mail. Of several entries any may be the reason, but `discard:` goes first."""
    statuses = {number: scenario.replies[number] for number in theirs.specials}
    if None in statuses.values():
        return ours['verdict'] == 'discard'
    return any((ours['reply'] or '').startswith(status) and
               ours['reply'].endswith('entry %d' % number) for number, status in statuses.items())


def recipients_of(ours, theirs):
    """Who gets the mail. What is left as it is goes where the address as stored says."""
    if ours['verdict'] in ('foreign', 'deliver'):
        return {addresses.with_lower_domain(addresses.external(theirs.original)).rstrip('.')}
    return set_of(ours['recipients'], addresses.with_lower_domain)


QUOTED = r'"(?:[^"\\]|\\.)*"'
TOUCHING = re.compile(r'[^\s,<>"]+(?:%s[^\s,<>"]*)+|(?:%s){2,}[^\s,]*' % (QUOTED, QUOTED))


def words_that_touch(value):
    """Targets in VALUE that have a word beside a quoted string: for each the one that openrcpt makes
    of it, and the several that Postfix does."""
    for target in TOUCHING.findall(value):
        local, domain = addresses.split(target)
        words = re.findall(QUOTED + '|[^"]+', local)
        joined = addresses.join(''.join(addresses.internal(word + '@x')[:-2] for word in words),
                                domain)
        yield addresses.external(joined), words[:-1] + ['%s@%s' % (words[-1], domain)]


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


def is_accepted(item):
    """By both, and somebody gets the mail."""
    return (item.ours['reply'] is None and item.theirs.reply is None
            and bool(item.theirs.recipients))


def is_odd(address):
    """Has ADDRESS something that no atom may have?"""
    return addresses.external(address).startswith('"') or any(
        mark in addresses.split(address)[0] for mark in '@%!')


class Explainer:
    """open_native: the same tables, but no domain is ours: nobody is refused at RCPT TO."""

    def __init__(self, scenario, workshop, native, open_native):
        self.ours = set_of(scenario.alias + scenario.mailbox, to_ascii)
        self.scenario, self.workshop = scenario, workshop
        self.native, self.open_native = native, open_native

    def is_ours(self, address):
        return to_ascii(addresses.split(address)[1]) in self.ours

    def only_bounces(self, final):
        """Would Postfix bounce these? In an alias domain every address where it stops; in a
        domain with mailboxes those that it would refuse."""
        in_alias_domains = set_of(self.scenario.alias, to_ascii)
        asked = []
        for address in final:
            if not self.is_ours(address):
                return False
            if to_ascii(addresses.split(address)[1]) not in in_alias_domains:
                asked.append('<%s>' % address)
        return all(answer.reply is not None and answer.reply.status == '550 5.1.1'
                   for answer in self.native.ask(asked))

    def dangling(self, item):
        """Targets that could only bounce are left out, of a table that isn't lenient."""
        if item.theirs.reply is not None or self.scenario.is_lenient:
            return False
        kept = set()
        if item.ours['reply'] is None and item.ours['verdict'] != 'discard':
            kept = set_of(recipients_of(item.ours, item.theirs), loose)
        elif item.theirs.specials:
            if not agrees_with_entries(self.scenario, item.ours, item.theirs):
                return False
        elif not re.match(r'550 5\.1\.1 .*table$' if self.is_ours(self.stored(item)) else
                          r'451 4\.6\.0 ', item.ours['reply'] or ''):
            return False
        extra = [one for one in item.theirs.recipients if loose(one) not in kept]
        return (kept < set_of(item.theirs.recipients, loose) and bool(extra)
                and self.only_bounces(extra))

    @staticmethod
    def stored(item):
        """The address that was asked, as Postfix stores it."""
        return addresses.with_lower_domain(addresses.external(item.theirs.original)).rstrip('.')

    def routing(self, item):
        return (item.ours['reply'] or '').startswith('550 5.1.3') and has_routing(item.path)

    def own_targets(self, ours, theirs):
        """Which of the addresses on one side only have a key of which they are a target? In the
        loose form."""
        paths = ['<%s>' % one for one in sorted(set(ours) ^ set(theirs))]
        if not paths:
            return set()
        return {loose(path.strip('<>')) for path, answer, resolved in zip(
            paths, self.open_native.ask(paths), self.workshop.resolve(paths, '-v'))
                if any(step['found'] for step in resolved['steps'])
                and loose(path.strip('<>')) in set_of(answer.recipients, loose)}

    def equal_but_for(self, item, form):
        """The same recipients in FORM? The case of one that is its own target doesn't matter."""
        if not is_accepted(item):
            return False
        ours = recipients_of(item.ours, item.theirs)
        if set_of(ours, loose) != set_of(item.theirs.recipients, loose):
            return False
        own = {loose(self.stored(item))}

        def form_of(address):
            return loose(address) if loose(address) in own else form(address)
        if set_of(ours, form_of) == set_of(item.theirs.recipients, form_of):
            return True
        own |= self.own_targets(set_of(ours, with_ascii_domain),
                                set_of(item.theirs.recipients, with_ascii_domain))
        return set_of(ours, form_of) == set_of(item.theirs.recipients, form_of)

    def spelling(self, item):
        """Its own target, in another case."""
        return self.equal_but_for(item, str)

    def idna_target(self, item):
        """Equal once domains are A-labels; an extension is passed on in the form that came."""
        return self.equal_but_for(item, lambda address: unicodedata.normalize(
            'NFC', with_ascii_domain(address)))

    def normal_form(self, item):
        """Postfix says the same about the address in the spelling of the table."""
        normal = normal_path(item.path)
        if normal == item.path:
            return None
        answer = self.native.ask([normal])[0]
        again = Item(normal, item.ours, answer)
        local, domain = path_parts(item.path)
        if not (agree(self.scenario, item.ours, answer) or self.idna_target(again)
                or self.dangling(again) or self.circle(again)):
            # A pattern may know nothing of the spelling that came, and then it is the keys' turn.
            as_it_came = local + domain
            if unicodedata.normalize('NFC', local + to_unicode(domain)) == as_it_came or \
                    not self.scenario.patterns or not self.is_found_by_key(item):
                return None
        return 'idna' if to_unicode(domain) != domain else (
            'nfc' if unicodedata.normalize('NFC', local + domain) != local + domain else None)

    def is_found_by_key(self, item):
        sources = [step['source'] for step in self.steps(item) if step['found']]
        number = re.match(r'source(\d+):', sources[0]) if sources else None
        return number and self.scenario.sources[int(number.group(1))][0] in ('virtual', 'aliases')

    def deferred_entry(self, item):
        """An entry in a loop defers for all its extensions: Postfix says so of its key."""
        if not (item.ours['reply'] or '').startswith('451 4.6.0') or item.theirs.reply:
            return False
        keys = [step['key'] for step in self.steps(item) if step['found']]
        return bool(keys) and any(
            answer.reply is not None and answer.reply.status == '451 4.6.0'
            for answer in self.native.ask(['<%s>' % key for key in keys if key[0] != '@']))

    def substitution(self, item):
        """Part of an address that isn't made of atoms, put into a result, would have made
        another list of it: refused. Or it makes one address here, words beside a quoted string, and
        of the same letters two for Postfix."""
        if item.theirs.reply is None and (item.ours['verdict'] == 'expand' or (
                item.theirs.specials
                and agrees_with_entries(self.scenario, item.ours, item.theirs))):
            return self.differs_by_words(item)
        return bool(re.match(r'550 5\.1\.3 .*syntax$', item.ours['reply'] or '')
                    and self.substitutes_an_odd_one(item))

    def differs_by_words(self, item):
        """Is what only one of the two has what it makes of words that touch?"""
        cut = [pair for step in self.steps(item) if step['found']
               for pair in words_that_touch(step['value'])]
        ours, theirs = (set_of(some, loose) for some in (
            recipients_of(item.ours, item.theirs), item.theirs.recipients))
        from_one = self.workshop.resolve(['<%s>' % one for one, _ in cut])
        from_several = self.open_native.ask(['<%s>' % one for _, several in cut for one in several])
        return (bool(cut)
                and ours - theirs <= set_of([one for answer, (joined, _) in zip(from_one, cut)
                                             for one in answer['recipients'] or [joined]], loose)
                and theirs - ours <= set_of([one for answer in from_several
                                             for one in answer.recipients], loose))

    def steps(self, item):
        return self.workshop.resolve([item.path], '-v')[0]['steps']

    def substitutes_an_odd_one(self, item):
        on_the_way = [addresses.external(addresses.join(*path_parts(item.path)))] + [
            step['key'] for step in self.steps(item)]
        return any(is_odd(addresses.internal(one)) and table.substitutes(one)
                   for one in on_the_way for table in self.scenario.patterns)

    def no_address(self, item):
        """Put off or left out, since a rule makes no address of it; Postfix delivers what it reads
        into it."""
        reason = self.workshop.resolve([item.path])[0]['reason'] or ''
        if item.theirs.reply or 'makes no address' not in reason:
            return False
        if item.ours['verdict'] != 'expand':
            return ((item.ours['reply'] or '').startswith('451 4.6.0')
                    and self.substitutes_an_odd_one(item))
        left_out = ['<%s>' % step['key'] for step in self.steps(item)
                    if is_odd(addresses.internal(step['key']))
                    and any(table.substitutes(step['key']) for table in self.scenario.patterns)]
        ours, theirs = (set_of(some, loose) for some in (
            recipients_of(item.ours, item.theirs), item.theirs.recipients))
        read_into = [one for answer in self.open_native.ask(left_out)
                     for one in answer.recipients]
        return ours < theirs and theirs - ours <= set_of(read_into, loose)

    def first_look(self, item):
        """smtpd asks before cleanup does, patterns with the folded address: it refuses whom
        cleanup would rewrite as openrcpt does, or accepts whom cleanup leaves where it is."""
        if not self.scenario.patterns:
            return False
        if item.theirs.reply is None:           # smtpd saw a pattern for it, cleanup did not
            return ((item.ours['reply'] or '').startswith('550 5.1.1') and
                    item.theirs.recipients == [self.stored(item)] and
                    not item.theirs.specials and self.is_ours(self.stored(item)))
        if item.theirs.reply.status != '550 5.1.1':
            return False
        answer = self.open_native.ask([item.path])[0]
        again = Item(item.path, item.ours, answer)
        return (agree(self.scenario, item.ours, answer) or self.spelling(again)
                or self.idna_target(again) or self.dangling(again))

    def circle(self, item):
        """Postfix goes round a circle again before it stops at an address of its own, if it does,
        and meets a limit there. All who get the mail from us must be targets on the way."""
        if item.ours['reply'] is not None or item.theirs.reply is None or \
                item.theirs.reply.status != '451 4.6.0':
            return False
        targets = {loose(step['key']): set_of(addresses.split_list(step['value']), loose)
                   for step in self.steps(item)
                   if step['found']}
        if not any(key in values and reaches(targets, values - {key}, key)
                   for key, values in targets.items()):
            return False
        answer = self.open_native.ask([item.path])[0]
        if answer.reply is not None:
            on_the_way = tuple(addresses.split(addresses.internal(one))[0]
                               for one in set().union(*targets.values()))
            return all(loose(addresses.internal(one)).startswith(on_the_way)
                       for one in item.ours['recipients'])
        again = Item(item.path, item.ours, answer)
        return (agree(self.scenario, item.ours, answer) or self.spelling(again)
                or self.idna_target(again) or self.dangling(again))

    def lower_domain(self, item):
        """A pattern is shown the domain of a target in lower case: Postfix goes on to our answer
        when it is asked so for what it stopped at."""
        if item.theirs.reply is not None or not any(
                table.tells_case for table in self.scenario.patterns):
            return False
        further = item.theirs.recipients and self.open_native.ask(
            ['<%s>' % one for one in item.theirs.recipients])
        if not further or any(answer.reply is not None for answer in further):
            return False
        again = Answer(origin=item.theirs.origin)
        again.original = item.theirs.original
        again.recipients = [one for answer in further for one in answer.recipients]
        again.specials = item.theirs.specials + [
            number for answer in further for number in answer.specials]
        return (agree(self.scenario, item.ours, again)
                or self.idna_target(Item(item.path, item.ours, again)))

    def loop_by_case(self, item):
        """Back at the same address, which a pattern takes for another one: its case differs."""
        lower = item.path.lower()
        if not (item.ours['reply'] or '').startswith('451 4.6.0') or lower == item.path or \
                not any(table.tells_case for table in self.scenario.patterns):
            return False
        return agree(self.scenario, self.workshop.resolve([lower])[0],
                     self.native.ask([lower])[0])

    def class_of(self, item):
        for name, holds in (('routing', self.routing),
                            ('case', self.spelling), ('idna', self.idna_target),
                            ('dangling', self.dangling), ('deferred-entry', self.deferred_entry),
                            ('substitution', self.substitution),
                            ('no-address', self.no_address), ('first-look', self.first_look),
                            ('circle', self.circle),
                            ('loop-by-case', self.loop_by_case),
                            ('lower-domain', self.lower_domain)):
            if holds(item):
                return name
        return self.normal_form(item) or UNEXPLAINED


def reaches(targets, begin, end):
    """Does a way along TARGETS, {address: its targets}, lead from one of BEGIN to END?"""
    seen, todo = set(), set(begin)
    while todo:
        seen |= todo
        todo = set().union(*(targets.get(one, ()) for one in todo)) - seen
    return end in seen


def explain(explainer, differing):
    """(class, what differs) for each of DIFFERING: (path, ours, theirs)."""
    for path, ours, theirs in differing:
        name = explainer.class_of(Item(path, ours, theirs))
        yield name, '%s\n    ours:    %s %s\n    Postfix: %s' % (
            path, ours['verdict'], ours['reply'] or ', '.join(ours['recipients']), theirs)


# ---- a whole message -------------------------------------------------------------------

Record = collections.namedtuple('Record', 'address orcpt notify')


def records(envelope, originals):
    """Recipient, ORCPT and NOTIFY of each record. The case of an original doesn't matter."""
    found = []
    for one in envelope.recipients if envelope else []:
        address = with_ascii_domain(addresses.external(one.address)).rstrip('.')
        if loose(one.address).rstrip('.') in originals:
            address = address.casefold()
        if special_number(one.address) is None:
            found.append(Record(address, one.orcpt, one.notify))
    return found


def explain_refusals(explainer, paths, replies):
    """What openrcptd refused of messages, asked of Postfix alone: {path: (class, what differs)},
    a class of None where it says the same."""
    found = {}
    for path, reply, theirs in zip(paths, replies, explainer.native.ask(paths)):
        ours = {'verdict': 'refused', 'reply': str(reply), 'recipients': []}
        item = Item(path, ours, theirs)
        name = None
        if not agree(explainer.scenario, ours, theirs):
            name = explainer.class_of(item)
        elif theirs.reply is not None and theirs.reply.status == '451 4.6.0':
            name = 'early-defer'
        found[path] = name, '%s\n    ours:    %s\n    Postfix: %s' % (path, reply, theirs)
    return found


def explain_message(explainer, message, theirs, ours):
    """(class, what differs) of a message: what Postfix did itself, and with openrcptd."""
    (sent, envelope), (sent_by_us, our_envelope) = theirs, ours
    if any(reply.code == 501 for reply in sent.recipients):
        message = [one for one, reply in zip(message, sent.recipients) if reply.code != 501]
    for one, before, after in zip(message, sent.recipients, sent_by_us.recipients):
        if before.status != after.status:
            answer = Item(path_of(one), explainer.workshop.resolve([path_of(one)])[0],
                          explainer.native.ask([path_of(one)])[0])
            yield explainer.class_of(answer), '%s %s %s' % (one, before, after)
            return
    if sent.data.status != sent_by_us.data.status:
        yield 'final', '%s\n    %s' % (sent.data, sent_by_us.data)
        return
    originals = []
    for one in message:
        local, domain = path_parts(path_of(one))
        originals.append(loose(addresses.join(local, domain or explainer.scenario.origin)))
    their_records, typed = records(envelope, originals), records(our_envelope, originals)
    own = explainer.own_targets(*([record.address for record in some]
                                  for some in (typed, their_records)))
    their_records, typed = (
        [record._replace(address=record.address.casefold())
         if loose(record.address) in own else record for record in some]
        for some in (their_records, typed))
    untyped = [with_rfc822(record) for record in typed]
    if untyped != typed:
        yield 'utf8-orcpt', [record.orcpt for record in typed]
    if explainer.scenario.is_plain:
        differences = plain_records(their_records, untyped, originals)
    else:
        differences = merged_records(their_records, untyped, originals)
    differences = list(differences)
    if any(name == UNEXPLAINED for name, _, _ in differences):
        substituted = {class_substituted(explainer, path_of(one)) for one in message} - {None}
        differences = [(min(substituted) if substituted and name == UNEXPLAINED else name, what,
                        missing) for name, what, missing in differences]
    for name, what, missing in differences:
        is_dead = missing and name == UNEXPLAINED and explainer.only_bounces([missing])
        yield ('dangling' if is_dead else name), what


def class_substituted(explainer, path):
    """The class where PATH alone is answered otherwise by a substitution, or None."""
    if not explainer.scenario.patterns:
        return None
    item = Item(path, explainer.workshop.resolve([path])[0], explainer.native.ask([path])[0])
    name = (None if agree(explainer.scenario, item.ours, item.theirs) else
            explainer.class_of(item))
    return name if name in ('substitution', 'no-address') else None


def with_rfc822(record):
    """Postfix calls the original rfc822 also where it has letters beyond ASCII; it is utf-8."""
    kind, _, text = record.orcpt.partition(';')
    if kind == 'utf-8' and not text.isascii():
        return record._replace(orcpt='rfc822;' + text)
    return record


def folded_record(record):
    """Two records that are equal so are one for Postfix."""
    return record._replace(address=record.address.casefold(), orcpt=record.orcpt.casefold())


def plain_records(theirs, ours, originals):
    """(class, what, address that is missing) with dsn_success = native, merge_duplicates = false:
    the same multiset. But an original that is
    its own target stays in place, with SUCCESS; and of two originals with one target and one
    ORCPT Postfix drops the second addition, also where the ORCPT of one is `utf-8;` with us."""
    missing = collections.Counter(theirs) - collections.Counter(ours)
    extra = collections.Counter(ours) - collections.Counter(theirs)
    for record in list(extra.elements()):
        without = [other for other in missing if other[:2] == record[:2]
                   and notify_fits(other.notify, record.notify)]
        if without and loose(addresses.internal(record.address)) in originals:
            yield 'self-success', '%s instead of %s' % (record, without[0]), None
            missing -= collections.Counter(without[:1])
        else:
            is_same = (not record.orcpt.isascii()
                       and folded_record(record) in map(folded_record, theirs))
            yield ('same-orcpt' if is_same else UNEXPLAINED), 'too much: %s' % (record,), None
    for record in missing:
        yield ('same-orcpt' if record in ours else UNEXPLAINED, 'missing: %s' % (record,),
               record.address)


def merged_records(theirs, ours, originals):
    """The defaults: one record for each recipient, in whatever case, one of those that Postfix
    has; SUCCESS may be kept where an alias has one target. What the client gave twice and no alias
    is stays twice."""
    theirs, ours = ([record._replace(address=record.address.casefold()) for record in some]
                    for some in (theirs, ours))
    found = collections.Counter(record.address for record in ours)
    for address, count in found.items():
        if count > max(1, originals.count(loose(addresses.internal(address)))):
            yield UNEXPLAINED, '%s is there %d times' % (address, count), None
    for record in ours:
        group = [one for one in theirs if one.address == record.address]
        # Of two that differ in case alone Postfix keeps the first.
        is_original = loose(addresses.internal(record.address)) in originals
        if not group:
            yield UNEXPLAINED, 'too much: %s' % (record,), None
        elif not any((one.orcpt == record.orcpt or (
                is_original and one.orcpt.casefold() == record.orcpt.casefold()))
                     and notify_fits(one.notify, record.notify) for one in group):
            yield UNEXPLAINED, 'parameters: %s instead of %s' % (record, group), None
    for address in {one.address for one in theirs} - set(found):
        yield UNEXPLAINED, 'missing: %s' % address, address


def notify_fits(theirs, ours):
    kept = ours & ~queue_file.SUCCESS
    return ours == theirs or (bool(ours & queue_file.SUCCESS) and (
        kept == theirs or (theirs == queue_file.NEVER and kept == 0)))
