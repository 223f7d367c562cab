# SPDX-License-Identifier: BSD-2-Clause
"""iRedMail with a directory: who is in a group says so, and other addresses are a shadowAddress."""

DATABASES = ('ldap',)
SUFFIX = 'ou=mail,dc=test'

NAMES = ('accountStatus', 'domainStatus', 'enabledService', 'domainName', 'domainAliasName',
         'domainBackupMX', 'shadowAddress', 'mailForwardingAddress', 'memberOfGroup')
CLASSES = ('mailDomain', 'mailUser', 'mailAlias', 'mailList', 'mailExternalUser')
ATTRIBUTES = ''.join(
    "attributetype ( 1.3.6.1.4.1.4203.666.1.%d NAME '%s' EQUALITY caseIgnoreIA5Match\n"
    "  SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )\n" % (941 + i, name)
    for i, name in enumerate(NAMES)) + ''.join(
        "objectclass ( 1.3.6.1.4.1.4203.666.3.%d NAME '%s' SUP top STRUCTURAL\n"
        "  MAY ( cn $ mail $ %s ) )\n" % (941 + i, name, ' $ '.join(NAMES))
        for i, name in enumerate(CLASSES))


def dn(name):
    return 'cn=%s,%s' % (name.replace('@', '-'), SUFFIX)


def entry(kind, name, **attributes):
    """LDIF of an entry; values have blanks between them."""
    lines = ['dn: ' + dn(name), 'objectClass: ' + kind, 'cn: ' + name.replace('@', '-')]
    for key, values in {'accountStatus': 'active', **attributes}.items():
        lines += ['%s: %s' % (key, value) for value in values.split()]
    return '\n'.join(lines) + '\n\n'


def domain(name, services='mail', **attributes):
    return entry('mailDomain', name, domainName=name, enabledService=services, **attributes)


def address(kind, mail, services='mail deliver', **attributes):
    return entry(kind, mail, mail=mail, enabledService=services, **attributes)


def change(name, *lines):
    return 'dn: %s\nchangetype: modify\n%s\n\n' % (dn(name), '\n'.join(lines))


FORWARDS = 'mail deliver forward'
ROWS = (
    domain('a.example', 'mail domainalias', domainAliasName='old.example') +
    domain('b.example', domainAliasName='unused.example') +
    domain('off.example', accountStatus='disabled') + domain('backup.example', domainBackupMX='yes') +
    domain('nomail.example', 'none') +
    # One who keeps a copy, one who doesn't, one who may not forward; several other addresses.
    address('mailUser', 'ann@a.example', FORWARDS, shadowAddress='ann@old.example Anna@a.example',
            mailForwardingAddress='ann@a.example ann@dest.example',
            memberOfGroup='team@a.example all@a.example') +
    address('mailUser', 'bob@a.example', FORWARDS, shadowAddress='bob@old.example',
            mailForwardingAddress='bob@dest.example') +
    address('mailUser', 'carl@b.example', shadowAddress='charles@b.example',
            mailForwardingAddress='carl@dest.example', memberOfGroup='team@a.example') +
    address('mailUser', 'dan@b.example', FORWARDS) +
    # Who gets no mail: off, without the service, in a domain that is off, in all its names.
    address('mailUser', 'eve@a.example', shadowAddress='eva@a.example', accountStatus='disabled',
            memberOfGroup='team@a.example') +
    address('mailUser', 'fred@a.example', 'mail', shadowAddress='freddy@a.example') +
    address('mailUser', 'gil@off.example', domainStatus='disabled', shadowAddress='gil@a.example') +
    # Lists by aliases, with another name; groups within groups; outsiders; a list of mlmmj.
    address('mailAlias', 'info@a.example', shadowAddress='info@old.example',
            mailForwardingAddress='ann@a.example carl@b.example', memberOfGroup='all@a.example') +
    address('mailAlias', 'gone@a.example', mailForwardingAddress='ann@a.example',
            accountStatus='disabled') +
    address('mailList', 'team@a.example', memberOfGroup='all@a.example') +
    address('mailList', 'all@a.example') + address('mailList', 'empty@a.example') +
    address('mailExternalUser', 'out@dest.example', memberOfGroup='team@a.example') +
    address('mailList', 'list@a.example', 'mail deliver mlmmj', shadowAddress='list@old.example') +
    # A catch-all.
    address('mailUser', '@b.example', 'mail deliver forward',
            mailForwardingAddress='ann@a.example other@dest.example'))

LOCALS = ('ann', 'anna', 'bob', 'carl', 'charles', 'dan', 'eve', 'eva', 'fred', 'freddy', 'gil',
          'info', 'gone', 'team', 'all', 'empty', 'list', 'new', 'nobody')
DOMAINS = ('a.example', 'b.example', 'old.example', 'unused.example', 'off.example',
           'backup.example', 'nomail.example')

# The same questions, one for each of the four tables.
ACTIVE = ('(accountStatus=active)(!(domainStatus=disabled))(enabledService=mail)'
          '(enabledService=deliver)')
ALIAS_MAPS = (
    {'query_filter': '(&(|(mail=%s)(shadowAddress=%s))' + ACTIVE + '(|(objectClass=mailAlias)'
                     '(&(objectClass=mailUser)(enabledService=forward))))',
     'result_attribute': 'mailForwardingAddress'},
    {'query_filter': '(&' + ACTIVE + '(|(&(|(memberOfGroup=%s)(shadowAddress=%s))'
                     '(|(objectClass=mailUser)(objectClass=mailExternalUser)))'
                     '(&(memberOfGroup=%s)(!(shadowAddress=%s))'
                     '(|(objectClass=mailAlias)(objectClass=mailList)))(&(objectClass=mailList)'
                     '(enabledService=mlmmj)(|(mail=%s)(shadowAddress=%s)))))',
     'result_attribute': 'mail'},
    {'query_filter': '(&(objectClass=mailUser)' + ACTIVE + '(|(mail=%s)(shadowAddress=%s)))',
     'result_attribute': 'mail'},
    {'query_filter': '(&(objectClass=mailUser)(accountStatus=active)'
                     '(|(mail=@%d)(shadowAddress=@%d)))',
     'result_attribute': 'mailForwardingAddress'})
DOMAIN_MAP = {'query_filter': '(&(objectClass=mailDomain)(|(domainName=%s)'
                              '(&(enabledService=domainalias)(domainAliasName=%s)))'
                              '(!(domainBackupMX=yes))(accountStatus=active)(enabledService=mail))',
              'result_attribute': 'domainName'}
MAILBOX_MAPS = ({'query_filter': '(&(objectClass=mailUser)(|(mail=%s)(shadowAddress=%s))' + ACTIVE +
                                 ')', 'result_attribute': 'cn'},)

CHANGES = (
    address('mailUser', 'new@a.example', memberOfGroup='team@a.example empty@a.example'),
    change('carl@b.example', 'add: enabledService', 'enabledService: forward'),
    change('team@a.example', 'replace: accountStatus', 'accountStatus: disabled'),
    change('eve@a.example', 'replace: accountStatus', 'accountStatus: active'),
    change('b.example', 'add: enabledService', 'enabledService: domainalias'),
    change('@b.example', 'replace: mailForwardingAddress', 'mailForwardingAddress: x@dest.example'),
    'dn: %s\nchangetype: delete\n\n' % dn('@b.example'),
    'dn: %s\nchangetype: delete\n\n' % dn('bob@a.example'),
    change('a.example', 'replace: accountStatus', 'accountStatus: disabled'),
)
DIFFERENCES = ('catch-all before an extension',)
