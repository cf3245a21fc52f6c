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

#include "session/session.h"

/*
 * Appends a SchemaTable.  `tuple` is the table's row in pg_class, from the
 * system cache.
 */
extern void penstock_describe_table(PenstockSession *session, StringInfo buf,
									HeapTuple tuple);

/* Appends what columns of tables and of composite types have in common. */
extern void penstock_describe_column_type(PenstockSession *session,
										  StringInfo buf,
										  Form_pg_attribute attr);

/*
 * The rows of pg_constraint of a table or of a domain, as a list of HeapTuple
 * sorted by name.  One of `table` and `domain` is InvalidOid.  *desc is set to
 * a copy of the catalog's descriptor.
 */
extern List *penstock_read_constraints(Oid table, Oid domain, TupleDesc *desc);

/* Appends a SchemaConstraint for each of such rows. */
extern void penstock_describe_constraints(PenstockSession *session,
										  StringInfo buf, int field,
										  const List *rows, TupleDesc desc);

#endif /* PENSTOCK_DESCRIBE_TABLE_H */
