/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file; what is accepted must print as a file that prints the same. */
#include "memory_file.h"

#include <string.h>

#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the tokens before a syntax error. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static void on_error(const char *text, void *context)
{
	if (text[0] == '\0')
		abort();
	*(int *)context += 1;
}

static struct settings *load(const uint8_t *data, size_t size)
{
	char path[MEMORY_FILE_PATH_BYTES];
	int fd = memory_file_open(data, size, path);
	int errors = 0;
	struct error err;
	struct settings *settings = settings_load(path, on_error, &errors, &err);

	if ((settings == NULL) != (errors > 0))
		abort();
	(void)close(fd);
	return settings;
}

static char *print(const struct settings *settings)
{
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL || !settings_print(settings, SETTINGS_EFFECTIVE, stream) ||
	    fclose(stream) != 0)
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *settings, *again;
	char *text, *more;

	/* The scanner would read whatever files the machine has. */
	if (memmem(data, size, "@include", 8) != NULL)
		return -1;
	settings = load(data, size);
	if (settings == NULL)
		return -1;
	text = print(settings);
	again = load((const uint8_t *)text, strlen(text));
	if (again == NULL)
		abort();
	more = print(again);
	if (strcmp(text, more) != 0)
		abort();
	free(text);
	free(more);
	settings_free(settings);
	settings_free(again);
	return 0;
}
