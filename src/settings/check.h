/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - may a setting have this value? What goes beyond its type and range.
 */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include <stdbool.h>

#include "settings/fields.h"

/* Check the value of ROW; ERR (status 78) says what is wrong with it, beginning with its path. Of a
 * list it is the item of this NUMBER. */
bool settings_check(const struct settings_field *row, const struct settings *settings,
		    size_t number, struct error *err);

#endif
