# SPDX-License-Identifier: BSD-2-Clause
"""Modoboa: aliases of its own beside those of people, expiry, aliases of domains."""

DATABASES = ('mysql', 'postgresql', 'sqlite')

TABLES = '''
CREATE TABLE admin_domain (id INTEGER PRIMARY KEY, name VARCHAR(255), type VARCHAR(20),
    enabled BOOLEAN);
CREATE TABLE admin_domainalias (id INTEGER PRIMARY KEY, name VARCHAR(255), target_id INTEGER,
    enabled BOOLEAN);
CREATE TABLE core_user (id INTEGER PRIMARY KEY, email VARCHAR(255), is_active BOOLEAN);
CREATE TABLE admin_mailbox (id INTEGER PRIMARY KEY, address VARCHAR(255), domain_id INTEGER,
    user_id INTEGER);
CREATE TABLE admin_alias (id INTEGER PRIMARY KEY, address VARCHAR(255), domain_id INTEGER,
    enabled BOOLEAN, internal BOOLEAN, expire_at ${timestamp}, UNIQUE (address, internal));
CREATE TABLE modoboa_admin_aliasrecipient (id INTEGER PRIMARY KEY, address VARCHAR(255),
    alias_id INTEGER);
'''

ROWS = '''
INSERT INTO admin_domain VALUES (1, 'a.example', 'domain', true), (2, 'b.example', 'domain', true),
    (3, 'off.example', 'domain', false), (4, 'relay.example', 'relaydomain', true);
INSERT INTO admin_domainalias VALUES (1, 'old.example', 1, true), (2, 'older.example', 1, false);
INSERT INTO core_user VALUES (1, 'ann@a.example', true), (2, 'bob@a.example', true),
    (3, 'carl@b.example', true), (4, 'dan@a.example', false);
INSERT INTO admin_mailbox VALUES (1, 'ann', 1, 1), (2, 'bob', 1, 2), (3, 'carl', 2, 3),
    (4, 'dan', 1, 4);
INSERT INTO admin_alias VALUES (1, 'ann@a.example', 1, true, true, NULL),
    (2, 'bob@a.example', 1, true, true, NULL), (3, 'carl@b.example', 2, true, true, NULL),
    (4, 'dan@a.example', 1, false, true, NULL), (5, '@old.example', 1, true, true, NULL),
    (6, 'bob@a.example', 1, true, false, NULL), (7, 'team@a.example', 1, true, false, NULL),
    (8, 'temp@a.example', 1, true, false, '2037-01-01 00:00:00'),
    (9, 'late@a.example', 1, true, false, '2001-01-01 00:00:00'),
    (10, 'gone@a.example', 1, false, false, NULL), (11, '@b.example', 2, true, false, NULL);
INSERT INTO modoboa_admin_aliasrecipient VALUES (1, 'ann@a.example', 1), (2, 'bob@a.example', 2),
    (3, 'carl@b.example', 3), (4, 'dan@a.example', 4), (5, '@a.example', 5),
    (6, 'bob@dest.example', 6), (7, 'ann@a.example', 7), (8, 'carl@b.example', 7),
    (9, 'list@dest.example', 7), (10, 'ann@a.example', 8), (11, 'ann@a.example', 9),
    (12, 'ann@a.example', 10), (13, 'ann@a.example', 11);
'''

WORDS = {'timestamp': {'mysql': 'DATETIME(6)', 'postgresql': 'TIMESTAMP', 'sqlite': 'DATETIME'}}

LOCALS = ('ann', 'bob', 'carl', 'dan', 'team', 'temp', 'late', 'gone', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'older.example', 'relay.example')

ALIAS_MAPS = (
    "SELECT r.address FROM modoboa_admin_aliasrecipient AS r INNER JOIN admin_alias AS al ON "
    "r.alias_id = al.id WHERE al.enabled = '1' AND al.address = '%s' AND (al.expire_at IS NULL OR "
    "al.expire_at > CURRENT_TIMESTAMP)",)
ALIAS_DOMAIN_MAP = (
    "SELECT o.name FROM admin_domainalias AS o INNER JOIN admin_domain AS d ON o.target_id = d.id "
    "WHERE o.name = '%s' AND o.enabled = '1' AND d.enabled = '1'")
DOMAIN_MAP = ("SELECT name FROM admin_domain WHERE name = '%s' AND type = 'domain' AND "
              "enabled = '1'")
MAILBOX_MAPS = (
    "SELECT m.id FROM admin_mailbox m JOIN admin_domain d ON d.id = m.domain_id JOIN core_user u "
    "ON u.id = m.user_id WHERE m.address = '%u' AND d.name = '%d' AND u.is_active = '1'",)

CHANGES = (
    "INSERT INTO admin_alias VALUES (20, 'new@a.example', 1, true, false, NULL)",
    "INSERT INTO modoboa_admin_aliasrecipient VALUES (20, 'x@dest.example', 20)",
    "UPDATE modoboa_admin_aliasrecipient SET address = 'bob@a.example' WHERE id = 7",
    "UPDATE admin_alias SET expire_at = '2002-01-01 00:00:00' WHERE id = 8",
    "UPDATE admin_alias SET enabled = false WHERE id = 6",
    "DELETE FROM modoboa_admin_aliasrecipient WHERE id = 9",
    "UPDATE admin_alias SET enabled = false WHERE id = 11",
)
UNCHANGED = ("INSERT INTO admin_alias VALUES (20, 'new@a.example', 1, true, false, NULL)",)
DIFFERENCES = ('unknown at the target',)
