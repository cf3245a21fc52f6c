/*
 * target_table.h
 *    A table of the target, as changes of one source relation are applied to
 *    it: which column goes where, how a value is sent, and the SQL for it.
 *
 * Columns are matched by name.  Values travel as binary parameters.  Where the
 * type is the same on both sides the bytes go as they came; where it is not,
 * the value goes as text, or as its source type cast to text, and the target
 * reads it with the type's own input function, as if somebody had typed it.
 *
 * Looking a table up waits for the target; afterwards nothing here does.
 */
#ifndef PENSTOCK_SINK_POSTGRES_TARGET_TABLE_H
#define PENSTOCK_SINK_POSTGRES_TARGET_TABLE_H

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
	TRANSFER_SAME, /* binary, of the column's own type */
	TRANSFER_TEXT, /* as text, read by the type's input function */
	TRANSFER_CAST, /* binary of the source's type, cast to text, then as above
					*/
} Transfer;

typedef struct TargetColumn
{
	const RelationColumn *source;
	int source_index; /* in the relation's columns and in rows */
	int place;        /* among the target table's columns, from 0 */
	Transfer transfer;
	uint32_t type_oid;        /* the column's */
	uint32_t wire_type;       /* type of the parameter */
	uint32_t wire_array_type; /* of an array of those; 0: there is none */
	const char *type_sql;     /* the column's type, for a cast */
	const char *name_sql;     /* quoted */
	bool copy_binary;         /* its bytes are good for COPY BINARY as well */
	bool has_equality;        /* "=" means what it must; else compare as text */
	bool identity_always;     /* only an INSERT may set it */
	bool key;                 /* part of what identifies a row here */
} TargetColumn;

typedef struct TargetTable
{
	Relation *relation; /* holds a reference */
	const char *name_sql;
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
	bool copyable;   /* all columns are good for COPY BINARY */
	bool unnestable; /* all values can travel in arrays */

	/*
	 * Whole rows can travel as records of the table's own type: these are all
	 * its columns, in this order.  Null if they cannot.
	 */
	const TargetColumn **record;
	uint32_t record_type;
	uint32_t record_array_type;
	uint32_t serial;    /* tells statements of different tables apart */
	uint64_t name_hash; /* the same for all shapes of a table */
	Arena *arena;       /* holds all of this */
} TargetTable;

/*
 * Looks up the table that a relation's changes go to.  ERR_CONFIG, with what
 * to do, if the table or a column is not there.
 */
MUST_CHECK Rc target_table_open(TargetTable **table, PgConn *target,
								Relation *relation, uint32_t serial,
								const ConflictRules *rules, Error *err);

/* Accepts NULL. */
void target_table_close(TargetTable *table);

/*
 * The SQL of a parameter or of any other expression of the wire type, as a
 * value of the column's type.
 */
void target_column_append_value(Buf *sql, const TargetColumn *column,
								const char *expression);

#endif /* PENSTOCK_SINK_POSTGRES_TARGET_TABLE_H */
