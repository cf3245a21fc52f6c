/*
 * plan_folded_test.c
 *    Statements that are sent for the net effect of a batch.
 *
 * The table is item (id int4 key, v text, w text).  Each test makes changes of
 * it and compares all steps of the plan, written down as
 *
 *     VERB rows (parameter) (parameter) …; VERB rows …;
 *
 * where an array is {…}, NULL a null, and COPY has no parameters.
 */
#include <endian.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/plan/plan.h"
#include "support/frames.h"

#define COLUMNS         3
#define TYPE_INT4_ARRAY 1007

/* Header of an array in binary format. */
#define ARRAY_HEADER_BYTES 20

/* Stands for a text that is not in the row. */
static const char unchanged[] = "(unchanged)";
static const char missing[] = "(missing)";

typedef struct Bench
{
	Arena *arena;
	Batch batch;
	StatementCache *statements;
	Params *params;
	TargetTable tables[2]; /* item before and after it changed its shape */
	TargetColumn columns[COLUMNS];
} Bench;

/* ---- the table ---------------------------------------------------------- */

static Relation *
new_relation(void)
{
	Relation *relation = relation_new(COLUMNS);
	static const char *const names[] = {"id", "v", "w"};

	relation->number = 1;
	relation->oid = 16400;
	relation->schema = "public";
	relation->name = "item";
	relation->identity = IDENTITY_DEFAULT;
	relation->key_count = 1;
	for (int i = 0; i < COLUMNS; i++)
	{
		relation->columns[i].name = names[i];
		relation->columns[i].type_oid = i == 0 ? TYPE_INT4 : TYPE_TEXT;
		relation->columns[i].encoding = i == 0 ? COLUMN_INTEGER : COLUMN_TEXT;
		relation->columns[i].key = i == 0;
	}
	return relation;
}

static void
setup(Bench *bench)
{
	static const char *const names[] = {"\"id\"", "\"v\"", "\"w\""};

	*bench = (Bench){.arena = arena_new(KB)};
	bench->statements = statement_cache_new();
	bench->params = params_new();
	for (int i = 0; i < 2; i++)
		bench->tables[i] = (TargetTable){
			.relation = new_relation(),
			.name_sql = "\"public\".\"item\"",
			.column_count = COLUMNS,
			.columns = bench->columns,
			.key_count = 1,
			.finds_one_row = true,
			.copyable = true,
			.unnestable = true,
			.serial = (uint32_t) i,
		};
	for (int i = 0; i < COLUMNS; i++)
		bench->columns[i] = (TargetColumn){
			.source = &bench->tables[0].relation->columns[i],
			.source_index = i,
			.transfer = TRANSFER_SAME,
			.base_type = i == 0 ? TYPE_INT4 : TYPE_TEXT,
			.wire_type = i == 0 ? TYPE_INT4 : TYPE_TEXT,
			.array_type = i == 0 ? TYPE_INT4_ARRAY : TYPE_TEXT_ARRAY,
			.element_type = i == 0 ? TYPE_INT4 : TYPE_TEXT,
			.name_sql = names[i],
			.equals_sql = "OPERATOR(pg_catalog.=)",
			.key = i == 0,
		};
	batch_begin(&bench->batch, &(TxnInfo){.commit_lsn = 1, .end_lsn = 2});
}

static void
teardown(Bench *bench)
{
	batch_release(&bench->batch);
	for (int i = 0; i < 2; i++)
		relation_unref(bench->tables[i].relation);
	params_free(bench->params);
	statement_cache_free(bench->statements);
	arena_free(bench->arena);
}

static const TargetTable *
lookup(void *context, const Relation *relation)
{
	Bench *bench = context;

	return relation == bench->tables[1].relation ? &bench->tables[1]
												 : &bench->tables[0];
}

static PlanInput
input_of(Bench *bench)
{
	return (PlanInput){.batch = &bench->batch,
					   .change_end = bench->batch.change_count,
					   .copy_rows_min = 50,
					   .statements = bench->statements,
					   .lookup = lookup,
					   .lookup_context = bench};
}

/* ---- changes ------------------------------------------------------------ */

