# SPDX-License-Identifier: BSD-2-Clause
"""Addresses as text: with quotes (as in SMTP) and without (as in a queue file)."""
import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_STRING = re.compile(r'%s(\.%s)*' % (_ATOM, _ATOM))


def split(address):
    """Local part and domain; the domain is '' where there is none."""
    local, at, domain = address.rpartition('@')
    return (local, domain) if at else (address, '')


def join(local, domain):
    return local + '@' + domain if domain else local


def external(address):
    """An address without quotes -> with them, where and only where RFC 5321 wants them."""
    local, domain = split(address)
    if not address or _DOT_STRING.fullmatch(local):
        return address
    return join('"%s"' % re.sub(r'(["\\])', r'\\\1', local), domain)


def internal(address):
    """An address with quotes and backslashes -> without."""
    return re.sub(r'\\(.)|"', lambda found: found.group(1) or '', address)


def split_list(text):
    """`a@b, "c, d"@e` -> the addresses, at commas outside quotes."""
    found = re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^",])+', text)
    return [item.strip() for item in found if item.strip()]


def with_lower_domain(address):
    """Domains are the same in any case."""
    local, domain = split(address)
    return join(local, domain.lower())
