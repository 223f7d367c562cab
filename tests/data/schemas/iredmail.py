# SPDX-License-Identifier: BSD-2-Clause
"""iRedMail: one row a target, catch-alls that are bare domains, lists of mlmmj."""

DATABASES = ('mysql', 'postgresql')

TABLES = '''
CREATE TABLE domain (domain VARCHAR(255) PRIMARY KEY, backupmx INT2, expired TIMESTAMP,
    active INT2);
CREATE TABLE alias_domain (alias_domain VARCHAR(255) PRIMARY KEY, target_domain VARCHAR(255),
    active INT2);
CREATE TABLE mailbox (username VARCHAR(255) PRIMARY KEY, maildir VARCHAR(255), domain VARCHAR(255),
    enabledeliver INT2, active INT2);
CREATE TABLE maillists (address VARCHAR(255) PRIMARY KEY, domain VARCHAR(255),
    transport VARCHAR(255), active INT2);
CREATE TABLE forwardings (id INTEGER PRIMARY KEY, address VARCHAR(255), forwarding VARCHAR(255),
    domain VARCHAR(255), is_maillist INT2, active INT2);
'''

ROWS = '''
INSERT INTO domain VALUES ('a.example', 0, '2037-12-31', 1), ('b.example', 0, '2001-01-01', 1),
    ('off.example', 0, '2037-12-31', 0), ('backup.example', 1, '2037-12-31', 1);
INSERT INTO alias_domain VALUES ('old.example', 'a.example', 1), ('older.example', 'a.example', 0),
    ('bold.example', 'b.example', 1);
INSERT INTO mailbox VALUES ('ann@a.example', 'ann/', 'a.example', 1, 1),
    ('bob@a.example', 'bob/', 'a.example', 1, 1), ('carl@b.example', 'carl/', 'b.example', 1, 1),
    ('dan@b.example', 'dan/', 'b.example', 1, 1), ('eve@off.example', 'eve/', 'off.example', 1, 1),
    ('fred@a.example', 'fred/', 'a.example', 0, 1);
INSERT INTO maillists VALUES ('list@a.example', 'a.example', 'mlmmj:a.example/list', 1);
INSERT INTO forwardings VALUES (1, 'ann@a.example', 'ann@a.example', 'a.example', 0, 1),
    (2, 'bob@a.example', 'bob@a.example', 'a.example', 0, 1),
    (3, 'bob@a.example', 'bob@dest.example', 'a.example', 0, 1),
    (4, 'carl@b.example', 'carl@dest.example', 'b.example', 0, 1),
    (5, 'dan@b.example', 'dan@b.example', 'b.example', 0, 1),
    (6, 'eve@off.example', 'eve@off.example', 'off.example', 0, 1),
    (7, 'team@a.example', 'ann@a.example', 'a.example', 0, 1),
    (8, 'team@a.example', 'carl@b.example', 'a.example', 0, 1),
    (9, 'team@a.example', 'gone@dest.example', 'a.example', 0, 0),
    (10, 'list@a.example', 'list@a.example', 'a.example', 1, 1),
    (11, 'info@a.example', 'bob@a.example', 'a.example', 0, 1),
    (12, 'b.example', 'ann@a.example', 'b.example', 0, 1),
    (13, 'b.example', 'other@dest.example', 'b.example', 0, 1),
    (14, 'far@backup.example', 'ann@a.example', 'backup.example', 0, 1);
'''

WORDS = {'at_target': ("'%u'", "'@'", 'alias_domain.target_domain')}

LOCALS = ('ann', 'bob', 'carl', 'dan', 'eve', 'fred', 'team', 'list', 'info', 'far', 'new',
          'nobody', 'b.example')
# The last of each: a catch-all is no local user of that name.
DOMAINS = ('a.example', 'b.example', 'old.example', 'older.example', 'bold.example', 'off.example',
           'backup.example', 'origin.example')

ALIAS_MAPS = (
    "SELECT forwardings.forwarding FROM forwardings, domain WHERE forwardings.address = '%s' AND "
    "forwardings.domain = '%d' AND forwardings.domain = domain.domain AND forwardings.active = 1 "
    "AND domain.backupmx = 0 AND domain.active = 1",
    "SELECT forwardings.forwarding FROM forwardings, alias_domain, domain WHERE "
    "alias_domain.alias_domain = '%d' AND forwardings.address = ${at_target} AND "
    "alias_domain.target_domain = domain.domain AND "
    "forwardings.active = 1 AND alias_domain.active = 1 AND domain.backupmx = 0",
    "SELECT forwardings.forwarding FROM forwardings, domain WHERE forwardings.address = '%d' AND "
    "'%u' NOT LIKE '%%+%%' AND forwardings.address = domain.domain AND forwardings.active = 1 AND "
    "domain.backupmx = 0 AND domain.active = 1",
    "SELECT forwardings.forwarding FROM forwardings, alias_domain, domain WHERE "
    "alias_domain.alias_domain = '%d' AND '%u' NOT LIKE '%%+%%' AND forwardings.address = "
    "alias_domain.target_domain AND alias_domain.target_domain = domain.domain AND "
    "forwardings.active = 1 AND alias_domain.active = 1 AND domain.backupmx = 0")
DOMAIN_MAP = (
    "SELECT domain FROM domain WHERE domain = '%s' AND backupmx = 0 AND active = 1 UNION SELECT "
    "alias_domain.alias_domain FROM alias_domain, domain WHERE alias_domain.alias_domain = '%s' "
    "AND alias_domain.active = 1 AND alias_domain.target_domain = domain.domain AND domain.active "
    "= 1 AND domain.backupmx = 0")
MAILBOX_MAPS = (
    "SELECT mailbox.maildir FROM mailbox, domain WHERE mailbox.username = '%s' AND mailbox.active "
    "= 1 AND mailbox.enabledeliver = 1 AND domain.domain = mailbox.domain AND domain.active = 1",)

CHANGES = (
    "INSERT INTO forwardings VALUES (20, 'new@a.example', 'x@dest.example', 'a.example', 0, 1)",
    "DELETE FROM forwardings WHERE id = 2",
    "UPDATE forwardings SET active = 0 WHERE id = 11",
    "UPDATE forwardings SET forwarding = 'bob@a.example' WHERE id = 13",
    "UPDATE domain SET active = 1 WHERE domain = 'off.example'",
    "UPDATE alias_domain SET active = 0 WHERE alias_domain = 'old.example'",
    "UPDATE domain SET backupmx = 1 WHERE domain = 'b.example'",
)
DIFFERENCES = ('extension of a catch-all',)
