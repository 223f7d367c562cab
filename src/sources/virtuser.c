/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/virtuser.h"

#include <string.h>
#include <sysexits.h>

#include "mail/fold.h"
#include "sources/advice.h"
#include "sources/lines.h"

/* What stands for %1, %2 and %3. */
struct parameters {
	const char *texts[3]; /* used as they are, or NULL */
	struct bytes user;    /* instead of texts[0] */
	bool is_template;     /* a `$` in the rest is doubled */
};

static bool wrong(struct error *err, const char *what)
{
	return error_set(err, EX_DATAERR, "%s", what);
}

/* ---- parsing -------------------------------------------------------------------------------- */

static bool is_verdict(struct bytes value)
{
	return bytes_begin_with(value, bytes_of("error:")) ||
	       bytes_begin_with(value, bytes_of("discard:"));
}

/* The digit behind a `%` at I of VALUE, or NUL. */
static char parameter_at(struct bytes value, size_t i)
{
	if (value.data[i] != '%' || i + 1 >= value.size || value.data[i + 1] < '0' ||
	    value.data[i + 1] > '9')
		return '\0';
	return value.data[i + 1];
}

/* Is it asked also for an address without detail, for which nothing would be left of its value? */
static bool is_empty_without_detail(const struct virtuser_rule *rule)
{
	struct bytes value = rule->value;

	if (rule->form != VIRTUSER_DETAIL && rule->form != VIRTUSER_USER &&
	    rule->form != VIRTUSER_DOMAIN)
		return false;
	while (value.size > 0 && parameter_at(value, 0) >= '2')
		value = bytes_skip(value, 2);
	return value.size == 0;
}

/* Can each %1, %2, … of the value be filled? */
static bool check_parameters(const struct virtuser_rule *rule, struct error *err)
{
	struct bytes value = rule->value;
	bool may_have_some = !is_verdict(value) || virtuser_is_entry(rule);

	for (size_t i = 0; i < value.size; i++) {
		char parameter = parameter_at(value, i);

		if (parameter != '\0' && (parameter < '1' || parameter > '3'))
			return wrong(err, "only %1, %2 and %3 stand for something");
		if (parameter != '\0' && !may_have_some)
			return wrong(err, "a reply can't have parts of the address here");
		if (value.data[i] == '%')
			i++; /* of `%%` the second begins no parameter */
	}
	return true;
}

/* Outside of quotes a comma or white space would begin another one. */
static bool is_one_target(struct bytes value)
{
	bool is_quoted = false;

	for (size_t i = 0; i < value.size; i++) {
		char byte = value.data[i];

		if (byte == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (byte == ',' || byte_is_white(byte)))
			return false;
	}
	return true;
}

static bool check_value(const struct virtuser_rule *rule, struct error *err)
{
	if (!check_parameters(rule, err))
		return false;
	if (!is_verdict(rule->value) && !is_one_target(rule->value))
		return wrong(err, "there must be one target only");
	if (is_empty_without_detail(rule))
		return wrong(err, "nothing is left of the value without a +detail");
	return true;
}

/* Which form has the local part, and what is the user in it? */
static bool parse_local(struct bytes local, struct virtuser_rule *rule, struct error *err)
{
	size_t plus = bytes_index(local, '+');
	struct bytes detail = bytes_skip(local, plus + 1);
	bool is_plus = bytes_equal(detail, bytes_of("+"));
	bool is_star = bytes_equal(detail, bytes_of("*"));

	rule->user = bytes_first(local, plus);
	if (local.size == 0)
		rule->form = VIRTUSER_DOMAIN;
	else if (plus == local.size)
		rule->form = VIRTUSER_USER;
	else if (plus == 0 && !is_plus && !is_star)
		return wrong(err, "the key has no user before its \"+\"");
	else if (is_plus)
		rule->form = plus == 0 ? VIRTUSER_ALL_BUT_EMPTY : VIRTUSER_ANY_BUT_EMPTY;
	else if (is_star)
		rule->form = plus == 0 ? VIRTUSER_ALL : VIRTUSER_ANY;
	else {
		rule->form = VIRTUSER_DETAIL;
		rule->user = local;
	}
	return true;
}

bool virtuser_parse(struct bytes line, struct virtuser_rule *out_rule, struct error *err)
{
	struct virtuser_rule rule = { .line = 0 };
	char advice[ADVICE_BYTES];
	size_t size = 0;
	size_t at;

	if (byte_is_white(line.data[0]))
		return wrong(err, "begins with white space");
	while (size < line.size && !byte_is_white(line.data[size]))
		size++;
	rule.key = bytes_first(line, size);
	rule.value = bytes_trim(bytes_skip(line, size));
	if (rule.value.size == 0)
		return wrong(err, advice_on_one_column(rule.key, advice));
	if (line.size > VIRTUSER_TEXT_MAX / 2)
		return wrong(err, "the line is too long");
	if (!bytes_are_ascii(rule.key) && !fold_accepts(rule.key))
		return wrong(err, "the key is not valid UTF-8, or has characters no address has");
	at = size;
	while (at > 0 && line.data[at - 1] != '@')
		at--;
	rule.domain = bytes_skip(rule.key, at);
	if (at == 0 || rule.domain.size == 0)
		return wrong(err, "expected as key: user@domain or @domain");
	if (!parse_local(bytes_first(rule.key, at - 1), &rule, err) || !check_value(&rule, err))
		return false;
	*out_rule = rule;
	return true;
}

/* ---- entries -------------------------------------------------------------------------------- */

