/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write_image - to standard output, a table that needs a chosen seed: for the second reader.
 *
 *   write_image everything     one of each thing that the format knows, an escaped cluster too
 *   write_image full-line      a line with more entries than fingerprints
 *   write_image last-bucket    a full bucket at the end of the domain index
 */
#include "../unit/table_image.h"

static struct image full_line(void)
{
	enum { KEYS = 50 }; /* all in the first of two lines */
	struct build build = { .seed = 12 };

	build_begin(&build);
	for (unsigned i = 0, found = 0; found < KEYS; i++) {
		char local[16], key[32];

		(void)snprintf(local, sizeof(local), "k%u", i);
		(void)snprintf(key, sizeof(key), "%s@a.test", local);
		if (place_of(local, "a.test", build.seed, KEYS / LINE_ENTRIES + 1).line != 0)
			continue;
		found++;
		build_add(&build, key, "t@b.test");
	}
	return build_end(&build);
}

static struct image last_bucket(void)
{
	enum { KEYS = 12, BUCKETS = (KEYS + 1) * 100 / (65 * BUCKET_SLOTS) + 1 };
	struct build build = { .seed = 14 };

	build_begin(&build);
	for (unsigned i = 0, found = 0; found < KEYS; i++) {
		char domain[16], key[32];
		uint64_t hash;

		(void)snprintf(domain, sizeof(domain), "d%u.test", i);
		(void)snprintf(key, sizeof(key), "k@%s", domain);
		hash = hash_key(bytes_of(domain), build.seed);
		if (format_high64(hash, BUCKETS) != BUCKETS - 1)
			continue;
		found++;
		build_add(&build, key, "t@b.test");
	}
	return build_end(&build);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct image (*make)(void);
	} images[] = {
		{ "everything", image_with_everything },
		{ "full-line", full_line },
		{ "last-bucket", last_bucket },
	};

	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		struct image image;
		bool is_written;

		if (argc != 2 || strcmp(argv[1], images[i].name) != 0)
			continue;
		image = images[i].make();
		is_written = fwrite(image.bytes, 1, image.size, stdout) == image.size &&
			     fflush(stdout) == 0;
		image_free(&image);
		return is_written ? EX_OK : EX_IOERR;
	}
	(void)fprintf(stderr, "usage: write_image everything|full-line|last-bucket\n");
	return EX_USAGE;
}
