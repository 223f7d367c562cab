/* SPDX-License-Identifier: BSD-2-Clause */
#include "metrics/server.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

#if OPENRCPT_METRICS

#include <microhttpd.h>

#include "base/buffer.h"
#include "metrics/page.h"

enum {
	PAGE_BYTES = 65536,
	CONNECTIONS = 8,
	CONNECTION_SECONDS = 5,
	CONNECTION_BYTES = 16384, /* of a request */
};

static uint64_t began;

bool metrics_server_exists(void)
{
	return true;
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status,
			       const struct buffer *text, const char *type)
{
	/* The library only reads what it is to copy. */
	struct MHD_Response *response =
		MHD_create_response_from_buffer(text->size, text->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type); /* or none */
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result respond_with(struct MHD_Connection *connection, unsigned status,
				    const char *words)
{
	enum MHD_Result result;
	struct buffer text;

	buffer_init(&text, PAGE_BYTES);
	result = buffer_append_text(&text, words)
			 ? respond(connection, status, &text, "text/plain; charset=utf-8")
			 : MHD_NO;
	buffer_free(&text);
	return result;
}

static enum MHD_Result respond_with_page(struct MHD_Connection *connection)
{
	enum MHD_Result result = MHD_NO;
	struct buffer page;

	buffer_init(&page, PAGE_BYTES);
	metrics_page_print(began, (uint64_t)time(NULL), &page);
	if (!page.has_failed)
		result = respond(connection, MHD_HTTP_OK, &page,
				 "text/plain; version=0.0.4; charset=utf-8");
	buffer_free(&page);
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	(void)context;
	(void)version;
	(void)upload;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		*upload_size = 0;
		return respond_with(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	}
	if (strcmp(url, "/metrics") != 0)
		return respond_with(connection, MHD_HTTP_NOT_FOUND, "see /metrics\n");
	return respond_with_page(connection);
}

bool metrics_server_start(int listen_fd, struct error *err)
{
	struct MHD_Daemon *server;

	began = (uint64_t)time(NULL);
	server = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, on_request, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
	return server != NULL || error_set(err, EX_UNAVAILABLE, "metrics: no server");
}

#else

bool metrics_server_exists(void)
{
	return false;
}

bool metrics_server_start(int listen_fd, struct error *err)
{
	(void)listen_fd;
	return error_set(err, EX_UNAVAILABLE, "metrics: this program was built without");
}

#endif
