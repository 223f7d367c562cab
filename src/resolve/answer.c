/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/answer.h"

#include <string.h>
#include <sysexits.h>

#define REJECTED "Recipient address rejected: "

/* What is said where nothing can be made: it needs no memory, and a client comes back. */
static struct reply reply_without_memory(void)
{
	return (struct reply){
		.code = "451",
		.enhanced = "4.3.0",
		.text = bytes_of("Temporary lookup failure"),
		.words = bytes_of("Temporary lookup failure"),
	};
}

/* A row for each reason that isn't an entry's own. */
static const struct reason_answer {
	enum reason reason;
	const char *code;
	const char *enhanced;
	const char *text;
} reason_answers[] = {
	{ REASON_LOOP, "451", "4.6.0", "Alias expansion error" },
	{ REASON_LIMIT, "451", "4.6.0", "Alias expansion error" },
	{ REASON_TEMPLATE, "451", "4.6.0", "Alias expansion error" },
	{ REASON_DEAD_END, "451", "4.6.0", "Alias expansion error" },
	{ REASON_BROKEN, "451", "4.3.0", "Temporary lookup failure" },
	{ REASON_MEMORY, "451", "4.3.0", "Temporary lookup failure" },
	{ REASON_PATTERN, "451", "4.3.0", "Temporary lookup failure" },
	{ REASON_UNPRINTABLE, "451", "4.3.0", "Temporary lookup failure" },
	{ REASON_BAD_ADDRESS, "550", "5.1.3", REJECTED "Bad recipient address syntax" },
	{ REASON_ROUTING, "550", "5.1.3", REJECTED "Sender-specified routing is not allowed" },
	{ REASON_NEEDS_SMTPUTF8, "550", "5.6.7",
	  REJECTED "Non-ASCII addresses not permitted for that recipient without SMTPUTF8" },
};

static const struct reason_answer *reason_find(enum reason reason)
{
	for (size_t i = 0; i < sizeof(reason_answers) / sizeof(reason_answers[0]); i++)
		if (reason_answers[i].reason == reason)
			return &reason_answers[i];
	return NULL;
}

/* `Recipient address rejected: TEXT` as a C string in ARENA; NULL: no memory. */
static const char *rejected(struct bytes text, struct arena *arena)
{
	size_t prefix_size = text.size == 0 ? strlen(REJECTED) - 2 : strlen(REJECTED);
	const struct bytes parts[] = { bytes_make(REJECTED, prefix_size), text };
	struct bytes whole;

	return arena_join(arena, parts, 2, &whole) ? whole.data : NULL;
}

/* The client is told CODE ENHANCED and TEXT, a reason to try again where there is no memory. */
static struct reply reply_with(const char *code, const char *enhanced, const struct bytes *address,
			       const char *text, struct arena *arena)
{
	struct reply reply;

	if (text == NULL || !reply_make(code, enhanced, address, text, arena, &reply))
		return reply_without_memory();
	return reply;
}

static struct reply reply_of_reason(enum reason reason, const struct bytes *address,
				    struct arena *arena)
{
	const struct reason_answer *answer = reason_find(reason);

	/* No row: somebody added a reason without its words. Only "try again" is safe then. */
	if (answer == NULL)
		return reply_with("451", "4.3.0", address, "Temporary lookup failure", arena);
	return reply_with(answer->code, answer->enhanced, address, answer->text, arena);
}

static struct reply reply_of_entry(struct bytes line, const struct bytes *address,
				   struct arena *arena)
{
	struct reply parsed;

	/* The compiler let only sound replies in, so a bad one is damage. */
	if (!reply_parse(line, &parsed, NULL))
		return reply_of_reason(REASON_BROKEN, address, arena);
	return reply_with(parsed.code, parsed.enhanced, address, rejected(parsed.text, arena),
			  arena);
}

static struct bytes without_brackets(struct bytes text)
{
	if (text.size >= 2 && text.data[0] == '<' && text.data[text.size - 1] == '>')
		return bytes_make(text.data + 1, text.size - 2);
	return text;
}

struct bytes answer_address(const struct address_path *path, struct bytes text, struct arena *arena)
{
	struct bytes local = path->address.local;
	struct bytes domain = path->address.domain;
	const struct bytes parts[] = { local, bytes_of("@"), domain };
	struct bytes joined;

	if (path->text.size == 0 || (local.size == 0 && domain.size == 0))
		return without_brackets(text);
	/* What it leads to is not what the client asked for. */
	if (path->was_rewritten || local.size == 0)
		return path->text;
	if (domain.size == 0)
		return local;
	return arena_join(arena, parts, 3, &joined) ? joined : path->text;
}

bool answer_accepts(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_FOREIGN:
	case VERDICT_DELIVER:
	case VERDICT_EXPAND:
	case VERDICT_DISCARD:
		return true;
	case VERDICT_REFUSED:
	case VERDICT_UNKNOWN:
	case VERDICT_DEFER:
	case VERDICTS:
		break;
	}
	return false;
}

bool answer_make(const struct resolution *resolution, const struct answer_texts *texts,
		 struct bytes address, struct arena *arena, struct reply *out_reply)
{
	const struct bytes *shown = texts->omits_address ? NULL : &address;

	if (answer_accepts(resolution->verdict))
		return false;
	switch (resolution->verdict) {
	case VERDICT_REFUSED:
		if (resolution->reason == REASON_NONE)
			*out_reply = reply_of_entry(resolution->reply, shown, arena);
		else
			*out_reply = reply_of_reason(resolution->reason, shown, arena);
		return true;
	case VERDICT_UNKNOWN:
		*out_reply = reply_with(texts->unknown_code, texts->unknown_enhanced, shown,
					rejected(bytes_of(texts->unknown_text), arena), arena);
		return true;
	default:
		break;
	}
	*out_reply = reply_of_reason(resolution->reason, shown, arena);
	/* A doubt is never a refusal, whatever reason came with it. */
	if (out_reply->code[0] != '4')
		*out_reply = reply_of_reason(REASON_BROKEN, shown, arena);
	return true;
}

bool answer_texts_init(struct answer_texts *texts, const char *reply, const char *text,
		       struct error *err)
{
	size_t text_size = strlen(text);
	struct reply codes;
	struct error detail;

	if (!reply_parse(bytes_of(reply), &codes, &detail))
		return error_set(err, EX_CONFIG, "unknown.reply: %s", detail.text);
	if (text_size > REPLY_TEXT_MAX)
		return error_set(err, EX_CONFIG, "unknown.text: longer than %d bytes",
				 REPLY_TEXT_MAX);
	*texts = (struct answer_texts){ .omits_address = false };
	memcpy(texts->unknown_code, codes.code, sizeof(texts->unknown_code));
	memcpy(texts->unknown_enhanced, codes.enhanced, sizeof(texts->unknown_enhanced));
	memcpy(texts->unknown_text, text, text_size + 1);
	return true;
}
