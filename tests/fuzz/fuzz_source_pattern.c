/* SPDX-License-Identifier: BSD-2-Clause */
/* regexp_table(5) and pcre_table(5): the first byte says which. */
#include "fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_type *type = &source_type_pcre;

	if (size == 0)
		return -1;
	if (data[0] % 2 == 0)
		type = &source_type_regexp;
	return fuzz_source(type, NULL, data + 1, size - 1);
}
