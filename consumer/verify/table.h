/*
 * table.h
 *    A table that is compared, as statements need to know it.
 *
 * Rows are compared by the text of the columns that both sides have: of two
 * values with the same text under the same settings none is taken for another,
 * whatever types they have, and whether or not these can be compared.
 */
#ifndef PENSTOCK_VERIFY_TABLE_H
#define PENSTOCK_VERIFY_TABLE_H

#include <stdbool.h>

typedef struct VerifyColumn
{
	const char *name;

	/* The target's type, with its modifier, by whose input function the source
	 * reads its own text first: 1.0 becomes 1.00, as it does when it is copied.
	 * NULL: both have the same, or the target's is not built in. */
	const char *read_as;
	bool is_lsn; /* compared as a number: servers write it differently */
	bool is_key; /* of the key by which rows are told from each other */
} VerifyColumn;

typedef struct VerifyTable
{
	const char *qualified; /* "schema"."name", on both sides */
	int column_count;
	const VerifyColumn *columns;
	bool has_key; /* else equal rows are counted */

	/* The servers have other encodings, so that the bytes of the text are
	 * those that it has in UTF8. */
	bool recoded;
	int sample_percent; /* of the rows, by their key; 0: all */
} VerifyTable;

/* One side of it. */
typedef struct VerifySide
{
	bool is_source;
	bool partitioned;   /* its rows are in partitions */
	const char *filter; /* condition on the rows, or NULL */

	/*
	 * On which target each row belongs.  With node_count 0 place_sql is an
	 * expression for its number, else a list of expressions, one for each of
	 * place_count columns, for what hash_combine() takes.  NULL: on all.
	 */
	const char *place_sql;
	int place_count;
	int node_count;
} VerifySide;

#endif /* PENSTOCK_VERIFY_TABLE_H */
