/*
 * target_table.h
 *    A table of the target, as changes of one source relation are applied to
 *    it: its columns, how their values are sent, and their SQL.
 *
 * Columns are matched by name.  A value is sent as a parameter of its column's
 * type, or in an array of that type; of a domain, the base type is meant,
 * unless there are no arrays of that.  It is sent in binary format if the bytes
 * from the source can be used unchanged; otherwise as text, which the type's
 * input function reads.  If the source sends bytes of another type, the target
 * converts them to text first (type_sql.h).
 *
 * tables/table_lookup.h fills in this struct.
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

/* How a value is transferred to its column. */
typedef enum Transfer
{
	TRANSFER_SAME,      /* in binary format, of the column's type */
	TRANSFER_RECEIVED,  /* as text that is also the type's binary format */
	TRANSFER_TEXT,      /* as text */
	TRANSFER_CONVERTED, /* in binary format of the source's type, which the
						 * target converts to text and reads as its own type */
} Transfer;

typedef struct TargetColumn
{
	const RelationColumn *source;
	int source_index; /* index in the relation's columns and in rows */
	int place;        /* position among the target table's columns, from 0 */
	Transfer transfer;
	uint32_t type_oid;  /* type of the column */
	uint32_t base_type; /* type of the column, or the base type of a domain */
	uint32_t wire_type; /* type of the parameter */

	/*
	 * For many values in an array: type of the array (0: there is none) and of
	 * its elements, whether the array is sent as text, and the separator of its
	 * elements.
	 */
	uint32_t array_type;
	uint32_t element_type;
	bool array_is_text;
	char delimiter;

	/*
	 * SQL before and after an expression of type text that reads it as the base
	 * type, and before one that reads it as the source's type; and the output
	 * function of the latter.  NULL if the source's type is not built in.
	 */
	const char *read_before;
	const char *read_after;
	const char *source_read_before;
	const char *source_read_after;
	const char *source_output;

	const char *name_sql; /* quoted */

	const char *equals_sql;    /* equality operator; NULL: values are compared
								* as text */
	const char *compared_as;   /* operand type of the operator; NULL: the
								* column's type */
	const char *collation_sql; /* collation of the comparison; NULL: the
								* column's */
	bool equal_is_same;        /* whether equal values are the same in all
								* respects */

	bool identity_always; /* whether only an INSERT can set the column */
	bool key;             /* whether the column is part of the key */
} TargetColumn;

/*
 * Name of the subquery with the row to insert, which the condition of a
 * UniqueIndex refers to; it has the columns that the source sends, under their
 * names.
 */
#define UNIQUE_GIVEN "penstock_given"

/*
 * A unique index or exclusion constraint that a row to insert may violate; see
 * tables/unique.h.
 */
typedef struct UniqueIndex
{
	const char *name_literal;
	const char *condition; /* condition on a row of the table, which is alone in
							* its FROM */
} UniqueIndex;

typedef struct TargetTable
{
	Relation *relation; /* holds a reference */
	const char *name_sql;
	uint32_t oid;
	uint32_t top_oid;    /* OID of the topmost partitioned table, or of the
						  * table itself */
	int64_t fingerprint; /* see TARGET_FINGERPRINT_SQL */
	int column_count;
	TargetColumn *columns; /* in the order of the relation */
	int key_count;         /* 0: rows are found by all columns */
	bool finds_one_row;    /* whether the key finds at most one row, because a
							* unique index guarantees it; or there is no key,
							* and the statement selects one row */

	/*
	 * Columns that only the target has, and that are not generated; names are
	 * quoted.
	 */
	int extra_count;
	const char **extra_names_sql;

	bool is_partitioned;

	bool nothing_fires; /* whether no trigger or rule fires, whatever
						 * session_replication_role is */

	/*
	 * Whether changes to rows with different keys do not interact, because only
	 * the key is unique; without a key: whether inserts do not interact.
	 */
	bool has_independent_rows;
	ConflictPolicy policy;

	/*
	 * Unique indexes that a row to insert may violate; read only if the policy
	 * is not CONFLICT_STOP.
	 */
	UniqueIndex *uniques;
	int unique_count;
	bool copyable;   /* whether rows can be sent with COPY BINARY */
	bool unnestable; /* whether all values can be sent in arrays */

	/*
	 * All columns of the table in their order, if whole rows can be sent as
	 * records of the table's type; else NULL.
	 */
	const TargetColumn **record;
	uint32_t record_type;
	uint32_t record_array_type;
	uint32_t serial;   /* number that distinguishes statements of different
						* tables */
	uint64_t top_hash; /* hash that is the same for all tables that may share
						* rows */
	Arena *arena;      /* owns everything here */
} TargetTable;

/*
 * Whether changes to both may be to the same rows, so that their order matters:
 * they are the same table of the target, or one is a partition of the other.
 */
bool target_table_shares_rows(const TargetTable *a, const TargetTable *b);

/* Whether the binary format of a type is the same as its text format. */
bool target_type_is_text(uint32_t type_oid);

/* Frees a table.  Accepts NULL. */
void target_table_close(TargetTable *table);

/*
 * Appends an expression that reads a parameter as a value of the column's base
 * type.  With `many`, the parameter is an array, and the expression reads one
 * of its elements.
 */
void target_column_append_value(Buf *sql, const TargetColumn *column,
								const char *expression, bool many);

/*
 * Appends the condition that two expressions from target_column_append_value()
 * are equal.  The column must have an equality operator.
 */
void target_column_append_equal(Buf *sql, const TargetColumn *column,
								const char *left, const char *right);

/*
 * Appends the condition that two expressions have the same text; null counts as
 * an empty text.
 */
void target_column_append_same(Buf *sql, const char *left, const char *right);

/*
 * Appends an expression of the column's type in the form in which the source
 * would send it.
 */
void target_column_append_fetched(Buf *sql, const TargetColumn *column,
								  const char *expression);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_TARGET_TABLE_H */
