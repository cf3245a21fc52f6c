/*
 * moving_row.c
 *    Copies the update, and makes the changes for both targets.
 */
#include "route/moving_row.h"

#include <string.h>

#include "model/moved.h"

#define MOVING_ROW_ARENA_BYTES ((size_t) 1024)

static bool
has_bytes(const Value *value)
{
	return value->kind == VALUE_BINARY || value->kind == VALUE_TEXT;
}

static Value *
copy_row(Arena *arena, const Relation *relation, const Value *row)
{
	Value *copy = arena_calloc(arena, (size_t) relation->column_count,
							   sizeof(Value));

	for (int i = 0; i < relation->column_count; i++)
	{
		copy[i] = row[i];
		if (has_bytes(&row[i]))
			copy[i].bytes = arena_dup(arena, row[i].bytes, row[i].length);
	}
	return copy;
}

/* Returns a Frame with an arena and a reference to the table's definition. */
static Frame *
make_frame(Relation *relation)
{
	Arena *arena = arena_new(MOVING_ROW_ARENA_BYTES);
	Frame *frame = arena_calloc(arena, 1, sizeof(Frame));

	frame->arena = arena;
	frame->references = 1;
	frame->relations = arena_calloc(arena, 2, sizeof(Relation *));
	frame->relations[frame->relation_count++] = relation_ref(relation);
	return frame;
}

MovingRow *
moving_row_new(const MovingRowOptions *options)
{
	const Change *update = options->update;
	Relation *relation = update->relation;
	Frame *frame = make_frame(relation);
	MovingRow *moving = arena_calloc(frame->arena, 1, sizeof(MovingRow));
	Change *removal = arena_calloc(frame->arena, 1, sizeof(Change));

	ASSERT(update->kind == CHANGE_UPDATE);
	ASSERT(options->number > 0 && options->from >= 0);
	*removal = (Change){.kind = CHANGE_DELETE,
						.relation = relation,
						.old_row = copy_row(frame->arena, relation,
											change_identity_row(update)),
						.hash = update->old_hash,
						.old_hash = update->old_hash};
	*moving = (MovingRow){
		.fetch = {.txn = options->txn,
				  .pipeline = arena_strdup(frame->arena, options->pipeline),
				  .number = options->number,
				  .removal = removal,
				  .row = copy_row(frame->arena, relation, options->row),
				  .arena = frame->arena},
		.from = options->from,
		.change_index = options->change_index,
		.frame = frame,
		.wanted = arena_calloc(frame->arena, (size_t) relation->column_count,
							   sizeof(int)),
	};
	moving->fetch.txn.origin = NULL;
	for (int i = 0; i < relation->column_count; i++)
		if (moving->fetch.row[i].kind == VALUE_UNCHANGED)
			moving->wanted[moving->wanted_count++] = i;
	/* A row whose values the WAL has moves without a MovingRow. */
	ASSERT(moving->wanted_count > 0);
	return moving;
}

void
moving_row_free(MovingRow *moving)
{
	if (moving != NULL)
		frame_unref(moving->frame);
}

static Value
text_value(const char *text)
{
	return (Value){.kind = VALUE_BINARY,
				   .bytes = (const uint8_t *) text,
				   .length = (uint32_t) strlen(text)};
}

static void
make_kept(const MovingRow *moving, Relation *moved, int column, Change *change)
{
	const SinkFetch *fetch = &moving->fetch;
	const Relation *relation = fetch->removal->relation;
	Value *row = arena_calloc(moving->frame->arena, MOVED_COLUMN_COUNT,
							  sizeof(Value));

	ASSERT(column >= 0 && column < relation->column_count);
	CHECK(fetch->row[column].kind != VALUE_UNCHANGED);
	row[MOVED_PIPELINE] = text_value(fetch->pipeline);
	row[MOVED_END_LSN] = (Value){.kind = VALUE_INTEGER,
								 .integer = (int64_t) fetch->txn.end_lsn};
	row[MOVED_CHANGE] = (Value){.kind = VALUE_INTEGER,
								.integer = fetch->number};
	row[MOVED_COLUMN] = text_value(relation->columns[column].name);
	row[MOVED_VALUE] = fetch->row[column];
	if (has_bytes(&row[MOVED_VALUE]))
		row[MOVED_VALUE].kind = VALUE_BINARY;
	*change = (Change){
		.kind = CHANGE_INSERT, .relation = moved, .new_row = row};
}

/*
 * Checks that the value of a column was fetched.  A generated column is not
 * fetched, because both targets compute it.
 */
static MUST_CHECK Rc
check_fetched(const MovingRow *moving, int column, Error *err)
{
	const Relation *relation = moving->fetch.removal->relation;

	ASSERT(column >= 0 && column < relation->column_count);
	if (moving->fetch.row[column].kind != VALUE_UNCHANGED ||
		relation->columns[column].generated)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "row of table \"%s\".\"%s\" moves to another node, and "
					 "its column \"%s\" could not be fetched",
					 relation->schema, relation->name,
					 relation->columns[column].name);
}

Rc
moving_row_make_changes(MovingRow *moving, Relation *moved, Error *err)
{
	Frame *frame = moving->frame;
	Relation *relation = moving->fetch.removal->relation;
	Change *arrival = arena_calloc(frame->arena, 1, sizeof(Change));
	Change *kept = arena_calloc(frame->arena, (size_t) moving->wanted_count,
								sizeof(Change));

	ASSERT(moving->fetch.done && frame->relation_count == 1);
	*arrival = (Change){.kind = CHANGE_INSERT,
						.relation = relation,
						.new_row = moving->fetch.row};
	for (int i = 0; i < moving->wanted_count; i++)
	{
		int column = moving->wanted[i];
		Rc rc = check_fetched(moving, column, err);

		if (rc != RC_OK)
			return rc;
		if (moving->fetch.row[column].kind != VALUE_UNCHANGED)
			make_kept(moving, moved, column, &kept[moving->kept_count++]);
	}
	ASSERT(moving->kept_count <= moving->wanted_count);
	moving->arrival = arrival;
	moving->kept = kept;
	frame->relations[frame->relation_count++] = relation_ref(moved);
	return RC_OK;
}
