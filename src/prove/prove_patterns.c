/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/prove_patterns.h"

#include "mail/address.h"
#include "prove/pattern_cost.h"
#include "prove/pattern_sample.h"
#include "table/patterns.h"
#include "table/template.h"

enum {
	ASKED_MAX = 1000,
	WARNED_MAX = 100,
	SAMPLE_DOMAINS_MAX = 20,
	TEXT_BYTES_MAX = 8192,
	ARENA_BYTES = 1 << 24,
};

/* ---- rules that answer for everybody ----------------------------------------------------------
 */

/* Neither words nor numbers that a list of users would have; no two are of the same characters. */
static const char *const unlikely_users[] = { "zq7x.no-such-user.k9vj", "zqkvjxwqzk",
					      "907418365290" };
enum { UNLIKELY_USERS = sizeof(unlikely_users) / sizeof(unlikely_users[0]) };

/* A rule that answers for everybody somewhere, and the first of these domains by name: so it is
 * named alike each time, in whatever order they are found. */
struct broad_rule {
	uint32_t line;
	struct bytes domain;
};

static void note_broad(struct broad_rule *rules, size_t *count, uint32_t line, struct bytes domain)
{
	size_t i = 0;

	while (i < *count && rules[i].line != line)
		i++;
	if (i < *count && bytes_compare(rules[i].domain, domain) <= 0)
		return;
	if (i == WARNED_MAX)
		return;
	*count += i == *count;
	rules[i] = (struct broad_rule){ .line = line, .domain = domain };
}

/* The line of the rule that answers for USER at DOMAIN; 0: none. */
static uint32_t rule_for(const struct table *table, const char *user, struct bytes domain,
			 struct arena *arena, struct proof_findings *findings)
{
	struct buffer subject;
	enum pattern_lookup outcome = PATTERN_NO_MEMORY;
	struct table_entry entry;
	uint32_t line = 0;

	arena_clear(arena);
	buffer_init(&subject, 1024);
	(void)buffer_append_format(&subject, "%s@" BYTES_FORMAT, user, BYTES_ARGS(domain));
	if (!subject.has_failed) /* for a name it is room enough */
		outcome = table_match(table, buffer_bytes(&subject), domain, UINT32_MAX, arena,
				      &entry);
	findings->has_failed |= outcome == PATTERN_NO_MEMORY;
	if (outcome != PATTERN_FOUND || table_provenance_line(table, &entry, &line) != LOOKUP_FOUND)
		line = 0;
	buffer_free(&subject);
	return line;
}

static void warn_of_everybody(const struct table *table, struct proof_findings *findings)
{
	struct broad_rule rules[WARNED_MAX];
	size_t count = 0;
	struct table_domain domain;
	uint64_t position = 0;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (int asked = 0; asked < ASKED_MAX; asked++) {
		uint32_t line;

		if (table_next_domain(table, &position, &domain) != LOOKUP_FOUND)
			break;
		if ((domain.flags & TABLE_DOMAIN_OURS) == 0)
			continue;
		line = rule_for(table, unlikely_users[0], domain.name, &arena, findings);
		for (size_t i = 1; i < UNLIKELY_USERS && line != 0; i++)
			if (rule_for(table, unlikely_users[i], domain.name, &arena, findings) !=
			    line)
				line = 0;
		if (line != 0)
			note_broad(rules, &count, line, domain.name);
	}
	for (size_t i = 0; i < count; i++)
		proof_findings_add(findings, rules[i].line, WARNING_CATCH_ALL,
				   "the pattern answers for every user of " BYTES_FORMAT
				   ": nobody there is unknown any more",
				   BYTES_ARGS(rules[i].domain));
	arena_free(&arena);
}

/* ---- what a rule leads to ---------------------------------------------------------------------
 */

/* A rule to be proved. */
struct rule_proof {
	const struct table *table;
	struct resolve_options options;
	struct proof_findings *findings;
	struct table_pattern pattern;
	uint64_t number;
	struct arena arena; /* of one address */
	struct buffer text;
};

/* Would the administrator want to know, whatever the address? */
static bool is_fault(enum reason reason)
{
	return reason == REASON_LOOP || reason == REASON_LIMIT || reason == REASON_TEMPLATE ||
	       reason == REASON_BROKEN;
}

static void add_fault(struct rule_proof *proof, const struct resolution *resolution,
		      const char *what, struct bytes address)
{
	struct buffer text;

	buffer_init(&text, TEXT_BYTES_MAX);
	(void)reason_print(proof->table, resolution->reason, &resolution->detail, &text);
	(void)buffer_append_text(&text, what); /* without memory it shows below, as above */
	(void)address_escape(address, true, &text);
	proof->findings->has_failed |= text.was_short_of_memory;
	proof_findings_add(proof->findings, proof->pattern.global_line, WARNING_LENIENT,
			   BYTES_FORMAT, BYTES_ARGS(buffer_bytes(&text)));
	buffer_free(&text);
}

