#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A second reader of table files, written from doc/table-format.md and nothing else.

  second_reader.py TABLE              every entry, one JSON object a line, as `rcptmap dump --json`
  second_reader.py TABLE KEY...       the right-hand side of each key, as `rcptmap query`

Keys are taken as they are, in folded form. It believes nothing: whatever contradicts the format is
Unsound, and check() holds every part of the file against the others.
"""
import collections
import json
import struct
import sys

from xxh3 import xxh3

MASK64 = 0xffffffffffffffff
DATA, DOMAINS, INDEX, DIRECTORY, RULES, CANARIES, SOURCES, PROVENANCE, PATTERNS = range(1, 10)
KINDS = ('targets', 'reply', 'discard')
CATCH_ALL, EXTENSIONS, INDEXED, ALIAS, MAILBOX, LOCAL = 1, 2, 4, 8, 16, 32

Domain = collections.namedtuple('Domain', 'ref name flags catch_all')
Target = collections.namedtuple('Target', 'local domain keeps_user')
Entry = collections.namedtuple('Entry', 'local domain kind targets contents line')
Cluster = collections.namedtuple('Cluster', 'count records fingerprints')
Pattern = collections.namedtuple('Pattern', 'line kind flags result domain expression exception value')


class Unsound(Exception):
    """The bytes contradict themselves or the format."""


def demand(claim, what):
    if not claim:
        raise Unsound(what)


def u16(data, at):
    return struct.unpack_from('<H', data, at)[0]


def u24(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def u32(data, at):
    return struct.unpack_from('<I', data, at)[0]


def u64(data, at):
    return struct.unpack_from('<Q', data, at)[0]


def high64(a, b):
    return a * b >> 64


def mix(domain_hash, local_hash):
    x = local_hash + domain_hash * 0x9E3779B97F4A7C15 & MASK64
    x = (x ^ x >> 32) * 0xD6E8FEB86659FD93 & MASK64
    return x ^ x >> 32


class Table:
    def __init__(self, data):
        self.data = data
        self._read_header()
        self._read_sections()
        self._read_rules()
        self.patterns = self._read_patterns()
        self.sources = self._read_sources()
        self.replay_canaries()

    # ---- opening -------------------------------------------------------------------------

    def _read_header(self):
        data = self.data
        demand(len(data) >= 4096 + 64 and data[:8] == b'ORCPTTBL', 'not a table')
        demand(u32(data, 12) == 0x01020304, 'byte order')
        demand(u32(data, 8) == 1, 'version')
        demand(u64(data, 16) == len(data), 'length')
        demand(u32(data, 92) & ~1 == 0, 'flags')
        header = data[:24] + bytes(8) + data[32:4096]
        demand(u64(data, 24) == xxh3(header), 'checksum of the header')
        demand(u64(data, 32) == xxh3(data[4096:]), 'checksum of the body')
        self.seed, self.generation, self.created = struct.unpack_from('<3Q', data, 40)
        self.entry_count, self.target_count, self.domain_count = struct.unpack_from('<3Q', data, 64)
        self.is_lenient = bool(u32(data, 92) & 1)

    def _read_sections(self):
        self.sections = {}
        end = 4096
        demand(u32(self.data, 88) <= 64, 'number of sections')
        for i in range(u32(self.data, 88)):
            number, flags, offset, length = struct.unpack_from('<IIQQ', self.data, 128 + 24 * i)
            demand(offset % 64 == 0 and offset >= end, 'sections overlap')
            end = offset + length
            demand(end + 64 <= len(self.data), 'a section ends past the file')
            demand(not any(self.data[end:end + 64]), 'padding')
            demand(number not in self.sections, 'a section stands twice')
            demand(DATA <= number <= PATTERNS or not flags & 1, 'an unknown section')
            self.sections[number] = self.data[offset:offset + length]
        for number in (DATA, DOMAINS, INDEX, DIRECTORY, RULES, CANARIES):
            demand(number in self.sections, 'a section is missing')
        demand((SOURCES in self.sections) == (PROVENANCE in self.sections), 'provenance')
        for number, unit in ((DATA, 4), (DOMAINS, 8), (INDEX, 64), (DIRECTORY, 64)):
            size = len(self.sections[number])
            demand(size >= unit and size % unit == 0, 'size of a section')
        self.lines = len(self.sections[DIRECTORY]) // 64
        self.buckets = len(self.sections[INDEX]) // 64

    def part(self, number, offset, size):
        """Some bytes of a section, all of them or none."""
        section = self.sections[number]
        demand(0 <= offset and size >= 0 and offset + size <= len(section),
               'outside of section %d' % number)
        return section[offset:offset + size]

    def _read_rules(self):
        at = 4
        texts = []
        for _ in range(3):
            size = u16(self.part(RULES, at, 2), 0)
            texts.append(self.part(RULES, at + 2, size))
            at += 2 + size
        demand(at == len(self.sections[RULES]), 'rules')
        self.propagates_extension = bool(u32(self.sections[RULES], 0) & 1)
        self.delimiters, self.origin, self.dot_domain = texts

    def _read_sources(self):
        at, sources = 0, []
        while at < len(self.sections.get(SOURCES, b'')):
            first, size = struct.unpack('<IH', self.part(SOURCES, at, 6))
            demand(not sources or sources[-1][0] <= first, 'order of sources')
            sources.append((first, self.part(SOURCES, at + 6, size)))
            at += 6 + size
        return sources

    def _read_patterns(self):
        if PATTERNS not in self.sections:
            return []
        at, patterns, depth = 4, [], 0
        for _ in range(u32(self.part(PATTERNS, 0, 4), 0)):
            line, kind, flags, result, *sizes = struct.unpack(
                '<IBBBBIII', self.part(PATTERNS, at, 20))
            demand(kind <= 2 and result <= 2, 'a pattern')
            depth += (0, 1, -1)[kind]
            demand(depth >= 0, 'an endif without if')
            at += 20
            texts = []
            for size in sizes:
                texts.append(self.part(PATTERNS, at, size))
                at += size
            patterns.append(Pattern(line, kind, flags, result, *texts))
        demand(depth == 0, 'an if without endif')
        demand(at == len(self.sections[PATTERNS]), 'patterns')
        return patterns

    # ---- domains -------------------------------------------------------------------------

    def domain_at(self, ref):
        demand(ref != 0, 'no domain')
        catch_all, size, flags = struct.unpack('<IBB', self.part(DOMAINS, 8 * ref, 6))
        name = self.part(DOMAINS, 8 * ref + 6, size + 1)
        demand(name[-1] == 0, 'a name without its zero')
        return Domain(ref, name[:-1], flags, catch_all)

    def domains(self):
        unit = 1
        while 8 * unit < len(self.sections[DOMAINS]):
            domain = self.domain_at(unit)
            yield domain
            unit += (6 + len(domain.name) + 1 + 7) // 8
        demand(8 * unit == len(self.sections[DOMAINS]), 'the last domain')

    def find_domain(self, name):
        domain_hash = xxh3(name, self.seed)
        bucket = high64(domain_hash, self.buckets)
        for _ in range(self.buckets):
            slots = struct.unpack('<16I', self.part(INDEX, 64 * bucket, 64))
            for fingerprint, reference in zip(slots[:8], slots[8:]):
                if reference == 0:
                    return None
                if fingerprint == domain_hash & 0xffffffff:
                    domain = self.domain_at(reference >> 2)
                    if domain.name == name:
                        demand(domain.flags & 3 == reference & 3, 'flags in the index')
                        return domain
            bucket = (bucket + 1) % self.buckets
        return None

    # ---- entries -------------------------------------------------------------------------

    def cluster_at(self, line, number):
        row = self.part(DIRECTORY, 64 * line, 64)
        counts = [u32(row, 4) >> 4 * i & 15 for i in range(8)]
        ends = [0, *struct.unpack_from('<8H', row, 8)]
        count, first = counts[number], sum(counts[:number])
        demand(ends[number] <= ends[number + 1], 'ends of a line')
        data = self.part(DATA, 4 * u32(row, 0) + ends[number], ends[number + 1] - ends[number])
        demand(bool(data) == bool(count), 'bytes of a cluster')
        fingerprints = None
        if count < 15 and first + count <= 40:
            fingerprints = row[24 + first:24 + first + count]
        at = 0
        if count == 15:
            count, at = data[0], 1
            demand(count >= 15, 'an escaped cluster')
        demand(at + count <= len(data), 'lengths of a cluster')
        lengths = data[at:at + count]
        at += count
        records = []
        for length in lengths:
            records.append(data[at:at + length])
            demand(len(records[-1]) == length and length > 4, 'a record')
            at += length
        demand(at == len(data), 'a cluster that is longer than its records')
        return Cluster(count, records, fingerprints)

    def place(self, local, domain_name):
        h = mix(xxh3(domain_name, self.seed), xxh3(local, self.seed))
        cluster = high64(h, 8 * self.lines)
        return cluster // 8, cluster % 8, h & 255

    def find(self, local, domain_name):
        """The entry of a key, or None. Without a local part, of the catch-all."""
        domain = self.find_domain(domain_name)
        if domain is None:
            return None
        if not local:
            return self.catch_all_of(domain)
        line, number, fingerprint = self.place(local, domain_name)
        cluster = self.cluster_at(line, number)
        wanted = domain.ref.to_bytes(3, 'little') + bytes([len(local) & 255]) + local
        for i, record in enumerate(cluster.records):
            if cluster.fingerprints is not None and cluster.fingerprints[i] != fingerprint:
                continue
            if len(local) < 256 and record.startswith(wanted):
                return self.entry_of(record, line, number, i)
        return None

    def catch_all_of(self, domain):
        if domain.catch_all == 0:
            return None
        kind, contents, line = self.list_at(domain.catch_all)
        demand(line is not None, 'a catch-all without its line')
        return self._entry(b'', domain, kind, contents, line)

    def entry_of(self, record, line, number, index):
        demand(len(record) >= 4 and record[3] > 0 and 4 + record[3] < len(record), 'a record')
        domain = self.domain_at(u24(record, 0))
        local, rest = record[4:4 + record[3]], record[4 + record[3]:]
        kind, contents = 0, rest
        if rest[0] == 0xff:
            demand(len(rest) == 5, 'a reference to a list')
            kind, contents, _ = self.list_at(u32(rest, 1))
        return self._entry(local, domain, kind, contents,
                           self.line_of(line, number, index))

    def list_at(self, ref):
        demand(ref != 0, 'no list')
        size, kind = struct.unpack('<IB', self.part(DATA, 4 * ref, 5))
        at, line = 4 * ref + 5, None
        if kind & 0x80:
            line = u32(self.part(DATA, at, 4), 0)
            at += 4
        kind &= 0x7f
        demand(kind < len(KINDS), 'kind of a list')
        return kind, self.part(DATA, at, size), line

    def _entry(self, local, domain, kind, contents, line):
        targets = ()
        if kind == 0:
            targets = tuple(self.targets_of(contents, local, domain))
            demand(targets, 'an entry without targets')
            contents = b''
        return Entry(local, domain.name, KINDS[kind], targets, contents, line)

    def targets_of(self, contents, local, domain):
        at = 0
        while at < len(contents):
            first = contents[at]
            demand(first != 0xff, 'a list in a list')
            if first == 0:
                size, ref, head = u16(contents, at + 1), u24(contents, at + 3), 6
            elif first < 0x80:
                size, ref, head = first - 1, u24(contents, at + 1), 4
            else:
                size, ref, head = first & 0x7f, domain.ref, 1
            target = contents[at + head:at + head + size]
            demand(len(target) == size and size <= 240, 'a target')
            demand(size > 0 or first in (0x01, 0x80), 'a target without a local part')
            if first == 0x80:
                demand(local, 'a target that is its key, which is none')
                target = local
            yield Target(target, self.domain_at(ref).name, first == 0x01)
            at += head + size

    # ---- where from ----------------------------------------------------------------------

    def line_of(self, line, number, index):
        if PROVENANCE not in self.sections:
            return None
        before = u32(self.part(PROVENANCE, 4 * line, 4), 0)
        before += sum(self.cluster_at(line, i).count for i in range(number))
        return u32(self.part(PROVENANCE, 4 * (self.lines + before + index), 4), 0)

    def source_of(self, line):
        """Name and line, of a line that is numbered through; None, None if it isn't known."""
        known = [(first, name) for first, name in self.sources if line is not None and first <= line]
        return (known[-1][1].decode(), line - known[-1][0]) if known else (None, None)

    # ---- all of it -----------------------------------------------------------------------

    def entries(self):
        for line in range(self.lines):
            for number in range(8):
                for i, record in enumerate(self.cluster_at(line, number).records):
                    yield self.entry_of(record, line, number, i)
        for domain in self.domains():
            if domain.catch_all:
                yield self.catch_all_of(domain)

    def fingerprint(self, entry):
        h = xxh3(entry.contents, KINDS.index(entry.kind) + 1)
        for target in entry.targets:
            local = b'' if target.keeps_user else target.local
            h = xxh3(target.domain, xxh3(local, h + target.keeps_user & MASK64))
        return h

    def replay_canaries(self):
        at = 0
        while at < len(self.sections[CANARIES]):
            is_found, domain_size, local_size, fingerprint = struct.unpack(
                '<BBBQ', self.part(CANARIES, at, 11))
            domain = self.part(CANARIES, at + 11, domain_size)
            local = self.part(CANARIES, at + 11 + domain_size, local_size)
            entry = self.find(local, domain)
            demand((entry is not None) == (is_found == 1), 'a canary')
            demand(entry is None or self.fingerprint(entry) == fingerprint, 'a canary')
            at += 11 + domain_size + local_size

    def check(self):
        """Hold every part against the others."""
        self._check_lines()
        names = [domain.name for domain in self.domains()]
        demand(len(names) == len(set(names)), 'a domain stands twice')
        refs = {domain.ref for domain in self.domains()}
        targets, keys = 0, set()
        for entry in self.entries():
            targets += len(entry.targets)
            demand((entry.local, entry.domain) not in keys, 'a key stands twice')
            keys.add((entry.local, entry.domain))
            demand(self.find(entry.local, entry.domain) == entry, 'a key that is not found')
        demand(len(keys) + len(self.patterns) == self.entry_count, 'number of entries')
        demand(targets == self.target_count, 'number of targets')
        self._check_domains(keys)
        indexed = sum(reference != 0 for bucket in range(self.buckets) for reference in
                      struct.unpack('<8I', self.part(INDEX, 64 * bucket + 32, 32)))
        demand(indexed == sum(bool(d.flags & INDEXED) for d in self.domains()), 'the index')
        for line in range(self.lines):
            for number in range(8):
                for record in self.cluster_at(line, number).records:
                    demand(u24(record, 0) in refs, 'a domref that leads into a domain')

    def _check_lines(self):
        base = 1
        for line in range(self.lines):
            row = self.part(DIRECTORY, 64 * line, 64)
            demand(u32(row, 0) >= base, 'lines that overlap')
            base = u32(row, 0) + (u16(row, 22) + 3) // 4

    def _check_domains(self, keys):
        extended = {domain for local, domain in keys if any(d in local[1:] for d in self.delimiters)}
        having = {domain for _, domain in keys}
        declared = 0
        for domain in self.domains():
            ours = bool(domain.flags & (ALIAS | MAILBOX))
            declared += ours
            demand((domain.catch_all != 0) == bool(domain.flags & CATCH_ALL), 'flag 1')
            demand((domain.name in extended) == bool(domain.flags & EXTENSIONS), 'flag 2')
            if domain.name in having or ours or domain.flags & LOCAL:
                demand(domain.flags & INDEXED, 'flag 4')
            found = self.find_domain(domain.name)
            demand((found == domain) if domain.flags & INDEXED else found is None, 'the index')
        demand(declared == self.domain_count, 'number of domains')


