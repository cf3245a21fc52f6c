/*
 * published.h
 *    Reads the published tables as JSON, which checks pass to queries.
 *
 * Queries on the target compare the tables of source and target.  They get the
 * source's tables as a JSON array, and search each in the target's catalogs.
 * An element of the array has the members
 *
 *     oid            OID of the table on the source
 *     schema, name
 *     insert, update, delete, truncate
 *                    whether a publication publishes this kind of change of the
 *                    table
 *     lists_differ   whether publications have different column lists for it
 *     identity       pg_class.relreplident
 *     columns        array of the published columns: name, type, base (the type
 *                    without its modifier), key (whether the column is in the
 *                    replica identity), required (whether it is NOT NULL),
 *                    default (the expression, or null)
 *
 * The schema "penstock" is left out, and so are partitions of partitioned
 * tables that are published themselves.
 */
#ifndef PENSTOCK_CHECK_PUBLISHED_H
#define PENSTOCK_CHECK_PUBLISHED_H

#include "check/context.h"
#include "net/pgconn.h"

/*
 * Parses config->publications and sets context->publications.  Fails with
 * ERR_CONFIG if it is not a valid list of names.
 */
MUST_CHECK Rc check_parse_publications(CheckContext *context, Error *err);

/* Reads context->tables and context->nowhere from the source; blocks. */
MUST_CHECK Rc check_read_published(CheckContext *context, PgConn *source,
								   Error *err);

#endif /* PENSTOCK_CHECK_PUBLISHED_H */
