/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader - what the files that read a configuration share: settings.c, read_sources.c for what
 * stands in `sources`, and schema_file.c. The one place that knows libconfig.
 */
#ifndef SETTINGS_READER_H
#define SETTINGS_READER_H

#include <libconfig.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "settings/settings.h"

/* A setting that a file has; its file, and what libconfig made of it, are still there. */
struct reader_taken {
	size_t row; /* its number in settings.def */
	const config_setting_t *setting;
	const char *path;
};

struct reader {
	struct settings *settings;
	const char *path; /* of the file at hand */
	bool is_fragment; /* it is one of conf.d */
	char *folder;     /* of the configuration, absolute: what relative paths begin at */
	struct reader_taken *taken; /* in the order of the files */
	size_t taken_count;
	void (*on_error)(const char *text, void *context);
	void *context;
	struct error *err;
	bool has_failed;
};

/* Report `FILE:LINE: TEXT`; FILE NULL: the file at hand itself. */
void reader_complain(struct reader *reader, const char *file, unsigned line, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));

/* Report that there is no memory. */
void reader_complain_memory(struct reader *reader);

/* Report ERROR as it is. */
void reader_complain_error(struct reader *reader, const struct error *error);

/* Report TEXT with the place of SETTING. */
#define COMPLAIN(reader, setting, ...)                                                             \
	reader_complain(reader, config_setting_source_file(setting),                               \
			config_setting_source_line(setting), __VA_ARGS__)

/* May PATH, of which STATUS is told, give orders? Who may write it, and its folder, is looked at.
 */
bool reader_may_trust(const char *path, const struct stat *status, struct error *err);

/* Open PATH, which gives orders: who may write it is looked at. NULL: see ERR. */
FILE *reader_open(const char *path, struct error *err);

/* The sources of SETTING take the place of those that the settings have; those of a fragment come
 * behind them. */
void reader_take_sources(struct reader *reader, const config_setting_t *setting);

#endif
