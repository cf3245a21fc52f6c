/*
 * plan_folded.c
 *    Sends the net effect of a batch, many rows at a time.
 *
 * A batch is divided into segments.  A segment ends where order matters for all
 * tables: at a TRUNCATE, at a table that changes its shape, at another table
 * that shares rows.  Within a segment, the changes of each table are folded by
 * key: only whether the row existed before, and whether it exists afterwards,
 * is kept.
 *
 *     before  after    sent
 *     no      no       nothing
 *     no      yes      insert
 *     yes     no       delete
 *     yes     yes      update of the known columns; or, if the row was deleted
 *                      and inserted again, delete and insert
 *
 * An update that changes the key is a delete with the old key and an insert
 * with the new one.  For each table, the deletes are sent first, then the
 * updates (together if they set the same columns), then the inserts.
 *
 * Folding requires that tables are independent of each other, so it is used
 * only if foreign keys and triggers do not fire.  Some tables cannot be folded;
 * their changes are sent one by one in the order of the source: a table without
 * a key, or whose key is not kept unique, with updates or deletes; a changed
 * key of a row with a value that is not in the WAL; types that cannot be sent
 * in arrays; a row that was inserted and deleted, if conflicts do not stop us.
 *
 * The target may refuse statements that it would accept in the order of the
 * source: within one statement, a unique value may be used before it is free.
 * It may also change another number of rows than expected, if source and target
 * differ.  In both cases a step fails.  The batch is then rolled back and
 * applied with the ordered plan, which either succeeds or shows which change
 * was refused.
 *
 * Rows are compared by the bytes of their keys.  The stream always has the same
 * bytes for a row.  So two different forms of equal keys (1.0 and 1.00) can
 * only belong to two rows of which the second replaces the first, and they
 * become a delete and an insert, in this order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/xalloc.h"
#include "sink/postgres/plan/plan.h"
#include "sink/postgres/plan/row_key.h"

#define FOLD_ARENA_BYTES   (64 * KB)
#define FOLD_ENTRIES_FIRST 64

/*
 * Largest number of values in one array of records; each takes up to 16 bytes
 * in addition to those that row_bytes() counts.
 */
#define RECORD_VALUES_MAX ((size_t) 64 * KB)

/* Rows with more bytes are not put into arrays, which would copy them. */
#define BIG_ROW_BYTES (64 * KB)

/*
 * Rows with more bytes are not updated, but deleted and inserted again, if all
 * their values are known.  COPY sends a value in pieces, but libpq keeps a
 * parameter as a whole, and moves the rest of it each time the socket accepts a
 * piece.
 */
#define HUGE_ROW_BYTES (4 * MB)

/*
 * Largest number of different sets of columns that updates of one table are
 * grouped by.
 */
#define UPDATE_GROUPS_MAX 32

/*
 * Header of binary COPY: signature, flags, length of the extension (COPY in the
 * manual).
 */
static const char copy_header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
#define COPY_HEADER_BYTES 19

/* The net effect on one key. */
typedef struct FoldEntry
{
	const Value *key_row; /* row that has the key's columns */
	const Value *row;     /* current row; NULL: it does not exist */
	size_t change_index;  /* index of the last change of the row */
	bool was_there;       /* whether the row existed before the segment */
	bool was_deleted;     /* whether the row was deleted at least once */
} FoldEntry;

typedef struct RowList
{
	const Value **rows;
	size_t count;
	size_t capacity;
} RowList;

/* Updates that set the same columns. */
typedef struct UpdateGroup
{
	RowList list;
} UpdateGroup;

typedef struct FoldTable
{
	const TargetTable *table;
	bool in_order; /* whether the table cannot be folded, and is sent change by
					* change */
	FoldEntry *entries;
	size_t entry_count;
	size_t entry_capacity;
	HashIndex index; /* indexes of the entries by their keys */
	RowList deletes;
	RowList inserts;
	UpdateGroup updates[UPDATE_GROUPS_MAX];
	int update_group_count;
	struct FoldTable *next;
} FoldTable;

