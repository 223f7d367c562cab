/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/filter_shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "directory/search_base.h"

static const char *const parts[] = {
	[FILTER_KEY] = "key",
	[FILTER_ADDRESS] = "address",
	[FILTER_DOMAIN] = "domain",
	[FILTER_USER] = "user",
};

/* All branches in one line each: `filter key:attribute…`. */
static void gives(const char *filter, const char *expected)
{
	struct arena arena;
	struct buffer text;
	struct filter_shape shape;
	const char *why = "";

	arena_init(&arena, 1 << 24);
	buffer_init(&text, 1 << 20);
	if (filter_shape_find(bytes_of(filter), &arena, &shape, &why) != FILTER_HAS_SHAPE)
		fail_msg("%s\n%s", filter, why);
	for (size_t i = 0; i < shape.count; i++) {
		const struct filter_branch *branch = &shape.branches[i];

		assert_true(
			buffer_append_format(&text, "%s%s", i > 0 ? " | " : "", branch->filter));
		for (size_t k = 0; k < branch->key_count; k++)
			assert_true(buffer_append_format(
				&text, " %s%s:" BYTES_FORMAT "[" BYTES_FORMAT "," BYTES_FORMAT "]",
				branch->keys[k].is_tail ? "tail-" : "", parts[branch->keys[k].part],
				BYTES_ARGS(branch->keys[k].attribute),
				BYTES_ARGS(branch->keys[k].before),
				BYTES_ARGS(branch->keys[k].after)));
	}
	assert_true(buffer_append_byte(&text, '\0'));
	assert_string_equal(text.data, expected);
	buffer_free(&text);
	arena_free(&arena);
}

static void refuses(const char *filter, const char *expected)
{
	struct arena arena;
	struct filter_shape shape;
	const char *why = "";

	arena_init(&arena, 1 << 24);
	if (filter_shape_find(bytes_of(filter), &arena, &shape, &why) != FILTER_HAS_NONE)
		fail_msg("%s\n%s", filter, shape.branches[0].filter);
	if (strcmp(why, expected) != 0)
		fail_msg("%s\n%s\ninstead of\n%s", filter, why, expected);
	arena_free(&arena);
}

static void a_key_in_one_attribute(void **state)
{
	(void)state;
	gives("(mail=%s)", "(mail=*) key:mail[,]");
	gives("mail=%s", "(mail=*) key:mail[,]");
	gives(" ( mail = %S ) ", "(mail=*) key:mail[,]");
	gives("(mail=%u@%d)", "(mail=*) address:mail[,]");
	gives("(&(objectClass=x)(mail=%s)(!(off=TRUE)))",
	      "(&(objectClass=x)(mail=*)(!(off=TRUE))) key:mail[,]");
	gives("(&(a=1)(&(mail=%s)(|(b=2)(c=3*))))",
	      "(&(a=1)(&(mail=*)(|(b=2)(c=3*)))) key:mail[,]");
	gives("(&(a=50%%)(mail=%s))", "(&(a=50%)(mail=*)) key:mail[,]");
	gives("(proxyAddresses=smtp:%s)", "(proxyAddresses=*) key:proxyAddresses[smtp:,]");
	gives("(x=\\28%%%s\\29z)", "(x=*) key:x[(%,)z]");
	gives("(mail;lang-de=%s)", "(mail;lang-de=*) key:mail;lang-de[,]");
}

static void several_attributes(void **state)
{
	(void)state;
	gives("(|(mail=%s)(alias=%s))", "(mail=*) key:mail[,] | (alias=*) key:alias[,]");
	gives("(&(k=1)(|(mail=%s)(&(e=2)(alias=%s))))",
	      "(&(k=1)(mail=*)) key:mail[,] | (&(k=1)(&(e=2)(alias=*))) key:alias[,]");
	gives("(|(|(a=%s)(b=%s))(c=%s))", "(a=*) key:a[,] | (b=*) key:b[,] | (c=*) key:c[,]");
	gives("(&(uid=%u)(dc=%d))", "(&(uid=*)(dc=*)) user:uid[,] domain:dc[,]");
	gives("(&(dc=@%d)(uid=%u))", "(&(dc=*)(uid=*)) domain:dc[@,] user:uid[,]");
}

static void domains(void **state)
{
	(void)state;
	gives("(dc=%d)", "(dc=*) domain:dc[,]");
	gives("(mail=@%d)", "(mail=*) domain:mail[@,]");
	gives("(|(mail=*@%s)(alias=*@%s))",
	      "(mail=*) tail-key:mail[,] | (alias=*) tail-key:alias[,]");
}

