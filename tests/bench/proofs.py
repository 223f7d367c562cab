# SPDX-License-Identifier: BSD-2-Clause
"""The proof, on tables that are easy and on tables that are not: CPU time with and without it."""
import random

import look_ups
import run

CHAIN = 200000          # aliases in a row, far over limits.recursion
LIST = 300              # recipients of a list
DANGLING, LOOPING = 0.2, 0.01   # shares of the rows of a first import


def chain(size):
    """Aliases that lead to each other one by one, a fifth of the table at most."""
    count = min(CHAIN, size // 5)
    yield 'chain.example\tanything\n'
    for number in range(count):
        yield 'u%d@chain.example\tu%d@%s.example\n' % (
            number, number + 1, 'chain' if number + 1 < count else 'far')


def sound_chains(size):
    """The same in pieces that are just within the limit."""
    yield 'chains.example\tanything\n'
    for number in range(min(CHAIN, size // 5)):
        is_last = number % 900 == 899
        yield 'u%d@chains.example\tu%d@%s.example\n' % (
            number, number + 1, 'far' if is_last else 'chains')
    yield 'u%d@chains.example\tx@far.example\n' % min(CHAIN, size // 5)


def lists(size):
    """Lists of people who are keys, lists of lists, and many who lead to one of them."""
    people, many = size // 5, size // 5
    yield 'lists.example\tanything\n'
    for number in range(people):
        yield 'u%d@lists.example\tu%d@far.example\n' % (number, number)
    for number in range(people // LIST):
        yield 'list%d@lists.example\t%s\n' % (number, ', '.join(
            'u%d@lists.example' % (number * LIST + member) for member in range(LIST)))
        yield 'both%d@lists.example\tlist%d@lists.example, list%d@lists.example\n' % (
            number, number, number * 7 % (people // LIST))
    for number in range(many):
        yield 'to%d@lists.example\tboth%d@lists.example\n' % (number, number % (people // LIST))


def rows(source):
    """Lines, each with those that continue it."""
    row = ''
    for line in source:
        if row and not line.startswith((' ', '\t')):
            yield row
            row = ''
        row += line
    yield row


def first_import(source):
    """Some targets have no key, some lead back: what a first import is like."""
    pick = random.Random(42)
    domain, key_before = '', ''
    for row in rows(source):
        key, separator, value = row.partition('\t')
        if not separator or key.startswith('#'):
            yield row
            continue
        if '@' not in key:
            domain = key
        chance = pick.random()
        if '@' in key and domain and chance < DANGLING:
            value = 'nobody%d@%s\n' % (pick.randrange(1000), domain)
        elif '@' in key[1:] and chance < DANGLING + LOOPING and key_before:
            yield 'loop.%s\t%s\n' % (key, key)
            value = 'loop.%s\n' % key
        key_before = key
        yield '%s\t%s' % (key, value)


def shuffled(source):
    all_rows = list(rows(source))
    random.Random(42).shuffle(all_rows)
    return all_rows


def make(place, size, kind):
    """The table of that kind, made from the one that look_ups made."""
    path = place.data(size, kind + '.txt')
    if path.exists():
        return path
    with open(place.data(size, 'txt'), encoding='utf-8') as source, \
            open(path, 'w', encoding='utf-8') as out:
        changed = {'shuffled': shuffled, 'first import': first_import}.get(kind)
        out.writelines(source if changed is None else changed(source))
        more = {'chain': chain, 'sound chains': sound_chains, 'lists': lists}.get(kind)
        out.writelines(() if more is None else more(size))
    return path


KINDS = ('sound', 'shuffled', 'first import', 'chain', 'sound chains', 'lists')


def compile_table(place, path, is_proved):
    out = place.work / 'data' / 'proved.table'
    out.unlink(missing_ok=True)
    return run.measure(place, [place.rcptmap, 'compile', '--lenient', '--no-sync',
                               '-c', place.configuration, '-o', out]
                       + ([] if is_proved else ['--no-proof']) + [path])


def measure(place):
    results = {}
    for size in (place.main,) if place.is_quick else (place.main, place.large):
        look_ups.make_up(place, size)
        for kind in KINDS:
            run.say('the proof of a table of %d entries: %s' % (size, kind))
            path = place.data(size, 'txt') if kind == 'sound' else make(place, size, kind)
            ratios, anonymous = [], []
            for _ in range(place.repetitions if size == place.main else 1):
                without = compile_table(place, path, False)
                proved = compile_table(place, path, True)
                ratios.append(run.ratio(proved['cpu_s'], without['cpu_s']))
                anonymous.append(proved['anonymous_kib'] / 1024)
            results.setdefault(str(size), {})[kind] = {
                'times': run.middle(ratios), 'anonymous_mib': max(anonymous)}
            if path != place.data(size, 'txt') and size != place.main:
                path.unlink()   # a gigabyte each
    return results