/* The list that is being sent. */
typedef enum FoldPhase
{
	PHASE_FOLD, /* the next segment must be folded first */
	PHASE_ORDERED,
	PHASE_DELETE,
	PHASE_UPDATE,
	PHASE_INSERT,
	PHASE_BARRIER, /* the change that ended the segment */
} FoldPhase;

typedef struct FoldedPlan
{
	Plan plan;
	PlanInput input;
	Arena *arena; /* owns merged rows and texts of the segment */
	FoldTable *tables;
	FoldTable *table_found; /* result of the last search; NULL: none */
	size_t segment_first;
	size_t segment_end; /* index after the segment's last change */
	FoldPhase phase;
	FoldTable *table; /* table that is being sent */
	int group;        /* group of its updates */
	size_t next;      /* next row of the list, or next change in
					   * PHASE_ORDERED */
	RowList *copy;    /* list of the current COPY */
	size_t copy_row;
	int copy_column;    /* next column of the current row of the COPY */
	size_t copy_offset; /* bytes of its value that were sent */
	bool copy_started;
	bool copy_ended;
	Buf columns[RELATION_COLUMNS_MAX]; /* arrays that are being built */
} FoldedPlan;

/* ---- lists -------------------------------------------------------------- */

static void
list_add(RowList *list, const Value *row)
{
	ASSERT(row != NULL);
	if (list->count == list->capacity)
	{
		list->capacity = list->capacity ? list->capacity * 2 : 64;
		list->rows = xrealloc_array(list->rows, list->capacity,
									sizeof(list->rows[0]));
	}
	list->rows[list->count++] = row;
}

static size_t
row_bytes(const TargetTable *table, const Value *row)
{
	size_t bytes = 0;

	for (int i = 0; i < table->column_count; i++)
	{
		const Value *value = &row[table->columns[i].source_index];

		if (value->kind == VALUE_BINARY || value->kind == VALUE_TEXT)
			bytes += value->length;
	}
	return bytes;
}

/* ---- keys --------------------------------------------------------------- */

static FoldEntry *
add_entry(FoldTable *fold, const Value *key_row)
{
	FoldEntry *entry;

	if (fold->entry_count == fold->entry_capacity)
	{
		fold->entry_capacity = fold->entry_capacity ? fold->entry_capacity * 2
													: FOLD_ENTRIES_FIRST;
		fold->entries = xrealloc_array(fold->entries, fold->entry_capacity,
									   sizeof(fold->entries[0]));
	}
	entry = &fold->entries[fold->entry_count++];
	*entry = (FoldEntry){.key_row = key_row};
	return entry;
}

/* Returns the entry of a key; *found is false if it is a new one. */
static FoldEntry *
find_entry(FoldTable *fold, const Value *key_row, bool *found)
{
	uint64_t hash = row_key_hash(fold->table, key_row);
	HashSearch search = hash_search_begin(&fold->index, hash);
	size_t number;

	ASSERT(fold->table->key_count > 0);
	*found = true;
	while (hash_search_next(&search, &number))
		if (row_key_is_same(fold->table, fold->entries[number].key_row,
							key_row))
			return &fold->entries[number];
	*found = false;
	hash_index_add(&fold->index, hash, fold->entry_count);
	return add_entry(fold, key_row);
}

/* ---- folding ------------------------------------------------------------ */

static bool
has_unchanged(const TargetTable *table, const Value *row)
{
	for (int i = 0; i < table->column_count; i++)
		if (row[table->columns[i].source_index].kind == VALUE_UNCHANGED)
			return true;
	return false;
}

static bool
is_complete(const TargetTable *table, const Value *row)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const Value *value = &row[table->columns[i].source_index];

		if (value->kind == VALUE_UNCHANGED || value->kind == VALUE_MISSING)
			return false;
	}
	return true;
}

/*
 * Returns a copy of the new row in which unchanged values are those of the row
 * before.
 */
