/*
 * server.h
 *    A node as postgres_fdw's foreign server.
 */
#ifndef PENSTOCK_FEDERATE_SERVER_H
#define PENSTOCK_FEDERATE_SERVER_H

#include "base/buf.h"
#include "base/error.h"
#include "federate/script.h"
#include "model/identifier.h"

/* What a node's server is called: PIPELINE_TARGET. */
MUST_CHECK Rc server_name(char name[static IDENTIFIER_SIZE],
						  const char *pipeline, const FederateNode *node,
						  Error *err);

/* Appends CREATE SERVER and CREATE USER MAPPING. */
MUST_CHECK Rc server_append(Buf *script, const char *name,
							const FederateNode *node, Error *err);

#endif /* PENSTOCK_FEDERATE_SERVER_H */
