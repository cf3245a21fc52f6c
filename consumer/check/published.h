/*
 * published.h
 *    What the publications publish, in the form that checks pass to a server.
 *
 * Tables of source and target are compared by the target: it gets the source's
 * tables as a JSON array and looks each up in its own catalogs.  An element has
 *
 *     oid         on the source
 *     schema, name
 *     insert, update, delete, truncate    whether any publication publishes it
 *     lists_differ   publications disagree on its columns
 *     identity    pg_class.relreplident
 *     columns     array, as far as they are published: name, type, base (the
 *                 type without its modifier), key (in the replica identity),
 *                 required (NOT NULL), default (its expression, or null)
 *
 * Penstock's own schema is left out, and so are partitions of tables that are
 * published as a whole.
 */
#ifndef PENSTOCK_CHECK_PUBLISHED_H
#define PENSTOCK_CHECK_PUBLISHED_H

#include "check/context.h"
#include "net/pgconn.h"

/*
 * Reads the list in config->publications into context->publications.  RC_FAIL
 * with ERR_CONFIG: it is not a list of names.
 */
MUST_CHECK Rc check_parse_publications(CheckContext *context, Error *err);

/* Reads context->tables from the source. */
MUST_CHECK Rc check_read_published(CheckContext *context, PgConn *source,
								   Error *err);

#endif /* PENSTOCK_CHECK_PUBLISHED_H */
