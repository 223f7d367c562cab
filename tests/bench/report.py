# SPDX-License-Identifier: BSD-2-Clause
"""The results as Markdown tables, as doc/performance.md shows them."""
import targets
from targets import at

SHORT = {1000: '1 k', 10000: '10 k', 100000: '100 k', 1000000: '1 M', 10000000: '10 M'}
QUESTIONS = (('hit dependent', 'hit'), ('hit independent', 'hit, independent'),
             ('hit bulk', 'hit, in bulk'), ('hit targets', 'hit, all targets'), ('zipf dependent', 'hit, Zipf'),
             ('known dependent', 'miss, known domain'),
             ('foreign dependent', 'miss, foreign domain'), ('mixed ask', 'whole question'),
             ('mixed expand', 'expansion'), ('mixed resolve', 'daemon\'s answer'))


def table(head, rows):
    lines = ['| %s |' % ' | '.join(head), '|%s' % ('---|' * len(head))]
    return '\n'.join(lines + ['| %s |' % ' | '.join(row) for row in rows]) + '\n'


def of_targets(results):
    rows = [(str(row), what, targets.show(must, unit), targets.show(stretch, unit),
             targets.show(reached, unit),
             targets.grade(must, stretch, is_more_better, reached).replace('BELOW', '**below**'))
            for row, what, must, stretch, is_more_better, reached, unit in targets.rows(results)]
    return table(('row', 'what', 'must', 'stretch', 'reached', ''), rows)


def of_look_ups(results, size):
    peers = at_path(results, 'look_ups', 'ns', str(size))
    if peers is None:
        return ''
    names = [name for name in ('openrcpt', 'cdb', 'lmdb', 'lmdb-transaction', 'hash', 'sqlite',
                               'cmph') if name in peers]
    rows = []
    for question, label in QUESTIONS:
        row = [label]
        for name in names:
            summary = peers[name].get(question)
            row.append('' if summary is None else '%.0f (%.0f–%.0f)' % (
                summary['median'], summary['least'], summary['most']))
        rows.append(row)
    text = table(['ns, %s' % SHORT[size]] + names, rows)
    if 'memory' in peers:
        text += '\nOne read from memory of that size: %s ns, where the next one hangs on it; %s ns, ' \
                'where many are under way.\n' % tuple(
                    '%.0f (%.0f–%.0f)' % (took['median'], took['least'], took['most'])
                    for took in (peers['memory']['read dependent'],
                                 peers['memory']['read independent']))
    return text


def at_path(results, *path):
    for name in path:
        if name not in results:
            return None
        results = results[name]
    return results


def of_builds(results):
    rows = []
    for size, builders in results.get('builds', {}).items():
        for name, took in builders.items():
            wall = took['wall_s']
            rows.append((SHORT[int(size)], name, '%.2f (%.2f–%.2f)' % (
                wall['median'], wall['least'], wall['most']), '%.2f' % took['cpu_s']['median'],
                '%.2f' % (int(size) / took['cpu_s']['median'] / 1e6), '%.0f' % took['rss_mib'],
                '%.1f' % took['bytes_an_entry']))
    return table(('entries', 'build', 'wall, s', 'CPU, s', 'M entries a CPU second', 'MiB',
                  'bytes an entry'), rows)


def of_mail(results):
    rows = []
    for variant, steps in results.get('mail', {}).items():
        row = [variant]
        for step in ('one', 'fifty', 'flood'):
            took = steps.get(step)
            row.append('' if took is None else '%.0f + %.1f = %.0f (%.0f–%.0f)' % (
                took['postfix_us']['median'], took['milter_us']['median'],
                took['total_us']['median'], took['total_us']['least'], took['total_us']['most']))
        rows.append(row)
    return table(('CPU, us a recipient', '1 recipient', '50 recipients', 'flood'), rows)


def of_bulk(results):
    rows = [[name] + ['%.0f' % at(questions, which) for which in ('hit', 'known', 'mixed')]
            for name, questions in results.get('bulk', {}).items()]
    return table(('CPU, ns a question', 'hits', 'misses', 'mixed'), rows)


def of_following(results):
    def seconds(summary, has_spread=False):
        text = '%.2f' % summary['median']
        return text + ' (%.2f–%.2f)' % (summary['least'], summary['most']) if has_spread else text
    rows = [(SHORT[int(size)], kind, seconds(took['all'], True), seconds(took['place']),
             seconds(took['load']), seconds(took['compile']))
            for kind, sizes in results.get('following', {}).items()
            for size, took in sizes.items()]
    return table(('rows', 'source', 'change to answer, s', 'table in place', 'loaded',
                  'a compilation'), rows)


def write(place, results):
    sizes = [int(size) for size in results.get('look_ups', {}).get('ns', {})]
    parts = [of_targets(results)] + [of_look_ups(results, size) for size in sizes] + [
        of_builds(results), of_bulk(results), of_mail(results), of_following(results)]
    (place.work / 'tables.md').write_text('\n'.join(parts))
