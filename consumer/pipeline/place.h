/*
 * place.h
 *    A pipeline's placement, held against what the source publishes.
 */
#ifndef PENSTOCK_PIPELINE_PLACE_H
#define PENSTOCK_PIPELINE_PLACE_H

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "config/config.h"
#include "control/node_table.h"
#include "net/pgconn.h"
#include "route/directory.h"

typedef struct Place
{
	Buf distribution; /* what the plugin's option must be; empty: nothing */
	Buf places;       /* as in NodeIdentity */
} Place;

/*
 * Fails unless every published table can be where the placement puts it.
 * Without a placement *place stays empty.  To be released also after a failure.
 */
MUST_CHECK Rc place_read(Place *place, const Config *config, PgConn *source,
						 Error *err);

/* Accepts a zeroed Place. */
void place_release(Place *place);

/* Appends the JSON object of NodeIdentity. */
void place_append_places(const Placed *placed, Buf *buf);

/*
 * Reads the directory as the target has it, which is what the source had at
 * `lsn`.  Nothing is placed by one: *directory stays NULL; else it is the
 * caller's.
 */
MUST_CHECK Rc place_read_directory(const Config *config, int target, Lsn lsn,
								   Directory **directory, Error *err);

/*
 * Which node a target is; `places` is borrowed.  False: there is no placement,
 * and *node is not set.
 */
bool place_node(const Config *config, int target, const Buf *places,
				NodeIdentity *node);

#endif /* PENSTOCK_PIPELINE_PLACE_H */
