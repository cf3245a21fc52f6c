/*
 * stages_test.c
 *    Where schema changes divide the changes that wait, and the order in which
 *    they are taken.
 *
 * A test writes what comes as a word: ( and ) begin and commit a transaction, r
 * is a row, s a schema change, * a row whose table, 7, is rewritten, S a schema
 * change of that table.  What is taken is written down in the same way; { is a
 * set of schema changes, and | stands between what is handed out one after the
 * other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sink/postgres/plan/stages.h"

static int frames_alive;
static uint32_t xid_last;

static void
count_down(void *memory)
{
	frames_alive -= *(int *) memory;
}

static void
add(Stages *stages, ChangeKind kind, uint32_t oid)
{
	static int one = 1;
	Arena *arena = arena_new(KB);
	Frame *frame = arena_calloc(arena, 1, sizeof(Frame));
	Change *change = arena_calloc(arena, 1, sizeof(Change));

	frame->arena = arena;
	frame->references = 1;
	frame->message = &one;
	frame->message_free = count_down;
	frames_alive++;
	change->kind = kind;
	if (kind == CHANGE_TRUNCATE)
		change->truncate = arena_calloc(arena, 1, sizeof(TruncateInfo));
	if (kind == CHANGE_SCHEMA)
		change->schema = arena_dup(
			arena, &(SchemaChange){.oid = oid, .catalog = DEFINITION_IN_CLASS},
			sizeof(SchemaChange));
	stages_add(stages, frame, change);
	frame_unref(frame);
}

static void
give(Stages *stages, const char *word)
{
	for (; *word != '\0'; word++)
		switch (*word)
		{
			case '(':
				xid_last++;
				stages_begin(stages,
							 &(TxnInfo){.xid = xid_last, .end_lsn = xid_last});
				break;
			case ')':
				stages_commit(stages);
				break;
			case 's':
				add(stages, CHANGE_SCHEMA, 1);
				break;
			case 'S':
				add(stages, CHANGE_SCHEMA, 7);
				break;
			case '*':
				stages_note_rewritten(stages, 7);
				add(stages, CHANGE_TRUNCATE, 0);
				break;
			default:
				add(stages, CHANGE_INSERT, 0);
		}
}

/* As the applier does: complete transactions first, then a part of the last. */
static void
take_batch(Stages *stages, Buf *taken)
{
	Batch *batch = stages_batch(stages);
	Batch own = *batch;

	*batch = (Batch){0};
	batch_split_incomplete(&own, batch);
	batch_continue(&own, batch);
	for (size_t t = 0; t < own.txn_count; t++)
	{
		if (t > 0 || !own.continues)
			buf_append_char(taken, '(');
		for (size_t c = own.txns[t].change_first; c < batch_txn_end(&own, t);
			 c++)
			buf_append_char(
				taken, own.changes[c]->kind == CHANGE_TRUNCATE ? '*' : 'r');
		if (own.txns[t].complete)
			buf_append_char(taken, ')');
	}
	batch_release(&own);
}

static bool
has_batch(Stages *stages)
{
	const Batch *batch = stages_batch(stages);

	return batch_complete_count(batch) > 0 || batch->change_count > 0;
}

/* Everything that is to be had, as a word. */
static void
take_all(Stages *stages, Buf *taken)
{
	for (;;)
	{
		const SchemaSet *schema = stages_schema(stages, false);

		if (schema == NULL && !has_batch(stages))
			return;
		if (taken->length > 0)
			buf_append_char(taken, '|');
		if (schema == NULL)
		{
			take_batch(stages, taken);
			continue;
		}
		buf_append_char(taken, '{');
		for (size_t i = 0; i < schema->count; i++)
			buf_append_char(taken, 's');
		if (schema->rewritten != 0)
			buf_append_char(taken, '!');
		stages_schema_done(stages);
	}
}

