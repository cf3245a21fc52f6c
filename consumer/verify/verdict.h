/*
 * verdict.h
 *    What a comparison has found, for people and for machines.
 *
 * Of each table there is a verdict for each target.  Rows that differ are
 * counted in full; the keys of the first of each kind are kept.
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

/* Keys that are kept of one kind, of one table on one target. */
#define VERDICT_KEYS_MAX 100

/* Bytes of a verdict in JSON. */
#define VERDICT_JSON_MAX (1024 * MB)

/* Lines that are kept of what differs beside the rows. */
#define VERDICT_NOTES_MAX 10000

typedef enum RowFault
{
	ROW_MISSING,   /* on the source only */
	ROW_EXTRA,     /* on the target only */
	ROW_DIFFERENT, /* the same key, other values */
	ROW_MISPLACED, /* it belongs on another target */
} RowFault;
#define ROW_FAULTS 4

typedef enum TableOutcome
{
	TABLE_PENDING, /* it is still to be compared */
	TABLE_EQUAL,
	TABLE_DIFFERENT,
	TABLE_NOT_COMPARED,
	TABLE_GONE, /* it was dropped meanwhile, and does not count */
} TableOutcome;

typedef struct TableVerdict
{
	const char *table;  /* "schema"."name" */
	const char *target; /* what it is called */
	TableOutcome outcome;
	const char *reason; /* of what was not compared, or beside rows; or NULL */
	Lsn lsn;            /* at which it was compared */
	int64_t rows;       /* on the target */
	int changed;        /* how often snapshots did not show it, and how often */
	int late;           /* there was no time for it */
	int64_t faults[ROW_FAULTS];
	int key_count[ROW_FAULTS];
	const char *keys[ROW_FAULTS][VERDICT_KEYS_MAX]; /* in JSON */
} TableVerdict;

typedef struct Verdict
{
	Arena *arena; /* of all strings */
	int table_count;
	TableVerdict **tables; /* owned; each is in the arena */
	int table_room;
	HashIndex by_name; /* of their tables and targets */
	int note_count;
	const char *notes[VERDICT_NOTES_MAX]; /* of schema and sequences */
	int64_t notes_left_out;
	const char *doubt; /* what beside rows could not be compared, or NULL */
} Verdict;

/* An empty one, and its end; verdict_free() accepts NULL. */
Verdict *verdict_new(void);
void verdict_free(Verdict *verdict);

/* The verdict of a table on a target, made if it is not there. */
TableVerdict *verdict_of(Verdict *verdict, const char *table,
						 const char *target);

/* Counts a row, and keeps its key if there is room. */
void verdict_add_row(Verdict *verdict, TableVerdict *table, RowFault fault,
					 const char *json);

/* Says why a table was not compared. */
void verdict_refuse(Verdict *verdict, TableVerdict *table, const char *reason);

/* Adds what differs beside rows. */
void verdict_add_note(Verdict *verdict, const char *note);

/* Says what beside rows could not be compared, and why. */
void verdict_doubt(Verdict *verdict, const char *doubt);

/* Whether anything differs, and whether all was compared. */
bool verdict_is_different(const Verdict *verdict);
bool verdict_is_complete(const Verdict *verdict);

/* Reports it in lines: what is equal only if `all`. */
void verdict_report(const Verdict *verdict, bool all, const Report *report);

/* Appends it as one JSON object. */
void verdict_append_json(const Verdict *verdict, Buf *buf);

#endif /* PENSTOCK_VERIFY_VERDICT_H */
