/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw - an entry as it waits in its partition: a head, the local part, the payload.
 *
 * Nearly all are small, and all of them are written to the disk and read back where a table is
 * large: so the head has two forms.
 */
#ifndef TABLE_WRITE_RAW_H
#define TABLE_WRITE_RAW_H

#include "base/bytes.h"
#include "base/le.h"
#include "table/format.h"
#include "table/table.h"

enum {
	RAW_HASH = 0,        /* u64 */
	RAW_GLOBAL_LINE = 8, /* u32 */
	RAW_KEY = 12,        /* u24 domref, u8 length of the local part: as in a record */
	RAW_FORM = 16,       /* u8: enum table_entry_kind, and the two below */
	RAW_YIELDS = 0x40,
	RAW_IS_WIDE = 0x80, /* 4 bytes each for what follows, else one */
	RAW_SIZES = 17,     /* bytes of targets or reply; how many targets */
	RAW_HEAD = 19,
	RAW_WIDE_HEAD = 25,
};

static inline bool raw_is_wide(const unsigned char *raw)
{
	return (raw[RAW_FORM] & RAW_IS_WIDE) != 0;
}

static inline size_t raw_head(const unsigned char *raw)
{
	return raw_is_wide(raw) ? RAW_WIDE_HEAD : RAW_HEAD;
}

static inline uint64_t raw_hash(const unsigned char *raw)
{
	return le64_load(raw + RAW_HASH);
}

static inline uint32_t raw_global_line(const unsigned char *raw)
{
	return le32_load(raw + RAW_GLOBAL_LINE);
}

static inline uint32_t raw_domain(const unsigned char *raw)
{
	return le24_load(raw + RAW_KEY);
}

static inline struct bytes raw_local(const unsigned char *raw)
{
	return bytes_make(raw + raw_head(raw), raw[RAW_KEY + 3]);
}

static inline size_t raw_payload_size(const unsigned char *raw)
{
	return raw_is_wide(raw) ? le32_load(raw + RAW_SIZES) : raw[RAW_SIZES];
}

static inline uint32_t raw_targets(const unsigned char *raw)
{
	return raw_is_wide(raw) ? le32_load(raw + RAW_SIZES + 4) : raw[RAW_SIZES + 1];
}

static inline struct bytes raw_payload(const unsigned char *raw)
{
	return bytes_make(raw + raw_head(raw) + raw[RAW_KEY + 3], raw_payload_size(raw));
}

static inline enum table_entry_kind raw_kind(const unsigned char *raw)
{
	return (enum table_entry_kind)(raw[RAW_FORM] & ~(RAW_YIELDS | RAW_IS_WIDE));
}

static inline bool raw_yields(const unsigned char *raw)
{
	return (raw[RAW_FORM] & RAW_YIELDS) != 0;
}

static inline size_t raw_size(const unsigned char *raw)
{
	return raw_head(raw) + raw[RAW_KEY + 3] + raw_payload_size(raw);
}

/* What raw_size() will be. */
static inline size_t raw_size_for(size_t local, size_t payload, uint32_t targets)
{
	bool is_wide = payload > UINT8_MAX || targets > UINT8_MAX;

	return (is_wide ? RAW_WIDE_HEAD : RAW_HEAD) + local + payload;
}

/* Put form and sizes, then the two strings. */
static inline void raw_fill(unsigned char *raw, unsigned form, struct bytes local,
			    struct bytes payload, uint32_t targets)
{
	size_t head = RAW_HEAD;

	if (payload.size > UINT8_MAX || targets > UINT8_MAX) {
		form |= RAW_IS_WIDE;
		head = RAW_WIDE_HEAD;
		le32_store(raw + RAW_SIZES, (uint32_t)payload.size);
		le32_store(raw + RAW_SIZES + 4, targets);
	} else {
		raw[RAW_SIZES] = (unsigned char)payload.size;
		raw[RAW_SIZES + 1] = (unsigned char)targets;
	}
	raw[RAW_FORM] = (unsigned char)form;
	bytes_copy(raw + head, local.data, local.size);
	bytes_copy(raw + head + local.size, payload.data, payload.size);
}

#endif
