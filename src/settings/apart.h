/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apart - read the settings in a process of its own.
 *
 * Where memory is short libconfig doesn't look whether a copy of a text could be made, and its
 * lexer ends the process. There it is only the process that reads: the caller gets an error. A
 * daemon that runs has its own way, see worker/settings_reader.h.
 */
#ifndef SETTINGS_APART_H
#define SETTINGS_APART_H

#include "settings/settings.h"

/* As settings_load(), which see; ON_ERROR is called in this process. Status 71 also where the other
 * one has died. Before there is a second thread: it forks. */
struct settings *settings_load_apart(const char *path,
				     void (*on_error)(const char *text, void *context),
				     void *context, struct error *err);

#endif
