/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners - of each source that is a database: who listens to it, whether the server is there,
 * and how old what is known of it may be.
 *
 * A source is confirmed when it is read for the table that is published, or when its server says
 * later that nothing has changed since. That it is away is said once, and each hour; that it is
 * back is said, too. A listener that ends is followed by another one, after 1, 2, 4 … 30 seconds;
 * after 1 again where it has lasted for a minute.
 *
 * A source that can't be listened to is read now and then, which is said once. Whether that is
 * still so is tried again, each hour and where listeners_retry() asks for it. Nothing is said of a
 * try that changes nothing, whatever became of it: whether such a source is there, reading it
 * tells.
 */
#ifndef FOLLOW_LISTENERS_H
#define FOLLOW_LISTENERS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "follow/complaint.h"
#include "follow/follow_state.h"
#include "follow/scout.h"
#include "mirror/mirror.h"
#include "settings/settings.h"

struct followed {
	size_t index;         /* among the sources */
	uint64_t fingerprint; /* of what the settings, and the files that they name, say of it */
	bool is_wanted;
	struct scout scout;
	struct mirror mirror; /* of what it is told */
	struct follow_source told;
	bool is_starting; /* it has told nothing yet */
	bool is_polled;   /* nobody listens, or somebody tries to: it is read now and then */
	int64_t began_ms; /* when the last listener was started */
	int64_t again_ms; /* when the next one is; 0: not */
	int64_t pause_ms;
	uint64_t heard;   /* the date of its last word but that it is away */
	uint64_t taken;   /* that when the last compilation began */
	bool has_changed; /* or may have, since the last compilation began */
	bool is_unread;   /* or may have before, and no compilation since has succeeded */
	struct complaint complaint;
	struct buffer doubts; /* of the last connection, that were said */
	struct buffer coming; /* of the one that begins */
};

struct listeners {
	struct followed *items;
	size_t count;
	int64_t retry_ms; /* of those who are polled, a quarter more or less */
	/* All as follow_options have them. */
	scout_listen *listen;
	void (*name)(const struct settings_source *source, char *out_name, size_t size);
	void (*schema)(const struct settings_source *source, char *out_path, size_t size);
};

/* Listen to what SETTINGS say now; who listens to what is as it was stays. SETTINGS have to stay
 * until the next call. */
void listeners_set(struct listeners *listeners, const struct settings *settings);
void listeners_close(struct listeners *listeners);

enum listeners_news {
	LISTENERS_NOTHING,
	LISTENERS_CONFIRMED = 1, /* bits: one is as it was */
	LISTENERS_TURNED = 2,    /* one is away, or back */
	LISTENERS_CHANGED = 4,   /* one may have changed */
};

/* Hear what has come. KEEPS: that one is back is no change. */
unsigned listeners_hear(struct listeners *listeners, const struct settings *settings, bool keeps);

/* Fill in what to poll for; there is room for COUNT. The result is how many there are. */
size_t listeners_poll(const struct listeners *listeners, struct pollfd *out, size_t count);

/* Has one told nothing at all yet? */
bool listeners_are_starting(const struct listeners *listeners);

/* Is TEXT, of a compilation, about one that is said to be away? */
bool listeners_miss_one(const struct listeners *listeners, const char *text);

/* Those who are polled may be able to listen now. */
void listeners_retry(struct listeners *listeners);

/* All sources are read from now on. */
void listeners_take(struct listeners *listeners);

/* They were read for the table that is published; that began at DATE. IS_COPIED: those with a
 * mirror out of that, which is as old as what was heard. */
void listeners_took(struct listeners *listeners, uint64_t date, bool is_copied);

/* The mirrors that there are. */
void listeners_mirrors(const struct listeners *listeners, struct mirrors *out_mirrors);

/* What is told of them. IS_WELL: nothing fails, which is all that is known of who is polled. */
void listeners_state(const struct listeners *listeners, bool is_well, struct follow_state *state);

#endif
