/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror_reader - answer searches out of a mirror (mirror.h): all that is in its base, but as the
 * journal says of what it tells.
 *
 * All searches see the journal as it was at the first of them: one state of the directory. Where
 * anything is missing, or damaged, it answers no more, and all has to be asked anew.
 */
#ifndef MIRROR_MIRROR_READER_H
#define MIRROR_MIRROR_READER_H

#include "mirror/mirror.h"

struct mirror_reader;

/* A reader of that of MIRRORS which SOURCE has, on connections with OPTIONS; all are borrowed.
 * NULL: no memory. End it with mirror_reader_free(). */
struct mirror_reader *mirror_reader_new(const struct mirrors *mirrors, const char *source,
					const struct directory_options *options);
void mirror_reader_free(struct mirror_reader *reader); /* accepts NULL */

/* SEARCH is answered next. False: it can't be. */
bool mirror_reader_search(struct mirror_reader *reader, const struct directory_search *search);

/* Its next entry, good until the next call: DIRECTORY_ENTRY; DIRECTORY_END; or DIRECTORY_FAILED: it
 * can't be told. */
enum directory_step mirror_reader_next(struct mirror_reader *reader,
				       struct directory_entry *out_entry);

#endif
