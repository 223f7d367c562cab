#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Send one message to the MTA on 127.0.0.1, port 25.

    send.py [--refused CODE TEXT] RECIPIENT

The MTA has to take the recipient, or with --refused to answer RCPT TO with CODE and a text that
holds TEXT.
"""
import argparse
import smtplib
import socket
import sys
import time

LIMIT_S = 60


def connect():
    """The MTA may have been started a moment ago."""
    end = time.monotonic() + LIMIT_S
    while True:
        try:
            return smtplib.SMTP('127.0.0.1', 25, 'localhost', LIMIT_S)
        except (OSError, smtplib.SMTPException):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--refused', nargs=2, metavar=('CODE', 'TEXT'))
    parser.add_argument('recipient')
    options = parser.parse_args()
    session = connect()
    session.ehlo()
    code, text = session.mail('<root@%s>' % socket.gethostname())
    if code != 250:
        sys.exit('MAIL: %s %r' % (code, text))
    code, text = session.rcpt(options.recipient)
    text = text.decode('utf-8', 'replace')
    print('RCPT TO:<%s>: %s %s' % (options.recipient, code, text))
    if options.refused:
        if str(code) != options.refused[0] or options.refused[1] not in text:
            sys.exit('%s %s was expected' % tuple(options.refused))
    elif code != 250:
        sys.exit('250 was expected')
    else:
        code, text = session.data('Subject: %s\n\nHello\n' % options.recipient)
        if code != 250:
            sys.exit('DATA: %s %r' % (code, text))
    session.quit()


main()