static Value
text_value(const char *text)
{
	if (text == NULL)
		return (Value){.kind = VALUE_NULL};
	if (text == unchanged)
		return (Value){.kind = VALUE_UNCHANGED};
	if (text == missing)
		return (Value){.kind = VALUE_MISSING};
	return (Value){.bytes = (const uint8_t *) text,
				   .length = (uint32_t) strlen(text),
				   .kind = VALUE_TEXT};
}

static const Value *
row(Bench *bench, int64_t id, const char *v, const char *w)
{
	Value *values = arena_calloc(bench->arena, COLUMNS, sizeof(Value));

	values[0] = (Value){.integer = id, .kind = VALUE_INTEGER};
	values[1] = text_value(v);
	values[2] = text_value(w);
	return values;
}

static const Value *
key(Bench *bench, int64_t id)
{
	return row(bench, id, missing, missing);
}

/* Every change comes in a frame of its own, which the batch keeps. */
static void
add(Bench *bench, Change change)
{
	Frame *frame = frames_of(&change);

	batch_add(&bench->batch, frame, frame->changes);
	frame_unref(frame);
}

static void
insert(Bench *bench, int64_t id, const char *v, const char *w)
{
	add(bench, (Change){.kind = CHANGE_INSERT,
						.relation = bench->tables[0].relation,
						.new_row = row(bench, id, v, w)});
}

static void
update(Bench *bench, int64_t id, const char *v, const char *w)
{
	add(bench, (Change){.kind = CHANGE_UPDATE,
						.relation = bench->tables[0].relation,
						.new_row = row(bench, id, v, w)});
}

static void
rekey(Bench *bench, int64_t old_id, int64_t id, const char *v, const char *w)
{
	add(bench, (Change){.kind = CHANGE_UPDATE,
						.relation = bench->tables[0].relation,
						.new_row = row(bench, id, v, w),
						.old_row = key(bench, old_id)});
}

static void delete (Bench *bench, int64_t id)
{
	add(bench, (Change){.kind = CHANGE_DELETE,
						.relation = bench->tables[0].relation,
						.old_row = key(bench, id)});
}

static void
truncate_table(Bench *bench)
{
	TruncateInfo *info = arena_calloc(bench->arena, 1, sizeof(TruncateInfo));

	info->relation_count = 1;
	info->relations = &bench->tables[0].relation;
	add(bench, (Change){.kind = CHANGE_TRUNCATE, .truncate = info});
}

/* ---- steps in words ----------------------------------------------------- */

static uint32_t
read_uint32(const char *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return be32toh(number);
}

static void
describe_scalar(Buf *words, bool is_text, const char *bytes, int length)
{
	if (is_text)
		buf_append(words, bytes, (size_t) length);
	else
		buf_printf(words, "%" PRId32, (int32_t) read_uint32(bytes));
}

static void
describe_array(Buf *words, bool is_text, const char *bytes, int length)
{
	uint32_t count = read_uint32(bytes + 12);
	const char *at = bytes + ARRAY_HEADER_BYTES;

	buf_append_char(words, '{');
	for (uint32_t i = 0; i < count; i++)
	{
		int32_t element = (int32_t) read_uint32(at);

		at += sizeof(element);
		buf_append_string(words, i > 0 ? "," : "");
		if (element < 0)
			buf_append_string(words, "NULL");
		else
		{
			describe_scalar(words, is_text, at, element);
			at += element;
		}
	}
	buf_append_char(words, '}');
	assert_int_equal(at - bytes, length);
}

static void
describe_param(Buf *words, const Params *params, int i)
{
	const char *value = params->values[i];
	int length = params->lengths[i];
	uint32_t type = params->types[i];

	buf_append_string(words, " (");
	if (value == NULL)
		buf_append_string(words, "NULL");
	else if (type == TYPE_INT4 || type == TYPE_TEXT)
		describe_scalar(words, type == TYPE_TEXT, value, length);
	else
		describe_array(words, type == TYPE_TEXT_ARRAY, value, length);
	buf_append_char(words, ')');
}

