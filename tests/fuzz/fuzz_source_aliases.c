/* SPDX-License-Identifier: BSD-2-Clause */
/* aliases(5) text. */
#include "fuzz_source.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *settings;
	int result;

	/* It would read whatever files the machine has. */
	if (memmem(data, size, "include", 7) != NULL)
		return -1;
	settings = settings_new();
	if (settings == NULL)
		abort();
	result = fuzz_source(&source_type_aliases, settings, data, size);
	settings_free(settings);
	return result;
}
