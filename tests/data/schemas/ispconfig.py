# SPDX-License-Identifier: BSD-2-Clause
"""ISPConfig: several servers, copies, a catch-all that knows mailboxes, aliases of domains."""

DATABASES = ('mysql', 'sqlite')
MEMBERS = {'server_id': 2}

TABLES = '''
CREATE TABLE mail_domain (domain_id INTEGER PRIMARY KEY, server_id INTEGER, domain VARCHAR(255),
    active CHAR(1));
CREATE TABLE mail_user (mailuser_id INTEGER PRIMARY KEY, server_id INTEGER, email VARCHAR(255),
    cc TEXT, forward_in_lda CHAR(1), postfix CHAR(1), disabledeliver CHAR(1), disablesmtp CHAR(1));
CREATE TABLE mail_forwarding (forwarding_id INTEGER PRIMARY KEY, server_id INTEGER,
    source VARCHAR(255), destination TEXT, type VARCHAR(20), active CHAR(1));
'''

ROWS = '''
INSERT INTO mail_domain VALUES (1, 2, 'a.example', 'y'), (2, 2, 'b.example', 'y'),
    (3, 1, 'far.example', 'y'), (4, 2, 'off.example', 'n'), (5, 2, 'old.example', 'y');
INSERT INTO mail_user VALUES (1, 2, 'ann@a.example', '', 'n', 'y', 'n', 'n'),
    (2, 2, 'bob@a.example', 'bob@dest.example', 'n', 'y', 'n', 'n'),
    (3, 2, 'carl@b.example', '', 'n', 'y', 'n', 'n'),
    (4, 2, 'dan@b.example', 'dan@dest.example', 'y', 'y', 'n', 'n'),
    (5, 2, 'fred@a.example', 'fred@dest.example', 'n', 'y', 'y', 'n'),
    (7, 2, 'glen@a.example', '', 'n', 'y', 'y', 'n'),
    (6, 1, 'far@far.example', '', 'n', 'y', 'n', 'n');
INSERT INTO mail_forwarding VALUES
    (1, 2, 'team@a.example', 'ann@a.example, carl@b.example
list@dest.example', 'forward', 'y'),
    (2, 2, 'info@a.example', 'bob@a.example', 'alias', 'y'),
    (3, 2, 'gone@a.example', 'ann@a.example', 'alias', 'n'),
    (4, 1, 'team@far.example', 'ann@a.example', 'alias', 'y'),
    (5, 2, '@b.example', 'ann@a.example', 'catchall', 'y'),
    (6, 2, '@old.example', '@a.example', 'aliasdomain', 'y');
'''

WORDS = {
    # The address without its extension, which the panel's own queries look at, too.
    'bare': ("substr('%u', 1, instr('%u+', '+') - 1)", "'@%d'"),
    'at_target': ("'%u'", 'destination'),
}

LOCALS = ('ann', 'bob', 'carl', 'dan', 'fred', 'glen', 'team', 'info', 'gone', 'far', 'new',
          'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'far.example', 'off.example')

ALIAS_MAPS = (
    "SELECT destination FROM mail_forwarding WHERE source = '%s' AND type IN ('alias', 'forward') "
    "AND active = 'y' AND server_id = 2",
    "SELECT destination FROM mail_forwarding WHERE source = '@%d' AND type = 'catchall' AND '%u' "
    "<> '' AND active = 'y' AND server_id = 2 AND NOT EXISTS (SELECT 1 FROM mail_user WHERE email "
    "= ${bare} AND server_id = 2) AND NOT EXISTS (SELECT 1 FROM mail_forwarding WHERE source "
    "= ${bare} AND active = 'y' AND server_id = 2)",
    "SELECT ${at_target} FROM mail_forwarding WHERE source = '@%d' AND '%u' <> '' AND type "
    "= 'aliasdomain' AND active = 'y' AND server_id = 2",
    "SELECT email FROM mail_user WHERE email = '%s' AND forward_in_lda = 'n' AND disabledeliver = "
    "'n' AND postfix = 'y' AND server_id = 2 UNION SELECT cc FROM mail_user WHERE email = '%s' AND "
    "cc <> '' AND (forward_in_lda = 'n' OR disabledeliver = 'y') AND disablesmtp = 'n' AND "
    "server_id = 2")
ALIAS_DOMAIN_MAP = ("SELECT substr(source, 2) FROM mail_forwarding WHERE source = '@%s' AND type = "
                    "'aliasdomain' AND active = 'y' AND server_id = 2")
DOMAIN_MAP = ("SELECT domain FROM mail_domain WHERE domain = '%s' AND active = 'y' AND server_id = "
              "2 AND NOT EXISTS (SELECT 1 FROM mail_forwarding WHERE source = '@%s' AND type = "
              "'aliasdomain' AND active = 'y' AND server_id = 2)")
MAILBOX_MAPS = ("SELECT email FROM mail_user WHERE email = '%s' AND postfix = 'y' AND "
                "disabledeliver = 'n' AND server_id = 2",)

CHANGES = (
    "INSERT INTO mail_forwarding VALUES (20, 2, 'new@a.example', 'x@dest.example', 'alias', 'y')",
    "UPDATE mail_forwarding SET destination = 'bob@a.example' WHERE forwarding_id = 1",
    "UPDATE mail_user SET cc = '' WHERE mailuser_id = 2",
    "UPDATE mail_forwarding SET active = 'n' WHERE forwarding_id = 2",
    "DELETE FROM mail_forwarding WHERE forwarding_id = 5",
    "UPDATE mail_forwarding SET active = 'n' WHERE forwarding_id = 6",
    "UPDATE mail_domain SET active = 'n' WHERE domain_id = 2",
)
DIFFERENCES = ('unknown at the target',)