static void
describe_statement(Buf *words, const Step *step, const Params *params)
{
	const char *sql = step->sql ? step->sql : step->statement->sql;

	buf_append(words, sql, strcspn(sql, " "));
	if (step->rows_expected >= 0)
		buf_printf(words, " %" PRId64, step->rows_expected);
	for (int i = 0; i < params->count; i++)
		describe_param(words, params, i);
	buf_append_string(words, "; ");
}

static void
describe_copy(Buf *words, Plan *plan, const Step *step)
{
	Buf copy;
	Buf piece;

	buf_init(&copy, MB);
	buf_init(&piece, MB);
	buf_printf(words, "COPY %" PRId64 "; ", step->rows_expected);
	while (plan_copy_rows(plan, &piece))
	{
		assert_false(piece.overflowed);
		buf_append(&copy, piece.data, piece.length);
		buf_reset(&piece);
	}
	assert_memory_equal(copy.data, "PGCOPY\n\377\r\n", 11);
	assert_memory_equal(copy.data + copy.length - 2, "\377\377", 2);
	buf_release(&copy);
	buf_release(&piece);
}

static void
assert_steps(Bench *bench, const char *expected)
{
	const PlanInput input = input_of(bench);
	Plan *plan = plan_folded_new(&input);
	Buf words;
	Step step;

	buf_init(&words, MB);
	buf_append_string(&words, "");
	for (;;)
	{
		params_reset(bench->params);
		plan_next(plan, bench->params, &step);
		if (step.kind == STEP_END)
			break;
		if (step.kind == STEP_COPY)
			describe_copy(&words, plan, &step);
		else
			describe_statement(&words, &step, bench->params);
	}
	if (words.length > 0)
		words.data[--words.length] = '\0'; /* the last blank */
	assert_string_equal(words.data, expected);
	buf_release(&words);
	plan_free(plan);
}

/* ---- one key ------------------------------------------------------------ */

static void
a_row_that_came_and_went_is_not_sent(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", "b");
	update(&bench, 1, "c", unchanged);
	delete (&bench, 1);
	assert_steps(&bench, "");
	teardown(&bench);
}

static void
an_inserted_row_is_sent_as_it_became(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", "b");
	update(&bench, 1, NULL, unchanged);
	assert_steps(&bench, "INSERT 1 (1) (NULL) (b);");
	teardown(&bench);
}

static void
updates_of_one_row_become_one(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	update(&bench, 1, "a", unchanged);
	update(&bench, 1, unchanged, "b");
	assert_steps(&bench, "UPDATE 1 (1) (a) (b) (1);");
	teardown(&bench);
}

static void
columns_that_no_update_touched_are_not_set(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	update(&bench, 1, "a", unchanged);
	update(&bench, 1, "b", unchanged);
	assert_steps(&bench, "UPDATE 1 (1) (b) (1);");
	teardown(&bench);
}

static void
an_updated_row_that_went_is_deleted(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	update(&bench, 1, "a", "b");
	delete (&bench, 1);
	assert_steps(&bench, "DELETE 1 (1);");
	teardown(&bench);
}

static void
a_row_that_went_and_came_is_deleted_and_inserted(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	delete (&bench, 1);
	insert(&bench, 1, "a", "b");
	update(&bench, 1, "c", unchanged);
	assert_steps(&bench, "DELETE 1 (1); INSERT 1 (1) (c) (b);");
	teardown(&bench);
}

/* ---- changing keys ------------------------------------------------------ */

static void
a_chain_of_keys_is_one_delete_and_one_insert(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	rekey(&bench, 1, 2, "a", "b");
	rekey(&bench, 2, 3, "c", unchanged);
	rekey(&bench, 3, 4, unchanged, "d");
	assert_steps(&bench, "DELETE 1 (1); INSERT 1 (4) (c) (d);");
	teardown(&bench);
}

static void
an_inserted_row_may_change_its_key(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", "b");
	rekey(&bench, 1, 2, unchanged, "c");
	assert_steps(&bench, "INSERT 1 (2) (a) (c);");
	teardown(&bench);
}

