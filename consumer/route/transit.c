/*
 * transit.c
 *    Copies the update, and makes the changes for both targets.
 */
#include "route/transit.h"

#include <string.h>

#include "model/moved.h"

#define TRANSIT_ARENA_BYTES ((size_t) 1024)

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
	Arena *arena = arena_new(TRANSIT_ARENA_BYTES);
	Frame *frame = arena_calloc(arena, 1, sizeof(Frame));

	frame->arena = arena;
	frame->references = 1;
	frame->relations = arena_calloc(arena, 2, sizeof(Relation *));
	frame->relations[frame->relation_count++] = relation_ref(relation);
	return frame;
}

Transit *
transit_new(const TransitOptions *options)
{
	const Change *update = options->update;
	Relation *relation = update->relation;
	Frame *frame = make_frame(relation);
	Transit *transit = arena_calloc(frame->arena, 1, sizeof(Transit));
	Change *removal = arena_calloc(frame->arena, 1, sizeof(Change));

	*removal = (Change){.kind = CHANGE_DELETE,
						.relation = relation,
						.old_row = copy_row(frame->arena, relation,
											change_identity_row(update)),
						.hash = update->old_hash,
						.old_hash = update->old_hash};
	*transit = (Transit){
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
	transit->fetch.txn.origin = NULL;
	for (int i = 0; i < relation->column_count; i++)
		if (transit->fetch.row[i].kind == VALUE_UNCHANGED)
			transit->wanted[transit->wanted_count++] = i;
	/* A row whose values the WAL has moves without a Transit. */
	ASSERT(transit->wanted_count > 0);
	return transit;
}

void
transit_free(Transit *transit)
{
	if (transit != NULL)
		frame_unref(transit->frame);
}

static Value
text_value(const char *text)
{
	return (Value){.kind = VALUE_BINARY,
				   .bytes = (const uint8_t *) text,
				   .length = (uint32_t) strlen(text)};
}

static void
make_kept(const Transit *transit, Relation *moved, int column, Change *change)
{
	const SinkFetch *fetch = &transit->fetch;
	const Relation *relation = fetch->removal->relation;
	Value *row = arena_calloc(transit->frame->arena, MOVED_COLUMN_COUNT,
							  sizeof(Value));

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
check_fetched(const Transit *transit, int column, Error *err)
{
	const Relation *relation = transit->fetch.removal->relation;

	if (transit->fetch.row[column].kind != VALUE_UNCHANGED ||
		relation->columns[column].generated)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "row of table \"%s\".\"%s\" moves to another node, and "
					 "its column \"%s\" could not be fetched",
					 relation->schema, relation->name,
					 relation->columns[column].name);
}

Rc
transit_arrive(Transit *transit, Relation *moved, Error *err)
{
	Frame *frame = transit->frame;
	Relation *relation = transit->fetch.removal->relation;
	Change *arrival = arena_calloc(frame->arena, 1, sizeof(Change));
	Change *kept = arena_calloc(frame->arena, (size_t) transit->wanted_count,
								sizeof(Change));

	ASSERT(transit->fetch.done && frame->relation_count == 1);
	*arrival = (Change){.kind = CHANGE_INSERT,
						.relation = relation,
						.new_row = transit->fetch.row};
	for (int i = 0; i < transit->wanted_count; i++)
	{
		int column = transit->wanted[i];
		Rc rc = check_fetched(transit, column, err);

		if (rc != RC_OK)
			return rc;
		if (transit->fetch.row[column].kind != VALUE_UNCHANGED)
			make_kept(transit, moved, column, &kept[transit->kept_count++]);
	}
	transit->arrival = arrival;
	transit->kept = kept;
	frame->relations[frame->relation_count++] = relation_ref(moved);
	return RC_OK;
}
