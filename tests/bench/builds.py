# SPDX-License-Identifier: BSD-2-Clause
"""From text to table: rcptmap against postmap; time, memory, size of the file."""
import json
import os

import run

SUFFIXES = {'cdb': 'cdb', 'lmdb': 'lmdb', 'hash': 'db'}


def compile_table(place, size, is_whole):
    """rcptmap compile: everything it does, or only what others do too."""
    out = place.work / 'data' / 'built.table'
    out.unlink(missing_ok=True)
    options = [] if is_whole else ['--no-proof', '--no-sync']
    took = run.measure(place, [place.rcptmap, 'compile', '-c', place.configuration, '-o', out]
                       + options + [place.data(size, 'txt')])
    took['bytes'] = out.stat().st_size
    return took


def postmap(place, size, kind):
    """postmap KIND:FILE; the table stays for the look-ups of postmap -q. What takes minutes is
    run once for a made-up table, and remembered."""
    base = place.work / 'data' / ('p%d' % size)
    memory = place.work / 'data' / ('p%d.%s.json' % (size, kind))
    if size > place.main and memory.exists():
        return json.loads(memory.read_text())
    base.unlink(missing_ok=True)
    os.symlink(place.data(size, 'txt'), base)
    out = base.with_suffix('.' + SUFFIXES[kind])
    out.unlink(missing_ok=True)
    took = run.measure(place, ['postmap', '-c', place.work / 'postfix', '%s:%s' % (kind, base)])
    took['bytes'] = out.stat().st_size
    memory.write_text(json.dumps(took) + '\n')
    return took


BUILDERS = {
    'openrcpt': lambda place, size: compile_table(place, size, False),
    'openrcpt, proved and synced': lambda place, size: compile_table(place, size, True),
    'postmap cdb': lambda place, size: postmap(place, size, 'cdb'),
    'postmap lmdb': lambda place, size: postmap(place, size, 'lmdb'),
    'postmap hash': lambda place, size: postmap(place, size, 'hash'),
}
ONCE = {'postmap cdb', 'postmap lmdb', 'postmap hash'}  # where they take minutes
OWN = {'openrcpt', 'openrcpt, proved and synced'}


def plan(place):
    """(size, builder) in the order they run: what takes long less often, ours more often."""
    for number in range(place.repetitions):
        for size in place.sizes:
            if size > place.main and number >= 3:
                continue
            for builder in BUILDERS:
                if size > place.main and builder in ('postmap lmdb', 'postmap hash'):
                    continue
                if builder in ONCE and number > 0 and (size > place.main or
                                                       builder == 'postmap hash'):
                    continue
                yield size, builder
                if builder in OWN and size <= place.main:
                    yield size, builder


def measure(place):
    taken = {}
    for size, builder in plan(place):
        run.say('%s, %d entries' % (builder, size))
        taken.setdefault((size, builder), []).append(BUILDERS[builder](place, size))
    results = {}
    for (size, builder), runs in taken.items():
        entries = place.counts(size)['entries']
        results.setdefault(str(size), {})[builder] = {
            'wall_s': run.middle([took['wall_s'] for took in runs]),
            'cpu_s': run.middle([took['cpu_s'] for took in runs]),
            'user_s': run.middle([took['user_s'] for took in runs]),
            'rss_mib': max(took['rss_kib'] for took in runs) / 1024,
            # What was remembered of an earlier run may be without it.
            'anonymous_mib': max(took.get('anonymous_kib', 0) for took in runs) / 1024,
            'bytes': runs[0]['bytes'],
            'bytes_an_entry': runs[0]['bytes'] / entries,
        }
    return results