static void
two_rows_may_swap_their_keys(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	rekey(&bench, 1, 9, "a", "A");
	rekey(&bench, 2, 1, "b", "B");
	rekey(&bench, 9, 2, "a", "A");
	assert_steps(&bench, "DELETE 2 ({1,2}); "
						 "INSERT 2 ({1,2}) ({b,a}) ({B,A});");
	teardown(&bench);
}

static void
a_key_that_changes_back_is_the_same_row(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	rekey(&bench, 1, 2, "a", "b");
	rekey(&bench, 2, 1, "c", "d");
	assert_steps(&bench, "DELETE 1 (1); INSERT 1 (1) (c) (d);");
	teardown(&bench);
}

static void
an_old_row_with_the_same_key_is_no_change_of_key(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	rekey(&bench, 1, 1, "a", unchanged);
	assert_steps(&bench, "UPDATE 1 (1) (a) (1);");
	teardown(&bench);
}

/* ---- what goes in order ------------------------------------------------- */

static void
a_row_whose_values_are_not_known_moves_in_order(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 5, "x", "y");
	rekey(&bench, 1, 2, "a", unchanged);
	assert_steps(&bench, "INSERT 1 (5) (x) (y); UPDATE 1 (2) (a) (1);");
	teardown(&bench);
}

static void
what_cannot_be_goes_in_order_for_the_target_to_judge(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", "b");
	insert(&bench, 1, "c", "d");
	assert_steps(&bench, "INSERT 1 (1) (a) (b); INSERT 1 (1) (c) (d);");
	teardown(&bench);
	setup(&bench);
	delete (&bench, 1);
	delete (&bench, 1);
	assert_steps(&bench, "DELETE 1 (1); DELETE 1 (1);");
	teardown(&bench);
	setup(&bench);
	delete (&bench, 1);
	update(&bench, 1, "a", "b");
	assert_steps(&bench, "DELETE 1 (1); UPDATE 1 (1) (a) (b) (1);");
	teardown(&bench);
}

static void
values_that_arrays_cannot_carry_go_in_order(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.tables[0].unnestable = false;
	bench.tables[0].copyable = false;
	insert(&bench, 1, "a", "b");
	update(&bench, 1, "c", "d");
	assert_steps(&bench, "INSERT 1 (1) (a) (b); UPDATE 1 (1) (c) (d) (1);");
	teardown(&bench);
}

static void
a_table_without_key_is_folded_while_it_has_inserts_only(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.tables[0].key_count = 0;
	bench.columns[0].key = false;
	insert(&bench, 1, "a", "b");
	insert(&bench, 1, "a", "b");
	assert_steps(&bench, "INSERT 2 ({1,1}) ({a,a}) ({b,b});");
	update(&bench, 1, "c", "d");
	/* WITH finds the row first: its parameters come first, too. */
	assert_steps(&bench, "INSERT 1 (1) (a) (b); INSERT 1 (1) (a) (b); "
						 "WITH 1 (1) (c) (d) (1) (c) (d);");
	teardown(&bench);
}

/* A statement for many of them could change one row too many and one too few.
 */
static void
rows_that_nothing_tells_apart_are_changed_one_by_one(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.tables[0].finds_one_row = false;
	insert(&bench, 1, "a", "b");
	insert(&bench, 2, "a", "b");
	assert_steps(&bench, "INSERT 2 ({1,2}) ({a,a}) ({b,b});");
	teardown(&bench);

	setup(&bench);
	bench.tables[0].finds_one_row = false;
	update(&bench, 1, "c", "d");
	delete (&bench, 2);
	delete (&bench, 3);
	assert_steps(&bench,
				 "UPDATE 1 (1) (c) (d) (1); DELETE 1 (2); DELETE 1 (3);");
	teardown(&bench);
}

/* ---- many rows ---------------------------------------------------------- */

static void
deletes_go_before_updates_before_inserts(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", NULL);
	update(&bench, 2, "b", "B");
	delete (&bench, 3);
	insert(&bench, 4, "d", "D");
	update(&bench, 5, "e", "E");
	delete (&bench, 6);
	assert_steps(&bench, "DELETE 2 ({3,6}); "
						 "UPDATE 2 ({b,e}) ({B,E}) ({2,5}); "
						 "INSERT 2 ({1,4}) ({a,d}) ({NULL,D});");
	teardown(&bench);
}

