/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mirror answers in place of a directory, and when it answers nothing. */
#include "mirror/copied_entry.h"
#include "mirror/journal.h"
#include "mirror/mirror_reader.h"
#include "mirror/mirror_recorder.h"

#include "scratch.h"

#define ID_1 "0a000000-0000-0000-0000-000000000001"
#define ID_2 "0A000000-0000-0000-0000-000000000002"
#define ID_3 "0a000000-0000-0000-0000-000000000003"

static const char *const attributes[] = { "mail", "maildrop", NULL };
static const char *const others[] = { "mail", NULL };
static const struct directory_options options = { .uris = "ldap://a.example" };
static struct directory_search searches[] = {
	{ .base = "dc=test", .filter = "(mail=*)", .attributes = attributes },
	{ .base = "dc=test", .filter = "(uid=*)", .attributes = attributes },
};

enum { SEARCHES = sizeof(searches) / sizeof(searches[0]) };

static struct mirrors mirrors;
static struct journal journal;
static struct mirror_recorder recorder;

static int begin(void **state)
{
	struct error err;

	if (scratch_begin(state) != 0)
		return -1;
	mirrors = (struct mirrors){ .count = 1 };
	if (!mirror_open(&mirrors.items[0], scratch_folder, &err))
		return -1;
	journal_init(&journal, &mirrors.items[0], "main", &options, searches, SEARCHES);
	mirror_recorder_init(&recorder, &mirrors, "main", &options);
	return 0;
}

static int end(void **state)
{
	journal_end(&journal);
	mirror_recorder_free(&recorder);
	mirror_close(&mirrors.items[0]);
	return scratch_end(state);
}

/* ---- what is told ------------------------------------------------------------------------- */

static void change_any(void)
{
	const struct directory_change any = { .kind = DIRECTORY_CHANGE_ANY };

	journal_change(&journal, &any);
}

/* The entry with the last digit LAST of its id; VALUE NULL: it is gone. */
static void change(size_t search, int last, const char *value)
{
	char id[DIRECTORY_ID_BYTES] = { 0x0a };
	struct bytes text = value != NULL ? bytes_of(value) : bytes_make("", 0);
	struct directory_attribute mail = { bytes_of("mail"), &text, 1 };
	struct directory_entry entry = { bytes_of("cn=changed"), &mail, 1 };
	struct directory_change one = { .kind = DIRECTORY_CHANGE_ENTRY,
					.search = search,
					.entry = value != NULL ? &entry : NULL };

	id[DIRECTORY_ID_BYTES - 1] = (char)last;
	one.id = bytes_make(id, sizeof(id));
	journal_change(&journal, &one);
}

/* As a server gives it, with the names that were asked for since it is copied. */
static void record(const char *id, const char *value)
{
	struct bytes values[] = { bytes_of(value), bytes_make("n\0l", 3), bytes_of(id) };
	struct directory_attribute all[] = { { bytes_of("mail"), &values[0], 2 },
					     { bytes_of("entryUUID"), &values[2], 1 } };
	struct directory_entry entry = { bytes_of("cn=recorded"), all, 2 };

	mirror_recorder_add(&recorder, &entry);
}

/* Entries 1 and 2 by the first search, 1 and 3 by the second one. */
static bool record_all(void)
{
	mirror_recorder_begin(&recorder);
	if (!mirror_recorder_search(&recorder, &searches[0]))
		return false;
	record(ID_1, "one");
	record(ID_2, "two");
	if (!mirror_recorder_search(&recorder, &searches[1]))
		return false;
	record(ID_1, "one");
	record(ID_3, "three");
	/* Asked once more, it is the same. */
	assert_false(mirror_recorder_search(&recorder, &searches[0]));
	record(ID_1, "one");
	return mirror_recorder_end(&recorder);
}

/* ---- what is answered --------------------------------------------------------------------- */

