/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static struct error err;

/* A path of SIZE bytes behind `unix:`. */
static const char *long_path(char *out_text, size_t room, int size)
{
	(void)snprintf(out_text, room, "unix:/%0*d", size - 1, 0);
	return out_text;
}

/* ---- parsing ------------------------------------------------------------------------------ */

static struct endpoint parsed(const char *text)
{
	struct endpoint endpoint;

	if (!endpoint_parse(text, &endpoint, &err))
		fail_msg("refused: %s", err.text);
	return endpoint;
}

static void refuses(const char *text, const char *words)
{
	struct endpoint endpoint = { .port = 12345 };
	char expected[300];

	(void)snprintf(expected, sizeof(expected), "\"%s\" %s", text, words);
	assert_false(endpoint_parse(text, &endpoint, &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_string_equal(err.text, expected);
	assert_int_equal(endpoint.port, 12345);
}

static void a_path_is_parsed(void **state)
{
	struct endpoint endpoint = parsed("unix:/run/a b@c:1");

	(void)state;
	assert_int_equal(endpoint.kind, ENDPOINT_UNIX);
	assert_string_equal(endpoint.path, "/run/a b@c:1");
	assert_null(endpoint.host);
	assert_int_equal(endpoint.fd, -1);
}

static void a_port_at_a_host_is_parsed(void **state)
{
	struct endpoint endpoint = parsed("inet:8894@127.0.0.1");

	(void)state;
	assert_int_equal(endpoint.kind, ENDPOINT_INET);
	assert_string_equal(endpoint.host, "127.0.0.1");
	assert_int_equal(endpoint.port, 8894);
	assert_null(endpoint.path);
	assert_int_equal(endpoint.fd, -1);
	endpoint = parsed("inet6:65535@::1");
	assert_int_equal(endpoint.kind, ENDPOINT_INET6);
	assert_string_equal(endpoint.host, "::1");
	assert_int_equal(endpoint.port, 65535);
	assert_int_equal(parsed("inet:1@h").port, 1);
	assert_int_equal(parsed("inet:0000008894@h").port, 8894);
}

static void a_descriptor_is_parsed(void **state)
{
	struct endpoint endpoint = parsed("fd:3");

	(void)state;
	assert_int_equal(endpoint.kind, ENDPOINT_FD);
	assert_int_equal(endpoint.fd, 3);
	assert_null(endpoint.path);
	assert_null(endpoint.host);
	assert_int_equal(parsed("fd:2147483647").fd, INT32_MAX);
	assert_null(endpoint.name);
	endpoint = parsed("fd:openrcptd-milter.socket_1");
	assert_int_equal(endpoint.kind, ENDPOINT_FD);
	assert_int_equal(endpoint.fd, -1);
	assert_string_equal(endpoint.name, "openrcptd-milter.socket_1");
}

static void what_is_printed_is_parsed_again(void **state)
{
	static const char *const texts[] = { "unix:/run/openrcpt/milter.sock",
					     "unix:/",
					     "inet:8894@127.0.0.1",
					     "inet:1@host.example",
					     "inet6:65535@::1",
					     "fd:milter",
					     "fd:3" };
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct endpoint endpoint = parsed(texts[i]);

		assert_true(endpoint_print(&endpoint, text, sizeof(text)));
		assert_string_equal(text, texts[i]);
		assert_true(endpoint_print(&endpoint, text, strlen(texts[i]) + 1));
		assert_false(endpoint_print(&endpoint, text, strlen(texts[i])));
	}
}

static void other_words_are_refused(void **state)
{
	static const char *const texts[] = { "",          "8894",     "/run/x",        "unix",
					     "Unix:/x",   " unix:/x", "local:/x",      "tcp:1@h",
					     "inet4:1@h", "inet",     "carrier:pigeon" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i], "is none of unix:PATH, inet:PORT@HOST, inet6:PORT@HOST");
}

