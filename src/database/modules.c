/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/trust.h"

static const char *const names[] = { "ldap", "mysql", "postgresql", "sqlite" };

enum { NAMES = sizeof(names) / sizeof(names[0]) };

static const char *directory(void)
{
	const char *chosen = secure_getenv("OPENRCPT_MODULE_DIRECTORY");

	return chosen != NULL && chosen[0] == '/' ? chosen : OPENRCPT_MODULES;
}

static bool find(const char *name, char out_path[PATH_MAX], struct error *err)
{
	if (snprintf(out_path, PATH_MAX, "%s/%s.so", directory(), name) < PATH_MAX)
		return true;
	return error_set(err, EX_CONFIG, "%s: the path is too long", directory());
}

/* May what is at PATH give orders to this program? */
static bool check(const char *name, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	bool is_good;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, EX_UNAVAILABLE,
				 "type \"%s\": %s is not there: install the package openrcpt-%s",
				 name, path, name);
	if (fd < 0)
		return error_set_errno(err, EX_NOPERM, "%s", path);
	if (fstat(fd, &status) != 0)
		is_good = error_set_errno(err, EX_NOPERM, "%s", path);
	else
		is_good = trust_check(path, &status, &trust_in_module, err) &&
			  trust_check_folders(path, &trust_in_module_folder, err);
	(void)close(fd); /* was only read */
	return is_good;
}

static const struct database_module *load(const char *name, const char *path, struct error *err)
{
	const struct database_module *module;
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (object == NULL) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps one for each thread */
		error_fill(err, EX_UNAVAILABLE, "type \"%s\": %s", name, dlerror());
		return NULL;
	}
	module = dlsym(object, DATABASE_MODULE_SYMBOL);
	if (module == NULL)
		error_fill(err, EX_CONFIG, "%s: is no module of openrcpt", path);
	else if (module->version != DATABASE_MODULE_VERSION)
		error_fill(
			err, EX_CONFIG,
			"%s: is of another version of openrcpt (its interface is number %u, ours "
			"%u): install the same version of both packages",
			path, (unsigned)module->version, (unsigned)DATABASE_MODULE_VERSION);
	else if (strcmp(module->name, name) != 0)
		error_fill(err, EX_CONFIG, "%s: is the module for \"%s\"", path, module->name);
	else
		return module; /* the object stays: its libraries may not like to go */
	(void)dlclose(object); /* nothing of it was used */
	return NULL;
}

const struct database_module *modules_load(const char *name, struct error *err)
{
	char path[PATH_MAX];

	if (!find(name, path, err) || !check(name, path, err))
		return NULL;
	return load(name, path, err);
}

void modules_list(struct buffer *out)
{
	for (size_t i = 0; i < NAMES; i++) {
		const struct database_module *module;
		char path[PATH_MAX];
		struct error err;

		if (!find(names[i], path, &err) || access(path, F_OK) != 0)
			continue;
		module = modules_load(names[i], &err);
		(void)buffer_append_format(out, "%s: %s\n", names[i],
					   module != NULL ? module->client() : err.text);
	}
}
