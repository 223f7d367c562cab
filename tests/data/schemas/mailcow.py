# SPDX-License-Identifier: BSD-2-Clause
"""mailcow: hidden aliases, resources, time-limited aliases, aliases of domains that reach mailboxes
only."""

DATABASES = ('mysql', 'sqlite')

TABLES = '''
CREATE TABLE domain (domain VARCHAR(255) PRIMARY KEY, backupmx INTEGER, active INTEGER);
CREATE TABLE alias (id INTEGER PRIMARY KEY, address VARCHAR(255), goto TEXT, active INTEGER);
CREATE TABLE alias_domain (alias_domain VARCHAR(255) PRIMARY KEY, target_domain VARCHAR(255),
    active INTEGER);
CREATE TABLE mailbox (username VARCHAR(255) PRIMARY KEY, local_part VARCHAR(255),
    domain VARCHAR(255), kind VARCHAR(100), active INTEGER);
CREATE TABLE spamalias (address VARCHAR(255) PRIMARY KEY, goto TEXT, validity INTEGER,
    permanent INTEGER);
'''

ROWS = '''
INSERT INTO domain VALUES ('a.example', 0, 1), ('b.example', 0, 1), ('off.example', 0, 0),
    ('backup.example', 1, 1);
INSERT INTO alias_domain VALUES ('old.example', 'a.example', 1), ('older.example', 'b.example', 0);
INSERT INTO mailbox VALUES ('ann@a.example', 'ann', 'a.example', '', 1),
    ('bob@a.example', 'bob', 'a.example', '', 2), ('carl@b.example', 'carl', 'b.example', '', 1),
    ('dan@a.example', 'dan', 'a.example', '', 0),
    ('room@a.example', 'room', 'a.example', 'location', 1);
INSERT INTO alias VALUES (1, 'ann@a.example', 'ann@a.example', 1),
    (2, 'bob@a.example', 'bob@a.example', 1), (3, 'carl@b.example', 'carl@b.example', 1),
    (4, 'team@a.example', 'ann@a.example,carl@b.example,list@dest.example', 1),
    (5, 'info@a.example', 'bob@a.example', 2), (6, 'gone@a.example', 'ann@a.example', 0),
    (7, 'null@a.example', 'null@localhost', 1), (8, 'spam@a.example', 'spam@localhost', 1),
    (9, 'info@old.example', 'own@dest.example', 1), (10, '@b.example', 'ann@a.example', 1);
INSERT INTO spamalias VALUES ('temp@a.example', 'ann@a.example', 2100000000, 0),
    ('late@a.example', 'ann@a.example', 1000000000, 0),
    ('late@b.example', 'carl@b.example', 1000000000, 0),
    ('kept@a.example', 'ann@a.example', 1000000000, 1);
'''

WORDS = {
    'now': {'mysql': 'UNIX_TIMESTAMP()', 'sqlite': "CAST(strftime('%%s', 'now') AS INTEGER)"},
    'at_target': ("'%u'", "'@'", 'alias_domain.target_domain'),
}

LOCALS = ('ann', 'bob', 'carl', 'dan', 'room', 'team', 'info', 'gone', 'null', 'spam', 'temp',
          'late', 'kept', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'older.example', 'off.example',
           'backup.example')

ALIAS_MAPS = (
    "SELECT goto FROM alias WHERE address='%s' AND (active='1' OR active='2')",
    "SELECT 'null@localhost' FROM mailbox WHERE kind IN ('location', 'thing', 'group') AND "
    "username = '%s'",
    "SELECT goto FROM spamalias WHERE address='%s' AND (validity >= ${now} "
    "OR permanent != 0)",
    "SELECT username FROM mailbox, alias_domain WHERE alias_domain.alias_domain='%d' AND "
    "mailbox.username = ${at_target} AND (mailbox.active='1' OR "
    "mailbox.active='2') AND alias_domain.active='1'")
DOMAIN_MAP = ("SELECT alias_domain FROM alias_domain WHERE alias_domain='%s' AND active='1' UNION "
              "SELECT domain FROM domain WHERE domain='%s' AND backupmx='0' AND active='1'")
MAILBOX_MAPS = ("SELECT username FROM mailbox WHERE username='%s' AND (active='1' OR "
                "active='2')",)

CHANGES = (
    "INSERT INTO alias VALUES (11, 'new@a.example', 'x@dest.example', 1)",
    "UPDATE alias SET goto = 'bob@a.example' WHERE id = 4",
    "UPDATE alias SET active = 0 WHERE id = 5",
    "UPDATE spamalias SET validity = 1000000000 WHERE address = 'temp@a.example'",
    "DELETE FROM alias WHERE id = 10",
    "UPDATE alias_domain SET active = 0",
    "UPDATE domain SET active = 0 WHERE domain = 'b.example'",
)
