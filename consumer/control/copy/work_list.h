/*
 * work_list.h
 *    The work list of a clone, on the target: what has to be copied, and what
 *    is done.
 *
 * The transaction that writes the rows of a part of a table also marks the part
 * as done, so the list is always true, and an interrupted clone can be
 * continued.
 *
 *     penstock.copy_run     a row for each unfinished clone
 *     penstock.copy_table   its tables
 *     penstock.copy_object  other objects of the schema that it has created
 *
 * The parts of a table are read under one snapshot, which ends with the session
 * that exported it.  So a table of which only some parts are done is copied
 * again.  A table that is done stays, with the position of its snapshot as its
 * watermark (see table_state.h).  An unlogged table has no watermark, because
 * later changes to it are not in the WAL.
 *
 * A process that works on the list holds the token of the run.  A process that
 * continues the clone takes a new token; a process with an older token cannot
 * mark anything as done, and so cannot commit.
 */
#ifndef PENSTOCK_CONTROL_COPY_WORK_LIST_H
#define PENSTOCK_CONTROL_COPY_WORK_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "control/copy/table_state.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Progress of the part of the schema that is created before the data. */
typedef enum WorkSchema
{
	WORK_SCHEMA_NONE,  /* nothing was created */
	WORK_SCHEMA_BEGUN, /* some objects may have been created */
	WORK_SCHEMA_DONE,
} WorkSchema;

/* An unfinished clone. */
typedef struct WorkRun
{
	bool exists;           /* if false, the other fields are not set */
	SourceIdentity source; /* timeline 0: a run of an older version */
	const char *options;   /* options of the clone that began the run */
	Lsn start_lsn;         /* consistent point of the slot; 0: the slot may not
							* exist yet */
	Lsn watermark;         /* greatest watermark of a table; 0: none */
	WorkSchema schema;
	const char *started_at; /* time as text */
	int table_count;
	int tables_done;
	int tables_begun;    /* unfinished tables of which some parts are done */
	int64_t rows;        /* rows that were copied */
	int64_t bytes_total; /* approximate size of all tables on the source */
	int64_t bytes_done;  /* part of bytes_total of the finished tables */
} WorkRun;

/* What a job needs to mark a part as done. */
typedef struct WorkMark
{
	const char *pipeline;
	int64_t token;
	Lsn watermark; /* position of the snapshot; 0: the rows have no position */
} WorkMark;

/* A table to copy. */
typedef struct WorkTable
{
	TableName name;
	int64_t bytes; /* approximate size on the source */
	int64_t parts; /* number of parts, which are copied independently */
	int64_t rows;  /* rows that were copied */
	Lsn watermark; /* position of these rows; 0: none */
} WorkTable;

/* An object in the format of pg_identify_object(). */
typedef struct WorkObject
{
	const char *type;
	const char *identity;
} WorkObject;

/*
 * Reads a pipeline's run; missing tables or a missing row are no error.
 * Strings are allocated in the arena.  Waits.
 */
MUST_CHECK Rc work_list_read(WorkRun *run, PgConn *target, const char *pipeline,
							 Arena *arena, Error *err);

/*
 * Creates a run with the source and options in *run; returns its token in
 * *token.  Waits.
 */
MUST_CHECK Rc work_list_begin(PgConn *target, const char *pipeline,
							  const WorkRun *run, int64_t *token, Error *err);

/*
 * Takes a new token for the run: from any process if *token is 0, else only if
 * *token is still valid.  Ends the sessions of the old token on the target, and
 * waits until they have ended.
 */
MUST_CHECK Rc work_list_claim(PgConn *target, const char *pipeline,
							  int64_t *token, Error *err);

/*
 * Takes a lock that shows, until the end of this session, that a clone is
 * working on the run.  Waits a few seconds for a holder that is ending.  *pid
 * is the PID of the session that holds the lock instead; 0: we hold it.
 */
MUST_CHECK Rc work_list_hold(PgConn *target, const char *pipeline, int *pid,
							 Error *err);

/*
 * Stores the source's timeline, after everything that is copied was found to be
 * in its history.  Waits.
 */
MUST_CHECK Rc work_list_set_timeline(PgConn *target, const char *pipeline,
									 uint32_t timeline, Error *err);

/* Stores the consistent point of the slot, and the tables.  Waits. */
MUST_CHECK Rc work_list_set_tables(PgConn *target, const char *pipeline,
								   Lsn start_lsn, const WorkTable *tables,
								   int count, Error *err);

/*
 * Reads the tables, in no particular order.  The caller must clear *result
 * after success.  Waits.
 */
MUST_CHECK Rc work_list_read_tables(PgConn *target, const char *pipeline,
									PGresult **result, Error *err);