static const Value *
merge_rows(FoldedPlan *folded, const TargetTable *table, const Value *before,
		   const Value *after)
{
	int count = table->relation->column_count;
	Value *merged;

	if (before == NULL || !has_unchanged(table, after))
		return after;
	merged = arena_dup(folded->arena, after, (size_t) count * sizeof(Value));
	for (int i = 0; i < count; i++)
		if (merged[i].kind == VALUE_UNCHANGED &&
			before[i].kind != VALUE_MISSING)
			merged[i] = before[i];
	return merged;
}

/*
 * Returns the new row with its complete key: a large unchanged value of a key
 * column is only in the old row.
 */
static const Value *
with_whole_key(FoldedPlan *folded, const TargetTable *table,
			   const Value *old_row, const Value *row)
{
	Value *whole = NULL;

	ASSERT(old_row != NULL);
	for (int i = 0; i < table->column_count; i++)
	{
		int index = table->columns[i].source_index;

		if (!table->columns[i].key || row[index].kind != VALUE_UNCHANGED)
			continue;
		if (whole == NULL)
			whole = arena_dup(folded->arena, row,
							  (size_t) table->relation->column_count *
								  sizeof(Value));
		whole[index] = old_row[index];
	}
	return whole != NULL ? whole : row;
}

/*
 * The next functions return false if the change cannot be folded; then the
 * table is sent in order.  That also happens to a change that contradicts
 * earlier ones (an insert of an existing row), so that the target reports the
 * error.
 */
static bool
fold_insert(FoldTable *fold, const Value *row)
{
	bool found;
	FoldEntry *entry = find_entry(fold, row, &found);

	ASSERT(row != NULL);
	if (found && entry->row != NULL)
		return false;
	if (!found)
		entry->was_there = false;
	entry->row = row;
	return true;
}

static bool
fold_delete(FoldTable *fold, const Value *key_row)
{
	bool found;
	FoldEntry *entry = find_entry(fold, key_row, &found);

	ASSERT(key_row != NULL);
	if (found && entry->row == NULL)
		return false;
	if (!found)
		entry->was_there = true;
	entry->was_deleted = true;
	entry->row = NULL;
	return true;
}

static bool
fold_update_in_place(FoldedPlan *folded, FoldTable *fold, const Value *row)
{
	bool found;
	FoldEntry *entry = find_entry(fold, row, &found);

	if (found && entry->row == NULL)
		return false;
	if (!found)
		entry->was_there = true;
	entry->row = merge_rows(folded, fold->table, entry->row, row);
	return true;
}

static bool
fold_update(FoldedPlan *folded, FoldTable *fold, const Change *change)
{
	const Value *old_row = change->old_row;
	const Value *row = change->new_row;
	bool found;
	FoldEntry *old_entry;

	ASSERT(change->kind == CHANGE_UPDATE);
	if (statement_needs_replace(fold->table, row, old_row ? old_row : row))
		return false; /* the table's changes are sent one by one */
	if (old_row != NULL)
		row = with_whole_key(folded, fold->table, old_row, row);
	if (old_row == NULL || row_key_is_same(fold->table, old_row, row))
		return fold_update_in_place(folded, fold, row);

	/*
	 * The key has changed: the old row is deleted and a new one is inserted.
	 * So all values must be known, and the target must not have columns of its
	 * own, whose values would be lost.
	 */
	if (fold->table->extra_count > 0)
		return false;
	old_entry = find_entry(fold, old_row, &found);
	row = merge_rows(folded, fold->table,
					 found && old_entry->row ? old_entry->row : old_row, row);
	if (!is_complete(fold->table, row))
		return false;
	if (found && old_entry->row == NULL)
		return false;
	if (!found)
		old_entry->was_there = true;
	old_entry->was_deleted = true;
	old_entry->row = NULL;
	return fold_insert(fold, row);
}

