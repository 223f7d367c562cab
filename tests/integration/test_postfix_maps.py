#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A new domain is one edit: rcptmap compile tells a running Postfix of it."""
import os
import pathlib
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

# pylint: disable=wrong-import-position
import harness
import rcptmap
from mail_system import MailSystem
from private_postfix import PrivatePostfix
from rcptmap_test import CONFIG, NO_PERMISSION, OK, RcptmapTest

FIRST = ('first.example  x\nann@first.example  ann@dest.example\n'
         'postmaster@first.example  ann@dest.example\n')
SECOND = ('second.example  x\nbob@second.example  bob@dest.example\n'
          'postmaster@second.example  bob@dest.example\n')
BOX = ('carl@box.example  carl@dest.example\nbox@box.example  box@box.example\n'
       'postmaster@box.example  carl@dest.example\n')
UNAVAILABLE = 69


def kinds():
    with PrivatePostfix() as postfix:
        known = postfix.tool('postconf', '-m').split()
    return [kind for kind in ('hash', 'cdb', 'lmdb') if kind in known]


class Maps(RcptmapTest):
    """The files, and the commands that tell Postfix of them."""

    @classmethod
    def setUpClass(cls):
        cls.postfix = PrivatePostfix()
        cls.addClassCleanup(cls.postfix.close)
        cls.postfix.tool('postconf', '-m')
        cls.environment = {'MAIL_CONFIG': str(cls.postfix.etc)}

    def make(self, text=FIRST + BOX, kind='hash', **settings):
        shop = self.workshop(text)
        self.maps = shop.folder / 'etc' / 'postfix'
        shop.write_configuration(mailbox_domains=['box.example'],
                                 postfix_maps={'directory': self.maps, 'type': kind}, **settings)
        return shop

    def compile(self, shop, *options):
        return rcptmap.run('compile', '-c', shop.configuration, *options,
                           environment=self.environment)

    def query(self, kind, name, key):
        return self.postfix.tool('postmap', '-q', key, '%s:%s' % (kind, self.maps / name),
                                 check=False).strip()

    def test_each_type(self):
        for kind in kinds() + ['texthash']:
            with self.subTest(kind):
                shop = self.make(kind=kind)
                self.assertEqual(self.compile(shop), (OK, '', ''))
                self.assertEqual(self.query(kind, 'alias_domains', 'first.example'), 'openrcpt')
                self.assertEqual(self.query(kind, 'alias_domains', 'box.example'), '')
                for domain in ('@first.example', '@box.example'):
                    self.assertEqual(self.query(kind, 'catch_all', domain), domain)
                for path in self.maps.iterdir():
                    self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o644, path)
                suffixes = {'hash': '.db', 'cdb': '.cdb', 'lmdb': '.lmdb'}
                self.assertEqual(sorted(path.name for path in self.maps.iterdir()), sorted(
                    name + suffix for name in ('alias_domains', 'catch_all')
                    for suffix in {'', suffixes.get(kind, '')}))

    def test_they_are_written_when_the_domains_change_and_only_then(self):
        shop = self.make()
        self.compile(shop)
        before = {path: path.stat().st_ino for path in self.maps.iterdir()}
        shop.write_source(FIRST + BOX + 'new@first.example x@dest.example\n')
        self.assertEqual(self.compile(shop), (OK, '', ''))
        self.assertEqual({path: path.stat().st_ino for path in self.maps.iterdir()}, before)
        shop.write_source(FIRST + BOX + SECOND)
        self.assertEqual(self.compile(shop), (OK, '', ''))
        self.assertEqual(self.query('hash', 'alias_domains', 'second.example'), 'openrcpt')
        (self.maps / 'catch_all.db').unlink()
        self.assertEqual(self.compile(shop), (OK, '', ''))
        self.assertEqual(self.query('hash', 'catch_all', '@second.example'), '@second.example')

    def test_not_for_another_table_nor_for_a_check(self):
        shop = self.make()
        for options in (['-n'], ['-o', shop.folder / 'lib' / 'other.table']):
            self.assertEqual(self.compile(shop, *options), (OK, '', ''))
            self.assertFalse(self.maps.exists())
        self.assertEqual(self.compile(shop, '--no-proof'), (OK, '', ''))
        self.assertTrue(self.maps.exists())

    def test_where_they_can_not_be_written_the_old_table_stays(self):
        shop = self.make()
        self.compile(shop)
        before = shop.table.read_bytes()
        shop.write_source(FIRST + BOX + SECOND)
        failed = rcptmap.run('compile', '-c', shop.configuration,
                             environment={'MAIL_CONFIG': '/nowhere'})
        self.assert_says(failed, UNAVAILABLE, 'rcptmap: .*postmap hash:.* failed')
        self.assertEqual(shop.table.read_bytes(), before)
        self.maps.chmod(0o777)
        self.assert_says(self.compile(shop), NO_PERMISSION, 'rcptmap: .*postfix')
        self.assertEqual(shop.table.read_bytes(), before)
        self.maps.chmod(0o755)
        self.assertEqual(self.compile(shop), (OK, '', ''))

    def test_the_directory_has_an_absolute_path(self):
        shop = self.workshop(FIRST)
        shop.write_configuration(postfix_maps={'directory': 'postfix'})
        self.assert_says(self.compile(shop), CONFIG, '.*postfix_maps.directory')

    def test_domains_are_listed(self):
        shop = self.make(FIRST + BOX + 'x@undeclared.example y@dest.example\n')
        self.compile(shop)
        self.assertEqual(rcptmap.run('domains', '-c', shop.configuration),
                         (OK, 'box.example\tmailbox\nfirst.example\talias\n', ''))
        self.assertEqual(rcptmap.run('domains', '-c', shop.configuration, '--postfix').out,
                         "postconf -e 'virtual_alias_maps = hash:{0}/catch_all'\n"
                         "postconf -e 'virtual_alias_domains = hash:{0}/alias_domains'\n"
                         .format(self.maps))

    def test_without_maps_the_domains_stand_in_the_commands(self):
        shop = self.workshop(FIRST + SECOND + BOX, {'mailbox_domains': ['box.example']})
        shop.compile()
        printed = rcptmap.run('domains', '-c', shop.configuration, '--postfix')
        subprocess.run(['sh', '-e'], input=printed.out, check=True, encoding='utf-8',
                       env={**os.environ, 'PATH': '/usr/sbin:/usr/bin:/bin', **self.environment})
        for name, value in (
                ('virtual_alias_domains', 'first.example second.example'),
                ('virtual_alias_maps', 'inline:{ %s }' % ', '.join(
                    '{ @%s = @%s }' % (name, name)
                    for name in ('box.example', 'first.example', 'second.example')))):
            self.assertEqual(self.postfix.tool('postconf', '-h', name).strip(), value)
        self.assertEqual(self.postfix.tool(
            'postmap', '-q', '@box.example',
            self.postfix.tool('postconf', '-hx', 'virtual_alias_maps').strip()).strip(),
            '@box.example')


