# SPDX-License-Identifier: BSD-2-Clause
"""The tables of the ISPmail guide, where a third map keeps catch-alls from mailboxes."""

DATABASES = ('mysql', 'postgresql', 'sqlite')

TABLES = '''
CREATE TABLE virtual_domains (id INTEGER PRIMARY KEY, name VARCHAR(255));
CREATE TABLE virtual_users (id INTEGER PRIMARY KEY, domain_id INTEGER, email VARCHAR(255));
CREATE TABLE virtual_aliases (id INTEGER PRIMARY KEY, domain_id INTEGER, source VARCHAR(255),
    destination VARCHAR(255));
'''

ROWS = '''
INSERT INTO virtual_domains VALUES (1, 'a.example'), (2, 'b.example');
INSERT INTO virtual_users VALUES (1, 1, 'ann@a.example'), (2, 1, 'bob@a.example'),
    (3, 2, 'carl@b.example');
INSERT INTO virtual_aliases VALUES (1, 1, 'team@a.example', 'ann@a.example'),
    (2, 1, 'team@a.example', 'carl@b.example'), (3, 1, 'team@a.example', 'list@dest.example'),
    (4, 2, '@b.example', 'ann@a.example'), (5, 2, '@b.example', 'other@dest.example'),
    (6, 1, 'info@a.example', 'team@a.example');
'''

LOCALS = ('ann', 'bob', 'carl', 'team', 'info', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'other.example')

ALIAS_MAPS = ("SELECT destination FROM virtual_aliases WHERE source='%s'",
              "SELECT email FROM virtual_users WHERE email='%s'")
DOMAIN_MAP = "SELECT 1 FROM virtual_domains WHERE name='%s'"
MAILBOX_MAPS = ("SELECT 1 FROM virtual_users WHERE email='%s'",)

CHANGES = (
    "INSERT INTO virtual_aliases VALUES (20, 1, 'new@a.example', 'x@dest.example')",
    "UPDATE virtual_aliases SET destination = 'bob@a.example' WHERE id = 5",
    "DELETE FROM virtual_aliases WHERE id = 2",
    "INSERT INTO virtual_users VALUES (4, 2, 'nobody@b.example')",
    "DELETE FROM virtual_aliases WHERE source = '@b.example'",
    "DELETE FROM virtual_domains WHERE id = 2",
)
