/*
 * table.h
 *    A table that is compared, and its two sides, as input for statements.h.
 *
 * Rows are compared by the text of the columns that both sides have.  Two
 * values are equal if their text is equal under the same settings, so values of
 * any type can be compared, even of types without an equality operator.
 */
#ifndef PENSTOCK_VERIFY_TABLE_H
#define PENSTOCK_VERIFY_TABLE_H

#include <stdbool.h>

typedef struct VerifyColumn
{
	const char *name;

	/*
	 * Type of the target's column with its modifier, if it differs and is built
	 * in: the source converts its values to this type first, so 1.0 becomes
	 * 1.00, as it does in a copy.  NULL: no conversion.
	 */
	const char *read_as;
	bool is_lsn; /* whether the type is pg_lsn, which is compared as a number
				  * because versions print it differently */
	const char *type; /* type as which both sides read a key to look a row up */
	bool is_key;      /* whether the column is part of the key that identifies
					   * rows */
} VerifyColumn;

typedef struct VerifyTable
{
	const char *qualified; /* "schema"."name", the same on both sides */
	int column_count;
	const VerifyColumn *columns;
	bool has_key; /* whether rows have a key; otherwise equal rows are
				   * counted */

	/*
	 * Whether the encodings of the databases differ; then the text is compared
	 * in UTF8.
	 */
	bool recoded;
	int sample_percent; /* percentage of the rows, chosen by their keys; 0: all
						 * rows */
} VerifyTable;

/* Source or target of a comparison. */
typedef struct VerifySide
{
	bool is_source;
	bool partitioned;   /* whether the table is partitioned */
	const char *filter; /* SQL condition on the rows; NULL: none */

	/*
	 * SQL for the target on which a row belongs; NULL: it belongs on every
	 * target.  If node_count is 0, an expression for the index of the target;
	 * otherwise a list of expressions, one for each of the place_count columns,
	 * whose values are the arguments of hash_combine().
	 */
	const char *place_sql;
	int place_count;
	int node_count;
} VerifySide;

#endif /* PENSTOCK_VERIFY_TABLE_H */
