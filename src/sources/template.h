/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template - what a pattern's match stands for: text in which `$1`, `${1}`, `$(1)` are groups and
 * `$$` a dollar.
 */
#ifndef SOURCES_TEMPLATE_H
#define SOURCES_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * Append TEXT with its groups as `${1}`. False, ERR (status 65): it names something else than one
 * of the GROUP_COUNT groups there are. A full buffer shows in out_text->has_failed alone.
 */
bool template_normalise(struct bytes text, uint32_t group_count, struct buffer *out_text,
			struct error *err);

#endif
