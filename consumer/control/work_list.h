/*
 * work_list.h
 *    What a clone has to do and what is done, on the target itself.
 *
 * Whatever becomes of the clone, the list tells the truth: that a part of a
 * table is done is noted in the transaction that wrote its rows.  So a clone
 * that was interrupted can go on where it was.
 *
 *     penstock.copy_run     a row for each clone that is not finished
 *     penstock.copy_table   its tables
 *     penstock.copy_object  what else of the schema it has made
 *
 * A table's parts are read under one snapshot.  With the session that held it
 * the snapshot is gone, so a table of which only some parts are done starts
 * again.  One that is done stays, with the position of its snapshot as its
 * watermark: see table_state.h.  An unlogged table has none, as what changes in
 * it later is in no log.
 *
 * Whoever works on the list has the row of its run under a token.  One that
 * goes on with a clone takes a new token, and what has an older one cannot note
 * anything any more, and so cannot commit.
 */
#ifndef PENSTOCK_CONTROL_WORK_LIST_H
#define PENSTOCK_CONTROL_WORK_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "control/table_state.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* How far the part of the schema is that comes before the data. */
typedef enum WorkSchema
{
	WORK_SCHEMA_NONE,  /* nothing of it was created */
	WORK_SCHEMA_BEGUN, /* some of it may have been */
	WORK_SCHEMA_DONE,
} WorkSchema;

/* A clone that is not finished. */
typedef struct WorkRun
{
	bool exists;           /* the rest is set only if this is */
	SourceIdentity source; /* timeline 0: an older version's run */
	const char *options;   /* that it was begun with */
	Lsn start_lsn;         /* of its slot; 0: there may be none yet */
	Lsn watermark;         /* of the newest copy of a table; or 0 */
	WorkSchema schema;
	const char *started_at; /* for people */
	int table_count;
	int tables_done;
	int tables_begun;    /* not done, but parts of them are */
	int64_t rows;        /* of what is done */
	int64_t bytes_total; /* of all tables on the source, about */
	int64_t bytes_done;  /* of the tables that are done */
} WorkRun;

/* What a job needs to note that a part is done. */
typedef struct WorkMark
{
	const char *pipeline;
	int64_t token;
	Lsn watermark; /* where the snapshot stands; 0: the rows have no position */
} WorkMark;

/* A table that is to be copied. */
typedef struct WorkTable
{
	TableName name;
	int64_t bytes; /* on the source, about */
	int64_t parts; /* of which it consists, each copied by itself */
	int64_t rows;  /* that were copied */
	Lsn watermark; /* where these stand; 0: they have no position */
} WorkTable;

/* An object, as pg_identify_object() names it. */
typedef struct WorkObject
{
	const char *type;
	const char *identity;
} WorkObject;

/*
 * Reads a pipeline's run; no tables or no row are not an error.  Strings are
 * allocated in the arena.
 */
MUST_CHECK Rc work_list_read(WorkRun *run, PgConn *target, const char *pipeline,
							 Arena *arena, Error *err);

/* Adds a run, of which source and options are given. */
MUST_CHECK Rc work_list_begin(PgConn *target, const char *pipeline,
							  const WorkRun *run, int64_t *token, Error *err);

/*
 * Takes the run over from whoever has it, if *token is 0, or takes it again if
 * that is still the token, with a new one.  Ends the sessions on the target
 * that worked under the old token, and waits until these are gone.
 */
MUST_CHECK Rc work_list_claim(PgConn *target, const char *pipeline,
							  int64_t *token, Error *err);

/*
 * Says, as long as this session lasts, that a clone is at work on the run.
 * Waits a few seconds for one that is ending; *pid is that of the session which
 * still says so, or 0: it is ours now, or was already.
 */
MUST_CHECK Rc work_list_hold(PgConn *target, const char *pipeline, int *pid,
							 Error *err);

/*
 * Notes the source's timeline, by whoever has found everything that is copied
 * to be in its history.
 */
MUST_CHECK Rc work_list_set_timeline(PgConn *target, const char *pipeline,
									 uint32_t timeline, Error *err);

/* Notes where the slot starts, and the tables. */
MUST_CHECK Rc work_list_set_tables(PgConn *target, const char *pipeline,
								   Lsn start_lsn, const WorkTable *tables,
								   int count, Error *err);

/* Reads the tables, in no order.  On success the caller clears the result. */
MUST_CHECK Rc work_list_read_tables(PgConn *target, const char *pipeline,
									PGresult **result, Error *err);

