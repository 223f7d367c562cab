#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap resolve as people read it: a tree, in colour on a terminal, and a digraph."""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from rcptmap_test import OK, USAGE, RcptmapTest

TABLE = r'''
alias.example        domain
team@alias.example   ann@alias.example, bob@alias.example, out@dest.example
ann@alias.example    ann@box.example
bob@alias.example    ann@alias.example, closed@alias.example
closed@alias.example error:5.2.1:550 Closed
loop@alias.example   again@alias.example
again@alias.example  loop@alias.example
ann@box.example      ann@box.example
"a\"&\\b"@alias.example  "c \\\"d"@dest.example
@all.example         ann@alias.example
'''
TREE = '''\
Team@alias.example\texpand\tann@box.example, out@dest.example
\tTeam@alias.example  virtual:3
\t|-- ann@alias.example  virtual:4
\t|   `-- ann@box.example  virtual:9
\t|       `-- ann@box.example  itself
\t|-- bob@alias.example  virtual:5
\t|   |-- ann@alias.example  see above
\t|   `-- closed@alias.example  virtual:6  error:5.2.1:550 Closed
\t`-- out@dest.example
'''
DOT_TOKEN = re.compile(r'\s*(?:(->|[][{}=;,])|"((?:[^"\\]|\\.)*)"|([A-Za-z_0-9.-]+))')


def parse_dot(text):
    """The nodes, with their attributes, and the edges of a digraph. Raises at what is none."""
    tokens, place = [], 0
    while text[place:].strip():
        match = DOT_TOKEN.match(text, place)
        if match is None:
            raise ValueError('no token: %r' % text[place:place + 40])
        punctuation, quoted, word = match.groups()
        tokens.append((punctuation, None) if punctuation else
                      (None, word if quoted is None else quoted.replace('\\"', '"')))
        place = match.end()
    take = iter(tokens).__next__
    assert [take() for _ in range(4)] == [(None, 'strict'), (None, 'digraph'), (None, 'rcptmap'),
                                          ('{', None)]
    nodes, edges = {}, set()
    while True:
        punctuation, name = take()
        if punctuation == '}':
            break
        assert punctuation is None, punctuation
        ends, attributes, mark = [name], {}, take()
        if mark[0] == '=':
            take()
            mark = take()
        if mark[0] == '->':
            ends.append(take()[1])
            mark = take()
        while mark[0] in ('[', ','):
            key, equals, value, mark = take(), take(), take(), take()
            assert equals[0] == '=' and None not in (key[1], value[1])
            attributes[key[1]] = value[1]
        if mark[0] == ']':
            mark = take()
        assert mark[0] == ';', mark
        if len(ends) == 2:
            edges.add(tuple(ends))
        else:
            nodes.setdefault(name, {}).update(attributes)
    return nodes, edges


