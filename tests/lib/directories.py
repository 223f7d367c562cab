# SPDX-License-Identifier: BSD-2-Clause
"""A slapd of our own, with entries for mail, run by an ordinary user on a socket in a folder."""
import base64
import os
import pwd
import random
import signal
import socket
import subprocess
import urllib.parse

import harness
from relay import SocketRelay

SUFFIX = 'dc=test'
PASSWORD = 'not so secret'
ADMIN = 'cn=admin,' + SUFFIX

# Attributes of our own, as those of mail systems: told apart by name only.
SCHEMA = '''\
attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME ( 'mailAlias' 'mailOther' )
  EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.902 NAME 'maildrop'
  EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.903 NAME 'mailMember'
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseExactIA5Match )
attributetype ( 1.3.6.1.4.1.4203.666.1.904 NAME 'mailExact'
  EQUALITY caseExactIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.905 NAME 'mailFinal'
  EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.906 NAME 'mailEnabled'
  EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.4203.666.1.907 NAME 'mailacceptinggeneralid'
  EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
objectclass ( 1.3.6.1.4.1.4203.666.3.901 NAME 'mailThing' SUP top STRUCTURAL
  MUST cn MAY ( uid $ mail $ associatedDomain $ mailAlias $ maildrop $ mailMember $ mailExact $ mailFinal $
  mailEnabled $ mailacceptinggeneralid ) )
'''

CONFIGURATION = '''\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {folder}/mail.schema
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
{tls}
sizelimit 500
authz-regexp "gidNumber=0.uidNumber=0,cn=peercred,cn=external,cn=auth" "{admin}"
database mdb
suffix "{suffix}"
directory {folder}/data
maxsize 100000000
dbnosync
rootdn "cn=nobody,{suffix}"
limits dn.exact="{admin}" size=unlimited time=unlimited
access to attrs=userPassword by anonymous auth
access to dn.exact="cn=hidden,ou=mail,{suffix}" attrs=objectClass by * search
access to * by dn.exact="{admin}" write by dn.exact="cn=small,{suffix}" read by anonymous read
index objectClass,mail,entryCSN,entryUUID eq
{replication}
'''


def _attribute(name, value):
    return '%s:: %s\n' % (name, base64.b64encode(value.encode()).decode())


def entry(name, base='ou=mail,' + SUFFIX, **attributes):
    """LDIF of an entry with the DN `cn=NAME,BASE`; a list has several values."""
    text = _attribute('dn', 'cn=%s,%s' % (name, base)) + 'objectClass: mailThing\n'
    for key, values in {'cn': name, **attributes}.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            text += _attribute(key, value)
    return text + '\n'


def dn(name, base='ou=mail,' + SUFFIX):
    return 'cn=%s,%s' % (name, base)


def random_entries(seed, count=200):
    """Entries with several keys and values, some of them off, some by a second address."""
    chosen = random.Random(seed)
    text = ''
    keys = []
    for number in range(count):
        domain = chosen.choice(('one.example', 'two.example'))
        local = chosen.choice(('user%d', 'User%d', "o'neil%d", 'a/b%d', 'x*y%d', 'a=&|%d')) % number
        mail = '%s@%s' % ('' if number % 50 == 49 else local, domain)
        if number % 50 == 49:
            mail = '@d%d.example' % number
        aliases = ['alias%d.%d@two.example' % (number, i) for i in range(chosen.randrange(3))]
        if chosen.random() < 0.1:
            aliases.append(mail)
        text += entry('e%d' % number, mail=mail, mailAlias=aliases,
                      maildrop=['%s%d@dest.example' % (c, number)
                                for c in 'xyz'[:chosen.randrange(4)]],
                      mailEnabled=chosen.choice(('TRUE', 'TRUE', 'FALSE')))
        keys += [mail.lower()] + aliases
    return text, keys + ['nobody@one.example', '@nowhere.example', '@one.example']


def free_port(host):
    with socket.create_server((host, 0)) as listener:
        return listener.getsockname()[1]


