/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_value - what may be in a row of a database.
 */
#include <stdio.h>
#include <sysexits.h>

#include "database/importer.h"
#include "sql/key_template.h"
#include "mail/address.h"
#include "mail/fold.h"

enum { FOLD_ARENA_BYTES = 1 << 20 };

bool importer_fail(const struct importer *importer, const struct error *err)
{
	report_error(importer->report, err->status, importer->plan->labels[importer->kind], 0, "%s",
		     err->text);
	return false;
}

bool importer_fail_memory(const struct importer *importer)
{
	struct error err;

	error_fill_memory(&err);
	return importer_fail(importer, &err);
}

bool importer_join(const struct importer *importer)
{
	return row_store_join(&importer->stores[importer->kind]) || importer_fail_memory(importer);
}

uint32_t importer_number(const struct database_value *value)
{
	enum { DIGITS_MAX = 9 };
	uint32_t number = 0;

	if (value->is_null || value->text.size > DIGITS_MAX)
		return 0;
	for (size_t i = 0; i < value->text.size; i++) {
		if (value->text.data[i] < '0' || value->text.data[i] > '9')
			return 0;
		number = number * 10 + (uint32_t)(value->text.data[i] - '0');
	}
	return number;
}

/* TEXT so that it can be shown, as far as it fits. */
static void show(struct bytes text, char out[IMPORT_EXAMPLE_BYTES])
{
	struct buffer shown;

	buffer_init(&shown, IMPORT_EXAMPLE_BYTES - 1);
	(void)address_escape(bytes_first(text, 60), true, &shown); /* or nothing is shown */
	(void)snprintf(out, IMPORT_EXAMPLE_BYTES, BYTES_FORMAT,
		       BYTES_ARGS(buffer_bytes(&shown))); /* fits */
	buffer_free(&shown);
}

static void complain(const struct importer *importer, struct bytes key, const char *what)
{
	importer->report->subject = key;
	report_error(importer->report, EX_DATAERR, importer->plan->labels[importer->kind],
		     importer->number, "%s", what);
	importer->report->subject = bytes_make(NULL, 0);
}

/* Postfix asks in lower case, and without blanks: such a row answers nobody there, unless the
 * database sees no difference. */
static void count_odd(struct importer *importer, const struct database_value *written,
		      struct bytes key)
{
	bool is_odd = written->ignores_case ? byte_is_white(written->text.data[0])
					    : written->text.size != key.size;

	for (size_t i = 0; i < key.size && !is_odd && !written->ignores_case; i++)
		is_odd = key.data[i] >= 'A' && key.data[i] <= 'Z';
	if (is_odd && importer->odd_keys++ == 0)
		show(key, importer->odd_example);
}

/* Printable ASCII, as nearly all values are: nothing has to be done to it. */
static bool is_simple(struct bytes text)
{
	unsigned char odd = 0;

	for (size_t i = 0; i < text.size; i++)
		odd |= (unsigned char)text.data[i] - 0x20u > 0x5eu;
	return odd == 0;
}

enum import_outcome importer_fold_key(struct importer *importer)
{
	struct bytes key = buffer_bytes(&importer->key), folded;
	enum import_outcome outcome = IMPORT_ROW;
	struct arena arena;

	arena_init(&arena, FOLD_ARENA_BYTES);
	switch (fold_local(key, &arena, &folded)) {
	case FOLD_INVALID:
		outcome = IMPORT_NONE;
		break;
	case FOLD_NO_MEMORY:
		outcome = IMPORT_FAILED;
		break;
	case FOLD_OK:
		if (folded.data == key.data)
			break;
		buffer_clear(&importer->key);
		outcome = buffer_append(&importer->key, folded) ? IMPORT_ROW : IMPORT_FAILED;
		break;
	}
	arena_free(&arena);
	if (outcome == IMPORT_FAILED)
		(void)importer_fail_memory(importer);
	return outcome;
}

enum import_outcome importer_take_key(struct importer *importer, const struct database_value *key)
{
	struct bytes text = bytes_trim(key->text);