# ---- as rcptmap prints it ----------------------------------------------------------------

ATOM = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                 b"!#$%&'*+-/=?^_`{|}~.") | frozenset(range(128, 256))


def quoted(local):
    return '"%s"' % local.replace(b'\\', b'\\\\').replace(b'"', b'\\"').decode()


def external(local, domain):
    plain = local and ATOM.issuperset(local) and b'' not in local.split(b'.')
    if not domain and (b'!' in local or b'%' in local):
        plain = False
    text = local.decode() if plain or not local else quoted(local)
    return text + ('@' + domain.decode() if domain or not local else '')


def key_text(entry):
    if entry.local and (entry.local[:1] == b'#' or not entry.domain and b'.' in entry.local):
        return quoted(entry.local) + ('@' + entry.domain.decode() if entry.domain else '')
    return external(entry.local, entry.domain)


def target_texts(entry):
    return [external(b'' if target.keeps_user else target.local, target.domain)
            for target in entry.targets]


def json_of(table, entry):
    row = {'key': key_text(entry), 'kind': entry.kind}
    if entry.kind == 'targets':
        row['targets'] = target_texts(entry)
    elif entry.kind == 'reply':
        row['reply'] = entry.contents.decode()
    row['source'], row['line'] = table.source_of(entry.line)
    return row


def value_text(entry):
    if entry.kind == 'discard':
        return 'discard:'
    if entry.kind == 'targets':
        return ', '.join(target_texts(entry))
    code, enhanced, *text = entry.contents.decode().split(' ', 2)
    return 'error:%s:%s' % (enhanced, ' '.join([code, *text]))


def main():
    with open(sys.argv[1], 'rb') as file:
        table = Table(file.read())
    if len(sys.argv) == 2:
        for entry in table.entries():
            print(json.dumps(json_of(table, entry), ensure_ascii=False))
    for key in sys.argv[2:]:
        local, at, domain = key.rpartition('@')
        entry = table.find((local if at else domain).encode(), domain.encode() if at else b'')
        if entry is not None:
            print('%s\t%s' % (key, value_text(entry)))


if __name__ == '__main__':
    main()
