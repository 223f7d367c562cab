/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - may a setting have this value? What goes beyond its type and range.
 */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include <stdbool.h>

#include "settings/fields.h"

/* Check the value of ROW; ERR (status 78) says what is wrong with it, beginning with its path. */
bool settings_check(const struct settings_field *row, const struct settings *settings,
		    struct error *err);

#endif
