/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capabilities - the parts of root's power, none of which we keep.
 */
#ifndef SANDBOX_CAPABILITIES_H
#define SANDBOX_CAPABILITIES_H

#include <stdbool.h>

#include "base/error.h"

/* As root, before becoming somebody else: no program that is executed later gets one either. What
 * can't be taken away stays, and counts for nothing without new privileges. */
void capabilities_empty_bounding(void);

/* Empty the sets of this thread, and prove by reading them back that they are empty: effective,
 * permitted, inheritable and ambient. Status 77: one isn't. */
bool capabilities_drop(struct error *err);

#endif
