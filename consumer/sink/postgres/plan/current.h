/*
 * current.h
 *    Detects that tables of the target were altered after they were looked up.
 *
 * Tables of the target may be altered while changes are applied: a column's
 * type, an index or a trigger changes, or another table gets the name.  What
 * was looked up of a table (target_table.h) includes a fingerprint of all
 * catalog rows that it was read from, taken by the same query.  A transaction
 * of the target may commit only if it has compared the fingerprints of all
 * tables that it wrote to, after writing to them.  At that time it holds locks
 * on these tables, so nobody can alter them before it ends.
 *
 * This comparison is one more statement that reads catalogs, which is expensive
 * for a small transaction.  A prepared statement can avoid it.  The server
 * keeps the plan of a prepared statement until one of its tables is altered,
 * and evaluates constant expressions when it makes the plan.  So a condition
 * that calls a function with constants is evaluated exactly when its result may
 * have changed, while the statement holds its locks; otherwise it costs
 * nothing.  The function is a temporary function of the session.  It is
 * declared IMMUTABLE to be evaluated during planning.  It calls a VOLATILE
 * function, which sees what was committed by then, not only what was committed
 * when the statement was sent.
 *
 * A plan is only invalidated by tables that it refers to.  An INSERT into a
 * partitioned table does not refer to its partitions; for these, the
 * fingerprints are compared by a statement, once in a round.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_CURRENT_H
#define PENSTOCK_SINK_POSTGRES_PLAN_CURRENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/target_table.h"

/*
 * SQL of the fingerprint, for a row c of pg_class: a number that changes when
 * anything is altered that table_lookup() reads, which is the table itself, its
 * columns and their types, unique indexes and exclusion constraints, triggers
 * and rules, and the last three of partitions.  It does not include what our
 * own statements change: TRUNCATE sets relfilenode, and rebuilds indexes, which
 * makes invalid ones valid.  Nor does it include other indexes: no statement
 * depends on them, and each CREATE INDEX CONCURRENTLY would have transactions
 * applied again.
 */
/*
 * The SQL runs under the search_path of users, so all names have their schema.
 * (clang-format does not handle strings around macros with arguments.)
 */
/* clang-format off */
#define TARGET_FINGERPRINT_OBJECTS_SQL(table)                                  \
	"(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', i.indexrelid,"    \
	"  i.indisunique, i.indisvalid, i.indimmediate, i.indisprimary), ' '"      \
	"  ORDER BY i.indexrelid) FROM pg_catalog.pg_index i"                      \
	"  WHERE i.indrelid OPERATOR(pg_catalog.=) " table                         \
	"  AND (i.indisunique OR i.indisexclusion)),"                              \
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

/* A borrowed list of tables. */
typedef struct CurrentTables
{
	const TargetTable *const *tables;
	size_t count;
} CurrentTables;

/* A statement with parameters, which fails if one of the tables has changed. */
extern const char current_check_sql[];

/* SQLSTATE with which a condition fails if one of its tables has changed. */
extern const char current_changed_sqlstate[];

/* Adds the parameters of current_check_sql; the list must not be empty. */
void current_add_params(Params *params, const CurrentTables *tables);

/* SQL that creates the function which conditions call, in the session. */
extern const char current_create_functions_sql[];

/* Appends a condition that fails if one of the tables has changed. */
void current_append_condition(Buf *sql, const CurrentTables *tables);

/*
 * A query with two parameters, the texts below; its result has one row, which
 * says whether one of the tables has changed.
 */
extern const char current_find_changed_sql[];

/* Names and fingerprints of tables, as text literals of arrays. */
typedef struct CurrentText
{
	Buf names;
	Buf fingerprints;
} CurrentText;

/* Fills in the texts; the list must not be empty. */
void current_text_init(CurrentText *text, const CurrentTables *tables);
void current_text_release(CurrentText *text);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_CURRENT_H */
