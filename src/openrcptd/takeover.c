/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "message/counters.h"
#include "openrcptd/master_control.h"
#include "openrcptd/takeover_sockets.h"
#include "sandbox/sandbox.h"
#include "service/log.h"
#include "settings/pack.h"

/* Whoever changes what follows changes REEXEC_VERSION. */

#define VARIABLE "OPENRCPTD_TAKEOVER"

enum { MAGIC = 0x6f726374 };

struct given_listener {
	int32_t fd; /* -1: there is none */
	int32_t lock_fd;
	uint64_t device;
	uint64_t inode;
	uint64_t is_given;
	struct endpoint_address address;
};

struct given_worker {
	int64_t pid;
	int64_t started_ms;
	int64_t due_ms;
	int32_t orders_fd;
	uint32_t number;
	uint32_t socket_number;
	uint32_t was_told;
};

/* Settings that have to be known whatever has become of the others. */
enum given_text { GIVEN_FILE, GIVEN_USER, GIVEN_SOCKET, GIVEN_CONTROL, GIVEN_METRICS, GIVEN_TEXTS };

/* Behind it: the settings, packed. */
struct given {
	uint64_t magic;
	uint64_t size;   /* of this */
	uint64_t layout; /* of the settings: another program may have others */
	char texts[GIVEN_TEXTS][PATH_MAX];
	int64_t began_ms;
	int32_t counters_fd;
	int32_t table_fd;
	int32_t clients[CONTROL_CLIENTS];          /* who wait for the outcome; -1: none */
	uint32_t wait_for_reload[CONTROL_CLIENTS]; /* and not for this */
	uint32_t wants_reload;
	uint32_t socket_number;
	uint32_t retired_count;
	struct given_listener listener;
	struct given_listener control;
	struct given_listener metrics;
	struct given_worker worker;
	struct given_worker retired[RETIRED_ROOM];
};

struct takeover {
	struct given given;
	struct settings *settings; /* NULL: this program can't read them */
};

/* ---- giving ------------------------------------------------------------------------------- */

static struct given_listener give_listener(const struct listener *listener)
{
	return (struct given_listener){
		.fd = listener->fd,
		.lock_fd = listener->lock_fd,
		.device = listener->device,
		.inode = listener->inode,
		.is_given = listener->is_given,
		.address = listener->address,
	};
}

static struct given_worker give_worker(const struct worker_process *process)
{
	return (struct given_worker){
		.pid = process->pid,
		.started_ms = process->started_ms,
		.orders_fd = process->orders_fd,
		.number = process->number,
		.socket_number = process->socket_number,
	};
}

static void give_texts(const struct settings *settings, struct given *given)
{
	const char *const texts[GIVEN_TEXTS] = {
		[GIVEN_FILE] = settings->file,       [GIVEN_USER] = settings->user,
		[GIVEN_SOCKET] = settings->socket,   [GIVEN_CONTROL] = "",
		[GIVEN_METRICS] = settings->metrics,
	};

	/* What is longer can't be opened either. */
	for (size_t i = 0; i < GIVEN_TEXTS; i++)
		(void)snprintf(given->texts[i], sizeof(given->texts[i]), "%s", texts[i]);
	takeover_control_path(settings, given->texts[GIVEN_CONTROL]);
}

static void collect(const struct master *master, struct given *given)
{
	*given = (struct given){
		.magic = MAGIC,
		.size = sizeof(*given),
		.layout = settings_packed_form(),
		.began_ms = master->began_ms,
		.counters_fd = counters_descriptor(),
		.table_fd = master->table_fd,
		.wants_reload = master->wants_reload ? 1 : 0,
		.socket_number = master->socket_number,
		.retired_count = (uint32_t)master->retired.count,
		.listener = give_listener(&master->listener),
		.control = give_listener(&master->control.listener),
		.metrics = give_listener(&master->metrics.listener),
		.worker = give_worker(&master->worker),
	};
	give_texts(master->settings, given);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		const struct control_client *client = &master->control.clients[i];
		bool is_reload = master_control_waits_for(client, "reload");

		given->wait_for_reload[i] = is_reload ? 1 : 0;
		given->clients[i] =
			is_reload || master_control_waits_for(client, "reexec") ? client->fd : -1;
	}
	for (size_t i = 0; i < master->retired.count; i++) {
		given->retired[i] = give_worker(&master->retired.list[i].process);
		given->retired[i].due_ms = master->retired.list[i].due_ms;
		given->retired[i].was_told = master->retired.list[i].was_told ? 1 : 0;
	}
}

