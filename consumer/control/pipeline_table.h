/*
 * pipeline_table.h
 *    What a target remembers of how a pipeline was made.
 *
 * penstock.pipeline has a row per pipeline, with the options that decide what
 * arrives (see config/memory.h), as words.  It is written by the transaction
 * that makes the progress, or for a clone that is not finished yet, with its
 * work list.  A pipeline that an older version has made gets its row when it is
 * next followed.
 *
 * All targets of a pipeline have the same row.  Each change of the options
 * gives it a higher revision.  A target that was unreachable when that was done
 * has a lower one, and gets the newer row when it is back.
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
	int64_t revision; /* 0: nothing is remembered, and words are empty */
	Words words;
} PipelineMemory;

/* Reads a pipeline's row; no table or no row leave *memory zeroed. */
MUST_CHECK Rc pipeline_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, PipelineMemory *memory,
								  Error *err);

/*
 * Writes a pipeline's row, in place of one that is there.  The table is there.
 */
MUST_CHECK Rc pipeline_table_write(PgConn *target, const char *pipeline,
								   const PipelineMemory *memory, Error *err);

/*
 * For whoever holds the lease: gives the target the memory where it has none,
 * or an older one.  One that is newer is ERR_CHANGED; another of the same
 * revision, ERR_CONFIG.  A role that may not make the table is warned.
 */
MUST_CHECK Rc pipeline_table_agree(PgConn *target, const char *pipeline,
								   const PipelineMemory *memory, Error *err);

#endif /* PENSTOCK_CONTROL_PIPELINE_TABLE_H */
