/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/explain_tree.h"

#include "show/print.h"

/* What the appends below can't do, their buffer remembers; end_item() hands it on to the tree. */
static void put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text);
}

/* ---- one item ---------------------------------------------------------------------------- */

static void item_clear(struct explain_item *item)
{
	buffer_clear(&item->id);
	buffer_clear(&item->label);
	buffer_clear(&item->place);
	buffer_clear(&item->found);
	buffer_clear(&item->tried);
	buffer_clear(&item->note);
	item->first_tried = 0;
	item->is_found = false;
}

static void item_take_failures(struct explain_item *item, struct buffer *to)
{
	buffer_take_failure(to, &item->id);
	buffer_take_failure(to, &item->label);
	buffer_take_failure(to, &item->place);
	buffer_take_failure(to, &item->found);
	buffer_take_failure(to, &item->tried);
	buffer_take_failure(to, &item->note);
}

/* LOCAL@DOMAIN as a key, and as one field of one line. */
static void put_key_field(struct explain_tree *tree, struct bytes local, struct bytes domain,
			  struct buffer *out)
{
	buffer_clear(&tree->scratch);
	print_key(local, domain, &tree->scratch);
	buffer_take_failure(out, &tree->scratch);
	print_field(buffer_bytes(&tree->scratch), out);
}

static void put_address(struct explain_tree *tree, const struct address *address,
			struct buffer *out)
{
	buffer_clear(&tree->scratch);
	print_address(address->local, address->domain, &tree->scratch);
	buffer_take_failure(out, &tree->scratch);
	print_field(buffer_bytes(&tree->scratch), out);
}

static void put_place(struct explain_tree *tree, const struct table_entry *entry)
{
	if (entry != NULL)
		(void)print_place(tree->table, entry, &tree->item.place); /* empty: not known */
}

static void begin_item(struct explain_tree *tree, size_t level, enum tree_kind kind)
{
	item_clear(&tree->item);
	tree->item.level = level;
	tree->item.kind = kind;
}

/* A further remark, apart from those before. */
static void note(struct explain_tree *tree, const char *text)
{
	if (tree->item.note.size > 0)
		put(&tree->item.note, "; ");
	put(&tree->item.note, text);
}

/* Nothing more is to be learnt of the item at hand. */
static void end_item(struct explain_tree *tree)
{
	struct explain_item *item = &tree->item;
	struct buffer text;

	buffer_init(&text, SIZE_MAX / 4);
	if (item->found.size > 0) {
		put(&text, "by ");
		(void)buffer_append(&text, buffer_bytes(&item->found)); /* the buffer knows */
	}
	if (item->note.size > 0) {
		put(&text, text.size > 0 ? "; " : "");
		(void)buffer_append(&text, buffer_bytes(&item->note)); /* likewise */
	}
	if (item->tried.size > 0) {
		put(&text, text.size > 0 ? "; not found: " : "not found: ");
		(void)buffer_append(&text, buffer_bytes(&item->tried)); /* likewise */
	}
	tree_add(&tree->tree, &(struct tree_item){
				      .level = item->level,
				      .id = buffer_bytes(&item->id),
				      .label = buffer_bytes(&item->label),
				      .place = buffer_bytes(&item->place),
				      .note = buffer_bytes(&text),
				      .kind = item->kind,
			      });
	item_take_failures(item, &tree->tree.texts);
	buffer_take_failure(&tree->tree.texts, &text);
	buffer_free(&text);
}

/* ---- what resolve() tells ----------------------------------------------------------------- */

static void add_tried(struct explain_tree *tree, struct bytes local, struct bytes domain)
{
	struct buffer *tried = &tree->item.tried;
	size_t begin;

	if (tried->size > 0)
		put(tried, ", ");
	begin = tried->size;
	put_key_field(tree, local, domain, tried);
	if (tree->item.first_tried == 0)
		tree->item.first_tried = tried->size;
	/* With patterns the whole key is asked for twice. */
	else if (bytes_equal(bytes_make(tried->data, tree->item.first_tried),
			     bytes_make(tried->data + begin, tried->size - begin)))
		tried->size = begin - 2;
}

static void add_found(struct explain_tree *tree, struct bytes local, struct bytes domain,
		      enum lookup found, const struct table_entry *entry)
{
	struct explain_item *item = &tree->item;

