# SPDX-License-Identifier: BSD-2-Clause
"""A small MTA that speaks the milter protocol: what openrcptd hears, and what it answers.

    with MilterClient('/path/milter.sock') as session:
        message = session.message(['<ann@alias.example> NOTIFY=NEVER'])
        message.replies, message.verdict, message.edits

It asks for as much as Postfix or Sendmail would, sends a macro only if it is wanted, and leaves
out the steps that were switched off.
"""
import collections
import re
import socket
import struct

TIMEOUT_S = 180         # only ends a test that would hang

# Actions a filter may take, and steps of the protocol it may switch off.
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (
    1 << bit for bit in range(9))
(NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH, NR_HDR, NOUNKNOWN, NODATA, SKIP,
 RCPT_REJ, NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKN, NR_EOH, NR_BODY, HDR_LEADSPC) = (
     1 << bit for bit in range(21))
CONTENT_STEPS = NOBODY | NOHDRS | NOEOH

STAGES = ('connect', 'helo', 'mail', 'rcpt', 'data', 'eom', 'eoh')     # in wire order
COMMANDS = {'connect': b'C', 'helo': b'H', 'mail': b'M', 'rcpt': b'R', 'data': b'T', 'eom': b'E'}
VERDICTS = {b'c': 'continue', b'a': 'accept', b'd': 'discard', b'r': 'reject', b't': 'tempfail',
            b's': 'skip'}

# What an MTA offers, and the macros that it sends unless others are asked for.
Mta = collections.namedtuple('Mta', 'version actions steps macros')
POSTFIX = Mta(6, 0x1ff, 0x1fffff, {
    'connect': 'j {daemon_name} {daemon_addr} v _', 'helo': '',
    'mail': 'i {auth_type} {auth_authen} {mail_addr} {mail_host} {mail_mailer}',
    'rcpt': 'i {rcpt_addr} {rcpt_host} {rcpt_mailer}', 'data': 'i', 'eom': 'i', 'eoh': 'i'})
POSTFIX_MACROS = {
    'j': 'mx.example', '{daemon_name}': 'smtpd', '{daemon_addr}': '127.0.0.1',
    'v': 'Postfix 3.7.11', '_': 'client.example [192.0.2.1]',
    '{mail_addr}': 'sender@client.example', '{mail_host}': 'client.example',
    '{mail_mailer}': 'smtp', '{rcpt_mailer}': 'error', '{rcpt_host}': '5.1.1 User unknown',
}
SENDMAIL = Mta(6, 0x1ff, 0x1fffff, {
    'connect': '_ j {daemon_name} {if_name} {if_addr}', 'helo': '',
    'mail': 'i {auth_type} {mail_mailer} {mail_host} {mail_addr}',
    'rcpt': '{rcpt_mailer} {rcpt_host} {rcpt_addr}', 'data': '', 'eom': '{msg_id}', 'eoh': ''})
SENDMAIL_MACROS = {**POSTFIX_MACROS, 'v': '8.17.1.9', '{daemon_name}': 'MTA',
                   '{rcpt_mailer}': 'esmtp', '{rcpt_host}': 'alias.example.'}


class Ended(Exception):
    """The filter closed the connection, or said what it must not say."""


Edit = collections.namedtuple('Edit', 'kind address parameters')        # kind: add, delete, from


class Message:
    """replies: one a recipient, `continue` or an SMTP reply. verdict: of the end of the message,
    likewise; None if no recipient was left. edits: in their order."""

    def __init__(self):
        self.mail = None
        self.replies = []
        self.verdict = None
        self.edits = []

    @property
    def added(self):
        return [edit.address for edit in self.edits if edit.kind == 'add']

    @property
    def deleted(self):
        return [edit.address for edit in self.edits if edit.kind == 'delete']

    def parameters(self):
        """{address added: its ESMTP parameters, sorted}."""
        return {edit.address: sorted(edit.parameters.split())
                for edit in self.edits if edit.kind == 'add'}


def _text(data):
    return data.decode('utf-8', 'surrogateescape')


def _data(text):
    return text if isinstance(text, bytes) else text.encode('utf-8', 'surrogateescape')


def _strings(*items):
    return b''.join(_data(item) + b'\0' for item in items)


def split_recipient(recipient):
    """`<a b@c> NOTIFY=NEVER` -> the path as sent, and its parameters. Without brackets all of it
    is the path."""
    data = _data(recipient)
    if not data.startswith(b'<'):
        return data, []
    path, _, rest = data.rpartition(b'>')
    return path + b'>', rest.split()


def connect(where):
    if isinstance(where, tuple):
        return socket.create_connection(where, TIMEOUT_S)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT_S)
    try:
        connection.connect(str(where))
    except OSError:
        connection.close()
        raise
    return connection


