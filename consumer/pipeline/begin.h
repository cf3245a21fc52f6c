/*
 * begin.h
 *    Starts to stream from a slot, with given options of the output plugin.
 */
#ifndef PENSTOCK_PIPELINE_BEGIN_H
#define PENSTOCK_PIPELINE_BEGIN_H

#include "net/pgconn.h"
#include "source/source.h"
#include "wire/options.h"

/*
 * Starts at the confirmed position of the slot.  Takes ownership of the
 * replication connection, also when it fails.  The caller owns *source.  Blocks
 * until the server has answered.
 */
MUST_CHECK Rc begin_stream(Source **source, PgConn *replication,
						   const char *slot, const WireOptions *wire,
						   Error *err);

#endif /* PENSTOCK_PIPELINE_BEGIN_H */