static bool
fold_change(FoldedPlan *folded, FoldTable *fold, const Change *change)
{
	ASSERT(change->relation == fold->table->relation);
	/*
	 * A change may find two rows, and this would compensate for a change that
	 * finds none in the number of rows of a statement.
	 */
	if (!fold->table->finds_one_row && change->kind != CHANGE_INSERT)
		return false;
	if (fold->table->key_count == 0)
	{
		if (change->kind != CHANGE_INSERT)
			return false;
		list_add(&fold->inserts, change->new_row);
		return true;
	}
	switch (change->kind)
	{
		case CHANGE_INSERT:
			return fold_insert(fold, change->new_row);
		case CHANGE_UPDATE:
			return fold_update(folded, fold, change);
		case CHANGE_DELETE:
			return fold_delete(fold, change->old_row);
		case CHANGE_TRUNCATE:
		case CHANGE_MESSAGE:
		case CHANGE_SCHEMA:
		case CHANGE_REWRITE:
			break;
	}
	return false;
}

/* ---- a segment ---------------------------------------------------------- */

static FoldTable *
find_known_table(FoldedPlan *folded, const Relation *relation)
{
	FoldTable *fold = folded->table_found;

	if (fold != NULL && fold->table->relation == relation)
		return fold;
	for (fold = folded->tables; fold != NULL; fold = fold->next)
		if (fold->table->relation == relation)
			break;
	if (fold != NULL)
		folded->table_found = fold;
	return fold;
}

/*
 * Returns the table for a change; NULL if its rows may be those of another
 * table in the segment: it has another shape, another table of the source has
 * taken its name, or one is a partition of the other.
 */
static FoldTable *
find_fold_table(FoldedPlan *folded, const Relation *relation)
{
	FoldTable *fold = find_known_table(folded, relation);
	const TargetTable *table;

	if (fold != NULL)
		return fold;
	table = folded->input.lookup(folded->input.lookup_context, relation);
	ASSERT(table != NULL);
	for (fold = folded->tables; fold != NULL; fold = fold->next)
		if (target_table_shares_rows(fold->table, table))
			return NULL;
	fold = xcalloc(1, sizeof(FoldTable));
	fold->table = table;
	fold->next = folded->tables;
	folded->tables = fold;
	return fold;
}

static void
free_fold_tables(FoldedPlan *folded)
{
	folded->table_found = NULL;
	while (folded->tables != NULL)
	{
		FoldTable *fold = folded->tables;

		folded->tables = fold->next;
		free(fold->entries);
		hash_index_release(&fold->index);
		free(fold->deletes.rows);
		free(fold->inserts.rows);
		for (int i = 0; i < fold->update_group_count; i++)
			free(fold->updates[i].list.rows);
		free(fold);
	}
}

/* Folds changes up to the end of the segment. */
static void
fold_segment(FoldedPlan *folded)
{
	const Batch *batch = folded->input.batch;
	size_t i;

	for (i = folded->segment_first; i < folded->input.change_end; i++)
	{
		const Change *change = batch->changes[i];
		FoldTable *fold;

		if (change->kind == CHANGE_TRUNCATE)
			break;
		fold = find_fold_table(folded, change->relation);
		if (fold == NULL)
			break;
		if (!fold->in_order && !fold_change(folded, fold, change))
			fold->in_order = true;
	}
	/* A segment has a change, unless a TRUNCATE is next. */
	ASSERT(i > folded->segment_first || i == folded->input.change_end ||
		   batch->changes[i]->kind == CHANGE_TRUNCATE);
	folded->segment_end = i;
}

static bool
sets_same_columns(const TargetTable *table, const Value *a, const Value *b)
{
	for (int i = 0; i < table->column_count; i++)
	{
		int index = table->columns[i].source_index;

		if ((a[index].kind == VALUE_UNCHANGED) !=
			(b[index].kind == VALUE_UNCHANGED))
			return false;
	}
	return true;
}

