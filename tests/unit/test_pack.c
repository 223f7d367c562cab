/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "settings/fields.h"

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
	assert_non_null(*text);
}

/* Another value than the default in each row, whatever rows there are. */
static struct settings *make_settings(void)
{
	struct settings *settings = settings_new();

	assert_non_null(settings);
	for (size_t i = 0; settings_field(i) != NULL; i++) {
		const struct settings_field *row = settings_field(i);

		switch (row->kind) {
		case SETTINGS_WORD:
			*settings_word(row, settings) = row->initial == 0;
			break;
		case SETTINGS_TEXT:
			set_text(settings_text(row, settings), row->path);
			break;
		case SETTINGS_BOOL:
			*settings_bool(row, settings) = row->initial == 0;
			break;
		case SETTINGS_NUMBER:
			*settings_number(row, settings) = (size_t)row->initial + 1;
			break;
		case SETTINGS_LIST:
			assert_true(settings_list_add(settings_list(row, settings), row->path));
			assert_true(settings_list_add(settings_list(row, settings), ""));
			break;
		}
	}
	assert_true(settings_source_add(settings, "pcre", "/etc/patterns", "/etc/conf", 7));
	assert_true(settings_source_add(settings, "sqlite", "", "/etc/more", 8));
	assert_true(settings_source_set(&settings->sources[2], "name", "main", 9));
	assert_true(settings_source_set(&settings->sources[2], "alias_query", "SELECT 1", 10));
	settings->file = strdup("/etc/openrcpt.conf");
	return settings;
}

static struct bytes pack(const struct settings *settings, const struct settings *running,
			 struct buffer *buffer)
{
	buffer_init(buffer, SETTINGS_PACKED_MAX);
	assert_true(settings_pack(settings, running, buffer));
	return buffer_bytes(buffer);
}

static void what_is_packed_comes_back(void **state)
{
	struct settings *settings = make_settings();
	struct settings *copy;
	struct buffer buffer;
	struct error err;

	(void)state;
	settings->knows_table_owner = true;
	settings->table_owner_user = 77;
	copy = settings_unpack(pack(settings, settings, &buffer), &err);
	assert_non_null(copy);
	assert_true(copy->knows_table_owner);
	assert_int_equal(copy->table_owner_user, 77);
	for (size_t i = 0; settings_field(i) != NULL; i++)
		if (!settings_field_equal(settings_field(i), settings, copy))
			fail_msg("%s", settings_field(i)->path);
	assert_true(settings_sources_equal(settings, copy));
	assert_string_equal(copy->sources[1].file, "/etc/conf");
	assert_string_equal(copy->sources[2].file, "/etc/more");
	assert_int_equal(copy->sources[1].line, 7);
	assert_int_equal(copy->sources[2].members[1].line, 10);
	copy->sources[2].members[1].value[0] = 's';
	assert_false(settings_sources_equal(settings, copy));
	assert_string_equal(copy->file, settings->file);
	buffer_free(&buffer);
	settings_free(copy);
	settings_free(settings);
}

static void defaults_come_back_too(void **state)
{
	struct settings *settings = settings_new();
	struct settings *copy;
	struct buffer buffer;
	struct error err;

	(void)state;
	copy = settings_unpack(pack(settings, settings, &buffer), &err);
	assert_non_null(copy);
	assert_null(copy->file);
	assert_int_equal(copy->alias_domains.count, 0);
	assert_int_equal(copy->source_count, 1);
	buffer_free(&buffer);
	settings_free(copy);
	settings_free(settings);
}

static void what_needs_a_restart_stays(void **state)
{
	struct settings *settings = make_settings();
	struct settings *running = settings_new();
	struct settings *copy;
	struct buffer buffer;
	struct error err;

	(void)state;
	copy = settings_unpack(pack(settings, running, &buffer), &err);
	assert_non_null(copy);
	for (size_t i = 0; settings_field(i) != NULL; i++) {
		const struct settings_field *row = settings_field(i);
		bool is_kept = row->when == SETTINGS_RESTART || row->when == SETTINGS_REEXEC;

		assert_int_equal(settings_field_equal(row, copy, running), is_kept);
		assert_int_equal(settings_field_equal(row, copy, settings), !is_kept);
	}
	buffer_free(&buffer);
	settings_free(copy);
	settings_free(running);
	settings_free(settings);
}

/* In memory of exactly that size, so that a sanitizer sees what is read behind it. */
static void refuses(struct bytes packed)
{
	char *copy = malloc(packed.size > 0 ? packed.size : 1);
	struct error err = { .status = EX_OK };

	assert_non_null(copy);
	memcpy(copy, packed.data, packed.size);
	assert_null(settings_unpack(bytes_make(copy, packed.size), &err));
	assert_int_equal(err.status, EX_SOFTWARE);
	free(copy);
}

static void less_or_more_is_refused(void **state)
{
	struct settings *settings = make_settings();
	struct buffer buffer;
	struct bytes packed;

	(void)state;
	packed = pack(settings, settings, &buffer);
	for (size_t size = 0; size < packed.size; size++)
		refuses(bytes_first(packed, size));
	assert_true(buffer_append_byte(&buffer, 0));
	refuses(buffer_bytes(&buffer));
	buffer_free(&buffer);
	settings_free(settings);
}

/* Sizes and counts that can't be, and a NUL in a text. */
static void bytes_that_changed_do_no_harm(void **state)
{
	struct settings *settings = make_settings();
	struct buffer buffer;
	struct bytes packed;

	(void)state;
	packed = pack(settings, settings, &buffer);
	for (size_t i = 0; i < packed.size; i++) {
		char before = buffer.data[i];
		struct error err;

		buffer.data[i] = (char)(before ^ 0xff);
		settings_free(settings_unpack(packed, &err));
		buffer.data[i] = 0;
		settings_free(settings_unpack(packed, &err));
		buffer.data[i] = before;
	}
	buffer_free(&buffer);
	settings_free(settings);
}

static void too_much_fails(void **state)
{
	struct settings *settings = make_settings();
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 100);
	assert_false(settings_pack(settings, settings, &buffer));
	buffer_free(&buffer);
	settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(defaults_come_back_too),
		cmocka_unit_test(what_needs_a_restart_stays),
		cmocka_unit_test(less_or_more_is_refused),
		cmocka_unit_test(bytes_that_changed_do_no_harm),
		cmocka_unit_test(too_much_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