class OneEdit(RcptmapTest):
    """A running Postfix, a new domain in the source, rcptmap compile."""

    def serve(self, kind):
        system = MailSystem(FIRST, [])
        self.addCleanup(system.close)
        shop, postfix = system.daemon, system.postfix
        postfix.tool('postconf', '-m')
        maps = shop.folder / 'etc' / 'postfix'
        shop.write_configuration(postfix_maps={'directory': maps, 'type': kind})
        self.compile(system)
        postfix.parameters.update({
            'virtual_alias_maps': '%s:%s/catch_all' % (kind, maps),
            'virtual_alias_domains': '%s:%s/alias_domains' % (kind, maps)})
        system.start()
        return system

    def compile(self, system):
        result = rcptmap.run('compile', '-c', system.daemon.configuration,
                             environment=system.postfix.environment)
        self.assertEqual(result, (OK, '', ''))

    def replies(self, system, *recipients):
        with system.client() as client:
            return [str(reply)[:9] for reply in client.message(list(recipients)).recipients]

    def test_the_domain_is_served(self):
        for kind in kinds():
            with self.subTest(kind):
                system = self.serve(kind)
                system.send(['ann@first.example'])
                self.assertEqual(system.delivered(), ['ann@dest.example'])
                system.daemon.write_source(FIRST + SECOND)
                self.compile(system)
                # Refused as foreign by Postfix, or taken before the daemon knows, and then by name.
                harness.wait_until(
                    lambda: self.replies(system, 'nobody@second.example') == ['550 5.1.1'],
                    'the new domain')
                system.delivered()
                system.send(['bob@second.example', 'ann@first.example'])
                self.assertEqual(system.delivered(), ['ann@dest.example', 'bob@dest.example'])


if __name__ == '__main__':
    harness.main('rcptmap', 'openrcptd', 'postfix')