/* Adds an update to its group; returns false if there are too many groups. */
static bool
group_update(FoldTable *fold, const Value *row)
{
	UpdateGroup *group;

	for (int i = 0; i < fold->update_group_count; i++)
	{
		group = &fold->updates[i];
		if (sets_same_columns(fold->table, group->list.rows[0], row))
		{
			list_add(&group->list, row);
			return true;
		}
	}
	ASSERT(fold->update_group_count <= UPDATE_GROUPS_MAX);
	if (fold->update_group_count == UPDATE_GROUPS_MAX)
		return false;
	group = &fold->updates[fold->update_group_count++];
	list_add(&group->list, row);
	return true;
}

/* Whether the lists of a table can be sent. */
static bool
can_send(const FoldTable *fold)
{
	if (fold->table->unnestable)
		return true;
	return fold->table->copyable && fold->deletes.count == 0 &&
		   fold->update_group_count == 0;
}

/* Whether an entry is an update, not a delete, an insert or both. */
static bool
is_update(const FoldTable *fold, const FoldEntry *entry)
{
	if (!entry->was_there || entry->row == NULL || entry->was_deleted)
		return false;
	return row_bytes(fold->table, entry->row) <= HUGE_ROW_BYTES ||
		   !fold->table->copyable || fold->table->extra_count > 0 ||
		   !is_complete(fold->table, entry->row);
}

/*
 * Whether a row that was inserted and deleted must be sent all the same.  If
 * nothing were sent, it could not conflict with a row of the target.  With a
 * policy of skip or overwrite, whether a conflict is recorded must not depend
 * on how many changes are in a batch.
 */
static bool
must_be_seen(const TargetTable *table, const FoldEntry *entry)
{
	return !entry->was_there && entry->row == NULL &&
		   table->policy != CONFLICT_STOP;
}

/* Distributes the entries to the lists. */
static void
list_entries(FoldTable *fold)
{
	for (size_t i = 0; i < fold->entry_count && !fold->in_order; i++)
	{
		const FoldEntry *entry = &fold->entries[i];
		bool in_place = is_update(fold, entry);

		if (in_place && !group_update(fold, entry->row))
			fold->in_order = true;
		if (in_place)
			continue;
		if (must_be_seen(fold->table, entry))
			fold->in_order = true;
		if (entry->was_there)
			list_add(&fold->deletes, entry->key_row);
		if (entry->row != NULL)
			list_add(&fold->inserts, entry->row);
	}
	if (!can_send(fold))
		fold->in_order = true;
}

static void
begin_segment(FoldedPlan *folded)
{
	ASSERT(folded->phase == PHASE_FOLD);
	free_fold_tables(folded);
	arena_reset(folded->arena);
	fold_segment(folded);
	for (FoldTable *fold = folded->tables; fold != NULL; fold = fold->next)
		list_entries(fold);
	folded->phase = PHASE_ORDERED;
	folded->next = folded->segment_first;
}

/* ---- sending ------------------------------------------------------------ */

/* Returns the number of rows, from `first` on, that fit into one statement. */
static size_t
count_chunk(const TargetTable *table, const RowList *list, size_t first)
{
	size_t bytes = 0;
	size_t end = first;

	ASSERT(first < list->count);
	while (end < list->count && end - first < PLAN_STATEMENT_ROWS)
	{
		bytes += row_bytes(table, list->rows[end]);
		if (end > first && bytes > PLAN_STATEMENT_BYTES)
			break;
		end++;
	}
	return end - first;
}

/* Returns an empty buffer for one of the arrays of a statement. */
static Buf *
get_array(FoldedPlan *folded, int number)
{
	Buf *array = &folded->columns[number];

	ASSERT(number >= 0 && number < RELATION_COLUMNS_MAX);
	buf_reset(array);
	if (array->max == 0)
		buf_init(array, PLAN_STATEMENT_BYTES * 16);
	return array;
}

