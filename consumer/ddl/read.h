/*
 * read.h
 *    Definitions of what a database has, from the server's catalogs.
 *
 * A definition that is read here says the same, byte by byte, as one that the
 * plugin sends of the same object (SchemaChange in proto/penstock.proto).  Like
 * the plugin it leaves out temporary objects, what belongs to an extension,
 * and the schemas of the system and of Penstock.
 *
 * What is read is what the transaction's snapshot shows, but for texts of
 * expressions, of indexes and of constraints: for these the server looks at its
 * catalogs as they are now.  Whoever needs both to be of one moment locks the
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
	/* Of which TableDefinition.published is told; NULL: of none. */
	const Publications *publications;

	/*
	 * Which tables and schemas are wanted; NULL: all.  A partition is taken or
	 * left out with its table, a sequence that belongs to a column as well.
	 * Where tables are named, neither schemas nor types are read.
	 */
	const Selection *selection;

	/* Only these objects, of the catalog; NULL: all.  One that is not there is
	 * no failure. */
	const OidList *oids;
	DefinitionCatalog catalog;
	bool with_sequences; /* and those of the columns of these tables */
} DdlReadOptions;

/*
 * Puts the definitions of the database into the set.  The connection is in a
 * transaction, whose snapshot counts, and has pg_catalog alone as search_path
 * and UTF8 as client_encoding, as PGCONN_DATA has.  Waits.
 */
MUST_CHECK Rc ddl_read(PgConn *conn, const DdlReadOptions *options,
					   DefinitionSet *set, Error *err);

#endif /* PENSTOCK_DDL_READ_H */
