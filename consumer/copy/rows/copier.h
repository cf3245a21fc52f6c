/*
 * copier.h
 *    One pair of connections that copies tables, or parts of large ones, one
 *    after the other.
 *
 * The source side reads each part under the exported snapshot, in a transaction
 * of its own that locks the table: see guard.h.  The target side copies each
 * part in a transaction of its own, which also notes that it is done.
 *
 * Nothing waits here.  copier_step() does what can be done without waiting, a
 * bounded amount of it, and copier_wants() says what it waits for.  Rows go
 * from one connection to the other through a chunk of fixed size; the source is
 * not read while the target has not taken what it was given, so memory stays at
 * a chunk and the largest row for each copier.
 *
 *     IDLE ─copier_start()─► SOURCE_STARTING ─► TARGET_STARTING ─► COPYING
 *      ▲                        │                                  │
 *      ├─── refused ◄───────────┘                                  │
 *      └─ COMMITTING ◄─ TARGET_ENDING ◄─ SOURCE_ENDING ◄───────────┘
 *
 *     IDLE             no part; both connections can take a statement
 *     SOURCE_STARTING  the source was told to send; it may wait for a lock
 *     TARGET_STARTING  the target was told to receive; it may wait for a lock
 *     COPYING          rows are on their way
 *     SOURCE_ENDING    the source has no more rows, but may yet report an error
 *     TARGET_ENDING    the target was told that this is all
 *     COMMITTING       the target was told to note that it is done, and commits
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

/* Rows are collected up to this before they are handed to the target. */
#define COPIER_CHUNK_BYTES (64 * KB)

/* What one call of copier_step() copies at most. */
#define COPIER_STEP_BYTES (1 * MB)

typedef struct Copier Copier;

typedef struct CopierOptions
{
	const char *source; /* connection strings; borrowed until copier_open() */
	const char *target; /* returns */
	const char *target_label; /* for messages */
	const char *pipeline;     /* that the rows are of */

	/*
	 * Exported by the source; has to be there when the first part is begun.
	 * Borrowed.
	 */
	const char *snapshot;

	/* How to note what is done, or NULL: not at all; borrowed. */
	const struct WorkMark *mark;
} CopierOptions;

/* What copier_step() did. */
typedef struct CopierProgress
{
	int64_t rows;          /* sent; one more for the end of binary data */
	int64_t bytes;         /* sent */
	CopyTable *finished;   /* a part of it is on the target now; or NULL */
	int64_t finished_rows; /* how many rows that part has */
	GuardVerdict refused;  /* GUARD_BUSY, GUARD_CHANGED: a part was not begun */
	CopyPart refused_part; /* which */
} CopierProgress;

/* What a copier waits for, as poll(2) has it; -1 and 0 for nothing. */
typedef struct CopierWants
{
	int source_fd;
	short source_events;
	int target_fd;
	short target_events;
	bool ready; /* there is more to do without waiting */
} CopierWants;

/*
 * Opens both connections; waits for that.  On success *copier is the caller's,
 * to be closed.
 */
MUST_CHECK Rc copier_open(Copier **copier, const CopierOptions *options,
						  Error *err);

/* Closes both connections; what was not committed is gone.  Accepts NULL. */
void copier_close(Copier *copier);

bool copier_is_idle(const Copier *copier);

/* Whether the target runs triggers and checks foreign keys for what we copy. */
bool copier_triggers_fire(const Copier *copier);

/* Whether the rows are marked as the pipeline's; the log is told if not. */
bool copier_is_marked(const Copier *copier);
void copier_say_unmarked(const Copier *copier);

/* Begins with a part; its table is borrowed until it is finished. */
MUST_CHECK Rc copier_start(Copier *copier, CopyPart part, Error *err);

/*
 * Bytes that the next steps may copy, about; 0: it is to read no more rows for
 * now.  At first there is no limit.
 */
void copier_set_limit(Copier *copier, int64_t bytes);

/* Goes on as far as possible.  RC_OK whether or not it got anywhere. */
MUST_CHECK Rc copier_step(Copier *copier, CopierProgress *progress, Error *err);

CopierWants copier_wants(const Copier *copier);

/*
 * The source has failed to begin with a part.  RC_END: the part cannot be read,
 * or not now, as *progress says, and *part is empty.  RC_FAIL: it is another
 * failure, which stays.
 */
MUST_CHECK Rc copier_take_refusal(PgConn *source, CopyPart *part,
								  CopierProgress *progress, Error *err);

/*
 * What is to become of a part that was refused: it waits for its next turn, or
 * its table is `changed` and nothing of it is taken any more, which is said.
 */
void copier_requeue_refused(PartQueue *queue, const CopierProgress *progress);

/* What is said of connections that there is no origin for, and of triggers. */
void copier_say_fewer(int count);
void copier_say_triggers(const char *where);

/*
 * Appends the query that reads a part on the source, with `expressions` in
 * front of the columns unless that is NULL.
 */
void copier_append_query(const CopyPart *part, const char *expressions,
						 Buf *sql);

/* Appends what has the target receive a part, in a transaction. */
void copier_append_target_sql(const CopyPart *part, Buf *sql);

/* What a step returns that has ended so: only failures are told, with what was
 * being copied. */
MUST_CHECK Rc copier_explain(Rc rc, const CopyPart *part, Error *err);

#endif /* PENSTOCK_COPY_ROWS_COPIER_H */
