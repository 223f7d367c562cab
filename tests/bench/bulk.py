# SPDX-License-Identifier: BSD-2-Clause
"""Many questions at once: rcptmap query - and resolve - against postmap -q -."""
import run


def programs(place, size):
    base = place.work / 'data' / ('p%d' % size)
    ours = ['-c', place.configuration, '-t', place.data(size, 'table'), '-']
    return {
        'rcptmap query': [place.rcptmap, 'query'] + ours,
        'rcptmap resolve': [place.rcptmap, 'resolve'] + ours,
        'postmap cdb': ['postmap', '-c', place.work / 'postfix', '-q', '-', 'cdb:%s' % base],
    }


def measure(place):
    """CPU ns a question, the start of the program taken off: it was measured with no question."""
    size, taken = place.main, {}
    nothing = place.work / 'nothing'
    nothing.write_text('')
    for number in range(place.repetitions):
        run.say('bulk look-ups, repetition %d' % (number + 1))
        for name, words in programs(place, size).items():
            start = run.measure(place, words, nothing, (0, 1))['cpu_s']
            for questions in ('hit', 'known', 'mixed'):
                path = place.data(size, questions)
                count = min(max(size, 200000), 1000000)
                took = run.measure(place, words, path, (0, 1, 75))
                taken.setdefault((name, questions), []).append(
                    (took['cpu_s'] - start) * 1e9 / count)
    results = {}
    for (name, questions), values in taken.items():
        results.setdefault(name, {})[questions] = run.middle(values)
    return results
