/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_domain.h"

#include <string.h>
#include <sysexits.h>

#include "mail/address.h"
#include "mail/fold.h"

/* ---- names ------------------------------------------------------------------------------ */

/* One dot at the end is the root's, and may be left out. */
static struct bytes without_final_dot(struct bytes name)
{
	if (name.size > 1 && name.data[name.size - 1] == '.')
		name.size--;
	return name;
}

/* What people write where a host name belongs, and what they may have meant by it. */
static const struct mistake {
	const char *part;
	bool is_at_begin;
	const char *advice;
} mistakes[] = {
	{ "://", false, "write the host name alone" },
	{ ":/", false, "name that file as a source of its own" },
	{ "/", true, "a pattern goes into a source of type regexp or pcre, a file is a source" },
	{ "!", true, "nothing can be taken out; leave it out of the list" },
	{ "*", false, "there are no wildcards: list each domain" },
	{ ".", true, "there are no wildcards: list each domain" },
	{ "\"", false, "write it without quotes" },
	{ "[", true, "an address literal is never an alias domain" },
};

static bool has_part(struct bytes text, const char *part, bool is_at_begin)
{
	size_t size = strlen(part);

	for (size_t i = 0; i + size <= text.size; i++) {
		if (memcmp(text.data + i, part, size) == 0)
			return true;
		if (is_at_begin)
			return false;
	}
	return false;
}

/* NULL: none. */
static const struct mistake *find_mistake(struct bytes name)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		if (has_part(name, mistakes[i].part, mistakes[i].is_at_begin))
			return &mistakes[i];
	return NULL;
}

/* ERR says why NAME, without its final dot, is no host name. */
static bool check_host(struct bytes name, struct error *err)
{
	const struct address address = { .local = bytes_of("x"), .domain = name };
	const struct mistake *mistake = find_mistake(name);
	struct error detail;

	if (name.size == 0)
		return error_set(err, EX_DATAERR, "the name of a domain is empty");
	if (address_check(&address, &detail)) {
		if (name.data[0] != '[')
			return true;
		error_fill(&detail, EX_DATAERR, "the domain \"" BYTES_FORMAT "\" is no host name",
			   BYTES_ARGS(name));
	}
	if (mistake == NULL || detail.status != EX_DATAERR)
		return error_set(err, detail.status, "%s", detail.text);
	return error_set(err, EX_DATAERR, "%s; %s", detail.text, mistake->advice);
}

/* ---- declaring -------------------------------------------------------------------------- */

/* Origin is local, too, but the MTA may deliver it in any way. */
static bool is_in_local_domains(const struct builder *builder, uint32_t domain)
{
	return (writer_domain_get_flags(builder->writer, domain) & TABLE_DOMAIN_LOCAL) != 0 &&
	       (domain != builder->origin_domain || builder->is_origin_local);
}

static bool stop(struct builder *builder, const struct row_place *place, const struct error *err)
{
	report_stop(builder->report, err->status, place->path, place->line, "%s", err->text);
	return false;
}

/* Is KEY one of mailbox_domains? Who writes it there knows what the sources say. */
static bool is_in_mailbox_domains(struct builder *builder, struct bytes key)
{
	const struct settings_list *domains = &builder->settings->mailbox_domains;
	bool is_there = false;

	for (size_t i = 0; i < domains->count && !is_there; i++) {
		struct bytes other;

		is_there = fold_domain(bytes_of(domains->items[i]), &builder->arena, &other) ==
				   FOLD_OK &&
			   bytes_equal(other, key);
	}
	return is_there;
}

/* FLAGS are what it was, FLAG what it is to be. */
static void look_at_both(struct builder *builder, struct bytes key, unsigned flags, unsigned flag,
			 const struct row_place *place)
{
	unsigned other = TABLE_DOMAIN_OURS & ~flag;

	if ((flags & other) == 0 || is_in_mailbox_domains(builder, key))
		return;
	report_warning(builder->report, WARNING_CONFLICT, place->path, place->line,
		       BYTES_FORMAT " is declared as an alias domain and as a mailbox domain: it "
				    "is taken for a mailbox domain",
		       BYTES_ARGS(key));
}

/* FLAG is what it is to be; who is a mailbox domain stays one. */
static bool declare_key(struct builder *builder, struct bytes key, unsigned flag,
			const struct row_place *place)
{
	struct table_writer *writer = builder->writer;
	uint32_t domain = writer_domain(writer, key);
	unsigned flags;

	if (domain == 0)
		return stop(builder, place, table_writer_error(writer));
	flags = writer_domain_get_flags(writer, domain);
	if ((flags & TABLE_DOMAIN_OURS) == 0 && is_in_local_domains(builder, domain))
		report_warning(builder->report, WARNING_LOCAL_DOMAIN, place->path, place->line,
			       BYTES_FORMAT
			       " is one of local_domains, too: its local users without "
			       "a key here are refused",
			       BYTES_ARGS(key));
	look_at_both(builder, key, flags, flag, place);
	writer_domain_flags(writer, domain, flag);
	return true;
}

