#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure everything, against everybody, interleaved; print what was reached.

    bench.py --source DIR --build DIR [--work DIR] [--quick] [--only PART[,PART]]

Results are in WORK/bench.json, where parts that were not run now keep their last figures, and
tables in Markdown and pictures beside it. README.md says what is measured and how to read it.
"""
import argparse
import json
import os
import platform
import sys
import time

import builds
import bulk
import following
import loading
import look_ups
import mail
import patterns
import pictures
import proofs
import report
import run
import targets

PARTS = {'look_ups': look_ups, 'builds': builds, 'proofs': proofs, 'bulk': bulk, 'loading': loading,
         'patterns': patterns, 'mail': mail, 'following': following}


def machine():
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as info:
        names = [line.split(':', 1)[1].strip() for line in info if line.startswith('model name')]
    return {'processor': names[0] if names else platform.machine(), 'processors': os.cpu_count(),
            'kernel': '.'.join(platform.release().split('.')[:2]), 'memory_gib': round(
                os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30)}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--source', required=True)
    parser.add_argument('--build', required=True)
    parser.add_argument('--work', default=os.path.join(os.environ.get('TMPDIR', '/tmp'),
                                                       'openrcpt-bench'))
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--only', default=','.join(PARTS),
                        help='some of ' + ', '.join(PARTS))
    return parser.parse_args()


def run_parts(place, names, results):
    """False where one failed; the others are run all the same."""
    is_done = True
    for name in names:
        start, load = time.time(), run.load_average()
        try:
            results[name] = PARTS[name].measure(place)
        except run.Failed as error:
            print('bench: %s: %s' % (name, error), file=sys.stderr)
            is_done = False
            continue
        results.setdefault('runs', {})[name] = {
            'at': time.strftime('%Y-%m-%d %H:%M', time.gmtime(start)), 'load_average': load,
            'seconds': round(time.time() - start), 'is_quick': place.is_quick}
        save(place, results)
    return is_done


def save(place, results):
    results['targets'] = targets.graded(results)
    (place.work / 'bench.json').write_text(json.dumps(results, indent=1) + '\n')


def main():
    arguments = parse_arguments()
    run.take_precedence()
    place = run.Place(arguments.source, arguments.build, arguments.work, arguments.quick)
    path = place.work / 'bench.json'
    results = json.loads(path.read_text()) if path.exists() else {}
    results['machine'] = machine()
    names = [name for name in PARTS if name in arguments.only.split(',')]
    is_done = run_parts(place, names, results)
    save(place, results)
    report.write(place, results)
    pictures.draw(place, results)
    targets.print_table(results)
    print('bench: results and pictures are in %s' % place.work)
    return 0 if is_done else 1


if __name__ == '__main__':
    sys.exit(main())
