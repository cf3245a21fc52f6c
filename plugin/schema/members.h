/*
 * members.h
 *		The tables that are published, or not, since a row of a catalog changed.
 *
 * A table can be published because its schema is, because one of its ancestors
 * is, or because all tables are.  Then no row of its own changes when it is
 * added to a publication or leaves it, and it takes no lock either.  So those
 * tables are looked up, and noted as changed.  They are seen as the newest
 * snapshot sees them, as are their definitions.
 */
#ifndef PENSTOCK_MEMBERS_H
#define PENSTOCK_MEMBERS_H

#include "schema/objects.h"

/* Notes a table and its partitions, with theirs, as changed. */
extern void penstock_members_mark_table(PenstockObjects *objects, Oid table);

/* Notes the partitions of a table as changed. */
extern void penstock_members_mark_partitions(PenstockObjects *objects,
											 Oid table);

/*
 * Notes the tables of a schema and their partitions as changed, if the
 * publication is one of the session's, or does not exist any more.
 */
extern void penstock_members_mark_schema_of(PenstockObjects *objects,
											Oid namespace, Oid publication);

/*
 * Notes all tables of a publication as changed, if it is one of the session's;
 * `all_tables`: every table that there is.
 */
extern void penstock_members_mark_publication(PenstockObjects *objects,
											  Oid publication, const char *name,
											  bool all_tables);

#endif /* PENSTOCK_MEMBERS_H */
