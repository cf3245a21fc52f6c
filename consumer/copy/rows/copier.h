/*
 * copier.h
 *    One pair of connections that copies tables, or parts of large ones, one
 *    after the other.
 *
 * A part is a table or a range of its blocks: see part_queue.h.  The source
 * session reads each part under the exported snapshot, in a transaction of its
 * own that locks the table: see guard.h.  The target session writes each part
 * in a transaction of its own, which also marks the part as done in the work
 * list: see control/copy/work_list.h.
 *
 * Only copier_open() blocks.  copier_step() does a bounded amount of work
 * without blocking, and copier_wants() returns what to poll for before the next
 * step.  The copier passes rows from one connection to the other through a
 * chunk of fixed size.  It does not read from the source while data is waiting
 * to be sent to the target.  So a copier's memory is limited to a chunk and the
 * largest row.
 *
 *     IDLE ─copier_start()─► SOURCE_STARTING ─► TARGET_STARTING ─► COPYING
 *      ▲                        │                                  │
 *      ├─── refused ◄───────────┘                                  │
 *      └─ COMMITTING ◄─ TARGET_ENDING ◄─ SOURCE_ENDING ◄───────────┘
 *
 *     IDLE             no part is being copied; both sessions are idle
 *     SOURCE_STARTING  COPY TO was sent to the source; it may wait for a lock
 *     TARGET_STARTING  COPY FROM was sent to the target; it may wait for a lock
 *     COPYING          rows are passed from the source to the target
 *     SOURCE_ENDING    the source has sent all rows; it may yet report an error
 *     TARGET_ENDING    the end of the data was sent to the target
 *     COMMITTING       the target marks the part as done, and commits
 */
#ifndef PENSTOCK_COPY_ROWS_COPIER_H
#define PENSTOCK_COPY_ROWS_COPIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/rows/guard.h"
#include "copy/rows/part_queue.h"
#include "net/pgconn.h"

/* Size of the chunk in which rows are collected before libpq sends them. */
#define COPIER_CHUNK_BYTES (64 * KB)

/* Bytes after which copier_step() returns, although more rows may be here. */
#define COPIER_STEP_BYTES (1 * MB)

typedef struct Copier Copier;

typedef struct CopierOptions
{
	/* Connection strings; borrowed until copier_open() returns. */
	const char *source;
	const char *target;
	const char *target_label; /* name of the target in messages */
	const char *pipeline;     /* name of the pipeline that copies the rows */

	/*
	 * Buffer with the name of the snapshot that the source has exported;
	 * borrowed.  The name must be in it when copier_start() is called first.
	 */
	const char *snapshot;

	/* Run of the work list in which finished parts are marked as done, or NULL:
	 * there is no work list.  Borrowed. */
	const struct WorkMark *mark;
} CopierOptions;

/* Result of one call of copier_step(). */
typedef struct CopierProgress
{
	/* Number of rows that the step has read from the source; copier_step()
	 * counts the trailer of binary data as a row. */
	int64_t rows;
	int64_t bytes; /* number of bytes of COPY data that the step has read */

	/* Table of which the target has committed a part in this step, or NULL. */
	CopyTable *finished;
	int64_t finished_rows; /* number of rows of the committed part */

	/* Why the source could not begin to read a part: GUARD_BUSY or
	 * GUARD_CHANGED; GUARD_PASSED: no part was refused. */
	GuardVerdict refused;
	CopyPart refused_part; /* the part that was refused */
} CopierProgress;

/* Descriptors and events that a copier has to poll(2) for before it can do more
 * work; a descriptor is -1 if the copier does not wait for that side. */
typedef struct CopierWants
{
	int source_fd;
	short source_events;
	int target_fd;
	short target_events;
	bool ready; /* whether copier_step() can do more without waiting */
} CopierWants;

/*
 * Opens the connections to source and target; blocks until both are open.  On
 * success the caller owns *copier and has to close it.
 */
MUST_CHECK Rc copier_open(Copier **copier, const CopierOptions *options,
						  Error *err);

/* Closes both connections; the target rolls back rows that it has not
 * committed.  Accepts NULL. */
void copier_close(Copier *copier);

bool copier_is_idle(const Copier *copier);

/* Whether the target runs triggers and checks foreign keys for copied rows,
 * because its role has no privilege to set session_replication_role. */
bool copier_triggers_fire(const Copier *copier);

/*
 * Whether the target's session marks the rows that it writes with a replication
 * origin of the pipeline: see net/writer.h.  copier_say_unmarked() logs that
 * the rows are not marked.
 */
bool copier_is_marked(const Copier *copier);
void copier_say_unmarked(const Copier *copier);

/* Begins to copy a part; the copier must be idle, and the snapshot must have a
 * name.  Borrows the part's table until the part is finished or refused. */
MUST_CHECK Rc copier_start(Copier *copier, CopyPart part, Error *err);

/*
 * Limits each following step to about `bytes` bytes; with 0 the copier reads no
 * rows until the limit is changed.  A new copier has no limit.
 */
void copier_set_limit(Copier *copier, int64_t bytes);

/* Copies as much as it can without blocking.  Returns RC_OK also if it could
 * do nothing.  The copier must not be idle. */
MUST_CHECK Rc copier_step(Copier *copier, CopierProgress *progress, Error *err);

CopierWants copier_wants(const Copier *copier);

/*
 * Finds out why the source has failed to begin reading a part, from the error
 * in *err.  Returns RC_END if the table is locked or has changed: then the
 * source's transaction is rolled back, *progress says which part was refused
 * and why, and *part is empty.  Returns RC_FAIL with *err unchanged for any
 * other error, and also if the rollback fails.  Blocks until the source has
 * rolled back.
 */
MUST_CHECK Rc copier_take_refusal(PgConn *source, CopyPart *part,
								  CopierProgress *progress, Error *err);

/*
 * Handles the refused part of *progress.  If its table was locked, the part is
 * appended to the queue again.  If the table has changed, sets `changed`,
 * removes all parts of the table from the queue, and says so in the log.
 */
void copier_requeue_refused(PartQueue *queue, const CopierProgress *progress);

/* Warn in the log that only `count` connections copy because there is no
 * replication origin for another one, and that triggers fire on `where`. */
void copier_say_fewer(int count);
void copier_say_triggers(const char *where);

/*
 * Appends the SELECT that reads a part on the source.  Its select list is
 * `expressions`, unless that is NULL, followed by the table's columns.
 */
void copier_append_query(const CopyPart *part, const char *expressions,
						 Buf *sql);

/* Appends the statements that begin a transaction on the target and the COPY
 * FROM STDIN of a part. */
void copier_append_target_sql(const CopyPart *part, Buf *sql);

/* Returns the Rc of a step whose last state has returned `rc`: RC_FAIL only for
 * RC_FAIL, with the part's table added to *err as context, and else RC_OK. */
MUST_CHECK Rc copier_explain(Rc rc, const CopyPart *part, Error *err);

#endif /* PENSTOCK_COPY_ROWS_COPIER_H */
