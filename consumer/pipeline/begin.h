/*
 * begin.h
 *    Beginning to stream from a slot, with what the output plugin is asked for.
 */
#ifndef PENSTOCK_PIPELINE_BEGIN_H
#define PENSTOCK_PIPELINE_BEGIN_H

#include "net/pgconn.h"
#include "source/source.h"
#include "wire/options.h"

/*
 * Begins where the slot is confirmed.  Takes ownership of the replication
 * connection, also when it fails; *source is the caller's.  Blocks until the
 * server has answered.
 */
MUST_CHECK Rc begin_stream(Source **source, PgConn *replication,
						   const char *slot, const WireOptions *wire,
						   Error *err);

#endif /* PENSTOCK_PIPELINE_BEGIN_H */
