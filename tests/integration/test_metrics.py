#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page for Prometheus: what is on it, that a real Prometheus reads it, that each alert and each
panel of the dashboard finds what it asks for, and that nobody there disturbs mail."""
import fcntl
import functools
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import daemon
import harness
import milter_client
from daemon import Daemon
from databases import Sqlite
from rcptmap import MODULES, Workshop
from table_header import with_created

TABLE = '''\
alias.example        domain
ann@alias.example    ann@dest.example, bob@dest.example
loop@alias.example   pool@alias.example
pool@alias.example   loop@alias.example
'''
SMALL = 'alias.example domain\nann@alias.example ann@dest.example\n'
KNOWN, UNKNOWN, LOOP = '<ann@alias.example>', '<nobody@alias.example>', '<loop@alias.example>'
CONF = harness.SOURCE / 'conf' / 'monitoring'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Pages(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):      # pylint: disable=arguments-differ
        pass

    def guess_type(self, path):
        return 'text/plain'


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
        # The end of a session isn't answered, and may still be on its way.
        harness.wait_until(lambda: self.page(made)['openrcpt_sessions'] == 0, 'it has ended')
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
                            'worker_restarts_total': 0, 'log_dropped_total{reason="stalled"}': 0,
                            'log_dropped_total{reason="limited"}': 0}.items():
            with self.subTest(name):
                self.assertEqual(found['openrcpt_' + name], value)
        self.assertLess(abs(found['process_start_time_seconds'] - time.time()), 3600)
        harness.wait_until(lambda: self.page(made)['process_resident_memory_bytes'] > 1e6,
                           'the worker is measured')
        self.assertGreater(self.page(made)['process_open_fds'], 3)

    def test_workers_that_have_retired(self):
        made = self.started()
        self.assertEqual(self.page(made)['openrcpt_retired_workers'], 0)
        with made.session() as session:
            self.assertEqual((session.mail(), session.rcpt(KNOWN)), ('continue', 'continue'))
            made.reload(max_sessions=77)
            harness.wait_until(lambda: self.page(made)['openrcpt_retired_workers'] == 1,
                               'it is counted')
        harness.wait_until(lambda: self.page(made)['openrcpt_retired_workers'] == 0, 'it has ended')

    def test_trouble_that_repeats_is_counted_instead_of_logged(self):
        words, peers = 'the MTA offers no adding and deleting of recipients', 60
        made = self.started()
        for _ in range(peers):
            with self.assertRaises(milter_client.Ended):
                made.session(milter_client.POSTFIX._replace(actions=1))

        def left_out():
            return sum(int(number) for number in re.findall(
                r'error: (\d+) lines like this in 10 s were not written: ' + words,
                made.log_text()))

        def written():
            return len(re.findall('error: ' + words, made.log_text()))

        limited = 'openrcpt_log_dropped_total{reason="limited"}'
        harness.wait_until(lambda: self.page(made)[limited] > 0, 'what was left out is counted')
        self.assertGreaterEqual(written(), 10)
        made.ask_to_stop()
        harness.wait_until(lambda: written() + left_out() == peers, 'the number is told at the end')
        self.assertGreater(left_out(), 0)

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
    """A real one, over TCP on loopback. Times are shortened: `for` is left out, and rates are of 20
    seconds instead of 5 minutes."""

    def setUp(self):
        self.port, self.own = free_port(), free_port()
        self.made = self.started(metrics='inet:%d@127.0.0.1' % self.port, max_sessions=10)
        self.compiled = self.made.table.read_bytes()
        self.folder = self.made.folder / 'prometheus'
        self.folder.mkdir()
        self.folder.chmod(0o755)
        rules = (CONF / 'openrcpt.rules.yml').read_text(encoding='utf-8')
        self.alerts = re.findall(r'(?m)^ *- alert: (\w+)', rules)
        rules = re.sub(r'(?m)^ *for: .*\n', '', rules).replace('[5m]', '[20s]').replace(
            '> 300', '> 40')        # what is looked at is told each half minute
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
        """By what it warns of, done to a real daemon."""
        self.assertEqual(subprocess.run(
            ['promtool', 'check', 'rules', str(CONF / 'openrcpt.rules.yml')], check=False,
            stdout=subprocess.DEVNULL).returncode, 0)
        self.assertEqual(self.firing(), set())
        ways = {name: getattr(self, re.sub('([A-Z])', r'_\1', name.replace('Openrcpt', 'make')).lower())
                for name in self.alerts}
        self.assertEqual(len(ways), 13)
        ways['OpenrcptDown'] = ways.pop('OpenrcptDown')         # after which nothing else is
        self.assertNotIn('OpenrcptDown', list(ways)[:-1])
        for name, act in ways.items():
            with self.subTest(name):
                again = act() or (lambda: None)
                harness.wait_until(lambda name=name, again=again:
                                   (again(), name in self.firing())[1], name)

    def replace_table(self, data):
        new = self.made.table.with_suffix('.new')
        new.write_bytes(data)
        new.rename(self.made.table)

    # What makes each alert fire, once; or what has to be done again and again.

    def make_defers(self):
        return lambda: self.made.message([LOOP])

    def make_many_unknown(self):
        return lambda: self.made.message([UNKNOWN] * 500)

    def make_table_old(self):
        self.replace_table(with_created(self.compiled, int(time.time()) - 3 * 86400))

    def make_load_failed(self):
        self.replace_table(b'no table')

    def make_table_is_copy(self):
        """The next worker finds no table at its place."""
        self.replace_table(b'no table')
        self.end_worker()

    def end_worker(self):
        """Not the process that serves the metrics."""
        told = subprocess.run(
            harness.command('rcptctl', '-c', self.made.configuration, '--json', 'status'),
            check=True, stdout=subprocess.PIPE, encoding='utf-8').stdout
        pid = json.loads(told)['worker_pid']
        if pid > 0:
            os.kill(pid, signal.SIGKILL)
            harness.wait_until(lambda: not daemon.is_alive(pid), 'it has ended')

    def make_worker_restarts(self):
        return self.end_worker

    def make_sessions(self):
        self.made.wait_until_ready()
        for _ in range(9):
            session = self.made.session()
            self.addCleanup(session.close)
            session.mail()
            session.rcpt(KNOWN)

    def add_daemon(self, made):
        """Another one that is scraped."""
        port = free_port()
        self.addCleanup(made.close)
        made.write_configuration(metrics='inet:%d@127.0.0.1' % port)
        self.write_configuration('127.0.0.1:%d' % self.port, '127.0.0.1:%d' % port)
        self.server.send_signal(signal.SIGHUP)

    def make_no_table(self):
        """There is no copy of a mapped table that was written over, once its worker has ended."""
        made = Daemon(TABLE, {'load': 'mapped'}, compile_options=['--lenient'])
        self.add_daemon(made)
        made.start()
        made.wait_for_log('serves')     # a worker that dies before is the end of it all
        with open(made.table, 'r+b') as file:
            file.write(b'nonsense')
        for pid in made.workers():
            os.kill(pid, signal.SIGKILL)

    def make_log_dropped(self):
        """Its log is a pipe that nobody reads."""
        made = Daemon(TABLE, compile_options=['--lenient'])
        self.add_daemon(made)
        os.mkfifo(made.log)
        end = os.open(made.log, os.O_RDWR)
        self.addCleanup(os.close, end)
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
        made.spawn()
        harness.wait_until(made.socket.exists, 'it listens')
        return lambda: made.message([KNOWN] * 20)

    def add_watcher(self, shop):
        """One whose metrics are served as node_exporter serves them."""
        self.addCleanup(shop.close)
        pages = shop.folder / 'pages'
        pages.mkdir()
        watcher = subprocess.Popen(                 # pylint: disable=consider-using-with
            harness.command('rcptmap', 'watch', '-c', shop.configuration, '--metrics',
                            pages / 'metrics'),
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **MODULES})
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)
        handler = functools.partial(Pages, directory=str(pages))
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.write_configuration('127.0.0.1:%d' % self.port, '127.0.0.1:%d' % server.server_port)
        self.server.send_signal(signal.SIGHUP)
        # Not one of before, which is still remembered.
        compiled = ('openrcpt_watch_success_timestamp_seconds{instance="127.0.0.1:%d"} > 0'
                    % server.server_port)
        harness.wait_until(lambda: self.query(compiled), 'it has compiled')
        return watcher

    def make_watch_fails(self):
        shop = Workshop(SMALL)
        shop.write_configuration(runtime_directory=shop.folder / 'run')
        self.add_watcher(shop)
        shop.source.write_text('alias.example domain\nann@alias.example "\n', encoding='ascii')

    def make_watch_stopped(self):
        shop = Workshop(SMALL)
        shop.write_configuration(runtime_directory=shop.folder / 'run')
        self.add_watcher(shop).kill()

    def make_database_old(self):
        """It goes away."""
        shop = Workshop(TABLE)
        database = Sqlite(shop.folder)
        database.fill([(1, 'ann@alias.example', 'ann@dest.example', True)])
        shop.write_configuration(
            runtime_directory=shop.folder / 'run', alias_domains=['alias.example'],
            follow_age_seconds=5, sources=[{
                'type': 'sqlite', **database.connection(),
                'alias_query': 'SELECT address, goto FROM alias'}])
        self.add_watcher(shop)
        harness.wait_until(lambda: self.query('openrcpt_watch_source_up == 1'), 'it is up')
        database.path.rename(database.path.with_name('away'))

    def make_down(self):
        self.made.stop()


if __name__ == '__main__':
    harness.main('openrcptd', 'rcptmap', 'rcptctl', 'prometheus', 'sqlite')