static void no_shape(void **state)
{
	(void)state;
	refuses("(mail=x)", "has no key in it, as %s");
	refuses("(mail=%%s)", "has no key in it, as %s");
	refuses("(!(mail=%s))", "has the key behind a !");
	refuses("(&(a=1)(!(|(b=1)(mail=%s))))", "has the key behind a !");
	refuses("(|(mail=%s)(objectClass=x))", "has a | between parts with the key and without it");
	refuses("(&(mail=%s)(alias=%s))", "has the key in several parts");
	refuses("(&(a=%u)(b=%d)(c=%s))", "has the key in several parts");
	refuses("(&(c=%s)(|(a=%s)(b=%s)))", "has the key in several parts, and in a | of them");
	refuses("(|(mail=%s)(all=@%d))", "has a | between an address and a domain");
	refuses("(mail=%s*)", "has a * beside the key");
	refuses("(mail=*%s)", "has a * beside the key");
	refuses("(mail=*@%u@%d)", "has a * beside the key");
	refuses("(mail~=%s)", "compares the key otherwise than by =");
	refuses("(mail>=%s)", "compares the key otherwise than by =");
	refuses("(mail:caseExactMatch:=%s)", "compares the key otherwise than by =");
	refuses("(%s=x)", "compares the key otherwise than by =");
	refuses("(a=%s,%s)", "has the key more than once in one comparison");
	refuses("(a=%u.%d)", "has the key more than once in one comparison");
	refuses("(a=%u)", "has %u without %d");
	refuses("(a=%2)", "asks for labels of the domain");
	refuses("(a=\\2%s)", "has a \\ without two hexadecimal digits");
}

static void no_filter(void **state)
{
	(void)state;
	refuses("", "has no ( where one should be");
	refuses("(mail=%s", "has no ) where one should be");
	refuses("(mail=%s))", "goes on behind its end");
	refuses("(mail)", "has a part that is not of the form (attribute=value)");
	refuses("(&(mail=%s)", "has no ) where one should be");
	refuses("(!(a=1)(b=2))", "has a ! that is not before one part");
	refuses("(!)", "has a ! that is not before one part");
	refuses("((((((((((((((((((((((((((((((((a=1))))))))))))))))))))))))))))))))",
		"has a part that is not of the form (attribute=value)");
	refuses("(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(a=%s",
		"has too many brackets within brackets");
}

static void cut(const char *filter, const char *value, const char *expected)
{
	struct arena arena;
	struct filter_shape shape;
	struct bytes part;
	const char *why;

	arena_init(&arena, 1 << 24);
	assert_int_equal(filter_shape_find(bytes_of(filter), &arena, &shape, &why),
			 FILTER_HAS_SHAPE);
	if (!filter_key_cut(&shape.branches[0].keys[0], bytes_of(value), &part))
		part = bytes_of("-");
	assert_int_equal(part.size, strlen(expected));
	assert_memory_equal(part.data, expected, part.size);
	arena_free(&arena);
}

static void keys_in_values(void **state)
{
	(void)state;
	cut("(mail=%s)", "a@b", "a@b");
	cut("(p=smtp:%s)", "SMTP:a@b", "a@b");
	cut("(p=smtp:%s)", "x400:a", "-");
	cut("(p=smtp:%s)", "smtp:", "-");
	cut("(p=%s:off)", "a@b:OFF", "a@b");
	cut("(p=aa%saa)", "aaa", "-");
	cut("(mail=*@%s)", "a@b@c", "c");
	cut("(mail=*@%s)", "abc", "-");
	cut("(mail=*@%s)", "abc@", "-");
}

static void escaped(void **state)
{
	struct buffer text;

	(void)state;
	buffer_init(&text, 100);
	assert_true(filter_escape(bytes_make("a*(b)\\\0c", 8), &text));
	assert_true(buffer_append_byte(&text, '\0'));
	assert_string_equal(text.data, "a\\2a\\28b\\29\\5c\\00c");
	buffer_free(&text);
}

static void common(const char *template, const char *expected)
{
	struct bytes found = search_base_common(bytes_of(template));

	assert_int_equal(found.size, strlen(expected));
	if (found.size > 0)
		assert_memory_equal(found.data, expected, found.size);
}

static bool holds(const char *base, enum directory_scope scope, const char *name)
{
	return search_base_holds(bytes_of(base), scope, bytes_of(name));
}

static void bases(void **state)
{
	(void)state;
	common("dc=x,dc=y", "dc=x,dc=y");
	common("domainName=%d, o=domains,dc=x", "o=domains,dc=x");
	common("ou=users,domainName=%d,dc=%1", "");
	common("cn=a\\,%d,dc=x", "dc=x");
	assert_true(holds("dc=x,dc=y", DIRECTORY_SCOPE_SUB, "cn=a, DC = X,dc=y"));
	assert_true(holds("dc=x,dc=y", DIRECTORY_SCOPE_SUB, "dc=x,dc=y"));
	assert_true(holds("", DIRECTORY_SCOPE_SUB, "dc=x,dc=y"));
	assert_false(holds("dc=x,dc=y", DIRECTORY_SCOPE_SUB, "cn=a,dc=xx,dc=y"));
	assert_false(holds("dc=x,dc=y", DIRECTORY_SCOPE_SUB, "dc=y"));
	assert_true(holds("dc=x", DIRECTORY_SCOPE_ONE, "cn=a\\,b,dc=x"));
	assert_false(holds("dc=x", DIRECTORY_SCOPE_ONE, "cn=a,cn=b,dc=x"));
	assert_true(holds("dc=x", DIRECTORY_SCOPE_BASE, "dc=x"));
	assert_false(holds("dc=x", DIRECTORY_SCOPE_BASE, "cn=a,dc=x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_one_attribute),
		cmocka_unit_test(several_attributes),
		cmocka_unit_test(domains),
		cmocka_unit_test(no_shape),
		cmocka_unit_test(no_filter),
		cmocka_unit_test(keys_in_values),
		cmocka_unit_test(escaped),
		cmocka_unit_test(bases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
