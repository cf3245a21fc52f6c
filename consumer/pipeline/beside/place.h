/*
 * place.h
 *    Applies a pipeline's placement (model/placement.h) to the tables that the
 *    source publishes.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_PLACE_H
#define PENSTOCK_PIPELINE_BESIDE_PLACE_H

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
	Buf distribution; /* value for the plugin's option `distribution`; empty:
					   * not needed */
	Buf places;       /* placement of each table as JSON: see NodeIdentity */
	uint32_t directory_oid; /* OID of the directory's table; 0: there is none */
	CopyCatalog *catalog; /* the tables, until place_learn(); NULL: there is no
						   * placement */
	Placed *placed;       /* the same */
} Place;

/*
 * Finds the rule of each published table, and fails if a table cannot be placed
 * as its rule says.  Without a placement *place is empty.  To be released also
 * after a failure.
 */
MUST_CHECK Rc place_read(Place *place, const Config *config, PgConn *source,
						 Error *err);

/* Releases a Place.  Accepts a zeroed one. */
void place_release(Place *place);

/* Appends the JSON object for NodeIdentity.places. */
void place_append_places(const Placed *placed, Buf *buf);

/*
 * Fails with ERR_CONFIG if the names in a rule mean other columns in the
 * source's catalog than those that a target has noted.
 */
MUST_CHECK Rc place_require_noted(const Placed *placed,
								  const PlacedColumnsList *list, Error *err);

/*
 * Takes the lists that the targets have, NULL for one that is unreachable:
 * fails as place_require_noted() does, and makes `distribution` anew.  *learnt
 * tells whether it differs from before.  To be called once: it forgets the
 * tables.
 */
MUST_CHECK Rc place_learn(Place *place, const Config *config,
						  const PlacedColumnsList *const *noted, int count,
						  bool *learnt, Error *err);

/*
 * Reads the directory (route/directory.h) from a target.  The target's copy is
 * the source's table as of `lsn`.  If no rule uses a directory, *directory
 * stays NULL; otherwise the caller owns it.
 */
MUST_CHECK Rc place_read_directory(const Config *config, int target, Lsn lsn,
								   Directory **directory, Error *err);

/*
 * Fills *node for a target; borrows `places`.  Returns false, and does not set
 * *node, if there is no placement.
 */
bool place_node(const Config *config, int target, const Buf *places,
				NodeIdentity *node);

#endif /* PENSTOCK_PIPELINE_BESIDE_PLACE_H */
