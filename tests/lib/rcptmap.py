# SPDX-License-Identifier: BSD-2-Clause
"""rcptmap(1) from Python, and the configuration file that it and the daemon read."""
import collections
import json
import os
import re
import subprocess

import harness

Result = collections.namedtuple('Result', 'status out err')

# Where the modules for databases and the schemas are as long as they aren't installed.
MODULES = {'OPENRCPT_MODULE_DIRECTORY': str(harness.build_folder() / 'src' / 'modules'),
           'OPENRCPT_SCHEMA_DIRECTORY': str(harness.SOURCE / 'conf' / 'schemas')}
TIMEOUT_S = 300         # only ends a test that would hang


def run(*arguments, text=None, cwd=None, environment=None):
    """Run rcptmap with ARGUMENTS and TEXT as its standard input."""
    done = subprocess.run(
        harness.command('rcptmap', *arguments), check=False, cwd=cwd, timeout=TIMEOUT_S,
        env={**os.environ, 'LC_ALL': 'C.UTF-8', **MODULES, **(environment or {})},
        input=text, stdin=subprocess.DEVNULL if text is None else None,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8',
        errors='surrogateescape')
    return Result(done.returncode, done.stdout, done.stderr)


def resolve(configuration, addresses, *options):
    """What `resolve --json` says about each address: a list of dictionaries."""
    result = run('resolve', '-c', configuration, '--json', *options, '-',
                 text=''.join(address + '\n' for address in addresses))
    if result.status not in (0, 1, 75):
        raise AssertionError('rcptmap resolve: exit %d: %s' % (result.status, result.err))
    answers = [json.loads(line) for line in result.out.splitlines()]
    if len(answers) != len(addresses):
        raise AssertionError('rcptmap resolve: %d answers to %d questions: %s'
                             % (len(answers), len(addresses), result.err))
    return answers


# ---- openrcpt.conf ---------------------------------------------------------------------


def _value(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, dict) for item in value):
            return '( %s )' % ', '.join(_value(item) for item in value)
        return '[ %s ]' % ', '.join(_value(item) for item in value)
    if isinstance(value, dict):
        return '{ %s }' % ' '.join('%s = %s;' % (name, _value(item))
                                   for name, item in value.items())
    return '"%s"' % str(value).replace('\\', '\\\\').replace('"', '\\"')


def libconfig_text(settings):
    """Settings, a dictionary, as a libconfig file."""
    return ''.join('%s = %s;\n' % (name, _value(value)) for name, value in settings.items())


class Workshop:
    """A scratch folder with openrcpt.conf, the source `virtual` and the compiled table."""

    def __init__(self, table='', settings=None, snippet=''):
        """table: virtual(5) text, or sources: [(type, text)]. settings: on top of the paths.
        snippet: libconfig text that is put behind them, and wins."""
        self.folder = harness.Scratch()
        for name in ('etc', 'lib'):
            (self.folder / name).mkdir(mode=0o755)
        self.configuration = self.folder / 'etc' / 'openrcpt.conf'
        self.source = self.folder / 'etc' / 'virtual'
        self.table = self.folder / 'lib' / 'recipients.table'
        self.settings = {
            'table': self.table, 'sources': [{'type': 'virtual', 'path': self.source}],
            'origin': 'origin.example', **(settings or {})}
        self.snippet = snippet
        if isinstance(table, list):
            self.settings['sources'] = self._write_sources(table)
        self.write_configuration()
        self.write_source('' if isinstance(table, list) else table)

    def _write_sources(self, sources):
        made = []
        for number, (kind, text) in enumerate(sources):
            path = self.folder / 'etc' / ('source%d' % number)
            path.write_text(text, encoding='utf-8')
            path.chmod(0o644)
            made.append({'type': kind, 'path': path})
        return made

    def write_configuration(self, **changes):
        self.settings.update(changes)
        own = {name: value for name, value in self.settings.items()
               if not re.search(r'(?m)^\s*%s\s*=' % name, self.snippet)}
        self.configuration.write_text(libconfig_text(own) + self.snippet, encoding='utf-8')
        self.configuration.chmod(0o644)

    def write_source(self, text):
        data = text if isinstance(text, bytes) else text.encode('utf-8', 'surrogateescape')
        self.source.write_bytes(data)
        self.source.chmod(0o644)

    def try_compile(self, *options):
        return run('compile', '-c', self.configuration, *options)

    def compile(self, *options):
        """Compile, which must succeed; returns what was said on the way."""
        result = self.try_compile(*options)
        if result.status != 0:
            raise AssertionError('rcptmap compile: exit %d\n%s' % (result.status, result.err))
        return result.err

    def resolve(self, addresses, *options):
        return resolve(self.configuration, addresses, *options)

    def close(self):
        self.folder.remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
