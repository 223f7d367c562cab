#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page for Prometheus: what is on it, that a real Prometheus reads it, that each alert and each
panel of the dashboard finds what it asks for, and that nobody there disturbs mail."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
from daemon import Daemon

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example, bob@dest.example
loop@alias.example   pool@alias.example
pool@alias.example   loop@alias.example
'''
KNOWN, UNKNOWN, LOOP = '<ann@alias.example>', '<nobody@alias.example>', '<loop@alias.example>'
CONF = harness.SOURCE / 'conf' / 'monitoring'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Local(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path):
        super().__init__('localhost', timeout=harness.LIMIT_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def samples(text):
    """{name with labels: value}"""
    return {line.rpartition(' ')[0]: float(line.rpartition(' ')[2])
            for line in text.splitlines() if not line.startswith('#')}


class TestCase(unittest.TestCase):
    def started(self, **settings):
        made = Daemon(TABLE, settings, compile_options=['--lenient'])
        self.addCleanup(made.close)
        if 'metrics' not in settings:
            made.write_configuration(metrics='unix:%s' % self.socket(made))
        made.start()
        made.wait_for_log('serves')
        return made

    @staticmethod
    def socket(made):
        return made.runtime / 'metrics.sock'

    def ask(self, made, method='GET', path='/metrics'):
        connection = Local(self.socket(made))
        self.addCleanup(connection.close)
        connection.request(method, path)
        return connection.getresponse()

    def page(self, made):
        return samples(self.ask(made).read().decode())


class Page(TestCase):
    def test_what_it_tells(self):
        made = self.started()
        made.message([KNOWN, UNKNOWN, LOOP])
        # The end of a session isn't answered.
        harness.wait_until(lambda: self.page(made)['openrcpt_sessions'] == 0, 'the session ends')
        found = self.page(made)
        for name, value in {'recipients_total{verdict="expand"}': 1,
                            'recipients_total{verdict="unknown"}': 1,
                            'recipients_total{verdict="defer"}': 1,
                            'deferrals_total{reason="loop"}': 1,
                            'messages_total{result="edited"}': 1,
                            'expanded_recipients_sum': 2, 'expanded_recipients_count': 1,
                            'expanded_recipients_bucket{le="1"}': 0,
                            'expanded_recipients_bucket{le="2"}': 1,
                            'resolve_seconds_count': 3, 'sessions_max': 1000, 'sessions': 0,
                            'last_load_success': 1, 'table_generation': 1, 'table_entries': 3,
                            'worker_restarts_total': 0, 'log_dropped_total': 0}.items():
            with self.subTest(name):
                self.assertEqual(found['openrcpt_' + name], value)
        self.assertLess(abs(found['process_start_time_seconds'] - time.time()), 3600)
        harness.wait_until(lambda: self.page(made)['process_resident_memory_bytes'] > 1e6,
                           'the worker is measured')
        self.assertGreater(self.page(made)['process_open_fds'], 3)

    def test_it_is_what_promtool_wants(self):
        made = self.started()
        made.message([KNOWN])
        page = self.ask(made).read()
        checked = subprocess.run(['promtool', 'check', 'metrics'], input=page, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((checked.returncode, checked.stdout), (0, b''))
        self.assertNotIn(b'example', page)

    def test_other_requests(self):
        made = self.started()
        self.assertEqual(self.ask(made, 'GET', '/').status, 404)
        self.assertEqual(self.ask(made, 'POST').status, 405)
        answer = self.ask(made, 'HEAD')
        self.assertEqual((answer.status, answer.read()), (200, b''))
        self.assertEqual(answer.getheader('Content-Type'),
                         'text/plain; version=0.0.4; charset=utf-8')

    def test_a_worker_that_dies_takes_nothing_along(self):
        made = self.started()
        made.message([KNOWN])
        workers = made.workers()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: self.page(made)['openrcpt_worker_restarts_total'] == 1,
                           'the restart is counted')
        self.assertEqual(self.page(made)['openrcpt_recipients_total{verdict="expand"}'], 1)

    def test_it_ends_with_its_master(self):
        made = self.started()
        self.page(made)
        children = made.workers()
        os.kill(made.master, signal.SIGKILL)
        made.process.wait()
        harness.wait_until(lambda: not any(map(daemon.is_alive, children)), 'all have ended')

    def test_without_the_setting_there_is_none(self):
        made = self.started(metrics='')
        self.assertEqual(len(made.workers()), 1)
        bad = made.configuration.read_text(encoding='utf-8').replace(
            'metrics = ""', 'metrics = "inet:9108@192.0.2.1"')
        made.configuration.write_text(bad, encoding='utf-8')
        checked = subprocess.run(harness.command('openrcptd', '-t', '-c', made.configuration),
                                 check=False, capture_output=True, encoding='utf-8')
        self.assertEqual(checked.returncode, 78)
        self.assertIn('allow_remote_metrics is false', checked.stderr)


class Crowd(TestCase):
    def test_a_thousand_that_stall_disturb_nobody(self):
        made = self.started()
        ends = []
        for _ in range(1000):
            end = socket.socket(socket.AF_UNIX)
            self.addCleanup(end.close)
            end.setblocking(False)
            try:
                end.connect(str(self.socket(made)))
                end.send(b'GET /metr')
            except OSError:             # the queue is full, or we were turned away
                pass
            ends.append(end)
        took = []
        for _ in range(200):
            start = time.monotonic()
            self.assertEqual(len(made.message([KNOWN]).added), 2)
            took.append(time.monotonic() - start)
        print('p99 of a message beside 1,000 stalled clients: %.4f s' % sorted(took)[-3],
              file=sys.stderr)
        for end in ends:
            end.close()
        self.assertEqual(harness.wait_until(lambda: self.ask(made), 'the page').status, 200)


class Prometheus(TestCase):
    """A real one, over TCP on loopback. Times are shortened: `for` is left out, and what has to be
    old is made so."""

    def setUp(self):
        self.port, self.own = free_port(), free_port()
        self.made = self.started(metrics='inet:%d@127.0.0.1' % self.port)
        self.folder = self.made.folder / 'prometheus'
        self.folder.mkdir()
        self.folder.chmod(0o755)
        rules = (CONF / 'openrcpt.rules.yml').read_text(encoding='utf-8')
        self.alerts = re.findall(r'(?m)^ *- alert: (\w+)', rules)
        rules = re.sub(r'(?m)^ *for: .*\n', '', rules).replace('[5m]', '[20s]')
        (self.folder / 'rules.yml').write_text(rules, encoding='utf-8')
        self.write_configuration('127.0.0.1:%d' % self.port)
        log = open(self.folder / 'log', 'wb')       # pylint: disable=consider-using-with
        self.addCleanup(log.close)
        self.server = subprocess.Popen(             # pylint: disable=consider-using-with
            ['prometheus', '--config.file', str(self.folder / 'prometheus.yml'),
             '--storage.tsdb.path', str(self.folder / 'data'),
             '--web.listen-address', '127.0.0.1:%d' % self.own, '--web.enable-lifecycle'],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        harness.wait_until(lambda: self.query('up'), 'the first scrape')

    def write_configuration(self, *targets):
        (self.folder / 'prometheus.yml').write_text(
            'global: {scrape_interval: 1s, evaluation_interval: 1s}\n'
            'rule_files: [rules.yml]\n'
            'scrape_configs:\n'
            '  - {job_name: openrcpt, static_configs: [{targets: %s}]}\n'
            % json.dumps(list(targets)), encoding='utf-8')

    def get(self, path, **fields):
        where = 'http://127.0.0.1:%d%s?%s' % (self.own, path, urllib.parse.urlencode(fields))
        with urllib.request.urlopen(where, timeout=harness.LIMIT_S) as answer:
            return json.load(answer)['data']

    def query(self, expression):
        try:
            return self.get('/api/v1/query', query=expression)['result']
        except OSError:
            return []

    def firing(self):
        return {alert['labels']['alertname'] for alert in self.get('/api/v1/alerts')['alerts']
                if alert['state'] == 'firing'}

    def traffic(self):
        self.made.message([KNOWN, UNKNOWN, LOOP])

    def test_each_panel_has_data(self):
        dashboard = json.loads((CONF / 'openrcpt-dashboard.json').read_text(encoding='utf-8'))
        wanted = [target['expr'].replace('$__rate_interval', '30s').replace('$instance', '.*')
                  for panel in dashboard['panels'] for target in panel['targets']]
        self.assertGreater(len(wanted), 12)

        def all_have_data():
            self.traffic()
            return all(self.query(expression) and self.query(expression)[0]['value'][1] != 'NaN'
                       for expression in wanted)
        harness.wait_until(all_have_data, 'data for each panel')
        self.assertEqual(self.get('/api/v1/rules')['groups'][0]['name'], 'openrcpt')

    def test_each_alert_fires(self):
        self.assertEqual(subprocess.run(
            ['promtool', 'check', 'rules', str(CONF / 'openrcpt.rules.yml')], check=False,
            stdout=subprocess.DEVNULL).returncode, 0)
        self.assertEqual(len(self.alerts), 10)
        self.assertEqual(self.firing(), set())
        seen = set()

        def happens(name, act):
            harness.wait_until(lambda: (act(), name in self.firing())[1], name)
            seen.add(name)
        happens('OpenrcptDefers', lambda: self.made.message([LOOP]))
        happens('OpenrcptManyUnknown', lambda: self.made.message([UNKNOWN] * 500))
        # The rest is what the numbers say: a page of our own making says them.
        self.serve_made_up_page()
        for name in set(self.alerts) - seen - {'OpenrcptDown'}:
            happens(name, lambda: None)
        self.made.stop()
        happens('OpenrcptDown', lambda: None)
        self.assertEqual(seen, set(self.alerts))

    def serve_made_up_page(self):
        """The daemon's own page, but with other values, from another port: for states that would
        take days to come to."""
        port = free_port()
        page = self.folder / 'page.py'
        page.write_text(
            'import http.server, sys, time\n'
            'began = time.time()\n'
            'class Page(http.server.BaseHTTPRequestHandler):\n'
            '    def do_GET(self):\n'
            '        n = int(time.time() - began) * 10\n'
            '        self.send_response(200); self.end_headers()\n'
            '        table = "" if n % 200 < 100 else "openrcpt_table_timestamp_seconds 5\\n"\n'
            '        self.wfile.write((table + "openrcpt_build_info{version=\\"0\\"} 1\\n"\n'
            '            "openrcpt_last_load_success 0\\nopenrcpt_table_is_copy 1\\n"\n'
            '            "openrcpt_sessions 9\\nopenrcpt_sessions_max 10\\n"\n'
            '            "openrcpt_worker_restarts_total %d\\n"\n'
            '            "openrcpt_log_dropped_total %d\\n" % (n, n)).encode())\n'
            'http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()\n',
            encoding='utf-8')
        server = subprocess.Popen(                  # pylint: disable=consider-using-with
            [sys.executable, str(page), str(port)], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.write_configuration('127.0.0.1:%d' % self.port, '127.0.0.1:%d' % port)
        self.server.send_signal(signal.SIGHUP)


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'prometheus')
