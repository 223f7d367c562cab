/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * le - little-endian loads and stores at any address, whatever the machine's own order.
 */
#ifndef BASE_LE_H
#define BASE_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le16_load(const void *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t le32_load(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t le64_load(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline uint32_t le24_load(const void *at)
{
	const unsigned char *byte = at;

	return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16;
}

static inline void le16_store(void *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void le32_store(void *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void le64_store(void *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static inline void le24_store(void *at, uint32_t value)
{
	unsigned char *byte = at;

	byte[0] = (unsigned char)value;
	byte[1] = (unsigned char)(value >> 8);
	byte[2] = (unsigned char)(value >> 16);
}

#endif
