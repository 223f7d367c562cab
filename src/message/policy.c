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
	[VERDICT_DEFER] = { POLICY_REFUSE, POLICY_LEAVE },
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

static struct judgement doubt(enum reason reason)
{
	return (struct judgement){
		.action = POLICY_REFUSE,
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

struct judgement policy_decide(const struct message_facts *facts,
			       const struct resolution *resolution)
{
	const struct rule *rule = &rules[resolution->verdict];

	/* What is to be deleted could not be named here: the MTA's own aliases take care of it. */
	if (facts->is_submission)
		return follow(resolution, resolution->is_local ? POLICY_LEAVE : rule->submission);
	if (resolution->verdict == VERDICT_DELIVER || resolution->verdict == VERDICT_FOREIGN) {
		/* The MTA has no mailboxes in an alias domain, so it would bounce. */
		if (resolution->is_in_alias_domain && !resolution->is_exempt)
			return doubt(REASON_BROKEN);
		if (facts->is_reinjected && resolution->is_exempt && resolution->is_ours)
			return (struct judgement){
				.action = POLICY_REFUSE,
				.verdict = VERDICT_UNKNOWN,
			};
		if (facts->is_reinjected && resolution->is_ours)
			return doubt(REASON_LOOP);
	}
	return follow(resolution, rule->smtp);
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