static void
updates_of_the_same_columns_go_together(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	update(&bench, 1, "a", unchanged);
	update(&bench, 2, unchanged, "B");
	update(&bench, 3, "c", unchanged);
	update(&bench, 4, unchanged, "D");
	assert_steps(&bench, "UPDATE 2 ({a,c}) ({1,3}); "
						 "UPDATE 2 ({B,D}) ({2,4});");
	teardown(&bench);
}

static void
many_inserts_go_by_copy(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	for (int i = 0; i < 50; i++)
		insert(&bench, i, "a", NULL);
	assert_steps(&bench, "COPY 50;");
	teardown(&bench);
}

static void
many_keys_are_told_apart(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	for (int i = 0; i < 5000; i++)
		insert(&bench, i, "a", "b");
	for (int i = 0; i < 5000; i += 2)
		delete (&bench, i);
	for (int i = 1; i < 5000; i += 2)
		update(&bench, i, "c", unchanged);
	assert_steps(&bench, "COPY 2500;");
	teardown(&bench);
}

/* ---- barriers ----------------------------------------------------------- */

static void
nothing_is_folded_across_a_truncate(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", "b");
	truncate_table(&bench);
	insert(&bench, 1, "c", "d");
	truncate_table(&bench);
	/* A TRUNCATE is sent in a block (plan/truncate.h). */
	assert_steps(&bench, "INSERT 1 (1) (a) (b); DO; "
						 "INSERT 1 (1) (c) (d); DO;");
	teardown(&bench);
}

static void
nothing_is_folded_across_a_change_of_shape(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, 1, "a", "b");
	add(&bench, (Change){.kind = CHANGE_UPDATE,
						 .relation = bench.tables[1].relation,
						 .new_row = row(&bench, 1, "c", "d")});
	assert_steps(&bench, "INSERT 1 (1) (a) (b); UPDATE 1 (1) (c) (d) (1);");
	teardown(&bench);
}

/* Tables of the source that take turns in having the name. */
static void
nothing_is_folded_across_another_table_of_the_same_name(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.tables[0].oid = bench.tables[1].oid = 16500;
	bench.tables[1].relation->oid = 16401;
	update(&bench, 1, "old", "x");
	add(&bench, (Change){.kind = CHANGE_UPDATE,
						 .relation = bench.tables[1].relation,
						 .new_row = row(&bench, 1, "new", "x")});
	update(&bench, 1, "newest", "x");
	assert_steps(&bench, "UPDATE 1 (1) (old) (x) (1); "
						 "UPDATE 1 (1) (new) (x) (1); "
						 "UPDATE 1 (1) (newest) (x) (1);");
	teardown(&bench);
}

/* But those that are beside each other are. */
static void
nothing_is_folded_across_a_partition_of_the_same_table(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.tables[0].oid = bench.tables[0].top_oid = bench.tables[1]
														.top_oid = 16500;
	bench.tables[1].oid = 16501;
	bench.tables[1].relation->oid = 16401;
	bench.tables[0].is_partitioned = true;
	update(&bench, 1, "a", "x");
	add(&bench, (Change){.kind = CHANGE_UPDATE,
						 .relation = bench.tables[1].relation,
						 .new_row = row(&bench, 1, "b", "x")});
	update(&bench, 1, "c", "x");
	assert_steps(&bench, "UPDATE 1 (1) (a) (x) (1); "
						 "UPDATE 1 (1) (b) (x) (1); "
						 "UPDATE 1 (1) (c) (x) (1);");
	teardown(&bench);

	setup(&bench);
	bench.tables[0].top_oid = bench.tables[1].top_oid = 16500;
	bench.tables[0].oid = 16501;
	bench.tables[1].oid = 16502;
	bench.tables[1].relation->oid = 16401;
	update(&bench, 1, "a", "x");
	add(&bench, (Change){.kind = CHANGE_UPDATE,
						 .relation = bench.tables[1].relation,
						 .new_row = row(&bench, 1, "b", "x")});
	update(&bench, 1, "c", "x");
	assert_steps(&bench, "UPDATE 1 (1) (b) (x) (1); "
						 "UPDATE 1 (1) (c) (x) (1);");
	teardown(&bench);
}

