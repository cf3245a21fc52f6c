/*
 * copied_table.h
 *    The table penstock.copied on the target: which tables of the source a
 *    pipeline has copied, and which not.
 *
 * Only what was copied may be followed.  A table that was left out of the copy,
 * or was published since, has rows that the target has not; it does not become
 * one of the others because somebody makes a table of that name.  Where all
 * tables are published, though, one that was made since comes with all that
 * ever was in it, if the target has it when the first row arrives.
 *
 * A table of the source is known by its OID or its name: one that was renamed
 * is still the same, and so is one that has taken the place of another, as far
 * as the target is concerned.  But where both were copied, and have exchanged
 * names on the source alone, the target has the rows under the other name: that
 * is known by the OID that the target's table had when it was copied.
 *
 * A row without a name says what is true of tables without one.  A pipeline
 * that an older version has made has no rows: all is taken for copied there.
 */
#ifndef PENSTOCK_CONTROL_COPIED_TABLE_H
#define PENSTOCK_CONTROL_COPIED_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "control/table_state.h"
#include "model/definition.h"
#include "model/relation.h"
#include "net/pgconn.h"

/* A table of the source. */
typedef struct CopiedTable
{
	TableName name; /* as it was when it was copied */
	uint32_t oid;
	bool copied;
	uint32_t target_oid; /* of the target's table, then; read only; 0: it is
							not known */
} CopiedTable;

/* The condition that pipeline $1 has copied the table of these names; the table
 * penstock.copied must be there. */
#define COPIED_TABLE_HAS_SQL(schema, name)                                     \
	"EXISTS (SELECT FROM penstock.copied k WHERE k.pipeline = $1"              \
	" AND k.copied AND k.schema_name = " schema " AND k.table_name = " name    \
	")"

/* The rows of one pipeline, as they were when they were read. */
typedef struct CopiedTables CopiedTables;

/*
 * Begins the list of a pipeline, in place of one that there may be, with no
 * table; in the current transaction.  `newer_may_come`: all tables are
 * published.
 */
MUST_CHECK Rc copied_table_begin(PgConn *target, const char *pipeline,
								 bool newer_may_come, Error *err);

/* Adds tables to the list, if there is one; in the current transaction. */
MUST_CHECK Rc copied_table_add(PgConn *target, const char *pipeline,
							   const CopiedTable *tables, int count,
							   Error *err);

/*
 * Tables have changed on the source, and the target did so, too, in the current
 * transaction: those of the list are found by their OID and get the names they
 * have now, others are added as they are.  One that is not `copied` now is not
 * from here on, and never becomes so here.  Tables that are gone leave the
 * list. Without a list nothing is done.
 */
MUST_CHECK Rc copied_table_follow(PgConn *target, const char *pipeline,
								  const CopiedTable *tables, int count,
								  const uint32_t *gone, int gone_count,
								  Error *err);

/*
 * Whether a table may be followed if the target has it: the first of these, or
 * else all others, which are its partitions.  Waits.
 */
MUST_CHECK Rc copied_table_look(PgConn *target, const char *pipeline,
								const CopiedTable *tables, int count,
								bool *copied, Error *err);

/* Whether the list names a table, copied or not.  Waits. */
MUST_CHECK Rc copied_table_names(PgConn *target, const char *pipeline,
								 const TableName *table, bool *named,
								 Error *err);

/* The OIDs on the source of the tables that were copied; in the arena.  No list
 * has none.  Waits. */
MUST_CHECK Rc copied_table_oids(PgConn *target, const char *pipeline,
								Arena *arena, OidList *oids, Error *err);

/* Reads a pipeline's list; waits.  *tables is the caller's, and NULL if there
 * is no list. */
MUST_CHECK Rc copied_tables_read(CopiedTables **tables, PgConn *target,
								 const char *pipeline, Error *err);

/* Accepts NULL. */
void copied_tables_free(CopiedTables *tables);

/* Whether the list has a table of the source with that OID; then *copied says
 * whether it was copied. */
bool copied_tables_find(const CopiedTables *tables, uint32_t oid, bool *copied);

/* What a relation of the stream is to the pipeline. */
typedef enum CopiedVerdict
{
	COPIED_YES,     /* or it need not be: it may be followed */
	COPIED_RENAMED, /* but the target does not have the name */
	COPIED_SWAPPED, /* but the target has the name for another table */
	COPIED_NEWER,   /* it may be followed when the target has it */
	COPIED_NO,
} CopiedVerdict;

/*
 * Judges by the list, and by the tables that the target had when it was read.
 * *table is the table that the relation is or was, or NULL; borrowed.
 */
CopiedVerdict copied_tables_judge(const CopiedTables *tables,
								  const Relation *relation,
								  const CopiedTable **table);

#endif /* PENSTOCK_CONTROL_COPIED_TABLE_H */