class MilterClient:
    def __init__(self, where, mta=POSTFIX, macros=None, is_submission=False):
        """is_submission: as Postfix shows mail of sendmail(1)."""
        self.mta, self.is_submission = mta, is_submission
        self.macros = dict(SENDMAIL_MACROS if mta is SENDMAIL else POSTFIX_MACROS)
        self.macros.update(macros or {})
        self.wanted = {stage: names.split() for stage, names in mta.macros.items()}
        self.count = 0
        self.socket = connect(where)
        try:
            self._negotiate()
            self._greet()
        except BaseException:
            self.socket.close()
            raise

    # ---- packets -----------------------------------------------------------------------

    def send(self, command, data=b''):
        self.socket.sendall(struct.pack('>I', len(data) + 1) + command + data)

    def _take(self, size):
        data = b''
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise Ended('the filter closed the connection')
            data += piece
        return data

    def receive(self):
        size, = struct.unpack('>I', self._take(4))
        data = self._take(size)
        return data[:1], data[1:]

    def _negotiate(self):
        self.send(b'O', struct.pack('>III', *self.mta[:3]))
        kind, data = self.receive()
        if kind != b'O':
            raise Ended('the filter refused to negotiate: %r' % kind)
        self.version, self.actions, self.steps = struct.unpack('>III', data[:12])
        data = data[12:]
        while data:
            stage, = struct.unpack('>I', data[:4])
            names, _, data = data[4:].partition(b'\0')
            self.wanted[STAGES[stage]] = _text(names).split()

    def _greet(self):
        name, address = ('localhost', '127.0.0.1') if self.is_submission else (
            'client.example', '192.0.2.1')
        self._step('connect', _strings(name) + b'4' + struct.pack('>H', 25) + _strings(address),
                   NOCONNECT, NR_CONN)
        self._step('helo', _strings(name), NOHELO, NR_HELO)

    def send_macros(self, stage, **values):
        known = {**self.macros, **values}
        items = []
        for name in self.wanted[stage]:
            if known.get(name) is not None:
                items += [name, known[name]]
        self.send(b'D', COMMANDS[stage] + _strings(*items))

    def _step(self, stage, data, switched_off, unanswered, **macros):
        """One command and its answer, `continue` where there is none."""
        self.send_macros(stage, **macros)
        if self.steps & switched_off:
            return 'continue'
        self.send(COMMANDS[stage], data)
        return 'continue' if self.steps & unanswered else self.answer([])

    def answer(self, edits):
        """The answer to a command; edits and other things before it are kept in EDITS."""
        while True:
            kind, data = self.receive()
            if kind in VERDICTS:
                return VERDICTS[kind]
            if kind == b'y':
                return _text(data.rstrip(b'\0')).replace('%%', '%')
            fields = data.split(b'\0')
            if kind == b'+' or kind == b'2':
                parameters = _text(fields[1]) if kind == b'2' and len(fields) > 1 else ''
                edits.append(Edit('add', _text(fields[0]), parameters))
            elif kind == b'-':
                edits.append(Edit('delete', _text(fields[0]), ''))
            elif kind == b'e':
                edits.append(Edit('from', _text(fields[0]), ''))
            elif kind != b'p':
                raise Ended('an answer that nobody expects: %r' % kind)

    # ---- a message, step by step -------------------------------------------------------

    def _queue_id(self, is_known):
        return '4Wtest%04d' % self.count if is_known else None

    def mail(self, sender='<sender@client.example>', *parameters):
        self.count += 1
        self.recipients = 0
        is_early = self.is_submission or self.mta is SENDMAIL
        hidden = {'{mail_mailer}': None, '{mail_host}': None} if self.is_submission else {}
        return self._step('mail', _strings(sender, *parameters), NOMAIL, NR_MAIL,
                          **{'i': self._queue_id(is_early), **hidden})

    def rcpt(self, recipient, **macros):
        path, parameters = split_recipient(recipient)
        hidden = {'{rcpt_mailer}': None, '{rcpt_host}': None} if self.is_submission else {}
        is_early = self.is_submission or self.mta is SENDMAIL or self.recipients > 0
        values = {'i': self._queue_id(is_early),
                  '{rcpt_addr}': re.sub(rb'[<>]', b'', path).lower(), **hidden, **macros}
        answer = self._step('rcpt', _strings(path, *parameters), NORCPT, NR_RCPT, **values)
        self.recipients += answer == 'continue'
        return answer

    def end(self):
        """End of message: the verdict and the edits."""
        if self.steps & CONTENT_STEPS != CONTENT_STEPS:
            raise Ended('the filter wants to see message text')
        self._step('data', b'', NODATA, NR_DATA, i=self._queue_id(True))
        self.send_macros('eom', i=self._queue_id(True))
        self.send(b'E')
        edits = []
        verdict = self.answer(edits)
        return verdict, edits

    def abort(self):
        self.send(b'A')

    def quit(self):
        self.send(b'Q')

    def message(self, recipients, sender='<sender@client.example>', parameters=()):
        """A whole message; where no recipient is accepted it is aborted."""
        message = Message()
        message.mail = self.mail(sender, *parameters)
        if message.mail != 'continue':
            return message
        message.replies = [self.rcpt(recipient) for recipient in recipients]
        if any(reply == 'continue' for reply in message.replies):
            message.verdict, message.edits = self.end()
        else:
            self.abort()
        return message

    def close(self):
        try:
            self.quit()
        except OSError:
            pass
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