/* Adds one column of some rows as an array. */
static void
add_array(FoldedPlan *folded, Params *params, const TargetColumn *column,
		  const RowList *list, size_t first, size_t count)
{
	Buf *array = get_array(folded, params->count);

	ASSERT(first + count <= list->count);
	params_begin_array(array, column, count);
	for (size_t i = first; i < first + count; i++)
		params_append_element(array, column,
							  &list->rows[i][column->source_index]);
	params_add_array(params, column, array);
}

/* Adds an array for each column that is a parameter of the statement. */
static void
add_arrays(FoldedPlan *folded, Params *params, const Statement *statement,
		   const TargetTable *table, const RowList *list, size_t count)
{
	for (int i = 0; i < statement->param_count; i++)
		add_array(folded, params, &table->columns[statement->params[i].column],
				  list, folded->next, count);
}

/*
 * Adds whole rows as an array of records.  Format of record_recv() in the
 * server: number of columns, then type and value of each.
 */
static void
add_records(FoldedPlan *folded, Params *params, const TargetTable *table,
			const RowList *list, size_t count)
{
	Buf *array = get_array(folded, 0);

	ASSERT(table->record != NULL && folded->next + count <= list->count);
	params_begin_binary_array(array, table->record_type, count);
	for (size_t i = folded->next; i < folded->next + count; i++)
	{
		size_t start = array->length;

		buf_append_uint32(array, 0);
		buf_append_uint32(array, (uint32_t) table->column_count);
		for (int j = 0; j < table->column_count; j++)
		{
			const TargetColumn *column = table->record[j];

			buf_append_uint32(array, column->type_oid);
			params_append_field(array, column,
								&list->rows[i][column->source_index]);
		}
		CHECK(!array->overflowed);
		buf_set_uint32(array, start,
					   (uint32_t) (array->length - start - sizeof(uint32_t)));
	}
	params_add_bytes(params, table->record_array_type, array->data,
					 (int) array->length);
}

/*
 * Whether updates are sent as records.  With an array for each column, the
 * target must join as many sets of rows as there are columns.
 */
static bool
wants_records(const TargetTable *table, StatementKind kind, const Value *row)
{
	return kind == STATEMENT_UPDATE_MANY && table->record != NULL &&
		   is_complete(table, row);
}

/* Sends a single row, with its values in their frame. */
static void
send_one(FoldedPlan *folded, Params *params, Step *step, StatementKind many,
		 const Value *row)
{
	StatementKind kind = many == STATEMENT_INSERT_MANY   ? STATEMENT_INSERT
						 : many == STATEMENT_UPDATE_MANY ? STATEMENT_UPDATE
														 : STATEMENT_DELETE;

	ASSERT(row != NULL);
	step->statement = statement_get(folded->input.statements, kind, step->table,
									row, row);
	statement_add_params(params, step->statement, step->table, row, row);
	step->rows_expected = 1;
	folded->next++;
}

/* Makes the next statement of a list; returns false after the last. */
static bool
send_list(FoldedPlan *folded, Params *params, Step *step, StatementKind kind,
		  const RowList *list)
{
	const TargetTable *table = folded->table->table;
	size_t count;

	if (folded->next >= list->count)
		return false;
	step->kind = STEP_STATEMENT;
	step->table = table;
	count = count_chunk(table, list, folded->next);
	if (count == 1 || table->column_count == 0 ||
		row_bytes(table, list->rows[folded->next]) > BIG_ROW_BYTES)
	{
		send_one(folded, params, step, kind, list->rows[folded->next]);
		return true;
	}
	if (wants_records(table, kind, list->rows[folded->next]))
	{
		size_t count_max = RECORD_VALUES_MAX / (size_t) table->column_count;

		kind = STATEMENT_UPDATE_RECORDS;
		count = count < count_max ? count : count_max;
	}
	step->statement = statement_get(folded->input.statements, kind, table,
									list->rows[folded->next],
									list->rows[folded->next]);
	if (kind == STATEMENT_UPDATE_RECORDS)
		add_records(folded, params, table, list, count);
	else
		add_arrays(folded, params, step->statement, table, list, count);
	step->rows_expected = (int64_t) count;
	/* A row of the list that no statement has would be missing on the target.
	 */
	CHECK(count > 0 && folded->next + count <= list->count);
	folded->next += count;
	return true;
}

