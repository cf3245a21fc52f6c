/*
 * lookup.h
 *		Looks things up while a transaction in progress is handed out.
 *
 * Such a transaction may be rolled back at any time, and what it had written
 * into catalogs is then gone.  So the server watches it: each read of a catalog
 * raises an error once it is rolled back, and a read that is not one of a
 * catalog is an error too.  It can tell them apart for one read at a time only.
 * A read within another ends the outer one, and that then fails with
 * "unexpected table_index_fetch_tuple call during logical decoding".
 *
 * What we and the server's functions for decoding do, has no such reads.
 * Others do: to find the default operator class of a type, the server looks up
 * types and casts for each that there is; functions that compare or hash
 * arrays, ranges and rows do that for their elements; a function may be
 * written in SQL.  They are to be called through here.
 */
#ifndef PENSTOCK_LOOKUP_H
#define PENSTOCK_LOOKUP_H

typedef void (*PenstockLookup)(void *arg);

/*
 * Calls a function, which may read catalogs in any way.  If a transaction in
 * progress is handed out, the server does not watch it during the call.
 * Afterwards this checks whether it was rolled back.  If it was, the result
 * must not be used, and the error is raised that the server expects then; see
 * penstock_session_enter().
 */
extern void penstock_lookup(PenstockLookup function, void *arg);

#endif /* PENSTOCK_LOOKUP_H */
