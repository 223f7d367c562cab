/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standard - descriptors 0 to 2 of a tool.
 */
#ifndef SHOW_STANDARD_H
#define SHOW_STANDARD_H

/* Before anything is opened: one that is closed would be given to the next file, and what is meant
 * for people would go there. What is put in its place can neither be read nor written. */
void standard_occupy(void);

#endif
