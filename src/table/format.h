/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format - the layout of a table file: numbers that reader, writer and verifier share.
 *
 * doc/table-format.md is the specification; this is its list of constants and the arithmetic that
 * places a key. Not for users of a table: see table.h.
 */
#ifndef TABLE_FORMAT_H
#define TABLE_FORMAT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

#define FORMAT_MAGIC "ORCPTTBL"

enum {
	FORMAT_VERSION = 1,
	FORMAT_BYTE_ORDER = 0x01020304,
	FORMAT_HEADER_BYTES = 4096, /* the body, and its checksum, begin behind it */
	FORMAT_SECTION_ALIGNMENT = 64,
	FORMAT_PADDING_BYTES = 64, /* zeros behind the last section: short reads stay inside */
	FORMAT_SECTIONS_MAX = 64,
};

/* Offsets in the header. */
enum {
	HEADER_MAGIC = 0,          /* 8 bytes */
	HEADER_VERSION = 8,        /* u32 */
	HEADER_BYTE_ORDER = 12,    /* u32 */
	HEADER_FILE_BYTES = 16,    /* u64 */
	HEADER_CHECKSUM = 24,      /* u64: XXH3 of the header page, this field as 0 */
	HEADER_BODY_CHECKSUM = 32, /* u64: XXH3 of everything behind the header page */
	HEADER_SEED = 40,          /* u64 */
	HEADER_GENERATION = 48,    /* u64 */
	HEADER_CREATED = 56,       /* u64: seconds since 1970 */
	HEADER_ENTRIES = 64,       /* u64: records, catch-alls and patterns */
	HEADER_TARGETS = 72,       /* u64 */
	HEADER_DOMAINS = 80,       /* u64: alias and mailbox domains */
	HEADER_SECTION_COUNT = 88, /* u32 */
	HEADER_FLAGS = 92,         /* u32: of enum header_flag */
	HEADER_COPY_OF = 96,       /* u64: a generation; 0: this is no copy of one */
	HEADER_SECTIONS = 128,     /* section entries */
};

/* Set: the reader must know it, or refuse the file. */
enum header_flag {
	HEADER_FLAG_LENIENT = 1, /* compiled with --lenient: not proved sound */
};

enum {
	HEADER_FLAGS_KNOWN = HEADER_FLAG_LENIENT,
};

/* A section entry. */
enum {
	SECTION_NUMBER = 0,  /* u32 */
	SECTION_FLAGS = 4,   /* u32: of enum section_flag */
	SECTION_OFFSET = 8,  /* u64, a multiple of FORMAT_SECTION_ALIGNMENT */
	SECTION_LENGTH = 16, /* u64 */
	SECTION_BYTES = 24,
};

enum section_flag {
	SECTION_FLAG_REQUIRED = 1, /* a reader that does not know the number refuses the file */
};

enum section_number {
	SECTION_DATA = 1,
	SECTION_DOMAINS = 2,
	SECTION_DOMAIN_INDEX = 3,
	SECTION_DIRECTORY = 4,
	SECTION_RULES = 5,
	SECTION_CANARIES = 6,
	SECTION_SOURCES = 7,
	SECTION_PROVENANCE = 8,
	SECTION_PATTERNS = 9,
	SECTION_NUMBERS
};

/* References: `ref` counts units of 4 bytes in DATA, `domref` units of 8 bytes in DOMAINS. */
enum {
	DATA_UNIT = 4,
	DOMAIN_UNIT = 8,
	DOMAIN_REF_MAX = 0xffffff,
};

/* Flags of the rules. A reader passes over those that it doesn't know. */
enum {
	RULE_PROPAGATES_EXTENSION = 1,
	RULE_KEEPS_DEAD_ENDS = 2,
};

/* A domain record. */
enum {
	DOMAIN_CATCH_ALL = 0, /* u32 ref of its list, 0: none */
	DOMAIN_LENGTH = 4,    /* u8 */
	DOMAIN_FLAGS = 5,     /* u8, of enum table_domain_flag */
	DOMAIN_NAME = 6,
};

/* A bucket of the domain index, 64 bytes: u32 fingerprint[8], u32 reference[8]. */
enum {
	BUCKET_BYTES = 64,
	BUCKET_SLOTS = 8,
	BUCKET_REFS = 32,
	BUCKET_REF_FLAG_BITS = 2, /* the two lowest flags of the domain stand below its domref */
};

/* A line of the directory. */
enum {
	LINE_BYTES = 64,
	LINE_CLUSTERS = 8,
	LINE_ENTRIES = 30,      /* on average */
	LINE_BASE = 0,          /* u32 ref */
	LINE_COUNTS = 4,        /* u32, a nibble a cluster */
	LINE_ENDS = 8,          /* u16[8] */
	LINE_FINGERPRINTS = 24, /* u8[40] */
	LINE_FINGERPRINT_ROOM = 40,
	CLUSTER_ESCAPE = 15, /* this many or more: the count is the cluster's first byte */
	CLUSTER_ENTRIES_MAX = 255,
};

/* A record: u24 domref, u8 length of the local part, local part, targets. */
enum {
	RECORD_BYTES_MAX = 255,
	RECORD_HEAD = 4,
	RECORD_LIST_BYTES = 5,
	KEY_LOCAL_MAX = 240,
	TARGET_LOCAL_MAX = 0xffff,
};

/* The first byte of a target. */
enum {
	TARGET_LONG = 0x00, /* u16 length, u24 domref, local part */
	TARGET_FAR = 0x01,  /* 0x01..0x7f: u24 domref, local part of byte-1 bytes; 0:
			     * `@other` */
	TARGET_NEAR = 0x80, /* 0x80..0xfe: local part of byte&0x7f bytes, domain of the key; 0:
			     * the key itself */
	TARGET_LIST = 0xff, /* u32 ref of a list: then it is all that the record has */
	TARGET_NEAR_MAX = 0x7e,
	TARGET_FAR_MAX = 0x7e,
};

/* A list: u32 bytes of its contents, u8 kind, contents. */
enum {
	LIST_BYTES = 0,
	LIST_KIND = 4,
	LIST_CONTENTS = 5,
	/* With this bit in the kind a u32 stands before the contents: where a catch-all came from.
	 * It isn't counted in the bytes of the contents. */
	LIST_KIND_PLACED = 0x80,
};

static inline uint64_t format_mix(uint64_t domain_hash, uint64_t local_hash)
{
	uint64_t x = local_hash + domain_hash * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static inline uint64_t format_high64(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;

	return (uint64_t)((wide)a * b >> 64);
}

#endif