/* Columns of that result. */
enum
{
	WORK_TABLE_SCHEMA,
	WORK_TABLE_NAME,
	WORK_TABLE_DONE,
	WORK_TABLE_ROWS,
	WORK_TABLE_BEGUN,       /* parts of it are done */
	WORK_TABLE_NO_POSITION, /* its rows are as of no position: see catalog.h */
};

/* Notes of how many parts these tables consist. */
MUST_CHECK Rc work_list_set_parts(PgConn *target, const char *pipeline,
								  const WorkTable *tables, int count,
								  Error *err);

/*
 * Notes of these tables that they are done, with rows and watermarks.  Fails if
 * somebody else has taken the run over.
 */
MUST_CHECK Rc work_list_note_tables(PgConn *target, const WorkMark *mark,
									const WorkTable *tables, int count,
									Error *err);

/* Appends the statement that notes that nothing of a table is done. */
void work_list_append_undone(Buf *sql, const char *pipeline,
							 const TableName *table);

/*
 * Notes that a table, which is not done, is not to be copied: there is nothing
 * of it as of the mark's position.
 */
MUST_CHECK Rc work_list_give_up(PgConn *target, const WorkMark *mark,
								const TableName *table, Error *err);

/*
 * What was copied as of this position, and what has none, turned out to differ:
 * it is not done.
 */
MUST_CHECK Rc work_list_distrust(PgConn *target, const char *pipeline,
								 Lsn watermark, Error *err);

MUST_CHECK Rc work_list_set_schema(PgConn *target, const char *pipeline,
								   WorkSchema schema, Error *err);

/*
 * Appends the statements that note a part of a table as done and commit.  They
 * fail, with work_list_lost_sqlstate, if somebody else has taken the run over.
 */
void work_list_append_mark(Buf *sql, const WorkMark *mark,
						   const TableName *table, int64_t rows);
extern const char work_list_lost_sqlstate[];

/*
 * Hands the watermarks of tables that were copied later than the slot starts to
 * penstock.table_state, which must be there.
 */
MUST_CHECK Rc work_list_hand_over(PgConn *target, const char *pipeline,
								  Error *err);

/* Notes objects that a clone makes; those that are noted already are no error.
 */
MUST_CHECK Rc work_list_add_objects(PgConn *target, const char *pipeline,
									const WorkObject *objects, int count,
									Error *err);

/* Reads their types and identities, in columns 0 and 1.  On success the caller
 * clears the result. */
MUST_CHECK Rc work_list_read_objects(PgConn *target, const char *pipeline,
									 PGresult **result, Error *err);

MUST_CHECK Rc work_list_remove_objects(PgConn *target, const char *pipeline,
									   Error *err);

/* Removes a run, if there is one, and nothing of what it has copied. */
MUST_CHECK Rc work_list_remove(PgConn *target, const char *pipeline,
							   Error *err);

/* What sessions of a clone are called on the target, up to this many bytes. */
#define WORK_SESSION_NAME_SIZE 64
void work_list_session_name(const char *pipeline,
							char name[WORK_SESSION_NAME_SIZE]);

/* Whether a clone of the pipeline has sessions on the target but this one. */
MUST_CHECK Rc work_list_is_running(PgConn *target, const char *pipeline,
								   bool *running, Error *err);

/* Columns of the result of work_list_look(). */
typedef enum WorkSeenColumn
{
	WORK_SEEN_SCHEMA,
	WORK_SEEN_NAME,
	WORK_SEEN_STATE,      /* waiting, copying, done */
	WORK_SEEN_ROWS,       /* that are on the target, not yet committed too */
	WORK_SEEN_BYTES,      /* of the whole table on the source, about */
	WORK_SEEN_ROWS_ALL,   /* of all tables, in each row */
	WORK_SEEN_BYTES_ALL,  /* likewise */
	WORK_SEEN_BYTES_DONE, /* likewise */
} WorkSeenColumn;

/*
 * Lists a run's tables, the largest first, at most `count_max`.  A role that
 * may not see what other sessions do gets what is committed.  The tables of the
 * list must be there.  The caller clears *result.
 */
MUST_CHECK Rc work_list_look(PgConn *target, const char *pipeline,
							 int count_max, PGresult **result, Error *err);

#endif /* PENSTOCK_CONTROL_WORK_LIST_H */
