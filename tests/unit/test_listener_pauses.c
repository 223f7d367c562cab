/* SPDX-License-Identifier: BSD-2-Clause */
/* How soon another listener follows one that has ended. */
#include "follow/listeners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/clock.h"

static char type[] = "postgresql";
static char no_path[] = "";
static struct settings_source source = { .type = type, .path = no_path };
static const struct settings settings = { .sources = &source, .source_count = 1 };
static struct listeners listeners;

static int ends_at_once(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	(void)index;
	(void)mirror;
	(void)context;
	return scout_tell(fd, SCOUT_BACK, NULL) ? EX_SOFTWARE : EX_OSERR;
}

static void name(const struct settings_source *one, char *out_name, size_t size)
{
	(void)snprintf(out_name, size, "%s:main", one->type);
}

static void schema(const struct settings_source *one, char *out_path, size_t size)
{
	(void)one;
	(void)size;
	out_path[0] = '\0';
}

static int begin(void **state)
{
	(void)state;
	listeners = (struct listeners){ .listen = ends_at_once, .name = name, .schema = schema };
	listeners_set(&listeners, &settings);
	return listeners.count == 1 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	listeners_close(&listeners);
	return 0;
}

/* How long it takes until the next one, once this one has ended. */
static int64_t pause_ms(void)
{
	const struct followed *followed = &listeners.items[0];
	int64_t began_ms = clock_milliseconds();
	bool is_back = false;

	while (followed->again_ms == 0) {
		is_back |= (listeners_hear(&listeners, &settings, false) & LISTENERS_CHANGED) != 0;
		began_ms = is_back ? began_ms : clock_milliseconds();
		(void)poll(NULL, 0, 1);
	}
	assert_true(is_back);
	return followed->again_ms - began_ms;
}

static void start_now(void)
{
	listeners.items[0].again_ms = 1;
	(void)listeners_hear(&listeners, &settings, false);
	assert_true(listeners.items[0].again_ms != 1);
}

/* Each of them is back for a moment. */
static void it_takes_longer_each_time(void **state)
{
	int64_t expected_ms = 1000;

	(void)state;
	for (int i = 0; i < 7; i++) {
		assert_true(pause_ms() >= expected_ms);
		start_now();
		expected_ms = expected_ms * 2 < 30000 ? expected_ms * 2 : 30000;
	}
	assert_int_equal(listeners.items[0].pause_ms, 30000);
}

static void one_that_has_lasted_is_followed_soon(void **state)
{
	(void)state;
	assert_true(pause_ms() >= 1000);
	start_now();
	assert_true(pause_ms() >= 2000);
	start_now();
	listeners.items[0].began_ms -= 60000;
	(void)pause_ms();
	assert_int_equal(listeners.items[0].pause_ms, 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_takes_longer_each_time),
		TEST(one_that_has_lasted_is_followed_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
