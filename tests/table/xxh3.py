# SPDX-License-Identifier: BSD-2-Clause
"""XXH3, 64 bits, with a seed: written from the description of the algorithm, for the second reader.

What it says of each input is the same as the C library's, and hundreds of times slower.
"""
import struct

MASK32 = 0xffffffff
MASK64 = 0xffffffffffffffff

PRIME32_1, PRIME32_2, PRIME32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
PRIME64_1, PRIME64_2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
PRIME64_3, PRIME64_4, PRIME64_5 = 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
PRIME_MX1, PRIME_MX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25

SECRET = bytes.fromhex(
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f'
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c'
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8'
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364'
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e'
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e')

STRIPE = 64
BLOCK_STRIPES = (len(SECRET) - STRIPE) // 8
BLOCK = STRIPE * BLOCK_STRIPES
LANES = struct.Struct('<8Q')


def _u32(data, at):
    return int.from_bytes(data[at:at + 4], 'little')


def _u64(data, at):
    return int.from_bytes(data[at:at + 8], 'little')


def _swap32(value):
    return int.from_bytes(value.to_bytes(4, 'little'), 'big')


def _swap64(value):
    return int.from_bytes(value.to_bytes(8, 'little'), 'big')


def _rotate(value, bits):
    return (value << bits | value >> 64 - bits) & MASK64


def _fold(a, b):
    product = a * b
    return (product ^ product >> 64) & MASK64


def _avalanche(h):
    h ^= h >> 37
    h = h * PRIME_MX1 & MASK64
    return h ^ h >> 32


def _avalanche_xxh64(h):
    h ^= h >> 33
    h = h * PRIME64_2 & MASK64
    h ^= h >> 29
    h = h * PRIME64_3 & MASK64
    return h ^ h >> 32


# ---- up to 16 bytes ----------------------------------------------------------------------


def _hash_1_to_3(data, seed):
    size = len(data)
    combined = data[0] << 16 | data[size >> 1] << 24 | data[size - 1] | size << 8
    flip = (_u32(SECRET, 0) ^ _u32(SECRET, 4)) + seed & MASK64
    return _avalanche_xxh64(combined ^ flip)


def _hash_4_to_8(data, seed):
    size = len(data)
    seed ^= _swap32(seed & MASK32) << 32
    flip = (_u64(SECRET, 8) ^ _u64(SECRET, 16)) - seed & MASK64
    h = (_u32(data, size - 4) + (_u32(data, 0) << 32)) ^ flip
    h ^= _rotate(h, 49) ^ _rotate(h, 24)
    h = h * PRIME_MX2 & MASK64
    h ^= (h >> 35) + size
    h = h * PRIME_MX2 & MASK64
    return h ^ h >> 28


def _hash_9_to_16(data, seed):
    size = len(data)
    low = _u64(data, 0) ^ ((_u64(SECRET, 24) ^ _u64(SECRET, 32)) + seed & MASK64)
    high = _u64(data, size - 8) ^ ((_u64(SECRET, 40) ^ _u64(SECRET, 48)) - seed & MASK64)
    return _avalanche(size + _swap64(low) + high + _fold(low, high) & MASK64)


# ---- up to 240 bytes ---------------------------------------------------------------------


def _mix(data, at, secret_at, seed):
    return _fold(_u64(data, at) ^ (_u64(SECRET, secret_at) + seed & MASK64),
                 _u64(data, at + 8) ^ (_u64(SECRET, secret_at + 8) - seed & MASK64))


def _hash_17_to_128(data, seed):
    size = len(data)
    h = size * PRIME64_1
    for i in range((size - 1) // 32 + 1):
        h += _mix(data, 16 * i, 32 * i, seed)
        h += _mix(data, size - 16 * (i + 1), 32 * i + 16, seed)
    return _avalanche(h & MASK64)


def _hash_129_to_240(data, seed):
    size = len(data)
    h = size * PRIME64_1
    for i in range(8):
        h += _mix(data, 16 * i, 16 * i, seed)
    h = _avalanche(h & MASK64)
    for i in range(8, size // 16):
        h += _mix(data, 16 * i, 16 * (i - 8) + 3, seed)
    h += _mix(data, size - 16, 136 - 17, seed)
    return _avalanche(h & MASK64)


# ---- longer ------------------------------------------------------------------------------


def _secret_for(seed):
    if seed == 0:
        return SECRET
    made = bytearray()
    for at in range(0, len(SECRET), 16):
        made += (_u64(SECRET, at) + seed & MASK64).to_bytes(8, 'little')
        made += (_u64(SECRET, at + 8) - seed & MASK64).to_bytes(8, 'little')
    return bytes(made)


def _accumulate(lanes, stripe, keys):
    for i in range(8):
        value = stripe[i]
        key = value ^ keys[i]
        lanes[i ^ 1] += value
        lanes[i] += (key & MASK32) * (key >> 32)
    for i in range(8):
        lanes[i] &= MASK64


def _scramble(lanes, keys):
    for i in range(8):
        lane = lanes[i]
        lanes[i] = (lane ^ lane >> 47 ^ keys[i]) * PRIME32_1 & MASK64


def _hash_long(data, seed):
    secret = _secret_for(seed)
    lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]
    keys = [LANES.unpack_from(secret, 8 * i) for i in range(BLOCK_STRIPES)]
    scramble_keys = LANES.unpack_from(secret, len(secret) - STRIPE)
    # The last stripe, whole or not, is taken from the end below.
    for number, at in enumerate(range(0, len(data) - 1 - (STRIPE - 1), STRIPE)):
        _accumulate(lanes, LANES.unpack_from(data, at), keys[number % BLOCK_STRIPES])
        if number % BLOCK_STRIPES == BLOCK_STRIPES - 1:
            _scramble(lanes, scramble_keys)
    _accumulate(lanes, LANES.unpack_from(data, len(data) - STRIPE),
                LANES.unpack_from(secret, len(secret) - STRIPE - 7))
    h = len(data) * PRIME64_1
    for i in range(4):
        h += _fold(lanes[2 * i] ^ _u64(secret, 11 + 16 * i),
                   lanes[2 * i + 1] ^ _u64(secret, 11 + 16 * i + 8))
    return _avalanche(h & MASK64)


def xxh3(data, seed=0):
    size = len(data)
    if size == 0:
        return _avalanche_xxh64(seed ^ _u64(SECRET, 56) ^ _u64(SECRET, 64))
    if size <= 3:
        return _hash_1_to_3(data, seed)
    if size <= 8:
        return _hash_4_to_8(data, seed)
    if size <= 16:
        return _hash_9_to_16(data, seed)
    if size <= 128:
        return _hash_17_to_128(data, seed)
    if size <= 240:
        return _hash_129_to_240(data, seed)
    return _hash_long(data, seed)
