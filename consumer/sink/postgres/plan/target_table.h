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
 * Whoever applies changes looks the table up: see apply/table_lookup.h.
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

/* Where the condition of a UniqueIndex looks for the row to insert: FROM this,
 * which has the columns that the source sends, under their names. */
#define UNIQUE_GIVEN "penstock_given"

/* What keeps a row from being inserted; see apply/unique.h. */
typedef struct UniqueIndex
{
	const char *name_literal;
	const char *condition; /* on a row of the table, alone in its FROM */
} UniqueIndex;

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
	bool finds_one_row;    /* the key cannot find several rows, because a unique
							  index keeps it unique; or there is no key, and
							  the statement picks one row */

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

	/* Unique indexes that a row to insert may violate.  They are read only if
	 * the table's policy is another than to stop. */
	UniqueIndex *uniques;
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
 * Whether changes to both may be of the same rows, so that their order matters:
 * they are the same table of the target, or one is a partition of the other.
 */
bool target_table_shares_rows(const TargetTable *a, const TargetTable *b);

/* Types whose binary format is the text itself. */
bool target_type_is_text(uint32_t type_oid);

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
