/* SPDX-License-Identifier: BSD-2-Clause */
/* virtual(5) text. */
#include "fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_source(&source_type_virtual, NULL, data, size);
}
