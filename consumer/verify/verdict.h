/*
 * verdict.h
 *    The result of a comparison, for people and as JSON.
 *
 * There is a verdict for each table on each target.  All rows that differ are
 * counted, by kind, and the keys of the first rows of each kind are kept.
 */
#ifndef PENSTOCK_VERIFY_VERDICT_H
#define PENSTOCK_VERIFY_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash_index.h"
#include "base/report.h"
#include "model/lsn.h"

/*
 * Largest number of keys that are kept, for each kind of difference of a table.
 */
#define VERDICT_KEYS_MAX 100

/* Largest size of the JSON, in bytes. */
#define VERDICT_JSON_MAX (1024 * MB)

/* Largest number of notes that are kept. */
#define VERDICT_NOTES_MAX 10000

typedef enum RowFault
{
	ROW_MISSING,   /* exists only on the source */
	ROW_EXTRA,     /* exists only on the target */
	ROW_DIFFERENT, /* exists on both with the same key, but different values */
	ROW_MISPLACED, /* exists on the target, but belongs on another one */
} RowFault;
#define ROW_FAULTS 4

typedef enum RowRepair
{
	REPAIR_INSERT,
	REPAIR_UPDATE,
	REPAIR_DELETE,
	REPAIR_NOTHING, /* the row had become the same as on the source */
} RowRepair;
#define ROW_REPAIRS 4

typedef enum TableOutcome
{
	TABLE_PENDING, /* not compared yet */
	TABLE_EQUAL,
	TABLE_DIFFERENT,
	TABLE_NOT_COMPARED,
	TABLE_GONE,     /* dropped meanwhile; not reported */
	TABLE_REPAIRED, /* it differed, and every row was repaired */
	TABLE_LEFT_OUT, /* not to be compared, because the pipeline leaves the table
					 * out; does not count */
} TableOutcome;

typedef struct TableVerdict
{
	const char *table;  /* "schema"."name" */
	const char *target; /* label of the target */
	TableOutcome outcome;
	const char *reason; /* why the table was not compared, or was left out, or
						 * what differs apart from rows; or NULL */
	Lsn lsn;            /* source position of the compared snapshots */
	int64_t rows;       /* number of rows on the target */
	int changed;        /* failed attempts because the table was rewritten or
						 * altered after the snapshot */
	int late;           /* failed attempts because the snapshot became too
						 * old */
	int64_t faults[ROW_FAULTS];
	int key_count[ROW_FAULTS];
	const char **keys[ROW_FAULTS]; /* JSON of the keys; owned arrays */
	int key_room[ROW_FAULTS];
	int repair_next[ROW_FAULTS];   /* number of keys that were looked up for the
									* repair */
	bool repairs;                  /* whether the following fields are set */
	int64_t repaired[ROW_REPAIRS]; /* number of rows, by what was done */
} TableVerdict;

typedef struct Verdict
{
	Arena *arena; /* owned; has all strings */
	int table_count;
	TableVerdict **tables; /* owned array; the elements are in the arena */
	int table_room;
	HashIndex by_name; /* indexes of `tables` by table and target */
	int note_count;
	const char *notes[VERDICT_NOTES_MAX]; /* differences in schema and
										   * sequences */
	int64_t notes_left_out;
	int keys_max; /* number of keys of one kind, of one table on one target,
				   * that are kept; VERDICT_KEYS_MAX if it is not set
				   * otherwise */
	const char *doubt;   /* why schema or sequences could not be compared; NULL:
						  * they were */
	const char *failure; /* why the comparison has ended before everything was
						  * compared; NULL: it was; borrowed */
} Verdict;

/*
 * Creates an empty verdict, owned by the caller, and frees it; verdict_free()
 * accepts NULL.
 */
Verdict *verdict_new(void);
void verdict_free(Verdict *verdict);

/*
 * Returns the verdict of a table on a target, which is added if there is none;
 * owned by *verdict.
 */
TableVerdict *verdict_of(Verdict *verdict, const char *table,
						 const char *target);

/*
 * Counts a row that differs, and keeps a copy of its key's JSON if there is
 * room.
 */
void verdict_add_row(Verdict *verdict, TableVerdict *table, RowFault fault,
					 const char *json);

/* Forgets the rows that were added to a table. */
void verdict_forget_rows(TableVerdict *table);

/* Record that a table was not compared, or need not be; the reason is copied.
 */
void verdict_refuse(Verdict *verdict, TableVerdict *table, const char *reason);
void verdict_leave_out(Verdict *verdict, TableVerdict *table,
					   const char *reason);

/* Adds a difference other than in rows; the text is copied. */
void verdict_add_note(Verdict *verdict, const char *note);

/*
 * Records that something other than rows could not be compared, and why, in
 * addition to what was recorded before; the text is copied.
 */
void verdict_doubt(Verdict *verdict, const char *doubt);

/* Whether anything differs, and whether everything was compared. */
bool verdict_is_different(const Verdict *verdict);
bool verdict_is_complete(const Verdict *verdict);

/* Whether rows of a table differ. */
bool verdict_has_different_rows(const Verdict *verdict);

/* Reports the verdict as lines; equal tables only if `all`. */
void verdict_report(const Verdict *verdict, bool all, const Report *report);

/* Appends the verdict as one JSON object. */
void verdict_append_json(const Verdict *verdict, Buf *buf);

#endif /* PENSTOCK_VERIFY_VERDICT_H */
