/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/replace_text.h"

#include <sysexits.h>

#include "base/file.h"

enum { LOCK_WAIT_MS = 1000 };

bool replace_text(const char *path, const struct buffer *text, mode_t mode, struct error *err)
{
	struct file_output output = FILE_OUTPUT_NONE;
	bool is_installed;
	bool is_done;

	if (text->has_failed)
		return error_set_memory(err);
	if (!file_output_lock(path, LOCK_WAIT_MS, &output, err))
		return false;
	is_done = file_output_create(&output, mode, err) &&
		  (file_write_all(output.fd, buffer_bytes(text)) ||
		   error_set_errno(err, EX_IOERR, "%s", path)) &&
		  file_output_install(&output, &is_installed, err);
	file_output_close(&output);
	return is_done;
}