/* ---- SQL ---------------------------------------------------------------- */

static void
assert_next_sql(Plan *plan, Bench *bench, const char *expected)
{
	Step step;

	params_reset(bench->params);
	plan_next(plan, bench->params, &step);
	assert_int_equal(step.kind, STEP_STATEMENT);
	assert_string_equal(step.statement->sql, expected);
}

static void
statements_for_many_rows_take_arrays(void **state UNUSED)
{
	Bench bench;
	PlanInput input;
	Plan *plan;

	setup(&bench);
	insert(&bench, 1, "a", "A");
	insert(&bench, 2, "b", "B");
	update(&bench, 3, "c", unchanged);
	update(&bench, 4, "d", unchanged);
	delete (&bench, 5);
	delete (&bench, 6);
	input = input_of(&bench);
	plan = plan_folded_new(&input);
	assert_next_sql(plan, &bench,
					"DELETE FROM ONLY \"public\".\"item\" AS t USING (SELECT * "
					"FROM pg_catalog.unnest($1) AS k(c1)) AS k WHERE t.\"id\" "
					"OPERATOR(pg_catalog.=) k.c1");
	assert_next_sql(plan, &bench,
					"UPDATE ONLY \"public\".\"item\" AS t SET \"v\" = k.c1 "
					"FROM unnest($1, $2) AS k(c1, c2) WHERE t.\"id\" "
					"OPERATOR(pg_catalog.=) k.c2");
	assert_next_sql(plan, &bench,
					"INSERT INTO \"public\".\"item\" (\"id\", \"v\", \"w\") "
					"OVERRIDING SYSTEM VALUE SELECT k.c1, k.c2, k.c3 FROM "
					"unnest($1, $2, $3) AS k(c1, c2, c3)");
	plan_free(plan);
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_came_and_went_is_not_sent),
		cmocka_unit_test(an_inserted_row_is_sent_as_it_became),
		cmocka_unit_test(updates_of_one_row_become_one),
		cmocka_unit_test(columns_that_no_update_touched_are_not_set),
		cmocka_unit_test(an_updated_row_that_went_is_deleted),
		cmocka_unit_test(a_row_that_went_and_came_is_deleted_and_inserted),
		cmocka_unit_test(a_chain_of_keys_is_one_delete_and_one_insert),
		cmocka_unit_test(an_inserted_row_may_change_its_key),
		cmocka_unit_test(two_rows_may_swap_their_keys),
		cmocka_unit_test(a_key_that_changes_back_is_the_same_row),
		cmocka_unit_test(an_old_row_with_the_same_key_is_no_change_of_key),
		cmocka_unit_test(a_row_whose_values_are_not_known_moves_in_order),
		cmocka_unit_test(what_cannot_be_goes_in_order_for_the_target_to_judge),
		cmocka_unit_test(values_that_arrays_cannot_carry_go_in_order),
		cmocka_unit_test(
			a_table_without_key_is_folded_while_it_has_inserts_only),
		cmocka_unit_test(rows_that_nothing_tells_apart_are_changed_one_by_one),
		cmocka_unit_test(deletes_go_before_updates_before_inserts),
		cmocka_unit_test(updates_of_the_same_columns_go_together),
		cmocka_unit_test(many_inserts_go_by_copy),
		cmocka_unit_test(many_keys_are_told_apart),
		cmocka_unit_test(nothing_is_folded_across_a_truncate),
		cmocka_unit_test(nothing_is_folded_across_a_change_of_shape),
		cmocka_unit_test(
			nothing_is_folded_across_another_table_of_the_same_name),
		cmocka_unit_test(
			nothing_is_folded_across_a_partition_of_the_same_table),
		cmocka_unit_test(statements_for_many_rows_take_arrays),
	};

	return cmocka_run_group_tests_name("plan_folded", tests, NULL, NULL);
}
