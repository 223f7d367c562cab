/* SPDX-License-Identifier: BSD-2-Clause */
#include "confine/confine.h"

#include <elf.h>
#include <limits.h>
#include <link.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "message/counters.h"
#include "service/log.h"

enum { MASTER_PLACES = 9 };

/* ---- names of folders ---------------------------------------------------------------------------
 */

/* The folder in which PATH lies, LEVELS times; of one that is cut there is no folder. */
static void folder_of(const char *path, int levels, char out_folder[PATH_MAX])
{
	(void)snprintf(out_folder, PATH_MAX, "%s", path); /* see above */
	for (; levels > 0; levels--) {
		char *slash = strrchr(out_folder, '/');

		if (slash == NULL || slash == out_folder) {
			memcpy(out_folder, "/", sizeof("/"));
			return;
		}
		*slash = '\0';
	}
}

/* Where what loads this program lies; empty: nothing does. */
static void folder_of_loader(char out_folder[PATH_MAX])
{
	/* The kernel says where it has put the headers of the program. */
	const ElfW(Phdr) *headers =
		(const ElfW(Phdr) *)getauxval(AT_PHDR); /* NOLINT(performance-no-int-to-ptr) */
	size_t count = getauxval(AT_PHNUM);
	const char *base = NULL;
	char path[PATH_MAX];

	out_folder[0] = '\0';
	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == PT_PHDR)
			base = (const char *)headers - headers[i].p_vaddr;
	for (size_t i = 0; base != NULL && i < count; i++)
		/* Its name is a link to another folder. */
		if (headers[i].p_type == PT_INTERP &&
		    realpath(base + headers[i].p_vaddr, path) != NULL)
			folder_of(path, 1, out_folder);
}

