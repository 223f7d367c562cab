/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of Postfix's parameters: words, braces, and what a line to change has to look like. */
#include "postfix/postfix_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROOM = 1000 };

static void assert_text(struct buffer *text, const char *expected)
{
	assert_false(text->has_failed);
	assert_true(bytes_equal(buffer_bytes(text), bytes_of(expected)));
	buffer_clear(text);
}

static void braces_hold_a_word_together(void **state)
{
	struct bytes list = bytes_of(" a,, { b, {c d} } e:{f g}\t");
	struct bytes word;

	(void)state;
	assert_true(postfix_next_word(&list, &word));
	assert_true(bytes_equal(word, bytes_of("a")));
	assert_true(postfix_next_word(&list, &word));
	assert_true(bytes_equal(word, bytes_of("{ b, {c d} }")));
	assert_true(bytes_equal(postfix_unbrace(word), bytes_of("b, {c d}")));
	assert_true(postfix_next_word(&list, &word));
	assert_true(bytes_equal(word, bytes_of("e:{f g}")));
	assert_false(postfix_next_word(&list, &word));
}

static void a_map_is_no_host_and_no_path(void **state)
{
	(void)state;
	assert_true(postfix_is_map(bytes_of("hash:/x")));
	assert_false(postfix_is_map(bytes_of("/x:y")));
	assert_false(postfix_is_map(bytes_of("[::1]")));
	assert_false(postfix_is_map(bytes_of("example.com")));
	assert_false(postfix_is_map(bytes_of("")));
}

static void a_word_goes_and_the_others_stay(void **state)
{
	struct buffer text;

	(void)state;
	buffer_init(&text, ROOM);
	postfix_list_without(&text, bytes_of("a.example $b, A.EXAMPLE  {c d}"),
			     bytes_of("a.example"));
	assert_text(&text, "$b, {c d}");
	postfix_list_without(&text, bytes_of("x"), bytes_of("x"));
	assert_text(&text, "");
	assert_true(postfix_has_word(bytes_of("bounce, notify"), "Notify"));
	assert_false(postfix_has_word(bytes_of("bounces"), "bounce"));
	buffer_free(&text);
}

static void dense_has_no_blank_and_means_the_same(void **state)
{
	struct buffer text;

	(void)state;
	buffer_init(&text, ROOM);
	postfix_append_dense(&text, bytes_of("inet:a:1, { unix:b, c = d , e=f }"));
	assert_text(&text, "inet:a:1,{unix:b,c=d,e=f}");
	postfix_append_dense(&text, bytes_of("check x:{ { a = b }, { c = d } }, reject"));
	assert_text(&text, "check,x:{{a=b},{c=d}},reject");
	postfix_append_dense(&text, bytes_of(""));
	assert_text(&text, "");
	buffer_free(&text);
}

static void quotes_are_quoted(void **state)
{
	struct buffer text;

	(void)state;
	buffer_init(&text, ROOM);
	postfix_append_quoted(&text, bytes_of("a'b $c"));
	assert_text(&text, "'a'\\''b $c'");
	buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(braces_hold_a_word_together),
		cmocka_unit_test(a_map_is_no_host_and_no_path),
		cmocka_unit_test(a_word_goes_and_the_others_stay),
		cmocka_unit_test(dense_has_no_blank_and_means_the_same),
		cmocka_unit_test(quotes_are_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
