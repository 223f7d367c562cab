# SPDX-License-Identifier: BSD-2-Clause
"""Froxlor: targets between blanks, customers who are switched off."""

DATABASES = ('mysql', 'sqlite')

TABLES = '''
CREATE TABLE panel_customers (customerid INTEGER PRIMARY KEY, deactivated INTEGER);
CREATE TABLE panel_domains (id INTEGER PRIMARY KEY, domain VARCHAR(255), isemaildomain INTEGER,
    deactivated INTEGER);
CREATE TABLE mail_users (id INTEGER PRIMARY KEY, email VARCHAR(255), maildir VARCHAR(255));
CREATE TABLE mail_virtual (id INTEGER PRIMARY KEY, email VARCHAR(255), email_full VARCHAR(255),
    destination TEXT, customerid INTEGER, iscatchall INTEGER);
'''

ROWS = '''
INSERT INTO panel_customers VALUES (1, 0), (2, 0), (3, 1);
INSERT INTO panel_domains VALUES (1, 'a.example', 1, 0), (2, 'b.example', 1, 0),
    (3, 'web.example', 0, 0), (4, 'off.example', 1, 1);
INSERT INTO mail_users VALUES (1, 'ann@a.example', 'ann/'), (2, 'bob@a.example', 'bob/'),
    (3, 'carl@b.example', 'carl/');
INSERT INTO mail_virtual VALUES (1, 'ann@a.example', 'ann@a.example', 'ann@a.example', 1, 0),
    (2, 'bob@a.example', 'bob@a.example', 'bob@a.example bob@dest.example', 1, 0),
    (3, 'carl@b.example', 'carl@b.example', 'carl@b.example ', 2, 0),
    (4, 'team@a.example', 'team@a.example', ' ann@a.example carl@b.example list@dest.example',
        1, 0),
    (5, 'none@a.example', 'none@a.example', '  ', 1, 0),
    (6, 'gone@a.example', 'gone@a.example', 'ann@a.example', 3, 0),
    (7, '@b.example', 'all@b.example', 'ann@a.example', 2, 1);
'''

LOCALS = ('ann', 'bob', 'carl', 'team', 'none', 'gone', 'all', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'web.example', 'off.example')

ALIAS_MAPS = (
    "SELECT v.destination FROM mail_virtual AS v, panel_customers AS c WHERE v.email = '%s' AND "
    "trim(v.destination) <> '' AND v.customerid = c.customerid AND c.deactivated = '0'",)
DOMAIN_MAP = ("SELECT domain FROM panel_domains WHERE domain = '%s' AND isemaildomain = '1' AND "
              "deactivated = '0'")
MAILBOX_MAPS = ("SELECT maildir FROM mail_users WHERE email = '%s'",)

CHANGES = (
    "INSERT INTO mail_virtual VALUES (20, 'new@a.example', 'new@a.example', 'x@dest.example', 1, "
    "0)",
    "UPDATE mail_virtual SET destination = 'bob@a.example' WHERE id = 4",
    "UPDATE panel_customers SET deactivated = 0 WHERE customerid = 3",
    "DELETE FROM mail_virtual WHERE id = 7",
    "UPDATE panel_domains SET deactivated = 1 WHERE id = 2",
)