static bool declare(struct builder *builder, struct bytes name, unsigned flag,
		    const struct row_place *place)
{
	struct bytes key;
	struct error err;

	name = without_final_dot(name);
	switch (fold_domain(name, &builder->arena, &key)) {
	case FOLD_NO_MEMORY:
		error_fill_memory(&err);
		return stop(builder, place, &err);
	case FOLD_INVALID:
		report_error(builder->report, EX_DATAERR, place->path, place->line, "not a domain");
		return true;
	case FOLD_OK:
		break;
	}
	if (check_host(name, &err))
		return declare_key(builder, key, flag, place);
	report_error(builder->report, err.status, place->path, place->line, "%s", err.text);
	return err.status == EX_DATAERR;
}

bool row_domain_declare(struct builder *builder, struct bytes name, const struct row_place *place)
{
	return declare(builder, name, TABLE_DOMAIN_ALIAS, place);
}

bool row_domain_declare_mailbox(struct builder *builder, struct bytes name,
				const struct row_place *place)
{
	return declare(builder, name, TABLE_DOMAIN_MAILBOX, place);
}

/* ---- words ------------------------------------------------------------------------------ */

/* Does WORD look like a domain: a dot, and a last label that could be a top-level domain? */
static bool looks_like_domain(struct bytes word)
{
	size_t last = word.size;

	while (last > 0 && word.data[last - 1] != '.')
		last--;
	return last > 1 && word.size - last >= 2;
}

static bool is_one_word(struct bytes value)
{
	for (size_t i = 0; i < value.size; i++)
		if (strchr(" \t\r\n,@:", value.data[i]) != NULL)
			return false;
	return true;
}

/* What manuals, and after them people, write behind a domain. */
static const char *const fillers[] = {
	"accept", "alias",   "any",      "anything",    "domain", "dummy", "dunno",  "exists",
	"foo",    "ignored", "ignore",   "key",         "local",  "no",    "none",   "not",
	"ok",     "permit",  "relay",    "placeholder", "text",   "true",  "unused", "value",
	"vhost",  "virtual", "whatever", "x",           "xx",     "xxx",   "y",      "yes",
};

static bool is_number_or_sign(struct bytes value)
{
	for (size_t i = 0; i < value.size; i++)
		if ((unsigned char)value.data[i] >= 'A')
			return false;
	return true;
}

/* Is VALUE what stands behind a declaration, and no user's name? */
static bool is_filler(struct bytes name, struct bytes value)
{
	if (is_number_or_sign(value) || bytes_equal_ascii_nocase(name, value))
		return true;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
		if (bytes_equal_ascii_nocase(bytes_of(fillers[i]), value))
			return true;
	return false;
}

static enum row_word refuse(struct builder *builder, const struct row_place *place,
			    const struct error *err)
{
	report_error(builder->report, err->status, place->path, place->line, "%s", err->text);
	return ROW_WORD_WRONG;
}

enum row_word row_domain_judge(struct builder *builder, struct bytes written, struct bytes local,
			       struct bytes value, const struct row_place *place,
			       struct bytes *out_name)
{
	bool is_quoted = bytes_contain(written, '"') || bytes_contain(written, '\\');
	struct bytes name = without_final_dot(local);
	bool has_filler = is_one_word(value) && is_filler(name, value);
	struct error err = { .status = EX_DATAERR };

	*out_name = name;
	if (!is_quoted && (local.data[0] == '/' || has_part(local, ":/", false) ||
			   has_part(local, "..", false))) {
		(void)check_host(name, &err); /* false: no host name has a slash, or two dots */
		return refuse(builder, place, &err);
	}
	if (!looks_like_domain(name))
		return ROW_WORD_USER;
	if (is_quoted) {
		(void)check_host(written, &err); /* false: nor quotes */
		return has_filler ? refuse(builder, place, &err) : ROW_WORD_USER;
	}
	if (check_host(name, &err))
		return !is_one_word(value) ? ROW_WORD_LIST
		       : has_filler        ? ROW_WORD_DOMAIN
					   : ROW_WORD_EITHER;
	/* No host name, but perhaps a user's: `o'neil.b`, `ann.b+list`. */
	if (err.status != EX_DATAERR || has_filler || find_mistake(name) != NULL)
		return refuse(builder, place, &err);
	return ROW_WORD_USER;
}