/* Whether it comes at once, or is taken word by word. */
static void
gives(const char *word, const char *expected)
{
	Stages *stages = stages_new();
	Buf taken;

	buf_init(&taken, BUF_TEXT_MAX);
	give(stages, word);
	take_all(stages, &taken);
	assert_string_equal(taken.data, expected);
	buf_release(&taken);
	stages_free(stages);
	assert_int_equal(frames_alive, 0);
}

static void
without_schema_changes_there_is_one_batch(void **state UNUSED)
{
	gives("(rr)(r)(rrr)", "(rr)(r)(rrr)");
	gives("(rr)(r", "(rr)|(r");
}

/* What continues a transaction has no ( here: it is in the same one. */
static void
a_transaction_is_cut_where_its_schema_changes(void **state UNUSED)
{
	gives("(s)", "{s|)");
	gives("(ssr)", "{ss|r)");
	gives("(rs)", "(r|{s|)");
	gives("(rsrsr)", "(r|{s|r|{s|r)");
	gives("(srr)", "{s|rr)");
	gives("(s*r)", "{s!|*r)");
}

static void
it_is_alone(void **state UNUSED)
{
	gives("(r)(s)(r)", "(r)|{s|)|(r)");
	gives("(r)(r)(rs)(r)(r)", "(r)(r)|(r|{s|)|(r)(r)");
	gives("(s)(s)", "{s|)|{s|)");
	gives("(r)(sr)(s)(r)", "(r)|{s|r)|{s|)|(r)");
}

/* More of a set may come, unless somebody cannot wait. */
static void
a_set_waits_for_its_end(void **state UNUSED)
{
	Stages *stages = stages_new();
	const SchemaSet *taken;

	give(stages, "(s");
	assert_null(stages_schema(stages, false));
	taken = stages_schema(stages, true);
	assert_int_equal(taken->count, 1);
	assert_true(taken->is_hurried);
	assert_false(stages_is_empty(stages));
	assert_true(stages_bytes(stages) > 0);

	/* While that is applied, what comes is another set. */
	give(stages, "s");
	assert_int_equal(taken->count, 1);
	assert_ptr_equal(stages_schema(stages, true), taken);
	stages_schema_done(stages);
	give(stages, "s");
	assert_null(stages_schema(stages, false));
	give(stages, "r)");
	assert_int_equal(stages_schema(stages, false)->count, 2);
	stages_reset(stages);
	assert_true(stages_is_empty(stages));
	assert_int_equal(stages_bytes(stages), 0);
	assert_int_equal(frames_alive, 0);
	stages_free(stages);
}

/* Gives a transaction with a set that is taken; its commit is still to come. */
static void
take_set(Stages *stages, const char *word)
{
	Buf taken;

	buf_init(&taken, BUF_TEXT_MAX);
	give(stages, word);
	while (stages_schema(stages, true) == NULL)
		take_batch(stages, &taken);
	buf_release(&taken);
}

static void
rows_that_were_removed_are_missed_until_they_come(void **state UNUSED)
{
	Stages *stages = stages_new();

	/* Those of table 7 have come with the set, and then those of 8. */
	take_set(stages, "(r)(rs*");
	assert_false(stages_schema(stages, true)->is_hurried);
	stages_expect_rewrite(stages, 7);
	stages_expect_rewrite(stages, 8);
	stages_expect_rewrite(stages, 9);
	stages_schema_done(stages);
	stages_note_rewritten(stages, 8);
	assert_int_equal(stages_missing_rewrite(stages), 9);
	give(stages, "rsr");
	stages_note_rewritten(stages, 9);
	assert_int_equal(stages_missing_rewrite(stages), 0);
	stages_free(stages);
}