/* Whether a list of inserts is sent with COPY. */
static bool
wants_copy(const FoldedPlan *folded, const RowList *list)
{
	const TargetTable *table = folded->table->table;

	if (!table->copyable || table->column_count == 0)
		return false;
	if (list->count >= folded->input.copy_rows_min || !table->unnestable)
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (row_bytes(table, list->rows[i]) > BIG_ROW_BYTES)
			return true;
	return false;
}

static bool
send_inserts(FoldedPlan *folded, Params *params, Step *step)
{
	FoldTable *fold = folded->table;

	if (!wants_copy(folded, &fold->inserts))
		return send_list(folded, params, step, STATEMENT_INSERT_MANY,
						 &fold->inserts);
	if (folded->next >= fold->inserts.count)
		return false;
	step->kind = STEP_COPY;
	step->table = fold->table;
	step->rows_expected = (int64_t) fold->inserts.count;
	folded->copy = &fold->inserts;
	folded->copy_row = 0;
	folded->copy_column = 0;
	folded->copy_offset = 0;
	folded->copy_started = false;
	folded->copy_ended = false;
	folded->next = fold->inserts.count;
	return true;
}

/*
 * Makes the next step for tables that cannot be folded, in the order of the
 * source.
 */
static bool
send_ordered(FoldedPlan *folded, Params *params, Step *step)
{
	const Batch *batch = folded->input.batch;

	while (folded->next < folded->segment_end)
	{
		size_t i = folded->next++;
		const FoldTable *fold = find_known_table(folded,
												 batch->changes[i]->relation);

		ASSERT(fold != NULL);
		if (!fold->in_order)
			continue;
		plan_change_step(&folded->input, i, folded->arena, params, step);
		return true;
	}
	return false;
}

/*
 * Goes to the first phase of the next folded table, or to the phase after all.
 */
static void
next_table(FoldedPlan *folded, FoldTable *fold)
{
	while (fold != NULL && fold->in_order)
		fold = fold->next;
	folded->table = fold;
	folded->phase = fold != NULL ? PHASE_DELETE : PHASE_BARRIER;
	folded->next = 0;
	folded->group = 0;
}

/* Goes to the next phase of the current table. */
static void
next_phase(FoldedPlan *folded, FoldPhase phase)
{
	folded->phase = phase;
	folded->next = 0;
}

/* Makes one step of the phase; returns false if there is none left. */
static bool
send_phase(FoldedPlan *folded, Params *params, Step *step)
{
	FoldTable *fold = folded->table;

	switch (folded->phase)
	{
		case PHASE_FOLD:
			begin_segment(folded);
			return false;
		case PHASE_ORDERED:
			if (send_ordered(folded, params, step))
				return true;
			next_table(folded, folded->tables);
			return false;
		case PHASE_DELETE:
			if (send_list(folded, params, step, STATEMENT_DELETE_MANY,
						  &fold->deletes))
				return true;
			next_phase(folded, PHASE_UPDATE);
			return false;
		case PHASE_UPDATE:
			if (folded->group >= fold->update_group_count)
				next_phase(folded, PHASE_INSERT);
			else if (send_list(folded, params, step, STATEMENT_UPDATE_MANY,
							   &fold->updates[folded->group].list))
				return true;
			else
			{
				folded->group++;
				folded->next = 0;
			}
			return false;
		case PHASE_INSERT:
			if (send_inserts(folded, params, step))
				return true;
			next_table(folded, fold->next);
			return false;
		case PHASE_BARRIER:
			break;
	}
	return false;
}

