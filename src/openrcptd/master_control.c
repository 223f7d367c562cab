/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master_control.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "mail/characters.h"
#include "message/counters.h"
#include "service/log.h"

enum {
	ANSWER_BYTES = 16384,
	RELOAD_FAILED = 1, /* exit status of rcptctl */
};

static const char *const state_names[WORKER_STATES] = {
	[WORKER_ABSENT] = "no worker",      [WORKER_STARTING] = "starting",
	[WORKER_SERVING] = "serving",       [WORKER_RELOADING] = "reloading",
	[WORKER_RENEWING] = "handing over", [WORKER_REPLACING] = "replacing",
	[WORKER_STOPPING] = "stopping",     [WORKER_ENDED] = "stopping",
};

void master_control_open(struct master *master)
{
	char path[PATH_MAX];
	struct error err;
	int length = master->settings->control_socket[0] != '\0'
			     ? snprintf(path, sizeof(path), "%s", master->settings->control_socket)
			     : snprintf(path, sizeof(path), "%s/control.sock",
					master->settings->runtime_directory);

	if (length < 0 || (size_t)length >= sizeof(path))
		error_fill(&err, EX_CONFIG, "path too long");
	else if (control_open(&master->control, path, master->listener.former, &err))
		return;
	log_line(SEVERITY_WARNING, "rcptctl can't reach this daemon: %s", err.text);
}

/* ---- answers ------------------------------------------------------------------------------ */

/* What has no room or no memory shows in the end that is missing. */
static void put_number(struct buffer *out, const char *name, uint64_t value)
{
	(void)buffer_append_format(out, "%s\t%llu\n", name, (unsigned long long)value);
}

/* VALUE may quote the configuration: a line break in it would begin a value of another name. */
static void put_text(struct buffer *out, const char *name, const char *value)
{
	struct bytes rest = bytes_of(value);

	(void)buffer_append_format(out, "%s\t", name);
	while (rest.size > 0) {
		size_t size = character_shown_size(rest);

		(void)buffer_append(out, size > 0 ? bytes_first(rest, size) : bytes_of("?"));
		rest = bytes_skip(rest, size > 0 ? size : 1);
	}
	(void)buffer_append_byte(out, '\n');
}

static void answer(struct control_client *client, struct buffer *text, int status, int descriptor)
{
	put_number(text, "end", (uint64_t)status);
	control_answer(client, buffer_bytes(text), descriptor);
}

static void answer_reason(struct control_client *client, int status, const char *reason)
{
	struct buffer text;

	buffer_init(&text, ANSWER_BYTES);
	put_text(&text, "reason", reason);
	answer(client, &text, status, -1);
	buffer_free(&text);
}

static void put_table(struct buffer *out, uint64_t now)
{
	uint64_t created = counter_get(COUNTER_TABLE_CREATED);

	if (created == 0)
		return;
	put_number(out, "table_generation", counter_get(COUNTER_TABLE_GENERATION));
	put_number(out, "table_entries", counter_get(COUNTER_TABLE_ENTRIES));
	put_number(out, "table_domains", counter_get(COUNTER_TABLE_DOMAINS));
	put_number(out, "table_bytes", counter_get(COUNTER_TABLE_BYTES));
	put_number(out, "table_created", created);
	put_number(out, "table_age_seconds", now > created ? now - created : 0);
	put_number(out, "table_loaded", counter_get(COUNTER_TABLE_LOADED));
	put_number(out, "table_is_copy", counter_get(COUNTER_TABLE_IS_COPY));
}

static void put_failure(struct buffer *out)
{
	char reason[COUNTERS_TEXT_MAX];
	uint64_t when = counter_get(COUNTER_LAST_FAILURE);

	if (when == 0)
		return;
	counters_get_text(COUNTERS_TEXT_FAILURE, reason);
	put_number(out, "last_failure", when);
	put_number(out, "last_failure_counts", counter_get(COUNTER_LAST_LOAD_FAILED));
	put_text(out, "last_failure_reason", reason);
}

/* Settings of the file that aren't in force. */
static void put_waiting(struct buffer *out)
{
	char names[COUNTERS_TEXT_MAX];

	counters_get_text(COUNTERS_TEXT_REEXEC, names);
	if (names[0] != '\0')
		put_text(out, "needs_reexec", names);
	counters_get_text(COUNTERS_TEXT_RESTART, names);
	if (names[0] != '\0')
		put_text(out, "needs_restart", names);
}

static void put_recent(struct buffer *out, const struct recent *recent)
{
	const struct recent_counts now = recent_counters(clock_seconds());
	const struct recent_counts since = recent_since(recent, &now);

	put_number(out, "recent_seconds", (uint64_t)since.at);
	put_number(out, "recent_recipients", since.recipients);
	put_number(out, "recent_deferred", since.deferred);
	put_number(out, "recent_messages", since.messages);
	put_number(out, "recent_messages_deferred", since.messages_deferred);
}

