# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of the results, drawn by gnuplot as SVG."""
import shutil
import subprocess

import run
from targets import at

HEAD = '''set terminal svg size 800,420 dynamic font "sans-serif,13" background rgb "white"
set output "%s"
set title "%s"
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror out
set key outside right top
'''
COLOURS = {'openrcpt': '#c0392b', 'cdb': '#2c3e50', 'lmdb': '#2980b9', 'hash': '#16a085',
           'lmdb-transaction': '#8e44ad', 'sqlite': '#7f8c8d', 'cmph': '#d35400'}


def gnuplot(place, name, script):
    output = place.work / ('performance-%s.svg' % name)
    done = subprocess.run(['gnuplot'], input=script.replace('@OUTPUT@', str(output)), text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise run.Failed('gnuplot: %s' % done.stderr.strip()[-300:])


def block(name, lines):
    return '$%s << END\n%s\nEND\n' % (name, '\n'.join(lines))


def look_ups(place, results):
    """ns a look-up over the size of the table."""
    data, plots = '', []
    ns = results.get('look_ups', {}).get('ns', {})
    for peer in ('openrcpt', 'cdb', 'lmdb', 'hash'):
        name = peer.replace('-', '_')
        lines = ['%s %.1f %.1f %.1f' % (size, summary['median'], summary['least'], summary['most'])
                 for size in sorted(ns, key=int)
                 for summary in [ns[size].get(peer, {}).get('hit dependent')] if summary]
        if lines:
            data += block(name, lines)
            plots.append('$%s using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.6 lc rgb "%s" '
                         'title "%s"' % (name, COLOURS[peer], peer))
    for peer in ('openrcpt', 'cdb'):
        name = peer + '_known'
        lines = ['%s %.1f' % (size, ns[size][peer]['known dependent']['median'])
                 for size in sorted(ns, key=int) if peer in ns[size]]
        if lines:
            data += block(name, lines)
            plots.append('$%s using 1:2 with linespoints lw 1.5 dt 2 pt 6 ps 0.6 lc rgb "%s" '
                         'title "%s, miss"' % (name, COLOURS[peer], peer))
    if plots:
        gnuplot(place, 'look-ups', HEAD % ('@OUTPUT@', 'A look-up that depends on the one before')
                + 'set logscale xy\nset xlabel "entries"\nset ylabel "ns"\n'
                'set format x "10^{%T}"\n' + data + 'plot ' + ', \\\n'.join(plots) + '\n')


def show(value):
    return '%.0f' % value if value >= 100 else '%.3g' % value


def bars(place, name, title, unit, rows, is_log=False):
    """One bar a row: (label, value, colour); a blank in a label begins a line."""
    rows = [row for row in rows if row[1] is not None]
    if not rows:
        return
    data = block('rows', ['%d "%s" %.3f %d "%s"' % (
        i, label.replace(' ', '\\n'), value, int(colour[1:], 16), show(value))
        for i, (label, value, colour) in enumerate(rows)])
    gnuplot(place, name, HEAD % ('@OUTPUT@', title) + data + (
        'unset key\nset bmargin 6\nset style fill solid 0.85\nset boxwidth 0.7\nset ylabel "%s"\n%s'
        'set yrange [%s:*]\nset offsets 0.4, 0.4, %s, 0\nset xtics font ",10"\n'
        'plot $rows using 1:3:4:xtic(2) with boxes lc rgb variable, '
        '$rows using 1:3:5 with labels offset 0,0.7 font ",11"\n') % (
            unit, 'set logscale y\n' if is_log else '', '0.1' if is_log else '0',
            '0' if is_log else '%.1f' % (max(row[1] for row in rows) * 0.08)))


BUILDERS = (('openrcpt', 'openrcpt', '#c0392b'),
            ('openrcpt all', 'openrcpt, proved and synced', '#e67e22'),
            ('postmap cdb', 'postmap cdb', '#2c3e50'), ('postmap lmdb', 'postmap lmdb', '#2980b9'),
            ('postmap hash', 'postmap hash', '#16a085'))


def build(place, results):
    rows = [('%s %s' % (label, short), at(results, 'builds', size, name, 'cpu_s'), colour)
            for size, short in (('1000000', '1M'), ('10000000', '10M'))
            for label, name, colour in BUILDERS]
    bars(place, 'build', 'From text to table; all: with proof, verification and sync',
         'seconds of CPU',
         rows, True)


def size(place, results):
    rows = [(label, at(results, 'builds', '1000000', name, 'bytes_an_entry'), colour)
            for label, name, colour in BUILDERS if label != 'openrcpt all']
    bars(place, 'size', 'Size of the file, 1 M entries', 'bytes an entry', rows)


def mail(place, results):
    rows = [('%s %s' % (variant.replace(', ', ' '), label),
             at(results, 'mail', variant, step, 'total_us'), colour)
            for step, label in (('one', '1'), ('fifty', '50'))
            for variant, colour in (('native cdb', '#2c3e50'), ('native hash', '#16a085'),
                                    ('null milter', '#95a5a6'),
                                    ('null milter, ORCPT', '#7f8c8d'), ('openrcptd', '#c0392b'))]
    bars(place, 'mail', 'CPU of Postfix and milter; messages with 1 and with 50 recipients',
         'us a recipient', rows)


def draw(place, results):
    """Into the work folder; a run that should be published copies them to doc/."""
    if shutil.which('gnuplot') is None:
        run.say('gnuplot is missing: no pictures')
        return
    for picture in (look_ups, build, size, mail):
        picture(place, results)
