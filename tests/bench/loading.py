# SPDX-License-Identifier: BSD-2-Clause
"""A table comes into force: copy, verify, swap, while others look up."""
import run


def measure(place):
    results = {}
    for size in (place.main,) if place.is_quick else (place.main, place.large):
        run.say('loading a table of %d entries' % size)
        rounds = 20 if size == place.main else 5
        took, = run.run_lines([place.tool('load'), place.data(size, 'table'),
                               place.data(size, 'single'), rounds])
        megabytes = place.data(size, 'table').stat().st_size / 1e6
        took['load_ms_a_100_mb'] = took['load_ms'] * 100 / megabytes
        took['load_ms_a_100_mb_least'] = took['load_ms_least'] * 100 / megabytes
        results[str(size)] = took
    return results
