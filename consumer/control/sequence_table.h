/*
 * sequence_table.h
 *    The table on a target that says where the source's sequences were when
 *    they were looked at last.
 *
 * If the source is lost, nobody can ask it again: penstock.sequence then says
 * up to which value each of its sequences may have come.
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
	SequenceValue polled;  /* the source's */
	SequenceValue ahead;   /* the same with the margin of that time */
	bool was_set;          /* the target's was set to set_value */
	int64_t set_value;     /* if not: what is noted stays */
	const char *polled_at; /* set by reading: a time for people */
} SequenceRow;

/* Notes them, if the pipeline still exists there. */
MUST_CHECK Rc sequence_table_write(PgConn *target, const char *pipeline,
								   const SequenceRow *rows, int count,
								   Error *err);

/* Reads them, by schema and name; all is allocated in the arena. */
MUST_CHECK Rc sequence_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, SequenceRow **rows, int *count,
								  Error *err);

/* A sequence that a pipeline has set, of which that server is the target. */
typedef struct SequenceSet
{
	const char *schema;
	const char *name;
	int64_t value;      /* that it was set to last */
	const char *system; /* identifier of the pipeline's source */
} SequenceSet;

/*
 * Reads those of all pipelines of a server, which may have none, or not let the
 * role see them.  All is allocated in the arena.
 */
MUST_CHECK Rc sequence_table_read_set(PgConn *server, Arena *arena,
									  SequenceSet **sets, int *count,
									  Error *err);

#endif /* PENSTOCK_CONTROL_SEQUENCE_TABLE_H */
