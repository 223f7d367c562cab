# SPDX-License-Identifier: BSD-2-Clause
"""What was to be reached, and what was: the rows of doc/performance.md."""
import proofs
import run

MIB = 1 << 20


def at(results, *path):
    """The value at PATH, a summary's median; None where there is none."""
    for name in path:
        if not isinstance(results, dict) or name not in results:
            return None
        results = results[name]
    return results.get('median') if isinstance(results, dict) else results


class Reader:
    """Ratios out of the results of one run."""

    def __init__(self, results):
        self.results = results

    def gain(self, size, question, peer='cdb'):
        """How many times as long a peer takes for a look-up."""
        times = ('look_ups', 'ns', str(size))
        return run.ratio(at(self.results, *times, peer, question),
                         at(self.results, *times, 'openrcpt', question))

    def build_gain(self, size, peer, ours='openrcpt'):
        """By CPU time: on a busy machine a program that takes minutes waits more than others."""
        return run.ratio(at(self.results, 'builds', str(size), 'postmap ' + peer, 'cpu_s'),
                         at(self.results, 'builds', str(size), ours, 'cpu_s'))

    def build_speed(self, size):
        """Millions of entries a second of CPU time."""
        return run.ratio(size / 1e6, at(self.results, 'builds', str(size), 'openrcpt', 'cpu_s'))

    def file_share(self, peer, has_provenance=False, size=1000000):
        ours = at(self.results, 'builds', str(size), 'openrcpt', 'bytes')
        if ours is not None and not has_provenance:
            ours -= 4.13 * size
        return run.ratio(ours, at(self.results, 'builds', str(size), 'postmap ' + peer, 'bytes'))

    def memory(self, size, builder='openrcpt'):
        return at(self.results, 'builds', str(size), builder, 'anonymous_mib')

    def bulk(self, ours, questions):
        return run.ratio(at(self.results, 'bulk', 'postmap cdb', questions),
                         at(self.results, 'bulk', ours, questions))

    def more(self, step, variant='openrcptd', than='native hash', what='total_us'):
        """Per cent of CPU on top."""
        share = run.ratio(at(self.results, 'mail', variant, step, what),
                          at(self.results, 'mail', than, step, what))
        return None if share is None else (share - 1) * 100

    def get(self, *path):
        return at(self.results, *path)


def memory_limit(base, each, size):
    return base + each * size / MIB