static void
folded_next(Plan *plan, Params *params, Step *step)
{
	FoldedPlan *folded = (FoldedPlan *) plan;
	const Batch *batch = folded->input.batch;

	for (;;)
	{
		if (folded->phase != PHASE_BARRIER)
		{
			if (send_phase(folded, params, step))
				return;
			continue;
		}
		if (folded->segment_end >= folded->input.change_end)
		{
			step->kind = STEP_END;
			return;
		}
		folded->segment_first = folded->segment_end;
		folded->phase = PHASE_FOLD;
		if (batch->changes[folded->segment_first]->kind == CHANGE_TRUNCATE)
		{
			plan_change_step(&folded->input, folded->segment_first++,
							 folded->arena, params, step);
			return;
		}
	}
}

/* Appends a piece of a long value; returns true if it was the last. */
static bool
append_piece(FoldedPlan *folded, Buf *buf, const Value *value)
{
	size_t left = value->length - folded->copy_offset;
	size_t piece = left < PLAN_STATEMENT_BYTES ? left : PLAN_STATEMENT_BYTES;

	ASSERT(folded->copy_offset < value->length);
	if (folded->copy_offset == 0)
		buf_append_uint32(buf, value->length);
	buf_append(buf, value->bytes + folded->copy_offset, piece);
	folded->copy_offset += piece;
	if (piece < left)
		return false;
	folded->copy_offset = 0;
	return true;
}

/*
 * Appends the next field of COPY BINARY; a row starts with the number of its
 * fields.
 */
static void
append_copy_field(FoldedPlan *folded, Buf *buf)
{
	const TargetTable *table = folded->table->table;
	const TargetColumn *column = &table->columns[folded->copy_column];
	const Value *row = folded->copy->rows[folded->copy_row];
	const Value *value = &row[column->source_index];
	bool is_long = (value->kind == VALUE_BINARY || value->kind == VALUE_TEXT) &&
				   value->length > PLAN_STATEMENT_BYTES;

	ASSERT(folded->copy_column < table->column_count);
	ASSERT(folded->copy_row < folded->copy->count);
	if (folded->copy_column == 0 && folded->copy_offset == 0)
		buf_append_uint16(buf, (uint16_t) table->column_count);
	if (!is_long)
		params_append_field(buf, column, value);
	else if (!append_piece(folded, buf, value))
		return;
	if (++folded->copy_column == table->column_count)
	{
		folded->copy_column = 0;
		folded->copy_row++;
	}
}

static bool
folded_copy_rows(Plan *plan, Buf *buf)
{
	FoldedPlan *folded = (FoldedPlan *) plan;

	ASSERT(folded->copy != NULL && buf->length == 0);
	if (folded->copy_ended)
		return false;
	if (!folded->copy_started)
		buf_append(buf, copy_header, COPY_HEADER_BYTES);
	folded->copy_started = true;
	while (folded->copy_row < folded->copy->count &&
		   buf->length < PLAN_COPY_BYTES)
		append_copy_field(folded, buf);
	if (folded->copy_row == folded->copy->count)
	{
		buf_append_uint16(buf, UINT16_MAX); /* end of the data */
		folded->copy_ended = true;
	}
	return true;
}

static void
folded_free(Plan *plan)
{
	FoldedPlan *folded = (FoldedPlan *) plan;

	free_fold_tables(folded);
	for (size_t i = 0; i < LENGTH_OF(folded->columns); i++)
		buf_release(&folded->columns[i]);
	arena_free(folded->arena);
	free(folded);
}

Plan *
plan_folded_new(const PlanInput *input)
{
	static const PlanOps ops = {folded_next, folded_copy_rows, folded_free};
	FoldedPlan *folded = xcalloc(1, sizeof(FoldedPlan));

	ASSERT(input->change_first <= input->change_end);
	ASSERT(input->change_end <= input->batch->change_count);
	folded->plan.ops = &ops;
	folded->input = *input;
	folded->arena = arena_new(FOLD_ARENA_BYTES);
	folded->phase = PHASE_FOLD;
	folded->segment_first = input->change_first;
	return &folded->plan;
}