	item->is_found = true;
	buffer_clear(&item->found);
	buffer_clear(&item->place);
	buffer_clear(&item->note);
	put_key_field(tree, local, domain, &item->found);
	if (bytes_equal_ascii_nocase(buffer_bytes(&item->found), buffer_bytes(&item->label)))
		buffer_clear(&item->found);
	put_place(tree, entry);
	if (found == LOOKUP_BROKEN || entry == NULL) {
		note(tree, "can't be told: the table is damaged, or memory is short");
		item->kind = TREE_NOWHERE;
	} else if (entry->kind != TABLE_ENTRY_TARGETS) {
		if (print_value(tree->table, entry, &item->note) != LOOKUP_FOUND)
			note(tree, "can't be told: the table is damaged");
		item->kind = item->level == 0 ? TREE_ROOT : TREE_NOWHERE;
	} else if (item->level > 0) {
		item->kind = TREE_WAY;
	}
}

static void add_step(void *context, struct bytes key_local, struct bytes key_domain,
		     enum lookup found, const struct table_entry *entry)
{
	struct explain_tree *tree = context;

	if (found == LOOKUP_ABSENT)
		add_tried(tree, key_local, key_domain);
	else
		add_found(tree, key_local, key_domain, found, entry);
}

static void add_target(void *context, size_t level, const struct address *target,
		       struct bytes key_local, enum target_turn turn)
{
	struct explain_tree *tree = context;
	struct explain_item *item = &tree->item;

	if (level > 0) {
		end_item(tree);
		begin_item(tree, level, TREE_RECIPIENT);
		put_address(tree, target, &item->label);
	}
	buffer_clear(&item->id);
	put_key_field(tree, key_local, target->domain, &item->id);
	if (turn == TARGET_REPEATED) {
		item->kind = TREE_REPEATED;
		note(tree, "see above");
	} else if (turn == TARGET_ITSELF) {
		item->kind = TREE_ITSELF;
		note(tree, "itself");
	}
}

static void add_spoiled(void *context, const struct address *target,
			const struct table_entry *entry)
{
	struct explain_tree *tree = context;

	(void)target; /* it is the item at hand */
	if (tree->item.place.size == 0)
		put_place(tree, entry);
	note(tree, "the pattern makes no address of it");
	tree->item.kind = TREE_NOWHERE;
}

static void add_dead_end(void *context, const struct address *target,
			 const struct table_entry *entry)
{
	struct explain_tree *tree = context;

	(void)target; /* likewise */
	(void)entry;
	if (table_rules(tree->table)->keeps_dead_ends) {
		note(tree, "could only bounce, if it is no mailbox");
		return;
	}
	note(tree, "could only bounce: left out");
	tree->item.kind = TREE_NOWHERE;
}

void explain_tree_end(struct explain_tree *tree, const struct resolution *resolution)
{
	static const char *const words[] = {
		[VERDICT_FOREIGN] = "not ours",
		[VERDICT_DELIVER] = "",
		[VERDICT_EXPAND] = "",
		[VERDICT_REFUSED] = "refused",
		[VERDICT_UNKNOWN] = "no such user",
		[VERDICT_DEFER] = "deferred",
		[VERDICT_DISCARD] = "",
	};
	bool is_alone = tree->item.level == 0;

	if (resolution->verdict == VERDICT_DEFER && !is_alone && tree->item.kind != TREE_REPEATED)
		tree->item.kind = TREE_NOWHERE;
	if (resolution->verdict == VERDICT_DEFER || (is_alone && !tree->item.is_found))
		if (words[resolution->verdict][0] != '\0')
			note(tree, words[resolution->verdict]);
	end_item(tree);
}

void explain_tree_begin(struct explain_tree *tree, struct bytes text)
{
	tree_clear(&tree->tree);
	begin_item(tree, 0, TREE_ROOT);
	print_field(text, &tree->item.label);
	print_field(text, &tree->item.id);
}

void explain_tree_init(struct explain_tree *tree, const struct table *table,
		       struct resolve_options *options)
{
	*tree = (struct explain_tree){ .table = table };
	tree_init(&tree->tree);
	buffer_init(&tree->scratch, SIZE_MAX / 4);
	buffer_init(&tree->item.id, SIZE_MAX / 4);
	buffer_init(&tree->item.label, SIZE_MAX / 4);
	buffer_init(&tree->item.place, SIZE_MAX / 4);
	buffer_init(&tree->item.found, SIZE_MAX / 4);
	buffer_init(&tree->item.tried, SIZE_MAX / 4);
	buffer_init(&tree->item.note, SIZE_MAX / 4);
	options->on_step = add_step;
	options->on_target = add_target;
	options->on_spoiled = add_spoiled;
	options->on_dead_end = add_dead_end;
	options->context = tree;
}

void explain_tree_free(struct explain_tree *tree)
{
	tree_free(&tree->tree);
	buffer_free(&tree->scratch);
	buffer_free(&tree->item.id);
	buffer_free(&tree->item.label);
	buffer_free(&tree->item.place);
	buffer_free(&tree->item.found);
	buffer_free(&tree->item.tried);
	buffer_free(&tree->item.note);
}