static void
rows_that_come_anew_otherwise_are_missed(void **state UNUSED)
{
	Stages *stages = stages_new();

	/* Before the set, in the set's transaction, or in the next one. */
	take_set(stages, "(*rsr)(s*r)");
	assert_int_equal(stages_schema(stages, false)->rewritten_before.count, 1);
	assert_int_equal(stages_schema(stages, false)->rewritten_before.oids[0], 7);
	stages_expect_rewrite(stages, 7);
	stages_schema_done(stages);
	stages_note_rewritten(stages, 7);
	assert_int_equal(stages_missing_rewrite(stages), 7);
	stages_reset(stages);
	assert_int_equal(stages_missing_rewrite(stages), 0);

	/* A set that comes later in its transaction is another matter. */
	take_set(stages, "(s*rsr");
	stages_expect_rewrite(stages, 7);
	stages_schema_done(stages);
	assert_int_equal(stages_missing_rewrite(stages), 0);
	take_set(stages, ")");
	stages_expect_rewrite(stages, 7);
	assert_int_equal(stages_missing_rewrite(stages), 7);
	stages_free(stages);
	assert_int_equal(frames_alive, 0);
}

/* How many tables came anew before a set, given what comes before that. */
static int
count_rewritten(const char *word)
{
	Stages *stages = stages_new();
	int count = 0;

	take_set(stages, word);
	stages_schema_done(stages);
	take_set(stages, "");
	count = stages_schema(stages, true)->rewritten_before.count;
	stages_free(stages);
	return count;
}

static void
a_set_in_the_middle_forgets_what_it_changes(void **state UNUSED)
{
	assert_int_equal(count_rewritten("(*rsrsr"), 1);
	assert_int_equal(count_rewritten("(*rs*rsr"), 1);
	assert_int_equal(count_rewritten("(*rSrsr"), 0);
	assert_int_equal(count_rewritten("(*rS*rsr"), 1);
	assert_int_equal(count_rewritten("(s*rsr"), 1);
	assert_int_equal(count_rewritten("(*r)(srsr"), 0);
	assert_int_equal(frames_alive, 0);
}

static void
a_set_that_more_may_come_to_has_a_size(void **state UNUSED)
{
	Stages *stages = stages_new();

	give(stages, "(r");
	assert_int_equal(stages_open_set_bytes(stages), 0);
	give(stages, "ss");
	assert_true(stages_open_set_bytes(stages) >= 2 * KB);
	assert_true(stages_open_set_bytes(stages) < stages_bytes(stages));
	give(stages, "r");
	assert_int_equal(stages_open_set_bytes(stages), 0);
	stages_free(stages);
	assert_int_equal(frames_alive, 0);
}

/* Rows of a large transaction are applied before its schema changes come. */
static void
parts_may_be_taken_before(void **state UNUSED)
{
	Stages *stages = stages_new();
	Buf taken;

	buf_init(&taken, BUF_TEXT_MAX);
	give(stages, "(r)(rr");
	take_all(stages, &taken);
	assert_string_equal(taken.data, "(r)|(rr");
	give(stages, "rsr)(r)");
	buf_reset(&taken);
	take_all(stages, &taken);
	assert_string_equal(taken.data, "r|{s|r)|(r)");
	give(stages, "(r");
	take_all(stages, &taken);
	give(stages, "s)");
	buf_reset(&taken);
	take_all(stages, &taken);
	assert_string_equal(taken.data, "{s|)");
	assert_true(stages_is_empty(stages));
	buf_release(&taken);
	stages_free(stages);
	assert_int_equal(frames_alive, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_schema_changes_there_is_one_batch),
		cmocka_unit_test(a_transaction_is_cut_where_its_schema_changes),
		cmocka_unit_test(it_is_alone),
		cmocka_unit_test(a_set_waits_for_its_end),
		cmocka_unit_test(rows_that_were_removed_are_missed_until_they_come),
		cmocka_unit_test(rows_that_come_anew_otherwise_are_missed),
		cmocka_unit_test(a_set_in_the_middle_forgets_what_it_changes),
		cmocka_unit_test(a_set_that_more_may_come_to_has_a_size),
		cmocka_unit_test(parts_may_be_taken_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