/* The first value of each entry that the search at PLACE finds, with commas between them; "-": it
 * isn't answered. */
static const char *answer_of(struct mirror_reader *reader, size_t place)
{
	static char text[200];
	struct directory_entry entry;
	enum directory_step step;

	text[0] = '\0';
	if (!mirror_reader_search(reader, &searches[place]))
		return "-";
	while ((step = mirror_reader_next(reader, &entry)) == DIRECTORY_ENTRY) {
		size_t used = strlen(text);

		assert_int_equal(entry.count, 1); /* the others were only for the copy */
		assert_true(bytes_equal(entry.attributes[0].name, bytes_of("mail")));
		(void)snprintf(text + used, sizeof(text) - used, "%s" BYTES_FORMAT,
			       used > 0 ? "," : "", BYTES_ARGS(entry.attributes[0].values[0]));
	}
	return step == DIRECTORY_END ? text : "-";
}

static const char *answer(size_t place)
{
	struct mirror_reader *reader = mirror_reader_new(&mirrors, "main", &options);
	const char *text;

	assert_non_null(reader);
	text = answer_of(reader, place);
	mirror_reader_free(reader);
	return text;
}

static void what_was_recorded_is_answered(void **state)
{
	struct mirror_reader *reader;
	struct directory_entry entry;

	(void)state;
	change_any();
	assert_true(record_all());
	assert_string_equal(answer(0), "one,two");
	assert_string_equal(answer(1), "one,three");
	reader = mirror_reader_new(&mirrors, "main", &options);
	assert_true(mirror_reader_search(reader, &searches[0]));
	assert_int_equal(mirror_reader_next(reader, &entry), DIRECTORY_ENTRY);
	assert_true(bytes_equal(entry.name, bytes_of("cn=recorded")));
	assert_int_equal(entry.attributes[0].count, 2);
	assert_true(bytes_equal(entry.attributes[0].values[1], bytes_make("n\0l", 3)));
	mirror_reader_free(reader);
}

static void what_has_changed_takes_its_place(void **state)
{
	(void)state;
	change_any();
	assert_true(record_all());
	assert_string_equal(answer(0), "one,two");
	change(0, 1, "1st");
	change(0, 7, "new");
	assert_string_equal(answer(0), "two,1st,new");
	assert_string_equal(answer(1), "one,three"); /* of which nothing was told */
	change(0, 7, NULL);
	change(0, 2, NULL);
	assert_string_equal(answer(0), "1st");
	change(0, 7, "back");
	change(1, 1, NULL);
	assert_string_equal(answer(0), "1st,back");
	assert_string_equal(answer(1), "three");
}

/* What was told before all was read is told again by what comes after it. */
static void what_is_told_counts_whenever_it_was_read(void **state)
{
	(void)state;
	change_any();
	change(0, 2, "old");
	assert_true(record_all());
	assert_string_equal(answer(0), "one,old");
	change(0, 2, "two");
	assert_string_equal(answer(0), "one,two");
}

/* The second has some of the searches of the first, on the same server. */
static void two_sources_have_a_mirror_each(void **state)
{
	struct journal second;
	struct mirror_recorder other;
	struct mirror_reader *reader;
	struct error err;

	(void)state;
	mirrors.count = 2;
	assert_true(mirror_open(&mirrors.items[1], scratch_folder, &err));
	journal_init(&second, &mirrors.items[1], "second", &options, searches, 1);
	mirror_recorder_init(&other, &mirrors, "second", &options);
	change_any();
	journal_change(&second, &(struct directory_change){ .kind = DIRECTORY_CHANGE_ANY });
	assert_true(record_all());
	mirror_recorder_begin(&other);
	assert_true(mirror_recorder_search(&other, &searches[0]));
	assert_true(mirror_recorder_end(&other));
	assert_string_equal(answer(0), "one,two");
	assert_string_equal(answer(1), "one,three");
	reader = mirror_reader_new(&mirrors, "second", &options);
	assert_string_equal(answer_of(reader, 0), "");
	mirror_reader_free(reader);
	mirror_recorder_free(&other);
	journal_end(&second);
	mirror_close(&mirrors.items[1]);
}

