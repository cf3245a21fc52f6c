/*
 * columns.h
 *    Columns of tables, as the coordinator is to have them or has them.
 *
 * Columns of a domain have the type that the domain is made of: what is read
 * was checked when it was written.
 */
#ifndef PENSTOCK_FEDERATE_COLUMNS_H
#define PENSTOCK_FEDERATE_COLUMNS_H

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/* What columns_read() gives of each column. */
typedef enum ColumnsField
{
	COLUMNS_PLACE, /* of its table in the array that was asked for, from 0 */
	COLUMNS_NAME,
	COLUMNS_TYPE, /* as SQL has it, with a collation that is not the type's */
	COLUMNS_NOT_NULL,
} ColumnsField;

/* Rows of a result: the columns of one table. */
typedef struct ColumnRange
{
	int first;
	int end; /* the row after the last */
} ColumnRange;

/*
 * Reads the columns of the tables whose OIDs the SQL expression `oids` is an
 * array of, by place and then in the order of the table.  The caller clears
 * *columns.
 */
MUST_CHECK Rc columns_read(PGresult **columns, PgConn *conn, const char *oids,
						   Error *err);

/*
 * Runs a query on those columns: it follows a WITH clause whose `columns` has
 * what pg_attribute has, and place, base, base_typmod: the type without
 * domains.
 */
MUST_CHECK Rc columns_ask(PGresult **result, PgConn *conn, const char *oids,
						  const char *query, Error *err);

/* The row of a column, or -1. */
int columns_find(const PGresult *columns, ColumnRange range, const char *name);

/* Appends a column as in CREATE TABLE. */
void columns_append(Buf *sql, const PGresult *columns, int row);

/* Appends columns so, with commas in between. */
void columns_append_list(Buf *sql, const PGresult *columns, ColumnRange range);

#endif /* PENSTOCK_FEDERATE_COLUMNS_H */