	buffer_clear(&importer->key);
	if (key->is_null)
		return IMPORT_NONE;
	if (text.size == 0) {
		if (importer->empty_values++ == 0)
			show(text, importer->empty_example);
		return IMPORT_NONE;
	}
	if (!fold_accepts(text)) {
		complain(importer, text, "the key has a control character, or is not valid UTF-8");
		return IMPORT_NONE;
	}
	count_odd(importer, key, text);
	if (!buffer_append(&importer->key, text)) {
		(void)importer_fail_memory(importer);
		return IMPORT_FAILED;
	}
	/* One question of Postfix finds all of these rows: their values belong together. */
	if (key->ignores_case && importer->plan->is_template &&
	    importer_fold_key(importer) == IMPORT_FAILED)
		return IMPORT_FAILED;
	return IMPORT_ROW;
}

/* Where lines end there is a blank for an alias. */
static bool put_clean(struct buffer *out, struct bytes text)
{
	char *copy = buffer_extend(out, text.size);

	if (copy == NULL)
		return text.size == 0;
	for (size_t i = 0; i < text.size; i++)
		copy[i] = byte_is_white(text.data[i]) ? ' ' : text.data[i];
	return true;
}

static enum import_outcome put_simple(struct importer *importer, struct bytes text)
{
	if (importer->value.size > 0)
		(void)buffer_append_byte(&importer->value, ','); /* checked below */
	(void)buffer_append(&importer->value, text);             /* likewise */
	if (!importer->value.has_failed)
		return IMPORT_ROW;
	(void)importer_fail_memory(importer);
	return IMPORT_FAILED;
}

enum import_outcome importer_take_value(struct importer *importer,
					const struct database_value *value, struct bytes format)
{
	struct bytes key = buffer_bytes(&importer->key);
	size_t before = importer->value.size;
	struct bytes text;
	enum template_outcome outcome;

	if (value->is_null)
		return IMPORT_NONE;
	if (value->text.size == 0) {
		if (importer->empty_values++ == 0)
			show(key, importer->empty_example);
		return IMPORT_NONE;
	}
	if (is_simple(value->text) && bytes_equal(format, bytes_of("%s")))
		return put_simple(importer, value->text);
	buffer_clear(&importer->text);
	if (!put_clean(&importer->text, value->text)) {
		(void)importer_fail_memory(importer);
		return IMPORT_FAILED;
	}
	text = buffer_bytes(&importer->text);
	if (!fold_accepts(text)) {
		complain(importer, key, "the value has a control character, or is not valid UTF-8");
		return IMPORT_NONE;
	}
	if (importer->value.size > 0)
		(void)buffer_append_byte(&importer->value, ','); /* checked below */
	if (bytes_equal(format, bytes_of("%s")))
		outcome = buffer_append(&importer->value, text) ? TEMPLATE_FILLED : TEMPLATE_FAILED;
	else
		outcome = key_template_result(format, key, text, &importer->value);
	if (outcome == TEMPLATE_FAILED || importer->value.has_failed) {
		(void)importer_fail_memory(importer);
		return IMPORT_FAILED;
	}
	if (outcome == TEMPLATE_FILLED)
		return IMPORT_ROW;
	importer->value.size = before; /* without what was begun */
	return IMPORT_NONE;
}

/* One sentence for all of them: who has one such row has a thousand. */
void importer_warn(struct importer *importer)
{
	const char *label = importer->plan->labels[importer->kind];

	if (importer->odd_keys > 0)
		report_warning(
			importer->report, WARNING_CASE, label, 0,
			"%zu %s capital letters, or blanks, as %s: found here, though Postfix "
			"may never find %s",
			importer->odd_keys, importer->odd_keys == 1 ? "key has" : "keys have",
			importer->odd_example, importer->odd_keys == 1 ? "it" : "them");
	if (importer->empty_values > 0)
		report_warning(importer->report, WARNING_EMPTY_VALUE, label, 0,
			       "%zu empty %s passed over, as of \"%s\"", importer->empty_values,
			       importer->empty_values == 1 ? "value was" : "values were",
			       importer->empty_example);
	importer->odd_keys = 0;
	importer->empty_values = 0;
}
