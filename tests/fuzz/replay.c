/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay - a fuzz target without an engine: runs the files it is given, or the seeds of the target
 * it is linked to, in $srcdir/fuzz/seeds/TARGET.
 *
 * A target returns 0 for an input that it accepts and -1 for one that it refuses. Seeds that are
 * all accepted, or all refused, try only half of a parser: that is a failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct counts {
	unsigned accepted;
	unsigned refused;
	unsigned unreadable;
};

/* The input is copied to a block of exactly its size, so that a read past the end is seen. */
static void run_file(const char *path, struct counts *counts)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		goto unreadable;
	rewind(file);
	data = malloc(size > 0 ? (size_t)size : 1);
	if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size)
		goto unreadable;
	if (LLVMFuzzerTestOneInput(data, (size_t)size) == 0)
		counts->accepted++;
	else
		counts->refused++;
	goto out;
unreadable:
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	counts->unreadable++;
out:
	free(data);
	if (file != NULL)
		(void)fclose(file); /* only read */
}

static int run_folder(const char *folder, struct counts *counts)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, alphasort);

	if (count < 0) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return 1;
	}
	for (int i = 0; i < count; i++) {
		char *path = NULL;

		if (names[i]->d_name[0] != '.' &&
		    asprintf(&path, "%s/%s", folder, names[i]->d_name) > 0)
			run_file(path, counts);
		free(path);
		free(names[i]);
	}
	free(names);
	return 0;
}

/* fuzz_address is what its seeds are filed under, less `fuzz_`. */
static void seeds_of(const char *program, char *out_folder, size_t size)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;
	const char *source = getenv("srcdir");

	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	(void)snprintf(out_folder, size, "%s/fuzz/seeds/%s", source != NULL ? source : ".", name);
}

int main(int argc, char **argv)
{
	struct counts counts = { 0 };
	char folder[4096];

	for (int i = 1; i < argc; i++)
		run_file(argv[i], &counts);
	if (argc > 1)
		return counts.unreadable > 0;
	seeds_of(argv[0], folder, sizeof(folder));
	if (run_folder(folder, &counts) != 0)
		return 1;
	printf("%s: %u accepted, %u refused\n", folder, counts.accepted, counts.refused);
	if (counts.accepted == 0 || counts.refused == 0)
		fprintf(stderr, "%s: seeds are wanted that are accepted and that are refused\n",
			folder);
	return counts.accepted == 0 || counts.refused == 0 || counts.unreadable > 0;
}
