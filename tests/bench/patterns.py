# SPDX-License-Identifier: BSD-2-Clause
"""Regular expressions, each for one domain: ours against postmap -q - pcre:."""
import random

import run

WORDS = ('amber', 'birch', 'cedar', 'delta', 'ember', 'falcon', 'glass', 'harbor', 'ivory', 'jade')


def make_rule(chance, domain):
    """An expression, and an address that it matches."""
    word, number, kind = chance.choice(WORDS), chance.randrange(100), chance.randrange(100)
    literal = domain.replace('.', '\\.')
    if kind < 50:
        return '^%s%d[0-9]*@%s$' % (word, number, literal), '%s%d7@%s' % (word, number, domain)
    if kind < 70:
        return '^(.*)-%s%d@%s$' % (word, number, literal), 'joe-%s%d@%s' % (word, number, domain)
    if kind < 85:
        return ('^([a-z]+)\\.%s%d@%s$' % (word, number, literal),
                'ann.%s%d@%s' % (word, number, domain))
    return '^(info|desk|%s)[-_](.+)@%s$' % (word, literal), 'desk-%d@%s' % (number, domain)


def make(place, rules):
    """A table of RULES rules, three a domain; questions of which one in 20 matches."""
    chance = random.Random(rules)
    domains = ['%s%d.example.com' % (WORDS[i % 10], i) for i in range(rules // 3 + 1)]
    matching = []
    with open(file(place, rules, 'pcre'), 'w', encoding='ascii') as table:
        for number in range(rules):
            expression, address = make_rule(chance, chance.choice(domains))
            matching.append(address)
            table.write('/%s/ target%d@hosted.example\n' % (expression, number))
    with open(file(place, rules, 'mixed'), 'w', encoding='ascii') as questions:
        for _ in range(40000):
            questions.write((chance.choice(matching) if chance.random() < 0.05 else
                             'user%d.%s@%s' % (chance.randrange(100000), chance.choice(WORDS),
                                               chance.choice(domains))) + '\n')
    lines = file(place, rules, 'mixed').read_text().splitlines()[:max(300, 2000000 // rules)]
    file(place, rules, 'few').write_text('\n'.join(lines) + '\n')
    return len(lines)


def file(place, rules, suffix):
    return place.work / 'data' / ('rules%d.%s' % (rules, suffix))


def programs(place, rules):
    """Both, as they answer questions from standard input."""
    return (['postmap', '-c', place.work / 'postfix', '-q', '-',
             'pcre:%s' % file(place, rules, 'pcre')],
            [place.rcptmap, 'query', '-c', place.configuration, '-t',
             file(place, rules, 'table'), '-'])


def check(place, rules):
    """Both find the same."""
    answers = []
    for words in programs(place, rules):
        with open(file(place, rules, 'few'), 'rb') as questions:
            answers.append(sorted(run.run(words, stdin=questions).splitlines()))
    if answers[0] != answers[1] or not answers[0]:
        raise run.Failed('postmap and rcptmap answer %d rules differently' % rules)


def measure(place):
    """CPU us a question; Postfix's through postmap, with its start taken off."""
    results, nothing = {}, place.work / 'nothing'
    nothing.write_text('')
    for rules in (1000, 10000):
        run.say('%d regular expressions' % rules)
        few = make(place, rules)
        table = file(place, rules, 'table')
        run.measure(place, [place.rcptmap, 'compile', '-c', place.configuration, '--force', '-o',
                            table, 'pcre:%s' % file(place, rules, 'pcre')])
        check(place, rules)
        postmap = programs(place, rules)[0]
        ours_us, theirs_us = [], []
        for _ in range(place.repetitions):
            line, = run.run_lines([place.tool('look_up'), 'openrcpt', table, 'rounds=5',
                                   'batch=10000', 'cpu=1',
                                   '%s=ask' % file(place, rules, 'mixed')])
            ours_us.append(line['ns'] / 1000)
            start = run.measure(place, postmap, nothing, (0, 1))['cpu_s']
            took = run.measure(place, postmap, file(place, rules, 'few'), (0, 1))
            theirs_us.append((took['cpu_s'] - start) * 1e6 / few)
        results[str(rules)] = {'openrcpt_us': run.middle(ours_us),
                               'postmap_us': run.middle(theirs_us), 'hits': line['hits']}
    return results