static void bad_ports_are_refused(void **state)
{
	static const char *const texts[] = {
		"inet:@h",
		"inet:0@h",
		"inet:00@h",
		"inet:65536@h",
		"inet:99999999999999999999@h",
		"inet:x@h",
		"inet:12x@h",
		"inet: 12@h",
		"inet:12 @h",
		"inet:+12@h",
		"inet:-12@h",
		"inet:0x12@h",
		"inet:4294967297@h",
		"inet6:0@::1",
		"inet6:@::1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i], "has no port from 1 to 65535");
}

/* libmilter would listen on all addresses. */
static void a_missing_host_is_refused(void **state)
{
	static const char *const texts[] = { "inet:8894",   "inet:8894@", "inet6:8894",
					     "inet6:8894@", "inet:",      "inet:127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i], "names no host, as in inet:8894@127.0.0.1");
}

static void bad_paths_are_refused(void **state)
{
	char text[200];

	(void)state;
	refuses("unix:", "is not an absolute path");
	refuses("unix:run/x", "is not an absolute path");
	refuses("unix:./x", "is not an absolute path");
	refuses("unix:@abstract", "is not an absolute path");
	assert_int_equal(strlen(parsed(long_path(text, sizeof(text), 106)).path), 106);
	refuses(long_path(text, sizeof(text), 107), "is longer than the 106 bytes of a socket");
}

static void bad_descriptors_are_refused(void **state)
{
	static const char *const texts[] = { "fd:",    "fd:0",  "fd:2",          "fd:-1",
					     "fd:x:y", "fd:3 ", "fd:2147483648", "fd:a b" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i], "has neither a descriptor from 3 on nor a name");
}

/* ---- judging ------------------------------------------------------------------------------ */

static enum endpoint_reach reach(const char *text)
{
	struct endpoint endpoint = parsed(text);

	return endpoint_reach(&endpoint);
}

static void loopback_is_this_host(void **state)
{
	static const char *const texts[] = { "unix:/run/x",      "inet:1@127.0.0.1",
					     "inet:1@127.0.0.0", "inet:1@127.255.255.255",
					     "inet:1@localhost", "inet:1@LocalHost",
					     "inet6:1@::1",      "inet6:1@0:0:0:0:0:0:0:1",
					     "inet6:1@localhost" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (reach(texts[i]) != ENDPOINT_THIS_HOST)
			fail_msg("%s", texts[i]);
}

static void other_addresses_are_not(void **state)
{
	static const char *const texts[] = { "inet:1@126.255.255.255",
					     "inet:1@128.0.0.0",
					     "inet:1@192.0.2.1",
					     "inet:1@0.0.0.1",
					     "inet6:1@::2",
					     "inet6:1@fe80::1",
					     "inet6:1@2001:db8::1",
					     "inet6:1@::ffff:127.0.0.1",
					     "inet6:1@::127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (reach(texts[i]) != ENDPOINT_OTHER_HOSTS)
			fail_msg("%s", texts[i]);
}

static void a_wildcard_is_every_address(void **state)
{
	(void)state;
	assert_int_equal(reach("inet:1@0.0.0.0"), ENDPOINT_EVERY_ADDRESS);
	assert_int_equal(reach("inet6:1@::"), ENDPOINT_EVERY_ADDRESS);
	assert_int_equal(reach("inet6:1@0::0"), ENDPOINT_EVERY_ADDRESS);
}

/* Addresses of the other family, in other spellings or with a scope are names, too. */
static void what_has_to_be_looked_up_can_not_be_told(void **state)
{
	static const char *const texts[] = { "inet:1@host.example",
					     "inet:1@localhost.",
					     "inet:1@localhost.evil.test",
					     "inet:1@127.1",
					     "inet:1@2130706433",
					     "inet:1@127.0.0.1.evil.test",
					     "inet:1@ 127.0.0.1",
					     "inet:1@::1",
					     "inet:1@*",
					     "inet6:1@127.0.0.1",
					     "inet6:1@::1%lo",
					     "inet6:1@[::1]",
					     "fd:3" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (reach(texts[i]) != ENDPOINT_CANT_TELL)
			fail_msg("%s", texts[i]);
}

/* ---- addresses: no name that needs a server ------------------------------------------------ */

static struct endpoint_address resolved(const char *text)
{
	struct endpoint endpoint = parsed(text);
	struct endpoint_address address;

	if (!endpoint_resolve(&endpoint, &address, &err))
		fail_msg("%s: %s", text, err.text);
	return address;
}

static void a_path_has_an_address(void **state)
{
	char text[200];
	struct endpoint_address address = resolved(long_path(text, sizeof(text), 106));

	(void)state;
	assert_int_equal(address.size, sizeof(struct sockaddr_un));
	assert_int_equal(address.socket.local.sun_family, AF_UNIX);
	assert_string_equal(address.socket.local.sun_path, text + 5);
	assert_int_equal(endpoint_address_reach(&address), ENDPOINT_THIS_HOST);
}

static void a_port_has_an_address(void **state)
{
	struct endpoint_address address = resolved("inet:8894@127.0.0.1");

	(void)state;
	assert_int_equal(address.size, sizeof(struct sockaddr_in));
	assert_int_equal(address.socket.four.sin_family, AF_INET);
	assert_int_equal(ntohs(address.socket.four.sin_port), 8894);
	assert_int_equal(ntohl(address.socket.four.sin_addr.s_addr), INADDR_LOOPBACK);
	address = resolved("inet6:65535@::1");
	assert_int_equal(address.size, sizeof(struct sockaddr_in6));
	assert_int_equal(address.socket.six.sin6_family, AF_INET6);
	assert_int_equal(ntohs(address.socket.six.sin6_port), 65535);
	assert_true(IN6_IS_ADDR_LOOPBACK(&address.socket.six.sin6_addr));
}

/* Whatever its spelling was. */
static void an_address_is_judged_as_its_text_is(void **state)
{
	static const struct {
		const char *text;
		enum endpoint_reach reach;
	} cases[] = {
		{ "inet:1@127.255.255.255", ENDPOINT_THIS_HOST },
		{ "inet:1@127.1", ENDPOINT_THIS_HOST },
		{ "inet6:1@::1", ENDPOINT_THIS_HOST },
		{ "inet:1@192.0.2.1", ENDPOINT_OTHER_HOSTS },
		{ "inet6:1@::2", ENDPOINT_OTHER_HOSTS },
		{ "inet:1@0", ENDPOINT_EVERY_ADDRESS },
		{ "inet:1@0.0.0.0", ENDPOINT_EVERY_ADDRESS },
		{ "inet6:1@::", ENDPOINT_EVERY_ADDRESS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint_address address = resolved(cases[i].text);

		if (endpoint_address_reach(&address) != cases[i].reach)
			fail_msg("%s", cases[i].text);
	}
}

static void what_has_no_address_is_an_error(void **state)
{
	static const char *const texts[] = { "fd:3", "inet:1@::1", "inet6:1@127.0.0.1" };
	struct endpoint_address address = { .size = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct endpoint endpoint = parsed(texts[i]);

		if (endpoint_resolve(&endpoint, &address, &err))
			fail_msg("%s", texts[i]);
		assert_int_equal(err.status, EX_CONFIG);
		assert_int_equal(address.size, 7);
	}
	address = (struct endpoint_address){ .size = 0 };
	assert_int_equal(endpoint_address_reach(&address), ENDPOINT_CANT_TELL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_parsed),
		cmocka_unit_test(a_port_at_a_host_is_parsed),
		cmocka_unit_test(a_descriptor_is_parsed),
		cmocka_unit_test(what_is_printed_is_parsed_again),
		cmocka_unit_test(other_words_are_refused),
		cmocka_unit_test(bad_ports_are_refused),
		cmocka_unit_test(a_missing_host_is_refused),
		cmocka_unit_test(bad_paths_are_refused),
		cmocka_unit_test(bad_descriptors_are_refused),
		cmocka_unit_test(loopback_is_this_host),
		cmocka_unit_test(other_addresses_are_not),
		cmocka_unit_test(a_wildcard_is_every_address),
		cmocka_unit_test(what_has_to_be_looked_up_can_not_be_told),
		cmocka_unit_test(a_path_has_an_address),
		cmocka_unit_test(a_port_has_an_address),
		cmocka_unit_test(an_address_is_judged_as_its_text_is),
		cmocka_unit_test(what_has_no_address_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