static void folder_of_program(char out_folder[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

	out_folder[0] = '\0';
	if (size <= 0)
		return;
	path[size] = '\0';
	folder_of(path, 1, out_folder);
}

/* ---- one process --------------------------------------------------------------------------------
 */

static bool is_wanted(const struct settings *settings)
{
	return settings->sandbox == SETTINGS_SANDBOX_ENFORCE;
}

static bool confine(const struct settings *settings, const struct sandbox_limits *limits,
		    struct sandbox_state *out_state, struct error *err)
{
	struct error detail;

	*out_state = (struct sandbox_state){ .landlock_abi = 0 };
	if (!sandbox_prove(err))
		return false;
	if (is_wanted(settings) && !sandbox_enter(limits, out_state, &detail))
		log_line(SEVERITY_WARNING, "sandbox: %s", detail.text);
	return true;
}

/* ---- the master ---------------------------------------------------------------------------------
 */

struct places {
	struct sandbox_place list[MASTER_PLACES];
	char paths[MASTER_PLACES][PATH_MAX];
	size_t count;
};

/* Returns where the path is to be put. */
static char *add_place(struct places *places, unsigned uses)
{
	char *path = places->paths[places->count];

	places->list[places->count] = (struct sandbox_place){ path, uses };
	places->count++;
	path[0] = '\0';
	return path;
}

/* The folder of a socket may be removed, and made again: so the one above it has the rule. */
static void add_socket(struct places *places, const char *path)
{
	folder_of(path, 2, add_place(places, LANDLOCK_SOCKETS));
}

static void list_places(struct places *places, const struct settings *settings)
{
	struct endpoint endpoint;
	struct error ignored;

	places->count = 0;
	/* What its children read, it may read: see sandbox/profile.h. */
	folder_of("/", 1, add_place(places, LANDLOCK_READ | LANDLOCK_LIST));
	folder_of(settings->runtime_directory, 0, add_place(places, LANDLOCK_WRITE));
	/* Where its children put a socket, for a moment. */
	folder_of(settings->runtime_directory, 1, add_place(places, LANDLOCK_SOCKETS));
	if (settings->control_socket[0] != '\0')
		add_socket(places, settings->control_socket);
	if (endpoint_parse(settings->socket, &endpoint, &ignored) && endpoint.kind == ENDPOINT_UNIX)
		add_socket(places, endpoint.path);
	if (settings->metrics[0] != '\0' &&
	    endpoint_parse(settings->metrics, &endpoint, &ignored) &&
	    endpoint.kind == ENDPOINT_UNIX)
		add_socket(places, endpoint.path);
	/* A newer program, or loader, takes the place of the old one: so it is the folder. */
	folder_of_program(add_place(places, LANDLOCK_EXECUTE));
	folder_of_loader(add_place(places, LANDLOCK_EXECUTE));
	/* With which every program of ours begins. */
	folder_of("/dev/null", 0, add_place(places, LANDLOCK_WRITE));
}

static uint16_t port_of(const struct endpoint_address *address)
{
	const struct sockaddr *any = &address->socket.any;
	uint16_t port = 0;

	if (any->sa_family == AF_INET)
		port = ((const struct sockaddr_in *)(const void *)any)->sin_port;
	else if (any->sa_family == AF_INET6)
		port = ((const struct sockaddr_in6 *)(const void *)any)->sin6_port;
	return ntohs(port);
}

static bool is_notified_without_file(void)
{
	const char *socket = secure_getenv("NOTIFY_SOCKET");

	return socket != NULL && socket[0] == '@';
}

/* Has the program before given up what SETTINGS want? Landlock's layers are counted, and each one
 * narrows what is left: so it is once. */
static bool is_inherited(const struct settings *settings, struct sandbox_state *out_state)
{
	return sandbox_inherited(out_state) &&
	       (out_state->landlock_abi > 0 || out_state->has_seccomp || !is_wanted(settings));
}

bool confine_master(const struct settings *settings, const struct endpoint_address *milter,
		    const struct endpoint_address *metrics, struct sandbox_state *out_state,
		    struct error *err)
{
	struct places places;
	struct sandbox_limits limits = {
		.profile = SANDBOX_MASTER,
		.places = places.list,
		.ports = { port_of(milter), port_of(metrics) },
		.has_abstract = is_notified_without_file(),
	};

	list_places(&places, settings);
	limits.count = places.count;
	if (is_inherited(settings, out_state) ? !sandbox_prove(err)
					      : !confine(settings, &limits, out_state, err))
		return false;
	log_line(SEVERITY_INFO, "sandbox: Landlock %s, seccomp %s",
		 sandbox_landlock_words(out_state->landlock_abi, is_wanted(settings)),
		 sandbox_seccomp_words(out_state->has_seccomp, is_wanted(settings)));
	return true;
}

/* ---- its children -------------------------------------------------------------------------------
 */

bool confine_worker(const struct settings *settings, const char *table, struct error *err)
{
	char folder[PATH_MAX];
	const struct sandbox_place place = { folder, LANDLOCK_READ };
	const struct sandbox_limits limits = {
		.profile = SANDBOX_WORKER,
		.places = &place,
		.count = 1,
	};
	struct sandbox_state state;

	folder_of(table, 1, folder);
	if (!confine(settings, &limits, &state, err))
		return false;
	counter_set(COUNTER_SANDBOX_LANDLOCK_ABI, (uint64_t)state.landlock_abi);
	counter_set(COUNTER_SANDBOX_SECCOMP, state.has_seccomp ? 1 : 0);
	return true;
}

bool confine_reader(const struct settings *settings, struct error *err)
{
	const struct sandbox_place place = { "/", LANDLOCK_READ | LANDLOCK_LIST };
	const struct sandbox_limits limits = {
		.profile = SANDBOX_READER,
		.places = &place,
		.count = 1,
	};
	struct sandbox_state state;

	return confine(settings, &limits, &state, err);
}

bool confine_metrics(const struct settings *settings, struct error *err)
{
	const struct sandbox_limits limits = { .profile = SANDBOX_METRICS };
	struct sandbox_state state;

	return confine(settings, &limits, &state, err);
}