/* Descriptors that the next program keeps, or no longer: as many as there are. */
static bool keep(const struct given *given, int flags)
{
	bool is_well = true;
	int fds[9 + CONTROL_CLIENTS + RETIRED_ROOM] = {
		given->counters_fd,
		given->table_fd,
		given->listener.fd,
		given->listener.lock_fd,
		given->control.fd,
		given->metrics.fd,
		given->worker.orders_fd,
		-1,
		-1,
	};

	memcpy(&fds[9], given->clients, sizeof(given->clients));
	for (size_t i = 0; i < RETIRED_ROOM; i++)
		fds[9 + CONTROL_CLIENTS + i] =
			i < given->retired_count ? given->retired[i].orders_fd : -1;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0 && fcntl(fds[i], F_SETFD, flags) != 0)
			is_well = false;
	return is_well;
}

/* Those in force: what the last reload has brought, as it is, or those of the start. */
static bool write_settings(const struct master *master, int fd)
{
	struct buffer packed;
	struct stat status;
	bool is_well;

	if (master->settings_fd >= 0) {
		off_t from = 0;

		return fstat(master->settings_fd, &status) == 0 &&
		       sendfile(fd, master->settings_fd, &from, (size_t)status.st_size) ==
			       (ssize_t)status.st_size;
	}
	buffer_init(&packed, SETTINGS_PACKED_MAX);
	is_well = settings_pack(master->settings, master->settings, &packed) &&
		  file_write_all(fd, buffer_bytes(&packed));
	buffer_free(&packed);
	return is_well;
}

/* The file with all that; -1: no memory. */
static int write_down(const struct master *master, const struct given *given)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	int fd = memfd_create("takeover", MFD_ALLOW_SEALING);

	if (fd < 0 || (file_write_all(fd, bytes_make(given, sizeof(*given))) &&
		       write_settings(master, fd) && fcntl(fd, F_ADD_SEALS, seals) == 0))
		return fd;
	(void)close(fd); /* it is of no use */
	return -1;
}

void takeover_give(struct master *master, struct error *err)
{
	static struct given given; /* large, and there is one thread */
	char number[16];
	int fd;

	collect(master, &given);
	fd = write_down(master, &given);
	(void)snprintf(number, sizeof(number), "%d", fd); /* fits */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the master has one thread */
	if (fd < 0 || setenv(VARIABLE, number, 1) != 0 || !keep(&given, 0)) {
		error_fill_memory(err);
	} else if (sandbox_bequeath(&master->sandbox, err)) {
		/* It would meet its namesake; the next program starts another one. */
		if (master->metrics.pid > 0)
			(void)kill(master->metrics.pid, SIGKILL); /* it may have ended */
		reexec_now(err);
	}
	(void)keep(&given, FD_CLOEXEC); /* as before */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the master has one thread */
	(void)unsetenv(VARIABLE); /* its name is sound */
	if (fd >= 0)
		(void)close(fd); /* of no use any more */
}

/* ---- taking ------------------------------------------------------------------------------- */

static bool read_all(int fd, struct takeover *takeover, struct error *err)
{
	struct stat status;
	size_t size;
	char *data;
	bool is_well;

	if (fstat(fd, &status) != 0 || status.st_size < (off_t)sizeof(takeover->given))
		return error_set(err, EX_SOFTWARE, "there is nothing to take over");
	size = (size_t)status.st_size;
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_set_errno(err, EX_OSERR, "take over");
	memcpy(&takeover->given, data, sizeof(takeover->given));
	is_well = takeover->given.magic == MAGIC &&
		  takeover->given.size == sizeof(takeover->given) &&
		  takeover->given.retired_count <= RETIRED_ROOM;
	if (is_well && takeover->given.layout == settings_packed_form())
		takeover->settings = settings_unpack(
			bytes_make(data + sizeof(takeover->given), size - sizeof(takeover->given)),
			NULL);
	(void)munmap(data, size); /* it is all of a mapping */
	return is_well ||
	       error_set(err, EX_SOFTWARE, "what is to be taken over is of another version");
}