def on_a_terminal(*words, **environment):
    """What rcptmap says to a terminal."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name != 'NO_COLOR'}
    subprocess.run(harness.command('rcptmap', *words), check=False, timeout=60, stdout=theirs,
                   stdin=subprocess.DEVNULL, env={**env, 'TERM': 'xterm', **environment})
    os.close(theirs)
    said = os.read(ours, 65536).decode().replace('\r\n', '\n')
    os.close(ours)
    return said


class Resolve(RcptmapTest):
    def setUp(self):
        self.shop = self.workshop(TABLE)
        self.assertEqual(self.shop.try_compile('--lenient').status, OK)

    def resolve(self, *words):
        return rcptmap.run('resolve', '-c', self.shop.configuration, *words)

    def test_a_tree(self):
        self.assertEqual(self.resolve('-v', 'Team@alias.example'), (OK, TREE, ''))

    def test_what_was_tried_is_told(self):
        said = self.resolve('-v', 'x+y@all.example', 'x@alias.example').out
        self.assertIn('\tx+y@all.example  virtual:11  by @all.example\n', said.replace(
            '; not found: x@all.example', ''))
        self.assertIn('\tx@alias.example  no such user; not found: x@alias.example', said)

    def test_where_a_deferral_came_from(self):
        said = self.resolve('-v', 'loop@alias.example').out
        self.assertRegex(said, r"\n\t    `-- loop@alias.example  see above; deferred\n"
                         r"\t\(reason\)\talias loop\n$")

    def test_two_sources_of_one_name(self):
        other = self.shop.folder / 'other' / 'virtual'
        other.parent.mkdir()
        other.write_text('u@alias.example ann@alias.example\n')
        self.shop.write_configuration(sources=[{'type': 'virtual', 'path': path}
                                               for path in (self.shop.source, other)])
        self.assertEqual(self.shop.try_compile('--lenient').status, OK)
        said = self.resolve('-v', 'u@alias.example').out
        self.assertIn('\tu@alias.example  other/virtual:1\n', said)
        self.assertIn('\t`-- ann@alias.example  etc/virtual:4\n', said)

    def test_colours_are_for_terminals(self):
        words = ('resolve', '-c', self.shop.configuration, '-v', 'Team@alias.example')
        said = on_a_terminal(*words)
        self.assertIn('\033[1mTeam@alias.example\033[0m', said)
        self.assertEqual(re.sub('\033\\[[0-9;]*m', '', said), TREE)
        self.assertIn('\033', on_a_terminal(*words, NO_COLOR=''))
        for environment in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}, {'TERM': ''}):
            self.assertEqual(on_a_terminal(*words, **environment), TREE, environment)

    def test_a_digraph(self):
        result = self.resolve('--dot', 'Team@alias.example', 'x@all.example')
        self.assertEqual((result.status, result.err), (OK, ''))
        nodes, edges = parse_dot(result.out)
        team, ann, bob, box, closed, out = (
            'team@alias.example', 'ann@alias.example', 'bob@alias.example', 'ann@box.example',
            'closed@alias.example', 'out@dest.example')
        self.assertEqual(edges, {(team, ann), (ann, box), (box, box), (team, bob), (bob, ann),
                                 (bob, closed), (team, out), ('x@all.example', ann)})
        self.assertEqual(nodes[team], {'label': r'Team@alias.example\nvirtual:3', 'style': 'bold'})
        self.assertEqual(nodes[box]['label'], r'ann@box.example\nvirtual:9')
        self.assertEqual(nodes[box]['shape'], 'ellipse')
        self.assertEqual(nodes[closed]['color'], 'red')

    def test_names_in_a_digraph_are_escaped(self):
        said = self.resolve('--dot', r'"a\"&\\b"@alias.example', '"x]; y -> z"@dest.example',
                            '"a\x01\xe9"@alias.example').out
        nodes, edges = parse_dot(said)
        labels = [node['label'] for node in nodes.values() if 'label' in node]
        self.assertIn(r'"a\\"&amp;\\\\b"@alias.example\nvirtual:10', labels)
        self.assertIn(r'"x]; y -> z"@dest.example\nnot ours', labels)
        self.assertIn((r'"a\\"&\\\\b"@alias.example', r'"c \\\\\\"d"@dest.example'), edges)

    def test_a_reason_hangs_on_what_it_is_about(self):
        nodes, edges = parse_dot(self.resolve('--dot', 'loop@alias.example').out)
        self.assertEqual(nodes['loop@alias.example (reason)']['label'], 'alias loop')
        self.assertIn(('again@alias.example', 'loop@alias.example'), edges)
        self.assertIn(('loop@alias.example', 'loop@alias.example (reason)'), edges)

    def test_graphviz_draws_it(self):
        """Where it is installed; else the parser above has to do."""
        if shutil.which('dot') is None:
            return
        said = self.resolve('--dot', 'Team@alias.example', r'"a\"&\\b"@alias.example',
                            'loop@alias.example', 'nobody@alias.example').out
        done = subprocess.run(['dot', '-Tsvg'], input=said, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding='utf-8', timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn(r'&quot;a\&quot;&amp;\\b&quot;@alias.example</text>', done.stdout)

    def test_one_form_at_a_time(self):
        self.assert_says(self.resolve('--dot', '--json', 'x'), USAGE, 'rcptmap: resolve: ')


if __name__ == '__main__':
    harness.main('rcptmap')