static void all_searches_see_one_state(void **state)
{
	struct mirror_reader *reader;

	(void)state;
	change_any();
	assert_true(record_all());
	reader = mirror_reader_new(&mirrors, "main", &options);
	assert_string_equal(answer_of(reader, 0), "one,two");
	change(1, 3, "later");
	assert_string_equal(answer_of(reader, 1), "one,three");
	assert_string_equal(answer_of(reader, 0), "one,two");
	mirror_reader_free(reader);
	assert_string_equal(answer(1), "one,later");
}

static void without_a_journal_nothing_is_recorded(void **state)
{
	(void)state;
	assert_false(record_all());
	assert_string_equal(answer(0), "-");
	change(0, 1, "not begun");
	assert_string_equal(answer(0), "-");
}

static void a_base_is_good_for_its_journal_alone(void **state)
{
	(void)state;
	change_any();
	assert_true(record_all());
	change_any(); /* something that wasn't told */
	assert_string_equal(answer(0), "-");
	assert_true(record_all());
	assert_string_equal(answer(0), "one,two");
	mirror_forget(&mirrors.items[0]);
	assert_string_equal(answer(0), "-");
}

static void a_journal_that_begins_while_all_is_read_is_another_one(void **state)
{
	(void)state;
	change_any();
	mirror_recorder_begin(&recorder);
	assert_true(mirror_recorder_search(&recorder, &searches[0]));
	record(ID_1, "one");
	change_any();
	assert_true(mirror_recorder_search(&recorder, &searches[1]));
	assert_true(mirror_recorder_end(&recorder));
	assert_string_equal(answer(0), "-");
}

static void what_is_not_whole_is_no_base(void **state)
{
	(void)state;
	change_any();
	assert_true(record_all());
	mirror_recorder_begin(&recorder);
	assert_true(mirror_recorder_search(&recorder, &searches[0]));
	assert_string_equal(answer(0), "-"); /* nor is the one before */
	record(ID_1, "one");
	assert_false(mirror_recorder_end(&recorder)); /* without the other search */
	assert_string_equal(answer(0), "-");
	mirror_recorder_begin(&recorder);
	assert_true(mirror_recorder_search(&recorder, &searches[0]));
	record("no name", "one");
	assert_false(mirror_recorder_search(&recorder, &searches[1]));
	assert_false(mirror_recorder_end(&recorder));
	assert_string_equal(answer(0), "-");
	assert_true(record_all());
	assert_int_equal(ftruncate(mirrors.items[0].base_fd, 5000), 0);
	assert_string_equal(answer(0), "-");
}

/* One that ends early, or counts more values than it has room for, is none. */
static void an_entry_that_is_not_whole_is_damaged(void **state)
{
	const uint32_t counts[] = { 2, 3, UINT32_MAX };
	const struct copied_entry record = { .id = bytes_make("0123456789abcdef", 16) };
	struct bytes values[] = { bytes_of("one"), bytes_of("two") };
	struct directory_attribute mail = { bytes_of("mail"), values, 2 };
	const struct directory_entry entry = { bytes_of("cn=a"), &mail, 1 };
	struct directory_entry unpacked;
	struct copied_entry read;
	struct buffer bytes;
	struct bytes rest, whole;
	struct arena arena;
	char *count;

	(void)state;
	arena_init(&arena, 1 << 20);
	buffer_init(&bytes, 1 << 10);
	assert_true(copied_entry_put(&record, &entry, &bytes));
	for (size_t size = 1; size < bytes.size; size++) {
		rest = bytes_first(buffer_bytes(&bytes), size);
		assert_int_equal(copied_entry_next(&rest, &read), COPIED_ENTRY_DAMAGED);
	}
	rest = buffer_bytes(&bytes);
	assert_int_equal(copied_entry_next(&rest, &read), COPIED_ENTRY_FOUND);
	assert_int_equal(copied_entry_next(&rest, &(struct copied_entry){ .search = 0 }),
			 COPIED_ENTRY_END);
	assert_true(copied_entry_unpack(&read, &arena, &unpacked));
	whole = read.content;
	for (size_t size = 0; size < whole.size; size++) {
		read.content = bytes_first(whole, size);
		assert_false(copied_entry_unpack(&read, &arena, &unpacked));
	}
	read.content = whole;
	count = (char *)memmem(bytes.data, bytes.size, "mail", 4) + 4;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		memcpy(count, &counts[i], sizeof(counts[i]));
		assert_true(copied_entry_unpack(&read, &arena, &unpacked) == (counts[i] == 2));
	}
	buffer_free(&bytes);
	arena_free(&arena);
}

