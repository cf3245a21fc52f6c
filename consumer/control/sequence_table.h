/*
 * sequence_table.h
 *    The table penstock.sequence on a target: the source's sequences when they
 *    were last read.
 *
 * If the source is lost, this table says which values each of its sequences may
 * have returned.
 */
#ifndef PENSTOCK_CONTROL_SEQUENCE_TABLE_H
#define PENSTOCK_CONTROL_SEQUENCE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/sequence.h"
#include "net/pgconn.h"

typedef struct SequenceRow
{
	const char *schema;
	const char *name;
	SequenceValue polled;  /* value on the source */
	SequenceValue ahead;   /* value on the source plus the margin at that
							* time */
	bool was_set;          /* whether the target's sequence was set to
							* set_value */
	int64_t set_value;     /* written only if was_set; otherwise the stored
							* value stays */
	const char *polled_at; /* set only by reading: time as text */
} SequenceRow;

/* Writes rows if the pipeline still exists on the target; waits. */
MUST_CHECK Rc sequence_table_write(PgConn *target, const char *pipeline,
								   const SequenceRow *rows, int count,
								   Error *err);

/*
 * Reads the rows of a pipeline, sorted by schema and name, into the arena.
 * Waits.
 */
MUST_CHECK Rc sequence_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, SequenceRow **rows, int *count,
								  Error *err);

/*
 * A sequence of a server that a pipeline has set, with that server as its
 * target.
 */
typedef struct SequenceSet
{
	const char *schema;
	const char *name;
	int64_t value;      /* value to which it was set last */
	const char *system; /* system identifier of the pipeline's source */
} SequenceSet;

/*
 * Reads the sequences that any pipeline has set on a server, into the arena;
 * empty if it has none, or our role may not read the tables.  Waits.
 */
MUST_CHECK Rc sequence_table_read_set(PgConn *server, Arena *arena,
									  SequenceSet **sets, int *count,
									  Error *err);

#endif /* PENSTOCK_CONTROL_SEQUENCE_TABLE_H */
