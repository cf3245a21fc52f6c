/*
 * current.h
 *    Whether what was looked up of target tables is still so.
 *
 * Somebody may alter a table of the target while it is followed: a column's
 * type, an index, a trigger, or put another table in its place.  What was
 * looked up of it (target_table.h) has a fingerprint of all the rows of the
 * catalogs that it was read from, taken by the same statement.  A transaction
 * of the target only commits if the fingerprints of all tables that it wrote to
 * were compared in it, after it had written: it then has locks of these
 * tables, which keep everybody from altering them until it is over.
 *
 * That is one statement more, which reads catalogs.  For a small transaction
 * that would be much.  A statement that is prepared can do without: the server
 * keeps its plan until one of its tables is altered, and computes the constant
 * parts of it when it plans.  So a condition that calls a function with
 * constants is looked at exactly when it may have become false, while the
 * statement already has its locks, and costs nothing otherwise.  The function
 * is a temporary one of the session; it says that it is immutable, so that it
 * is computed then.  What it calls says that it is volatile, and so sees what
 * was committed by then, and not only what was when the statement was sent.
 *
 * Only the tables that a plan names count for that.  An INSERT into a
 * partitioned table does not name its partitions: for these there is the
 * statement that compares, once in a round.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_CURRENT_H
#define PENSTOCK_SINK_POSTGRES_PLAN_CURRENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Of a row c of pg_class, a number that is another one when anything has been
 * altered that table_lookup() reads: the table itself, its columns and
 * their types, indexes, triggers and rules, and the last three of partitions.
 * What statements of our own do (TRUNCATE sets relfilenode, and indexes are
 * built again) is left out.
 */
/* It runs under the search path of users: all is named by its schema.  (Strings
 * around macros with arguments are not for clang-format.) */
/* clang-format off */
#define TARGET_FINGERPRINT_OBJECTS_SQL(table)                                  \
	"(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', i.indexrelid,"    \
	"  i.indisunique, i.indisvalid, i.indimmediate, i.indisprimary), ' '"      \
	"  ORDER BY i.indexrelid) FROM pg_catalog.pg_index i"                      \
	"  WHERE i.indrelid OPERATOR(pg_catalog.=) " table "),"                    \
	" (SELECT pg_catalog.string_agg(pg_catalog.concat('t', tg.xmin), ' '"      \
	"  ORDER BY tg.oid) FROM pg_catalog.pg_trigger tg"                         \
	"  WHERE tg.tgrelid OPERATOR(pg_catalog.=) " table "),"                    \
	" (SELECT pg_catalog.string_agg(pg_catalog.concat('r', r.xmin), ' '"       \
	"  ORDER BY r.oid) FROM pg_catalog.pg_rewrite r"                           \
	"  WHERE r.ev_class OPERATOR(pg_catalog.=) " table ")"
#define TARGET_FINGERPRINT_SQL                                                 \
	"pg_catalog.hashtextextended(pg_catalog.concat_ws('|', c.oid, c.relkind,"  \
	" c.reltype, c.relispartition,"                                            \
	" (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', a.xmin,"         \
	"  ty.xmin), ' ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a"        \
	"  LEFT JOIN pg_catalog.pg_type ty"                                        \
	"  ON ty.oid OPERATOR(pg_catalog.=) a.atttypid"                            \
	"  WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid"                          \
	"  AND a.attnum OPERATOR(pg_catalog.>) 0),"                                \
	" " TARGET_FINGERPRINT_OBJECTS_SQL("c.oid") ","                            \
	" CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'p' THEN ("                   \
	"  WITH RECURSIVE part(oid) AS ("                                          \
	"  SELECT h.inhrelid FROM pg_catalog.pg_inherits h"                        \
	"  WHERE h.inhparent OPERATOR(pg_catalog.=) c.oid UNION ALL"               \
	"  SELECT h.inhrelid FROM part p JOIN pg_catalog.pg_inherits h"            \
	"  ON h.inhparent OPERATOR(pg_catalog.=) p.oid)"                           \
	"  SELECT pg_catalog.string_agg(pg_catalog.concat_ws('|', p.oid,"          \
	"  " TARGET_FINGERPRINT_OBJECTS_SQL("p.oid") "), ' ' ORDER BY p.oid)"      \
	"  FROM part p) END), 0)"
/* clang-format on */

/* A list of tables, borrowed. */
typedef struct CurrentTables
{
	const TargetTable *const *tables;
	size_t count;
} CurrentTables;

/* With parameters; fails if one of the tables has changed. */
extern const char current_check_sql[];

/* What a condition fails with if one of its tables has changed. */
extern const char current_changed_sqlstate[];

/* Adds the parameters of the statement; there are tables. */
void current_add_params(Params *params, const CurrentTables *tables);

/* Makes the function that conditions call, in the session. */
extern const char current_create_functions_sql[];

/* Appends the condition that none of the tables has changed. */
void current_append_condition(Buf *sql, const CurrentTables *tables);

/* Has two parameters, the texts below; one row, whether one of the tables has
 * changed. */
extern const char current_find_changed_sql[];

/* Names and fingerprints of tables, as arrays in text. */
typedef struct CurrentText
{
	Buf names;
	Buf fingerprints;
} CurrentText;

/* There are tables. */
void current_text_init(CurrentText *text, const CurrentTables *tables);
void current_text_release(CurrentText *text);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_CURRENT_H */
