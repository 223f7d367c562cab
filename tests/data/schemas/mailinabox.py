# SPDX-License-Identifier: BSD-2-Clause
"""Mail-in-a-Box: three tables, the first that has an address counts."""

DATABASES = ('sqlite',)

TABLES = '''
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
CREATE TABLE aliases (id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE,
    destination TEXT NOT NULL, permitted_senders TEXT);
CREATE TABLE auto_aliases (id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE,
    destination TEXT NOT NULL, permitted_senders TEXT);
'''

ROWS = '''
INSERT INTO users VALUES (1, 'ann@a.example'), (2, 'bob@a.example'), (3, 'carl@b.example'),
    (4, 'abuse@b.example');
INSERT INTO aliases VALUES (1, 'team@a.example', 'ann@a.example,carl@b.example,list@dest.example',
    NULL), (2, 'bob@a.example', 'bob@dest.example', NULL),
    (3, 'send@a.example', '', 'ann@a.example'),
    (4, 'admin@a.example', 'bob@a.example', NULL), (5, '@b.example', 'ann@a.example', NULL),
    (6, '@old.example', '@a.example', NULL);
INSERT INTO auto_aliases VALUES (1, 'admin@a.example', 'administrator@box.example', NULL),
    (2, 'abuse@a.example', 'administrator@box.example', NULL),
    (3, 'abuse@b.example', 'administrator@box.example', NULL),
    (4, 'administrator@box.example', 'ann@a.example', NULL),
    (5, 'send@a.example', 'carl@b.example', NULL);
'''

LOCALS = ('ann', 'bob', 'carl', 'abuse', 'team', 'send', 'admin', 'administrator', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'box.example', 'other.example')

ALIAS_MAPS = (
    "SELECT destination FROM (SELECT destination, 0 AS priority FROM aliases WHERE source = '%s' "
    "AND destination <> '' UNION SELECT email AS destination, 1 AS priority FROM users WHERE email "
    "= '%s' UNION SELECT destination, 2 AS priority FROM auto_aliases WHERE source = '%s' AND "
    "destination <> '') ORDER BY priority LIMIT 1",)
DOMAIN_MAP = (
    "SELECT 1 FROM users WHERE email LIKE '%%@%s' UNION SELECT 1 FROM aliases WHERE source LIKE "
    "'%%@%s' UNION SELECT 1 FROM auto_aliases WHERE source LIKE '%%@%s'")
MAILBOX_MAPS = ("SELECT 1 FROM users WHERE email = '%s'",)

CHANGES = (
    "INSERT INTO aliases VALUES (20, 'new@a.example', 'x@dest.example', NULL)",
    "UPDATE aliases SET destination = 'bob@a.example' WHERE id = 1",
    "DELETE FROM aliases WHERE id = 2",
    "DELETE FROM aliases WHERE id = 4",
    "INSERT INTO users VALUES (5, 'new@other.example')",
    "DELETE FROM aliases WHERE id = 5",
    "DELETE FROM aliases WHERE id = 6",
)
DIFFERENCES = ('unknown at the target',)
