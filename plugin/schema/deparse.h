/*
 * deparse.h
 *		SQL text of what catalogs hold, made without a lock.
 *
 * The server's own functions, such as pg_get_constraintdef(), lock the table
 * that an expression is about.  A walsender that decodes must not: it may be
 * the one for whom the transaction waits that holds a lock on the table, if its
 * reader is a synchronous standby, and nobody would notice.
 *
 * The text is the same as the server's functions write with pg_catalog as
 * search_path, which has to be set.  All of it is allocated in the current
 * memory context.  To be called within penstock_lookup().
 */
#ifndef PENSTOCK_DEPARSE_H
#define PENSTOCK_DEPARSE_H

#include "access/htup.h"
#include "access/tupdesc.h"

/*
 * As pg_get_expr(): an expression about the columns of a relation, or of
 * nothing (InvalidOid).
 */
extern char *penstock_deparse_expression(Datum expression, Oid relid);

/* As pg_get_expr(): the bound of a partition, which names no column. */
extern char *penstock_deparse_bound(Datum bound);

/* As format_type(). */
extern char *penstock_deparse_type(Oid type, int32 typmod);

/* Qualified and quoted. */
extern char *penstock_deparse_collation(Oid collation);

/* As pg_get_indexdef(). */
extern char *penstock_deparse_index(Oid index);

/* As pg_get_partkeydef(). */
extern char *penstock_deparse_partition_key(Oid table);

/* As pg_get_constraintdef(), of a row of pg_constraint. */
extern char *penstock_deparse_constraint(HeapTuple tuple, TupleDesc desc);

#endif /* PENSTOCK_DEPARSE_H */
