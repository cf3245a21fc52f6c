/*
 * describe_table.h
 *		What a table is: its columns, constraints and indexes; see describe.h.
 */
#ifndef PENSTOCK_DESCRIBE_TABLE_H
#define PENSTOCK_DESCRIBE_TABLE_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "catalog/pg_attribute.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "session.h"

/* Appends a SchemaTable; `tuple` is its row in pg_class, of the system cache.
 */
extern void penstock_describe_table(PenstockSession *session, StringInfo buf,
									HeapTuple tuple);

/* Appends what a column of a table and one of a composite type have. */
extern void penstock_describe_column_type(PenstockSession *session,
										  StringInfo buf,
										  Form_pg_attribute attr);

/*
 * The rows of pg_constraint of a table or of a domain, the other being
 * InvalidOid; by name.
 */
extern List *penstock_read_constraints(Oid table, Oid domain, TupleDesc *desc);

/* Appends a SchemaConstraint for each. */
extern void penstock_describe_constraints(PenstockSession *session,
										  StringInfo buf, int field,
										  const List *rows, TupleDesc desc);

#endif /* PENSTOCK_DESCRIBE_TABLE_H */