/* Whatever stands there, nothing is read beyond it. */
static void bytes_of_chance_do_no_harm(void **state)
{
	int fd = mirrors.items[0].base_fd;
	off_t end;

	(void)state;
	change_any();
	assert_true(record_all());
	change(0, 1, "1st");
	end = lseek(fd, 0, SEEK_END);
	for (off_t at = 4096; at < end; at++) {
		unsigned char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		for (unsigned bit = 1; bit < 0x100; bit <<= 1) {
			struct mirror_reader *reader =
				mirror_reader_new(&mirrors, "main", &options);
			unsigned char other = (unsigned char)(byte ^ bit);
			struct directory_entry entry;
			size_t count = 0;

			assert_int_equal(pwrite(fd, &other, 1, at), 1);
			assert_true(mirror_reader_search(reader, &searches[0]));
			while (mirror_reader_next(reader, &entry) == DIRECTORY_ENTRY)
				count += entry.count;
			assert_true(count < 10);
			mirror_reader_free(reader);
		}
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_string_equal(answer(0), "two,1st");
}

static void other_searches_are_not_answered(void **state)
{
	const struct directory_options other = { .uris = "ldap://b.example" };
	struct directory_search search = searches[0];
	struct mirror_reader *reader;

	(void)state;
	change_any();
	assert_true(record_all());
	reader = mirror_reader_new(&mirrors, "main", &other);
	assert_string_equal(answer_of(reader, 0), "-");
	mirror_reader_free(reader);
	search.attributes = others;
	reader = mirror_reader_new(&mirrors, "main", &options);
	assert_false(mirror_reader_search(reader, &search));
	mirror_reader_free(reader);
	mirror_recorder_begin(&recorder);
	assert_false(mirror_recorder_search(&recorder, &search));
	assert_false(mirror_recorder_end(&recorder));
}

/* A search of the base alone isn't that of all below it. */
static void the_scope_counts(void **state)
{
	struct directory_search narrow = searches[0];

	(void)state;
	narrow.scope = DIRECTORY_SCOPE_ONE;
	assert_true(mirror_search_id("main", &options, &narrow) !=
		    mirror_search_id("main", &options, &searches[0]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_recorded_is_answered),
		TEST(what_has_changed_takes_its_place),
		TEST(what_is_told_counts_whenever_it_was_read),
		TEST(two_sources_have_a_mirror_each),
		TEST(all_searches_see_one_state),
		TEST(without_a_journal_nothing_is_recorded),
		TEST(a_base_is_good_for_its_journal_alone),
		TEST(a_journal_that_begins_while_all_is_read_is_another_one),
		TEST(what_is_not_whole_is_no_base),
		TEST(an_entry_that_is_not_whole_is_damaged),
		TEST(bytes_of_chance_do_no_harm),
		TEST(other_searches_are_not_answered),
		TEST(the_scope_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