static void prove_target(struct rule_proof *proof, const struct address *target)
{
	struct resolution resolution;
	struct buffer shown;

	resolve_address(proof->table, &proof->options, target, &proof->arena, &resolution);
	proof->findings->has_failed |= resolution.reason == REASON_MEMORY;
	if (resolution.verdict == VERDICT_UNKNOWN || resolution.reason == REASON_DEAD_END)
		proof_findings_add(proof->findings, proof->pattern.global_line, WARNING_DANGLING,
				   "target " BYTES_FORMAT "%s" BYTES_FORMAT
				   " could only bounce: no key of ours delivers it",
				   BYTES_ARGS(target->local), target->domain.size > 0 ? "@" : "",
				   BYTES_ARGS(target->domain));
	if (!is_fault(resolution.reason))
		return;
	buffer_init(&shown, ADDRESS_TEXT_MAX);
	if (!address_print(target, &shown))
		(void)buffer_append_text(&shown, "?"); /* without memory it shows below */
	proof->findings->has_failed |= shown.was_short_of_memory;
	add_fault(proof, &resolution, ": target ", buffer_bytes(&shown));
	buffer_free(&shown);
}

/* LIST has no groups in it. *OUT_KEEPS_USER: but there is a `@other`. */
static void prove_targets(struct rule_proof *proof, struct bytes list, bool *out_keeps_user)
{
	struct address_target target;
	enum address_list_step step;

	while ((step = address_list_next(&list, &proof->arena, &target, NULL)) ==
	       ADDRESS_LIST_TARGET) {
		*out_keeps_user |= target.keeps_user;
		if (!target.keeps_user)
			prove_target(proof, &target.address);
	}
	proof->findings->has_failed |= step == ADDRESS_LIST_NO_MEMORY;
}

/* Put VALUE without `$$` into the text. False: it has groups. */
static bool fill_plain(struct rule_proof *proof, struct bytes value)
{
	struct template_piece piece;
	enum template_step step;

	buffer_clear(&proof->text);
	while ((step = template_next(&value, &piece)) == TEMPLATE_TEXT)
		(void)buffer_append(&proof->text, piece.text); /* looked at below */
	proof->findings->has_failed |= proof->text.was_short_of_memory;
	return step == TEMPLATE_END && !proof->text.has_failed;
}

/* ---- an address that a rule is about ----------------------------------------------------------
 */

/* Is PLACE that of the rule? */
static bool is_of_rule(const struct rule_proof *proof, uint64_t place)
{
	const struct table_entry entry = { .place = place };
	uint32_t line;

	return place != 0 && table_provenance_line(proof->table, &entry, &line) == LOOKUP_FOUND &&
	       line == proof->pattern.global_line;
}

/* The text becomes a guess at an address, in DOMAIN where the expression says none. */
static void make_address(struct rule_proof *proof, const struct sample_style *style,
			 struct bytes domain)
{
	struct buffer *text = &proof->text;
	struct buffer sample;
	struct bytes made;

	buffer_init(&sample, SAMPLE_BYTES_MAX);
	buffer_clear(text);
	if ((proof->pattern.flags & TABLE_PATTERN_NEGATED) != 0 ||
	    !pattern_sample_make(proof->pattern.expression, style, &sample))
		buffer_clear(&sample);
	made = buffer_bytes(&sample);
	/* What fails shows below. */
	if (made.size == 0 || made.data[0] == '@')
		(void)buffer_append_byte(text, style->filler);
	(void)buffer_append(text, made);
	if (!bytes_contain(buffer_bytes(text), '@'))
		(void)buffer_append_byte(text, '@');
	if (text->size > 0 && text->data[text->size - 1] == '@')
		(void)buffer_append(text, domain);
	if (text->size > 0 && text->data[text->size - 1] == '.')
		(void)buffer_append_text(text, "test");
	proof->findings->has_failed |= sample.was_short_of_memory || text->was_short_of_memory;
	buffer_free(&sample);
}

/* Is the address in the text the rule's? Then it was told what is wrong with it. */
static bool prove_sample(struct rule_proof *proof)
{
	struct bytes address = buffer_bytes(&proof->text);
	struct resolution resolution;
	uint64_t steps;

	if (table_try_pattern(proof->table, proof->number, address, &steps) != PATTERN_FOUND)
		return false;
	arena_clear(&proof->arena);
	resolve(proof->table, &proof->options, address, &proof->arena, NULL, &resolution);
	proof->findings->has_failed |= resolution.reason == REASON_MEMORY;
	if (!is_of_rule(proof,
			resolution.has_entry ? resolution.entry.place : resolution.detail.place))
		return false;
	if (is_fault(resolution.reason))
		add_fault(proof, &resolution, ": ", address);
	return true;
}