struct takeover *takeover_open(struct error *err)
{
	const char *number = secure_getenv(VARIABLE);
	struct takeover *takeover;
	int fd;

	err->status = EX_OK;
	if (number == NULL)
		return NULL;
	fd = (int)strtol(number, NULL, 10);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the master has one thread */
	(void)unsetenv(VARIABLE); /* its name is sound */
	takeover = calloc(1, sizeof(*takeover));
	if (takeover == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	if (!read_all(fd, takeover, err)) {
		takeover_free(takeover);
		return NULL;
	}
	(void)close(fd);                          /* was only read */
	(void)keep(&takeover->given, FD_CLOEXEC); /* they are there */
	return takeover;
}

void takeover_free(struct takeover *takeover)
{
	if (takeover == NULL)
		return;
	settings_free(takeover->settings);
	free(takeover);
}

const char *takeover_file(const struct takeover *takeover)
{
	return takeover->given.texts[GIVEN_FILE];
}

struct settings *takeover_take_settings(struct takeover *takeover)
{
	struct settings *settings = takeover->settings;

	takeover->settings = NULL;
	return settings;
}

static void take_listener(const struct given_listener *given, struct listener *listener)
{
	*listener = (struct listener){
		.fd = given->fd,
		.lock_fd = given->lock_fd,
		.is_given = given->is_given != 0,
		.former = getpid(),
		.address = given->address,
		.device = (dev_t)given->device,
		.inode = (ino_t)given->inode,
	};
}

static void take_worker(const struct given_worker *given, struct worker_process *process)
{
	*process = WORKER_PROCESS_NONE;
	process->pid = (pid_t)given->pid;
	process->orders_fd = given->orders_fd;
	process->number = given->number;
	process->socket_number = given->socket_number;
	process->started_ms = given->started_ms;
}

static void take_clients(const struct given *given, struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];
		bool is_reload = given->wait_for_reload[i] != 0;

		client->fd = given->clients[i];
		client->is_waiting = client->fd >= 0;
		client->has_begun = client->is_waiting && !is_reload;
		(void)snprintf(client->request, sizeof(client->request), "%s",
			       is_reload ? "reload" : "reexec"); /* fits */
	}
}

void takeover_take(struct takeover *takeover, struct master *master)
{
	const struct given *given = &takeover->given;

	if (!counters_adopt(given->counters_fd)) {
		log_line(SEVERITY_INFO, "the counters begin anew: this version has others");
		counters_share();
	}
	/* The settings were read anew; what waits on is told from then on. */
	counters_set_text(COUNTERS_TEXT_REEXEC, "");
	counters_set_text(COUNTERS_TEXT_RESTART, "");
	master->began_ms = given->began_ms;
	master->table_fd = given->table_fd;
	master->socket_number = given->socket_number;
	master->wants_reload = given->wants_reload != 0;
	take_listener(&given->listener, &master->listener);
	take_listener(&given->control, &master->control.listener);
	take_listener(&given->metrics, &master->metrics.listener);
	take_clients(given, &master->control);
	take_worker(&given->worker, &master->worker);
	master->retired.count = given->retired_count;
	for (size_t i = 0; i < given->retired_count; i++) {
		struct retired *one = &master->retired.list[i];

		take_worker(&given->retired[i], &one->process);
		one->due_ms = given->retired[i].due_ms;
		one->was_told = given->retired[i].was_told != 0;
	}
	master->state = WORKER_SERVING;
	master->has_served = true;
	master->due_ms = LLONG_MAX;
	master->takes_over = true;
	master->former_settings = takeover_take_settings(takeover);
	takeover_change_sockets(&(struct takeover_before){ .user = given->texts[GIVEN_USER],
							   .socket = given->texts[GIVEN_SOCKET],
							   .control = given->texts[GIVEN_CONTROL],
							   .metrics = given->texts[GIVEN_METRICS] },
				master);
}