def rows(results):
    """(row, what, must, stretch, whether more is better, reached, unit)"""
    read = Reader(results)
    small, main, large = 10000, 1000000, 10000000
    table = [
        (1, 'hit, dependent, against cdb: 1 M', 1.5, 1.9, read.gain(main, 'hit dependent')),
        (1, '… 10 M', 1.15, 1.35, read.gain(large, 'hit dependent')),
        (1, '… 10 k', 1.2, 1.3, read.gain(small, 'hit dependent')),
        (2, 'hit, in bulk, against cdb: 1 M', 2.2, 2.7, read.gain(main, 'hit bulk')),
        (2, '… 10 M', 1.7, 2.2, read.gain(large, 'hit bulk')),
        (2, '… independent, one call a key: 1 M', 2.2, 2.7, read.gain(main, 'hit independent')),
        (2, '… 10 M', 1.7, 2.2, read.gain(large, 'hit independent')),
        (3, 'miss in a known domain: 1 M', 2.0, 2.3, read.gain(main, 'known dependent')),
        (3, '… 10 M', 2.1, 2.6, read.gain(large, 'known dependent')),
        (4, 'miss in a foreign domain: 1 M', 2.8, 3.2, read.gain(main, 'foreign dependent')),
        (4, '… 10 M', 4.5, 5.2, read.gain(large, 'foreign dependent')),
        (5, 'the whole question: 1 M', 1.6, 2.0, read.gain(main, 'mixed ask')),
        (5, '… 10 M', 1.6, 2.0, read.gain(large, 'mixed ask')),
        (5, 'recursive expansion: 1 M', 2.0, 3.0, read.gain(main, 'mixed expand')),
        (5, '… 10 M', 2.0, 3.0, read.gain(large, 'mixed expand')),
    ]
    for row, peer, must, stretch in ((6, 'lmdb', (4.2, 18, 9), (5.8, 20, 11)),
                                     (7, 'hash', (7, 36, 22), (9.5, 45, 28))):
        for i, (what, question) in enumerate((('hit', 'hit dependent'),
                                              ('miss', 'known dependent'),
                                              ('expansion', 'mixed expand'))):
            table.append((row, '%s, against %s, 1 M' % (what, peer), must[i], stretch[i],
                          read.gain(main, question, peer)))
    table = [row[:4] + (True,) + row[4:] + ('×',) for row in table]
    whole = 'openrcpt, proved and synced'
    table += [
        (8, 'build, a second of CPU: 1 M', 4, 6, True, read.build_speed(main), ' M'),
        (8, '… 10 M', 3, 5, True, read.build_speed(large), ' M'),
        (9, 'build, against postmap cdb: 1 M', 8, 12, True, read.build_gain(main, 'cdb'), '×'),
        (9, '… 10 M', 70, 120, True, read.build_gain(large, 'cdb'), '×'),
        (9, '… lmdb, 1 M', 15, 20, True, read.build_gain(main, 'lmdb'), '×'),
        (9, '… hash, 1 M', 25, 35, True, read.build_gain(main, 'hash'), '×'),
        (10, 'all of compile, against postmap cdb: 1 M', 3, 5, True,
         read.build_gain(main, 'cdb', whole), '×'),
        (10, '… 10 M', 25, 50, True, read.build_gain(large, 'cdb', whole), '×'),
        (11, 'file without provenance: of cdb', 0.50, 0.38, False, read.file_share('cdb'), ''),
        (11, '… of lmdb', 0.38, 0.30, False, read.file_share('lmdb'), ''),
        (11, '… of hash', 0.32, 0.25, False, read.file_share('hash'), ''),
        (11, 'file with provenance: of cdb', 0.54, 0.42, False, read.file_share('cdb', True), ''),
        (12, 'memory of the build: 1 M', memory_limit(32, 12, main), memory_limit(24, 4, main),
         False, read.memory(main), ' MiB'),
        (12, '… 10 M', memory_limit(32, 12, large), memory_limit(24, 4, large), False,
         read.memory(large), ' MiB'),
        (12, '… with the proof: 1 M', memory_limit(32, 12, main),
         memory_limit(24, 4, main), False, read.memory(main, whole), ' MiB'),
        (12, '… 10 M', memory_limit(32, 12, large), memory_limit(24, 4, large), False,
         read.memory(large, whole), ' MiB'),
    ]
    for kind in proofs.KINDS:
        table += [
            ('12a', 'the proof of a table, %s: 1 M' % kind, 3, 2, False,
             read.get('proofs', str(main), kind, 'times'), '×'),
            ('12a', '… 10 M', 3, 2, False, read.get('proofs', str(large), kind, 'times'), '×'),
            ('12a', '… memory, 1 M', memory_limit(32, 12, main), memory_limit(24, 4, main), False,
             read.get('proofs', str(main), kind, 'anonymous_mib'), ' MiB'),
            ('12a', '… 10 M', memory_limit(32, 12, large), memory_limit(24, 4, large), False,
             read.get('proofs', str(large), kind, 'anonymous_mib'), ' MiB'),
        ]
    table += [
        (13, 'load, for 100 MB', 100, 50, False,
         read.get('loading', str(main), 'load_ms_a_100_mb'), ' ms'),
        (14, 'a look-up waits for a swap', 10, 1, False,
         read.get('loading', str(main), 'wait_us'), ' us'),
        (14, 'look-ups that failed during swaps', 0, 0, False,
         read.get('loading', str(main), 'failures'), ''),
        (16, 'rcptmap query -, against postmap -q -: hits', 1, 2, True,
         read.bulk('rcptmap query', 'hit'), '×'),
        (16, '… misses', 1, 2, True, read.bulk('rcptmap query', 'known'), '×'),
        (16, 'rcptmap resolve -, against postmap -q -', 0.5, 1, True,
         read.bulk('rcptmap resolve', 'mixed'), '×'),
        (17, 'mail, against native hash: 1 recipient', 30, 25, False, read.more('one'), ' %'),
        (17, '… 50 recipients', 45, 40, False, read.more('fifty'), ' %'),
        (18, 'own CPU, against the null milter: 1', 5, 2, False,
         read.more('one', than='null milter', what='milter_us'), ' %'),
        (18, '… 50', 5, 2, False,
         read.more('fifty', than='null milter', what='milter_us'), ' %'),
        (18, '… 50, where that passes on ORCPT too', 5, 2, False,
         read.more('fifty', than='null milter, ORCPT', what='milter_us'), ' %'),
        (19, 'flood of unknown users, against hash', 30, 20, False, read.more('flood'), ' %'),
        (19, '… own CPU, against the null milter', 5, 2, False,
         read.more('flood', than='null milter, refusing', what='milter_us'), ' %'),
        (20, '10,000 patterns, against pcre:', 500, 2000, True,
         run.ratio(read.get('patterns', '10000', 'postmap_us'),
                   read.get('patterns', '10000', 'openrcpt_us')), '×'),
        (20, '… one question', 2, 0.7, False,
         read.get('patterns', '10000', 'openrcpt_us'), ' us'),
    ]
    for kind in ('postgresql', 'mysql', 'ldap'):
        table += [(21, 'a changed row on two daemons, %s: 100 k' % kind, 2, 1, False,
                   read.get('following', kind, '100000', 'all'), ' s'),
                  (21, '… 1 M', 5, 3, False,
                   read.get('following', kind, str(main), 'all'), ' s')]
    return table


def grade(must, stretch, is_more_better, reached):
    if reached is None:
        return 'not measured'
    sign = 1 if is_more_better else -1
    if reached * sign >= stretch * sign:
        return 'stretch'
    return 'must' if reached * sign >= must * sign else 'BELOW'


def show(value, unit):
    if value is None:
        return '-'
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return '%.*f%s' % (digits, value, unit)


def graded(results):
    """The same rows as dictionaries, for bench.json."""
    return [{'row': row, 'what': what, 'must': must, 'stretch': stretch, 'unit': unit.strip(),
             'reached': reached, 'grade': grade(must, stretch, is_more_better, reached)}
            for row, what, must, stretch, is_more_better, reached, unit in rows(results)]


def print_table(results):
    print('%-3s %-52s %10s %10s %10s  %s' % ('row', 'what', 'must', 'stretch', 'reached', ''))
    before = None
    for row, what, must, stretch, is_more_better, reached, unit in rows(results):
        print('%-3s %-52s %10s %10s %10s  %s' % (
            row if row != before else '', what, show(must, unit), show(stretch, unit),
            show(reached, unit), grade(must, stretch, is_more_better, reached)))
        before = row
