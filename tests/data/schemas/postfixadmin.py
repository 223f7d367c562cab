# SPDX-License-Identifier: BSD-2-Clause
"""PostfixAdmin, with a prefix in front of its tables."""

DATABASES = ('mysql', 'postgresql', 'sqlite')
MEMBERS = {'table_prefix': 'pa_'}

TABLES = '''
CREATE TABLE pa_domain (domain VARCHAR(255) PRIMARY KEY, transport VARCHAR(255),
    backupmx BOOLEAN NOT NULL DEFAULT false, active BOOLEAN NOT NULL DEFAULT true);
CREATE TABLE pa_alias (address VARCHAR(255) PRIMARY KEY, goto TEXT NOT NULL,
    domain VARCHAR(255) NOT NULL, active BOOLEAN NOT NULL DEFAULT true);
CREATE TABLE pa_alias_domain (alias_domain VARCHAR(255) PRIMARY KEY,
    target_domain VARCHAR(255) NOT NULL, active BOOLEAN NOT NULL DEFAULT true);
CREATE TABLE pa_mailbox (username VARCHAR(255) PRIMARY KEY, maildir VARCHAR(255) NOT NULL,
    local_part VARCHAR(255) NOT NULL, domain VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL DEFAULT true);
'''

ROWS = '''
INSERT INTO pa_domain VALUES ('ALL', '', false, true), ('a.example', 'virtual', false, true),
    ('b.example', 'virtual', false, true), ('old.example', 'virtual', false, true),
    ('off.example', 'virtual', false, false), ('backup.example', 'virtual', true, true),
    ('moved.example', 'virtual', false, true);
INSERT INTO pa_alias_domain VALUES ('old.example', 'a.example', true),
    ('older.example', 'a.example', false);
INSERT INTO pa_mailbox VALUES ('ann@a.example', 'a.example/ann/', 'ann', 'a.example', true),
    ('bob@a.example', 'a.example/bob/', 'bob', 'a.example', true),
    ('fred@a.example', 'a.example/fred/', 'fred', 'a.example', false),
    ('carl@b.example', 'b.example/carl/', 'carl', 'b.example', true),
    ('dan@b.example', 'b.example/dan/', 'dan', 'b.example', true),
    ('eve@off.example', 'off.example/eve/', 'eve', 'off.example', true);
INSERT INTO pa_alias VALUES ('ann@a.example', 'ann@a.example', 'a.example', true),
    ('bob@a.example', 'bob@a.example,bob@dest.example', 'a.example', true),
    ('fred@a.example', 'fred@a.example', 'a.example', true),
    ('friends@a.example', 'ann@a.example,fred@a.example', 'a.example', true),
    ('carl@b.example', 'carl@dest.example', 'b.example', true),
    ('dan@b.example', 'dan@b.example,dan#b.example@autoreply.example', 'b.example', true),
    ('eve@off.example', 'eve@off.example', 'off.example', true),
    ('team@a.example', 'ann@a.example,carl@b.example,list@dest.example', 'a.example', true),
    ('gone@a.example', 'ann@a.example', 'a.example', false),
    ('root@a.example', 'postmaster', 'a.example', true),
    ('info@old.example', 'old@dest.example', 'old.example', true),
    ('far@backup.example', 'ann@a.example', 'backup.example', true),
    ('@moved.example', '@a.example', 'moved.example', true),
    ('@b.example', 'ann@a.example', 'b.example', true);
'''

WORDS = {
    'at_target': ("'%u'", "'@'", 'pa_alias_domain.target_domain'),
    'everybody': ("'@'", 'pa_alias_domain.target_domain'),
}

LOCALS = ('ann', 'bob', 'carl', 'dan', 'eve', 'fred', 'friends', 'team', 'gone', 'root', 'info',
          'far', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'older.example', 'off.example',
           'backup.example', 'moved.example')

ALIAS_MAPS = (
    "SELECT goto FROM pa_alias WHERE address='%s' AND active = '1'",
    "SELECT goto FROM pa_alias,pa_alias_domain WHERE pa_alias_domain.alias_domain = '%d' AND "
    "pa_alias.address = ${at_target} AND pa_alias.active = '1' "
    "AND pa_alias_domain.active = '1'",
    "SELECT goto FROM pa_alias,pa_alias_domain WHERE pa_alias_domain.alias_domain = '%d' AND "
    "pa_alias.address = ${everybody} AND pa_alias.active = '1' AND "
    "pa_alias_domain.active = '1'")
DOMAIN_MAP = ("SELECT domain FROM pa_domain WHERE domain='%s' AND active = '1' AND "
              "backupmx = '0'")
MAILBOX_MAPS = (
    "SELECT maildir FROM pa_mailbox WHERE username='%s' AND active = '1'",
    "SELECT maildir FROM pa_mailbox,pa_alias_domain WHERE pa_alias_domain.alias_domain = '%d' "
    "AND pa_mailbox.username = ${at_target} AND "
    "pa_mailbox.active = '1' AND pa_alias_domain.active = '1'")

CHANGES = (
    "INSERT INTO pa_alias VALUES ('new@a.example', 'x@dest.example', 'a.example', true)",
    "UPDATE pa_alias SET goto = 'bob@a.example' WHERE address = 'team@a.example'",
    "UPDATE pa_alias SET active = false WHERE address = '@b.example'",
    "DELETE FROM pa_alias WHERE address = 'info@old.example'",
    "UPDATE pa_alias_domain SET active = false WHERE alias_domain = 'old.example'",
    "UPDATE pa_domain SET active = false WHERE domain = 'b.example'",
)
DIFFERENCES = ('unknown at the target',)
