# SPDX-License-Identifier: BSD-2-Clause
"""What tests of rcptmap watch with a database share."""
import re
import time

import harness
import rcptmap
from rcptmap_test import OK
from watch_test import WatchTest


def install_triggers(database, schema, *parameters):
    """As rcptmap prints them, and twice, since they may be there already."""
    result = rcptmap.run('sql', 'postgresql', str(schema), *parameters)
    if (result.status, result.err) != (OK, ''):
        raise AssertionError(result)
    for _ in range(2):
        database.run(result.out)


class FollowTest(WatchTest):
    """Nothing is read by the clock, so that whatever is published was heard of."""

    def make_database(self):
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        self.database = self.make_database()
        self.database.fill([(1, 'a@one.example', 'first@dest.example', True),
                            (2, 'postmaster@one.example', 'pm@dest.example', True)])
        self.use()

    def write_schema(self):
        path = self.shop.folder / 'schema.conf'
        self.put(path, 'alias_query = "SELECT address, goto, id FROM alias WHERE active";\n')
        return path

    def use(self, **settings):
        self.shop.write_configuration(**{
            'follow_seconds': 0, 'alias_domains': ['one.example'], 'sources': [{
                'type': self.database.TYPE, **self.database.connection(), 'timeout_seconds': 2,
                'connect_timeout_seconds': 2,
                'alias_query': 'SELECT address, goto, id FROM alias WHERE ' +
                               self.database.ACTIVE}], **settings})

    def target(self):
        result = rcptmap.run('query', '-t', self.shop.table, 'a@one.example')
        return result.out.partition('@')[0]

    def change(self, target):
        self.database.run("UPDATE alias SET goto = '%s@dest.example' WHERE id = 1" % target)

    def state(self):
        """Of the one source: is it up, when was it confirmed, since when is it away?"""
        path = self.runtime.with_name(self.runtime.name + '-watch') / 'state'
        text = path.read_text(encoding='utf-8') if path.exists() else ''
        found = re.search(r'(?m)^source (\d) (\d+) (\d+) %s:main ' % self.database.TYPE, text)
        return [int(value) for value in found.groups()] if found else [0, 0, 0]

    def wait_for_confirmation(self):
        """What was begun before is over, and the server has said since that nothing has changed."""
        now = int(time.time())
        harness.wait_until(lambda: self.state()[1] > now, 'nothing is confirmed')

    def start_and_wait(self, *options, **more):
        super().start_and_wait(*options, **more)
        self.wait_for_target('first')
        harness.wait_until(lambda: self.state()[0] == 1, 'nobody listens')

    def check_changes(self):
        for target in ('second', 'third', 'fourth'):
            self.change(target)
            self.wait_for_target(target)
