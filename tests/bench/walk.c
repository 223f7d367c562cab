/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

enum {
	ADDRESS_ROOM = 1024,
	VALUE_ROOM = 64 * 1024,
};

struct walk {
	const struct peer *peer;
	void *handle;
	uint64_t *sum;
	unsigned recipients;
};

/* What an address led to. */
struct hit {
	struct bytes value;
	struct bytes extension; /* that no key had; empty: none to pass on */
};

static uint64_t weigh(struct bytes address)
{
	return peer_weigh(address.data[0], address.data[address.size - 1], address.size);
}

static void weigh_list(struct bytes value, uint64_t *sum)
{
	struct bytes address;

	while (text_next_address(&value, &address))
		*sum += weigh(address);
}

static struct bytes join(char *room, struct bytes a, struct bytes b)
{
	if (a.size + b.size > ADDRESS_ROOM)
		text_fail("address", "too long");
	memcpy(room, a.data, a.size);
	memcpy(room + a.size, b.data, b.size);
	return bytes_make(room, a.size + b.size);
}

bool walk_find(const struct peer *peer, void *handle, struct bytes key, uint64_t *sum)
{
	struct bytes value;

	if (peer->find != NULL)
		return peer->find(handle, key, sum);
	if (!peer->fetch(handle, key, &value))
		return false;
	*sum += (unsigned char)value.data[0];
	return true;
}

size_t walk_find_many(const struct peer *peer, void *handle, const struct bytes *keys, size_t count,
		      uint64_t *sum)
{
	size_t hits = 0;

	if (peer->find_many != NULL)
		return peer->find_many(handle, keys, count, sum);
	for (size_t i = 0; i < count; i++)
		hits += walk_find(peer, handle, keys[i], sum);
	return hits;
}

bool walk_find_all(const struct peer *peer, void *handle, struct bytes key, uint64_t *sum)
{
	struct bytes value;

	if (peer->find_all != NULL)
		return peer->find_all(handle, key, sum);
	if (!peer->fetch(handle, key, &value))
		return false;
	weigh_list(value, sum);
	return true;
}

/* Try the keys of ADDRESS in their order. */
static bool look(const struct peer *peer, void *handle, struct bytes address, struct hit *out_hit)
{
	size_t at = text_at_sign(address);
	struct bytes domain = bytes_skip(address, at);
	size_t plus = bytes_index(bytes_first(address, at), '+');

	out_hit->extension = bytes_make(NULL, 0);
	if (peer->fetch(handle, address, &out_hit->value))
		return true;
	if (plus > 0 && plus < at) {
		char room[ADDRESS_ROOM];

		if (peer->fetch(handle, join(room, bytes_first(address, plus), domain),
				&out_hit->value)) {
			out_hit->extension = bytes_skip(bytes_first(address, at), plus);
			return true;
		}
	}
	return domain.size > 0 && peer->fetch(handle, domain, &out_hit->value);
}

bool walk_ask(const struct peer *peer, void *handle, struct bytes address, uint64_t *sum)
{
	struct hit hit;

	if (peer->ask != NULL)
		return peer->ask(handle, address, sum);
	if (!look(peer, handle, address, &hit))
		return false;
	weigh_list(hit.value, sum);
	return true;
}

static void expand(struct walk *walk, struct bytes address, unsigned depth);

/* Go on with TARGET of ADDRESS. */
static void follow(struct walk *walk, struct bytes address, struct bytes target,
		   struct bytes extension, unsigned depth)
{
	char with_user[ADDRESS_ROOM];

	if (bytes_equal(target, address)) {
		*walk->sum += weigh(target);
		walk->recipients++;
		return;
	}
	if (target.data[0] == '@') {
		target = join(with_user, bytes_first(address, text_at_sign(address)), target);
	} else if (extension.size > 0) {
		char local[ADDRESS_ROOM];
		size_t at = text_at_sign(target);

		target = join(with_user, join(local, bytes_first(target, at), extension),
			      bytes_skip(target, at));
	}
	expand(walk, target, depth + 1);
}

static void expand(struct walk *walk, struct bytes address, unsigned depth)
{
	static char values[WALK_DEPTH_MAX][VALUE_ROOM];
	struct bytes target;
	struct hit hit;

	if (depth == WALK_DEPTH_MAX || walk->recipients >= WALK_RECIPIENTS_MAX)
		return;
	if (!look(walk->peer, walk->handle, address, &hit)) {
		*walk->sum += weigh(address);
		walk->recipients++;
		return;
	}
	if (walk->peer->is_fleeting) {
		if (hit.value.size > VALUE_ROOM)
			text_fail("value", "too long");
		memcpy(values[depth], hit.value.data, hit.value.size);
		hit.value.data = values[depth];
	}
	while (text_next_address(&hit.value, &target))
		follow(walk, address, target, hit.extension, depth);
}

unsigned walk_expand(const struct peer *peer, void *handle, struct bytes address, uint64_t *sum)
{
	struct walk walk = { .peer = peer, .handle = handle, .sum = sum };

	if (peer->expand != NULL)
		return peer->expand(handle, address, sum);
	expand(&walk, address, 0);
	return walk.recipients;
}