/* No process goes on without the first two; see sandbox_prove(). */
static void put_sandbox(struct buffer *out, const struct master *master)
{
	bool is_wanted = master->settings->sandbox == SETTINGS_SANDBOX_ENFORCE;

	put_text(out, "no_new_privileges", "on");
	put_text(out, "capabilities", "none");
	put_text(out, "landlock", sandbox_landlock_words(master->sandbox.landlock_abi, is_wanted));
	put_text(out, "seccomp", sandbox_seccomp_words(master->sandbox.has_seccomp, is_wanted));
	put_text(out, "worker_landlock",
		 sandbox_landlock_words((int)counter_get(COUNTER_SANDBOX_LANDLOCK_ABI), is_wanted));
	put_text(out, "worker_seccomp",
		 sandbox_seccomp_words(counter_get(COUNTER_SANDBOX_SECCOMP) != 0, is_wanted));
}

static void put_status(struct buffer *out, const struct master *master)
{
	char address[ENDPOINT_PATH_MAX + 64];

	put_text(out, "version", OPENRCPT_VERSION);
	put_text(out, "state", state_names[master->state]);
	put_number(out, "pid", (uint64_t)getpid());
	put_number(out, "worker_pid", (uint64_t)master->worker.pid);
	put_number(out, "retired_workers", master->retired.count);
	put_number(out, "uptime_seconds",
		   (uint64_t)(clock_milliseconds() - master->began_ms) / 1000);
	put_number(out, "worker_restarts", counter_get(COUNTER_WORKER_RESTARTS));
	put_text(out, "socket", master->settings->socket);
	if (master->listener.is_given &&
	    endpoint_address_print(&master->listener.address, address, sizeof(address)))
		put_text(out, "socket_address", address);
	put_number(out, "sessions", counter_get(COUNTER_SESSIONS));
	put_number(out, "max_sessions", counter_get(COUNTER_MAX_SESSIONS));
	put_recent(out, &master->recent);
	put_sandbox(out, master);
	put_table(out, (uint64_t)time(NULL));
	put_failure(out);
	put_waiting(out);
}

static void put_stats(struct buffer *out)
{
	for (int i = 0; i < COUNTERS; i++) {
		const struct counter_name *name = counter_name((enum counter)i);

		(void)buffer_append_format(out, "%s%s%s\t%llu\n", name->family,
					   name->value[0] == '\0' ? "" : "_", name->value,
					   (unsigned long long)counter_get((enum counter)i));
	}
}

static void wait_for_outcome(struct control_client *client)
{
	client->is_waiting = true;
	client->has_begun = false;
}

static void answer_table(const struct master *master, struct control_client *client)
{
	struct buffer text;

	if (master->table_fd < 0) {
		answer_reason(client, EX_TEMPFAIL, "there is no table yet");
		return;
	}
	buffer_init(&text, ANSWER_BYTES);
	answer(client, &text, EX_OK, master->table_fd);
	buffer_free(&text);
}

static void obey(struct master *master, struct control_client *client)
{
	struct buffer text;

	buffer_init(&text, ANSWER_BYTES);
	if (strcmp(client->request, "reload") == 0) {
		wait_for_outcome(client);
		master->wants_reload = true;
	} else if (strcmp(client->request, "reexec") == 0) {
		wait_for_outcome(client);
		master->reexec.is_wanted = true;
	} else if (strcmp(client->request, "table") == 0) {
		answer_table(master, client);
	} else if (strcmp(client->request, "status") == 0) {
		put_status(&text, master);
		answer(client, &text, EX_OK, master->table_fd);
	} else if (strcmp(client->request, "stats") == 0) {
		put_stats(&text);
		answer(client, &text, EX_OK, -1);
	} else {
		answer_reason(client, EX_USAGE, "this daemon has no such request");
	}
	buffer_free(&text);
}

void master_control_serve(struct master *master)
{
	struct control_client *client;

	while ((client = control_next(&master->control, clock_milliseconds())) != NULL)
		obey(master, client);
}

bool master_control_waits_for(const struct control_client *client, const char *request)
{
	return client->fd >= 0 && client->is_waiting && strcmp(client->request, request) == 0;
}

void master_control_answer_waiting(struct master *master, const char *request, const char *reason)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &master->control.clients[i];
		struct buffer text;

		if (!client->has_begun || !master_control_waits_for(client, request))
			continue;
		buffer_init(&text, ANSWER_BYTES);
		if (reason != NULL)
			put_text(&text, "reason", reason);
		put_number(&text, "table_generation", counter_get(COUNTER_TABLE_GENERATION));
		put_waiting(&text);
		answer(client, &text, reason == NULL ? EX_OK : RELOAD_FAILED, -1);
		buffer_free(&text);
	}
}

void master_control_begins(struct master *master, const char *request)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (master_control_waits_for(&master->control.clients[i], request))
			master->control.clients[i].has_begun = true;
}

/* ---- reloads ------------------------------------------------------------------------------ */

void master_control_put_off(struct master *master)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (master_control_waits_for(&master->control.clients[i], "reload"))
			master->control.clients[i].has_begun = false;
}

void master_control_ends(struct master *master, bool is_done)
{
	char reason[COUNTERS_TEXT_MAX] = "the log says why";

	counter_add(is_done ? COUNTER_RELOADS_OK : COUNTER_RELOADS_FAILED, 1);
	if (counter_get(COUNTER_LOADS_FAILED) != master->failures)
		counters_get_text(COUNTERS_TEXT_FAILURE, reason);
	master_control_answer_waiting(master, "reload", is_done ? NULL : reason);
}