/* Columns of the result of work_list_read_tables(). */
enum
{
	WORK_TABLE_SCHEMA,
	WORK_TABLE_NAME,
	WORK_TABLE_DONE,
	WORK_TABLE_ROWS,
	WORK_TABLE_BEGUN,       /* whether parts of the table are done */
	WORK_TABLE_NO_POSITION, /* whether its rows have no position: see
							 * catalog.h */
};

/* Stores the numbers of parts of these tables.  Waits. */
MUST_CHECK Rc work_list_set_parts(PgConn *target, const char *pipeline,
								  const WorkTable *tables, int count,
								  Error *err);

/*
 * Marks tables as done, with rows and watermarks.  Fails if another process has
 * taken over the run.  Waits.
 */
MUST_CHECK Rc work_list_note_tables(PgConn *target, const WorkMark *mark,
									const WorkTable *tables, int count,
									Error *err);

/* Appends the statement that marks all parts of a table as not done. */
void work_list_append_undone(Buf *sql, const char *pipeline,
							 const TableName *table);

/*
 * Records that an unfinished table will not be copied, because it has no rows
 * at the position of the mark.  Waits.
 */
MUST_CHECK Rc work_list_give_up(PgConn *target, const WorkMark *mark,
								const TableName *table, Error *err);

/*
 * Marks the tables with this watermark, and those without a position, as not
 * done, because they were found to differ from the source.  Waits.
 */
MUST_CHECK Rc work_list_distrust(PgConn *target, const char *pipeline,
								 Lsn watermark, Error *err);

MUST_CHECK Rc work_list_set_schema(PgConn *target, const char *pipeline,
								   WorkSchema schema, Error *err);

/*
 * Appends the statements that mark a part of a table as done, and commit.  They
 * fail with work_list_lost_sqlstate if another process has taken over the run.
 */
void work_list_append_mark(Buf *sql, const WorkMark *mark,
						   const TableName *table, int64_t rows);
extern const char work_list_lost_sqlstate[];

/*
 * Copies the watermarks of tables that were copied after the consistent point
 * of the slot to penstock.table_state, which must exist.  Waits.
 */
MUST_CHECK Rc work_list_hand_over(PgConn *target, const char *pipeline,
								  Error *err);

/*
 * Adds objects that a clone creates; objects that the list has are skipped.
 * Waits.
 */
MUST_CHECK Rc work_list_add_objects(PgConn *target, const char *pipeline,
									const WorkObject *objects, int count,
									Error *err);

/*
 * Reads types (column 0) and identities (column 1) of the objects.  The caller
 * must clear *result after success.  Waits.
 */
MUST_CHECK Rc work_list_read_objects(PgConn *target, const char *pipeline,
									 PGresult **result, Error *err);

MUST_CHECK Rc work_list_remove_objects(PgConn *target, const char *pipeline,
									   Error *err);

/* Removes a run if there is one, but nothing that was copied.  Waits. */
MUST_CHECK Rc work_list_remove(PgConn *target, const char *pipeline,
							   Error *err);

/* Writes the application_name of a clone's sessions on the target. */
#define WORK_SESSION_NAME_SIZE 64
void work_list_session_name(const char *pipeline,
							char name[WORK_SESSION_NAME_SIZE]);

/*
 * Whether a clone of the pipeline has sessions on the target other than this
 * one.  Waits.
 */
MUST_CHECK Rc work_list_is_running(PgConn *target, const char *pipeline,
								   bool *running, Error *err);

/* Columns of the result of work_list_look(). */
typedef enum WorkSeenColumn
{
	WORK_SEEN_SCHEMA,
	WORK_SEEN_NAME,
	WORK_SEEN_STATE,      /* "waiting", "copying" or "done" */
	WORK_SEEN_ROWS,       /* rows on the target, including uncommitted ones */
	WORK_SEEN_BYTES,      /* approximate size of the table on the source */
	WORK_SEEN_ROWS_ALL,   /* rows of all tables; the same in each row */
	WORK_SEEN_BYTES_ALL,  /* approximate size of all tables; the same in each
						   * row */
	WORK_SEEN_BYTES_DONE, /* copied part of that size; the same in each row */
} WorkSeenColumn;

/*
 * Reads at most `count_max` tables of a run, the largest first.  For a role
 * that may not see other sessions' activity, only committed rows are counted.
 * The tables of the list must exist.  The caller must clear *result.  Waits.
 */
MUST_CHECK Rc work_list_look(PgConn *target, const char *pipeline,
							 int count_max, PGresult **result, Error *err);

#endif /* PENSTOCK_CONTROL_COPY_WORK_LIST_H */
