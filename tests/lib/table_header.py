# SPDX-License-Identifier: BSD-2-Clause
"""A compiled table with another header; see doc/table-format.md."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'table'))

import xxh3             # pylint: disable=wrong-import-position

HEADER_BYTES, CHECKSUM, CREATED = 4096, 24, 56


def with_created(data, seconds):
    """The table DATA as one that was compiled at SECONDS."""
    table = bytearray(data)
    struct.pack_into('<Q', table, CREATED, seconds)
    struct.pack_into('<Q', table, CHECKSUM, 0)
    struct.pack_into('<Q', table, CHECKSUM, xxh3.xxh3(bytes(table[:HEADER_BYTES])))
    return bytes(table)
