/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/policy.h"

/* A row for each verdict, a column for each way a message comes in. */
static const struct rule {
	enum policy_action smtp;
	enum policy_action submission;
} rules[VERDICTS] = {
	[VERDICT_FOREIGN] = { POLICY_LEAVE, POLICY_LEAVE },
	[VERDICT_DELIVER] = { POLICY_LEAVE, POLICY_LEAVE },
	[VERDICT_EXPAND] = { POLICY_REPLACE, POLICY_REPLACE },
	[VERDICT_REFUSED] = { POLICY_REFUSE, POLICY_LEAVE },
	[VERDICT_UNKNOWN] = { POLICY_REFUSE, POLICY_LEAVE },
	[VERDICT_DEFER] = { POLICY_REFUSE, POLICY_PUT_OFF },
	[VERDICT_DISCARD] = { POLICY_DROP, POLICY_DROP },
};

bool policy_init(struct policy *policy, const struct settings *settings, struct error *err)
{
	*policy = (struct policy){
		.limits = settings->limits,
		.message_recipients = settings->limit_message_recipients,
		.merges_duplicates = settings->merge_duplicates,
		.is_dsn_success_native = settings->dsn_success == SETTINGS_DSN_NATIVE,
		.is_smtputf8_strict = settings->smtputf8 == SETTINGS_SMTPUTF8_STRICT,
		.logs_refusals = settings->log_refusals,
	};
	return answer_texts_init(&policy->texts, settings->unknown_reply, settings->unknown_text,
				 err);
}

struct judgement policy_put_off(const struct message_facts *facts, enum reason reason)
{
	return (struct judgement){
		.action = facts->is_submission ? POLICY_PUT_OFF : POLICY_REFUSE,
		.verdict = VERDICT_DEFER,
		.reason = reason,
	};
}

static struct judgement follow(const struct resolution *resolution, enum policy_action action)
{
	return (struct judgement){
		.action = action,
		.verdict = resolution->verdict,
		.reason = resolution->reason,
		.detail = resolution->detail,
		.reply = resolution->reply,
	};
}

/* The entry of REPLY refuses for good; another one says "later", or is damaged. */
static bool is_for_good(struct bytes reply)
{
	struct reply parsed;

	return reply_parse(reply, &parsed, NULL) && parsed.code[0] == '5';
}

/*
 * A milter can't refuse one recipient of a submission. What was refused by SMTP the MTA bounces as
 * unknown; that is right for a refusal for good, and for nothing else.
 */
static struct judgement decide_submission(const struct resolution *resolution)
{
	enum policy_action action = rules[resolution->verdict].submission;

	if (resolution->verdict == VERDICT_REFUSED && resolution->reason == REASON_NONE &&
	    !is_for_good(resolution->reply))
		action = POLICY_PUT_OFF;
	return follow(resolution, action);
}

static bool stays_as_it_is(const struct resolution *resolution)
{
	return resolution->verdict == VERDICT_DELIVER || resolution->verdict == VERDICT_FOREIGN;
}

/* The MTA has no mailboxes in an alias domain, so it would bounce what stays there: a table that is
 * proved has no such entry. A lenient one may, and then the MTA does what it did before. */
static bool may_stay(const struct resolution *resolution)
{
	return !resolution->is_in_alias_domain || resolution->is_exempt ||
	       (resolution->verdict == VERDICT_DELIVER && resolution->keeps_dead_ends);
}

struct judgement policy_decide(const struct message_facts *facts,
			       const struct resolution *resolution)
{
	/* What is to be deleted could not be named here: the MTA's own aliases take care of it. */
	if (facts->is_submission && resolution->is_local)
		return follow(resolution, POLICY_LEAVE);
	if (stays_as_it_is(resolution) && !may_stay(resolution))
		return policy_put_off(facts, REASON_BROKEN);
	if (facts->is_submission)
		return decide_submission(resolution);
	if (stays_as_it_is(resolution) && facts->is_reinjected && resolution->is_ours) {
		if (resolution->is_exempt)
			return (struct judgement){
				.action = POLICY_REFUSE,
				.verdict = VERDICT_UNKNOWN,
			};
		return policy_put_off(facts, REASON_LOOP);
	}
	return follow(resolution, rules[resolution->verdict].smtp);
}

void policy_reply(const struct policy *policy, const struct message_facts *facts,
		  const struct judgement *judgement, struct bytes address, struct arena *arena,
		  struct reply *out_reply)
{
	struct answer_texts texts = policy->texts;
	const struct resolution told = {
		.verdict = judgement->verdict,
		.reason = judgement->reason,
		.reply = judgement->reply,
	};
	const struct resolution broken = { .verdict = VERDICT_DEFER, .reason = REASON_BROKEN };

	texts.omits_address = facts->mta->names_recipient;
	/* An accepted one has no reply. Asking for it is our own mistake, and then "later" is safe.
	 */
	if (!answer_make(&told, &texts, address, arena, out_reply))
		(void)answer_make(&broken, &texts, address, arena, out_reply); /* always a reply */
}
