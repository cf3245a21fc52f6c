/*
 * target_table.h
 *    A table of the target, as changes of one source relation are applied to
 *    it: which column goes where, how a value is sent, and the SQL for it.
 *
 * Columns are matched by name.  A value travels as a parameter of its column's
 * own type, or in an array of that: in binary format where the bytes are good
 * for it as they came, else as text, which the type's own input function reads,
 * as if somebody had typed it.  Where the source sends bytes of another type,
 * the target writes them as text first.  See type_sql.h.
 *
 * Looking a table up waits for the target; afterwards nothing here does.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_TARGET_TABLE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_TARGET_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/change.h"
#include "model/policy.h"
#include "net/pgconn.h"

/* How a value gets into its column. */
typedef enum Transfer
{
	TRANSFER_SAME,      /* binary, of the column's own type */
	TRANSFER_RECEIVED,  /* text, which is that type's binary format too */
	TRANSFER_TEXT,      /* as text */
	TRANSFER_CONVERTED, /* binary of the source's type, which the target writes
						   as text and reads as its own */
} Transfer;

typedef struct TargetColumn
{
	const RelationColumn *source;
	int source_index; /* in the relation's columns and in rows */
	int place;        /* among the target table's columns, from 0 */
	Transfer transfer;
	uint32_t type_oid;  /* the column's */
	uint32_t base_type; /* without domains */
	uint32_t wire_type; /* type of the parameter */

	/* Of many values in an array: its type (0: there is none) and that of its
	 * elements; and whether it has to be in text format, with what between the
	 * elements. */
	uint32_t array_type;
	uint32_t element_type;
	bool array_is_text;
	char delimiter;

	/* SQL around an expression of type text, to read it as the base type, or as
	 * the source's; and the output function of the latter.  NULL where the
	 * source's type is not built in. */
	const char *read_before;
	const char *read_behind;
	const char *source_read_before;
	const char *source_read_behind;
	const char *source_output;

	const char *name_sql; /* quoted */

	const char *equals_sql;    /* operator; NULL: compare as text */
	const char *compared_as;   /* type that it is for; NULL: the column's */
	const char *collation_sql; /* NULL: the column's */
	bool equal_is_same;        /* what is equal is alike in all respects */

	bool identity_always; /* only an INSERT may set it */
	bool key;             /* part of what identifies a row here */
} TargetColumn;

/*
 * Of a row c of pg_class, a number that is another one when anything has been
 * altered that target_table_open() reads: the table itself, its columns and
 * their types, indexes, triggers and rules, and the last three of partitions.
 * What statements of our own do (TRUNCATE sets relfilenode, and indexes are
 * built again) is left out.  See current.h.
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

struct UniqueIndex;

typedef struct TargetTable
{
	Relation *relation; /* holds a reference */
	const char *name_sql;
	uint32_t oid;
	uint32_t top_oid; /* of the table that it is a partition of; or its own */
	int64_t fingerprint; /* see TARGET_FINGERPRINT_SQL */
	int column_count;
	TargetColumn *columns; /* in the relation's order */
	int key_count;         /* 0: rows have to be found by all columns */

	/* Columns that only the target has, and that are not generated: quoted
	 * names. */
	int extra_count;
	const char **extra_names_sql;

	bool is_partitioned;

	bool nothing_fires; /* no trigger or rule, whatever the session's role */

	/* Changes to rows with different keys cannot meet, as nothing but the key
	 * is unique; or, without any key, inserts cannot. */
	bool has_independent_rows;
	ConflictPolicy policy;

	/* Where the policy is not to stop; see unique.h. */
	struct UniqueIndex *uniques;
	int unique_count;
	bool copyable;   /* all columns are good for COPY BINARY */
	bool unnestable; /* all values can travel in arrays */

	/*
	 * Whole rows can travel as records of the table's own type: these are all
	 * its columns, in this order.  Null if they cannot.
	 */
	const TargetColumn **record;
	uint32_t record_type;
	uint32_t record_array_type;
	uint32_t serial;   /* tells statements of different tables apart */
	uint64_t top_hash; /* the same for all that may have the same rows */
	Arena *arena;      /* holds all of this */
} TargetTable;

/*
 * Looks up the table that a relation's changes go to.  ERR_CONFIG, with what
 * to do, if the table or a column is not there.
 */
MUST_CHECK Rc target_table_open(TargetTable **table, PgConn *target,
								Relation *relation, uint32_t serial,
								const ConflictRules *rules, Error *err);

/*
 * Whether changes to both may be of the same rows, so that their order matters:
 * they are the same table of the target, or one is a partition of the other.
 */
bool target_table_shares_rows(const TargetTable *a, const TargetTable *b);

/* Accepts NULL. */
void target_table_close(TargetTable *table);

/*
 * The SQL of a parameter as a value of the column's type, or of that without
 * domains; `many`: of an element of an array.
 */
void target_column_append_value(Buf *sql, const TargetColumn *column,
								const char *expression, bool many);

/* The condition that two such expressions are equal, for a column that has an
 * operator for that. */
void target_column_append_equal(Buf *sql, const TargetColumn *column,
								const char *left, const char *right);

/* The condition that they have the same text; of a null, that is empty. */
void target_column_append_same(Buf *sql, const char *left, const char *right);

/* The column, or another expression of its type, as the source would send it.
 */
void target_column_append_fetched(Buf *sql, const TargetColumn *column,
								  const char *expression);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_TARGET_TABLE_H */