static bool uses(const struct virtuser_rule *rule, char least)
{
	for (size_t i = 0; i < rule->value.size; i++) {
		if (parameter_at(rule->value, i) >= least)
			return true;
		if (rule->value.data[i] == '%')
			i++;
	}
	return false;
}

bool virtuser_uses_detail(const struct virtuser_rule *rule)
{
	return uses(rule, '2');
}

/* `%1@other`, `%1%3@other`: what `@other` says. Of the first Sendmail drops the detail. */
static bool keeps_user(const struct virtuser_rule *rule, struct bytes *out_value)
{
	struct virtuser_rule rest = { .value = rule->value };

	if (!bytes_begin_with(rest.value, bytes_of("%1")))
		return false;
	rest.value = bytes_skip(rest.value, 2);
	if (bytes_begin_with(rest.value, bytes_of("%3")))
		rest.value = bytes_skip(rest.value, 2);
	*out_value = rest.value;
	return rest.value.size > 1 && rest.value.data[0] == '@' && !bytes_contain(rest.value, '%');
}

bool virtuser_is_entry(const struct virtuser_rule *rule)
{
	struct bytes ignored;

	switch (rule->form) {
	case VIRTUSER_DETAIL:
	case VIRTUSER_USER:
		return true;
	case VIRTUSER_DOMAIN:
		return !uses(rule, '1') || keeps_user(rule, &ignored);
	default:
		return false;
	}
}

/* Append TEXT, with each `$` doubled if IS_TEMPLATE. */
static void put_text(struct bytes text, bool is_template, struct buffer *out)
{
	for (size_t i = 0; i < text.size; i++) {
		(void)buffer_append_byte(out, text.data[i]); /* has_failed is looked at */
		if (is_template && text.data[i] == '$')
			(void)buffer_append_byte(out, '$'); /* likewise */
	}
}

/* Append VALUE with PARAMETERS put in. */
static void fill_in(struct bytes value, const struct parameters *parameters, struct buffer *out)
{
	for (size_t i = 0; i < value.size; i++) {
		char parameter = parameter_at(value, i);
		const char *text = NULL;

		if (parameter != '\0')
			text = parameters->texts[parameter - '1'];
		if (text != NULL)
			(void)buffer_append_text(out, text); /* has_failed is looked at */
		else if (parameter != '\0')
			put_text(parameters->user, parameters->is_template, out);
		else
			put_text(bytes_make(value.data + i, 1), parameters->is_template, out);
		/* `%%` is one. */
		if (value.data[i] == '%' && i + 1 < value.size &&
		    (parameter != '\0' || value.data[i + 1] == '%'))
			i++;
	}
}

void virtuser_entry(const struct virtuser_rule *rule, struct buffer *out_value)
{
	struct parameters parameters = { .texts = { NULL, "", "" }, .user = rule->user };
	struct bytes other;

	buffer_clear(out_value);
	if (rule->form == VIRTUSER_DOMAIN && keeps_user(rule, &other))
		(void)buffer_append(out_value, other); /* has_failed is looked at */
	else
		fill_in(rule->value, &parameters, out_value);
}

/* ---- patterns ------------------------------------------------------------------------------- */

static void put_literal(struct bytes text, struct buffer *out)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '\0' && strchr("\\^$.[]|(){}?*+", text.data[i]) != NULL)
			(void)buffer_append_byte(out, '\\'); /* has_failed is looked at */
		(void)buffer_append_byte(out, text.data[i]); /* likewise */
	}
}

/* A plus at the begin is the user's. No quotes: what a group brings in must do without them. */
static const char USER_GROUP[] = "(\\+[^+@\"]*|[^+@\"]+)";
static const char DETAIL_GROUP[] = "([^@\"]*)";
static const char FULL_DETAIL_GROUP[] = "([^@\"]+)";

void virtuser_pattern(const struct virtuser_rule *rule, bool is_plain,
		      struct buffer *out_expression, struct buffer *out_value)
{
	bool is_of_one_user = rule->form < VIRTUSER_ALL_BUT_EMPTY;
	bool is_reply = bytes_begin_with(rule->value, bytes_of("error:"));
	struct parameters parameters = { .user = rule->user, .is_template = true };

	parameters.texts[1] = is_of_one_user ? "${1}" : "${2}";
	parameters.texts[2] = is_of_one_user ? "+${1}" : "+${2}";
	if (!is_of_one_user)
		parameters.texts[0] = "${1}";
	/* The words of a reply have no groups; as in the rule of any pattern `$$` is a dollar. */
	if (is_plain || is_reply)
		parameters.texts[1] = parameters.texts[2] = "";
	buffer_clear(out_expression);
	buffer_clear(out_value);
	(void)buffer_append_byte(out_expression, '^'); /* has_failed is looked at, as below */
	if (is_of_one_user)
		put_literal(rule->user, out_expression);
	else
		(void)buffer_append_text(out_expression, USER_GROUP);
	if (!is_plain) {
		bool is_full = rule->form == VIRTUSER_ANY_BUT_EMPTY ||
			       rule->form == VIRTUSER_ALL_BUT_EMPTY;

		(void)buffer_append_text(out_expression, "\\+");
		(void)buffer_append_text(out_expression,
					 is_full ? FULL_DETAIL_GROUP : DETAIL_GROUP);
	}
	(void)buffer_append_byte(out_expression, '@');
	put_literal(rule->domain, out_expression);
	(void)buffer_append_byte(out_expression, '$');
	if (is_verdict(rule->value) && !is_reply)
		virtuser_entry(rule, out_value);
	else
		fill_in(rule->value, &parameters, out_value);
}
