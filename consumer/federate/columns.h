/*
 * columns.h
 *    Reads the columns of tables, and writes them as in CREATE TABLE.
 *
 * The source's columns are those that the coordinator's tables should have; the
 * coordinator's columns are those that they have now (script.h).  A column
 * whose type is a domain gets the base type of the domain: the nodes have
 * already checked the domain's constraints when the values were written.
 */
#ifndef PENSTOCK_FEDERATE_COLUMNS_H
#define PENSTOCK_FEDERATE_COLUMNS_H

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/*
 * Columns of the result of columns_read(), which has a row for each column of a
 * table.
 */
typedef enum ColumnsField
{
	COLUMNS_PLACE, /* index of the table in the array `oids`, from 0 */
	COLUMNS_NAME,
	COLUMNS_TYPE, /* type as in SQL, with COLLATE if the collation is not the
				   * type's */
	COLUMNS_NOT_NULL,
} ColumnsField;

/* The rows of a result that are the columns of one table. */
typedef struct ColumnRange
{
	int first;
	int end; /* number of the last row plus one */
} ColumnRange;

/*
 * Reads the columns of the tables in `oids`, an SQL expression for an array of
 * OIDs, ordered by table and attnum.  The caller clears *columns.
 */
MUST_CHECK Rc columns_read(PGresult **columns, PgConn *conn, const char *oids,
						   Error *err);

/*
 * Runs a query on the columns of the tables in `oids`.  `query` is preceded by
 * a WITH clause that defines `columns`, with all columns of pg_attribute and
 * with place (see COLUMNS_PLACE), base and base_typmod (the type without
 * domains).
 */
MUST_CHECK Rc columns_ask(PGresult **result, PgConn *conn, const char *oids,
						  const char *query, Error *err);

/* Returns the row of the column with a name; -1: there is none. */
int columns_find(const PGresult *columns, ColumnRange range, const char *name);

/* Appends a column as in CREATE TABLE. */
void columns_append(Buf *sql, const PGresult *columns, int row);

/* Appends several columns as in CREATE TABLE, with commas between them. */
void columns_append_list(Buf *sql, const PGresult *columns, ColumnRange range);

#endif /* PENSTOCK_FEDERATE_COLUMNS_H */