/* The same with each way to make one, in our domains, until one is the rule's. */
static bool prove_samples(struct rule_proof *proof)
{
	static const struct sample_style styles[] = {
		{ 'x', false }, { 'a', false }, { '1', false }, { 'q', true }, { '-', false },
	};
	struct table_domain domain = { .name = bytes_of("elsewhere.invalid") };
	uint64_t position = 0;

	for (int asked = 0; asked < SAMPLE_DOMAINS_MAX; asked++) {
		for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
			make_address(proof, &styles[i], domain.name);
			if (prove_sample(proof))
				return true;
		}
		do
			if (table_next_domain(proof->table, &position, &domain) != LOOKUP_FOUND)
				return false;
		while ((domain.flags & TABLE_DOMAIN_OURS) == 0);
	}
	return false;
}

static void prove_result(struct rule_proof *proof)
{
	bool depends = true;

	arena_clear(&proof->arena);
	if (fill_plain(proof, proof->pattern.value)) {
		depends = false;
		prove_targets(proof, buffer_bytes(&proof->text), &depends);
	}
	if (depends && !prove_samples(proof))
		proof_findings_add(proof->findings, proof->pattern.global_line, WARNING_UNPROVED,
				   "can't be proved: no address was found that comes to this "
				   "pattern; ask rcptmap resolve for one");
}

/* ---- cost -------------------------------------------------------------------------------------
 */

/* False: it costs too much, which has been told. */
static bool prove_cost(struct rule_proof *proof)
{
	static const struct sample_style style = { 'x', false };
	struct pattern_cost cost = { .steps = 0 };

	make_address(proof, &style, bytes_of("elsewhere.invalid"));
	pattern_cost_of_rule(proof->table, proof->number, buffer_bytes(&proof->text), &cost);
	proof->findings->has_failed |= cost.has_failed;
	if (cost.steps <= PATTERN_COSTLY_STEPS)
		return true;
	proof_findings_add(proof->findings, proof->pattern.global_line, WARNING_LENIENT,
			   "the pattern takes more than %d steps for an address like %s: mail to "
			   "such a one would be deferred",
			   (int)PATTERN_COSTLY_STEPS, cost.address);
	return false;
}

/* Rules that are bearable one by one may be too many. */
static void prove_cost_of_all(struct rule_proof *proof)
{
	struct pattern_cost cost = { .steps = 0 };
	struct table_domain domain = { .flags = 0 };
	uint64_t position = 0;

	while ((domain.flags & TABLE_DOMAIN_OURS) == 0)
		if (table_next_domain(proof->table, &position, &domain) != LOOKUP_FOUND)
			domain = (struct table_domain){ .flags = TABLE_DOMAIN_OURS,
							.name = bytes_of("elsewhere.invalid") };
	buffer_clear(&proof->text);
	(void)buffer_append_text(&proof->text, "x@"); /* what fails shows below */
	(void)buffer_append(&proof->text, domain.name);
	pattern_cost_of_all(proof->table, buffer_bytes(&proof->text), &cost);
	proof->findings->has_failed |= cost.has_failed || proof->text.was_short_of_memory;
	if (cost.given_up != 0)
		proof_findings_add(proof->findings, cost.given_up, WARNING_LENIENT,
				   "the patterns up to this one take more than %d steps together "
				   "for an address like %s: mail to such a one would be deferred",
				   (int)PATTERN_BUDGET_STEPS, cost.address);
}

/* ---- all rules --------------------------------------------------------------------------------
 */

void prove_patterns(const struct table *table, const struct resolve_limits *limits,
		    struct proof_findings *findings)
{
	struct rule_proof proof = {
		.table = table,
		.options = { .limits = limits, .has_smtputf8 = true },
		.findings = findings,
	};
	bool is_costly = false;

	if (!table_has_patterns(table))
		return;
	warn_of_everybody(table, findings);
	arena_init(&proof.arena, ARENA_BYTES);
	buffer_init(&proof.text, TEXT_BYTES_MAX);
	for (uint64_t next = 0; table_next_pattern(table, &next, &proof.pattern) == LOOKUP_FOUND;
	     proof.number = next) {
		if (proof.pattern.kind == TABLE_PATTERN_ENDIF)
			continue;
		is_costly |= !prove_cost(&proof);
		if (proof.pattern.kind == TABLE_PATTERN_RULE &&
		    proof.pattern.result == TABLE_ENTRY_TARGETS)
			prove_result(&proof);
	}
	if (!is_costly)
		prove_cost_of_all(&proof);
	buffer_free(&proof.text);
	arena_free(&proof.arena);
}
