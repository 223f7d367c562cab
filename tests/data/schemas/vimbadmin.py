# SPDX-License-Identifier: BSD-2-Clause
"""ViMbAdmin."""

DATABASES = ('mysql', 'sqlite')

TABLES = '''
CREATE TABLE domain (id INTEGER PRIMARY KEY, domain VARCHAR(255), backupmx BOOLEAN, active BOOLEAN);
CREATE TABLE alias (id INTEGER PRIMARY KEY, address VARCHAR(255) UNIQUE, goto TEXT, active BOOLEAN,
    Domain_id INTEGER);
CREATE TABLE mailbox (id INTEGER PRIMARY KEY, username VARCHAR(255), maildir VARCHAR(255),
    active BOOLEAN, Domain_id INTEGER);
'''

ROWS = '''
INSERT INTO domain VALUES (1, 'a.example', false, true), (2, 'b.example', false, true),
    (3, 'off.example', false, false), (4, 'backup.example', true, true);
INSERT INTO mailbox VALUES (1, 'ann@a.example', 'ann', true, 1),
    (2, 'bob@a.example', 'bob', true, 1),
    (3, 'carl@b.example', 'carl', true, NULL), (4, 'eve@off.example', 'eve', true, 3);
INSERT INTO alias VALUES (1, 'ann@a.example', 'ann@a.example', true, 1),
    (2, 'bob@a.example', 'bob@a.example,bob@dest.example', true, 1),
    (3, 'carl@b.example', 'carl@b.example', true, 2),
    (4, 'team@a.example', 'ann@a.example,carl@b.example,list@dest.example', true, 1),
    (5, 'gone@a.example', 'ann@a.example', false, 1), (6, '@b.example', 'ann@a.example', true, 2),
    (7, 'eve@off.example', 'eve@off.example', true, 3),
    (8, 'info@backup.example', 'ann@a.example', true, 4);
'''

LOCALS = ('ann', 'bob', 'carl', 'eve', 'team', 'gone', 'info', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'off.example', 'backup.example')

ALIAS_MAPS = ("SELECT goto FROM alias WHERE address = '%s' AND active = '1'",)
DOMAIN_MAP = ("SELECT domain FROM domain WHERE domain = '%s' AND backupmx = '0' AND "
              "active = '1'")
MAILBOX_MAPS = ("SELECT maildir FROM mailbox WHERE username = '%s' AND active = '1'",)

CHANGES = (
    "INSERT INTO alias VALUES (20, 'new@a.example', 'x@dest.example', true, 1)",
    "UPDATE alias SET goto = 'bob@a.example' WHERE id = 4",
    "UPDATE alias SET active = false WHERE id = 6",
    "DELETE FROM alias WHERE id = 4",
    "UPDATE domain SET active = false WHERE id = 2",
)
