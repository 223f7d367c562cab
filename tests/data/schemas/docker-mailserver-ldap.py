# SPDX-License-Identifier: BSD-2-Clause
"""docker-mailserver with a directory: aliases and groups are attributes of who gets the mail."""

DATABASES = ('ldap',)
SUFFIX = 'ou=mail,dc=test'

ATTRIBUTES = '''
attributetype ( 1.3.6.1.4.1.4203.666.1.921 NAME 'mailAlias'
  EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.922 NAME 'mailGroupMember'
  EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.923 NAME 'mailEnabled'
  EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.3.921 NAME 'testMailbox' SUP top STRUCTURAL
  MUST ( cn $ mail ) MAY ( mailAlias $ mailGroupMember $ mailEnabled ) )
'''


def account(mail, enabled='TRUE', **attributes):
    """LDIF of an entry."""
    name = mail.split(' ', maxsplit=1)[0]
    lines = ['dn: cn=%s,%s' % (name.replace('@', '-'), SUFFIX), 'objectClass: testMailbox',
             'cn: ' + name.replace('@', '-'), 'mailEnabled: ' + enabled]
    for key, values in {'mail': mail, **attributes}.items():
        lines += ['%s: %s' % (key, value) for value in values.split()]
    return '\n'.join(lines) + '\n\n'


def change(name, *lines):
    """LDIF of a change to the entry of MAIL."""
    return 'dn: cn=%s,%s\nchangetype: modify\n%s\n\n' % (
        name.replace('@', '-'), SUFFIX, '\n'.join(lines))


# Capitals; two addresses of one; one alias of two; a name that is alias and group; who
# is off, with an alias and a group; a domain of aliases only; a catch-all.
ROWS = (
    account('ann@a.example', mailAlias='Info@A.example info2@only.example',
            mailGroupMember='team@a.example all@a.example') +
    account('bob@a.example', mailAlias='both@a.example @c.example',
            mailGroupMember='team@a.example') +
    account('carl@b.example carl2@b.example', mailAlias='both@a.example',
            mailGroupMember='all@a.example info@a.example list@groups.example') +
    account('dan@a.example', enabled='FALSE', mailAlias='off@a.example',
            mailGroupMember='team@a.example quiet@a.example') +
    account('eve@dest.example', mailAlias='eve@a.example'))

LOCALS = ('ann', 'bob', 'carl', 'carl2', 'dan', 'eve', 'info', 'info2', 'both', 'off', 'team', 'all',
          'quiet', 'list', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'c.example', 'only.example', 'groups.example', 'off.example')

ALIAS_MAPS = tuple({'query_filter': '(&(%s=%%s)(mailEnabled=TRUE))' % key, 'result_attribute': 'mail'}
                   for key in ('mailAlias', 'mailGroupMember'))
DOMAIN_MAP = {'query_filter': '(&(|(mail=*@%s)(mailAlias=*@%s)(mailGroupMember=*@%s))'
                              '(mailEnabled=TRUE))', 'result_attribute': 'mail'}
MAILBOX_MAPS = ({'query_filter': '(&(mail=%s)(mailEnabled=TRUE))', 'result_attribute': 'mail'},)

CHANGES = (
    account('new@off.example', mailAlias='new@a.example', mailGroupMember='team@a.example'),
    change('ann@a.example', 'delete: mailAlias', 'mailAlias: Info@A.example'),
    change('bob@a.example', 'replace: mailEnabled', 'mailEnabled: FALSE'),
    change('dan@a.example', 'replace: mailEnabled', 'mailEnabled: TRUE'),
    'dn: cn=carl-b.example,%s\nchangetype: delete\n\n' % SUFFIX,
)
