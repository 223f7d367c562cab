# SPDX-License-Identifier: BSD-2-Clause
"""Look-ups: the same keys asked of every peer, after all have shown that they answer alike."""
import run

SUFFIXES = {'openrcpt': 'table', 'cdb': 'cdb', 'lmdb': 'lmdb', 'lmdb-transaction': 'lmdb',
            'hash': 'hash', 'sqlite': 'sqlite', 'cmph': 'chd'}
BUILT = ('cdb', 'lmdb', 'hash', 'sqlite', 'cmph')       # each a file of its own
FAST = {'openrcpt', 'cdb', 'cmph'}
LARGE = ('openrcpt', 'cdb', 'lmdb')     # those that are asked beyond the main size
CORE = ('openrcpt', 'cdb')                      # those whose ratios are targets: asked more often

QUESTIONS = (('hit', 'dependent'), ('hit', 'independent'), ('hit', 'bulk'), ('hit', 'targets'),
             ('zipf', 'dependent'), ('known', 'dependent'), ('foreign', 'dependent'),
             ('mixed', 'ask'), ('mixed', 'expand'))


def peers_of(place, size):
    return tuple(SUFFIXES) if size <= place.main else LARGE


def make_up(place, size):
    """Make the table and its questions, unless they are there."""
    if not place.data(size, 'json').exists() or not place.data(size, 'unknown').exists():
        run.say('making up a table of %d entries' % size)
        run.run([place.tool('generate'), size, 42, place.data(size, 'x').with_suffix(''),
                 min(max(size, 200000), 1000000)])


def prepare(place, size):
    """The same, and every peer's file."""
    make_up(place, size)
    run.measure(place, [place.rcptmap, 'compile', '-c', place.configuration, '--no-proof',
                        '--no-sync', '--force', '-o', place.data(size, 'table'),
                        place.data(size, 'txt')])
    wanted = [peer for peer in BUILT if peer in peers_of(place, size) and
              not place.data(size, SUFFIXES[peer]).exists()]
    if not wanted:
        return []
    run.say('building %s of %d entries through their libraries' % (', '.join(wanted), size))
    return run.run_lines([place.tool('build_peers'), place.data(size, 'txt'),
                          place.data(size, 'x').with_suffix('')] + wanted)


def check(place, size):
    """Every peer gives the same targets for every key, or nothing counts."""
    sums = {}
    for peer in peers_of(place, size):
        answer, = run.run_lines([place.tool('look_up'), peer, place.data(size, SUFFIXES[peer]),
                                 'check=%s' % place.data(size, 'txt')])
        sums[peer] = (answer['keys'], answer['sum'])
    if len(set(sums.values())) != 1:
        raise run.Failed('the peers disagree about the table of %d: %s' % (size, sums))
    return sums['openrcpt'][0]


def ask(place, size, peer, cpu):
    batch = 100000 if peer in FAST else 20000
    words = [place.tool('look_up'), peer, place.data(size, SUFFIXES[peer]), 'rounds=5',
             'batch=%d' % batch, 'cpu=%d' % cpu]
    questions = QUESTIONS + ((('mixed', 'resolve'),) if peer == 'openrcpt' else ())
    words += ['%s=%s' % (place.data(size, name), mode) for name, mode in questions]
    return run.run_lines(words)


def read_memory(place, size):
    """What the memory allows in this minute: reads in a block as large as our table."""
    took, = run.run_lines([place.tool('memory'), place.data(size, 'table').stat().st_size])
    return [{'peer': 'memory', 'questions': 'x.read', 'mode': mode, 'ns': took[mode + '_ns']}
            for mode in ('dependent', 'independent')]


def collect(values, size, lines):
    for line in lines:
        name = line['questions'].split('.')[1]
        values.setdefault((size, line['peer'], name + ' ' + line['mode']), []).append(line['ns'])


def measure(place, cpu=1):
    """{'SIZE': {peer: {question: summary}}}, repetitions interleaved over peers and sizes."""
    values, keys = {}, {}
    for size in place.sizes:
        prepare(place, size)
        run.say('checking the answers of all peers, %d entries' % size)
        keys[str(size)] = check(place, size)
    for number in range(place.repetitions):
        run.say('look-ups, repetition %d of %d' % (number + 1, place.repetitions))
        for size in place.sizes:
            for peer in peers_of(place, size):
                collect(values, size, ask(place, size, peer, cpu))
            for peer in () if place.is_quick else CORE:
                collect(values, size, ask(place, size, peer, cpu))
            collect(values, size, read_memory(place, size))
    results = {}
    for (size, peer, question), times in values.items():
        results.setdefault(str(size), {}).setdefault(peer, {})[question] = run.middle(times)
    return {'ns': results, 'checked_keys': keys}