class Slapd:
    """TLS: lines of slapd.conf for it; URLS: where it listens, too; SCHEMA: its own attributes;
    REPLICATION: lines for how it is copied, or copies; LDIF: None for one that copies all; DEBUG:
    what it logs."""

    USER = 'nobody'
    TYPE = 'ldap'

    def __init__(self, ldif='', tls='', urls=(), schema=SCHEMA,
                 replication='overlay syncprov', debug='0'):
        self.folder = harness.Scratch('openrcpt-ldap-')
        self.user = pwd.getpwnam(self.USER)
        self.socket = self.folder / 'ldapi'
        self.uri = 'ldapi://' + urllib.parse.quote(str(self.socket), safe='')
        self.urls = (self.uri,) + tuple(urls)
        self.process = None
        self.debug = debug
        data = self.folder / 'data'
        data.mkdir()
        (self.folder / 'mail.schema').write_text(schema, encoding='utf-8')
        self.configuration = self.folder / 'slapd.conf'
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder.path, suffix=SUFFIX, admin=ADMIN, tls=tls,
            replication=replication), encoding='utf-8')
        os.chmod(self.folder.path, 0o755)
        if ldif is not None:
            self._add(self.base() + ldif)
        for path in [self.folder.path, data, *data.iterdir()]:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    @staticmethod
    def base():
        text = 'dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: test\ndc: test\n\n' % (
            SUFFIX)
        text += 'dn: ou=mail,%s\nobjectClass: organizationalUnit\nou: mail\n\n' % SUFFIX
        for name in ('admin', 'small'):
            text += ('dn: cn=%s,%s\nobjectClass: person\nsn: x\ncn: %s\nuserPassword: %s\n\n'
                     % (name, SUFFIX, name, PASSWORD))
        return text

    def _add(self, ldif):
        done = subprocess.run(['slapadd', '-q', '-w', '-f', str(self.configuration)], check=False,
                              input=ldif, encoding='utf-8', stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError('slapadd: %s' % done.stdout)

    def start(self):
        log = open(self.folder / 'log', 'ab')    # pylint: disable=consider-using-with
        with log:
            self.process = subprocess.Popen(
                [harness.SLAPD, '-f', str(self.configuration), '-h', ' '.join(self.urls), '-d', self.debug],
                user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[], cwd='/',
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_until(lambda: self.tool('ldapsearch', '-b', '', '-s', 'base', may_fail=True),
                           'slapd does not answer')
        return self

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            self.process.wait(harness.LIMIT_S)
            self.process = None
        self.folder.remove()

    def tool(self, name, *arguments, text='', may_fail=False):
        """One of ldap-utils, as root by the socket."""
        done = subprocess.run([name, '-Q', '-Y', 'EXTERNAL', '-H', self.uri, *arguments],
                              check=False, input=text, encoding='utf-8', stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0 and not may_fail:
            raise AssertionError('%s: %s' % (name, done.stdout))
        return done.stdout if done.returncode == 0 else None

    def log_text(self):
        return (self.folder / 'log').read_text(encoding='utf-8', errors='replace')

    def copy(self):
        """Lines for one that copies it."""
        return ('syncrepl rid=001 provider=%s type=refreshAndPersist retry="1 +" searchbase="%s" '
                'bindmethod=simple binddn="%s" credentials="%s"' % (self.uri, SUFFIX, ADMIN, PASSWORD))

    def clear(self):
        """Without the entries of a test."""
        self.tool('ldapdelete', '-r', 'ou=mail,' + SUFFIX)
        self.add('dn: ou=mail,%s\nobjectClass: organizationalUnit\nou: mail\n\n' % SUFFIX)

    def add(self, ldif):
        self.tool('ldapadd', text=ldif)

    # As a database has these.
    run = add

    def connection(self):
        return {'uri': self.uri, 'base': 'ou=mail,' + SUFFIX}

    def parameters(self, **others):
        """Of a table file of Postfix that reaches it."""
        return {'server_host': self.uri, 'version': 3, 'search_base': 'ou=mail,' + SUFFIX,
                'bind_dn': ADMIN, 'bind_pw': PASSWORD, **others}


class Relay(SocketRelay):
    """In front of a slapd. ON_STATE: called before a question for contextCSN is passed on."""

    def __init__(self, server):
        super().__init__(server.folder / 'relay', server.socket)
        self.uri = 'ldapi://' + urllib.parse.quote(str(self.path), safe='')
        self.on_state = None
        self.on_question = self._look_at

    def _look_at(self, question):
        if b'contextCSN' in question and self.on_state is not None:
            self.on_state()
