# SPDX-License-Identifier: BSD-2-Clause
"""Mailu: wildcards, users before aliases, owners who are switched off, domains with two names."""

DATABASES = ('mysql', 'postgresql', 'sqlite')

TABLES = '''
CREATE TABLE domain (name VARCHAR(80) PRIMARY KEY);
CREATE TABLE alternative (name VARCHAR(80) PRIMARY KEY, domain_name VARCHAR(80));
CREATE TABLE ${user} (email VARCHAR(255) PRIMARY KEY, enabled BOOLEAN, forward_enabled BOOLEAN,
    forward_destination VARCHAR(255), forward_keep BOOLEAN);
CREATE TABLE alias (email VARCHAR(255) PRIMARY KEY, localpart VARCHAR(80), domain_name VARCHAR(80),
    wildcard BOOLEAN, destination VARCHAR(1023), owner_email VARCHAR(255), disabled BOOLEAN);
'''

ROWS = '''
INSERT INTO domain VALUES ('a.example'), ('b.example');
INSERT INTO alternative VALUES ('old.example', 'a.example');
INSERT INTO ${user} VALUES ('ann@a.example', true, false, NULL, true),
    ('bob@a.example', true, true, 'bob@dest.example', true),
    ('carl@b.example', true, true, 'carl@dest.example,other@dest.example', false),
    ('dan@a.example', false, false, '', true), ('sales-me@a.example', true, false, '', true);
INSERT INTO alias VALUES ('team@a.example', 'team', 'a.example', false,
        'ann@a.example,carl@b.example,list@dest.example', NULL, false),
    ('gone@a.example', 'gone', 'a.example', false, 'ann@a.example', NULL, true),
    ('danny@a.example', 'danny', 'a.example', false, 'dan@a.example', 'dan@a.example', false),
    ('annie@a.example', 'annie', 'a.example', false, 'ann@a.example', 'ann@a.example', false),
    ('sales-%@a.example', 'sales-%', 'a.example', true, 'bob@a.example', NULL, false),
    ('sales-north%@a.example', 'sales-north%', 'a.example', true, 'north$1@dest.example',
        NULL, false),
    ('off-%@a.example', 'off-%', 'a.example', true, 'ann@a.example', 'dan@a.example', false),
    ('x_z@a.example', 'x_z', 'a.example', true, 'ann@a.example', NULL, false),
    ('%@b.example', '%', 'b.example', true, 'ann@a.example', NULL, false),
    ('fix.ed@b.example', 'fix.ed', 'b.example', false, 'fixed@dest.example', NULL, false);
'''

WORDS = {
    'user': {'mysql': '`user`', 'postgresql': '"user"', 'sqlite': '"user"'},
    # The address without its extension, which is tried before wildcards.
    'bare': ('${stripped}', "'@%d'"),
    'stripped': {'mysql': "SUBSTRING_INDEX('%u', '+', 1)", 'postgresql': "split_part('%u', '+', 1)",
                 'sqlite': "substr('%u', 1, instr('%u+', '+') - 1)"},
    'kept': ('email', "','", 'forward_destination'),
    'at_domain': ("'@'", 'domain_name'),
    'at_name': ("'@'", 'name'),
}

LOCALS = ('ann', 'bob', 'carl', 'dan', 'team', 'gone', 'danny', 'annie', 'sales-me',
          'sales-south', 'sales-northwest', 'off-hand', 'xyz', 'xyyz', 'fix.ed',
          'fixxed', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'other.example')

_OWNER = (" AND (owner_email IS NULL OR EXISTS (SELECT 1 FROM ${user} o WHERE o.email = "
          "owner_email AND o.enabled = '1'))")
ALIAS_MAPS = (
    "SELECT CASE WHEN forward_enabled = '1' AND forward_destination <> '' THEN CASE WHEN "
    "forward_keep = '1' THEN ${kept} ELSE forward_destination END ELSE "
    "email END FROM ${user} WHERE email = '%s'",
    "SELECT destination FROM alias WHERE email = '%s' AND wildcard = '0' AND disabled = '0'"
    + _OWNER,
    "SELECT destination FROM alias WHERE domain_name = '%d' AND wildcard = '1' AND disabled = '0' "
    "AND '%u' LIKE localpart AND NOT EXISTS (SELECT 1 FROM ${user} u WHERE u.email = ${bare}) "
    "AND NOT EXISTS (SELECT 1 FROM alias e WHERE e.email = ${bare} AND e.wildcard = '0' "
    "AND e.disabled = '0')" + _OWNER + " ORDER BY length(localpart) DESC LIMIT 1",
    "SELECT ${at_domain} FROM alternative WHERE ${at_name} = '%s'")
DOMAIN_MAP = ("SELECT name FROM domain WHERE name = '%s' UNION SELECT name FROM alternative WHERE "
              "name = '%s'")
MAILBOX_MAPS = ("SELECT email FROM ${user} WHERE email = '%s'",)

CHANGES = (
    "INSERT INTO alias VALUES ('new@a.example', 'new', 'a.example', false, 'x@dest.example', NULL, "
    "false)",
    "UPDATE alias SET destination = 'bob@a.example' WHERE email = 'team@a.example'",
    "UPDATE alias SET disabled = true WHERE email = 'sales-north%@a.example'",
    "UPDATE ${user} SET enabled = true WHERE email = 'dan@a.example'",
    "UPDATE ${user} SET forward_keep = false WHERE email = 'bob@a.example'",
    "DELETE FROM alias WHERE email = '%@b.example'",
    "DELETE FROM alternative WHERE name = 'old.example'",
)
DIFFERENCES = ('unknown at the target', 'pattern before an extension', 'extension of a catch-all')
