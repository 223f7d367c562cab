/* SPDX-License-Identifier: BSD-2-Clause */
/* Sendmail's virtusertable. */
#include "fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *settings = settings_new();
	int result;

	if (settings == NULL)
		abort();
	result = fuzz_source(&source_type_virtusertable, settings, data, size);
	settings_free(settings);
	return result;
}
