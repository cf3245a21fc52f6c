/*
 * pipeline_table.h
 *    The table penstock.pipeline on a target: the options that a pipeline
 *    stores.
 *
 * A row has the options of a pipeline that decide what the source sends
 * (config/memory.h), as words.  It is written in the transaction that creates
 * the pipeline's progress, or with the work list of a clone.  A pipeline from
 * an older version gets its row when it is followed again.
 *
 * All targets of a pipeline have the same row.  Each change of the options
 * increments the revision.  A target that was unreachable then has a lower
 * revision, and gets the newer row when it is reachable again.
 */
#ifndef PENSTOCK_CONTROL_PIPELINE_TABLE_H
#define PENSTOCK_CONTROL_PIPELINE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/words.h"
#include "net/pgconn.h"

typedef struct PipelineMemory
{
	int64_t revision; /* 0: nothing is stored, and `words` is empty */
	Words words;
} PipelineMemory;

/*
 * Reads a pipeline's row; *memory is zeroed if there is none.  Words are
 * allocated in the arena.  Waits.
 */
MUST_CHECK Rc pipeline_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, PipelineMemory *memory,
								  Error *err);

/*
 * Writes a pipeline's row in place of an existing one; the table must exist.
 * Waits.
 */
MUST_CHECK Rc pipeline_table_write(PgConn *target, const char *pipeline,
								   const PipelineMemory *memory, Error *err);

/*
 * Writes the row if the target has none or an older revision; the caller must
 * hold the lease.  RC_FAIL with ERR_CHANGED: the target's revision is newer;
 * with ERR_CONFIG: it has the same revision and other options.  If the role may
 * not create the table, a warning is logged.  Waits.
 */
MUST_CHECK Rc pipeline_table_agree(PgConn *target, const char *pipeline,
								   const PipelineMemory *memory, Error *err);

#endif /* PENSTOCK_CONTROL_PIPELINE_TABLE_H */
