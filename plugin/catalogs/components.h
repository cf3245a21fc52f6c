/*
 * components.h
 *		The types that values of a type consist of.
 *
 * A value of a composite type has values of its columns' types in it, an array
 * those of its elements, and so on.  The server's functions that write such
 * values take the columns of a composite type from a cache of the server.  What
 * the cache lacks it reads under a lock of the type, and waits for whoever is
 * altering the type.  A walsender that decodes must not: if its reader is a
 * synchronous standby, that one may be waiting for it.
 *
 * So whoever calls such a function has the types looked up here first, which
 * puts the columns into the cache without a lock, as the server does with those
 * of tables whose rows it decodes.  They stay there until the server hears that
 * a type is another, or that everything may be.
 */
#ifndef PENSTOCK_COMPONENTS_H
#define PENSTOCK_COMPONENTS_H

#include "nodes/pg_list.h"

/*
 * Returns the OIDs of the types of which values may be in a value of a type,
 * including the type itself.  For domains, the list has their base types.
 * Built-in types inside of others are left out.  Allocated in the current
 * memory context.
 */
extern List *penstock_components_list(Oid type);

/*
 * Loads the columns of all composite types that may be in values of a type into
 * the server's cache, without a lock.
 */
extern void penstock_components_load(Oid type);

/* Whether values of a type may contain values of composite types. */
extern bool penstock_components_have_rows(Oid type);

#endif /* PENSTOCK_COMPONENTS_H */
