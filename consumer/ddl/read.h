/*
 * read.h
 *    Reads definitions from the catalogs of a server.
 *
 * A definition that is read here is equal, byte by byte, to the definition that
 * the plugin sends for the same object (SchemaChange in proto/penstock.proto).
 * As the plugin does, it leaves out temporary objects, objects of extensions,
 * and the schemas of the system and of Penstock.
 *
 * Definitions are as of the transaction's snapshot, except texts of
 * expressions, indexes and constraints, for which the server uses the current
 * catalogs.  A caller that needs all of them as of the same time must lock the
 * tables first (ACCESS SHARE is enough).
 */
#ifndef PENSTOCK_DDL_READ_H
#define PENSTOCK_DDL_READ_H

#include "base/error.h"
#include "catalog/publications.h"
#include "model/definition.h"
#include "model/selection.h"
#include "net/pgconn.h"

typedef struct DdlReadOptions
{
	/* Publications that decide TableDefinition.published; NULL: it is false. */
	const Publications *publications;

	/*
	 * Which tables and schemas are read; NULL: all.  A partition is selected
	 * with its partitioned table, and a sequence with the table whose column
	 * owns it.  If the selection has tables, no schemas and types are read.
	 */
	const Selection *selection;

	/*
	 * Read only the objects with these OIDs in `catalog`; NULL: all.  An OID
	 * that does not exist is no error.
	 */
	const OidList *oids;
	DefinitionCatalog catalog;
	bool with_sequences; /* with `oids` of tables: also sequences that their
						  * columns own */
} DdlReadOptions;

/*
 * Reads the definitions of a database into the set; waits.  The connection must
 * be in a transaction, and have search_path = pg_catalog and client_encoding =
 * UTF8, as connections of kind PGCONN_DATA have.
 */
MUST_CHECK Rc ddl_read(PgConn *conn, const DdlReadOptions *options,
					   DefinitionSet *set, Error *err);

#endif /* PENSTOCK_DDL_READ_H */
